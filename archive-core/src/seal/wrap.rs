//! A key wrapped by another key. Docs: FORMAT.md, "Keys".

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use super::derive::{SecretKey, commits, random};
use crate::error::Error;
use crate::id::Uuid;

/// A key wrapped by another key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct KeyWrap {
    /// Generation of the wrapped key.
    #[n(1)]
    generation: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[cbor(n(3), with = "minicbor::bytes")]
    nonce: [u8; 12],
    #[cbor(n(4), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[cbor(n(5), with = "minicbor::bytes")]
    commitment: [u8; 32],
}

impl KeyWrap {
    /// Wraps `inner` under `outer`; `owner` and `purpose` must be the same to open it.
    pub(crate) fn make(outer: &SecretKey, inner: &SecretKey, owner: Uuid, purpose: &str) -> Result<Self, Error> {
        let (generation, salt): (u32, [u8; 16]) = (1, random()?);
        let (key, commitment) = outer.derive(&salt, &[b"mailkeep wrap", purpose.as_bytes(), &owner.0, &generation.to_le_bytes()])?;
        let mut sealed = inner.bytes().to_vec();
        let nonce = key.seal(&mut sealed, 0, &owner.0)?;
        Ok(Self { generation, salt, nonce, sealed, commitment })
    }

    /// The wrapped key, if `outer` is the key that wrapped it.
    pub(crate) fn open(&self, outer: &SecretKey, owner: Uuid, purpose: &str) -> Result<Option<SecretKey>, Error> {
        let info: [&[u8]; 4] = [b"mailkeep wrap", purpose.as_bytes(), &owner.0, &self.generation.to_le_bytes()];
        let (key, commitment) = outer.derive(&self.salt, &info)?;
        let mut bytes = Zeroizing::new(self.sealed.clone());
        if !commits(&commitment, &self.commitment) || key.open(&self.nonce, &mut bytes, &owner.0).is_err() {
            return Ok(None);
        }
        Ok(<[u8; 32]>::try_from(bytes.as_slice()).ok().map(SecretKey::new))
    }
}
