//! README, crate documentation and example show one program, so that what newcomers copy is what is compiled.

const EXAMPLE: &str = include_str!("../examples/embed.rs");
const README: &str = include_str!("../../README.md");
const CRATE: &str = include_str!("../../archive-core/src/lib.rs");

/// What stands between a line `begin` and the next fence.
fn fenced(text: &str, begin: &str) -> String {
    text.lines().skip_while(|line| *line != begin).skip(1).take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_readme_shows_the_example() {
    assert_eq!(fenced(README, "```rust"), EXAMPLE);
    assert!(EXAMPLE.lines().count() < 70);
}

#[test]
fn the_crate_documentation_shows_the_example() {
    let docs: Vec<&str> =
        CRATE.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let program = EXAMPLE.find("use std::error").map(|at| &EXAMPLE[at..]);
    assert_eq!(Some(fenced(&docs.join("\n"), "```no_run").as_str()), program);
}
