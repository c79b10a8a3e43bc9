//! Entry points for fuzzing, built under `cfg(fuzzing)` and for tests: each passes arbitrary bytes to a decoder of
//! bytes from disk.
//!
//! Decoders behind a seal are fuzzed too: the bytes are sealed under a fixed key.

use std::path::Path;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::container::{Containers, Table};
use crate::error::Error;
use crate::id::Uuid;
use crate::records::{
    Commit, ContainerFact, ContentFact, Fact, FolderFact, ImportRunFact, Link, MessageFact, PackedFact, PartFact, Run, Scan, ScanItem,
    SettingFact, Stamp, StoreFact, list_files,
};
use crate::seal::{FileKind, FrameKind, HEADER_LEN, RecordsStart, SealedReader, SealedWriter, SecretKey};
use crate::vfs::{MemVfs, Vfs};
use crate::wire::decode;

const OWNER: Uuid = Uuid([7; 16]);

fn key() -> SecretKey {
    SecretKey::new([1; 32])
}

/// The header of a file.
pub fn header(bytes: &[u8]) {
    crate::seal::fuzz_header(bytes);
}

/// Head and body of a frame, up to the seal.
pub fn frame(bytes: &[u8]) {
    crate::seal::fuzz_frame(bytes);
}

/// Facts, commits, tables and stamps.
pub fn records(bytes: &[u8]) {
    let _ = Stamp::split(bytes);
    let _ = decode::<Table>(bytes);
    fact(bytes);
    if let Ok(commit) = Commit::from_bytes(bytes) {
        take(&commit);
    }
}

fn take(commit: &Commit) {
    let _ = commit.link_after(&Link::origin(OWNER));
    let _ = commit.tree();
    for known in &commit.facts {
        if let Fact::Known { bytes, .. } = known {
            fact(bytes);
        }
    }
}

fn fact(bytes: &[u8]) {
    let _ = decode::<ImportRunFact>(bytes);
    let _ = decode::<ContainerFact>(bytes);
    let _ = decode::<ContentFact>(bytes);
    let _ = decode::<PartFact>(bytes);
    let _ = decode::<PackedFact>(bytes);
    let _ = decode::<MessageFact>(bytes);
    let _ = decode::<FolderFact>(bytes);
    let _ = decode::<StoreFact>(bytes);
    let _ = decode::<SettingFact>(bytes);
}

/// A page and a directory of a catalog run, and the catalog's manifest.
pub fn catalog(bytes: &[u8]) {
    crate::catalog::fuzz_pages(bytes);
    let vfs: Arc<dyn Vfs> = Arc::new(MemVfs::new());
    let (dir, path) = (Path::new("/c"), Path::new("/c/manifest.mkm"));
    let made = vfs.create_dir(dir).map_err(Error::from);
    let kind = FileKind::CatalogManifest;
    let written = made.and_then(|()| crate::catalog::replace_manifest(&*vfs, path, &key(), kind, OWNER, bytes));
    if written.is_ok() {
        let _ = Catalog::open(vfs, dir, key(), OWNER, &crate::catalog::SharedPages::new(1 << 20));
    }
}

/// Appends frames to a file, as the bytes describe them: kind, whether what follows the stamp is compressed first,
/// length, bytes.
fn push_frames(writer: &mut SealedWriter, mut bytes: &[u8], first: usize) -> Result<(), Error> {
    while let [kind, low, high, rest @ ..] = bytes {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (text, behind) = rest.split_at(len);
        bytes = behind;
        let kinds = [
            FrameKind::Block,
            FrameKind::Table,
            FrameKind::Mark,
            FrameKind::CommitPiece,
            FrameKind::Commit,
            FrameKind::Manifest,
            FrameKind::Moved,
        ];
        let (stamp, plain) = text.split_at(first.min(text.len()));
        let packed = match kind & 0x80 {
            0 => plain.to_vec(),
            _ => zstd::bulk::compress(plain, 1).unwrap_or_default(),
        };
        writer.push(kinds[usize::from(kind & 0x7f) % kinds.len()], &[stamp, &packed])?;
    }
    writer.flush()
}

/// A records file of good frames with any bytes in them, replayed into a catalog.
pub fn replay(bytes: &[u8]) {
    // Errors do not matter here, only panics do.
    let _ = try_replay(bytes);
}

