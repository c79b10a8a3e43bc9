//! A search is honest: it equals a naive scan of what was committed; totals are exact.

use std::collections::BTreeSet;

use archive_core::{Actor, Archive, ImportOptions, MessageId, Receipt, SearchRequest};

use crate::fixture::{Dice, Files, mbox, plain, put_each, put_stream};

/// The words of a mail of `plain`: values of the fields that are searched, and the body. An exclusion looks at addresses as a whole, so
/// their words do not exclude.
fn words(mail: &[u8], of_addresses: bool) -> BTreeSet<String> {
    let text = String::from_utf8(mail.to_vec()).expect("ascii");
    let (head, body) = text.split_once("\n\n").expect("a body");
    let searched = |line: &&str| ["From:", "To:", "Subject:"].iter().any(|field| line.starts_with(field));
    let values = head.lines().filter(searched).filter_map(|line| line.split_once(':')).map(|(_, value)| value);
    let pieces = values.chain([body]).flat_map(|text| text.split([' ', '\n'])).filter(|piece| of_addresses || !piece.contains('@'));
    let words = pieces.flat_map(|piece| piece.split(|c: char| !c.is_ascii_alphanumeric()));
    words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
}

/// Messages, all their words, and those that exclude.
struct Model(Vec<(MessageId, BTreeSet<String>, BTreeSet<String>)>);

impl Model {
    fn add(&mut self, mails: &[Vec<u8>], receipts: &[Receipt]) {
        self.0.extend(mails.iter().zip(receipts).map(|(mail, receipt)| (receipt.id(), words(mail, true), words(mail, false))));
    }

    fn scan(&self, meets: impl Fn(&BTreeSet<String>) -> bool) -> BTreeSet<MessageId> {
        self.0.iter().filter(|(_, words, _)| meets(words)).map(|(id, ..)| *id).collect()
    }

    fn excluding(&self, word: &str) -> BTreeSet<MessageId> {
        self.0.iter().filter(|(.., words)| !words.contains(word)).map(|(id, ..)| *id).collect()
    }
}

fn check(archive: &Archive, model: &Model) {
    let session = archive.session(Actor::System);
    let ask = |query: &str, expected: BTreeSet<MessageId>| {
        let found = session.search(&SearchRequest::new(query)).expect("an answer");
        let ids: BTreeSet<_> = found.hits.iter().map(|hit| hit.id).collect();
        assert_eq!(ids, expected, "{query}");
        assert_eq!(found.total, expected.len() as u64, "{query}");
        assert_eq!(found.hits.len(), ids.len(), "{query}: a hit comes twice");
        assert_eq!((found.coverage.not_indexed, found.coverage.undecided), (0, 0), "{query}");
        let order: Vec<_> = found.hits.iter().map(|hit| (hit.date, hit.id)).collect();
        assert!(order.is_sorted_by(|a, b| a >= b), "{query}: newest first");
        let few = session.search(&SearchRequest::new(query).limit(3)).expect("an answer");
        assert_eq!(few.total, found.total);
        assert_eq!(few.hits, found.hits[..found.hits.len().min(3)]);
    };
    let mut dice = Dice(11);
    for _ in 0..40 {
        let (a, b) = (dice.word(), dice.word());
        let has = |words: &BTreeSet<String>, word: &str| words.contains(word);
        ask(a, model.scan(|words| has(words, a)));
        ask(&a.to_uppercase(), model.scan(|words| has(words, a)));
        ask(&format!("{a} {b}"), model.scan(|words| has(words, a) && has(words, b)));
        ask(&format!("{a} -{b}"), &model.scan(|words| has(words, a)) & &model.excluding(b));
        ask(&format!("{a} OR {b}"), model.scan(|words| has(words, a) || has(words, b)));
        ask(&format!("{}*", &a[..3]), model.scan(|words| words.iter().any(|word| word.starts_with(&a[..3]))));
        ask(&format!("*{}", &a[3..]), model.scan(|words| words.iter().any(|word| word.ends_with(&a[3..]))));
    }
    ask("nowhere", BTreeSet::new());
}

#[test]
fn a_search_equals_a_naive_scan_at_every_stage() {
    let (files, archive) = Files::create();
    let mut model = Model(Vec::new());
    let mails = plain(60, 8, 21);
    model.add(&mails, &put_each(&archive, &mails));
    check(&archive, &model);
    let mails = plain(200, 6, 22);
    let (_, told) = put_stream(&archive, &mbox(&mails), "more.mbox", &ImportOptions::default());
    model.add(&mails, &told.receipts);
    check(&archive, &model);
    archive.close().expect("closed");
    let archive = files.open();
    check(&archive, &model);
    let mails = plain(30, 6, 23);
    model.add(&mails, &put_each(&archive, &mails));
    check(&archive, &model);
}
