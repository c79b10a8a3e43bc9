//! Deleted messages are gone at once from everything that shows mail, and come back whole (P1, P4, P8, P9).

use std::collections::{BTreeMap, BTreeSet};

use archive_core::{
    Actor, Archive, CheckReport, CountBy, DeleteOptions, Depth, Error, ExportFormat, ExportOptions, FolderScope, ImportOptions,
    ImportSource, MessageId, Order, OrderKey, Outcome, Progress, RepairOptions, SearchCriteria, SearchRequest, Session,
};
use proptest::prelude::*;

use crate::fixture::{Files, folder, indexed, lose, user};

fn mail(no: usize) -> Vec<u8> {
    format!(
        "From: anna{}@example.org\nMessage-ID: <{no}@x>\nReferences: <{}@x>\nSubject: number {no}\nDate: Mon, 2 Mar 2015 10:00:{:02} +0000\n\nword common{} text{no}\n",
        no % 3,
        no / 2,
        no % 20,
        no % 4
    )
    .into_bytes()
}

fn anna() -> Actor {
    user(&[FolderScope::below("anna")])
}

fn put(session: &Session, no: usize, path: &str) -> MessageId {
    session.import_one(&mail(no), &folder(path)).expect("archived").id()
}

fn delete(session: &Session, ids: &[MessageId]) {
    session.delete(ids, "a test", DeleteOptions::default()).expect("deleted");
}

fn found(session: &Session, query: &str) -> BTreeSet<MessageId> {
    session.search(&SearchRequest::new(query)).expect("an answer").hits.iter().map(|info| info.id).collect()
}

fn check(session: &Session, no: usize) -> CheckReport {
    let source = mail(no);
    session
        .check(ImportSource::Stream(&mut source.as_slice(), "one.eml"), &ImportOptions::default(), &mut archive_core::NoEvents)
        .expect("checked")
}

#[test]
fn p9_a_deleted_message_is_gone_from_everything_that_shows_mail_at_once() {
    let (files, mut archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..6).map(|no| put(&session, no, "anna/inbox")).collect();
    let copy = put(&session, 1, "anna/other");
    indexed(&archive);
    let (one, three) = (ids[1], ids[3]);
    let report = session.delete(&[three, one, one], "sent by mistake", DeleteOptions::default()).expect("deleted");
    assert_eq!((report.deleted, report.already_deleted), (vec![one, three], vec![]));
    for reopened in [false, true] {
        if reopened {
            archive.close().expect("closed");
            archive = files.open();
        }
        let session = archive.session(Actor::System);
        let left: BTreeSet<_> = [ids[0], ids[2], ids[4], ids[5], copy].into();
        assert_eq!(session.messages().map(|info| info.unwrap().id).collect::<BTreeSet<_>>(), left);
        assert_eq!(session.messages_in(&folder("anna/inbox")).count(), 4);
        let folders = session.folders().unwrap();
        assert_eq!(folders.iter().find(|one| one.path == folder("anna/inbox")).unwrap().messages, 4);
        assert_eq!(found(&session, "word"), left);
        assert_eq!(found(&session, "in:anna/inbox"), [ids[0], ids[2], ids[4], ids[5]].into());
        assert_eq!(found(&session, &format!("message:{three}")), [].into());
        assert_eq!(session.search(&SearchRequest::new("text3")).unwrap().total, 0);
        assert_eq!(session.explain(&SearchRequest::new("text*")).unwrap()[0].messages, 5);
        // 1 and 3 are in the thread of the others.
        let thread: BTreeSet<_> = session.thread(copy, &Progress::new()).unwrap().iter().map(|info| info.id).collect();
        assert!(!thread.contains(&one) && !thread.contains(&three) && thread.contains(&copy));
        let as_anna = archive.session(anna());
        assert_eq!(found(&as_anna, "word"), left);
        assert_eq!(found(&as_anna, "text3"), [].into());
        for result in [session.raw(three).err(), session.message(three).err(), session.record(three).err(), session.parts(three).err()] {
            let error = result.expect("an error");
            assert_eq!(error.code(), "deleted");
            assert!(error.to_string().contains(&format!("`undelete {three}` brings it back")), "{error}");
            assert!(matches!(error, Error::Deleted { time: Some(_), .. }));
        }
        assert_eq!(as_anna.raw(three).unwrap_err().code(), "no_such_message");
        assert_eq!(check(&session, 1).missing, 0);
        assert_eq!(check(&session, 3).missing, 1);
        let mut mbox = Vec::new();
        let mut out = |bytes: &[u8]| {
            mbox.extend_from_slice(bytes);
            Ok(())
        };
        let options = ExportOptions { format: ExportFormat::Mbox, ..ExportOptions::default() };
        let report = session.export_mbox(&mut out, &options, &mut |id, error| panic!("{id}: {error}")).unwrap();
        assert_eq!(report.exported, 5);
        let stats = session.stats(&Progress::new()).unwrap();
        assert_eq!((stats.messages, stats.deleted_messages, stats.lost_messages), (5, 2, 0));
        assert_eq!((stats.contents, stats.unreferenced_contents, stats.unreferenced_bytes), (6, 1, mail(3).len() as u64));
        let verified = session.verify(Depth::Everything, &Progress::new()).unwrap();
        assert!(verified.findings.is_empty() && verified.lost_messages == 0, "{verified:?}");
        let listed: Vec<_> = session.deleted().map(Result::unwrap).collect();
        assert_eq!(listed.iter().map(|message| message.info.id).collect::<Vec<_>>(), [one, three]);
        let deletion = listed[0].deletion.as_ref().unwrap();
        assert_eq!((&*deletion.actor, &*deletion.reason), ("system", "sent by mistake"));
        assert_eq!(session.deleted_page(None, 1).unwrap().items.len(), 1);
    }
}

