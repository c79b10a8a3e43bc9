//! Several stores are one archive (docs/ARCHITECTURE.md, "Stores"): lists, searches and threads are those of one store with
//! the same mails; one that cannot be opened keeps no other from being read; states keep what they forbid.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use archive_core::{
    Actor, Archive, AttachOptions, Clock, CountBy, CreateOptions, Error, ExportOptions, FolderOptions, FolderScope, ImportOptions, Key,
    MessageInfo, NewStore, OpenOptions, Order, OrderKey, Outcome, Progress, Receipt, SearchCriteria, SearchRequest, Session, StoreRule,
    StoreState,
};

use crate::fixture::{Dice, Files, committed, folder, mbox, put, put_stream, user, verify};

const ORDERS: [OrderKey; 7] =
    [OrderKey::Date, OrderKey::Size, OrderKey::Sender, OrderKey::Subject, OrderKey::Party, OrderKey::Folder, OrderKey::Archived];
const FOLDERS: [&str; 4] = ["anna/inbox", "anna/inbox/old", "anna/sent", "bob"];

/// Mails with few dates, senders and words, so that much is equal; some answer others.
fn mails() -> Vec<(&'static str, String)> {
    let mut dice = Dice(20);
    let mail = |no: usize, dice: &mut Dice| {
        let (day, hour) = (1 + dice.roll(3), dice.roll(2));
        let date = if dice.roll(8) == 0 { String::new() } else { format!("Date: {day} Mar 2024 {hour:02}:00:00 +0000\n") };
        let answer = if no > 3 && dice.roll(3) == 0 { format!("In-Reply-To: <{}@x>\n", dice.roll(no)) } else { String::new() };
        let (sender, words) = (["ada", "eve", "bob"][dice.roll(3)], format!("{} {} {}", dice.word(), dice.word(), dice.word()));
        format!(
            "From: {sender}@example.org\nTo: anna@example.org\n{date}Message-ID: <{no}@x>\n{answer}Subject: {}\n\n{words} no{no}\n",
            dice.word()
        )
    };
    (0..60).map(|no| (FOLDERS[dice.roll(FOLDERS.len())], mail(no, &mut dice))).collect()
}

/// The same mails in one store, and in three.
fn one_and_three() -> (Archive, Archive) {
    // Times of archiving are compared too.
    let options = || OpenOptions::default().clock(Clock::new(|| 1_700_000_000_000));
    let ((_, one), (_, three)) = (Files::create_with(options()), Files::create_with(options()));
    for (no, (path, mail)) in mails().into_iter().enumerate() {
        if no == 20 || no == 40 {
            three.session(Actor::System).create_store(&NewStore::new(&format!("from {no}"))).expect("created");
        }
        put(&one, path, &mail);
        put(&three, path, &mail);
    }
    (one, three)
}

fn is_stored(receipt: &Receipt) -> bool {
    receipt.outcome() == Outcome::Stored
}

/// Messages by what they are: the number at the end of each mail.
fn shown(session: &Session, list: &[MessageInfo]) -> Vec<(String, String)> {
    list.iter().map(|info| (info.folder.to_string(), String::from_utf8(session.raw(info.id).expect("a mail")).expect("text"))).collect()
}

fn hits(session: &Session, request: &SearchRequest, most: usize) -> Vec<MessageInfo> {
    let (mut hits, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let request = request.clone().limit(most);
        let page = session.search(&cursor.iter().fold(request, |request, cursor| request.after(cursor))).expect("a page");
        hits.extend(page.hits);
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return hits,
        }
    }
}

