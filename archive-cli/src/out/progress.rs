//! The progress of long work: a bar on a terminal, a line every ten seconds elsewhere, objects for machines.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use archive_core::{Progress, Unit};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::table::NARROW;
use super::{when, width_of};

const LINE_EVERY: Duration = Duration::from_secs(10);
const OBJECT_EVERY: Duration = Duration::from_secs(1);

/// Shows bytes done. Clones show the same. Losing some of this output does no harm.
#[derive(Clone)]
pub struct Meter {
    shared: Arc<Shared>,
}

struct Shared {
    way: Way,
    total: Option<u64>,
    began: Instant,
    said: Mutex<Instant>,
    is_quiet: bool,
    /// Bytes of the work before the present one, and of that.
    ended: AtomicU64,
    done: AtomicU64,
}

enum Way {
    Silent,
    Bar(ProgressBar),
    Lines,
    Objects,
}

impl Meter {
    pub(super) fn new(total: Option<u64>, json: bool, quiet: bool) -> Self {
        let way = match (quiet, json) {
            (true, false) => Way::Silent,
            (_, true) => Way::Objects,
            _ if std::io::stderr().is_terminal() => Way::Bar(bar(total)),
            _ => Way::Lines,
        };
        let now = Instant::now();
        let (said, ended, done) = (Mutex::new(now), AtomicU64::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { way, total, began: now, said, is_quiet: quiet, ended, done }) }
    }

    /// Follows a call: shows the bytes that it reports.
    pub fn follow(&self, progress: &Progress) -> Progress {
        let meter = self.clone();
        progress.with_report(move |step| {
            if step.unit == Unit::Bytes {
                meter.set(step.done);
            }
            ControlFlow::Continue(())
        })
    }

    /// What is done is done; the counts continue from there.
    pub fn next(&self) {
        self.shared.ended.fetch_add(self.shared.done.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Sets how many bytes are done.
    pub fn set(&self, done: u64) {
        let shared = &*self.shared;
        shared.done.store(done, Ordering::Relaxed);
        let done = shared.ended.load(Ordering::Relaxed) + done;
        let mut said = shared.said.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = said.elapsed();
        match &shared.way {
            Way::Silent => {}
            Way::Bar(bar) => bar.set_position(done),
            Way::Lines if waited >= LINE_EVERY => {
                *said = Instant::now();
                let rate = done as f64 / shared.began.elapsed().as_secs_f64();
                let of = shared.total.map(|total| format!(" of {}", when::size(total))).unwrap_or_default();
                let _unread = writeln!(std::io::stderr(), "{}{of}, {}/s", when::size(done), when::size(rate as u64));
            }
            Way::Objects if waited >= OBJECT_EVERY && !shared.is_quiet => {
                *said = Instant::now();
                let event = json!({ "event": "progress", "done": done, "total": shared.total, "unit": "bytes" });
                let _unread = writeln!(std::io::stdout(), "{event}");
            }
            Way::Lines | Way::Objects => {}
        }
    }

    /// Prints something for people without breaking the bar. `-q` suppresses it.
    pub fn say(&self, text: &str) {
        if !self.shared.is_quiet {
            self.warn(text);
        }
    }

    /// Prints what is wrong; no option suppresses it.
    pub fn warn(&self, text: &str) {
        if !matches!(self.shared.way, Way::Objects) {
            self.beside(|| {
                let _unread = writeln!(std::io::stderr(), "{}", super::escape::line(text));
            });
        }
    }

    /// Lets something be printed without breaking the bar.
    pub fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.shared.way {
            Way::Bar(bar) => bar.suspend(print),
            Way::Silent | Way::Lines | Way::Objects => print(),
        }
    }

    /// Called at the end of the work; removes the bar.
    pub fn end(&self) {
        if let Way::Bar(bar) = &self.shared.way {
            bar.finish_and_clear();
        }
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.shared.began.elapsed().as_secs_f64()
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let width = width_of(std::io::stderr());
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    ProgressStyle::with_template(template(total.is_some(), width)).map_or(bar.clone(), |style| bar.with_style(style))
}

/// What fits into a line of this width; the bar takes the rest.
fn template(has_total: bool, width: usize) -> &'static str {
    match (has_total, width < NARROW) {
        (true, false) => "{wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
        (true, true) => "{wide_bar} {percent}%, {eta} left",
        (false, _) => "{spinner} {binary_bytes}, {binary_bytes_per_sec}",
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    use super::*;

    #[test]
    fn a_bar_is_one_line_however_narrow_the_terminal() {
        for (width, has_total) in [(40, true), (40, false), (80, true), (80, false), (200, true)] {
            let total = 9_999 << 40;
            let term = InMemoryTerm::new(10, width);
            let bar = if has_total { ProgressBar::new(total) } else { ProgressBar::no_length() };
            bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(term.clone())));
            bar.set_style(ProgressStyle::with_template(template(has_total, width.into())).unwrap());
            bar.set_position(total / 3 + 7);
            bar.tick();
            let drawn = term.contents();
            assert_eq!(drawn.lines().count(), 1, "{width}: {drawn}");
            assert!(drawn.ends_with(if has_total { "left" } else { "/s" }), "{width}: {drawn}");
        }
    }
}
