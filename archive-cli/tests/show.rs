//! What `show` prints and saves of mails with parts.

mod fixture;

use fixture::{Place, files};
use serde_json::json;

/// A forwarded mail without name, an alternative, an attachment and a name that a terminal would obey.
const MAIL: &str = "From: Ada <ada@example.org>
To: ben@example.net
Subject: forward
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/alternative; boundary=i

--i

plain words
--i
Content-Type: text/html

<p>plain words</p>
--i--
--o
Content-Type: message/rfc822

From: zoe@example.org
Subject: =?utf-8?Q?Angebot_f=C3=BCr_Br=C3=BCcke?=
Content-Type: multipart/mixed; boundary=n

--n

zebra
--n
Content-Type: application/pdf; name=\"plan.pdf\"
Content-Transfer-Encoding: base64

JVBERg==
--n--
--o
Content-Type: application/x-thing; name*=utf-8''a%1b%e2%80%ae.bin
Content-Transfer-Encoding: base64

MDEyMzQ1Njc4OQ==
YWJjZGVmZ2hpag==
--o--
";

fn place(mails: &[(&str, &[u8])]) -> Place {
    let place = Place::with_archive();
    for (name, mail) in mails {
        place.write(name, mail);
        place.ok(&["import", name]);
    }
    place
}

#[test]
fn all_parts_are_listed_with_their_numbers_and_those_of_a_mail_below_it() {
    let place = place(&[("a.eml", MAIL.as_bytes())]);
    let said = place.ok(&["show", "1:0"]).out;
    let listed: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with("[part")).collect();
    let expected = [
        "[part 2: text/plain, 11 B]",
        "[part 3: text/html, 18 B]",
        "[part 4: Angebot für Brücke.eml, message/rfc822, 226 B]",
        "  [part 6: text/plain, 5 B]",
        "  [part 7: plan.pdf, application/pdf, 4 B]",
        "[part 8: a\\u{1b}\\u{202e}.bin, application/x-thing, 20 B]",
    ];
    assert_eq!(listed, expected, "{said}");
    assert!(said.contains("\nplain words\n") && !said.contains("zebra"), "{said}");
    let mail = place.ok(&["--json", "show", "1:0"]).last();
    let parts = mail["parts"].as_array().unwrap();
    let of = |name: &str| parts.iter().map(|part| part[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("part"), [2, 3, 4, 6, 7, 8].map(|number| json!(number)));
    assert_eq!(of("within"), [json!(null), json!(null), json!(null), json!(4), json!(4), json!(null)]);
    assert_eq!(of("attachment"), [false, false, true, false, true, true].map(|is| json!(is)));
    assert_eq!(of("shown"), [true, false, false, false, false, false].map(|is| json!(is)));
    assert_eq!(
        (&parts[2]["name"], &mail["text"], &mail["text_left_out"]),
        (&json!("Angebot für Brücke.eml"), &json!("plain words"), &json!(0))
    );
    assert_eq!(place.ok(&["show", "1:0", "--part", "3"]).out, "<p>plain words</p>");
    assert_eq!(place.ok(&["show", "1:0", "--part", "6"]).out, "zebra");
    assert_eq!(place.ok(&["show", "1:0", "--part", "7"]).out, "%PDF");
    for none in ["0", "1", "5", "9"] {
        let ran = place.run(&["--json", "show", "1:0", "--part", none, "-o", "new.bin"]);
        assert_eq!((ran.code, &ran.last()["error"]["code"]), (2, &json!("no_such_part")), "{none}");
        assert!(!place.at("new.bin").exists(), "nothing is made for what is not there");
    }
    place.ok(&["show", "1:0", "--part", "4", "-o", "part.eml"]);
    assert!(std::fs::read_to_string(place.at("part.eml")).unwrap().starts_with("From: zoe@example.org\nSubject: "));
}

#[test]
fn attachments_are_saved_whole_and_a_forwarded_mail_under_its_subject() {
    let place = place(&[("a.eml", MAIL.as_bytes())]);
    for _ in 0..2 {
        let ran = place.ok(&["--json", "show", "1:0", "--save", "out"]);
        assert_eq!(ran.last(), json!({ "event": "summary", "saved": 2 }));
    }
    let names: Vec<String> = files(&place.at("out")).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["Angebot für Brücke (1).eml", "Angebot für Brücke.eml", "a__ (1).bin", "a__.bin"]);
    assert_eq!(std::fs::read(place.at("out/a__.bin")).unwrap(), b"0123456789abcdefghij");
    assert!(std::fs::read_to_string(place.at("out/Angebot für Brücke.eml")).unwrap().ends_with("JVBERg==\n--n--"));
}

