//! Paths of folders as text: names joined by `/`, in which `/` is written `%2F` and `%` before two hex digits `%25`.

use std::fmt;
use std::str::FromStr;

/// A folder: names from the user archive down. Names are any Unicode and keep their case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderPath(Vec<String>);

/// The text or the names are no path of a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no folder: names are not empty, and are joined by / (a / in a name is %2F)")]
pub struct NotAFolderPath(String);

impl FolderPath {
    /// The folder with these names, the user archive first.
    pub fn from_names(names: Vec<String>) -> Result<Self, NotAFolderPath> {
        match names.is_empty() || names.iter().any(String::is_empty) {
            true => Err(NotAFolderPath(names.join("/"))),
            false => Ok(Self(names)),
        }
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
        let names = text.trim_matches('/').split('/').map(decode);
        Self::from_names(names.collect()).map_err(|_| NotAFolderPath(text.to_owned()))
    }
}

/// What a `%` may begin, and what it stands for then.
const CODES: [(&str, char); 3] = [("2F", '/'), ("2f", '/'), ("25", '%')];

fn decode(mut text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    while let Some((before, behind)) = text.split_once('%') {
        name.push_str(before);
        let code = CODES.iter().find(|(code, _)| behind.starts_with(code));
        name.push(code.map_or('%', |(_, stands_for)| *stands_for));
        text = code.map_or(behind, |(code, _)| &behind[code.len()..]);
    }
    name.push_str(text);
    name
}

fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        match c {
            '/' => text.push_str("%2F"),
            '%' if CODES.iter().any(|(code, _)| name[at + 1..].starts_with(code)) => text.push_str("%25"),
            c => text.push(c),
        }
    }
    text
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            f.write_str(&encode(name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_path_reads_back_what_it_prints(names in proptest::collection::vec("[a/%25Ff]{1,8}", 1..4)) {
            let path = FolderPath::from_names(names).unwrap();
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}
