//! Members of tar archives (ustar, GNU, pax), read as they come.
//!
//! After a broken header, reading continues with the next block that is a header. It also continues after the end mark,
//! since archives may be concatenated. What is stored in a form that is not supported (sparse files, parts of files) is
//! reported, and its raw bytes are never returned.

use std::io::{Error, ErrorKind, Read};
use std::ops::ControlFlow;

use tar::{EntryType, Header};

use super::item::TroubleKind;
use super::names;
use super::packed::member;
use super::reading::{Place, Reading};
use super::window::Window;

const BLOCK: usize = 512;
/// Longest extension before a member: its path, and its other pax records.
const MAX_EXTENSION: u64 = 1 << 20;

/// Whether a file begins as a tar archive. Archives older than POSIX have no mark, and an empty one is all zeros: these
/// are recognised by their names.
pub(super) fn begins(data: &[u8], name: &[u8]) -> bool {
    let is_named = || names::has_ending(name, b".tar");
    let is_header = || block(data).is_some_and(|block| block.iter().all(|&byte| byte == 0) || is_sound(&block));
    data.get(257..262) == Some(b"ustar") || (is_named() && is_header())
}

fn block(data: &[u8]) -> Option<[u8; BLOCK]> {
    data.get(..BLOCK)?.try_into().ok()
}

/// Whether a block has the checksum of a header, which counts bytes with a sign in some old archives.
fn is_sound(block: &[u8; BLOCK]) -> bool {
    let header = Header::from_byte_slice(block);
    let Ok(noted) = header.cksum() else { return false };
    let summed = || block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { b' ' } else { byte });
    let signed: i64 = summed().map(|byte| i64::from(byte as i8)).sum();
    (summed().map(u32::from).sum::<u32>() == noted || signed == i64::from(noted)) && header.entry_size().is_ok()
}

/// Extensions before a member that describe it.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
    /// It is longer than the limit.
    is_cut: bool,
}

impl Extension {
    /// Reads the records `LENGTH KEY=VALUE LF` of pax (POSIX.1-2001).
    fn read_pax(&mut self, mut records: &[u8]) -> Option<()> {
        while let Some(blank) = memchr::memchr(b' ', records) {
            let len: usize = std::str::from_utf8(records.get(..blank)?).ok()?.parse().ok()?;
            let record = records.get(blank + 1..len)?;
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let equals = memchr::memchr(b'=', record)?;
            match record.split_at(equals) {
                (b"path", value) if !self.is_sparse => self.path = value.get(1..).map(<[u8]>::to_vec),
                (b"size", value) => self.size = std::str::from_utf8(value.get(1..)?).ok()?.parse().ok(),
                (key, value) if key.starts_with(b"GNU.sparse.") => {
                    self.is_sparse = true;
                    if key == b"GNU.sparse.name" {
                        self.path = value.get(1..).map(<[u8]>::to_vec);
                    }
                }
                _ => {}
            }
            records = records.get(len..)?;
        }
        Some(())
    }
}

