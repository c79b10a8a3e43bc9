//! What opens an archive: a key file, the recovery key, passphrases. Each wraps the archive key in a separate slot.
//!
//! Passphrases go through Argon2id (RFC 9106). The bounds on its parameters are checked before any work, since a forged
//! slot could otherwise demand all memory. Docs: FORMAT.md, "Keys"; SECURITY.md says what each key gives access to.

use icu_normalizer::ComposingNormalizerBorrowed;
use minicbor::decode::Error as CborError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use super::derive::{DoesNotOpen, FileKey, SecretKey, commits, random};
use crate::error::Error;
use crate::id::Uuid;
use crate::wire::{Keys, Undecodable, decode, encode};

/// The most slots of an archive.
const MOST_SLOTS: usize = 64;
/// The most of these that are for passphrases.
const MOST_PASSPHRASES: usize = 8;
/// KiB of memory times passes, of all passphrases together: a wrong passphrase is tried on all of them.
const MOST_WORK: u64 = 8 << 20;

const KEY_FILE_TAG: &str = "mailkeep-key-1";
/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 5;
const RECOVERY_CHARS: usize = 60;

/// Something that opens an archive.
pub enum Key {
    /// The text of a key file.
    File(Secret),
    /// The recovery key as printed.
    Recovery(Secret),
    /// A passphrase.
    Passphrase(Secret),
}

/// A key or passphrase as text. It is wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind().name())
    }
}

impl Key {
    /// What kind of slot it opens.
    #[must_use]
    pub fn kind(&self) -> SlotKind {
        match self {
            Self::File(_) => SlotKind::KeyFile,
            Self::Recovery(_) => SlotKind::Recovery,
            Self::Passphrase(_) => SlotKind::Passphrase,
        }
    }
}

/// The kinds of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// A key file outside the archive.
    KeyFile,
    /// The recovery key, made once with the archive.
    Recovery,
    /// A passphrase.
    Passphrase,
}

impl SlotKind {
    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "key file",
            Self::Recovery => "recovery key",
            Self::Passphrase => "passphrase",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::KeyFile => 1,
            Self::Recovery => 2,
            Self::Passphrase => 3,
        }
    }
}

/// A slot as shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// Identifier of the slot: the first eight hex digits of its random id.
    pub id: String,
    /// What opens it.
    pub kind: SlotKind,
    /// When it was made: seconds since 1970, UTC.
    pub made: i64,
}

/// The keys made with an archive. The caller keeps them; the archive contains only what they wrap.
#[derive(Debug)]
pub struct ArchiveKeys {
    /// Text for the key file, if one was requested.
    pub key_file: Option<Secret>,
    /// The recovery key as it is printed, twelve groups of five characters: with it and the folder everything opens. Shown
    /// once.
    pub recovery: Secret,
}

/// The printable recovery key: 256 random bits with an identifier of the archive and check characters, in groups of
/// five.
pub(crate) fn print_recovery_key(archive: Uuid, secret: &SecretKey) -> Secret {
    let mut bits = Bits::default();
    bits.push(id_bits(archive).into(), 20);
    secret.bytes().iter().for_each(|byte| bits.push(u64::from(*byte), 8));
    bits.push(0, 4);
    bits.push(check_bits(archive, secret).into(), 20);
    let mut text = Zeroizing::new(String::with_capacity(RECOVERY_CHARS + RECOVERY_CHARS / GROUP));
    for (at, value) in bits.digits().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(value & 31)]));
    }
    Secret(text)
}

fn id_bits(archive: Uuid) -> u32 {
    u32::from_be_bytes([0, archive.0[0], archive.0[1], archive.0[2]]) >> 4
}

fn check_bits(archive: Uuid, secret: &SecretKey) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&id_bits(archive).to_be_bytes());
    hasher.update(secret.bytes());
    hasher.finalize() >> 12
}

/// The first four characters of every recovery key of this archive, so that a person finds the right printout.
pub(crate) fn recovery_identifier(archive: Uuid) -> String {
    let bits = id_bits(archive);
    (0..4).rev().map(|at| char::from(ALPHABET[(bits >> (5 * at)) as usize & 31])).collect()
}

#[derive(Default)]
struct Bits(Zeroizing<Vec<bool>>);

impl Bits {
    fn push(&mut self, value: u64, count: u32) {
        self.0.extend((0..count).rev().map(|at| value >> at & 1 == 1));
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.0.chunks(5).map(|bits| bits.iter().fold(0, |value, bit| value << 1 | u8::from(*bit)))
    }
}

