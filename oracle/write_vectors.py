"""Writes the test vectors beside docs/FORMAT.md: a small archive with known keys, nonces and ids, and what a reader must get from
it.

write_vectors.py DIR     (DIR is docs/vectors; existing files are replaced)

Written from the page, without the library: the library must read what it did not write. Everything that is random in an archive is
the SHA-256 of a label here, so two runs give the same archive. Needs `cryptography` (Argon2id) and `zstandard`; another version of zstd
compresses to other bytes of the same meaning.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import shutil
import struct
import zlib

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fileformat import COPY, CROCKFORD, HEADER, MAGIC, MARKER, hkdf
from records import BLOCK, HEAD_FRAME, LAST, MARK, MARK_INDEX, MOVED, TABLE, Tree, leaf, seeded

ARCHIVE_FILE, STORE_FILE, CONTAINER_FILE, RECORDS_FILE, HEAD_FILE = 1, 2, 3, 4, 10
PASSPHRASE = "Tür und Angel"
COST = {1: 19456, 2: 1, 3: 1}
TIME = 1_700_000_000
ARCHIVED = TIME * 1000


def drawn(label, n):
    """Bytes that would be random."""
    return hashlib.sha256(b"mailkeep test vectors: " + label.encode()).digest()[:n]


# ------------------------------------------------------------------------------------------------------------------------ CBOR


def head(major, n):
    for size, low in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << (8 * size):
            return bytes([major << 5 | low]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(map(cbor, value))
    there = sorted(key for key in value if value[key] is not None)
    return head(5, len(there)) + b"".join(cbor(key) + cbor(value[key]) for key in there)


def packed(data):
    return zstandard.ZstdCompressor(level=3).compress(data)


# ------------------------------------------------------------------------------------------------------------------------ files


class File:
    """A file of frames (sections 3 and 4), in memory."""

    def __init__(self, kind, label, owner, outer, number=0, first=0, chain=bytes(32), copies=False):
        self.file_id, self.copies = drawn(f"file id {label}", 16), copies
        fields = struct.pack("<HHHH16s16sQIQQ32s", kind, 2, 1, HEADER, self.file_id, owner, number, 1, 0, first, chain)
        begin = MAGIC + fields
        self.key, commitment = hkdf(outer, self.file_id, b"mailkeep file" + begin)
        begin += commitment
        self.header = begin + struct.pack("<I", zlib.crc32(begin))
        self.bytes = bytearray(self.header)

    def frame(self, kind, plain):
        """Appends a frame; its offset."""
        if self.copies and len(self.bytes) >= 4096:
            self.copy_header()
            self.copies = False
        at = len(self.bytes)
        plain = b"\0\0" + plain
        begin = MARKER + struct.pack("<HHI", kind, 0, 12 + len(plain) + 16 + 4)
        begin += struct.pack("<I", zlib.crc32(begin))
        nonce = drawn(f"nonce {self.file_id.hex()} {at}", 12)
        body = nonce + AESGCM(self.key).encrypt(nonce, plain, self.file_id + struct.pack("<Q", at) + begin)
        self.bytes += begin + body + struct.pack("<I", zlib.crc32(body))
        return at

    def copy_header(self):
        begin = MARKER + struct.pack("<HHI", COPY, 0, HEADER + 4)
        self.bytes += begin + struct.pack("<I", zlib.crc32(begin)) + self.header + struct.pack("<I", zlib.crc32(self.header))


def identity_file(kind, label, owner, map_bytes, archive_key):
    """Section 6."""
    file_id = drawn(f"file id {label}", 16)
    begin = MAGIC + struct.pack("<HHHH16s16sQIQQ32s32s", kind, 2, 1, HEADER, file_id, owner, 0, 0, 0, 0, bytes(32), bytes(32))
    begin += struct.pack("<I", zlib.crc32(begin))
    begin += struct.pack("<I", len(map_bytes)) + map_bytes
    key, _ = hkdf(archive_key, file_id, b"mailkeep identity" + owner)
    begin += hmac.digest(key, begin, "sha256")
    return begin + struct.pack("<I", zlib.crc32(begin[HEADER:]))


# ------------------------------------------------------------------------------------------------------------------------ keys


def sealed(key, label, inner, aad):
    nonce = drawn(f"nonce {label}", 12)
    return nonce, AESGCM(key).encrypt(nonce, inner, aad)


def wrap(outer, inner, purpose, owner):
    salt = drawn(f"salt {purpose}", 16)
    key, commitment = hkdf(outer, salt, b"mailkeep wrap" + purpose.encode() + owner + struct.pack("<I", 1))
    nonce, locked = sealed(key, purpose, inner, owner)
    return {1: 1, 2: salt, 3: nonce, 4: locked, 5: commitment}


def slot(kind, material, archive_id, archive_key, cost=None):
    slot_id, salt = drawn(f"slot {kind}", 16), drawn(f"salt of slot {kind}", 16)
    if cost:
        stretch = Argon2id(salt=salt, length=32, iterations=cost[2], lanes=cost[3], memory_cost=cost[1])
        material = stretch.derive(material)
    memory, passes, lanes = (cost[1], cost[2], cost[3]) if cost else (0, 0, 0)
    aad = struct.pack("<BIII", kind, memory, passes, lanes) + slot_id + archive_id
    key, commitment = hkdf(material, salt, b"mailkeep slot" + aad)
    nonce, locked = sealed(key, f"slot {kind}", archive_key, aad)
    return {1: slot_id, 2: kind, 3: cost, 4: salt, 5: nonce, 6: locked, 7: commitment, 8: TIME}


def recovery_text(archive_id, key):
    identifier = int.from_bytes(archive_id[:3], "big") >> 4
    check = zlib.crc32(identifier.to_bytes(4, "big") + key) >> 12
    bits = identifier << 280 | int.from_bytes(key, "big") << 24 | check
    text = "".join(CROCKFORD[bits >> shift & 31] for shift in range(295, -1, -5))
    return "-".join(text[i : i + 5] for i in range(0, 60, 5))


# ------------------------------------------------------------------------------------------------------------------------ records


class Chain:
    """Commits of one owner, as they follow each other (section 8)."""

    def __init__(self, owner):
        self.links = [hashlib.sha256(b"mailkeep chain" + owner).digest()]
        self.tree, self.said = Tree(), []

    def stamp(self, index):
        """Of a frame of the next commit; the one before is synced."""
        return struct.pack("<QIQ32s", len(self.links), index, len(self.links) - 1, self.links[-1])

    def mark(self):
        sequence = len(self.links) - 1
        return struct.pack("<QIQ32s", sequence, MARK_INDEX, sequence, self.links[-1])

    def commit(self, file, facts, salts, container_end=(0, 0), before=0, section=()):
        """Writes a commit. `facts` are [kind, bytes] or erased ones; `before` is the number of its frames in containers. Returns
        where it begins, and the places of its first piece and of the blocks of its section."""
        blocks = [file.frame(BLOCK, self.stamp(before + i) + block) for i, block in enumerate(section)]
        ranges = {first: (form, data) for first, form, data in salts}
        form = data = begun = None
        hashes, leaves = [], []
        for i, fact in enumerate(facts):
            if i in ranges:
                (form, data), begun = ranges[i], i
            salt = seeded(data, i) if form == 1 else data[16 * (i - begun) : 16 * (i - begun + 1)]
            kind, digest = (fact[1], fact[2]) if fact[0] == 0 else (fact[0], hashlib.sha256(salt + fact[1]).digest())
            hashes.append((kind, digest))
            if kind == 5:
                leaves.append(fact[3] if fact[0] == 0 else leaf(salt, self.digest_of(fact[1])))
        for each in leaves:
            self.tree.add(each)
        sequence = len(self.links)
        skeleton = cbor({1: sequence, 2: ARCHIVED + sequence, 3: self.tree.size, 4: self.tree.head(), 5: list(container_end), 6: len(section)})
        chained = self.links[-1] + struct.pack("<Q", len(skeleton)) + skeleton + struct.pack("<Q", len(facts))
        value = hashlib.sha256(chained + b"".join(struct.pack("<H", kind) + digest for kind, digest in hashes)).digest()
        body = packed(cbor({1: skeleton, 2: facts, 3: salts}))
        at = file.frame(LAST, self.stamp(before + len(section)) + value + body)
        self.links.append(value)
        said = [{"kind": kind, "hash": digest.hex()} for kind, digest in hashes]
        self.said.append({"sequence": sequence, "chain": value.hex(), "tree_size": self.tree.size, "tree": self.tree.head().hex(), "facts": said,
                          "leaves": [each.hex() for each in leaves]})  # fmt: skip
        return blocks[0] if blocks else at, at, blocks

    @staticmethod
    def digest_of(fact):
        # Keys 1 and 2 of a content come first: a number, then the digest.
        at = fact.index(b"\x02\x58\x20")
        return fact[at + 3 : at + 35]


def write_head(path, label, owner, key, chain, end, numbers, seen):
    file = File(HEAD_FILE, label, owner, key)
    tree = {1: chain.tree.size, 2: chain.tree.roots()}
    file.frame(HEAD_FRAME, cbor({1: len(chain.links) - 1, 2: chain.links[-1], 3: end, 4: numbers, 5: tree, 6: seen}))
    put(path, file.bytes)


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


# ------------------------------------------------------------------------------------------------------------------------ mails


def lines(text, length, end, ended):
    """Base64 as section 10 has it."""
    cut = [text[i : i + length] for i in range(0, len(text), length)] if length else [text]
    return end.join(cut) + (end if ended else b"")


def wrapped(length, crlf, ended):
    return length << 2 | crlf << 1 | ended


class Mail:
    """A mail as extents: bytes as they are, or (decoded, line length, CR LF, ended), or ("part", number, wrap or None)."""

    def __init__(self, subject, extents, parts=()):
        self.subject, self.raw, self.stored, self.shape = subject, b"", b"", []
        for extent in extents:
            if isinstance(extent, bytes):
                self.raw, self.stored = self.raw + extent, self.stored + extent
                self.shape += [1, len(extent), 0, 0]
                continue
            decoded, length, crlf, ended, part = extent
            text = lines(base64.b64encode(decoded), length or 0, b"\r\n" if crlf else b"\n", ended) if length is not None else decoded
            self.raw += text
            wrap_number = wrapped(length, crlf, ended) if length is not None else 0
            if part is None:
                self.stored += decoded
                self.shape += [2, len(decoded), wrap_number, 0]
            else:
                self.shape += [3 if length is None else 4, len(decoded), wrap_number, part]
        self.literal = self.shape == [1, len(self.raw), 0, 0]

    def fact(self, no, runs):
        return cbor({
            1: no, 2: hashlib.sha256(self.raw).digest(), 3: drawn(f"identity {no}", 16), 4: len(self.raw),
            5: None if self.literal else self.shape, 6: runs, 7: TIME, 8: 1, 9: ["Anna", "anna@example.org"], 10: ["", "bob@example.org"], 11: [],
            12: self.subject, 13: f"{no}@example.org", 14: b"", 15: b"", 17: 0, 18: 2,
        })  # fmt: skip


def header(subject, end=b"\n", more=b""):
    fields = [b"From: Anna <anna@example.org>", b"To: bob@example.org", b"Subject: " + subject.encode(), b"Date: Tue, 14 Nov 2023 22:13:20 +0000"]
    return end.join(fields + ([more] if more else [])) + end + end


def mails():
    """The mails of the first commit, and the part of two of them."""
    encoded = b"Content-Transfer-Encoding: base64"
    body = bytes(range(256)) + b"ends with one byte."
    part = b"".join(b"line %d of an attachment\n" % n for n in range(60))

    def leaf_of(subject, end, length, ended, data):
        return Mail(subject, [header(subject, end, encoded), (data, length, end == b"\r\n", ended, None)])

    return [
        Mail("plain", [header("plain") + b"a word\n"]),
        Mail("erased", [header("erased") + b"nobody knows any more\n"]),
        leaf_of("lines of 76, LF, ended", b"\n", 76, 1, body),
        leaf_of("lines of 60, CR LF, not ended", b"\r\n", 60, 0, body),
        leaf_of("one line, ended", b"\n", 0, 1, body[:100]),
        leaf_of("one line, not ended", b"\r\n", 0, 0, body[:101]),
        leaf_of("whole lines, not ended", b"\n", 64, 0, body[:96]),
        leaf_of("whole lines, ended", b"\r\n", 64, 1, body[:96]),
        Mail("a part as it is", [header("a part as it is"), (part, None, 0, 0, 0)]),
        Mail("a part encoded", [header("a part encoded", b"\r\n", encoded), (part, 76, 1, 1, 0), b"\r\n"]),
    ], part


ERASED = 1


# ------------------------------------------------------------------------------------------------------------------------ the archive


class Keys:
    def __init__(self):
        self.archive_id, self.store = drawn("archive id", 16), drawn("store", 16)
        self.archive, self.master = drawn("archive key", 32), drawn("master key", 32)
        self.recovery_wrap, self.store_key = drawn("recovery wrap key", 32), drawn("store key", 32)
        self.key_file, self.recovery = drawn("key file", 32), drawn("recovery key", 32)

    def said(self):
        return {
            "archive_id": self.archive_id.hex(), "store": self.store.hex(), "archive_key": self.archive.hex(), "master_key": self.master.hex(),
            "recovery_wrap_key": self.recovery_wrap.hex(), "store_key": self.store_key.hex(), "passphrase": PASSPHRASE,
            "recovery_key": recovery_text(self.archive_id, self.recovery),
        }  # fmt: skip


def write_identities(root, keys):
    """archive.mk and store.mk; the map of each."""
    by_recovery = wrap(keys.recovery, keys.recovery_wrap, "recovery wrap key by recovery key", keys.archive_id)
    slots = [
        slot(1, keys.key_file, keys.archive_id, keys.archive),
        slot(2, keys.recovery, keys.archive_id, keys.archive),
        slot(3, PASSPHRASE.encode(), keys.archive_id, keys.archive, COST),
    ]
    archive = cbor({
        1: slots, 2: wrap(keys.archive, keys.master, "master key", keys.archive_id),
        3: wrap(keys.recovery_wrap, keys.master, "master key by recovery", keys.archive_id),
        4: wrap(keys.archive, keys.recovery_wrap, "recovery wrap key", keys.archive_id), 5: by_recovery, 6: 1,
    })  # fmt: skip
    store = cbor({
        1: keys.archive_id, 2: wrap(keys.archive, keys.store_key, "store key", keys.store),
        3: wrap(keys.recovery_wrap, keys.store_key, "store key by recovery", keys.store), 4: by_recovery, 5: 1, 6: 1, 7: "1",
    })  # fmt: skip
    for name in ("archive.mk", "archive.mk.2"):
        put(os.path.join(root, name), identity_file(ARCHIVE_FILE, "archive.mk", keys.archive_id, archive, keys.archive))
    for name in ("store.mk", "store.mk.2"):
        put(os.path.join(root, "stores", "1", name), identity_file(STORE_FILE, "store.mk", keys.store, store, keys.archive))
    return archive, store


def write_master(root, keys, archive_map, store_map):
    chain = Chain(keys.archive_id)
    file = File(RECORDS_FILE, "master", keys.archive_id, keys.master, 1, 1, chain.links[0], copies=True)
    facts = [
        [66, cbor({1: 1, 2: 1, 3: hashlib.sha256(archive_map).digest(), 4: keys.archive_id})],
        [66, cbor({1: 2, 2: 1, 4: keys.archive_id})],
        [64, cbor({1: 1, 2: keys.store, 3: "1", 4: True, 5: store_map})],
        [65, cbor({1: 2, 2: "anna"})],
    ]
    chain.commit(file, facts, [[0, 1, drawn("seed master", 32)]])
    file.frame(MARK, chain.mark())
    put(os.path.join(root, "master", "000001.mkr"), file.bytes)
    return chain


def message(no, content, folder, number):
    return [8, cbor({1: no, 2: content, 3: folder, 4: 1, 5: ARCHIVED, 6: 0, 7: "", 8: 1000 * no, 12: number})]


def write_store(root, keys):
    """Four commits: many mails at once, one of them erased since; a small one, packed since; what packed it; a small one that still waits."""
    folder = os.path.join(root, "stores", "1")
    chain, said = Chain(keys.store), []
    first, part = mails()

    def block(stored, codec):
        return bytes([codec]) + struct.pack("<I", len(stored)) + (packed(stored) if codec else stored)

    # Commit 1: a block and its table in container 1. The erased mail's bytes are not in it, as after a compaction.
    container = File(CONTAINER_FILE, "container 1", keys.store, keys.store_key, 1, copies=True)
    stored, runs = b"", []
    at = HEADER
    for i, mail in enumerate(first):
        runs.append([1, at, len(stored), len(mail.stored)])
        stored += b"" if i == ERASED else mail.stored
    part_run = [1, at, len(stored), len(part)]
    stored += part
    assert container.frame(BLOCK, chain.stamp(0) + block(stored, 1)) == at
    contents = [[5, mail.fact(i, runs[i])] for i, mail in enumerate(first)]
    others = [
        [6, cbor({1: 0, 2: hashlib.sha256(part).digest(), 3: len(part), 4: part_run})],
        [2, cbor({1: 1, 2: container.file_id})],
        [1, cbor({1: 0, 2: "system", 3: "test vectors", 4: ARCHIVED, 5: "localhost", 6: "vectors"})],
        [9, cbor({1: 1, 2: 0, 3: "anna", 4: TIME})],
        [9, cbor({1: 2, 2: 1, 3: "Inbox", 4: TIME})],
    ]
    messages = [message(i, i, 2, i + 1) for i in range(len(first))]
    # A second message of the first mail, in another folder.
    messages.append(message(len(first), 0, 1, 1))
    facts, n = contents + others + messages, len(contents)
    seeds = drawn("seed of block 1", 32), drawn("seed of commit 1", 32)
    salts = [seeded(seeds[0] if i < n else seeds[1], i) for i in range(len(facts))]
    for i in (ERASED, n + len(others) + ERASED):
        kind, data = facts[i]
        facts[i] = [0, kind, hashlib.sha256(salts[i] + data).digest()]
        if kind == 5:
            facts[i].append(leaf(salts[i], hashlib.sha256(first[ERASED].raw).digest()))
        salts[i] = bytes(16)
    rows = [[i, len(m.raw), i, runs[i], None if m.literal else m.shape, salts[i]] for i, m in enumerate(first) if i != ERASED]
    table = {1: 1, 2: ARCHIVED, 4: rows, 5: [[i, i, 0, i + 1, None] for i in range(n) if i != ERASED], 6: [[0, len(part), part_run]],
             7: [["anna", "Inbox"]]}  # fmt: skip
    container.frame(TABLE, chain.stamp(1) + packed(cbor(table)))
    old = File(RECORDS_FILE, "records 1 as it was", keys.store, keys.store_key, 1, 1, chain.links[0], copies=True)
    ranges = [[0, 2, b"".join(salts[:n])], [n, 2, b"".join(salts[n:])]]
    kept = [chain_commit(chain, old, facts, ranges, (1, len(container.bytes)), 2)]
    for i, mail in enumerate(first):
        if i != ERASED:
            said.append({"id": f"1:{i}", "folder": "anna/Inbox", "number": i + 1, "mail": mail})
    said.append({"id": f"1:{n}", "folder": "anna", "number": 1, "mail": first[0]})

    # Commit 2: a single mail, in the section of its commit. Commit 3 packs it into container 2; container 1 is closed.
    small = Mail("packed", [header("packed") + b"at first in the records\n"])
    second = [[5, small.fact(n, [0, 0, 0, len(small.stored)])], message(n + 1, n, 2, n + 1)]
    salt_two = drawn("seed of commit 2", 32)
    kept.append(chain_commit(chain, old, second, [[0, 1, salt_two]], (1, len(container.bytes)), 0, [block(small.stored, 0)]))
    said.append({"id": f"1:{n + 1}", "folder": "anna/Inbox", "number": n + 1, "mail": small})
    container.copy_header()
    put(os.path.join(folder, "content", "000001.mkc"), container.bytes)
    active = File(CONTAINER_FILE, "container 2", keys.store, keys.store_key, 2, copies=True)
    active.frame(BLOCK, chain.stamp(0) + block(small.stored, 0))
    run = [2, HEADER, 0, len(small.stored)]
    table = {1: 3, 2: 0, 4: [[n, len(small.raw), 0, run, None, seeded(salt_two, 0)]], 5: [[n + 1, n, 0, n + 1, ARCHIVED]], 6: [], 7: [["anna", "Inbox"]]}
    active.frame(TABLE, chain.stamp(1) + packed(cbor(table)))
    put(os.path.join(folder, "content", "000002.mkc"), active.bytes)
    third = [
        [3, cbor({1: 1, 2: container.file_id, 3: len(container.bytes)})],
        [2, cbor({1: 2, 2: active.file_id})],
        [7, cbor({1: [[n, run]], 2: []})],
    ]
    kept.append(chain_commit(chain, old, third, [[0, 1, drawn("seed of commit 3", 32)]], (2, len(active.bytes)), 2))

    # Records file 1, rewritten without its section (section 8).
    new = File(RECORDS_FILE, "records 1", keys.store, keys.store_key, 1, 1, chain.links[0])
    begins = len(new.bytes) + 16 + 32 + 2 + 52 + 32
    pairs, now = [(kept[0]["at"], 0)], 0
    for before, commit in zip([None, *kept], kept):
        if before and commit["at"] != before["end"]:
            pairs.append((commit["at"], now))
        now += commit["end"] - commit["at"]
    new.frame(MOVED, chain.mark() + b"".join(struct.pack("<QQ", *pair) for pair in pairs))
    assert len(new.bytes) == begins, (len(new.bytes), begins)
    for commit in kept:
        new.frame(LAST, commit["plain"])
    new.frame(MARK, chain.mark())
    new.copy_header()
    put(os.path.join(folder, "records", "000001.mkr"), new.bytes)

    # Records file 2: commit 4, a single mail that waits to be packed.
    last = File(RECORDS_FILE, "records 2", keys.store, keys.store_key, 2, 4, chain.links[3], copies=True)
    waits = Mail("not packed", [header("not packed", b"\r\n") + b"still in the records\r\n"])
    fourth = [[5, waits.fact(n + 1, [0, 0, 0, len(waits.stored)])], message(n + 2, n + 1, 2, n + 2)]
    chain.commit(last, fourth, [[0, 1, drawn("seed of commit 4", 32)]], (2, len(active.bytes)), 0, [block(waits.stored, 1)])
    last.frame(MARK, chain.mark())
    put(os.path.join(folder, "records", "000002.mkr"), last.bytes)
    said.append({"id": f"1:{n + 2}", "folder": "anna/Inbox", "number": n + 2, "mail": waits})
    return chain, (2, len(active.bytes)), [n + 2, n + 3, 1, 1, 2, 2], said


def chain_commit(chain, file, facts, salts, end, before, section=()):
    """A commit of one frame besides its section, with the plaintext of that frame, for a rewritten file."""
    stamp = chain.stamp(before + len(section))
    _, at, _ = chain.commit(file, facts, salts, end, before, section)
    skeleton_value = chain.links[-1]
    body = AESGCM(file.key).decrypt(bytes(file.bytes[at + 16 : at + 28]), bytes(file.bytes[at + 28 : -4]),
                                    file.file_id + struct.pack("<Q", at) + bytes(file.bytes[at : at + 16]))  # fmt: skip
    assert body.startswith(b"\0\0" + stamp + skeleton_value)
    return {"at": at, "end": len(file.bytes), "plain": body[2:]}


def broken():
    """Damaged copies: the mails that are lost, the code of the error that bars new mail, and whether a reader that checks
    everything finds damage."""
    records, container = "stores/1/records/000001.mkr", "stores/1/content/000001.mkc"
    in_container = [f"1:{n}" for n in range(11) if n != ERASED]
    cases = [
        ({"name": "a byte of a block", "file": container, "at": 300, "xor": 1}, in_container, None),
        ({"name": "the header of a container", "file": container, "at": 20, "xor": 1}, [], None),
        # Tables have only the first message of each content: the second one of 1:0 is in the lost commit.
        ({"name": "a byte of a commit", "file": records, "at": 400, "xor": 1}, ["1:10"], "needs_repair"),
        ({"name": "the last records file gone", "file": "stores/1/records/000002.mkr", "remove": True}, ["1:12"], "needs_repair"),
        ({"name": "a closed container gone", "file": container, "remove": True}, in_container, None),
        ({"name": "head.mkm cut", "file": "stores/1/head.mkm", "cut": 200}, [], None),
        ({"name": "a copy of archive.mk changed", "file": "archive.mk", "at": 200, "xor": 1}, [], None),
    ]
    return [{**case, "lost": lost, "barred": barred, "found": True} for case, lost, barred in cases]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir")
    out = parser.parse_args().dir
    root = os.path.join(out, "archive")
    shutil.rmtree(root, ignore_errors=True)
    keys = Keys()
    archive_map, store_map = write_identities(root, keys)
    master = write_master(root, keys, archive_map, store_map)
    store, end, numbers, said = write_store(root, keys)
    write_head(os.path.join(root, "stores", "1", "head.mkm"), "head of the store", keys.store, keys.store_key, store, list(end), numbers,
               [[keys.archive_id, len(master.links) - 1, master.links[-1]]])  # fmt: skip
    write_head(os.path.join(root, "master", "head.mkm"), "head of the master", keys.archive_id, keys.master, master, [0, 0], [0] * 6,
               [[keys.store, len(store.links) - 1, store.links[-1]]])  # fmt: skip
    put(os.path.join(out, "archive.key"), f"mailkeep-key-1 {keys.archive_id.hex()} {keys.key_file.hex()}\n".encode())
    mails_said = [
        {"id": each["id"], "folder": each["folder"], "number": each["number"], "size": len(each["mail"].raw),
         "digest": hashlib.sha256(each["mail"].raw).hexdigest()}
        for each in said
    ]  # fmt: skip
    value = {"keys": keys.said(), "erased": [f"1:{ERASED}"], "mails": mails_said, "commits": store.said, "master": master.said, "broken": broken()}
    put(os.path.join(out, "vectors.json"), (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
