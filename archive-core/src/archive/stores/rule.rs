//! When a new store is made by itself, and takes new mail from then on.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{NewStore, shown_name};
use crate::archive::{Opened, locked, master};
use crate::error::Error;
use crate::store::Store;

/// How long after a failure it is tried again: milliseconds.
const AGAIN_AFTER: u64 = 60 * 60 * 1000;

/// When a new store is made by itself.
///
/// As text, in settings and frontends: `never`, `messages:5000000`, `bytes:107374182400`, `monthly`, `quarterly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreRule {
    /// Never.
    Never,
    /// When the current store has so many messages.
    Messages(u64),
    /// When the mails of the current store have so many bytes, each counted once.
    Bytes(u64),
    /// When a month begins, by the time of archiving and the system's time zone.
    Monthly,
    /// When a quarter begins.
    Quarterly,
}

impl Default for StoreRule {
    fn default() -> Self {
        Self::Messages(5_000_000)
    }
}

impl fmt::Display for StoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Messages(messages) => write!(f, "messages:{messages}"),
            Self::Bytes(bytes) => write!(f, "bytes:{bytes}"),
            Self::Monthly => f.write_str("monthly"),
            Self::Quarterly => f.write_str("quarterly"),
        }
    }
}

impl FromStr for StoreRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number = |digits: &str| digits.parse().ok().filter(|number| *number > 0);
        let rule = match text.split_once(':') {
            None if text == "never" => Some(Self::Never),
            None if text == "monthly" => Some(Self::Monthly),
            None if text == "quarterly" => Some(Self::Quarterly),
            Some(("messages", messages)) => number(messages).map(Self::Messages),
            Some(("bytes", bytes)) => number(bytes).map(Self::Bytes),
            _ => None,
        };
        rule.ok_or_else(|| {
            Error::misuse(format!("`{text}` says not when a store is made"), "give never, messages:N, bytes:N, monthly or quarterly")
        })
    }
}

impl StoreRule {
    /// Whether a store that takes new mail has enough at the time `now`.
    fn is_due(self, store: &Store, now: i64) -> bool {
        let catalog = store.catalog();
        let basis = catalog.basis();
        let period = |millis: i64, months: i8| date(millis).map(|date| (date.year(), (date.month() - 1) / months));
        match self {
            Self::Never => false,
            Self::Messages(messages) => catalog.messages().0 >= messages,
            Self::Bytes(bytes) => basis.numbers.content_bytes >= bytes,
            Self::Monthly => basis.archived.is_some_and(|last| period(last, 1) < period(now, 1)),
            Self::Quarterly => basis.archived.is_some_and(|last| period(last, 3) < period(now, 3)),
        }
    }
}

fn date(millis: i64) -> Option<Date> {
    Some(Timestamp::from_millisecond(millis).ok()?.to_zoned(TimeZone::system()).date())
}

/// What the settings of an archive say.
pub(in crate::archive) fn noted_rule(master: &master::Master) -> StoreRule {
    master.setting(master::STORE_RULE).and_then(|text| text.parse().ok()).unwrap_or_default()
}

impl Opened {
    /// When a new store is made by itself.
    pub(in crate::archive) fn store_rule(&self) -> StoreRule {
        *locked(&self.store_rule)
    }

    pub(in crate::archive) fn set_store_rule(&self, rule: StoreRule) -> Result<(), Error> {
        self.master().set(master::STORE_RULE, &rule.to_string())?;
        *locked(&self.store_rule) = rule;
        *locked(&self.store_not_made) = None;
        self.committed();
        Ok(())
    }

    /// Makes a new store if the current one has enough. If that fails, archiving goes on in the old one, and it is tried
    /// again after an hour.
    pub(in crate::archive) fn make_due_store(&self) {
        let now = self.now();
        let is_due = || self.stores.current().is_ok_and(|current| self.store_rule().is_due(&current, now));
        let failed_now = |failed: &i64| now.abs_diff(*failed) < AGAIN_AFTER;
        if locked(&self.store_not_made).as_ref().is_some_and(failed_now) || !is_due() {
            return;
        }
        let Ok(_one) = self.changing_stores() else { return };
        // Another import may have made it meanwhile.
        if is_due() && self.create_store_now(&NewStore::new(&self.name_of_month(now))).is_err() {
            *locked(&self.store_not_made) = Some(now);
        }
    }

    /// `2026-12`, or, if there is such a store, `2026-12-2` and so on.
    fn name_of_month(&self, now: i64) -> String {
        let month = date(now).map_or_else(|| "store".to_owned(), |date| format!("{:04}-{:02}", date.year(), date.month()));
        let attached = self.stores.read();
        let is_taken = |name: &String| attached.by_no.values().any(|store| shown_name(&store.fact) == *name);
        let others = (2..).map(|no: u32| format!("{month}-{no}"));
        std::iter::once(month.clone()).chain(others).find(|name| !is_taken(name)).unwrap_or(month)
    }
}
