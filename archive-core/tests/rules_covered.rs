//! Every rule of docs/SEARCH.md has a test that looks through public doors, and every test that names a rule names one that is there.
//!
//! A test names its rule in front: `s2_6_...` is of S2.6. Tests in folders `tests` count; those inside the modules must name a rule too, but
//! a rule that only they know is not shown from outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Chapter and number.
type Rule = (u32, u32);

/// The numbered items below the headings `## S1`, `## S2` ...
fn rules(page: &str) -> Vec<Rule> {
    let (mut chapter, mut in_code, mut rules) = (None, false, Vec::new());
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if let Some(heading) = line.strip_prefix("## ") {
            chapter = heading.strip_prefix('S').and_then(leading_number).map(|(number, _)| number);
        } else if let (Some(chapter), false, Some((number, rest))) = (chapter, in_code, leading_number(line))
            && rest.starts_with(". ")
        {
            rules.push((chapter, number));
        }
    }
    rules
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

/// The names of functions that are tests and are run: what stands in comments, is ignored, or only looks like one is not.
fn tests(source: &str) -> Vec<&str> {
    let (mut is_test, mut in_comment, mut names) = (false, false, Vec::new());
    for line in source.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        if in_comment {
            in_comment = !line.contains("*/");
        } else if line.starts_with("#[") {
            is_test = (is_test || line == "#[test]") && !line.starts_with("#[ignore");
        } else if !line.is_empty() && !line.starts_with("//") {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            names.extend(name.filter(|_| is_test));
            is_test = false;
        }
    }
    names
}

/// The rule that a test names: `s1_2_...` names S1.2.
fn rule_of(test: &str) -> Option<Rule> {
    let (chapter, rest) = leading_number(test.strip_prefix('s')?)?;
    let (number, rest) = leading_number(rest.strip_prefix('_')?)?;
    rest.starts_with('_').then_some((chapter, number))
}

fn sources(dir: PathBuf) -> Vec<PathBuf> {
    let (mut found, mut dirs) = (Vec::new(), vec![dir]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => dirs.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
                false => {}
            }
        }
    }
    found
}

#[test]
fn every_rule_has_a_test_and_every_test_a_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rules = rules(&fs::read_to_string(root.join("docs/SEARCH.md")).expect("the page"));
    assert!(rules.len() >= 24, "rules are lost, or are not read: {rules:?}");
    let (mut tested, mut wrong) = (BTreeSet::new(), Vec::new());
    for package in ["archive-index", "archive-core", "archive-cli"] {
        for folder in ["src", "tests"] {
            for path in sources(root.join(package).join(folder)) {
                let source = fs::read_to_string(&path).expect("a source");
                for (test, rule) in tests(&source).into_iter().filter_map(|test| Some((test, rule_of(test)?))) {
                    if !rules.contains(&rule) {
                        wrong.push(format!("{test} in {} names S{}.{}, which is no rule", path.display(), rule.0, rule.1));
                    } else if folder == "tests" {
                        tested.insert(rule);
                    }
                }
            }
        }
    }
    let untested = rules.iter().filter(|rule| !tested.contains(rule));
    wrong.extend(untested.map(|(chapter, number)| format!("S{chapter}.{number} has no test: write one named s{chapter}_{number}_...")));
    assert!(wrong.is_empty(), "docs/SEARCH.md and its tests differ:\n{}", wrong.join("\n"));
}

#[test]
fn rules_are_numbered_without_gaps() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/SEARCH.md");
    let mut expected = (1, 1);
    for rule in rules(&fs::read_to_string(page).expect("the page")) {
        if rule.0 != expected.0 {
            expected = (expected.0 + 1, 1);
        }
        assert_eq!(rule, expected, "numbers are cited: they follow each other, and none is left out");
        expected.1 += 1;
    }
}

#[test]
fn only_what_is_run_counts() {
    let page = "## How\n1. no\n## S1 Words\n1. a\n   2. no\n2. b\n```\n3. no\n```\n## S12 More\n\n10. c\n## Sums\n1. no";
    assert_eq!(rules(page), [(1, 1), (1, 2), (12, 10)]);
    let source = "#[test]\nfn s1_1_a() {\n  let s1_2_b = 1;\n}\nfn s1_3_c() {}\n// #[test]\nfn s1_4_d() {}\n#[test]\n// fn s1_5_e() {}\n\
                  #[should_panic]\n    fn s1_6_f() {}\n/* #[test]\n#[test]\nfn s1_7_g() {}\n*/\n#[test]\n#[ignore]\nfn s1_8_h() {}\nfn s1_9_i() {}";
    assert_eq!(tests(source), ["s1_1_a", "s1_6_f"]);
    assert_eq!(rule_of("s2_10_words"), Some((2, 10)));
    for none in ["search", "s2_x", "s2_3", "t2_3_x", "sums_2_3_x"] {
        assert_eq!(rule_of(none), None, "{none}");
    }
}
