//! Identity files, `archive.mk` and `store.mk`: who an archive or store is and what wraps its keys, in two copies.
//!
//! They change only with keys: new file, sync, rename, sync of the folder, then the second copy. They list no files.
//! Docs: FORMAT.md, "Identity files".

use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use super::derive::{SecretKey, commits, random};
use super::file::read_header;
use super::header::{FileHeader, FileKind, HEADER_LEN, RecordsStart};
use super::slot::Slot;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::vfs::Vfs;
use crate::wire::{Fixed, Keys, Undecodable, decode, encode};

/// Larger is no identity file.
const MAX_LEN: u64 = 1 << 20;

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

/// What `archive.mk` holds besides its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ArchiveIdentity {
    /// What opens the archive key.
    #[n(1)]
    pub(crate) slots: Vec<Slot>,
    /// The master key under the archive key.
    #[n(2)]
    pub(crate) master: KeyWrap,
    /// The master key under the recovery wrap key.
    #[n(3)]
    pub(crate) master_recovery: KeyWrap,
    /// The recovery wrap key under the archive key, so that new stores need no recovery key at hand.
    #[n(4)]
    pub(crate) recovery_wrap: KeyWrap,
    /// The recovery wrap key under the recovery key.
    #[n(5)]
    pub(crate) recovery: KeyWrap,
}

impl Keys for ArchiveIdentity {
    const WHAT: &'static str = "key of archive.mk";
    const LAST: u64 = 5;
}

/// What `store.mk` holds besides its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoreIdentity {
    /// The archive that the store was made in.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) archive: [u8; 16],
    /// The store key under the archive key.
    #[n(2)]
    pub(crate) key: KeyWrap,
    /// The store key under the recovery wrap key.
    #[n(3)]
    pub(crate) key_recovery: KeyWrap,
    /// The recovery wrap key under the recovery key: with it alone the store opens on a bare machine.
    #[n(4)]
    pub(crate) recovery: KeyWrap,
}

impl Keys for StoreIdentity {
    const WHAT: &'static str = "key of store.mk";
    const LAST: u64 = 4;
}

fn second_copy(path: &Path) -> PathBuf {
    suffixed(path, ".2")
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Writes both copies of an identity file, one after the other, each whole or not at all.
pub(crate) fn write_identity(vfs: &dyn Vfs, path: &Path, kind: FileKind, owner: Uuid, value: &impl Encode<()>) -> Result<(), Error> {
    let bytes = identity_bytes(kind, owner, value)?;
    replace_copy(vfs, path, &bytes)?;
    replace_copy(vfs, &second_copy(path), &bytes)
}

/// Like [`write_identity`], where there is none yet: fails if the first copy has come into being meanwhile, and leaves it as it is.
pub(crate) fn create_identity(vfs: &dyn Vfs, path: &Path, kind: FileKind, owner: Uuid, value: &impl Encode<()>) -> Result<(), Error> {
    let bytes = identity_bytes(kind, owner, value)?;
    let new = write_new(vfs, path, &bytes)?;
    vfs.rename_new(&new, path)?;
    vfs.sync_dir(folder_of(path)?)?;
    replace_copy(vfs, &second_copy(path), &bytes)
}

fn identity_bytes(kind: FileKind, owner: Uuid, value: &impl Encode<()>) -> Result<Vec<u8>, Error> {
    let file_id = Uuid(random()?);
    let header = FileHeader { kind, file_id, owner, number: 0, generation: 0, start: RecordsStart::default(), commitment: [0; 32] };
    let body = encode(value);
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&body);
    let crc = crc32fast::hash(&bytes[HEADER_LEN..]);
    bytes.extend_from_slice(&crc.to_le_bytes());
    Ok(bytes)
}

fn folder_of(path: &Path) -> Result<&Path, Error> {
    path.parent().ok_or(Error::Bug("an identity file lies in a folder"))
}

fn replace_copy(vfs: &dyn Vfs, copy: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new = write_new(vfs, copy, bytes)?;
    vfs.rename(&new, copy)?;
    Ok(vfs.sync_dir(folder_of(copy)?)?)
}

/// Writes what is to be `copy` under another name, which it gives back, and syncs it.
fn write_new(vfs: &dyn Vfs, copy: &Path, bytes: &[u8]) -> Result<PathBuf, Error> {
    let new = suffixed(copy, ".tmp");
    if vfs.kind(&new)?.is_some() {
        vfs.remove(&new)?;
    }
    let file = vfs.create(&new)?;
    file.append(bytes)?;
    file.sync()?;
    Ok(new)
}

