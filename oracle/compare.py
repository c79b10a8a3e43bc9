"""Compares the command's search with the naive scan: sets, totals and order, over many drawn queries.

compare.py MAILKEEP ARCHIVE [SOURCE...] [--queries N] [--seed S] [--query Q ...] [--query-file FILE]

Where ARCHIVE is not there, it is made and SOURCEs are imported. Exit 1 on any difference. With --query or --query-file the given queries
are run instead of drawn ones.
"""

import argparse
import hashlib
import json
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from multiprocessing import Pool

from command import Mailkeep, number
from mailtext import mail_values
from queries import draw, usable
from search import Corpus, QueryError, Unsupported, parse, prepare

CACHE_VERSION = "4"


def read_one(entry):
    path, offset, length, digest, guesses, cache = entry
    with open(path, "rb") as f:
        f.seek(offset)
        data = f.read(length) if length is not None else f.read()
    found = hashlib.sha256(data).hexdigest()
    key = os.path.join(cache, found[:2], f"{found}.{CACHE_VERSION}.{hash_of(guesses)}")
    if os.path.exists(key):
        with open(key, "rb") as f:
            values, unknown, later = pickle.load(f)
    else:
        result = mail_values(data, guesses)
        values = prepare(result.values)
        unknown = result.unknown_guesses
        later = not all(usable(v.text.replace("\0", "")) for v in result.values if not v.text.isascii())
        os.makedirs(os.path.dirname(key), exist_ok=True)
        temporary = f"{key}.{os.getpid()}"
        with open(temporary, "wb") as f:
            pickle.dump((values, unknown, later), f, 4)
        os.replace(temporary, key)
    return found == digest, values, unknown, later


def hash_of(guesses):
    return hashlib.sha256(json.dumps(sorted((guesses or {}).items())).encode()).hexdigest()[:12]


def guesses_of(keep, identifier):
    record = keep.lines("show", identifier, "--record")[-1]
    return {g["place"]: g["charset"] for g in record["charset_guesses"]}


def load(keep, entries, cache, log):
    """(corpus, differences, mails whose words hang on a guess or on later Unicode) of an archive."""
    corpus = Corpus()
    wrong = []
    started = time.time()
    # A span of a whole file may be given as offset 0 and its length.
    tasks = [(e["path"], e.get("offset") or 0, e.get("length"), e["digest"], None, cache) for e in entries]
    results = []
    with Pool(2) as pool:
        for entry, result in zip(entries, pool.imap(read_one, tasks, 32)):
            if not result[0]:
                wrong.append(f"{entry['id']}: the exported bytes do not have the digest of the manifest")
            results.append(result)
    unknown = [i for i, r in enumerate(results) if r[2]]
    for i in unknown:
        guesses = guesses_of(keep, entries[i]["id"])
        if guesses:
            entries[i]["guesses"] = guesses
            results[i] = read_one((*tasks[i][:4], guesses, cache))
    lacking = sum(bool(results[i][2]) for i in unknown)
    later = sum(r[3] for r in results)
    for _, values, _, _ in results:
        corpus.add(values)
    corpus.finish()
    log(
        f"read {len(entries)} mails in {time.time() - started:.1f} s: {len(corpus.spelling)} words; guesses needed for {len(unknown)}"
        f" (not recorded for {lacking}), characters of later Unicode in {later}"
    )
    doubtful = {i for i, r in enumerate(results) if r[2] or r[3]}
    return corpus, wrong, doubtful


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


def by_format(archive, key_file):
    """(folder, entries) like those of an export, without the library's help."""
    import read_archive

    folder = tempfile.mkdtemp(prefix="mailkeep-export-")
    path = os.path.join(folder, "mails")
    entries = []
    with open(path, "wb") as f:
        for identifier, digest, _, data in read_archive.mails(archive, key_file):
            entries.append({"id": identifier, "digest": digest, "path": path, "offset": f.tell(), "length": len(data)})
            f.write(data)
    entries.sort(key=lambda e: number(e["id"]))
    return folder, entries


