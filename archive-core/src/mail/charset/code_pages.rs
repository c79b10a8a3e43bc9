//! Charsets with one byte a character that the WHATWG standard does not have: code pages of DOS and character sets of
//! the Mac (docs/TEXT.md, T7.2).

use oem_cp::code_table::{
    DECODING_TABLE_CP437, DECODING_TABLE_CP720, DECODING_TABLE_CP737, DECODING_TABLE_CP775, DECODING_TABLE_CP850, DECODING_TABLE_CP852,
    DECODING_TABLE_CP855, DECODING_TABLE_CP857, DECODING_TABLE_CP858, DECODING_TABLE_CP860, DECODING_TABLE_CP861, DECODING_TABLE_CP862,
    DECODING_TABLE_CP863, DECODING_TABLE_CP864, DECODING_TABLE_CP865, DECODING_TABLE_CP869,
};

/// What the bytes 80 to FF mean; those below are ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mail) enum CodePage {
    Whole(&'static [char; 128]),
    WithGaps(&'static [Option<char>; 128]),
    Mac(&'static str),
}

/// The code page of DOS with this number.
pub(super) fn of_dos(number: u32) -> Option<CodePage> {
    Some(match number {
        437 => CodePage::Whole(&DECODING_TABLE_CP437),
        720 => CodePage::Whole(&DECODING_TABLE_CP720),
        737 => CodePage::Whole(&DECODING_TABLE_CP737),
        775 => CodePage::Whole(&DECODING_TABLE_CP775),
        850 => CodePage::Whole(&DECODING_TABLE_CP850),
        852 => CodePage::Whole(&DECODING_TABLE_CP852),
        855 => CodePage::Whole(&DECODING_TABLE_CP855),
        857 => CodePage::WithGaps(&DECODING_TABLE_CP857),
        858 => CodePage::Whole(&DECODING_TABLE_CP858),
        860 => CodePage::Whole(&DECODING_TABLE_CP860),
        861 => CodePage::Whole(&DECODING_TABLE_CP861),
        862 => CodePage::Whole(&DECODING_TABLE_CP862),
        863 => CodePage::Whole(&DECODING_TABLE_CP863),
        864 => CodePage::WithGaps(&DECODING_TABLE_CP864),
        865 => CodePage::Whole(&DECODING_TABLE_CP865),
        869 => CodePage::Whole(&DECODING_TABLE_CP869),
        _ => return None,
    })
}

/// The character set of the Mac whose label is `mac` and this name.
pub(super) fn of_mac(name: &str) -> Option<CodePage> {
    Some(CodePage::Mac(match name {
        "ce" | "centeuro" | "centraleurope" | "centraleurroman" | "latin2" => CENTRAL_EUROPEAN,
        "croatian" => CROATIAN,
        "greek" => GREEK,
        "iceland" | "icelandic" => ICELANDIC,
        "romania" | "romanian" => ROMANIAN,
        "turkish" => TURKISH,
        _ => return None,
    }))
}

/// `bytes` as characters; U+FFFD for a byte that has none.
pub(super) fn decode(bytes: &[u8], page: CodePage) -> String {
    let upper: Vec<char> = match page {
        CodePage::Whole(table) => table.to_vec(),
        CodePage::WithGaps(table) => table.iter().map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
        CodePage::Mac(table) => table.chars().collect(),
    };
    let character = |&byte: &u8| match usize::from(byte).checked_sub(0x80) {
        None => char::from(byte),
        // Some tables have controls for unassigned bytes.
        Some(at) => upper.get(at).copied().filter(|c| !c.is_control()).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    bytes.iter().map(character).collect()
}

/// Mac OS Central European.
const CENTRAL_EUROPEAN: &str =
    "ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\u{a0}ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ";

/// Mac OS Croatian.
const CROATIAN: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®Š™´¨≠ŽØ∞±≤≥∆µ∂∑∏š∫ªºΩžø¿¡¬√ƒ≈Ć«Č…\u{a0}ÀÃÕŒœĐ—“”‘’÷◊\u{f8ff}©⁄€‹›Æ»–·‚„‰ÂćÁčÈÍÎÏÌÓÔđÒÚÛÙıˆ˜¯πË˚¸Êæˇ";

/// Mac OS Greek.
const GREEK: &str = "Ä¹²É³ÖÜ΅àâä΄¨çéèêë£™îï•½‰ôö¦€ùûü†ΓΔΘΛΞΠß®©ΣΪ§≠°·Α±≤≥¥ΒΕΖΗΙΚΜΦΫΨΩάΝ¬ΟΡ≈Τ«»…\u{a0}ΥΧΆΈœ–―“”‘’÷ΉΊΌΎέήίόΏύαβψδεφγηιξκλμνοπώρστθωςχυζϊϋΐΰ\u{ad}";

/// Mac OS Icelandic.
const ICELANDIC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûüÝ°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€ÐðÞþý·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// Mac OS Romanian.
const ROMANIAN: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ĂȘ∞±≤≥¥µ∂∑∏π∫ªºΩăș¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›Țț‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

/// Mac OS Turkish.
const TURKISH: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸĞğİıŞş‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙ\u{f8a0}ˆ˜¯˘˙˚¸˝˛ˇ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t7_2_code_pages_of_dos_and_character_sets_of_the_mac() {
        for (number, bytes, text) in [
            (437, b"\x9aber Gr\x94\xe1e \xe0".as_slice(), "Über Größe α"),
            (720, b"\xab\xe9\x9f\xea", "سلام"),
            (737, b"\x89\x98\xa2\x9e", "Καλη"),
            (775, b"Gr\x94\xe1e \xd8", "Größe ž"),
            (850, b"\x9aber Gr\x94\xe1e cr\x8ame \xb5", "Über Größe crème Á"),
            (852, b"\xa6lu\x9cou\x9fk\xec", "Žluťoučký"),
            (855, b"\xdd\xe1\xb7\xeb\xa8\xe5", "Привет"),
            (857, b"I\x9f\x8dk \xa7 \xd5", "Işık ğ \u{fffd}"),
            (858, b"\xd5 5", "€ 5"),
            (860, b"S\x84o", "São"),
            (861, b"\x8d\xa2r", "Þór"),
            (862, b"\x99\x8c\x85\x8d", "שלום"),
            (863, b"\x82t\x82 \xa8", "été Î"),
            (864, b"\xd3\xe4\x25", "ﺳﻟ%"),
            (865, b"R\x9bd \x86l", "Rød ål"),
            (869, b"\xa4\xd6\x80", "Αα\u{fffd}"),
        ] {
            assert_eq!(decode(bytes, of_dos(number).unwrap()), text, "{number}");
        }
        for (name, bytes, text) in [
            ("ce", b"\xeblu\xe9ou\x8bk\xf9".as_slice(), "Žluťoučký"),
            ("greek", b"\xa1\xec\xf1", "Γλώ"),
            ("turkish", b"I\xdf\xddk", "Işık"),
            ("romanian", b"\xbftefan", "ștefan"),
            ("icelandic", b"\xde\x97r", "Þór"),
            ("croatian", b"\xa9ibenik", "Šibenik"),
        ] {
            assert_eq!(of_mac(name).map(|page| decode(bytes, page)).as_deref(), Some(text), "{name}");
        }
        assert!(of_dos(999).is_none() && of_mac("thai").is_none());
        for table in [CENTRAL_EUROPEAN, CROATIAN, GREEK, ICELANDIC, ROMANIAN, TURKISH] {
            assert_eq!(table.chars().count(), 128);
        }
    }
}
