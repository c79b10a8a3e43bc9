//! Folders are made, renamed, moved and removed: what a plain model of paths says, the archive says, also when it was opened again and
//! when its catalog was lost.

use std::collections::BTreeMap;

use archive_core::{
    Actor, Archive, Error, FolderOptions, FolderPath, FolderReport, FolderScope, ImportOptions, OpenOptions, RepairOptions, SearchRequest,
};
use proptest::prelude::*;

use super::fixture::{Files, ask, folder, ids, indexed, lose, mbox, plain, put, put_stream, user, verify};

/// A folder, by the names of its path in NFC: its own name, and how many messages it has.
type Model = BTreeMap<Vec<String>, (String, u64)>;

const CHANGE: FolderOptions = FolderOptions { dry_run: false };
const DRY_RUN: FolderOptions = FolderOptions { dry_run: true };

/// Names, one of them in two Unicode forms.
const NAMES: [&str; 5] = ["a", "b", "Inbox", "\u{dc}ben", "U\u{308}ben"];

#[derive(Debug, Clone)]
enum Step {
    Import(Vec<usize>),
    Make(Vec<usize>),
    Rename(Vec<usize>, usize),
    Move(Vec<usize>, Vec<usize>),
    Remove(Vec<usize>),
    Prune(Option<Vec<usize>>),
    Reopen,
    Rebuild,
}

fn path() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..NAMES.len(), 1..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => path().prop_map(Step::Import),
        4 => path().prop_map(Step::Make),
        4 => (path(), 0..NAMES.len()).prop_map(|(path, name)| Step::Rename(path, name)),
        6 => (path(), path()).prop_map(|(from, to)| Step::Move(from, to)),
        3 => path().prop_map(Step::Remove),
        1 => prop::option::of(path()).prop_map(Step::Prune),
        1 => Just(Step::Reopen),
        1 => Just(Step::Rebuild),
    ]
}

fn names(path: &[usize]) -> Vec<String> {
    path.iter().map(|name| NAMES[*name].to_owned()).collect()
}

fn nfc(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.replace("U\u{308}", "\u{dc}")).collect()
}

/// What a step answers: the code of an error, or the folders that it made, moved and removed.
type Answer = Result<(usize, usize, usize), &'static str>;

fn add(model: &mut Model, path: &[String]) -> usize {
    let mut made = 0;
    for depth in 1..=path.len() {
        model.entry(nfc(&path[..depth])).or_insert_with(|| {
            made += 1;
            (path[depth - 1].clone(), 0)
        });
    }
    made
}

fn below(model: &Model, path: &[String]) -> Vec<Vec<String>> {
    model.keys().filter(|known| known.starts_with(path)).cloned().collect()
}

fn moved(model: &mut Model, from: &[String], to: &[String]) -> Answer {
    let (old, new) = (nfc(from), nfc(to));
    let Some((shown, _)) = model.get(&old) else { return Err("no_such_folder") };
    let name = to.last().expect("a name");
    if model.contains_key(&new) && (old != new || shown == name) {
        return Err("folder_exists");
    }
    if new.len() > old.len() && new.starts_with(&old) {
        return Err("misuse");
    }
    let made = add(model, &to[..to.len() - 1]);
    for path in below(model, &old) {
        let folder = model.remove(&path).expect("it is there");
        model.insert([&new, &path[old.len()..]].concat(), folder);
    }
    model.get_mut(&new).expect("it was moved").0.clone_from(name);
    Ok((made, 1, 0))
}

fn remove(model: &mut Model, path: &[String]) -> Answer {
    let found = below(model, path);
    if found.is_empty() {
        return Err("no_such_folder");
    }
    if found.iter().any(|path| model[path].1 > 0) {
        return Err("folder_not_empty");
    }
    found.iter().for_each(|path| drop(model.remove(path)));
    Ok((0, 0, found.len()))
}

