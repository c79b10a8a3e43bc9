//! What the simulated disk loses and keeps. Tests of crashes elsewhere are worth as much as these promises.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use archive_core::vfs::{CrashMoment, CrashStyle, Fault, LockKind, SimVfs, Vfs, VfsError, VfsFile};

const SEEDS: std::ops::Range<u64> = 0..300;

fn path(name: &str) -> PathBuf {
    Path::new("/").join(name)
}

fn read(vfs: &SimVfs, name: &str) -> Option<Vec<u8>> {
    let file = match vfs.open_read(&path(name)) {
        Ok(file) => file,
        Err(error) => {
            assert!(error.is_not_found(), "{error}");
            return None;
        }
    };
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(0, &mut bytes).unwrap();
    Some(bytes)
}

/// A disk with a file `a` that is synced, and so is its name.
fn with_synced(bytes: &[u8]) -> (SimVfs, std::sync::Arc<dyn VfsFile>) {
    let vfs = SimVfs::new(1);
    let file = vfs.create(&path("a")).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    vfs.sync_dir(&path("")).unwrap();
    (vfs, file)
}

/// All that file `name` may be after power loss.
fn outcomes(vfs: &SimVfs, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    SEEDS.map(|seed| read(&vfs.power_loss(CrashStyle::Seeded(seed)), name)).collect()
}

#[test]
fn what_was_synced_survives_whatever_the_seed() {
    let (vfs, file) = with_synced(b"hello");
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"hello".to_vec())]));
    file.append(b" world").unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"hello world".to_vec())]));
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello world");
}

#[test]
fn unsynced_bytes_are_kept_dropped_or_torn() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b" world").unwrap();
    let outcomes = outcomes(&vfs, "a");
    for wanted in [&b"hello"[..], b"hello world", b"hello wo", b"hello\0\0\0\0\0\0"] {
        assert!(outcomes.contains(&Some(wanted.to_vec())), "{wanted:?}");
    }
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello");
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepAll), "a").unwrap(), b"hello world");
    assert_eq!(read(&vfs, "a").unwrap(), b"hello world", "drawing an outcome leaves the disk as it is");
}

#[test]
fn a_later_write_may_survive_an_earlier_one_behind_a_hole() {
    let (vfs, file) = with_synced(b"-");
    file.append(b"one").unwrap();
    file.append(b"two").unwrap();
    assert!(outcomes(&vfs, "a").contains(&Some(b"-\0\0\0two".to_vec())));
}

#[test]
fn a_long_write_may_lose_any_of_its_sectors() {
    let (vfs, file) = with_synced(b"");
    file.append(&[7; 4096]).unwrap();
    let holed = |bytes: &Vec<u8>| bytes.first() == Some(&0) && bytes.last() == Some(&7);
    assert!(outcomes(&vfs, "a").iter().flatten().any(holed));
}

#[test]
fn an_unsynced_cut_is_kept_or_dropped() {
    let (vfs, file) = with_synced(b"hello");
    file.truncate(2).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"he".to_vec()), Some(b"hello".to_vec())]));
    file.sync().unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"he".to_vec())]));
}

#[test]
fn a_new_name_survives_only_with_its_directory_synced() {
    let vfs = SimVfs::new(1);
    let file = vfs.create(&path("a")).unwrap();
    file.append(b"hello").unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([None, Some(b"hello".to_vec())]));
    vfs.sync_dir(&path("")).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"hello".to_vec())]));
}

#[test]
fn a_synced_name_does_not_make_its_bytes_survive() {
    let vfs = SimVfs::new(1);
    vfs.create(&path("a")).unwrap().append(b"hello").unwrap();
    vfs.sync_dir(&path("")).unwrap();
    assert!(outcomes(&vfs, "a").contains(&Some(Vec::new())));
}

#[test]
fn a_lost_directory_takes_its_files_along() {
    let vfs = SimVfs::new(1);
    vfs.create_dir(&path("d")).unwrap();
    vfs.create(&path("d/a")).unwrap();
    vfs.sync_dir(&path("d")).unwrap();
    assert_eq!(vfs.power_loss(CrashStyle::KeepNothing).kind(&path("d/a")).unwrap(), None);
    vfs.sync_dir(&path("")).unwrap();
    assert!(vfs.power_loss(CrashStyle::KeepNothing).kind(&path("d/a")).unwrap().is_some());
}

