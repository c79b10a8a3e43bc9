//! Queries by kind, made of words that are drawn from mails by a seed.
//!
//! One third of the words are in one mail, one third in 10 to 1,000 mails, one third in over a tenth of the sample. A
//! [`Query`] is not text, so that other engines can run it too; as text it is a query of Mailkeep's language.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use crate::Result;

/// The most mails from which words are drawn.
pub const SAMPLE: usize = 20_000;

/// The dates of [`Query::Five`]: whole years.
const YEARS: &str = "2000..2020";

/// The same in UTC, in seconds since 1970.
pub const DATES: Range<i64> = 946_684_800..1_609_459_200;

/// A query. Words are lower-case ASCII letters.
#[derive(Debug, Clone)]
pub enum Query {
    /// A word in any field; so are all others that name no field.
    Word(String),
    /// Words with this beginning.
    Prefix(String),
    /// Words with this end.
    Suffix(String),
    /// Words that contain it.
    Infix(String),
    /// Words with this beginning and end.
    Ends(String, String),
    /// A complete address in `from`.
    From(String),
    /// Addresses of a domain.
    Domain(String),
    /// Two consecutive words with these beginnings.
    PrefixPhrase(String, String),
    /// Two consecutive words.
    Phrase(String, String),
    /// Five words, one that is excluded, the beginning of an address in `from`, [`DATES`].
    Five {
        /// They may repeat.
        words: Vec<String>,
        /// The excluded one.
        without: String,
        /// Some letters or other characters.
        from: String,
    },
    /// A word but for so many letters more, less or other.
    Near(String, u8),
    /// Every mail.
    All,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Prefix(start) => write!(f, "{start}*"),
            Self::Suffix(end) => write!(f, "*{end}"),
            Self::Infix(inner) => write!(f, "*{inner}*"),
            Self::Ends(start, end) => write!(f, "{start}*{end}"),
            Self::From(address) => write!(f, "from:{address}"),
            Self::Domain(domain) => write!(f, "*@{domain}"),
            Self::PrefixPhrase(first, second) => write!(f, "\"{first}* {second}*\""),
            Self::Phrase(first, second) => write!(f, "\"{first} {second}\""),
            Self::Five { words, without, from } => {
                write!(f, "{} -{without} from:{from}* date:{YEARS}", words.join(" "))
            }
            Self::Near(word, errors) => write!(f, "{word}~{errors}"),
            Self::All => f.write_str("*"),
        }
    }
}

/// Draws the query of that number of a kind.
pub type Draw = fn(&Words, &mut Dice, usize) -> Query;

/// All kinds, by their name in tables.
pub const KINDS: [(&str, Draw); 13] = [
    ("word", |words, dice, at| Query::Word(words.any(dice, at).to_owned())),
    ("prefix of 2 to 4 letters", |words, dice, at| Query::Prefix(head(words.any(dice, at), 2 + at % 3))),
    ("suffix *abcd", |words, dice, at| Query::Suffix(tail(words.any(dice, at), 4))),
    ("infix *abcd*", |words, dice, at| Query::Infix(head(&tail(words.any(dice, at), 6), 4))),
    ("ab*yz", |words, dice, at| Query::Ends(head(words.any(dice, at), 2), tail(words.any(dice, at + 1), 2))),
    ("address in one field", |words, dice, _| Query::From(dice.pick::<String>(&words.addresses).clone())),
    ("*@domain", |words, dice, _| Query::Domain(dice.pick::<String>(&words.addresses).rsplit('@').next().unwrap_or_default().to_owned())),
    ("\"ab* cd*\"", |words, dice, _| {
        let (first, second) = dice.pick(&words.pairs);
        Query::PrefixPhrase(head(first, 2), head(second, 2))
    }),
    ("phrase of two words", |words, dice, _| {
        let (first, second) = dice.pick(&words.pairs).clone();
        Query::Phrase(first, second)
    }),
    ("five words, one excluded, a field, a range", |words, dice, at| {
        let five = (0..5).map(|_| dice.pick::<String>(&words.frequent).clone()).collect();
        let without = words.any(dice, at).to_owned();
        Query::Five { words: five, without, from: head(dice.pick::<String>(&words.addresses), 3) }
    }),
    ("one typing error", |words, dice, at| Query::Near(mistyped(words, dice, at), 1)),
    ("two typing errors", |words, dice, at| Query::Near(mistyped(words, dice, at), 2)),
    ("*", |_, _, _| Query::All),
];

