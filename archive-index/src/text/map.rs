//! toNFKC_Casefold (The Unicode Standard, 3.13; DerivedNormalizationProps.txt): each code point is mapped by
//! NFKC_Casefold, then the whole is normalized to NFC. Before that, the Turkish letters I become one: `ı` is mapped to
//! `i`, and a dot above that follows an `i` is dropped. Otherwise case folding would keep `ISPARTA` and `ısparta`
//! apart.

use super::class::class;
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use std::borrow::Cow;

/// Maps `text` as in S1.1, so that what reads alike compares equal; borrowed if nothing changes.
pub fn map(text: &str) -> Cow<'_, str> {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    if !text.chars().any(|c| class(c).changes()) {
        return nfc.normalize(text);
    }
    let mut mapped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            mapped.push(c.to_ascii_lowercase());
        } else if c == DOT_ABOVE && mapped.ends_with('i') {
            // The dot that `i` already has.
        } else if class(c).changes() {
            map_char(c, &mut mapped);
        } else {
            mapped.push(c);
        }
    }
    match nfc.normalize(&mapped) {
        Cow::Borrowed(_) => Cow::Owned(mapped),
        Cow::Owned(normal) => Cow::Owned(normal),
    }
}

/// COMBINING DOT ABOVE.
pub(super) const DOT_ABOVE: char = '\u{307}';

/// The derivation of the property: fold, normalize and drop default-ignorable code points until nothing changes.
fn map_char(c: char, out: &mut String) {
    if c == '\u{a0}' {
        // In mail made from HTML, no-break spaces are by far the most frequent.
        out.push(' ');
        return;
    }
    if matches!(c, 'ı' | 'İ') {
        out.push('i');
        return;
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let folder = CaseMapper::new();
    let mut current = c.to_string();
    // The property is stable after three rounds for every code point; the bound only guards against foreign tables.
    for _ in 0..8 {
        let folded = folder.fold_string(&current).into_owned();
        let mut next = nfkc.normalize(&folded).into_owned();
        next.retain(|c| !ignorable.contains(c));
        if next == current {
            break;
        }
        current = next;
    }
    out.push_str(&current);
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::props::ChangesWhenNfkcCasefolded;

    /// Lines of DerivedNormalizationProps.txt (NFKC_CF), one of each kind.
    #[test]
    fn s1_1_known_mappings() {
        for (from, to) in [
            ("A", "a"),
            ("\u{a0}", " "),
            ("\u{a8}", " \u{308}"),
            ("\u{aa}", "a"),
            ("\u{ad}", ""),
            ("\u{b5}", "\u{3bc}"),
            ("\u{df}", "ss"),
            ("\u{1e9e}", "ss"),
            ("\u{130}", "i"),
            ("\u{131}", "i"),
            ("I\u{307}\u{301}", "\u{ed}"),
            ("z\u{307}", "\u{17c}"),
            ("\u{132}", "ij"),
            ("\u{149}", "\u{2bc}n"),
            ("\u{17f}", "s"),
            ("\u{345}", "\u{3b9}"),
            ("\u{37a}", " \u{3b9}"),
            ("\u{3c2}", "\u{3c3}"),
            ("\u{3f4}", "\u{3b8}"),
            ("\u{1e9b}", "\u{1e61}"),
            ("\u{1f80}", "\u{1f00}\u{3b9}"),
            ("\u{200b}", ""),
            ("\u{2126}", "\u{3c9}"),
            ("\u{2460}", "1"),
            ("\u{3000}", " "),
            ("\u{fb01}", "fi"),
            ("\u{fdfa}", "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64a}\u{647} \u{648}\u{633}\u{644}\u{645}"),
            ("\u{feff}", ""),
            ("\u{ff21}", "a"),
            ("\u{1d400}", "a"),
            ("\u{2f800}", "\u{4e3d}"),
            ("\u{e0001}", ""),
        ] {
            assert_eq!(map(from), to, "{from:?}");
        }
    }

    #[test]
    fn s1_1_order_of_mapping_and_normal_form() {
        // Mapped code point by code point first: the iota stays before the accent.
        assert_eq!(map("\u{3b1}\u{345}\u{301}"), "\u{3b1}\u{3af}");
        assert_eq!(map("Mu\u{308}ller"), "m\u{fc}ller");
        assert_eq!(map("So\u{ad}ft"), "soft");
    }

    #[test]
    fn every_code_point_that_changes_does_and_no_other() {
        let changes = CodePointSetData::new::<ChangesWhenNfkcCasefolded>();
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let mut mapped = String::new();
            map_char(c, &mut mapped);
            assert_eq!(changes.contains(c) || c == 'ı', mapped != c.to_string(), "{:04x}", c as u32);
        }
    }
}
