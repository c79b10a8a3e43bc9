//! The way of a mail: in by `import`, found, shown, out by `export`, checked.

mod fixture;

use fixture::{MBOX, Place, files};
use serde_json::json;

#[test]
fn a_mail_comes_out_as_it_went_in() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    let summary = place.ok(&["--json", "import", "in.mbox", "--receipts", "receipts.jsonl"]).last();
    for (name, value) in
        [("event", json!("summary")), ("read", json!(2)), ("stored", json!(2)), ("duplicate", json!(0)), ("failed", json!(0))]
    {
        assert_eq!(summary[name], value, "{name}");
    }
    assert_eq!(summary["recovery_key"], "unconfirmed");
    let receipts = std::fs::read_to_string(place.at("receipts.jsonl")).unwrap();
    let receipts: Vec<serde_json::Value> = receipts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(receipts.len(), 2);

    let found = place.ok(&["--json", "search", "--", "invoice", "-draft"]).json();
    assert_eq!(found[0]["event"], "hit");
    assert_eq!(found[0]["from"], json!([{ "name": "Anna", "address": "anna@example.com" }]));
    assert_eq!((&found[0]["subject"], &found[0]["date"]), (&json!("Grüße"), &json!("2024-03-04T09:00:00Z")));
    assert_eq!((&found[1]["total"], &found[1]["shown"], &found[1]["coverage"]["not_indexed"]), (&json!(1), &json!(1), &json!(0)));

    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(receipts[0]["id"], id);
    let raw = place.ok(&["show", id, "--raw", "-o", "-"]).bytes;
    let quoted = String::from_utf8(MBOX.to_vec()).unwrap();
    let first = quoted.split("\n\nFrom bob").next().unwrap().split_once('\n').unwrap().1.replace(">From here", "From here");
    assert_eq!(String::from_utf8(raw).unwrap(), format!("{first}\n"));

    let record = place.ok(&["--json", "show", id, "--record"]).last();
    assert_eq!(record["digest"], receipts[0]["digest"]);
    assert_eq!((&record["header_message_id"], &record["source_offset"]), (&json!("1@example.com"), &receipts[0]["offset"]));
    for name in ["identity", "folder", "direction", "date_source", "archived", "size", "store", "container", "sequence", "charset_guesses"]
    {
        assert!(!record[name].is_null(), "{name}");
    }

    let folders = place.ok(&["--json", "ls"]).json();
    assert!(folders.iter().any(|folder| folder["folder"] == "anna/in" && folder["messages"] == 2));
    assert_eq!(place.ok(&["ls", "anna/in", "--messages"]).out.lines().count(), 2);

    let again = place.ok(&["--json", "import", "in.mbox"]).last();
    assert_eq!((&again["stored"], &again["duplicate"]), (&json!(0), &json!(2)));
    assert_eq!(place.ok(&["--json", "check", "in.mbox"]).last()["present"], 2);
    assert_eq!(place.ok(&["--json", "verify"]).last()["damaged"], 0);
    place.ok(&["verify", "--quick"]);
    let stats = place.ok(&["--json", "stats"]).last();
    assert_eq!((&stats["messages"], &stats["contents"]), (&json!(2), &json!(2)));
    assert!(stats["bytes_on_disk"]["containers"].as_u64().unwrap() > 0);
}

#[test]
fn every_format_of_an_export_holds_the_same_mails() {
    let place = Place::with_mails();
    for format in ["eml", "mbox", "maildir"] {
        let report = place.ok(&["--json", "export", format, "--format", format, "--manifest"]).last();
        assert_eq!((&report["exported"], &report["failed"]), (&json!(2), &json!(0)), "{format}");
        place.ok(&["check", format]);
        if format == "mbox" {
            place.ok(&["check", format, "--format", "mboxrd"]);
        }
        let sums = std::fs::read_to_string(place.at(format).join("SHA256SUMS")).unwrap();
        assert_eq!(sums.lines().count(), if format == "mbox" { 1 } else { 2 });
        for line in std::fs::read_to_string(place.at(format).join("MANIFEST.jsonl")).unwrap().lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = std::fs::read(place.at(format).join(entry["file"].as_str().unwrap())).unwrap();
            let offset = entry["offset"].as_u64().unwrap() as usize;
            let laid = &bytes[offset..offset + entry["length"].as_u64().unwrap() as usize];
            let mail = match entry["quoting"].as_str() {
                Some("mboxrd") => archive_core::source::mbox_quote::unquote(laid),
                _ => laid.to_vec(),
            };
            assert_eq!(archive_core::Digest::of(&mail).to_string(), entry["digest"]);
        }
    }
    assert_eq!(std::fs::read(place.at("mbox/anna/in.mbox")).unwrap(), MBOX);
}

