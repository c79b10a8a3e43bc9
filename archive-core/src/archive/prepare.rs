//! A mail is examined, split, and proved to join again to the very bytes (P7), before anything is promised.

use crate::error::Error;
use crate::id::Digest;
use crate::mail::join::join;
use crate::mail::{self, Examined, MailText};
use crate::source::{DateKind, Item, Quoting};
use crate::store::{DateSource, NewPlace, Prepared, PreparedHeader};

/// Everything about `raw` that needs no knowledge of a store. With `index`, its text too.
pub(super) fn prepare(raw: &[u8], place: NewPlace, index: bool) -> Result<Prepared, Error> {
    let Examined { digest, identity, restated, facts, split } = mail::examine(raw);
    if join(&split).ok().as_deref() != Some(raw) {
        return Err(Error::Bug("a mail that was split does not join to its bytes"));
    }
    let text = index.then(|| mail::text::extract(raw, &[]));
    let guesses = text.as_ref().map(|text: &MailText| text.guesses.clone()).unwrap_or_default();
    let header = PreparedHeader { digest, identity, restated, size: raw.len() as u64, facts, guesses };
    let parts = split.parts.into_iter().map(|part| (Digest::of(&part), part)).collect();
    Ok(Prepared { header, extents: split.extents, stored: split.stored, parts, text, place })
}

/// Where an item of a source goes, below `target`.
pub(super) fn place_of(item: &Item<'_>, target: &[String]) -> NewPlace {
    NewPlace {
        folder: target.iter().chain(item.folder).cloned().collect(),
        path: item.source.to_owned(),
        offset: item.offset,
        from_line: item.from_line.clone(),
        unquoted: item.quoting == Quoting::Unquoted,
        flags: item.flags.clone(),
        date_hint: item.date_hint.map(|hint| {
            let source = match hint.kind {
                DateKind::MboxLine => DateSource::MboxLine,
                DateKind::MaildirName => DateSource::MaildirName,
                DateKind::Received => DateSource::Received,
            };
            (hint.seconds, source)
        }),
    }
}
