//! What opens an archive: found, read from files, or entered on a terminal. Never an argument.

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use archive_core::{Archive, Error, Key, OpenOptions, Secret, Uuid};
use zeroize::Zeroizing;

use crate::args::Common;
use crate::failure::Failure;
use crate::memory::{self, Reminder};
use crate::out::{Out, escape};
use crate::place;

/// No file with a secret is larger.
const MAX_SECRET: u64 = 64 << 10;

/// The same for a file that is to open an archive: without it, there is no key.
fn key_file(path: &Path, out: &mut Out) -> Result<Secret, Failure> {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match secret_file(path, out) {
        Err(Failure::File { path, source, .. }) if matches!(source.kind(), NotFound | PermissionDenied | NotADirectory | IsADirectory) => {
            Err(Failure::NoKeyFile { path, source })
        }
        read => read,
    }
}

/// The text of a file with a secret, without its line end. Warns where others may read it too.
pub fn secret_file(path: &Path, out: &mut Out) -> Result<Secret, Failure> {
    let file = fs::File::open(path).map_err(Failure::file("open", path))?;
    warn_open(&file, path, out)?;
    // With enough capacity from the start, so that growing leaves no copy in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET as usize + 64));
    file.take(MAX_SECRET + 1).read_to_end(&mut bytes).map_err(Failure::file("read", path))?;
    let bad = |hint| Error::BadKey { what: path.display().to_string(), hint };
    if bytes.len() as u64 > MAX_SECRET {
        return Err(bad("too large for a file with a key or passphrase").into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| bad("not text, as keys and passphrases are"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(line.strip_suffix('\r').unwrap_or(line).into())
}

/// The permissions of pipes and devices do not matter.
#[cfg(unix)]
fn warn_open(file: &fs::File, path: &Path, out: &mut Out) -> Result<(), Failure> {
    let data = file.metadata().map_err(Failure::file("look at", path))?;
    if !data.is_file() || std::os::unix::fs::MetadataExt::mode(&data) & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display().to_string();
    let quoted = format!("'{}'", path.replace('\'', "'\\''"));
    out.note(&format!(
        "warning: other users can read {}, which opens the archive; fix it with: chmod 600 {}",
        escape::line(&path),
        escape::line(&quoted)
    ))
}

#[cfg(not(unix))]
fn warn_open(_file: &fs::File, _path: &Path, _out: &mut Out) -> Result<(), Failure> {
    Ok(())
}

/// The key that options or environment name.
pub fn named(common: &Common, out: &mut Out) -> Result<Option<Key>, Failure> {
    let from_environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = &common.key_file {
        return Ok(Some(Key::File(key_file(file, out)?)));
    }
    if let Some(file) = &common.passphrase_file {
        return Ok(Some(Key::Passphrase(key_file(file, out)?)));
    }
    if let Some(file) = &common.recovery_key_file {
        return Ok(Some(Key::Recovery(key_file(file, out)?)));
    }
    if let Some(file) = from_environment("MAILKEEP_KEY_FILE") {
        return Ok(Some(Key::File(key_file(&PathBuf::from(file), out)?)));
    }
    let passphrase = from_environment("MAILKEEP_PASSPHRASE").map(|value| value.to_string_lossy().into_owned().into());
    Ok(passphrase.map(Key::Passphrase))
}

/// The key for the archive in `dir`: the named one, else the key file stored for it, else the answer on the terminal.
pub fn find(common: &Common, dir: &Path, id: Uuid, out: &mut Out) -> Result<Key, Failure> {
    if let Some(key) = named(common, out)? {
        return Ok(key);
    }
    let kept = place::key_file(id);
    if let Some(file) = kept.as_deref().filter(|file| file.exists()) {
        return Ok(Key::File(key_file(file, out)?));
    }
    if is_dialogue() {
        let answer = ask(&format!("Passphrase or recovery key for {}: ", dir.display()))?;
        return Ok(guess_kind(answer));
    }
    let looked = kept.map(|file| format!(" ({} is not there)", file.display())).unwrap_or_default();
    Err(Failure::NoKey {
        archive: id.to_string(),
        needed: Archive::opens_with(dir)?,
        hint: format!("give --key-file, --passphrase-file or --recovery-key-file{looked}"),
    })
}

/// A recovery key is twelve groups of five; anything else is a passphrase.
fn guess_kind(answer: Secret) -> Key {
    let is_recovery = answer.text().len() == 71 && answer.text().split('-').count() == 12;
    if is_recovery { Key::Recovery(answer) } else { Key::Passphrase(answer) }
}

/// What a command does with the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only reads: beside a process that writes, and on read-only media.
    Read,
    /// It reads, and notes damage that it finds unless another process writes. A mail whose damage is noted is stored again
    /// by its next import.
    Check,
    /// It may change something.
    Write,
}

/// Opens the archive that is meant.
pub fn open(common: &Common, access: Access, out: &mut Out) -> Result<Archive, Failure> {
    let dir = place::archive(common)?;
    let id = Archive::id_of(&dir)?;
    let key = find(common, &dir, id, out)?;
    let open = |access| Archive::open(&dir, &key, OpenOptions::default().read_only(access == Access::Read));
    let opened = match (access, open(access)) {
        (Access::Check, Err(error)) if bars_writing(&error) => open(Access::Read),
        (_, opened) => opened,
    };
    match opened {
        Ok(archive) if archive.lags()? => {
            // Whoever reads next would have to read and index as much again, so what is missing is written if nobody writes.
            // A cache that cannot be written lags on.
            if let Ok(writer) = open(Access::Write) {
                let _lags_on = writer.close();
                archive.refresh()?;
            }
            Ok(archive)
        }
        Err(Error::BadKey { what, hint }) => {
            let needed = Archive::opens_with(&dir)?;
            Err(Error::BadKey { what: format!("this is not a valid {what} for archive {id}, which opens with {needed}"), hint }.into())
        }
        opened => Ok(opened?),
    }
}

/// Whether the archive may still be opened for reading.
fn bars_writing(error: &Error) -> bool {
    match error {
        Error::InUse { .. } => true,
        Error::Io(error) => error.is_denied(),
        _ => false,
    }
}

/// Whether a person can answer.
pub fn is_dialogue() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a secret on the terminal, without showing it.
pub fn ask(question: &str) -> Result<Secret, Failure> {
    Ok(rpassword::prompt_password(question)?.into())
}

/// Asks twice for a new passphrase; `None` if the answer is empty.
pub fn ask_new_passphrase(question: &str) -> Result<Option<Secret>, Failure> {
    let first = ask(question)?;
    if first.text().is_empty() {
        return Ok(None);
    }
    if ask("Once more: ")? != first {
        return Err(Failure::Usage("the two passphrases differ; nothing was added".to_owned()));
    }
    Ok(Some(first))
}

/// Reminds once a day, as long as the recovery key has not been confirmed.
pub fn remind_unconfirmed(archive: &Archive, out: &mut Out) -> Result<(), Failure> {
    if archive.recovery_confirmed()? || !memory::is_due(archive, Reminder::RecoveryKey, out) {
        return Ok(());
    }
    let (identifier, dir) = (archive.key_status()?.recovery_identifier, archive.dir().display().to_string());
    out.note(&format!(
        "reminder: {}: the recovery key {identifier}-… was never confirmed, and without it a lost key file would lock you out for good; \
         `mailkeep key confirm` proves that you have it",
        escape::line(&dir)
    ))
}

/// `confirmed` or `unconfirmed`.
pub fn recovery_state(archive: &Archive) -> Result<&'static str, Error> {
    Ok(if archive.recovery_confirmed()? { "confirmed" } else { "unconfirmed" })
}
