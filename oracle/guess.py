"""By what an erased mail is known again, and what could confirm a guess at it (docs/FORMAT.md, sections 8 to 10)."""

import email
import email.policy
import hashlib
import re
import struct
from typing import NamedTuple

from fileformat import FormatError, cbor, mapped, scan_frames, sealed
from records import CONTENT, PART, RECORDS, RECOVERED, decode, leaf, numbered, put_together, seeded

DIGEST, STRIPPED, OF_PART = "the digest of a mail", "the digest of a mail without its status fields", "the digest of a part"
BROKEN = (FormatError, ValueError, LookupError, TypeError, struct.error)
# Fields that the digest of key 19 of a content leaves out.
STATUS = re.compile(rb"(status|x-status|x-keywords|x-uid|x-mozilla-.*|x-gmail-labels|content-length|lines)[ \t]*:.*", re.I | re.S)


class Guess:
    """What could confirm a guess at an erased fact: hashes of erased facts, and salts that might have been theirs."""

    def __init__(self):
        self.hashes, self.leaves = {}, {}  # hash: where it is
        self.salts, self.seeds = {}, {}  # bytes: where they are
        self.indices = set()  # of erased facts in their commits

    def take_commit(self, where, commit, ranges):
        for index, fact in enumerate(commit.facts):
            if fact.salt is None:
                self.indices.add(index)
                self.hashes[fact.hash] = f"{where}, fact {index}"
                if fact.leaf:
                    self.leaves[fact.leaf] = f"{where}, leaf of fact {index}"
            else:
                self.salts.setdefault(fact.salt, where)
        for _, form, data in ranges:
            if form == 1:
                self.seeds.setdefault(data, where)

    def take_table(self, where, table):
        if table.get(3):
            self.seeds.setdefault(table[3], where)
        for row in table[4]:
            if len(row) > 5 and row[5]:
                self.salts.setdefault(row[5], where)

    def confirmed(self, digests, facts):
        """(where the salt is, which hash it confirms) by guesses at digests of contents and at the bytes of facts."""
        tried = dict(self.salts)
        for seed, where in self.seeds.items():
            for index in self.indices:
                tried.setdefault(seeded(seed, index), where)
        for salt, where in tried.items():
            for digest in digests:
                if leaf(salt, digest) in self.leaves:
                    yield where, self.leaves[leaf(salt, digest)]
            for fact in facts:
                hash = hashlib.sha256(salt + fact).digest()
                if hash in self.hashes:
                    yield where, self.hashes[hash]


def digests_of(data):
    """{digest: what} of a mail and its parts."""
    fields, blank, body = split(data)
    kept = b"".join(field for field in fields if not STATUS.fullmatch(field.rstrip(b"\r\n")))
    out = {hashlib.sha256(data).digest(): DIGEST}
    out.setdefault(hashlib.sha256(kept + blank + body).digest(), STRIPPED)
    for part in email.message_from_bytes(data, policy=email.policy.compat32).walk():
        decoded = None if part.is_multipart() else part.get_payload(decode=True)
        if decoded:
            out.setdefault(hashlib.sha256(decoded).digest(), OF_PART)
    return out


def split(data):
    """(header fields, blank line, body)"""
    end = re.search(rb"^\r?\n", data, re.M)
    head, rest = (data[: end.start()], data[end.start() :]) if end else (data, b"")
    blank = re.match(rb"\r?\n?", rest).group()
    return re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", head), blank, rest[len(blank) :]


def hash_of_id(data):
    """The first bytes of the SHA-256 of its Message-ID, as the index has them; None without one."""
    found = re.search(rb"^Message-ID:[^<\n]*<([^>]*)>", b"".join(split(data)[0]), re.M | re.I)
    return hashlib.sha256(found.group(1)).digest()[:8] if found else None


def commits_of(folder, owner, key, known):
    """The commits of a folder of records, as far as they can be read."""
    for number, path in numbered(folder, "mkr"):
        data = mapped(path)
        file = sealed(path, data, RECORDS, owner, key)
        for frames in put_together(scan_frames(file), set(), gaps=True):
            try:
                yield decode(path, number, frames, known, set())[0]
            except BROKEN:
                continue


def whole(fact):
    """(kind, map) of a fact; what a repair recovered is like the fact itself."""
    return (fact.value[1], cbor(fact.value[2])) if fact.kind == RECOVERED else (fact.kind, fact.value)


def marks_of(fact):
    """{bytes: what} by which a fact of a content or part is known again."""
    kind, value = whole(fact)
    if kind == PART:
        return {value[2]: OF_PART}
    if kind == CONTENT:
        marks = {
            value[2]: DIGEST,
            value[3]: "the identity of a mail",
            value.get(19): STRIPPED,
        }
        return {mark: what for mark, what in marks.items() if mark and any(mark)}
    return {}


class Before(NamedTuple):
    """What was erased since, from a copy from before."""

    marks: dict  # digests and identities: what
    salts: dict  # salts and seeds: what
    facts: list  # bytes


def compared(before, now):
    """What the commits of a copy have and those of the archive no longer."""
    found = Before({}, {}, [])
    whole = {commit.sequence: commit for commit in before}
    for commit in now:
        old = whole.get(commit.sequence)
        for index, fact in enumerate(commit.facts):
            if fact.salt is not None or old is None or old.facts[index].data is None:
                continue
            found.facts.append(old.facts[index].data)
            found.marks.update(marks_of(old.facts[index]))
            found.salts[old.facts[index].salt] = f"the salt of fact {index} of commit {commit.sequence}"
            for begin, end, seed in old.seeds:
                if begin <= index < end:
                    found.salts[seed] = f"a seed of commit {commit.sequence}"
    return found
