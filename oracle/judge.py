"""Compares answers of the library with the naive scan: ids in order, totals, coverage, counts, pages, errors, over drawn requests.

judge.py MAILKEEP ASK ARCHIVE [SOURCE...] [--requests N] [--seed S] [--stores] [--request JSON ...] [--request-file FILE]

ASK is the runner (`target/release/examples/ask`): it is started as `ASK ARCHIVE KEYFILE`, reads one request per line and answers
each with a line. If ARCHIVE does not exist, it is created and SOURCEs are imported. Exit 1 on any difference, including facts of
single mails (unless --no-facts).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time

from answers import Search
from command import Mailkeep
from compare import differences
from criteria import Requests
from load import CACHE, load
from query import Filter, Term

NAMED = ("denied", "no_such_store", "query")


class Runner:
    """The program that answers requests with the library."""

    def __init__(self, program, archive, key_file):
        command = [sys.executable, program] if program.endswith(".py") else [os.path.abspath(program)]
        self.process = subprocess.Popen([*command, archive, key_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the runner ended at {request}: exit {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def flat(answer):
    """An answer of the runner with its coverage merged into the other members, as differences() expects it."""
    return {**answer, **(answer.get("coverage") or {})}


def judge(archive, runner, request):
    """What is wrong with the runner's answer to a request, as texts."""
    expected = archive.answer(request)
    got = runner.ask(request)
    if "error" in expected or "error" in got:
        return errors(expected, got)
    expected.update(not_indexed=0, unreachable_stores=0)
    problems = []
    if "limit" in request:
        problems, got = pages(runner, request, got, expected["total"])
    return problems + differences(expected, flat(got))


def errors(expected, got):
    if "error" not in expected:
        return [f"refused: {got['error']}; the scan finds {expected['total']}"]
    if "error" not in got:
        return [f"must be refused ({expected['why'] or 'criteria'}), but found {got.get('total')}"]
    code = got["error"].get("code")
    # The rules name a code for some errors only.
    if expected["error"] in NAMED and code != expected["error"]:
        return [f"refused as {code!r}, not {expected['error']!r}"]
    return []


def pages(runner, request, page, total):
    """(problems, one answer of all pages): every message exactly once, the total the same on each."""
    problems = []
    whole = dict(page, ids=list(page["ids"]))
    asked = 1
    while page.get("cursor"):
        if len(page["ids"]) != request["limit"]:
            problems.append(f"a page of {len(page['ids'])}, not {request['limit']}, that is not the last")
        # For long lists in small pages, the first pages are enough.
        if asked >= 60 or not page["ids"]:
            break
        page = runner.ask({**{k: v for k, v in request.items() if k != "counts"}, "cursor": page["cursor"]})
        if "error" in page:
            return problems + [f"page {asked + 1}: {page['error']}"], whole
        if page["total"] != whole["total"]:
            problems.append(f"page {asked + 1} has the total {page['total']}, the first {whole['total']}")
        whole["ids"] += page["ids"]
        asked += 1
    if page.get("cursor"):
        # Cut short: the rest is requested in one piece.
        page = runner.ask({**{k: v for k, v in request.items() if k not in ("counts", "limit")}, "cursor": page["cursor"]})
        whole["ids"] += page.get("ids", [])
        asked += 1
    if len(whole["ids"]) > total + request["limit"]:
        problems.append("the pages do not end where the total does")
    return problems, whole


def stranger(runner, archive, request, users):
    """A cursor is bound to query, order and actor (S4.5): another one's is refused."""
    first = runner.ask(request)
    if "error" in first or not first.get("cursor"):
        return []
    other = next((u for u in users if u != request["as"]), None)
    for changed in (
        {**request, "as": other},
        {**request, "criteria": {**request["criteria"], "order": {"by": "size", "reverse": not request["criteria"].get("order", {}).get("reverse")}}},
        {**request, "criteria": {**request["criteria"], "size": {"min": 1}}},
    ):
        if "error" not in runner.ask({**changed, "cursor": first["cursor"]}):
            return [f"a cursor was taken with {'another actor' if changed['criteria'] == request['criteria'] else changed['criteria']}"]
    return []


