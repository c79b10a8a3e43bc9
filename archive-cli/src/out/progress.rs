//! How far a long work is: a bar on a terminal, a line every ten seconds elsewhere, objects for machines.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::when;

const LINE_EVERY: Duration = Duration::from_secs(10);
const OBJECT_EVERY: Duration = Duration::from_secs(1);

/// Shows bytes done. What is shown of it can be lost without harm.
pub struct Progress {
    way: Way,
    total: Option<u64>,
    began: Instant,
    said: Instant,
}

enum Way {
    Silent,
    Bar(ProgressBar),
    Lines,
    Objects,
}

impl Progress {
    pub(super) fn new(total: Option<u64>, json: bool, quiet: bool) -> Self {
        let way = match (quiet, json) {
            (true, _) => Way::Silent,
            (_, true) => Way::Objects,
            _ if std::io::stderr().is_terminal() => Way::Bar(bar(total)),
            _ => Way::Lines,
        };
        let now = Instant::now();
        Self { way, total, began: now, said: now }
    }

    /// So many bytes are done.
    pub fn set(&mut self, done: u64) {
        let waited = self.said.elapsed();
        match &self.way {
            Way::Silent => {}
            Way::Bar(bar) => bar.set_position(done),
            Way::Lines if waited >= LINE_EVERY => {
                self.said = Instant::now();
                let rate = done as f64 / self.began.elapsed().as_secs_f64();
                let of = self.total.map(|total| format!(" of {}", when::size(total))).unwrap_or_default();
                let _unread = writeln!(std::io::stderr(), "{}{of}, {}/s", when::size(done), when::size(rate as u64));
            }
            Way::Objects if waited >= OBJECT_EVERY => {
                self.said = Instant::now();
                let event = json!({ "event": "progress", "done": done, "total": self.total, "unit": "bytes" });
                let _unread = writeln!(std::io::stdout(), "{event}");
            }
            Way::Lines | Way::Objects => {}
        }
    }

    /// Prints something to standard error without tearing the bar.
    pub fn say(&self, text: &str) {
        let say = || {
            let _unread = writeln!(std::io::stderr(), "{}", super::escape::text(text));
        };
        match &self.way {
            Way::Bar(bar) => bar.suspend(say),
            Way::Silent | Way::Lines => say(),
            Way::Objects => {}
        }
    }

    /// The work has ended; the bar goes.
    pub fn end(&self) {
        if let Way::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }

    /// Seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:30} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {binary_bytes}, {binary_bytes_per_sec}"),
    };
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}