fn prune(model: &mut Model, within: Option<&[String]>) -> Answer {
    if within.is_some_and(|within| !model.contains_key(within)) {
        return Err("no_such_folder");
    }
    let candidates = below(model, within.unwrap_or_default()).into_iter().filter(|path| path.len() > 1);
    let empty: Vec<_> = candidates.filter(|path| below(model, path).iter().all(|path| model[path].1 == 0)).collect();
    empty.iter().for_each(|path| drop(model.remove(path)));
    Ok((0, 0, empty.len()))
}

/// What the model says of a step, and has afterwards.
fn expected(model: &mut Model, step: &Step) -> Answer {
    match step {
        Step::Import(path) => {
            add(model, &names(path));
            model.get_mut(&nfc(&names(path))).expect("it was made").1 += 1;
            Ok((0, 0, 0))
        }
        Step::Make(path) => match add(model, &names(path)) {
            0 => Err("folder_exists"),
            made => Ok((made, 0, 0)),
        },
        Step::Rename(path, name) => {
            let mut to = names(path);
            *to.last_mut().expect("a name") = NAMES[*name].to_owned();
            moved(model, &names(path), &to)
        }
        Step::Move(from, to) => moved(model, &names(from), &names(to)),
        Step::Remove(path) => remove(model, &nfc(&names(path))),
        Step::Prune(within) => prune(model, within.as_ref().map(|path| nfc(&names(path))).as_deref()),
        Step::Reopen | Step::Rebuild => Ok((0, 0, 0)),
    }
}

fn answer(report: Result<FolderReport, Error>) -> Answer {
    report.map(|report| (report.made.len(), usize::from(report.moved.is_some()), report.removed.len())).map_err(|error| error.code())
}

/// Takes a step, if it is one of the archive, after its dry run.
fn take(archive: &Archive, step: &Step, no: usize) -> Answer {
    let session = archive.session(Actor::System);
    let path = |path: &[usize]| FolderPath::from_names(names(path)).expect("a path");
    let both = |change: &dyn Fn(FolderOptions) -> Result<FolderReport, Error>| {
        let planned = change(DRY_RUN);
        let done = change(CHANGE);
        assert_eq!(planned.as_ref().ok(), done.as_ref().ok(), "the dry run says what is done");
        assert_eq!(planned.err().map(|error| error.to_string()), done.as_ref().err().map(ToString::to_string));
        answer(done)
    };
    match step {
        Step::Import(to) => {
            session.import_one(format!("Subject: {no}\n\nmail {no}\n").as_bytes(), &path(to)).expect("archived");
            Ok((0, 0, 0))
        }
        Step::Make(made) => both(&|options| session.make_folder(&path(made), options)),
        Step::Rename(of, name) => both(&|options| session.rename_folder(&path(of), NAMES[*name], options)),
        Step::Move(from, to) => both(&|options| session.move_folder(&path(from), &path(to), options)),
        Step::Remove(of) => both(&|options| session.remove_folder(&path(of), options)),
        Step::Prune(within) => both(&|options| session.prune_folders(within.as_ref().map(|within| path(within)).as_ref(), options)),
        Step::Reopen | Step::Rebuild => Ok((0, 0, 0)),
    }
}

/// The paths of a model as they are shown, with their messages and those below.
fn shown(model: &Model) -> BTreeMap<String, (u64, u64)> {
    let name = |path: &[String]| (1..=path.len()).map(|depth| model[&path[..depth]].0.clone()).collect::<Vec<_>>().join("/");
    let total = |path: &[String]| below(model, path).iter().map(|path| model[path].1).sum();
    model.iter().map(|(path, (_, messages))| (name(path), (*messages, total(path)))).collect()
}

fn listed(archive: &Archive) -> BTreeMap<String, (u64, u64)> {
    let folders = archive.session(Actor::System).folders().expect("folders");
    folders.iter().map(|folder| (folder.path.to_string(), (folder.messages, folder.total_messages))).collect()
}

