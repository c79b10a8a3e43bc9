"""A store as its records say (docs/FORMAT.md, sections 8, 9, 14): the state by its facts in order; contents are read on demand. A fact that
may not be there is a ValueError."""

import os

from contents import Contents
from erasure import REPLACED, Erasures, numbers, wrong_in
from fileformat import FormatError, open_file, store_key
from folders import MADE, MOVED, REMOVED, RENAMED, Folders
from records import (
    CONTAINER, CONTENT, COPY, DELETED, ERASED, ERASURE, GONE, MASTER_FACTS, MESSAGE, PACKED, PART, RECORDS, RECOVERED, REPAIRED,
    STORE_FACTS, TABLE, UNDELETED, Records, cbor, check_head, decompress, good_frames, numbered, quads, read_head, stamp_of,
)  # fmt: skip


DETACHED = 3  # a state of a store (fact 64)


class Store(Contents):
    """One store, read from its records; contents are read on demand."""

    def __init__(self, folder, owner, key, notes, content=None, alone=True):
        super().__init__()
        self.folder, self.owner, self.key, self.notes = folder, owner, key, notes
        self.content_folder = content or os.path.join(folder, "content")
        self.alone = alone  # whether it is the only store of its archive, so that it gives every number of a folder
        self.folders = Folders(lambda: self.records.lost)
        self.all_messages = {}  # number: its fact, with the folder and the number there that it has now
        self.deleted = set()
        self.containers = {}  # number: file id
        self.closed = {}  # number: length
        self.closed_by_open = set()  # those of them to which no copy of the header was appended
        self.files = {}
        self.next_run = self.next_message = self.next_part = 0
        self.numbers = {}  # folder: the highest number given in it
        self.gone = set()  # containers that were removed, up to now
        self.gone_messages = set()  # messages that were erased, up to now
        self.firsts = {}  # content whose first message was erased: that message
        self.unnamed = False  # whether there are erased facts that no fact 23 names
        self.placings = {CONTENT: {}, PART: {}}  # of each: number: all runs that it ever had
        self.head = read_head(folder, owner, key, notes)
        self.records = Records(os.path.join(folder, "records"), owner, key, STORE_FACTS, notes)
        self.commits = []
        for commit in self.records.commits():
            self.commits.append(commit)
            if self.head and self.head.sequence == commit.sequence:
                self.at_head = self.records.next_content, self.records.tree.size, self.records.tree.roots()
        self.leave_out_in_flight()
        self.erasures = Erasures(self.commits)
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
        path = os.path.join(self.content_folder, f"{number:06}.mkc")
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
            if fact.salt is None:
                self.take_erased(commit, index, kind)
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
            # The commit that removes the active container closes it, too.
            removed = self.erasures.removed.get(value[1], commit.sequence) < commit.sequence
            if self.containers.setdefault(value[1], value[2]) != value[2] or removed:
                raise ValueError(f"{self.folder}: container {value[1]} has two file ids, or was removed before")
            if kind == 3:
                self.closed[value[1]] = value[3]
                # A repair closes containers; an open after a crash adopts the last commit into a new records file, and closes the container.
                first = next(file.header.first_sequence for file in self.records.files if file.header.number == commit.file)
                if commit.repair() or (commit.file > 1 and commit.sequence <= first + 1):
                    self.closed_by_open.add(value[1])
        elif kind == CONTENT:
            self.place(CONTENT, value[1], value, self.placed(commit, value[6]))
        elif kind == PART:
            if dense:
                self.next_part = self.following("part", value[1], self.next_part)
            self.place(PART, value[1], value, self.placed(commit, value[4]))
        elif kind == PACKED:
            for fact, rows in ((CONTENT, value[1]), (PART, value[2])):
                known = self.contents if fact == CONTENT else self.parts
                for number, runs in (row[:2] for row in rows):
                    if number in known:
                        self.place(fact, number, None, self.placed(commit, runs))
                    elif number not in self.erasures.named(fact) and not self.records.lost:
                        raise ValueError(f"{self.folder}: commit {commit.sequence} packs {number} of kind {fact}, which is not there")
        elif kind == MESSAGE:
            if dense:
                self.next_message = self.following("message", value[1], self.next_message)
                self.next_in_folder(value[3], value[12])
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
        elif kind == ERASURE:
            self.erase(commit.sequence, value)
        elif kind == GONE:
            self.remove_containers(value[1])
        elif kind == ERASED and self.erasures.leaving_at(commit.sequence) - self.gone and not self.records.lost:
            left = self.erasures.leaving_at(commit.sequence) - self.gone
            raise ValueError(f"{self.folder}: commit {commit.sequence}: an erasure is done, and containers {left} are not removed")
        elif kind in (MADE, RENAMED, MOVED, REMOVED):
            self.folders.take(kind, value)

    @property
    def messages(self):
        """Those that are not deleted."""
        return [value for number, value in self.all_messages.items() if number not in self.deleted]

    def check_note(self, value, numbers):
        """Who, when and why; which messages, rising, none of them erased before."""
        texts = isinstance(value[2], str) and isinstance(value[3], int) and 0 < len(value[4].encode()) <= 1024
        rising = all(a < b for a, b in zip(numbers, numbers[1:]))
        if not texts or not numbers or not rising or len(numbers) > 1 << 22 or numbers[-1] >= self.next_message or self.gone_messages & set(numbers):
            raise ValueError(f"{self.folder}: messages deleted or brought back: {value}")

    def undelete(self, message, folder, number):
        if message not in self.deleted and not self.records.lost:
            raise ValueError(f"{self.folder}: message {message} is brought back, and was not deleted")
        self.deleted.discard(message)
        if self.records.lost:
            # A repair records a message again with the number that it had.
            self.numbers[folder] = max(number, self.numbers.get(folder, 0))
        else:
            self.next_in_folder(folder, number)
        if message in self.all_messages:
            self.folders.add_message(folder)
            self.all_messages[message] = {**self.all_messages[message], 3: folder, 12: number}
        else:
            # Its fact 8 is erased; what this one did to the folder stays.
            self.folders.restore(folder)

    def following(self, what, number, expected):
        """The number after this one, which must be the one expected; there may be gaps before and after a repair."""
        if number != expected and not (self.records.lost and number > expected):
            raise ValueError(f"{self.folder}: {what} {number} where {expected} comes")
        return number + 1

    def next_in_folder(self, folder, number):
        """Takes the next number in a folder; those of erased messages are not known."""
        expected = self.numbers.get(folder, 0) + 1
        highest = number if self.unnamed else self.erasures.highest.get(folder, 0) + 1
        if not expected < number <= (highest if self.alone else number):
            self.following(f"number in folder {folder}", number, expected)
        self.numbers[folder] = number

    def place(self, kind, number, fact, runs):
        """Notes where a content or a part is; `fact` is None if only its runs are others."""
        self.placings[kind].setdefault(number, []).append(runs)
        if kind == CONTENT:
            self.contents[number] = (fact or self.contents[number][0], runs)
        else:
            digest, length = (fact[2], fact[3]) if fact else self.parts[number][0][:2]
            self.parts[number] = [(digest, length, runs)]

    # -------------------------------------------------------------------------------------------------------------------- erasure

    def take_erased(self, commit, index, kind):
        """An erased fact; its number follows from the order of the facts of its kind."""
        number = None
        if kind == CONTENT:
            number = commit.numbers[index]
        elif kind == PART:
            number, self.next_part = self.next_part, self.next_part + 1
        elif kind == MESSAGE:
            number, self.next_message = self.next_message, self.next_message + 1
        named = self.erasures.named(kind).get(number, 0) if number is not None else self.erasures.last
        if kind not in REPLACED or named <= commit.sequence:
            self.unnamed = True
            self.notes.add(f"{self.folder}: commit {commit.sequence}: fact {index} of kind {kind} is erased, and no later fact 23 names it")

    def erase(self, sequence, value):
        contents, parts, messages = (set(numbers(value[key])) for key in (1, 2, 3))
        if not self.records.lost:
            wrong = "; ".join(wrong_in(self, sequence, value, contents, parts, messages))
            if wrong:
                raise ValueError(f"{self.folder}: commit {sequence}: an erasure: {wrong}")
        for known, gone in ((self.contents, contents), (self.parts, parts), (self.all_messages, messages)):
            for number in gone:
                known.pop(number, None)
        self.deleted -= messages
        self.gone_messages |= messages
        self.firsts.update(value[5])
        for folder, number in value[6]:
            self.numbers[folder] = max(number, self.numbers.get(folder, 0))

    def remove_containers(self, gone):
        for container in gone:
            runs = [(number, runs) for number, (_, runs) in self.contents.items()] + [(number, rows[0][2]) for number, rows in self.parts.items()]
            used = [number for number, runs in runs if any(place == (CONTAINER, container) for place, *_ in runs)]
            if not self.records.lost and (container not in self.containers or used):
                raise ValueError(f"{self.folder}: container {container} is removed: it was never opened, or is used by {used}")
            self.gone.add(container)

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
        if place[0] == CONTAINER and place[1] in self.gone:
            raise ValueError(f"container {place[1]} was removed")
        if place not in self.files:
            if len(self.files) > 4:
                self.files.pop(next(iter(self.files)))
            kind, number = place
            folder, ending = (self.content_folder, "mkc") if kind == CONTAINER else (os.path.join(self.folder, "records"), "mkr")
            file = open_file(os.path.join(folder, f"{number:06}.{ending}"), kind, self.owner, self.key)
            named = self.containers.get(number)
            if kind == CONTAINER and file.header.file_id != named and not (named is None and self.records.lost):
                raise FormatError(file.path, 16, "another file than the records name")
            self.files[place] = [file]
        return self.files[place]

    def by_tables(self):
        """{content: (bytes, first folder)} from the containers alone (section 11), and what could not be read."""
        alone = ByTables(self.content_folder, self.owner, self.key)
        return {
            n: (alone.join(alone.stored(runs), shape, size), alone.folders.get(n))
            for n, (size, shape, runs) in alone.rows.items() if n not in self.erasures.contents
        }  # fmt: skip


