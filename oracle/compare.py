"""Compares the command's search with the naive scan: sets, totals and order, over many drawn queries.

compare.py MAILKEEP ARCHIVE [SOURCE...] [--queries N] [--seed S] [--query Q ...] [--query-file FILE]

If ARCHIVE does not exist, it is created and SOURCEs are imported. Exit 1 on any difference. With --query or --query-file the given queries
run instead of drawn ones.
"""

import argparse
import os
import random
import shutil
import sys
import time

from command import Mailkeep, number
from load import CACHE, by_format, bytes_of, load
from queries import draw
from search import parse


def words_at_stake(corpus, query, mail):
    """The words of a mail that single parts of the query match, with their fields."""
    out = []

    def terms(node):
        if node is None or isinstance(node, str):
            return
        if hasattr(node, "parts"):
            yield node
        elif hasattr(node, "inner"):
            yield from terms(node.inner)
        elif isinstance(node, list):
            for n in node:
                yield from terms(n)

    for term in terms(parse(query)):
        for part in term.parts:
            found = corpus.words_of(part)
            if found is None:
                continue
            hits = {}
            for field, address, ids in corpus.mails[mail]:
                for i in set(ids) & found:
                    hits.setdefault(corpus.spelling[i], set()).add(field + ("@" if address else ""))
            out.append(f"{part!r}: " + (", ".join(f"{w!r} in {'/'.join(sorted(f))}" for w, f in list(hits.items())[:5]) or "nowhere"))
    return out


def compare(keep, archive, query, doubtful, out):
    """Whether the command's answer to one query equals that of the naive scan."""
    expected = archive.answer({"criteria": {"version": 1, "text": query}})
    hits, answer = keep.search(query)
    if "error" in expected:
        if hits is not None:
            out(f"DIFFERENCE {query!r}\n  must be refused ({expected['why']}), but found {len(hits)}")
        return hits is None
    if hits is None:
        out(f"DIFFERENCE {query!r}\n  refused: {answer}; the scan finds {expected['total']}")
        return False
    got = {"ids": [h["id"] for h in hits], "total": answer.get("total"), "undecided": answer.get("coverage", {}).get("undecided")}
    index = {m.id: i for i, m in enumerate(archive.messages)}
    problems = differences(expected, got)
    for i in sorted(set(expected["ids"]) ^ set(got["ids"]))[:4]:
        if i in index:
            note = " (a guess or a later Unicode character is at stake)" if index[i] in doubtful else ""
            problems.append(f"{i}{note}: {words_at_stake(archive.corpus, query, archive.messages[index[i]].content)}")
    if problems:
        out(f"DIFFERENCE {query!r} ({expected['total']} expected)\n  " + "\n  ".join(problems))
    return not problems


def differences(expected, got):
    """The differences of two answers without error."""
    problems = []
    want, have = expected["ids"], got["ids"]
    if len(have) != len(set(have)):
        problems.append("a hit comes twice")
    for name, ids in (("missing", set(want) - set(have)), ("extra", set(have) - set(want))):
        if ids:
            problems.append(f"{name}: {len(ids)}, e.g. {sorted(ids, key=number)[:6]}")
    if not problems and want != have:
        at = next(i for i in range(len(want)) if want[i] != have[i])
        problems.append(f"order: at {at} expected {want[at : at + 3]}, got {have[at : at + 3]}")
    for name in ("total", "undecided", "not_indexed", "unreachable_stores", "counts"):
        if name in expected and expected[name] != got.get(name):
            problems.append(f"{name}: expected {shorten(expected[name])}, got {shorten(got.get(name))}")
    return problems


def shorten(value):
    text = repr(value)
    return text if len(text) < 400 else text[:400] + " ..."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("archive")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--query", action="append", default=[], help="run this query, not drawn ones (may be repeated)")
    parser.add_argument("--query-file", help="run the queries of this file, one a line")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("--key-file")
    parser.add_argument("--by-format", action="store_true", help="read the mails as read_archive.py does (needs --key-file), not by an export")
    args = parser.parse_args()
    log = lambda text: print(text, file=sys.stderr, flush=True)
    keep = Mailkeep(args.mailkeep, args.archive, args.key_file)
    if not os.path.exists(os.path.join(args.archive, "archive.mk")):
        for source, summary in keep.make(args.sources).items():
            log(f"{source}: {summary}")
    started = time.time()
    folder, entries = by_format(args.archive, args.key_file) if args.by_format else keep.export()
    log(f"got {len(entries)} mails in {time.time() - started:.1f} s")
    try:
        scan, wrong, disputes, doubtful = load(keep, entries, args.cache, log)
        for line in wrong:
            print(line)
        # judge.py reports disputed facts; here the command's answers are compared by the archive's version of them.
        log(f"facts in dispute: {disputes}" if disputes else "no fact in dispute")
        queries = args.query
        if args.query_file:
            with open(args.query_file, encoding="utf-8") as f:
                queries += [line.rstrip("\n") for line in f]
        if not queries:
            rng = random.Random(args.seed)
            sample = []
            for e in rng.sample(entries, min(len(entries), 3000)):
                sample.append((bytes_of(e), e.get("guesses")))
            queries = draw(sample, scan.corpus, args.queries, args.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    started = time.time()
    bad = sum(not compare(keep, scan, q, doubtful, print) for q in queries)
    print(f"{len(entries)} mails, {len(queries)} queries (seed {args.seed}): {bad} differ; {time.time() - started:.1f} s")
    return 1 if bad or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
