//! Another reader of mail, mail-parser, is asked about the same mails. Where it says something else there is a reason, listed in
//! `reasons.rs`, or somebody is at fault.
//!
//! With `MAILKEEP_CORPORA` set to a folder of real mail all of it is compared, and every reason must be seen; without it the mails are those
//! of `fixtures.rs`.

mod fixtures;
mod read;
mod reasons;
mod single;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use archive_core::source::{Body, Item, SourceOptions, SourceVisitor, Trouble, read_path};
use read::{Aspect, Compared, Difference, compare};
use reasons::{REASONS, single};
use single::SINGLE;

/// mail-parser uses stack in proportion to how deep mails lie in each other.
const STACK: usize = 256 << 20;
/// Characters of a value that are shown.
const WIDTH: usize = 300;
/// Differences without a reason that are shown of each aspect.
const SHOWN: usize = 25;

#[derive(Default)]
struct Opinions {
    mails: u64,
    skipped: BTreeMap<&'static str, u64>,
    /// For each reason, how many differences it explains, and the first mail that has one.
    explained: BTreeMap<usize, (u64, String)>,
    /// Which of [`SINGLE`] were seen.
    singles: BTreeSet<(usize, Aspect)>,
    unexplained: BTreeMap<Aspect, Vec<String>>,
}

impl Opinions {
    fn ask(&mut self, place: &str, raw: &[u8]) {
        self.mails += 1;
        let compared = compare(raw, &mut |difference| {
            let mut reasons = REASONS.iter();
            if let Some(reason) = reasons.position(|reason| reason.aspects.contains(&difference.aspect) && (reason.holds)(difference)) {
                self.explained.entry(reason).or_insert_with(|| (0, place.to_owned())).0 += 1;
            } else if let Some(known) = single(place, difference.aspect) {
                self.singles.insert((known, difference.aspect));
            } else {
                self.unexplained.entry(difference.aspect).or_default().push(shown(place, difference));
            }
        });
        if let Compared::Skipped(why) = compared {
            *self.skipped.entry(why).or_default() += 1;
        }
    }

    /// Prints what was found; fails if something has no reason.
    fn judge(&self) {
        println!("{} mails; not compared: {:?}", self.mails, self.skipped);
        for (reason, (times, first)) in &self.explained {
            println!("{times:>7}  {}  ({first})", REASONS[*reason].words);
        }
        println!("{:>7}  of one mail each", self.singles.len());
        let mut report = String::new();
        for (aspect, differences) in &self.unexplained {
            let _ = writeln!(report, "{aspect:?}: {} differences without a reason", differences.len());
            differences.iter().take(SHOWN).for_each(|shown| report.push_str(&format!("  {shown}\n")));
        }
        assert!(report.is_empty(), "{report}");
    }
}

fn shown(place: &str, difference: &Difference<'_>) -> String {
    let shown = |text: &str| text.chars().take(WIDTH).collect::<String>();
    let fields: Vec<_> = difference.fields.iter().map(|value| shown(&String::from_utf8_lossy(value))).collect();
    let (ours, theirs) = (shown(&difference.ours), shown(&difference.theirs));
    format!("{place}\n    fields {fields:?}\n    ours   {ours:?}\n    theirs {theirs:?}")
}

struct Reading {
    name: String,
    opinions: Opinions,
}

impl SourceVisitor for Reading {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        match item.body {
            Body::Whole(raw) => {
                let place = format!("{}/{} at {}", self.name, item.source, item.offset);
                self.opinions.ask(&place, &raw);
            }
            Body::Stream { .. } => *self.opinions.skipped.entry("it is streamed").or_default() += 1,
        }
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, _: Trouble) {}
}

/// Runs in a thread with a stack of [`STACK`] bytes.
fn with_room<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).expect("a thread");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn mails_of_the_fixtures_are_read_alike_or_there_is_a_reason() {
    with_room(|| {
        let mut opinions = Opinions::default();
        fixtures::mails().iter().for_each(|(name, raw)| opinions.ask(name, raw));
        opinions.judge();
    });
}

#[test]
fn real_mail_is_read_alike_or_there_is_a_reason_and_no_reason_is_out_of_date() {
    let Some(folder) = std::env::var_os("MAILKEEP_CORPORA").map(PathBuf::from) else {
        println!("skipped: MAILKEEP_CORPORA is not set, and reasons may be out of date");
        return;
    };
    with_room(|| {
        let mut reading = Reading { name: String::new(), opinions: Opinions::default() };
        for name in ["lists", "mbox", "journal", "documents", "torture"] {
            if folder.join(name).exists() {
                name.clone_into(&mut reading.name);
                read_path(&folder.join(name), SourceOptions::default(), &mut reading).expect("the corpora can be read");
            }
        }
        reading.opinions.judge();
        let opinions = &reading.opinions;
        let aspects = SINGLE.iter().enumerate().flat_map(|(number, (_, aspects, _))| aspects.iter().map(move |aspect| (number, *aspect)));
        let unseen: Vec<_> =
            aspects.filter(|single| !opinions.singles.contains(single)).map(|(at, aspect)| (SINGLE[at].0, aspect)).collect();
        assert!(unseen.is_empty(), "these mails do not differ any more: {unseen:#?}");
        let unseen = REASONS.iter().enumerate().filter(|(number, _)| !opinions.explained.contains_key(number));
        let unseen: Vec<_> = unseen.map(|(_, reason)| reason.words).collect();
        assert!(unseen.is_empty(), "no mail shows these reasons any more: {unseen:#?}");
    });
}
