"""Files of an archive as docs/FORMAT.md says: headers, frames, keys, CBOR. Needs the package `cryptography`."""

import binascii
import hmac
import mmap
import os
import struct
import zlib
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER = 144
HEAD = 16
MARKER = b"MKF\x01"
MAGIC = b"MAILKEEP"
VERSION, SCHEME = 2, 1
LONGEST_BODY = 64 << 20
COPY = 14
IDENTITIES = ("archive.mk", "archive.mk.2", "store.mk", "store.mk.2")
ARCHIVE_IDENTITY, STORE_IDENTITY = 1, 2
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class FormatError(Exception):
    """A byte that violates the format: file, offset, what."""

    def __init__(self, path, offset, what):
        super().__init__(f"{path}: offset {offset}: {what}")
        self.path, self.offset, self.what = path, offset, what


# ------------------------------------------------------------------------------------------------------------------------ CBOR


def cbor(data):
    """Decodes `data` as one CBOR item (RFC 8949)."""
    value, at = cbor_item(data, 0)
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes behind the CBOR item")
    return value


def cbor_item(data, at, depth=0):
    """(item, where it ends). Refuses what section 1 says is never written: keys that do not rise, floats, tags, indefinite lengths."""
    if depth > 64:
        raise ValueError("CBOR too deep")
    if at >= len(data):
        raise ValueError("CBOR cut short")
    first = data[at]
    at += 1
    major, low = first >> 5, first & 31
    if low < 24:
        n = low
    elif low < 28:
        size = 1 << (low - 24)
        n = int.from_bytes(data[at : at + size], "big")
        if at + size > len(data):
            raise ValueError("CBOR cut short")
        at += size
    else:
        raise ValueError(f"CBOR initial byte {first:#x}")
    if major == 0:
        return n, at
    if major == 1:
        return -1 - n, at
    if major in (2, 3):
        if at + n > len(data):
            raise ValueError("CBOR cut short")
        raw = bytes(data[at : at + n])
        return (raw if major == 2 else raw.decode("utf-8")), at + n
    if major == 4:
        out = []
        for _ in range(n):
            item, at = cbor_item(data, at, depth + 1)
            out.append(item)
        return out, at
    if major == 5:
        out = {}
        before = -1
        for _ in range(n):
            key, at = cbor_item(data, at, depth + 1)
            if type(key) is not int or key <= before:
                raise ValueError(f"the keys of a CBOR map do not rise: {before}, {key!r}")
            out[key], at = cbor_item(data, at, depth + 1)
            before = key
        return out, at
    if major == 7 and low in (20, 21):
        return low == 21, at
    if major == 7 and low == 22:
        return None, at
    raise ValueError(f"CBOR initial byte {first:#x}")


def judge_keys(what, value, known, notes):
    """Keys of a map by their class (section 1): below 64 an unknown one is refused, below 128 it forbids writing, others are passed over."""
    for key in value:
        if key in known or key >= 128:
            continue
        if key < 64:
            raise ValueError(f"{what}: unknown key {key}")
        notes.add(f"{what}: key {key} is unknown: nothing may be written")


# ------------------------------------------------------------------------------------------------------------------------ keys


def hkdf(ikm, salt, info):
    """64 bytes: key and commitment."""
    out = HKDF(algorithm=hashes.SHA256(), length=64, salt=salt, info=info).derive(ikm)
    return out[:32], out[32:]


def open_sealed(key, nonce, sealed, aad):
    return AESGCM(key).decrypt(nonce, sealed, aad)


class Keys(NamedTuple):
    archive_id: bytes
    archive_key: bytes
    master_key: bytes


def read_key_file(path):
    """(archive id, secret) of a key file."""
    with open(path, encoding="ascii") as f:
        word, archive, secret = f.read().split()
    if word != "mailkeep-key-1":
        raise ValueError(f"{path} is no key file")
    return bytes.fromhex(archive), bytes.fromhex(secret)


def unwrap(outer, wrap, purpose, owner):
    """The key in a KeyWrap map."""
    generation = wrap[1]
    info = b"mailkeep wrap" + purpose + owner + struct.pack("<I", generation)
    key, commitment = hkdf(outer, wrap[2], info)
    if commitment != wrap[5]:
        raise ValueError(f"{purpose.decode()}: wrong commitment")
    return open_sealed(key, wrap[3], wrap[4], owner)


KEY_FILE, RECOVERY_KEY = 1, 2


