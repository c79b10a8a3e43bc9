"""Tests of what reads an erasure, and of what looks for its remains, on bytes made by hand: a store in which one of two contents of a
container is erased, step by step, and what is wrong with it if a step is left out.

python3.11 oracle/selftest_erased.py
"""

import hashlib
import os
import struct
import tempfile
import unittest
import zlib

import caches
from check_files import check_containers
from damaged import Damaged
from erased import DIRECTORY, PAGE_OF_CATALOG, PAGE_OF_INDEX, RUN, SEGMENT, Erased, Wanted
from erasure import Erasures
from fileformat import COPY, FormatError
from guess import Guess, compared, digests_of
from handmade import KEY, OWNER, Book, container_id, encoded, file_of, packed, stamp
from records import (
    BLOCK, CONTAINER, CONTENT, DELETED, ERASED, ERASURE, GONE, MARK_INDEX, MESSAGE, MOVED, OPENED, PACKED, STORE_FACTS, TABLE, UNDELETED, seeded,
)  # fmt: skip
from store import Store

STAYS, GOES = b"what stays", b"what goes"
NOTE = {2: "a test", 3: 0, 4: "a test"}
MAIL = b"Message-ID: <own@example>\r\nSubject: secretword\r\n\r\nbody\r\n"


def content(number, data, runs, subject=""):
    fact = {
        1: number,
        2: hashlib.sha256(data).digest(),
        3: bytes([number + 1]) * 16,
        4: len(data),
        6: runs,
        7: 0,
        8: 1,
        9: [],
        10: [],
        11: [],
    }
    return CONTENT, {**fact, 12: subject, 14: b"", 15: b"", 17: 0, 18: 2}


def message(number, content, counted):
    return MESSAGE, {1: number, 2: content, 3: 1, 4: 1, 5: 0, 6: 0, 7: "", 8: 0, 12: counted}


def opened(number):
    return OPENED, {1: number, 2: container_id(number)}


def erasure(**change):
    fact = {1: [[0, 1]], 2: [], 3: [[0, 1]], 4: [1], 5: [], 6: [[1, 2]], 7: "a test", 8: 0}
    return ERASURE, {**fact, **{int(key[1:]): value for key, value in change.items()}}


class Story:
    """Content 0 with message 0 goes, content 1 with message 1 stays. `leaves` says which facts of the first commit are erased already."""

    runs = [1, 144, 0, 9], [1, 144, 9, 10]
    first = [
        content(0, GOES, runs[0], "secretword"), content(1, STAYS, runs[1]), opened(1), (1, {1: 0, 2: "", 3: "", 4: 0, 5: "", 6: ""}),
        (9, {1: 1, 2: 0, 3: "folder", 4: 1}), message(0, 0, 1), message(1, 1, 2),
    ]  # fmt: skip

    def __init__(self, erased=(0, 5)):
        self.book = Book()
        rows = [[0, 9, 0, self.runs[0]], [1, 10, 1, self.runs[1]]]
        table = {2: 0, 3: self.book.seed(1), 4: rows, 5: [[0, 0, 0, 1], [1, 1, 0, 2]], 6: [], 7: [["folder"]]}
        self.book.add(*self.first, erased=erased, blocks=(1, [(GOES + STAYS, table)]))
        self.packed = {
            2: 0,
            4: [[1, 10, 1, [2, 144, 0, 10], None, seeded(self.book.seed(1), 1)]],
            5: [[1, 1, 0, 2, 0]],
            6: [],
            7: [["folder"]],
        }

    def delete(self):
        self.book.add((DELETED, {1: [[0, 1]], **NOTE}))
        return self

    def erase(self, **change):
        self.book.add(erasure(**change))
        return self

    def pack(self, data=STAYS, more=(), **change):
        facts = opened(2), (PACKED, {1: [[1, [2, 144, 0, 10]], *more], 2: []})
        self.book.add(*facts, blocks=(2, [(data, {**self.packed, **{int(key[1:]): value for key, value in change.items()}})]))
        return self

    def remove(self):
        self.book.add((GONE, {1: [1]}))
        return self

    def finish(self, *facts):
        self.book.add(*facts, (ERASED, {1: 0}))
        return self

    def to_the_end(self):
        return self.delete().erase().pack().remove().finish()


