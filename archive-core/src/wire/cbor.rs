//! CBOR maps with integer keys, decoded by derived code after a check of the key classes.
//!
//! Keys 0 to 63 must be known to read, keys 64 to 127 to write; keys from 128 on may be passed over. Unknown keys
//! survive, since facts are copied byte for byte. Docs: FORMAT.md, section 1.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode};

use crate::error::Error;

/// The keys that a type knows; other keys in its map are judged by class.
pub(crate) trait Keys {
    /// What is being read, for messages.
    const WHAT: &'static str;
    /// The highest key known; all from 0 to it are.
    const LAST: u64;
}

/// Why bytes cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Malformed,
    Unknown(&'static str, u64),
}

impl Undecodable {
    /// The error for a file with such bytes at the place that `damage` names.
    pub(crate) fn at(self, damage: impl FnOnce() -> crate::error::Damage) -> Error {
        match self {
            Self::Malformed => Error::Damage(damage()),
            Self::Unknown(what, number) => Error::UnknownFeature { what, number },
        }
    }
}

/// The class of something unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It must not be passed over.
    Refuse,
    /// Readers pass over it; nothing may be written.
    NoWrite,
    /// Readers and writers pass over it.
    Ignore,
}

/// Something unknown that was passed over and forbids writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) what: &'static str,
    pub(crate) number: u64,
}

fn class_of_key(key: u64) -> Class {
    match key {
        0..=63 => Class::Refuse,
        64..=127 => Class::NoWrite,
        128.. => Class::Ignore,
    }
}

/// Decodes a value from all of `bytes`. For caches and other values that do not decide whether the store may be
/// written.
pub(crate) fn decode<'b, T: Keys + Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Undecodable> {
    decode_noting(bytes, &mut None)
}

/// The same; the first thing that is unknown and forbids writing goes into `passed_over`.
pub(crate) fn decode_noting<'b, T: Keys + Decode<'b, ()>>(bytes: &'b [u8], passed_over: &mut Option<Unknown>) -> Result<T, Undecodable> {
    check_keys::<T>(bytes, passed_over)?;
    let mut decoder = Decoder::new(bytes);
    let value = decoder.decode().map_err(|_| Undecodable::Malformed)?;
    if decoder.position() != bytes.len() {
        return Err(Undecodable::Malformed);
    }
    Ok(value)
}

/// Keys must rise, so that none occurs twice, and an unknown one is judged by its class.
fn check_keys<T: Keys>(bytes: &[u8], passed_over: &mut Option<Unknown>) -> Result<(), Undecodable> {
    let mut decoder = Decoder::new(bytes);
    let malformed = |_| Undecodable::Malformed;
    let len = decoder.map().map_err(malformed)?.ok_or(Undecodable::Malformed)?;
    let mut last = None;
    for _ in 0..len {
        let key = decoder.u64().map_err(malformed)?;
        if last.is_some_and(|last| last >= key) {
            return Err(Undecodable::Malformed);
        }
        last = Some(key);
        if key > T::LAST {
            match class_of_key(key) {
                Class::Refuse => return Err(Undecodable::Unknown(T::WHAT, key)),
                Class::NoWrite => {
                    passed_over.get_or_insert(Unknown { what: T::WHAT, number: key });
                }
                Class::Ignore => {}
            }
        }
        pass_over(&mut decoder).map_err(malformed)?;
    }
    Ok(())
}

/// Passes over a value. Texts, and those of a list, are not looked into: whoever reads them checks that they are UTF-8, and rows of
/// the catalog consist of little else.
fn pass_over(decoder: &mut Decoder<'_>) -> Result<(), minicbor::decode::Error> {
    if decoder.datatype()? != Type::Array {
        return pass_over_text(decoder);
    }
    // A list of unknown length, like whatever lies deeper, is the decoder's, which needs no stack for it.
    let mut ahead = decoder.clone();
    match ahead.array()? {
        Some(len) => {
            for _ in 0..len {
                pass_over_text(&mut ahead)?;
            }
            decoder.set_position(ahead.position());
            Ok(())
        }
        None => decoder.skip(),
    }
}