def read_recovery_key(path):
    """(first 20 bits of the archive's id, key) of a recovery key as text (section 5)."""
    with open(path, encoding="utf-8") as f:
        text = f.read().upper()
    text = "".join(c for c in text if not c.isspace() and c != "-").translate(str.maketrans("OIL", "011"))
    if len(text) != 60 or any(c not in CROCKFORD for c in text):
        raise ValueError(f"{path} is no recovery key")
    bits = 0
    for c in text:
        bits = bits << 5 | CROCKFORD.index(c)
    identifier, key, zero, check = bits >> 280, (bits >> 24 & (1 << 256) - 1).to_bytes(32, "big"), bits >> 20 & 15, bits & (1 << 20) - 1
    if zero or check != zlib.crc32(identifier.to_bytes(4, "big") + key) >> 12:
        raise ValueError(f"{path}: the check of the recovery key does not fit")
    return identifier, key


def archive_key(identity, archive_id, kind, secret):
    """The archive key by a slot of this kind; slots of other kinds are not tried."""
    for slot in identity[1]:
        if slot[2] != kind:
            continue
        cost = slot.get(3) or {}
        aad = struct.pack("<BIII", slot[2], cost.get(1, 0), cost.get(2, 0), cost.get(3, 0)) + slot[1] + archive_id
        key, commitment = hkdf(secret, slot[4], b"mailkeep slot" + aad)
        if commitment == slot[7]:
            return open_sealed(key, slot[5], slot[6], aad)
    raise ValueError("no slot of archive.mk fits the key")


def archive_keys(archive, key_file):
    archive_id, secret = read_key_file(key_file)
    path = os.path.join(archive, "archive.mk")
    file = read_either(path, ARCHIVE_IDENTITY)
    if file.header.owner != archive_id:
        raise ValueError("the key file is of another archive")
    key = archive_key(file.map, archive_id, KEY_FILE, secret)
    check_identity(path, file, key)
    return Keys(archive_id, key, unwrap(key, file.map[2], b"master key", archive_id))


def store_key(keys, store):
    """(UUID, store key) of the store in a folder."""
    path = os.path.join(store, "store.mk")
    file = read_either(path, STORE_IDENTITY)
    if file.map[1] != keys.archive_id:
        raise ValueError(f"{path} is of another archive")
    check_identity(path, file, keys.archive_key)
    return file.header.owner, unwrap(keys.archive_key, file.map[2], b"store key", file.header.owner)


def store_key_by_recovery(store, recovery_key):
    """(UUID, store key) by the recovery key and store.mk alone; its HMAC cannot be checked."""
    file = read_either(os.path.join(store, "store.mk"), STORE_IDENTITY)
    outer = unwrap(recovery_key, file.map[4], b"recovery wrap key by recovery key", file.map[1])
    return file.header.owner, unwrap(outer, file.map[3], b"store key by recovery", file.header.owner)


# ------------------------------------------------------------------------------------------------------------------------ files


class Header(NamedTuple):
    kind: int
    version: int
    scheme: int
    length: int
    file_id: bytes
    owner: bytes
    number: int
    generation: int
    reserved: int
    first_sequence: int
    chain: bytes
    commitment: bytes
    raw: bytes


def read_header(path, data):
    if len(data) < HEADER:
        raise FormatError(path, len(data), f"a file header has {HEADER} bytes")
    fields = struct.unpack_from("<HHHH16s16sQIQQ32s32sI", data, 8)
    if data[:8] != MAGIC:
        raise FormatError(path, 0, f"magic is {data[:8]!r}")
    if fields[-1] != zlib.crc32(data[: HEADER - 4]):
        raise FormatError(path, HEADER - 4, "wrong CRC of the file header")
    header = Header(*fields[:-1], bytes(data[:HEADER]))
    if (header.version, header.scheme) != (VERSION, SCHEME):
        raise FormatError(path, 10, f"version {header.version}, key scheme {header.scheme}")
    if header.length != HEADER:
        raise FormatError(path, 14, f"header length {header.length}")
    if header.reserved:
        raise FormatError(path, 60, "reserved bytes are not zero")
    return header


class Identity(NamedTuple):
    header: Header
    map: dict
    signed: bytes  # what the HMAC covers
    mac: bytes


