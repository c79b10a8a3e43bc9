//! `verify`.

use std::collections::BTreeSet;

use archive_core::{Archive, DamageCause, Depth, Finding, MessageId, Remedy};
use serde_json::json;

use super::system;
use crate::args::Verify;
use crate::failure::{Exit, Failure};
use crate::key as keys;
use crate::memory::{self, Memory, Verified};
use crate::out::{Out, counted, escape, json, when};
use crate::stop;

/// The most ids that are listed with a finding for people.
const LISTED: usize = 20;

pub fn run(archive: &Archive, args: Verify, out: &mut Out) -> Result<Exit, Failure> {
    let progress = stop::at_safe_points();
    let stats = system(archive).stats(&progress)?;
    if let Some(store) = &args.store
        && !stats.stores.iter().any(|known| known.name == *store || known.no.to_string() == *store)
    {
        let known: Vec<&str> = stats.stores.iter().map(|store| store.name.as_str()).collect();
        return Err(Failure::Usage(format!("there is no store `{store}`; the stores are: {}", known.join(", "))));
    }
    let depth = match args.part {
        Some((no, of)) => Depth::Part { no, of },
        None if args.quick => Depth::Structure,
        None => Depth::Everything,
    };
    let meter = out.meter(Some(stats.bytes_raw / args.part.map_or(1, |(_, of)| u64::from(of))));
    let report = system(archive).verify(depth, &meter.follow(&progress));
    meter.end();
    let mut report = report?;
    if args.accept {
        system(archive).accept_damage(&mut report)?;
    }
    if let Some(recovery) = archive.recovered().filter(|_| out.is_json()) {
        let (put_aside, taken_over) = (recovery.bytes_put_aside, recovery.commit_taken_over);
        out.json(&json!({ "event": "recovered", "bytes_put_aside": put_aside, "commit_taken_over": taken_over }))?;
    }
    let lists = [(&report.findings, "damage"), (&report.healed, "healed"), (&report.accepted, "accepted")];
    for (finding, listed_as) in lists.into_iter().flat_map(|(list, name)| list.iter().map(move |finding| (finding, name))) {
        say(archive, finding, listed_as, (&args, report.lost_messages), out)?;
    }
    for path in &report.foreign {
        let file = path.display().to_string();
        match out.is_json() {
            true => out.json(&json!({ "event": "foreign", "file": file }))?,
            false => out.line(&format!("{}: does not belong in the archive; it is left as it is", escape::line(&file)))?,
        }
    }
    let damaged = report.findings.len();
    let unreadable: BTreeSet<MessageId> =
        report.findings.iter().chain(&report.accepted).flat_map(|finding| finding.messages.iter().copied()).collect();
    let seconds = meter.seconds();
    if out.is_json() {
        out.json(&json!({
            "event": "summary",
            "files": report.files,
            "bytes": report.bytes,
            "messages": report.messages,
            "lost_messages": report.lost_messages,
            "unreadable": unreadable.len(),
            "damaged": damaged,
            "healed": report.healed.len(),
            "accepted": report.accepted.len(),
            "foreign": report.foreign.len(),
            "checked": checked(&args),
            "seconds": seconds,
            "recovery_key": keys::recovery_state(archive)?,
        }))?;
    } else {
        let verdict = match (damaged, archive.barred()) {
            (0, None) if report.lost_messages > 0 => "what is left is well".to_owned(),
            (0, None) if report.healed.is_empty() && report.accepted.is_empty() => "all is well".to_owned(),
            (0, None) => "no other damage".to_owned(),
            (0, Some(barred)) => format!("no damage, but no mail is accepted: {barred}"),
            _ => format!("{} damaged", counted(damaged as u64, "place")),
        };
        for (list, what) in
            [(&report.healed, "are healed and cost no mail"), (&report.accepted, "are known and were accepted, by a repair or by --accept")]
        {
            if !list.is_empty() {
                out.note(&format!("notice: {} damaged places {what}", list.len()))?;
            }
        }
        if !unreadable.is_empty() {
            out.warn(&format!(
                "warning: {} of {} mails cannot be read; restore the files named above from a backup, or re-import the sources of these mails",
                unreadable.len(),
                report.messages
            ))?;
        }
        if report.lost_messages > 0 {
            let lost = report.lost_messages;
            out.warn(&format!(
                "warning: damage took {lost} mails, whose ids lead to nothing now; re-import their sources if that was not done yet"
            ))?;
        }
        if damaged > 0 && archive.is_read_only() {
            out.note(super::NOT_NOTED)?;
        } else if damaged > 0 && archive.barred().is_none() && report.findings.iter().all(|finding| finding.remedy.is_none()) {
            out.note("when nothing more can be restored, `mailkeep verify --accept` records this damage as known")?;
        }
        if !report.foreign.is_empty() {
            out.note(&format!(
                "notice: in the archive's folder, {} not belong there",
                match report.foreign.len() {
                    1 => "1 name does".to_owned(),
                    many => format!("{many} names do"),
                }
            ))?;
        }
        let (files, bytes, mails) = (report.files, when::size(report.bytes), report.messages);
        out.line(&escape::text(&format!(
            "{}: {}, {bytes}, {}: {verdict}",
            checked(&args),
            counted(files, "file"),
            counted(mails, "mail")
        )))?;
    }
    if args.note {
        let verified = Verified { at: memory::now(), messages: report.messages, damaged: damaged as u64 };
        Memory::of(archive).note_verified(verified)?;
    }
    Ok(if damaged == 0 { super::whole(archive) } else { Exit::Wrong })
}

