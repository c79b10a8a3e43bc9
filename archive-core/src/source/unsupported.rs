//! Files of mail that cannot be read, recognised by their names and first bytes, so that they are not mistaken for
//! files without mail.

use super::header;
use super::names;
use super::reading::Place;

/// Packed and encrypted files: first bytes, extension, what it is. In a folder only those named as mailboxes are
/// reported.
const PACKED: [(&[u8], &[u8], &str); 9] = [
    (b"BZh", b".bz2", "compressed by bzip2"),
    (b"\xFD7zXZ\0", b".xz", "compressed by xz"),
    (b"7z\xBC\xAF\x27\x1C", b".7z", "packed by 7-Zip"),
    (b"Rar!\x1A\x07", b".rar", "packed by RAR"),
    (b"\x04\x22\x4D\x18", b".lz4", "compressed by LZ4"),
    (b"LZIP", b".lz", "compressed by lzip"),
    (b"\x1F\x9D", b".Z", "compressed by compress"),
    (b"-----BEGIN PGP MESSAGE-----", b".asc", "encrypted by PGP"),
    (b"age-encryption.org/", b".age", "encrypted by age"),
];

/// Other mailboxes: first bytes, what it is.
const MAILBOXES: [(&[u8], &str); 9] = [
    (b"BABYL OPTIONS:", "Babyl (Rmail)"),
    (b"*mbx*\r\n", "MBX of the UW IMAP server"),
    (b"*mtx*\r\n", "MTX of the UW IMAP server"),
    (b"\xCF\xAD\x12\xFE", "Outlook Express DBX"),
    (b"JMF6", "Outlook Express 4"),
    (b"JMF9", "Outlook Express 4"),
    (b"\x1A\0\0\x04\0\0", "Lotus Notes NSF"),
    (b"\x21\x09\x70\x19\x30", "The Bat!"),
    (b"AOLVM100", "AOL"),
];

/// The kind of an unsupported mail file, if its name tells it, or if packing hides it.
pub(super) fn by_name(data: &[u8], name: &[u8]) -> Option<&'static str> {
    if data.is_empty() {
        return None;
    }
    let is_zip = data.starts_with(b"PK\x03\x04");
    if names::has_ending(name, b".olm") || (is_zip && memchr::memmem::find(data, b"com.microsoft.__").is_some()) {
        return Some("Outlook for Mac OLM");
    }
    names::has_ending(name, b".pmm").then_some("Pegasus Mail folder")
}

/// The kind of an unsupported mail file by its content.
pub(super) fn by_content(data: &[u8], place: &Place) -> Option<&'static str> {
    let named = |ending: &[u8]| names::has_ending(&place.name, ending);
    if let Some((_, what)) = MAILBOXES.iter().find(|(signature, _)| data.starts_with(signature)) {
        return Some(what);
    }
    if is_dbox(data) {
        return Some("Dovecot dbox");
    }
    if data.starts_with(b"!BDN") {
        return Some(if data.get(8..10) == Some(b"SO") { "Outlook OST" } else { "Outlook PST" });
    }
    if data.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        let wide: Vec<u8> = "__nameid_version1.0".bytes().flat_map(|byte| [byte, 0]).collect();
        return (named(b".msg") || memchr::memmem::find(data, &wide).is_some()).then_some("Outlook MSG");
    }
    let packed = PACKED.iter().find(|(signature, ..)| data.starts_with(signature));
    let (_, ending, what) = packed?;
    let is_source = place.source.is_empty();
    let is_mailbox = [&b".mbox"[..], b".mbx", b".eml", b".tar"].iter().any(|kind| named(&[kind, *ending].concat()));
    (is_source || is_mailbox).then_some(*what)
}

/// Whether the file begins with a line of version, header size and creation time, followed by the header of a mail.
fn is_dbox(data: &[u8]) -> bool {
    let (line, len) = header::first_line(data);
    let is_head = line.starts_with(b"2 ") && line.split(|&byte| byte == b' ').skip(1).all(|word| matches!(word.first(), Some(b'M' | b'C')));
    is_head && data.get(len..).is_some_and(|rest| rest.starts_with(b"\x01\x02"))
}
