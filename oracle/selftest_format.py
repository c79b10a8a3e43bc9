"""Tests of the reader of docs/FORMAT.md on bytes made by hand: the page's example, commits with erased facts, classes of unknown
things.

python3.11 oracle/selftest_format.py
"""

import hashlib
import hmac
import os
import re
import struct
import tempfile
import unittest
import zlib

import zstandard

from contents import Contents, encode
from fileformat import (
    COPY, HEADER, MAGIC, SCHEME, VERSION, FormatError, Sealed, cbor, check_identity, copied_header, identity_key, judge_keys, made_header,
    read_either, read_frames, read_identity, scan_frames, sealed,
)  # fmt: skip
from folders import MADE, MOVED, REMOVED, RENAMED, Folders
from handmade import FILE_ID, KEY, OWNER, encoded, file_of, stamp
from records import (
    BLOCK, CONTAINER, CONTENT, LAST, MARK, PIECE, STORE_FACTS, Tree, block, chain_after, chain_before_all, decode, leaf, put_together, salts_of, seeded,
    stamp_of,
)  # fmt: skip

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "FORMAT.md")
SEED = bytes([7]) * 32
DIGESTS = [hashlib.sha256(bytes([i])).digest() for i in range(3)]


def content_fact(number, extra=None):
    fact = {1: number, 2: DIGESTS[number], 3: bytes(16), 4: 1, 6: [0, 0, number, 1], 7: 0, 8: 1, 9: [], 10: [], 11: [], 12: "", 14: b"", 15: b"", 17: 0, 18: 2}
    return encoded({**fact, **(extra or {})})


def commit_body(facts, ranges, extra=None, skeleton_extra=None):
    tree = Tree()
    for i, fact in enumerate(facts):
        if fact[:2] == [0, CONTENT]:
            tree.add(fact[3])
        elif fact[0] == CONTENT:
            tree.add(leaf(seeded(SEED, i) if ranges[0][1] == 1 else ranges[0][2][16 * i : 16 * i + 16], DIGESTS[i]))
    skeleton = encoded({1: 1, 2: 0, 3: tree.size, 4: tree.head(), 5: [0, 0], 6: 0, **(skeleton_extra or {})})
    return zstandard.ZstdCompressor().compress(encoded({1: skeleton, 2: facts, 3: ranges, **(extra or {})}))


def decoded(body, notes=None):
    file = file_of(4, (LAST, stamp(1, 0) + bytes(32) + body))
    (frames,) = put_together(scan_frames(file), set())
    return decode("made", 1, frames, STORE_FACTS, set() if notes is None else notes)


class Page(unittest.TestCase):
    def test_the_example_of_the_page_is_read(self):
        with open(PAGE, encoding="utf-8") as f:
            page = f.read()
        lines = re.search(r"```hex\n(.*?)```", page, re.S).group(1).splitlines()
        data = bytes.fromhex("".join(line.split(":")[1] for line in lines))
        file = sealed("page", data, CONTAINER, OWNER, KEY)
        (only,) = read_frames(file)
        found, rest = stamp_of(only.plain)
        self.assertEqual((found.sequence, found.index, found.synced), (1, 0, 0))
        self.assertEqual(found.synced_chain, chain_before_all(OWNER))
        self.assertEqual(block(rest), b"Subject: hi\r\n\r\nhello\r\n")
        self.assertEqual(made_header(CONTAINER, 1, FILE_ID, OWNER, KEY).raw, data[:HEADER])


class Frames(unittest.TestCase):
    def test_after_noise_reading_goes_on_at_the_next_good_frame(self):
        file = file_of(4, (MARK, stamp(1, 0)), None, (MARK, stamp(2, 0)))
        self.assertEqual([error is None for _, error in scan_frames(file)], [True, False, True])

    def test_a_copy_of_the_header_stands_for_a_broken_one(self):
        header = made_header(4, 1, FILE_ID, OWNER, KEY)
        file = file_of(4, (MARK, stamp(1, 0)), (COPY, header.raw))
        self.assertEqual(copied_header("made", b"X" * HEADER + file.data[HEADER:]), header)

    def test_a_tail_is_read_with_the_offset_at_which_it_lay(self):
        file = file_of(4, (MARK, stamp(1, 0)), (MARK, stamp(2, 0)))
        second = list(read_frames(file))[1].offset
        tail = Sealed("tail", file.data[second:], file.header, file.aead, second, 0)
        self.assertEqual([stamp_of(f.plain)[0].sequence for f in read_frames(tail)], [2])

    def test_flags_and_other_versions_are_refused(self):
        file = file_of(4)
        for at, byte in ((10, 3), (12, 2), (60, 1)):
            data = bytearray(file.data)
            data[at] = byte
            data[140:144] = struct.pack("<I", zlib.crc32(bytes(data[:140])))
            with self.assertRaises(FormatError):
                sealed("made", bytes(data), 4, OWNER, KEY)

    def test_what_interrupts_a_commit_takes_it_away_and_a_copy_of_the_header_does_not(self):
        raw = made_header(4, 1, FILE_ID, OWNER, KEY).raw
        parts = (PIECE, stamp(1, 0) + b"a"), (LAST, stamp(1, 1) + bytes(32) + b"b")
        for between, body in (((COPY, raw), b"ab"), ((MARK, stamp(0, 0)), b"b"), (None, b"b"), ((77, stamp(1, 0)), b"b")):
            (found,) = put_together(scan_frames(file_of(4, parts[0], between, parts[1])), set())
            self.assertEqual((found.body, found.pieces), (body, 0 if body == b"ab" else 1))

    def test_a_block_that_is_lacking_in_a_section_costs_only_itself(self):
        frames = (BLOCK, stamp(1, 0) + b"x"), None, (LAST, stamp(1, 2) + bytes(32) + b"b")
        (found,) = put_together(scan_frames(file_of(4, *frames)), set(), gaps=True)
        self.assertEqual((list(found.section), found.pieces, found.body), ([0], 2, b"b"))
        (found,) = put_together(scan_frames(file_of(4, *frames)), set())
        self.assertEqual(found.section, {})


