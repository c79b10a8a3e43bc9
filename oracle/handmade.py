"""Files and stores made by hand, byte by byte as docs/FORMAT.md says, for tests of the readers."""

import hashlib
import os
import struct
import zlib

import zstandard

from fileformat import COPY, MARKER, made_header, sealed
from records import BLOCK, CONTAINER, CONTENT, LAST, RECORDS, TABLE, Fact, Tree, chain_after, chain_before_all, leaf, salts_of

KEY, FILE_ID, OWNER = bytes(range(32)), bytes(range(0x20, 0x30)), bytes(range(0x40, 0x50))


def encoded(value):
    """CBOR of what the format uses."""

    def head(major, n):
        for low, size in ((24, 0), (24, 1), (25, 2), (26, 4), (27, 8)):
            if size == 0 and n < 24:
                return bytes([major << 5 | n])
            if size and n < 1 << 8 * size:
                return bytes([major << 5 | low]) + n.to_bytes(size, "big")
        raise ValueError(n)

    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encoded, value))
    return head(5, len(value)) + b"".join(encoded(k) + encoded(v) for k, v in value.items())


def frame(header, at, kind, plain):
    """A frame of a file, sealed as section 4 says."""
    body_length = len(plain) + 2 + 12 + 16 + 4 if kind != COPY else len(plain) + 4
    head = MARKER + struct.pack("<HHI", kind, 0, body_length)
    head += struct.pack("<I", zlib.crc32(head))
    if kind == COPY:
        body = plain
    else:
        nonce = struct.pack("<QI", at, kind)
        key = sealed("", header.raw, header.kind, header.owner, KEY, header).aead
        body = nonce + key.encrypt(nonce, b"\0\0" + plain, header.file_id + struct.pack("<Q", at) + head)
    return head + body + struct.pack("<I", zlib.crc32(body))


def file_of(kind, *frames, number=1, file_id=FILE_ID, first_sequence=0, chain=bytes(32)):
    """A file with these (kind, plaintext); None stands for some bytes of noise, COPY for a copy of the header."""
    header = made_header(kind, number, file_id, OWNER, KEY, first_sequence, chain)
    data = header.raw
    for item in frames:
        item = (COPY, header.raw) if item == COPY else item
        data += b"noise" if item is None else frame(header, len(data), *item)
    return sealed("made", data, kind, OWNER, KEY)


def stamp(sequence, index, synced=0, chain=bytes(32)):
    return struct.pack("<QIQ32s", sequence, index, synced, chain)


def packed(data):
    return zstandard.ZstdCompressor().compress(data)


def container_id(number):
    return bytes([number]) * 16


class Book:
    """A store, commit by commit. Each fact is `(kind, map)`; a seed gives the salts of contents, another one those of all other facts,
    unless facts are erased: then the salts of the others are explicit."""

    def __init__(self):
        self.links, self.tree = [chain_before_all(OWNER)], Tree()
        self.files = []  # records: (first sequence, chain value before it, frames)
        self.begin_file()
        self.containers = {}  # number: frames
        self.end = [0, 0]

    def begin_file(self):
        self.frames = []
        self.files.append((len(self.links), self.links[-1], self.frames))

    def seed(self, sequence, of_contents=True):
        return bytes([sequence]) * 31 + bytes([of_contents])

    def add(self, *facts, erased=(), blocks=None, section=()):
        """A commit. `blocks`: the number of its container, and what comes there: (stored bytes of a block, the table after it)."""
        sequence, before = len(self.links), self.links[-1]
        contents = sum(kind == CONTENT for kind, _ in facts)
        ranges = [[0, 1, self.seed(sequence)]] if contents else []
        ranges += [[contents, 1, self.seed(sequence, False)]] if contents < len(facts) else []
        salts, _ = salts_of(ranges, len(facts))
        items, hashes = [], []
        for index, (kind, value) in enumerate(facts):
            data = encoded(value)
            hash = hashlib.sha256(salts[index] + data).digest()
            leaves = [leaf(salts[index], value[2])] if kind == CONTENT else []
            for each in leaves:
                self.tree.add(each)
            hashes.append(Fact(kind, None, None, hash, None, None))
            items.append([0, kind, hash, *leaves] if index in erased else [kind, data])
        if erased:
            ranges = [[0, 2, b"".join(bytes(16) if index in erased else salt for index, salt in enumerate(salts))]]
        stamps = (stamp(sequence, index, sequence - 1, before) for index in range(99))
        if blocks:
            number, stored = blocks
            for data, table in stored:
                frames = self.containers.setdefault(number, [])
                frames += [(BLOCK, next(stamps) + plain_block(data)), (TABLE, next(stamps) + packed(encoded({1: sequence, **table})))]
            self.end = [number, len(file_of(CONTAINER, *self.containers[number]).data)]
        self.frames += [(BLOCK, next(stamps) + plain_block(data)) for data in section]
        skeleton = encoded({1: sequence, 2: 0, 3: self.tree.size, 4: self.tree.head(), 5: self.end, 6: len(section)})
        self.links.append(chain_after(before, skeleton, hashes))
        self.frames.append((LAST, next(stamps) + self.links[-1] + packed(encoded({1: skeleton, 2: items, 3: ranges}))))

    def write(self, folder, without=()):
        """Writes the files of the store; containers in `without` are gone."""
        os.makedirs(os.path.join(folder, "records"))
        os.makedirs(os.path.join(folder, "content"))
        for number, (sequence, chain, frames) in enumerate(self.files, 1):
            file_id = bytes([number]) * 16
            with open(os.path.join(folder, "records", f"{number:06}.mkr"), "wb") as f:
                f.write(file_of(RECORDS, *frames, number=number, file_id=file_id, first_sequence=sequence, chain=chain).data)
        for number, frames in self.containers.items():
            if number not in without:
                with open(os.path.join(folder, "content", f"{number:06}.mkc"), "wb") as f:
                    f.write(file_of(CONTAINER, *frames, number=number, file_id=container_id(number)).data)


def plain_block(data):
    return struct.pack("<BI", 0, len(data)) + data
