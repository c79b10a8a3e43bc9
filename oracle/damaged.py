"""What can be read of a damaged archive (docs/FORMAT.md, section 15): each mail once, by its digest."""

import hashlib
import os
import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from contents import Contents
from erasure import Erasures
from fileformat import (
    HEADER, FormatError, archive_keys, cbor, copied_header, made_header, mapped, read_header, read_recovery_key, scan_frames, sealed, store_key,
    store_key_by_recovery,
)  # fmt: skip
from records import (
    CONTAINER, CONTENT, PACKED, PART, RECORDS, RECOVERED, STORE_FACTS, TABLE, chain_after, decode, decompress, numbered, put_together,
    quads, stamp_of,
)  # fmt: skip

BROKEN = (FormatError, ValueError, LookupError, TypeError, struct.error, OSError, InvalidTag, RecursionError)


class Found(NamedTuple):
    mails: dict  # digest: how it was found
    problems: list


class Damaged(Contents):
    """A store from which anything may be missing."""

    def __init__(self, folder, owner, key):
        super().__init__()
        self.folder, self.owner, self.key = folder, owner, key
        self.problems, self.mails = [], {}
        self.files = {}
        self.containers, self.links = {}, {}
        self.notes = set()
        self.read_records()
        self.read_mails()

    def files_at(self, place):
        return self.files.get(place, [])

    # ------------------------------------------------------------------------------------------------------------------- files

    def paths(self, sub, ending):
        """(number in the name or None, path): the series, then whole files and tails in lost+found."""
        yield from numbered(os.path.join(self.folder, sub), ending)
        aside = os.path.join(self.folder, "lost+found")
        for name in sorted(os.listdir(aside)) if os.path.isdir(aside) else ():
            if name.endswith((f".{ending}", ".mkl")):
                yield None, os.path.join(aside, name)

    def open(self, number, path, kind):
        """A file, a file put aside, or a tail; None if it is of another kind or has no readable header."""
        try:
            data = mapped(path)
            if path.endswith(".mkl"):
                header = read_header(path, data)
                if header.kind != kind:
                    return None
                (base,) = struct.unpack_from("<Q", data, HEADER)
                return sealed(path, data[HEADER + 8 :], kind, self.owner, self.key, header)._replace(base=base, skip=0)
            return sealed(path, data, kind, self.owner, self.key, self.header_of(number, path, data, kind))
        except BROKEN as error:
            self.problems.append(f"{path}: {error}")
            return None

    def header_of(self, number, path, data, kind):
        try:
            return read_header(path, data)
        except FormatError as error:
            self.problems.append(str(error))
            copy = copied_header(path, data)
            if copy is None and kind == CONTAINER and number in self.containers:
                copy = made_header(kind, number, self.containers[number], self.owner, self.key)
            if copy is None:
                raise
            return copy

    def frames(self, file):
        for frame, error in scan_frames(file):
            if error:
                self.problems.append(str(error))
            yield frame, error

    # ----------------------------------------------------------------------------------------------------------------- records

    def read_records(self):
        """Commits by their sequence; what is at or above the next file's first sequence, or was put aside, is kept separately."""
        opened = []
        for number, path in self.paths("records", "mkr"):
            file = self.open(number, path, RECORDS)
            if file:
                opened.append((number, file))
        counted, apart = {}, []
        series = [file for number, file in opened if number is not None]
        for number, file in opened:
            place = RECORDS, file.path
            self.files[place] = [file]
            # What was put aside from a file was once in it, and a tail may need what precedes it.
            self.files[place] += [f for _, f in opened if f is not file and f.header.file_id == file.header.file_id]
            later = [f.header.first_sequence for f in series if number is not None and f.header.number > file.header.number]
            void = min(later, default=None)
            for frames in put_together(self.frames(file), self.notes, gaps=True):
                try:
                    commit, skeleton = decode(file.path, place, frames, STORE_FACTS, self.notes)
                except BROKEN as error:
                    self.problems.append(f"{file.path}: offset {frames.offset}: {error}")
                    continue
                if number is None or (void is not None and commit.sequence >= void):
                    apart.append(commit)
                else:
                    if commit.sequence in counted:
                        apart.append(counted[commit.sequence][0])
                    counted[commit.sequence] = commit, skeleton
        self.apart = apart
        self.follow([counted[n] for n in sorted(counted)])

    def follow(self, commits):
        """The commits that count, with gaps: the link before each is that of the previous commit, or the one in its own stamps."""
        self.commits = [commit for commit, _ in commits]
        before = 0
        for commit, skeleton in commits:
            if commit.sequence != before + 1:
                self.problems.append(f"{self.folder}: commits {before + 1} to {commit.sequence - 1} are missing")
            before = commit.sequence
            synced, value = commit.frames.before
            self.links.setdefault(synced, value)
            link = self.links.get(commit.sequence - 1)
            if link is not None and chain_after(link, skeleton, commit.facts) != commit.frames.value:
                self.problems.append(f"{self.folder}: commit {commit.sequence}: the chain value is another")
            self.links[commit.sequence] = commit.frames.value
            for fact in commit.facts:
                if fact.value and fact.kind in (2, 3):
                    self.containers[fact.value[1]] = fact.value[2]

    def placed(self, commit, flat):
        out = []
        for container, frame, start, length in quads(flat):
            if container == 0:
                out.append((commit.file, commit.section[frame] if frame < len(commit.section) else None, start, length))
            else:
                out.append(((CONTAINER, container), frame, start, length))
        return out

    # ------------------------------------------------------------------------------------------------------------------- mails

    def read_mails(self):
        rows, parts = self.tables()
        # What a recorded fact 23 names is gone, wherever something of it is left.
        erased = Erasures(self.commits)
        contents = []
        for commits, how in ((self.commits, "records"), (self.apart, "records put aside")):
            for commit in commits:
                for kind, value in self.facts_of(commit):
                    if kind in (CONTENT, PART) and how == "records" and value[1] in erased.named(kind):
                        continue
                    if kind == CONTENT:
                        contents.append([how, value, self.placed(commit, value[6])])
                        if how == "records":
                            self.contents[value[1]] = contents[-1]
                    elif kind == PART:
                        self.parts.setdefault(value[1], []).append((value[2], value[3], self.placed(commit, value[4])))
                    elif kind == PACKED and how == "records":
                        self.packed(commit, value)
        for number, length, runs, aside in parts:
            if aside or number not in erased.parts:
                self.parts.setdefault(number, []).append((None, length, runs))
        for how, fact, runs in contents:
            self.keep(how, f"content {fact[1]}", runs, fact.get(5), fact[4], fact[2])
        for how, number, size, shape, runs in rows:
            if how == "tables" and number in erased.contents:
                continue
            fact = self.contents.get(number)
            if fact is None or fact[2] != runs or fact[1][2] not in self.mails:
                self.keep(how, f"content {number} of a table", runs, shape, size, None)

    def facts_of(self, commit):
        """(kind, map) of its facts; what a repair recovered counts like the fact itself."""
        for fact in commit.facts:
            if fact.value is not None and fact.kind == RECOVERED:
                yield fact.value[1], cbor(fact.value[2])
            elif fact.value is not None:
                yield fact.kind, fact.value

    def packed(self, commit, value):
        for row in value[1]:
            if row[0] in self.contents:
                self.contents[row[0]][2] = self.placed(commit, row[1])
        for row in value[2]:
            for digest, length, _ in self.parts.get(row[0], [])[:1]:
                self.parts[row[0]].insert(0, (digest, length, self.placed(commit, row[1])))

    def keep(self, how, what, runs, shape, size, digest):
        try:
            data = self.join(self.stored(runs), shape, size)
            found = hashlib.sha256(data).digest()
            if digest not in (None, found):
                raise ValueError("does not have its digest")
            self.mails.setdefault(found, how)
        except BROKEN as error:
            self.problems.append(f"{self.folder}: {what}: {error}")

    def tables(self):
        """Rows of contents and of parts of all tables, those of the highest sequence first."""
        rows, parts = [], []
        for number, path in self.paths("content", "mkc"):
            file = self.open(number, path, CONTAINER)
            if file is None:
                continue
            aside = number is None
            place = CONTAINER, file.header.number
            self.files.setdefault(place, []).append(file)
            if aside:
                # Its runs name its former container: what was put aside is tried first, then what is left there.
                here = CONTAINER, path
                self.files[here] = [file, *self.files[place][:-1]]
            for frame, error in self.frames(file):
                if error or frame.kind != TABLE:
                    continue
                try:
                    stamp, rest = stamp_of(frame.plain)
                    table = cbor(decompress(rest, 64 << 20))
                    runs = lambda flat: [((here if aside and c == place[1] else (CONTAINER, c)), *r) for c, *r in quads(flat)]
                    rows += [
                        (stamp.sequence, "tables put aside" if aside else "tables", r[0], r[1], r[4] if len(r) > 4 else None, runs(r[3]))
                        for r in table[4]
                    ]
                    parts += [(stamp.sequence, r[0], r[1], runs(r[2]), aside) for r in table[6]]
                except BROKEN as error:
                    self.problems.append(f"{path}: table at {frame.offset}: {error}")
        rows.sort(key=lambda row: -row[0])
        parts.sort(key=lambda row: -row[0])
        return [row[1:] for row in rows], [row[1:] for row in parts]