class Commits(unittest.TestCase):
    facts = [[CONTENT, content_fact(i)] for i in range(3)] + [[17, encoded({1: [0]})]]
    ranges = [[0, 1, SEED]]

    def chain(self, body):
        commit, skeleton = decoded(body)
        return chain_after(chain_before_all(OWNER), skeleton, commit.facts), commit

    def erased(self):
        """The commit with its second content erased: salts explicit, kind, hash and leaf in its place."""
        salts = [seeded(SEED, i) for i in range(4)]
        hash = hashlib.sha256(salts[1] + self.facts[1][1]).digest()
        facts = [self.facts[0], [0, CONTENT, hash, leaf(salts[1], DIGESTS[1])], *self.facts[2:]]
        salts[1] = bytes(16)
        return facts, [[0, 2, b"".join(salts)]]

    def test_an_erased_fact_leaves_chain_and_tree_as_they_were(self):
        before, whole = self.chain(commit_body(self.facts, self.ranges))
        after, commit = self.chain(commit_body(*self.erased()))
        self.assertEqual(before, after)
        self.assertEqual(whole.skeleton, commit.skeleton)

    def test_an_erased_fact_whose_salt_stands_there_is_refused(self):
        facts, _ = self.erased()
        with self.assertRaises(ValueError):
            decoded(commit_body(facts, self.ranges))

    def test_the_chain_covers_kinds_and_the_skeleton(self):
        before, _ = self.chain(commit_body(self.facts, self.ranges))
        for facts, skeleton in (([*self.facts[:3], [128, self.facts[3][1]]], None), (self.facts, {2: 1})):
            self.assertNotEqual(before, self.chain(commit_body(facts, self.ranges, None, skeleton))[0])

    def test_salts_come_by_range(self):
        salts, seeds = salts_of([[0, 1, SEED], [2, 2, bytes(range(16))], [3, 1, SEED]], 4)
        self.assertEqual(salts, [seeded(SEED, 0), seeded(SEED, 1), bytes(range(16)), seeded(SEED, 3)])
        self.assertEqual(seeds, [(0, 2, SEED), (3, 4, SEED)])
        for wrong in ([[1, 1, SEED]], [], [[0, 1, SEED], [0, 1, SEED]], [[0, 1, SEED], [4, 1, SEED]], [[0, 2, bytes(63)]], [[0, 3, bytes(64)]]):
            with self.assertRaises(ValueError):
                salts_of(wrong, 4)

    def test_classes_of_keys_and_kinds(self):
        for key, refused, noted in ((63, True, False), (64, False, True), (127, False, True), (128, False, False)):
            for body in (
                commit_body(self.facts, self.ranges, {key: 0}),
                commit_body(self.facts, self.ranges, None, {key: 0}),
                commit_body([[CONTENT, content_fact(0, {key: 0})], *self.facts[1:]], self.ranges),
            ):
                self.judged(body, refused, noted)
        for kind, refused, noted in ((13, True, False), (95, True, False), (96, False, True), (127, False, True), (128, False, False)):
            self.judged(commit_body([*self.facts, [kind, b"\xa0"]], self.ranges), refused, noted)

    def judged(self, body, refused, noted):
        notes = set()
        if refused:
            with self.assertRaises(ValueError):
                decoded(body, notes)
        else:
            decoded(body, notes)
        self.assertEqual(bool(notes), noted)


