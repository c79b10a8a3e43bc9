//! S3 (docs/SEARCH.md): criteria are one value with one form in JSON; all that is given must be met.

use archive_core::{Actor, Archive, Error, FolderScope, MessageId, SearchCriteria, SearchRequest, User};
use serde_json::{Value, json};

use crate::fixture::{Files, ids, put, user};

/// Reads criteria in which only these keys are given.
fn criteria(keys: &Value) -> SearchCriteria {
    let mut form = json!({ "version": 1 });
    for (key, value) in keys.as_object().expect("keys") {
        form[key] = value.clone();
    }
    SearchCriteria::from_json(&form.to_string()).unwrap_or_else(|error| panic!("{form}: {error}"))
}

/// Two mails that differ in everything that can be asked.
fn archive() -> (Archive, [MessageId; 2]) {
    let (_, archive) = Files::create();
    let first = "From: Ada <ada@x.example>\nTo: sales@x.example\nBcc: audit@x.example\nSubject: Invoice\nImportance: high\n\
                 Date: Wed, 3 Jan 2024 23:30:00 +0000\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nbodyword\n\
                 --b\nContent-Disposition: attachment; filename=nameword.txt\n\nfileword\n--b--\n";
    let second = "From: Bob <bob@x.example>\nTo: office@x.example\nCc: sales@x.example\nSubject: invoice, a draft\n\
                  Date: Fri, 1 Mar 2024 10:00:00 +0000\n\n"
        .to_owned()
        + &"more text ".repeat(50)
        + "\n";
    let all = [put(&archive, "anna/Inbox", first).id(), put(&archive, "bob/Inbox/Old", second).id()];
    (archive, all)
}

#[test]
fn s3_1_the_example_of_the_page_is_read_and_written_alike() {
    let page = include_str!("../../../docs/SEARCH.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let criteria = SearchCriteria::from_json(example).expect("criteria");
    assert_eq!(SearchCriteria::from_json(&criteria.to_json()).expect("criteria"), criteria);
    let (mut example, written): (Value, Value) =
        (serde_json::from_str(example).expect("JSON"), serde_json::from_str(&criteria.to_json()).expect("JSON"));
    // What is at its default need not be written.
    let keys = example.as_object_mut().expect("keys");
    keys.retain(|key, _| !["with_attachments", "without_attachments", "order", "in"].contains(&key.as_str()) || !written[key].is_null());
    assert_eq!(written, example);
}

#[test]
fn s3_1_each_criterion_restricts_and_all_must_be_met() {
    let (archive, all) = archive();
    for (first, second) in [
        (json!({"text": "bodyword"}), json!({"text": "draft"})),
        (json!({"folder": {"path": "anna/Inbox"}}), json!({"folder": {"path": "bob", "subfolders": true}})),
        (json!({"from": "ada"}), json!({"from": "bob@x.example -ada"})),
        (json!({"recipients": "audit"}), json!({"recipients": "office"})),
        (json!({"date": {"to": "2024-02"}}), json!({"date": {"from": "2024-02", "to": "2024-03"}})),
        (json!({"date": {"period": "2024-01"}}), json!({"date": {"from": "2024-03"}})),
        (json!({"date": {"period": "2024-01-04"}, "zone": "Europe/Berlin"}), json!({"date": {"period": "2024-03-02"}, "zone": "+14:00"})),
        (json!({"without_attachments": false}), json!({"with_attachments": false})),
        (json!({"size": {"max": 500}}), json!({"size": {"min": 501}})),
        (json!({"importance": "high"}), json!({"importance": "normal"})),
    ] {
        for (mine, found) in [(&first, all[0]), (&second, all[1])] {
            assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(criteria(mine))), [found], "{mine}");
        }
        // Joined with what only the other mail meets, nothing is left.
        let mut both = first.clone();
        match both.get("folder") {
            None => both["folder"] = json!({"path": "bob"}),
            Some(_) => both["from"] = json!("bob"),
        }
        assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(criteria(&both))), [], "{both}");
    }
    let low = criteria(&json!({"importance": "low"}));
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(low)), []);
    let exactly = criteria(&json!({"folder": {"path": "bob", "subfolders": false}}));
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(exactly)), []);
    let archived = |from: &str| ids(&archive, &Actor::System, &SearchRequest::of(criteria(&json!({"archived": {"from": from}})))).len();
    assert_eq!((archived("2024-06"), archived("9999")), (2, 0));
    let by_size = criteria(&json!({"text": "invoice", "order": {"by": "size", "reverse": true}}));
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(by_size)), all);
}

