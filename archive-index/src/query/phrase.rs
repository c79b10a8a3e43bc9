//! Phrases: parts that follow each other. Positions are read only for documents that contain all the parts.

use super::long::{Rests, docs_with_long_words, long_places};
use super::run::{How, empty, special, word};
use super::tree::{Part, Term};
use crate::error::IndexError;
use crate::postings::bits::Bits;
use crate::postings::places::Places;
use crate::segment::Source;
use crate::terms::pattern::Pattern;
use crate::text::class::class;
use crate::text::field::Zones;
use crate::text::key::{KeyParts, PIECE, VALUE_ENDS, parts};

/// Bound on the positions held in memory while a phrase is joined, in bytes of their packed form.
const POSITIONS_AT_ONCE: u64 = 4 << 20;
/// About as long, in bytes of positions, is a list whose documents are read as fast as the positions of one document.
const LIST_FOR_ONE: u64 = 256;
/// Mask of the position in a place; the bits above it are the document.
const POSITION: u64 = u32::MAX as u64;

/// The documents with a complete address in which the parts of `term` follow each other.
fn complete<S: Source>(source: &S, term: &Term, how: How<'_>) -> Result<Bits, IndexError> {
    let mut docs = empty(source);
    let zones = Zones(term.zones.0 & Zones::ADDRESSES.0);
    let Some(pattern) = term.complete.as_ref().filter(|_| zones.0 != 0) else { return Ok(docs) };
    let needs_word = term.parts.first() == Some(&Part::AnyWord);
    source.find(pattern, &mut |key, found| {
        how.go_on()?;
        if pattern.is_whole() || is_sure_with_beginning(key, pattern, needs_word) {
            source.docs(found, zones, &mut docs)?;
        }
        Ok(())
    })?;
    Ok(docs)
}

/// Whether the parts, which match the end of a complete address, certainly follow each other in it. This is not certain
/// for long addresses: the key has only their beginning, or their words are stored in pieces. With `needs_word`, a word
/// must precede the parts.
fn is_sure_with_beginning(key: &[u8], pattern: &Pattern, needs_word: bool) -> bool {
    let KeyParts { folded, exact, .. } = parts(key);
    let letters = |form: &[u8]| std::str::from_utf8(form).map_or(usize::MAX, |form| form.chars().count());
    // The part before the matched end: a leading `*` needs a word there.
    let beginning = folded.get(..folded.len().saturating_sub(pattern.end().len())).and_then(|form| std::str::from_utf8(form).ok());
    // An address shorter than a piece is complete in its key, and none of its words is cut into pieces.
    letters(exact.unwrap_or(folded)) < PIECE
        && beginning.is_some_and(|beginning| !needs_word || beginning.chars().any(|c| class(c).is_word()))
}

