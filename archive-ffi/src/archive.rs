//! Archives: created in two steps, opened, described, closed.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use archive_core::{Archive, ArchiveKeys, CreateOptions, NewArchive, OpenOptions};
use serde_json::json;

use crate::argument::{Payload, Sized32, mk_text, optional_text, options, out, path, text};
use crate::buffer::{Buffer, mk_buffer};
use crate::error::{Fault, call, is_in_callback, mk_error};
use crate::handle::{self, Kind, Object, number};
use crate::keys::{key, mk_key};
use crate::progress::{mk_progress, progress};
use crate::status::{MK_BAD_ARGUMENT, MK_MISUSE, MK_OK, mk_status};

/// An open archive. Opaque.
pub struct mk_archive(());

/// An archive that is about to be created. Opaque.
pub struct mk_new_archive(());

pub(crate) struct ArchiveObject {
    pub(crate) archive: Archive,
}

impl Object for ArchiveObject {
    type Handle = mk_archive;
    const KIND: Kind = Kind::Archive;
}

/// `None` once it was committed.
struct NewObject {
    new: Mutex<Option<NewArchive>>,
    /// The commit of one whose keys nobody has would spend it.
    are_keys_known: AtomicBool,
    /// What its open is logged with.
    log: Log,
}

impl Object for NewObject {
    type Handle = mk_new_archive;
    const KIND: Kind = Kind::NewArchive;
}

/// Mail is not indexed.
pub const MK_OPEN_WITHOUT_INDEX: u32 = 1;
/// Closed files are read through memory maps. If the medium fails, the system then ends the process.
pub const MK_OPEN_MAPPED: u32 = 2;
/// The archive is only read: beside a process that writes it, and on read-only media. No byte of it is changed; calls that
/// would change it give `MK_READ_ONLY`.
pub const MK_OPEN_READ_ONLY: u32 = 4;

/// Something that people should know.
pub const MK_LOG_NOTICE: u32 = 1;
/// Something is wrong.
pub const MK_LOG_WARNING: u32 = 2;

/// Receives what an open found and did: notices, damage, recovery after a crash. Called before the open returns.
pub type mk_log_fn = Option<unsafe extern "C" fn(payload: *mut c_void, level: u32, message: *const mk_text)>;

/// The caller's function, and its first argument.
#[derive(Clone, Copy)]
struct Log(mk_log_fn, Payload);

impl mk_open_options {
    fn logged(&self) -> Log {
        Log(self.log, Payload(self.log_payload))
    }
}

/// How an archive is opened. NULL is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_open_options {
    /// `sizeof(mk_open_options)`.
    pub size: u32,
    /// `MK_OPEN_…`, added up.
    pub flags: u32,
    /// About how many bytes of memory the archive may take; 0 is the default, 144 MiB.
    pub memory: u64,
    /// Containers are closed when they are larger than this many bytes; 0 is the default, 256 MiB.
    pub container_limit: u64,
    /// Receives what the open found and did; may be NULL.
    pub log: mk_log_fn,
    /// The first argument of `log`.
    pub log_payload: *mut c_void,
    /// Follows the open, which may have to read records and to index mails; may be NULL.
    pub progress: *const mk_progress,
}

impl Default for mk_open_options {
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            flags: 0,
            memory: 0,
            container_limit: 0,
            log: None,
            log_payload: std::ptr::null_mut(),
            progress: std::ptr::null(),
        }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_open_options {
    const FIRST_SIZE: usize = 48;
}

/// # Safety
///
/// As for [`options`]; its pointers are good until the call returns.
unsafe fn open_options(given: mk_open_options) -> Result<OpenOptions, Fault> {
    if given.flags & !(MK_OPEN_WITHOUT_INDEX | MK_OPEN_MAPPED | MK_OPEN_READ_ONLY) != 0 {
        return Err(Fault::new(MK_BAD_ARGUMENT, format!("{:#x} has flags that no version knows; see MK_OPEN_…", given.flags)));
    }
    // SAFETY: the caller's contract.
    let mut open = OpenOptions::default().progress(&unsafe { progress(given.progress) }?);
    open = open.index(given.flags & MK_OPEN_WITHOUT_INDEX == 0).mapped_reads(given.flags & MK_OPEN_MAPPED != 0);
    open = open.read_only(given.flags & MK_OPEN_READ_ONLY != 0);
    if given.memory != 0 {
        open = open.memory(given.memory);
    }
    if given.container_limit != 0 {
        open = open.container_limit(given.container_limit);
    }
    Ok(open)
}

