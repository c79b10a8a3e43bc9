//! Long calls tell how far they are, and are ended in one way: before they begin, or by their own report.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use archive_core::{
    Actor, Archive, Depth, Error, ExportOptions, ImportOptions, ImportSource, NoEvents, OpenOptions, Progress, SearchRequest, Session, Step,
};

use crate::fixture::{Files, mbox, plain, verify};

/// A value that notes each step, and if asked for, ends the call at the first one.
fn noting(end: bool) -> (Progress, Arc<Mutex<Vec<Step>>>) {
    let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
    let noted = Arc::clone(&steps);
    let progress = Progress::reporting(move |step| {
        noted.lock().expect("no panic").push(*step);
        if end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (progress, steps)
}

/// Mails as an mbox file, and an archive that has them without an index.
struct Case {
    dir: tempfile::TempDir,
    files: Files,
}

const MAILS: usize = 150;

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("box.mbox"), mbox(&plain(MAILS, 40, 570))).expect("written");
        std::fs::write(dir.path().join("more.mbox"), mbox(&plain(MAILS, 40, 571))).expect("written");
        let (files, archive) = Files::create_with(OpenOptions::default().index(false));
        let case = Self { dir, files };
        let report = case.import(&archive.session(Actor::System), "box.mbox", &Progress::new()).expect("imported");
        assert_eq!(report, (MAILS as u64, false));
        archive.close().expect("closed");
        case
    }

    fn options(progress: &Progress) -> ImportOptions {
        ImportOptions { progress: progress.clone(), ..ImportOptions::default() }
    }

    fn import(&self, session: &Session, name: &str, progress: &Progress) -> Result<(u64, bool), Error> {
        let report = session.import(ImportSource::Path(&self.dir.path().join(name)), &Self::options(progress), &mut NoEvents)?;
        assert_eq!(report.read, report.stored + report.duplicate + report.failed);
        Ok((report.stored, report.stopped))
    }
}

/// A report that says that it was stopped counts as the error would.
fn or_stopped(stopped: bool) -> Result<(), Error> {
    if stopped { Err(Error::Stopped) } else { Ok(()) }
}

type LongCall = fn(&Case, &Archive, &Progress) -> Result<(), Error>;

/// The calls, and whether they report steps.
const CALLS: [(&str, bool, LongCall); 11] = [
    ("import", true, |case, archive, progress| {
        case.import(&archive.session(Actor::System), "more.mbox", progress).and_then(|(_, stopped)| or_stopped(stopped))
    }),
    ("check", true, |case, archive, progress| {
        let path = case.dir.path().join("box.mbox");
        let report = archive.session(Actor::System).check(ImportSource::Path(&path), &Case::options(progress), &mut NoEvents)?;
        assert_eq!((report.present, report.missing), (MAILS as u64, 0));
        Ok(())
    }),
    ("plan", true, |case, archive, progress| {
        let path = case.dir.path().join("box.mbox");
        let plan = archive.session(Actor::System).plan(ImportSource::Path(&path), &Case::options(progress), &mut NoEvents)?;
        assert_eq!(plan.folders.iter().map(|(_, mails, _)| mails).sum::<u64>(), MAILS as u64);
        Ok(())
    }),
    ("export", true, |case, archive, progress| {
        let out = tempfile::tempdir_in(&case.dir).expect("a folder");
        let options = ExportOptions { progress: progress.clone(), ..ExportOptions::default() };
        let report = archive.session(Actor::System).export(out.path(), &options, &mut |_, error| panic!("{error}"))?;
        or_stopped(report.stopped)
    }),
    ("verify", true, |_, archive, progress| {
        let report = archive.session(Actor::System).verify(Depth::Everything, progress)?;
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        Ok(())
    }),
    ("rebuild", true, |_, archive, progress| archive.session(Actor::System).rebuild_store_index(1, progress)),
    ("rebuild of those selected", true, |_, archive, progress| {
        let session = archive.session(Actor::System);
        session.select_all_store_indexes_for_rebuild()?;
        session.rebuild_selected_store_indexes(progress).map(|built| assert_eq!(built, 1))
    }),
    ("stats", true, |_, archive, progress| archive.session(Actor::System).stats(progress).map(drop)),
    ("types not read", true, |_, archive, progress| archive.session(Actor::System).types_not_read(progress).map(drop)),
    ("thread", false, |_, archive, progress| {
        let session = archive.session(Actor::System);
        let id = session.messages().next().expect("a mail").expect("listed").id;
        session.thread(id, progress).map(|thread| assert!(thread.iter().any(|info| info.id == id)))
    }),
    ("close", true, |_, archive, progress| archive.close_with(progress)),
];

