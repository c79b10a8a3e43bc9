//! What a query requires of a word: letters, with or without marks, and wildcards; and where in the dictionary to look
//! for it.

use super::typo::Typo;
use crate::text::class::class;
use crate::text::fold::{Letter, letters};
use crate::text::key::{ADDRESS, CONTINUES, KeyParts, LONG, SPECIAL};
use memchr::memmem;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Elem {
    /// This letter; if it has no marks, with any marks.
    Letter(Letter),
    /// `?`
    One,
    /// `*`
    Many,
}

/// In words of more letters, at most one typing error is forgiven (S2.10).
pub(crate) const MOST_LETTERS: usize = 32;

/// Where in the dictionary all matches are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach<'a> {
    /// Among the keys with this beginning.
    Forward(&'a [u8]),
    /// Among the folded forms with this end, reversed; one range for each lead.
    Backward(&'a [u8]),
    /// Near a word.
    Near(&'a Typo),
    /// Anywhere.
    Everywhere,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// The folded form as a whole.
    Whole,
    /// Beginning, anything, end.
    Ends,
    /// Anything, these letters, anything.
    Inside,
    /// Any other pattern, matched letter by letter.
    Glob,
    /// Any one letter of a script without blanks.
    AnyAlone,
    /// Every key with the lead.
    All,
    /// These letters, with typing errors.
    Near(Typo),
}

/// A pattern for one word, one piece of a long word, or one complete address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    lead: u8,
    goes_on: bool,
    elems: Vec<Elem>,
    shape: Shape,
    /// Some letter was typed with marks: only exact forms can match.
    marked: bool,
    /// The folded letters before the first wildcard, after the lead.
    start: Vec<u8>,
    /// The folded letters after the last wildcard.
    end: Vec<u8>,
    /// The same, reversed.
    end_backward: Vec<u8>,
    /// The longest run of folded letters.
    longest: Vec<u8>,
}

impl Pattern {
    /// The pattern of a word or piece.
    pub(crate) fn word(elems: Vec<Elem>, continues: bool, goes_on: bool) -> Self {
        Self::new(elems, if continues { CONTINUES } else { 0 }, goes_on)
    }

    /// The pattern of a complete address.
    pub(crate) fn address(elems: Vec<Elem>) -> Self {
        Self::new(elems, ADDRESS, false)
    }

    /// Any single letter of a script without blanks (S1.3).
    pub(crate) fn any_alone() -> Self {
        let mut pattern = Self::new(vec![Elem::One], 0, false);
        pattern.shape = Shape::AnyAlone;
        pattern
    }

    /// Every key with this lead.
    pub(crate) fn all_with_lead(lead: u8) -> Self {
        let mut pattern = Self::new(vec![Elem::Many], lead, false);
        pattern.shape = Shape::All;
        pattern
    }

    /// The pattern, if it may match a word of several pieces that [`matches`](Self::matches) does not find: it has
    /// wildcards, and is more than a beginning.
    pub(crate) fn over_pieces(&self) -> Option<&[Elem]> {
        let beginning =
            matches!(self.elems.split_last(), Some((Elem::Many, rest)) if rest.iter().all(|elem| matches!(elem, Elem::Letter(_))));
        (self.is_wild() && !beginning && self.lead == 0 && !matches!(self.shape, Shape::AnyAlone | Shape::All | Shape::Near(_)))
            .then_some(&self.elems)
    }

    /// Whether it is for a piece that continues a word.
    pub(crate) fn continues(&self) -> bool {
        self.lead == CONTINUES
    }

    /// Whether it has wildcards.
    pub(crate) fn is_wild(&self) -> bool {
        self.elems.iter().any(|elem| matches!(elem, Elem::One | Elem::Many))
    }

    /// The word with `errors` typing errors (S2.10); with `first`, the first letter is right. Only for a word without
    /// wildcards that is not a piece of a longer one.
    pub(crate) fn with_errors(&self, errors: u8, first: bool) -> Self {
        let typo = Typo::new(std::str::from_utf8(&self.start).unwrap_or_default(), errors, first);
        Self { shape: Shape::Near(typo), marked: false, ..self.clone() }
    }

    /// Words that differ from this one in one letter, or in two from six letters on. `None` if that cannot be
    /// determined.
    pub(crate) fn near(&self) -> Option<Self> {
        let errors = if self.elems.len() < 6 || self.elems.len() > MOST_LETTERS { 1 } else { 2 };
        self.is_word().then(|| self.with_errors(errors, false))
    }

    /// Whether it is for a whole word, without wildcards, of a script with blanks.
    pub(crate) fn is_word(&self) -> bool {
        let stands_alone = |elem: &Elem| matches!(elem, Elem::Letter(letter) if class(letter.base).stands_alone());
        self.is_whole() && self.lead == 0 && !self.goes_on && !self.elems.iter().any(stands_alone)
    }

    /// The number of its letters.
    pub(crate) fn letters(&self) -> usize {
        self.elems.iter().filter(|elem| matches!(elem, Elem::Letter(_))).count()
    }

    /// Words that begin with this one. `None` if it has wildcards, is a piece of a longer word, or is a letter that is
    /// a word by itself.
    pub(crate) fn completed(&self) -> Option<Self> {
        self.is_word().then(|| Self::new(self.elems.iter().cloned().chain([Elem::Many]).collect(), 0, false))
    }

    fn new(elems: Vec<Elem>, lead: u8, goes_on: bool) -> Self {
        let mut runs: Vec<Vec<u8>> = vec![Vec::new()];
        let mut marked = false;
        for elem in &elems {
            match elem {
                Elem::Letter(letter) => {
                    marked |= !letter.marks.is_empty();
                    if let Some(run) = runs.last_mut() {
                        run.extend_from_slice(letter.base.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                Elem::One | Elem::Many => runs.push(Vec::new()),
            }
        }
        let manys = elems.iter().filter(|elem| **elem == Elem::Many).count();
        let ones = elems.contains(&Elem::One);
        let open = |elem: Option<&Elem>| elem == Some(&Elem::Many);
        let shape = match (marked || ones, manys) {
            (false, 0) => Shape::Whole,
            (false, 1) => Shape::Ends,
            (false, 2) if open(elems.first()) && open(elems.last()) => Shape::Inside,
            _ => Shape::Glob,
        };
        let mut start: Vec<u8> = if lead == 0 { Vec::new() } else { vec![lead] };
        start.extend_from_slice(runs.first().map_or(&[], Vec::as_slice));
        if goes_on && manys == 0 && !ones {
            start.push(CONTINUES);
        }
        let end = runs.last().cloned().unwrap_or_default();
        let end_backward = end.iter().rev().copied().collect();
        let longest = runs.iter().max_by_key(|run| run.len()).cloned().unwrap_or_default();
        Self { lead, goes_on, elems, shape, marked, start, end, end_backward, longest }
    }

    /// The leads that matches have. A pattern that is open at its beginning matches the later pieces of long words too.
    pub(crate) fn leads(&self) -> &[u8] {
        match (self.lead, self.elems.first()) {
            (ADDRESS, _) => &[ADDRESS],
            (LONG, _) => &[LONG],
            (CONTINUES, Some(Elem::Many)) if self.shape == Shape::All => &[CONTINUES],
            (_, Some(Elem::Many)) => &[0, CONTINUES],
            (CONTINUES, _) => &[CONTINUES],
            _ => &[0],
        }
    }

    /// Whether only one folded form can match.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.shape, Shape::Near(_)) && !self.elems.iter().any(|elem| matches!(elem, Elem::One | Elem::Many))
    }

    /// The folded letters after the last wildcard.
    pub(crate) fn end(&self) -> &[u8] {
        &self.end
    }

    /// Bytes that the folded form of every match contains.
    pub(crate) fn longest(&self) -> &[u8] {
        match self.shape {
            Shape::Near(_) => &[],
            _ => &self.longest,
        }
    }

    /// Where to look.
    pub(crate) fn reach(&self) -> Reach<'_> {
        match &self.shape {
            Shape::Near(typo) => return Reach::Near(typo),
            Shape::AnyAlone => return Reach::Everywhere,
            _ => {}
        }
        let open_end = self.elems.last() == Some(&Elem::Many);
        let known_start = self.start.len() - usize::from(self.lead != 0);
        if self.shape == Shape::All {
            return Reach::Forward(&self.start);
        }
        if self.is_whole() || known_start > 0 && (open_end || known_start >= self.end.len()) {
            Reach::Forward(&self.start)
        } else if !open_end && !self.end.is_empty() && !self.goes_on {
            Reach::Backward(&self.end_backward)
        } else if known_start > 0 || self.lead == ADDRESS {
            Reach::Forward(&self.start)
        } else {
            Reach::Everywhere
        }
    }

    /// Whether some form of the key's folded form could match.
    pub(crate) fn may_have_folded(&self, key: &KeyParts<'_>) -> bool {
        self.marked || self.matches(key)
    }

    /// Whether a key matches.
    pub(crate) fn matches(&self, key: &KeyParts<'_>) -> bool {
        self.matches_with(key, |folded| memmem::find(folded, &self.longest).is_some())
    }

    /// The same for many keys.
    pub(crate) fn matcher(&self) -> Matcher<'_> {
        Matcher { pattern: self, longest: memmem::Finder::new(&self.longest) }
    }

    fn matches_with(&self, key: &KeyParts<'_>, has_longest: impl Fn(&[u8]) -> bool) -> bool {
        if key.lead == SPECIAL || !self.leads().contains(&key.lead) || self.marked && key.exact.is_none() {
            return false;
        }
        let (folded, goes_on) = match key.folded.split_last() {
            Some((&CONTINUES, folded)) => (folded, true),
            _ => (key.folded, false),
        };
        if goes_on != self.goes_on && self.elems.last() != Some(&Elem::Many) {
            return false;
        }
        let known_start = self.start.get(usize::from(self.lead != 0)..).unwrap_or_default();
        match &self.shape {
            Shape::Whole => folded == known_start.strip_suffix(&[CONTINUES]).unwrap_or(known_start),
            Shape::Ends => {
                folded.len() >= known_start.len() + self.end.len() && folded.starts_with(known_start) && folded.ends_with(&self.end)
            }
            Shape::Inside => has_longest(folded),
            Shape::Glob => {
                if !has_longest(folded) {
                    return false;
                }
                let form = if self.marked { key.exact.unwrap_or_default() } else { folded };
                let Ok(form) = std::str::from_utf8(form) else { return false };
                let letters = if self.marked { letters(form) } else { bare(form) };
                glob(&self.elems, &letters)
            }
            Shape::All => true,
            Shape::Near(typo) => typo.accepts(folded),
            Shape::AnyAlone => std::str::from_utf8(folded).is_ok_and(|form| form.chars().next().is_some_and(|c| class(c).stands_alone())),
        }
    }
}

/// A pattern, prepared for matching many keys.
pub(crate) struct Matcher<'p> {
    pattern: &'p Pattern,
    longest: memmem::Finder<'p>,
}