/// The documents in which the parts of `term` follow each other. Positions are read only for documents in `within`,
/// which the other clauses left over.
pub(super) fn phrase<S: Source>(source: &S, term: &Term, within: Option<&Bits>, how: How<'_>) -> Result<Bits, IndexError> {
    // One look-up of the whole address settles these documents, so their positions need not be read below.
    let mut found = complete(source, term, how)?;
    let is_wild = |part: &Part| match part {
        Part::Word(pattern) => pattern.is_wild(),
        Part::AnyWord => true,
    };
    // To a wildcard, a word stored in pieces is one word. Its pieces take several positions, so documents with such
    // words are joined by counting words instead of positions.
    let long = if term.parts.iter().any(is_wild) { docs_with_long_words(source, term.zones)? } else { empty(source) };
    // The dictionary knows the lengths of lists. They are read shortest first, and reading stops when no document is
    // left.
    let mut words = Vec::new();
    for (offset, part) in (0u64..).zip(&term.parts) {
        let Part::Word(pattern) = part else { continue };
        let mut weight = 0u64;
        source.find(pattern, &mut |_, term| {
            how.go_on()?;
            weight = weight.saturating_add(source.weight(term));
            Ok(())
        })?;
        words.push(PhraseWord { weight, offset, pattern, docs: empty(source) });
    }
    // A phrase of nothing but `*` has no word whose positions could be joined; only the lengths of values decide.
    if words.is_empty() {
        return long_values(source, term.parts.len() as u64, term.zones, how);
    }
    words.sort_by_key(|word| word.weight);
    let lightest = words.first().map_or(0, |word| word.weight);
    let mut plain: Option<Bits> = None;
    for phrase_word in &mut words {
        // Where few documents are left, reading their positions alone is less than a long list.
        if long.is_empty() && plain.as_ref().is_some_and(|plain| plain.count() * LIST_FOR_ONE <= phrase_word.weight) {
            break;
        }
        phrase_word.docs = word(source, phrase_word.pattern, term.zones, how)?.0;
        match &mut plain {
            // `phrase_word.docs` itself is not narrowed: the join by words below needs its documents with long words
            // too.
            Some(plain) => plain.and(&phrase_word.docs),
            None => {
                let mut docs = phrase_word.docs.clone();
                within.into_iter().for_each(|within| docs.and(within));
                // What is found already, and what is joined by words, must not be joined by positions.
                docs.and_not(&found);
                docs.and_not(&long);
                plain = Some(docs);
            }
        }
        // The lists that are left are the longest. With long words in play they must be read: `wanted` needs all of
        // them.
        if long.is_empty() && plain.as_ref().is_some_and(Bits::is_empty) {
            return Ok(found);
        }
    }
    let plain = plain.unwrap_or_else(|| empty(source));
    let stars: Vec<u64> = (0u64..).zip(&term.parts).filter(|(_, part)| **part == Part::AnyWord).map(|(offset, _)| offset).collect();
    if !plain.is_empty() {
        // The lightest word alone bounds the memory: `join` keeps its places, and each further word only removes some.
        for window in windows(&plain, lightest, source) {
            how.go_on()?;
            join(source, &Phrase { words: &words, stars: &stars, zones: term.zones }, window, how, &mut found)?;
        }
    }
    if !long.is_empty() {
        let mut wanted = long.clone();
        within.into_iter().for_each(|within| wanted.and(within));
        for word in &words {
            let mut docs = word.docs.clone();
            // The pattern may match a long word as a whole where it matches no single piece: any such document may
            // qualify.
            if word.pattern.over_pieces().is_some() {
                docs.or(&long);
            }
            wanted.and(&docs);
        }
        wanted.and_not(&found);
        if !wanted.is_empty() {
            for window in windows(&wanted, lightest, source) {
                join_words(source, term, &window, how, &mut found)?;
            }
        }
    }
    Ok(found)
}

/// A phrase to look for: its words, lightest first, and the offsets at which a `*` stands for a word.
struct Phrase<'q> {
    words: &'q [PhraseWord<'q>],
    stars: &'q [u64],
    zones: Zones,
}

/// A word of a phrase: the bytes that its positions take, how many words after the beginning it is, and its documents.
struct PhraseWord<'q> {
    weight: u64,
    offset: u64,
    pattern: &'q Pattern,
    docs: Bits,
}

/// Divides the candidates into windows, so that the positions of each window fit into memory.
fn windows<S: Source>(candidates: &Bits, weight: u64, source: &S) -> Vec<Bits> {
    let count = usize::try_from(weight / POSITIONS_AT_ONCE).unwrap_or(usize::MAX);
    if count == 0 {
        return vec![candidates.clone()];
    }
    let docs: Vec<u32> = candidates.iter().collect();
    let cut = |docs: &[u32]| {
        let mut window = empty(source);
        docs.iter().for_each(|&doc| window.insert(doc));
        window
    };
    // This takes positions as evenly spread. Each window walks all lists of the phrase again, so none is smaller than
    // 64.
    docs.chunks((docs.len() / (count + 1)).max(64)).map(cut).collect()
}

/// Adds the documents of `wanted` in which the parts follow each other. The lightest word gives the places at which the
/// phrase may begin. Each further word removes some of them, and is read in fewer documents.
fn join<S: Source>(source: &S, phrase: &Phrase<'_>, mut wanted: Bits, how: How<'_>, found: &mut Bits) -> Result<(), IndexError> {
    let mut starts: Option<Vec<u64>> = None;
    for word in phrase.words {
        let mut places = match starts.take() {
            None => Places::all(word.offset),
            Some(starts) => Places::among(starts, word.offset, source.range()),
        };
        source.find(word.pattern, &mut |_, term| {
            how.go_on()?;
            // A wildcard has many terms, and the documents of each start from the lowest again.
            places.begin_term();
            source.positions(term, phrase.zones, &wanted, &mut places)
        })?;
        let kept = places.into_sorted();
        // For the next word, only documents that still have a beginning are read: blocks without one are skipped.
        wanted = empty(source);
        kept.iter().for_each(|place| wanted.insert((place >> 32) as u32));
        if kept.is_empty() {
            return Ok(());
        }
        starts = Some(kept);
    }
    let starts = starts.unwrap_or_default();
    // Without a `*`, every document that still has a beginning is a match.
    if phrase.stars.is_empty() {
        found.or(&wanted);
        return Ok(());
    }
    let ends = value_ends(source, Zones::ALL, &wanted)?;
    for start in starts {
        // Positions have no gaps but the ends of values. So a `*` has a word at its position unless a value ends there.
        if phrase.stars.iter().all(|offset| ends.binary_search(&(start + offset)).is_err()) {
            found.insert((start >> 32) as u32);
        }
    }
    Ok(())
}

