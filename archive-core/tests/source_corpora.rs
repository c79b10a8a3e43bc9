//! Real mailboxes: the readers find as many mails as were counted by other means. Needs MAILKEEP_CORPORA.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use archive_core::source::{Body, Item, SourceOptions, SourceVisitor, Summary, Trouble, read_path, read_stream};

#[derive(Default)]
struct Counter {
    mails: u64,
    bytes: u64,
    unquoted: u64,
    undated: u64,
    troubles: Vec<Trouble>,
}

impl SourceVisitor for Counter {
    fn item(&mut self, item: Item<'_>) -> ControlFlow<()> {
        let Body::Whole(mail) = item.body else { panic!("no mail of the corpora is streamed") };
        self.mails += 1;
        self.bytes += mail.len() as u64;
        self.unquoted += u64::from(item.quoting == archive_core::source::Quoting::Unquoted);
        self.undated += u64::from(item.date_hint.is_none());
        ControlFlow::Continue(())
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }
}

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("MAILKEEP_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: MAILKEEP_CORPORA is not set");
    }
    folder
}

fn read(path: &Path) -> (Summary, Counter) {
    let mut counter = Counter::default();
    let options = SourceOptions { with_deleted: true, ..SourceOptions::default() };
    let summary = read_path(path, options, &mut counter).expect("the corpora can be read");
    (summary, counter)
}

#[test]
fn every_mailbox_has_the_mails_that_were_counted() {
    let Some(folder) = corpora() else { return };
    let counts = std::fs::read_to_string(folder.join("COUNTS.tsv")).expect("COUNTS.tsv");
    let mut wrong = Vec::new();
    for line in counts.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, _, _, _, messages, ..] = fields.as_slice() else { continue };
        let messages: u64 = messages.parse().expect("a number");
        let (summary, counter) = read(&folder.join(path));
        let mut streamed = Counter::default();
        let file = std::fs::File::open(folder.join(path)).expect("a file");
        read_stream(file, "", SourceOptions { with_deleted: true, ..SourceOptions::default() }, &mut streamed);
        let noted = messages > 0 && !counter.troubles.is_empty();
        if counter.mails != messages || streamed.bytes != counter.bytes || noted {
            wrong.push(format!("{path}: {messages} counted, {} read, {summary:?}, {:?}", counter.mails, counter.troubles));
        }
        println!("{path}: {} mails, {} unquoted, {} without date", counter.mails, counter.unquoted, counter.undated);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn trees_have_a_mail_for_each_of_their_files() {
    let Some(folder) = corpora() else { return };
    let trees = [
        ("lists/20news", 13_126),
        ("mbox/osst-users.maildir", 667),
        ("mbox/phishing-eml", 438),
        ("mbox/sa-easy-ham-1.maildir", 2_500),
        ("mbox/sa-spam-1.maildir", 500),
    ];
    for (tree, mails) in trees {
        let (summary, counter) = read(&folder.join(tree));
        println!("{tree}: {summary:?} {:?}", counter.troubles.first());
        assert_eq!(counter.mails, mails, "{tree}: {:?}", counter.troubles.first());
    }
}

#[test]
fn torture_files_named_as_mails_are_verbatim() {
    let Some(folder) = corpora() else { return };
    let (summary, counter) = read(&folder.join("torture"));
    println!("torture: {summary:?}");
    for trouble in &counter.troubles {
        println!("torture: {}: {}", trouble.source, trouble.kind);
    }
    let mut emls = 0;
    for entry in std::fs::read_dir(folder.join("torture")).expect("a folder").flatten() {
        let Ok(files) = std::fs::read_dir(entry.path()) else { continue };
        for file in files.flatten().filter(|file| file.path().extension().is_some_and(|end| end == "eml")) {
            let (_, one) = read(&file.path());
            let size = file.metadata().expect("a file").len();
            assert_eq!((one.mails, one.bytes), (u64::from(size > 0), size), "{:?}", file.path());
            emls += 1;
        }
    }
    assert!(emls > 1_500);
    assert!(counter.mails > 2_450, "{summary:?}");
}

#[test]
fn folders_without_mail_are_passed_over() {
    let Some(folder) = corpora() else { return };
    let (summary, counter) = read(&folder.join("documents"));
    println!("documents: {summary:?}");
    for trouble in counter.troubles.iter().filter(|trouble| trouble.kind != archive_core::source::TroubleKind::Skipped) {
        println!("documents: {}: {}", trouble.source, trouble.kind);
    }
    assert_eq!((counter.mails, summary.losses), (0, 0));
}
