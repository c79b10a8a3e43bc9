"""Files of an archive as docs/FORMAT.md says: headers, frames, keys, CBOR. Needs the package `cryptography`."""

import binascii
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


class FormatError(Exception):
    """A byte that is not as the format says: file, offset, what."""

    def __init__(self, path, offset, what):
        super().__init__(f"{path}: offset {offset}: {what}")
        self.path, self.offset, self.what = path, offset, what


# ------------------------------------------------------------------------------------------------------------------------ CBOR


def cbor(data):
    """The one CBOR item (RFC 8949) that `data` is."""
    value, at = cbor_item(data, 0)
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes behind the CBOR item")
    return value


def cbor_item(data, at, depth=0):
    if depth > 64:
        raise ValueError("CBOR too deep")
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
        for _ in range(n):
            key, at = cbor_item(data, at, depth + 1)
            out[key], at = cbor_item(data, at, depth + 1)
        return out, at
    if major == 6:
        return cbor_item(data, at, depth + 1)
    if low in (20, 21):
        return low == 21, at
    if low in (22, 23):
        return None, at
    if low == 26:
        return struct.unpack(">f", n.to_bytes(4, "big"))[0], at
    if low == 27:
        return struct.unpack(">d", n.to_bytes(8, "big"))[0], at
    raise ValueError(f"CBOR simple value {low}")


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


def archive_key(identity, archive_id, secret):
    """The archive key by the key file's slot."""
    for slot in identity[1]:
        if slot[2] != 1:
            continue
        cost = slot.get(3) or {}
        aad = struct.pack("<BIII", slot[2], cost.get(1, 0), cost.get(2, 0), cost.get(3, 0)) + slot[1] + archive_id
        key, commitment = hkdf(secret, slot[4], b"mailkeep slot" + aad)
        if commitment == slot[7]:
            return open_sealed(key, slot[5], slot[6], aad)
    raise ValueError("no slot of archive.mk fits the key file")


def archive_keys(archive, key_file):
    archive_id, secret = read_key_file(key_file)
    header, identity = read_either(os.path.join(archive, "archive.mk"))
    if header.owner != archive_id:
        raise ValueError("the key file is of another archive")
    key = archive_key(identity, archive_id, secret)
    return Keys(archive_id, key, unwrap(key, identity[2], b"master key", archive_id))


def store_key(keys, store):
    header, identity = read_either(os.path.join(store, "store.mk"))
    return header.owner, unwrap(keys.archive_key, identity[2], b"store key", header.owner)


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
    if header.length != HEADER:
        raise FormatError(path, 14, f"header length {header.length}")
    if header.reserved:
        raise FormatError(path, 60, "reserved bytes are not zero")
    return header


def read_identity(path):
    """(header, map) of archive.mk or store.mk; every byte of the file is looked at."""
    with open(path, "rb") as f:
        data = f.read()
    header = read_header(path, data)
    (length,) = struct.unpack_from("<I", data, HEADER)
    end = HEADER + 4 + length
    if len(data) != end + 4:
        raise FormatError(path, end, f"the file has {len(data)} bytes, its map ends at {end}")
    (crc,) = struct.unpack_from("<I", data, end)
    if crc != zlib.crc32(data[HEADER:end]):
        raise FormatError(path, end, "wrong CRC of the map")
    return header, cbor(data[HEADER + 4 : end])


def read_either(path):
    """The identity in a file, or in its second copy where the first is missing or broken (section 6)."""
    try:
        return read_identity(path)
    except (OSError, ValueError, LookupError, struct.error, FormatError):
        return read_identity(path + ".2")


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
    plain: bytes  # None without a key


def read_frames(path, data, key, at=HEADER, end=None):
    """Every frame from `at` on; raises at the first byte that is none."""
    with_key = AESGCM(key) if key else None
    file_id = bytes(data[16:32])
    end = len(data) if end is None else end
    while at < end:
        frame, at = read_frame(path, data, with_key, file_id, at)
        yield frame


def read_frame(path, data, aead, file_id, at):
    head = bytes(data[at : at + HEAD])
    if len(head) < HEAD:
        raise FormatError(path, at, f"{len(head)} bytes behind the last frame")
    marker, kind, flags, length, crc = struct.unpack("<4sHHII", head)
    if marker != MARKER:
        raise FormatError(path, at, f"no frame marker: {marker!r}")
    if crc != zlib.crc32(head[:12]):
        raise FormatError(path, at + 12, "wrong CRC of a frame's head")
    if flags:
        raise FormatError(path, at + 6, f"flags {flags}")
    begin = at + HEAD
    if begin + length > len(data) or length < 12 + 16 + 4:
        raise FormatError(path, at + 8, f"body of {length} bytes does not fit")
    body = data[begin : begin + length]
    (body_crc,) = struct.unpack_from("<I", body, length - 4)
    if body_crc != zlib.crc32(body[:-4]):
        raise FormatError(path, begin, "wrong CRC of a frame's body")
    plain = None
    if aead:
        aad = file_id + struct.pack("<Q", at) + head
        try:
            padded = aead.decrypt(bytes(body[:12]), bytes(body[12:-4]), aad)
        except InvalidTag:
            raise FormatError(path, begin, "the tag of a frame does not fit") from None
        (pad,) = struct.unpack_from("<H", padded)
        plain = padded[2 : len(padded) - pad]
        if any(padded[len(padded) - pad :]):
            raise FormatError(path, begin, "the pad is not zero")
    return Frame(at, kind, HEAD + length, plain), begin + length


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
