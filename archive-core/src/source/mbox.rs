//! Splits an mbox of any variant, an MMDF mailbox, or a LISTSERV notebook, into mails.
//!
//! **Where a mail begins.** At a line `From ` that follows an empty line (or begins the file) and has a date up to its
//! end, or is followed by a well-known header field; without an empty line before it, it must have both. Two kinds of
//! lines are judged by the first From_ line of the file: if that one has no date, and nothing but an address or `-` in
//! its place, another such line with a header field after it needs neither a date nor an empty line before it; and the
//! first line of a patch of git (`From DIGEST Mon Sep 17 00:00:00 2001`, 40 or 64 hexadecimal digits) is text unless
//! that one is such a line too, or the file was requested as one whose `From ` is quoted. A line ends with LF, CR LF,
//! or a CR that no LF follows (module `separator`).
//!
//! `Content-Length` is used only if it leads to such a line or to the end of the file; then it takes precedence over
//! From_ lines inside the mail. It is followed up to 16 MiB ahead in a stream, and any distance in a plain file.
//!
//! In MMDF a mail is between two lines of four ^A, including its last line end; a From_ line at its beginning does not
//! belong to it, and blank lines between two such lines are not a mail.
//!
//! **Where it ends.** Before the one blank line that precedes the next From_ line or the end of the file; further blank
//! lines belong to the mail, whatever its `Content-Length` says. So each byte is in a mail, a From_ line or that blank
//! line.
//!
//! **Quoting.** A mailbox does not tell which program quoted what, so each mail is judged by its own bytes: it is
//! unquoted by one level exactly if quoting again (see `mbox_quote`) gives back its bytes, that is, where no line in it
//! begins with a bare `From `. That is exact for mboxrd; for mboxo the result is what mboxrd readers see, and
//! reversible. Mboxcl2 is never unquoted: a file requested by that name, or a mail with a correct `Content-Length`, in
//! a file where this or an earlier such mail has a bare `From ` line after an empty line. A streamed mail is judged by
//! its first 16 MiB.

use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;

use memchr::memmem;

use super::from_line::{self, MAX_FROM_LINE};
use super::header::{self, Keeping, line};
use super::item::{Body, DateHint, DateKind, Format, Item, Quoting, TroubleKind, WHOLE_LIMIT};
use super::mbox_quote::{LineQuoter, has_bare_line, has_quoted_line, unquote};
use super::reading::{Place, Reading};
use super::separator::{Separators, Style, blank_end, blank_lines, leading};
use super::window::Window;

/// Bytes that must have been read after the start of a separator to judge it.
const LOOK: usize = 8 << 10;
const HEADER_LOOK: usize = 256 << 10;
const STEP: usize = 256 << 10;
/// Bytes held back while streaming, so that a separator with the empty line before it is never cut in two.
const HELD: usize = 16;

/// Where a mail at the front of the window ends.
enum End {
    /// Its length, and how many bytes lead to the next separator; whether `Content-Length` agrees.
    Here { len: usize, next: usize, length_holds: bool },
    /// Beyond the length up to which mails are returned whole.
    Far,
}

/// What is between the end of a mail by its `Content-Length` and the next separator.
struct Boundary {
    /// Bytes that still belong to the mail: a line end that was not counted, and all blank lines except the last.
    rest: usize,
    /// Bytes of the one blank line that belongs to none.
    blank: usize,
}

/// What was found within the length up to which mails are returned whole.
enum Found {
    /// A separator here.
    Separator(usize),
    /// The end of the file.
    End,
    /// Neither.
    Nothing,
}

/// Reads one mailbox file.
pub(super) struct Splitter<'w, 'r> {
    window: &'w mut Window<'r>,
    separators: Separators,
    format: Option<Format>,
    unquoted_lengths: bool,
}

