//! From the text of a clause to the parts of a term: splitting as in S1, with wildcards kept.

use super::tree::Part;
use crate::terms::pattern::{Elem, MOST_LETTERS, Pattern};
use crate::text::class::class;
use crate::text::fold::letters;
use crate::text::key::{ADDRESS_LETTERS, address_text};
use crate::text::map::map;
use crate::text::split::cut;

/// Placeholders for `*` and `?` while the text is mapped: noncharacters, which no mapping changes and no text may
/// contain.
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
    // In a web address `?` begins the query part; people paste such addresses whole.
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

/// The text of a clause, split.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// Some word asked for typing errors to be forgiven (S2.10).
    pub(super) forgives: bool,
    /// Such a word is too short for it.
    pub(super) is_short: bool,
}

/// The parts of a word or phrase.
pub(super) fn parts_of(text: &str, written: Written) -> Result<Parts, Problem> {
    let mapped = marked(text);
    let mut taken = Parts::default();
    let mut rest = mapped.as_str();
    while let Some(start) = rest.find(|c| !separates(c)) {
        let tail = rest.get(start..).unwrap_or_default();
        let (run, behind) = tail.split_at(tail.find(separates).unwrap_or(tail.len()));
        rest = behind;
        let run = if written == Written::Quoted { run.trim_end_matches(ONE) } else { run };
        if run.starts_with(ONE) || run.ends_with(ONE) {
            return Err(("? at the edge of a word", "? stands for one letter inside a word; use * at its beginning or end"));
        }
        let errors = if written == Written::Bare { errors_after(behind) } else { None };
        match errors {
            Some((number, behind)) => {
                rest = behind;
                forgiving(run, number, &mut taken)?;
            }
            None => run_parts(run, &mut taken.parts)?,
        }
    }
    Ok(taken)
}

fn separates(c: char) -> bool {
    c != MANY && c != ONE && !class(c).is_word()
}

/// If `text` begins with a `~` of S2.10: the number after it, as it was written, and the rest. `None` if the `~`
/// separates words.
fn errors_after(text: &str) -> Option<(&str, &str)> {
    let behind = text.strip_prefix('~')?;
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let (number, behind) = behind.split_at(end);
    behind.chars().next().is_none_or(separates).then_some((number, behind))
}

/// A word with its typing errors (S2.10).
fn forgiving(run: &str, number: &str, taken: &mut Parts) -> Result<(), Problem> {
    let number = match number {
        "" => None,
        "1" => Some(1),
        "2" => Some(2),
        _ => return Err(("this number of typing errors", "word~, word~1 or word~2; to search it as text, put it into quotes")),
    };
    if run.contains([MANY, ONE]) {
        return Err(("~ after a word with wildcards", "use either ~, or * and ?"));
    }
    if run.chars().any(|c| class(c).stands_alone()) {
        return Err(("~ in a script without blanks", "leave it out: such letters are found wherever they stand"));
    }
    taken.forgives = true;
    let at = taken.parts.len();
    run_parts(run, &mut taken.parts)?;
    let [Part::Word(word)] = taken.parts.get_mut(at..).unwrap_or_default() else {
        return Err(("~ after a word above 64 letters", "a shorter word, or * after its beginning"));
    };
    let errors = match (number, word.letters()) {
        (None, 0..4) => {
            taken.is_short = true;
            return Ok(());
        }
        (_, letters) if letters > MOST_LETTERS => 1,
        (None, 4..8) => 1,
        (None, _) => 2,
        (Some(number), _) => number,
    };
    *word = word.with_errors(errors, number.is_none());
    Ok(())
}

/// A bare exclusion as a complete address, compared as one string.
pub(super) fn address_of(text: &str) -> Pattern {
    Pattern::address(elems(&address_text(&marked(text))))
}

/// The complete addresses that the text of a phrase means: as it is written, or with any beginning.
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
        // A `*` at the edge of letters of a script without blanks changes nothing.
        let borders = !behind.is_empty();
        if !(borders && piece.chars().all(|c| c == MANY)) {
            word_parts(piece, parts);
        }
        rest = behind;
    }
    Ok(())
}

/// Takes a letter that is a word by itself, and the wildcards directly after it. Returns the rest.
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
