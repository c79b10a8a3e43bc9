//! `key`: what opens the archive.

use archive_core::{Archive, Key as Opener, SlotInfo};
use serde_json::json;

use crate::args::{Common, Key};
use crate::failure::{Exit, Failure};
use crate::key::{self as keys, Access};
use crate::out::{Out, escape, when};
use crate::place;

pub fn run(common: &Common, command: Key, out: &mut Out) -> Result<Exit, Failure> {
    match command {
        Key::Status => super::on_archive(common, Access::Read, out, status),
        Key::Test => test(common, out),
        Key::Confirm => confirm(common, out),
        Key::AddPassphrase { new_passphrase_file } => super::on_archive(common, Access::Write, out, |archive, out| {
            let passphrase = match new_passphrase_file {
                Some(file) => keys::secret_file(&file, out)?,
                None if keys::is_dialogue() => keys::ask_new_passphrase("New passphrase: ")?.unwrap_or_else(|| "".into()),
                None => return Err(Failure::Usage("without a terminal, give --new-passphrase-file FILE".to_owned())),
            };
            report_slot(&archive.add_passphrase(passphrase.text())?, "added", out)
        }),
        Key::RemovePassphrase { slot } => super::on_archive(common, Access::Write, out, |archive, out| {
            archive.remove_passphrase(&slot)?;
            match out.is_json() {
                true => out.json(&json!({ "slot": slot, "done": "removed" }))?,
                false => out.line(&format!("slot {} removed", escape::line(&slot)))?,
            }
            Ok(Exit::Done)
        }),
    }
}

fn slot(info: &SlotInfo) -> serde_json::Value {
    json!({ "slot": info.id, "kind": info.kind.name(), "made": when::utc(info.made) })
}

fn report_slot(info: &SlotInfo, done: &str, out: &mut Out) -> Result<Exit, Failure> {
    if out.is_json() {
        let mut said = slot(info);
        said["done"] = done.into();
        out.json(&said)?;
    } else {
        out.line(&format!("slot {} ({}) {done}", info.id, info.kind.name()))?;
    }
    Ok(Exit::Done)
}

fn status(archive: &Archive, out: &mut Out) -> Result<Exit, Failure> {
    let status = archive.key_status()?;
    if out.is_json() {
        let slots: Vec<_> = status.slots.iter().map(slot).collect();
        out.json(&json!({
            "archive": archive.id().to_string(),
            "slots": slots,
            "recovery_identifier": status.recovery_identifier,
            "recovery_key": keys::recovery_state(archive)?,
        }))?;
        return Ok(Exit::Done);
    }
    out.line(&format!("archive {}", archive.id()))?;
    for slot in &status.slots {
        let made = when::local(slot.made, out.zone());
        out.line(&format!("  slot {}  {:12}  made {made}", slot.id, slot.kind.name()))?;
    }
    out.line(&format!("recovery key {}-…, {}", status.recovery_identifier, keys::recovery_state(archive)?))?;
    Ok(Exit::Done)
}

fn test(common: &Common, out: &mut Out) -> Result<Exit, Failure> {
    let dir = place::archive(common)?;
    let key = keys::find(common, &dir, Archive::id_of(&dir)?, out)?;
    report_slot(&Archive::test_key(&dir, &key)?, "opens the archive", out)
}

fn confirm(common: &Common, out: &mut Out) -> Result<Exit, Failure> {
    let dir = place::archive(common)?;
    let text = match &common.recovery_key_file {
        Some(file) => keys::secret_file(file, out)?,
        None if keys::is_dialogue() => keys::ask("Recovery key: ")?,
        None => return Err(Failure::Usage("without a terminal, give --recovery-key-file FILE".to_owned())),
    };
    let key = Opener::Recovery(text);
    let archive = Archive::open(&dir, &key, archive_core::OpenOptions::default())?;
    let confirmed = archive.confirm_recovery(&key);
    archive.close()?;
    confirmed?;
    match out.is_json() {
        true => out.json(&json!({ "recovery_key": "confirmed" }))?,
        false => out.line("the recovery key is confirmed")?,
    }
    Ok(Exit::Done)
}
