//! Identity files on disk: a header, a map, an HMAC under a key derived from the archive key, in two copies.
//!
//! They change only with keys: new file, sync, rename, sync of the folder, then the second copy. If the copies differ,
//! the callers, which know the records, decide which one is valid. Docs: FORMAT.md, "Identity files".

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::derive::{SecretKey, random};
use super::file::read_header;
use super::header::{FileHeader, HEADER_LEN, RecordsStart};
use super::identity::IdentityMap;
use crate::error::{Damage, DamageCause, Error};
use crate::id::Uuid;
use crate::vfs::Vfs;
use crate::wire::{Fixed, Undecodable, decode, encode};

/// No identity file is larger.
const MAX_LEN: u64 = 1 << 20;
/// Where the map begins: after the header and its own length.
const MAP_AT: usize = HEADER_LEN + 4;

/// One identity file, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdentityFile<T> {
    /// The archive or the store.
    pub(crate) owner: Uuid,
    pub(crate) value: T,
    /// From byte 0 to the end of the map.
    covered: Vec<u8>,
    code: [u8; 32],
}

impl<T: IdentityMap> IdentityFile<T> {
    /// The file of `value`, authenticated with the archive key.
    pub(crate) fn seal(owner: Uuid, value: T, archive_key: &SecretKey) -> Result<Self, Error> {
        let map = encode(&value);
        Self::of_map(owner, value, &map, archive_key)
    }

    /// The same, from a map as it was recorded.
    pub(crate) fn of_map(owner: Uuid, value: T, map: &[u8], archive_key: &SecretKey) -> Result<Self, Error> {
        let header = FileHeader {
            kind: T::KIND,
            file_id: Uuid(random()?),
            owner,
            number: 0,
            generation: 0,
            start: RecordsStart::default(),
            commitment: [0; 32],
        };
        let mut covered = header.encode().to_vec();
        covered.extend_from_slice(&u32::try_from(map.len()).map_err(|_| Error::Bug("an identity file is small"))?.to_le_bytes());
        covered.extend_from_slice(map);
        let mut file = Self { owner, value, covered, code: [0; 32] };
        file.code = archive_key.authenticate(&file.salt(), &[b"mailkeep identity", &owner.0], &file.covered)?;
        Ok(file)
    }

    /// Its id, which keys its HMAC.
    fn salt(&self) -> [u8; 16] {
        self.covered.get(16..32).and_then(|id| id.try_into().ok()).unwrap_or_default()
    }

    /// Whether it was written with the archive key.
    pub(crate) fn is_authentic(&self, archive_key: &SecretKey) -> Result<bool, Error> {
        archive_key.is_authentic(&self.salt(), &[b"mailkeep identity", &self.owner.0], &self.covered, &self.code)
    }

    /// Its map as bytes.
    pub(crate) fn map(&self) -> &[u8] {
        self.covered.get(MAP_AT..).unwrap_or_default()
    }

    /// SHA-256 of its map.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.map()).into()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.covered.clone();
        bytes.extend_from_slice(&self.code);
        let crc = crc32fast::hash(bytes.get(HEADER_LEN..).unwrap_or_default());
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Writes both copies, one after the other, each whole or not at all.
    pub(crate) fn write(&self, vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
        copies_of(path).iter().try_for_each(|copy| self.write_copy(vfs, copy))
    }

    /// Writes both copies of a new file. Fails if the first exists by then, and leaves that as it is.
    pub(crate) fn create(&self, vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
        let [first, second] = copies_of(path);
        let new = self.prepare(vfs, &first)?;
        vfs.rename_new(&new, &first)?;
        vfs.sync_dir(folder_of(&first)?)?;
        self.write_copy(vfs, &second)
    }

    /// Replaces one copy.
    pub(crate) fn write_copy(&self, vfs: &dyn Vfs, copy: &Path) -> Result<(), Error> {
        let new = self.prepare(vfs, copy)?;
        vfs.rename(&new, copy)?;
        Ok(vfs.sync_dir(folder_of(copy)?)?)
    }

    /// Writes and syncs the file under its temporary name.
    fn prepare(&self, vfs: &dyn Vfs, copy: &Path) -> Result<PathBuf, Error> {
        let new = unplaced(copy);
        if vfs.kind(&new)?.is_some() {
            vfs.remove(&new)?;
        }
        let file = vfs.create(&new)?;
        file.append(&self.bytes())?;
        file.sync()?;
        Ok(new)
    }
}

/// What is in the place of one copy.
#[derive(Debug)]
pub(crate) enum IdentityCopy<T> {
    Whole(IdentityFile<T>),
    Missing,
    Broken(Damage),
    /// The system returned an error, which says nothing about the bytes.
    Unreadable(Error),
}

impl<T: IdentityMap> IdentityCopy<T> {
    pub(crate) fn whole(&self) -> Option<&IdentityFile<T>> {
        match self {
            Self::Whole(file) => Some(file),
            _ => None,
        }
    }

    /// The file, if it was written with the archive key.
    pub(crate) fn authentic(&self, archive_key: &SecretKey) -> Result<Option<&IdentityFile<T>>, Error> {
        match self.whole() {
            Some(file) if file.is_authentic(archive_key)? => Ok(Some(file)),
            _ => Ok(None),
        }
    }
}

/// An identity file and its second copy.
pub(crate) fn copies_of(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), suffixed(path, ".2")]
}

