//! Everything that the library can do is reached from C, or `exported.txt` says why not.

use std::collections::{BTreeMap, BTreeSet};

const API: &str = include_str!("../../docs/api/archive-core.txt");
const TABLE: &str = include_str!("../exported.txt");
const SYMBOLS: &str = include_str!("../../bindings/c/symbols-1.txt");

/// Modules of their own use: reading mailboxes, interpreting mails, other file systems. They need no archive.
const MODULES: [&str; 3] = ["mail::", "source::", "vfs::"];

/// The public functions of the library, without those of its modules.
fn functions() -> BTreeSet<String> {
    let lines = API.lines().filter_map(|line| line.split("fn archive_core::").nth(1));
    let names = lines.filter_map(|rest| rest.split('(').next()).map(|name| name.replace("<T>", ""));
    names.filter(|name| !MODULES.iter().any(|module| name.starts_with(module))).collect()
}

/// The lines of the table: a function, and what calls it; nothing where it is not exported.
fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = lines.map(|line| match (line.split_once(" = "), line.split_once(" - ")) {
        (Some((name, calls)), None) => (name, calls.split(' ').collect()),
        (None, Some((name, why))) if why.len() > 10 => (name, Vec::new()),
        _ => panic!("not a line of the table: {line}"),
    });
    read.collect()
}

#[test]
fn the_table_names_every_public_function() {
    let functions = functions();
    assert!(functions.len() > 100, "{functions:?}");
    let mut named = BTreeMap::new();
    for (name, calls) in table().into_iter().filter(|(name, _)| *name != "the border") {
        assert!(named.insert(name, calls).is_none(), "{name} is there twice");
    }
    let missing: Vec<_> = functions.iter().filter(|name| !named.contains_key(name.as_str())).collect();
    assert!(missing.is_empty(), "exported.txt lacks {missing:?}");
    let gone: Vec<_> = named.keys().filter(|name| !functions.contains(**name)).collect();
    assert!(gone.is_empty(), "the library has no {gone:?}");
}

#[test]
fn the_table_and_the_symbols_name_the_same() {
    let called: BTreeSet<&str> = table().into_iter().flat_map(|(_, calls)| calls).collect();
    let symbols: BTreeSet<&str> = SYMBOLS.lines().collect();
    assert_eq!(called, symbols);
}