fn parse_recovery(text: &str) -> Result<SecretKey, Error> {
    let wrong = |hint| Error::BadKey { what: "recovery key".to_owned(), hint };
    let mut bits = Bits::default();
    let mut count = 0;
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET.iter().position(|known| char::from(*known) == c);
        bits.push(value.ok_or_else(|| wrong("it has letters and digits only, in groups of five"))? as u64, 5);
        count += 1;
    }
    if count != RECOVERY_CHARS {
        return Err(wrong("it has twelve groups of five characters"));
    }
    let number = |range: std::ops::Range<usize>| bits.0[range].iter().fold(0u32, |value, bit| value << 1 | u32::from(*bit));
    let mut secret = [0; 32];
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = number(20 + at * 8..28 + at * 8) as u8;
    }
    let secret = SecretKey::new(secret);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number(0..20).to_be_bytes());
    hasher.update(secret.bytes());
    if number(276..280) != 0 || number(280..300) != hasher.finalize() >> 12 {
        return Err(wrong("a character is wrong (the check characters do not fit)"));
    }
    Ok(secret)
}

fn print_key_file(archive: Uuid, secret: &SecretKey) -> Secret {
    let mut text = Zeroizing::new(format!("{KEY_FILE_TAG} {archive} "));
    for byte in secret.bytes() {
        text.push_str(&format!("{byte:02x}"));
    }
    text.push('\n');
    Secret(text)
}

fn parse_key_file(text: &str, archive: Uuid) -> Result<SecretKey, Error> {
    let wrong = |hint| Error::BadKey { what: "key file".to_owned(), hint };
    let mut words = text.split_ascii_whitespace();
    let (tag, id, digits) = (words.next(), words.next(), words.next());
    if tag != Some(KEY_FILE_TAG) || words.next().is_some() {
        return Err(wrong("it is one line: mailkeep-key-1, the archive's id, 64 hex digits"));
    }
    if id != Some(archive.to_string().as_str()) {
        return Err(wrong("it belongs to another archive"));
    }
    let digits = digits.filter(|digits| digits.len() == 64 && digits.is_ascii()).ok_or_else(|| wrong("its key has 64 hex digits"))?;
    let mut secret = Zeroizing::new([0; 32]);
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).map_err(|_| wrong("its key has 64 hex digits"))?;
    }
    Ok(SecretKey::new(*secret))
}

/// Argon2id's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Cost {
    #[n(1)]
    memory_kib: u32,
    #[n(2)]
    passes: u32,
    #[n(3)]
    lanes: u32,
}

impl Cost {
    const DEFAULT: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };

    /// Bounds of this program, not of the format.
    fn is_within_bounds(self) -> bool {
        (19 << 10..=1024 << 10).contains(&self.memory_kib) && (1..=16).contains(&self.passes) && (1..=8).contains(&self.lanes)
    }

    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// The same passphrase is typed as different characters on different systems: composed (NFC), they are the same.
    fn stretch(self, passphrase: &str, salt: &[u8; 16]) -> Result<SecretKey, Error> {
        let passphrase = Zeroizing::new(ComposingNormalizerBorrowed::new_nfc().normalize(passphrase).into_owned());
        let refused = |_| Error::Bug("Argon2id refused checked parameters");
        let params = argon2::Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(refused)?;
        let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut out = Zeroizing::new([0; 32]);
        argon2.hash_password_into(passphrase.as_bytes(), salt, &mut *out).map_err(refused)?;
        Ok(SecretKey::new(*out))
    }
}

/// The archive key wrapped by one key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Slot {
    #[cbor(n(1), with = "minicbor::bytes")]
    id: [u8; 16],
    #[n(2)]
    kind: u8,
    #[n(3)]
    cost: Option<Cost>,
    #[cbor(n(4), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[cbor(n(5), with = "minicbor::bytes")]
    nonce: [u8; 12],
    #[cbor(n(6), with = "minicbor::bytes")]
    sealed: Vec<u8>,
    #[cbor(n(7), with = "minicbor::bytes")]
    commitment: [u8; 32],
    #[n(8)]
    made: i64,
}

impl Keys for Slot {
    const WHAT: &'static str = "key of a slot";
    const LAST: u64 = 8;
}

