//! Folders: as many and as deep as they come, under which names, and which numbers messages get in them.
//!
//! All folders lay in the one frame of the catalog's manifest: 320,000 long names ended an archive. Every prefix of a path was kept whole: a
//! depth of 30,000 aborted the process. `MAILKEEP_FOLDERS` gives another number of folders than that of CI.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;

use archive_core::source::TroubleKind;
use archive_core::{Actor, Archive, ExportFormat, ExportOptions, FolderPath, ImportOptions, ImportSource, NoEvents};

use super::fixture::{Files, Told, folder, mbox, plain, put_each, put_stream};

/// A tar archive with a mail in each of many folders, made as it is read.
struct Many {
    next: usize,
    count: usize,
    name: fn(usize) -> String,
    made: Vec<u8>,
    at: usize,
}

impl Many {
    fn new(count: usize, name: fn(usize) -> String) -> Self {
        Self { next: 0, count, name, made: Vec::new(), at: 0 }
    }
}

impl Read for Many {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.made.len() && self.next < self.count {
            let end = self.count.min(self.next + 200);
            let members = (self.next..end).map(|no| (format!("{}/1.eml", (self.name)(no)), format!("Subject: {no}\n\nx\n").into_bytes()));
            self.made = tar(members);
            if end < self.count {
                // The end of a tar archive is two blocks of zeros.
                self.made.truncate(self.made.len() - 1024);
            }
            (self.next, self.at) = (end, 0);
        }
        let len = out.len().min(self.made.len() - self.at);
        out[..len].copy_from_slice(&self.made[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

fn tar(members: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, &bytes[..]).expect("a member");
    }
    builder.into_inner().expect("an archive")
}

fn one(path: String) -> Vec<u8> {
    tar([(path, b"Subject: one\n\nx\n".to_vec())])
}

fn import(archive: &Archive, source: &mut dyn Read, into: &str) -> (u64, u64) {
    let options = ImportOptions { into: Some(folder(into)), ..ImportOptions::default() };
    let report =
        archive.session(Actor::System).import(ImportSource::Stream(source, "many.tar"), &options, &mut NoEvents).expect("imported");
    assert_eq!(report.failed, 0);
    (report.stored, report.duplicate)
}

#[test]
fn p4_folders_may_be_many_and_long_since_each_is_a_row_of_the_catalog() {
    let count = std::env::var("MAILKEEP_FOLDERS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_500);
    let name = if count > 10_000 { |no| format!("folder number {no:016}") } else { |no| format!("{no:01000}") };
    let (files, archive) = Files::create();
    assert_eq!(import(&archive, &mut Many::new(count, name), "anna"), (count as u64, 0));
    archive.close().expect("closed");
    let manifest = files.paths_with("catalog/manifest.mkm");
    assert!(files.bytes(&manifest[0]).len() < 20_000, "nothing in it grows with folders");

    let begun = std::time::Instant::now();
    let archive = files.open();
    println!("opened with {count} folders in {:?}", begun.elapsed());
    let folders = archive.session(Actor::System).folders().expect("folders");
    println!("listed in {:?}", begun.elapsed());
    assert_eq!(folders.len(), count + 1);
    for (no, folder) in folders.iter().skip(1).enumerate() {
        assert_eq!((folder.path.names()[1].as_str(), folder.messages, folder.last_number), (&*name(no), 1, 1));
    }
    assert_eq!(import(&archive, &mut Many::new(count, name), "anna"), (0, count as u64), "the next import meets the same folders");
    drop(archive);

    for path in files.paths_with("/catalog/") {
        files.remove(&path);
    }
    assert!(files.open().session(Actor::System).folders().expect("folders") == folders, "the records have all of it");
}

#[test]
fn p12_a_path_of_any_depth_is_a_folder_of_bounded_depth_which_the_next_import_meets() {
    let (files, archive) = Files::create();
    let deep = format!("{}1.eml", "d/".repeat(30_000));
    // A little deeper, and as deep by the names of Maildir++.
    let deeper = format!("{}1.eml", "d/".repeat(30_001));
    let maildir = format!("{}/cur/1.eml", ".d".repeat(20_000));
    let sources = [&deep, &deeper, &maildir];
    let bring = |archive: &Archive| sources.map(|path| import(archive, &mut &one(path.clone())[..], "anna/deep"));
    assert_eq!(bring(&archive), [(1, 0); 3]);
    assert_eq!(bring(&archive), [(0, 1); 3]);
    archive.close().expect("closed");
    let archive = files.open();
    assert_eq!(bring(&archive), [(0, 1); 3]);

    let session = archive.session(Actor::System);
    let with_mail: Vec<FolderPath> =
        session.folders().expect("folders").into_iter().filter(|folder| folder.messages > 0).map(|folder| folder.path).collect();
    assert_eq!(with_mail.len(), 3, "each has a folder of its own");
    for path in &with_mail {
        let names = path.names();
        assert_eq!((names.len(), &names[..3]), (128, &["anna", "deep", "d"].map(str::to_owned)[..]));
        let (beginning, digits) = names[127].rsplit_once('~').expect("a shortened name");
        assert!(names[127].len() <= 1024 && beginning.starts_with("d_d_d") && digits.len() == 16, "{}", names[127]);
    }
    let all = session.messages().map(|info| info.expect("all messages"));
    let origins: Vec<_> = all.map(|info| session.record(info.id).expect("its record").source).collect();
    assert_eq!(origins, sources.map(Clone::clone), "the record has the whole path");
}

#[test]
fn p12_a_tree_of_any_depth_is_read_as_far_as_the_system_goes() {
    let depth: usize = std::env::var("MAILKEEP_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(6_000);
    let temp = tempfile::tempdir().expect("a folder");
    let (tree, chain) = (temp.path().join("tree"), temp.path().join("chain"));
    let links = vec!["d"; 1_000].join("/");
    std::fs::create_dir(&tree).expect("made");
    std::fs::write(tree.join("low.eml"), "Subject: low\n\nx\n").expect("written");
    for _ in 0..depth / 1_000 {
        std::fs::create_dir_all(chain.join(&links)).expect("made");
        std::fs::rename(&tree, chain.join(&links).join("d")).expect("put below");
        std::fs::rename(&chain, &tree).expect("renamed");
    }
    std::fs::write(tree.join("high.eml"), "Subject: high\n\nx\n").expect("written");
    let (_, archive) = Files::create();
    let mut told = Told::default();
    let imported = archive.session(Actor::System).import(ImportSource::Path(&tree), &ImportOptions::default(), &mut told);
    // Folders that deep cannot be removed by their path either.
    for _ in 0..depth / 1_000 {
        std::fs::rename(tree.join(&links).join("d"), &chain).expect("taken out");
        std::fs::remove_dir_all(&tree).expect("removed");
        std::fs::rename(&chain, &tree).expect("renamed");
    }
    let report = imported.expect("imported");
    // On systems that take paths of any length all of it is read.
    if report.failed > 0 {
        assert_eq!((report.stored, report.failed), (1, 1));
        assert!(matches!(told.troubles[0].kind, TroubleKind::Unreadable(_)) && told.troubles[0].source.len() > 1_000);
    } else {
        assert_eq!(report.stored, 2);
    }
}

#[test]
fn p12_long_names_and_names_with_a_slash_become_names_of_folders() {
    let (files, archive) = Files::create();
    // In the UTF-7 of mailbox names, as Maildir++ has them, `&AC8-` is a slash.
    let sources = [format!("{}/1.eml", "x".repeat(1_025)), format!("{}/1.eml", "x".repeat(1_026)), ".in&AC8-out/cur/1.eml".to_owned()];
    for path in sources.iter().chain(&sources) {
        import(&archive, &mut &one(path.clone())[..], "anna");
    }
    let folders = archive.session(Actor::System).folders().expect("folders");
    assert_eq!(folders.len(), 4);
    assert!(folders[1..].iter().all(|folder| folder.messages == 1 && folder.path.to_string().parse() == Ok(folder.path.clone())));
    assert!(folders[1].path.names()[1].starts_with("in_out~"));
    drop(archive);
    assert!(files.open().session(Actor::System).folders().expect("folders") == folders);
}

/// Two folders that look the same, with a mail each.
fn alike(archive: &Archive) -> [FolderPath; 2] {
    let names = ["Gr\u{fc}n", "Gru\u{308}n"];
    let mails = plain(2, 5, 4);
    let members = names.iter().zip(&mails).map(|(name, mail)| (format!("{name}/1.eml"), mail.clone()));
    assert_eq!(import(archive, &mut &tar(members)[..], "anna"), (2, 0));
    names.map(|name| folder(&format!("anna/{name}")))
}

#[test]
fn a_path_of_several_folders_reads_them_all_and_changes_none() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let alike = alike(&archive);
    for path in &alike {
        let dates: Vec<_> = session.messages_in(path).map(|info| info.expect("listed").date).collect();
        assert!(dates.len() == 2 && dates[0] >= dates[1], "newest first over both: {dates:?}");
        let out = tempfile::tempdir().expect("a folder");
        let options = ExportOptions { folder: Some(path.clone()), ..ExportOptions::default() };
        assert_eq!(session.export(out.path(), &options, &mut |_, _| {}).expect("exported").exported, 2);

        let below = folder(&format!("{path}/new"));
        for target in [path, &below] {
            let one = session.import_one(b"Subject: new\n\nx\n", target).expect_err("refused");
            let options = ImportOptions { into: Some(target.clone()), ..ImportOptions::default() };
            let many = session.import(ImportSource::Stream(&mut &mbox(&plain(1, 5, 9))[..], "x.mbox"), &options, &mut NoEvents);
            for error in [one, many.expect_err("refused")] {
                let text = error.to_string();
                assert_eq!(error.code(), "ambiguous_folder");
                assert!(text.contains("anna/Gr\\u{fc}n, anna/Gru\\u{308}n"), "{text}");
            }
        }
    }
    assert_eq!(session.folders().expect("folders").iter().map(|folder| folder.messages).sum::<u64>(), 2);
    // What names one folder is that folder, in whatever form.
    let [nfc, nfd] = ["anna/B\u{e4}r", "anna/Ba\u{308}r"].map(folder);
    session.import_one(b"Subject: a\n\nx\n", &nfd).expect("archived");
    session.import_one(b"Subject: b\n\nx\n", &nfc).expect("archived");
    let there = session.folders().expect("folders").into_iter().filter(|folder| folder.path.normal() == nfc).collect::<Vec<_>>();
    assert!(there.len() == 1 && there[0].path == nfd && there[0].messages == 2, "{there:?}");
}

/// Folder and number of each message.
fn numbers(archive: &Archive) -> BTreeMap<String, Vec<u32>> {
    let session = archive.session(Actor::System);
    let mut numbers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for info in session.messages().map(|info| info.expect("all messages")) {
        numbers.entry(info.folder.to_string()).or_default().push(info.number_in_folder);
    }
    for folder in session.folders().expect("folders") {
        let given = numbers.get(&folder.path.to_string()).and_then(|numbers| numbers.last().copied()).unwrap_or(0);
        assert_eq!(folder.last_number, given, "{}", folder.path);
        assert!(folder.epoch > 1_700_000_000, "{}", folder.path);
    }
    numbers
}

#[test]
fn numbers_in_a_folder_rise_by_one_and_are_the_same_whoever_tells_them() {
    let (files, archive) = Files::create();
    let mails = plain(9, 8, 5);
    put_each(&archive, &mails[..3]);
    let elsewhere = ImportOptions { into: Some(folder("anna/All")), ..ImportOptions::default() };
    put_stream(&archive, &mbox(&mails[..6]), "all.mbox", &elsewhere);
    // Duplicates get no number.
    put_each(&archive, &mails[1..5]);
    archive.close().expect("closed");
    let archive = files.open();
    put_stream(&archive, &mbox(&mails), "all.mbox", &elsewhere);
    put_each(&archive, &mails[8..]);
    let expected = BTreeMap::from([("anna/All".to_owned(), (1..=9).collect()), ("anna/Inbox".to_owned(), (1..=6).collect())]);
    assert_eq!(numbers(&archive), expected);
    let folders = archive.session(Actor::System).folders().expect("folders");
    archive.close().expect("closed");
    for path in files.paths_with("/catalog/") {
        files.remove(&path);
    }
    let archive = files.open();
    assert_eq!(numbers(&archive), expected);
    assert_eq!(archive.session(Actor::System).folders().expect("folders"), folders);
    put_each(&archive, &plain(1, 3, 6));
    assert_eq!(numbers(&archive)["anna/Inbox"], (1..=7).collect::<Vec<_>>());
}

#[test]
fn a_mail_whose_name_the_file_system_does_not_take_fails_and_the_export_goes_on() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    let mut long = "anna".to_owned();
    (0..90).for_each(|no| write!(long, "/{no:0200}").expect("text"));
    for path in ["anna/first", &long, "anna/last"] {
        session.import_one(format!("Subject: {}\n\nx\n", &path[..9]).as_bytes(), &folder(path)).expect("archived");
    }
    for format in [ExportFormat::Eml, ExportFormat::Mbox, ExportFormat::Maildir] {
        let out = tempfile::tempdir().expect("a folder");
        let options = ExportOptions { format, manifest: true, ..ExportOptions::default() };
        let mut failed = Vec::new();
        let report = session.export(out.path(), &options, &mut |id, error| failed.push((id.no.0, error.code()))).expect("exported");
        // On systems that take paths of any length nothing fails.
        assert_eq!(report.exported + report.failed, 3, "{format:?}");
        assert!(cfg!(not(target_os = "linux")) || failed == [(1, "io")], "{format:?} {failed:?}");
    }
}
