//! Examines and splits a mail, and proves that it joins again to exactly the same bytes (P7), before there is a
//! receipt.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use super::LabelRule;
use crate::error::Error;
use crate::folder::below;
use crate::id::Digest;
use crate::mail::join::join;
use crate::mail::split::Split;
use crate::mail::{self, Examination, Examiner, Extent, MailText, SplitSink};
use crate::records::DateSource;
use crate::source::{Body, DateKind, Item, Quoting};
use crate::store::{NewPlace, Prepared, PreparedHeader};

/// Everything about `raw` that needs no knowledge of a store. With `index`, its text too.
pub(in crate::archive) fn prepare(raw: Vec<u8>, place: NewPlace, index: bool) -> Result<Prepared, Error> {
    let mut examiner = Examiner::new(Kept { raw: &raw, same: Some(0), split: Split::default() });
    examiner.push(&raw);
    let Ok((Kept { same, mut split, .. }, examined)) = examiner.finish();
    split.extents = examined.extents;
    let text = index.then(|| mail::text::extract(&raw, &[]));
    let guesses = text.as_ref().map(|text: &MailText| text.guesses.clone()).unwrap_or_default();
    let Examination { digest, identity, restated, facts, .. } = examined;
    let header = PreparedHeader { digest, identity, restated, size: raw.len() as u64, facts, guesses };
    let is_literal = match split.extents.as_slice() {
        [] => raw.is_empty(),
        [Extent::Literal { len }] => *len == raw.len() as u64,
        _ => false,
    };
    if is_literal && same == Some(raw.len()) {
        // Its stored bytes were compared with the mail as they arrived.
        return Ok(Prepared { header, extents: split.extents, stored: raw.into(), parts: Vec::new(), text, place });
    }
    if let Some(same) = same {
        split.stored.extend_from_slice(raw.get(..same).unwrap_or_default());
    }
    if join(&split).ok().as_ref() != Some(&raw) {
        return Err(Error::Bug("a mail that was split does not join to its bytes"));
    }
    let parts = split.parts.into_iter().map(|part| (Digest::of(&part), part.into())).collect();
    Ok(Prepared { header, extents: split.extents, stored: split.stored.into(), parts, text, place })
}

/// Collects what a mail is split into. Most mails are one literal: stored bytes are copied only where they differ from
/// the beginning of the mail.
struct Kept<'r> {
    raw: &'r [u8],
    /// If set, the stored bytes so far are this many bytes from the beginning of the mail, and were not copied.
    same: Option<usize>,
    split: Split,
}

impl SplitSink for Kept<'_> {
    type Error = Infallible;

    fn stored(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        if let Some(same) = self.same {
            if self.raw.get(same..).is_some_and(|rest| rest.starts_with(bytes)) {
                self.same = Some(same + bytes.len());
                return Ok(());
            }
            self.same = None;
            self.split.stored.extend_from_slice(self.raw.get(..same).unwrap_or_default());
        }
        self.split.stored(bytes)
    }

    fn part_begin(&mut self) -> Result<(), Infallible> {
        self.split.part_begin()
    }

    fn part(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.split.part(bytes)
    }

    fn part_end(&mut self) -> Result<(), Infallible> {
        self.split.part_end()
    }
}

/// The folder of an item below the target.
pub(super) fn names<'i>(item: &'i Item<'_>, labels: LabelRule) -> Cow<'i, [String]> {
    match labels {
        LabelRule::Record => Cow::Borrowed(item.folder),
        LabelRule::Folders => {
            let (Body::Whole(begin) | Body::Stream { head: begin, .. }) = &item.body;
            Cow::Owned([item.folder, &mail::labels::folder(&mail::labels::of_mail(begin))].concat())
        }
    }
}

/// Where items of a source go, below a target. Most have the folder and the path of the one before.
pub(super) struct Places<'t> {
    target: &'t [String],
    labels: LabelRule,
    /// Of the item before.
    last: Option<LastPlace>,
}

struct LastPlace {
    /// Its folder below the target.
    below: Vec<String>,
    folder: Arc<[String]>,
    path: Arc<str>,
}

impl<'t> Places<'t> {
    pub(super) fn below(target: &'t [String], labels: LabelRule) -> Self {
        Self { target, labels, last: None }
    }

    pub(super) fn of(&mut self, item: &mut Item<'_>) -> NewPlace {
        let (folder, path) = self.shared(item);
        NewPlace {
            folder,
            path,
            offset: item.offset,
            from_line: item.from_line.take(),
            unquoted: item.quoting == Quoting::Unquoted,
            flags: item.flags.take(),
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

    fn shared(&mut self, item: &Item<'_>) -> (Arc<[String]>, Arc<str>) {
        let names = names(item, self.labels);
        match &mut self.last {
            Some(LastPlace { below, folder, path }) if *below == *names => {
                if **path != *item.source {
                    *path = item.source.into();
                }
                (Arc::clone(folder), Arc::clone(path))
            }
            last => {
                let folder: Arc<[String]> = below(self.target, &names).into();
                let path: Arc<str> = item.source.into();
                let below = names.into_owned();
                *last = Some(LastPlace { below, folder: Arc::clone(&folder), path: Arc::clone(&path) });
                (folder, path)
            }
        }
    }
}
