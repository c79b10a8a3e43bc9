//! The worked example of docs/FORMAT.md, opened with the library's own code, so that page and code cannot diverge
//! unnoticed.

use std::path::Path;

use super::{FileKind, FrameKind, HEADER_LEN, SealedReader, SecretKey};
use crate::id::Uuid;
use crate::vfs::{MemVfs, Vfs};

const PAGE: &str = include_str!("../../FORMAT.md");

#[test]
fn the_page_that_archives_get_is_that_of_the_documents() {
    // A copy, since the package of this crate contains nothing from outside its folder.
    assert!(PAGE == include_str!("../../../docs/FORMAT.md"), "copy docs/FORMAT.md to archive-core/FORMAT.md");
}

fn bytes_of(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The value in the row of a table that begins with `name`.
fn row(name: &str) -> Vec<u8> {
    let line = PAGE.lines().find(|line| line.starts_with(&format!("| {name} | `"))).unwrap();
    bytes_of(line.split('`').nth(1).unwrap())
}

fn example() -> Vec<u8> {
    let dump = PAGE.split("```hex\n").nth(1).unwrap().split("```").next().unwrap();
    dump.lines().flat_map(|line| bytes_of(line.split_once(": ").unwrap().1)).collect()
}

#[test]
fn the_example_of_the_format_page_opens_and_holds_what_the_page_says() {
    let (vfs, path) = (MemVfs::new(), Path::new("/000001.mkc"));
    vfs.create(path).unwrap().append(&example()).unwrap();
    let key = SecretKey::new(row("store key").try_into().unwrap());
    let owner = Uuid(row("owner (UUID of the store)").try_into().unwrap());
    let file = SealedReader::open(path, vfs.open_read(path).unwrap(), &key, FileKind::Container, owner).unwrap();
    assert_eq!(file.header().file_id.0.to_vec(), row("file id"));
    assert_eq!(file.header().commitment.to_vec(), row("commitment"));
    assert_eq!((file.header().number, file.header().generation), (1, 1));
    let end = file.len().unwrap();
    let frame = file.frame(HEADER_LEN as u64, end).unwrap();
    assert_eq!((frame.kind, frame.place.end()), (FrameKind::Block, end));
    assert_eq!(frame.bytes(), &row("plaintext")[2..]);
    assert!(frame.bytes().ends_with(b"Subject: hi\r\n\r\nhello\r\n"));
}