impl<'w, 'r> Splitter<'w, 'r> {
    pub(super) fn new(window: &'w mut Window<'r>, style: Style, format: Option<Format>) -> Self {
        let is_quoted = matches!(format, Some(Format::Mboxo | Format::Mboxrd | Format::Mboxcl));
        Self { window, separators: Separators::new(style, is_quoted), format, unquoted_lengths: format == Some(Format::Mboxcl2) }
    }

    fn is_mbox(&self) -> bool {
        self.separators.style == Style::Mbox
    }

    /// Returns all mails of the file.
    pub(super) fn run(mut self, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<()> {
        reading.folder(place.folder.names());
        let result = match self.find_first(place, reading) {
            ControlFlow::Continue(true) => self.mails(place, reading),
            ControlFlow::Continue(false) => ControlFlow::Continue(()),
            ControlFlow::Break(()) => ControlFlow::Break(()),
        };
        reading.end_of_file(place, self.window);
        result
    }

    /// Goes to the first separator, and reports what precedes it. A mail that lost its From_ line is still a mail.
    fn find_first(&mut self, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<(), bool> {
        self.window.ensure(LOOK);
        let lead = leading(self.window.data());
        self.window.consume(lead);
        self.window.ensure(LOOK);
        if self.window.data().is_empty() {
            return ControlFlow::Continue(false);
        }
        // A file requested as an mbox may begin with a From_ line that has neither date nor header.
        let begins = self.separators.is_at(self.window.data(), 0, true) || (self.is_mbox() && self.begins_like_from_line());
        if begins {
            return ControlFlow::Continue(true);
        }
        if header::looks_like_mail(self.window.data()) {
            self.separators.begin(None);
            self.mail(None, place, reading)?;
            return ControlFlow::Continue(true);
        }
        let (offset, mut bytes) = (self.window.offset(), 0);
        loop {
            let (piece, ended) = self.step(None, false);
            let len = piece.len + ended.unwrap_or(0);
            bytes += len as u64;
            reading.lost(self.window.data().get(..len).unwrap_or_default());
            self.window.consume(len);
            if ended.is_some() {
                break;
            }
        }
        let none = self.window.data().is_empty();
        let kind = if none { TroubleKind::NotAnMbox } else { TroubleKind::TextBeforeFirst(bytes) };
        reading.trouble(place, offset, kind);
        ControlFlow::Continue(!none)
    }

    fn begins_like_from_line(&self) -> bool {
        let (line, _) = line(self.window.data());
        line.starts_with(b"From ") && line.len() <= MAX_FROM_LINE
    }

    fn mails(&mut self, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<()> {
        loop {
            self.window.ensure(LOOK);
            if self.window.data().is_empty() {
                return ControlFlow::Continue(());
            }
            let from_line = if self.separators.style == Style::Mmdf {
                self.pass_controls();
                let has_line = Separators::new(Style::Mbox, true).is_at(self.window.data(), 0, true);
                has_line.then(|| self.take_line())
            } else {
                let separator = self.take_line();
                self.is_mbox().then_some(separator)
            };
            if self.separators.style == Style::Mmdf && from_line.is_none() && self.window.data().is_empty() {
                return ControlFlow::Continue(());
            }
            self.separators.begin(from_line.as_deref());
            self.mail(from_line, place, reading)?;
            reading.progress();
        }
    }

    fn take_line(&mut self) -> Vec<u8> {
        let (line, len) = line(self.window.data());
        let line = line.to_vec();
        self.window.consume(len);
        line
    }

    /// Goes to where the next mail of MMDF begins: over the line after the mail before it, the line before it, and
    /// blank lines between.
    fn pass_controls(&mut self) {
        loop {
            self.window.ensure(LOOK);
            let data = self.window.data();
            let blank = blank_lines(data);
            let rest = data.get(blank..).unwrap_or_default();
            let len = if self.separators.is_at(rest, 0, true) { line(rest).1 } else { 0 };
            if len == 0 && !(rest.is_empty() && blank > 0 && self.window.ended()) {
                return;
            }
            self.window.consume(blank + len);
        }
    }

    fn mail(&mut self, from_line: Option<Vec<u8>>, place: &Place, reading: &mut Reading<'_>) -> ControlFlow<()> {
        let offset = self.window.offset();
        self.window.ensure(LOOK);
        let mut keeping = Keeping::of(self.window.data());
        if keeping.header_len.is_none() && !self.window.ended() {
            self.window.ensure(HEADER_LOOK);
            keeping = Keeping::of(self.window.data());
        }
        let wanted = !keeping.is_expunged() || reading.options.with_deleted;
        let date_hint = from_line.as_deref().and_then(from_line::date).map(|seconds| DateHint { seconds, kind: DateKind::MboxLine });
        let flags = keeping.mozilla_flags();
        let folder = place.folder.names();
        let item = |quoting, body| Item { source: &place.source, offset, folder, from_line, quoting, flags, date_hint, body };

        match self.find_end(&keeping) {
            End::Here { len, next, length_holds } => {
                let raw = self.window.data().get(..len).unwrap_or_default();
                let quoting = judge(raw, length_holds, self.separators.style, self.format, &mut self.unquoted_lengths);
                let result = if raw.is_empty() {
                    reading.trouble(place, offset, TroubleKind::EmptyMail);
                    ControlFlow::Continue(())
                } else if !wanted {
                    reading.deleted();
                    ControlFlow::Continue(())
                } else {
                    let body = if quoting == Quoting::Unquoted { unquote(raw) } else { raw.to_vec() };
                    reading.item(item(quoting, Body::Whole(body)))
                };
                self.window.consume(next);
                result
            }
            End::Far => {
                let declared = self.declared(&keeping).map(|at| offset + at);
                let quoting = self.judge_head(declared.is_some());
                let quoter = (quoting == Quoting::Unquoted).then(LineQuoter::unquoting);
                let mut rest = Rest { splitter: self, quoter, declared, out: Vec::new(), given: 0, ended: false, ends: None };
                let mut result = ControlFlow::Continue(());
                if wanted {
                    let head = rest.head();
                    result = reading.item(item(quoting, Body::Stream { head, rest: &mut rest }));
                } else {
                    reading.deleted();
                }
                rest.pass_over();
                if let Some(at) = rest.ends {
                    reading.trouble(place, at, TroubleKind::QuotingEnds);
                }
                result
            }
        }
    }

    /// Length of the mail by its `Content-Length`, if that may be used.
    fn declared(&self, keeping: &Keeping) -> Option<u64> {
        if !self.is_mbox() || matches!(self.format, Some(Format::Mboxo | Format::Mboxrd)) {
            return None;
        }
        (keeping.header_len? as u64).checked_add(keeping.content_length?)
    }

    fn find_end(&mut self, keeping: &Keeping) -> End {
        let next = match self.find_separator() {
            Found::Separator(at) => at,
            Found::End => self.window.data().len(),
            Found::Nothing => return End::Far,
        };
        let blank = if self.is_mbox() { blank_end(self.window.data().get(..next).unwrap_or_default(), true) } else { 0 };
        let plain = next - blank;
        if let Some(declared) = self.declared(keeping) {
            if declared == plain as u64 || declared == next as u64 {
                return End::Here { len: plain, next, length_holds: true };
            }
            if let Some(Boundary { rest, blank }) = self.boundary(self.window.offset().saturating_add(declared)) {
                self.unquoted_lengths |= declared > next as u64;
                return match usize::try_from(declared).map(|declared| declared.saturating_add(rest)) {
                    Ok(len) if len <= WHOLE_LIMIT => End::Here { len, next: len + blank, length_holds: true },
                    _ => End::Far,
                };
            }
        }
        End::Here { len: plain, next, length_holds: false }
    }

    /// The first separator within the length up to which mails are returned whole.
    fn find_separator(&mut self) -> Found {
        let mut from = 0;
        loop {
            let data = self.window.data();
            let len = data.len();
            match self.separators.candidate(data, from) {
                Some(at) if at > WHOLE_LIMIT => return Found::Nothing,
                Some(at) => {
                    self.window.ensure(at + LOOK);
                    if self.separators.is_at(self.window.data(), at, true) {
                        return Found::Separator(at);
                    }
                    from = at + 1;
                }
                None if len > WHOLE_LIMIT => return Found::Nothing,
                None if self.window.ended() => return Found::End,
                None => {
                    from = from.max(len.saturating_sub(self.separators.word().len()));
                    self.window.ensure((len + STEP).min(WHOLE_LIMIT + LOOK));
                }
            }
        }
    }

    /// If a mail can end at this offset of the file: what is between there and the next separator or the end.
    fn boundary(&mut self, offset: u64) -> Option<Boundary> {
        let at = offset.checked_sub(self.window.offset())?;
        let (near, far);
        let (before, data, ended) = match usize::try_from(at) {
            Ok(at) if at <= WHOLE_LIMIT => {
                self.window.ensure(at + LOOK);
                near = self.window.data();
                let ended = self.window.ended();
                (near.get(..at)?.last().copied(), near.get(at..)?, ended)
            }
            _ => {
                far = self.window.look_far(offset.checked_sub(1)?, LOOK)?;
                let (before, data) = far.0.split_first()?;
                (Some(*before), data, far.1)
            }
        };
        if before == Some(b'\r') && data.first() == Some(&b'\n') {
            // No mail ends within a line end.
            return None;
        }
        let follows = |gap: usize| {
            let blank = blank_end(data.get(..gap).unwrap_or_default(), matches!(before, Some(b'\n' | b'\r')));
            Boundary { rest: gap - blank, blank }
        };
        if ended && data.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Some(follows(data.len()));
        }
        let mut gap = 0;
        for _ in 0..3 {
            let rest = data.get(gap..)?;
            if rest.starts_with(b"From ") {
                let at_line = gap > 0 || matches!(before, Some(b'\n' | b'\r'));
                return (at_line && self.separators.is_at(rest, 0, true)).then(|| follows(gap));
            }
            let (line, len) = line(rest);
            if !line.is_empty() || len == 0 {
                return None;
            }
            gap += len;
        }
        None
    }

    /// Whether a mail that is too long to be read whole is to be unquoted.
    fn judge_head(&mut self, has_length: bool) -> Quoting {
        let head = self.window.data();
        let head = head.get(..head.len().min(WHOLE_LIMIT)).unwrap_or_default();
        let never = !self.is_mbox() || self.format == Some(Format::Mboxcl2) || (has_length && self.unquoted_lengths);
        if never || has_bare_line(head) { Quoting::None } else { Quoting::Unquoted }
    }

    /// Looks at the next piece of a streamed mail: the bytes that surely belong to it and, if it ends with them, how
    /// many bytes lead to the next separator.
    fn step(&mut self, declared: Option<u64>, unquoting: bool) -> (Piece, Option<usize>) {
        self.window.ensure(STEP);
        if let Some(left) = declared.and_then(|at| at.checked_sub(self.window.offset()))
            && left <= STEP as u64
            && let Some(Boundary { rest, blank }) = self.boundary(self.window.offset() + left)
        {
            return (Piece { len: left as usize + rest, bare: false }, Some(blank));
        }
        // The window may contain far more than one step takes.
        let seen = self.window.data().len().min(2 * STEP);
        let mut from = 0;
        while let Some(at) = self.separators.candidate(self.window.data().get(..seen).unwrap_or_default(), from) {
            self.window.ensure(at + LOOK);
            if self.separators.is_at(self.window.data(), at, false) {
                let declared = declared.filter(|&end| end > self.window.offset() + at as u64);
                if declared.is_none_or(|end| self.boundary(end).is_none()) {
                    let blank = if self.is_mbox() { blank_end(self.window.data().get(..at).unwrap_or_default(), false) } else { 0 };
                    return (Piece { len: at - blank, bare: false }, Some(blank));
                }
                self.unquoted_lengths = true;
            }
            // Only lines after an LF are quoted.
            if unquoting && self.window.data().get(..at).is_some_and(|before| before.ends_with(b"\n")) {
                return (Piece { len: at, bare: true }, None);
            }
            from = at + 1;
        }
        let data = self.window.data();
        if self.window.ended() && seen == data.len() {
            let blank = if self.is_mbox() { blank_end(data, false) } else { 0 };
            return (Piece { len: data.len() - blank, bare: false }, Some(blank));
        }
        (Piece { len: seen.saturating_sub(HELD.max(self.separators.word().len() + 4)), bare: false }, None)
    }
}

/// Whether a mail is to be unquoted; learns from mails with a length that nothing in the file is quoted.
fn judge(raw: &[u8], length_holds: bool, style: Style, format: Option<Format>, unquoted_lengths: &mut bool) -> Quoting {
    if style != Style::Mbox || format == Some(Format::Mboxcl2) {
        return Quoting::None;
    }
    let bare = has_bare_line(raw);
    if length_holds && bare {
        *unquoted_lengths |= memmem::find(raw, b"\n\nFrom ").is_some() || memmem::find(raw, b"\n\r\nFrom ").is_some();
    }
    if bare || !has_quoted_line(raw) || (length_holds && *unquoted_lengths) { Quoting::None } else { Quoting::Unquoted }
}

/// The next bytes of a streamed mail.
struct Piece {
    len: usize,
    /// A bare `From ` line follows them.
    bare: bool,
}

/// What follows the head of a streamed mail.
struct Rest<'s, 'w, 'r> {
    splitter: &'s mut Splitter<'w, 'r>,
    quoter: Option<LineQuoter>,
    declared: Option<u64>,
    out: Vec<u8>,
    /// Bytes of `out` read already.
    given: usize,
    ended: bool,
    /// Where in the file the unquoting ended.
    ends: Option<u64>,
}

impl Rest<'_, '_, '_> {
    fn head(&mut self) -> Vec<u8> {
        let mut head = Vec::with_capacity(WHOLE_LIMIT);
        while head.len() < WHOLE_LIMIT && self.fill() {
            head.append(&mut self.out);
        }
        head
    }