#[test]
fn b11_1_searches_over_three_stores_are_those_of_one_in_every_order_and_page() {
    let (one, three) = one_and_three();
    let seen = user(&[FolderScope::below("anna/inbox"), FolderScope::exactly("bob")]);
    for actor in [Actor::System, seen] {
        let (one, three) = (one.session(actor.clone()), three.session(actor));
        let queries =
            ["*", "from:ada", "subject:alpha OR from:eve", "folder:anna/inbox", "is:unread OR from:bob", "-from:ada", "nothing-has-this"];
        for (text, by) in queries.into_iter().flat_map(|text| ORDERS.map(|by| (text, by))) {
            for reverse in [false, true] {
                let mut criteria = SearchCriteria::of_text(text);
                criteria.order = Order { by, reverse };
                let request = SearchRequest::of(criteria).count_by(&CountBy::ALL);
                let (of_one, of_three) = (one.search(&request).expect("found"), three.search(&request).expect("found"));
                assert_eq!(shown(&three, &of_three.hits), shown(&one, &of_one.hits), "{text} by {by:?}, reverse: {reverse}");
                assert_eq!((of_three.total, of_three.contents, of_three.counts), (of_one.total, of_one.contents, of_one.counts), "{text}");
                for most in [1, 2, 7] {
                    assert_eq!(hits(&three, &request, most), of_three.hits, "{text} by {by:?}, reverse: {reverse}, pages of {most}");
                    let pages = three.search_pages(&request.clone().limit(most)).expect("pages");
                    let paged: Vec<MessageInfo> = pages.flat_map(|page| page.expect("a page").hits).collect();
                    assert_eq!(paged, of_three.hits, "{text} by {by:?}, reverse: {reverse}, read by {most}");
                }
            }
        }
    }
}

#[test]
fn b11_1_lists_folders_threads_and_exports_over_three_stores_are_those_of_one() {
    let (one, three) = one_and_three();
    let (one, three) = (one.session(Actor::System), three.session(Actor::System));
    for path in FOLDERS {
        let list = |session: &Session| session.messages_in(&folder(path)).map(|info| info.expect("listed")).collect::<Vec<_>>();
        assert_eq!(shown(&three, &list(&three)), shown(&one, &list(&one)), "{path}");
        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let page = three.messages_page(Some(&folder(path)), cursor.as_deref(), 3).expect("a page");
            paged.extend(page.items);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, list(&three), "{path}");
        // Numbers go on over the stores: to a person it is one folder.
        let mut numbers: Vec<u32> = list(&three).iter().map(|info| info.number_in_folder).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "{path}");
    }
    let folders = |session: &Session| {
        let all = session.folders().expect("folders").into_iter();
        all.map(|info| (info.path, info.messages, info.bytes, info.total_messages, info.folders_below, info.last_number))
            .collect::<Vec<_>>()
    };
    assert_eq!(folders(&three), folders(&one));
    let first_level = |session: &Session| {
        let all = session.folders_in(None).expect("folders").into_iter();
        all.map(|info| (info.path, info.total_messages, info.total_bytes, info.folders_below)).collect::<Vec<_>>()
    };
    assert_eq!(first_level(&three), first_level(&one));
    let all = |session: &Session| session.messages().map(|info| info.expect("listed")).collect::<Vec<_>>();
    assert_eq!(shown(&three, &all(&three)), shown(&one, &all(&one)));
    for (of_one, of_three) in all(&one).into_iter().zip(all(&three)) {
        let threads = |session: &Session, id| shown(session, &session.thread(id, &Progress::new()).expect("a thread"));
        let (mut expected, mut found) = (threads(&one, of_one.id), threads(&three, of_three.id));
        let by_query = hits(&three, &SearchRequest::new(&format!("thread:{}", of_three.id)), 4);
        assert_eq!(by_query.len(), found.len(), "{}", of_three.id);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
    let mut exported = [Vec::new(), Vec::new()];
    for (session, out) in [&one, &three].into_iter().zip(&mut exported) {
        let mut take = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let options = ExportOptions { query: Some("from:ada".to_owned()), ..ExportOptions::default() };
        session.export_mbox(&mut take, &options, &mut |id, error| panic!("{id}: {error}")).expect("exported");
    }
    assert_eq!(exported[0].len(), exported[1].len());
    let stats = |session: &Session| {
        let stats = session.stats(&Progress::new()).expect("stats");
        (stats.messages, stats.contents, stats.bytes_raw, stats.not_indexed, stats.undecided)
    };
    assert_eq!(stats(&three), stats(&one));
    assert!(verify(three.archive()).findings.is_empty());
}

