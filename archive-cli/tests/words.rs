//! What people are told, where, and how often.

#[allow(dead_code, reason = "shared with other tests")]
mod fixture;

use fixture::{MBOX, Place};
use serde_json::json;

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// An archive with mails in `anna/in`, `anna/in/deep` and `bob/mail`.
fn with_folders() -> Place {
    let place = Place::with_mails();
    place.ok(&["import", "in.mbox", "--into", "anna/in/deep"]);
    place.ok(&["import", "in.mbox", "--into", "bob/mail"]);
    place
}

#[test]
fn a_folder_lists_its_folders_with_their_sums_and_then_its_mails() {
    let place = with_folders();
    let top = place.ok(&["ls"]);
    assert_eq!(top.out, "4\t1.2 KiB\tanna\n2\t636 B\tbob\n".replace("636 B", &size(&place)).replace("1.2 KiB", &total(&place)));
    assert!(top.err.starts_with("6 mails, ") && top.err.contains(" in 5 folders"), "{}", top.err);
    let listed = place.ok(&["ls", "anna/in"]);
    let rows: Vec<Vec<&str>> = listed.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((rows.len(), rows[0][2]), (3, "anna/in/deep"), "{}", listed.out);
    assert_eq!((rows[1][0], rows[2][0]), ("1:1", "1:0"), "the newest first: {}", listed.out);
    assert_eq!((rows[1][5], rows[2][5]), ("@", ""), "one has an attachment: {}", listed.out);
    assert!(listed.err.starts_with("anna/in: 4 mails, "), "{}", listed.err);
    let one = place.ok(&["ls", "anna/in", "--limit", "1"]);
    assert!(one.out.lines().count() == 2 && one.err.contains("1 of 2 mails directly in this folder shown"), "{}{}", one.out, one.err);
    let by_size = place.ok(&["ls", "anna/in", "--sort", "size"]).out;
    assert!(last(&by_size).ends_with(" B"), "{by_size}");
    assert_eq!(place.ok(&["ls", "anna/in", "--messages"]).out.lines().count(), 4);
    assert_eq!(place.ok(&["ls", "-R"]).out.lines().count(), 5);
    assert_eq!(place.run(&["ls", "--sort", "from"]).code, 2);
    let folders = place.ok(&["--json", "ls"]).json();
    let inbox = folders.iter().find(|line| line["folder"] == "anna/in").unwrap();
    assert_eq!((&inbox["messages"], &inbox["total_messages"]), (&json!(2), &json!(4)));
    assert_eq!((&folders[5]["folders"], &folders[5]["messages"]), (&json!(5), &json!(6)));
}

fn size(place: &Place) -> String {
    place.ok(&["ls", "bob"]).out.lines().next().unwrap().split('\t').nth(1).unwrap().to_owned()
}

fn total(place: &Place) -> String {
    place.ok(&["ls", "-R", "anna"]).out.lines().next().unwrap().split('\t').nth(1).unwrap().to_owned()
}

#[test]
fn results_go_to_standard_output_and_quiet_leaves_errors_alone() {
    let place = Place::with_mails();
    for (args, end) in [(&["verify"][..], "all is well"), (&["check", "in.mbox"], "all are in the archive"), (&["stats"], "in all")] {
        let ran = place.ok(args);
        assert!(last(&ran.out).ends_with(end), "{args:?}: {}", ran.out);
        let quiet = place.ok(&[args, &["-q"]].concat());
        assert_eq!((last(&quiet.out), quiet.err.as_str()), (last(&ran.out), ""), "{args:?}");
    }
    for args in [&["-q", "import", "in.mbox"][..], &["-q", "search", "invoice"], &["-q", "ls"], &["-q", "export", "out"]] {
        assert_eq!(place.ok(args).err, "", "{args:?}");
    }
    place.write("not.mbox", b"no mailbox\n");
    let ran = place.run(&["import", "not.mbox", "-q"]);
    assert!(ran.code == 1 && ran.err.contains("is not an mbox") && ran.err.lines().count() == 1, "{}", ran.err);
    let ran = place.run(&["ls", "-q", "anna/nothing"]);
    assert!(ran.code == 2 && ran.err.contains("anna/nothing"), "{}", ran.err);
}

