//! What the names of files and folders mean.

use super::item::{DateHint, DateKind};
use super::utf7;
use crate::folder::Shortened;

/// The prefix of files that an export has not finished.
pub(crate) const PARTIAL_EXPORT: &str = ".mailkeep-partial";

/// A file name as text, reversibly: bytes that are not UTF-8 are `%XX`, a `%` before two hexadecimal digits is `%25`.
pub(super) fn source_text(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let valid = chunk.valid();
        for (at, sign) in valid.char_indices() {
            let digits = valid.as_bytes().get(at + 1..at + 3);
            if sign == '%' && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                text.push_str("%25");
            } else {
                text.push(sign);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The name of a folder: modified UTF-7 decoded, else as it is if it is UTF-8, else as [`source_text`].
pub(super) fn folder_text(name: &[u8]) -> String {
    std::str::from_utf8(name).map_or_else(|_| source_text(name), |text| utf7::decoded(text, "").into_owned())
}

/// The folder for a mailbox file: its name without the part that says that it is a mailbox, or packed.
pub fn mailbox_name(name: &[u8]) -> String {
    let mut name = kmail_folder(name).unwrap_or(name);
    for _ in 0..3 {
        let bare = without_packing(name).unwrap_or(name);
        let bare = without(bare, &[b".mbox", b".mbx", b".mmdf", b".zip", b".tar", b".sbd"]).unwrap_or(bare);
        if bare.len() == name.len() {
            break;
        }
        name = bare;
    }
    folder_text(name)
}

/// A name without the extension that says how the file is compressed.
pub(super) fn without_packing(name: &[u8]) -> Option<&[u8]> {
    without(name, &[b".gz", b".zst", b".zstd", b".tgz", b".tzst"])
}

/// Whether the name says that the file is packed.
pub(super) fn is_packed(name: &[u8]) -> bool {
    [&b".gz"[..], b".zst", b".zstd", b".tgz", b".tzst", b".tar", b".zip"].iter().any(|ending| has_ending(name, ending))
}

/// Whether the name has the extension, in any case, and something before it.
pub(super) fn has_ending(name: &[u8], ending: &[u8]) -> bool {
    without(name, &[ending]).is_some()
}

fn without<'n>(name: &'n [u8], endings: &[&[u8]]) -> Option<&'n [u8]> {
    endings.iter().find_map(|ending| {
        let (bare, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        (!bare.is_empty() && end.eq_ignore_ascii_case(ending)).then_some(bare)
    })
}

/// Whether the file belongs to a mailbox without being mail: indexes, caches, lists of folders, and of what an export
/// wrote. `above` is the name of its folder.
pub(super) fn is_companion(name: &[u8], above: &[u8]) -> bool {
    const NAMES: [&[u8]; 17] = [
        b".directory",
        b".mh_sequences",
        b".mh_profile",
        b".xmhcache",
        b".uidvalidity",
        b".ds_store",
        b"maildirfolder",
        b"maildirsize",
        b"subscriptions",
        b"table_of_contents",
        b"info.plist",
        b"msgfilterrules.dat",
        b"popstate.dat",
        b"thumbs.db",
        b"desktop.ini",
        b"manifest.jsonl",
        b"sha256sums",
    ];
    let lower = name.to_ascii_lowercase();
    NAMES.contains(&lower.as_slice())
        || has_ending(name, b".msf")
        // Thunderbird's copies for desktop search.
        || (has_ending(above, b".mozmsgs") && (has_ending(name, b".wdseml") || has_ending(name, b".mozeml")))
        || (name.starts_with(b".") && [&b".index"[..], b".index.ids", b".index.sorted", b".index.search"].iter().any(|end| has_ending(name, end)))
        || [&b"dovecot"[..], b".dovecot", b"courierimap", b"courierpop3", b".nov", b"._"].iter().any(|start| lower.starts_with(start))
}

/// Whether the name is a number, as those of MH are.
pub(super) fn is_number(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_digit)
}

