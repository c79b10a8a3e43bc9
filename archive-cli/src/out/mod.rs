//! Everything that is printed: results to standard output, everything else to standard error.

pub mod escape;
pub mod json;
pub mod marked;
pub mod progress;
pub mod table;
pub mod when;

use std::io::{self, IsTerminal, Write};

use archive_core::Zone;
use serde_json::Value;

use crate::args::Common;
use crate::failure::Failure;

/// The width of a terminal that does not report it.
const WIDTH: usize = 80;

/// The width of a terminal: `COLUMNS`, else what the terminal reports.
#[cfg(unix)]
fn width_of(terminal: impl std::os::fd::AsFd) -> usize {
    told_width().or_else(|| Some(terminal_size::terminal_size_of(terminal)?.0.0.into())).unwrap_or(WIDTH)
}

#[cfg(windows)]
fn width_of(terminal: impl std::os::windows::io::AsHandle) -> usize {
    told_width().or_else(|| Some(terminal_size::terminal_size_of(terminal)?.0.0.into())).unwrap_or(WIDTH)
}

fn told_width() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|width| *width > 0)
}

/// So many of something whose plural has an `s`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Where a command prints to, and how.
pub struct Out {
    stdout: io::BufWriter<io::Stdout>,
    json: bool,
    quiet: bool,
    /// The width of the terminal, if standard output is one.
    width: Option<usize>,
    colour: bool,
    zone: Zone,
    /// Whether the command continues if standard output is closed.
    keeps_on: bool,
    /// Whether notes may be written in the user's folders.
    remembers: bool,
}

impl Out {
    /// As the options of every command say.
    pub fn new(common: &Common) -> Self {
        let width = io::stdout().is_terminal().then(|| width_of(io::stdout()));
        let colour = width.is_some() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            stdout: io::BufWriter::new(io::stdout()),
            json: common.json,
            quiet: common.quiet,
            width,
            colour,
            zone: common.tz.clone().unwrap_or_else(Zone::system),
            keeps_on: false,
            remembers: true,
        }
    }

    /// For a command whose exit code is the answer: it continues to its end even if nobody reads its output.
    pub fn keep_on(&mut self) {
        self.keeps_on = true;
    }

    /// From now on nothing is noted outside the archive, and there are no reminders.
    pub fn forget(&mut self) {
        self.remembers = false;
    }

    /// Whether reminders are wanted, and may be noted.
    pub fn may_remind(&self) -> bool {
        self.remembers && !self.json && !self.quiet
    }

    fn written(&self, result: io::Result<()>) -> Result<(), Failure> {
        match result {
            Err(error) if self.keeps_on && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }

    /// Whether the output is for machines.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard output is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.width.is_some()
    }

    /// The width of the terminal; without one, lines are not limited.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether results may be coloured.
    pub fn has_colour(&self) -> bool {
        self.colour
    }

    /// The zone in which times are shown.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// A line of the result; the caller has escaped foreign text in it.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        let result = writeln!(self.stdout, "{text}");
        self.written(result)
    }

    /// Exact bytes of the result.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let result = self.stdout.write_all(bytes);
        self.written(result)
    }

    /// A heading of the result.
    pub fn heading(&mut self, text: &str) -> Result<(), Failure> {
        match self.colour {
            true => self.line(&format!("\u{1b}[1;36m{text}\u{1b}[0m")),
            false => self.line(text),
        }
    }

    /// One JSON object, on a separate line.
    pub fn json(&mut self, value: &Value) -> Result<(), Failure> {
        self.line(&escape::json(&value.to_string()))
    }

    /// Flushes what was printed so far.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let result = self.stdout.flush();
        self.written(result)
    }

    /// A summary or a notice for people, after all results so far. `-q` suppresses it.
    pub fn note(&mut self, text: &str) -> Result<(), Failure> {
        match self.quiet {
            true => self.flush(),
            false => self.warn(text),
        }
    }

    /// A warning about what makes the exit code other than 0, or keeps the archive from accepting mail: no option
    /// suppresses it.
    pub fn warn(&mut self, text: &str) -> Result<(), Failure> {
        self.flush()?;
        // A closed standard error is ignored.
        let _unread = writeln!(io::stderr(), "{}", escape::line(text));
        Ok(())
    }

    /// The progress of long work, with `total` bytes to do if that is known.
    pub fn meter(&self, total: Option<u64>) -> progress::Meter {
        progress::Meter::new(total, self.json, self.quiet)
    }

    /// Why the command failed; on standard error if standard output accepts nothing.
    pub fn failure(&mut self, failure: &Failure) {
        if self.json && self.json(&failure.json()).and_then(|()| self.flush()).is_ok() {
            return;
        }
        // Earlier results go first, if possible; a closed standard error is ignored.
        let _lost = self.flush();
        let said = format!("mailkeep: {failure}");
        // Below a query stand carets, on lines of their own; what is foreign in it is escaped already.
        let said = if matches!(failure, Failure::Query { .. }) { escape::text(&said) } else { escape::line(&said) };
        let _unread = writeln!(io::stderr(), "{said}");
    }
}
