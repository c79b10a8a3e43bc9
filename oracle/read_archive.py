"""Reads every mail of an archive by docs/FORMAT.md alone, with the key file and common libraries (`cryptography`, `zstandard`).

read_archive.py ARCHIVE KEYFILE [--out DIR] [--manifest FILE] [--containers-only]

Follows section 14: identities, keys, the master's records, each store's records with their chain and tree, and every message's
content, joined and compared with its digest. --out writes the mails; --manifest takes the MANIFEST.jsonl of an export and compares
ids, folders and digests with it. --containers-only reads the contents by the tables of the containers, without the records, and
compares what comes out with the records' digests. Exit 1 where anything is not as promised.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import struct
import sys
from typing import NamedTuple

import zstandard

from fileformat import HEADER, FormatError, archive_keys, cbor, file_key, hexed, read_frames, read_header, store_key

BLOCK, TABLE, MARK, PIECE, LAST, MOVED = 1, 2, 3, 4, 5, 12
RECORDS, CONTAINER = 4, 3
PASSED_OVER = (16, 17)


class Stamp(NamedTuple):
    sequence: int
    index: int
    synced: int
    synced_chain: bytes


def stamp_of(plain):
    """(stamp, what follows) of a frame of records or containers (section 7)."""
    return Stamp(*struct.unpack_from("<QIQ32s", plain)), plain[52:]


def decompress(data, limit):
    """One zstd frame; its content is bounded before it is made."""
    params = zstandard.get_frame_parameters(data)
    if params.content_size > limit:
        raise ValueError(f"zstd frame of {params.content_size} bytes")
    return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)


def block(data):
    """The stored bytes of a block, behind the stamp (section 10)."""
    codec, length = struct.unpack_from("<BI", data)
    body = data[5:]
    if codec == 1:
        body = decompress(body, 1 << 20)
    elif codec != 0:
        raise ValueError(f"codec {codec}")
    if len(body) != length or length > 1 << 20:
        raise ValueError(f"block of {len(body)} bytes says {length}")
    return bytes(body)


class Commit(NamedTuple):
    file: int
    sequence: int
    facts: list  # (kind, map or None, salt or None)
    section: list  # offsets of the frames of its section
    end: list  # [container, length]


class Tree:
    """The tree hash of RFC 9162, grown leaf by leaf."""

    def __init__(self):
        self.size = 0
        self.stack = []

    def add(self, salt, digest):
        node = (1, hashlib.sha256(b"\0" + salt + digest).digest())
        while self.stack and self.stack[-1][0] == node[0]:
            left = self.stack.pop()
            node = (node[0] * 2, hashlib.sha256(b"\1" + left[1] + node[1]).digest())
        self.stack.append(node)
        self.size += 1

    def head(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        out = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            out = hashlib.sha256(b"\1" + left + out).digest()
        return out


def numbered(folder, ending):
    """(number, path) of the files of a series, by number."""
    out = []
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            stem, dot, end = name.partition(".")
            if end == ending and stem.isdigit():
                out.append((int(stem), os.path.join(folder, name)))
    return sorted(out)


def open_file(path, kind, owner, outer):
    with open(path, "rb") as f:
        data = f.read()
    header = read_header(path, data)
    if (header.kind, header.owner, header.version, header.scheme) != (kind, owner, 1, 1):
        raise FormatError(path, 8, f"kind {header.kind} of {hexed(header.owner)}, version {header.version}, scheme {header.scheme}")
    return data, header, file_key(path, header, outer)


def commits(folder, owner, outer):
    """Every commit of the records in a folder, its chain and tree compared (section 8)."""
    files = []
    for number, path in numbered(folder, "mkr"):
        data, header, key = open_file(path, RECORDS, owner, outer)
        if header.number != number:
            raise FormatError(path, 48, f"number {header.number}")
        files.append((number, path, data, header, key))
    chain = hashlib.sha256(b"mailkeep chain" + owner).digest()
    tree = Tree()
    expected = 1
    for i, (number, path, data, header, key) in enumerate(files):
        void = files[i + 1][3].first_sequence if i + 1 < len(files) else None
        if header.first_sequence > expected:
            raise FormatError(path, 68, f"first sequence {header.first_sequence}, the next commit is {expected}")
        if header.first_sequence == expected and header.chain != chain:
            raise FormatError(path, 76, "the chain value does not go on from the file before")
        section, pieces, at = [], [], None
        for frame in read_frames(path, data, key):
            stamp, rest = stamp_of(frame.plain)
            if frame.kind == MOVED:
                check_moved(path, frame, rest)
                continue
            if void is not None and stamp.sequence >= void and frame.kind != MARK:
                continue
            if frame.kind == MARK:
                section, pieces, at = [], [], None
                continue
            if at is not None and (at.sequence != stamp.sequence or stamp.index != at.index + 1):
                section, pieces = [], []
            at = stamp
            if frame.kind == BLOCK:
                section.append(frame.offset)
                block(rest)
            elif frame.kind == PIECE:
                pieces.append(rest)
            elif frame.kind == LAST:
                value, rest = rest[:32], rest[32:]
                body = cbor(decompress(b"".join([*pieces, rest]), 256 << 20))
                commit, chain = read_commit(path, frame.offset, number, body, section, chain, tree, stamp.sequence)
                if chain != value:
                    raise FormatError(path, frame.offset, f"commit {stamp.sequence}: the chain value is another")
                if stamp.sequence != expected:
                    raise FormatError(path, frame.offset, f"commit {stamp.sequence}, expected {expected}")
                expected += 1
                yield commit
                section, pieces, at = [], [], None
            else:
                raise FormatError(path, frame.offset, f"frame of kind {frame.kind} in records")


def check_moved(path, frame, rest):
    """A table of moved commits: first in its file, pairs that rise. Who reads mail does not need it."""
    if frame.offset != HEADER or len(rest) % 16:
        raise FormatError(path, frame.offset, "a table of moved commits that is not the first frame, or not of pairs")
    pairs = list(struct.iter_unpack("<QQ", rest))
    if any(a[0] >= b[0] or a[1] >= b[1] for a, b in zip(pairs, pairs[1:])):
        raise FormatError(path, frame.offset, "the table of moved commits does not rise")


def read_commit(path, offset, number, body, section, chain, tree, sequence):
    if body[1] != sequence:
        raise FormatError(path, offset, f"commit {body[1]} in frames of {sequence}")
    if section and body[8] != len(section):
        raise FormatError(path, offset, f"{len(section)} blocks in the section, the commit says {body[8]}")
    facts, digests = [], []
    for i, (kind, data) in enumerate(body[6]):
        if kind == 0:
            facts.append((0, None, None))
            digests.append(data)
            continue
        if body.get(9) is not None:
            salt = body[9][16 * i : 16 * i + 16]
        else:
            salt = hmac.digest(body[5], struct.pack("<Q", i) + b"\1", "sha256")[:16]
        digests.append(hashlib.sha256(salt + data).digest())
        value = cbor(data)
        facts.append((kind, value, salt))
        if kind == 5:
            if value[1] != tree.size:
                raise FormatError(path, offset, f"content {value[1]} where {tree.size} comes")
            tree.add(salt, value[2])
    if (body[3], body[4]) != (tree.size, tree.head()):
        raise FormatError(path, offset, f"commit {sequence}: the tree head is another")
    after = hashlib.sha256(
        chain + struct.pack("<QQ", sequence, body[3]) + body[4] + struct.pack("<Q", len(digests)) + b"".join(digests)
    ).digest()
    return Commit(number, sequence, facts, section, body[7]), after


def quads(flat):
    """Runs and extents: one flat array of numbers, four at a time."""
    if len(flat) % 4:
        raise ValueError("a flat array whose length is no multiple of 4")
    return [tuple(flat[i : i + 4]) for i in range(0, len(flat), 4)]


class Store:
    """One store, read from its records; contents are read when they are asked for."""

    def __init__(self, folder, owner, key):
        self.folder, self.owner, self.key = folder, owner, key
        self.folders = {0: ()}
        self.parts, self.contents, self.messages = {}, {}, []
        self.containers = {}
        self.blocks = {}
        self.files = {}
        self.commits = 0
        for commit in commits(os.path.join(folder, "records"), owner, key):
            self.commits += 1
            for kind, fact, _ in commit.facts:
                self.take(commit, kind, fact)

    def take(self, commit, kind, fact):
        if kind == 0 or kind in PASSED_OVER or kind >= 128:
            return
        if kind == 1:
            return
        if kind in (2, 3):
            self.containers[fact[1]] = fact[2]
        elif kind == 5:
            self.contents[fact[1]] = (fact, self.placed(commit, fact[6]))
        elif kind == 6:
            self.parts[fact[1]] = (fact[2], fact[3], self.placed(commit, fact[4]))
        elif kind == 7:
            for number, runs in fact[1]:
                self.contents[number] = (self.contents[number][0], self.placed(commit, runs))
            for number, runs in fact[2]:
                digest, length, _ = self.parts[number]
                self.parts[number] = (digest, length, self.placed(commit, runs))
        elif kind == 8:
            self.messages.append(fact)
        elif kind == 9:
            self.folders[fact[1]] = (*self.folders[fact[2]], fact[3])
        else:
            raise ValueError(f"{self.folder}: a fact of kind {kind}")

    def placed(self, commit, flat):
        """Runs as (kind of file, number, offset, start, length)."""
        out = []
        for container, frame, start, length in quads(flat):
            if container == 0:
                # A section that is gone was packed: a later fact 7 says where its bytes are.
                at = commit.section[frame] if commit.section else None
                out.append((RECORDS, commit.file, at, start, length))
            else:
                out.append((CONTAINER, container, frame, start, length))
        return out

    def block_at(self, kind, number, offset):
        if offset is None:
            raise ValueError("the section is gone, and nothing says where it was packed")
        key = kind, number, offset
        if key not in self.blocks:
            if (kind, number) not in self.files:
                if len(self.files) > 4:
                    self.files.pop(next(iter(self.files)))
                sub, ending = ("content", "mkc") if kind == CONTAINER else ("records", "mkr")
                path = os.path.join(self.folder, sub, f"{number:06}.{ending}")
                data, header, file = open_file(path, kind, self.owner, self.key)
                if kind == CONTAINER and header.file_id != self.containers[number]:
                    raise FormatError(path, 16, "another file than the records name")
                self.files[kind, number] = path, data, file
            path, data, file = self.files[kind, number]
            frame = next(read_frames(path, data, file, offset))
            if frame.kind != BLOCK:
                raise FormatError(path, offset, f"a frame of kind {frame.kind} is no block")
            if len(self.blocks) > 64:
                self.blocks.pop(next(iter(self.blocks)))
            self.blocks[key] = block(stamp_of(frame.plain)[1])
        return self.blocks[key]

    def stored(self, runs):
        out = []
        for kind, number, offset, start, length in runs:
            piece = self.block_at(kind, number, offset)[start : start + length]
            if len(piece) != length:
                raise ValueError(f"a run beyond the block at {offset}")
            out.append(piece)
        return b"".join(out)

    def part(self, number):
        digest, length, runs = self.parts[number]
        data = self.stored(runs)
        if len(data) != length or hashlib.sha256(data).digest() != digest:
            raise ValueError(f"part {number} does not have its digest")
        return data

    def join(self, own, shape, size):
        """A content's bytes from its own stored bytes and its parts (section 10)."""
        if shape is None:
            return own
        out = []
        at = 0
        for form, length, wrap, part in quads(shape):
            if form in (1, 2):
                piece = own[at : at + length]
                at += length
            else:
                piece = self.part(part)
            if len(piece) != length:
                raise ValueError(f"an extent of {length} bytes has {len(piece)}")
            out.append(encode(piece, wrap) if form in (2, 4) else piece)
        if at != len(own):
            raise ValueError("own bytes are left over")
        return b"".join(out)

    def content(self, number):
        fact, runs = self.contents[number]
        data = self.join(self.stored(runs), fact.get(5), fact[4])
        if len(data) != fact[4] or hashlib.sha256(data).digest() != fact[2]:
            raise ValueError(f"content {number} does not have its digest")
        return data

    def by_tables(self):
        """{content: (bytes, first folder)} from the containers alone (section 11), and what could not be read."""
        contents, parts, folders, shapes = {}, {}, {}, {}
        for number, path in numbered(os.path.join(self.folder, "content"), "mkc"):
            data, header, key = open_file(path, CONTAINER, self.owner, self.key)
            self.containers.setdefault(number, header.file_id)
            for frame in read_frames(path, data, key):
                if frame.kind != TABLE:
                    continue
                table = cbor(decompress(stamp_of(frame.plain)[1], 256 << 20))
                runs = lambda flat: [(CONTAINER, *r) for r in quads(flat)]
                for row in table[4]:
                    contents[row[0]] = runs(row[3])
                    shapes[row[0]] = (row[4] if len(row) > 4 else None, row[1])
                for row in table[6]:
                    parts[row[0]] = (row[1], runs(row[2]))
                for _, content, folder in table[5]:
                    folders.setdefault(content, tuple(table[7][folder]))
        self.parts = {
            n: (hashlib.sha256(self.stored(runs)).digest(), length, runs) for n, (length, runs) in parts.items()
        }
        return {n: (self.join(self.stored(runs), *shapes[n]), folders.get(n)) for n, runs in contents.items()}


