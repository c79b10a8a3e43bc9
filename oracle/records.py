"""Records by docs/FORMAT.md (sections 7 to 9): stamps, commits, salts, chain, tree, facts by class, head.mkm. Needs `zstandard`."""

import hashlib
import hmac
import os
import struct
from typing import NamedTuple

import zstandard

from fileformat import COPY, HEADER, FormatError, cbor, judge_keys, open_file, read_frame, read_frames, scan_frames

BLOCK, TABLE, MARK, PIECE, LAST, MOVED, HEAD_FRAME = 1, 2, 3, 4, 5, 12, 13
CONTAINER, RECORDS, HEAD_FILE = 3, 4, 10
CONTENT, PART, PACKED, MESSAGE, DELETED, REPAIRED, RECOVERED, UNDELETED = 5, 6, 7, 8, 14, 18, 19, 22
OPENED, GONE, ERASURE, ERASED = 2, 4, 23, 24
MARK_INDEX = 0xFFFFFFFF
COPY_FROM = 4096
WINDOW = 8 << 20

# The keys of each known fact; None for kinds that the page names without a map.
STORE_FACTS = {
    1: range(1, 10), 2: range(1, 4), 3: range(1, 4), 4: range(1, 2), 5: range(1, 22), 6: range(1, 5), 7: range(1, 3), 8: range(1, 13),
    9: range(1, 5), 10: range(1, 5), 11: range(1, 6), 12: range(1, 4), 14: range(1, 5), 16: None, 17: range(1, 2), 18: range(1, 6),
    19: range(1, 3), 21: range(1, 2), 22: range(1, 5), 23: range(1, 9), 24: range(1, 2),
}  # fmt: skip
MASTER_FACTS = {16: range(1, 3), 18: range(1, 6), 64: range(1, 11), 65: range(1, 3), 66: range(1, 5)}


class Stamp(NamedTuple):
    sequence: int
    index: int
    synced: int
    synced_chain: bytes


def stamp_of(plain):
    """(stamp, what follows) of a frame of records or containers (section 7)."""
    return Stamp(*struct.unpack_from("<QIQ32s", plain)), plain[52:]


def decompress(data, limit):
    """Decompresses one zstd frame; its size is checked before memory is allocated."""
    try:
        params = zstandard.get_frame_parameters(data)
        if params.content_size > limit:
            raise ValueError(f"zstd frame of {params.content_size} bytes")
        if params.dict_id or params.window_size > WINDOW:
            raise ValueError(f"zstd frame with dictionary {params.dict_id}, window {params.window_size}")
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"no zstd frame: {error}") from error


def block(data):
    """The stored bytes of a block, after the stamp (section 10)."""
    codec, length = struct.unpack_from("<BI", data)
    body = data[5:]
    if codec == 1:
        body = decompress(body, 1 << 20)
    elif codec != 0:
        raise ValueError(f"codec {codec}")
    if len(body) != length or length > 1 << 20:
        raise ValueError(f"block of {len(body)} bytes says {length}")
    return bytes(body)


def quads(flat):
    """Runs and extents: one flat array of numbers, four at a time."""
    if len(flat) % 4:
        raise ValueError("a flat array whose length is no multiple of 4")
    return [tuple(flat[i : i + 4]) for i in range(0, len(flat), 4)]


def numbered(folder, ending):
    """(number, path) of the files of a series, by number."""
    out = []
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            stem, dot, end = name.partition(".")
            if end == ending and stem.isdigit():
                out.append((int(stem), os.path.join(folder, name)))
    return sorted(out)


