//! No reader of foreign bytes calls itself in proportion to what it reads: each runs on hostile input in a thread with a small stack.
//! An overflow ends the test's process.
//!
//! Decoders of what lies in an archive are run so in `fuzzing.rs`.

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use archive_core::mail::text::{TextReader, extract};
use archive_core::mail::{examine, join::join, view};
use archive_core::source::{Body, Format, Item, SourceOptions, SourceVisitor, Summary, Trouble, read_path, read_stream};
use archive_core::{FolderPath, SearchCriteria};
use archive_index::{
    Columns, DocNo, Field, Index, Leaf, MemPages, Options, PageStore, Scope, Snapshot, SortKeys, Value, ValueKind, parse, parse_in,
    parse_reduced,
};

/// What a library may take of the thread of a program that embeds it.
const STACK: usize = 128 << 10;
const MANY: usize = 50_000;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread").join().expect("no panic");
}

/// `before`, `again` so many times, `after`.
fn much(before: &str, again: &str, times: usize, after: &str) -> Vec<u8> {
    [before.as_bytes(), again.repeat(times).as_bytes(), after.as_bytes()].concat()
}

fn html(before: &str, again: &str, after: &str) -> Vec<u8> {
    much(&format!("Content-Type: text/html; charset=utf-8\n\n{before}"), again, MANY, after)
}

fn html_mails() -> Vec<Vec<u8>> {
    let numbered = |form: &dyn Fn(usize) -> String| html(&(0..MANY).map(form).fold("<a".to_owned(), |all, one| all + &one), "", ">x");
    vec![
        html("<a", " b=\"\"", ">x"),
        html("<a", " b=''", ">x"),
        html("<a", " b=c", ">x"),
        html("<a", " b", "x"),
        html("<a ", "/", ">x"),
        html("<a ", "=\"", ">x"),
        numbered(&|number| format!(" a{number}=\"\"")),
        numbered(&|number| format!(" title{number}=\"x\" alt=y")),
        html("<a title=\"", "xxxxxxxxxx", "\">x"),
        html("<a title=\"", "xxxxxxxxxx", ""),
        html("<a title=\"", "&amp", "\">x"),
        html("", "<img alt=x>", ""),
        html("", "<", ""),
        html("", "</", ""),
        html("", "<a", ""),
        html("", "<div>", "x"),
        html("", "</div>", "x"),
        html("", "<template>", "x"),
        html("<!--", "-!>", "x"),
        html("<!--", "<!--", "x"),
        html("", "<!-- -->", "x"),
        html("<![CDATA[", "]]", "x"),
        html("<!doctype", " \"'>", "x"),
        html("<script>", "<!--<script>", "</script>x"),
        html("<script>", "</script", "x"),
        html("<style>", "</sty", "x"),
        html("<title>", "&#9", "</title>x"),
        html("<textarea>", "</textare", "x"),
        html("<plaintext>", "</plaintext>", ""),
        html("", "&", ""),
        html("&", "a", ";"),
        html("&#", "9", ";"),
        html("&#x", "f", ";"),
        html("", "&nbsp;", ""),
    ]
}

/// Mails one in another: each in the next, encoded or not.
fn nested(header: &str, times: usize) -> Vec<u8> {
    much("", &format!("{header}\n\n"), times, "Content-Type: text/html\n\n<p>x")
}

