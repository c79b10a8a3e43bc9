//! The committed header is the one that the crate makes, and the list of symbols is that of the header.
//!
//! `MAILKEEP_BLESS=1 cargo test -p archive-ffi --test header` writes both.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The file as it is, after it was written if that was asked for.
fn kept(path: &Path, made: &str) -> String {
    if std::env::var_os("MAILKEEP_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, made).expect("the file is written");
    }
    std::fs::read_to_string(path).unwrap_or_default()
}

fn made() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is read");
    let mut made = Vec::new();
    let bindings = cbindgen::Builder::new().with_config(config).with_crate(root()).generate().expect("a header is made");
    bindings.write(&mut made);
    String::from_utf8(made).expect("it is text")
}

/// The functions that a header declares.
fn functions(header: &str) -> Vec<String> {
    // What follows the definition of the mark itself is no function.
    let declared = header.split("MK_API").skip(1).filter_map(|rest| rest.split('(').next()).filter(|declared| !declared.contains('#'));
    let mut names: Vec<String> = declared
        .filter_map(|declared| declared.split_whitespace().last())
        .map(|name| name.trim_start_matches('*').to_owned())
        .filter(|name| name.starts_with("mk_"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn the_header_is_made_of_the_crate() {
    let made = made();
    let kept = kept(&root().join("../bindings/c/include/mailkeep.h"), &made);
    assert!(kept == made, "bindings/c/include/mailkeep.h is not that of the crate; MAILKEEP_BLESS=1 writes it");
}

#[test]
fn the_symbols_of_version_1_are_in_the_header() {
    let functions = functions(&made());
    assert!(functions.len() > 60, "{functions:?}");
    let text = functions.iter().map(|name| format!("{name}\n")).collect::<String>();
    let kept = kept(&root().join("../bindings/c/symbols-1.txt"), &text);
    for name in kept.lines() {
        assert!(functions.iter().any(|known| known == name), "{name} was in version 1 of the ABI, and is gone");
    }
    assert!(kept == text, "bindings/c/symbols-1.txt lacks new functions; MAILKEEP_BLESS=1 writes it");
}

#[test]
fn every_function_of_the_crate_is_in_the_header() {
    let mut of_crate: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(root().join("src")).expect("the sources") {
        let source = std::fs::read_to_string(entry.expect("a file").path()).expect("it is text");
        let after = source.split("#[unsafe(no_mangle)]").skip(1);
        of_crate.extend(after.filter_map(|rest| rest.split(" fn ").nth(1)?.split('(').next()).map(str::to_owned));
    }
    of_crate.sort_unstable();
    assert_eq!(of_crate, functions(&made()));
}
