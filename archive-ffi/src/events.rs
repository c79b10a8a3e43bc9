//! What happens during an import or a check, as C receives it.

use std::ffi::c_void;

use archive_core::source::Trouble;
use archive_core::{ImportEvents, Outcome, Progress, Receipt};

use crate::argument::{Payload, Sized32, mk_message_id, mk_text, number_of, reserved};
use crate::error::Fault;
use crate::status::MK_CALLBACK;

/// It is a new message.
pub const MK_OUTCOME_STORED: u32 = 1;
/// The archive had it already.
pub const MK_OUTCOME_DUPLICATE: u32 = 2;
/// The archive had it already, with other status headers.
pub const MK_OUTCOME_RESTATED: u32 = 3;

/// Says that a mail is durable: power may fail at any later moment.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_receipt {
    /// `sizeof(mk_receipt)`.
    pub size: u32,
    /// `MK_OUTCOME_…`.
    pub outcome: u32,
    /// The message: the new one, or the one that is there.
    pub id: mk_message_id,
    /// SHA-256 of the bytes that were given.
    pub digest: [u8; 32],
    /// Offset of the mail's first byte in its file.
    pub offset: u64,
    /// The path of the file within the source; empty where the source is one file. Lives during the callback.
    pub source: mk_text,
}

impl Default for mk_receipt {
    fn default() -> Self {
        Self { size: size_of::<Self>() as u32, outcome: 0, id: 0, digest: [0; 32], offset: 0, source: mk_text::default() }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers.
unsafe impl Sized32 for mk_receipt {
    const FIRST_SIZE: usize = 72;
}

impl mk_receipt {
    pub(crate) fn of(receipt: &Receipt) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            outcome: match receipt.outcome() {
                Outcome::Duplicate { restated: false } => MK_OUTCOME_DUPLICATE,
                Outcome::Duplicate { restated: true } => MK_OUTCOME_RESTATED,
                _ => MK_OUTCOME_STORED,
            },
            id: number_of(receipt.id()),
            digest: receipt.digest().0,
            offset: receipt.offset(),
            source: mk_text::borrowed(receipt.source()),
        }
    }
}

/// Something in a source that is not a mail, or could not be read. Lives during the callback.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct mk_trouble {
    /// The size of the struct.
    pub size: u32,
    /// 1 if something that may be mail was not returned, else 0.
    pub is_loss: u32,
    /// Where in the file.
    pub offset: u64,
    /// The path of the file within the source.
    pub source: mk_text,
    /// What it is: a sentence in English.
    pub message: mk_text,
}

/// A mail is durable.
pub type mk_receipt_fn = Option<unsafe extern "C" fn(payload: *mut c_void, receipt: *const mk_receipt) -> i32>;
/// Something in the source is not a mail, or cannot be read.
pub type mk_trouble_fn = Option<unsafe extern "C" fn(payload: *mut c_void, trouble: *const mk_trouble) -> i32>;
/// A mail that a check does not find in the archive.
pub type mk_missing_fn = Option<unsafe extern "C" fn(payload: *mut c_void, source: *const mk_text, offset: u64) -> i32>;
/// Bytes, in pieces. Another number than 0 ends the call with `MK_CALLBACK`.
pub type mk_write_fn = Option<unsafe extern "C" fn(payload: *mut c_void, data: *const c_void, length: usize) -> i32>;

/// What is called during an import or a check, one call at a time. Each may be NULL; another number than 0 ends the import
/// at the next safe point with `MK_CALLBACK`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mk_import_events {
    /// `sizeof(mk_import_events)`.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// The first argument of each.
    pub payload: *mut c_void,
    /// A mail is durable. Receipts come in the order of the source.
    pub receipt: mk_receipt_fn,
    /// Something in the source is not a mail, or cannot be read.
    pub trouble: mk_trouble_fn,
    /// A check does not find a mail, or finds it damaged: its path in the source and its offset.
    pub missing: mk_missing_fn,
    /// Bytes of the source that belong to no mail and are not archived; the trouble that gives the reason follows.
    pub lost: mk_write_fn,
}