#[test]
fn s3_1_in_limits_terms_without_a_field_and_exclusions_too() {
    let (archive, all) = archive();
    for (keys, expected) in [
        (json!({"text": "invoice", "in": ["subject"]}), vec![all[1], all[0]]),
        (json!({"text": "invoice", "in": ["content"]}), vec![]),
        (json!({"text": "bodyword", "in": ["content"]}), vec![all[0]]),
        (json!({"text": "bodyword", "in": ["subject", "parties"]}), vec![]),
        (json!({"text": "ada", "in": ["parties"]}), vec![all[0]]),
        (json!({"text": "sales", "in": ["parties"]}), vec![all[1], all[0]]),
        (json!({"text": "nameword", "in": ["attachment-names"]}), vec![all[0]]),
        (json!({"text": "nameword", "in": ["attachment-contents"]}), vec![]),
        (json!({"text": "fileword", "in": ["attachment-contents"]}), vec![all[0]]),
        (json!({"text": "invoice -draft", "in": ["subject"]}), vec![all[0]]),
        (json!({"text": "invoice -bodyword", "in": ["subject"]}), vec![all[1], all[0]]),
        // A field that is named counts, whatever is switched on.
        (json!({"text": "invoice bcontent:bodyword", "in": ["subject"]}), vec![all[0]]),
        (json!({"text": "invoice -bcontent:bodyword", "in": ["subject"]}), vec![all[1]]),
        // The other criteria are not limited by it.
        (json!({"text": "invoice", "in": ["subject"], "from": "ada"}), vec![all[0]]),
        (json!({"in": [], "from": "ada"}), vec![all[0]]),
    ] {
        assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(criteria(&keys))), expected, "{keys}");
    }
    let nowhere = criteria(&json!({"text": "invoice", "in": []}));
    assert_eq!(archive.session(Actor::System).search(&SearchRequest::of(nowhere)).expect_err("refused").code(), "query");
}

#[test]
fn s3_1_each_term_of_recipients_is_met_by_to_cc_or_bcc() {
    let (archive, all) = archive();
    for (recipients, expected) in [
        ("sales", vec![all[1], all[0]]),
        ("sales audit", vec![all[0]]),
        ("sales office", vec![all[1]]),
        ("office audit", vec![]),
        ("ada", vec![]),
        ("sales -audit", vec![all[1]]),
        // Compared as if the fields were named: parts of an address count.
        ("-office", vec![all[0]]),
        ("cc:sales", vec![all[1]]),
    ] {
        let request = SearchRequest::of(criteria(&json!({ "recipients": recipients })));
        assert_eq!(ids(&archive, &Actor::System, &request), expected, "{recipients}");
    }
}

#[test]
fn s3_1_nothing_asked_finds_nothing_and_what_is_unknown_is_refused() {
    let (archive, all) = archive();
    for empty in [
        json!({}),
        json!({"text": " - "}),
        json!({"with_attachments": true, "without_attachments": true}),
        json!({"with_attachments": false, "without_attachments": false}),
        json!({"text": "invoice", "with_attachments": false, "without_attachments": false}),
    ] {
        assert_eq!(ids(&archive, &Actor::System, &SearchRequest::of(criteria(&empty))), [], "{empty}");
    }
    for unknown in [
        r#"{"version":2,"text":"invoice"}"#,
        r#"{"text":"invoice"}"#,
        r#"{"version":1,"language":2,"text":"invoice"}"#,
        r#"{"version":1,"words":"invoice"}"#,
        r#"{"version":1,"in":["everywhere"],"text":"invoice"}"#,
        r#"{"version":1,"size":{"about":5}}"#,
        r#"{"version":1,"date":{"from":"2024","around":"2025"}}"#,
        r#"{"version":1,"order":{"by":"colour"}}"#,
        r#"{"version":1,"importance":"urgent"}"#,
    ] {
        assert!(matches!(SearchCriteria::from_json(unknown), Err(Error::Query { .. })), "{unknown}");
    }
    for refused in [
        json!({"date": {"from": "soon"}}),
        json!({"date": {"period": "2024", "from": "2024"}}),
        json!({"zone": "Nowhere/Town", "text": "invoice"}),
        json!({"from": "larger:much"}),
    ] {
        let answer = archive.session(Actor::System).search(&SearchRequest::of(criteria(&refused)));
        assert_eq!(answer.expect_err("refused").code(), "query", "{refused}");
    }
    let store = |actor: &Actor| archive.session(actor.clone()).search(&SearchRequest::of(criteria(&json!({"store": 1}))));
    assert_eq!(store(&Actor::System).expect("an answer").total, 2, "a store is something that is asked");
    assert_eq!(store(&user(&[FolderScope::below("anna")])).expect_err("refused").code(), "denied");
    let administrator = User { name: "admin".to_owned(), administrator: true, folders: vec![FolderScope::below("anna")] };
    let found = store(&Actor::User(administrator)).expect("an answer");
    assert_eq!(found.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [all[0]]);
}

#[test]
fn s3_1_relative_dates_stay_relative() {
    let (archive, all) = archive();
    let saved = criteria(&json!({"date": {"period": "last-month"}})).to_json();
    assert!(saved.contains("last-month"), "{saved}");
    let found_in = |moment: &str| {
        let now = moment.parse::<jiff::Timestamp>().expect("a moment").as_millisecond();
        ids(&archive, &Actor::System, &SearchRequest::of(SearchCriteria::from_json(&saved).expect("criteria")).at(now))
    };
    assert_eq!(found_in("2024-02-10T00:00:00Z"), [all[0]]);
    assert_eq!(found_in("2024-03-10T00:00:00Z"), []);
    assert_eq!(found_in("2024-04-10T00:00:00Z"), [all[1]]);
}
