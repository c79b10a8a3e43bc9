"""The catalog against the records (docs/FORMAT.md, section 12): every row that it has, and none that it should not have."""

import os
import struct

import caches
from fileformat import HEADER, FormatError, cbor, open_file, read_frames
from records import CONTAINER, CONTENT, COPY, DELETED, MESSAGE, MOVED, PART, RECORDS, decompress, quads, stamp_of

MANIFEST, RUN = 6, 5
PAGE, DIRECTORY = 6, 7
NO_DATE, BY_ARCHIVING = -(1 << 63), 4


def check_catalog(store):
    """What is wrong in the catalog of a store that was read from its records; None if it does not go up to the last commit."""
    folder = os.path.join(store.folder, "catalog")
    (frame,) = read_frames(open_file(os.path.join(folder, "manifest.mkm"), MANIFEST, store.owner, store.key))
    manifest = cbor(frame.plain)
    last = store.commits[-1]
    if (manifest[1], manifest[2]) != (last.sequence, store.records.links[last.sequence]):
        return None
    rows = {}
    for number, _, _, length, file_id in reversed(manifest[9]):
        rows.update(run(store, os.path.join(folder, f"{number:06}.mks"), length, file_id))
    rows = {key: value for key, value in rows.items() if value is not None}
    expected = dict(Expected(store).rows())
    wrong = [f"the catalog lacks the row {key!r}" for key in sorted(set(expected) - set(rows))]
    for key, value in sorted(rows.items()):
        if key in expected and differs(value, expected[key]):
            wrong.append(f"the catalog's row {key!r} has {value}, not {expected[key]}")
        # Sets and accepted damage are not compared, and a content that stays may have rows of its erased messages.
        elif key not in expected and key[:1] not in b"sa" and not (key[:1] == b"x" and is_erased_message(store, key, value)):
            wrong.append(f"the catalog has the row {key!r}")
    return wrong


def is_erased_message(store, key, value):
    content, message = struct.unpack(">II", key[1:])
    return content in store.contents and message in store.erasures.messages and not value


def run(store, path, length, file_id):
    """{key: value or None} of a run; its directory must name its pages."""
    file = open_file(path, RUN, store.owner, store.key)
    if (file.header.file_id, file.end()) != (file_id, length):
        raise FormatError(path, 16, "not the file that the manifest names")
    rows, pages, named = {}, [], []
    for frame in read_frames(file):
        data = decompress(frame.plain, 64 << 20)
        if frame.kind == PAGE:
            found = list(caches.entries(data))
            pages.append((frame.offset, found[0][0]))
            rows.update(found)
        elif frame.kind == DIRECTORY:
            at = before = 0
            while at < len(data):
                (offset, size), at = caches.varints(data, at, 2)
                before += offset
                named.append((before, data[at : at + size]))
                at += size
    if pages != named:
        raise FormatError(path, HEADER, f"the directory names {named}, the pages are {pages}")
    return rows


def differs(data, expected):
    """Whether a row has another value than the one expected: bytes, an array, or the keys of a map."""
    if isinstance(expected, bytes):
        return data != expected
    if isinstance(expected, list):
        return cbor(data) != expected
    row = cbor(data)
    return any(row.get(key) != value for key, value in expected.items())


def number(*values):
    return b"".join(struct.pack(">I", value) for value in values)


class Expected:
    """The rows that a store should have."""

    def __init__(self, store):
        self.store = store
        self.places = {}  # (kind, number): place of the fact
        self.deletions = {}  # message: place of the last fact 14
        written = {file.header.number: first_written(file) for file in store.records.files}
        for commit in store.commits:
            at = written[commit.file](commit.frames.begin)
            for index, fact in enumerate(commit.facts):
                place = [commit.file, at, index]
                if fact.kind in (CONTENT, MESSAGE, PART) and fact.value:
                    self.places[fact.kind, fact.value[1]] = place
                elif fact.kind == DELETED and fact.value:
                    self.deletions.update({first + i: place for first, count in fact.value[1] for i in range(count)})

    def rows(self):
        store = self.store
        for no, (fact, runs) in store.contents.items():
            file = next((at[1] for at, *_ in runs if at[0] == RECORDS), None)
            flat = [each for at, *rest in runs for each in (at[1] if at[0] == CONTAINER else 0, *rest)]
            row = {1: fact[2], 2: fact[4], 3: fact.get(5), 4: flat, 5: file, 6: self.places[CONTENT, no], 7: fact.get(19), 9: fact[7]}
            yield b"c" + number(no), {**row, 10: fact[8], 11: fact[17], 12: fact[18], 15: fact[12], 16: fact.get(21)}
            for digest in filter(None, (fact[2], fact.get(19))):
                yield b"d" + digest[:6] + number(no), b""
            yield b"i" + fact[3][:6] + number(no), b""
            for part in {part for form, _, _, part in quads(fact.get(5) or []) if form in (3, 4)}:
                yield b"u" + number(part, no), b""
        for no, ((digest, length, runs),) in store.parts.items():
            file = next((at[1] for at, *_ in runs if at[0] == RECORDS), None)
            flat = [each for at, *rest in runs for each in (at[1] if at[0] == CONTAINER else 0, *rest)]
            yield b"p" + number(no), {1: digest, 2: length, 3: flat, 4: file}
            yield b"q" + digest[:6] + number(no), b""
        yield from self.messages()
        yield from self.folders()

    def messages(self):
        store = self.store
        for no, fact in store.all_messages.items():
            content, folder, is_deleted = fact[2], fact[3], no in store.deleted
            row = {1: content, 2: folder, 3: fact[4], 4: fact[5], 5: self.places[MESSAGE, no], 6: fact[12], 7: fact.get(11)}
            yield b"m" + number(no), row
            yield b"x" + number(content, no), b"" if is_deleted else struct.pack("<I", folder)
            if is_deleted:
                yield b"g" + number(no), self.deletions.get(no)
                continue
            known = store.contents[content][0]
            date = NO_DATE if known[8] == BY_ARCHIVING else known[7]
            inverted = ~((date & (1 << 64) - 1) ^ 1 << 63) & (1 << 64) - 1
            yield b"f" + number(folder) + struct.pack(">Q", inverted) + number(~no & 0xFFFFFFFF), b""
        for content, first in store.firsts.items():
            if content in store.contents:
                yield b"x" + number(content, first), b""

    def folders(self):
        store = self.store
        for no, parent in store.folders.parents.items():
            inside = [message for message in store.messages if message[3] == no]
            size = sum(store.contents[message[2]][0][4] for message in inside)
            row = {1: parent, 2: store.folders.names[no], 3: len(inside), 4: size, 5: store.numbers.get(no, 0)}
            yield b"n" + number(no), {**row, 7: True if no in store.folders.removed else None}


def first_written(file):
    """From the present offset of a frame of a records file to the one at which it was first written (section 8, "Rewritten")."""
    frames = (frame for frame in read_frames(file) if frame.kind != COPY)
    first = next(frames, None)
    if first is None or first.kind != MOVED:
        return lambda offset: offset
    end = first.offset + first.length
    pairs = list(struct.iter_unpack("<QQ", stamp_of(first.plain)[1]))

    def of(offset):
        begin, at = [pair for pair in pairs if end + pair[1] <= offset][-1]
        return begin + offset - end - at

    return of
