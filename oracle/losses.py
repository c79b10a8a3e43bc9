"""Checks that neither opening nor reading destroys mail: broken copies of an archive are read by `read_archive.py --damaged` before
and after.

losses.py MAILKEEP [--mails 100] [--only TEXT] [--keep DIR]

Creates a small archive, and a copy of it for each way to break it: the last 512 bytes of each file zeroed, alone and with each
cache lost; each file removed, alone and in pairs; each file replaced by an older state, alone and in pairs. Runs `ls`, `verify` and
`export` on each copy. Checks that what could be read before can be read afterwards, that only mails of the archive are exported,
and that `verify` does not exit with 0 if any is not exported. Prints the results as a Markdown table. Exit 1 if a line breaks a
promise.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
from typing import NamedTuple

from command import Mailkeep
from damaged import read_damaged

ZEROED = 512
CACHES = ("catalog", "index")
LEFT_ALONE = ("write.lock", "FORMAT.md")  # no mail depends on them


class Archive(NamedTuple):
    path: str
    older: str  # the same one, two imports ago
    key_file: str
    recovery_key: str
    digests: frozenset


class Line(NamedTuple):
    what: str
    ls: str
    verify: str
    export: str
    exported: int
    before: int
    after: int
    wrong: str


# -------------------------------------------------------------------------------------------------------------------- the archive


def write_mails(folder, numbers, size):
    """Mails of words that hardly compress, so that a few of them fill a container."""
    os.makedirs(folder)
    rng = random.Random(f"{folder[-1]}{numbers}")
    for i in numbers:
        words = " ".join(f"{rng.getrandbits(48):x}" for _ in range(size // 13))
        head = f"From: a{i}@example.org\r\nTo: b@example.org\r\nSubject: mail {i}\r\nMessage-ID: <{i}@example.org>\r\n"
        date = f"Date: Mon, 1 Jan 2024 {i // 60 % 24:02}:{i % 60:02}:00 +0000\r\n\r\n"
        with open(os.path.join(folder, f"{i:04}.eml"), "wb") as f:
            f.write((head + date + words + "\r\n").encode())


def make(mailkeep, top, mails):
    """An archive of three imports, its mails partly in a container and partly in the records, closed."""
    keep = Mailkeep(mailkeep, os.path.join(top, "archive"))
    steps = (range(mails // 2), 8000), (range(mails // 2, mails * 3 // 4), 900), (range(mails * 3 // 4, mails), 900)
    older = os.path.join(top, "older")
    for i, (numbers, size) in enumerate(steps):
        source = os.path.join(top, f"source-{i}")
        write_mails(source, numbers, size)
        keep.make([source])
        if i == 0:
            shutil.copytree(keep.archive, older)
    digests = set()
    for name in files_below(top):
        if name.startswith("source-"):
            with open(os.path.join(top, name), "rb") as f:
                digests.add(hashlib.sha256(f.read()).digest())
    return Archive(keep.archive, older, keep.found_key_file(), keep.archive + ".recovery", frozenset(digests))


def files_below(top):
    out = []
    for folder, folders, files in os.walk(top):
        folders.sort()
        out += [os.path.relpath(os.path.join(folder, name), top) for name in sorted(files)]
    return sorted(out)


# ------------------------------------------------------------------------------------------------------------------------ breaking


def zero_end(copy, name):
    path = os.path.join(copy, name)
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.seek(max(0, size - ZEROED))
        f.write(bytes(min(ZEROED, size)))


def remove(copy, name):
    os.remove(os.path.join(copy, name))


def lose_cache(copy, cache):
    for store in os.listdir(os.path.join(copy, "stores")):
        shutil.rmtree(os.path.join(copy, "stores", store, cache), ignore_errors=True)


def put_back(archive, copy, name):
    """The file as it was in the older state; removed if it did not exist."""
    old = os.path.join(archive.older, name)
    if os.path.exists(old):
        shutil.copyfile(old, os.path.join(copy, name))
    elif os.path.exists(os.path.join(copy, name)):
        remove(copy, name)


def differs(a, b):
    if not (os.path.exists(a) and os.path.exists(b)):
        return True
    with open(a, "rb") as f, open(b, "rb") as g:
        return f.read() != g.read()


def ways(archive):
    """(group, what, steps that break a copy) of each line of the table."""
    names = [n for n in files_below(archive.path) if n not in LEFT_ALONE]
    yield "sound", "nothing broken", []
    for name in names:
        yield "last 512 bytes zeroed", name, [lambda c, n=name: zero_end(c, n)]
        for lost in (CACHES[:1], CACHES[1:], CACHES):
            if not any(f"/{cache}/" in name for cache in lost):
                steps = [lambda c, n=name: zero_end(c, n)] + [lambda c, k=cache: lose_cache(c, k) for cache in lost]
                yield f"last 512 bytes zeroed, {' and '.join(lost)} lost", name, steps
    for name in names:
        yield "removed", name, [lambda c, n=name: remove(c, n)]
    for a, b in itertools.combinations(names, 2):
        yield "removed, two files", f"{a} and {b}", [lambda c, n=n: remove(c, n) for n in (a, b)]
    changed = [n for n in sorted({*names, *files_below(archive.older)} - set(LEFT_ALONE))]
    changed = [n for n in changed if differs(os.path.join(archive.path, n), os.path.join(archive.older, n))]
    for name in changed:
        yield "older one put back", name, [lambda c, n=name: put_back(archive, c, n)]
    for a, b in itertools.combinations(changed, 2):
        yield "older ones put back, two files", f"{a} and {b}", [lambda c, n=n: put_back(archive, c, n) for n in (a, b)]


# ------------------------------------------------------------------------------------------------------------------------- judging


def said(done):
    """Exit code and the codes of errors, notices and damage of a command."""
    words = []
    for line in (done.stdout + done.stderr).splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        error = event.get("error") or event.get("code")
        if isinstance(error, dict):
            error = error.get("code")
        if event.get("event") in ("damage", "notice", "warning"):
            error = error or event.get("kind") or event["event"]
        if error and str(error) not in words:
            words.append(str(error))
    return f"{done.returncode}{': ' + ', '.join(words) if words else ''}"


def exported(folder):
    digests = set()
    for name in files_below(folder):
        with open(os.path.join(folder, name), "rb") as f:
            digests.add(hashlib.sha256(f.read()).digest())
    return digests


def readable(archive, copy):
    return frozenset(read_damaged(copy, archive.key_file, archive.recovery_key).mails)


def judge(mailkeep, archive, copy, what):
    """Runs the commands on a broken copy."""
    before = readable(archive, copy)
    keep = Mailkeep(mailkeep, copy, archive.key_file)
    allowed = tuple(range(256))
    with tempfile.TemporaryDirectory(prefix="mailkeep-losses-") as out:
        ls = keep.run("--json", "ls", allow=allowed)
        verify = keep.run("--json", "verify", allow=allowed)
        export = keep.run("--json", "export", os.path.join(out, "mails"), "--format", "eml", allow=allowed)
        got = exported(os.path.join(out, "mails"))
    after = readable(archive, copy)
    wrong = []
    if before - after:
        wrong.append(f"{len(before - after)} mails that could be read before cannot be read any more")
    if got - archive.digests:
        wrong.append(f"{len(got - archive.digests)} exported files are no mails of the archive")
    if got != archive.digests and verify.returncode == 0:
        wrong.append(f"{len(archive.digests - got)} mails are missing, and verify says nothing")
    if any(done.returncode < 0 or b"panicked" in done.stderr for done in (ls, verify, export)):
        wrong.append("a command ended by a signal or a panic")
    return Line(what, said(ls), said(verify), said(export), len(got), len(before), len(after), "; ".join(wrong))


def printed(group, lines):
    """A table; equal lines of several files become one, with their number."""
    print(f"\n**{group[0].upper()}{group[1:]}**\n")
    print("| file | `ls` says | `verify` says | `export` says | exported | readable before | after | |")
    print("|---|---|---|---|---|---|---|---|")
    rows = [(line.what, line[1:]) for line in lines]
    if "two files" in group:
        alike = {}
        for what, rest in rows:
            alike.setdefault(rest, []).append(what)
        rows = [(whats[0] if len(whats) == 1 else f"{len(whats)} pairs, as {whats[0]}", rest) for rest, whats in alike.items()]
    for what, rest in rows:
        print(f"| {what.replace(' and ', '<br>')} | {' | '.join(str(cell) for cell in rest)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("--mails", type=int, default=100)
    parser.add_argument("--only", default="", help="lines whose group or file has this text")
    parser.add_argument("--keep", help="keep the copies whose line is wrong in this folder, as they were before")
    args = parser.parse_args()
    groups, bad = {}, 0
    with tempfile.TemporaryDirectory(prefix="mailkeep-losses-") as top:
        archive = make(args.mailkeep, top, args.mails)
        for group, what, steps in ways(archive):
            if args.only not in f"{group}: {what}":
                continue
            copy = os.path.join(top, "copy")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(archive.path, copy)
            for step in steps:
                step(copy)
            line = judge(args.mailkeep, archive, copy, what)
            groups.setdefault(group, []).append(line)
            if line.wrong:
                bad += 1
                print(f"WRONG {group}: {what}: {line.wrong}", file=sys.stderr, flush=True)
                if args.keep:
                    kept = os.path.join(args.keep, f"{bad:03}")
                    shutil.copytree(archive.path, kept)
                    for step in steps:
                        step(kept)
    for group, lines in groups.items():
        printed(group, lines)
    print(f"\n{sum(map(len, groups.values()))} copies of an archive of {len(archive.digests)} mails; {bad} lines are not as promised")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