ARCHIVED = {}  # message without a date of its own -> its time of archiving, by which it is ordered
ASKED = 200


def date_of(keep, hit):
    """The date that a hit is ordered by, to the second; None for those without one that were not asked for."""
    if hit["date"]:
        return hit["date"]
    if hit["id"] not in ARCHIVED and len(ARCHIVED) < ASKED:
        ARCHIVED[hit["id"]] = keep.lines("show", hit["id"], "--record")[-1]["archived"][:19] + "Z"
    return ARCHIVED.get(hit["id"])


def compare(keep, entries, corpus, query, doubtful, out):
    """Whether the command's answer to one query is the naive scan's."""
    try:
        expected = corpus.search(query)
    except QueryError as error:
        hits, answer = keep.search(query)
        if hits is None:
            return True
        out(f"DIFFERENCE {query!r}\n  must be refused ({error}), but found {len(hits)}")
        return False
    index = {e["id"]: i for i, e in enumerate(entries)}
    hits, answer = keep.search(query)
    if hits is None:
        out(f"DIFFERENCE {query!r}\n  refused: {answer}; the scan finds {len(expected)}")
        return False
    problems = []
    ids = [h["id"] for h in hits]
    got = {index.get(i) for i in ids}
    if None in got:
        problems.append(f"hits that are not in the export: {[i for i in ids if i not in index][:5]}")
    if len(ids) != len(set(ids)):
        problems.append("a hit comes twice")
    missing, extra = expected - got, got - expected - {None}
    for name, mails in (("missing", missing), ("extra", extra)):
        if mails:
            problems.append(f"{name}: {len(mails)}, e.g. {[entries[i]['id'] for i in sorted(mails)[:6]]}")
            for i in sorted(mails)[:2]:
                note = " (a guess or a later Unicode character is at stake)" if i in doubtful else ""
                problems.append(f"  {name} {entries[i]['id']} {entries[i]['digest'][:16]}{note}: {words_at_stake(corpus, query, i)}")
    if answer.get("total") != len(expected):
        problems.append(f"total {answer.get('total')}, the scan {len(expected)}; coverage {answer.get('coverage')}")
    order = [(date, number(h["id"])) for h in hits if (date := date_of(keep, h))]
    if order != sorted(order, reverse=True):
        at = next(i for i in range(len(order) - 1) if order[i] < order[i + 1])
        problems.append(f"order: {order[at]} before {order[at + 1]}")
    if problems:
        out(f"DIFFERENCE {query!r} ({len(expected)} expected)\n  " + "\n  ".join(problems))
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("archive")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--query", action="append", default=[], help="run this query, not drawn ones (may be repeated)")
    parser.add_argument("--query-file", help="run the queries of this file, one a line")
    parser.add_argument("--cache", default=os.path.join(os.environ.get("TMPDIR", "/tmp"), "mailkeep-oracle-cache"))
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
        corpus, wrong, doubtful = load(keep, entries, args.cache, log)
        for line in wrong:
            print(line)
        queries = args.query
        if args.query_file:
            with open(args.query_file, encoding="utf-8") as f:
                queries += [line.rstrip("\n") for line in f]
        if not queries:
            rng = random.Random(args.seed)
            sample = []
            for e in rng.sample(entries, min(len(entries), 3000)):
                with open(e["path"], "rb") as f:
                    f.seek(e.get("offset") or 0)
                    sample.append((f.read(e["length"]) if e.get("length") is not None else f.read(), e.get("guesses")))
            queries = draw(sample, corpus, args.queries, args.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    log(f"{len(queries)} queries; without a hit: {sum(not quiet(corpus, q) for q in queries)}")
    started = time.time()
    bad = sum(not compare(keep, entries, corpus, q, doubtful, print) for q in queries)
    print(f"{len(entries)} mails, {len(queries)} queries (seed {args.seed}): {bad} differ; {time.time() - started:.1f} s")
    return 1 if bad or wrong else 0


def quiet(corpus, query):
    try:
        return corpus.search(query)
    except (QueryError, Unsupported):
        return ()


if __name__ == "__main__":
    sys.exit(main())
