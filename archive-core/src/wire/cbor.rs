//! CBOR maps with integer keys, decoded by derived code behind a check of the key classes.
//!
//! Keys 0 to 63 must be known to read, keys 64 to 127 to write (every open of this version may write, so both are refused alike);
//! keys from 128 on may be passed over. Unknown keys survive, since facts are copied as the bytes they came as.
//! Docs: FORMAT.md, "Keys and classes".

use minicbor::{Decode, Decoder, Encode};

use crate::error::Error;

/// The keys that a type knows; what else may stand in its map is decided by class.
pub(crate) trait Keys {
    /// What is being read, for messages.
    const WHAT: &'static str;
    /// The highest key known; all from 0 to it are.
    const LAST: u64;
}

/// Bytes that are no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Malformed,
    Unknown(&'static str, u64),
}

impl Undecodable {
    /// The error of a file in which this was found at a place that `damage` names.
    pub(crate) fn at(self, damage: impl FnOnce() -> crate::error::Damage) -> Error {
        match self {
            Self::Malformed => Error::Damage(damage()),
            Self::Unknown(what, number) => Error::UnknownFeature { what, number },
        }
    }
}

const MUST_KNOW: std::ops::RangeInclusive<u64> = 0..=127;

/// The value that `bytes` hold, all of them.
pub(crate) fn decode<'b, T: Keys + Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Undecodable> {
    check_keys::<T>(bytes)?;
    let mut decoder = Decoder::new(bytes);
    let value = decoder.decode().map_err(|_| Undecodable::Malformed)?;
    if decoder.position() != bytes.len() {
        return Err(Undecodable::Malformed);
    }
    Ok(value)
}

fn check_keys<T: Keys>(bytes: &[u8]) -> Result<(), Undecodable> {
    let mut decoder = Decoder::new(bytes);
    let malformed = |_| Undecodable::Malformed;
    let len = decoder.map().map_err(malformed)?.ok_or(Undecodable::Malformed)?;
    for _ in 0..len {
        let key = decoder.u64().map_err(malformed)?;
        if key > T::LAST && MUST_KNOW.contains(&key) {
            return Err(Undecodable::Unknown(T::WHAT, key));
        }
        decoder.skip().map_err(malformed)?;
    }
    Ok(())
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

    #[test]
    fn unknown_keys_are_refused_or_passed_over_by_class() {
        assert_eq!(decode::<Known>(&map(&[(1, 7)])), Ok(Known { one: 7 }));
        assert_eq!(decode::<Known>(&map(&[(1, 7), (2, 1)])), Err(Undecodable::Unknown("test value", 2)));
        assert_eq!(decode::<Known>(&map(&[(1, 7), (128, 1)])), Ok(Known { one: 7 }));
        assert_eq!(decode::<Known>(&[map(&[(1, 7)]), vec![0]].concat()), Err(Undecodable::Malformed));
        assert_eq!(decode::<Known>(b"\xff"), Err(Undecodable::Malformed));
    }
}