impl Slot {
    fn kind(&self) -> Option<SlotKind> {
        [SlotKind::KeyFile, SlotKind::Recovery, SlotKind::Passphrase].into_iter().find(|kind| kind.number() == self.kind)
    }

    /// The slot as shown to people; `None` for kinds of a newer version.
    pub(crate) fn info(&self) -> Option<SlotInfo> {
        Some(SlotInfo { id: Uuid(self.id).to_string()[..8].to_owned(), kind: self.kind()?, made: self.made })
    }

    fn aad(&self, archive: Uuid) -> Vec<u8> {
        let cost = self.cost.unwrap_or(Cost { memory_kib: 0, passes: 0, lanes: 0 });
        let numbers = [cost.memory_kib, cost.passes, cost.lanes].map(u32::to_le_bytes);
        [&[self.kind], numbers.as_flattened(), &self.id, &archive.0].concat()
    }

    fn wrapping(&self, material: &SecretKey, archive: Uuid) -> Result<(FileKey, [u8; 32]), Error> {
        material.derive(&self.salt, &[b"mailkeep slot", &self.aad(archive)])
    }

    fn make(kind: SlotKind, archive: Uuid, archive_key: &SecretKey, made: i64, material: Material<'_>) -> Result<Self, Error> {
        let cost = matches!(material, Material::Passphrase(_)).then_some(Cost::DEFAULT);
        let (id, salt) = (random()?, random()?);
        let mut slot =
            Self { id, kind: kind.number(), cost, salt, nonce: [0; 12], sealed: archive_key.bytes().to_vec(), commitment: [0; 32], made };
        let (key, commitment) = match material {
            Material::Secret(secret) => slot.wrapping(secret, archive)?,
            Material::Passphrase(text) => slot.wrapping(&Cost::DEFAULT.stretch(text, &salt)?, archive)?,
        };
        slot.commitment = commitment;
        let aad = slot.aad(archive);
        slot.nonce = key.seal(&mut slot.sealed, 0, &aad)?;
        Ok(slot)
    }

    /// A slot for a new key file, and the file's text.
    pub(crate) fn key_file(archive: Uuid, archive_key: &SecretKey, made: i64) -> Result<(Self, Secret), Error> {
        let secret = SecretKey::random()?;
        let slot = Self::make(SlotKind::KeyFile, archive, archive_key, made, Material::Secret(&secret))?;
        Ok((slot, print_key_file(archive, &secret)))
    }

    /// A slot for the recovery key.
    pub(crate) fn recovery(archive: Uuid, archive_key: &SecretKey, made: i64, secret: &SecretKey) -> Result<Self, Error> {
        Self::make(SlotKind::Recovery, archive, archive_key, made, Material::Secret(secret))
    }

    /// A slot for a passphrase.
    pub(crate) fn passphrase(archive: Uuid, archive_key: &SecretKey, made: i64, text: &str) -> Result<Self, Error> {
        Self::make(SlotKind::Passphrase, archive, archive_key, made, Material::Passphrase(text))
    }

    fn unwrap_with(&self, material: &SecretKey, archive: Uuid) -> Result<Option<SecretKey>, Error> {
        let (key, commitment) = self.wrapping(material, archive)?;
        if !commits(&commitment, &self.commitment) {
            return Ok(None);
        }
        let mut bytes = Zeroizing::new(self.sealed.clone());
        match key.open(&self.nonce, &mut bytes, &self.aad(archive)) {
            Ok(()) => Ok(<[u8; 32]>::try_from(bytes.as_slice()).ok().map(SecretKey::new)),
            Err(DoesNotOpen) => Ok(None),
        }
    }

    /// The archive key, and the slot that gave it, if one of `slots` opens with `key`. A slot whose cost exceeds the
    /// bounds of this program is skipped.
    pub(crate) fn open_any<'s>(slots: &'s [KeptSlot], archive: Uuid, key: &Key) -> Result<Option<(&'s Self, SecretKey)>, Error> {
        within_limits(slots)?;
        let mut costly = false;
        let secret = match key {
            Key::File(text) => Some(parse_key_file(text.text(), archive)?),
            Key::Recovery(text) => Some(parse_recovery(text.text())?),
            Key::Passphrase(_) => None,
        };
        for slot in slots.iter().filter_map(|kept| kept.slot.as_ref()).filter(|slot| slot.kind() == Some(key.kind())) {
            let opened = match (&secret, key, slot.cost) {
                (Some(secret), _, None) => slot.unwrap_with(secret, archive)?,
                (None, Key::Passphrase(_), Some(cost)) if !cost.is_within_bounds() => {
                    costly = true;
                    None
                }
                (None, Key::Passphrase(text), Some(cost)) => slot.unwrap_with(&cost.stretch(text.text(), &slot.salt)?, archive)?,
                _ => None,
            };
            if let Some(archive_key) = opened {
                return Ok(Some((slot, archive_key)));
            }
        }
        match costly {
            true => Err(Error::BadKey { what: "passphrase slot".to_owned(), hint: "its Argon2id cost is out of bounds" }),
            false => Ok(None),
        }
    }
}

