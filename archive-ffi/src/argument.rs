//! What C passes: strings, paths, structs with their size, places for results. Everything that can be checked is.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::path::Path;

use archive_core::{Error, FolderPath, MessageId, MessageNo, StoreNo};

use crate::error::Fault;
use crate::status::{MK_BAD_ARGUMENT, MK_BAD_SIZE, MK_INVALID_UTF8};

/// Text in UTF-8, not ended by a zero byte. Its bytes belong to the object that gave it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_text {
    /// Its first byte; NULL where there is no text.
    pub data: *const c_char,
    /// Its length in bytes.
    pub length: usize,
}

impl Default for mk_text {
    fn default() -> Self {
        Self { data: std::ptr::null(), length: 0 }
    }
}

impl mk_text {
    /// Points to text that an object of the caller keeps alive.
    pub(crate) fn borrowed(text: &str) -> Self {
        Self { data: text.as_ptr().cast(), length: text.len() }
    }
}

/// A message's permanent id: the number of its store in the upper 32 bits, its number there in the lower ones.
pub type mk_message_id = u64;

pub(crate) fn id_of(id: mk_message_id) -> MessageId {
    MessageId { store: StoreNo((id >> 32) as u32), no: MessageNo(id as u32) }
}

pub(crate) fn number_of(id: MessageId) -> mk_message_id {
    u64::from(id.store.0) << 32 | u64::from(id.no.0)
}

/// A struct that begins with its size in bytes, as a 32-bit number.
///
/// # Safety
///
/// The type is `repr(C)`, begins with a `u32`, and any bytes are a value of it.
pub(crate) unsafe trait Sized32: Copy + Default {
    /// Its size in version 1: no caller has a smaller one.
    const FIRST_SIZE: usize;
}

/// Any number of bytes.
///
/// # Safety
///
/// `data` is NULL, or `length` bytes can be read there, until the call that this is an argument of returns.
pub(crate) unsafe fn bytes<'a>(data: *const c_void, length: usize) -> Result<&'a [u8], Fault> {
    match (data.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fault::new(MK_BAD_ARGUMENT, "the bytes are NULL, and their length is not 0")),
        (false, length) if isize::try_from(length).is_err() => {
            Err(Fault::new(MK_BAD_ARGUMENT, format!("a length of {length} bytes is more than memory can have")))
        }
        // SAFETY: the caller's contract, and the length is possible.
        (false, length) => Ok(unsafe { std::slice::from_raw_parts(data.cast(), length) }),
    }
}

/// Text in UTF-8.
///
/// # Safety
///
/// As for [`bytes`].
pub(crate) unsafe fn text<'a>(data: *const c_char, length: usize) -> Result<&'a str, Fault> {
    // SAFETY: the caller's contract.
    let bytes = unsafe { bytes(data.cast(), length) }?;
    std::str::from_utf8(bytes)
        .map_err(|error| Fault::new(MK_INVALID_UTF8, format!("the text is not UTF-8 at byte {}", error.valid_up_to())))
}

/// Text, or `None` for NULL.
///
/// # Safety
///
/// As for [`bytes`].
pub(crate) unsafe fn optional_text<'a>(data: *const c_char, length: usize) -> Result<Option<&'a str>, Fault> {
    if data.is_null() && length == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's contract.
    unsafe { text(data, length) }.map(Some)
}