    /// Fills the empty `out` with the next bytes; `false` at the end of the mail.
    fn fill(&mut self) -> bool {
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() {
            if self.ended {
                let left = self.quoter.as_mut().is_some_and(|quoter| !quoter.finish(STEP, &mut self.out));
                if !left {
                    self.quoter = None;
                }
                return !self.out.is_empty();
            }
            let (piece, next) = self.splitter.step(self.declared, self.quoter.is_some());
            let data = self.splitter.window.data().get(..piece.len).unwrap_or_default();
            let taken = match &mut self.quoter {
                Some(quoter) => quoter.feed(data, STEP, &mut self.out),
                None => {
                    self.out.extend_from_slice(data);
                    data.len()
                }
            };
            let all = taken == piece.len;
            self.splitter.window.consume(taken);
            if all && piece.bare {
                self.ends = Some(self.splitter.window.offset());
                if let Some(mut quoter) = self.quoter.take() {
                    while !quoter.finish(STEP, &mut self.out) {}
                }
            }
            if let Some(next) = next.filter(|_| all) {
                self.splitter.window.consume(next);
                self.ended = true;
            }
        }
        true
    }

    fn pass_over(&mut self) {
        while self.fill() {}
    }
}

impl Read for Rest<'_, '_, '_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.out.len() && !self.fill() {
            return match self.splitter.window.error() {
                Some(error) if error.kind() != ErrorKind::UnexpectedEof => Err(std::io::Error::new(error.kind(), error.to_string())),
                _ => Ok(0),
            };
        }
        let data = self.out.get(self.given..).unwrap_or_default();
        let len = data.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..len), data.get(..len)) {
            to.copy_from_slice(from);
        }
        self.given += len;
        Ok(len)
    }
}