/// A slot as it is in the file. Its bytes are kept, so that a slot of a newer kind, which is not tried, stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptSlot {
    bytes: Vec<u8>,
    slot: Option<Slot>,
}

impl From<Slot> for KeptSlot {
    fn from(slot: Slot) -> Self {
        Self { bytes: encode(&slot), slot: Some(slot) }
    }
}

impl KeptSlot {
    /// The slot as shown to people; `None` for slots of a newer version.
    pub(crate) fn info(&self) -> Option<SlotInfo> {
        self.slot.as_ref()?.info()
    }

    fn read(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = Decoder::new(bytes);
        let mut kind = None;
        for _ in 0..decoder.map()?.ok_or_else(|| CborError::message("a map of no stated length"))? {
            match decoder.u64()? {
                2 => kind = Some(decoder.u64()?),
                _ => decoder.skip()?,
            }
        }
        let is_known =
            [SlotKind::KeyFile, SlotKind::Recovery, SlotKind::Passphrase].iter().any(|known| kind == Some(known.number().into()));
        let slot = match is_known.then(|| decode(bytes)) {
            None | Some(Err(Undecodable::Unknown(..))) => None,
            Some(Ok(slot)) => Some(slot),
            Some(Err(Undecodable::Malformed)) => return Err(CborError::message("no slot")),
        };
        Ok(Self { bytes: bytes.to_vec(), slot })
    }
}

impl<C> Encode<C> for KeptSlot {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.writer_mut().write_all(&self.bytes).map_err(EncodeError::write)
    }
}

impl<'b, C> Decode<'b, C> for KeptSlot {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, CborError> {
        let start = d.position();
        d.skip()?;
        Self::read(d.input().get(start..d.position()).unwrap_or_default())
    }
}

/// Whether an archive may have these slots; checked before any of them is tried, since a forged file could otherwise
/// demand any amount of time and memory.
pub(crate) fn within_limits(slots: &[KeptSlot]) -> Result<(), Error> {
    let passphrases = slots.iter().filter_map(|kept| kept.slot.as_ref()).filter(|slot| slot.kind() == Some(SlotKind::Passphrase));
    let work = passphrases.clone().filter_map(|slot| slot.cost).fold(0u64, |sum, cost| sum.saturating_add(cost.work()));
    let too_many = |what: String| Err(Error::misuse(format!("an archive has at most {what}"), "remove a passphrase first"));
    if slots.len() > MOST_SLOTS {
        return too_many(format!("{MOST_SLOTS} slots"));
    }
    if passphrases.count() > MOST_PASSPHRASES {
        return too_many(format!("{MOST_PASSPHRASES} passphrases"));
    }
    if work > MOST_WORK {
        return too_many("8 GiB of memory times passes over all its passphrases".to_owned());
    }
    Ok(())
}