/// Whether the name is that of a deleted mail of MH: its number after `,` or `#`.
pub(super) fn is_deleted_number(name: &[u8]) -> bool {
    name.strip_prefix(b",").or_else(|| name.strip_prefix(b"#")).is_some_and(is_number)
}

/// Whether the name is that of a mail of MH, deleted or not.
pub(super) fn is_mh_mail(name: &[u8]) -> bool {
    is_number(name) || is_deleted_number(name)
}

/// Whether the name is that of a file which an unfinished export was writing.
pub(super) fn is_partial_export(name: &[u8]) -> bool {
    name.starts_with(PARTIAL_EXPORT.as_bytes())
}

/// The folder whose subfolders are in a folder of KMail: `.inbox.directory` contains those of `inbox`.
fn kmail_folder(name: &[u8]) -> Option<&[u8]> {
    without(name.strip_prefix(b".")?, &[b".directory"])
}

/// The order of files: numbers by value, then all other names by their bytes.
pub(super) fn order(name: &[u8]) -> (bool, usize, &[u8]) {
    if is_number(name) {
        let digits = name.get(name.iter().take_while(|&&byte| byte == b'0').count()..).unwrap_or_default();
        (false, digits.len(), digits)
    } else {
        (true, 0, name)
    }
}

/// The flags in the name of a Maildir file, after `:2,`, or `;2,` or `!2,` on systems without colons in names; sorted.
pub(super) fn maildir_flags(name: &[u8]) -> Option<String> {
    let at = name.windows(3).rposition(|mark| matches!(mark, [b':' | b';' | b'!', b'2', b',']))?;
    let mut flags: Vec<u8> = name.get(at + 3..)?.iter().copied().take_while(u8::is_ascii_alphabetic).collect();
    flags.sort_unstable();
    flags.dedup();
    Some(String::from_utf8_lossy(&flags).into_owned())
}

/// The time in the name of a Maildir file.
pub(super) fn maildir_date(name: &[u8]) -> Option<DateHint> {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(6..=11).contains(&digits) || !matches!(name.get(digits), Some(b'.' | b'_' | b'-')) {
        return None;
    }
    let seconds = std::str::from_utf8(name.get(..digits)?).ok()?.parse().ok()?;
    Some(DateHint { seconds, kind: DateKind::MaildirName })
}

/// The folders that the name of a Maildir++ folder means: `.Lists.Rust` is `Lists`, and below it `Rust`.
pub(super) fn maildir_folders(name: &[u8]) -> impl Iterator<Item = String> {
    name.split(|&byte| byte == b'.').filter(|part| !part.is_empty()).map(|part| match std::str::from_utf8(part) {
        Ok(text) => utf7::decoded(text, utf7::COURIER).into_owned(),
        Err(_) => source_text(part),
    })
}

/// The folder path of a file, built from the names above it one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct FolderPath {
    /// The folders so far, within the bounds of folders.
    pub(super) folder: Shortened,
    /// Inside a mailbox of Apple Mail, whose inner directories are not folders.
    pub(super) apple: bool,
}

impl FolderPath {
    /// Enters a folder; `maildir`: it has `cur`, and may be named in the style of Maildir++.
    pub(super) fn enter(&mut self, name: &[u8], maildir: bool) {
        if self.apple && is_apple_inner(name) {
            return;
        }
        if maildir && name.len() > 1 && name.starts_with(b".") {
            maildir_folders(name).for_each(|name| self.folder.push(&name));
            return;
        }
        if let Some(folder) = kmail_folder(name) {
            self.folder.push(&folder_text(folder));
            return;
        }
        let is_mailbox = has_ending(name, b".mbox") || has_ending(name, b".imapmbox");
        self.apple |= is_mailbox;
        let bare = without(name, &[b".mbox", b".imapmbox", b".sbd"]).unwrap_or(name);
        self.folder.push(&folder_text(bare));
    }
}

/// The folders between an Apple mailbox and its mails: a UUID, `Data`, digits, `Messages`.
fn is_apple_inner(name: &[u8]) -> bool {
    let uuid = name.len() == 36 && name.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    uuid || name == b"Data" || name == b"Messages" || (name.len() <= 2 && is_number(name))
}
