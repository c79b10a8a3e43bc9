"""Checks that an answer depends only on what the user may see (S4.4): the same requests to an archive that contains nothing else.

visible.py MAILKEEP ASK ARCHIVE [SOURCE...] [--requests N] [--users N] [--seed S]

For each drawn user a second archive is created from the messages that the user sees, in the same folders. Messages are compared as
(digest, folder), in order; times of archiving differ, so that no request uses them, and where keys and dates are equal any order is
accepted (numbers of messages differ).
"""

import argparse
import itertools
import json
import os
import re
import shutil
import sys
import tempfile

from command import Mailkeep
from compare import shorten
from criteria import Requests
from answers import date_key, text_key
from judge import Runner, open_archive
from load import CACHE, bytes_of, load
from words import fold


def build(binary, place, messages, entries):
    """An archive of the given messages: one import of a Maildir for each folder, whose names give the dates of mails without one."""
    keep = Mailkeep(binary, os.path.join(place, "archive"))
    keep.make([])
    by_folder = {}
    for m, e in zip(messages, entries):
        by_folder.setdefault(m.folder, []).append((m, e))
    for n, (folder, mails) in enumerate(by_folder.items()):
        source = os.path.join(place, f"maildir{n}")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(source, sub))
        for i, (m, e) in enumerate(mails):
            with open(os.path.join(source, "cur", f"{'M' if m.date is None else m.date}.M{i:06}P1.judge:2,"), "wb") as f:
                f.write(bytes_of(e))
        keep.run("import", source, "--format", "maildir", "--into", folder, "--duplicates", "exact")
        shutil.rmtree(source)
    return keep


class Side:
    """One of the two archives: its messages as (digest, folder), and their sort keys."""

    def __init__(self, keep, ask, key_file=None):
        self.folder, self.entries = keep.export()
        self.archive, self.wrong, _, _ = load(keep, self.entries, CACHE, lambda text: None)
        self.known = {m.id: (m, e["digest"]) for m, e in zip(self.archive.messages, self.entries)}
        self.runner = Runner(ask, keep.archive, key_file or keep.found_key_file())

    def ask(self, request):
        got = self.runner.ask(request)
        order = request["criteria"].get("order", {}).get("by", "date")
        if "ids" in got:
            got["messages"] = self.by_keys(got.pop("ids"), order)
        return got

    def by_keys(self, ids, order):
        """(key, digest, folder) of each; those with equal key and date are sorted, because their order depends only on numbers."""
        rows = []
        for i in ids:
            m, digest = self.known[i]
            key = {"date": date_key(m), "size": m.facts.size}.get(order)
            rows.append((fold(text_key(m, order)) if key is None else key, m.date, digest, m.folder))
        groups = itertools.groupby(rows, key=lambda r: r[:2])
        return [row for _, group in groups for row in sorted(group)]

    def close(self):
        self.runner.close()
        shutil.rmtree(self.folder)


def about_archiving(request):
    return "archived" in json.dumps(request["criteria"]).lower()


def about_ids(request):
    """It names a message by its id, which is another one in the other archive."""
    return re.search(r"\bid:", json.dumps(request["criteria"]), re.I)


def differences(one, two):
    out = []
    for name in sorted(set(one) | set(two)):
        if one.get(name) != two.get(name) and name != "cursor":
            out.append(f"{name}: {shorten(one.get(name))}, of the visible alone {shorten(two.get(name))}")
            if name == "messages":
                a, b = (set(r[2:] for r in side.get(name, ())) for side in (one, two))
                out.append(f"  only here {shorten(sorted(a - b)[:3])}, only there {shorten(sorted(b - a)[:3])}")
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("ask")
    parser.add_argument("archive")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--requests", type=int, default=100, help="for each user")
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--key-file")
    args = parser.parse_args()
    log = lambda text: print(text, file=sys.stderr, flush=True)
    keep, key_file = open_archive(args, log)
    whole = Side(keep, args.ask, key_file)
    bad = asked = 0
    drawn = Requests(whole.archive, whole.entries, args.seed).users
    for n, user in enumerate(drawn[3 : 3 + args.users]):
        seen = sorted(whole.archive.visible(user))
        with tempfile.TemporaryDirectory(prefix="mailkeep-visible-") as place:
            part_keep = build(args.mailkeep, place, [whole.archive.messages[i] for i in seen], [whole.entries[i] for i in seen])
            part = Side(part_keep, args.ask)
            held = sorted((d, m.folder) for m, d in part.known.values())
            if held != sorted((whole.entries[i]["digest"], whole.archive.messages[i].folder) for i in seen):
                print(f"{user}: the second archive does not hold what the user sees")
                bad += 1
            for request in Requests(whole.archive, whole.entries, args.seed * 100 + n, [user]).draw(args.requests):
                if about_archiving(request) or about_ids(request):
                    continue
                # The second archive has one store.
                if "store" in request["criteria"] and len(whole.archive.stores) > 1:
                    continue
                request.pop("limit", None)
                asked += 1
                # In the second archive the system sees what the user sees; only the store criterion differs.
                other = user if "store" in request["criteria"] or asked % 2 else None
                problems = differences(whole.ask(request), part.ask({**request, "as": other}))
                if problems:
                    bad += 1
                    print(f"DIFFERENCE {json.dumps(request, ensure_ascii=False)}\n  " + "\n  ".join(problems))
            part.close()
        log(f"{user['name']}: {len(seen)} messages in {[f['path'] for f in user['folders']]}")
    whole.close()
    print(f"{asked} requests by {args.users} users (seed {args.seed}): {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