class ByTables(Contents):
    """What the containers alone give."""

    def __init__(self, folder, owner, key):
        super().__init__()
        self.rows, self.folders, self.files = {}, {}, {}
        tables = []
        for number, path in numbered(folder, "mkc"):
            file = open_file(path, CONTAINER, owner, key)
            self.files[CONTAINER, number] = [file]
            for frame in good_frames(file):
                if frame.kind != TABLE:
                    continue
                tables.append(cbor(decompress(stamp_of(frame.plain)[1], 64 << 20)))
        # Of entries with one number that of the higher sequence counts.
        for table in sorted(tables, key=lambda table: table[1]):
            for row in table[4]:
                self.rows[row[0]] = (row[1], row[4] if len(row) > 4 else None, self.runs(row[3]))
            for row in table[6]:
                self.parts[row[0]] = [(None, row[1], self.runs(row[2]))]
            for row in table[5]:
                self.folders[row[1]] = tuple(table[7][row[2]])

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
                # The last fact of a store wins.
                named = {number: known for number, known in named.items() if known[2] != fact.value[2]}
                named[fact.value[1]] = fact.value
    named = {number: fact for number, fact in named.items() if fact.get(6) != DETACHED}
    receives = [number for number, fact in named.items() if fact[4]]
    if len(receives) > 1:
        raise ValueError(f"{folder}: stores {receives} receive new mail")
    head = read_head(folder, keys.archive_id, keys.master_key, notes)
    if head:
        check_head(os.path.join(folder, "head.mkm"), (head.sequence, head.chain), master.links, "the master's own head")
    noted = {bytes(row[0]): (row[1], row[2]) for row in head.others} if head else {}
    for number, fact in sorted(named.items()):
        folder = os.path.join(archive, fact[8]) if 8 in fact else os.path.join(archive, "stores", fact[3])
        owner, key = store_key(keys, folder)
        if owner != fact[2]:
            raise ValueError(f"{folder} is another store than the master names")
        content = os.path.join(archive, fact[9]) if 9 in fact else None
        store = Store(folder, owner, key, notes, content, len(named) == 1)
        if owner in noted:
            check_head(os.path.join(archive, "master", "head.mkm"), noted[owner], store.records.links, f"the head of store {number}")
        for other in store.head.others if store.head else ():
            if other[0] == keys.archive_id:
                check_head(os.path.join(folder, "head.mkm"), (other[1], other[2]), master.links, "the head of the master")
        yield number, store