#[test]
fn p3_what_comes_back_is_whole_and_has_the_next_number_of_its_folder() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..3).map(|no| put(&session, no, "anna/inbox")).collect();
    delete(&session, &ids[..2]);
    let report = session.undelete(&[ids[0], ids[2]], "still needed").expect("back");
    assert_eq!((report.undeleted, report.not_deleted), (vec![ids[0]], vec![ids[2]]));
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(session.raw(ids[0]).unwrap(), mail(0));
    let info = session.message(ids[0]).unwrap();
    assert_eq!((info.number_in_folder, info.folder), (4, folder("anna/inbox")));
    // Its number in the folder is given to nobody else.
    let next = put(&session, 9, "anna/inbox");
    assert_eq!(session.message(next).unwrap().number_in_folder, 5);
    assert_eq!(found(&session, "text0"), [ids[0]].into());
    assert_eq!(session.deleted().count(), 1);
}

#[test]
fn p9_an_id_that_is_not_there_is_named_and_then_nothing_is_changed() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let id = put(&session, 0, "anna/inbox");
    let [far, other]: [MessageId; 2] = ["1:77".parse().unwrap(), "9:0".parse().unwrap()];
    for unknown in [far, other] {
        let error = session.delete(&[id, unknown], "a test", DeleteOptions::default()).unwrap_err();
        assert_eq!(error.code(), "no_such_message");
        assert!(error.to_string().contains(&unknown.to_string()), "{error}");
    }
    for reason in ["", "  \n", &"x".repeat(1025)] {
        assert_eq!(session.delete(&[id], reason, DeleteOptions::default()).unwrap_err().code(), "misuse");
        assert_eq!(session.undelete(&[id], reason).unwrap_err().code(), "misuse");
    }
    let plan = session.delete(&[id], "a test", DeleteOptions { dry_run: true }).expect("a plan");
    assert_eq!(plan.deleted, [id]);
    assert_eq!(session.raw(id).unwrap(), mail(0));
    let before = session.stats(&Progress::new()).unwrap().stores[0].sequence;
    assert_eq!(session.delete(&[], "a test", DeleteOptions::default()).unwrap(), Default::default());
    delete(&session, &[id]);
    let again = session.delete(&[id], "a test", DeleteOptions::default()).unwrap();
    assert_eq!((again.deleted, again.already_deleted), (vec![], vec![id]));
    assert_eq!(session.stats(&Progress::new()).unwrap().stores[0].sequence, before + 1, "one commit");
}

#[test]
fn p9_a_user_deletes_and_brings_back_only_what_they_see() {
    let (_, archive) = Files::create();
    let system = archive.session(Actor::System);
    let (own, foreign) = (put(&system, 0, "anna/inbox"), put(&system, 1, "bob/inbox"));
    let anna = archive.session(anna());
    let error = anna.delete(&[own, foreign], "a test", DeleteOptions::default()).unwrap_err();
    assert!(matches!(&error, Error::NoSuchMessages(ids) if *ids == [foreign]), "{error}");
    delete(&anna, &[own]);
    delete(&system, &[foreign]);
    let listed: Vec<_> = anna.deleted().map(Result::unwrap).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].info.id, &*listed[0].deletion.as_ref().unwrap().actor), (own, "u"));
    assert_eq!(anna.undelete(&[foreign], "a test").unwrap_err().code(), "no_such_message");
    assert_eq!(anna.undelete(&[own], "a test").unwrap().undeleted, [own]);
}

