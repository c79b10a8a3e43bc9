//! One file, whatever it is: decided by its name and its first bytes.

use std::io::Read;
use std::ops::ControlFlow;

use super::header;
use super::item::{Format, TroubleKind};
use super::mbox::{self, Splitter, Style};
use super::names;
use super::packed;
use super::reading::{Place, Reading};
use super::single::{self, Beside};
use super::window::Window;

const LOOK: usize = 64 << 10;

/// What the folder says of a file in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Any,
    /// A file in `cur` or `new` of a Maildir.
    Maildir,
    /// A numbered file in a folder of MH.
    Mh,
    /// A numbered file in a folder that looks like one of MH.
    Numbered,
}

/// Reads a file; `far` is a second handle on it, `depth` how many times over it was packed.
pub(super) fn read(
    reader: &mut dyn Read,
    far: Option<std::fs::File>,
    role: Role,
    place: &Place,
    depth: usize,
    reading: &mut Reading<'_>,
) -> ControlFlow<()> {
    let mut window = Window::new(reader, far);
    window.ensure(LOOK);
    if let Some(packing) = packed::packing(window.data(), place, depth) {
        return packed::read(packing, role, place, window, depth, reading);
    }
    let window = &mut window;
    if window.data().is_empty() {
        return empty(place, window, reading);
    }
    let named = |ending: &[u8]| names::has_ending(&place.name, ending);
    match reading.options.format {
        Some(Format::Eml) => return single::read_mail(Beside::default(), place, window, reading),
        Some(Format::Maildir) => return single::read_mail(Beside::maildir(&place.name), place, window, reading),
        Some(Format::Mh) if names::is_number(&place.name) => return single::read_mail(Beside::default(), place, window, reading),
        Some(Format::Emlx) => return single::read_emlx(place, window, reading),
        Some(Format::Listserv) => return split(Style::Listserv, place, window, reading),
        Some(Format::Mbox | Format::Mboxo | Format::Mboxrd | Format::Mboxcl | Format::Mboxcl2) => {
            return split(Style::Mbox, place, window, reading);
        }
        Some(Format::Mh) | None => {}
    }
    match role {
        Role::Maildir => return single::read_mail(Beside::maildir(&place.name), place, window, reading),
        Role::Mh => return single::read_mail(Beside::default(), place, window, reading),
        Role::Any | Role::Numbered => {}
    }
    if named(b".emlx") {
        return single::read_emlx(place, window, reading);
    }
    if named(b".eml") {
        return single::read_mail(Beside::default(), place, window, reading);
    }
    if let Some(what) = unsupported(window.data(), place) {
        reading.trouble(place, 0, TroubleKind::Unsupported(what));
        return ControlFlow::Continue(());
    }
    if mbox::begins_mbox(window.data()) {
        return split(Style::Mbox, place, window, reading);
    }
    if mbox::begins_listserv(window.data()) {
        return split(Style::Listserv, place, window, reading);
    }
    if named(b".mbox") || named(b".mbx") {
        return split(Style::Mbox, place, window, reading);
    }
    let numbered = match role {
        Role::Numbered => !window.data().contains(&0),
        _ => names::is_number(&place.name) && header::field_name(header::first_line(window.data()).0).is_some(),
    };
    if numbered || header::looks_like_mail(window.data()) {
        return single::read_mail(Beside::default(), place, window, reading);
    }
    match window.take_error() {
        Some(error) => reading.trouble(place, 0, TroubleKind::Unreadable(error.to_string())),
        None => reading.trouble(place, 0, TroubleKind::Skipped),
    }
    reading.progress();
    ControlFlow::Continue(())
}

fn split(style: Style, place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let format = reading.options.format;
    Splitter::new(window, style, format).run(&place.as_mailbox(), reading)
}

fn empty(place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) -> ControlFlow<()> {
    if window.error().is_none() {
        // Empty mailboxes of Thunderbird have no ending; other empty files are told in the same way, and are no loss.
        let name = &place.name;
        if names::has_ending(name, b".mbox") || names::has_ending(name, b".mbx") || !name.contains(&b'.') {
            reading.folder(place.as_mailbox().folder.names());
        }
        reading.trouble(place, 0, TroubleKind::EmptyFile);
    }
    reading.end_of_file(place, window);
    ControlFlow::Continue(())
}

/// Packed and encrypted files: first bytes, ending, what it is. In a folder only those named as mailboxes are told of.
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

/// What a file of mail is that cannot be read yet.
fn unsupported(data: &[u8], place: &Place) -> Option<&'static str> {
    let named = |ending: &[u8]| names::has_ending(&place.name, ending);
    if data.starts_with(b"!BDN") {
        return Some(if data.get(8..10) == Some(b"SO") { "Outlook OST" } else { "Outlook PST" });
    }
    if data.starts_with(b"\xCF\xAD\x12\xFE") {
        return Some("Outlook Express DBX");
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
