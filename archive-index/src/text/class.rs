//! What a code point means to the splitter, looked up in one table for the Basic Multilingual Plane.

use super::map::DOT_ABOVE;
use icu_properties::props::{ChangesWhenNfkcCasefolded, GeneralCategory, Script};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};
use std::sync::OnceLock;

/// The properties of one code point that splitting and folding need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u8);

const WORD: u8 = 1;
const MARK: u8 = 2;
const ALONE: u8 = 4;
const CHANGES: u8 = 8;
const SHEDS: u8 = 16;

impl Class {
    /// Whether it is a letter, digit or mark (S1.1).
    pub(crate) fn is_word(self) -> bool {
        self.0 & WORD != 0
    }

    /// Whether it is a mark: general category M.
    pub(crate) fn is_mark(self) -> bool {
        self.0 & MARK != 0
    }

    /// Whether it is a letter or digit that is a word by itself (S1.3).
    pub(crate) fn stands_alone(self) -> bool {
        self.0 & ALONE != 0
    }

    /// Whether mapping (S1.1) may change it.
    pub(crate) fn changes(self) -> bool {
        self.0 & CHANGES != 0
    }

    /// Whether its marks may be left out when it is typed: a letter of Latin, Greek, Hebrew or Arabic script (S1.2).
    pub(crate) fn sheds_marks(self) -> bool {
        self.0 & SHEDS != 0
    }
}

/// The class of `c`.
pub(crate) fn class(c: char) -> Class {
    static TABLE: OnceLock<Box<[u8]>> = OnceLock::new();
    let table = TABLE.get_or_init(|| (0..=0xffff_u32).map(|point| char::from_u32(point).map_or(0, |c| compute(c).0)).collect());
    match table.get(c as usize) {
        Some(&class) => Class(class),
        None => compute(c),
    }
}

const SCRIPTS_WITHOUT_BLANKS: [Script; 8] =
    [Script::Han, Script::Hiragana, Script::Katakana, Script::Hangul, Script::Thai, Script::Lao, Script::Khmer, Script::Myanmar];

fn compute(c: char) -> Class {
    use GeneralCategory as G;
    let mut class = 0;
    let scripts = ScriptWithExtensions::new();
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        G::NonspacingMark | G::SpacingMark | G::EnclosingMark => class |= WORD | MARK,
        category @ (G::UppercaseLetter
        | G::LowercaseLetter
        | G::TitlecaseLetter
        | G::ModifierLetter
        | G::OtherLetter
        | G::DecimalNumber
        | G::LetterNumber
        | G::OtherNumber) => {
            class |= WORD;
            if SCRIPTS_WITHOUT_BLANKS.iter().any(|&script| scripts.has_script(c, script)) {
                class |= ALONE;
            }
            let number = matches!(category, G::DecimalNumber | G::LetterNumber | G::OtherNumber);
            if !number && matches!(scripts.get_script_val(c), Script::Latin | Script::Greek | Script::Hebrew | Script::Arabic) {
                class |= SHEDS;
            }
        }
        _ => {}
    }
    if CodePointSetData::new::<ChangesWhenNfkcCasefolded>().contains(c) || matches!(c, 'ı' | DOT_ABOVE) {
        class |= CHANGES;
    }
    Class(class)
}