/// Passes what the open found to the log, and makes a handle.
///
/// # Safety
///
/// `log` can be called.
unsafe fn give(place: *mut *mut mk_archive, archive: Archive, Log(log, payload): Log) -> Result<mk_status, Fault> {
    if let Some(log) = log {
        let say = |level, message: &str| {
            let text = mk_text::borrowed(message);
            // SAFETY: the caller's function, with a pointer that is good during the callback.
            unsafe { log(payload.get(), level, &raw const text) };
        };
        if let Some(barred) = archive.barred() {
            say(MK_LOG_WARNING, &barred.to_string());
        } else if let Some(damage) = archive.damage() {
            say(MK_LOG_WARNING, &damage.to_string());
        }
        for notice in archive.notices() {
            say(MK_LOG_WARNING, &notice.to_string());
        }
        if let Some(recovery) = archive.recovered() {
            say(MK_LOG_NOTICE, &format!("recovered from a crash: {} bytes without a receipt were set aside", recovery.bytes_put_aside));
        }
    }
    // SAFETY: the caller's contract.
    let place = unsafe { out(place) }?;
    place.write(handle::put(Arc::new(ArchiveObject { archive }), None)?);
    Ok(MK_OK)
}

/// Opens the archive in a folder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_open(
    archive: *mut *mut mk_archive,
    folder: *const c_char,
    folder_length: usize,
    given: *const mk_key,
    given_options: *const mk_open_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a pointer, bytes of this length, and structs with their sizes.
        unsafe {
            out(archive)?;
            let dir = path(folder, folder_length)?;
            let key = key(given, || Archive::opens_with(dir))?;
            let given = options(given_options)?;
            let opened = Archive::open(dir, &key, open_options(given)?)?;
            give(archive, opened, given.logged())
        }
    })
}

/// Without a key file: the archive opens with the recovery key, and with a passphrase if one is given.
pub const MK_CREATE_WITHOUT_KEY_FILE: u32 = 1;

/// How an archive is created.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_create_options {
    /// `sizeof(mk_create_options)`.
    pub size: u32,
    /// `MK_CREATE_…`, added up.
    pub flags: u32,
    /// A passphrase that also opens it; may be NULL.
    pub passphrase: *const c_char,
    /// The length of the passphrase.
    pub passphrase_length: usize,
    /// How it is opened after its creation; may be NULL. It must live until `mk_new_archive_commit` returns.
    pub open: *const mk_open_options,
}

impl Default for mk_create_options {
    fn default() -> Self {
        let (passphrase, open) = (std::ptr::null(), std::ptr::null());
        Self { size: size_of::<Self>() as u32, flags: 0, passphrase, passphrase_length: 0, open }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_create_options {
    const FIRST_SIZE: usize = 32;
}

/// Begins an archive in a folder, whose first user archive is called `owner`. Nothing is on disk before
/// `mk_new_archive_commit`: keep its keys first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_begin(
    new_archive: *mut *mut mk_new_archive,
    folder: *const c_char,
    folder_length: usize,
    owner: *const c_char,
    owner_length: usize,
    given: *const mk_create_options,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a pointer, bytes of these lengths, and structs with their sizes.
        let (place, dir, create, log) = unsafe {
            let place = out(new_archive)?;
            let given = options(given)?;
            if given.flags & !MK_CREATE_WITHOUT_KEY_FILE != 0 {
                return Err(Fault::new(MK_BAD_ARGUMENT, format!("{:#x} has flags that no version knows; see MK_CREATE_…", given.flags)));
            }
            let open = options(given.open)?;
            let mut create = CreateOptions::new(text(owner, owner_length)?).open_options(open_options(open)?);
            create = create.key_file(given.flags & MK_CREATE_WITHOUT_KEY_FILE == 0);
            if let Some(passphrase) = optional_text(given.passphrase, given.passphrase_length)? {
                create = create.passphrase(passphrase);
            }
            (place, path(folder, folder_length)?, create, open.logged())
        };
        let new = Archive::create(dir, create)?;
        let object = NewObject { new: Mutex::new(Some(new)), are_keys_known: AtomicBool::new(false), log };
        place.write(handle::put(Arc::new(object), None)?);
        Ok(MK_OK)
    })
}

