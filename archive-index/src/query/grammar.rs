//! The grammar (S2): clauses, fields, filters, quotes, exclusions, groups, OR. One pass, with a stack for groups.

use super::filter::{self, Filter};
use super::terms::{Parts, Written, address_of, complete_of, parts_of};
use super::tree::{Node, Notice, NoticeKind, Part, Query, QueryError, Term};
use crate::text::field::{Field, Zones};
use std::ops::Range;

/// The most groups within groups.
const DEPTH: usize = 32;
/// The most bytes of a query.
const LENGTH: usize = 64 << 10;
/// Parses a query. An error names the place and what was expected.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    parse_as(text, Mode::Full, Scope::Any(&Field::ALL))
}

/// Parses a query; terms without a field are looked for in `scope` only.
pub fn parse_in(text: &str, scope: Scope<'_>) -> Result<Query, QueryError> {
    parse_as(text, Mode::Full, scope)
}

/// Parses a query in the reduced language of retention rules (S2.8): words and phrases with wildcards; fields,
/// exclusions, OR and filters are errors.
pub fn parse_reduced(text: &str) -> Result<Query, QueryError> {
    parse_as(text, Mode::Reduced, Scope::Any(&Field::ALL))
}

/// Where terms that name no field are looked for.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'f> {
    /// In any of these; an exclusion is compared as a bare one (S2.4).
    Any(&'f [Field]),
    /// In any of these, as if each term named them.
    Named(&'f [Field]),
}

/// How much of the language may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Full,
    Reduced,
}

fn parse_as(text: &str, mode: Mode, scope: Scope<'_>) -> Result<Query, QueryError> {
    if text.len() > LENGTH {
        let problem = "the query is longer than 64 KiB";
        return Err(QueryError { range: LENGTH..text.len(), problem, expected: "a shorter one" });
    }
    let union = |fields: &[Field]| Zones(fields.iter().fold(0, |zones, field| zones | Zones::of(*field).0));
    let frame = match scope {
        Scope::Any(fields) => Frame { zones: union(fields), named: false, ..Frame::default() },
        Scope::Named(fields) => Frame { zones: union(fields), named: true, ..Frame::default() },
    };
    let mut parser = Parser { text, mode, at: 0, groups: vec![Group::new(frame)], notices: Vec::new() };
    parser.run()?;
    while parser.groups.len() > 1 {
        parser.close()?;
    }
    let root = match parser.groups.pop() {
        Some(mut group) => {
            parser.settle(&mut group)?;
            group.into_node()
        }
        None => Node::Nothing,
    };
    Ok(Query { root, notices: parser.notices })
}

/// What applies to the terms of a group.
#[derive(Clone, Copy, Default)]
struct Frame {
    zones: Zones,
    /// A field was named.
    named: bool,
    /// The field that an enclosing group named.
    field: Option<Field>,
    /// Inside an exclusion.
    excluded: bool,
    /// The group itself is excluded.
    negated: bool,
}

/// An open group.
struct Group {
    frame: Frame,
    alternatives: Vec<Vec<Node<Filter>>>,
    clauses: Vec<Node<Filter>>,
    /// An OR that waits for the clause after it.
    or: Option<Range<usize>>,
    /// A clause was ignored since the last OR that is an operator.
    ignored: bool,
}

impl Group {
    fn new(frame: Frame) -> Self {
        Self { frame, alternatives: Vec::new(), clauses: Vec::new(), or: None, ignored: false }
    }

    fn push(&mut self, node: Node<Filter>) {
        if self.or.take().is_some() {
            self.alternatives.push(std::mem::take(&mut self.clauses));
        }
        self.clauses.push(node);
    }

    fn into_node(mut self) -> Node<Filter> {
        let all = |mut clauses: Vec<Node<Filter>>| match clauses.len() {
            1 if !matches!(clauses.first(), Some(Node::Not(_))) => clauses.pop().unwrap_or(Node::Nothing),
            0 => Node::Nothing,
            _ => Node::And(clauses),
        };
        if self.alternatives.is_empty() {
            return all(self.clauses);
        }
        self.alternatives.push(self.clauses);
        Node::Or(self.alternatives.into_iter().map(all).collect())
    }
}

