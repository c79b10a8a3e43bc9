//! The name of the file that a part is saved as.

use super::view::{Part, PartKind};

/// Bytes of a file name that every file system takes, with room for a number.
const MOST_BYTES: usize = 200;
/// Bytes of an extension that is kept when a name is cut.
const MOST_ENDING: usize = 20;
/// Names that mean devices on some file system, whatever their extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

impl Part {
    /// A name under which the part can be saved: the last piece of its own name; for a mail without one, its subject
    /// with `.eml`; else `part-NUMBER`. Without anything that a file system, shell or terminal might interpret, and of
    /// at most 200 bytes.
    #[must_use]
    pub fn file_name(&self) -> String {
        let own = self.name.as_deref().map(|name| harmless(name.rsplit(['/', '\\']).next().unwrap_or_default()));
        let subject = || {
            let subject = self.subject.as_deref().filter(|_| self.kind == PartKind::Mail);
            subject.map(harmless).filter(|subject| !subject.is_empty()).map(|subject| format!("{subject}.eml"))
        };
        own.filter(|name| !name.is_empty()).or_else(subject).map_or_else(|| self.numbered(), |name| shortened(&name, MOST_BYTES))
    }

    fn numbered(&self) -> String {
        let ending = match self.media.as_str() {
            _ if self.kind == PartKind::Mail => "eml",
            "text/plain" => "txt",
            "text/html" => "html",
            "text/calendar" => "ics",
            "application/pdf" => "pdf",
            "image/jpeg" => "jpg",
            "image/png" => "png",
            "image/gif" => "gif",
            _ => "bin",
        };
        format!("part-{}.{ending}", self.number)
    }
}

fn harmless(name: &str) -> String {
    let is_obeyed = |c: char| {
        let turns =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        c.is_control() || turns || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    let kept: String = name.chars().map(|c| if is_obeyed(c) { '_' } else { c }).collect();
    let kept = kept.trim_start_matches(['.', ' ', '-']).trim_end_matches(['.', ' ']);
    let stem = kept.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem.ends_with(|c: char| c.is_ascii_digit());
    if is_port || DEVICES.contains(&stem.as_str()) { format!("_{kept}") } else { kept.to_owned() }
}

/// A name of at most `most` bytes, cut before its extension.
pub(super) fn shortened(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let (stem, ending) = name.rsplit_once('.').filter(|(_, ending)| ending.len() < MOST_ENDING).unwrap_or((name, ""));
    let stem = stem.get(..stem.floor_char_boundary(most - MOST_ENDING)).unwrap_or_default().trim_end_matches(['.', ' ']);
    if ending.is_empty() { stem.to_owned() } else { format!("{stem}.{ending}") }
}

#[cfg(test)]
mod tests {
    use super::super::view;

    fn named(header: &str) -> String {
        view(format!("{header}\n\nx").as_bytes(), &[]).parts[0].file_name()
    }

    #[test]
    fn names_stay_in_their_folder_and_mean_no_more_than_a_name() {
        let named = |name: &str| named(&format!("Content-Type: application/x\nContent-Disposition: x; filename*=utf-8''{name}"));
        for (name, expected) in [
            ("..%2f..%2fx", "x"),
            ("..%5c..%5cb.exe", "b.exe"),
            ("..", "part-0.bin"),
            (".bashrc", "bashrc"),
            ("a%e2%80%ae%0ab", "a__b"),
            ("-rf", "rf"),
            ("con.txt", "_con.txt"),
            ("LPT1", "_LPT1"),
            ("a%22b%3f.pdf", "a_b_.pdf"),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
        let long = named(&format!("{}.pdf", "%c3%bc".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with("ü.pdf"), "{long}");
    }

    #[test]
    fn a_mail_without_name_has_that_of_its_subject() {
        let mail = |inner: &str| view(format!("Content-Type: message/rfc822\n\n{inner}\n\nx").as_bytes(), &[]).parts[0].file_name();
        assert_eq!(mail("Subject: =?utf-8?q?Angebot_f=C3=BCr_a/b?="), "Angebot für a_b.eml");
        assert_eq!(mail("Subject: ..."), "part-0.eml");
        assert_eq!(mail("From: a@x"), "part-0.eml");
    }
}