/// Reads an identity file, or its second copy where the first is broken or missing.
pub(crate) fn read_identity<T: Keys + for<'b> Decode<'b, ()>>(vfs: &dyn Vfs, path: &Path, kind: FileKind) -> Result<(Uuid, T), Error> {
    let first = read_copy(vfs, path, kind);
    match first {
        Ok(found) => Ok(found),
        Err(error @ (Error::TooNew { .. } | Error::UnknownFeature { .. })) => Err(error),
        Err(_) => read_copy(vfs, &second_copy(path), kind).map_err(|error| match error {
            Error::TooNew { .. } | Error::UnknownFeature { .. } => error,
            Error::Io(error) if !error.is_not_found() => Error::Io(error),
            _ => Error::BrokenIdentity { path: path.to_owned() },
        }),
    }
}

/// Writes both copies again where a crash between them left the second one missing or older. A damaged copy is left as it is, to be
/// found by who verifies.
pub(crate) fn complete_identity(vfs: &dyn Vfs, path: &Path, kind: FileKind, owner: Uuid, value: &impl Encode<()>) -> Result<(), Error> {
    let second = second_copy(path);
    let complete = match read_body(vfs, &second, kind) {
        Ok((found, body)) => found == owner && body == encode(value),
        Err(Error::Io(error)) if error.is_not_found() => false,
        Err(Error::Io(error)) => return Err(error.into()),
        Err(_) => true,
    };
    match complete || vfs.kind(path)?.is_none() {
        true => Ok(()),
        false => write_identity(vfs, path, kind, owner, value),
    }
}

/// Damage in either copy of an identity file.
pub(crate) fn verify_identity(vfs: &dyn Vfs, path: &Path, kind: FileKind, owner: Uuid) -> Result<Vec<Damage>, Error> {
    let mut damage = Vec::new();
    let mut bodies = Vec::new();
    for copy in [path.to_owned(), second_copy(path)] {
        let cause = match read_body(vfs, &copy, kind) {
            Ok((found, body)) if found == owner => {
                bodies.push(body);
                continue;
            }
            Err(Error::Io(error)) if error.is_not_found() => DamageCause::Missing,
            Err(Error::Io(error)) => return Err(error.into()),
            Err(Error::Damage(damage)) => damage.cause,
            _ => DamageCause::Decode,
        };
        damage.push(Damage::new(&copy, 0, 0, cause));
    }
    if let [first, second] = bodies.as_slice()
        && first != second
    {
        damage.push(Damage::new(&second_copy(path), HEADER_LEN as u64, 0, DamageCause::Disagreement));
    }
    Ok(damage)
}

fn read_copy<T: Keys + for<'b> Decode<'b, ()>>(vfs: &dyn Vfs, path: &Path, kind: FileKind) -> Result<(Uuid, T), Error> {
    let (owner, body) = read_body(vfs, path, kind)?;
    let value = decode(&body).map_err(|cause| match cause {
        Undecodable::Malformed => Error::BrokenIdentity { path: path.to_owned() },
        Undecodable::Unknown(what, number) => Error::UnknownFeature { what, number },
    })?;
    Ok((owner, value))
}

fn read_body(vfs: &dyn Vfs, path: &Path, kind: FileKind) -> Result<(Uuid, Vec<u8>), Error> {
    let broken = || Error::BrokenIdentity { path: path.to_owned() };
    let file = vfs.open_read(path)?;
    let len = file.len()?;
    if len > MAX_LEN {
        return Err(broken());
    }
    let header = read_header(path, &*file)?;
    let mut bytes = vec![0; len as usize - HEADER_LEN];
    file.read_exact_at(HEADER_LEN as u64, &mut bytes)?;
    let (checked, crc) = bytes.split_last_chunk::<4>().ok_or_else(broken)?;
    let mut fields = Fixed::new(checked);
    let body_len = fields.u32().map_err(|_| broken())?;
    let body = fields.rest();
    if header.kind != kind || crc32fast::hash(checked).to_le_bytes() != *crc || body.len() != body_len as usize {
        return Err(broken());
    }
    Ok((header.owner, body.to_vec()))
}
