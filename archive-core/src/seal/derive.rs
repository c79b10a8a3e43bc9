//! Keys made from keys: the only caller of the KDF. Secrets are wiped when dropped and never printed.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Error;

pub(super) const NONCE_LEN: usize = 12;
pub(super) const TAG_LEN: usize = 16;

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::Bug("the system gives no random bytes"))?;
    Ok(bytes)
}

/// A key of 256 bits from which others are derived or under which they are wrapped.
pub(crate) struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn random() -> Result<Self, Error> {
        random().map(Self::new)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A copy for a second owner.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Key and commitment for the purpose that `salt` and `info` name.
    pub(super) fn derive(&self, salt: &[u8], info: &[&[u8]]) -> Result<(FileKey, [u8; 32]), Error> {
        let mut okm = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(Some(salt), &*self.0).expand_multi_info(info, &mut *okm).map_err(|_| Error::Bug("HKDF refused 64 bytes"))?;
        let (key, commitment) = okm.split_at(32);
        let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| Error::Bug("AES-256 takes keys of 32 bytes"))?;
        let commitment = commitment.try_into().map_err(|_| Error::Bug("a commitment has 32 bytes"))?;
        Ok((FileKey(cipher), commitment))
    }

    /// HMAC-SHA-256 over `bytes` for the purpose that `salt` and `info` name.
    pub(super) fn authenticate(&self, salt: &[u8], info: &[&[u8]], bytes: &[u8]) -> Result<[u8; 32], Error> {
        Ok(self.hmac(salt, info)?.chain_update(bytes).finalize().into_bytes().into())
    }

    /// Whether `code` is the result of [`Self::authenticate`]; in constant time.
    pub(super) fn is_authentic(&self, salt: &[u8], info: &[&[u8]], bytes: &[u8], code: &[u8; 32]) -> Result<bool, Error> {
        Ok(self.hmac(salt, info)?.chain_update(bytes).verify_slice(code).is_ok())
    }

    fn hmac(&self, salt: &[u8], info: &[&[u8]]) -> Result<Hmac<Sha256>, Error> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), &*self.0).expand_multi_info(info, &mut *key).map_err(|_| Error::Bug("HKDF refused 32 bytes"))?;
        <Hmac<Sha256> as KeyInit>::new_from_slice(&*key).map_err(|_| Error::Bug("HMAC takes keys of any length"))
    }
}

/// Whether the two commitments are equal; in constant time.
pub(super) fn commits(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

/// The key of one file or one wrap. Made only here; the cipher wipes its schedule when dropped.
pub(crate) struct FileKey(Aes256Gcm);

/// The ciphertext does not open: changed bytes or another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

impl FileKey {
    /// Seals `bytes[from..]` in place under a fresh random nonce, and appends the tag.
    pub(super) fn seal(&self, bytes: &mut Vec<u8>, from: usize, aad: &[u8]) -> Result<[u8; NONCE_LEN], Error> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let text = bytes.get_mut(from..).ok_or(Error::Bug("sealing starts after the end"))?;
        let tag =
            self.0.encrypt_inout_detached(&Nonce::from(nonce), aad, text.into()).map_err(|_| Error::Bug("AES-GCM refused a plaintext"))?;
        bytes.extend_from_slice(&tag);
        Ok(nonce)
    }

    /// Opens `bytes` (ciphertext and tag) in place, which leaves the plaintext.
    pub(super) fn open(&self, nonce: &[u8; NONCE_LEN], bytes: &mut Vec<u8>, aad: &[u8]) -> Result<(), DoesNotOpen> {
        let len = bytes.len().checked_sub(TAG_LEN).ok_or(DoesNotOpen)?;
        let (text, tag) = bytes.split_at_mut(len);
        let tag: [u8; TAG_LEN] = tag.try_into().map_err(|_| DoesNotOpen)?;
        self.0.decrypt_inout_detached(&Nonce::from(*nonce), aad, text.into(), &Tag::from(tag)).map_err(|_| DoesNotOpen)?;
        bytes.truncate(len);
        Ok(())
    }
}
