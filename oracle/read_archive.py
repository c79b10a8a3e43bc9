"""Reads every mail of an archive by docs/FORMAT.md alone, with the key file and common libraries (`cryptography`, `zstandard`).

read_archive.py ARCHIVE KEYFILE [--out DIR] [--manifest FILE] [--containers-only]
read_archive.py ARCHIVE KEYFILE --damaged [--recovery-key FILE] [--list]

Follows section 14: identities, keys, the master's records, each store's records with their chain and tree, and every message's
content, joined and compared with its digest. Stamps, heads, copies of headers, and tables are compared with the records too.
--out writes the mails; --manifest takes the MANIFEST.jsonl of an export and compares ids, folders and digests with it.
--containers-only reads the contents by the tables of the containers, without the records, and compares what comes out with the
records' digests. --damaged follows section 15: whatever can be read, records with gaps, tables where records lack, no records at all,
copies of headers, lost+found; it counts each mail once, and with --list prints their digests. Exit 1 if anything is wrong.
"""

import argparse
import hashlib
import json
import os
import sys

from check_files import check_containers
from contents import Contents
from damaged import read_damaged
from fileformat import FormatError, archive_keys, open_file, store_key
from folders import MADE, MOVED, REMOVED, RENAMED, Folders
from records import (
    CONTAINER, CONTENT, COPY, DELETED, MASTER_FACTS, MESSAGE, PACKED, PART, RECORDS, RECOVERED, REPAIRED, STORE_FACTS, TABLE,
    UNDELETED, Records, cbor, check_head, decompress, good_frames, numbered, quads, read_head, stamp_of,
)  # fmt: skip


