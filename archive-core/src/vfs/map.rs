//! A closed file mapped for reading: the only unsafe code in the library.

#![expect(unsafe_code, reason = "bytes are copied from an address that the system gave")]

use std::fs::File;

use memmap2::{MmapOptions, MmapRaw};

/// The bytes that a file had when it was mapped.
#[derive(Debug)]
pub(super) struct Map(MmapRaw);

impl Map {
    /// A map of the first `len` bytes of `file`; `None` if the file is empty or the system does not map it. Also `None` on
    /// 32-bit systems, which lack the addresses, and on Windows, where a mapped file cannot be cut or replaced.
    pub(super) fn of(file: &File, len: u64) -> Option<Self> {
        if !cfg!(all(unix, target_pointer_width = "64")) {
            return None;
        }
        let len = usize::try_from(len).ok().filter(|len| *len > 0)?;
        MmapOptions::new().len(len).map_raw_read_only(file).ok().map(Self)
    }

    /// Fills `buf` from `offset` on. Returns `false`, with `buf` unchanged, if the map does not have all of these bytes.
    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> bool {
        let Ok(offset) = usize::try_from(offset) else { return false };
        if offset.checked_add(buf.len()).is_none_or(|end| end > self.0.len()) {
            return false;
        }
        // SAFETY: The range lies within the map, which lives as long as `self`; `buf` is the caller's own memory, so the two
        // ranges are valid and do not overlap. No reference to mapped bytes exists: if another process writes to them
        // during the copy, `buf` gets a mixture of old and new bytes, as from a read of the file, and the frame's checksum
        // and seal detect it.
        // Assumed: the file still has these bytes. The caller has just compared its length, and the archive never cuts a
        // closed file. If another process cuts it in between, or the medium fails, the system ends the process with
        // SIGBUS, and no byte is returned.
        unsafe { self.0.as_ptr().add(offset).copy_to_nonoverlapping(buf.as_mut_ptr(), buf.len()) };
        true
    }
}