#[test]
fn an_unsynced_removal_is_kept_or_dropped() {
    let (vfs, _) = with_synced(b"hello");
    vfs.remove(&path("a")).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([None, Some(b"hello".to_vec())]));
    vfs.sync_dir(&path("")).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([None]));
}

#[test]
fn replacing_by_rename_leaves_the_old_or_the_new_file() {
    let (vfs, _) = with_synced(b"old");
    let new = vfs.create(&path("a.tmp")).unwrap();
    new.append(b"new").unwrap();
    new.sync().unwrap();
    vfs.rename(&path("a.tmp"), &path("a")).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]));
    for seed in SEEDS {
        let after = vfs.power_loss(CrashStyle::Seeded(seed));
        let replaced = read(&after, "a").unwrap() == b"new";
        assert!(!(replaced && read(&after, "a.tmp").is_some()), "one file under two names");
    }
    vfs.sync_dir(&path("")).unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"new".to_vec())]));
}

#[test]
fn a_chain_of_renames_never_loses_a_durable_file() {
    let (vfs, _) = with_synced(b"kept");
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")] {
        vfs.rename(&path(from), &path(to)).unwrap();
        for seed in SEEDS {
            let entries = vfs.power_loss(CrashStyle::Seeded(seed)).list(&path("")).unwrap();
            assert_eq!(entries.len(), 1, "{entries:?}");
        }
    }
}

#[test]
fn syncing_a_directory_carries_what_its_names_rest_on() {
    let vfs = SimVfs::new(1);
    for dir in ["d", "e"] {
        vfs.create_dir(&path(dir)).unwrap();
    }
    vfs.sync_dir(&path("")).unwrap();
    vfs.create(&path("d/a")).unwrap();
    vfs.rename(&path("d/a"), &path("e/a")).unwrap();
    vfs.create(&path("d/b")).unwrap();
    vfs.sync_dir(&path("e")).unwrap();
    let after = vfs.power_loss(CrashStyle::KeepNothing);
    assert!(after.kind(&path("e/a")).unwrap().is_some());
    assert!(after.kind(&path("d/a")).unwrap().is_none());
    assert!(after.kind(&path("d/b")).unwrap().is_none());
}