def explain(archive, request, identifier):
    """What each part of the request yields for one message, by the scan."""
    message = next((i for i, m in enumerate(archive.messages) if m.id == identifier), None)
    if message is None:
        return f"{identifier} is no message of the archive"
    search = Search(archive, request)
    out = []

    def walk(node, excluded):
        if isinstance(node, (Term, Filter)) or not hasattr(node, "__iter__") and not hasattr(node, "inner"):
            out.append(f"{'-' if excluded else ''}{node!r}: {message in search.leaf(node, excluded)}")
        elif hasattr(node, "inner"):
            walk(node.inner, True)
        else:
            for n in node:
                walk(n, excluded)

    if search.tree is not None:
        walk(search.tree, False)
    m = archive.messages[message]
    seen = message in archive.visible(request.get("as"))
    return f"{m.id} visible {seen}, {m.folder}, date {m.date}, archived {m.archived}, {m.facts}\n    " + "\n    ".join(out)


def show(archive, request, problems, runner, out):
    out(f"DIFFERENCE {json.dumps(request, ensure_ascii=False)}\n  " + "\n  ".join(problems))
    expected = archive.answer(request)
    if "error" in expected:
        return
    got = runner.ask({k: v for k, v in request.items() if k not in ("limit", "counts")})
    for identifier in sorted(set(expected["ids"]) ^ set(got.get("ids", [])))[:3]:
        out("  " + explain(archive, request, identifier))


def requests_of(args):
    requests = [json.loads(r) for r in args.request]
    if args.request_file:
        with open(args.request_file, encoding="utf-8") as f:
            requests += [json.loads(line) for line in f if line.strip()]
    return requests


def open_archive(args, log):
    """(command, key file) of an archive, which is created if missing."""
    keep = Mailkeep(args.mailkeep, args.archive, args.key_file)
    if not os.path.exists(os.path.join(args.archive, "archive.mk")):
        for source, summary in keep.make(args.sources, stores=getattr(args, "stores", False)).items():
            log(f"{source}: {summary}")
    return keep, args.key_file or keep.found_key_file()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("ask")
    parser.add_argument("archive")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--request", action="append", default=[], help="judge this request, not drawn ones (may be repeated)")
    parser.add_argument("--request-file", help="judge the requests of this file, one a line")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("--key-file")
    parser.add_argument("--stores", action="store_true", help="a store for each source")
    parser.add_argument("--no-facts", action="store_true", help="facts in dispute do not count as differences")
    args = parser.parse_args()
    log = lambda text: print(text, file=sys.stderr, flush=True)
    keep, key_file = open_archive(args, log)
    folder, entries = keep.export()
    runner = None
    try:
        archive, wrong, disputes, _ = load(keep, entries, args.cache, log)
        for line in wrong + [f"FACT {d}" for d in disputes]:
            print(line)
        requests = requests_of(args)
        source = Requests(archive, entries, args.seed)
        if not requests:
            requests = source.draw(args.requests)
            log(f"drew {len(requests)} requests; without a hit: {source.empty}")
        # Only now, since the runner locks the archive.
        runner = Runner(args.ask, args.archive, key_file)
        started = time.time()
        bad = 0
        for n, request in enumerate(requests):
            problems = judge(archive, runner, request)
            if "limit" in request and n % 3 == 0:
                problems += stranger(runner, archive, request, [None] + source.users)
            if problems:
                bad += 1
                show(archive, request, problems, runner, print)
    finally:
        if runner:
            runner.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(entries)} mails, {len(requests)} requests (seed {args.seed}): {bad} differ; {time.time() - started:.1f} s")
    return 1 if bad or wrong or disputes and not args.no_facts else 0


if __name__ == "__main__":
    sys.exit(main())