/// The part of the archive that was checked.
fn checked(args: &Verify) -> String {
    match (args.part, &args.store) {
        (Some((no, of)), _) => format!("part {no} of {of} of mails and containers, and all other files"),
        (None, _) if args.quick => "structure only, digests of mails not checked".to_owned(),
        (None, Some(store)) => format!("store {store}"),
        (None, None) => "everything".to_owned(),
    }
}

/// Reports one finding, listed as `damage`, `healed` or `accepted`. `lost` is how many messages are lost in all.
fn say(archive: &Archive, finding: &Finding, listed_as: &str, (args, lost): (&Verify, u64), out: &mut Out) -> Result<(), Failure> {
    let file = finding.file.display().to_string();
    let ids = |ids: &[MessageId]| ids.iter().map(ToString::to_string).collect::<Vec<String>>();
    let (messages, records) = (ids(&finding.messages), ids(&finding.records));
    let (offset, len, cause) = (finding.offset, finding.len, finding.cause);
    if out.is_json() {
        return out.json(&json::line(listed_as, finding));
    }
    let costs = match (messages.len(), records.len(), finding.remedy) {
        _ if listed_as == "healed" => format!("costs no mail, since these were imported again: {}", listed(&messages)),
        (0, 0, Some(Remedy::RebuildIndex)) => "costs no mail; `mailkeep rebuild index` fixes it".to_owned(),
        (0, 0, Some(_)) => "costs no mail; `mailkeep repair` fixes it, unless damage of records is reported too".to_owned(),
        (0, 0, None) if args.quick => "what it costs is found by reading all, without --quick".to_owned(),
        (0, 0, None) if archive.damage().is_some() && finding.cause != DamageCause::Chain => {
            "what it costs is not known: nothing else says which mails there are".to_owned()
        }
        (0, 0, None) if lost > 0 => format!("may have cost some of the {lost} mails that are lost"),
        (0, 0, None) => "costs no mail".to_owned(),
        (_, 0, _) => format!("costs {}", listed(&messages)),
        (0, ..) => format!("costs the record, not the bytes, of {}", listed(&records)),
        _ => format!("costs {}; and the record, not the bytes, of {}", listed(&messages), listed(&records)),
    };
    let accepted = if listed_as == "accepted" { " (accepted)" } else { "" };
    out.line(&format!("{}: offset {offset}, {len} bytes: {cause}; {costs}{accepted}", escape::line(&file)))
}

/// Ids for people: all if there are few, else the first ones.
fn listed(ids: &[String]) -> String {
    match ids.get(..LISTED) {
        Some(first) if ids.len() > LISTED => format!("{} mails, {} …", ids.len(), first.join(" ")),
        _ => ids.join(" "),
    }
}
