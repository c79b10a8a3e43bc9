//! `export`.

use archive_core::{Archive, Error, ExportFormat, ExportOptions, ExportReport, FailedMails, MessageId};
use serde_json::json;

use super::system;
use crate::args::{Export, ExportKind};
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::out::{Out, when};
use crate::stop;

pub fn run(archive: &Archive, args: Export, out: &mut Out) -> Result<Exit, Failure> {
    let is_stream = args.is_stream();
    if is_stream {
        refuse_for_stream(&args, out)?;
    }
    let format = match args.format {
        Some(ExportKind::Mbox) => ExportFormat::Mbox,
        Some(ExportKind::Maildir) => ExportFormat::Maildir,
        None if is_stream => ExportFormat::Mbox,
        None | Some(ExportKind::Eml) => ExportFormat::Eml,
    };
    if args.origin && format != ExportFormat::Eml {
        return Err(Failure::Usage("--origin goes with --format eml alone".to_owned()));
    }
    let total = match (&args.folder, &args.query) {
        (None, None) => Some(system(archive).folders()?.iter().map(|folder| folder.bytes).sum()),
        _ => None,
    };
    let meter = out.meter(total);
    let options = ExportOptions {
        format,
        folder: args.folder,
        query: args.query,
        manifest: args.manifest,
        update: args.update,
        origin: args.origin,
        progress: meter.follow(&stop::at_safe_points()),
    };
    let mut failed = Vec::new();
    let mut events = |id: MessageId, error: &Error| {
        meter.warn(&format!("warning: {id}: {error}"));
        failed.push(json!({ "event": "failed", "id": id.to_string(), "message": error.to_string() }));
    };
    let report = match is_stream {
        true => stream(archive, &options, &mut events, out),
        false => system(archive).export(&args.dest, &options, &mut events).map_err(Failure::from),
    };
    meter.end();
    let report = report?;
    if out.is_json() {
        failed.iter().try_for_each(|line| out.json(line))?;
        out.json(&json!({
            "event": "summary",
            "exported": report.exported,
            "present": report.present,
            "failed": report.failed,
            "without_record": report.without_record,
            "bytes": report.bytes,
            "seconds": meter.seconds(),
            "recovery_key": keys::recovery_state(archive)?,
            "stopped": report.stopped,
        }))?;
    } else {
        let present = match (args.update, format) {
            (false, _) => String::new(),
            (true, ExportFormat::Mbox) => format!(", {} belong to mbox files that already existed and were not read", report.present),
            (true, _) => format!(", {} already there", report.present),
        };
        out.note(&format!("{} exported, {}{present}, {} failed", report.exported, when::size(report.bytes), report.failed))?;
        if report.without_record > 0 {
            out.note(&format!(
                "warning: the records of {} mails are damaged, so their From_ lines and flags are lost; `verify` says more",
                report.without_record
            ))?;
        }
    }
    if report.stopped {
        return Err(Error::Stopped.into());
    }
    Ok(if report.failed + report.without_record > 0 { Exit::Wrong } else { super::whole(archive) })
}

fn refuse_for_stream(args: &Export, out: &Out) -> Result<(), Failure> {
    let refuse = |what: &str| Err(Failure::Usage(format!("standard output receives one mbox; {what}")));
    match args {
        _ if out.is_json() => refuse("--json cannot be used with it"),
        Export { format: Some(ExportKind::Eml | ExportKind::Maildir), .. } => refuse("other formats need a folder"),
        Export { manifest: true, .. } | Export { update: true, .. } | Export { origin: true, .. } => {
            refuse("--manifest, --update and --origin need a folder")
        }
        _ => Ok(()),
    }
}

/// Writes an mbox to standard output. If that accepts no more, the failure is that of the output.
fn stream(archive: &Archive, options: &ExportOptions, failed: &mut FailedMails<'_>, out: &mut Out) -> Result<ExportReport, Failure> {
    let mut failure = None;
    let report = system(archive).export_mbox(
        &mut |bytes| {
            out.bytes(bytes).map_err(|error| {
                failure = Some(error);
                Error::Stopped
            })
        },
        options,
        failed,
    );
    match failure {
        Some(failure) => Err(failure),
        None => Ok(report?),
    }
}