fn is_sound(steps: &[Step], what: &str) {
    assert!(!steps.is_empty(), "{what}: no step");
    for pair in steps.windows(2) {
        assert!(pair[0].activity != pair[1].activity || pair[0].done <= pair[1].done, "{what}: {pair:?}");
        assert!(pair[0].activity != pair[1].activity || pair[0].unit == pair[1].unit, "{what}: {pair:?}");
    }
    for step in steps {
        assert!(!step.activity.is_empty() && step.total != Some(0), "{what}: {step:?}");
        // An estimate; where nothing is archived meanwhile, it holds.
        assert!(step.total.is_none_or(|total| step.done <= total), "{what}: {step:?}");
    }
}

/// Whatever was ended, the archive is whole and has all that it had.
fn goes_on(case: &Case, what: &str) {
    let archive = case.files.try_open().unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = archive.session(Actor::System).search(&SearchRequest::new("*").limit(0)).expect("an answer");
    assert!(found.total >= MAILS as u64 && found.coverage.not_indexed == 0, "{what}: {found:?}");
    assert!(verify(&archive).findings.is_empty(), "{what}");
    archive.close().unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[test]
fn long_calls_are_ended_before_they_begin_and_by_their_reports() {
    let case = Case::new();
    for (what, reports, call) in CALLS {
        let cancelled = Progress::new();
        cancelled.cancel();
        let (ending, steps) = noting(true);
        for progress in [Some(&cancelled), reports.then_some(&ending)].into_iter().flatten() {
            let archive = case.files.open();
            let ended = call(&case, &archive, progress);
            assert!(matches!(ended, Err(Error::Stopped)), "{what}: {ended:?}");
            assert!(progress.is_cancelled());
            drop(archive);
            goes_on(&case, what);
        }
        assert!(!reports || steps.lock().expect("no panic").len() == 1, "{what}: it ends at the first step that says so");
        let (progress, steps) = noting(false);
        let archive = case.files.open();
        call(&case, &archive, &progress).unwrap_or_else(|error| panic!("{what}: {error}"));
        if reports {
            is_sound(&steps.lock().expect("no panic"), what);
        }
        drop(archive);
        goes_on(&case, what);
    }
}

#[test]
fn an_open_that_indexes_mails_is_ended_and_the_next_one_goes_on() {
    let case = Case::new();
    let cancelled = Progress::new();
    cancelled.cancel();
    let (ending, steps) = noting(true);
    for progress in [&cancelled, &ending] {
        let opened = case.files.try_open_with(OpenOptions::default().progress(progress));
        assert!(matches!(opened, Err(Error::Stopped)), "{opened:?}");
    }
    assert_eq!(steps.lock().expect("no panic").len(), 1);
    let (progress, steps) = noting(false);
    let archive = case.files.try_open_with(OpenOptions::default().progress(&progress)).expect("opens");
    is_sound(&steps.lock().expect("no panic"), "open");
    archive.close().expect("closed");
    goes_on(&case, "open");
}

/// What an ended call had taken in has its receipts, and the rest comes with the next.
#[test]
fn an_import_that_its_report_ends_keeps_what_it_has() {
    let case = Case::new();
    let archive = case.files.open();
    let session = archive.session(Actor::System);
    let inside = archive.clone();
    // The report may use the archive.
    let progress = Progress::reporting(move |_| {
        let all = inside.session(Actor::System).search(&SearchRequest::new("*").limit(0)).expect("an answer").total;
        if all > MAILS as u64 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (stored, _) = case.import(&session, "more.mbox", &progress).expect("imported, or ended");
    let (rest, stopped) = case.import(&session, "more.mbox", &Progress::new()).expect("imported");
    assert_eq!((stored + rest, stopped), (MAILS as u64, false));
}