class Identities(unittest.TestCase):
    wrap = {1: 1, 2: bytes(16), 3: bytes(12), 4: bytes(48), 5: bytes(32)}

    def written(self, folder, change=None):
        head = MAGIC + struct.pack("<HHHH16s16sQIQQ32s32s", 2, VERSION, SCHEME, HEADER, FILE_ID, OWNER, 0, 0, 0, 0, bytes(32), bytes(32))
        found = encoded({1: OWNER, 2: self.wrap, 3: self.wrap, 4: self.wrap, **(change or {})})
        signed = head + struct.pack("<I", zlib.crc32(head)) + struct.pack("<I", len(found)) + found
        signed += hmac.digest(identity_key(KEY, FILE_ID, OWNER), signed, "sha256")
        path = os.path.join(folder, "store.mk")
        with open(path, "wb") as f:
            f.write(signed + struct.pack("<I", zlib.crc32(signed[HEADER:])))
        return path

    def test_the_code_of_authentication_fits_one_key_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = self.written(folder)
            file = read_identity(path, 2)
            check_identity(path, file, KEY)
            for other in (file._replace(signed=file.signed[:-1] + b"x"), file._replace(mac=bytes(32))):
                with self.assertRaises(FormatError):
                    check_identity(path, other, KEY)
            with self.assertRaises(FormatError):
                check_identity(path, file, bytes(32))

    def test_the_second_copy_is_read_where_the_first_is_broken(self):
        with tempfile.TemporaryDirectory() as folder:
            path = self.written(folder)
            os.rename(path, path + ".2")
            with open(path, "wb") as f:
                f.write(b"noise")
            self.assertEqual(read_either(path, 2).map[1], OWNER)
            with self.assertRaises(ValueError):
                read_identity(self.written(folder, {50: 1}), 2)
            read_identity(self.written(folder, {128: 1}), 2)


class Trees(unittest.TestCase):
    def test_a_tree_goes_on_from_its_roots(self):
        leaves = [hashlib.sha256(bytes([i])).digest() for i in range(13)]
        for cut in range(13):
            whole, first = Tree(), Tree()
            for one in leaves[:cut]:
                first.add(one)
            second = Tree.going_on(first.size, first.roots())
            for one in leaves:
                whole.add(one)
            for one in leaves[cut:]:
                second.add(one)
            self.assertEqual((whole.head(), whole.roots()), (second.head(), second.roots()))


class Values(unittest.TestCase):
    def test_cbor_that_is_never_written_is_refused(self):
        for wrong in (b"\xa2\x02\x00\x01\x00", b"\xa2\x01\x00\x01\x00", b"\xf9\x00\x00", b"\xc0\x00", b"\x9f\xff", b"\xa1\x61a\x00", b"\x00\x00", b"\x82\x00"):
            with self.assertRaises((ValueError, LookupError)):
                cbor(wrong)
        self.assertEqual(cbor(encoded({1: [None, True, -5, "a", b"b"], 300: {}})), {1: [None, True, -5, "a", b"b"], 300: {}})
        notes = set()
        judge_keys("map", {1: 0, 64: 0, 200: 0}, (1,), notes)
        self.assertEqual(len(notes), 1)

    def test_base64_in_lines(self):
        self.assertEqual(encode(b"abcdef", 4 << 2 | 2 | 1), b"YWJj\r\nZGVm\r\n")
        self.assertEqual(encode(b"abcdefg", 8 << 2), b"YWJjZGVm\nZw==")
        self.assertEqual(encode(b"abcdef", 0), b"YWJjZGVm")
        self.assertEqual(encode(b"", 3), b"")

    def test_a_form_of_extent_that_is_unknown_refuses_the_content(self):
        with self.assertRaises(ValueError):
            Contents().join(b"a", [5, 1, 0, 0], 1)
        self.assertEqual(Contents().join(b"ab", [1, 1, 0, 0, 2, 1, 0, 0], 5), b"aYg==")


class TreeOfFolders(unittest.TestCase):
    def made(self, *facts, lossy=False):
        folders = Folders(lambda: lossy)
        for kind, *values in facts:
            folders.take(kind, dict(enumerate(values, 1)))
        return folders

    def test_folders_are_where_the_last_facts_put_them(self):
        facts = (MADE, 1, 0, "a", 9), (MADE, 2, 1, "b", 9), (MADE, 3, 0, "c", 9), (MOVED, 1, 3, "d"), (RENAMED, 2, "e"), (REMOVED, [2])
        folders = self.made(*facts)
        self.assertEqual(dict(folders), {0: (), 1: ("c", "d"), 2: ("c", "d", "e"), 3: ("c",)})
        self.assertEqual((folders.removed, folders.had[2]), ({2}, {("a", "b"), ("c", "d", "b"), ("c", "d", "e")}))
        folders.take(MADE, {1: 4, 2: 1, 3: "e", 4: 9})
        folders.add_message(4)
        for wrong in ((MADE, 5, 1, "e", 9), (MOVED, 3, 1, "x"), (RENAMED, 7, "x"), (REMOVED, [4]), (REMOVED, [3]), (MADE, 6, 9, "x", 9)):
            with self.assertRaises(ValueError):
                folders.take(wrong[0], dict(enumerate(wrong[1:], 1)))

    def test_where_damage_took_facts_every_way_up_ends(self):
        facts = (MADE, 1, 2, "a", 9), (MADE, 2, 1, "b", 9), (MOVED, 1, 2, "x"), (MOVED, 2, 1, "y"), (RENAMED, 8, "z"), (MOVED, 9, 2, "w"), (REMOVED, [2])
        folders = self.made(*facts, lossy=True)
        self.assertEqual(dict(folders), {0: (), 1: ("b", "x"), 2: ("b",), 9: ("b", "w")})
        self.assertEqual(folders.removed, set())


if __name__ == "__main__":
    unittest.main()
