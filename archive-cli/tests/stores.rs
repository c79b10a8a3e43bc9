//! `store`, and other commands on an archive of several stores.

mod fixture;

use fixture::{Place, files};
use serde_json::{Value, json};

/// A place whose archive has two stores, the second of which takes new mail, with two mails in the first and one in the
/// second.
fn with_two_stores() -> Place {
    let place = Place::with_mails();
    assert!(place.ok(&["store", "new", "2027"]).out.starts_with("new: store 2 (2027), current, in "));
    place.write("new.mbox", &mail(3));
    place.ok(&["import", "new.mbox", "--into", "anna/in"]);
    place
}

fn mail(no: u32) -> Vec<u8> {
    format!("From x Mon Mar  4 10:00:00 2024\nFrom: eve@example.org\nSubject: number {no}\nDate: Mon, 4 Mar 2024 1{no}:00:00 +0000\n\nmail {no}\n\n")
        .into_bytes()
}

fn ids(place: &Place, args: &[&str]) -> Vec<String> {
    let lines = place.run(&[&["--json"], args].concat()).json();
    lines.iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).collect()
}

fn states(place: &Place) -> Vec<(u64, String, String)> {
    let lines = place.run(&["--json", "store", "list"]).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let stores = lines.iter().filter(|line| line["event"] == "store");
    stores.map(|line| (line["number"].as_u64().unwrap(), text(&line["name"]), text(&line["state"]))).collect()
}

fn store(no: u64, name: &str, state: &str) -> (u64, String, String) {
    (no, name.to_owned(), state.to_owned())
}

