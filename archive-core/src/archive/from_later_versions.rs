//! What a later version may write, each case with a whole archive: it is refused, read but not written, or passed over
//! and kept (FORMAT.md, section 1).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Actor, Archive, CreateOptions, Depth, OpenOptions, Receipt, SearchRequest};
use crate::error::Error;
use crate::id::{ContentNo, MessageId, MessageNo};
use crate::message::{DateOrigin, Direction, Importance};
use crate::progress::Progress;
use crate::records::{FactValue, NewFact};
use crate::seal::{FileKind, KeptSlot, Key};
use crate::vfs::{EntryKind, MemVfs, Vfs};

const DIR: &str = "/archive";
const EMPTY_MAP: u8 = 0xa0;

struct Made {
    vfs: MemVfs,
    key: Key,
    receipts: Vec<Receipt>,
}

impl Made {
    /// An archive with three mails, closed.
    fn closed() -> Self {
        let vfs = MemVfs::new();
        vfs.create_dir(Path::new(DIR)).unwrap();
        let new = Archive::create_on(Arc::new(vfs.clone()), Path::new(DIR), CreateOptions::new("anna")).unwrap();
        let key = new.keys().key_file.clone().map(Key::File);
        let archive = new.commit().unwrap();
        let receipts = (0..3).map(|no| put(&archive, no).unwrap()).collect();
        archive.close().unwrap();
        Self { vfs, key: key.unwrap(), receipts }
    }

    fn open(&self) -> Result<Archive, Error> {
        Archive::open_on(Arc::new(self.vfs.clone()), Path::new(DIR), &self.key, OpenOptions::default())
    }