/// Reads all members of the archive.
pub(super) fn read(place: &Place, window: &mut Window<'_>, depth: usize, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let base = place.as_mailbox();
    let mut next = Extension::default();
    // A stretch without a header is reported once; what a member has reported is not repeated.
    let (mut has_end, mut is_reported) = (false, false);
    loop {
        window.ensure(BLOCK);
        let Some(block) = block(window.data()) else { break };
        let at = window.offset();
        window.consume(BLOCK);
        if block.iter().all(|&byte| byte == 0) {
            has_end = true;
            continue;
        }
        if !is_sound(&block) {
            next = Extension::default();
            if !is_reported {
                is_reported = true;
                reading.trouble(place, at, TroubleKind::Cut("no header of a member".to_owned()));
            }
            continue;
        }
        (has_end, is_reported) = (false, false);
        let header = Header::from_byte_slice(&block);
        let kind = header.entry_type();
        let size = header.entry_size().unwrap_or(0);
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let mut member = Member { window: &mut *window, left: size, failed: false };
            let mut bytes = Vec::new();
            // An early end is that of the archive, which is reported at its end.
            let _early = member.by_ref().take(MAX_EXTENSION).read_to_end(&mut bytes);
            next.is_cut |= member.left > 0;
            member.pass_over();
            if kind.is_gnu_longname() {
                next.path = Some(bytes.split(|&byte| byte == 0).next().unwrap_or_default().to_vec());
            } else {
                next.is_cut |= next.read_pax(&bytes).is_none();
            }
            continue;
        }
        let beside = kind.is_gnu_longlink() || kind.is_pax_global_extensions();
        let Extension { path, size: size_of_pax, is_sparse, is_cut } =
            if beside { Extension::default() } else { std::mem::take(&mut next) };
        let name = path.unwrap_or_else(|| header.path_bytes().into_owned());
        if kind.is_gnu_sparse() {
            pass_sparse_map(&block, window);
        }
        // A hard link states the size of its target.
        let left = if kind.is_hard_link() { 0 } else { size_of_pax.unwrap_or(size) };
        let mut member = Member { window: &mut *window, left, failed: false };
        if !beside {
            let report = |kind, reading: &mut Reading<'_>| reading.trouble(&base.below(&name), 0, kind);
            let is_file = (kind.is_file() || kind.is_contiguous()) && !name.ends_with(b"/");
            if is_cut {
                report(TroubleKind::Unreadable("what the archive says of it cannot be read".to_owned()), reading);
            } else if kind.is_gnu_sparse() || is_sparse {
                report(TroubleKind::Unsupported("a file with holes in a tar"), reading);
            } else if kind == EntryType::new(b'M') {
                report(TroubleKind::Unsupported("a part of a file in a tar of several volumes"), reading);
            } else if is_file {
                self::member(&base, &name, &mut member, depth, reading)?;
            } else if kind.is_hard_link() {
                let to = header.link_name_bytes().unwrap_or_default();
                let why = format!("it is a link to {} in the same archive; unpack it and read the folder", names::source_text(&to));
                report(TroubleKind::Unreadable(why), reading);
            } else if !kind.is_dir() && !kind.is_file() {
                report(TroubleKind::Skipped, reading);
            }
        }
        is_reported = member.failed;
        let is_whole = member.pass_over();
        if !is_whole && !is_reported && window.error().is_none() {
            is_reported = true;
            reading.trouble(place, window.offset(), TroubleKind::Cut("the archive ends within a member".to_owned()));
        }
    }
    let rest = window.data().len();
    if is_reported {
        let _same = window.take_error();
    } else if window.error().is_none() && (!has_end || rest > 0) {
        let why = if rest > 0 { "the archive ends within a block" } else { "the archive has no mark of its end" };
        reading.trouble(place, window.offset(), TroubleKind::Cut(why.to_owned()));
    }
    reading.end_of_file(place, window);
    ControlFlow::Continue(())
}

/// Skips the blocks after the header of a sparse file that say where its pieces are.
fn pass_sparse_map(header: &[u8; BLOCK], window: &mut Window<'_>) {
    let mut goes_on = header.get(482).is_some_and(|&byte| byte != 0);
    while goes_on {
        window.ensure(BLOCK);
        let Some(map) = block(window.data()) else { return };
        window.consume(BLOCK);
        goes_on = map.get(504).is_some_and(|&byte| byte != 0);
    }
}

/// The bytes of a member; their early end is an error.
struct Member<'m, 'w> {
    window: &'m mut Window<'w>,
    left: u64,
    /// There was an error, which the reader of the member reports.
    failed: bool,
}

impl Member<'_, '_> {
    /// Goes to the next header; `false` if the archive ends before.
    fn pass_over(self) -> bool {
        // The last block of the member is padded: what was read of it counts from its start.
        let mut left = self.left;
        while left > 0 {
            self.window.ensure(1);
            let len = self.window.data().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if len == 0 {
                return false;
            }
            self.window.consume(len);
            left -= len as u64;
        }
        let over = (self.window.offset() % BLOCK as u64) as usize;
        if over > 0 {
            self.window.ensure(BLOCK - over);
            self.window.consume(BLOCK - over);
        }
        true
    }
}

impl Read for Member<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let room = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(out) = out.get_mut(..room).filter(|out| !out.is_empty()) else { return Ok(0) };
        let len = self.window.read(out).inspect_err(|_| self.failed = true)?;
        self.left -= len as u64;
        if len == 0 {
            self.failed = true;
            return Err(Error::new(ErrorKind::UnexpectedEof, "the archive ends within this file"));
        }
        Ok(len)
    }
}