impl Matcher<'_> {
    /// As [`Pattern::matches`].
    #[inline]
    pub(crate) fn matches(&self, key: &KeyParts<'_>) -> bool {
        self.pattern.matches_with(key, |folded| self.longest.find(folded).is_some())
    }
}

fn bare(folded: &str) -> Vec<Letter> {
    folded.chars().map(|base| Letter { base, marks: String::new() }).collect()
}

pub(crate) fn meets(elem: &Elem, letter: &Letter) -> bool {
    match elem {
        Elem::Letter(asked) => asked.base == letter.base && (asked.marks.is_empty() || asked.marks == letter.marks),
        Elem::One => true,
        Elem::Many => false,
    }
}

/// Backtracks to the last `*` only, which suffices: the time is at most the product of the lengths.
fn glob(elems: &[Elem], letters: &[Letter]) -> bool {
    let (mut elem, mut letter) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(current) = letters.get(letter) {
        match elems.get(elem) {
            Some(Elem::Many) => {
                elem += 1;
                back = Some((elem, letter));
            }
            Some(asked) if meets(asked, current) => {
                elem += 1;
                letter += 1;
            }
            _ => match &mut back {
                Some((after, from)) => {
                    *from += 1;
                    (elem, letter) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    elems.get(elem..).unwrap_or_default().iter().all(|elem| *elem == Elem::Many)
}
