//! `init`: creates an archive, and writes nothing of it before its keys are stored.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use archive_core::vfs::{Operation, VfsError};
use archive_core::{Archive, ArchiveKeys, CreateOptions, Error, Key, Secret, Uuid};
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{Common, Init};
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::{Out, escape};
use crate::place;

/// Groups of the recovery key that the user has to enter.
const ASKED: [usize; 2] = [3, 9];

pub fn run(common: &Common, args: Init, out: &mut Out) -> Result<Exit, Failure> {
    let is_dialogue = keys::is_dialogue() && !out.is_json();
    if !is_dialogue && common.recovery_key_file.is_none() && common.passphrase_file.is_none() {
        return Err(Failure::Usage(
            "without a terminal, give --recovery-key-file FILE (it is written) or --passphrase-file FILE: otherwise losing one disk \
             would lock you out for good"
                .to_owned(),
        ));
    }
    let dir = args.dir.or_else(|| place::named(common)).map_or_else(std::env::current_dir, Ok)?;
    let owner = match args.owner {
        Some(owner) => owner,
        None if is_dialogue => ask_owner()?,
        None => return Err(Failure::Usage("without a terminal, give --owner NAME, the first user archive".to_owned())),
    };
    make(common, &dir, &owner, Manner { asks: is_dialogue, notes_first: true }, out)?;
    Ok(Exit::Done)
}

/// How an archive is created.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether to show the recovery key and ask for some of it; offer a passphrase.
    pub asks: bool,
    /// Whether to note it as the user's first, if there is none.
    pub notes_first: bool,
}

/// Creates an archive in `dir` and reports what opens it.
pub fn make(common: &Common, dir: &Path, owner: &str, manner: Manner, out: &mut Out) -> Result<(), Failure> {
    refuse_place(common, dir)?;
    let mut options = CreateOptions::new(owner);
    if let Some(file) = &common.passphrase_file {
        let passphrase = keys::secret_file(file, out)?;
        if passphrase.text().is_empty() {
            return Err(Failure::Usage(format!("{}: the passphrase is empty", file.display())));
        }
        options = options.passphrase(passphrase.text());
    }
    let new = Archive::create(dir, options)?;
    let (id, mut kept) = (new.id(), Kept::default());
    kept.keep(common, id, new.keys())?;
    let archive = new.commit().inspect_err(|_| {
        // Without `archive.mk` there is no archive that the keys could open.
        if Archive::id_of(dir).ok() != Some(id) {
            kept.forget();
        }
    })?;
    let noted = if manner.notes_first { place::note_first(dir) } else { Ok(()) };
    let done = tell(common, &archive, &kept, manner.asks, out);
    archive.close()?;
    noted.and(done)
}

/// An archive must have its own folder, and what opens it must be elsewhere.
fn refuse_place(common: &Common, dir: &Path) -> Result<(), Failure> {
    if dir.exists() && !dir.is_dir() {
        return Err(Error::Exists { path: dir.to_owned(), hint: " and is not a folder" }.into());
    }
    if let Some(outer) = Archive::leads_to(dir).ancestors().find(|above| place::is_archive(above) && *above != Archive::leads_to(dir)) {
        return Err(Failure::Usage(format!("{}: is inside the archive {}", dir.display(), outer.display())));
    }
    let key_file = common.key_file.clone().or_else(place::config);
    let kept = [key_file, common.recovery_key_file.clone()];
    match kept.into_iter().flatten().find(|file| Archive::lies_in(dir, file)) {
        Some(file) => Err(Failure::Usage(format!("{}: a key may not lie in the archive that it opens", file.display()))),
        None => Ok(()),
    }
}

/// Where the keys went.
#[derive(Default)]
struct Kept {
    key_file: Option<PathBuf>,
    recovery_file: Option<PathBuf>,
    recovery: Option<Secret>,
}

impl Kept {
    fn keep(&mut self, common: &Common, id: Uuid, made: &ArchiveKeys) -> Result<(), Failure> {
        if let Some(text) = &made.key_file {
            let path = common.key_file.clone().or_else(|| place::key_file(id));
            let path = path.ok_or_else(|| Failure::Usage("there is no folder for configuration; give --key-file FILE".to_owned()))?;
            if common.key_file.is_none()
                && let Some(dir) = path.parent()
            {
                place::make_private_dir(dir).map_err(refused)?;
            }
            place::write_private(&path, &format!("{}\n", text.text().trim_end())).map_err(refused)?;
            self.key_file = Some(path);
        }
        if let Some(path) = &common.recovery_key_file {
            let text = Zeroizing::new(format!("{}\n", made.recovery.text()));
            if let Err(failure) = place::write_private(path, &text) {
                self.forget();
                return Err(refused(failure));
            }
            self.recovery_file = Some(path.clone());
        }
        self.recovery = Some(made.recovery.clone());
        Ok(())
    }

    /// Removes the keys of an archive that was not created.
    fn forget(&self) {
        for path in [&self.key_file, &self.recovery_file].into_iter().flatten() {
            let _left = fs::remove_file(path);
        }
    }
}

