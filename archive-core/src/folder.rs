//! Paths of folders: their bounds, their text, and the shortening of source paths that exceed the bounds.
//!
//! A path is at most 128 names deep. A name has 1 to 1,024 bytes and no `/`, so that names joined by `/` are the path
//! as text.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use sha2::{Digest as _, Sha256};

/// The most names in a path.
pub(crate) const MAX_DEPTH: usize = 128;
/// The most bytes in a name.
pub(crate) const MAX_NAME: usize = 1 << 10;
/// Hex digits of a SHA-256 at the end of a shortened name, after a `~`.
const DIGITS: usize = 16;
/// The most bytes of an invalid path that an error repeats.
const SHOWN: usize = 200;

/// A folder: names from the user archive down, at most 128. Names are any Unicode of 1 to 1,024 bytes without `/`, and
/// keep their case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderPath(Vec<String>);

/// The text or the names are not the path of a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be a folder: {why}")]
pub struct NotAFolderPath {
    text: String,
    why: &'static str,
}

/// Why a name cannot be that of a folder; `None` if it can.
pub(crate) fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("names must not be empty, and `/` joins them"),
        name if name.contains('/') => Some("a name must not contain `/`"),
        name if name.len() > MAX_NAME => Some("a name has at most 1,024 bytes"),
        _ => None,
    }
}

impl FolderPath {
    /// The folder with these names, the user archive first.
    pub fn from_names(names: Vec<String>) -> Result<Self, NotAFolderPath> {
        let why = match names.len() {
            0 => Some("names must not be empty, and `/` joins them"),
            depth if depth > MAX_DEPTH => Some("a path has at most 128 names"),
            _ => names.iter().find_map(|name| refusal(name)),
        };
        match why {
            None => Ok(Self(names)),
            Some(why) => {
                let text: String = names.iter().flat_map(|name| ["/", name]).skip(1).flat_map(str::chars).take(SHOWN).collect();
                Err(NotAFolderPath { text, why })
            }
        }
    }

    /// The same path with its names in NFC. Lookups treat paths that are equal in this form as equal.
    #[must_use]
    pub fn normal(&self) -> Self {
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        Self(self.0.iter().map(|name| nfc.normalize(name).into_owned()).collect())
    }

    /// Whether this folder is `above`, or is below it; compared in NFC.
    #[must_use]
    pub fn is_within(&self, above: &Self) -> bool {
        self.normal().0.starts_with(&above.normal().0)
    }

    /// The names, the user archive first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for FolderPath {
    type Err = NotAFolderPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_names(text.trim_matches('/').split('/').map(str::to_owned).collect())
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// A path of a source within the bounds of folders, built name by name; memory does not grow with paths beyond the
/// bounds.
///
/// What it becomes depends on the path alone, so that the next import meets the same folders. A name that is too long
/// or contains a `/` is shortened: its beginning, `~`, and 16 hex digits of its SHA-256, at most 1,024 bytes; `/`
/// becomes `_`. In a path that is too deep, all levels except the last stay; the last is made in the same way from all
/// names from there on, joined by `/`, with the SHA-256 of the whole path.
#[derive(Debug, Clone)]
pub(crate) struct Shortened {
    names: Vec<String>,
    most: usize,
    depth: usize,
    /// The beginning of all names from the last level on.
    rest: String,
    /// All names, joined by `/`.
    whole: Sha256,
}

impl Default for Shortened {
    fn default() -> Self {
        Self::within(MAX_DEPTH)
    }
}

impl Shortened {
    /// An empty path for at most `most` names.
    fn within(most: usize) -> Self {
        Self { names: Vec::new(), most, depth: 0, rest: String::new(), whole: Sha256::new() }
    }

    /// Adds a folder of this name; an empty name adds none.
    pub(crate) fn push(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        if self.depth > 0 {
            self.whole.update("/");
        }
        self.whole.update(name);
        self.depth += 1;
        if self.depth < self.most {
            self.names.push(bounded(name));
            return;
        }
        if self.depth > self.most && self.rest.len() < MAX_NAME {
            self.rest.push('/');
        }
        self.rest.push_str(beginning(name, MAX_NAME.saturating_sub(self.rest.len())));
        if self.depth == self.most {
            self.names.push(bounded(name));
        } else if let Some(last) = self.names.last_mut() {
            *last = shortened(&self.rest, self.whole.clone());
        }
    }