/// The temporary name of a copy.
pub(crate) fn unplaced(copy: &Path) -> PathBuf {
    suffixed(copy, ".tmp")
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn folder_of(path: &Path) -> Result<&Path, Error> {
    path.parent().ok_or(Error::Bug("an identity file lies in a folder"))
}

/// Reads both copies. An error if one of them has a format that this version does not know.
pub(crate) fn read_copies<T: IdentityMap>(vfs: &dyn Vfs, path: &Path) -> Result<[IdentityCopy<T>; 2], Error> {
    let [first, second] = copies_of(path);
    Ok([read_copy(vfs, &first)?, read_copy(vfs, &second)?])
}

fn read_copy<T: IdentityMap>(vfs: &dyn Vfs, path: &Path) -> Result<IdentityCopy<T>, Error> {
    match read_file(vfs, path) {
        Ok(file) => Ok(IdentityCopy::Whole(file)),
        Err(Error::Io(error)) if error.is_not_found() => Ok(IdentityCopy::Missing),
        Err(error @ Error::Io(_)) => Ok(IdentityCopy::Unreadable(error)),
        Err(Error::Damage(damage)) => Ok(IdentityCopy::Broken(damage)),
        Err(error) => Err(error),
    }
}

fn read_file<T: IdentityMap>(vfs: &dyn Vfs, path: &Path) -> Result<IdentityFile<T>, Error> {
    let file = vfs.open_read(path)?;
    let len = file.len()?;
    let broken = || Error::from(Damage::new(path, 0, len, DamageCause::Decode));
    if len > MAX_LEN || len < HEADER_LEN as u64 {
        return Err(broken());
    }
    let header = read_header(path, &*file)?;
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| broken())?];
    file.read_exact_at(0, &mut bytes)?;
    let (rest, crc) = bytes.split_last_chunk::<4>().ok_or_else(broken)?;
    let checked = rest.get(HEADER_LEN..).ok_or_else(broken)?;
    let (covered, code) = rest.split_last_chunk::<32>().ok_or_else(broken)?;
    let mut fields = Fixed::new(covered.get(HEADER_LEN..).ok_or_else(broken)?);
    let map_len = fields.u32().map_err(|_| broken())?;
    let map = fields.rest();
    if header.kind != T::KIND || crc32fast::hash(checked).to_le_bytes() != *crc || map.len() != map_len as usize {
        return Err(broken());
    }
    let value: T = decode_map(map).map_err(|error| error.unwrap_or_else(broken))?;
    Ok(IdentityFile { owner: header.owner, value, covered: covered.to_vec(), code: *code })
}

/// Decodes a map within its limits; `None` if it is broken.
pub(crate) fn decode_map<T: IdentityMap>(map: &[u8]) -> Result<T, Option<Error>> {
    let value: T = decode(map).map_err(|cause| match cause {
        Undecodable::Malformed => None,
        Undecodable::Unknown(what, number) => Some(Error::UnknownFeature { what, number }),
    })?;
    if value.is_within_limits() { Ok(value) } else { Err(None) }
}

/// A name for the file at `path`, from its bytes: a changed file has the same file id as its original.
pub(crate) fn name_by_bytes(vfs: &dyn Vfs, path: &Path) -> Result<Uuid, Error> {
    let file = vfs.open_read(path)?;
    let (mut hasher, mut at, end) = (Sha256::new(), 0, file.len()?);
    while at < end {
        let mut piece = vec![0; MAX_LEN.min(end - at) as usize];
        file.read_exact_at(at, &mut piece)?;
        hasher.update(&piece);
        at += piece.len() as u64;
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Ok(Uuid(*digest.first_chunk().ok_or(Error::Bug("a digest has 32 bytes"))?))
}

/// What is wrong with the copies, compared with the map that both should have.
pub(crate) fn verify_copies<T: IdentityMap>(
    vfs: &dyn Vfs,
    path: &Path,
    archive_key: &SecretKey,
    known: Option<(u64, [u8; 32])>,
) -> Result<Vec<Damage>, Error> {
    let mut damage = Vec::new();
    let (copies, paths) = (read_copies::<T>(vfs, path)?, copies_of(path));
    let first = copies[0].whole().map(IdentityFile::digest);
    for (copy, path) in copies.iter().zip(&paths) {
        match copy {
            IdentityCopy::Whole(file) => damage.extend(file.damage(path, archive_key, known)?),
            IdentityCopy::Missing => damage.push(Damage::new(path, 0, 0, DamageCause::Missing)),
            IdentityCopy::Broken(broken) => damage.push(broken.clone()),
            IdentityCopy::Unreadable(error) => return Err(error.clone()),
        }
    }
    if let (IdentityCopy::Whole(second), [_, path]) = (&copies[1], &paths)
        && damage.is_empty()
        && first.is_some_and(|first| first != second.digest())
    {
        damage.push(Damage::new(path, MAP_AT as u64, 0, DamageCause::Unrecorded));
    }
    Ok(damage)
}

impl<T: IdentityMap> IdentityFile<T> {
    /// What is wrong with the file at `path`, if generation and digest of the valid file are `known`.
    pub(crate) fn damage(&self, path: &Path, archive_key: &SecretKey, known: Option<(u64, [u8; 32])>) -> Result<Option<Damage>, Error> {
        let cause = match known {
            _ if !self.is_authentic(archive_key)? => DamageCause::Forged,
            Some((_, digest)) if self.digest() == digest => return Ok(None),
            Some((generation, _)) if self.value.generation() < generation => DamageCause::Older,
            Some(_) => DamageCause::Unrecorded,
            None => return Ok(None),
        };
        Ok(Some(Damage::new(path, 0, self.bytes().len() as u64, cause)))
    }
}
