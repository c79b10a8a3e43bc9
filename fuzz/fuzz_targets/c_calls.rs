//! Any sequence of calls of the C interface, with any handles, numbers, texts, structs and callbacks that C can pass: no panic,
//! nothing is written by a call that fails, no handle is left, and the archive stays sound.
//!
//! Lengths are those of the buffers: nobody can check them in C. Paths stay in a folder of this process.
#![no_main]

use std::ffi::{CStr, c_char, c_void};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mailkeep as _;

type Any = *mut c_void;
type Status = i32;

const OK: Status = 0;
const BUG: Status = -1;
const BAD_HANDLE: Status = -2;
const MISUSE: Status = -12;

macro_rules! functions {
    ($($name:ident($($kind:ty),*);)*) => {
        unsafe extern "C" {
            $(fn $name($(_: $kind),*) -> Status;)*
            fn mk_status_name(status: Status) -> *const c_char;
            fn mk_library_has(name: *const u8, length: usize) -> i32;
            fn atexit(at_end: extern "C" fn()) -> i32;
        }
    };
}

/// A struct, a handle or a place for a result: any pointer.
type Ptr = *const c_void;
type Text = *const u8;

functions! {
    mk_archive_open(Ptr, Text, usize, Ptr, Ptr, Ptr);
    mk_archive_close(Ptr, Ptr, Ptr);
    mk_archive_info(Ptr, Ptr, Ptr);
    mk_archive_mark(Ptr, Ptr);
    mk_archive_refresh(Ptr, Ptr);
    mk_archive_freeze(Ptr, Ptr, u64, Ptr);
    mk_frozen_thaw(Ptr, Ptr, Ptr);
    mk_frozen_free(Ptr);
    mk_archive_id_of(Ptr, Text, usize, Ptr);
    mk_archive_opens_with(Ptr, Text, usize, Ptr);
    mk_archive_lies_in(Ptr, Text, usize, Text, usize, Ptr);
    mk_new_archive_begin(Ptr, Text, usize, Text, usize, Ptr, Ptr);
    mk_new_archive_recovery_key(Ptr, Ptr, Ptr);
    mk_new_archive_key_file(Ptr, Ptr, Ptr);
    mk_new_archive_id(Ptr, Ptr, Ptr);
    mk_new_archive_commit(Ptr, Ptr, Ptr);
    mk_new_archive_free(Ptr);
    mk_buffer_get(Ptr, Ptr, Ptr);
    mk_buffer_free(Ptr);
    mk_cancel_new(Ptr, Ptr);
    mk_cancel_now(Ptr, Ptr);
    mk_cancel_free(Ptr);
    mk_criteria_read(Ptr, Text, usize, Ptr);
    mk_error_new(Ptr);
    mk_error_status(Ptr);
    mk_error_code(Ptr, Ptr);
    mk_error_message(Ptr, Ptr);
    mk_error_json(Ptr, Ptr);
    mk_error_free(Ptr);
    mk_folder_names(Ptr, Text, usize, Ptr);
    mk_key_status(Ptr, Ptr, Ptr);
    mk_key_test(Ptr, Text, usize, Ptr, Ptr);
    mk_key_confirm_recovery(Ptr, Ptr, Ptr);
    mk_key_add_passphrase(Ptr, Ptr, Text, usize, Ptr);
    mk_key_remove_passphrase(Ptr, Text, usize, Ptr);
    mk_library_handles(Ptr, Ptr);
    mk_library_panic(Ptr);
    mk_message_id_print(Ptr, usize, Ptr, u64, Ptr);
    mk_message_id_read(Ptr, Text, usize, Ptr);
    mk_page_get_info(Ptr, Ptr, Ptr);
    mk_page_message(Ptr, Ptr, usize, Ptr);
    mk_page_folder(Ptr, Ptr, usize, Ptr);
    mk_page_json(Ptr, Ptr, Ptr);
    mk_page_free(Ptr);
    mk_search_begin(Ptr, Ptr, Text, usize, Ptr, Ptr);
    mk_search_next(Ptr, Ptr, usize, Ptr);
    mk_search_free(Ptr);
    mk_session_begin(Ptr, Ptr, Text, usize, Ptr);
    mk_session_free(Ptr);
    mk_session_check(Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_compact(Ptr, Ptr, u32, Ptr, Ptr);
    mk_session_compact_store(Ptr, Ptr, u32, u32, Ptr, Ptr);
    mk_session_stores(Ptr, Ptr, u32, Ptr);
    mk_session_create_store(Ptr, Ptr, Text, usize, u32, Ptr, Ptr);
    mk_session_attach_store(Ptr, Ptr, Text, usize, u32, Ptr, Ptr);
    mk_session_detach_store(Ptr, u32, Ptr, Ptr);
    mk_session_rename_store(Ptr, u32, Text, usize, Ptr);
    mk_session_set_store_state(Ptr, u32, u32, Ptr, Ptr);
    mk_session_set_store_dirs(Ptr, u32, Ptr, Ptr);
    mk_session_store_rule(Ptr, Ptr, Ptr);
    mk_session_set_store_rule(Ptr, Text, usize, Ptr);
    mk_session_retry_open_stores(Ptr, Ptr, Ptr, Ptr);
    mk_session_delete(Ptr, Ptr, Ptr, usize, Text, usize, u32, Ptr);
    mk_session_deleted(Ptr, Ptr, Text, usize, usize, Ptr);
    mk_session_explain(Ptr, Ptr, Text, usize, Ptr, Ptr);
    mk_session_export(Ptr, Ptr, Text, usize, Ptr, Ptr);
    mk_session_export_mbox(Ptr, Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_folders(Ptr, Ptr, Text, usize, usize, Ptr);
    mk_session_folders_in(Ptr, Ptr, Text, usize, Ptr);
    mk_session_import(Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_import_lost(Ptr, Ptr, Ptr, Ptr);
    mk_session_import_one(Ptr, Ptr, Text, usize, Text, usize, Ptr);
    mk_session_import_plan(Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_import_target(Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_index_configuration(Ptr, Ptr, Ptr);
    mk_session_lost_files(Ptr, Ptr, Ptr);
    mk_session_lost_mails(Ptr, Ptr, Ptr, Ptr, Ptr);
    mk_session_make_folder(Ptr, Ptr, Text, usize, u32, Ptr);
    mk_session_message(Ptr, Ptr, u64, Ptr);
    mk_session_messages(Ptr, Ptr, Text, usize, Text, usize, usize, Ptr);
    mk_session_move_folder(Ptr, Ptr, Text, usize, Text, usize, u32, Ptr);
    mk_session_not_searchable(Ptr, Ptr, Text, usize, usize, Ptr);
    mk_session_parts(Ptr, Ptr, u64, Ptr);
    mk_session_prune_folders(Ptr, Ptr, Text, usize, u32, Ptr);
    mk_session_raw(Ptr, Ptr, u64, Ptr);
    mk_session_read(Ptr, u64, Ptr, Ptr, Ptr);
    mk_session_read_header(Ptr, u64, Ptr, Ptr, Ptr);
    mk_session_read_part(Ptr, u64, u32, u64, Ptr, Ptr, Ptr);
    mk_session_read_parts(Ptr, u64, Ptr, usize, Ptr, Ptr, Ptr);
    mk_session_read_range(Ptr, u64, u64, u64, Ptr, Ptr, Ptr);
    mk_session_rebuild_selected_store_indexes(Ptr, Ptr, Ptr, Ptr);
    mk_session_rebuild_store_index(Ptr, u32, Ptr, Ptr);
    mk_session_record(Ptr, Ptr, u64, Ptr);
    mk_session_remove_folder(Ptr, Ptr, Text, usize, u32, Ptr);
    mk_session_rename_folder(Ptr, Ptr, Text, usize, Text, usize, u32, Ptr);
    mk_session_repair(Ptr, Ptr, u32, Ptr);
    mk_session_search(Ptr, Ptr, Text, usize, Ptr, Ptr);
    mk_session_select_all_store_indexes(Ptr, Ptr);
    mk_session_set_index_configuration(Ptr, Text, usize, Ptr);
    mk_session_stats(Ptr, Ptr, Ptr, Ptr);
    mk_session_store_indexes(Ptr, Ptr, u32, Ptr);
    mk_session_thread(Ptr, Ptr, u64, Ptr, Ptr);
    mk_session_types_not_read(Ptr, Ptr, Ptr, Ptr);
    mk_session_undecided(Ptr, Ptr, Text, usize, usize, Ptr, Ptr);
    mk_session_undelete(Ptr, Ptr, Ptr, usize, Text, usize, Ptr);
    mk_session_verify(Ptr, Ptr, u32, u32, u32, Ptr, Ptr);
    mk_session_why(Ptr, Ptr, u64, Text, usize, Ptr, Ptr);
    mk_stream_open(Ptr, Ptr, u64, u32, Ptr);
    mk_stream_read(Ptr, Ptr, Ptr, usize, Ptr);
    mk_stream_free(Ptr);
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Error,
    Cancel,
    Buffer,
    New,
    Archive,
    Session,
    Page,
    Search,
    Stream,
    Frozen,
}

use Kind::{Archive, Buffer, Cancel, Error, Frozen, New, Page, Search, Session, Stream};

/// What runs have in common: one archive, and where files are.
struct World {
    dir: PathBuf,
    key: Vec<u8>,
    archive: Any,
    runs: u64,
    /// The files of a store are not where the archive looks for them.
    has_lost: bool,
}

static WORLD: Mutex<Option<World>> = Mutex::new(None);

// SAFETY: the handle is a number, and runs come one after the other.
unsafe impl Send for World {}

/// The most mails before a new archive is begun.
const MOST_HANDLES: usize = 200;

fn text_of(buffer: Any) -> Vec<u8> {
    let mut text = [0usize; 2];
    // SAFETY: a handle, and a place for a text, which lives until the buffer is freed.
    unsafe {
        assert_eq!(mk_buffer_get(text.as_mut_ptr().cast(), buffer, std::ptr::null()), OK);
        let bytes = std::slice::from_raw_parts(text[0] as *const u8, text[1]).to_vec();
        assert_eq!(mk_buffer_free(buffer), OK);
        bytes
    }
}

impl World {
    fn new() -> Self {
        let shm = PathBuf::from("/dev/shm");
        let base = if shm.is_dir() { shm } else { std::env::temp_dir() };
        let dir = base.join(format!("mailkeep-c-calls-{}", std::process::id()));
        let mut world = Self { dir, key: Vec::new(), archive: std::ptr::null_mut(), runs: 0, has_lost: false };
        world.create();
        // SAFETY: a function that lives as long as the program.
        unsafe { atexit(clean) };
        world
    }

    fn create(&mut self) {
        self.has_lost = false;
        let _absent = std::fs::remove_dir_all(&self.dir);
        std::fs::create_dir_all(&self.dir).expect("a folder");
        std::fs::write(
            self.dir.join("some.mbox"),
            b"From a Mon Jan  1 00:00:00 2024\nSubject: One\n\nA word.\n\nFrom b\nSubject: Two\n\nA word.\n",
        )
        .expect("a file");
        let (folder, null) = (self.path(0), std::ptr::null());
        let (mut new, mut buffer) = (std::ptr::null_mut::<c_void>(), std::ptr::null_mut::<c_void>());
        // SAFETY: places for handles, texts with their lengths.
        unsafe {
            let place = (&raw mut new).cast();
            assert_eq!(mk_new_archive_begin(place, folder.as_ptr(), folder.len(), b"anna".as_ptr(), 4, null, null), OK);
            assert_eq!(mk_new_archive_recovery_key((&raw mut buffer).cast(), new, null), OK);
            text_of(buffer);
            assert_eq!(mk_new_archive_key_file((&raw mut buffer).cast(), new, null), OK);
            self.key = text_of(buffer);
            assert_eq!(mk_new_archive_commit((&raw mut self.archive).cast(), new, null), OK);
            assert_eq!(mk_new_archive_free(new), OK);
        }
    }

    /// A path that a call may use.
    fn path(&self, at: u8) -> Vec<u8> {
        let name = ["archive", "some.mbox", "absent", "exported", "new", ""][usize::from(at) % 6];
        self.dir.join(name).into_os_string().into_encoded_bytes()
    }

    /// An `mk_key` of the kind `MK_KEY_FILE`.
    fn key(&self) -> [u64; 5] {
        [40 | 1 << 32, self.key.as_ptr() as u64, self.key.len() as u64, 0, 0]
    }

    fn open(&mut self) {
        let (folder, key) = (self.path(0), self.key());
        // SAFETY: as above.
        let status = unsafe {
            mk_archive_open(
                (&raw mut self.archive).cast(),
                folder.as_ptr(),
                folder.len(),
                key.as_ptr().cast(),
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        assert_eq!(status, OK, "the archive does not open");
    }

    /// Checks everything now and then, and begins anew when the archive is large.
    fn check(&mut self) {
        let (mut session, mut report, null) = (std::ptr::null_mut::<c_void>(), std::ptr::null_mut::<c_void>(), std::ptr::null());
        // SAFETY: as above.
        unsafe {
            assert_eq!(mk_archive_close(self.archive, null, null), OK);
            self.open();
            assert_eq!(mk_session_begin((&raw mut session).cast(), self.archive, std::ptr::null(), 0, null), OK);
            assert_eq!(mk_session_verify((&raw mut report).cast(), session, 0, 0, 0, null, null), OK);
            let report = String::from_utf8(text_of(report)).expect("JSON");
            assert!(report.contains("\"findings\":[]"), "{report}");
            assert_eq!(mk_archive_close(self.archive, null, null), OK);
        }
        self.create();
    }
}

/// Removes the files when the fuzzer ends by itself.
extern "C" fn clean() {
    if let Ok(mut world) = WORLD.try_lock()
        && let Some(world) = world.take()
    {
        let _absent = std::fs::remove_dir_all(&world.dir);
    }
}

/// The bytes that decide.
struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn some(&mut self, most: usize) -> Vec<u8> {
        let length = usize::from(self.byte()).min(most).min(self.0.len());
        let (some, rest) = self.0.split_at(length);
        self.0 = rest;
        some.to_vec()
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=199 => u64::from(small % 20),
            200..=220 => u64::MAX - u64::from(self.byte()),
            221..=235 => 1 << (self.byte() % 64),
            _ => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
        }
    }

    /// An id of a message, mostly one that may be there.
    fn id(&mut self) -> u64 {
        match self.byte() {
            near @ 0..=230 => 1 << 32 | u64::from(near % 8),
            _ => self.number(),
        }
    }

    fn flags(&mut self, known: u32) -> u64 {
        match self.byte() {
            all @ 0..=240 => u64::from(u32::from(all) & known),
            _ => self.number() & 0xffff_ffff,
        }
    }

    /// A size of a struct: mostly the right one.
    fn size(&mut self, size: u32) -> u32 {
        match self.byte() {
            0..=230 => size,
            231..=240 => size + 8,
            _ => (self.number() & 0xffff_ffff) as u32,
        }
    }
}

const TEXTS: [&str; 14] = [
    "anna",
    "anna/inbox",
    "anna/a%2Fb",
    r#"{"query":"word"}"#,
    r#"{"query":"*","limit":2,"snippets":true,"counts":["year","from"]}"#,
    r#"{"query":"subject:one OR -two in:anna","limit":0}"#,
    r#"{"query":"before:2024-01-01 \"a word\" wor*","once":true,"suggestions":true,"subject_words":true}"#,
    r#"{"query":"(","limit":1}"#,
    r#"{"criteria":{"version":1,"all":[]},"after":"x"}"#,
    r#"{"name":"ben","folders":[{"path":"anna","subfolders":true}]}"#,
    r#"{"types":["application/pdf"]}"#,
    "1:1",
    "From: a@example.org\nSubject: One\n\nA word.\n",
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Disposition: attachment; filename=x\n\nx\n--b--\n",
];

/// A text: a known one, any bytes, or none.
fn text(input: &mut Input<'_>) -> (Vec<u8>, bool) {
    match input.byte() {
        known @ 0..=190 => (TEXTS[usize::from(known) % TEXTS.len()].as_bytes().to_vec(), false),
        191..=240 => (input.some(200), false),
        _ => (Vec::new(), true),
    }
}

/// Callbacks: how many succeed before one fails, and what they do meanwhile.
struct Back {
    left: u32,
    inside: bool,
    archive: Any,
    data: Vec<u8>,
    at: usize,
}

/// # Safety
///
/// `payload` is a `Back` that only this thread of callbacks uses.
unsafe fn back(payload: Any) -> i32 {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the caller's contract; progress and events may come from two threads, one at a time here.
    let back = unsafe { &mut *payload.cast::<Back>() };
    if back.inside {
        // SAFETY: any handle may be passed.
        let status = unsafe { mk_archive_close(back.archive, std::ptr::null(), std::ptr::null()) };
        assert!(status == MISUSE || status == BAD_HANDLE || back.archive.is_null(), "{status}");
    }
    match back.left {
        0 => 1,
        _ => {
            back.left -= 1;
            0
        }
    }
}

unsafe extern "C" fn on_bytes(payload: Any, _data: Ptr, _length: usize) -> i32 {
    // SAFETY: the payload of this run.
    unsafe { back(payload) }
}
unsafe extern "C" fn on_part(payload: Any, _part: u32, _data: Ptr, _length: usize) -> i32 {
    // SAFETY: the payload of this run.
    unsafe { back(payload) }
}
unsafe extern "C" fn on_one(payload: Any, _one: Ptr) -> i32 {
    // SAFETY: the payload of this run.
    unsafe { back(payload) }
}
unsafe extern "C" fn on_missing(payload: Any, _text: Ptr, _offset: u64) -> i32 {
    // SAFETY: the payload of this run.
    unsafe { back(payload) }
}
unsafe extern "C" fn on_mail(payload: Any, _json: Ptr, _data: Ptr, _length: usize) -> i32 {
    // SAFETY: the payload of this run.
    unsafe { back(payload) }
}
unsafe extern "C" fn on_failed(payload: Any, _id: u64, _message: Ptr) {
    // SAFETY: the payload of this run.
    unsafe { back(payload) };
}
unsafe extern "C" fn on_log(payload: Any, _level: u32, _message: Ptr) {
    // SAFETY: the payload of this run.
    unsafe { back(payload) };
}
unsafe extern "C" fn on_key(payload: Any, _needed: Ptr, answer: *mut u64) -> i32 {
    // SAFETY: the payload of this run, and an answer of the library: size and kind, data, length.
    unsafe {
        let held = &*payload.cast::<Back>();
        *answer |= 1 << 32;
        *answer.add(1) = held.data.as_ptr() as u64;
        *answer.add(2) = held.data.len() as u64;
        back(payload)
    }
}
unsafe extern "C" fn on_read(payload: Any, data: *mut u8, length: usize) -> i64 {
    // SAFETY: the payload of this run, and a buffer of this length.
    unsafe {
        let left = back(payload);
        let held = &mut *payload.cast::<Back>();
        if left != 0 {
            return if held.data.len() % 2 == 0 { -1 } else { i64::MAX };
        }
        let taken = length.min(held.data.len() - held.at).min(50);
        std::ptr::copy_nonoverlapping(held.data.as_ptr().add(held.at), data, taken);
        held.at += taken;
        taken as i64
    }
}

fn judge(status: Status) {
    assert_ne!(status, BUG, "a bug of the library");
    assert_ne!(name(status), "other", "{status} has no name");
}

/// One run: what was given, and what structs point to.
struct Run<'w> {
    world: &'w mut World,
    given: Vec<(Kind, Any)>,
    error: Any,
    /// Kept until the run ends: searches use their progress until they are freed.
    structs: Vec<Vec<u64>>,
    texts: Vec<Vec<u8>>,
    backs: Vec<Box<Back>>,
}

const UNTOUCHED: usize = 0xdead_0008;

impl Run<'_> {
    /// A handle, mostly of this kind.
    fn handle(&self, input: &mut Input<'_>, kind: Kind) -> Ptr {
        let all: Vec<Any> = self.given.iter().map(|(_, handle)| *handle).collect();
        let of_kind: Vec<Any> = self.given.iter().filter(|(of, _)| *of == kind).map(|(_, handle)| *handle).collect();
        let pick = |from: &[Any], at: usize| from.get(at % from.len().max(1)).map_or(std::ptr::null(), |handle| handle.cast_const());
        match input.byte() {
            latest @ 0..=120 => pick(&of_kind, of_kind.len().saturating_sub(1 + usize::from(latest % 2))),
            at @ 121..=225 => pick(&of_kind, usize::from(at)),
            226..=240 => pick(&all, usize::from(input.byte())),
            241..=247 => std::ptr::null(),
            _ => std::ptr::without_provenance(input.number() as usize),
        }
    }

    fn text(&mut self, input: &mut Input<'_>) -> (Text, usize) {
        let (text, none) = text(input);
        self.texts.push(text);
        let kept = self.texts.last().expect("it was pushed");
        (if none { std::ptr::null() } else { kept.as_ptr() }, kept.len())
    }

    fn path(&mut self, input: &mut Input<'_>) -> (Text, usize) {
        let path = self.world.path(input.byte());
        self.texts.push(path);
        let kept = self.texts.last().expect("it was pushed");
        (kept.as_ptr(), kept.len())
    }

    fn back(&mut self, input: &mut Input<'_>) -> Any {
        let (left, inside) = (u32::from(input.byte()), input.byte() > 128);
        let data = if input.byte() > 128 { self.world.key.clone() } else { input.some(250) };
        let archive = self.world.archive;
        self.backs.push(Box::new(Back { left: if left > 200 { u32::MAX } else { left % 6 }, inside, archive, data, at: 0 }));
        (&raw mut **self.backs.last_mut().expect("it was pushed")).cast()
    }

    /// Keeps a struct of this many bytes. Some say another size, which they then have.
    fn kept(&mut self, input: &mut Input<'_>, size: u32, first: u64, words: &[u64]) -> Ptr {
        if input.byte() > 250 {
            return std::ptr::null();
        }
        let said = input.size(size);
        let mut all = vec![u64::from(said) | first << 32];
        all.extend(words);
        // What a caller says is there must be there.
        all.resize(all.len().max(4096 / 8 + 1), 0);
        if input.byte() > 250 {
            all[size as usize / 8] = input.number();
        }
        self.structs.push(all);
        self.structs.last().expect("it was pushed").as_ptr().cast()
    }

    fn progress(&mut self, input: &mut Input<'_>) -> Ptr {
        if input.byte() < 128 {
            return std::ptr::null();
        }
        let cancel = if input.byte() < 150 { std::ptr::null() } else { self.handle(input, Cancel) };
        let report = if input.byte() < 128 { 0 } else { on_one as *const () as u64 };
        let payload = self.back(input) as u64;
        let reserved = u64::from(input.byte() > 250);
        self.kept(input, 32, reserved, &[cancel as u64, report, payload])
    }

    fn open_options(&mut self, input: &mut Input<'_>) -> Ptr {
        let (flags, memory, limit) = (input.flags(3), input.number(), input.number());
        let (payload, progress) = (self.back(input) as u64, self.progress(input) as u64);
        self.kept(input, 48, flags, &[memory, limit, on_log as *const () as u64, payload, progress])
    }

    fn key(&mut self, input: &mut Input<'_>) -> Ptr {
        let (kind, payload) = (input.flags(7), self.back(input) as u64);
        // Never a passphrase: deriving its key takes most of a second.
        let kind = if kind == 3 { 1 } else { kind };
        let (text, length) = if input.byte() > 100 {
            (self.world.key.as_ptr() as u64, self.world.key.len() as u64)
        } else {
            let (text, length) = self.text(input);
            (text as u64, length as u64)
        };
        self.kept(input, 40, kind, &[text, length, on_key as *const () as u64, payload])
    }

    fn source(&mut self, input: &mut Input<'_>) -> Ptr {
        let ((path, length), payload) = (self.path(input), self.back(input) as u64);
        let read = if input.byte() < 128 { 0 } else { on_read as *const () as u64 };
        self.kept(input, 40, 0, &[path as u64, length as u64, read, payload])
    }

    fn events(&mut self, input: &mut Input<'_>) -> Ptr {
        let payload = self.back(input) as u64;
        let one = on_one as *const () as u64;
        self.kept(input, 48, 0, &[payload, one, one, on_missing as *const () as u64, on_bytes as *const () as u64])
    }

    fn import_options(&mut self, input: &mut Input<'_>) -> Ptr {
        let (flags, two) = (input.flags(7), input.flags(3) | input.flags(15) << 32);
        let (into, length) = self.text(input);
        let (progress, events) = (self.progress(input) as u64, self.events(input) as u64);
        self.kept(input, 48, flags, &[two, into as u64, length as u64, progress, events])
    }

    fn export_options(&mut self, input: &mut Input<'_>) -> Ptr {
        let (flags, format) = (input.flags(7), input.flags(3));
        let ((folder, folder_length), (query, query_length)) = (self.text(input), self.text(input));
        let (progress, payload) = (self.progress(input) as u64, self.back(input) as u64);
        let words = [
            format,
            folder as u64,
            folder_length as u64,
            query as u64,
            query_length as u64,
            progress,
            on_failed as *const () as u64,
            payload,
        ];
        self.kept(input, 72, flags, &words)
    }
}

fn name(status: Status) -> String {
    // SAFETY: a name for every number.
    unsafe { CStr::from_ptr(mk_status_name(status)) }.to_string_lossy().into_owned()
}

impl Run<'_> {
    /// A call that gives an object of this kind, perhaps with no place for it.
    fn give(&mut self, input: &mut Input<'_>, kind: Kind, call: impl FnOnce(Ptr) -> Status) {
        let mut place = UNTOUCHED;
        let none = input.byte() > 250;
        let status = call(if none { std::ptr::null() } else { (&raw mut place).cast() });
        judge(status);
        if status == OK {
            assert!(!none && place != UNTOUCHED, "a result was not written");
            self.given.push((kind, std::ptr::without_provenance_mut(place)));
        } else {
            assert_eq!(place, UNTOUCHED, "{} wrote a result", name(status));
        }
    }

    /// Does one call. The structs and texts that it gets are as long as they say.
    fn step(&mut self, input: &mut Input<'_>) {
        let e: Ptr = if input.byte() > 240 { self.handle(input, Error) } else { self.error };
        let mut words = [0u64; 32];
        let number: Ptr = if input.byte() > 250 { std::ptr::null() } else { (&raw mut words).cast() };
        // SAFETY: places, structs and texts are as long as the calls are told, and live until the run ends; handles may be
        // anything.
        unsafe {
            match input.byte() % 100 {
                0 => {
                    let ((folder, length), key, options) = (self.path(input), self.key(input), self.open_options(input));
                    self.give(input, Archive, |to| mk_archive_open(to, folder, length, key, options, e));
                }
                1 => {
                    let (h, progress) = (self.handle(input, Archive), self.progress(input));
                    judge(mk_archive_close(h, progress, e));
                }
                2 => {
                    let h = self.handle(input, Archive);
                    self.give(input, Buffer, |to| mk_archive_info(to, h, e));
                }
                3 if input.byte() % 2 == 0 => judge(mk_archive_mark(self.handle(input, Archive), e)),
                3 => judge(mk_archive_refresh(self.handle(input, Archive), e)),
                94 => {
                    // Everything that changes the archive waits for so long.
                    let (h, milliseconds) = (self.handle(input, Archive), u64::from(input.byte() % 4));
                    self.give(input, Frozen, |to| mk_archive_freeze(to, h, milliseconds, e));
                }
                95 if input.byte() % 2 == 0 => judge(mk_frozen_thaw(number, self.handle(input, Frozen), e)),
                95 => judge(mk_frozen_free(self.handle(input, Frozen))),
                4 => {
                    let (folder, length) = self.path(input);
                    self.give(input, Buffer, |to| mk_archive_id_of(to, folder, length, e));
                }
                5 => {
                    let (folder, length) = self.path(input);
                    self.give(input, Buffer, |to| mk_archive_opens_with(to, folder, length, e));
                }
                6 => {
                    let ((folder, length), (other, other_length)) = (self.path(input), self.path(input));
                    judge(mk_archive_lies_in(number, folder, length, other, other_length, e));
                }
                7 => {
                    let ((folder, length), (owner, owner_length)) = (self.path(input), self.text(input));
                    let (flags, open) = (input.flags(1), self.open_options(input) as u64);
                    let options = self.kept(input, 32, flags, &[0, 0, open]);
                    self.give(input, New, |to| mk_new_archive_begin(to, folder, length, owner, owner_length, options, e));
                }
                8 => {
                    let h = self.handle(input, New);
                    self.give(input, Buffer, |to| mk_new_archive_recovery_key(to, h, e));
                }
                9 => {
                    let h = self.handle(input, New);
                    self.give(input, Buffer, |to| mk_new_archive_key_file(to, h, e));
                }
                10 => {
                    let h = self.handle(input, New);
                    self.give(input, Buffer, |to| mk_new_archive_id(to, h, e));
                }
                11 => {
                    let h = self.handle(input, New);
                    self.give(input, Archive, |to| mk_new_archive_commit(to, h, e));
                }
                12 => judge(mk_new_archive_free(self.handle(input, New))),
                13 => judge(mk_buffer_get(number, self.handle(input, Buffer), e)),
                14 => judge(mk_buffer_free(self.handle(input, Buffer))),
                15 => self.give(input, Cancel, |to| mk_cancel_new(to, e)),
                16 => judge(mk_cancel_now(self.handle(input, Cancel), e)),
                17 => judge(mk_cancel_free(self.handle(input, Cancel))),
                18 => {
                    let (json, length) = self.text(input);
                    self.give(input, Buffer, |to| mk_criteria_read(to, json, length, e));
                }
                19 => self.give(input, Error, |to| mk_error_new(to)),
                20 => drop(name(mk_error_status(self.handle(input, Error)))),
                21 => judge(mk_error_code(number, self.handle(input, Error))),
                22 => judge(mk_error_message(number, self.handle(input, Error))),
                23 => judge(mk_error_json(number, self.handle(input, Error))),
                24 => judge(mk_error_free(self.handle(input, Error))),
                25 => {
                    let (path, length) = self.text(input);
                    self.give(input, Buffer, |to| mk_folder_names(to, path, length, e));
                }
                26 => {
                    let h = self.handle(input, Archive);
                    self.give(input, Buffer, |to| mk_key_status(to, h, e));
                }
                27 => {
                    let ((folder, length), key) = (self.path(input), self.key(input));
                    self.give(input, Buffer, |to| mk_key_test(to, folder, length, key, e));
                }
                28 => {
                    let (h, key) = (self.handle(input, Archive), self.key(input));
                    judge(mk_key_confirm_recovery(h, key, e));
                }
                29 => {
                    // Never of an archive: deriving a key takes most of a second.
                    let (h, (text, length)) = (self.handle(input, Session), self.text(input));
                    if !self.given.iter().any(|(kind, given)| *kind == Archive && std::ptr::eq(*given, h)) {
                        self.give(input, Buffer, |to| mk_key_add_passphrase(to, h, text, length, e));
                    }
                }
                30 => {
                    let (h, (text, length)) = (self.handle(input, Archive), self.text(input));
                    judge(mk_key_remove_passphrase(h, text, length, e));
                }
                31 => judge(mk_library_handles(number, e)),
                32 => assert_eq!(mk_library_panic(e), BUG),
                33 => {
                    let (size, id) = (usize::from(input.byte()), input.number());
                    judge(mk_message_id_print(number, size, (&raw mut words[31]).cast(), id, e));
                }
                34 => {
                    let (text, length) = self.text(input);
                    judge(mk_message_id_read(number, text, length, e));
                    mk_library_has(text, length);
                }
                35 => {
                    let (h, info) = (self.handle(input, Page), self.kept(input, 56, 0, &[]));
                    judge(mk_page_get_info(info, h, e));
                }
                36 => {
                    let (h, row, message) = (self.handle(input, Page), input.number() as usize, self.kept(input, 168, 0, &[]));
                    judge(mk_page_message(message, h, row, e));
                }
                37 => {
                    let (h, row, folder) = (self.handle(input, Page), input.number() as usize, self.kept(input, 72, 0, &[]));
                    judge(mk_page_folder(folder, h, row, e));
                }
                38 => {
                    let h = self.handle(input, Page);
                    self.give(input, Buffer, |to| mk_page_json(to, h, e));
                }
                39 => judge(mk_page_free(self.handle(input, Page))),
                40 => {
                    let (h, (json, length), progress) = (self.handle(input, Session), self.text(input), self.progress(input));
                    self.give(input, Search, |to| mk_search_begin(to, h, json, length, progress, e));
                }
                41 | 42 => {
                    let (h, most) = (self.handle(input, Search), input.number() as usize);
                    self.give(input, Page, |to| mk_search_next(to, h, most, e));
                }
                43 => judge(mk_search_free(self.handle(input, Search))),
                44 | 45 => {
                    let (h, (user, length)) = (self.handle(input, Archive), self.text(input));
                    let (user, length) = if input.byte() < 200 { (std::ptr::null(), 0) } else { (user, length) };
                    self.give(input, Session, |to| mk_session_begin(to, h, user, length, e));
                }
                46 => judge(mk_session_free(self.handle(input, Session))),
                47 => judge(mk_stream_free(self.handle(input, Stream))),
                48 => {
                    let (h, id, part) = (self.handle(input, Session), input.id(), input.number() as u32);
                    let part = if input.byte() < 128 { u32::MAX } else { part };
                    self.give(input, Stream, |to| mk_stream_open(to, h, id, part, e));
                }
                49 => {
                    let (h, mut buffer) = (self.handle(input, Stream), vec![0u8; usize::from(input.byte())]);
                    judge(mk_stream_read(number, h, buffer.as_mut_ptr().cast_const().cast(), buffer.len(), e));
                }
                other => self.session_step(input, other, e, number),
            }
        }
    }

    /// # Safety
    ///
    /// `number` is NULL or a place for some numbers.
    unsafe fn session_step(&mut self, input: &mut Input<'_>, which: u8, e: Ptr, number: Ptr) {
        let h = self.handle(input, Session);
        let id = input.id();
        // SAFETY: as in `step`.
        unsafe {
            match which {
                50 | 51 => {
                    let (source, options) = (self.source(input), self.import_options(input));
                    self.give(input, Buffer, |to| mk_session_import(to, h, source, options, e));
                }
                52 => {
                    let (source, options) = (self.source(input), self.import_options(input));
                    self.give(input, Buffer, |to| mk_session_check(to, h, source, options, e));
                }
                53 => {
                    let (source, options) = (self.source(input), self.import_options(input));
                    self.give(input, Buffer, |to| mk_session_import_plan(to, h, source, options, e));
                }
                54 => {
                    let (source, options) = (self.source(input), self.import_options(input));
                    self.give(input, Buffer, |to| mk_session_import_target(to, h, source, options, e));
                }
                55 | 56 => {
                    let ((mail, length), (into, into_length)) = (self.text(input), self.text(input));
                    let receipt = self.kept(input, 72, 0, &[]);
                    judge(mk_session_import_one(receipt, h, mail, length, into, into_length, e));
                }
                57 => self.give(input, Buffer, |to| mk_session_lost_files(to, h, e)),
                58 => {
                    let back = self.back(input);
                    self.give(input, Buffer, |to| mk_session_lost_mails(to, h, on_mail as *const () as Ptr, back, e));
                }
                59 => {
                    let events = self.events(input);
                    self.give(input, Buffer, |to| mk_session_import_lost(to, h, events, e));
                }
                60 => {
                    let ((cursor, length), most) = (self.text(input), input.number() as usize);
                    self.give(input, Page, |to| mk_session_folders(to, h, cursor, length, most, e));
                }
                61 => {
                    let (path, length) = self.text(input);
                    self.give(input, Page, |to| mk_session_folders_in(to, h, path, length, e));
                }
                62 | 63 => {
                    let ((path, length), (cursor, cursor_length), most) = (self.text(input), self.text(input), input.number() as usize);
                    let (cursor, cursor_length) = if input.byte() < 200 { (std::ptr::null(), 0) } else { (cursor, cursor_length) };
                    self.give(input, Page, |to| mk_session_messages(to, h, path, length, cursor, cursor_length, most, e));
                }
                64 => self.give(input, Page, |to| mk_session_message(to, h, id, e)),
                65 => {
                    let progress = self.progress(input);
                    self.give(input, Page, |to| mk_session_thread(to, h, id, progress, e));
                }
                66 => self.give(input, Buffer, |to| mk_session_raw(to, h, id, e)),
                67 => self.give(input, Buffer, |to| mk_session_parts(to, h, id, e)),
                68 => self.give(input, Buffer, |to| mk_session_record(to, h, id, e)),
                69 => judge(mk_session_read(h, id, on_bytes as *const () as Ptr, self.back(input), e)),
                70 => judge(mk_session_read_header(h, id, on_bytes as *const () as Ptr, self.back(input), e)),
                71 => {
                    let (from, to) = (input.number(), input.number());
                    judge(mk_session_read_range(h, id, from, to, on_bytes as *const () as Ptr, self.back(input), e));
                }
                72 => {
                    let (part, from) = (input.number() as u32, input.number());
                    judge(mk_session_read_part(h, id, part, from, on_bytes as *const () as Ptr, self.back(input), e));
                }
                73 => {
                    let parts: Vec<u32> = (0..input.byte() % 9).map(|_| input.number() as u32).collect();
                    let back = self.back(input);
                    judge(mk_session_read_parts(h, id, parts.as_ptr().cast(), parts.len(), on_part as *const () as Ptr, back, e));
                }
                74 | 75 => {
                    let ((json, length), progress) = (self.text(input), self.progress(input));
                    self.give(input, Page, |to| mk_session_search(to, h, json, length, progress, e));
                }
                76 => {
                    let ((json, length), progress) = (self.text(input), self.progress(input));
                    self.give(input, Buffer, |to| mk_session_explain(to, h, json, length, progress, e));
                }
                77 => {
                    let ((json, length), progress) = (self.text(input), self.progress(input));
                    self.give(input, Buffer, |to| mk_session_why(to, h, id, json, length, progress, e));
                }
                78 => {
                    let ((json, length), most, progress) = (self.text(input), input.number() as usize, self.progress(input));
                    self.give(input, Buffer, |to| mk_session_undecided(to, h, json, length, most, progress, e));
                }
                79 => {
                    let ((folder, length), options) = (self.path(input), self.export_options(input));
                    self.give(input, Buffer, |to| mk_session_export(to, h, folder, length, options, e));
                }
                80 => {
                    let (back, options) = (self.back(input), self.export_options(input));
                    self.give(input, Buffer, |to| mk_session_export_mbox(to, h, on_bytes as *const () as Ptr, back, options, e));
                }
                81 => {
                    let progress = self.progress(input);
                    self.give(input, Buffer, |to| mk_session_stats(to, h, progress, e));
                    self.give(input, Buffer, |to| mk_session_types_not_read(to, h, progress, e));
                }
                82 => {
                    let ((cursor, length), most) = (self.text(input), input.number() as usize);
                    self.give(input, Buffer, |to| mk_session_not_searchable(to, h, cursor, length, most, e));
                }
                83 => {
                    let (depth, part, parts, progress) =
                        (input.flags(3), input.number() as u32, input.number() as u32, self.progress(input));
                    let depth = depth as u32 | u32::from(input.byte() > 200) << 8;
                    self.give(input, Buffer, |to| mk_session_verify(to, h, depth, part, parts, progress, e));
                }
                84 => {
                    let flags = input.flags(3) as u32;
                    self.give(input, Buffer, |to| mk_session_repair(to, h, flags, e));
                }
                85 => {
                    let store = input.number() as u32;
                    self.give(input, Buffer, |to| mk_session_store_indexes(to, h, store, e));
                    let progress = self.progress(input);
                    judge(mk_session_rebuild_store_index(h, store, progress, e));
                }
                90 => {
                    let ids: Vec<u64> = (0..input.byte() % 9).map(|_| input.number()).chain([id]).collect();
                    let ((reason, length), flags) = (self.text(input), input.flags(2) as u32);
                    self.give(input, Buffer, |to| mk_session_delete(to, h, ids.as_ptr().cast(), ids.len(), reason, length, flags, e));
                }
                91 => {
                    let (reason, length) = self.text(input);
                    self.give(input, Buffer, |to| mk_session_undelete(to, h, (&raw const id).cast(), 1, reason, length, e));
                    let ((cursor, length), most) = (self.text(input), input.number() as usize);
                    self.give(input, Buffer, |to| mk_session_deleted(to, h, cursor, length, most, e));
                }
                92 => {
                    let (flags, progress) = (input.flags(1) as u32, self.progress(input));
                    self.give(input, Buffer, |to| mk_session_compact(to, h, flags, progress, e));
                    let store = input.number() as u32;
                    self.give(input, Buffer, |to| mk_session_compact_store(to, h, store, flags, progress, e));
                }
                96..=99 => self.store_step(input, which, h, e, number),
                86 => {
                    judge(mk_session_select_all_store_indexes(h, e));
                    let progress = self.progress(input);
                    judge(mk_session_rebuild_selected_store_indexes(number, h, progress, e));
                }
                87 => {
                    let ((path, length), flags) = (self.text(input), input.flags(1) as u32);
                    self.give(input, Buffer, |to| mk_session_make_folder(to, h, path, length, flags, e));
                    self.give(input, Buffer, |to| mk_session_prune_folders(to, h, path, length, flags, e));
                }
                88 | 89 => {
                    let ((from, from_length), (to, to_length), flags) = (self.text(input), self.text(input), input.flags(1) as u32);
                    self.give(input, Buffer, |out| mk_session_rename_folder(out, h, from, from_length, to, to_length, flags, e));
                    self.give(input, Buffer, |out| mk_session_move_folder(out, h, from, from_length, to, to_length, flags, e));
                    self.give(input, Buffer, |out| mk_session_remove_folder(out, h, from, from_length, flags, e));
                }
                _ => {
                    let (json, length) = self.text(input);
                    judge(mk_session_set_index_configuration(h, json, length, e));
                    self.give(input, Buffer, |to| mk_session_index_configuration(to, h, e));
                }
            }
        }
    }

    /// # Safety
    ///
    /// `number` is NULL or a place for some numbers.
    unsafe fn store_step(&mut self, input: &mut Input<'_>, which: u8, h: Ptr, e: Ptr, number: Ptr) {
        let (store, state, progress) = (input.number() as u32, input.number() as u32 % 6, self.progress(input));
        let (name, length) = self.text(input);
        // SAFETY: as in `step`.
        unsafe {
            match which {
                96 => {
                    let dirs = self.store_dirs(input);
                    judge(mk_session_create_store(number, h, name, length, state, dirs, e));
                    judge(mk_session_attach_store(number, h, name, length, state, dirs, e));
                }
                97 => {
                    judge(mk_session_set_store_state(h, store, state, progress, e));
                    judge(mk_session_rename_store(h, store, name, length, e));
                    if input.byte() > 200 {
                        judge(mk_session_detach_store(h, store, progress, e));
                    }
                }
                98 => {
                    let dirs = self.store_dirs(input);
                    let status = mk_session_set_store_dirs(h, store, dirs, e);
                    // Its files were not moved.
                    self.world.has_lost |= status == OK;
                    judge(status);
                }
                _ => {
                    let flags = input.flags(1) as u32;
                    self.give(input, Buffer, |to| mk_session_stores(to, h, flags, e));
                    self.give(input, Buffer, |to| mk_session_retry_open_stores(to, h, progress, e));
                    self.give(input, Buffer, |to| mk_session_store_rule(to, h, e));
                    judge(mk_session_set_store_rule(h, name, length, e));
                }
            }
        }
    }

    /// Folders of a store: of those that may be created, none is removed before the archive is.
    fn store_dirs(&mut self, input: &mut Input<'_>) -> Ptr {
        if input.byte() < 100 {
            return std::ptr::null();
        }
        let mut words = Vec::new();
        for at in 0..3 {
            let name = ["archive", "some.mbox", "archive/stores/2", "store", "store content", "store index"][usize::from(input.byte()) % 6];
            let is_named = at == 0 || input.byte() > 200;
            self.texts.push(self.world.dir.join(name).into_os_string().into_encoded_bytes());
            let kept = self.texts.last().expect("it was pushed");
            words.extend(if is_named { [kept.as_ptr() as u64, kept.len() as u64] } else { [0, 0] });
        }
        self.kept(input, 56, 0, &words)
    }

    /// Frees everything; a second time it is freed already.
    fn end(self) {
        let (world, null) = (self.world, std::ptr::null());
        for again in [false, true] {
            for (kind, handle) in self.given.iter().rev() {
                let handle = handle.cast_const();
                // SAFETY: handles, freed or not.
                let status = unsafe {
                    match kind {
                        Archive => mk_archive_close(handle, null, null),
                        Error => mk_error_free(handle),
                        Cancel => mk_cancel_free(handle),
                        Buffer => mk_buffer_free(handle),
                        New => mk_new_archive_free(handle),
                        Session => mk_session_free(handle),
                        Page => mk_page_free(handle),
                        Search => mk_search_free(handle),
                        Stream => mk_stream_free(handle),
                        Frozen => mk_frozen_free(handle),
                    }
                };
                assert!(status == BAD_HANDLE || !again && status >= OK || *kind == Archive, "{}", name(status));
            }
        }
        let mut left = u64::MAX;
        // SAFETY: a place for a number.
        assert_eq!(unsafe { mk_library_handles((&raw mut left).cast(), null) }, OK);
        assert_eq!(left, 0, "handles are left");
        let _absent = std::fs::remove_dir_all(world.dir.join("new"));
        let _absent = std::fs::remove_dir_all(world.dir.join("exported"));
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let world = world.get_or_insert_with(World::new);
    world.runs += 1;
    if world.archive.is_null() {
        if world.has_lost { world.create() } else { world.open() }
    }
    if world.runs.is_multiple_of(200) {
        world.check();
    }
    let (mut session, mut error) = (std::ptr::null_mut::<c_void>(), std::ptr::null_mut::<c_void>());
    // SAFETY: places for handles.
    unsafe {
        assert_eq!(mk_error_new((&raw mut error).cast()), OK);
        assert_eq!(mk_session_begin((&raw mut session).cast(), world.archive, std::ptr::null(), 0, error), OK);
    }
    let given = vec![(Error, error), (Archive, world.archive), (Session, session)];
    let mut run = Run { world, given, error, structs: Vec::new(), texts: Vec::new(), backs: Vec::new() };
    let mut input = Input(bytes);
    while !input.0.is_empty() && run.given.len() < MOST_HANDLES {
        run.step(&mut input);
    }
    run.world.archive = std::ptr::null_mut();
    run.end();
});
