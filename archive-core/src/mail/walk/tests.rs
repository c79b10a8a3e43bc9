//! What the walker reports of small mails, and its bounds on hostile ones.

use proptest::prelude::*;

use super::*;

/// What a visitor received, bodies joined: one line for each event.
#[derive(Default)]
struct Events {
    lines: Vec<String>,
    open: Vec<(NodeNo, u64, Vec<u8>)>,
    until: u64,
}

impl Events {
    fn flush(&mut self) {
        for (no, at, bytes) in self.open.drain(..) {
            self.lines.push(format!("{} @{at} {:?}", no.0, String::from_utf8_lossy(&bytes)));
        }
    }

    fn follows(&mut self, at: u64, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        assert_eq!(at, self.until, "every byte comes once, in order");
        self.until += bytes.len() as u64;
    }

    fn add(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.follows(at, bytes);
        match self.open.last_mut() {
            Some((no, from, all)) if *no == node => {
                assert_eq!(*from + all.len() as u64, at);
                all.extend_from_slice(bytes);
            }
            _ => self.open.push((node, at, bytes.to_vec())),
        }
    }
}

impl Visitor for Events {
    fn open(&mut self, node: &Node<'_>) {
        self.flush();
        assert_eq!(node.header_is_cut(), node.header_at.end - node.header_at.start > MAX_HEADER as u64);
        let parent = node.parent.map_or("-".to_owned(), |no| no.0.to_string());
        let media = String::from_utf8_lossy(&node.content.media).into_owned();
        self.lines.push(format!("open {} in {parent} depth {} {:?} {media} {:?}", node.no.0, node.depth, node.kind, node.header_at));
    }
    fn body(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.add(node, at, bytes);
    }
    fn preamble(&mut self, node: NodeNo, at: u64, bytes: &[u8]) {
        self.add(node, at, bytes);
    }
    fn glue(&mut self, at: u64, bytes: &[u8]) {
        self.follows(at, bytes);
    }
    fn delimited(&mut self, node: NodeNo) {
        self.flush();
        self.lines.push(format!("delimited {}", node.0));
    }
    fn overflow(&mut self, node: NodeNo) {
        self.flush();
        self.lines.push(format!("overflow {}", node.0));
    }
    fn close(&mut self, node: NodeNo) {
        self.flush();
        self.lines.push(format!("close {}", node.0));
    }
}

fn events(mail: &[u8], chunk: usize) -> Vec<String> {
    let mut events = Events::default();
    let mut walker = Walker::new();
    mail.chunks(chunk.max(1)).for_each(|bytes| walker.push(bytes, &mut events));
    assert_eq!(walker.finish(&mut events).len, mail.len() as u64);
    assert_eq!(events.until, mail.len() as u64);
    events.lines
}

/// Only the bodies: (node, bytes).
fn bodies(mail: &str) -> Vec<String> {
    let lines = events(mail.as_bytes(), usize::MAX);
    for chunk in [1, 2, 3, 7] {
        assert_eq!(events(mail.as_bytes(), chunk), lines, "in chunks of {chunk}");
    }
    lines.into_iter().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).map(|line| line.replace(" @", "@")).collect()
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=\"b\"\n\npre\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n\n--b--\nepi\n";

#[test]
fn parts_lie_between_delimiter_lines_and_the_line_end_before_one_is_no_body() {
    assert_eq!(
        events(MIXED.as_bytes(), usize::MAX),
        [
            "open 0 in - depth 0 Multipart multipart/mixed 0..44",
            "0 @45 \"pre\"",
            "delimited 0",
            "open 1 in 0 depth 1 Leaf text/plain 53..53",
            "1 @54 \"one\"",
            "close 1",
            "open 2 in 0 depth 1 Leaf text/html 62..86",
            "2 @87 \"two\\n\"",
            "close 2",
            "close 0",
        ]
    );
    assert_eq!(bodies(&MIXED.replace('\n', "\r\n")).len(), 3);
    assert_eq!(bodies(&MIXED.replace('\n', "\r")), ["0@45 \"pre\"", "1@54 \"one\"", "2@87 \"two\\r\""]);
}

#[test]
fn a_multipart_without_usable_boundary_is_plain_text_and_one_never_delimited_is_told_as_preamble() {
    assert_eq!(bodies("Content-Type: multipart/mixed\n\n--b\nx"), ["0@31 \"--b\\nx\""]);
    assert!(events(b"Content-Type: multipart/mixed\n\nx", 9)[0].contains("Leaf text/plain"));
    let never = events(b"Content-Type: multipart/mixed; boundary=z\n\nx\n--y\n", usize::MAX);
    assert!(!never.iter().any(|line| line.starts_with("delimited")));
}

#[test]
fn the_innermost_boundary_that_fits_wins_and_ends_what_lies_inside_it() {
    let mail = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=a--\n\n--a--\n\nx\n--a\n\ny\n--a--\n--a\nz";
    let found = bodies(mail);
    assert_eq!(found.iter().map(|line| line.split(' ').next_back().unwrap()).collect::<Vec<_>>(), ["\"x\"", "\"y\""]);
}

