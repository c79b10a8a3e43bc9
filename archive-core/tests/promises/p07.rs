//! Checked before promised: what is split into parts joins again to the very bytes, however its base64 is written.

use archive_core::{Actor, Digest, ImportOptions, Outcome};

use crate::fixture::{Dice, Files, base64, put_each, put_stream};

fn with_part(encoded: &str) -> Vec<u8> {
    let head = "Subject: part\nMIME-Version: 1.0\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n";
    format!("{head}{encoded}").into_bytes()
}

#[test]
fn parts_in_every_spelling_of_base64_join_again() {
    let bytes = Dice(1).bytes(20_000);
    let good = base64(&bytes, 76, "\n");
    let mut mails = vec![
        with_part(&good),
        with_part(&base64(&bytes, 76, "\r\n")),
        with_part(&base64(&bytes, 60, "\n")),
        with_part(&base64(&bytes, 75, "\n")),
        with_part(&base64(&bytes, 1_000_000, "\n")),
        with_part(good.trim_end()),
        with_part(&format!("{good}\n\ntrailing words\n")),
        with_part(&good.replacen('\n', "\r\n", 3)),
        with_part(&good.replacen('\n', " \n", 1)),
        with_part(&good.replacen('\n', "=\n", 5)),
        with_part(&format!("\n\n{good}")),
        with_part(&good.replace('\n', "\n\n")),
    ];
    // Bits after the last byte that no encoder sets.
    let mut odd = base64(&bytes[..19_999], 76, "\n");
    odd = odd.replacen("A==", "B==", 1).replacen("Q==", "R==", 1).replacen("g==", "h==", 1).replacen("w==", "x==", 1);
    mails.push(with_part(&odd));
    let (files, archive) = Files::create();
    let receipts = put_each(&archive, &mails);
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    for (no, (mail, receipt)) in mails.iter().zip(&receipts).enumerate() {
        assert!(session.raw(receipt.id()).expect("readable") == *mail, "spelling {no}");
    }
    let raw: usize = mails.iter().map(Vec::len).sum();
    assert!(files.total() < raw as u64 * 6 / 10, "the part is kept once for most spellings: {} of {raw}", files.total());
}

#[test]
fn a_mail_that_is_streamed_joins_again() {
    let bytes = Dice(2).bytes(20 << 20);
    let mail = with_part(&base64(&bytes, 76, "\n"));
    let (files, archive) = Files::create();
    let (report, told) = put_stream(&archive, &mail, "large.eml", &ImportOptions::default());
    assert_eq!((report.stored, report.failed), (1, 0));
    assert_eq!(told.receipts[0].outcome(), Outcome::Stored);
    assert_eq!(told.receipts[0].digest(), Digest::of(&mail));
    assert!(archive.session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail);
    archive.close().expect("closed");
    assert!(files.open().session(Actor::System).raw(told.receipts[0].id()).expect("readable") == mail);
    assert!(files.total() < mail.len() as u64 * 8 / 10, "decoded base64 is smaller: {}", files.total());
}