#[test]
fn several_mails_are_shown_and_one_that_is_not_there_is_said_after_them() {
    let place = Place::with_mails();
    let ran = place.run(&["show", "1:1", "1:77", "1:0"]);
    assert_eq!(ran.code, 2);
    let (second, first) = (ran.out.find("a draft with"), ran.out.find("Hello Bob"));
    assert!(second.is_some() && second < first, "{}", ran.out);
    assert!(ran.out.contains("Message: 1:0\n") && ran.err.contains("message 1:77 is not in this archive"), "{}{}", ran.out, ran.err);
    let lines = place.run(&["--json", "show", "1:0", "1:77", "1:1"]);
    let said: Vec<_> = lines.json().iter().map(|line| line["id"].as_str().or(line["error"]["code"].as_str()).unwrap().to_owned()).collect();
    assert_eq!((lines.code, said), (2, ["1:0", "1:1", "no_such_message"].map(str::to_owned).to_vec()));
    assert_eq!(place.ok(&["show", "1:0", "1:1", "--record"]).out.matches("digest").count(), 2);
    place.ok(&["show", "1:0", "1:1", "--save", "out"]);
    assert_eq!(std::fs::read(place.at("out/x")).unwrap(), b"hello");
    for refused in
        [&["show", "1:0", "1:1", "--raw"][..], &["show", "1:0", "1:1", "--headers", "-o", "x"], &["show", "1:0", "1:1", "--part", "0"]]
    {
        assert_eq!(place.run(refused).code, 2, "{refused:?}");
    }
    assert_eq!(place.run(&["show"]).code, 2);
}

#[test]
fn a_record_is_read_by_people_in_labelled_lines() {
    let place = Place::with_mails();
    let said = place.ok(&["show", "1:0", "--record"]).out;
    for line in [
        "from               Anna <anna@example.com>",
        "to                 bob@example.org",
        "number in folder   1",
        "unquoted           yes",
    ] {
        assert!(said.lines().any(|found| found == line), "{line}: {said}");
    }
    assert!(!said.contains(['{', '[', '"']), "no JSON: {said}");
    place.write("latin.eml", b"Subject: Gr\xfc\xdfe aus K\xf6ln\n\nGr\xfc\xdfe aus K\xf6ln\n");
    place.ok(&["import", "latin.eml"]);
    assert!(
        place.ok(&["show", "1:2", "--record"]).out.contains("windows-1252 in the header of part 0; windows-1252 in the text of part 0")
    );
}

#[test]
fn long_text_ends_at_a_bound_and_says_how_to_get_the_rest() {
    let long = format!("Subject: long\n\n{}\n", "word ".repeat(600_000));
    let place = place(&[("a.eml", long.as_bytes())]);
    let said = place.ok(&["show", "1:0"]).out;
    assert!(said.len() < 1_100_000, "{}", said.len());
    assert!(
        said.ends_with("[1.9 MiB of the text of part 0 left out; `mailkeep show 1:0 --part 0` has all of it]\n"),
        "{}",
        &said[said.len() - 200..]
    );
    let mail = place.ok(&["--json", "show", "1:0"]).last();
    let shown = mail["text"].as_str().unwrap().len() as u64;
    assert_eq!(shown + mail["text_left_out"].as_u64().unwrap(), 3_000_001);
    assert_eq!(place.ok(&["show", "1:0", "--part", "0"]).bytes.len(), 3_000_001);
}

/// Peak memory of the command in KiB.
#[cfg(target_os = "linux")]
fn peak(place: &Place, args: &[&str]) -> u64 {
    let mut timed = std::process::Command::new("/usr/bin/time");
    let command = place.command(args);
    timed
        .arg("-f")
        .arg("%M")
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(place.at(""))
        .stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let ran = timed.stdout(std::process::Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    said.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_mail_is_shown_in_bounded_memory() {
    if !std::path::Path::new("/usr/bin/time").exists() {
        println!("skipped: no /usr/bin/time");
        return;
    }
    let encoded = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n".repeat(500_000);
    let words = "words of a text\n".repeat(4_000_000);
    let part = |head: &str, body: &str| format!("--b\n{head}\n\n{body}\n");
    let mail = "Subject: large\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned()
        + &part("Content-Type: text/plain", &words)
        + &part("Content-Type: text/html", &words)
        + &part("Content-Type: a/b; name=a.bin\nContent-Transfer-Encoding: base64", &encoded)
        + &part("Content-Type: message/rfc822", &format!("Subject: inner\n\n{words}"))
        + "--b--\n";
    let place = place(&[("a.eml", mail.as_bytes())]);
    let idle = peak(&place, &["show", "1:0", "--record"]);
    for args in [
        &["show", "1:0"][..],
        &["--json", "show", "1:0"],
        &["show", "1:0", "--save", "out"],
        &["show", "1:0", "--part", "1"],
        &["show", "1:0", "--raw"],
    ] {
        let more = peak(&place, args).saturating_sub(idle);
        println!("{args:?}: {more} KiB above {idle} KiB");
        assert!(more < 64 << 10, "{args:?}: {more} KiB");
    }
    assert_eq!(std::fs::metadata(place.at("out/inner.eml")).unwrap().len(), words.len() as u64 + 16);
}
