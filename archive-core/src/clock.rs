//! The time, for records and locks.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The source of time of an archive. Mail is archived at the time that it reads, even if that is earlier than before.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that reads what `now` returns: milliseconds since 1970, UTC.
    #[must_use]
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> i64 {
        (self.0)()
    }
}

impl Default for Clock {
    /// The clock of the system.
    fn default() -> Self {
        Self::new(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Milliseconds since 1970, UTC.
pub(crate) fn now() -> i64 {
    // A clock before 1970 counts as 1970.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A clock may be set by hand or by the network. If it is ahead of the time that has passed by more than this, it was
/// set.
const AHEAD: i64 = 24 * 60 * 60 * 1000;

/// What a clock is expected to read, by the time that passes since it was first read.
pub(crate) struct Watch {
    first: i64,
    since: Instant,
}

impl Watch {
    /// Starts with a clock that reads `now`.
    pub(crate) fn begin(now: i64) -> Self {
        Self { first: now, since: Instant::now() }
    }

    /// Whether `now` is more than a day ahead of the time that has passed.
    pub(crate) fn is_ahead(&self, now: i64) -> bool {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        now.saturating_sub(self.first).saturating_sub(passed) > AHEAD
    }
}
