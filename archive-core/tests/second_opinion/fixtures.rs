//! Mails of our own, written as mails are: simple ones, and for most reasons one that shows it.

/// Bodies of parts, as they stand between two delimiter lines.
const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\nA few plain words.\r\n";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>A few <b>plain</b> words &amp; more.</p>\r\n";
const FILE: &str = "Content-Type: application/pdf; name=\"bill.pdf\"\r\nContent-Disposition: attachment; filename=\"bill.pdf\"\r\n\
                    Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n";
const FORWARD: &str = "Content-Type: message/rfc822\r\n\r\nFrom: Carl <carl@example.org>\r\nSubject: inner\r\n\r\nInside.\r\n";
const REPORT: &str = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n";
const RICH: &str = "Content-Type: text/enriched\r\n\r\n<bold>rich</bold>\r\n";

/// A mail of one part: more lines of its header, and its body.
fn one(more: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Anna Example <anna@example.org>\r\nTo: bob@example.com\r\nSubject: hello\r\n\
         Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n{more}\r\n{body}\r\n"
    )
    .into_bytes()
}

/// A mail that has these first lines alone.
fn head(lines: &str) -> Vec<u8> {
    format!("{lines}\r\n\r\nbody\r\n").into_bytes()
}

fn parts(kind: &str, parts: &[&str]) -> Vec<u8> {
    let body: String = parts.iter().map(|part| format!("--b\r\n{part}")).collect();
    one(&format!("MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=b\r\n"), &format!("{body}--b--"))
}

/// Name and bytes.
pub fn mails() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", one("", "Some words,\r\nin two lines.")),
        ("line feeds", b"From: Anna <anna@example.org>\nSubject: a\n\nb c\n".to_vec()),
        ("utf-8", one("Content-Type: text/plain; charset=utf-8\r\n", "Grüße aus Köln")),
        ("quoted-printable", one("Content-Transfer-Encoding: quoted-printable\r\n", "a =3D b and a soft=\r\n break")),
        ("base64", one("Content-Transfer-Encoding: base64\r\n", "aGVsbG8gd29ybGQ=")),
        ("no body", b"From: Anna <anna@example.org>\r\nSubject: a\r\n\r\n".to_vec()),
        ("html", one("Content-Type: text/html\r\n", "<html><head><style>p { color: red }</style></head><p>one<p>two")),
        ("alternative", parts("alternative", &[PLAIN, HTML])),
        ("mixed", parts("mixed", &[PLAIN, FILE])),
        ("forwarded", parts("mixed", &[PLAIN, FORWARD, FILE])),
        ("digest", parts("digest", &["\r\nSubject: one\r\n\r\nx\r\n", "\r\nSubject: two\r\n\r\ny\r\n"])),
        ("report", parts("report", &[PLAIN, REPORT, FORWARD])),
        ("enriched", parts("alternative", &[PLAIN, RICH])),
        ("no parts", one("Content-Type: multipart/mixed\r\n", "no boundary")),
        (
            "rfc 2231 boundary",
            one("Content-Type: multipart/mixed;\r\n boundary*0*=us-ascii''%62;\r\n boundary*1=c\r\n", "--bc\r\n\r\none\r\n--bc--"),
        ),
        ("rfc 2231 name", parts("mixed", &["Content-Disposition: attachment; filename*=utf-8''%C3%BCber.txt\r\n\r\nx\r\n"])),
        (
            "encoded words",
            head("Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?= =?utf-8?b?IHVuZA==?= so on\r\nFrom: =?utf-8?q?J=C3=B6rg?= <j@example.org>"),
        ),
        ("words joined", head("Subject: =?utf-8?q?a?=, b")),
        ("words cut", head("Subject: =?utf-8?b?w7w=?= =?utf-8?b?ww==?= =?utf-8?b?vA==?=")),
        ("japanese words", head("Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= =?ISO-2022-JP?B?GyRCOGwbKEI=?=")),
        ("folded", head("Subject: one\r\n two\r\n\tthree\r\nFrom: \"Example,\r\n Anna\" <anna@example.org>")),
        ("comment", head("From: anna@example.org (Anna Example)")),
        ("name and comment", head("From: Anna Example (at work) <anna@example.org>")),
        ("two senders", head("From: a@example.org, B <b@example.org>")),
        ("several subjects", head("Subject: first\r\nSubject: second")),
        ("obfuscated", head("From: anna @ending from ex@mple (Anna Example)")),
        ("no address", head("From: anna (Anna Example)")),
        ("no zone", head("Date: Mon, 1 Jan 2024 10:00:00")),
        ("ctime", head("Date: Mon Jan  1 10:00:00 2024")),
        ("zone by name", head("Date: Mon, 1 Jan 2024 10:00:00 CEST")),
        ("two digits of a year", head("Date: Mon, 1 Jan 96 10:00:00 GMT")),
        ("no label", [&b"Subject: Gr\xfc\xdfe aus K\xf6ln\r\n\r\nSch\xf6ne Gr\xfc\xdfe aus K\xf6ln, b\xf6se \xdcbung\r\n"[..]].concat()),
        ("backslashes", parts("mixed", &["Content-Disposition: attachment; filename=\"C:\\TEMP\\a.txt\"\r\n\r\nx\r\n"])),
    ]
}