/// A word of 6 to 10 letters, of which one is another letter now.
fn mistyped(words: &Words, dice: &mut Dice, at: usize) -> String {
    // Each third has such words; of the last one drawn the beginning serves too.
    let word = (0..100).map(|_| words.any(dice, at)).find(|word| (6..=10).contains(&word.len())).unwrap_or_else(|| words.any(dice, at));
    let mut letters: Vec<u8> = word.bytes().take(10).collect();
    let place = dice.below(letters.len() as u64) as usize;
    if let Some(letter) = letters.get_mut(place) {
        *letter = b'a' + dice.below(26) as u8;
    }
    String::from_utf8(letters).unwrap_or_default()
}

fn head(word: &str, letters: usize) -> String {
    word.get(..letters.min(word.len())).unwrap_or(word).to_owned()
}

fn tail(word: &str, letters: usize) -> String {
    word.get(word.len().saturating_sub(letters)..).unwrap_or(word).to_owned()
}

/// What queries are made of.
pub struct Words {
    rare: Vec<String>,
    middle: Vec<String>,
    frequent: Vec<String>,
    addresses: Vec<String>,
    pairs: Vec<(String, String)>,
}

impl Words {
    /// A word, from each third in turn.
    #[must_use]
    pub fn any(&self, dice: &mut Dice, at: usize) -> &str {
        let third: &[String] = [&self.rare, &self.middle, &self.frequent][at % 3];
        dice.pick(third).as_str()
    }
}

/// Collects the mails from which words are drawn.
#[derive(Default)]
pub struct Drawing {
    mails: usize,
    counts: HashMap<String, usize>,
    addresses: Vec<String>,
    pairs: Vec<(String, String)>,
}

impl Drawing {
    /// Adds a mail: its texts, and the address of its first sender.
    pub fn take<'t>(&mut self, texts: impl Iterator<Item = &'t str>, from: Option<&str>, dice: &mut Dice) {
        self.mails += 1;
        let is_letter = |c: char| c.is_ascii_lowercase();
        let mut here: Vec<String> = Vec::new();
        for text in texts {
            let lower = text.to_lowercase();
            let words = lower.split(|c: char| !c.is_alphanumeric());
            here.extend(words.filter(|word| word.len() >= 4 && word.chars().all(is_letter)).map(str::to_owned));
        }
        if let Some(pair) = here.windows(2).nth(dice.below(20) as usize) {
            self.pairs.push((pair[0].clone(), pair[1].clone()));
        }
        here.sort_unstable();
        here.dedup();
        here.into_iter().for_each(|word| *self.counts.entry(word).or_default() += 1);
        self.addresses.extend(from.filter(|address| address.contains('@')).map(str::to_owned));
    }

    /// Everything that can be drawn.
    ///
    /// # Errors
    ///
    /// If there are too few mails for some kind.
    pub fn words(self) -> Result<Words> {
        let of = |least: usize, most: usize| {
            let counts = self.counts.iter().filter(|(_, count)| (least..=most).contains(*count));
            let mut words: Vec<String> = counts.map(|(word, _)| word.clone()).collect();
            words.sort_unstable();
            words
        };
        let (rare, middle, frequent) = (of(1, 1), of(10, 1000), of(self.mails / 10, usize::MAX));
        let words = Words { rare, middle, frequent, addresses: self.addresses, pairs: self.pairs };
        if [words.rare.len(), words.middle.len(), words.frequent.len(), words.addresses.len(), words.pairs.len()].contains(&0) {
            return Err("too few mails to draw queries from".into());
        }
        Ok(words)
    }
}

/// Numbers by a seed (SplitMix64, Steele et al. 2014).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end.max(1)
    }

    /// One of `from`, which is not empty.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len() as u64) as usize]
    }
}
