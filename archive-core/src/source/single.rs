//! Files of one mail: `.eml` and files of Maildir and MH, verbatim; `.emlx` of Apple Mail.

use std::io::Read;
use std::ops::ControlFlow;

use super::header;
use super::item::{Body, DateHint, DateKind, Item, Quoting, TroubleKind, WHOLE_LIMIT};
use super::names;
use super::reading::{Place, Reading};
use super::window::Window;

/// Bytes of the property list after an Apple mail that are read.
const PLIST_LOOK: usize = 64 << 10;

/// What is known of the mail besides its bytes.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) flags: Option<String>,
    pub(super) date_hint: Option<DateHint>,
    /// Whether its program had marked the mail as deleted.
    pub(super) is_deleted: bool,
}

impl Beside {
    /// What the name of a Maildir file tells.
    pub(super) fn maildir(name: &[u8]) -> Self {
        let flags = names::maildir_flags(name);
        let is_deleted = flags.as_ref().is_some_and(|flags| flags.contains('T'));
        Self { flags, date_hint: names::maildir_date(name), is_deleted }
    }

    /// What the name of an MH file tells.
    pub(super) fn mh(name: &[u8]) -> Self {
        let is_deleted = names::is_deleted_number(name);
        Self { flags: is_deleted.then(|| "T".to_owned()), date_hint: None, is_deleted }
    }
}

/// Returns the whole file as one mail.
pub(super) fn read_mail(beside: Beside, place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) -> ControlFlow<()> {
    let result = hand_out(u64::MAX, beside, place, window, reading);
    reading.end_of_file(place, window);
    result
}

fn hand_out(len: u64, beside: Beside, place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) -> ControlFlow<()> {
    if beside.is_deleted && !reading.options.with_deleted {
        reading.deleted();
        return ControlFlow::Continue(());
    }
    window.ensure(usize::try_from(len).unwrap_or(usize::MAX).min(WHOLE_LIMIT + 1));
    let offset = window.offset();
    let here = usize::try_from(len).unwrap_or(usize::MAX).min(window.data().len());
    let whole = here <= WHOLE_LIMIT;
    let here = here.min(WHOLE_LIMIT);
    let head = window.data().get(..here).unwrap_or_default().to_vec();
    window.consume(here);
    if head.is_empty() {
        return ControlFlow::Continue(());
    }
    let mut rest = Read::take(&mut *window, len - here as u64);
    let body = if whole { Body::Whole(head) } else { Body::Stream { head, rest: &mut rest } };
    let Beside { flags, date_hint, .. } = beside;
    let (source, folder) = (place.source.as_str(), place.folder.names());
    reading.item(Item { source, offset, folder, from_line: None, quoting: Quoting::None, flags, date_hint, body })
}

/// Reads a mail of Apple Mail: its length in decimal, the mail, a property list.
pub(super) fn read_emlx(place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) -> ControlFlow<()> {
    window.ensure(64);
    let (line, line_len) = header::first_line(window.data());
    let number = std::str::from_utf8(line.trim_ascii()).ok().and_then(|text| text.parse::<u64>().ok());
    let Some(len) = number else {
        return read_mail(Beside::default(), place, window, reading);
    };
    window.consume(line_len);
    let mut beside = Beside::default();
    if let Some(len) = usize::try_from(len).ok().filter(|len| *len <= WHOLE_LIMIT) {
        window.ensure(len + PLIST_LOOK);
        match window.data().get(len..) {
            Some(plist) => {
                let flags = plist_integer(plist, "flags");
                beside.is_deleted = flags.is_some_and(|flags| flags & 2 != 0);
                beside.flags = flags.map(apple_flags);
                let received = plist_integer(plist, "date-received").filter(|seconds| *seconds > 0);
                beside.date_hint = received.map(|seconds| DateHint { seconds, kind: DateKind::Received });
            }
            None => {
                let at = window.offset() + window.data().len() as u64;
                reading.trouble(place, at, TroubleKind::Cut("the file ends before the mail does".into()));
            }
        }
    }
    let is_deleted = beside.is_deleted;
    if names::has_ending(&place.name, b".partial.emlx") && (!is_deleted || reading.options.with_deleted) {
        reading.trouble(place, 0, TroubleKind::Partial);
    }
    let result = hand_out(len, beside, place, window, reading);
    if result.is_continue() && !is_deleted {
        behind_mail(place, window, reading);
    }
    reading.end_of_file(place, window);
    result
}

/// What follows an Apple mail must be a property list; otherwise it is reported.
fn behind_mail(place: &Place, window: &mut Window<'_>, reading: &mut Reading<'_>) {
    window.ensure(PLIST_LOOK);
    let at = window.offset();
    let blank = window.data().len() - window.data().trim_ascii_start().len();
    let rest = window.data().get(blank..).unwrap_or_default();
    if rest.is_empty() || [&b"<?xml"[..], b"<!DOCTYPE", b"<plist", b"bplist"].iter().any(|begin| rest.starts_with(begin)) {
        return;
    }
    let mut bytes = 0;
    while !window.data().is_empty() {
        let plist = memchr::memmem::find(window.data(), b"<?xml");
        let len = plist.unwrap_or(window.data().len());
        reading.lost(window.data().get(..len).unwrap_or_default());
        window.consume(len);
        bytes += len as u64;
        if plist.is_some() {
            break;
        }
        window.ensure(1);
    }
    reading.trouble(place, at, TroubleKind::BehindMail(bytes));
}

/// The integer of a key in an XML property list.
fn plist_integer(plist: &[u8], key: &str) -> Option<i64> {
    let key = format!("<key>{key}</key>");
    let at = memchr::memmem::find(plist, key.as_bytes())? + key.len();
    let value = plist.get(at..)?.trim_ascii_start();
    let value = value.strip_prefix(b"<integer>").or_else(|| value.strip_prefix(b"<real>"))?;
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
}

/// The flags of Apple Mail in the letters of Maildir.
fn apple_flags(bits: i64) -> String {
    let letters = [('D', 6), ('F', 4), ('P', 8), ('R', 2), ('S', 0), ('T', 1)];
    letters.iter().filter(|(_, bit)| bits >> bit & 1 != 0).map(|(letter, _)| *letter).collect()
}