#[test]
fn b11_13_a_mail_that_another_store_has_is_a_duplicate_and_a_damaged_one_is_mended_there() {
    let (files, archive) = Files::create();
    let first = put(&archive, "anna/inbox", "Subject: kept\n\nfirst\n");
    let session = archive.session(Actor::System);
    session.create_store(&NewStore::new("second")).expect("created");
    let again = put(&archive, "anna/inbox", "Subject: kept\n\nfirst\n");
    assert_eq!((again.id(), is_stored(&again)), (first.id(), false));
    let other = put(&archive, "anna/other", "Subject: kept\n\nfirst\n");
    assert_eq!((other.id().store.0, is_stored(&other)), (2, true), "another folder");
    let two = put(&archive, "anna/inbox", "Subject: new\n\nsecond\n");
    assert_eq!((two.id().store.0, session.message(two.id()).expect("listed").number_in_folder), (2, 2));
    let epochs: Vec<u32> = session.folders().expect("folders").iter().map(|info| info.epoch).collect();
    archive.close().expect("closed");
    // The only container of the first store.
    let container = files.paths_with("stores/1/content").remove(0);
    files.flip(&container, 190);
    let archive = files.open();
    let session = archive.session(Actor::System);
    assert_eq!(session.folders().expect("folders").iter().map(|info| info.epoch).collect::<Vec<_>>(), epochs);
    assert!(!verify(&archive).findings.is_empty());
    let mended = put(&archive, "anna/inbox", "Subject: kept\n\nfirst\n");
    assert_eq!((mended.id(), is_stored(&mended)), (first.id(), true));
    assert_eq!(session.raw(first.id()).expect("whole again"), b"Subject: kept\n\nfirst\n");
}

/// An archive with a message in each of three stores, and their ids.
fn three() -> (Files, Archive, Vec<archive_core::MessageId>) {
    let (files, archive) = Files::create();
    let mut ids = vec![put(&archive, "anna/inbox", "Subject: 1\n\none\n").id()];
    for no in [2, 3] {
        archive.session(Actor::System).create_store(&NewStore::new(&format!("store {no}"))).expect("created");
        ids.push(put(&archive, "anna/inbox", format!("Subject: {no}\n\nmail {no}\n")).id());
    }
    (files, archive, ids)
}

fn total(session: &Session) -> u64 {
    session.search(&SearchRequest::new("*")).expect("found").total
}

#[test]
fn b13_states_keep_what_they_forbid_and_survive_the_next_open() {
    let (files, archive, ids) = three();
    let session = archive.session(Actor::System);
    let set = |session: &Session, no, state| session.set_store_requested_state(no, state, &Progress::new());
    set(&session, 1, StoreState::WriteProtected).expect("set");
    set(&session, 2, StoreState::Disabled).expect("set");
    let check = |archive: &Archive| {
        let session = archive.session(Actor::System);
        let states: Vec<StoreState> = session.stores(false).expect("listed").iter().map(|store| store.state).collect();
        assert_eq!(states, [StoreState::WriteProtected, StoreState::Disabled, StoreState::Current]);
        assert_eq!(total(&session), 2, "a disabled store is in no search");
        assert_eq!(session.messages_in(&folder("anna/inbox")).count(), 2);
        assert_eq!(session.raw(ids[1]).map_err(|error| error.code()), Err("no_such_message"));
        assert_eq!(session.raw(ids[0]).expect("read"), b"Subject: 1\n\none\n");
        let refused = session.delete(&[ids[0], ids[2]], "a test", archive_core::DeleteOptions::default());
        assert_eq!(refused.map_err(|error| error.code()), Err("store_write_protected"));
        assert_eq!(total(&session), 2, "nothing of it was done");
        let moved = session.move_folder(&folder("anna/inbox"), &folder("anna/box"), FolderOptions::default());
        assert_eq!(moved.map_err(|error| error.code()), Err("store_write_protected"));
        let import = session.import_one(b"Subject: new\n\nnew\n", &folder("anna/inbox"));
        match import {
            Err(Error::StoreNotOpen { store, why }) => assert_eq!((&*store, why.code()), ("store 2", "store_disabled")),
            import => panic!("{import:?}"),
        }
    };
    check(&archive);
    archive.close().expect("closed");
    let archive = files.open();
    check(&archive);
    let session = archive.session(Actor::System);
    set(&session, 2, StoreState::Current).expect("set");
    assert_eq!(session.stores(false).expect("listed").iter().filter(|store| store.state == StoreState::Current).count(), 1);
    assert_eq!(put(&archive, "anna/inbox", "Subject: new\n\nnew\n").id().store.0, 2);
    assert_eq!(total(&session), 4);
    set(&session, 2, StoreState::Normal).expect("set");
    let import = session.import_one(b"Subject: newer\n\nnewer\n", &folder("anna/inbox"));
    assert_eq!(import.map_err(|error| error.code()), Err("no_current_store"));
}