struct Parser<'t> {
    text: &'t str,
    mode: Mode,
    at: usize,
    groups: Vec<Group>,
    notices: Vec<Notice>,
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}')
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2212}')
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        match self.peek() {
            Some(c) if wanted(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    fn run(&mut self) -> Result<(), QueryError> {
        loop {
            while self.eat(char::is_whitespace) {}
            if self.peek().is_none() {
                return Ok(());
            }
            if self.eat(|c| c == ')') {
                if self.groups.len() > 1 {
                    self.close()?;
                }
            } else if !self.or()? {
                self.clause()?;
            }
        }
    }

    /// Takes an OR that has a clause before it, or only ignored ones; whether one follows is seen later.
    fn or(&mut self) -> Result<bool, QueryError> {
        let Some(behind) = self.rest().strip_prefix("OR") else { return Ok(false) };
        let in_group = self.groups.len() > 1;
        let ends = behind.chars().next().is_none_or(|c| c.is_whitespace() || c == '(' || c == ')' && in_group);
        let range = self.at..self.at + 2;
        match self.groups.last_mut() {
            Some(group) if ends && !group.clauses.is_empty() && group.or.is_none() => {
                group.or = Some(range.clone());
                group.ignored = false;
            }
            // It has nothing to join: what stands between it and the OR before it was ignored, and so is this OR.
            Some(group) if ends && group.ignored && (group.clauses.is_empty() || group.or.is_some()) => {}
            _ => return Ok(false),
        }
        self.at += 2;
        self.full_only(range, "OR is not part of the reduced language")?;
        Ok(true)
    }

    fn full_only(&self, range: Range<usize>, problem: &'static str) -> Result<(), QueryError> {
        match self.mode {
            Mode::Full => Ok(()),
            Mode::Reduced => Err(QueryError { range, problem, expected: "words and phrases, with wildcards" }),
        }
    }

    fn clause(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        let negated = self.eat(is_minus);
        if negated && self.peek().is_some_and(|c| !c.is_whitespace()) {
            self.full_only(start..self.at, "exclusions are not part of the reduced language")?;
        }
        let mut frame = self.groups.last().map_or(Frame::default(), |group| group.frame);
        frame.negated = negated;
        frame.excluded |= negated;
        let prefix = self.at;
        let outer = frame.field;
        match self.prefix()? {
            Some(Prefix::Field(field)) => (frame.zones, frame.named, frame.field) = (Zones::of(field), true, Some(field)),
            Some(Prefix::Filter(name)) => return self.filter(prefix, name, negated),
            None => {}
        }
        if self.eat(|c| c == '(') {
            if self.groups.len() > DEPTH {
                let problem = "too many groups within groups";
                return Err(QueryError { range: self.at - 1..self.at, problem, expected: "at most 32" });
            }
            self.groups.push(Group::new(frame));
            return Ok(());
        }
        let (range, written) = self.term();
        let whole = self.text.get(prefix..self.at).unwrap_or_default();
        let whole = match outer {
            Some(field) if range.start < prefix + 2 => format!("{}:{whole}", field.name()),
            _ => whole.to_owned(),
        };
        self.push_term(range, whole, written, frame)
    }

    /// A field or filter, directly followed by its term or value.
    fn prefix(&mut self) -> Result<Option<Prefix>, QueryError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        let follows = behind.strip_prefix(':').and_then(|behind| behind.chars().next());
        let in_group = self.groups.len() > 1;
        if name.is_empty() || follows.is_none_or(|c| c.is_whitespace() || c == ')' && in_group) {
            return Ok(None);
        }
        let range = self.at..self.at + length;
        if let Some(field) = Field::named(name) {
            self.full_only(range, "fields are not part of the reduced language")?;
            self.at += length + 1;
            return Ok(Some(Prefix::Field(field)));
        }
        if let Some(filter) = filter::named(name) {
            self.full_only(range, "filters are not part of the reduced language")?;
            self.at += length + 1;
            return Ok(Some(Prefix::Filter(filter)));
        }
        if filter::is_reserved(name) {
            let problem = "this prefix is kept for a later language";
            return Err(QueryError { range, problem, expected: "put the clause in quotes to search it as text" });
        }
        // A web address is text, without a notice.
        if follows != Some('/') && !name.eq_ignore_ascii_case("mailto") {
            self.notices.push(Notice { range, kind: NoticeKind::UnknownPrefix { nearest: nearest(name) } });
        }
        Ok(None)
    }

    /// The value of the filter `name`, which begins at `start`.
    fn filter(&mut self, start: usize, name: &'static str, negated: bool) -> Result<(), QueryError> {
        let (range, _) = self.term();
        let value = self.text.get(range.clone()).unwrap_or_default();
        let kind = filter::read(name, value);
        let kind = kind.map_err(|expected| QueryError { range, problem: "this filter does not accept this value", expected })?;
        let written = self.text.get(start..self.at).unwrap_or_default().into();
        let node = Node::Filter(Filter { kind, written });
        if let Some(group) = self.groups.last_mut() {
            group.push(if negated { Node::Not(Box::new(node)) } else { node });
        }
        Ok(())
    }

    /// The bytes of a word or phrase.
    fn term(&mut self) -> (Range<usize>, Written) {
        if self.eat(is_quote) {
            let start = self.at;
            let length = self.rest().find(is_quote).unwrap_or(self.rest().len());
            self.at += length;
            self.eat(is_quote);
            return (start..start + length, Written::Quoted);
        }
        let start = self.at;
        let in_group = self.groups.len() > 1;
        let rest = self.rest();
        self.at += rest.find(|c: char| c.is_whitespace() || c == ')' && in_group).unwrap_or(rest.len());
        (start..self.at, Written::Bare)
    }

    /// A term at `range`; `whole` is the term with its field and quotes.
    fn push_term(&mut self, range: Range<usize>, whole: String, written: Written, frame: Frame) -> Result<(), QueryError> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let at_fault = |(problem, expected)| QueryError { range: range.clone(), problem, expected };
        let taken = parts_of(text, written).map_err(at_fault)?;
        if taken.forgives {
            self.full_only(range.clone(), "typing errors are not forgiven in the reduced language")?;
        }
        if taken.is_short {
            self.notices.push(Notice { range: range.clone(), kind: NoticeKind::ShortWord });
        }
        let Some(node) = term_node(text, &whole, written, taken, frame) else {
            if let Some(group) = self.groups.last_mut() {
                group.ignored = true;
            }
            if !text.trim().is_empty() {
                self.notices.push(Notice { range, kind: NoticeKind::Ignored });
            }
            return Ok(());
        };
        if written == Written::Bare && matches!(text, "AND" | "NOT") {
            self.notices.push(Notice { range, kind: NoticeKind::OperatorAsWord });
        }
        if let Some(group) = self.groups.last_mut() {
            group.push(node);
        }
        Ok(())
    }

    /// Closes the innermost group, which has one around it.
    fn close(&mut self) -> Result<(), QueryError> {
        let Some(mut group) = self.groups.pop() else { return Ok(()) };
        self.settle(&mut group)?;
        let negated = group.frame.negated;
        let node = group.into_node();
        match self.groups.last_mut() {
            Some(outer) if node == Node::Nothing => outer.ignored = true,
            Some(outer) => outer.push(if negated { Node::Not(Box::new(node)) } else { node }),
            None => {}
        }
        Ok(())
    }

    /// An OR that no clause follows is a word, but one that only ignored clauses follow is ignored like them.
    fn settle(&mut self, group: &mut Group) -> Result<(), QueryError> {
        if let Some(range) = group.or.take().filter(|_| !group.ignored) {
            let frame = Frame { negated: false, ..group.frame };
            let text = self.text.get(range.clone()).unwrap_or_default();
            let taken = parts_of(text, Written::Bare).map_err(|(problem, expected)| QueryError { range, problem, expected })?;
            group.clauses.extend(term_node(text, text, Written::Bare, taken, frame));
        }
        Ok(())
    }
}