    /// The names, within the bounds.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

/// The folder of a source's path below `target`, within the bounds that the target leaves; the target itself if it
/// leaves none.
pub(crate) fn below(target: &[String], names: &[String]) -> Vec<String> {
    let mut path = Shortened::within(MAX_DEPTH.saturating_sub(target.len()));
    names.iter().for_each(|name| path.push(name));
    target.iter().cloned().chain(path.names).collect()
}

fn bounded(name: &str) -> String {
    match refusal(name) {
        None => name.to_owned(),
        Some(_) => shortened(name, Sha256::new_with_prefix(name)),
    }
}

fn shortened(text: &str, whole: Sha256) -> String {
    ended(beginning(text, MAX_NAME - DIGITS - 1).replace('/', "_"), whole)
}

fn ended(mut beginning: String, whole: Sha256) -> String {
    let digest: [u8; 32] = whole.finalize().into();
    beginning.push('~');
    digest.iter().take(DIGITS / 2).for_each(|byte| beginning.push_str(&format!("{byte:02x}")));
    beginning
}

/// The longest beginning of `text` of at most `most` bytes.
fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// `text`, or, if it has more than `most` bytes, its beginning, `~` and 16 hex digits of its SHA-256.
pub(crate) fn at_most(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    ended(beginning(&text, most.saturating_sub(DIGITS + 1)).to_owned(), Sha256::new_with_prefix(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_path_reads_back_what_it_prints(names in proptest::collection::vec("[a%25Ff~]{1,8}", 1..4)) {
            let path = FolderPath::from_names(names).unwrap();
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn whatever_a_source_is_called_its_folders_are_within_bounds(
            names in proptest::collection::vec("[aü/]{0,9}", 0..300), long in "[ü/]{500,900}", target in 0usize..=128) {
            let names = [names, vec![long]].concat();
            let target = vec!["t".to_owned(); target];
            let path = below(&target, &names);
            prop_assert_eq!(&path, &below(&target, &names));
            prop_assert!(path.starts_with(&target) && path.len() <= 128);
            prop_assert!(path.is_empty() || FolderPath::from_names(path).is_ok());
        }
    }

    fn digits(text: &str) -> String {
        crate::id::Digest::of(text.as_bytes()).to_string()[..16].to_owned()
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_shortened_by_its_full_name() {
        let long = "ü".repeat(600);
        assert_eq!(bounded(&long), format!("{}~{}", "ü".repeat(503), digits(&long)));
        assert_eq!(bounded("in/out"), format!("in_out~{}", digits("in/out")));
        assert_eq!(bounded(&"x".repeat(1024)), "x".repeat(1024));
        let names: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let path = below(&["anna".to_owned()], &names);
        assert_eq!(path.len(), 128);
        assert_eq!(path[1..127], names[..126]);
        assert_eq!(path[127], format!("{}~{}", names[126..].join("_"), digits(&names.join("/"))));
        assert_eq!(below(&[], &names[..128]), names[..128]);
        // Two steps give the same folder, even if the first one shortened the path.
        let mut first = Shortened::default();
        names.iter().for_each(|name| first.push(name));
        assert_eq!(first.names()[127], format!("{}~{}", names[127..].join("_"), digits(&names.join("/"))));
    }

    #[test]
    fn what_is_no_folder_says_why() {
        for (names, why) in [
            (vec![], "not be empty"),
            (vec!["a".to_owned(), String::new()], "not be empty"),
            (vec!["in/out".to_owned()], "not contain `/`"),
            (vec!["x".repeat(1025)], "1,024"),
            (vec!["x".to_owned(); 129], "128"),
        ] {
            let error = FolderPath::from_names(names).unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 300, "{error}");
        }
        assert_eq!("/anna/in/".parse::<FolderPath>().unwrap().names(), ["anna", "in"]);
    }
}