#[test]
fn p9_a_mail_that_was_deleted_is_archived_again_as_a_new_message() {
    let (files, mut archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..4).map(|no| put(&session, no, "anna/inbox")).collect();
    delete(&session, &[ids[1]]);
    let receipt = session.import_one(&mail(1), &folder("anna/inbox")).unwrap();
    assert_eq!(receipt.outcome(), Outcome::Stored);
    assert_ne!(receipt.id(), ids[1]);
    assert_eq!(session.raw(receipt.id()).unwrap(), mail(1));
    let stats = session.stats(&Progress::new()).unwrap();
    assert_eq!((stats.contents, stats.unreferenced_contents, stats.messages, stats.deleted_messages), (4, 0, 4, 1));
    // Its bytes are not stored again, and the order of searches is that of messages.
    for reopened in [false, true] {
        if reopened {
            archive.close().expect("closed");
            archive = files.open();
        }
        let session = archive.session(Actor::System);
        indexed(&archive);
        assert_eq!(found(&session, "word"), [ids[0], ids[2], ids[3], receipt.id()].into());
        assert_eq!(found(&session, "text1"), [receipt.id()].into());
        let mut both = session.undelete(&[ids[1]], "a test").unwrap().undeleted;
        assert_eq!(found(&session, "text1"), [ids[1], receipt.id()].into());
        both.push(receipt.id());
        assert_eq!(session.delete(&both[..1], "a test", DeleteOptions::default()).unwrap().deleted, both[..1]);
    }
}

#[test]
fn p8_pages_of_a_search_leave_out_what_is_deleted_meanwhile() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..9).map(|no| put(&session, no, "anna/inbox")).collect();
    indexed(&archive);
    let mut pages = session.search_pages(&SearchRequest::new("word").limit(3)).unwrap();
    let first = pages.next().unwrap().unwrap();
    assert_eq!((first.total, first.hits.len()), (9, 3));
    let gone = ids.iter().filter(|id| !first.hits.iter().any(|hit| hit.id == **id)).nth(1).copied().unwrap();
    delete(&session, &[gone]);
    let rest: Vec<_> = pages.flat_map(|page| page.unwrap().hits).map(|hit| hit.id).collect();
    assert_eq!(rest.len(), 5);
    assert!(!rest.contains(&gone));
}

/// Where the records lost a deletion, the catalog still knows it: a repair records it again.
#[test]
fn p4_p9_a_repair_keeps_what_is_deleted_and_what_is_back() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let ids: Vec<_> = (0..5).map(|no| put(&session, no, "anna/inbox")).collect();
    delete(&session, &ids[..2]);
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    let records = || files.paths_with("/records/").pop().unwrap();
    let (path, begin) = (records(), files.bytes(&records()).len());
    delete(&session, &ids[2..3]);
    session.undelete(&ids[..1], "a test").expect("back");
    assert_eq!(path, records());
    archive.close().expect("closed");
    let bytes = files.bytes(&path);
    files.write(&path, &bytes[..begin]);
    let archive = files.open();
    assert_eq!(archive.barred().map(Error::code), Some("needs_repair"));
    archive.session(Actor::System).repair(RepairOptions::default()).expect("repaired");
    archive.close().expect("closed");
    for lost in [&[][..], &["/catalog/", "/index/"]] {
        lose(&files, lost);
        let archive = files.open();
        assert!(archive.barred().is_none());
        let session = archive.session(Actor::System);
        let gone: Vec<_> = session.deleted().map(|message| message.unwrap().info.id).collect();
        assert_eq!(gone, ids[1..3], "without {lost:?}");
        assert_eq!(session.message(ids[0]).unwrap().number_in_folder, 6);
        assert_eq!(session.raw(ids[0]).unwrap(), mail(0));
        assert_eq!(session.stats(&Progress::new()).unwrap().lost_messages, 0);
        archive.close().expect("closed");
    }
}

