//! `folder`: what it prints, for people and for machines, and what it refuses.

#[expect(dead_code, reason = "these tests need less of it than others")]
mod fixture;

use fixture::Place;
use serde_json::json;

fn folders(place: &Place) -> Vec<String> {
    let listed = place.ok(&["ls", "--json"]).json().into_iter();
    listed.filter_map(|line| line["folder"].as_str().map(str::to_owned)).collect()
}

#[test]
fn folders_are_made_renamed_moved_and_removed() {
    let place = Place::with_mails();
    assert_eq!(folders(&place), ["anna", "anna/in"]);
    let planned = place.ok(&["folder", "new", "anna/a/b", "--dry-run"]);
    assert_eq!(planned.out, "new: anna/a\nnew: anna/a/b\n");
    assert!(planned.err.contains("nothing was changed"), "{}", planned.err);
    assert_eq!(folders(&place), ["anna", "anna/in"]);
    assert_eq!(place.ok(&["folder", "new", "anna/a/b"]).out, planned.out);
    assert_eq!(place.ok(&["folder", "rename", "anna/in", "out"]).out, "moved: anna/in is now anna/out\n");
    assert_eq!(place.ok(&["folder", "move", "anna/out", "bert/x/y"]).out, "new: bert\nnew: bert/x\nmoved: anna/out is now bert/x/y\n");
    assert_eq!(folders(&place), ["anna", "anna/a", "anna/a/b", "bert", "bert/x", "bert/x/y"]);
    assert_eq!(place.ok(&["search", "in:bert", "--count"]).out.trim(), place.ok(&["search", "*", "--count"]).out.trim());

    let refused = place.run(&["folder", "remove", "bert"]);
    assert!(refused.code == 2 && refused.err.contains("2 messages"), "{} {}", refused.code, refused.err);
    let pruned = place.ok(&["folder", "prune", "--json"]).json();
    let summary = json!({ "event": "summary", "made": 0, "moved": 0, "removed": 2, "dry_run": false });
    let removed = |folder| json!({ "event": "removed", "folder": folder });
    assert_eq!(pruned, [removed("anna/a"), removed("anna/a/b"), summary]);
    assert_eq!(place.ok(&["folder", "remove", "anna"]).out, "removed: anna\n");
    assert!(place.ok(&["folder", "prune"]).err.contains("no folder is empty"));
    let moved = place.ok(&["folder", "rename", "bert", "carl", "--json"]).json();
    assert_eq!(moved[0], json!({ "event": "moved", "from": "bert", "to": "carl" }));
}

#[test]
fn what_cannot_be_done_with_folders_has_a_code() {
    let place = Place::with_mails();
    place.ok(&["folder", "new", "anna/a"]);
    for (args, code) in [
        (&["folder", "new", "anna/a"][..], "folder_exists"),
        (&["folder", "rename", "anna/a", "in"], "folder_exists"),
        (&["folder", "rename", "anna/b", "c"], "no_such_folder"),
        (&["folder", "rename", "anna/a", "b/c"], "misuse"),
        (&["folder", "move", "anna", "anna/a/b"], "misuse"),
        (&["folder", "remove", "anna/in"], "folder_not_empty"),
        (&["folder", "prune", "bert"], "no_such_folder"),
    ] {
        let ran = place.run(&[args, &["--json"]].concat());
        let error = ran.last();
        assert_eq!((ran.code, error["error"]["code"].as_str()), (2, Some(code)), "{args:?}: {error}");
        assert!(error["error"]["context"].is_object());
    }
    assert_eq!(folders(&place), ["anna", "anna/a", "anna/in"]);
}
