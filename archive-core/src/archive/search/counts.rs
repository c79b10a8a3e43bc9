//! Counts of hits by year, month, sender, folder and type of attachment: exact, over all hits (S4.6).

use std::collections::BTreeMap;

use archive_index::{Columns, DocNo, SortKey};

use super::found::{Found, Searcher, path_text};
use crate::catalog::{Catalog, NOT_DATED};
use crate::error::Error;
use crate::id::{ContentNo, FolderNo};
use crate::store::failed;

/// By what hits are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CountBy {
    /// The year of the date in the zone of the criteria: `2024`; `no date` for a message without one.
    Year,
    /// The month: `2024-03`; `no date` likewise.
    Month,
    /// The address of the first sender in lower case, else their name, else nothing.
    From,
    /// The path of the folder.
    Folder,
    /// The media types of attachments, each once a message; `none` for a message without any.
    Type,
}

impl CountBy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Year, Self::Month, Self::From, Self::Folder, Self::Type];

    /// Its name: `year`, `month`, `from`, `folder`, `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::From => "from",
            Self::Folder => "folder",
            Self::Type => "type",
        }
    }

    /// That of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }
}

const NO_DATE: &str = "no date";

/// The number of hits for each value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// By what.
    pub by: CountBy,
    /// Most frequent first; equally frequent ones in the order of their text.
    pub rows: Vec<(String, u64)>,
}

impl Counts {
    pub(super) fn new(by: CountBy) -> Self {
        Self { by, rows: Vec::new() }
    }
}

/// Adds the counts of one store to `counts`; [`settle`] makes one row a value.
pub(super) fn count(searcher: &Searcher<'_>, found: &Found, counts: &mut [Counts]) -> Result<(), Error> {
    for counts in counts {
        let sums = match counts.by {
            CountBy::Year => by_period(searcher, found, |(year, _)| format!("{year:04}"))?,
            CountBy::Month => by_period(searcher, found, |(year, month)| format!("{year:04}-{month:02}"))?,
            CountBy::From => by_sender(searcher, found)?,
            CountBy::Folder => by_folder(searcher, found)?,
            CountBy::Type => by_type(searcher.catalog(), found)?,
        };
        counts.rows.extend(sums);
    }
    Ok(())
}

/// Adds up the counts of all stores, and sorts them.
pub(super) fn settle(counts: &mut [Counts]) {
    for counts in counts {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (value, messages) in counts.rows.drain(..) {
            *sums.entry(value).or_default() += messages;
        }
        counts.rows.extend(sums);
        counts.rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
}

fn by_period(searcher: &Searcher<'_>, found: &Found, text: impl Fn((i16, i8)) -> String) -> Result<BTreeMap<String, u64>, Error> {
    let mut months: BTreeMap<Option<(i16, i8)>, u64> = BTreeMap::new();
    for (messages, docs) in found.by_messages() {
        let visit = &mut |_: DocNo, columns: &Columns| {
            let month = (columns.date != NOT_DATED).then(|| searcher.calendar.month(columns.date));
            *months.entry(month).or_default() += messages;
        };
        searcher.snapshot.each_columns(&docs, visit).map_err(failed)?;
    }
    let mut sums = BTreeMap::new();
    for (month, messages) in months {
        *sums.entry(month.map_or_else(|| NO_DATE.to_owned(), &text)).or_default() += messages;
    }
    Ok(sums)
}

fn by_sender(searcher: &Searcher<'_>, found: &Found) -> Result<BTreeMap<String, u64>, Error> {
    let mut sums = BTreeMap::new();
    for (messages, docs) in found.by_messages() {
        for (address, contents) in searcher.snapshot.counts(SortKey::Address, &docs).map_err(failed)? {
            *sums.entry(address).or_default() += contents * messages;
        }
    }
    Ok(sums)
}

fn by_folder(searcher: &Searcher<'_>, found: &Found) -> Result<BTreeMap<String, u64>, Error> {
    let folders = searcher.folders_of(&found.singles)?;
    let mut of_folder: BTreeMap<FolderNo, u64> = BTreeMap::new();
    let singles = found.singles.iter().map(|content| folders.of(ContentNo(content)));
    for folder in singles.chain(found.placed.iter().map(|placed| placed.folder)) {
        *of_folder.entry(folder).or_default() += 1;
    }
    let mut sums = BTreeMap::new();
    for (folder, messages) in of_folder {
        *sums.entry(path_text(searcher.catalog(), folder)).or_default() += messages;
    }
    Ok(sums)
}

fn by_type(catalog: &Catalog, found: &Found) -> Result<BTreeMap<String, u64>, Error> {
    let mut sums = BTreeMap::new();
    for (messages, docs) in found.by_messages() {
        for content in docs.iter().map(ContentNo) {
            let row = catalog.content_row(content)?.ok_or(Error::Bug("a content that was found is not in the catalog"))?;
            for media in row.attachment_types.unwrap_or_else(|| vec!["none".to_owned()]) {
                *sums.entry(media).or_default() += messages;
            }
        }
    }
    Ok(sums)
}
