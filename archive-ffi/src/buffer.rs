//! Bytes and text that a call returns, in an object that the caller frees.

use std::sync::Arc;

use archive_core::Secret;
use serde::Serialize;
use serde_json::{Value, json};

use crate::argument::{mk_text, out};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object};
use crate::status::{MK_OK, mk_status};

/// Bytes, text or a JSON object that a call returned. Opaque.
pub struct mk_buffer(());

pub(crate) struct Buffer(Content);

enum Content {
    Bytes(Vec<u8>),
    /// Wiped when it is freed.
    Secret(Secret),
}

/// The versioned JSON form of a value: an object, or the `items` of a list.
pub(crate) fn versioned(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let form = match serde_json::to_value(value)? {
        Value::Object(mut fields) => {
            fields.insert("version".to_owned(), 1.into());
            Value::Object(fields)
        }
        items => json!({ "version": 1, "items": items }),
    };
    Ok(form.to_string())
}

impl Object for Buffer {
    type Handle = mk_buffer;
    const KIND: Kind = Kind::Buffer;
}

impl Buffer {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Content::Bytes(bytes))
    }

    pub(crate) fn secret(secret: Secret) -> Self {
        Self(Content::Secret(secret))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Content::Bytes(bytes) => bytes,
            Content::Secret(secret) => secret.text().as_bytes(),
        }
    }

    /// The JSON form of a value, for the caller.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Fault> {
        let form = versioned(value).map_err(|error| Fault::bug(&error.to_string()))?;
        Ok(Self::new(form.into_bytes()))
    }

    /// Gives it to the caller.
    ///
    /// # Safety
    ///
    /// As for [`out`].
    pub(crate) unsafe fn give(self, place: *mut *mut mk_buffer) -> Result<mk_status, Fault> {
        // SAFETY: the caller's contract.
        let place = unsafe { out(place) }?;
        place.write(handle::put(Arc::new(self), None)?);
        Ok(MK_OK)
    }
}

/// The bytes of a buffer, which live until it is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_buffer_get(bytes: *mut mk_text, buffer: *const mk_buffer, error: *mut mk_error) -> mk_status {
    call(error, || {
        // SAFETY: C passes NULL or a place for a text.
        let place = unsafe { out(bytes) }?;
        let buffer = handle::get::<Buffer>(buffer)?;
        place.write(mk_text { data: buffer.bytes().as_ptr().cast(), length: buffer.bytes().len() });
        Ok(MK_OK)
    })
}

/// Frees a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_buffer_free(buffer: *mut mk_buffer) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<Buffer>(buffer)?);
        Ok(MK_OK)
    })
}