class Store(Contents):
    """One store, read from its records; contents are read on demand."""

    def __init__(self, folder, owner, key, notes):
        super().__init__()
        self.folder, self.owner, self.key, self.notes = folder, owner, key, notes
        self.folders = Folders(lambda: self.records.lost)
        self.all_messages = {}  # number: its fact, with the folder and the number there that it has now
        self.deleted = set()
        self.containers = {}  # number: file id
        self.closed = {}  # number: length
        self.files = {}
        self.next_run = self.next_message = self.next_part = 0
        self.erased = 0  # messages
        self.numbers = {}  # folder: the highest number given in it
        self.head = read_head(folder, owner, key, notes)
        self.records = Records(os.path.join(folder, "records"), owner, key, STORE_FACTS, notes)
        self.commits = []
        for commit in self.records.commits():
            self.commits.append(commit)
            if self.head and self.head.sequence == commit.sequence:
                self.at_head = self.records.next_content, self.records.tree.size, self.records.tree.roots()
        self.leave_out_in_flight()
        self.check_own_head(0, [0, 0])
        for commit in self.commits:
            for i, fact in enumerate(commit.facts):
                self.take(commit, i, fact)
            self.check_own_head(commit.sequence, commit.skeleton[5])

    # ---------------------------------------------------------------------------------------------------------------- what counts

    def leave_out_in_flight(self):
        """At most the last commit may be in flight: above the clean mark it counts only if all its frames are there (section 8)."""
        clean = max(self.records.clean, self.head.sequence if self.head else 0)
        last = self.records.last
        if clean < last:
            number, end = self.commits[-1].skeleton[5]
            if number and not self.whole_until(number, end, self.commits[-1]):
                self.notes.add(f"{self.folder}: commit {last} was in flight and is left out")
                self.commits.pop()
        elif self.records.stopped and clean > last:
            raise self.records.stopped
        if clean > last:
            raise FormatError(self.folder, 0, f"commit {clean} was durable, the records end with {last}")
        if self.records.stopped:
            self.notes.add(f"a tail after commit {last}: {self.records.stopped}")

    def whole_until(self, number, end, commit):
        path = os.path.join(self.folder, "content", f"{number:06}.mkc")
        if not os.path.exists(path) or os.path.getsize(path) < end:
            return False
        file = open_file(path, CONTAINER, self.owner, self.key)
        indices = [s.index for s in (stamp_of(f.plain)[0] for f in good_frames(file) if f.kind != COPY) if s.sequence == commit.sequence]
        return len(indices) == commit.frames_in_containers()

    def check_own_head(self, sequence, end):
        head, path = self.head, os.path.join(self.folder, "head.mkm")
        if head is None or head.sequence != sequence:
            return
        check_head(path, (head.sequence, head.chain), self.records.links, "the store's own head")
        contents, size, roots = self.at_head if sequence else (0, 0, b"")
        highest = [contents, self.next_message, self.next_part, self.next_run, max(self.folders), max(self.containers, default=0)]
        for name, said, found in (
            ("end of the container", head.end, end), ("next numbers", head.next, highest),
            ("tree", (head.tree_size, head.tree_roots), (size, roots)),
        ):  # fmt: skip
            if said != found:
                raise FormatError(path, 0, f"{name}: {said}, the records say {found}")

    def take(self, commit, index, fact):
        kind, value = fact.kind, fact.value
        if value is None:
            # An erased message keeps its number; its folder is no longer known.
            if kind == MESSAGE:
                self.next_message, self.erased = self.next_message + 1, self.erased + 1
            return
        if kind == CONTENT and index and commit.facts[index - 1].kind != CONTENT:
            raise ValueError(f"{self.folder}: commit {commit.sequence}: a content after other facts")
        if kind == REPAIRED:
            _, self.next_message, self.next_part, self.next_run = value[2][:4]
        elif kind == RECOVERED:
            found = cbor(value[2])
            # What a repair recovered may be in a commit that was not lost.
            if value[1] == MADE:
                self.folders.recovered(found)
            else:
                self.count(commit, value[1], found, dense=False)
        else:
            self.count(commit, kind, value)

    def count(self, commit, kind, value, dense=True):
        """Applies a fact to the state; `dense`: it takes the next number of its kind."""
        if kind == 1:
            self.next_run = value[1] + 1
        elif kind in (2, 3):
            if self.containers.setdefault(value[1], value[2]) != value[2]:
                raise ValueError(f"{self.folder}: container {value[1]} has two file ids")
            if kind == 3:
                self.closed[value[1]] = value[3]
        elif kind == CONTENT:
            self.contents[value[1]] = (value, self.placed(commit, value[6]))
        elif kind == PART:
            if dense:
                self.next_part = self.following("part", value[1], self.next_part)
            self.parts[value[1]] = [(value[2], value[3], self.placed(commit, value[4]))]
        elif kind == PACKED:
            for number, runs in (row[:2] for row in value[1]):
                if number in self.contents or not self.records.lost:
                    self.contents[number] = (self.contents[number][0], self.placed(commit, runs))
            for number, runs in (row[:2] for row in value[2]):
                if number in self.parts or not self.records.lost:
                    digest, length, _ = self.parts[number][0]
                    self.parts[number] = [(digest, length, self.placed(commit, runs))]
        elif kind == MESSAGE:
            if dense:
                self.next_message = self.following("message", value[1], self.next_message)
                self.numbers[value[3]] = self.following("number in the folder", value[12], self.numbers.get(value[3], 0) + 1) - 1
            self.all_messages[value[1]] = value
            if value[1] not in self.deleted:
                self.folders.add_message(value[3])
        elif kind == DELETED:
            self.check_note(value, [first + at for first, count in value[1] for at in range(count)])
            for message in (first + at for first, count in value[1] for at in range(count)):
                if message in self.all_messages and message not in self.deleted:
                    self.folders.messages[self.all_messages[message][3]] -= 1
                self.deleted.add(message)
        elif kind == UNDELETED:
            self.check_note(value, [row[0] + at for row in value[1] for at in range(row[1])])
            for first, count, folder, number in value[1]:
                for at in range(count):
                    self.undelete(first + at, folder, number + at)
        elif kind in (MADE, RENAMED, MOVED, REMOVED):
            self.folders.take(kind, value)

    @property
    def messages(self):
        """Those that are not deleted."""
        return [value for number, value in self.all_messages.items() if number not in self.deleted]

    def check_note(self, value, numbers):
        """Who, when and why; which messages, rising."""
        texts = isinstance(value[2], str) and isinstance(value[3], int) and 0 < len(value[4].encode()) <= 1024
        rising = all(a < b for a, b in zip(numbers, numbers[1:]))
        if not texts or not numbers or not rising or len(numbers) > 1 << 22 or numbers[-1] >= self.next_message:
            raise ValueError(f"{self.folder}: messages deleted or brought back: {value}")

    def undelete(self, message, folder, number):
        if message not in self.deleted and not self.records.lost:
            raise ValueError(f"{self.folder}: message {message} is brought back, and was not deleted")
        self.deleted.discard(message)
        if self.records.lost:
            # A repair records a message again with the number that it had.
            self.numbers[folder] = max(number, self.numbers.get(folder, 0))
        else:
            self.numbers[folder] = self.following("number in the folder", number, self.numbers.get(folder, 0) + 1) - 1
        if message in self.all_messages:
            self.folders.add_message(folder)
            self.all_messages[message] = {**self.all_messages[message], 3: folder, 12: number}

    def following(self, what, number, expected):
        """The number after this one, which must be the one expected; there may be gaps before and after a repair, and where
        messages are erased."""
        if number != expected and not ((self.records.lost or self.erased) and number > expected):
            raise ValueError(f"{self.folder}: {what} {number} where {expected} comes")
        return number + 1

    def placed(self, commit, flat):
        """Runs with the place of their file."""
        out = []
        for container, frame, start, length in quads(flat):
            if container == 0:
                # A section that is gone was packed: a later fact 7 says where its bytes are.
                at = commit.section[frame] if commit.section else None
                out.append(((RECORDS, commit.file), at, start, length))
            else:
                out.append(((CONTAINER, container), frame, start, length))
        return out

    # -------------------------------------------------------------------------------------------------------------------- reading

    def files_at(self, place):
        if place not in self.files:
            if len(self.files) > 4:
                self.files.pop(next(iter(self.files)))
            kind, number = place
            sub, ending = ("content", "mkc") if kind == CONTAINER else ("records", "mkr")
            file = open_file(os.path.join(self.folder, sub, f"{number:06}.{ending}"), kind, self.owner, self.key)
            named = self.containers.get(number)
            if kind == CONTAINER and file.header.file_id != named and not (named is None and self.records.lost):
                raise FormatError(file.path, 16, "another file than the records name")
            self.files[place] = [file]
        return self.files[place]

    def by_tables(self):
        """{content: (bytes, first folder)} from the containers alone (section 11), and what could not be read."""
        alone = ByTables(self.folder, self.owner, self.key)
        return {n: (alone.join(alone.stored(runs), shape, size), alone.folders.get(n)) for n, (size, shape, runs) in alone.rows.items()}