#[test]
fn an_export_to_standard_output_is_one_mbox_of_all_folders() {
    let place = Place::with_mails();
    assert_eq!(place.ok(&["export", "-"]).bytes, MBOX);
    place.ok(&["import", "in.mbox", "--into", "anna/second"]);
    assert_eq!(place.ok(&["export", "-"]).bytes, [MBOX, MBOX].concat());
    assert_eq!(place.ok(&["export", "-", "--folder", "anna/second", "--format", "mbox"]).bytes, MBOX);
    let invoice = place.ok(&["export", "-", "--query", "invoice", "-q"]);
    assert!(invoice.out.matches("Message-ID: <1@example.com>").count() == 2 && invoice.err.is_empty(), "{}", invoice.out);
    for args in [
        &["export", "-", "--format", "eml"][..],
        &["export", "-", "--format", "maildir"],
        &["export", "-", "--manifest"],
        &["export", "-", "--update"],
        &["export", "-", "--origin"],
        &["--json", "export", "-"],
        &["export", "-", "--folder", "anna/nothing"],
    ] {
        let ran = place.run(args);
        assert!(ran.code == 2 && !ran.out.contains("From "), "{args:?}: {}", ran.out);
    }
    let mut child =
        place.command(&["export", "-"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "a closed pipe");
}

#[test]
fn the_files_of_an_export_have_the_date_of_their_mail() {
    let place = Place::with_mails();
    place.ok(&["export", "out"]);
    let mut times: Vec<_> = files(&place.at("out")).iter().map(|path| std::fs::metadata(path).unwrap().modified().unwrap()).collect();
    times.sort();
    let since = |time: &std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(times.iter().map(since).collect::<Vec<_>>(), [1_709_542_800, 1_709_546_400]);
}

/// Files wait for their names until they are synced together: at the end none is left, whatever a crash left before.
#[test]
fn an_export_of_many_files_leaves_none_without_its_name() {
    let place = Place::with_archive();
    let mails = (0..700).map(|n| format!("From a@example.com Mon Mar  4 10:00:00 2024\nSubject: number {n}\n\nword\n\n"));
    place.write("many.mbox", mails.collect::<String>().as_bytes());
    place.ok(&["import", "many.mbox"]);
    for format in ["eml", "maildir"] {
        assert_eq!(place.ok(&["--json", "export", format, "--format", format, "--manifest"]).last()["exported"], 700);
        let all = files(&place.at(format));
        assert_eq!(all.len(), 702, "{format}");
        // As a crash leaves it: a mail without its name, and some that never got there.
        let folder = all.iter().find(|path| path.to_string_lossy().contains("many")).unwrap().parent().unwrap().to_owned();
        std::fs::rename(&files(&folder)[3], folder.join(".mailkeep-partial-3")).unwrap();
        std::fs::write(folder.join(".mailkeep-partial-511"), "half").unwrap();
        let again = place.ok(&["--json", "export", format, "--format", format, "--manifest", "--update"]).last();
        assert_eq!((&again["exported"], &again["present"]), (&json!(1), &json!(699)), "{format}");
        assert_eq!(files(&place.at(format)), all, "{format}");
    }
}

#[test]
fn an_export_writes_over_nothing() {
    let place = Place::with_mails();
    place.ok(&["export", "out"]);
    let before = files(&place.at("out"));
    assert_eq!(place.run(&["export", "out"]).code, 2);
    std::fs::write(&before[0], "changed").unwrap();
    std::fs::remove_file(&before[1]).unwrap();
    let report = place.ok(&["--json", "export", "out", "--update"]).last();
    assert_eq!((&report["exported"], &report["present"]), (&json!(1), &json!(1)));
    assert_eq!(files(&place.at("out")), before);
    assert_eq!(std::fs::read_to_string(&before[0]).unwrap(), "changed");
    assert_eq!(place.run(&["export", "arch/out"]).code, 2);
    assert!(!place.at("arch/out").exists());
}

/// An export that a crash or a full disk ended left files without lines, and lines cut or grown together.
#[test]
fn an_update_brings_the_manifest_up_to_what_is_there() {
    let place = Place::with_mails();
    for format in ["eml", "maildir"] {
        let update = ["--json", "export", format, "--format", format, "--manifest", "--update"];
        place.ok(&["export", format, "--format", format, "--manifest"]);
        let path = |name: &str| place.at(format).join(name);
        let lines = |name: &str| {
            let text = std::fs::read_to_string(path(name)).unwrap();
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let whole = [lines("SHA256SUMS"), lines("MANIFEST.jsonl")];
        for name in ["SHA256SUMS", "MANIFEST.jsonl"] {
            let text = std::fs::read_to_string(path(name)).unwrap();
            for broken in [text[..text.len() - 9].to_owned(), text.replacen('\n', "", 1), String::new(), text.repeat(2)] {
                std::fs::write(path(name), broken).unwrap();
                let report = place.ok(&update).last();
                assert_eq!((&report["exported"], &report["present"]), (&json!(0), &json!(2)));
                assert_eq!([lines("SHA256SUMS"), lines("MANIFEST.jsonl")], whole, "{format} {name}");
            }
        }
        // A line whose file is gone goes too, and the mail is written anew.
        let gone = lines("SHA256SUMS")[0].split_once("  ").unwrap().1.to_owned();
        std::fs::remove_file(path(&gone)).unwrap();
        assert_eq!(place.ok(&update).last()["exported"], 1);
        assert_eq!([lines("SHA256SUMS"), lines("MANIFEST.jsonl")], whole, "{format}");
        // What has the name of a mail and not its bytes is told.
        std::fs::remove_file(path("SHA256SUMS")).unwrap();
        for other in ["changed".to_owned(), "longer ".repeat(1000)] {
            std::fs::write(path(&gone), &other).unwrap();
            let ran = place.run(&update);
            assert_eq!((ran.code, &ran.last()["failed"]), (1, &json!(1)), "{}", ran.out);
            assert_eq!(std::fs::read_to_string(path(&gone)).unwrap(), other);
            assert!(!std::fs::read_to_string(path("SHA256SUMS")).unwrap().contains(&gone));
        }
    }
    let update = ["--json", "export", "mbox", "--format", "mbox", "--manifest", "--update"];
    place.ok(&["export", "mbox", "--format", "mbox", "--manifest"]);
    assert_eq!(place.ok(&update).last()["present"], 2);
    std::fs::remove_file(place.at("mbox/SHA256SUMS")).unwrap();
    let ran = place.run(&update);
    assert_eq!((ran.code, &ran.last()["failed"]), (1, &json!(2)), "{}", ran.out);
    assert!(ran.out.contains("remove it and update again"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn an_export_follows_no_link_out_of_its_folder() {
    let place = Place::with_mails();
    std::fs::create_dir(place.at("out")).unwrap();
    std::fs::create_dir(place.at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.at("elsewhere"), place.at("out/anna")).unwrap();
    assert_eq!(place.run(&["export", "out", "--update"]).code, 2);
    assert!(files(&place.at("elsewhere")).is_empty());
}

#[test]
fn an_export_may_say_where_a_mail_was() {
    let place = Place::with_mails();
    place.ok(&["export", "out", "--origin", "--query", "invoice"]);
    let file = files(&place.at("out")).remove(0);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.starts_with("X-Archive-Origin-Archive: =?utf-8?q?anna?=\nX-Archive-Origin-Folder: =?utf-8?q?anna=2Fin?=\nFrom: Anna"),
        "{text}"
    );
}

#[test]
fn a_dry_run_stores_nothing() {
    let place = Place::with_archive();
    place.write("in.mbox", MBOX);
    let plan = place.ok(&["--json", "import", "in.mbox", "--dry-run"]).json();
    assert_eq!((&plan[0]["folder"], &plan[0]["messages"]), (&json!("anna/in"), &json!(2)));
    assert_eq!(place.ok(&["--json", "stats"]).last()["messages"], 0);
}

#[test]
fn the_demo_leaves_nothing_outside_its_folder() {
    let place = Place::new();
    let ran = place.ok(&["demo"]);
    assert!(ran.out.contains("$ mailkeep") && ran.out.contains("Grüße aus Köln") && ran.out.contains("all is well"), "{}", ran.out);
    assert!(!place.at("config").exists() && !place.at("state").exists());
    assert_eq!(place.run(&["demo"]).code, 2);
}

#[test]
fn completions_and_man_pages_are_made() {
    let place = Place::new();
    assert!(place.ok(&["completions", "bash"]).out.contains("mailkeep"));
    place.ok(&["man", "pages"]);
    assert!(place.at("pages/mailkeep-import.1").exists());
}
