//! Bounded decoding of bytes from disk: fixed little-endian fields, and CBOR maps (RFC 8949) with classes of keys.
//!
//! No input and output, no allocation beyond what the bytes given justify, no panic on any bytes.

mod cbor;
mod fixed;

pub(crate) use cbor::{Keys, Undecodable, decode, encode};
pub(crate) use fixed::{Fixed, TooShort};