class Tree:
    """The tree hash of RFC 9162, grown leaf by leaf."""

    def __init__(self):
        self.size = 0
        self.stack = []

    def add(self, leaf):
        node = (1, leaf)
        while self.stack and self.stack[-1][0] == node[0]:
            left = self.stack.pop()
            node = (node[0] * 2, hashlib.sha256(b"\1" + left[1] + node[1]).digest())
        self.stack.append(node)
        self.size += 1

    def roots(self):
        return b"".join(root for _, root in self.stack)

    @classmethod
    def going_on(cls, size, roots):
        """The tree of this size: its complete subtrees are the bits of the size."""
        tree = cls()
        tree.size = size
        sizes = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
        if len(roots) != 32 * len(sizes):
            raise ValueError(f"a tree of {size} leaves with {len(roots)} bytes of roots")
        tree.stack = [(n, roots[32 * i : 32 * i + 32]) for i, n in enumerate(sizes)]
        return tree

    def head(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        out = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            out = hashlib.sha256(b"\1" + left + out).digest()
        return out


def leaf(salt, digest):
    return hashlib.sha256(b"\0" + salt + digest).digest()


def seeded(seed, index):
    """The salt of a fact by the seed of its range."""
    return hmac.digest(seed, struct.pack("<Q", index) + b"\1", "sha256")[:16]


# ------------------------------------------------------------------------------------------------------------------------ commits


class Fact(NamedTuple):
    kind: int
    value: dict  # None if the fact is erased, or its kind is passed over
    salt: bytes  # None where the fact is erased
    hash: bytes
    leaf: bytes  # of a content
    data: bytes  # its map as it stands there; None where the fact is erased


class Frames(NamedTuple):
    """The frames of a commit in records, joined but not decoded."""

    sequence: int
    first: int  # index of the first of them
    pieces: int  # index of its first piece
    begin: int  # offset of its first piece
    offset: int  # of the last of them
    section: dict  # index: offset, of its blocks
    value: bytes  # chain value after it, as written
    before: tuple  # (sequence, chain value) of the commit that its stamps call synced
    body: bytes


class Commit(NamedTuple):
    file: object  # its number, or what represents it as a place
    frames: Frames
    sequence: int
    skeleton: dict
    facts: list
    section: list  # offsets of its blocks, None for a missing one; empty if the section is gone
    seeds: list  # (first, end, seed) of the ranges with a seed
    numbers: dict  # index of a fact: number of its content

    def repair(self):
        """The map of its fact 18, or None."""
        return next((f.value for f in self.facts if f.kind == REPAIRED and f.value), None)

    def frames_in_containers(self):
        """By the index of its first piece: containers are counted first, then the section (section 7)."""
        return self.frames.pieces - self.skeleton[6]


def put_together(frames, notes, gaps=False):
    """Commits from frames in order; `frames` come from `scan_frames`. An interrupted commit is absent, unless blocks of a section
    may be missing (`gaps`): then only its pieces must be consecutive."""
    section, pieces, at, first = {}, [], None, 0
    for frame, error in frames:
        if error is None and frame.kind == COPY:
            continue
        if error is not None or frame.kind not in (BLOCK, PIECE, LAST):
            if error is None and frame.kind not in (MARK, MOVED):
                notes.add(f"a frame of kind {frame.kind} in records: nothing may be written")
            pieces = []
            if not gaps:
                section, at = {}, None
            continue
        stamp, rest = stamp_of(frame.plain)
        if at is None or at.sequence != stamp.sequence:
            section, pieces, first = {}, [], stamp.index
        elif stamp.index != at.index + 1:
            pieces = []
            if not gaps:
                section, first = {}, stamp.index
        at = stamp
        if frame.kind == BLOCK:
            section[stamp.index] = frame.offset
            pieces = []
        elif frame.kind == PIECE:
            pieces.append((frame.offset, rest))
        else:
            pieces.append((frame.offset, rest[32:]))
            body = b"".join(piece for _, piece in pieces)
            index = stamp.index + 1 - len(pieces)
            yield Frames(stamp.sequence, first, index, pieces[0][0], frame.offset, section, rest[:32], (stamp.synced, stamp.synced_chain), body)
            section, pieces, at = {}, [], None


def salts_of(ranges, count):
    """(salts of all facts, ranges with a seed) from the ranges of a commit."""
    if bool(ranges) != bool(count) or (ranges and ranges[0][0] != 0):
        raise ValueError("the ranges of salts do not begin with the first fact")
    salts, seeds = [], []
    for i, (first, form, data) in enumerate(ranges):
        end = ranges[i + 1][0] if i + 1 < len(ranges) else count
        if not first < end <= count:
            raise ValueError(f"a range of salts from {first} to {end} of {count} facts")
        if form == 1 and len(data) == 32:
            seeds.append((first, end, data))
            salts += [seeded(data, j) for j in range(first, end)]
        elif form == 2 and len(data) == 16 * (end - first):
            salts += [data[j : j + 16] for j in range(0, len(data), 16)]
        else:
            raise ValueError(f"salts of form {form}, {len(data)} bytes for {end - first} facts")
    return salts, seeds


def decode(path, number, frames, known, notes):
    """(commit, the bytes of its skeleton). Raises ValueError or LookupError if something is wrong."""
    what = f"{path}: commit {frames.sequence}"
    body = cbor(decompress(frames.body, 256 << 20))
    judge_keys(what, body, (1, 2, 3), notes)
    skeleton = cbor(body[1])
    judge_keys(f"{what}: the skeleton", skeleton, range(1, 8), notes)
    if skeleton[1] != frames.sequence:
        raise ValueError(f"{what}: the skeleton says {skeleton[1]}")
    section = [frames.section.get(frames.pieces - skeleton[6] + i) for i in range(skeleton[6])] if frames.section else []
    salts, seeds = salts_of(body[3], len(body[2]))
    facts = []
    for salt, fact in zip(salts, body[2]):
        if fact[0] == 0:
            if len(fact) != (4 if fact[1] == CONTENT else 3) or any(len(h) != 32 for h in fact[2:]):
                raise ValueError(f"{what}: an erased fact of {len(fact)} elements")
            if any(salt):
                raise ValueError(f"{what}: the salt of an erased fact still stands there")
            facts.append(Fact(fact[1], None, None, fact[2], fact[3] if fact[1] == CONTENT else None, None))
            continue
        kind, data = fact
        value = None
        if kind in known:
            value = cbor(data)
            if known[kind] is not None:
                judge_keys(f"{what}: a fact of kind {kind}", value, known[kind], notes)
        elif kind < 96:
            raise ValueError(f"{what}: a fact of the unknown kind {kind}")
        elif kind < 128:
            notes.add(f"{what}: a fact of kind {kind}: nothing may be written")
        digest = hashlib.sha256(salt + data).digest()
        facts.append(Fact(kind, value, salt, digest, leaf(salt, value[2]) if kind == CONTENT else None, data))
    return Commit(number, frames, frames.sequence, skeleton, facts, section, seeds, {}), body[1]


def chain_before_all(owner):
    return hashlib.sha256(b"mailkeep chain" + owner).digest()


def chain_after(before, skeleton, facts):
    kinds = b"".join(struct.pack("<H", f.kind) + f.hash for f in facts)
    return hashlib.sha256(before + struct.pack("<Q", len(skeleton)) + skeleton + struct.pack("<Q", len(facts)) + kinds).digest()


class Records:
    """The commits of a folder of records with their chain and tree (section 8). All checks raise FormatError."""

    def __init__(self, folder, owner, outer, known, notes):
        self.known, self.notes = known, notes
        self.files = [open_file(path, RECORDS, owner, outer) for _, path in numbered(folder, "mkr")]
        for (number, path), file in zip(numbered(folder, "mkr"), self.files):
            if file.header.number != number:
                raise FormatError(path, 48, f"number {file.header.number}")
        self.links = {0: chain_before_all(owner)}
        self.tree = Tree()
        self.tree_number = None
        self.next_content = 0
        self.last = 0
        self.lost = []  # [from, to] of commits that a repair accepted as lost
        self.clean = max((file.header.first_sequence - 1 for file in self.files), default=0)
        self.stopped = None  # why the last file could not be read to its end
        self.stamps = []

    def commits(self):
        repaired = self.last_repair()
        for i, file in enumerate(self.files):
            header = file.header
            void = self.files[i + 1].header.first_sequence if i + 1 < len(self.files) else None
            if i <= repaired:
                # What is lost before a repair is known and accepted.
                self.links.setdefault(header.first_sequence - 1, header.chain)
            elif header.first_sequence > self.last + 1:
                raise FormatError(file.path, 68, f"first sequence {header.first_sequence}, the next commit is {self.last + 1}")
            if header.chain != self.links.get(header.first_sequence - 1):
                raise FormatError(file.path, 76, "the chain value does not go on from the file before")
            frames = self.frames(file, void) if i >= repaired else self.frames_left(file, void)
            for together in put_together(frames, self.notes):
                commit = self.follow(file, together, i < repaired, i == repaired)
                if commit:
                    yield commit
            if i >= repaired and void is not None and self.last + 1 < void:
                raise FormatError(file.path, file.end(), f"ends with commit {self.last}, the next file begins with {void}")
        for path, offset, stamp in self.stamps:
            lost = any(begin <= stamp.synced <= end for begin, end in self.lost)
            if self.links.get(stamp.synced) != stamp.synced_chain and not (lost and stamp.synced not in self.links):
                raise FormatError(path, offset, f"the stamp names commit {stamp.synced} with another chain value")

    def last_repair(self):
        """The index of the last file that has a commit with fact 18, or -1."""
        for i in reversed(range(len(self.files))):
            for frames in put_together(scan_frames(self.files[i]), set()):
                try:
                    commit, _ = decode(self.files[i].path, i, frames, self.known, set())
                except (ValueError, LookupError, TypeError):
                    continue
                if commit.repair():
                    return i
        return -1

    def frames_left(self, file, void):
        for frame, error in scan_frames(file):
            if frame and frame.kind not in (COPY, MOVED) and void is not None and stamp_of(frame.plain)[0].sequence >= void:
                return
            if error:
                self.notes.add(f"before a repair: {error}")
            yield frame, error

    def frames(self, file, void):
        """The frames of a file that count. The last file may end in what a crash left of a commit in flight."""
        at = file.base + file.skip
        rewritten = copied = False
        while at < file.end():
            try:
                frame = read_frame(file, at)
            except FormatError as error:
                if void is None:
                    self.stopped = error
                    # Frames after the break still tell what was durable.
                    stamps = [stamp_of(frame.plain)[0] for frame in good_frames(file) if frame.kind != COPY]
                    self.clean = max([self.clean, *(stamp.synced for stamp in stamps)])
                elif self.last + 1 < void:
                    raise
                return
            at += frame.length
            if frame.kind == COPY:
                copied = True
                if frame.plain != file.header.raw:
                    raise FormatError(file.path, frame.offset, "the copy of the header differs from the header")
                yield frame, None
                continue
            if frame.offset >= COPY_FROM and not copied and not rewritten:
                raise FormatError(file.path, frame.offset, "no copy of the header at the first boundary after 4,096")
            stamp, rest = stamp_of(frame.plain)
            # What a rewritten file begins with names the last commit of that time, which may be in a later file.
            if void is not None and stamp.sequence >= void and frame.kind != MOVED:
                return
            self.check_stamp(file, frame, stamp, rest)
            rewritten = rewritten or frame.kind == MOVED
            yield frame, None
        if rewritten and not copied:
            raise FormatError(file.path, at, "no copy of the header in a file that was rewritten")

    def check_stamp(self, file, frame, stamp, rest):
        self.stamps.append((file.path, frame.offset, stamp))
        self.clean = max(self.clean, stamp.synced)
        if frame.kind == MOVED:
            check_moved(file.path, frame, rest)
        if frame.kind in (MARK, MOVED):
            if stamp.sequence != stamp.synced or stamp.index != MARK_INDEX or (frame.kind == MARK and rest):
                raise FormatError(file.path, frame.offset, f"a mark that is none: {stamp}")
        elif stamp.synced >= stamp.sequence:
            raise FormatError(file.path, frame.offset, f"commit {stamp.sequence} calls {stamp.synced} synced")

    def follow(self, file, frames, broken=False, repairing=False):
        """Checks a commit against the previous one; `broken`: it is before a repair, so that failures are only noted."""
        try:
            commit, skeleton = decode(file.path, file.header.number, frames, self.known, self.notes)
        except (ValueError, LookupError, TypeError) as error:
            if broken:
                self.notes.add(f"before a repair: {file.path}: offset {frames.offset}: {error}")
                return None
            raise FormatError(file.path, frames.offset, f"{type(error).__name__}: {error}") from error
        if not broken and (len(frames.section) not in (0, commit.skeleton[6]) or None in commit.section):
            raise FormatError(file.path, frames.offset, f"{len(frames.section)} blocks in a section of {commit.skeleton[6]}")
        if commit.sequence != self.last + 1 and not (commit.sequence > self.last and (broken or repairing)):
            raise FormatError(file.path, frames.offset, f"commit {commit.sequence}, expected {self.last + 1}")
        if broken or repairing:
            self.links.setdefault(*frames.before)
        before = self.links.get(commit.sequence - 1)
        value = chain_after(before, skeleton, commit.facts) if before else frames.value
        if value != frames.value:
            raise FormatError(file.path, frames.offset, f"commit {commit.sequence}: the chain value is another")
        repair = commit.repair()
        if repair:
            self.lost += repair[1]
            self.next_content = repair[2][0]
            self.tree = Tree.going_on(repair[3][1], repair[3][2])
            self.tree_number = repair[3].get(3)
        self.take_contents(file, commit, broken)
        said = commit.skeleton[3], commit.skeleton[4], commit.skeleton.get(7)
        if not broken and said != (self.tree.size, self.tree.head(), self.tree_number):
            raise FormatError(file.path, frames.offset, f"commit {commit.sequence}: the tree head is another")
        self.last = commit.sequence
        self.links[self.last] = value
        return commit

    def take_contents(self, file, commit, broken):
        for i, fact in enumerate(commit.facts):
            if fact.kind != CONTENT:
                continue
            if fact.value is not None and fact.value[1] != self.next_content:
                if not broken:
                    raise FormatError(file.path, commit.frames.offset, f"content {fact.value[1]} where {self.next_content} comes")
                self.next_content = fact.value[1]
            commit.numbers[i] = self.next_content
            self.next_content += 1
            self.tree.add(fact.leaf)


def check_moved(path, frame, rest):
    """A table of moved commits: first in its file, pairs that rise. A reader of mail does not need it."""
    if frame.offset != HEADER or len(rest) % 16:
        raise FormatError(path, frame.offset, "a table of moved commits that is not the first frame, or not of pairs")
    pairs = list(struct.iter_unpack("<QQ", rest))
    if any(a[0] >= b[0] or a[1] >= b[1] for a, b in zip(pairs, pairs[1:])):
        raise FormatError(path, frame.offset, "the table of moved commits does not rise")


# ------------------------------------------------------------------------------------------------------------------------ head.mkm


class Noted(NamedTuple):
    """The contents of head.mkm."""

    sequence: int
    chain: bytes
    end: list
    next: list  # content, message, part, import run, highest folder, highest container
    tree_size: int
    tree_roots: bytes
    others: list  # [owner, sequence, chain value]


def read_head(folder, owner, outer, notes):
    """head.mkm of a store or of the master, or None if there is none."""
    path = os.path.join(folder, "head.mkm")
    if not os.path.exists(path):
        return None
    file = open_file(path, HEAD_FILE, owner, outer)
    frames = list(read_frames(file))
    if [f.kind for f in frames] != [HEAD_FRAME]:
        raise FormatError(path, HEADER, f"frames of kinds {[f.kind for f in frames]}, a head has one")
    value = cbor(frames[0].plain)
    judge_keys(path, value, range(1, 7), notes)
    judge_keys(f"{path}: tree", value[5], (1, 2), notes)
    return Noted(value[1], value[2], value[3], value[4], value[5][1], value[5][2], value[6])


def check_head(path, head, links, what):
    """A head that was noted must be in these records with this chain value (rollback, section 8)."""
    sequence, chain = head
    if links.get(sequence) != chain:
        raise FormatError(path, 0, f"{what}: commit {sequence} is noted; the records {'lack it' if sequence not in links else 'have another chain value there'}")


def good_frames(file):
    """Readable frames of a file, whatever is between them."""
    return [frame for frame, error in scan_frames(file) if error is None]