/// The node of a term that was split; `whole` is the term with its field and quotes. `None` if no part is left.
fn term_node(text: &str, whole: &str, written: Written, taken: Parts, frame: Frame) -> Option<Node<Filter>> {
    let Parts { parts, forgives, .. } = taken;
    if parts.is_empty() {
        return None;
    }
    let everything = written == Written::Bare && parts == [Part::AnyWord] && text.chars().all(|c| c == '*');
    let zones = frame.zones;
    // Complete addresses are compared as they are written.
    let complete = (parts.len() > 1 && !forgives).then(|| complete_of(text)).flatten().map(Box::new);
    let term = |zones, address| Node::Term(Term { zones, parts, address, complete, written: whole.into() });
    let node = match frame.named {
        false if everything => Node::All,
        false if frame.excluded => {
            let of_address = Zones(zones.0 & Zones::ADDRESSES.0);
            let address = (of_address.0 != 0 && !forgives).then(|| Box::new((address_of(text), of_address)));
            term(Zones(zones.0 & Zones::WITHOUT_ADDRESSES.0), address)
        }
        _ => term(zones, None),
    };
    Some(if frame.negated { Node::Not(Box::new(node)) } else { node })
}

/// What is before a colon.
enum Prefix {
    Field(Field),
    Filter(&'static str),
}

/// The field or filter whose name differs by one letter changed, left out, added, or two swapped.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    Field::ALL.into_iter().map(Field::name).chain(filter::names()).find(|field| is_near(name.as_bytes(), field.as_bytes()))
}

fn is_near(a: &[u8], b: &[u8]) -> bool {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    match (a, b) {
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([a0, a1, a @ ..], [b0, b1, b @ ..]) if (a0, a1) == (b1, b0) && a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        _ => false,
    }
}