/// Something of an archive that is about to be created.
///
/// # Safety
///
/// As for [`out`].
unsafe fn of_new(
    place: *mut *mut mk_buffer,
    new_archive: *const mk_new_archive,
    error: *mut mk_error,
    of: impl Fn(&NewArchive) -> Buffer,
) -> mk_status {
    call(error, || {
        let object = handle::get::<NewObject>(new_archive)?;
        let new = object.new.lock().unwrap_or_else(PoisonError::into_inner);
        let made = of(new.as_ref().ok_or_else(spent)?);
        // SAFETY: the caller's contract.
        unsafe { made.give(place) }
    })
}

fn spent() -> Fault {
    Fault::new(MK_MISUSE, "this mk_new_archive was used up by mk_new_archive_commit; free it, and begin another")
}

/// A key of an archive that is about to be created, which is known from now on.
///
/// # Safety
///
/// As for [`out`].
unsafe fn key_of_new(
    place: *mut *mut mk_buffer,
    new_archive: *const mk_new_archive,
    error: *mut mk_error,
    of: impl Fn(&ArchiveKeys) -> Buffer,
) -> mk_status {
    // SAFETY: the caller's contract.
    let status = unsafe { of_new(place, new_archive, error, |new| of(new.keys())) };
    if status == MK_OK
        && let Ok(object) = handle::get::<NewObject>(new_archive)
    {
        object.are_keys_known.store(true, Ordering::Relaxed);
    }
    status
}

/// The recovery key, for its owner to write down: it cannot be shown again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_recovery_key(
    key: *mut *mut mk_buffer,
    new_archive: *const mk_new_archive,
    error: *mut mk_error,
) -> mk_status {
    // SAFETY: the same contract.
    unsafe { key_of_new(key, new_archive, error, |keys| Buffer::secret(keys.recovery.clone())) }
}

/// The text for a key file outside the archive; empty if none was wanted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_key_file(
    key: *mut *mut mk_buffer,
    new_archive: *const mk_new_archive,
    error: *mut mk_error,
) -> mk_status {
    // SAFETY: the same contract.
    unsafe { key_of_new(key, new_archive, error, |keys| keys.key_file.clone().map_or_else(|| Buffer::new(Vec::new()), Buffer::secret)) }
}

/// The id that the archive will have: 32 hex digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_id(id: *mut *mut mk_buffer, new_archive: *const mk_new_archive, error: *mut mk_error) -> mk_status {
    // SAFETY: the same contract.
    unsafe { of_new(id, new_archive, error, |new| Buffer::new(new.id().to_string().into_bytes())) }
}

/// Creates the archive and opens it. `MK_MISUSE` if none of its keys was asked for: ask, and commit again. Otherwise `new_archive`
/// is spent, whatever this returns: each further call with it is `MK_MISUSE`, but for `mk_new_archive_free`, which is still needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_commit(
    archive: *mut *mut mk_archive,
    new_archive: *const mk_new_archive,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a pointer; looked at before anything is created.
        unsafe { out(archive) }?;
        let object = handle::get::<NewObject>(new_archive)?;
        let mut new = object.new.lock().unwrap_or_else(PoisonError::into_inner);
        if new.is_some() && !object.are_keys_known.load(Ordering::Relaxed) {
            return Err(Fault::new(MK_MISUSE, "the keys of the new archive were not asked for; keep them, then commit"));
        }
        let taken = new.take();
        drop(new);
        let made = taken.ok_or_else(spent)?.commit()?;
        // SAFETY: the same.
        unsafe { give(archive, made, object.log) }
    })
}