class Made(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.count = 0

    def written(self, story, without=()):
        self.count += 1
        path = os.path.join(self.folder.name, str(self.count))
        story.book.write(path, without)
        return path

    def read(self, story, without=()):
        store = Store(self.written(story, without), OWNER, KEY, set())
        return store, check_containers(store)

    def sound(self, story, without=()):
        store, wrong = self.read(story, without)
        self.assertEqual((wrong, store.notes), ([], set()))
        return store

    def wrong(self, expected, story, without=()):
        store, wrong = self.read(story, without)
        self.assertIn(expected, " ".join(wrong))

    def refused(self, expected, story):
        with self.assertRaisesRegex((ValueError, FormatError), expected):
            self.read(story)


class Steps(Made):
    def test_every_step_leaves_a_sound_store(self):
        for erased in ((), (0, 5)):
            story = Story(erased).delete()
            for step in (story.erase, story.pack, story.remove):
                store = self.sound(step())
                self.assertEqual(([m[1] for m in store.messages], store.content(1)), ([1], STAYS))
        store = self.sound(Story().to_the_end(), [1])
        self.assertEqual((list(store.contents), list(store.all_messages), store.deleted), ([1], [1], set()))
        self.assertEqual((store.next_message, store.records.next_content, store.numbers), (2, 2, {1: 2}))
        self.assertEqual({n: data for n, (data, _) in store.by_tables().items()}, {1: STAYS})

    def test_a_container_that_is_gone_is_none_that_is_missing(self):
        self.wrong("frames of commits up to None", Story(()).delete(), [1])

    def test_a_message_in_another_folder_stays_when_the_first_is_erased(self):
        story = Story(())
        story.book.add(message(2, 0, 3))
        story.delete().erase(k1=[], k5=[[0, 0]], k6=[[1, 3]])
        self.assertEqual([m[1] for m in self.sound(story).messages], [1, 2])

    def test_a_number_in_a_folder_is_not_given_again(self):
        for counted in (3, 4, 5):
            story = Story()
            story.book.add(message(2, 0, 3), erased=[0])
            story.book.add((DELETED, {1: [[0, 1], [2, 1]], **NOTE}))
            story.erase(k3=[[0, 1], [2, 1]], k6=[[1, 3]])
            story.book.add(message(3, 1, counted))
            if counted == 4:
                self.assertEqual(self.sound(story).numbers, {1: 4})
            else:
                self.refused("number in folder", story)

    def test_what_a_damaged_store_has_left_of_erased_things_is_not_read(self):
        path = self.written(Story(()).delete().erase())
        self.assertEqual(set(Damaged(path, OWNER, KEY).mails), {hashlib.sha256(STAYS).digest()})
        path = self.written(Story(()).delete().erase())
        self.assertEqual(Damaged(path, OWNER, KEY).problems, [])


    def test_the_active_container_may_be_closed_by_the_commit_that_removes_it(self):
        story = Story((0, 1, 5, 6)).delete().erase().pack()
        story.book.add((DELETED, {1: [[1, 1]], **NOTE}))
        story.erase(k1=[[1, 1]], k3=[[1, 1]], k4=[2])
        story.book.add((GONE, {1: [1, 2]}), (3, {1: 2, 2: container_id(2), 3: story.book.end[1] + 164}))
        story.book.end = [0, 0]
        self.assertEqual(self.sound(story.finish(), [1, 2]).contents, {})

    def test_a_rewritten_file_begins_with_a_commit_of_a_later_file(self):
        story = Story().delete()
        story.book.begin_file()
        story.erase()
        sequence = len(story.book.links) - 1
        moved = stamp(sequence, MARK_INDEX, sequence, story.book.links[sequence]) + struct.pack("<QQ", 144, 0)
        story.book.files[0][2].insert(0, (MOVED, moved))
        story.book.files[0][2].append(COPY)
        self.assertEqual(self.sound(story).records.last, sequence)


class Refused(Made):
    def test_only_what_is_deleted_and_used_by_nothing_else_may_be_erased(self):
        self.refused("not deleted", Story(()).erase())
        self.refused("have other messages", Story(()).delete().erase(k1=[[0, 2]]))
        self.refused("do not rise", Story(()).delete().erase(k3=[[0, 1], [0, 1]]))
        self.refused("never assigned", Story(()).delete().erase(k2=[[0, 1]]))
        self.refused("first messages", Story(()).delete().erase(k5=[[1, 0]]))
        self.refused("first messages", Story(()).delete().erase(k1=[]))
        self.refused("containers with its bytes", Story(()).delete().erase(k4=[]))
        self.refused("containers that are not there", Story(()).delete().erase(k4=[1, 7]))
        self.refused("no highest number", Story(()).delete().erase(k6=[]))

    def test_what_is_erased_does_not_come_back(self):
        for fact in ((UNDELETED, {1: [[0, 1, 1, 3]], **NOTE}), (DELETED, {1: [[0, 1]], **NOTE})):
            story = Story(()).delete().erase()
            story.book.add(fact)
            self.refused("deleted or brought back|was not deleted", story)

    def test_a_container_goes_when_nothing_of_it_is_used_and_before_the_erasure_is_done(self):
        self.refused("container 1 is removed", Story().delete().erase().remove())
        self.refused("are not removed", Story().delete().erase().pack().finish())
        story = Story().to_the_end()
        story.book.add(opened(1))
        self.refused("removed before", story)

    def test_a_fact_7_may_name_what_is_erased_and_nothing_else_that_is_not_there(self):
        self.sound(Story().delete().erase().pack(more=[[0, [2, 144, 0, 9]]]))
        self.refused("packs 7", Story().delete().erase().pack(more=[[7, [2, 144, 0, 9]]]))

    def test_a_fact_that_is_erased_and_not_named_is_noted(self):
        store, _ = self.read(Story((0, 5)))
        self.assertEqual(len(store.notes), 2)


class Left(Made):
    def test_a_fact(self):
        self.wrong("fact 0 of kind 5, number 0, is erased and still there", Story((5,)).to_the_end(), [1])
        self.wrong("fact 5 of kind 8, number 0, is erased and still there", Story((0,)).to_the_end(), [1])

    def test_a_container(self):
        self.wrong("a fact 4 removed this container", Story().to_the_end())
        self.wrong("number 0 of kind 5 is erased and still there", Story().to_the_end())

    def test_rows_of_a_table(self):
        story = Story().delete().erase().pack(k5=[[0, 1, 0, 1, 0], [1, 1, 0, 2, 0]]).remove().finish()
        self.wrong("number 0 of kind 8 is erased and still there", story, [1])

    def test_bytes_of_a_block(self):
        self.wrong("9 stored bytes that no table names", Story().delete().erase().pack(STAYS + GOES).remove().finish(), [1])

    def test_a_section(self):
        book = Book()
        book.add(content(0, GOES, [0, 0, 0, 9]), erased=[0], section=[GOES])
        store = Store(self.written(type("Only", (), {"book": book})), OWNER, KEY, set())
        self.assertIn("the section is still there", " ".join(check_containers(store)))

    def test_a_seed(self):
        facts = [content(number, STAYS, self.runs(number)) for number in range(3)]
        book = Book()
        table = {2: 0, 3: book.seed(1), 4: [[0, 10, 0, self.runs(0)], [2, 10, 2, self.runs(2)]], 5: [], 6: [], 7: []}
        book.add(*facts, opened(1), erased=[1], blocks=(1, [(STAYS * 2, table)]))
        store = Store(self.written(type("Only", (), {"book": book})), OWNER, KEY, set())
        self.assertIn("gives the salt of the erased fact 1", " ".join(check_containers(store)))

    def runs(self, number):
        return [1, 144, 10 * (number // 2), 10]


# ------------------------------------------------------------------------------------------------------------------------ the search


def row(key, value, before=b""):
    shared = len(os.path.commonprefix([key, before]))
    return bytes([shared, len(key) - shared, len(value) + 1]) + key[shared:] + value


def index_page(kind, body):
    head = struct.pack("<BBBBI", kind, 1, 1, 0, len(body))
    return head + struct.pack("<I", zlib.crc32(head + body)) + body


def sized(data):
    return bytes([len(data)]) + data


def page_of_terms(lists):
    """A page of terms that are each in one document: (key, gap)."""
    lengths = sized(b"".join(bytes([0, len(key)]) for key, _ in lists))
    bytes_of = sized(b"".join(key for key, _ in lists))
    inline = sized(b"".join(bytes([gap, 0]) for _, gap in lists))
    return index_page(
        caches.TERMS, bytes([0, 0, len(lists)]) + lengths + bytes_of + sized(bytes([1, 0] * len(lists))) + inline + sized(b"")
    )


def segment(*pages):
    footer = index_page(caches.FOOTER, encoded({1: 2, 2: 0, 3: 9, 4: 1, 5: 1, 6: "18.0.0", 7: 0}))
    return file_of(SEGMENT, *((PAGE_OF_INDEX, page) for page in (*pages, footer)))


class Found(Made):
    def finds(self, file, words=("secretword",), secrets=None, gone=None, own_ids=None):
        look = Erased(Wanted(words, secrets), STORE_FACTS, Guess(), gone, own_ids)
        look.file(file)
        return sorted(what for _, _, what in look.finds)

    def gone(self):
        gone = Erasures([])
        gone.take(1, *erasure(k2=[[0, 1]]))
        gone.take(2, ERASED, {1: 0})
        return gone

    def test_a_word_in_each_kind_of_file(self):
        block = stamp(1, 0) + struct.pack("<BI", 1, 20) + packed(b"with a SecretWord in")
        coded = stamp(1, 0) + struct.pack("<BI", 0, 48) + b"YW5kIHRoZSBzZWNyZXR3b3JkIGlzIGluIGJhc2U2NCBoZXJl"
        halves = (BLOCK, stamp(1, 0) + struct.pack("<BI", 0, 6) + b"secret"), (BLOCK, stamp(1, 1) + struct.pack("<BI", 0, 4) + b"word")
        table = stamp(1, 1) + packed(encoded({1: 1, 2: 0, 4: [], 5: [], 6: [], 7: [["secretword"]]}))
        rows = row(b"isecretworb", b"") + row(b"isecretword", b"", b"isecretworb")
        terms = bytes([0, 0, 2]) + sized(bytes([0, 7, 6, 5])) + sized(b"\1secret" + b"tword")
        backward = bytes([1]) + sized(bytes([0, 11])) + sized(b"\1drowterces")
        sorts = bytes([1]) + sized(bytes([0, 10])) + sized(b"secretword")
        page = index_page(caches.TERMS, terms + sized(b"") + sized(b"") + sized(b""))
        book = Book()
        book.add((DELETED, {1: [[0, 1]], 2: "", 3: 0, 4: "the secretword"}))
        files = [
            file_of(CONTAINER, (BLOCK, block)), file_of(CONTAINER, (BLOCK, coded)), file_of(CONTAINER, *halves), file_of(CONTAINER, (TABLE, table)),
            file_of(4, (BLOCK, block)), file_of(4, *book.frames), file_of(10, (13, encoded({1: "secretword"}))), file_of(6, (8, b"secretword")),
            file_of(RUN, (PAGE_OF_CATALOG, packed(rows))), file_of(RUN, (DIRECTORY, packed(b"secretword"))),
            file_of(SEGMENT, (PAGE_OF_INDEX, page)), segment(index_page(caches.BACKWARD, backward)), segment(index_page(caches.SORT_KEYS, sorts)),
        ]  # fmt: skip
        for file in files:
            self.assertIn("the word secretword", self.finds(file))
            self.assertNotIn("the word otherword", self.finds(file, ["otherword"]))

    def test_a_word_in_a_transducer(self):
        # A node for each letter, the last one first: that leads to the end of all keys, each other to the node before it.
        nodes = [caches.COMMON.index(bytes([byte])) + 1 for byte in reversed(b"secretword")]
        data = struct.pack("<QQ", 3, 0) + bytes([0, 0x10, 0x80 | nodes[0]]) + bytes(0xC0 | low for low in nodes[1:])
        self.assertEqual(caches.transducer(data + struct.pack("<QQI", 1, len(data) - 1, 0)), [b"secretword"])

    def test_digests_and_what_cannot_be_opened(self):
        digest = hashlib.sha256(MAIL).digest()
        self.assertIn(digest, digests_of(MAIL))
        self.assertEqual(
            self.finds(file_of(RUN, (PAGE_OF_CATALOG, packed(row(b"d" + digest[:6] + bytes(4), b"")))), (), {digest[:6]: "a digest"}),
            ["a digest"],
        )
        self.assertEqual(self.finds(file_of(CONTAINER, None), ()), ["what cannot be opened: 5 bytes after the last frame"])
        self.assertIn("cannot be read", self.finds(file_of(RUN, (PAGE_OF_CATALOG, b"noise")), ())[0])

    def test_rows_of_the_catalog_and_documents_of_the_index_by_their_numbers(self):
        for key in (
            b"c" + bytes(4),
            b"m" + bytes(4),
            b"p" + bytes(4),
            b"d" + bytes(10),
            b"f" + bytes(12) + b"\xff" * 4,
            b"u" + bytes(3) + b"\1" + bytes(4),
        ):
            file = file_of(RUN, (PAGE_OF_CATALOG, packed(row(key, b""))))
            self.assertEqual(len(self.finds(file, (), None, self.gone())), 1, key)
            self.assertEqual(self.finds(file, ()), [])
        column = index_page(caches.COLUMNS, bytes([1]) + sized(bytes([0])) + sized(b"") * 4)
        order = index_page(caches.ORDER, bytes([1]) + sized(b"\0") + sized(bytes([0])))
        for page in (column, order, page_of_terms([(b"\1word", 0)])):
            self.assertEqual(len(self.finds(segment(page), (), None, self.gone())), 1)
            self.assertEqual(self.finds(segment(page), ()), [])
        own = page_of_terms([(b"\3i" + b"12345678", 3)])
        self.assertEqual(self.finds(segment(own), (), None, None, {b"12345678": "an id"}), ["an id as a document's own id"])

    def test_the_salt_of_an_erased_fact_wherever_it_is(self):
        facts = Story.first
        whole, erased = Story(()).book, Story().book
        old, new = (self.commits(book) for book in (whole, erased))
        before = compared(old, new)
        self.assertEqual(sorted(before.facts), sorted(encoded(facts[index][1]) for index in (0, 5)))
        self.assertEqual(len(before.salts), 4)
        self.assertEqual(set(before.marks.values()), {"the digest of a mail", "the identity of a mail"})
        self.assertEqual(self.confirmed(file_of(4, *erased.frames), before), 0)
        # The seed in the table of the container that should be gone; that of the other facts.
        seeds = self.confirmed(file_of(CONTAINER, *erased.containers[1]), before, erased)
        self.assertEqual(seeds, 2)
        table = stamp(9, 0) + packed(encoded({1: 9, 2: 0, 4: [[7, 1, 0, [], None, seeded(whole.seed(1, False), 5)]], 5: [], 6: [], 7: []}))
        self.assertEqual(self.confirmed(file_of(CONTAINER, (TABLE, table)), before, erased), 1)

    def commits(self, book):
        return Store(self.written(type("Only", (), {"book": book})), OWNER, KEY, set()).commits

    def confirmed(self, file, before, records=None):
        look = Erased(Wanted([], {}), STORE_FACTS, Guess())
        look.file(file)
        if records:
            look.file(file_of(4, *records.frames))
        return len(list(look.guess.confirmed([hashlib.sha256(GOES).digest()], before.facts)))


if __name__ == "__main__":
    unittest.main()
