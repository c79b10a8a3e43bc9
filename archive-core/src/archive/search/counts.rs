//! Counts of hits by year, month, sender, folder and type of attachment: exact, over all hits (S4.6).

use std::collections::BTreeMap;

use super::calendar::Calendar;
use super::found::{Found, path_text};
use crate::error::Error;
use crate::store::Store;

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

/// Fills in `counts`.
pub(super) fn count(store: &Store, found: &Found, calendar: &Calendar, counts: &mut [Counts]) -> Result<(), Error> {
    if counts.is_empty() {
        return Ok(());
    }
    let mut sums: Vec<BTreeMap<String, u64>> = vec![BTreeMap::new(); counts.len()];
    found.each(store, |placed| {
        let row = store.catalog().content_row(placed.content)?;
        let row = row.ok_or(Error::Bug("a content that was found is not in the catalog"))?;
        for (counts, sums) in counts.iter().zip(&mut sums) {
            let period = row.dated().map(|date| calendar.month(date));
            let of_period = |text: fn((i16, i8)) -> String| vec![period.map_or_else(|| NO_DATE.to_owned(), text)];
            let keys = match counts.by {
                CountBy::Year => of_period(|(year, _)| format!("{year:04}")),
                CountBy::Month => of_period(|(year, month)| format!("{year:04}-{month:02}")),
                CountBy::From => vec![match row.from.as_slice() {
                    [name, address, ..] if address.is_empty() => name.clone(),
                    [_, address, ..] => address.to_ascii_lowercase(),
                    _ => String::new(),
                }],
                CountBy::Folder => vec![path_text(store, placed.folder)],
                CountBy::Type => row.attachment_types.clone().unwrap_or_else(|| vec!["none".to_owned()]),
            };
            for key in keys {
                *sums.entry(key).or_default() += 1;
            }
        }
        Ok(())
    })?;
    for (counts, sums) in counts.iter_mut().zip(sums) {
        counts.rows = sums.into_iter().collect();
        counts.rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
    Ok(())
}
