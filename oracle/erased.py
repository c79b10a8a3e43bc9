"""Looks for what is left of erased mails in an archive: every frame of every file is opened with the key, and what is compressed there is
decompressed (docs/FORMAT.md, docs/FORMAT-INDEX.md).

erased.py ARCHIVE KEYFILE --words FILE [--mail FILE.eml ...] [--before COPY]

--words: a file with a word a line; none of them may be anywhere, as written or in lower case. --mail: erased mails; neither their
digests nor those of their parts may be anywhere, in whole or their first 6 bytes. --before: a copy of the archive from before the
erasure; digests, salts and seeds of the facts that are erased since may be nowhere. With the digests of mails, and with the facts of
the copy, a guess is tried: no salt that is in any file, or comes from a seed there, may give the hash of an erased fact or its leaf.
Rows of the catalog and lists of the index may not have the number of what is erased. Digests of what is still there, since another
mail has it too, are passed over. Exit 1 with a line for each find.
"""

import argparse
import binascii
import hashlib
import os
import re
import struct
import sys

import caches
from erasure import Erasures
from fileformat import HEADER, IDENTITIES, FormatError, archive_keys, cbor, mapped, read_header, scan_frames, sealed, store_key
from guess import BROKEN, DIGEST, Guess, commits_of, compared, digests_of, hash_of_id, marks_of, whole
from records import (
    BLOCK, CONTAINER, CONTENT, LAST, MASTER_FACTS, MESSAGE, PART, PIECE, RECORDS, STORE_FACTS, TABLE, block, decode, decompress, put_together,
    stamp_of,
)  # fmt: skip

RUN, SEGMENT = 5, 7
PAGE_OF_CATALOG, DIRECTORY, PAGE_OF_INDEX = 6, 7, 9
SHORTEST_WORD = SHORTEST_DIGEST = BEGINNING = 6
ID_OF_DOCUMENT = b"\x03i"


class Wanted:
    """What may be nowhere: words in lower case; bytes (digests, salts, seeds) with what they are. Both are looked up by how they begin, so
    that the time for it does not grow with their number."""

    def __init__(self, words, secrets=None):
        short = [word for word in words if len(word.encode()) < SHORTEST_WORD]
        if short:
            raise ValueError(f"words of fewer than {SHORTEST_WORD} bytes are found by chance: {short[:5]}")
        self.words = by_beginning((spelling.encode().lower(), f"the word {word}") for word in words for spelling in (word, word.lower()))
        self.secrets = by_beginning((secrets or {}).items())
        spellings = [spelling for each in self.words.values() for spelling, _ in each]
        letters = b"".join(re.escape(bytes([byte])) for byte in sorted(set(b"".join(spellings))))
        self.text = re.compile(b"[" + letters + b"]{%d,}" % SHORTEST_WORD) if spellings else None

    def found(self, data):
        """What of it is in some bytes."""
        if self.text:
            # Stretches of letters that words have; what is left of the bytes of a picture is little.
            yield from looked_up(self.words, b"\n".join(self.text.findall(data.lower())))
        if self.secrets:
            yield from looked_up(self.secrets, data)


def by_beginning(pairs):
    """{first bytes: pairs} of pairs of bytes and what they are."""
    out = {}
    for sought, what in dict(pairs).items():
        out.setdefault(sought[:BEGINNING], []).append((sought, what))
    return out


def looked_up(beginnings, data):
    for begin in beginnings.keys() & {data[at : at + BEGINNING] for at in range(len(data) - BEGINNING + 1)}:
        yield from (what for sought, what in beginnings[begin] if sought in data)