fn same_searches(archive: &Archive, model: &Model) {
    indexed(archive);
    for (path, (messages, total)) in shown(model) {
        let found = |query: String| archive.session(Actor::System).search(&SearchRequest::new(&query).limit(0)).expect("an answer").total;
        assert_eq!((found(format!("folder:\"{path}\"")), found(format!("in:\"{path}\""))), (messages, total), "{path}");
        let sees = user(&[FolderScope::below(&path)]);
        assert_eq!(ids(archive, &sees, &SearchRequest::new("*")).len() as u64, total, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn p2_p4_changes_of_folders_do_what_a_plain_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let (files, mut archive) = Files::create();
        let mut model = Model::new();
        for (no, step) in steps.iter().enumerate() {
            let want = expected(&mut model, step);
            if matches!(step, Step::Reopen | Step::Rebuild) {
                archive.close().expect("closed");
                if matches!(step, Step::Rebuild) {
                    lose(&files, &["/catalog/"]);
                }
                archive = files.open();
            }
            prop_assert_eq!(take(&archive, step, no), want, "step {}: {:?}", no, step);
            prop_assert_eq!(listed(&archive), shown(&model), "step {}: {:?}", no, step);
        }
        same_searches(&archive, &model);
        let before = archive.session(Actor::System).folders().expect("folders");
        archive.close().expect("closed");
        lose(&files, &["/catalog/"]);
        let archive = files.open();
        prop_assert_eq!(archive.session(Actor::System).folders().expect("folders"), before, "the records have all of it");
        prop_assert!(verify(&archive).findings.is_empty());
    }
}

#[test]
fn p1_what_a_change_of_folders_returned_from_is_there_without_a_close() {
    let (files, archive) = Files::create();
    let receipt = put(&archive, "anna/a/b", "Subject: one\n\nx\n");
    let session = archive.session(Actor::System);
    session.make_folder(&folder("anna/made"), CHANGE).expect("made");
    session.move_folder(&folder("anna/a"), &folder("bert/c"), CHANGE).expect("moved");
    session.remove_folder(&folder("anna/made"), CHANGE).expect("removed");
    let left = files.copy();
    let archive = left.open();
    assert_eq!(listed(&archive).into_keys().collect::<Vec<_>>(), ["anna", "bert", "bert/c", "bert/c/b"]);
    let info = archive.session(Actor::System).message(receipt.id()).expect("the message");
    assert_eq!((info.folder.to_string().as_str(), info.number_in_folder), ("bert/c/b", 1));
}

#[test]
fn what_cannot_be_done_with_folders_says_why_and_changes_nothing() {
    let (_, archive) = Files::create();
    put(&archive, "anna/a/b", "Subject: one\n\nx\n");
    put(&archive, "anna/a/b", "Subject: two\n\nx\n");
    put(&archive, "anna/gr\u{fc}n", "Subject: three\n\nx\n");
    let session = archive.session(Actor::System);
    let before = session.folders().expect("folders");
    let long = "x".repeat(1025);
    let deep = vec!["d"; 127].join("/");
    type Change<'c> = Box<dyn Fn(FolderOptions) -> Result<FolderReport, Error> + 'c>;
    let changes: [(&str, &str, Change<'_>); 15] = [
        ("folder_exists", "anna/a", Box::new(|options| session.make_folder(&folder("anna/a"), options))),
        ("folder_exists", "anna/gru\u{308}n", Box::new(|options| session.make_folder(&folder("anna/gru\u{308}n"), options))),
        ("folder_exists", "anna/gr\u{fc}n", Box::new(|options| session.rename_folder(&folder("anna/a"), "gr\u{fc}n", options))),
        ("folder_exists", "anna/gru\u{308}n", Box::new(|options| session.rename_folder(&folder("anna/a"), "gru\u{308}n", options))),
        ("folder_exists", "anna/a", Box::new(|options| session.rename_folder(&folder("anna/a"), "a", options))),
        ("no_such_folder", "anna/c", Box::new(|options| session.rename_folder(&folder("anna/c"), "d", options))),
        ("no_such_folder", "anna/A", Box::new(|options| session.remove_folder(&folder("anna/A"), options))),
        ("no_such_folder", "bert", Box::new(|options| session.prune_folders(Some(&folder("bert")), options))),
        ("misuse", "below it", Box::new(|options| session.move_folder(&folder("anna/a"), &folder("anna/a/b/c"), options))),
        ("misuse", "128", Box::new(|options| session.move_folder(&folder("anna"), &folder(&format!("{deep}/e")), options))),
        ("misuse", "1,024", Box::new(|options| session.rename_folder(&folder("anna/a"), &long, options))),
        ("misuse", "not be empty", Box::new(|options| session.rename_folder(&folder("anna/a"), "", options))),
        ("misuse", "not contain `/`", Box::new(|options| session.rename_folder(&folder("anna/a"), "b/c", options))),
        ("misuse", "no folder is named `..`", Box::new(|options| session.rename_folder(&folder("anna/a"), "..", options))),
        ("folder_not_empty", "2 messages", Box::new(|options| session.remove_folder(&folder("anna/a"), options))),
    ];
    for (code, says, change) in changes {
        for options in [DRY_RUN, CHANGE] {
            let Err(error) = change(options) else { panic!("{code} {says}: it was done") };
            assert!(error.code() == code && error.to_string().contains(says), "{code} {says}: {error}");
        }
    }
    assert_eq!(session.folders().expect("folders"), before);
    let user = archive.session(user(&[FolderScope::below("anna")]));
    for denied in [
        user.make_folder(&folder("anna/x"), CHANGE),
        user.rename_folder(&folder("anna/a"), "x", DRY_RUN),
        user.move_folder(&folder("anna"), &folder("x"), CHANGE),
        user.remove_folder(&folder("anna/nothing"), CHANGE),
        user.prune_folders(None, CHANGE),
    ] {
        assert_eq!(denied.expect_err("only the system").code(), "denied");
    }
    assert_eq!(session.folders().expect("folders"), before);
}

#[test]
fn p15_a_path_as_deep_as_folders_go_is_renamed_moved_and_removed() {
    let (files, archive) = Files::create();
    let session = archive.session(Actor::System);
    let deep = vec!["d"; 128].join("/");
    assert_eq!(session.make_folder(&folder(&deep), CHANGE).expect("made").made.len(), 128);
    assert_eq!(session.move_folder(&folder("d"), &folder("e/d"), CHANGE).expect_err("too deep").code(), "misuse");
    session.move_folder(&folder("d/d"), &folder("e"), CHANGE).expect("moved up");
    session.rename_folder(&folder("e"), "f", CHANGE).expect("renamed");
    session.move_folder(&folder("f"), &folder("d/g"), CHANGE).expect("moved down");
    let last = format!("d/g/{}", vec!["d"; 126].join("/"));
    put(&archive, &last, "Subject: one\n\nx\n");
    archive.close().expect("closed");
    let archive = files.open();
    let session = archive.session(Actor::System);
    let folders = session.folders().expect("folders");
    assert_eq!((folders.len(), folders.last().map(|folder| folder.path.to_string())), (128, Some(last)));
    assert!(folders.iter().all(|folder| folder.total_messages == 1));
    indexed(&archive);
    assert_eq!(ids(&archive, &Actor::System, &SearchRequest::new("in:d/g")).len(), 1);
    assert_eq!(session.remove_folder(&folder("d"), CHANGE).expect_err("a mail is in it").code(), "folder_not_empty");
}

#[test]
fn p15_a_folder_with_fifty_thousand_others_in_it_is_moved_and_pruned_in_one_commit() {
    let count = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
    let (files, archive) = Files::create();
    // Labels of a mail are folders, so that one import makes many.
    let source = mbox(&plain(1, 5, 1));
    put_stream(&archive, &source, "a.mbox", &ImportOptions { into: Some(folder("anna/x")), ..ImportOptions::default() });
    let session = archive.session(Actor::System);
    for no in 0..count {
        session.make_folder(&folder(&format!("anna/many/{no}")), CHANGE).expect("made");
    }
    let head = || session.stats(&archive_core::Progress::new()).expect("figures").stores[0].sequence;
    let before = head();
    session.move_folder(&folder("anna/many"), &folder("anna/x/many"), CHANGE).expect("moved");
    assert_eq!(head(), before + 1);
    assert_eq!(session.folders_in(Some(&folder("anna/x/many"))).expect("folders").len(), count);
    assert_eq!(session.prune_folders(None, CHANGE).expect("pruned").removed.len(), count + 1);
    assert_eq!(head(), before + 2);
    archive.close().expect("closed");
    assert_eq!(listed(&files.open()).into_keys().collect::<Vec<_>>(), ["anna", "anna/x"]);
}

#[test]
fn a_renamed_user_archive_of_the_owner_stays_the_owners() {
    let (files, archive) = Files::create();
    put(&archive, "anna/Inbox", "Subject: one\n\nx\n");
    put(&archive, "bert/Inbox", "Subject: one\n\nx\n");
    let session = archive.session(Actor::System);
    session.rename_folder(&folder("bert"), "carl", CHANGE).expect("renamed");
    assert_eq!(archive.owner(), "anna");
    session.rename_folder(&folder("anna"), "ann", CHANGE).expect("renamed");
    assert_eq!(archive.owner(), "ann");
    let (report, _) = put_stream(&archive, &mbox(&plain(1, 5, 1)), "list.mbox", &ImportOptions::default());
    assert_eq!(report.folder, Some(folder("ann/list")));
    archive.close().expect("closed");
    let archive = files.open();
    assert_eq!(archive.owner(), "ann");
    // It is no user archive any more: what comes without a folder goes into a new one of its last name.
    let session = archive.session(Actor::System);
    session.move_folder(&folder("ann"), &folder("carl/old"), CHANGE).expect("moved");
    assert_eq!(archive.owner(), "ann");
    let (report, _) = put_stream(&archive, &mbox(&plain(1, 5, 2)), "list.mbox", &ImportOptions::default());
    assert_eq!(report.folder, Some(folder("ann/list")));
    archive.close().expect("closed");
    assert_eq!(files.open().owner(), "ann");
}

#[test]
fn p14_a_reader_plans_changes_of_folders_and_makes_none() {
    let (files, archive) = Files::create();
    put(&archive, "anna/a", "Subject: one\n\nx\n");
    archive.session(Actor::System).rename_folder(&folder("anna"), "ann", CHANGE).expect("renamed");
    let reader = files.try_open_with(OpenOptions::default().read_only(true)).expect("opened");
    assert_eq!(reader.owner(), "ann");
    let session = reader.session(Actor::System);
    assert_eq!(session.make_folder(&folder("ann/b"), DRY_RUN).expect("planned").made, [folder("ann/b")]);
    assert_eq!(session.make_folder(&folder("ann/b"), CHANGE).expect_err("only read").code(), "read_only");
    archive.session(Actor::System).move_folder(&folder("ann"), &folder("anna"), CHANGE).expect("renamed");
    reader.refresh().expect("refreshed");
    assert_eq!((reader.owner(), listed(&reader)), ("anna".to_owned(), listed(&archive)));
}

#[test]
fn a_folder_that_was_removed_comes_again_as_another_one() {
    let (_, archive) = Files::create();
    let session = archive.session(Actor::System);
    session.make_folder(&folder("anna/a/b"), CHANGE).expect("made");
    let report = session.remove_folder(&folder("anna/a"), CHANGE).expect("removed");
    assert_eq!(report.removed, [folder("anna/a"), folder("anna/a/b")]);
    assert_eq!(session.messages_in(&folder("anna/a")).next().expect("an answer").expect_err("it is gone").code(), "no_such_folder");
    put(&archive, "anna/a/b", "Subject: one\n\nx\n");
    assert_eq!(listed(&archive).into_keys().collect::<Vec<_>>(), ["anna", "anna/a", "anna/a/b"]);
    assert_eq!(session.folders_in(None).expect("user archives")[0].folders_below, 2);
}

#[test]
fn an_import_under_way_makes_the_path_that_it_was_given_again() {
    let (_, archive) = Files::create();
    let mails = plain(2, 20, 4);
    struct Renames(Archive, bool);
    impl archive_core::ImportEvents for Renames {
        fn receipt(&mut self, _: &archive_core::Receipt) {
            if !std::mem::replace(&mut self.1, true) {
                let session = self.0.session(Actor::System);
                session.rename_folder(&folder("anna/a"), "b", CHANGE).expect("renamed");
            }
        }
    }
    let options = ImportOptions { into: Some(folder("anna/a")), commit_each: true, ..ImportOptions::default() };
    let source = mbox(&mails);
    let report = archive.session(Actor::System).import(
        archive_core::ImportSource::Stream(&mut &source[..], "list.mbox"),
        &options,
        &mut Renames(archive.clone(), false),
    );
    assert_eq!(report.expect("imported").stored, 2);
    let folders: Vec<_> = listed(&archive).into_iter().map(|(path, (messages, _))| (path, messages)).collect();
    let want = [("anna", 0), ("anna/a", 1), ("anna/b", 1)];
    assert_eq!(folders, want.map(|(path, messages)| (path.to_owned(), messages)));
}

/// An archive with two mails whose folders were moved around, and where its records ended before and after each change.
fn moved_around() -> (Files, Archive, Vec<usize>) {
    let (files, archive) = Files::create();
    put(&archive, "anna/a/b", "Subject: one\n\nx\n");
    put(&archive, "bert/c", "Subject: two\n\nx\n");
    let session = archive.session(Actor::System);
    session.make_folder(&folder("anna/gone"), CHANGE).expect("made");
    let end = || files.paths_with("/1/records/").iter().map(|path| files.bytes(path).len()).max().expect("records");
    let mut ends = vec![end()];
    // The folder that was made first goes below the one that was made last, and what was above it below that.
    for (from, to) in [("anna/a/b", "bert/b"), ("anna/a", "bert/b/a"), ("bert", "carl"), ("carl/b/a", "anna/a"), ("carl/b", "anna/a/b")] {
        session.move_folder(&folder(from), &folder(to), CHANGE).expect("moved");
        ends.push(end());
    }
    session.remove_folder(&folder("anna/gone"), CHANGE).expect("removed");
    ends.push(end());
    (files, archive, ends)
}

#[test]
fn p11_where_records_lost_what_happened_to_folders_a_repair_records_it_again() {
    let (files, archive, ends) = moved_around();
    let before = listed(&archive);
    archive.close().expect("closed");
    let records = &files.paths_with("/1/records/")[0];
    (ends[0]..files.bytes(records).len()).step_by(30).for_each(|offset| files.flip(records, offset));
    let archive = files.open();
    assert!(archive.barred().is_some());
    assert_eq!(listed(&archive), before, "the catalog knows it");
    archive.session(Actor::System).repair(RepairOptions::default()).expect("repaired");
    archive.close().expect("closed");
    for caches in [&[][..], &["/catalog/", "/index/"]] {
        lose(&files, caches);
        let archive = files.open();
        assert!(archive.barred().is_none());
        assert_eq!(listed(&archive), before, "the records know it again");
        let _all = ask(&archive).expect("answers");
    }
}

#[test]
fn p11_any_change_of_folders_may_be_lost_and_every_mail_is_in_a_folder() {
    let (files, archive, ends) = moved_around();
    archive.close().expect("closed");
    for lost in ends.windows(2) {
        let files = files.copy();
        let records = &files.paths_with("/1/records/")[0];
        (lost[0]..lost[1]).step_by(30).for_each(|offset| files.flip(records, offset));
        lose(&files, &["/catalog/", "/index/"]);
        let archive = files.open();
        let seen = listed(&archive);
        archive.session(Actor::System).repair(RepairOptions::default()).expect("repaired");
        archive.close().expect("closed");
        lose(&files, &["/catalog/", "/index/"]);
        let archive = files.open();
        assert!(archive.barred().is_none(), "{lost:?}");
        assert_eq!(listed(&archive), seen, "{lost:?}");
        let answers = ask(&archive).expect("answers");
        assert_eq!((answers.messages.len(), seen.values().map(|(messages, _)| messages).sum::<u64>()), (2, 2), "{lost:?}");
        for message in answers.messages {
            assert!(seen[&message.folder.to_string()].0 > 0, "{lost:?}: {}", message.folder);
        }
    }
}
