//! Labels of charsets (docs/TEXT.md, T7.2): those of the WHATWG standard, misleading ones, and those that no browser
//! knows.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, REPLACEMENT, SHIFT_JIS,
    UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_MAC_CYRILLIC,
};

use super::Charset;
use super::code_pages;

/// No known label is longer; this bounds the copy in lower case.
const LONGEST: usize = 40;

impl Charset {
    /// The meaning of a label, as written in the mail.
    pub(in crate::mail) fn from_label(label: &str) -> Self {
        let label = label.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\x0c'));
        if label.len() > LONGEST {
            return Self::Unlabelled;
        }
        let label = label.to_ascii_lowercase();
        if let Some(known) = written(&label) {
            return known;
        }
        let squeezed: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let shorter = squeezed.strip_prefix("cs").or_else(|| squeezed.strip_prefix('x'));
        [Some(squeezed.as_str()), shorter].into_iter().flatten().find_map(squeezed_label).unwrap_or(Self::Unlabelled)
    }
}

/// A label in lower case, otherwise as written.
fn written(label: &str) -> Option<Charset> {
    Some(match label {
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown" | "unknown-8bit" | "x-unknown" | "default" | "default_charset"
        | "none" | "binary" | "7bit" | "8bit" | "charset" => Charset::Unlabelled,
        "uft-8" | "utf_8" | "utf8mb4" | "utf" | "utf-8-purple" => Charset::Encoding(UTF_8),
        "_iso-2022-jp" | "_iso-2022-jp$esc" | "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" => {
            Charset::Encoding(ISO_2022_JP)
        }
        "eucgb2312_cn" => Charset::Encoding(GBK),
        "iso-8858-15" => Charset::Encoding(ISO_8859_15),
        "unicodebig" => Charset::Encoding(UTF_16BE),
        "utf-7" | "unicode-1-1-utf-7" | "x-utf-7" => Charset::Utf7,
        "hz-gb-2312" => Charset::Hz,
        "iso-2022-kr" | "csiso2022kr" => Charset::Iso2022Kr,
        _ => match Encoding::for_label(label.as_bytes())? {
            encoding if encoding == REPLACEMENT => Charset::NoDecoder,
            encoding => Charset::Encoding(encoding),
        },
    })
}

/// A label of which only the letters and digits are left.
fn squeezed_label(label: &str) -> Option<Charset> {
    if let Some(encoding) = Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT) {
        return Some(Charset::Encoding(encoding));
    }
    let (name, number) = label.split_at(label.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let numbered = matches!(name, "cp" | "ibm" | "dos" | "ms" | "msdos" | "oem" | "win" | "windows" | "codepage" | "ccsid" | "xcp");
    if numbered && !number.is_empty() {
        return Some(number.parse().ok().and_then(page).unwrap_or(Charset::NoDecoder));
    }
    if name.is_empty() {
        return number.parse().ok().and_then(page);
    }
    Some(match label {
        "utf8mac" | "macutf8" => Charset::Encoding(UTF_8),
        "shiftjis" | "mskanji" | "macjapanese" => Charset::Encoding(SHIFT_JIS),
        "iso2022jp" => Charset::Encoding(ISO_2022_JP),
        "eucjp" => Charset::Encoding(EUC_JP),
        "euckr" | "ksc56011987" | "mackorean" => Charset::Encoding(EUC_KR),
        "euccn" | "gb231280" | "macchinesesimp" => Charset::Encoding(GBK),
        "big5hkscs" | "macchinesetrad" => Charset::Encoding(BIG5),
        "macroman" => Charset::Encoding(MACINTOSH),
        "maccyrillic" | "macukrainian" | "macukraine" => Charset::Encoding(X_MAC_CYRILLIC),
        "koi8r" => Charset::Encoding(KOI8_R),
        "koi8u" | "koi8ru" => Charset::Encoding(KOI8_U),
        "iso885916" => Charset::Encoding(encoding_rs::ISO_8859_16),
        "utf16" => Charset::Encoding(UTF_16LE),
        "utf7" => Charset::Utf7,
        "utf32" | "utf32be" | "ucs4" | "ucs4be" | "iso10646ucs4" => Charset::Utf32 { little: false },
        "utf32le" | "ucs4le" => Charset::Utf32 { little: true },
        "hz" | "hzgb2312" => Charset::Hz,
        "iso2022kr" => Charset::Iso2022Kr,
        "iso646us" | "isoir6" => Charset::Unlabelled,
        "viscii" | "tcvn" | "tcvn5712" | "tcvn57121" | "vps" | "armscii8" | "georgianps" | "georgianacademy" | "geostd8" | "koi8t"
        | "ptcp154" | "euctw" | "johab" | "iso2022cn" | "iso2022cnext" | "hproman8" | "nextstep" | "tscii" | "mulelao1" | "gb12345"
        | "scsu" | "bocu1" => Charset::NoDecoder,
        _ => match label.strip_prefix("mac") {
            Some(name) => code_pages::of_mac(name).map_or(Charset::NoDecoder, Charset::CodePage),
            None if ["ebcdic", "isoir", "iscii", "din66003", "adobe"].iter().any(|start| label.starts_with(start)) => Charset::NoDecoder,
            None => return None,
        },
    })
}

