//! Bounded decoding of bytes from disk: fixed little-endian fields, and CBOR maps (RFC 8949) with classes of keys.
//!
//! No I/O, no allocation beyond what the given bytes justify, no panic on any bytes.

mod cbor;
mod compress;
mod fixed;

pub(crate) use cbor::{Class, Keys, Undecodable, Unknown, decode, decode_noting, encode, encode_to};
pub(crate) use compress::{Effort, compress, decompress, decompress_first};
pub(crate) use fixed::{Fixed, TooShort};