/// A key is never written over another file.
fn refused(failure: Failure) -> Failure {
    match failure {
        Failure::File { source, path, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Error::Exists { path, hint: "; a key is never written over another file" }.into()
        }
        Failure::File { source, path, .. } => Error::from(VfsError::new(Operation::Create, &path, source)).into(),
        other => other,
    }
}

fn ask_owner() -> Result<String, Failure> {
    let login = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).filter(|name| !name.is_empty());
    let proposal = login.as_deref().map(|login| format!(" [{}]", escape::line(login))).unwrap_or_default();
    let answer = ask_line(&format!("Name of the first user archive{proposal}: "))?;
    match (answer.is_empty(), login) {
        (false, _) => Ok(answer),
        (true, Some(login)) => Ok(login),
        (true, None) => Err(Failure::Usage("a user archive needs a name; give --owner NAME".to_owned())),
    }
}

fn ask_line(question: &str) -> Result<String, Failure> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn tell(common: &Common, archive: &Archive, kept: &Kept, is_dialogue: bool, out: &mut Out) -> Result<(), Failure> {
    let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    if out.is_json() {
        return out.json(&json!({
            "event": "summary",
            "archive": archive.id().to_string(),
            "path": archive.dir().display().to_string(),
            "owner": archive.owner(),
            "key_file": shown(&kept.key_file),
            "recovery_key_file": shown(&kept.recovery_file),
            "recovery_identifier": archive.key_status()?.recovery_identifier,
            "recovery_key": keys::recovery_state(archive)?,
        }));
    }
    out.line(&format!("archive {} created in {}", archive.id(), escape::line(&archive.dir().display().to_string())))?;
    out.line("it opens with any one of:")?;
    for path in shown(&kept.key_file).iter() {
        out.line(&format!("  the key file {}", escape::line(path)))?;
    }
    if common.passphrase_file.is_some() {
        out.line("  the passphrase")?;
    }
    match shown(&kept.recovery_file) {
        Some(path) => out.line(&format!("  the recovery key in {}: keep it on another medium", escape::line(&path)))?,
        None if is_dialogue => out.line("  the recovery key, which is shown now and never again:")?,
        None => out.note("warning: the recovery key was not kept, since no --recovery-key-file was given")?,
    }
    if is_dialogue {
        dialogue(archive, kept, out)?;
    }
    keys::remind_unconfirmed(archive, out)
}

/// Asks for some groups of the key, each until it is right. An empty answer ends this.
fn gives_back(recovery: &str, ask: &mut dyn FnMut(&str) -> Result<String, Failure>) -> Result<bool, Failure> {
    let groups: Vec<&str> = recovery.split('-').collect();
    for at in ASKED {
        let mut question = format!("Group {} of the recovery key: ", at + 1);
        loop {
            let answer = ask(&question)?;
            if answer.is_empty() {
                return Ok(false);
            }
            if groups.get(at).is_some_and(|group| group.eq_ignore_ascii_case(&answer)) {
                break;
            }
            question = format!("That is not group {}; try again, or leave it empty to confirm later: ", at + 1);
        }
    }
    Ok(true)
}

fn dialogue(archive: &Archive, kept: &Kept, out: &mut Out) -> Result<(), Failure> {
    let Some(recovery) = &kept.recovery else { return Ok(()) };
    if kept.recovery_file.is_none() {
        out.flush()?;
        eprintln!("\n    {}\n\nWrite it down now: whoever has it and the archive's folder can read everything.", recovery.text());
        match gives_back(recovery.text(), &mut |question| ask_line(question))? {
            true => archive.confirm_recovery(&Key::Recovery(recovery.clone()))?,
            false => out.note("it is not confirmed; `mailkeep key confirm` asks again")?,
        }
    }
    if let Some(passphrase) = keys::ask_new_passphrase("A passphrase that also opens the archive (leave empty for none): ")? {
        archive.add_passphrase(passphrase.text())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_group_is_asked_again_and_no_other() {
        let groups: Vec<String> = (1..=12).map(|no| format!("KEY{no:02}")).collect();
        let asked = |answers: &[&str]| {
            let (mut questions, mut answers) = (Vec::new(), answers.iter());
            let given = gives_back(&groups.join("-"), &mut |question| {
                questions.push(question.to_owned());
                Ok(answers.next().map(ToString::to_string).unwrap_or_default())
            });
            (given.unwrap(), questions)
        };
        assert_eq!(
            asked(&["key04", "KEY10"]),
            (true, vec!["Group 4 of the recovery key: ".to_owned(), "Group 10 of the recovery key: ".to_owned()])
        );
        let (given, questions) = asked(&["key04", "KEY1O", "KEY01", "KEY10"]);
        assert!(given && questions.len() == 4 && questions[2..].iter().all(|question| question.contains("not group 10")), "{questions:?}");
        assert!(!asked(&["KEY04", ""]).0);
        assert!(!asked(&[]).0, "the end of the input");
    }
}