fn mails() -> Vec<Vec<u8>> {
    let multiparts = (0..10_000).map(|number| format!("Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n"));
    let base64 = (0..24).fold(b"Subject: x\n\nx".to_vec(), |mail, _| {
        let encoded = encode_base64(&mail);
        [b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n", encoded.as_bytes()].concat()
    });
    let pieces = (0..MANY).map(|number| format!("; name*{number}=x")).collect::<String>();
    let mut all = vec![
        multiparts.collect::<String>().into_bytes(),
        nested("Content-Type: multipart/digest; boundary=a\n\n--a", 10_000),
        nested("Content-Type: message/rfc822", 10_000),
        nested("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable", 10_000),
        nested("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable", 63),
        base64,
        much("Content-Type: multipart/mixed; boundary=a\n\n", "--a\n\nx\n", MANY, "--a--\n"),
        much("Content-Type: multipart/mixed; boundary=a\n\n", "--a\nContent-Type: text/html\n\n<p>x\n", 10_000, "--a--\n"),
        much("", "Subject: x\n", MANY, "\nx"),
        much("", "To: Jo (the) <a@b>, c@d\n", MANY, "\nx"),
        much("Subject: x\n", " x\n", MANY, "\nx"),
        much("Subject: ", "=?utf-8?q?=41?= ", MANY, "\n\nx"),
        much("Subject: ", "=?", MANY, "\n\nx"),
        much("From: a@b ", "(", MANY, "\n\nx"),
        much("From: a@b ", "(\\)", MANY, "\n\nx"),
        much("From: ", "\"", MANY, "\n\nx"),
        much("From: ", "<", MANY, "\n\nx"),
        much("From: ", "a:", MANY, "\n\nx"),
        much("From: ", "<@a,@b:", MANY, "\n\nx"),
        much("From: a@", "xn--a.", MANY, "\n\nx"),
        much("From: ", "(a)<b@c>,", MANY, "\n\nx"),
        much("References: ", "<a@b> ", MANY, "\n\nx"),
        much("Date: ", "(", MANY, "\n\nx"),
        much("Date: Mon, ", "1 ", MANY, "\n\nx"),
        much("Content-Type: text/plain", "; a=b", MANY, "\n\nx"),
        much("Content-Type: text/plain", "(", MANY, "\n\nx"),
        much("Content-Type: text/plain; name=\"", "\\\"", MANY, "\n\nx"),
        much("Content-Disposition: attachment; filename*=utf-8''", "%41", MANY, "\n\nx"),
        much(&format!("Content-Type: text/plain{pieces}"), "", 0, "\n\nx"),
        much("Content-Type: text/plain; format=flowed; delsp=yes\n\n", "> ", MANY, "\nx"),
        much("Content-Type: text/plain; format=flowed; delsp=yes\n\n", ">> x \n", MANY, "\nx"),
        much("Content-Type: text/plain; charset=utf-7\n\n", "+", MANY, "\nx"),
        much("Content-Type: text/plain; charset=utf-7\n\n+", "2A3Y", MANY, "-x"),
        much("Content-Type: text/plain; charset=iso-2022-jp\n\n", "\u{1b}$B", MANY, "\nx"),
        much("Content-Transfer-Encoding: base64\n\n", "QQ==\n", MANY, "\nx"),
        much("Content-Transfer-Encoding: quoted-printable\n\n", "=\n", MANY, "x"),
        much("Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n", "#86)C\n", MANY, "end\n"),
    ];
    for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_alphanumeric()) {
        for head in [
            "",
            "Subject: ",
            "From: ",
            "Content-Type: text/plain; name=",
            "Content-Type: text/html\n\n",
            "Content-Type: multipart/mixed; boundary=\"",
        ] {
            all.push([head.as_bytes(), &vec![byte; 10_000]].concat());
        }
    }
    all
}

fn encode_base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = |at: usize| char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]);
        (0..4).map(|at| if at > three.len() { '=' } else { letter(at) }).collect::<String>()
    };
    let lines = bytes.chunks(54).map(|line| line.chunks(3).map(encode).collect::<String>() + "\n");
    lines.collect()
}

fn read_mail(mail: &[u8]) {
    let examined = examine(mail);
    assert!(join(&examined.split).expect("what was split joins") == mail);
    let whole = extract(mail, &[]);
    let mut reader = TextReader::new(&[]);
    mail.chunks(4099).for_each(|piece| reader.push(piece));
    assert!(reader.finish() == whole, "pieces change nothing");
    drop(view(mail, &[]));
}

#[test]
fn html_with_50_000_of_anything_is_read_on_a_small_stack() {
    on_a_small_stack(|| html_mails().iter().for_each(|mail| read_mail(mail)));
}

/// Found by attack: 37 KB ended the process.
#[test]
fn a_tag_with_many_attributes_is_read_and_what_follows_it_is_text() {
    on_a_small_stack(|| {
        let mail = html("<a", " b=\"\"", " title=\"tea\">milk");
        let texts: Vec<String> = extract(&mail, &[]).values.into_iter().map(|value| value.text).collect();
        assert_eq!(texts, ["milk", "tea"]);
    });
}

#[test]
fn mails_of_any_depth_and_length_are_read_on_a_small_stack() {
    on_a_small_stack(|| mails().iter().for_each(|mail| read_mail(mail)));
}

#[derive(Default)]
struct Count(u64, Vec<Trouble>);

impl SourceVisitor for Count {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        self.0 += 1;
        if let Body::Stream { rest, .. } = item.body {
            std::io::copy(rest, &mut std::io::sink()).expect("what is in memory is read");
        }
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.1.push(trouble);
    }
}

