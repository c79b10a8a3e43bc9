//! With few open files each command does its work or ends with exit code 3 and names the limit, and afterwards nothing is gone.
//!
//! Some limits are tried; with `MAILKEEP_ALL_LIMITS` set, all from 12 to 40.
#![cfg(unix)]

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;

use std::path::{Path, PathBuf};
use std::process::Command;

use fixture::{Place, Ran, files};

/// An mbox of a few mails that no other has.
fn mbox(no: usize) -> String {
    let mail = |at: usize| {
        format!(
            "From a@example.com Mon Mar  4 10:00:00 2024\nFrom: A <a@example.com>\nSubject: invoice {no}.{at}\n\
             Date: Mon, 4 Mar 2024 10:{at:02}:00 +0100\nMessage-ID: <{no}.{at}@example.com>\n\nHello, number {no} of the invoices.\n\n"
        )
    };
    (0..5).map(mail).collect()
}

fn limits() -> Vec<u32> {
    if std::env::var_os("MAILKEEP_ALL_LIMITS").is_some() { (12..=40).collect() } else { vec![12, 14, 17, 21, 40] }
}

/// The command, with at most `limit` files open.
fn limited(place: &Place, limit: u32, args: &[&str]) -> Ran {
    let command = place.command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &limit.to_string()]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Ran::from(shell.current_dir(place.at("")).output().unwrap())
}

/// Files of catalog and index, with their bytes.
fn caches(archive: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let store = archive.join("stores/1");
    let found = ["catalog", "index"].into_iter().flat_map(|dir| files(&store.join(dir)));
    found.map(|path| (path.strip_prefix(archive).unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let copy = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(path, copy).unwrap();
    }
}

fn total(place: &Place, archive: &str, query: &str) -> (u64, u64) {
    let summary = place.ok(&["--json", "-a", archive, "search", query]).last();
    (summary["total"].as_u64().unwrap(), summary["coverage"]["not_indexed"].as_u64().unwrap())
}

#[test]
fn p4_few_open_files_cost_no_cache() {
    let place = Place::with_archive();
    for no in 0..4 {
        place.write("in.mbox", mbox(no).as_bytes());
        place.ok(&["import", "in.mbox"]);
    }
    place.write("new.mbox", mbox(4).as_bytes());
    let before = caches(&place.at("arch"));
    assert!(before.len() >= 10, "a segment and a run for each import");
    let (mut done, mut refused) = (0, 0);
    for limit in limits() {
        for args in
            [&["ls"][..], &["ls", "--messages"], &["search", "invoice"], &["verify"], &["import", "in.mbox"], &["import", "new.mbox"]]
        {
            let archive = format!("arch{limit}");
            copy(&place.at("arch"), &place.at(&archive));
            let all: Vec<&str> = ["-a", &archive].into_iter().chain(args.iter().copied()).collect();
            let ran = limited(&place, limit, &all);
            let said = format!("{limit} files, {args:?}: {}{}", ran.out, ran.err);
            match ran.code {
                0 => done += 1,
                3 => {
                    refused += 1;
                    assert!(ran.err.contains(&format!("`ulimit -n`, which is now {limit}")), "{said}");
                }
                _ => panic!("{said}"),
            }
            if ran.code == 0 && args[0] == "search" {
                assert!(ran.err.contains("20 found") && !ran.err.contains("not indexed"), "{said}");
            }
            let now = caches(&place.at(&archive));
            let is_manifest = |path: &Path| path.extension().is_some_and(|end| end == "mkm");
            let gone: Vec<_> = before.iter().filter(|old| !is_manifest(&old.0) && !now.contains(old)).map(|(path, _)| path).collect();
            assert!(gone.is_empty(), "{gone:?} are gone: {said}");
            assert!(args[0] == "import" || now == before, "a reader changes nothing: {said}");
            // With room again all is well, and what was there is there still.
            place.ok(&["-a", &archive, "import", "new.mbox"]);
            assert_eq!(total(&place, &archive, "invoice"), (25, 0), "{said}");
            place.ok(&["-a", &archive, "verify"]);
            let now = caches(&place.at(&archive));
            assert!(before.iter().all(|old| is_manifest(&old.0) || now.contains(old)), "built again: {said}");
            std::fs::remove_dir_all(place.at(&archive)).unwrap();
        }
    }
    assert!(done > 5 && refused > 0, "{done} done, {refused} refused");
}
