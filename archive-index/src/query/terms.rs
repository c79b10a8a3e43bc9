//! From the text of a clause to the parts of a term: splitting as S1 does it, with wildcards kept.

use super::tree::Part;
use crate::terms::pattern::{Elem, Pattern};
use crate::text::class::class;
use crate::text::fold::letters;
use crate::text::key::{ADDRESS_LETTERS, address_text};
use crate::text::map::map;
use crate::text::split::cut;

/// Stand for `*` and `?` while the text is mapped: noncharacters, which no mapping touches and no text may hold.
const MANY: char = '\u{fdd0}';
const ONE: char = '\u{fdd1}';

/// What is wrong with a clause, and what was expected.
pub(super) type Problem = (&'static str, &'static str);

/// How the text of a clause was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Bare,
    Quoted,
}

fn marked(text: &str) -> String {
    // In an address of the web `?` begins its query: people paste such addresses whole.
    let begins = |start: &str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    let is_url = text.contains("://") || begins("www.") || begins("mailto:");
    let swapped: String = text
        .chars()
        .map(|c| match c {
            '*' => MANY,
            '?' if is_url => ' ',
            '?' => ONE,
            MANY | ONE => ' ',
            c => c,
        })
        .collect();
    map(&swapped).into_owned()
}

/// The parts of a word or phrase.
pub(super) fn parts_of(text: &str, written: Written) -> Result<Vec<Part>, Problem> {
    let mapped = marked(text);
    let mut parts = Vec::new();
    let separates = |c: char| c != MANY && c != ONE && !class(c).is_word();
    for run in mapped.split(separates) {
        let run = if written == Written::Quoted { run.trim_end_matches(ONE) } else { run };
        if run.starts_with(ONE) || run.ends_with(ONE) {
            return Err(("? at the edge of a word", "? stands for one letter inside a word; use * at its beginning or end"));
        }
        run_parts(run, &mut parts)?;
    }
    Ok(parts)
}

/// A bare exclusion as a complete address, compared as one string.
pub(super) fn address_of(text: &str) -> Pattern {
    Pattern::address(elems(&address_text(&marked(text))))
}

/// The complete addresses that the text of a phrase says: as it stands, or with any beginning.
pub(super) fn complete_of(text: &str) -> Option<Pattern> {
    let mapped = marked(text);
    let literal = mapped.trim_start_matches(MANY);
    let is_one = literal.contains('@') && !literal.contains([MANY, ONE]) && literal.chars().count() < ADDRESS_LETTERS;
    is_one.then(|| Pattern::address(elems(&address_text(&mapped))))
}

fn elems(text: &str) -> Vec<Elem> {
    let mut elems = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find([MANY, ONE]).unwrap_or(rest.len());
        let (literal, behind) = rest.split_at(at);
        elems.extend(letters(literal).into_iter().map(Elem::Letter));
        let mut behind = behind.chars();
        match behind.next() {
            Some(MANY) if elems.last() != Some(&Elem::Many) => elems.push(Elem::Many),
            Some(ONE) => elems.push(Elem::One),
            _ => {}
        }
        rest = behind.as_str();
    }
    elems
}

/// A maximal run of letters, digits, marks and wildcards.
fn run_parts(run: &str, parts: &mut Vec<Part>) -> Result<(), Problem> {
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let alone = class(first).stands_alone();
        let end = rest.char_indices().skip(1).find(|&(_, c)| {
            let class = class(c);
            if alone { !class.is_mark() } else { class.stands_alone() }
        });
        let (piece, behind) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        if alone {
            rest = after_alone(behind, parts, piece)?;
            continue;
        }
        // A `*` that only borders on letters without blanks changes nothing.
        let borders = !behind.is_empty();
        if !(borders && piece.chars().all(|c| c == MANY)) {
            word_parts(piece, parts);
        }
        rest = behind;
    }
    Ok(())
}

/// A letter that is a word by itself, and the wildcards directly after it. Returns what follows.
fn after_alone<'t>(behind: &'t str, parts: &mut Vec<Part>, letter: &str) -> Result<&'t str, Problem> {
    word_parts(letter, parts);
    let mut rest = behind;
    while let Some(after) = rest.strip_prefix(ONE) {
        parts.push(Part::Word(Pattern::any_alone()));
        rest = after;
    }
    let starless = rest.trim_start_matches(MANY);
    if starless.len() < rest.len() {
        if starless.chars().next().is_some_and(|c| class(c).stands_alone() || c == ONE) {
            return Err(("* between letters of a script without blanks", "leave it out: such letters are found wherever they stand"));
        }
        if starless.is_empty() {
            return Ok(starless);
        }
    }
    Ok(rest)
}

fn word_parts(word: &str, parts: &mut Vec<Part>) {
    let literal = word.trim_end_matches(MANY);
    if literal.is_empty() {
        parts.push(Part::AnyWord);
        return;
    }
    if literal.contains([MANY, ONE]) {
        parts.push(Part::Word(Pattern::word(elems(word), false, false)));
        return;
    }
    let open = literal.len() < word.len();
    for (piece, continues, goes_on) in cut(literal) {
        let mut letters = elems(piece);
        if open && !goes_on {
            letters.push(Elem::Many);
        }
        parts.push(Part::Word(Pattern::word(letters, continues, goes_on)));
    }
}