/// The charset with this number of a code page.
fn page(number: u32) -> Option<Charset> {
    Some(Charset::Encoding(match number {
        866 => IBM866,
        932 | 943 | 10_001 => SHIFT_JIS,
        936 | 1386 | 10_008 | 20_936 | 51_936 => GBK,
        949 | 1363 | 10_003 | 51_949 => EUC_KR,
        950 | 10_002 => BIG5,
        1200 => UTF_16LE,
        1201 => UTF_16BE,
        10_000 => MACINTOSH,
        10_007 | 10_017 => X_MAC_CYRILLIC,
        20_866 => KOI8_R,
        21_866 => KOI8_U,
        20_932 | 51_932 => EUC_JP,
        50_220..=50_222 => ISO_2022_JP,
        54_936 => GB18030,
        65_001 => UTF_8,
        819 => WINDOWS_1252,
        874 | 1250..=1258 => return Encoding::for_label(format!("windows-{number}").as_bytes()).map(Charset::Encoding),
        28_591..=28_606 => return Encoding::for_label(format!("iso-8859-{}", number - 28_590).as_bytes()).map(Charset::Encoding),
        38_598 => encoding_rs::ISO_8859_8_I,
        367 | 20_127 => return Some(Charset::Unlabelled),
        12_000 => return Some(Charset::Utf32 { little: true }),
        12_001 => return Some(Charset::Utf32 { little: false }),
        52_936 => return Some(Charset::Hz),
        50_225 => return Some(Charset::Iso2022Kr),
        65_000 => return Some(Charset::Utf7),
        10_006 => return mac("greek"),
        10_010 => return mac("romanian"),
        10_029 => return mac("ce"),
        10_079 => return mac("icelandic"),
        10_081 => return mac("turkish"),
        10_082 => return mac("croatian"),
        _ => return code_pages::of_dos(number).map(Charset::CodePage),
    }))
}

fn mac(name: &str) -> Option<Charset> {
    code_pages::of_mac(name).map(Charset::CodePage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t7_2_labels_are_met_however_they_are_written() {
        for (labels, expected) in [
            ("cp1252 cp-1252 windows1252 WIN-1252 iso_8859_1 latin-1 x-latin1 28591 ibm819 csWindows1252", Charset::Encoding(WINDOWS_1252)),
            ("utf-8-mac cp65001 65001 windows-65001 x-utf8 csUTF8", Charset::Encoding(UTF_8)),
            ("shift-jis cp932 x-mac-japanese windows932 ms932", Charset::Encoding(SHIFT_JIS)),
            ("cp50220 iso_2022_jp iso-2022-jp-ms csISO2022JP", Charset::Encoding(ISO_2022_JP)),
            ("cp936 euc-cn x-mac-chinesesimp", Charset::Encoding(GBK)),
            ("cp949 x-mac-korean euc_kr", Charset::Encoding(EUC_KR)),
            ("cp950 big5_hkscs", Charset::Encoding(BIG5)),
            ("koi8_r koi8r", Charset::Encoding(KOI8_R)),
            ("cp866 ibm866 dos-866", Charset::Encoding(IBM866)),
            ("utf-32 utf32 ucs-4 utf-32be", Charset::Utf32 { little: false }),
            ("utf-32le", Charset::Utf32 { little: true }),
            ("hz hz-gb-2312 cp52936", Charset::Hz),
            ("iso-2022-kr iso2022-kr", Charset::Iso2022Kr),
            ("utf7 utf-7", Charset::Utf7),
            ("iso-2022-cn viscii x-mac-thai cp037 ibm-1047 windows-999 ebcdic-cp-us iso-ir-111", Charset::NoDecoder),
            ("us-ascii iso646-us iso-ir-6 nonsense x-nonsense 4711 iso x-user charset cp", Charset::Unlabelled),
        ] {
            for label in labels.split(' ') {
                assert_eq!(Charset::from_label(label), expected, "{label}");
            }
        }
        for label in ["cp437", "ibm437", "x-cp437", "437", "cp-850", "IBM850", "dos-720", "cp858", "x-mac-ce", "macce", "10029"] {
            assert!(matches!(Charset::from_label(label), Charset::CodePage(_)), "{label}");
        }
    }
}
