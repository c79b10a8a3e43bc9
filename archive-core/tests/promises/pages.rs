//! Lists page by page: the same whatever the size of a page, and cursors that name a place; mails and parts from any byte on.

use std::fmt::Debug;
use std::sync::LazyLock;

use archive_core::{Actor, Archive, Error, FolderScope, ImportOptions, MessageId, Page, Session};
use proptest::prelude::*;

use crate::fixture::{Files, Told, folder, mbox, mixed, plain, put, put_stream, user};

/// 40 mails in one folder and some in others, three of which searches cannot look into.
fn filled() -> (Files, Archive) {
    let (files, archive) = Files::create();
    put_stream(&archive, &mbox(&plain(40, 10, 560)), "box.mbox", &ImportOptions { into: Some(folder("anna/box")), ..Default::default() });
    for (no, path) in ["anna/a", "anna/a/b", "bob", "bob/\u{e4}"].into_iter().enumerate() {
        put(&archive, path, format!("Subject: {no}\n\nx{no}\n"));
    }
    let attached = |name: &str| {
        let part = format!("--x\nContent-Type: application/x-{name}\nContent-Disposition: attachment; filename=x\n\n{name}\n");
        format!("Subject: {name}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n{part}{part}--x--\n")
    };
    let session = archive.session(Actor::System);
    let types = ["a", "b", "c"].map(|name| format!("application/x-{name}"));
    session.set_index_configuration(&archive_core::IndexConfiguration { types: types.to_vec() }).expect("set");
    ["a", "b", "c"].iter().for_each(|name| drop(put(&archive, "anna/box", attached(name))));
    (files, archive)
}

/// All pages of a list, each asked for by the cursor of the one before.
fn all<T: Debug>(most: usize, page: impl Fn(Option<&str>, usize) -> Result<Page<T>, Error>) -> (Vec<T>, Vec<String>) {
    let (mut items, mut cursors) = (Vec::new(), Vec::<String>::new());
    loop {
        let next = page(cursors.last().map(String::as_str), most).expect("a page");
        assert!(most == 0 || !next.items.is_empty() || next.cursor.is_none(), "a page with a page after it has something");
        items.extend(next.items);
        match next.cursor {
            Some(cursor) => cursors.push(cursor),
            None => return (items, cursors),
        }
    }
}

/// Pages of any size give what one page gives, and so do pages after a place of nothing.
fn same_in_pages<T: Debug + PartialEq>(len: usize, page: &impl Fn(Option<&str>, usize) -> Result<Page<T>, Error>) {
    let (whole, cursors) = all(1000, page);
    assert_eq!((whole.len(), cursors.len()), (len, 0));
    for most in [1, 3, len, len + 1] {
        assert_eq!(all(most, page).0, whole, "pages of {most}");
    }
    let nothing = page(None, 0).expect("a page of nothing");
    assert!(nothing.items.is_empty());
    assert_eq!(page(nothing.cursor.as_deref(), 1000).expect("the rest").items, whole, "after a page of nothing");
}

#[test]
fn lists_are_the_same_in_pages_of_any_size() {
    let (_, archive) = filled();
    let session = archive.session(Actor::System);
    same_in_pages(47, &|cursor, most| session.messages_page(None, cursor, most));
    same_in_pages(43, &|cursor, most| session.messages_page(Some(&folder("anna/box")), cursor, most));
    same_in_pages(1, &|cursor, most| session.messages_page(Some(&folder("bob")), cursor, most));
    same_in_pages(6, &|cursor, most| session.folders_page(cursor, most));
    let each: Vec<_> = session.messages_in(&folder("anna/box")).map(|info| info.expect("listed")).collect();
    assert_eq!(each, session.messages_page(Some(&folder("anna/box")), None, 1000).expect("a page").items);
    let each: Vec<_> = session.messages().map(|info| info.expect("listed").id).collect();
    assert!(each.is_sorted());
    assert_eq!(session.folders_page(None, 1000).expect("a page").items, session.folders().expect("folders"));
    // Of one content all parts are on one page.
    same_in_pages(6, &|cursor, most| session.not_searchable_page(cursor, most));
    assert_eq!(session.not_searchable_page(None, 1).expect("a page").items.len(), 2);
    assert_eq!(session.not_searchable().filter(Result::is_ok).count(), 6);
}

type List<'a> = dyn Fn(&str) -> Result<(), Error> + 'a;

fn is_misuse<T: Debug>(page: Result<T, Error>, what: &str) {
    assert!(matches!(page, Err(Error::Misuse { .. })), "{what}");
}