/// The same for documents with words that are stored in pieces: each word counts as one, however many positions it
/// takes.
fn join_words<S: Source>(source: &S, term: &Term, wanted: &Bits, how: How<'_>, found: &mut Bits) -> Result<(), IndexError> {
    let rests = Rests::of(source, wanted, how)?;
    let mut offset = 0;
    let mut starts: Option<Vec<u64>> = None;
    let mut stars = Vec::new();
    for part in &term.parts {
        let pattern = match part {
            Part::AnyWord => {
                stars.push(offset);
                offset += 1;
                continue;
            }
            Part::Word(pattern) => pattern,
        };
        // No offset yet: it counts words, and places become words only below.
        let mut places = Places::all(0);
        source.find(pattern, &mut |_, found| {
            how.go_on()?;
            places.begin_term();
            source.positions(found, term.zones, wanted, &mut places)
        })?;
        let mut places = places.into_sorted();
        places.extend(long_places(source, pattern, term.zones, wanted, how)?);
        // A query word above 64 letters has several parts: those that continue it are at the place of its first part.
        let at = if pattern.continues() { offset - 1 } else { offset };
        // Position 0 is the end before the first value, no word; and a subtraction must not reach the document before.
        let begins = |place: u64| rests.word_at(place).checked_sub(at).filter(|start| *start & POSITION > 0 && *start >> 32 == place >> 32);
        let mut begins: Vec<u64> = places.into_iter().filter_map(begins).collect();
        // Several pieces of one word may match, and all of them have the place of the word.
        begins.sort_unstable();
        begins.dedup();
        if let Some(before) = &starts {
            begins.retain(|start| before.binary_search(start).is_ok());
        }
        starts = Some(begins);
        offset += u64::from(!pattern.continues());
    }
    // Ends are counted in words like the beginnings, or the two could not be compared.
    let ends = value_ends(source, Zones::ALL, wanted)?;
    let mut ends: Vec<u64> = ends.into_iter().map(|end| rests.word_at(end)).collect();
    ends.sort_unstable();
    for start in starts.unwrap_or_default() {
        if stars.iter().all(|offset| ends.binary_search(&(start + offset)).is_err()) {
            found.insert((start >> 32) as u32);
        }
    }
    Ok(())
}

fn value_ends<S: Source>(source: &S, zones: Zones, wanted: &Bits) -> Result<Vec<u64>, IndexError> {
    let mut places = Places::all(0);
    source.special(VALUE_ENDS, &mut |_, term| source.positions(term, zones, wanted, &mut places))?;
    Ok(places.into_sorted())
}

/// The documents with a value of at least `words` words: a phrase of nothing but `*`.
fn long_values<S: Source>(source: &S, words: u64, zones: Zones, how: How<'_>) -> Result<Bits, IndexError> {
    let wanted = special(source, VALUE_ENDS, zones)?;
    let rests = Rests::of(source, &wanted, how)?;
    // A value begins after the end before it, which may be in any zone; only its own end must be in one of `zones`.
    let ends = value_ends(source, Zones::ALL, &wanted)?;
    let mut found = empty(source);
    for end in value_ends(source, zones, &wanted)? {
        let doc = end >> 32 << 32;
        let before = ends.get(..ends.partition_point(|&other| other < end)).and_then(<[u64]>::last);
        // The first value of a document has no end before it: position 0, which no word has, takes its place.
        let start = before.filter(|&&before| before > doc).map_or(doc, |&before| before);
        // Both ends are positions of their own, so the difference is one more than the words between them.
        if rests.word_at(end) - rests.word_at(start) > words {
            found.insert((end >> 32) as u32);
        }
    }
    Ok(found)
}