/// What one message of the model is.
#[derive(Clone)]
struct Known {
    mail: usize,
    folder: usize,
    number: u32,
    deleted: bool,
}

const FOLDERS: [&str; 3] = ["anna/a", "anna/b", "bob/c"];

#[derive(Debug, Clone)]
enum Op {
    Import(usize, usize),
    Delete(Vec<usize>),
    Undelete(Vec<usize>),
    Search,
    Reopen,
    WithoutCaches,
}

fn op() -> impl Strategy<Value = Op> {
    let some = proptest::collection::vec(0usize..40, 1..6);
    prop_oneof![
        8 => (0usize..12, 0..FOLDERS.len()).prop_map(|(mail, folder)| Op::Import(mail, folder)),
        4 => some.clone().prop_map(Op::Delete),
        3 => some.prop_map(Op::Undelete),
        3 => Just(Op::Search),
        1 => Just(Op::Reopen),
        1 => Just(Op::WithoutCaches),
    ]
}

#[derive(Default)]
struct Model {
    messages: BTreeMap<MessageId, Known>,
    last: [u32; FOLDERS.len()],
}

impl Model {
    fn live(&self) -> impl Iterator<Item = (&MessageId, &Known)> {
        self.messages.iter().filter(|(_, known)| !known.deleted)
    }

    fn next(&mut self, folder: usize) -> u32 {
        self.last[folder] += 1;
        self.last[folder]
    }

    /// Of some numbers, the messages.
    fn pick(&self, some: &[usize]) -> Vec<MessageId> {
        let all: Vec<_> = self.messages.keys().copied().collect();
        some.iter().filter(|_| !all.is_empty()).map(|at| all[at % all.len()]).collect()
    }

    fn judge(&self, archive: &Archive) {
        indexed(archive);
        let session = archive.session(Actor::System);
        let live: BTreeSet<MessageId> = self.live().map(|(id, _)| *id).collect();
        let listed: Vec<_> = session.messages().map(Result::unwrap).collect();
        assert_eq!(listed.iter().map(|info| info.id).collect::<BTreeSet<_>>(), live);
        for info in &listed {
            let known = &self.messages[&info.id];
            assert_eq!((info.number_in_folder, info.folder.to_string()), (known.number, FOLDERS[known.folder].to_owned()));
            assert_eq!(session.raw(info.id).unwrap(), mail(known.mail));
        }
        let gone: BTreeSet<_> = session.deleted().map(|message| message.unwrap().info.id).collect();
        assert_eq!(gone, self.messages.keys().copied().filter(|id| !live.contains(id)).collect());
        let stats = session.stats(&Progress::new()).unwrap();
        assert_eq!((stats.messages, stats.deleted_messages, stats.lost_messages), (live.len() as u64, gone.len() as u64, 0));
        let mails =
            |of: &dyn Fn(&Known) -> bool| self.messages.values().filter(|known| of(known)).map(|known| known.mail).collect::<BTreeSet<_>>();
        let unreferenced: BTreeSet<_> = &mails(&|_| true) - &mails(&|known| !known.deleted);
        let bytes = unreferenced.iter().map(|no| mail(*no).len() as u64).sum::<u64>();
        assert_eq!((stats.unreferenced_contents, stats.unreferenced_bytes), (unreferenced.len() as u64, bytes));
        for info in session.folders().unwrap() {
            let Some(at) = FOLDERS.iter().position(|path| folder(path) == info.path) else { continue };
            let own: Vec<_> = self.live().filter(|(_, known)| known.folder == at).collect();
            let bytes = own.iter().map(|(_, known)| mail(known.mail).len() as u64).sum::<u64>();
            assert_eq!((info.messages, info.bytes, info.last_number), (own.len() as u64, bytes, self.last[at]));
            let ids: BTreeSet<_> = session.messages_in(&info.path).map(|info| info.unwrap().id).collect();
            assert_eq!(ids, own.iter().map(|(id, _)| **id).collect());
        }
        for actor in [Actor::System, anna()] {
            self.judge_searches(&archive.session(actor.clone()), actor != Actor::System);
        }
    }