#[test]
fn a_cursor_is_one_of_its_list_and_actor_and_outlives_the_process() {
    let (files, archive) = filled();
    let (inbox, bob) = (folder("anna/box"), folder("bob"));
    let cursors = |session: &Session| {
        [
            session.messages_page(None, None, 7).expect("a page").cursor.expect("more"),
            session.messages_page(Some(&inbox), None, 7).expect("a page").cursor.expect("more"),
            session.folders_page(None, 2).expect("a page").cursor.expect("more"),
            session.not_searchable_page(None, 2).expect("a page").cursor.expect("more"),
        ]
    };
    let session = archive.session(Actor::System);
    let own = cursors(&session);
    let lists: [&List<'_>; 5] = [
        &|cursor| session.messages_page(None, Some(cursor), 7).map(drop),
        &|cursor| session.messages_page(Some(&inbox), Some(cursor), 7).map(drop),
        &|cursor| session.folders_page(Some(cursor), 7).map(drop),
        &|cursor| session.not_searchable_page(Some(cursor), 7).map(drop),
        &|cursor| session.messages_page(Some(&bob), Some(cursor), 7).map(drop),
    ];
    for (of, cursor) in own.iter().enumerate() {
        for (no, list) in lists.iter().enumerate() {
            match no == of {
                true => list(cursor).expect("its own"),
                false => is_misuse(list(cursor), &format!("the cursor of list {of} for list {no}")),
            }
        }
    }
    for foreign in ["", "00ff", "no cursor"] {
        is_misuse(session.messages_page(None, Some(foreign), 7), foreign);
    }
    let anna = archive.session(user(&[FolderScope::below("anna")]));
    is_misuse(anna.messages_page(None, Some(&own[0]), 7), "the cursor of another actor");
    let of_anna = anna.messages_page(None, None, 7).expect("a page").cursor.expect("more");
    is_misuse(session.messages_page(None, Some(&of_anna), 7), "the cursor of an actor who sees less");

    let rest = |session: &Session| {
        (
            session.messages_page(None, Some(&own[0]), 100).expect("a page").items,
            session.messages_page(Some(&inbox), Some(&own[1]), 100).expect("a page").items,
            session.folders_page(Some(&own[2]), 100).expect("a page").items,
            session.not_searchable_page(Some(&own[3]), 100).expect("a page").items,
        )
    };
    let before = rest(&session);
    assert_eq!((before.0.len(), before.1.len(), before.2.len(), before.3.len()), (40, 36, 4, 4));
    archive.close().expect("closed");
    let archive = files.open();
    assert!(rest(&archive.session(Actor::System)) == before);
}

type Mails = Vec<(MessageId, Vec<u8>)>;

/// Mails of several kinds, one above what is checked before its first piece, and their bytes.
static MAILS: LazyLock<(Session, Mails)> = LazyLock::new(|| {
    let (_, archive) = Files::create();
    let mut mails = mixed();
    let mut large = b"From: a@b.example\nSubject: large\n\n".to_vec();
    (0..(17 << 20) / 10).for_each(|no| large.extend_from_slice(format!("line {no:04}\n", no = no % 9973).as_bytes()));
    mails.push(large);
    let session = archive.session(Actor::System);
    let mut told = Told::default();
    let kept = mails.iter().map(|mail| {
        let source = archive_core::ImportSource::Stream(&mut &**mail, "x.eml");
        session.import(source, &ImportOptions::default(), &mut told).expect("archived");
        (told.receipts.last().expect("a receipt").id(), mail.clone())
    });
    let kept = kept.collect();
    (session, kept)
});

fn slice(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(within(from)..within(to)).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_range_of_a_mail_is_a_slice_of_it(pick in any::<prop::sample::Index>(), from in 0.0..1.1f64, len in 0.0..1.1f64) {
        let (session, mails) = &*MAILS;
        let (id, mail) = pick.get(mails);
        let at = |share: f64| (share * mail.len() as f64) as u64;
        for range in [at(from)..at(from + len), at(from)..at(from) + 1, 0..at(len), at(from)..u64::MAX, at(len)..at(from)] {
            let mut read = Vec::new();
            session.read_range(*id, range.clone(), &mut |bytes| {
                read.extend_from_slice(bytes);
                Ok(())
            }).expect("readable");
            prop_assert!(read == slice(mail, range.start, range.end), "{range:?} of {id}");
        }
    }

    #[test]
    fn a_part_from_a_byte_on_is_the_end_of_it(pick in any::<prop::sample::Index>(), from in 0.0..1.1f64) {
        let (session, mails) = &*MAILS;
        // The large one is read whole each time.
        let (id, _) = pick.get(&mails[..mails.len() - 1]);
        let read = |part: u32, from: u64| {
            let mut read = Vec::new();
            let found = session.read_part(*id, part, from, &mut |bytes| {
                read.extend_from_slice(bytes);
                Ok(())
            });
            found.map(|()| read)
        };
        for part in session.parts(*id).expect("its parts").parts {
            let whole = match read(part.number, 0) {
                Err(Error::NoSuchPart { .. }) => continue,
                whole => whole.expect("readable"),
            };
            let from = (from * whole.len() as f64) as u64;
            prop_assert_eq!(read(part.number, from).expect("readable"), slice(&whole, from, u64::MAX));
        }
    }
}
