//! The commands, with a file for each.

mod check;
mod compact;
mod delete;
mod demo;
mod export;
mod failed;
mod folder;
mod freeze;
mod import;
mod init;
mod key;
mod lost;
mod ls;
mod manual;
mod rebuild;
mod repair;
mod rows;
mod search;
mod show;
mod stats;
mod store;
mod verify;

use archive_core::{Actor, Archive, Error, Recovery, Session};

use crate::args::{Args, Command, Common};
use crate::failure::{Exit, Failure};
use crate::key::{self as keys, Access};
use crate::out::{Out, escape};

/// Runs the command.
pub fn run(args: Args, out: &mut Out) -> Result<Exit, Failure> {
    let common = &args.common;
    match &args.command {
        Command::Search(_) | Command::Show(_) | Command::Ls(_) | Command::Stats(_) => {}
        Command::Export(export) if export.is_stream() => {}
        _ => out.keep_on(),
    }
    match args.command {
        Command::Init(args) => init::run(common, args, out),
        Command::Import(args) => on_archive(common, Access::Write, out, |archive, out| import::run(archive, args, out)),
        Command::Check(args) => on_archive(common, Access::Check, out, |archive, out| check::run(archive, args, out)),
        Command::Search(args) => on_archive(common, Access::Read, out, |archive, out| search::run(archive, &args, out)),
        Command::Show(args) => on_archive(common, Access::Read, out, |archive, out| show::run(archive, &args, out)),
        Command::Ls(args) => {
            on_archive(common, Access::Read, out, |archive, out| ls::run(&system(archive), &args, out).map(|_| with_all_stores(archive)))
        }
        Command::Folder(command) => {
            let access = if command.is_dry_run() { Access::Read } else { Access::Write };
            on_archive(common, access, out, |archive, out| folder::run(&system(archive), &command, out))
        }
        Command::Export(args) => on_archive(common, Access::Read, out, |archive, out| export::run(archive, args, out)),
        Command::Delete(args) => on_archive(common, Access::Write, out, |archive, out| delete::run(archive, &args, out)),
        Command::Undelete(args) => on_archive(common, Access::Write, out, |archive, out| delete::undo(archive, &args, out)),
        Command::Compact(args) => {
            let access = if args.dry_run { Access::Read } else { Access::Write };
            on_archive(common, access, out, |archive, out| compact::run(archive, &args, out))
        }
        Command::Freeze(args) => on_archive(common, Access::Write, out, |archive, out| freeze::run(archive, &args, out)),
        Command::Store(command) => {
            let access = if command.only_reads() { Access::Read } else { Access::Write };
            on_archive(common, access, out, |archive, out| store::run(archive, &command, out))
        }
        Command::Verify(args) => {
            on_archive(common, if args.accept { Access::Write } else { Access::Check }, out, |archive, out| verify::run(archive, args, out))
        }
        Command::Repair(args) => on_archive(common, Access::Write, out, |archive, out| repair::run(archive, &args, out)),
        Command::Lost(args) => {
            on_archive(common, if args.import { Access::Write } else { Access::Check }, out, |archive, out| lost::run(archive, &args, out))
        }
        Command::Stats(_) => {
            on_archive(common, Access::Read, out, |archive, out| stats::run(archive, out).map(|_| with_all_stores(archive)))
        }
        Command::Rebuild(command) => on_archive(common, Access::Write, out, |archive, out| rebuild::run(&system(archive), &command, out)),
        Command::Key(command) => key::run(common, command, out),
        Command::Demo(args) => demo::run(common, &args, out),
        Command::Completions { shell } => manual::completions(shell, out),
        Command::Man { dir } => manual::pages(common, &dir),
    }
}

/// What to do about damage that was found in an archive which could only be read.
const NOT_NOTED: &str = "the archive could only be read, so damage is not noted in it: run `mailkeep verify` when it can be written, before you \
                         import the mails again";

/// Opens the archive, works on it, closes it.
fn on_archive(
    common: &Common,
    access: Access,
    out: &mut Out,
    work: impl FnOnce(&Archive, &mut Out) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let archive = keys::open(common, access, out)?;
    // If the archive was not named, the user does not see which one is meant.
    let which = match common.archive {
        Some(_) => String::new(),
        None => format!("{}: ", escape::line(&archive.dir().display().to_string())),
    };
    match (archive.barred(), archive.damage()) {
        (_, Some(damage)) if archive.barred().is_some() => out.warn(&format!(
            "warning: {which}the archive is damaged and accepts no mail until it is repaired: {damage}; undamaged mails can be read; copy the archive, put \
             back the file from a backup if there is one, else `mailkeep repair` makes the archive ready for mail again; `mailkeep verify` says more"
        ))?,
        (Some(barred), _) => out.warn(&format!("warning: {which}the archive accepts no mail: {barred}"))?,
        (None, Some(damage)) => out.warn(&format!("warning: {which}{damage}"))?,
        (None, None) => {}
    }
    for notice in archive.notices() {
        out.warn(&format!("warning: {which}{notice}"))?;
    }
    if let Some(Recovery { bytes_put_aside, commit_taken_over, .. }) = archive.recovered() {
        let taken = if commit_taken_over { "the last commit was adopted" } else { "nothing was adopted" };
        out.note(&format!(
            "notice: {which}recovered from a crash: {taken}, {bytes_put_aside} bytes without a receipt were set aside (`mailkeep lost` \
             lists them); an import that was cut off can be run again"
        ))?;
    }
    let done = work(&archive, out);
    let closed = archive.close();
    let exit = done?;
    match closed {
        // Receipts and results are still valid.
        Err(error @ Error::CachesLag(_)) => out.warn(&format!("warning: {which}{error}"))?,
        Err(error) if error.code() == "disk_full" => out.warn(&format!("warning: {which}{error}"))?,
        closed => closed?,
    }
    Ok(exit)
}

/// The exit code for an archive that was read to its end: `Wrong` if the open found that something is missing or
/// changed.
fn whole(archive: &Archive) -> Exit {
    if archive.damage().is_some() || archive.barred().is_some() { Exit::Wrong } else { with_all_stores(archive) }
}

/// The exit code for a list of what is in the archive: `Wrong` if a store could not be opened, about which the open warned.
fn with_all_stores(archive: &Archive) -> Exit {
    let is_left_out = |notice: &Error| matches!(notice, Error::StoreNotOpen { .. });
    if archive.notices().iter().any(is_left_out) { Exit::Wrong } else { Exit::Done }
}

fn system(archive: &Archive) -> Session {
    archive.session(Actor::System)
}