enum Material<'a> {
    Secret(&'a SecretKey),
    Passphrase(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVE: Uuid = Uuid([0xab; 16]);

    #[test]
    fn each_kind_of_slot_opens_with_its_own_key_alone() {
        let archive_key = SecretKey::new([9; 32]);
        let recovery = SecretKey::new([7; 32]);
        let (file_slot, file_text) = Slot::key_file(ARCHIVE, &archive_key, 0).unwrap();
        let recovery_slot = Slot::recovery(ARCHIVE, &archive_key, 0, &recovery).unwrap();
        let phrase_slot = Slot::passphrase(ARCHIVE, &archive_key, 0, "open sesame").unwrap();
        let slots = [file_slot, recovery_slot, phrase_slot].map(KeptSlot::from);
        let printed = print_recovery_key(ARCHIVE, &recovery);
        assert_eq!(printed.text().len(), 71);
        assert_eq!(printed.text()[..4], recovery_identifier(ARCHIVE));
        let open = |key: Key| Slot::open_any(&slots, ARCHIVE, &key).map(|found| found.map(|(slot, key)| (slot.kind, *key.bytes())));
        assert_eq!(open(Key::File(file_text.clone())).unwrap(), Some((1, [9; 32])));
        assert_eq!(open(Key::Recovery(printed.text().to_lowercase().into())).unwrap(), Some((2, [9; 32])));
        assert_eq!(open(Key::Passphrase("open sesame".to_owned().into())).unwrap(), Some((3, [9; 32])));
        assert_eq!(open(Key::Passphrase("Open sesame".to_owned().into())).unwrap(), None);
        assert!(Slot::open_any(&slots, Uuid([1; 16]), &Key::File(file_text)).is_err());
    }

    fn passphrase_slot(text: &str, cost: Cost) -> Slot {
        let slot = Slot::passphrase(ARCHIVE, &SecretKey::new([9; 32]), 0, text).unwrap();
        Slot { cost: Some(cost), ..slot }
    }

    #[test]
    fn a_passphrase_is_the_same_composed_and_decomposed() {
        let slots = [KeptSlot::from(passphrase_slot("caf\u{e9}", Cost::DEFAULT))];
        let typed = |text: &str| Slot::open_any(&slots, ARCHIVE, &Key::Passphrase(text.to_owned().into())).unwrap().is_some();
        assert!(typed("cafe\u{301}") && typed("caf\u{e9}") && !typed("cafe"));
    }

    #[test]
    fn forged_slots_cannot_ask_for_all_time_and_memory() {
        let slot = passphrase_slot("x", Cost::DEFAULT);
        let with = |count: usize, cost: Cost| vec![KeptSlot::from(Slot { cost: Some(cost), ..slot.clone() }); count];
        let typed = || Key::Passphrase("y".to_owned().into());
        assert!(within_limits(&with(8, Cost::DEFAULT)).is_ok());
        for slots in [
            with(9, Cost::DEFAULT),
            with(1, Cost { memory_kib: 1 << 20, passes: 9, lanes: 1 }),
            with(4, Cost { memory_kib: 1 << 20, passes: 3, lanes: 1 }),
            with(1, Cost { memory_kib: u32::MAX, passes: u32::MAX, lanes: 1 }),
        ] {
            assert!(within_limits(&slots).is_err());
            assert!(Slot::open_any(&slots, ARCHIVE, &typed()).is_err());
        }
        let key_file = KeptSlot::from(Slot::key_file(ARCHIVE, &SecretKey::new([9; 32]), 0).unwrap().0);
        assert!(within_limits(&vec![key_file.clone(); 64]).is_ok() && within_limits(&vec![key_file; 65]).is_err());
        // A slot with too high a cost hides no other slot.
        let costly = passphrase_slot("x", Cost { memory_kib: 1 << 10, passes: 1, lanes: 1 });
        let slots = [costly, slot].map(KeptSlot::from);
        assert!(Slot::open_any(&slots, ARCHIVE, &Key::Passphrase("x".to_owned().into())).unwrap().is_some());
        assert!(Slot::open_any(&slots, ARCHIVE, &typed()).is_err());
    }

    #[test]
    fn a_slot_of_a_newer_kind_is_kept_byte_for_byte_and_not_tried() {
        // Kind 200, and a key that this version does not know.
        let newer = [0xa2, 0x02, 0x18, 200, 0x18, 99, 0x63, b'n', b'e', b'w'];
        let kept = KeptSlot::read(&newer).unwrap();
        assert_eq!((encode(&kept), kept.info()), (newer.to_vec(), None));
        let (file_slot, text) = Slot::key_file(ARCHIVE, &SecretKey::new([9; 32]), 0).unwrap();
        let slots = [kept, file_slot.into()];
        assert!(Slot::open_any(&slots, ARCHIVE, &Key::File(text)).unwrap().is_some());
        let read: Vec<KeptSlot> = minicbor::decode(&minicbor::to_vec(slots.to_vec()).unwrap()).unwrap();
        assert_eq!(read, slots);
    }

    #[test]
    fn every_wrong_character_of_a_recovery_key_is_found() {
        let text = print_recovery_key(ARCHIVE, &SecretKey::new([7; 32])).text().to_owned();
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'7' { b'8' } else { b'7' };
            assert!(parse_recovery(std::str::from_utf8(&wrong).unwrap()).is_err(), "character {at}");
        }
    }
}