class ByTables(Contents):
    """What the containers alone give."""

    def __init__(self, folder, owner, key):
        super().__init__()
        self.rows, self.folders, self.files = {}, {}, {}
        for number, path in numbered(os.path.join(folder, "content"), "mkc"):
            file = open_file(path, CONTAINER, owner, key)
            self.files[CONTAINER, number] = [file]
            for frame in good_frames(file):
                if frame.kind != TABLE:
                    continue
                table = cbor(decompress(stamp_of(frame.plain)[1], 64 << 20))
                for row in table[4]:
                    self.rows[row[0]] = (row[1], row[4] if len(row) > 4 else None, self.runs(row[3]))
                for row in table[6]:
                    self.parts[row[0]] = [(None, row[1], self.runs(row[2]))]
                for row in table[5]:
                    self.folders.setdefault(row[1], tuple(table[7][row[2]]))

    def runs(self, flat):
        return [((CONTAINER, c), *rest) for c, *rest in quads(flat)]

    def files_at(self, place):
        return self.files[place]


def stores_of(archive, keys, notes=None):
    """(number, Store) of every store that the master names; its head and theirs are compared."""
    notes = set() if notes is None else notes
    folder = os.path.join(archive, "master")
    master = Records(folder, keys.archive_id, keys.master_key, MASTER_FACTS, notes)
    named = {}
    for commit in master.commits():
        for fact in commit.facts:
            if fact.kind == 64 and fact.value:
                named[fact.value[1]] = fact.value
    head = read_head(folder, keys.archive_id, keys.master_key, notes)
    if head:
        check_head(os.path.join(folder, "head.mkm"), (head.sequence, head.chain), master.links, "the master's own head")
    noted = {bytes(row[0]): (row[1], row[2]) for row in head.others} if head else {}
    for number, fact in sorted(named.items()):
        folder = os.path.join(archive, "stores", fact[3])
        owner, key = store_key(keys, folder)
        if owner != fact[2]:
            raise ValueError(f"{folder} is another store than the master names")
        store = Store(folder, owner, key, notes)
        if owner in noted:
            check_head(os.path.join(archive, "master", "head.mkm"), noted[owner], store.records.links, f"the head of store {number}")
        for other in store.head.others if store.head else ():
            if other[0] == keys.archive_id:
                check_head(os.path.join(folder, "head.mkm"), (other[1], other[2]), master.links, "the head of the master")
        yield number, store