    fn judge_searches(&self, session: &Session, only_anna: bool) {
        type Meets = fn(&Known) -> bool;
        let queries: [(&str, Meets); 6] = [
            ("word", |_| true),
            ("common1", |known| known.mail % 4 == 1),
            ("text5", |known| known.mail == 5),
            ("in:anna/a word", |known| known.folder == 0),
            ("in:anna/b OR common2", |known| known.folder == 1 || known.mail % 4 == 2),
            ("archived:1970..2999 -common0", |known| known.mail % 4 != 0),
        ];
        for (query, meets) in queries {
            let wanted: Vec<_> = self
                .live()
                .filter(|(_, known)| meets(known) && !(only_anna && known.folder == 2))
                .map(|(id, known)| (*id, known))
                .collect();
            for by in
                [OrderKey::Date, OrderKey::Size, OrderKey::Sender, OrderKey::Subject, OrderKey::Party, OrderKey::Folder, OrderKey::Archived]
            {
                for reverse in [false, true] {
                    let mut criteria = SearchCriteria::of_text(query);
                    criteria.order = Order { by, reverse };
                    let request = SearchRequest::of(criteria);
                    let answer = session.search(&request).unwrap();
                    let hits: Vec<_> = answer.hits.iter().map(|info| info.id).collect();
                    assert_eq!(answer.total, wanted.len() as u64, "{query}");
                    assert_eq!(hits.iter().copied().collect::<BTreeSet<_>>(), wanted.iter().map(|(id, _)| *id).collect(), "{query}");
                    assert_eq!(hits.len(), wanted.len());
                    // Pages by cursor are the same in the same order.
                    let (mut paged, mut cursor) = (Vec::new(), None::<String>);
                    loop {
                        let page = request.clone().limit(2);
                        let page = session.search(&cursor.iter().fold(page, |page, cursor| page.after(cursor))).unwrap();
                        paged.extend(page.hits.iter().map(|info| info.id));
                        cursor = page.cursor;
                        if cursor.is_none() {
                            break;
                        }
                    }
                    assert_eq!(paged, hits, "{query} by {by:?}, reversed {reverse}");
                }
            }
            let counted = session.search(&SearchRequest::new(query).count_by(&[CountBy::Folder, CountBy::From])).unwrap();
            for counts in &counted.counts {
                assert_eq!(counts.rows.iter().map(|(_, count)| count).sum::<u64>(), wanted.len() as u64, "{query} by {:?}", counts.by);
            }
            assert_eq!(counted.contents, wanted.iter().map(|(_, known)| known.mail).collect::<BTreeSet<_>>().len() as u64, "{query}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn p4_p8_lists_counts_and_searches_equal_a_plain_model(ops in proptest::collection::vec(op(), 1..40)) {
        let (files, mut archive) = Files::create();
        let mut model = Model::default();
        for op in ops.into_iter().chain([Op::Search, Op::WithoutCaches, Op::Search]) {
            let session = archive.session(Actor::System);
            match op {
                Op::Import(no, at) => {
                    let known = model.live().any(|(_, known)| (known.mail, known.folder) == (no, at));
                    let receipt = session.import_one(&mail(no), &folder(FOLDERS[at])).unwrap();
                    prop_assert_eq!(receipt.outcome() == Outcome::Stored, !known);
                    if !known {
                        let number = model.next(at);
                        let new = Known { mail: no, folder: at, number, deleted: false };
                        prop_assert!(model.messages.insert(receipt.id(), new).is_none());
                    }
                }
                Op::Delete(some) => {
                    let ids = model.pick(&some);
                    let report = session.delete(&ids, "a test", DeleteOptions::default()).unwrap();
                    for id in &report.deleted {
                        prop_assert!(!std::mem::replace(&mut model.messages.get_mut(id).unwrap().deleted, true));
                    }
                    prop_assert!(ids.iter().all(|id| model.messages[id].deleted));
                }
                Op::Undelete(some) => {
                    let ids = model.pick(&some);
                    for id in session.undelete(&ids, "a test").unwrap().undeleted {
                        let at = model.messages[&id].folder;
                        let number = model.next(at);
                        let known = model.messages.get_mut(&id).unwrap();
                        prop_assert!(known.deleted);
                        (known.deleted, known.number) = (false, number);
                    }
                    prop_assert!(ids.iter().all(|id| !model.messages[id].deleted));
                }
                Op::Search => model.judge(&archive),
                Op::Reopen | Op::WithoutCaches => {
                    drop(session);
                    archive.close().unwrap();
                    if matches!(op, Op::WithoutCaches) {
                        [files.paths_with("/catalog/"), files.paths_with("/index/")].concat().iter().for_each(|path| files.remove(path));
                    }
                    archive = files.open();
                }
            }
        }
    }
}
