//! The text of any mail is extracted, and does not depend on the pieces in which the mail comes.
#![no_main]

use archive_core::mail::text::{TextReader, extract};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, mail)) = bytes.split_first() else { return };
    let whole = extract(mail, &[]);
    let mut reader = TextReader::new(&[]);
    mail.chunks(usize::from(*first) + 1).for_each(|piece| reader.push(piece));
    assert_eq!(reader.finish(), whole);
});