class Erased:
    """Everything that is in the files of one owner (a store or the master), and what of it should not be."""

    def __init__(self, wanted, known, guess, gone=None, own_ids=None):
        self.wanted, self.known, self.guess = wanted, known, guess
        self.gone = gone or Erasures([])
        self.own_ids = own_ids or {}  # first bytes of the SHA-256 of a Message-ID: what it is
        self.finds = {}  # (path, offset, what): where in the frame

    def find(self, path, offset, what, where=""):
        self.finds.setdefault((path, offset, what), where)

    def look(self, path, offset, what, data):
        for found in self.wanted.found(data):
            self.find(path, offset, found, f" in {what}")

    # ------------------------------------------------------------------------------------------------------------------- files

    def file(self, file):
        """Looks at every frame of a file."""
        if file.header.kind == RECORDS:
            self.records(file)
            return
        self.tail = b""
        self.pages = []
        for frame, error in scan_frames(file):
            if error:
                self.find(file.path, error.offset, f"what cannot be opened: {error.what}")
                continue
            try:
                self.frame(file, frame)
            except BROKEN as error:
                self.find(file.path, frame.offset, f"a frame of kind {frame.kind} that cannot be read: {type(error).__name__}: {error}")
        if file.header.kind == SEGMENT:
            try:
                self.segment(file)
            except BROKEN as error:
                self.find(file.path, HEADER, f"a segment that cannot be read: {type(error).__name__}: {error}")

    def frame(self, file, frame):
        kind, path, offset = file.header.kind, file.path, frame.offset
        if kind == CONTAINER and frame.kind == BLOCK:
            self.block(file, frame)
        elif kind == CONTAINER and frame.kind == TABLE:
            data = decompress(stamp_of(frame.plain)[1], 64 << 20)
            self.look(path, offset, "a table", data)
            self.guess.take_table(f"{path}: offset {offset}", cbor(data))
        elif kind == RUN and frame.kind == PAGE_OF_CATALOG:
            data = decompress(frame.plain, 64 << 20)
            for key, value in caches.entries(data):
                self.look(path, offset, f"the row {key!r}", key + b"\n" + (value or b""))
                if self.names_erased(key, value):
                    self.find(path, offset, f"the row {key!r} of what is erased")
        elif kind == RUN and frame.kind == DIRECTORY:
            self.look(path, offset, "a directory", decompress(frame.plain, 64 << 20))
        elif kind == SEGMENT and frame.kind == PAGE_OF_INDEX:
            self.index_page(path, offset, *caches.page(frame.plain))
        else:
            self.look(path, offset, f"a frame of kind {frame.kind}", frame.plain)

    def block(self, file, frame):
        """Stored bytes, and what is base64 in them. A word may be in two blocks."""
        data = block(stamp_of(frame.plain)[1])
        self.look(file.path, frame.offset, "a block", self.tail + data)
        for run in re.findall(rb"(?:[A-Za-z0-9+/]{20,}={0,2}\r?\n?)+", self.tail + data):
            text = re.sub(rb"[^A-Za-z0-9+/]", b"", run)
            for begin in range(4):
                piece = text[begin : begin + (len(text) - begin) // 4 * 4]
                self.look(file.path, frame.offset, "base64 in a block", binascii.a2b_base64(piece))
        self.tail = data[-200:]

    def records(self, file):
        """Blocks of sections, and commits; whatever is left of a commit that is not whole is read as far as it goes."""
        pieces, at = [], None
        self.tail = b""
        for frame, error in scan_frames(file):
            if error:
                self.find(file.path, error.offset, f"what cannot be opened: {error.what}")
                continue
            if frame.kind in (PIECE, LAST):
                stamp, rest = stamp_of(frame.plain)
                if at != (stamp.sequence, stamp.index):
                    self.pieces(file, pieces)
                    pieces = []
                pieces.append((frame.offset, rest if frame.kind == PIECE else rest[32:]))
                at = stamp.sequence, stamp.index + 1
                if frame.kind == LAST:
                    self.pieces(file, pieces)
                    pieces = []
            elif frame.kind == BLOCK:
                try:
                    self.block(file, frame)
                except BROKEN as error:
                    self.find(file.path, frame.offset, f"a block that cannot be read: {error}")
            else:
                self.look(file.path, frame.offset, f"a frame of kind {frame.kind}", frame.plain)
        self.pieces(file, pieces)
        for frames in put_together(scan_frames(file), set(), gaps=True):
            where = f"{file.path}: commit {frames.sequence}"
            try:
                commit, _ = decode(file.path, file.header.number, frames, self.known, set())
                self.guess.take_commit(where, commit, cbor(decompress(frames.body, 256 << 20))[3])
            except BROKEN as error:
                self.find(file.path, frames.offset, f"commit {frames.sequence} cannot be read: {error}")

    def pieces(self, file, pieces):
        if not pieces:
            return
        offset, joined = pieces[0][0], b"".join(data for _, data in pieces)
        try:
            self.look(file.path, offset, "a commit", decompress(joined, 256 << 20))
        except ValueError as error:
            self.find(file.path, offset, f"pieces of a commit that cannot be decompressed: {error}")

    # ------------------------------------------------------------------------------------------------------------------- caches

    def over(self, kind, number):
        return self.gone.is_over(self.gone.named(kind).get(number, 1 << 64))

    def names_erased(self, key, value):
        """Whether a row of the catalog tells of an erased content, part or message. A tombstone tells nothing but its key, and numbers
        are no secret; nor is which messages a content had that stays (rows `x`)."""
        letter, last = key[:1], int.from_bytes(key[-4:], "big")
        kind = {b"d": CONTENT, b"i": CONTENT, b"q": PART}.get(letter)
        if kind:
            return self.over(kind, last)
        if value is None:
            return False
        first = int.from_bytes(key[1:5], "big")
        if letter == b"f":
            return self.over(MESSAGE, 0xFFFFFFFF - last)
        if letter == b"u":
            return self.over(PART, first) or self.over(CONTENT, last)
        kind = {b"c": CONTENT, b"x": CONTENT, b"g": MESSAGE, b"m": MESSAGE, b"p": PART}.get(letter)
        return kind is not None and self.over(kind, first)

    def index_page(self, path, offset, kind, body):
        self.pages.append((offset, kind, body))
        keys = caches.keys(kind, body)
        # Keys share bytes with those before them, so that what is left of two may look like a word.
        self.look(path, offset, f"a page of the index of kind {kind}", b"\n".join(keys) if keys else body)
        for key in keys if kind == caches.TERMS else ():
            if key[:2] == ID_OF_DOCUMENT and key[2:] in self.own_ids:
                self.find(path, offset, f"{self.own_ids[key[2:]]} as a document's own id")
        for number in caches.listed(kind, body) if kind in (caches.COLUMNS, caches.ORDER) else ():
            if self.over(CONTENT, number):
                self.find(path, offset, f"document {number}, which is erased, in a page of kind {kind}")

    def segment(self, file):
        """Lists of documents by term."""
        footers = [cbor(body) for _, kind, body in self.pages if kind == caches.FOOTER]
        if len(footers) != 1:
            raise ValueError(f"{len(footers)} footers")
        stream = b"".join(body for _, kind, body in self.pages if kind == caches.DOCUMENTS)
        terms = [body for _, kind, body in self.pages if kind == caches.TERMS]
        for key, documents in caches.postings(footers[0][2], terms, stream):
            left = [number for number in documents if self.over(CONTENT, number)]
            if left:
                self.find(file.path, HEADER, f"documents {left[:5]}, which are erased, in the list of {key!r}")


# ------------------------------------------------------------------------------------------------------------------------ archives


def owners_of(archive, keys):
    """{folder of the owner: (owner, key, known facts)} of the master and the stores."""
    out = {"master": (keys.archive_id, keys.master_key, MASTER_FACTS)}
    for name in sorted(os.listdir(os.path.join(archive, "stores"))):
        out[f"stores/{name}"] = (*store_key(keys, os.path.join(archive, "stores", name)), STORE_FACTS)
    return out


def opened(path, relative, owner, key):
    """A sealed file, or the tail of one in lost+found."""
    data = mapped(path)
    header = read_header(relative, data)
    base, skip = 0, HEADER
    if path.removesuffix(".tmp").endswith(".mkl"):
        (base,) = struct.unpack_from("<Q", data, HEADER)
        data, skip = data[HEADER + 8 :], 0
    return sealed(relative, data, header.kind, owner, key, header)._replace(base=base, skip=skip)


class Sought:
    """What may be nowhere in an archive, by the mails that were erased and by what its facts say."""

    def __init__(self, archive, owners, mails, before):
        self.erasures = {}  # folder of a store: what its facts 23 and 24 say
        self.own_ids = {hash_of_id(mail): "the Message-ID of an erased mail" for mail in mails}
        self.marks, self.salts, self.facts, self.left = {}, {}, [], set()
        for mail in mails:
            self.marks.update(digests_of(mail))
        self.digests = [mark for mark, what in self.marks.items() if what == DIGEST]
        for folder, (owner, key, known) in owners.items():
            records = "master" if folder == "master" else f"{folder}/records"
            commits = list(commits_of(os.path.join(archive, records), owner, key, known))
            if folder != "master":
                self.take_what_is_left(folder, commits)
            if before:
                old = compared(commits_of(os.path.join(before, records), owner, key, known), commits)
                self.marks.update(old.marks)
                self.salts.update(old.salts)
                self.facts += old.facts
        # The hash of no leaf is everywhere.
        for mark in self.left | {hashlib.sha256(b"").digest()}:
            self.marks.pop(mark, None)

    def take_what_is_left(self, folder, commits):
        """Digests and ids of what is there, which erased mails may have, too."""
        erasures = self.erasures[folder] = Erasures(commits)
        for fact in (fact for commit in commits for fact in commit.facts if fact.value):
            kind, value = whole(fact)
            if kind not in (CONTENT, PART) or erasures.is_over(erasures.named(kind).get(value[1], 1 << 64)):
                continue
            self.left.update(marks_of(fact))
            if value.get(13) and kind == CONTENT:
                self.own_ids.pop(hashlib.sha256(value[13].encode()).digest()[:8], None)

    def secrets(self):
        return {
            **{mark[:SHORTEST_DIGEST]: what for mark, what in self.marks.items()},
            **{salt[:16]: what for salt, what in self.salts.items()},
        }


def finds(archive, key_file, words, mails=(), before=None):
    """What is left of what is erased."""
    owners = owners_of(archive, archive_keys(archive, key_file))
    sought = Sought(archive, owners, mails, before)
    wanted, guess, out = Wanted(words, sought.secrets()), Guess(), []
    for folder, (owner, key, known) in owners.items():
        one = Erased(wanted, known, guess, sought.erasures.get(folder), sought.own_ids)
        for path, relative in files_below(archive, folder):
            one.look(relative, 0, "a name", relative.encode())
            if os.path.basename(path) in IDENTITIES:
                continue
            try:
                one.file(opened(path, relative, owner, key))
            except (FormatError, struct.error) as error:
                one.find(relative, 0, f"a file that cannot be opened: {error}")
        out += [f"{path}: offset {offset}: {what}{where}" for (path, offset, what), where in one.finds.items()]
    confirmed = guess.confirmed(sought.digests, sought.facts)
    return out + [f"{where}: a salt or seed confirms a guess: {what}" for where, what in confirmed]


def files_below(archive, folder):
    for root, folders, files in os.walk(os.path.join(archive, folder)):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(root, name)
            yield path, os.path.relpath(path, archive).replace("\\", "/")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("key_file")
    parser.add_argument("--words", required=True)
    parser.add_argument("--mail", nargs="*", default=[])
    parser.add_argument("--before", help="a copy of the archive from before the erasure")
    args = parser.parse_args()
    with open(args.words, encoding="utf-8") as f:
        words = f.read().split()
    mails = []
    for path in args.mail:
        with open(path, "rb") as f:
            mails.append(f.read())
    found = finds(args.archive, args.key_file, words, mails, args.before)
    for line in found[:200]:
        print("FOUND", line)
    print(f"{len(words)} words, {len(mails)} mails; {len(found)} finds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
