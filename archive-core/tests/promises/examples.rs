//! The table of docs/SEARCH.md, "How to ask": each query finds the mails of its row that should be found, and none of those that should not.
//!
//! A mail stands between backticks as `Subject: Hello; Folder: anna/Sent; some text`: fields of a mail, and what has no name is its text.
//! `Date` is a day at noon, `File` the name of an attachment, `Size` that of the whole mail, `Folder` where it lies.

use archive_core::{Actor, Archive, MessageId, SearchRequest, read_size};
use jiff::civil::Date;

use crate::fixture::{Files, ids, put};

/// When the examples are asked: 8 May 2024, 12:00 UTC, in milliseconds.
const ASKED: i64 = 1_715_169_600_000;
const DAY: i64 = 86_400_000;

struct Row {
    query: String,
    found: Vec<String>,
    not_found: Vec<String>,
}

fn table() -> Vec<Row> {
    let page = include_str!("../../../docs/SEARCH.md");
    let section = page.split("\n## How to ask\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section");
    let mut lines = section.lines().filter(|line| line.starts_with('|'));
    assert_eq!(lines.next(), Some("| you type | you get mails with | found | not found |"));
    lines.next();
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [query, _, found, not_found] = &cells[..] else { panic!("four cells: {line}") };
    let [query] = &spans(query)[..] else { panic!("one query a row: {line}") };
    let row = Row { query: query.clone(), found: spans(found), not_found: spans(not_found) };
    assert!(!row.found.is_empty(), "what is found? {line}");
    assert!(!row.not_found.is_empty() || row.query == "*", "what is not found? {line}");
    row
}

/// What stands between backticks.
fn spans(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The mail that an example describes, and its folder.
fn mail(example: &str) -> (String, String) {
    let (mut head, mut text, mut file, mut size, mut folder) = (String::new(), String::new(), None, 0, "anna/Other".to_owned());
    for part in example.split("; ") {
        match part.split_once(": ") {
            Some(("Folder", path)) => folder = path.to_owned(),
            Some(("File", name)) => file = Some(name),
            Some(("Size", bytes)) => size = usize::try_from(read_size(bytes).expect("a size")).expect("fits"),
            Some(("Date", day)) => {
                let day: Date = day.parse().expect("a day");
                head += &format!("Date: {}\n", day.strftime("%a, %d %b %Y 12:00:00 +0000"));
            }
            Some((field, value)) => head += &format!("{field}: {value}\n"),
            None => text = format!("{part}\n"),
        }
    }
    let mut mail = match file {
        None => format!("{head}Content-Type: text/plain; charset=utf-8\n\n{text}"),
        Some(name) => {
            let of_file = format!("--b\nContent-Disposition: attachment; filename={name}\n\nfile\n--b--\n");
            format!("{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n{of_file}")
        }
    };
    while mail.len() < size {
        let line = "x".repeat(76.min(size - mail.len() - 1));
        mail += &format!("{line}\n");
    }
    (folder, mail)
}

fn is_found(archive: &Archive, query: &str, now: i64, id: MessageId) -> bool {
    ids(archive, &Actor::System, &SearchRequest::new(query).at(now)).contains(&id)
}

#[test]
fn the_examples_of_how_to_ask_find_what_they_say() {
    let (rows, (_, archive)) = (table(), Files::create());
    assert!(rows.len() > 20, "the table is read");
    let mut placed = Vec::new();
    for row in &rows {
        let mut put_all = |examples: &[String], should| {
            for example in examples {
                let (folder, mail) = mail(example);
                let id = put(&archive, &folder, &mail).id();
                placed.push((row.query.clone(), example.clone(), id, should));
            }
        };
        put_all(&row.found, true);
        put_all(&row.not_found, false);
    }
    let mut wrong = Vec::new();
    for (query, example, id, should) in placed {
        let archived = archive.session(Actor::System).message(id).expect("a message").archived;
        // Nothing can be archived in the past: instead it is asked in the future.
        let now = match (query.contains("archived:"), should) {
            (false, _) => ASKED,
            (true, true) => archived,
            (true, false) => archived + 14 * DAY,
        };
        if is_found(&archive, &query, now, id) != should {
            wrong.push(format!("`{query}` {} `{example}`", if should { "does not find" } else { "finds" }));
        }
    }
    assert!(wrong.is_empty(), "docs/SEARCH.md says otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn every_filter_and_sign_has_an_example() {
    let queries: String = table().into_iter().map(|row| row.query + "\n").collect();
    for part in [
        "after:",
        "before:",
        "date:",
        "archived:",
        "larger:",
        "smaller:",
        "has:",
        "in:",
        "folder:",
        "msgid:",
        "list:",
        "label:",
        "from:",
        "subject:",
        " OR ",
        " -",
        "\n-",
        "\"",
        "(",
        "*",
        "?",
        "..",
        "M ",
        "K ",
    ] {
        assert!(queries.contains(part), "no example with `{part}`");
    }
}
