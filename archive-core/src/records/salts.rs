//! Salts of facts: random bytes that keep the hash of an erased fact from confirming a guess at its contents.
//!
//! They come from seeds. The seed of the contents of a block is also stored in the block's table; that of all other
//! facts is stored nowhere else. So an erasure has to rewrite one container and one records file, in which explicit
//! salts of the remaining facts replace the seed. Docs: FORMAT.md, "Salts".

use hkdf::Hkdf;
use minicbor::decode::Error as CborError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::Sha256;

use crate::error::Error;
use crate::seal::random;

/// Bytes of a salt.
pub(crate) const SALT_LEN: usize = 16;

/// Where the salts of some facts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Salt {
    /// HKDF-Expand (RFC 5869, 2.3) of the seed, over the index of each fact.
    Seed([u8; 32]),
    /// 16 bytes a fact, zeros for an erased one.
    Explicit(Vec<u8>),
}

/// The salts of the facts from `first` on, up to those of the next range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SaltRange {
    pub(crate) first: u32,
    pub(crate) salt: Salt,
}

impl SaltRange {
    /// A range with a fresh seed.
    pub(crate) fn fresh(first: u32) -> Result<Self, Error> {
        Ok(Self { first, salt: Salt::Seed(random()?) })
    }
}

impl<C> Encode<C> for SaltRange {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(3)?.u32(self.first)?;
        match &self.salt {
            Salt::Seed(seed) => e.u8(1)?.bytes(seed)?,
            Salt::Explicit(salts) => e.u8(2)?.bytes(salts)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for SaltRange {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        if d.array()? != Some(3) {
            return Err(CborError::message("a range of salts has three elements"));
        }
        let (first, form, bytes) = (d.u32()?, d.u8()?, d.bytes()?);
        let salt = match form {
            1 => Salt::Seed(bytes.try_into().map_err(|_| CborError::message("a seed has 32 bytes"))?),
            2 => Salt::Explicit(bytes.to_vec()),
            _ => return Err(CborError::message("no such form of salts")),
        };
        Ok(Self { first, salt })
    }
}

/// Whether these ranges give each of `facts` facts one salt.
pub(crate) fn cover(ranges: &[SaltRange], facts: usize) -> bool {
    let begins = ranges.iter().map(|range| range.first as usize);
    let ends = begins.clone().skip(1).chain([facts]);
    let mut at = 0;
    for ((first, end), range) in begins.zip(ends).zip(ranges) {
        let fits = match &range.salt {
            Salt::Seed(_) => true,
            Salt::Explicit(salts) => end.checked_sub(first).is_some_and(|count| salts.len() == count * SALT_LEN),
        };
        if first != at || end <= first || !fits {
            return false;
        }
        at = end;
    }
    at == facts
}

/// The salts of a commit's or a table's facts, available in any order; ascending order is cheapest.
pub(crate) struct Salts<'c> {
    ranges: &'c [SaltRange],
    /// The range whose seed is expanded, and its key.
    open: Option<(usize, Hkdf<Sha256>)>,
}

impl<'c> Salts<'c> {
    pub(crate) fn new(ranges: &'c [SaltRange]) -> Self {
        Self { ranges, open: None }
    }

    /// The salt of fact `at`.
    pub(crate) fn of(&mut self, at: usize) -> Result<[u8; SALT_LEN], Error> {
        const LACKS: Error = Error::Bug("a commit lacks the salt of a fact");
        let range_no = self.ranges.partition_point(|range| range.first as usize <= at).checked_sub(1).ok_or(LACKS)?;
        let range = self.ranges.get(range_no).ok_or(LACKS)?;
        match &range.salt {
            Salt::Seed(seed) => {
                let hkdf = match self.open.take_if(|(open, _)| *open == range_no) {
                    Some((_, hkdf)) => hkdf,
                    None => Hkdf::from_prk(seed).map_err(|_| Error::Bug("HKDF refused a seed of 32 bytes"))?,
                };
                let salt = expand(&hkdf, at);
                self.open = Some((range_no, hkdf));
                salt
            }
            Salt::Explicit(salts) => {
                let begin = (at - range.first as usize).checked_mul(SALT_LEN).ok_or(LACKS)?;
                let salt = salts.get(begin..).and_then(|rest| rest.first_chunk());
                salt.copied().ok_or(LACKS)
            }
        }
    }
}

fn expand(hkdf: &Hkdf<Sha256>, at: usize) -> Result<[u8; SALT_LEN], Error> {
    let mut salt = [0; SALT_LEN];
    hkdf.expand(&(at as u64).to_le_bytes(), &mut salt).map_err(|_| Error::Bug("HKDF refused 16 bytes"))?;
    Ok(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeded(first: u32, byte: u8) -> SaltRange {
        SaltRange { first, salt: Salt::Seed([byte; 32]) }
    }

    fn explicit(first: u32, count: usize) -> SaltRange {
        SaltRange { first, salt: Salt::Explicit((0..count * SALT_LEN).map(|at| at as u8).collect()) }
    }

    #[test]
    fn ranges_cover_every_fact_once_or_not_at_all() {
        assert!(cover(&[], 0));
        assert!(cover(&[seeded(0, 1)], 3));
        assert!(cover(&[seeded(0, 1), explicit(2, 3), seeded(5, 2)], 6));
        for bad in [&[][..], &[seeded(1, 1)], &[seeded(0, 1), seeded(3, 1)], &[explicit(0, 2)], &[seeded(0, 1), seeded(0, 2)]] {
            assert!(!cover(bad, 3), "{bad:?}");
        }
    }

    #[test]
    fn a_salt_hangs_on_its_seed_and_index_alone() {
        let ranges = [seeded(0, 1), seeded(2, 2), explicit(4, 2)];
        let mut salts = Salts::new(&ranges);
        let all: Vec<[u8; 16]> = (0..6).map(|at| salts.of(at).unwrap()).collect();
        assert_eq!(all[1], Salts::new(&[seeded(0, 1)]).of(1).unwrap());
        assert_ne!(all[0], all[1]);
        assert_ne!(all[1], all[2]);
        assert_eq!(all[5][0], 16);
        assert!(Salts::new(&ranges).of(6).is_err());
        assert!(Salts::new(&[]).of(0).is_err());
    }
}