def encode(data, wrap):
    """Base64 as form 2 and 4 say."""
    if not data:
        return b""
    text = base64.b64encode(data)
    width, crlf, ended = wrap >> 2, wrap >> 1 & 1, wrap & 1
    end = b"\r\n" if crlf else b"\n"
    lines = [text[i : i + width] for i in range(0, len(text), width)] if width else [text]
    return end.join(lines) + (end if ended else b"")


def stores_of(archive, keys):
    """(number, Store) of every store that the master names."""
    named = {}
    for commit in commits(os.path.join(archive, "master"), keys.archive_id, keys.master_key):
        for kind, fact, _ in commit.facts:
            if kind == 64:
                named[fact[1]] = fact
            elif 0 < kind < 128 and kind != 65:
                raise ValueError(f"a fact of kind {kind} in the master")
    for number, fact in sorted(named.items()):
        folder = os.path.join(archive, "stores", fact[3])
        owner, key = store_key(keys, folder)
        if owner != fact[2]:
            raise ValueError(f"{folder} is another store than the master names")
        yield number, Store(folder, owner, key)


def mails(archive, key_file):
    """(id, digest, folder, bytes) of every mail, by store and content."""
    for number, store in stores_of(archive, archive_keys(archive, key_file)):
        for message in sorted(store.messages, key=lambda m: m[2]):
            data = store.content(message[2])
            folder = "/".join(name.replace("/", "%2F") for name in store.folders[message[3]])
            yield f"{number}:{message[1]}", hashlib.sha256(data).hexdigest(), folder, data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("key_file")
    parser.add_argument("--out", help="write the mails below this folder")
    parser.add_argument("--manifest")
    parser.add_argument("--containers-only", action="store_true")
    args = parser.parse_args()
    keys = archive_keys(args.archive, args.key_file)
    wrong = []
    seen = {}
    total = 0
    for number, store in stores_of(args.archive, keys):
        if args.containers_only:
            found = store.by_tables()
            for content, (data, _) in sorted(found.items()):
                if hashlib.sha256(data).digest() != store.contents[content][0][2]:
                    wrong.append(f"content {content}: the tables give other bytes")
            print(f"store {number}: {len(found)} of {len(store.contents)} contents by the tables alone")
            continue
        ordered = sorted(store.messages, key=lambda m: m[2])
        last, data = None, b""
        for message in ordered:
            name = f"{number}:{message[1]}"
            try:
                if message[2] != last:
                    data, last = store.content(message[2]), message[2]
            except Exception as error:
                last = None
                wrong.append(f"{name}: {type(error).__name__}: {error}")
                continue
            total += len(data)
            seen[name] = hashlib.sha256(data).hexdigest(), "/".join(p.replace("/", "%2F") for p in store.folders[message[3]])
            if args.out:
                folder = os.path.join(args.out, str(number), f"{message[1] // 1000:04}")
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, f"{message[1]}.eml"), "wb") as f:
                    f.write(data)
        print(
            f"store {number}: {store.commits} commits, {len(store.folders) - 1} folders, {len(store.parts)} parts, "
            f"{len(store.contents)} contents, {len(store.messages)} messages"
        )
    if args.manifest:
        with open(args.manifest, encoding="utf-8") as f:
            listed = {e["id"]: (e["digest"], e["folder"]) for e in map(json.loads, f)}
        for name in sorted(set(listed) | set(seen)):
            if listed.get(name) != seen.get(name):
                wrong.append(f"{name}: the manifest has {listed.get(name)}, the archive {seen.get(name)}")
    for line in wrong[:50]:
        print("WRONG", line)
    print(f"{len(seen)} mails, {total} bytes read; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
