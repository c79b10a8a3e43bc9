//! Times of archiving are what the clock read, whether it rises or not; searches by them are exact all the same.
//!
//! Times never fell: one import with the clock in 2099 stamped all later mail 2099.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use archive_core::{Actor, Archive, Clock, OpenOptions, SearchCriteria, SearchRequest};

use super::fixture::{Dice, Files, folder};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// 2026-01-01 and 2099-01-01.
const IN_2026: i64 = 1_767_225_600_000;
const IN_2099: i64 = 4_070_908_800_000;

/// A clock that is set, and options with it.
fn settable() -> (Arc<AtomicI64>, OpenOptions) {
    let time = Arc::new(AtomicI64::new(IN_2026));
    let read = Arc::clone(&time);
    (time, OpenOptions::default().clock(Clock::new(move || read.load(Ordering::Relaxed))))
}

fn archived_in(archive: &Archive, from: &str, to: &str) -> Vec<u32> {
    let criteria = format!(r#"{{"version": 1, "archived": {{"from": "{from}", "to": "{to}"}}, "zone": "UTC"}}"#);
    let criteria = SearchCriteria::from_json(&criteria).expect("criteria");
    let found = archive.session(Actor::System).search(&SearchRequest::of(criteria)).expect("an answer");
    let mut found: Vec<u32> = found.hits.iter().map(|hit| hit.id.no.0).collect();
    found.sort_unstable();
    found
}

#[test]
fn a_clock_that_was_wrong_for_a_while_stamps_nothing_that_comes_later() {
    let (time, options) = settable();
    let (_, archive) = Files::create_with(options);
    let session = archive.session(Actor::System);
    for (no, now) in [IN_2026, IN_2099, IN_2026 + DAY].into_iter().enumerate() {
        time.store(now, Ordering::Relaxed);
        let id = session.import_one(format!("Subject: {no}\n\nx\n").as_bytes(), &folder("anna")).expect("archived").id();
        assert_eq!(session.message(id).expect("a message").archived, now);
    }
    assert_eq!(archived_in(&archive, "2099", "2099"), [1]);
    assert_eq!(archived_in(&archive, "2026", "2026"), [0, 2]);
    assert_eq!(i64::from(session.folders().expect("folders")[0].epoch), IN_2026 / 1000);
    // Days count from the same clock.
    let today = session.search(&SearchRequest::new("archived:today")).expect("an answer");
    assert_eq!(today.hits.iter().map(|hit| hit.id.no.0).collect::<Vec<_>>(), [2]);
}

#[test]
fn searches_by_time_of_archiving_are_exact_wherever_the_clock_goes() {
    let (time, options) = settable();
    let (files, archive) = Files::create_with(options.clone());
    let mut dice = Dice(11);
    let bring = |archive: &Archive, dice: &mut Dice, count: usize| {
        for _ in 0..count {
            let day = i64::try_from(dice.roll(28)).expect("fits");
            // It mostly goes on, and now and then jumps to any day.
            let now = if dice.roll(3) == 0 { IN_2026 + day * DAY } else { time.load(Ordering::Relaxed) + DAY / 4 };
            time.store(now.min(IN_2026 + 27 * DAY), Ordering::Relaxed);
            // Some mails come to several folders.
            let mail = format!("Subject: {}\n\nx\n", dice.roll(60));
            let path = ["anna", "anna/b", "bob"][dice.roll(3)];
            archive.session(Actor::System).import_one(mail.as_bytes(), &folder(path)).expect("archived");
        }
    };
    let check = |archive: &Archive| {
        let times: Vec<i64> = archive.session(Actor::System).messages().map(|info| info.expect("all messages").archived).collect();
        for (from, to) in [(1, 1), (3, 9), (1, 28), (10, 10), (20, 27), (28, 28)] {
            let span = IN_2026 + (from - 1) * DAY..IN_2026 + to * DAY;
            let expected: Vec<u32> = (0u32..).zip(&times).filter(|(_, time)| span.contains(time)).map(|(no, _)| no).collect();
            assert_eq!(archived_in(archive, &format!("2026-01-{from:02}"), &format!("2026-01-{to:02}")), expected, "{from} to {to}");
        }
        times.len()
    };
    bring(&archive, &mut dice, 60);
    assert!(check(&archive) > 40);
    archive.close().expect("closed");
    let archive = files.try_open_with(options.clone()).expect("open");
    check(&archive);
    bring(&archive, &mut dice, 30);
    let all = check(&archive);
    archive.close().expect("closed");
    for path in files.paths_with("/catalog/") {
        files.remove(&path);
    }
    assert_eq!(check(&files.try_open_with(options).expect("open")), all);
}
