//! The text of any mail is found, and is the same whatever the pieces that the mail comes in.
#![no_main]

use archive_core::mail::text::{TextReader, extract};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, mail)) = bytes.split_first() else { return };
    let whole = extract(mail, &[]);
    let mut reader = TextReader::new(&[]);
    mail.chunks(usize::from(*first) + 1).for_each(|piece| reader.push(piece));
    assert_eq!(reader.finish(), whole);
});
