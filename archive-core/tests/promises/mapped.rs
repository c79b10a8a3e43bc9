//! Mapping closed files changes no answer, and no file is mapped that may still change.

use std::collections::BTreeSet;
use std::path::Path;

use archive_core::{Archive, CreateOptions, ImportOptions, Key, OpenOptions};

use crate::fixture::{ask, committed, folder, mbox, plain, put_stream, verify};

/// Files of the archive in `dir` that this process has mapped, by their paths in it.
fn mapped(dir: &Path) -> BTreeSet<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the maps of this process");
    let paths = maps.lines().filter_map(|line| line.split_once(dir.to_str()?));
    paths.map(|(_, path)| path.trim_start_matches('/').to_owned()).collect()
}

fn containers(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir.join("stores/1/content")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| format!("stores/1/content/{}", name.to_string_lossy())).collect();
    names.sort();
    names
}

#[test]
fn mapped_reads_answer_as_others_do() {
    let kept = tempfile::tempdir().expect("a folder");
    let dir = &kept.path().canonicalize().expect("a path").join("archive");
    let options = OpenOptions::default().container_limit(64 << 10);
    let (archive, key) = committed(Archive::create(dir, CreateOptions::new("anna").open_options(options.clone())));
    let into = |name| ImportOptions { into: Some(folder(name)), ..ImportOptions::default() };
    put_stream(&archive, &mbox(&plain(3000, 250, 9)), "one.mbox", &into("anna/One"));
    archive.close().expect("closed");

    let open = |options| Archive::open(dir, &Key::File(key.clone().into()), options).expect("opens");
    let archive = open(options.clone());
    let before = ask(&archive).expect("answers");
    assert_eq!(mapped(dir), BTreeSet::new(), "off unless told");
    drop(archive);

    let archive = open(options.mapped_reads(true));
    assert_eq!(ask(&archive).expect("answers"), before);
    assert_eq!(verify(&archive).findings, []);
    let (now, closed) = (mapped(dir), containers(dir));
    let (active, closed) = closed.split_last().expect("containers");
    assert!(!closed.is_empty() && closed.iter().all(|closed| now.contains(closed)), "{closed:?} in {now:?}");
    assert!(!now.contains(active), "it is appended to");
    assert!(["mks", "mki"].iter().all(|of| now.iter().any(|path| path.ends_with(of))), "{now:?}");
    assert!(now.iter().all(|path| ["mkc", "mks", "mki"].iter().any(|of| path.ends_with(of))), "{now:?}");

    // The container that was active is closed during this import.
    put_stream(&archive, &mbox(&plain(3000, 250, 10)), "two.mbox", &into("anna/Two"));
    let more = ask(&archive).expect("answers");
    assert_eq!(verify(&archive).findings, []);
    let (now, closed) = (mapped(dir), containers(dir));
    let (active, closed) = closed.split_last().expect("containers");
    assert!(
        !now.contains(active) && closed.iter().filter(|closed| now.contains(*closed)).count() + 1 >= closed.len(),
        "{closed:?} in {now:?}"
    );
    archive.close().expect("closed");
    assert_eq!(mapped(dir), BTreeSet::new(), "given back");
    assert_eq!(ask(&open(OpenOptions::default())).expect("answers"), more);
}
