//! How a leaf is treated: by its type, by the extension of its name if the type is generic, and by its first bytes if
//! S/MIME wraps it (docs/TEXT.md, T8.1).

use super::file_names::Named;
use super::media::Content;
use super::text::{Place, Why};

/// How a leaf is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Plain,
    Html,
    /// A nested mail.
    Mail,
    /// Signed or encrypted: its first bytes decide.
    Smime,
    /// Not read, and not counted as not searchable.
    Silent,
    Encrypted,
    Off,
}

impl Treatment {
    pub(super) fn of(content: &Content, place: Place) -> Self {
        let media = content.media.as_slice();
        match media {
            b"text/html" => Self::Html,
            b"text/rtf" | b"text/richtext" | b"text/enriched" => Self::Off,
            b"message/rfc822" | b"message/global" | b"message/news" => Self::Mail,
            b"message/delivery-status"
            | b"message/global-delivery-status"
            | b"message/disposition-notification"
            | b"message/global-disposition-notification"
            | b"message/feedback-report"
            | b"message/global-headers" => Self::Plain,
            b"application/pgp-signature"
            | b"application/pkcs7-signature"
            | b"application/x-pkcs7-signature"
            | b"application/pgp-encrypted" => Self::Silent,
            b"application/pkcs7-mime" | b"application/x-pkcs7-mime" => Self::Smime,
            b"application/octet-stream" if place.in_encrypted => Self::Encrypted,
            _ if GENERIC.contains(&media) => by_ending(content).unwrap_or(Self::Off),
            _ => match media.split(|&byte| byte == b'/').next() {
                Some(b"text") => Self::Plain,
                Some(b"image" | b"audio" | b"video") => Self::Silent,
                _ => Self::Off,
            },
        }
    }
}

/// Generic types.
const GENERIC: [&[u8]; 13] = [
    b"application/octet-stream",
    b"application/octetstream",
    b"application/x-octet-stream",
    b"application/binary",
    b"application/data",
    b"application/download",
    b"application/x-download",
    b"application/force-download",
    b"application/x-force-download",
    b"application/unknown",
    b"application/x-unknown",
    b"application/x-unknown-content-type",
    b"unknown/unknown",
];

/// Whether searches look into files of this type.
#[must_use]
pub fn is_read(media: &str) -> bool {
    let content = Content { media: media.as_bytes().to_vec(), ..Content::default() };
    Treatment::of(&content, Place::default()) != Treatment::Off
}

/// The type as which an attachment counts: if its own is generic, that of its name's extension (T8.7).
pub(super) fn counted_as(content: &Content) -> &[u8] {
    if !GENERIC.contains(&content.media.as_slice()) {
        return &content.media;
    }
    match by_ending(content) {
        Some(Treatment::Plain) => b"text/plain",
        Some(Treatment::Html) => b"text/html",
        Some(Treatment::Mail) => b"message/rfc822",
        Some(Treatment::Smime) => b"application/pkcs7-mime",
        Some(Treatment::Silent) => b"application/pkcs7-signature",
        Some(Treatment::Encrypted | Treatment::Off) | None => &content.media,
    }
}

/// The treatment by the first file name with a known extension.
fn by_ending(content: &Content) -> Option<Treatment> {
    // An extension is ASCII, whatever the charset of the name.
    let mut lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    [(&content.disposition_parameters, "filename"), (&content.parameters, "name")]
        .into_iter()
        .find_map(|(of, name)| Named::new(of, name, &mut lossy).names(name).find_map(|name| of_ending(&name)))
}

fn of_ending(name: &str) -> Option<Treatment> {
    let (_, ending) = name.trim_end_matches([' ', '\t', '\r', '\n']).rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "txt" | "text" | "log" | "csv" | "tsv" | "md" | "markdown" | "ics" | "vcf" | "vcard" | "xml" | "json" | "yaml" | "yml" | "ini"
        | "conf" | "cfg" | "tex" | "srt" | "diff" | "patch" | "sql" => Some(Treatment::Plain),
        "html" | "htm" | "xhtml" => Some(Treatment::Html),
        "eml" => Some(Treatment::Mail),
        "p7m" => Some(Treatment::Smime),
        "p7s" | "p7c" => Some(Treatment::Silent),
        _ => None,
    }
}

/// The decoded bytes that are needed to tell what S/MIME wraps.
pub(super) const SMIME_HEAD: usize = 32;

/// Why the content of an S/MIME leaf is not read; `None` if there is no content. `head` is the beginning of the decoded
/// body.
pub(super) fn smime(content: &Content, head: &[u8]) -> Option<Why> {
    let said = content.parameters.get("smime-type").unwrap_or_default();
    let said = said.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default().to_ascii_lowercase();
    let compressed = || Why::TypeOff(String::from_utf8_lossy(&content.media).into_owned());
    if said == b"certs-only" {
        return None;
    }
    Some(match (cms_type(head), said.as_slice()) {
        (Some(Cms::Signed), _) | (None, b"signed-data") => Why::Signed,
        (Some(Cms::Compressed), _) | (None, b"compressed-data") => compressed(),
        (Some(Cms::Enveloped) | None, _) => Why::Encrypted,
    })
}

/// Content types of RFC 5652, 5083, 3274.
#[derive(Clone, Copy)]
enum Cms {
    Signed,
    Enveloped,
    Compressed,
}

fn cms_type(head: &[u8]) -> Option<Cms> {
    const PKCS7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    const SMIME_CT: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";
    let (&length, behind) = head.strip_prefix(b"\x30")?.split_first()?;
    let more = if length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    let oid = behind.get(more..)?;
    match (oid.strip_prefix(PKCS7), oid.strip_prefix(SMIME_CT)) {
        (Some([2, ..]), _) => Some(Cms::Signed),
        (Some([3 | 4, ..]), _) | (_, Some([23, ..])) => Some(Cms::Enveloped),
        (_, Some([9, ..])) => Some(Cms::Compressed),
        _ => None,
    }
}