/// The same on a disk, where folders can be moved.
struct OnDisk {
    place: tempfile::TempDir,
    key: String,
}

impl OnDisk {
    fn create() -> (Self, Archive, Vec<archive_core::MessageId>) {
        let place = tempfile::tempdir().expect("a folder");
        let (archive, key) = committed(Archive::create(&place.path().join("mail"), CreateOptions::new("anna")));
        let mut ids = vec![put(&archive, "anna/inbox", "Subject: 1\n\none\n").id()];
        for no in [2, 3] {
            archive.session(Actor::System).create_store(&NewStore::new(&format!("store {no}"))).expect("created");
            ids.push(put(&archive, "anna/inbox", format!("Subject: {no}\n\nmail {no}\n")).id());
        }
        (Self { place, key }, archive, ids)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.place.path().join(path)
    }

    fn open(&self) -> Archive {
        Archive::open(&self.at("mail"), &Key::File(self.key.clone().into()), OpenOptions::default()).expect("opened")
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.at(from), self.at(to)).expect("moved");
    }
}

#[test]
fn b12_a_detached_store_leaves_its_number_and_comes_back_with_it_from_another_folder() {
    let (disk, archive, ids) = OnDisk::create();
    let session = archive.session(Actor::System);
    session.detach_store(2, &Progress::new()).expect("detached");
    assert_eq!((total(&session), session.stores(false).expect("listed").len()), (2, 2));
    assert_eq!(session.create_store(&NewStore::new("store 2")).expect("its name is free"), 4, "its number is not");
    disk.rename("mail/stores/2", "elsewhere");
    let attach = |name: &str, dir: &str| {
        let dirs = AttachOptions { dir: Some(disk.at(dir)), ..AttachOptions::default() };
        session.attach_store(name, StoreState::Normal, &dirs)
    };
    assert_eq!(attach("back", "mail/stores/4").map_err(|error| error.code()), Err("misuse"), "attached already");
    assert_eq!(attach("back", "nothing").map_err(|error| error.code()), Err("not_a_store"));
    assert_eq!(attach("STORE 2", "elsewhere").map_err(|error| error.code()), Err("store_exists"));
    assert_eq!(attach("back", "elsewhere").expect("attached"), 2);
    assert_eq!(total(&session), 3);
    assert_eq!(session.raw(ids[1]).expect("the same id"), b"Subject: 2\n\nmail 2\n");
    archive.close().expect("closed");
    let archive = disk.open();
    assert_eq!(total(&archive.session(Actor::System)), 3);
    assert!(verify(&archive).findings.is_empty());
}

#[test]
fn b12_7_the_files_of_a_disabled_store_can_be_moved_to_three_folders() {
    let (disk, archive, ids) = OnDisk::create();
    let session = archive.session(Actor::System);
    let dirs =
        AttachOptions { dir: Some(disk.at("fast")), content_dir: Some(disk.at("slow")), index_dir: Some(disk.at("fast/index of 2")) };
    assert_eq!(session.set_store_dirs(2, &dirs).map_err(|error| error.code()), Err("misuse"), "it is open");
    session.set_store_requested_state(2, StoreState::Disabled, &Progress::new()).expect("disabled");
    disk.rename("mail/stores/2", "fast");
    disk.rename("fast/content", "slow");
    disk.rename("fast/index", "fast/index of 2");
    session.set_store_dirs(2, &dirs).expect("noted");
    session.set_store_requested_state(2, StoreState::Current, &Progress::new()).expect("opened");
    assert_eq!(session.raw(ids[1]).expect("a mail"), b"Subject: 2\n\nmail 2\n");
    let new = put(&archive, "anna/inbox", "Subject: new\n\nnew\n");
    assert_eq!((new.id().store.0, total(&session)), (2, 4));
    archive.close().expect("closed");
    assert!(!disk.at("mail/stores/2").exists());
    let archive = disk.open();
    assert_eq!(total(&archive.session(Actor::System)), 4);
    assert!(verify(&archive).findings.is_empty());
    // A copy of the archive's folder names the same folders of that store, which one process alone may write.
    copy_dir(&disk.at("mail"), &disk.at("copy"));
    let copied = Archive::open(&disk.at("copy"), &Key::File(disk.key.clone().into()), OpenOptions::default()).expect("opened");
    let of_copy = copied.session(Actor::System);
    assert_eq!(of_copy.stores(false).expect("listed")[1].error_code, Some("in_use"));
    let import = of_copy.import_one(b"Subject: x\n\nx\n", &folder("anna/inbox"));
    assert_eq!(import.map_err(|error| error.code()), Err("store_not_open"));
    archive.close().expect("closed");
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        match path.is_dir() {
            true => copy_dir(&path, &to),
            false => std::fs::copy(&path, &to).map(drop).expect("copied"),
        }
    }
}