#[test]
fn a_killed_process_leaves_what_it_wrote_and_power_may_still_take_it() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b" world").unwrap();
    let lock = vfs.try_lock(&path("a"), LockKind::Exclusive).unwrap().unwrap();

    let next = vfs.process_death();
    assert!(vfs.is_dead());
    assert!(file.append(b"!").is_err() && file.sync().is_err() && file.len().is_err());
    assert!(vfs.kind(&path("a")).is_err());
    assert!(next.try_lock(&path("a"), LockKind::Exclusive).unwrap().is_some());
    drop(lock);

    assert_eq!(read(&next, "a").unwrap(), b"hello world");
    assert_eq!(read(&next.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello");
    next.open(&path("a")).unwrap().sync().unwrap();
    assert_eq!(read(&next.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello world");
}

#[test]
fn a_second_crash_loses_nothing_that_survived_the_first() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b" world").unwrap();
    vfs.create(&path("b")).unwrap();
    for seed in SEEDS {
        let first = vfs.power_loss(CrashStyle::Seeded(seed));
        let (a, b) = (read(&first, "a"), read(&first, "b"));
        first.open(&path("a")).unwrap().append(b"?").unwrap();
        let second = first.process_death().power_loss(CrashStyle::KeepNothing);
        assert_eq!((read(&second, "a"), read(&second, "b")), (a, b));
    }
}

#[test]
fn a_sync_that_forgets_lets_the_next_one_lie() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b" world").unwrap();
    vfs.fail_at(vfs.calls(), Fault::SyncForgets);
    file.sync().unwrap_err();
    file.sync().unwrap();
    assert_eq!(read(&vfs, "a").unwrap(), b"hello world", "the cache has it");
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepAll), "a").unwrap(), b"hello", "the medium has not");

    let next = vfs.process_death();
    let file = next.open(&path("a")).unwrap();
    file.append(b"!").unwrap();
    file.sync().unwrap();
    assert_eq!(read(&next.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello\0\0\0\0\0\0!");
    file.rewrite(5, 6).unwrap();
    file.sync().unwrap();
    assert_eq!(read(&next.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello world!");
}

#[test]
fn a_sync_that_fails_plainly_can_be_repeated() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b" world").unwrap();
    vfs.fail_at(vfs.calls(), Fault::Eio);
    file.sync().unwrap_err();
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello");
    file.sync().unwrap();
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello world");
}

#[test]
fn a_full_medium_is_told_from_a_broken_one() {
    let (vfs, file) = with_synced(b"hello");
    vfs.fail_at(vfs.calls(), Fault::Enospc);
    assert!(file.append(b"x").unwrap_err().is_full());
    vfs.fail_at(vfs.calls(), Fault::Eio);
    assert!(!file.append(b"x").unwrap_err().is_full());
    vfs.fail_at(vfs.calls(), Fault::Enospc);
    assert!(vfs.create(&path("b")).unwrap_err().is_full());
    assert_eq!(read(&vfs, "a").unwrap(), b"hello");
    assert_eq!(read(&vfs, "b"), None);
    file.append(b"!").unwrap();
    assert_eq!(read(&vfs, "a").unwrap(), b"hello!");
}

#[test]
fn a_short_write_leaves_a_prefix() {
    let mut lengths = BTreeSet::new();
    for seed in SEEDS {
        let vfs = SimVfs::new(seed);
        let file = vfs.create(&path("a")).unwrap();
        vfs.fail_at(1, Fault::ShortWrite);
        assert!(file.append(b"0123456789").unwrap_err().is_full());
        let bytes = read(&vfs, "a").unwrap();
        assert!(b"0123456789".starts_with(&bytes));
        lengths.insert(bytes.len());
    }
    assert_eq!(lengths, (0..10).collect());
}

#[test]
fn a_short_read_fails_once_and_names_the_range() {
    let (vfs, file) = with_synced(b"hello");
    vfs.fail_read_at(vfs.reads(), Fault::ShortRead);
    let error = file.read_exact_at(1, &mut [0; 3]).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("1..4"), "{error}");
    file.read_exact_at(1, &mut [0; 3]).unwrap();
}

#[test]
fn faults_keep_to_their_own_count() {
    let (vfs, file) = with_synced(b"hello");
    let (calls, reads) = (vfs.calls(), vfs.reads());
    file.len().unwrap();
    file.read_exact_at(0, &mut [0; 5]).unwrap();
    assert_eq!((vfs.calls(), vfs.reads()), (calls, reads + 2));
    file.append(b"!").unwrap();
    file.sync().unwrap();
    assert_eq!((vfs.calls(), vfs.reads()), (calls + 2, reads + 2));
}

#[test]
fn a_process_dies_before_within_or_after_the_effect_of_a_call() {
    let dying = |moment| {
        let (vfs, file) = with_synced(b"hello");
        vfs.crash_at(vfs.calls() + 1, moment);
        file.append(b" ").unwrap();
        file.append(b"world").unwrap_err();
        assert!(file.append(b"!").is_err() && file.len().is_err() && vfs.create(&path("b")).is_err());
        read(&vfs.process_death(), "a").unwrap()
    };
    assert_eq!(dying(CrashMoment::Before), b"hello ");
    assert_eq!(dying(CrashMoment::After), b"hello world");
    let within = dying(CrashMoment::Within);
    assert!(within.starts_with(b"hello ") && within.len() < 11);
}

#[test]
fn a_process_that_dies_after_a_sync_has_synced() {
    let (vfs, file) = with_synced(b"hello");
    file.append(b"!").unwrap();
    vfs.crash_at(0, CrashMoment::After);
    file.sync().unwrap_err();
    assert_eq!(read(&vfs.power_loss(CrashStyle::KeepNothing), "a").unwrap(), b"hello!");
}