fn try_replay(bytes: &[u8]) -> Result<(), Error> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemVfs::new());
    for dir in ["/r", "/c"] {
        vfs.create_dir(Path::new(dir))?;
    }
    let start = RecordsStart { first_sequence: 1, chain: Link::origin(OWNER).chain };
    let mut writer = SealedWriter::create(&*vfs, Path::new("/r/000001.mkr"), &key(), FileKind::Records, OWNER, 1, start)?;
    push_frames(&mut writer, bytes, 84)?;
    let mut catalog = Catalog::open(Arc::clone(&vfs), Path::new("/c"), key(), OWNER, &crate::catalog::SharedPages::new(1 << 20))?;
    for file in list_files(&*vfs, Path::new("/r"), &key(), OWNER)?.files {
        let mut scan = Scan::new(file, 0);
        while let Some(item) = scan.next()? {
            if let ScanItem::Commit(commit) = item {
                take(&commit.commit);
                catalog.apply(&commit.commit, commit.link, &commit.span)?;
            }
        }
    }
    catalog.flush()
}

/// A container of good frames with any bytes in them: walked over, and read by places drawn from the bytes.
pub fn container(bytes: &[u8]) {
    let _ = try_container(bytes);
}

fn try_container(bytes: &[u8]) -> Result<(), Error> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemVfs::new());
    let dir = Path::new("/c");
    vfs.create_dir(dir)?;
    let path = Path::new("/c/000001.mkc");
    let mut writer = SealedWriter::create(&*vfs, path, &key(), FileKind::Container, OWNER, 1, RecordsStart::default())?;
    push_frames(&mut writer, bytes, 52 + 5)?;
    let reader = SealedReader::open(path, vfs.open_read(path)?, &key(), FileKind::Container, OWNER)?;
    let containers = Containers::new(vfs, dir, key(), OWNER);
    let mut places = Vec::new();
    Containers::walk(&reader, HEADER_LEN as u64..reader.len()?, &mut |found| {
        if let Ok((stamp, frame)) = found {
            places.push(Run { container: 1, frame: frame.place.offset, start: stamp.index, len: stamp.sequence as u32 });
        }
        Ok(())
    })?;
    for run in places {
        for (start, len) in [(run.start, run.len), (0, run.len), (0, 1)] {
            let _ = containers.read(&Run { start, len, ..run }, start, &mut |_| Ok(()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    type Target = fn(&[u8]);

    /// The seeds of the fuzzers, and everything that they ever found, are in `fuzz/seeds`.
    #[test]
    fn no_seed_of_the_fuzzers_makes_a_decoder_panic() {
        let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        let targets: [(&str, Target); 6] = [
            ("header", super::header),
            ("frame", super::frame),
            ("records", super::records),
            ("catalog", super::catalog),
            ("replay", super::replay),
            ("container", super::container),
        ];
        for (name, target) in targets {
            for entry in std::fs::read_dir(seeds.join(name)).unwrap() {
                target(&std::fs::read(entry.unwrap().path()).unwrap());
            }
        }
    }

    /// Depth, long runs and large counts, in CBOR and elsewhere.
    fn hostile() -> Vec<Vec<u8>> {
        const MANY: usize = 100_000;
        let deep = [&[0x81][..], &[0x9f], &[0xa1, 0x18, 0x80], &[0xbf, 0x01], &[0xc0], &[0x5f], &[0xd8, 0x18], &[0x82, 0x80]];
        let mut all: Vec<Vec<u8>> = deep.iter().map(|again| again.repeat(MANY)).collect();
        // Passed over, as keys of their class are.
        all.extend(deep.iter().map(|again| [&[0xa1, 0x18, 0x80][..], &again.repeat(MANY), &[0]].concat()));
        // As facts of a commit, and as elements of any list.
        all.extend(deep.iter().flat_map(|again| (1..12).map(|key| [&[0xa1, key][..], &again.repeat(1000)].concat())));
        all.extend((0..=255u8).map(|byte| vec![byte; 4096]));
        all
    }

    #[test]
    fn no_decoder_calls_itself_in_proportion_to_its_input() {
        let work = || {
            for bytes in hostile() {
                for target in [super::header, super::frame, super::records, super::catalog, super::replay, super::container] {
                    target(&bytes);
                }
            }
        };
        std::thread::Builder::new().stack_size(128 << 10).spawn(work).unwrap().join().unwrap();
    }
}