fn read_source(bytes: &[u8], name: &str, format: Option<Format>) -> Summary {
    let mut seen = Count::default();
    let summary = read_stream(bytes, name, SourceOptions { format, with_deleted: true }, &mut seen);
    assert_eq!(summary.mails, seen.0);
    summary
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::bufread::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut packed).expect("packed");
    packed
}

fn tar(members: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &*bytes).expect("a member");
    }
    archive.into_inner().expect("an archive")
}

fn zip(members: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
        archive.write_all(&bytes).expect("written");
    }
    archive.finish().expect("an archive").into_inner()
}

#[test]
fn mailboxes_of_any_form_are_read_on_a_small_stack() {
    on_a_small_stack(|| {
        let from = "From a@b Sat Jan  3 01:05:34 1996\n";
        let boxes = [
            much("", from, MANY, ""),
            much("", &format!("{from}\nx\n\n"), 10_000, ""),
            much(from, ">From x\n", MANY, ""),
            much(&format!("{from}\n"), ">", MANY, "From x\n"),
            much(from, "Content-Length: 1\n", MANY, "\nx"),
            much("", "=========================================================================\n", MANY, ""),
            much("", "\n", MANY, ""),
            much("", "\0", MANY, ""),
            much("7\n", "<plist>", MANY, ""),
            much("1\nx<?xml version=\"1.0\"?><plist>", "<dict><key>", MANY, ""),
        ];
        let formats =
            [Format::Mbox, Format::Mboxo, Format::Mboxrd, Format::Mboxcl, Format::Mboxcl2, Format::Listserv, Format::Eml, Format::Emlx];
        for bytes in boxes.iter().chain(&mails()[..8]) {
            for format in [None].into_iter().chain(formats.map(Some)) {
                read_source(bytes, "", format);
            }
        }
    });
}

/// Packed mailboxes, and how many mails they give.
fn packed() -> Vec<(Vec<u8>, u64)> {
    let mail = b"Subject: x\n\nx\n".to_vec();
    let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("packed");
    let deep = |pack: &dyn Fn(Vec<u8>) -> Vec<u8>| (0..40).fold(mail.clone(), |bytes, _| pack(bytes));
    let slashes = "a/".repeat(500);
    let members = || (0..1000).map(|number| (format!("{slashes}{number}.eml"), mail.clone()));
    let mut long = tar::Header::new_gnu();
    long.set_entry_type(tar::EntryType::GNULongName);
    long.set_size(0);
    long.set_cksum();
    let mut all = vec![
        // Deeper than what is opened.
        (deep(&|bytes| gzip(&bytes)), 0),
        (deep(&|bytes| zstd(&bytes)), 0),
        (deep(&|bytes| tar(std::iter::once(("a.tar".to_owned(), bytes)))), 0),
        (deep(&|bytes| zip(std::iter::once(("a.zip".to_owned(), bytes)))), 0),
        (deep(&|bytes| gzip(&zip(std::iter::once(("a.zip".to_owned(), zstd(&bytes)))))), 0),
        // Members and frames of nothing before one of something.
        ([gzip(b"").repeat(MANY), gzip(&mail)].concat(), 1),
        ([zstd(b"").repeat(MANY), zstd(&mail)].concat(), 1),
        (tar(members()), 1000),
        (zip(members()), 1000),
        (long.as_bytes().repeat(10_000), 0),
    ];
    for start in [&b"\x1F\x8B\x08"[..], b"\x28\xB5\x2F\xFD", b"PK\x03\x04", b"PK\x05\x06"] {
        all.extend((0..=u8::MAX).map(|byte| ([start, &vec![byte; 1000]].concat(), 0)));
    }
    all
}

#[test]
fn packed_mailboxes_of_any_depth_are_read_on_a_small_stack() {
    let packed = packed();
    on_a_small_stack(move || {
        for (bytes, mails) in packed {
            assert_eq!(read_source(&bytes, "a.zip", None).mails, mails, "{:?}", bytes.get(..8));
        }
    });
}

#[test]
fn folders_of_any_depth_are_read_on_a_small_stack() {
    let dir = tempfile::tempdir().expect("a folder");
    let deep = dir.path().join("a/".repeat(1200));
    std::fs::create_dir_all(&deep).expect("made");
    std::fs::write(deep.join("1.eml"), "Subject: x\n\nx\n").expect("written");
    let path = dir.path().to_owned();
    on_a_small_stack(move || {
        let mut seen = Count::default();
        let summary = read_path(&path, SourceOptions::default(), &mut seen).expect("read");
        assert_eq!(summary.mails, 1);
        let _ = "a/".repeat(MANY).parse::<FolderPath>();
    });
}