impl Default for mk_import_events {
    fn default() -> Self {
        let payload = std::ptr::null_mut();
        Self { size: size_of::<Self>() as u32, reserved: 0, payload, receipt: None, trouble: None, missing: None, lost: None }
    }
}

// SAFETY: `repr(C)`, begins with its size, and any bytes are numbers and pointers of the caller.
unsafe impl Sized32 for mk_import_events {
    const FIRST_SIZE: usize = 48;
}

/// The caller's functions as the library's events.
pub(crate) struct Events {
    of_c: mk_import_events,
    payload: Payload,
    progress: Progress,
    /// A function returned another number than 0.
    failed: bool,
}

// SAFETY: the functions are the caller's, who has been told that they run on any thread; see `Payload`.
unsafe impl Send for Events {}

impl Events {
    /// `progress` is that of the call, to end it.
    pub(crate) fn new(of_c: mk_import_events, progress: &Progress) -> Result<Self, Fault> {
        reserved(of_c.reserved)?;
        Ok(Self { of_c, payload: Payload(of_c.payload), progress: progress.clone(), failed: false })
    }

    fn after(&mut self, returned: i32) {
        if returned != 0 {
            self.failed = true;
            self.progress.cancel();
        }
    }

    /// The result of the call, unless a function ended it.
    pub(crate) fn judge<T>(&self, result: Result<T, archive_core::Error>) -> Result<T, Fault> {
        match self.failed {
            true => Err(Fault::new(MK_CALLBACK, "a callback ended the call; what has a receipt stays")),
            false => Ok(result?),
        }
    }
}

impl ImportEvents for Events {
    fn receipt(&mut self, receipt: &Receipt) {
        let Some(report) = self.of_c.receipt.filter(|_| !self.failed) else { return };
        let of_c = mk_receipt::of(receipt);
        // SAFETY: the caller's function, with a pointer that is good during the callback.
        let returned = unsafe { report(self.payload.get(), &raw const of_c) };
        self.after(returned);
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let Some(report) = self.of_c.trouble.filter(|_| !self.failed) else { return };
        let message = trouble.kind.to_string();
        let of_c = mk_trouble {
            size: size_of::<mk_trouble>() as u32,
            is_loss: trouble.kind.is_loss().into(),
            offset: trouble.offset,
            source: mk_text::borrowed(&trouble.source),
            message: mk_text::borrowed(&message),
        };
        // SAFETY: as above.
        let returned = unsafe { report(self.payload.get(), &raw const of_c) };
        self.after(returned);
    }

    fn missing(&mut self, source: &str, offset: u64) {
        let Some(report) = self.of_c.missing.filter(|_| !self.failed) else { return };
        let source = mk_text::borrowed(source);
        // SAFETY: as above.
        let returned = unsafe { report(self.payload.get(), &raw const source, offset) };
        self.after(returned);
    }

    fn lost(&mut self, bytes: &[u8]) {
        let Some(write) = self.of_c.lost.filter(|_| !self.failed) else { return };
        // SAFETY: as above.
        let returned = unsafe { write(self.payload.get(), bytes.as_ptr().cast(), bytes.len()) };
        self.after(returned);
    }
}

/// A function of the caller that receives bytes, as the library's sink.
///
/// # Safety
///
/// `write` is NULL, or can be called with `payload` until the call returns.
pub(crate) unsafe fn sink(write: mk_write_fn, payload: *mut c_void) -> Result<impl FnMut(&[u8]) -> Result<(), archive_core::Error>, Fault> {
    let Some(write) = write else { return Err(Fault::new(crate::status::MK_BAD_ARGUMENT, "the function that receives bytes is NULL")) };
    Ok(move |bytes: &[u8]| {
        // SAFETY: the caller's contract, with bytes that are good during the callback.
        match unsafe { write(payload, bytes.as_ptr().cast(), bytes.len()) } {
            0 => Ok(()),
            returned => Err(archive_core::Error::caller(format!("the function that receives bytes returned {returned}"))),
        }
    })
}
