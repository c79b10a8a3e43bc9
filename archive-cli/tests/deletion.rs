//! `delete`, `undelete` and `ls --deleted`.

mod fixture;

use fixture::{Place, files};
use serde_json::json;

fn ids(place: &Place) -> Vec<String> {
    let listed = place.ok(&["--json", "ls", "--messages"]).json();
    listed.iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_is_deleted_is_gone_and_comes_back() {
    let place = Place::with_mails();
    let all = ids(&place);
    let (one, other) = (all[0].as_str(), all[1].as_str());
    let raw = place.ok(&["show", one, "--raw"]).bytes;
    let before = files(&place.at("arch/stores"));
    let plan = place.ok(&["--json", "delete", one, "--reason", "a test", "--dry-run"]).last();
    assert_eq!(plan, json!({ "event": "summary", "deleted": [one], "already_deleted": [], "dry_run": true }));
    assert_eq!((ids(&place), files(&place.at("arch/stores"))), (all.clone(), before));

    let said = place.ok(&["delete", one, one, "--reason", "sent to the \u{202e}wrong list"]).out;
    assert!(said.starts_with("1 mail deleted;"), "{said}");
    assert_eq!(ids(&place), [other]);
    assert_eq!(place.ok(&["--json", "search", "*"]).last()["total"], 1);
    assert_eq!(place.run(&["check", "in.mbox"]).code, 1);

    let shown = place.run(&["--json", "show", one]);
    assert_eq!((shown.code, &shown.last()["error"]["code"]), (2, &json!("deleted")));
    assert_eq!(shown.last()["error"]["context"]["id"], *one);
    assert!(place.run(&["show", one]).err.contains(&format!("`undelete {one}` brings it back")));

    let listed = place.ok(&["--json", "ls", "--deleted"]).json();
    assert_eq!((listed.len(), &listed[0]["event"], &listed[0]["id"]), (2, &json!("deleted"), &json!(one)));
    assert_eq!((&listed[0]["deleted_by"], &listed[0]["folder"]), (&json!("system"), &json!("anna/in")));
    assert_eq!(listed[1], json!({ "event": "summary", "deleted": 1 }));
    let people = place.ok(&["ls", "--deleted", "anna"]).out;
    assert!(people.contains("by system: sent to the \\u{202e}wrong list"), "{people}");
    assert_eq!(place.ok(&["ls", "--deleted", "bob"]).out, "");

    let stats = place.ok(&["--json", "stats"]).last();
    assert_eq!((&stats["messages"], &stats["deleted_messages"], &stats["unreferenced_contents"]), (&json!(1), &json!(1), &json!(1)));
    assert!(place.ok(&["stats"]).out.contains("deleted    1 message;"));

    let back = place.ok(&["--json", "undelete", one, other, "--reason", "still needed"]).last();
    assert_eq!(back, json!({ "event": "summary", "undeleted": [one], "not_deleted": [other] }));
    assert_eq!(ids(&place).len(), 2);
    assert!(place.ok(&["show", one, "--raw"]).bytes == raw);
    place.ok(&["check", "in.mbox"]);
}

#[test]
fn what_cannot_be_deleted_changes_nothing() {
    let place = Place::with_mails();
    let all = ids(&place);
    assert_eq!(place.run(&["delete", &all[0]]).code, 2, "a reason is demanded");
    assert_eq!(place.run(&["delete", &all[0], "--reason", " "]).code, 2);
    assert_eq!(place.run(&["delete", "--reason", "a test"]).code, 2);
    let unknown = place.run(&["--json", "delete", &all[0], "1:77", "1:78", "--reason", "a test"]);
    assert_eq!((unknown.code, &unknown.last()["error"]["context"]["ids"]), (2, &json!(["1:77", "1:78"])));
    assert_eq!(ids(&place), all);
    place.ok(&["delete", &all[0], "--reason", "a test"]);
    assert!(place.ok(&["delete", &all[0], "--reason", "a test"]).out.contains(&format!("deleted already: {}", all[0])));
}

#[test]
fn p9_what_was_deleted_is_erased_by_a_compaction() {
    let place = Place::with_mails();
    let all = ids(&place);
    let (one, other) = (all[0].as_str(), all[1].as_str());
    assert_eq!(place.ok(&["compact"]).out, "nothing to erase\n");
    let size = place.ok(&["show", one, "--raw"]).bytes.len();
    let raw = place.ok(&["show", other, "--raw"]).bytes;
    place.ok(&["delete", one, "--reason", "a test"]);

    let before = files(&place.at("arch/stores"));
    let plan = place.ok(&["--json", "compact", "--dry-run"]).last();
    assert_eq!(plan["erased"], json!({ "messages": 1, "mails": 1, "bytes": size, "needed": 0 }), "{plan}");
    assert_eq!((&plan["dry_run"], &plan["resumed"], &plan["left"]), (&json!(true), &json!(false), &json!([])));
    let said = place.ok(&["compact", "--dry-run"]).out;
    assert!(said.starts_with("to be erased: 1 deleted mail, with 1 content, "), "{said}");
    assert_eq!(files(&place.at("arch/stores")), before);

    let done = place.ok(&["--json", "compact"]).last();
    assert_eq!((&done["event"], &done["erased"], &done["dry_run"]), (&json!("summary"), &plan["erased"], &json!(false)));
    assert_eq!(done["containers"], 1, "{done}");
    let gone = place.run(&["--json", "undelete", one, "--reason", "too late"]).last();
    assert_eq!(gone["error"]["code"], "no_such_message");
    assert_eq!(place.ok(&["ls", "--deleted"]).out, "");
    assert_eq!(place.ok(&["compact"]).out, "nothing to erase\n");
    assert_eq!(ids(&place), [other]);
    assert!(place.ok(&["show", other, "--raw"]).bytes == raw);
    place.ok(&["verify"]);

    place.ok(&["delete", other, "--reason", "a test"]);
    let said = place.ok(&["compact"]).out;
    assert!(said.starts_with("erased: 1 deleted mail, with 1 content, ") && said.contains(" freed\n"), "{said}");
    place.ok(&["verify"]);
}