/// A few documents, on pages and in memory.
fn snapshot() -> Snapshot {
    let index = Index::open(Arc::new(MemPages::new()), Options::default()).expect("an index");
    for number in 0..64u32 {
        let text = format!("alpha beta w{number} größe {}", "x".repeat(3000));
        let field = [Field::Subject, Field::From, Field::To, Field::Body][number as usize % 4];
        let kind = if number % 2 == 0 { ValueKind::Text } else { ValueKind::Address };
        index.add(DocNo(number), &[Value { field, kind, text: &text }], &[], &Columns::default(), &SortKeys::default()).expect("added");
        if number == 40 {
            index.flush(b"").expect("flushed");
        }
    }
    index.snapshot()
}

fn queries() -> Vec<String> {
    let again = |before: &str, again: &str, times: usize, after: &str| format!("{before}{}{after}", again.repeat(times));
    let mut all = Vec::new();
    // The most that is read, and more than that.
    for bytes in [64 << 10, 2 * MANY] {
        for piece in [
            "(",
            ")",
            "-",
            "- ",
            "-(",
            "(-",
            "()",
            "( ",
            "\"",
            "\"a\" ",
            "*",
            "?",
            "a*",
            "*?",
            "a ",
            "-a ",
            "OR ",
            "a OR ",
            "(a) OR ",
            "a OR -b ",
            "subject:",
            "from:a ",
            "to:(",
            "date:2024 ",
            "x:",
            ":",
            "a-",
            "a@b.",
            "ü\u{301}",
            "\u{301}",
            "日",
            "x",
        ] {
            all.push(again("", piece, bytes / piece.len(), ""));
        }
    }
    // Groups as deep as they may be, and one deeper.
    for depth in [31, 32, 33] {
        all.push(again("", "(", depth, "alpha"));
        all.push(again("", "-(alpha OR -(", depth / 2, "beta"));
        all.push(again("", "(alpha OR w1 -(beta ", depth / 2, "gr*"));
        all.push(again("", "(\"alpha beta\" OR -(w1 OR to:(", depth / 3, "x*x"));
    }
    all
}

#[test]
fn queries_of_any_depth_and_length_are_read_and_run_on_a_small_stack() {
    let snapshot = snapshot();
    on_a_small_stack(move || {
        let mut depths = 0;
        for text in queries() {
            let _ = parse_reduced(&text);
            let _ = parse_in(&text, Scope::Named(&[Field::From, Field::To]));
            let Ok(query) = parse(&text) else { continue };
            depths += u32::from(text.contains("alpha OR"));
            assert!(query.clone() == query);
            let written = query.to_string();
            assert!(parse(&written).map_or(written.len() > 64 << 10, |again| again.to_string() == written));
            drop((query.clauses(), query.filters().len()));
            let bound = query.bind(|_| Ok::<_, std::convert::Infallible>(Leaf::Docs((0..9).collect()))).expect("bound");
            let found = snapshot.search(&bound).expect("an answer");
            snapshot.newest_first(&found, None).expect("an order").take(100).for_each(drop);
        }
        assert!(depths > 0, "deep groups were run");
        for text in ["[", "{\"a\":", "{\"version\":1,\"text\":[", "{\"version\":1,\"folder\":{\"path\":["] {
            assert!(SearchCriteria::from_json(&text.repeat(MANY)).is_err());
        }
        let criteria = SearchCriteria::of_text(&"(".repeat(MANY));
        assert!(SearchCriteria::from_json(&criteria.to_json()).is_ok(), "what it says is looked at later");
    });
}

#[test]
fn manifests_of_an_index_are_read_on_a_small_stack() {
    on_a_small_stack(|| {
        for again in [&[0x81][..], &[0x9f], &[0xa1, 0x18, 0x80], &[0xbf, 0x01], &[0xc0], &[0x5f], &[0x82, 0x80]] {
            for head in [&[][..], &[0xa1, 0x18, 0x80], &[0xa5, 0x01, 0x01, 0x04], &[0xa5, 0x01, 0x01, 0x05]] {
                let pages = MemPages::new();
                pages.replace_manifest(&[head, &again.repeat(MANY)].concat()).expect("kept");
                let _ = Index::open(Arc::new(pages), Options::default());
            }
        }
    });
}