/// Frees it. If it was not committed, nothing is created.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_new_archive_free(new_archive: *mut mk_new_archive) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<NewObject>(new_archive)?);
        Ok(MK_OK)
    })
}

/// The id of the archive in a folder, without a key: 32 hex digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_id_of(
    id: *mut *mut mk_buffer,
    folder: *const c_char,
    folder_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes bytes of this length, and a place for a pointer.
        unsafe { Buffer::new(Archive::id_of(path(folder, folder_length)?)?.to_string().into_bytes()).give(id) }
    })
}

/// What opens the archive in a folder, for people who look for the right key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_opens_with(
    text: *mut *mut mk_buffer,
    folder: *const c_char,
    folder_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes bytes of this length, and a place for a pointer.
        unsafe { Buffer::new(Archive::opens_with(path(folder, folder_length)?)?.into_bytes()).give(text) }
    })
}

/// Whether a path, which need not exist, is or leads into a folder with an archive, also by links: 1 or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_lies_in(
    is_inside: *mut i32,
    folder: *const c_char,
    folder_length: usize,
    other: *const c_char,
    other_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a number, and bytes of these lengths.
        let (place, dir, path) = unsafe { (out(is_inside)?, path(folder, folder_length)?, path(other, other_length)?) };
        place.write(i32::from(Archive::lies_in(dir, path)));
        Ok(MK_OK)
    })
}

/// An archive as JSON: `id`, `folder`, `owner`, what its open found (`damage`, `barred`, `notices`, `recovered`), whether it
/// is only read (`read_only`), and whether catalog or index then lack more than is applied in memory (`lags`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_info(info: *mut *mut mk_buffer, archive: *const mk_archive, error: *mut mk_error) -> mk_status {
    call(error, || {
        let object = handle::get::<ArchiveObject>(archive)?;
        let archive = &object.archive;
        let form = json!({
            "id": archive.id(),
            "folder": archive.dir().display().to_string(),
            "owner": archive.owner(),
            "damage": archive.damage(),
            "barred": archive.barred(),
            "notices": archive.notices(),
            "recovered": archive.recovered(),
            "read_only": archive.is_read_only(),
            "lags": archive.lags()?,
        });
        // SAFETY: C passes NULL or a place for a pointer.
        unsafe { Buffer::json(&form)?.give(info) }
    })
}

/// Notes on disk that everything up to the last commit is synced. An archive does this by itself within a second.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_mark(archive: *const mk_archive, error: *mut mk_error) -> mk_status {
    call(error, || {
        handle::get::<ArchiveObject>(archive)?.archive.mark()?;
        Ok(MK_OK)
    })
}

/// Shows what was committed since an archive was opened with `MK_OPEN_READ_ONLY`, or refreshed last. Calls under way and
/// streams that were begun go on with what they saw; lists and searches go on in the new state. Does nothing to an archive
/// that is open for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_refresh(archive: *const mk_archive, error: *mut mk_error) -> mk_status {
    call(error, || {
        handle::get::<ArchiveObject>(archive)?.archive.refresh()?;
        Ok(MK_OK)
    })
}

/// Closes an archive and frees its handle, and those of its sessions, searches and streams. A frozen one is thawed. It waits for
/// calls under way; cancel them first if they are long. Threads have ended and locks are free when it returns, whatever it returns.
/// `MK_MISUSE` in a callback: then nothing is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_archive_close(archive: *mut mk_archive, given: *const mk_progress, error: *mut mk_error) -> mk_status {
    call(error, || {
        if archive.is_null() {
            return Ok(MK_OK);
        }
        // SAFETY: C passes NULL, or a struct with its size.
        let progress = unsafe { progress(given) }?;
        if is_in_callback() {
            return Err(Fault::new(MK_MISUSE, "an archive cannot be closed by a callback; close it after the call"));
        }
        let Some(object) = handle::take::<ArchiveObject>(archive)? else { return Ok(MK_OK) };
        // From here on nothing new can belong to it. Streams are calls under way, which end when nobody reads from them.
        let children = handle::take_children(number(archive));
        crate::stream::end_all(&children);
        drop(children);
        object.archive.close_with(&progress)?;
        Ok(MK_OK)
    })
}