/// A path.
///
/// # Safety
///
/// As for [`bytes`].
pub(crate) unsafe fn path<'a>(data: *const c_char, length: usize) -> Result<&'a Path, Fault> {
    // SAFETY: the caller's contract.
    let bytes = unsafe { bytes(data.cast(), length) }?;
    match bytes.is_empty() || bytes.contains(&0) {
        true => Err(Fault::new(MK_BAD_ARGUMENT, "the path is empty, or has a zero byte")),
        false => path_of(bytes),
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Result<&Path, Fault> {
    Ok(Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<&Path, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(MK_INVALID_UTF8, "the path is not UTF-8"))?;
    Ok(Path::new(text))
}

/// The path of a folder in the archive.
///
/// # Safety
///
/// As for [`bytes`].
pub(crate) unsafe fn folder(data: *const c_char, length: usize) -> Result<FolderPath, Fault> {
    // SAFETY: the caller's contract.
    read_folder(unsafe { text(data, length) }?)
}

/// The path of a folder, or `None` for NULL.
///
/// # Safety
///
/// As for [`bytes`].
pub(crate) unsafe fn optional_folder(data: *const c_char, length: usize) -> Result<Option<FolderPath>, Fault> {
    // SAFETY: the caller's contract.
    unsafe { optional_text(data, length) }?.map(read_folder).transpose()
}

fn read_folder(text: &str) -> Result<FolderPath, Fault> {
    text.parse().map_err(|error: archive_core::NotAFolderPath| {
        Error::Misuse { what: error.to_string(), expected: "folders look like anna/inbox".to_owned() }.into()
    })
}

/// A place for a result.
///
/// # Safety
///
/// `place` is NULL, or can be written until the call returns, and nobody else uses it.
pub(crate) unsafe fn out<'a, T>(place: *mut T) -> Result<&'a mut MaybeUninit<T>, Fault> {
    if place.is_null() || !place.is_aligned() {
        return Err(Fault::new(MK_BAD_ARGUMENT, "the place for a result is NULL or not aligned"));
    }
    // SAFETY: the caller's contract; it need not be initialized.
    Ok(unsafe { &mut *place.cast::<MaybeUninit<T>>() })
}

/// A struct that the caller may have from another version: what it lacks is at its default, and what this version does
/// not know must not be set. NULL is the default.
///
/// # Safety
///
/// `given` is NULL, or a struct of this kind of the size that it begins with.
pub(crate) unsafe fn options<T: Sized32>(given: *const T) -> Result<T, Fault> {
    let mut read = T::default();
    if given.is_null() {
        return Ok(read);
    }
    // SAFETY: the caller's contract.
    let size = unsafe { size_of_given(given) }?;
    let known = size.min(size_of::<T>());
    // SAFETY: both have this many bytes, do not overlap, and any bytes are a value of the type.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), (&raw mut read).cast::<u8>(), known) };
    // SAFETY: the struct of the caller has `size` bytes.
    let rest = unsafe { std::slice::from_raw_parts(given.cast::<u8>().add(known), size - known) };
    match rest.iter().all(|byte| *byte == 0) {
        true => Ok(read),
        false => Err(Fault::new(MK_BAD_SIZE, "a field of a later version is set, which this version does not know")),
    }
}

/// A field that later versions may use.
pub(crate) fn reserved(field: u32) -> Result<(), Fault> {
    if field == 0 { Ok(()) } else { Err(Fault::new(MK_BAD_ARGUMENT, "a reserved field is not 0")) }
}

/// Whether a result can be written into a struct of the caller.
///
/// # Safety
///
/// As for [`write_sized`].
pub(crate) unsafe fn check_sized<T: Sized32>(place: *const T) -> Result<(), Fault> {
    if place.is_null() {
        return Err(Fault::new(MK_BAD_ARGUMENT, "the place for a result is NULL"));
    }
    // SAFETY: the caller's contract.
    unsafe { size_of_given(place) }.map(|_| ())
}

/// Writes a result into a struct of the caller, as much as it has room for.
///
/// # Safety
///
/// `place` is NULL, or a struct of this kind that can be written, of the size that it begins with.
pub(crate) unsafe fn write_sized<T: Sized32>(place: *mut T, value: &T) -> Result<(), Fault> {
    // SAFETY: the caller's contract.
    unsafe { check_sized(place) }?;
    // SAFETY: the same.
    let size = unsafe { size_of_given(place) }?;
    let (head, known) = (size_of::<u32>(), size.min(size_of::<T>()));
    // SAFETY: both have `known` bytes, and do not overlap; the size stays as the caller set it.
    unsafe { std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>().add(head), place.cast::<u8>().add(head), known - head) };
    Ok(())
}

/// The most bytes that a struct of a later version may have.
const MOST_SIZE: usize = 4096;

/// # Safety
///
/// A `u32` can be read at `given`.
unsafe fn size_of_given<T: Sized32>(given: *const T) -> Result<usize, Fault> {
    if !given.is_aligned() {
        return Err(Fault::new(MK_BAD_ARGUMENT, "a struct is not aligned"));
    }
    // SAFETY: the caller's contract.
    let size = unsafe { given.cast::<u32>().read() } as usize;
    match (T::FIRST_SIZE..=MOST_SIZE).contains(&size) {
        true => Ok(size),
        false => Err(Fault::new(MK_BAD_SIZE, format!("a struct says that it has {size} bytes; set its size with MK_INIT"))),
    }
}

/// A pointer of the caller that only its callbacks use.
#[derive(Clone, Copy)]
pub(crate) struct Payload(pub(crate) *mut c_void);

// SAFETY: the library passes it on and does nothing else with it; the header says that callbacks run on any thread.
unsafe impl Send for Payload {}
// SAFETY: the same.
unsafe impl Sync for Payload {}

impl Payload {
    /// The pointer. A method, so that closures take the whole value.
    pub(crate) fn get(&self) -> *mut c_void {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Sized32>() {
        // Fields are only added, so that the sizes of version 1 stay what a caller of version 1 has.
        assert!(T::FIRST_SIZE <= size_of::<T>(), "{}", std::any::type_name::<T>());
        let default = T::default();
        // SAFETY: every such struct begins with its size.
        assert_eq!(unsafe { (&raw const default).cast::<u32>().read() } as usize, size_of::<T>());
    }

    #[test]
    fn no_struct_is_smaller_than_in_version_1() {
        check::<crate::archive::mk_create_options>();
        check::<crate::archive::mk_open_options>();
        check::<crate::events::mk_import_events>();
        check::<crate::events::mk_receipt>();
        check::<crate::export::mk_export_options>();
        check::<crate::import::mk_import_options>();
        check::<crate::import::mk_source>();
        check::<crate::keys::mk_key>();
        check::<crate::page::mk_folder>();
        check::<crate::page::mk_message>();
        check::<crate::page::mk_page_info>();
        check::<crate::progress::mk_progress>();
        check::<crate::stores::mk_store_dirs>();
    }

    #[test]
    fn a_struct_of_another_version_is_read_as_far_as_it_is_known() {
        #[repr(C)]
        struct Later {
            known: crate::import::mk_source,
            more: u64,
        }
        let mut later = Later { known: crate::import::mk_source { size: size_of::<Later>() as u32, ..Default::default() }, more: 0 };
        // SAFETY: the struct has the size that it says.
        let read = |later: &Later| unsafe { options((&raw const *later).cast::<crate::import::mk_source>()) };
        assert!(read(&later).is_ok());
        later.more = 1;
        assert!(read(&later).is_err());
        later.known.size = 3;
        assert!(read(&later).is_err());
    }
}