def read_identity(path, kind=None):
    """archive.mk or store.mk; every byte of the file is checked, the HMAC only by `check_identity`."""
    with open(path, "rb") as f:
        data = f.read((1 << 20) + 1)
    if len(data) > 1 << 20:
        raise FormatError(path, 1 << 20, "an identity file has at most 1 MiB")
    header = read_header(path, data)
    if kind is not None and header.kind != kind:
        raise FormatError(path, 8, f"kind {header.kind}, not {kind}")
    if header.number or header.generation or header.first_sequence or any(header.chain) or any(header.commitment):
        raise FormatError(path, 48, "fields of the header that an identity file does not have are not zero")
    (length,) = struct.unpack_from("<I", data, HEADER)
    end = HEADER + 4 + length
    if len(data) != end + 36:
        raise FormatError(path, end, f"the file has {len(data)} bytes, its map ends at {end}")
    (crc,) = struct.unpack_from("<I", data, end + 32)
    if crc != zlib.crc32(data[HEADER : end + 32]):
        raise FormatError(path, end + 32, "wrong CRC of the map")
    found = cbor(data[HEADER + 4 : end])
    notes = set()
    judge_keys(path, found, range(1, 7) if header.kind == ARCHIVE_IDENTITY else range(1, 8), notes)
    wraps = [found[k] for k in ((2, 3, 4, 5) if header.kind == ARCHIVE_IDENTITY else (2, 3, 4))]
    for wrap in wraps:
        judge_keys(f"{path}: a wrap", wrap, (1, 2, 3, 4, 5), notes)
    for slot in found[1] if header.kind == ARCHIVE_IDENTITY else ():
        judge_keys(f"{path}: a slot", slot, (1, 2, 3, 4, 5, 6, 7, 8), notes)
        judge_keys(f"{path}: a slot's cost", slot.get(3) or {}, (1, 2, 3), notes)
    return Identity(header, found, data[:end], data[end : end + 32])


def read_either(path, kind):
    """The identity in a file, or in its second copy if the first is missing or broken (section 6)."""
    try:
        return read_identity(path, kind)
    except (OSError, ValueError, LookupError, struct.error, FormatError):
        return read_identity(path + ".2", kind)


def identity_key(key, file_id, owner):
    """The key of the HMAC of an identity file, from the archive key."""
    return hkdf(key, file_id, b"mailkeep identity" + owner)[0]


def check_identity(path, file, key):
    if not hmac.compare_digest(hmac.digest(identity_key(key, file.header.file_id, file.header.owner), file.signed, "sha256"), file.mac):
        raise FormatError(path, len(file.signed), "the HMAC does not fit the archive key")


def file_key(path, header, outer):
    """The key of a sealed file, its commitment compared."""
    key, commitment = hkdf(outer, header.file_id, b"mailkeep file" + header.raw[:108])
    if commitment != header.commitment:
        raise FormatError(path, 108, "the key commitment does not fit the key")
    return key


class Frame(NamedTuple):
    offset: int
    kind: int
    length: int
    plain: bytes  # None without a key; of a copy of the header the 144 bytes


class Sealed(NamedTuple):
    """Bytes of a sealed file, whole or its tail, and what opens the frames in them."""

    path: str
    data: bytes
    header: Header
    aead: AESGCM  # None without a key
    base: int = 0  # where the bytes are in the file
    skip: int = HEADER  # where in the bytes frames begin

    def end(self):
        return self.base + len(self.data)


def read_frames(file, at=None):
    """Every frame from offset `at` on; raises at the first byte outside a frame."""
    at = file.base + file.skip if at is None else at
    while at < file.end():
        frame = read_frame(file, at)
        yield frame
        at += frame.length


def scan_frames(file):
    """Frames and stretches without frames: (frame, None) or (None, the error). After a bad stretch the next good frame follows (section 4)."""
    at = file.base + file.skip
    while at < file.end():
        try:
            frame = read_frame(file, at)
        except FormatError as error:
            yield None, error
            at = next_frame(file, at + 1)
            continue
        yield frame, None
        at += frame.length


def next_frame(file, at):
    """The next offset from `at` on that has the marker and a whole good frame; the end if there is none."""
    while True:
        found = file.data.find(MARKER, at - file.base)
        if found < 0:
            return file.end()
        at = file.base + found
        try:
            read_frame(file, at)
            return at
        except FormatError:
            at += 1


