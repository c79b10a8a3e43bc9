//! Modules name only modules below them, and crates only crates below them; a review would say it twice, so a test says it.
//!
//! The table is that of the design: what a module may name. Tests inside the modules may name anything.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the lowest to the highest, with all that each may name besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("id", &[]),
    ("clock", &[]),
    ("timer", &[]),
    ("folder", &[]),
    ("message", &["id", "folder"]),
    ("vfs", &[]),
    ("error", &["id", "folder", "vfs"]),
    ("progress", &["error"]),
    ("wire", &["error"]),
    ("mail", &["id"]),
    ("seal", &["id", "error", "vfs", "wire"]),
    // The types of extents are those of `mail`.
    ("records", &["id", "error", "vfs", "wire", "seal", "mail"]),
    // Frames carry the stamps, and blocks the places, that records speak of.
    ("container", &["id", "error", "vfs", "wire", "seal", "records"]),
    ("catalog", &["id", "folder", "error", "vfs", "wire", "seal", "mail", "records"]),
    ("source", &["mail", "folder"]),
    // Both know what quoting of mailboxes is.
    ("export", &["id", "folder", "message", "error", "vfs", "mail", "source"]),
    ("store", &["id", "clock", "folder", "error", "progress", "vfs", "wire", "seal", "mail", "records", "container", "catalog"]),
    ("runtime", &["store"]),
    (
        "archive",
        &[
            "id", "clock", "timer", "runtime", "error", "progress", "vfs", "wire", "seal", "mail", "records", "catalog", "store", "source",
            "export", "folder", "message",
        ],
    ),
    // What the layers below it answer, as text for machines.
    ("json", &["id", "error", "seal", "mail", "store", "source", "folder", "message", "archive"]),
];

/// The doors for fuzzing reach everywhere, and nobody reaches them.
const APART: &[&str] = &["lib", "fuzzing"];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without comments and without what only tests see, which stands last.
fn code(path: &Path) -> String {
    if path.file_stem().is_some_and(|name| name == "tests") {
        return String::new();
    }
    let text = fs::read_to_string(path).expect("a source");
    let text = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"]
        .iter()
        .fold(text.as_str(), |text, tests| text.split(tests).next().unwrap_or(text));
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules that `crate::..` names, also those of `crate::{a, b::c}`.
fn named(code: &str) -> Vec<String> {
    let ident = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        // A name that ends in `crate`, such as `some_crate::`.
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + found.len()..];
        match rest.strip_prefix('{') {
            None => names.push(ident(rest)),
            Some(group) => {
                let (mut depth, mut start) = (0, true);
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            names.push(ident(&group[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn modules_name_only_modules_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let inside = path.strip_prefix(&src).expect("below src");
        let module = inside.components().next().expect("a name").as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if APART.contains(&module.as_str()) {
            continue;
        }
        let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("layers: {} is of no layer: give `{module}` its place in this table", inside.display()));
            continue;
        };
        for name in named(&code(&path)) {
            if name != module && !may.contains(&name.as_str()) {
                let may = if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
                wrong.push(format!("layers: {} uses crate::{name}. `{module}` may use: {may}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (at, (module, may)) in LAYERS.iter().enumerate() {
        for below in *may {
            assert!(LAYERS[..at].iter().any(|(name, _)| name == below), "layers: `{module}` may use `{below}`, which stands above it");
        }
    }
}

#[test]
fn the_index_knows_nothing_of_archives() {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("../archive-index");
    let manifest = fs::read_to_string(index.join("Cargo.toml")).expect("its manifest");
    assert!(!manifest.contains("archive-core"), "layers: archive-index/Cargo.toml names archive-core");
    for dir in ["src", "tests"] {
        for path in sources(&index.join(dir)) {
            assert!(!code(&path).contains("archive_core"), "layers: {} uses archive_core", path.display());
        }
    }
}

#[test]
fn groups_of_names_are_seen() {
    assert_eq!(named("use crate::{id::{A, B}, store, wire::C};\ncrate::seal::x()"), ["id", "store", "wire", "seal"]);
    assert_eq!(named("my_crate::x"), Vec::<String>::new());
}
