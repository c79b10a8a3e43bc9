//! Reads one file of any kind, which its name and first bytes decide.

use std::io::Read;
use std::ops::ControlFlow;

use super::header;
use super::item::{Format, TroubleKind};
use super::mbox::Splitter;
use super::names;
use super::packed;
use super::reading::{Place, Reading};
use super::separator::{self, Style};
use super::single::{self, Beside};
use super::unsupported;
use super::window::Window;

const LOOK: usize = 64 << 10;

/// What the folder tells about a file in it.
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

/// Reads a file; `far` is a second handle on it, and `depth` says how many times it was packed.
pub(super) fn read(
    reader: &mut dyn Read,
    far: Option<std::fs::File>,
    role: Role,
    place: &Place,
    depth: usize,
    reading: &mut Reading<'_>,
) -> ControlFlow<()> {
    if names::is_partial_export(&place.name) {
        reading.trouble(place, 0, TroubleKind::Skipped);
        return ControlFlow::Continue(());
    }
    let mut window = Window::new(reader, far);
    window.ensure(LOOK);
    let by_name = if reading.options.format.is_some() { None } else { unsupported::by_name(window.data(), &place.name) };
    if let Some(what) = by_name {
        reading.trouble(place, 0, TroubleKind::Unsupported(what));
        return ControlFlow::Continue(());
    }
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
        Some(Format::Mh) if names::is_mh_mail(&place.name) => return single::read_mail(Beside::mh(&place.name), place, window, reading),
        Some(Format::Emlx) => return single::read_emlx(place, window, reading),
        Some(Format::Listserv) => return split(Style::Listserv, place, window, reading),
        Some(Format::Mmdf) => return split(Style::Mmdf, place, window, reading),
        Some(Format::Mbox | Format::Mboxo | Format::Mboxrd | Format::Mboxcl | Format::Mboxcl2) => {
            return split(Style::Mbox, place, window, reading);
        }
        Some(Format::Mh) | None => {}
    }
    match role {
        Role::Maildir => return single::read_mail(Beside::maildir(&place.name), place, window, reading),
        Role::Mh => return single::read_mail(Beside::mh(&place.name), place, window, reading),
        Role::Any | Role::Numbered => {}
    }
    if named(b".emlx") {
        return single::read_emlx(place, window, reading);
    }
    if named(b".eml") {
        return single::read_mail(Beside::default(), place, window, reading);
    }
    if let Some(what) = unsupported::by_content(window.data(), place) {
        reading.trouble(place, 0, TroubleKind::Unsupported(what));
        return ControlFlow::Continue(());
    }
    if let Some(style) = separator::style_of(window.data()) {
        return split(style, place, window, reading);
    }
    if named(b".mbox") || named(b".mbx") {
        return split(Style::Mbox, place, window, reading);
    }
    let numbered = match role {
        Role::Numbered => !window.data().contains(&0),
        _ => names::is_mh_mail(&place.name) && header::field_name(header::line(window.data()).0).is_some(),
    };
    if numbered || header::looks_like_mail(window.data()) {
        return single::read_mail(Beside::mh(&place.name), place, window, reading);
    }
    match window.take_error() {
        Some(error) => reading.trouble(place, 0, TroubleKind::Unreadable(error.to_string())),
        None if names::is_packed(&place.name) => {
            reading.trouble(place, 0, TroubleKind::Cut("it does not begin as a packed file of its name does".to_owned()));
        }
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
    if window.error().is_none() && names::is_packed(&place.name) {
        reading.trouble(place, 0, TroubleKind::Cut("no packed file is empty".to_owned()));
    } else if window.error().is_none() {
        // Empty mailboxes of Thunderbird have no extension; other empty files are treated in the same way, which loses
        // nothing.
        let name = &place.name;
        if names::has_ending(name, b".mbox") || names::has_ending(name, b".mbx") || !name.contains(&b'.') {
            reading.folder(place.as_mailbox().folder.names());
        }
        reading.trouble(place, 0, TroubleKind::EmptyFile);
    }
    reading.end_of_file(place, window);
    ControlFlow::Continue(())
}