#[test]
fn delimiter_lines_may_have_trailing_spaces_and_nothing_else() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b \t\r\n\none\n--bb\n--b x\n -- b\n--b--x\n--b--  \n\nend";
    assert_eq!(bodies(mail), ["1@51 \"one\\n--bb\\n--b x\\n -- b\\n--b--x\""]);
}

#[test]
fn a_nested_mail_is_the_child_of_its_part_unless_it_is_encoded() {
    let nested = "Content-Type: message/rfc822\n\n>From a b\nSubject: x\n\nbody";
    let lines = events(nested.as_bytes(), usize::MAX);
    assert_eq!(lines[0], "open 0 in - depth 0 NestedMessage message/rfc822 0..29");
    assert_eq!(lines[1], "open 1 in 0 depth 1 Leaf text/plain 40..51");
    assert_eq!(bodies(nested), ["1@52 \"body\""]);
    assert_eq!(bodies("Content-Type: message/rfc822\nContent-Transfer-Encoding: Base64\n\nYWJj"), ["0@64 \"YWJj\""]);
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\nyes\n--b\nContent-Type: text/plain\n\nno\n";
    assert_eq!(events(digest.as_bytes(), 4).iter().filter(|line| line.contains("NestedMessage")).count(), 1);
}

#[test]
fn mails_without_header_body_or_anything_are_one_leaf() {
    assert_eq!(events(b"", 1), ["open 0 in - depth 0 Leaf text/plain 0..0", "close 0"]);
    assert_eq!(events(b"\n", 1).len(), 2);
    assert_eq!(bodies("Subject: x"), [""; 0]);
    assert_eq!(bodies("\nbody"), ["0@1 \"body\""]);
    assert_eq!(bodies("\u{feff}Subject: x\n\nbody"), ["0@15 \"body\""]);
    assert_eq!(bodies("From a b c\nSubject: x\n\nbody"), ["0@23 \"body\""]);
    assert_eq!(bodies("From a b c"), [""; 0]);
}

#[test]
fn a_header_that_ends_at_a_delimiter_or_the_end_of_the_mail_opens_its_node() {
    let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n--b\nX: y\n--b";
    let lines = events(mail.as_bytes(), usize::MAX);
    assert_eq!(lines, events(mail.as_bytes(), 1));
    assert_eq!(lines.iter().filter(|line| line.starts_with("open")).count(), 5, "{lines:#?}");
}

#[test]
fn depth_nodes_and_memory_are_bounded() {
    let deep = "Content-Type: message/rfc822\n\n".repeat(100_000);
    let lines = events(deep.as_bytes(), 1 << 16);
    assert_eq!(lines.iter().filter(|line| line.starts_with("open")).count(), MAX_DEPTH as usize + 1);

    let wide = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n\n".repeat(1_000_000));
    let lines = events(wide.as_bytes(), 1 << 16);
    assert_eq!(lines.iter().filter(|line| line.starts_with("open")).count(), MAX_NODES as usize);
    assert_eq!(lines.iter().filter(|line| line.starts_with("overflow")).count(), 1);

    let long = [b"Content-Type: multipart/mixed; boundary=b\n\n--".as_slice(), &vec![b'-'; 4 << 20], b"\n--b\n\nx"].concat();
    assert_eq!(events(&long, 1000), events(&long, usize::MAX));
    let header = [b"X: ".as_slice(), &vec![0; 4 << 20], b"\n\nbody"].concat();
    assert_eq!(events(&header, 1000), events(&header, usize::MAX));
}

/// Mails made of pieces that the walker reacts to.
pub(in crate::mail) fn mails() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(
        [
            "Content-Type: multipart/mixed; boundary=b\n\n",
            "Content-Type: multipart/digest; boundary=\"c d\"\n",
            "Content-Type: message/rfc822\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Transfer-Encoding: quoted-printable\n",
            "Content-Type: text/html\n",
            "Content-Disposition: attachment; filename=x\n",
            "Status: RO\n",
            "Subject: =?utf-8?Q?=C3=A4?= b\n",
            "Date: Mon, 1 Jan 2024 00:00:00 +0000\n",
            " folded\n",
            "From x\n",
            "--b\n",
            "--b--\n",
            "--c d \t\n",
            "--c d--",
            "--",
            "-",
            "\n",
            "\n",
            "\r\n",
            "\r",
            "text",
            "YWJjYWJj\n",
            "YWJjYWJj\n",
            "YWJjYWJj\r\n",
            "YWI=\n",
            "=3D=\n",
            "\0",
            "\u{fffd}",
            "<img src=\"cid:a\">",
        ]
        .map(|piece| piece.as_bytes().to_vec())
        .to_vec(),
    );
    prop::collection::vec(prop_oneof![20 => piece, 1 => prop::collection::vec(any::<u8>(), 0..20)], 0..60)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_told_does_not_depend_on_chunks(mail in mails(), chunk in 1_usize..40) {
        prop_assert_eq!(events(&mail, chunk), events(&mail, usize::MAX));
    }
}
