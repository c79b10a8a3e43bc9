//! The one rule by which lines that begin with `From ` are quoted in an mbox (mboxrd): each line of any number of `>`
//! signs, including zero, followed by `From ` gets one more `>`; unquoting removes it. A line begins at the start of
//! the mail and after each LF.
//!
//! Quoting is a bijection onto the texts without a bare `From ` line. So `quote(unquote(text)) == text` exactly if
//! `text` has no bare `From ` line, and only then does the reader unquote.

use memchr::{memchr, memmem};

const FROM: &[u8] = b"From ";

/// Which way a text is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Quote,
    Unquote,
}

/// The place in a line after the bytes fed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At its start, after this many `>`.
    Signs(u64),
    /// After these `>` and this many bytes of `From `.
    From(u64, usize),
    /// Past the beginning: nothing can be quoted any more.
    Inside,
}

/// Quotes or unquotes a text that comes in pieces, in bounded memory whatever its lines are.
#[derive(Debug)]
pub struct LineQuoter {
    way: Way,
    at: At,
    owed: u64,
}

impl LineQuoter {
    /// One that quotes.
    pub fn quoting() -> Self {
        Self { way: Way::Quote, at: At::Signs(0), owed: 0 }
    }

    /// One that unquotes.
    pub fn unquoting() -> Self {
        Self { way: Way::Unquote, at: At::Signs(0), owed: 0 }
    }

    /// Takes bytes of the text and appends what is decided to `out`, at most about `room` bytes a call; returns how
    /// many it took. Call it again with the rest until all are taken.
    pub fn feed(&mut self, input: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
        let limit = out.len().saturating_add(room.max(16));
        let mut taken = 0;
        loop {
            self.pay(limit, out);
            if self.owed > 0 || out.len() >= limit {
                return taken;
            }
            let rest = input.get(taken..).unwrap_or_default();
            let Some(&first) = rest.first() else { return taken };
            match (self.at, first) {
                (At::Signs(signs), b'>') => {
                    self.at = At::Signs(signs.saturating_add(1));
                    taken += 1;
                }
                (At::Signs(signs), b'F') => {
                    self.at = At::From(signs, 1);
                    taken += 1;
                }
                (At::From(signs, seen), byte) if FROM.get(seen) == Some(&byte) => {
                    taken += 1;
                    if seen + 1 == FROM.len() {
                        self.owed = match self.way {
                            Way::Quote => signs.saturating_add(1),
                            Way::Unquote => signs.saturating_sub(1),
                        };
                        self.pay(limit, out);
                        // Owed signs come first: without room for all of them, the word waits for the next call.
                        if self.owed > 0 {
                            self.at = At::From(0, FROM.len());
                            return taken;
                        }
                        out.extend_from_slice(FROM);
                        self.at = At::Inside;
                    } else {
                        self.at = At::From(signs, seen + 1);
                    }
                }
                (At::From(_, seen), _) if seen == FROM.len() => {
                    out.extend_from_slice(FROM);
                    self.at = At::Inside;
                }
                (At::Signs(0), _) => self.at = At::Inside,
                (At::Signs(signs), _) => {
                    self.owed = signs;
                    self.at = At::Inside;
                }
                (At::From(signs, seen), _) => {
                    self.owed = signs;
                    self.pay(limit, out);
                    if self.owed > 0 {
                        self.at = At::From(0, seen);
                        return taken;
                    }
                    out.extend_from_slice(FROM.get(..seen).unwrap_or_default());
                    self.at = At::Inside;
                }
                (At::Inside, _) => {
                    let room = limit.saturating_sub(out.len()).max(1);
                    let line = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1).min(room);
                    let piece = rest.get(..line).unwrap_or_default();
                    out.extend_from_slice(piece);
                    taken += piece.len();
                    if piece.last() == Some(&b'\n') {
                        self.at = At::Signs(0);
                    }
                }
            }
        }
    }

    /// Appends what is left when the text has ended, at most about `room` bytes; `true` when that was all.
    pub fn finish(&mut self, room: usize, out: &mut Vec<u8>) -> bool {
        let limit = out.len().saturating_add(room.max(16));
        self.pay(limit, out);
        if self.owed > 0 {
            return false;
        }
        match self.at {
            At::Signs(0) | At::Inside => true,
            At::Signs(signs) => {
                self.owed = signs;
                self.at = At::Inside;
                self.finish_owed(limit, out)
            }
            At::From(0, seen) => {
                out.extend_from_slice(FROM.get(..seen).unwrap_or_default());
                self.at = At::Inside;
                true
            }
            At::From(signs, seen) => {
                self.owed = signs;
                self.at = At::From(0, seen);
                self.finish_owed(limit, out) && self.finish(room, out)
            }
        }
    }

    fn finish_owed(&mut self, limit: usize, out: &mut Vec<u8>) -> bool {
        self.pay(limit, out);
        self.owed == 0
    }

    fn pay(&mut self, limit: usize, out: &mut Vec<u8>) {
        let now = self.owed.min(limit.saturating_sub(out.len()) as u64);
        out.resize(out.len() + now as usize, b'>');
        self.owed -= now;
    }
}

fn change(text: &[u8], mut quoter: LineQuoter) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut taken = 0;
    while taken < text.len() {
        taken += quoter.feed(text.get(taken..).unwrap_or_default(), usize::MAX, &mut out);
    }
    while !quoter.finish(usize::MAX, &mut out) {}
    out
}

/// The text with each line `>*From ` quoted by one `>`.
pub fn quote(text: &[u8]) -> Vec<u8> {
    change(text, LineQuoter::quoting())
}

/// The text with each line `>+From ` unquoted by one `>`; a bare `From ` line stays.
pub fn unquote(text: &[u8]) -> Vec<u8> {
    change(text, LineQuoter::unquoting())
}

/// Whether a line begins with `From ` without any `>`.
pub fn has_bare_line(text: &[u8]) -> bool {
    text.starts_with(FROM) || memmem::find(text, b"\nFrom ").is_some()
}

/// Whether a line begins with `>` signs and `From `.
pub fn has_quoted_line(text: &[u8]) -> bool {
    memmem::find_iter(text, b">From ").any(|at| {
        let before = text.get(..at).unwrap_or_default();
        let signs = before.iter().rev().take_while(|&&byte| byte == b'>').count();
        matches!(before.len().checked_sub(signs + 1).map(|at| before.get(at)), None | Some(Some(b'\n')))
    })
}