    /// All files but the note about the holder.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut found, mut dirs) = (Vec::new(), vec![PathBuf::from(DIR)]);
        while let Some(dir) = dirs.pop() {
            for entry in self.vfs.list(&dir).unwrap() {
                match entry.kind {
                    EntryKind::Dir => dirs.push(entry.path),
                    _ if entry.path.ends_with("write.lock") => {}
                    _ => {
                        let file = self.vfs.open_read(&entry.path).unwrap();
                        let mut bytes = vec![0; file.len().unwrap() as usize];
                        file.read_exact_at(0, &mut bytes).unwrap();
                        found.push((entry.path, bytes));
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// Every mail is read and found.
    fn reads(&self, archive: &Archive) {
        let session = archive.session(Actor::System);
        for (no, receipt) in self.receipts.iter().enumerate() {
            assert_eq!(session.raw(receipt.id()).unwrap(), mail(no));
        }
        assert_eq!(session.search(&SearchRequest::new("everywhere")).unwrap().total, self.receipts.len() as u64);
    }

    /// Opens, is read, and accepts mail.
    fn goes_on(&self) {
        let archive = self.open().unwrap();
        self.reads(&archive);
        assert!(findings(&archive).is_empty(), "{:?}", findings(&archive));
        put(&archive, 9).unwrap();
        archive.close().unwrap();
        self.open().unwrap().close().unwrap();
    }

    /// Opens, is read and searched, accepts no mail, and writes nothing.
    fn is_read_only(&self, what: &str) {
        let before = self.files();
        for _ in 0..2 {
            let archive = self.open().unwrap();
            self.reads(&archive);
            assert_eq!(archive.barred().map(Error::code), Some("too_new_to_write"), "{what}");
            assert_eq!(put(&archive, 9).unwrap_err().code(), "too_new_to_write", "{what}");
            assert!(findings(&archive).is_empty(), "{what}: {:?}", findings(&archive));
            archive.close().unwrap();
            assert!(self.files() == before, "{what}: nothing is written");
        }
    }
}

fn mail(no: usize) -> Vec<u8> {
    format!("Subject: mail {no}\nImportance: high\nDate: Tue, 05 Mar 2019 10:00:00 +0000\n\neverywhere {no}\n").into_bytes()
}

fn put(archive: &Archive, no: usize) -> Result<Receipt, Error> {
    archive.session(Actor::System).import_one(&mail(no), &"anna/Inbox".parse().unwrap())
}

fn findings(archive: &Archive) -> Vec<super::Finding> {
    archive.session(Actor::System).verify(Depth::Everything, &Progress::new()).unwrap().findings
}

/// A fact of an unknown kind.
fn fact(kind: u16) -> NewFact {
    NewFact::unknown(kind, vec![EMPTY_MAP])
}

#[test]
fn d_an_unknown_fact_that_must_be_understood_refuses_the_store_and_nothing_is_written() {
    for kind in [20, 63, 95] {
        for marked in [true, false] {
            let made = Made::closed();
            made.open().unwrap().enter().unwrap().current().unwrap().forge_commit(vec![fact(kind)], marked).unwrap();
            let before = made.files();
            assert_eq!(made.open().unwrap_err().code(), "unknown_feature", "kind {kind}, marked {marked}");
            assert!(made.files() == before, "kind {kind}, marked {marked}: nothing is written");
        }
    }
}

#[test]
fn d_an_unknown_fact_of_class_no_write_leaves_an_archive_that_is_read() {
    for kind in [96, 97, 98, 99, 127] {
        for marked in [true, false] {
            let made = Made::closed();
            made.open().unwrap().enter().unwrap().current().unwrap().forge_commit(vec![fact(kind)], marked).unwrap();
            made.is_read_only(&format!("kind {kind}, marked {marked}"));
        }
    }
}

#[test]
fn d_an_unknown_fact_of_class_ignore_is_passed_over_and_kept() {
    for kind in [128, 129, 132, 1000] {
        for marked in [true, false] {
            let made = Made::closed();
            made.open().unwrap().enter().unwrap().current().unwrap().forge_commit(vec![fact(kind)], marked).unwrap();
            made.goes_on();
        }
    }
}

#[test]
fn d_an_unknown_key_of_a_known_fact_is_judged_by_its_class() {
    for (key, code) in [(40, "unknown_feature"), (100, "too_new_to_write"), (200, "")] {
        let made = Made::closed();
        let archive = made.open().unwrap();
        // Contents noted damaged: none; and one more key.
        let bytes = vec![0xa2, 1, 0x80, 0x18, key, 1];
        archive.enter().unwrap().current().unwrap().forge_commit(vec![NewFact::unknown(17, bytes)], true).unwrap();
        drop(archive);
        match code {
            "" => made.goes_on(),
            "too_new_to_write" => made.is_read_only("key 100"),
            code => assert_eq!(made.open().unwrap_err().code(), code),
        }
    }
}

#[test]
fn d_an_unknown_date_source_direction_importance_and_quoting_are_kept_and_read_as_unknown() {
    for value in [0, 9, 130, 255] {
        let made = Made::closed();
        let archive = made.open().unwrap();
        let (content_no, message_no) = archive.enter().unwrap().current().unwrap().next_numbers();
        let known = made.receipts[0].id().no;
        let mut message = archive.enter().unwrap().current().unwrap().message_fact(known).unwrap().unwrap();
        let mut content = archive.enter().unwrap().current().unwrap().content_fact(ContentNo(message.content)).unwrap().unwrap();
        content.runs = archive.enter().unwrap().current().unwrap().catalog().content_row(ContentNo(message.content)).unwrap().unwrap().runs;
        (content.no, content.date_source, content.importance) = (content_no, value, value);
        (message.no, message.content, message.number) = (message_no, content_no, 4);
        (message.direction, message.quoting) = (value, Some(value));
        let facts =
            vec![NewFact::new(FactValue::Content(Box::new(content.clone()))), NewFact::new(FactValue::Message(Box::new(message.clone())))];
        archive.enter().unwrap().current().unwrap().forge_commit(facts, true).unwrap();
        drop(archive);
        let archive = made.open().unwrap();
        let id = MessageId { store: known_store(&made), no: MessageNo(message_no) };
        let session = archive.session(Actor::System);
        assert_eq!(session.raw(id).unwrap(), mail(0));
        let info = session.record(id).unwrap().info;
        assert_eq!(
            (info.date_origin, info.direction, info.importance),
            (DateOrigin::Unknown, Direction::Unknown, Importance::Normal),
            "value {value}"
        );
        assert!(findings(&archive).is_empty(), "{:?}", findings(&archive));
        put(&archive, 9).unwrap();
        archive.close().unwrap();
        let archive = made.open().unwrap();
        assert_eq!(
            archive.enter().unwrap().current().unwrap().content_fact(ContentNo(content_no)).unwrap().unwrap().date_source,
            value,
            "kept"
        );
        assert_eq!(
            archive.enter().unwrap().current().unwrap().message_fact(MessageNo(message_no)).unwrap().unwrap().direction,
            value,
            "kept"
        );
    }
}

fn known_store(made: &Made) -> crate::id::StoreNo {
    made.receipts[0].id().store
}

#[test]
fn d_an_unknown_setting_is_ignored_and_kept() {
    let made = Made::closed();
    let archive = made.open().unwrap();
    archive.enter().unwrap().master().set(4_000, "from a later version").unwrap();
    archive.close().unwrap();
    made.goes_on();
    assert_eq!(made.open().unwrap().enter().unwrap().master().setting(4_000).as_deref(), Some("from a later version"));
}

#[test]
fn d_a_slot_of_an_unknown_kind_is_not_tried_and_is_kept() {
    let made = Made::closed();
    let archive = made.open().unwrap();
    // Its second entry is the kind: a map of 8, key 1, 16 bytes of id, key 2.
    let slots = archive.enter().unwrap().keyring().identity.slots.clone();
    let mut bytes = minicbor::to_vec(&slots[0]).unwrap();
    let at = 1 + 1 + 1 + 16;
    assert_eq!(bytes[at], 2);
    bytes[at + 1] = 23;
    let later: KeptSlot = minicbor::decode(&bytes).unwrap();
    archive
        .enter()
        .unwrap()
        .change_keys(|identity| {
            identity.slots.insert(0, later.clone());
            Ok(())
        })
        .unwrap();
    drop(archive);
    made.goes_on();
    let archive = made.open().unwrap();
    assert_eq!(archive.key_status().unwrap().slots.len(), slots.len(), "what cannot be tried is not listed");
    archive.add_passphrase("open sesame").unwrap();
    drop(archive);
    assert!(made.open().unwrap().enter().unwrap().keyring().identity.slots.contains(&later), "kept");
}

#[test]
fn d_an_unknown_fact_of_the_master_is_judged_by_its_class() {
    for marked in [true, false] {
        for (kind, code) in
            [(20, "unknown_feature"), (95, "unknown_feature"), (96, "too_new_to_write"), (127, "too_new_to_write"), (128, "")]
        {
            let made = Made::closed();
            made.open().unwrap().enter().unwrap().master().forge_commit(vec![fact(kind)], marked).unwrap();
            let before = made.files();
            match code {
                "" => made.goes_on(),
                "too_new_to_write" => made.is_read_only(&format!("kind {kind} of the master, marked {marked}")),
                code => assert_eq!(made.open().unwrap_err().code(), code),
            }
            assert!(code.is_empty() || made.files() == before, "kind {kind}, marked {marked}: nothing is written");
        }
    }
}

/// Neither a lost copy of an identity file nor a repair is written.
#[test]
fn d_nothing_writes_where_a_master_of_a_later_version_may_not_be_written() {
    let made = Made::closed();
    made.open().unwrap().enter().unwrap().master().forge_commit(vec![fact(96)], true).unwrap();
    made.vfs.remove(&Path::new(DIR).join("archive.mk.2")).unwrap();
    let before = made.files();
    let archive = made.open().unwrap();
    made.reads(&archive);
    archive.close().unwrap();
    assert!(made.files() == before, "the copy is not written");

    let (path, mut bytes) = before.into_iter().find(|(path, _)| path.to_string_lossy().contains("/master/0")).unwrap();
    let at = bytes.len() / 4;
    bytes[at] ^= 1;
    made.vfs.remove(&path).unwrap();
    made.vfs.create(&path).unwrap().append(&bytes).unwrap();
    let before = made.files();
    let archive = made.open().unwrap();
    assert_eq!(archive.barred().map(Error::code), Some("needs_repair"));
    let error = archive.session(Actor::System).repair(super::RepairOptions::default()).unwrap_err();
    assert_eq!(error.code(), "too_new_to_write", "{error}");
    drop(archive);
    assert!(made.files() == before, "no master is begun");
}

#[test]
fn d_a_file_of_an_unknown_kind_is_passed_over_and_named() {
    for name in ["future.mkx", "content/000001.mkx"] {
        let made = Made::closed();
        let path = made.open().unwrap().enter().unwrap().current().unwrap().forge_file(name).unwrap();
        made.goes_on();
        let archive = made.open().unwrap();
        let report = archive.session(Actor::System).verify(Depth::Everything, &Progress::new()).unwrap();
        assert_eq!(report.foreign, [path]);
    }
}

#[test]
fn d_a_frame_of_an_unknown_kind_is_damage_before_which_and_after_which_everything_is_read() {
    for in_records in [false, true] {
        let made = Made::closed();
        let archive = made.open().unwrap();
        let (container, records) = archive.enter().unwrap().current().unwrap().last_files().unwrap();
        let (path, kind) = if in_records { (&records, FileKind::Records) } else { (&container, FileKind::Container) };
        archive.enter().unwrap().current().unwrap().forge_frame(path, kind).unwrap();
        drop(archive);
        let bytes = made.files();
        let archive = made.open().unwrap();
        made.reads(&archive);
        drop(archive);
        // What follows the last commit has no receipt: it is put aside, not lost.
        let aside: Vec<Vec<u8>> =
            made.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains("lost+found")).map(|(_, bytes)| bytes).collect();
        let (_, with_frame) = bytes.iter().find(|(known, _)| known == path).unwrap();
        assert!(aside.iter().any(|tail| with_frame.ends_with(&tail[152..])), "{path:?}: kept in lost+found");
        made.goes_on();
    }
}