def checked_body(path, data, base, at):
    """(head, kind, body without its CRC) of the frame at an offset, checked without a key."""
    begin = at - base
    head = bytes(data[begin : begin + HEAD])
    if len(head) < HEAD:
        raise FormatError(path, at, f"{len(head)} bytes after the last frame")
    marker, kind, flags, length, crc = struct.unpack("<4sHHII", head)
    if marker != MARKER:
        raise FormatError(path, at, f"no frame marker: {marker!r}")
    if crc != zlib.crc32(head[:12]):
        raise FormatError(path, at + 12, "wrong CRC of a frame's head")
    if flags:
        raise FormatError(path, at + 6, f"flags {flags}")
    begin += HEAD
    if begin + length > len(data) or not 34 <= length <= LONGEST_BODY:
        raise FormatError(path, at + 8, f"body of {length} bytes does not fit")
    body = bytes(data[begin : begin + length])
    (crc,) = struct.unpack_from("<I", body, length - 4)
    if crc != zlib.crc32(body[:-4]):
        raise FormatError(path, at + HEAD, "wrong CRC of a frame's body")
    return head, kind, body[:-4]


def read_frame(file, at):
    head, kind, body = checked_body(file.path, file.data, file.base, at)
    length = HEAD + len(body) + 4
    if kind == COPY:
        if len(body) != HEADER:
            raise FormatError(file.path, at + 8, f"a copy of the header of {len(body)} bytes")
        return Frame(at, kind, length, body)
    if not file.aead:
        return Frame(at, kind, length, None)
    aad = file.header.file_id + struct.pack("<Q", at) + head
    try:
        padded = file.aead.decrypt(body[:12], body[12:], aad)
    except InvalidTag:
        raise FormatError(file.path, at + HEAD, "the tag of a frame does not fit") from None
    (pad,) = struct.unpack_from("<H", padded)
    if pad + 2 > len(padded) or any(padded[len(padded) - pad :]):
        raise FormatError(file.path, at + HEAD, "a pad that is longer than its frame or not zero")
    return Frame(at, kind, length, padded[2 : len(padded) - pad])


def copied_header(path, data):
    """The first good copy of a file's header, found without a key (section 4), or None."""
    at = data.find(MARKER)
    while at >= 0:
        try:
            _, kind, body = checked_body(path, data, 0, at)
            if kind == COPY and len(body) == HEADER:
                return read_header(path, body)
        except FormatError:
            pass
        at = data.find(MARKER, at + 1)
    return None


def made_header(kind, number, file_id, owner, outer, first_sequence=0, chain=bytes(32)):
    """The header of a container as it follows from fact 2 (section 15), or of another file."""
    head = MAGIC + struct.pack("<HHHH16s16sQIQQ32s", kind, VERSION, SCHEME, HEADER, file_id, owner, number, 1, 0, first_sequence, chain)
    head += hkdf(outer, file_id, b"mailkeep file" + head)[1]
    return read_header("", head + struct.pack("<I", zlib.crc32(head)))


def sealed(path, data, kind, owner, outer, header=None):
    """A sealed file of this kind and owner; `header` replaces the one in the file."""
    header = header or read_header(path, data)
    if (header.kind, header.owner) != (kind, owner):
        raise FormatError(path, 8, f"kind {header.kind} of {hexed(header.owner)}")
    return Sealed(path, data, header, AESGCM(file_key(path, header, outer)))


def mapped(path):
    """The bytes of a file, read as they are needed."""
    with open(path, "rb") as f:
        return mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if os.path.getsize(path) else b""


def open_file(path, kind, owner, outer):
    """A sealed file. If the header of a container or records file is broken, its first good copy replaces it (section 4)."""
    data = mapped(path)
    try:
        header = read_header(path, data)
    except FormatError:
        header = copied_header(path, data) if kind in (3, 4) else None
        if header is None:
            raise
    return sealed(path, data, kind, owner, outer, header)


def check_lock(path):
    """write.lock, byte by byte."""
    with open(path, "rb") as f:
        data = f.read()
    if not data:
        return
    if len(data) != 64:
        raise FormatError(path, len(data), "write.lock has 64 bytes")
    if data[:8] != b"MKLOCK\0\x01":
        raise FormatError(path, 0, "magic")
    if struct.unpack_from("<I", data, 60)[0] != zlib.crc32(data[:60]):
        raise FormatError(path, 60, "wrong CRC")
    host = data[20:60].rstrip(b"\0")
    if b"\0" in host:
        raise FormatError(path, 20, "the host is not padded with zeros at its end")


def hexed(data):
    return binascii.hexlify(data).decode()