#[test]
fn b13_a_store_that_is_missing_keeps_no_other_from_being_read() {
    let (disk, archive, ids) = OnDisk::create();
    archive.close().expect("closed");
    disk.rename("mail/stores/2", "away");
    let archive = disk.open();
    let session = archive.session(Actor::System);
    for id in [ids[0], ids[2]] {
        assert!(session.raw(id).is_ok());
    }
    let found = session.search(&SearchRequest::new("*")).expect("found");
    assert_eq!((found.total, found.coverage.unreachable_stores), (2, vec!["store 2".to_owned()]));
    assert!(!verify(&archive).findings.is_empty(), "it is reported");
    let store = session.stores(false).expect("listed").remove(1);
    assert_eq!((store.is_open(), store.error_code), (false, Some("store_missing")));
    assert_eq!(archive.notices().iter().map(Error::code).collect::<Vec<_>>(), ["store_not_open"]);
    let import = session.import_one(b"Subject: new\n\nnew\n", &folder("anna/inbox"));
    assert_eq!(import.map_err(|error| error.code()), Err("store_not_open"));
    assert_eq!(session.retry_open_stores(&Progress::new()).expect("tried").len(), 1);
    disk.rename("away", "mail/stores/2");
    assert_eq!(session.retry_open_stores(&Progress::new()).expect("tried").len(), 0);
    assert_eq!(total(&session), 3);
    archive.close().expect("closed");
}

#[test]
fn b13_a_store_with_damaged_records_keeps_no_other_from_being_read() {
    let (files, archive, ids) = three();
    archive.close().expect("closed");
    for path in files.paths_with("stores/2/records") {
        files.remove(&path);
    }
    let archive = files.open();
    let session = archive.session(Actor::System);
    for id in [ids[0], ids[2]] {
        assert!(session.raw(id).is_ok());
    }
    assert!(!verify(&archive).findings.is_empty(), "it is reported");
    let import = session.import_one(b"Subject: new\n\nnew\n", &folder("anna/inbox"));
    assert_eq!(import.map_err(|error| error.code()), Err("needs_repair"));
    session.repair(archive_core::RepairOptions::default()).expect("repaired");
    archive.close().expect("closed");
    put(&files.open(), "anna/inbox", "Subject: new\n\nnew\n");
}

#[test]
fn b2_a_folder_is_renamed_moved_and_removed_in_all_stores() {
    let (files, archive, _) = three();
    let session = archive.session(Actor::System);
    put(&archive, "bob/inbox", "Subject: only here\n\nx\n");
    let options = FolderOptions::default();
    let into_other = session.move_folder(&folder("anna/inbox"), &folder("bob/inbox"), options);
    assert_eq!(into_other.map_err(|error| error.code()), Err("folder_exists"));
    session.rename_folder(&folder("anna/inbox"), "box", options).expect("renamed");
    let check = |archive: &Archive| {
        let session = archive.session(Actor::System);
        assert_eq!(session.messages_in(&folder("anna/box")).count(), 3);
        assert!(session.folders().expect("folders").iter().all(|info| info.path != folder("anna/inbox")));
    };
    check(&archive);
    let refused = session.remove_folder(&folder("anna/box"), options);
    match refused {
        Err(Error::FolderNotEmpty { messages, .. }) => assert_eq!(messages, 3),
        refused => panic!("{refused:?}"),
    }
    archive.close().expect("closed");
    check(&files.open());
}

#[test]
fn a_store_in_use_is_not_closed_and_a_call_does_not_wait_for_itself() {
    let (_, archive, ids) = three();
    let session = archive.session(Actor::System);
    let inner = session.clone();
    session
        .read(ids[0], &mut |_| {
            let refused = inner.set_store_requested_state(2, StoreState::Disabled, &Progress::new());
            assert_eq!(refused.map_err(|error| error.code()), Err("misuse"));
            Ok(())
        })
        .expect("read");
    assert_eq!(total(&session), 3);
}