def opened_stores(archive, key_file, recovery_key, problems):
    """(folder, UUID, store key) of every store whose key can be opened: by the key file, else by the recovery key."""
    keys = recovery = None
    try:
        keys = archive_keys(archive, key_file)
    except BROKEN as error:
        problems.append(f"{archive}: {error}")
    if recovery_key:
        recovery = read_recovery_key(recovery_key)[1]
    top = os.path.join(archive, "stores")
    for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
        folder = os.path.join(top, name)
        for has, way in ((keys, store_key), (recovery, store_key_by_recovery)):
            if not has:
                continue
            try:
                owner, key = way(keys, folder) if way is store_key else way(folder, recovery)
                if way is store_key_by_recovery:
                    problems.append(f"{folder}: opened by the recovery key; the HMAC of store.mk cannot be checked")
                yield folder, owner, key
                break
            except BROKEN as error:
                problems.append(f"{folder}: {error}")


def read_damaged(archive, key_file, recovery_key=None):
    """Every mail that can be read, of all stores below `stores/`."""
    problems, mails = [], {}
    for folder, owner, key in opened_stores(archive, key_file, recovery_key, problems):
        store = Damaged(folder, owner, key)
        problems += store.problems
        for digest, how in store.mails.items():
            mails.setdefault(digest, how)
    return Found(mails, problems)