#[test]
fn a_reminder_of_the_recovery_key_comes_once_a_day_where_it_matters() {
    let place = Place::new();
    let init = place.ok(&["init", "arch", "--owner", "anna", "--recovery-key-file", "recovery.txt"]);
    assert!(init.err.contains("never confirmed") && init.err.contains("arch"), "{}", init.err);
    place.write("in.mbox", MBOX);
    assert!(!place.ok(&["import", "in.mbox"]).err.contains("never confirmed"), "the same day");
    std::fs::remove_dir_all(place.at("state")).unwrap();
    for args in [&["verify"][..], &["stats"], &["export", "out"], &["ls"], &["--json", "check", "in.mbox"], &["-q", "check", "in.mbox"]] {
        assert!(!place.ok(args).err.contains("never confirmed"), "{args:?}");
    }
    assert!(place.ok(&["check", "in.mbox"]).err.contains("never confirmed"));
    assert!(!place.ok(&["check", "in.mbox"]).err.contains("never confirmed"));
    assert!(std::fs::read_dir(place.at("state/mailkeep")).unwrap().count() == 1);
}

#[test]
fn a_reminder_of_text_that_was_not_read_names_the_reason() {
    let place = Place::with_archive();
    let mail =
        b"From: a@example.org\nSubject: sealed\nContent-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\n\n\
        --b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nxyz\n--b--\n";
    place.write("sealed.eml", mail);
    place.ok(&["import", "sealed.eml"]);
    let said = place.ok(&["search", "walnut"]).err;
    assert!(said.contains("reminder: 1 more mail may match") && said.contains("(encrypted"), "{said}");
    assert!(!place.ok(&["search", "walnut"]).err.contains("reminder"));
    assert_eq!(place.ok(&["--json", "search", "walnut"]).last()["coverage"]["undecided"], 1);
}

#[test]
fn found_words_are_marked_and_fields_have_names_for_people() {
    let place = Place::with_mails();
    let ran = place.ok(&["search", "invoice", "--snippets"]);
    assert!(ran.out.contains("    text: Hello Bob, the *invoice* is attached."), "{}", ran.out);
    let ran = place.ok(&["search", "invoice", "--why", "1:0"]);
    assert!(ran.out.contains("\ttext") && !ran.out.contains("bcontent"), "{}", ran.out);
    let sorted = place.ok(&["search", "*", "--sort", "size"]).out;
    assert!(sorted.lines().all(|line| line.ends_with(" B")), "{sorted}");
}

#[test]
fn a_key_file_that_is_not_there_is_twelve_and_named() {
    let place = Place::with_mails();
    for option in ["--key-file", "--passphrase-file", "--recovery-key-file"] {
        let ran = place.run(&["ls", option, "nothing.key"]);
        assert!(ran.code == 12 && ran.err.contains("nothing.key: cannot read the key"), "{option}: {} {}", ran.code, ran.err);
        assert_eq!(place.run(&["--json", "ls", option, "nothing.key"]).last()["error"]["code"], "no_key");
    }
}

#[test]
fn a_folder_is_neither_dot_nor_dot_dot_and_a_new_user_archive_is_announced() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    for into in [".", "..", "anna/..", "anna/./in", "./anna"] {
        let ran = place.run(&["import", "in.mbox", "--into", into]);
        assert!(ran.code == 2 && ran.err.contains("no folder is named") && ran.err.lines().count() == 1, "{into}: {}", ran.err);
    }
    assert!(place.ok(&["import", "in.mbox", "--into", "bob/mail", "--dry-run"]).err.contains("which creates the user archive `bob`"));
    let ran = place.ok(&["--json", "import", "in.mbox", "--into", "bob/mail"]);
    assert_eq!(ran.last()["new_user_archives"], json!(["bob"]));
    for into in ["bob/other", "anna/in"] {
        assert!(!place.ok(&["import", "in.mbox", "--into", into]).err.contains("new user archive"), "{into}");
    }
}

#[test]
fn a_tree_of_users_goes_into_a_user_archive_each() {
    let place = Place::with_archive();
    for name in ["ada", "ben"] {
        std::fs::create_dir_all(place.at(&format!("users/{name}"))).unwrap();
        place.write(&format!("users/{name}/inbox.mbox"), MBOX);
    }
    let ran = place.ok(&["--json", "import", "users/ada", "users/ben", "--each-into", "{name}"]);
    assert_eq!((&ran.last()["stored"], &ran.last()["new_user_archives"]), (&json!(4), &json!(["ada", "ben"])));
    place.ok(&["import", "users/ada", "--each-into", "staff/{name}/old"]);
    let folders = place.ok(&["ls", "-R"]).out;
    for folder in ["\tada/inbox\n", "\tben/inbox\n", "\tstaff/ada/old/inbox\n"] {
        assert!(folders.contains(folder), "{folders}");
    }
    assert_eq!(place.run(&["import", "users/ada", "--each-into", "staff"]).code, 2);
    assert_eq!(place.run(&["import", "-", "--each-into", "{name}"]).code, 2);
}

