"""Checks promise P10: no word of a mail is readable in any file, during a command and after it.

sealed.py --watch ARCHIVE [--watch DIR...] --words-from SOURCE... [--words N] [--seed S] -- COMMAND...

Runs COMMAND with a separate TMPDIR. Every 100 ms all files below the watched folders and the TMPDIR (including removed ones that
the command has open) are read, as far as they changed, and searched for words of 7 bytes or more drawn from the mails (subjects,
addresses, texts, file names, folder names), as written and in lower case; afterwards all of them are read completely. Without
COMMAND the files are searched once. Names of files are searched too. Exit 1 if a word is found, else the command's own code.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time

from mailtext import mail_values
from words import WORD_CLASS

WORD = re.compile(f"[{WORD_CLASS}]+")
# Words of the formats and of paths are no secret.
OPEN = {"mailkeep", "content", "records", "catalog", "archive", "readers", "manifest", "segment", "master", "stores", "recovered"}


def mails_of(paths):
    """(file, bytes) of mails; mboxes are cut at From_ lines, which is good enough to draw words from."""
    for path in paths:
        files = [path] if os.path.isfile(path) else (os.path.join(d, f) for d, _, fs in os.walk(path) for f in fs)
        for name in files:
            with open(name, "rb") as f:
                data = f.read()
            if data.startswith(b"From "):
                for part in re.split(rb"^From [^\n]*\n", data, flags=re.M)[1:]:
                    yield name, part
            else:
                yield name, data


def draw_words(sources, count, seed):
    rng = random.Random(seed)
    mails = list(mails_of(sources))
    rng.shuffle(mails)
    by_field = {}
    public = set()
    for word in ("watch", *sources):
        public.update(w.lower() for w in WORD.findall(word))
    for name, data in mails[: max(200, count)]:
        for value in mail_values(data).values:
            pool = by_field.setdefault("address" if value.mark == "address" else value.field, set())
            if value.mark == "address" and len(value.text.encode()) >= 7:
                pool.add(value.text)
            found = [w for w in WORD.findall(value.text[:20000]) if len(w.encode("utf-8", "replace")) >= 7]
            pool.update(rng.sample(found, min(3, len(found))))
    for path in sources:
        # Folders get their names from files and folders of the source.
        for d, folders, files in os.walk(path):
            by_field.setdefault("folder", set()).update(f for f in folders if len(f) >= 7 and WORD.fullmatch(f))
    out = set()
    pools = [sorted(p) for _, p in sorted(by_field.items()) if p]
    for pool in pools:
        out.update(rng.sample(pool, min(len(pool), count // len(pools) + 1)))
    words = {w for w in out if w.lower() not in OPEN and w.isprintable()}
    patterns = {}
    for w in words:
        for spelling in (w, w.lower(), w.casefold()):
            data = spelling.encode("utf-8", "replace")
            if len(data) >= 7:
                patterns[data] = w
    return patterns


class Watch:
    def __init__(self, folders, patterns):
        self.folders = folders
        self.patterns = patterns
        self.seen = {}
        self.found = {}
        self.names = set()
        self.samples = self.bytes = 0
        self.pending = []  # what was read during the command and is searched afterwards, so that samples stay dense
        self.waiting = 0
        self.longest = max(map(len, patterns), default=0)

    def take(self, name, data, base, later):
        self.bytes += len(data)
        if later and self.waiting < 2 << 30:
            self.pending.append((name, data, base))
            self.waiting += len(data)
        else:
            self.look(name, data, base)

    def settle(self):
        for name, data, base in self.pending:
            self.look(name, data, base)
        self.pending = []

    def look(self, name, data, base):
        for pattern, word in self.patterns.items():
            at = data.find(pattern)
            if at >= 0:
                self.found.setdefault((name, word), base + at)

    def file(self, path, name, whole):
        try:
            stat = os.stat(path)
            key = (stat.st_dev, stat.st_ino)
            state = (stat.st_size, stat.st_mtime_ns)
            known = self.seen.get(key)
            if known and known[0] == state and not whole:
                return
            begin = 0
            # A file that only grew is read from a little before its old end (the last reading is complete).
            if known and not whole and state[0] > known[0][0] > 1 << 20:
                begin = max(0, known[0][0] - (1 << 16))
            with open(path, "rb") as f:
                f.seek(begin)
                while True:
                    data = f.read(16 << 20)
                    if not data:
                        break
                    self.take(name, data, begin, not whole)
                    if len(data) < 16 << 20:
                        break
                    begin += len(data) - self.longest
                    f.seek(begin)
            self.seen[key] = (state,)
        except (FileNotFoundError, PermissionError, IsADirectoryError, OSError):
            return

    def sample(self, pid=None, whole=False):
        self.samples += 1
        for top in self.folders:
            for folder, folders, files in os.walk(top):
                for name in files + folders:
                    path = os.path.join(folder, name)
                    if name == "FORMAT.md":
                        # The page on the format, the same in every archive.
                        continue
                    inside = os.path.relpath(path, top)
                    if path not in self.names:
                        self.names.add(path)
                        self.look(f"name of {path}", inside.encode("utf-8", "surrogateescape"), 0)
                    if name in files:
                        self.file(path, path, whole)
        if pid:
            try:
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    link = f"/proc/{pid}/fd/{fd}"
                    target = os.readlink(link)
                    if target.endswith(" (deleted)") and target.startswith("/"):
                        self.file(link, target, whole)
            except OSError:
                pass


def main():
    argv = sys.argv[1:]
    command = []
    if "--" in argv:
        at = argv.index("--")
        argv, command = argv[:at], argv[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watch", action="append", required=True)
    parser.add_argument("--words-from", nargs="+", required=True)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    patterns = draw_words(args.words_from, args.words, args.seed)
    print(f"{len(patterns)} patterns, e.g. {sorted(patterns.values())[:5]}", file=sys.stderr)
    code = 0
    with tempfile.TemporaryDirectory(prefix="mailkeep-sealed-") as temporary:
        watch = Watch([*args.watch, temporary], patterns)
        if command:
            process = subprocess.Popen(command, env=dict(os.environ, TMPDIR=temporary))
            due = time.monotonic()
            while process.poll() is None:
                watch.sample(process.pid)
                due += 0.1
                time.sleep(max(0.0, due - time.monotonic()))
                due = max(due, time.monotonic())
            code = process.returncode
        watch.sample(whole=True)
        watch.settle()
    for (name, word), at in sorted(watch.found.items()):
        print(f"FOUND {word!r} in {name} at {at}")
    print(f"{watch.samples} samples, {watch.bytes} bytes read, {len(watch.found)} words found; the command's exit is {code}")
    return 1 if watch.found else code


if __name__ == "__main__":
    sys.exit(main())