/// The head of a text is that of a byte string but for the major type (RFC 8949, 3.1).
fn pass_over_text(decoder: &mut Decoder<'_>) -> Result<(), minicbor::decode::Error> {
    if decoder.datatype()? != Type::String {
        return decoder.skip();
    }
    let at = decoder.position();
    let rest = decoder.input().get(at..).unwrap_or_default();
    let (head, len) = match rest {
        [short @ 0x60..=0x77, ..] => (1, u64::from(short & 0x1f)),
        [0x78, len, ..] => (2, u64::from(*len)),
        [0x79, a, b, ..] => (3, u64::from(u16::from_be_bytes([*a, *b]))),
        // Longer ones are rare.
        _ => return decoder.skip(),
    };
    match usize::try_from(len).ok().filter(|len| head + len <= rest.len()) {
        Some(len) => {
            decoder.set_position(at + head + len);
            Ok(())
        }
        None => decoder.skip(),
    }
}

/// `value` as bytes.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Most facts and rows fit.
    let mut bytes = Vec::with_capacity(256);
    encode_to(value, &mut bytes);
    bytes
}

/// Appends `value` to `out`.
pub(crate) fn encode_to<T: Encode<()>>(value: &T, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail, and derived encoders have no errors of their own.
    let _infallible: Result<(), _> = minicbor::encode(value, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Known {
        #[n(1)]
        one: u64,
    }

    impl Keys for Known {
        const WHAT: &'static str = "test value";
        const LAST: u64 = 1;
    }

    fn map(pairs: &[(u64, u64)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut bytes);
        encoder.map(pairs.len() as u64).unwrap();
        for (key, value) in pairs {
            encoder.u64(*key).unwrap().u64(*value).unwrap();
        }
        bytes
    }

    proptest::proptest! {
        #[test]
        fn a_value_is_passed_over_as_the_decoder_does_it(texts in proptest::collection::vec(".{0,70}|.{300}", 0..4), number: u64, list: bool, cut in 0usize..3) {
            let mut bytes = Vec::new();
            let mut encoder = minicbor::Encoder::new(&mut bytes);
            match texts.first() {
                _ if list => encoder.encode((&texts, number)).map(drop).unwrap(),
                Some(text) => encoder.str(text).map(drop).unwrap(),
                None => encoder.u64(number).map(drop).unwrap(),
            }
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let (mut own, mut other) = (Decoder::new(&bytes), Decoder::new(&bytes));
            let (passed, skipped) = (pass_over(&mut own).is_ok(), other.skip().is_ok());
            // Text that is cut within a letter at the end of the bytes is cut for both.
            proptest::prop_assert_eq!(passed, skipped);
            proptest::prop_assert!(!passed || own.position() == other.position());
        }
    }

    #[test]
    fn unknown_keys_are_refused_or_passed_over_by_class() {
        assert_eq!(decode::<Known>(&map(&[(1, 7)])), Ok(Known { one: 7 }));
        assert_eq!(decode::<Known>(&map(&[(1, 7), (2, 1)])), Err(Undecodable::Unknown("test value", 2)));
        assert_eq!(decode::<Known>(&map(&[(1, 7), (128, 1)])), Ok(Known { one: 7 }));
        for (key, noted) in [(64, true), (127, true), (128, false)] {
            let mut passed_over = None;
            assert_eq!(decode_noting::<Known>(&map(&[(1, 7), (key, 1)]), &mut passed_over), Ok(Known { one: 7 }));
            assert_eq!(passed_over, noted.then_some(Unknown { what: "test value", number: key }));
        }
        for twice in [&[(1, 7), (1, 8)][..], &[(128, 1), (1, 7)]] {
            assert_eq!(decode::<Known>(&map(twice)), Err(Undecodable::Malformed));
        }
        assert_eq!(decode::<Known>(&[map(&[(1, 7)]), vec![0]].concat()), Err(Undecodable::Malformed));
        assert_eq!(decode::<Known>(b"\xff"), Err(Undecodable::Malformed));
    }
}