#[test]
fn equal_seeds_give_equal_disks() {
    let run = |seed| {
        let vfs = SimVfs::new(3);
        for name in ["a", "b", "c", "d"] {
            let file = vfs.create(&path(name)).unwrap();
            for n in 0..5 {
                file.append(&[n; 700]).unwrap();
            }
        }
        let after = vfs.power_loss(CrashStyle::Seeded(seed));
        ["a", "b", "c", "d"].map(|name| read(&after, name))
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_file_cut_and_written_anew_keeps_no_old_byte_once_synced() {
    let (vfs, file) = with_synced(b"old old old");
    file.truncate(0).unwrap();
    file.append(b"new").unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&vfs, "a"), BTreeSet::from([Some(b"new".to_vec())]));
}

#[test]
fn a_cut_beyond_what_the_medium_has_leaves_zeros() {
    let (vfs, file) = with_synced(b"he");
    file.append(b"llo").unwrap();
    file.truncate(4).unwrap();
    assert!(outcomes(&vfs, "a").contains(&Some(b"he\0\0".to_vec())));
}

/// Replaces `a` by way of `a.tmp`, with or without syncing the new bytes before their name.
fn replace(vfs: &SimVfs, synced: bool) -> Result<(), VfsError> {
    let file = vfs.create(&path("a.tmp"))?;
    file.append(b"new")?;
    if synced {
        file.sync()?;
    }
    vfs.rename(&path("a.tmp"), &path("a"))?;
    vfs.sync_dir(&path(""))
}

/// What `a` may be if the process dies and power fails at any point of [`replace`].
fn outcomes_of_replacing(synced: bool) -> BTreeSet<Option<Vec<u8>>> {
    let mut all = BTreeSet::new();
    for call in 0.. {
        let mut finished = false;
        for moment in [CrashMoment::Before, CrashMoment::Within, CrashMoment::After] {
            let (vfs, _) = with_synced(b"old");
            vfs.crash_at(vfs.calls() + call, moment);
            finished = replace(&vfs, synced).is_ok();
            all.extend(outcomes(&vfs.process_death(), "a"));
        }
        if finished {
            break;
        }
    }
    all
}

#[test]
fn walking_all_crash_points_proves_a_right_order_and_finds_a_missing_sync() {
    let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
    assert_eq!(outcomes_of_replacing(true), BTreeSet::from([old, new]));
    assert!(outcomes_of_replacing(false).contains(&Some(Vec::new())));
}

#[test]
fn a_new_file_under_a_freed_name_does_not_cost_the_old_file() {
    let (vfs, _) = with_synced(b"old");
    vfs.rename(&path("a"), &path("b")).unwrap();
    vfs.create(&path("a")).unwrap();
    for seed in SEEDS {
        let after = vfs.power_loss(CrashStyle::Seeded(seed));
        let olds = ["a", "b"].into_iter().filter(|name| read(&after, name).as_deref() == Some(b"old")).count();
        assert_eq!(olds, 1, "seed {seed}");
    }
}

#[test]
fn a_folder_can_be_refused_and_open_files_are_counted() {
    let vfs = SimVfs::new(5);
    for dir in ["/a", "/b"] {
        vfs.create_dir(Path::new(dir)).unwrap();
    }
    let (inside, beside) = (Path::new("/a/file"), Path::new("/b/file"));
    let kept = [vfs.create(inside).unwrap(), vfs.create(beside).unwrap()];
    vfs.refuse_changes(Path::new("/a"), Some(Fault::Denied));
    assert!(kept[0].append(b"x").unwrap_err().is_denied() && vfs.remove(inside).unwrap_err().is_denied());
    kept[1].append(b"x").unwrap();
    kept[0].len().unwrap();
    vfs.refuse_reads(inside, Some(Fault::Eio));
    assert!(vfs.open_read(inside).is_err() && vfs.open_read(beside).is_ok());
    vfs.refuse_changes(Path::new("/a"), None);
    vfs.refuse_reads(inside, None);
    kept[0].append(b"x").unwrap();
    vfs.limit_open_files(Some(2));
    let error = vfs.open(inside).unwrap_err();
    assert!(error.is_out_of_files() && error.is_shortage() && vfs.list(Path::new("/a")).unwrap_err().is_out_of_files());
    drop(kept);
    assert!(vfs.open(inside).is_ok() && vfs.most_opened() == 3);
}