def mails(archive, key_file):
    """(id, digest, folder, bytes) of every mail, by store and content."""
    for number, store in stores_of(archive, archive_keys(archive, key_file)):
        for message in sorted(store.messages, key=lambda m: m[2]):
            data = store.content(message[2])
            folder = "/".join(name.replace("/", "%2F") for name in store.folders[message[3]])
            yield f"{number}:{message[1]}", hashlib.sha256(data).hexdigest(), folder, data


def unreadable(store, messages):
    for message in messages:
        try:
            store.content(message[2])
        except Exception as error:
            yield f"{message[1]}: {type(error).__name__}: {error}"


def read_sound(args, notes):
    """({id: (digest, folder)}, bytes read, what is wrong)."""
    wrong = []
    seen = {}
    total = 0
    for number, store in stores_of(args.archive, archive_keys(args.archive, args.key_file), notes):
        if args.containers_only:
            found = store.by_tables()
            for content, (data, _) in sorted(found.items()):
                if hashlib.sha256(data).digest() != store.contents[content][0][2]:
                    wrong.append(f"content {content}: the tables give other bytes")
            print(f"store {number}: {len(found)} of {len(store.contents)} contents by the tables alone")
            continue
        wrong += check_containers(store)
        # Until a compaction, those that are deleted must be readable too: they can be brought back.
        gone = [message for message in store.all_messages.values() if message[1] in store.deleted]
        wrong += [f"{number}: a deleted message: {error}" for error in unreadable(store, gone)]
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
            f"store {number}: {len(store.commits)} commits, {len(store.folders) - 1} folders, {len(store.parts)} parts, "
            f"{len(store.contents)} contents, {len(store.messages)} messages, {len(store.deleted)} deleted"
        )
    return seen, total, wrong


def print_damaged(args):
    result = read_damaged(args.archive, args.key_file, args.recovery_key)
    for line in result.problems[:50]:
        print("PROBLEM", line)
    if args.list:
        for digest, how in sorted(result.mails.items()):
            print(digest.hex(), how)
    by = ", ".join(f"{list(result.mails.values()).count(how)} by {how}" for how in sorted(set(result.mails.values())))
    print(f"{len(result.mails)} mails{': ' + by if by else ''}; {len(result.problems)} problems")
    return 1 if result.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("key_file")
    parser.add_argument("--out", help="write the mails below this folder")
    parser.add_argument("--manifest")
    parser.add_argument("--containers-only", action="store_true")
    parser.add_argument("--damaged", action="store_true", help="read whatever can be read")
    parser.add_argument("--recovery-key", help="a file with the recovery key as text, for stores that the key file does not open")
    parser.add_argument("--list", action="store_true", help="with --damaged: a line for each mail")
    args = parser.parse_args()
    if args.damaged:
        return print_damaged(args)
    notes = set()
    seen, total, wrong = read_sound(args, notes)
    if args.manifest:
        with open(args.manifest, encoding="utf-8") as f:
            listed = {e["id"]: (e["digest"], e["folder"]) for e in map(json.loads, f)}
        for name in sorted(set(listed) | set(seen)):
            if listed.get(name) != seen.get(name):
                wrong.append(f"{name}: the manifest has {listed.get(name)}, the archive {seen.get(name)}")
    for line in sorted(notes):
        print("NOTE", line)
    for line in wrong[:50]:
        print("WRONG", line)
    print(f"{len(seen)} mails, {total} bytes read; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
