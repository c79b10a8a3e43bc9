//! The one promise of splitting: joined again, every mail has exactly its bytes.

use proptest::prelude::*;

use super::super::join::join;
use super::super::walk;
use super::*;

fn in_chunks(mail: &[u8], chunk: usize) -> Split {
    let mut splitting = StreamSplit::new(Split::default());
    mail.chunks(chunk.max(1)).for_each(|bytes| splitting.push(bytes));
    let Ok((split, extents, _)) = splitting.finish();
    Split { extents, ..split }
}

#[track_caller]
fn joins(mail: &[u8]) -> Split {
    let whole = split(mail);
    assert!(join(&whole).unwrap() == mail, "joined to other bytes");
    whole
}

fn base64_mail(len: usize, width: usize, eol: &str, tail: &str) -> Vec<u8> {
    let bytes: Vec<u8> = (0..len).map(|at| (at * at / 7) as u8).collect();
    let text = base64::STANDARD.encode(&bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("Content-Transfer-Encoding: base64{eol}{eol}{}{tail}", lines.join(eol)).into_bytes()
}

#[test]
fn base64_is_kept_decoded_in_one_piece_whatever_its_lines() {
    for (len, width, eol) in
        [(5_000, 76, "\n"), (3_000_000, 76, "\r\n"), (3_000_000, 1 << 30, "\n"), (2_999_999, 60, "\n"), (5_700, 76, "\n")]
    {
        for tail in ["", eol] {
            let split = joins(&base64_mail(len, width, eol, tail));
            let parts: Vec<usize> = split.parts.iter().map(Vec::len).collect();
            assert_eq!(parts, [len], "{len} {width} {eol:?} {tail:?} {:?}", split.extents);
            assert_eq!(split.extents.len(), 2);
        }
    }
}

#[test]
fn short_base64_is_no_part_and_blank_lines_behind_it_are_literal() {
    let split = joins(&base64_mail(1024, 76, "\n", "\n\n\n"));
    assert!(split.parts.is_empty());
    let wrap = Wrap { line_len: 76, eol: Eol::Lf, ends_with_eol: true };
    assert_eq!(split.extents[1..], [Extent::Decoded { len: 1024, wrap }, Extent::Literal { len: 2 }]);
}

#[test]
fn what_is_not_encoded_as_it_would_be_again_stays_literal_a_chunk_at_a_time() {
    let mut mail = base64_mail(5_000_000, 76, "\n", "\n");
    let spot = mail.len() / 2;
    mail[spot] = b'*';
    let split = joins(&mail);
    assert_eq!(split.parts.len(), 2);
    assert!(split.parts.iter().map(Vec::len).sum::<usize>() > 4_000_000);
    let lines = "=A==\nYQ==\nYR==\n A==\nAA\n\n====\nAAAA\nAAA=\nAAAA";
    joins(format!("Content-Transfer-Encoding: base64\n\n{lines}").as_bytes());
}

#[test]
fn a_long_leaf_is_a_part_without_wrap() {
    let header = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n";
    let mail = format!("{header}{}\n--b\n\n{}\n--b--\n", "x".repeat(PLAIN_PART + 1), "y".repeat(PLAIN_PART));
    let split = joins(mail.as_bytes());
    assert_eq!(split.parts, [vec![b'x'; PLAIN_PART + 1]]);
}

#[test]
fn extents_are_bounded_and_time_is_linear_on_bodies_of_tiny_runs() {
    let head = "Content-Transfer-Encoding: base64\n\n".to_owned();
    for lines in ["AAAA\n\n", "\n", "AAAA\n!\n", "AAAA\nAAAAAAAA\n"] {
        let mail = head.clone() + &lines.repeat(400_000);
        assert!(joins(mail.as_bytes()).extents.len() <= MAX_EXTENTS + 1);
    }
}

/// Any mail: one of pieces, with base64 bodies of all forms, or noise.
fn any_mail() -> impl Strategy<Value = Vec<u8>> {
    let encoded = (0_usize..9_000, 1_usize..30, prop::sample::select(vec!["\n", "\r\n"]), prop::sample::select(vec!["", "\n", "\r\n\r\n"]));
    let encoded = encoded.prop_map(|(len, quads, eol, tail)| base64_mail(len, quads * 4, eol, tail));
    let hurt = (encoded, any::<prop::sample::Index>(), any::<Option<u8>>()).prop_map(|(mut mail, at, byte)| {
        if let (Some(byte), false) = (byte, mail.is_empty()) {
            let at = at.index(mail.len());
            mail[at] = byte;
        }
        mail
    });
    prop_oneof![walk::tests::mails(), hurt, prop::collection::vec(any::<u8>(), 0..300)]
}

proptest! {
    #[test]
    fn join_gives_back_what_was_split_and_chunks_change_nothing(mail in any_mail(), chunk in 1_usize..5_000) {
        let whole = split(&mail);
        prop_assert_eq!(&join(&whole).unwrap(), &mail);
        prop_assert_eq!(in_chunks(&mail, chunk), whole);
    }
}