#[test]
fn a_reader_sees_the_stores_of_the_archive() {
    let (files, archive, _) = three();
    let reader = files.try_open_with(OpenOptions::default().read_only(true)).expect("opened");
    let session = reader.session(Actor::System);
    assert_eq!(total(&session), 3);
    assert_eq!(session.create_store(&NewStore::new("more")).map_err(|error| error.code()), Err("read_only"));
    archive.session(Actor::System).create_store(&NewStore::new("more")).expect("created");
    put(&archive, "anna/inbox", "Subject: 4\n\nfour\n");
    reader.refresh().expect("refreshed");
    assert_eq!((total(&session), session.stores(false).expect("listed").len()), (4, 4));
    archive.session(Actor::System).set_store_requested_state(2, StoreState::Disabled, &Progress::new()).expect("disabled");
    reader.refresh().expect("refreshed");
    assert_eq!(total(&session), 3);
    archive.close().expect("closed");
}

#[test]
fn b12_a_store_is_made_by_itself_when_the_current_one_has_enough() {
    let now = Arc::new(AtomicI64::new(1_733_000_000_000));
    let read = Arc::clone(&now);
    let (files, archive) = Files::create_with(OpenOptions::default().clock(Clock::new(move || read.load(Ordering::SeqCst))));
    let session = archive.session(Actor::System);
    assert_eq!(session.store_rule().expect("a rule").to_string(), "messages:5000000");
    let put_some = |from: u32, to: u32| -> Vec<u32> {
        (from..to).map(|no| put(&archive, "anna/inbox", format!("Subject: {no}\n\nmail {no}\n")).id().store.0).collect()
    };
    session.set_store_rule("messages:2".parse().expect("a rule")).expect("set");
    assert_eq!(put_some(0, 5), [1, 1, 2, 2, 3]);
    // A mailbox is not cut: the store changes between its commits.
    let mbox = mbox(&(5..9).map(|no| format!("Subject: {no}\n\nmail {no}\n").into_bytes()).collect::<Vec<_>>());
    let options = ImportOptions { into: Some(folder("anna/inbox")), commit_each: true, ..ImportOptions::default() };
    let (report, told) = put_stream(&archive, &mbox, "more.mbox", &options);
    assert_eq!((report.stored, told.receipts.iter().map(|receipt| receipt.id().store.0).collect::<Vec<_>>()), (4, vec![3, 4, 4, 5]));
    session.set_store_rule("monthly".parse().expect("a rule")).expect("set");
    assert_eq!(put_some(9, 11), [5, 5]);
    now.fetch_add(32 * 24 * 3600 * 1000, Ordering::SeqCst);
    assert_eq!(put_some(11, 13), [6, 6]);
    let names: Vec<String> = session.stores(false).expect("listed").into_iter().map(|store| store.name).collect();
    assert_eq!(names, ["1", "2024-11", "2024-11-2", "2024-11-3", "2024-11-4", "2025-01"]);
    assert_eq!(total(&session), 13);
    for wrong in ["", "monthly:1", "messages", "messages:0", "bytes:x", "Never"] {
        assert_eq!(wrong.parse::<StoreRule>().map_err(|error| error.code()), Err("misuse"), "{wrong}");
    }
    archive.close().expect("closed");
    assert_eq!(total(&files.open().session(Actor::System)), 13);
}

#[test]
fn b12_12_an_archive_whose_only_store_is_disabled_opens_and_takes_mail_once_it_is_current_again() {
    let (files, archive) = Files::create();
    put(&archive, "anna/inbox", "Subject: 1\n\none\n");
    archive.session(Actor::System).set_store_requested_state(1, StoreState::Disabled, &Progress::new()).expect("set");
    archive.close().expect("closed");
    let archive = files.open();
    assert!(archive.barred().is_none() && archive.notices().is_empty(), "it was asked for");
    let session = archive.session(Actor::System);
    assert_eq!((total(&session), session.stores(false).expect("listed").len()), (0, 1));
    assert_eq!(session.import_one(b"Subject: 2\n\ntwo\n", &folder("anna/inbox")).map_err(|error| error.code()), Err("store_not_open"));
    session.set_store_requested_state(1, StoreState::Current, &Progress::new()).expect("opened");
    put(&archive, "anna/inbox", "Subject: 2\n\ntwo\n");
    assert_eq!(total(&session), 2);
}
