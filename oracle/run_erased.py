"""Erasing, as a whole: the command archives mails made of random words, deletes some, and compacts. Afterwards nothing of these may be
left in any file, all others must come out byte for byte, and heads that were noted before must still prove.

run_erased.py MAILKEEP [--seed N] [--keep DIR]

The mails are small ones with a commit each, mails with attachments (some of them shared), mails in two folders of which one or both
go, one of more than 20 MB that goes and one of more than 16 MiB that stays, and answers to what goes. Two rounds are made; the second
deletes what the first one moved. Exit 1 if anything is not as promised.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile

import erased
from check_catalog import check_catalog
from check_files import check_containers
from command import Mailkeep
from fileformat import archive_keys
from store import stores_of
from walk_files import walk

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Mails:
    """Mails of random words, each of which is in one mail, or in one attachment, alone."""

    def __init__(self, rng):
        self.rng = rng
        self.words = {}  # digest of a mail: words that are in it
        self.shared = {}  # digest of a mail: words of attachments that other mails have too
        self.answered = {}  # digest of a mail: words of the Message-ID that it answers
        self.bytes = {}  # digest: the mail

    def word(self):
        word = "".join(self.rng.choices(LETTERS, k=self.rng.randint(10, 14)))
        return word.capitalize() if self.rng.random() < 0.3 else word

    def text(self, count):
        words = [self.word() for _ in range(count)]
        return words, "\n".join(" ".join(words[at : at + 7]) for at in range(0, count, 7)) + "\n"

    def attachment(self, count, noise=0):
        """(words, name, bytes)"""
        words, text = self.text(count)
        name = self.word()
        return [*words, name], name, text.encode() + self.rng.randbytes(noise)

    def mail(self, attachments=(), shared=(), answers=None):
        """The digest of a new mail."""
        words, text = self.text(30)
        subject, sender, domain, host, own = (self.word() for _ in range(5))
        words += [subject, sender, domain, host, own]
        lines = [
            f"From: {sender} <{sender.lower()}@{domain.lower()}.example>", f"To: reader@{host.lower()}.example", f"Subject: {subject} {words[0]}",
            f"Message-ID: <{own}@{domain.lower()}.example>", "Date: Mon, 5 Feb 2024 10:00:00 +0000", "MIME-Version: 1.0",
        ]  # fmt: skip
        if answers:
            lines.append(f"In-Reply-To: <{answers}>")
        if attachments or shared:
            lines += ['Content-Type: multipart/mixed; boundary="limit"', "", "--limit", "Content-Type: text/plain", "", text]
            for _, name, data in (*attachments, *shared):
                type, end = ("text/plain", "txt") if data.isascii() else ("application/octet-stream", "bin")
                lines += ["--limit", f'Content-Type: {type}; name="{name}.{end}"', "Content-Transfer-Encoding: base64"]
                lines += [f'Content-Disposition: attachment; filename="{name}.{end}"', "", base64.encodebytes(data).decode()]
            lines += ["--limit--", ""]
        else:
            lines += ["Content-Type: text/plain", "", text]
        data = "\n".join(lines).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.bytes[digest] = data
        self.words[digest] = words + [word for more, _, _ in attachments for word in more]
        self.shared[digest] = [word for more, _, _ in shared for word in more]
        if answers:
            self.answered[digest] = re.split("[@.]", answers)[:2]
        return digest

    def words_of(self, digests):
        """All words of some mails, in lower case. An answer has the Message-ID of the mail that it answers."""
        return {word.lower() for digest in digests for word in self.words[digest] + self.shared[digest] + self.answered.get(digest, [])}

    def id(self, digest):
        """The Message-ID, without its brackets."""
        return self.bytes[digest].split(b"Message-ID: <")[1].split(b">")[0].decode()

    def mbox(self, path, digests):
        with open(path, "wb") as f:
            for digest in digests:
                f.write(b"From reader@example.org Mon Feb  5 10:00:00 2024\n" + self.bytes[digest] + b"\n")
        return path


class Archive:
    """The archive under test, and what is known of it."""

    def __init__(self, binary, folder, mails):
        self.mails, self.folder = mails, folder
        self.path = os.path.join(folder, "archive")
        self.mailkeep = Mailkeep(binary, self.path)
        self.mailkeep.make([])
        self.key = self.mailkeep.found_key_file()
        self.ids = {}  # (digest, folder): id, of mails that are there
        self.gone = set()  # digests of which no mail is left
        self.heads = {}  # sequence: (chain value, tree head)
        self.wrong = []

    def check(self, is_right, what):
        if not is_right:
            self.wrong.append(what)

    # ------------------------------------------------------------------------------------------------------------------ what is done

    def take(self, folder, digests, *more):
        """Imports mails into a folder."""
        source = self.mails.mbox(os.path.join(self.folder, "source.mbox"), digests)
        receipts = os.path.join(self.folder, "receipts.jsonl")
        self.mailkeep.run("import", source, "--into", folder, "--receipts", receipts, *more)
        with open(receipts, encoding="utf-8") as f:
            for receipt in map(json.loads, f):
                self.ids[receipt["digest"], folder] = receipt["id"]
        self.gone -= set(digests)

    def delete(self, *mails):
        """Deletes mails, each of one folder."""
        self.mailkeep.run("delete", *(self.ids[mail] for mail in mails), "--reason", "a test")

    def undelete(self, *mails):
        self.mailkeep.run("undelete", *(self.ids[mail] for mail in mails), "--reason", "a test")

    def compact(self, *deleted):
        """Erases what is deleted. Before, a copy is made and its heads are noted."""
        before = os.path.join(self.folder, "before")
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(self.path, before)
        self.note_heads(before)
        print(self.mailkeep.run("compact").stdout.decode().rstrip().replace("\n", "; "))
        for mail in deleted:
            del self.ids[mail]
        left = {digest for digest, _ in self.ids}
        self.gone |= {digest for digest, _ in deleted} - left
        return before

    def note_heads(self, archive):
        """The heads after each commit, as `stats` says the last one and the records say all."""
        said = {row["number"]: row for row in json.loads(self.mailkeep.run("--json", "stats").stdout.splitlines()[-1])["stores"]}
        for number, store in stores_of(archive, archive_keys(archive, self.key)):
            known = heads_of(store)
            head = known.get(said[number]["sequence"], (b"",))[0].hex()
            self.check(
                said[number]["head"] == f"{said[number]['sequence']}:{head}",
                f"store {number}: `stats` says {said[number]['head']}, the records {head}",
            )
            self.heads.update(known)

    # ------------------------------------------------------------------------------------------------------------------ what must hold

    def look(self, before):
        """Everything that must hold after a compaction."""
        findings, unknown, _ = walk(self.path, self.key)
        self.wrong += [*findings, *(f"{name}: a file that the page does not name" for name in unknown)]
        notes, found = set(), {}
        for number, store in stores_of(self.path, archive_keys(self.path, self.key), notes):
            self.wrong += check_containers(store)
            of_catalog = check_catalog(store)
            self.check(of_catalog is not None, f"store {number}: the catalog does not go up to the last commit")
            self.wrong += of_catalog or []
            for message in store.messages:
                found[f"{number}:{message[1]}"] = store.content(message[2]), "/".join(store.folders[message[3]])
            self.check(not store.deleted, f"store {number}: messages {store.deleted} are still only deleted")
            known = heads_of(store)
            lacking = [sequence for sequence, head in self.heads.items() if known.get(sequence) != head]
            self.check(self.heads and not lacking, f"store {number}: the records do not pass through the heads that were noted: {lacking}")
        self.wrong += sorted(notes)
        expected = {id: (self.mails.bytes[digest], folder) for (digest, folder), id in self.ids.items()}
        self.check(
            found == expected,
            f"not the mails that are left: {sorted(set(found) ^ set(expected))}, {[i for i in found if found[i] != expected.get(i)]}",
        )
        left = {digest for digest, _ in self.ids}
        words = sorted(self.mails.words_of(self.gone) - self.mails.words_of(left))
        finds = erased.finds(self.path, self.key, words, [self.mails.bytes[digest] for digest in self.gone], before)
        self.wrong += finds
        missed = self.mails.words_of(self.gone) - set(words)
        print(
            f"{len(found)} mails are left, {len(self.gone)} are gone with {len(words)} words ({len(missed)} are in others, too); {len(finds)} finds"
        )
        self.by_the_command()

    def by_the_command(self):
        """What the command itself says: everything is well, and it finds what is left and nothing of what is gone."""
        self.mailkeep.run("verify")
        for digest in sorted(self.gone)[:3]:
            hits, _ = self.mailkeep.search(self.mails.words[digest][0])
            self.check(hits == [], f"a search finds {hits} by a word of an erased mail")
        for digest, _ in sorted(self.ids)[:3]:
            hits, _ = self.mailkeep.search(self.mails.words[digest][0])
            self.check(
                {hit["id"] for hit in hits or ()} == {id for (other, _), id in self.ids.items() if other == digest},
                f"a search finds {hits}",
            )


def heads_of(store):
    """The chain value and the tree head after each commit."""
    return {commit.sequence: (store.records.links[commit.sequence], commit.skeleton[4]) for commit in store.commits}


def first_round(archive):
    mails, rng = archive.mails, archive.mails.rng
    common, both, large = mails.attachment(1200), mails.attachment(1000), mails.attachment(1500)
    small = [mails.mail() for _ in range(8)]
    attached = [mails.mail([mails.attachment(rng.randint(20, 1500))]) for _ in range(12)]
    sharing = [mails.mail(shared=[common]) for _ in range(3)]
    alone = [mails.mail(shared=[both]) for _ in range(2)]
    goes = mails.mail([mails.attachment(50, 15_700_000)], [large])
    stays = mails.mail([mails.attachment(50, 12_700_000)], [large])
    answer = mails.mail(answers=mails.id(attached[0]))
    twice = [mails.mail([mails.attachment(700)]) for _ in range(3)] + [mails.mail() for _ in range(3)]
    one, many, big, again = (f"judge/{name}" for name in ("one", "many", "big", "again"))
    archive.take(one, small[:5], "--commit", "each")
    archive.take(many, [*attached[:7], sharing[0], alone[0], *twice])
    archive.take(big, [sharing[1], goes, attached[7], stays, *attached[8:]])
    archive.take(again, [*twice, answer, alone[1], sharing[2]])
    archive.take(one, small[5:], "--commit", "each")
    deleted = [
        *((mail, one) for mail in (small[1], small[3], small[6])), *((mail, many) for mail in attached[:3]), (sharing[0], many),
        (alone[0], many), (alone[1], again), (goes, big), (attached[9], big),
        # Of the mails in two folders the first copy, the second, both.
        (twice[0], many), (twice[1], again), (twice[2], many), (twice[2], again), (twice[3], many), (twice[4], again), (twice[5], many),
        (twice[5], again),
    ]  # fmt: skip
    archive.delete(*deleted, (small[0], one))
    archive.undelete((small[0], one))
    archive.look(archive.compact(*deleted))
    return small, attached, sharing, stays, twice, answer


def second_round(archive, small, attached, sharing, stays, twice, answer):
    """What the first round left is deleted too, and a mail that was erased comes again."""
    one, many, big, again = (f"judge/{name}" for name in ("one", "many", "big", "again"))
    archive.take(many, [small[1], twice[2]])
    archive.take(one, [archive.mails.mail() for _ in range(3)], "--commit", "each")
    deleted = [
        (small[0], one),
        (stays, big),
        (attached[4], many),
        (sharing[1], big),
        (sharing[2], again),
        (twice[0], again),
        (twice[3], again),
        (answer, again),
    ]
    archive.delete(*deleted)
    archive.look(archive.compact(*deleted))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="make the archive in this folder, and leave it there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailkeep-erased-") as temporary:
        archive = Archive(args.mailkeep, args.keep or temporary, Mails(random.Random(args.seed)))
        second_round(archive, *first_round(archive))
    for line in archive.wrong[:50]:
        print("WRONG", line)
    print(f"{len(archive.wrong)} wrong")
    return 1 if archive.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
