"""Checks an import: the counts, and every mail byte for byte.

roundtrip.py MAILKEEP CORPORA [--only TEXT] [--keep DIR]

Creates an archive of every mbox that CORPORA/COUNTS.tsv names and of the trees beside them, with one import for each source, and
checks:
counts: `read` of the summary is COUNTS.tsv's `messages`, and read = stored + duplicate + failed;
trees (Maildir, EML, MH): each file is one mail, or an mbox as below; files that were skipped are listed;
mboxes: the source is From_ line, mail (quoted again where it was unquoted), blank line, and so on, to its last byte;
all: the exported mail has the digest of its receipt.
Exit 1 if any of these fails.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter

from command import Mailkeep

TREES = (
    "lists/20news", "mbox/osst-users.maildir", "mbox/phishing-eml", "mbox/sa-easy-ham-1.maildir", "mbox/sa-spam-1.maildir",
    "journal/nested", "journal/synthetic", "torture",
)  # fmt: skip

_FROM = re.compile(rb"^From ", re.M)
_QUOTED = re.compile(rb"^(>*From )", re.M)


def spellings(mail):
    """The forms that a mail may have in an mbox: as it is, with `From ` quoted, with every level quoted."""
    yield mail
    if b"From " in mail:
        once = _FROM.sub(b">From ", mail)
        if once != mail:
            yield once
        every = _QUOTED.sub(rb">\1", mail)
        if every not in (mail, once):
            yield every


def place(source, at, mail):
    """(place after `mail` and the blank line that follows it, further blank lines) if it is at `at`, else None."""
    best = None
    for spelling in spellings(mail):
        if not source.startswith(spelling, at):
            continue
        end = at + len(spelling)
        if end < len(source) and end > at and source[end - 1] != 10:
            continue  # the end of its last line belongs to the mail
        following = _BLANK_LINES.match(source, end).end()
        blanks = source.count(b"\n", end, following)
        if following == len(source) or source.startswith(b"From ", following):
            found = following, max(0, blanks - 1)
            if best is None or found[1] < best[1]:
                best = found
    return best


_BLANK_LINES = re.compile(rb"(?:\r?\n)*")


def cover(source, mails):
    """(what is wrong or None, blank lines outside mails, not counting one after each mail) for mails that should make up the
    source.

    Every other byte except those of From_ lines must belong to a mail, in order.
    """
    at = 0
    further = 0
    for i, mail in enumerate(mails):
        if source.startswith(b"From ", at):
            line = source.find(b"\n", at)
            begin = len(source) if line < 0 else line + 1
        elif at == 0:
            begin = 0  # what precedes the first From_ line is a mail too
        else:
            return f"mail {i}: no From_ line at {at}: {source[at : at + 60]!r}", further
        found = place(source, begin, mail)
        if not found:
            for end in (begin + len(s) for s in spellings(mail) if source.startswith(s, begin)):
                return f"mail {i}: it stands at {begin}, but behind it comes {source[end : end + 60]!r}", further
            same = len(os.path.commonprefix([mail, source[begin : begin + len(mail)]]))
            theirs = source[begin + same : begin + same + 50]
            return f"mail {i}: does not stand at {begin}; from its byte {same} on: {mail[same : same + 50]!r} / {theirs!r}", further
        at, more = found
        further += more
    if at != len(source):
        return f"{len(source) - at} bytes behind the last mail, from {at}: {source[at : at + 60]!r}", further
    return None, further


def receipts_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def tree_files(path):
    for folder, folders, files in os.walk(path):
        folders.sort()
        for name in sorted(files):
            yield os.path.join(folder, name)


def judge_tree(path, receipts, bytes_of, out):
    """Every file is one whole mail, or an mbox made up of its mails. Files without a receipt are listed: they were skipped."""
    by_source = {}
    for r in receipts:
        by_source.setdefault(os.path.abspath(r["source"]), []).append(r["digest"])
    files = 0
    good = True
    skipped = []
    further = 0
    for name in tree_files(path):
        if name.endswith((".tsv", ".sha256")):
            continue
        files += 1
        with open(name, "rb") as f:
            data = f.read()
        digests = by_source.pop(os.path.abspath(name), [])
        if digests == [hashlib.sha256(data).hexdigest()]:
            continue
        if not digests:
            skipped.append(name)
            continue
        problem, more = cover(data, [bytes_of(d) for d in digests])
        further += more
        if problem:
            out(f"{name}: {len(digests)} mails: {problem}")
            good = False
    if by_source:
        out(f"{path}: receipts of {len(by_source)} files that are not there, e.g. {list(by_source)[:2]}")
    return files, skipped, further, good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("corpora")
    parser.add_argument("--only", default="", help="only sources whose path has this text")
    parser.add_argument("--keep", help="make the archive here and leave it; an archive that is there already is judged without imports")
    args = parser.parse_args()
    work = args.keep or tempfile.mkdtemp(prefix="mailkeep-roundtrip-")
    os.makedirs(work, exist_ok=True)
    archive = os.path.join(work, "archive")
    keep = Mailkeep(args.mailkeep, archive)
    bad = 0

    def wrong(text):
        nonlocal bad
        bad += 1
        print("WRONG", text, flush=True)

    with open(os.path.join(args.corpora, "COUNTS.tsv"), encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f, delimiter="\t") if args.only in r["path"]]
    boxes = {r["path"]: int(r["messages"]) for r in rows if r["kind"] == "mbox"}
    trees = [t for t in TREES if args.only in t]
    receipts = {}
    total = Counter()
    made = os.path.exists(os.path.join(archive, "archive.mk"))
    if not made:
        keep.make([])
    for source in [*boxes, *trees]:
        path = os.path.join(args.corpora, source)
        file = os.path.join(work, "receipts-" + source.replace("/", "-") + ".jsonl")
        if made:
            receipts[source] = receipts_of(file)
            continue
        if os.path.exists(file):
            os.remove(file)
        done = keep.run("--json", "import", path, "--duplicates", "exact", "--receipts", file, allow=(0, 1, 2))
        lines = [json.loads(x) for x in done.stdout.splitlines() + done.stderr.splitlines() if x.startswith(b"{")]
        summary = next((x for x in reversed(lines) if x.get("event") == "summary"), None)
        receipts[source] = receipts_of(file)
        if summary is None:
            if boxes.get(source) != 0:
                wrong(f"{source}: no summary: {done.stderr[-300:]!r}")
            continue
        total.update({k: summary.get(k) or 0 for k in ("read", "stored", "duplicate", "failed")})
        if summary["read"] != summary["stored"] + summary["duplicate"] + summary["failed"]:
            wrong(f"{source}: does not add up: {summary}")
        if summary["failed"]:
            wrong(f"{source}: {summary['failed']} failed")
        if len(receipts[source]) != summary["read"] - summary["failed"]:
            wrong(f"{source}: {len(receipts[source])} receipts for {summary}")
        if source in boxes and summary["read"] != boxes[source]:
            wrong(f"{source}: read {summary['read']}, COUNTS.tsv says {boxes[source]}")
    print(f"imported: {dict(total)}", flush=True)
    folder, entries = keep.export()
    try:
        by_digest = {}
        by_id = {}
        for e in entries:
            with open(e["path"], "rb") as f:
                f.seek(e.get("offset") or 0)
                data = f.read(e["length"]) if e.get("length") is not None else f.read()
            if hashlib.sha256(data).hexdigest() != e["digest"]:
                wrong(f"{e['id']}: exported bytes have another digest than the manifest says")
            by_digest[e["digest"]] = e
            by_id[e["id"]] = e["digest"]

        def bytes_of(digest):
            e = by_digest[digest]
            with open(e["path"], "rb") as f:
                f.seek(e.get("offset") or 0)
                return f.read(e["length"]) if e.get("length") is not None else f.read()

        covered = 0
        for source in [*boxes, *trees]:
            mine = receipts[source]
            unknown = [r for r in mine if r["digest"] not in by_digest or by_id.get(r["id"]) != r["digest"]]
            if unknown:
                wrong(f"{source}: {len(unknown)} receipts without their mail in the export, e.g. {unknown[:2]}")
                continue
            path = os.path.join(args.corpora, source)
            if source in boxes:
                with open(path, "rb") as f:
                    data = f.read()
                problem, further = cover(data, [bytes_of(r["digest"]) for r in mine])
                if further:
                    print(f"{source}: {further} blank lines more than one behind a mail belong to no mail")
                if problem and boxes[source]:
                    wrong(f"{source}: {problem}")
                else:
                    covered += len(data)
            else:
                files, skipped, further, good = judge_tree(path, mine, bytes_of, wrong)
                print(
                    f"{source}: {files} files, {'each read a mail byte for byte' if good else 'differences'}, {len(skipped)} skipped"
                    f" {skipped}, {further} blank lines of no mail"
                )
        raw = [e for i, e in enumerate(entries) if i % max(1, len(entries) // 50) == 0]
        for e in raw:
            data = keep.run("show", e["id"], "--raw", "-o", "-").stdout
            if hashlib.sha256(data).hexdigest() != e["digest"]:
                wrong(f"{e['id']}: show --raw gives other bytes than the export")
        print(f"{covered} bytes of mboxes covered; {len(raw)} mails shown raw")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not args.keep:
            shutil.rmtree(work, ignore_errors=True)
    print(f"{bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