#[test]
fn verify_says_what_was_checked_and_notes_it_if_asked() {
    let place = Place::with_mails();
    let said = |args: &[&str]| place.ok(args).out;
    assert!(said(&["verify", "--quick"]).starts_with("structure only, digests of mails not checked: "));
    assert!(said(&["verify", "--part", "2/3"]).starts_with("part 2 of 3 of mails"));
    assert!(said(&["stats"]).contains("verified   never noted here"));
    assert_eq!(place.ok(&["--json", "stats"]).last()["last_verify"], json!(null));
    assert_eq!(place.run(&["verify", "--note", "--quick"]).code, 2);
    assert!(said(&["verify", "--note"]).starts_with("everything: "));
    let stats = place.ok(&["--json", "stats"]).last();
    assert_eq!((&stats["last_verify"]["messages"], &stats["last_verify"]["damaged"]), (&json!(2), &json!(0)));
    assert_eq!((&stats["user_archives"][0]["name"], &stats["user_archives"][0]["messages"]), (&json!("anna"), &json!(2)));
    assert!(stats["last_archived"].is_string() && (stats["free_bytes"].is_u64() || cfg!(not(unix))), "{stats}");
    assert!(said(&["stats"]).contains(" +00:00, 2 mails\n"), "{}", said(&["stats"]));
}

#[test]
fn help_begins_with_what_is_the_commands_own() {
    let place = Place::new();
    let help = place.ok(&["verify", "--help"]).out;
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
    assert!(at("--quick") < at("Options of every command:") && at("Options of every command:") < at("--archive"), "{help}");
    let help = place.ok(&["--help"]).out;
    assert!(help.contains("  completions ") && help.contains("  man "), "{help}");
}

#[test]
fn a_mail_without_a_date_shows_none_and_labels_show_as_they_are() {
    let place = Place::with_mails();
    let undated = "X-Gmail-Labels: Archived,\"Clients, old\",Trip/2004\nFrom: a@example.org\nSubject: undated\n\nx\n";
    place.write("undated.eml", undated.as_bytes());
    place.ok(&["import", "undated.eml", "--into", "anna/in", "--labels", "folders"]);
    let listed = place.ok(&["ls", "anna/in", "--messages", "--sort", "date"]).out;
    let row: Vec<&str> = last(&listed).split('\t').collect();
    assert_eq!((row[1], row[3], row[4]), ("", "undated", "anna/in/Clients, old"), "last, with a blank date: {listed}");
    let hit = place.ok(&["--json", "search", "label:trip/*"]).json().remove(0);
    assert_eq!((&hit["date"], &hit["date_source"]), (&json!(null), &json!("archiving")));
    let id = hit["id"].as_str().unwrap();
    let labels = json!(["Archived", "Clients, old", "Trip/2004"]);
    assert_eq!(place.ok(&["--json", "show", id]).last()["labels"], labels);
    assert_eq!(place.ok(&["--json", "show", id, "--record"]).last()["labels"], labels);
    assert!(place.ok(&["show", id]).out.contains("\nLabels: Archived, \"Clients, old\", Trip/2004\n"));
    let counts = place.ok(&["search", "*", "--by", "year"]).out;
    assert!(counts.contains("1\tno date\n"), "{counts}");
    let place = Place::with_archive();
    for (at, year) in [2020, 2024, 2020, 2019].into_iter().enumerate() {
        place.write("one.eml", format!("From: a@b.example\nDate: Wed, 1 Jan {year} 10:00:00 +0000\nSubject: {at}\n\nhello\n").as_bytes());
        place.ok(&["import", "one.eml", "--into", "anna/years"]);
    }
    let counts = place.ok(&["search", "*", "--by", "year"]);
    assert_eq!(counts.out, "1\t2024\n2\t2020\n1\t2019\n", "years in their order, and no total among them");
    assert_eq!(counts.err, "4 found\n");
}

#[test]
fn a_query_that_cannot_be_read_is_shown_with_carets_below_it() {
    let place = Place::with_mails();
    let ran = place.run(&["search", "invoice after:soon \u{1b}[31m"]);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!((ran.code, lines.len()), (2, 3), "{}", ran.err);
    assert_eq!((lines[1], lines[2]), ("  invoice after:soon \\u{1b}[31m", "                ^^^^"));
}

#[test]
fn a_query_of_signs_alone_is_named_as_ignored() {
    let place = Place::with_mails();
    for query in ["🎉", "###", "from:🎉"] {
        let ran = place.ok(&["search", query]);
        assert!(ran.err.contains("has no letter or digit and was ignored"), "{query}: {}", ran.err);
    }
}