#[test]
fn two_stores_are_one_archive_to_every_command() {
    let place = with_two_stores();
    assert_eq!(ids(&place, &["search", "*"]), ["2:0", "1:1", "1:0"]);
    assert_eq!(ids(&place, &["search", "*", "--store", "2"]), ["2:0"]);
    assert_eq!(ids(&place, &["ls", "--messages", "--sort", "subject"]).len(), 3);
    let folder = place.ok(&["--json", "ls", "anna/in"]).json().remove(0);
    assert_eq!((&folder["messages"], &folder["last_number"]), (&json!(3), &json!(3)));
    assert!(place.ok(&["show", "2:0"]).out.contains("mail 3"));
    let record = place.ok(&["--json", "show", "2:0", "--record"]).last();
    assert_eq!((&record["store"], &record["number_in_folder"]), (&json!("2027"), &json!(3)), "{record}");

    let again = place.ok(&["--json", "import", "in.mbox"]).last();
    assert_eq!((&again["stored"], &again["duplicate"]), (&json!(0), &json!(2)), "the other store has them");
    let stats = place.ok(&["--json", "stats"]).last();
    assert_eq!((&stats["messages"], &stats["stores"][0]["messages"], &stats["stores"][1]["messages"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(stats["stores"][1]["head"], again["head"], "the head is that of the store that takes new mail");
    assert!(place.ok(&["stats"]).out.contains("  2027: 1 message\n"));

    place.ok(&["check", "in.mbox", "new.mbox"]);
    place.ok(&["verify"]);
    assert_eq!(place.ok(&["--json", "export", "out"]).last()["exported"], 3);
}

#[test]
fn a_list_of_stores_says_what_each_is_and_where() {
    let place = with_two_stores();
    let list = place.ok(&["--json", "store", "list"]).json();
    assert_eq!(list[2], json!({ "event": "summary", "stores": 2, "open": 2 }));
    let second = &list[1];
    let of = ["number", "name", "state", "open", "error", "error_code"].map(|name| second[name].clone());
    assert_eq!(of, [json!(2), json!("2027"), json!("current"), json!(true), Value::Null, Value::Null]);
    assert_eq!((second["dir"].as_str().unwrap().ends_with("stores/2"), &second["stats"]["messages"]), (true, &json!(1)));
    let said = place.ok(&["store", "list"]);
    let rows: Vec<Vec<&str>> = said.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(
        (rows[0][..5].to_vec(), rows[1][..5].to_vec()),
        (vec!["1", "1", "normal", "open", "2"], vec!["2", "2027", "current", "open", "1"])
    );
    assert!(rows[1][5].ends_with("iB") && rows[1][6].ends_with("stores/2"), "{rows:?}");
    assert_eq!(said.err, "2 stores, 2 open\n");
}

#[test]
fn b13_a_disabled_store_is_in_no_search_and_no_mail_is_accepted_until_it_is_open_again() {
    let place = with_two_stores();
    let set = place.ok(&["store", "state", "1", "disabled"]).out;
    assert!(set.starts_with("set: store 1 (1), disabled, in "), "{set}");
    assert_eq!(ids(&place, &["search", "*"]), ["2:0"]);
    assert_eq!(place.run(&["search", "*"]).code, 0, "it was asked for");
    assert!(place.ok(&["store", "list"]).out.starts_with("1\t1\tdisabled\tclosed\t\t\t"));
    place.write("more.mbox", &mail(4));
    let refused = place.run(&["--json", "import", "more.mbox"]);
    let error = &refused.last()["error"];
    assert_eq!((refused.code, &error["code"]), (3, &json!("store_not_open")), "{}", refused.out);
    assert_eq!(error["context"], json!({ "store": "1", "why": "store_disabled" }));
    place.ok(&["store", "state", "1", "normal"]);
    assert_eq!(place.ok(&["--json", "import", "more.mbox"]).last()["stored"], 1);

    place.ok(&["store", "state", "2027", "writeProtected"]);
    let refused = place.run(&["--json", "delete", "2:0", "--reason", "a test"]);
    assert_eq!((refused.code, &refused.last()["error"]["code"]), (2, &json!("store_write_protected")));
    place.write("last.mbox", &mail(5));
    let refused = place.run(&["--json", "import", "last.mbox"]);
    assert_eq!((refused.code, &refused.last()["error"]["code"]), (3, &json!("no_current_store")), "{}", refused.out);
    place.ok(&["store", "state", "1", "current"]);
    assert_eq!(states(&place), [store(1, "1", "current"), store(2, "2027", "writeProtected")]);
    place.ok(&["import", "last.mbox"]);
}

#[test]
fn b12_stores_are_renamed_moved_detached_and_attached() {
    let place = with_two_stores();
    let renamed = place.ok(&["--json", "store", "rename", "1", "old mail"]).last();
    assert_eq!((&renamed["event"], &renamed["number"], &renamed["name"]), (&json!("summary"), &json!(1), &json!("old mail")));

    let refused = place.run(&["--json", "store", "move", "old mail", "elsewhere"]);
    assert_eq!((refused.code, &refused.last()["error"]["code"]), (2, &json!("misuse")), "it is open");
    place.ok(&["store", "state", "old mail", "disabled"]);
    std::fs::rename(place.at("arch/stores/1"), place.at("elsewhere")).unwrap();
    std::fs::rename(place.at("elsewhere/content"), place.at("big")).unwrap();
    let before = files(&place.at("elsewhere"));
    let moved = place.ok(&["store", "move", "old mail", "elsewhere", "--content-dir", "big"]).out;
    assert_eq!(files(&place.at("elsewhere")), before, "it moves nothing");
    assert!(moved.starts_with("recorded: store 1 (old mail), disabled, in ") && moved.ends_with("elsewhere\n"), "{moved}");
    place.ok(&["store", "state", "old mail", "normal"]);
    assert_eq!(ids(&place, &["search", "*"]).len(), 3);
    assert!(place.ok(&["show", "1:0", "--raw"]).bytes.starts_with(b"From: Anna"));

    let detached = place.ok(&["store", "detach", "old mail"]).out;
    assert!(detached.starts_with("detached: store 1 (old mail); its files stay in "), "{detached}");
    assert_eq!((ids(&place, &["search", "*"]), states(&place)), (vec!["2:0".to_owned()], vec![store(2, "2027", "current")]));
    assert_eq!(place.run(&["store", "detach", "2"]).code, 2, "it is the only one");
    let attach = ["--json", "store", "attach", "older", "elsewhere", "--content-dir", "big", "--state", "writeProtected"];
    let attached = place.ok(&attach).last();
    assert_eq!((&attached["number"], &attached["state"]), (&json!(1), &json!("writeProtected")));
    assert_eq!(ids(&place, &["search", "*"]), ["2:0", "1:1", "1:0"]);
    place.ok(&["verify"]);
}

#[test]
fn what_cannot_be_done_with_stores_has_a_code() {
    let place = with_two_stores();
    place.write("file", b"x");
    for (args, code) in [
        (&["store", "new", "2027"][..], "store_exists"),
        (&["store", "new", " "], "misuse"),
        (&["store", "new", "x", "--dir", "config"], "misuse"),
        (&["store", "rename", "1", "2027"], "store_exists"),
        (&["store", "attach", "x", "config"], "not_a_store"),
        (&["store", "attach", "x", "nothing"], "not_a_store"),
        (&["store", "attach", "x", "arch/stores/1"], "misuse"),
        (&["store", "detach", "3"], "usage"),
        (&["store", "state", "nobody", "normal"], "usage"),
        (&["store", "state", "1", "open"], "usage"),
        (&["store", "rule", "daily"], "usage"),
        (&["store", "rule", "messages:0"], "usage"),
        (&["compact", "--store", "3"], "no_such_store"),
    ] {
        let ran = place.run(&[args, &["--json"]].concat());
        let error = ran.last();
        assert_eq!((ran.code, error["error"]["code"].as_str()), (2, Some(code)), "{args:?}: {error}");
        assert!(error["error"]["context"].is_object());
    }
    let said = place.run(&["store", "detach", "3"]).err;
    assert!(said.contains("the stores are: 1 (1), 2 (2027)"), "{said}");
    assert_eq!(states(&place), [store(1, "1", "normal"), store(2, "2027", "current")]);
}

#[test]
fn b13_a_store_out_of_reach_is_named_and_keeps_no_other_from_being_read() {
    let place = with_two_stores();
    std::fs::rename(place.at("arch/stores/1"), place.at("away")).unwrap();
    let found = place.run(&["--json", "search", "*"]);
    assert_eq!((found.code, &found.last()["total"], &found.last()["coverage"]["unreachable_stores"]), (1, &json!(1), &json!(["1"])));
    let found = place.run(&["-q", "search", "*"]);
    assert!(found.code == 1 && found.err.contains("warning: not searched, since not open: 1\n"), "{}", found.err);
    assert!(found.err.contains("store 1 is not open: "), "{}", found.err);
    for args in [&["ls"][..], &["stats"], &["verify"], &["export", "out"], &["store", "list"], &["store", "retry"]] {
        let ran = place.run(args);
        assert_eq!(ran.code, 1, "{args:?}: {}{}", ran.out, ran.err);
    }
    assert!(place.run(&["store", "list"]).out.starts_with("1\t1\tnormal\tstore_missing\t\t\t"));
    let retried = place.run(&["--json", "store", "retry"]).json();
    assert_eq!(
        (&retried[0]["event"], &retried[0]["code"], &retried[0]["store"]),
        (&json!("not_open"), &json!("store_not_open"), &json!("1"))
    );
    assert_eq!(retried[1], json!({ "event": "summary", "not_open": 1 }));
    let refused = place.run(&["--json", "import", "in.mbox"]);
    assert_eq!((refused.code, &refused.last()["error"]["code"]), (3, &json!("store_not_open")), "{}", refused.out);
    std::fs::rename(place.at("away"), place.at("arch/stores/1")).unwrap();
    assert!(place.ok(&["store", "retry"]).err.contains("every store that should be open is open"));
    assert_eq!(ids(&place, &["search", "*"]).len(), 3);
}

#[test]
fn b12_a_store_is_made_by_itself_when_the_rule_says_so() {
    let place = Place::with_mails();
    assert_eq!(place.ok(&["store", "rule"]).out, "messages:5000000\n");
    assert_eq!(place.ok(&["--json", "store", "rule", "messages:2"]).last(), json!({ "event": "summary", "rule": "messages:2" }));
    place.write("new.mbox", &mail(3));
    place.ok(&["import", "new.mbox"]);
    assert_eq!(ids(&place, &["search", "*", "--store", "2"]), ["2:0"]);
    place.ok(&["store", "rule", "never"]);
    assert_eq!(place.ok(&["store", "rule"]).out, "never\n");
}

#[test]
fn p9_one_store_is_compacted() {
    let place = with_two_stores();
    place.ok(&["delete", "1:0", "2:0", "--reason", "a test"]);
    let erased = |place: &Place, args: &[&str]| place.ok(&[&["--json", "compact"], args].concat()).last()["erased"]["messages"].clone();
    assert_eq!(erased(&place, &["--dry-run"]), 2);
    assert_eq!(erased(&place, &["--store", "2"]), 1);
    assert_eq!(ids(&place, &["ls", "--deleted"]), ["1:0"]);
    assert_eq!(erased(&place, &[]), 1);
}
