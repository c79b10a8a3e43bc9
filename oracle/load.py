"""Reads a whole archive for the naive scan: the bytes of every mail from an export, its words and facts from the oracle, the rest
from the archive.

What the archive decides (folder, time of archiving, direction, the date of a mail without one, charsets that it guessed) comes from
`ls --messages`, or, if that lacks it, from `show --record`. What both have is compared: see `facts_differences`.
"""

import hashlib
import json
import os
import pickle
import re
import tempfile
import time
from collections import Counter
from datetime import datetime
from multiprocessing import Pool

from answers import Archive, Message
from command import number
from facts import facts
from mailtext import mail_values
from queries import usable
from search import Corpus, prepare

# These files compute what is cached of a mail; answers cached by other versions of them do not count.
MAKERS = (
    "charset.py", "facts.py", "header_text.py", "html_text.py", "load.py", "maildate.py", "mailtext.py", "queries.py", "query.py", "search.py",
    "tables.json.gz", "transfer.py", "words.py",
)  # fmt: skip
CACHE = os.path.join(os.environ.get("TMPDIR", "/tmp"), "mailkeep-oracle-cache")


def _version():
    digest = hashlib.sha256()
    for name in MAKERS:
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "rb") as f:
            digest.update(hashlib.sha256(f.read()).digest())
    return digest.hexdigest()[:12]


CACHE_VERSION = _version()
OF_MAIL = ("mail", "received_field")
IMPORTANCE = {-1: "low", 0: "normal", 1: "high"}


def bytes_of(entry):
    with open(entry["path"], "rb") as f:
        f.seek(entry.get("offset") or 0)
        return f.read(entry["length"]) if entry.get("length") is not None else f.read()


def read_one(task):
    """(whether the digest matches, words, facts, missing guesses, whether later Unicode occurs) of one mail."""
    entry, guesses, cache = task
    data = bytes_of(entry)
    found = hashlib.sha256(data).hexdigest()
    mark = hashlib.sha256(json.dumps(sorted((guesses or {}).items())).encode()).hexdigest()[:12]
    key = os.path.join(cache, found[:2], f"{found}.{CACHE_VERSION}.{mark}")
    if os.path.exists(key):
        with open(key, "rb") as f:
            out = pickle.load(f)
    else:
        result = mail_values(data, guesses)
        later = not all(usable(v.text.replace("\0", "")) for v in result.values if not v.text.isascii())
        out = prepare(result.values), facts(data, result, guesses), result.unknown_guesses, later
        os.makedirs(os.path.dirname(key), exist_ok=True)
        temporary = f"{key}.{os.getpid()}"
        with open(temporary, "wb") as f:
            pickle.dump(out, f, 4)
        os.replace(temporary, key)
    return (found == entry["digest"], *out)


class Records:
    """The output of `show --record`, cached between runs: it never changes for a message."""

    def __init__(self, keep, cache):
        self.keep = keep
        digest = hashlib.sha256(os.path.realpath(keep.archive).encode())
        with open(os.path.join(keep.archive, "archive.mk"), "rb") as f:
            digest.update(f.read(4096))
        self.path = os.path.join(cache, f"records-{digest.hexdigest()[:24]}")
        self.known = {}
        if os.path.exists(self.path):
            with open(self.path, "rb") as f:
                self.known = pickle.load(f)

    def of(self, identifier):
        if identifier not in self.known:
            self.known[identifier] = self.keep.lines("show", identifier, "--record")[-1]
        return self.known[identifier]

    def save(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "wb") as f:
            pickle.dump(self.known, f, 4)


def load(keep, entries, cache, log):
    """(archive for answers.py, texts of problems with bytes, of differing facts, numbers of messages whose words depend on a guess
    or on later Unicode)."""
    started = time.time()
    problems = []
    disputes = []
    records = Records(keep, cache)
    listed = {m["id"]: m for m in keep.lines("ls", "--messages") if m.get("event") == "message"}
    whole = {"archived", "date_source", "direction"} <= set(next(iter(listed.values()), {}))
    with Pool(2) as pool:
        results = list(pool.imap(read_one, [(e, None, cache) for e in entries], 32))
    lacking = 0
    if not whole:
        for entry in entries:
            records.of(entry["id"])
        records.save()
    for i, entry in enumerate(entries):
        if not results[i][0]:
            problems.append(f"{entry['id']}: the exported bytes do not have the digest of the manifest")
        if results[i][3]:
            known = listed[entry["id"]] if "charset_guesses" in listed[entry["id"]] else records.of(entry["id"])
            guesses = {g["place"]: g["charset"] for g in known["charset_guesses"]}
            if guesses:
                entry["guesses"] = guesses
                results[i] = read_one((entry, guesses, cache))
            lacking += bool(results[i][3])
    corpus = Corpus()
    contents = {}
    messages = []
    different = Counter()
    for entry, (_, values, own, _, _) in zip(entries, results):
        known = listed[entry["id"]] if whole else records.of(entry["id"])
        if entry["digest"] not in contents:
            contents[entry["digest"]] = len(contents)
            corpus.add(values)
        own = own._replace(sender=kept(own.sender), recipient=kept(own.recipient))
        for name, ours, theirs in facts_differences(own, known):
            different[name] += 1
            if different[name] <= 5:
                disputes.append(f"{entry['id']}: {name}: {ours!r} by the oracle, {theirs!r} by the archive")
            own = taken_over(own, name, theirs)
        date = int(when(known["date"])) if known["date"] else None
        messages.append(Message(entry["id"], contents[entry["digest"]], known["folder"], date, when(known["archived"]), known["direction"], own))
    corpus.finish()
    records.save()
    disputes += [f"{name}: {n} messages differ in all" for name, n in different.items() if n > 5]
    doubtful = {i for i, r in enumerate(results) if r[3] or r[4]}
    log(
        f"read {len(entries)} mails, {len(contents)} contents in {time.time() - started:.1f} s: {len(corpus.spelling)} words; guesses not"
        f" recorded for {lacking}, characters of later Unicode in {sum(r[4] for r in results)};"
        f" {sum(m.facts.overlooked for m in messages)} with text that was not taken in"
    )
    stores = sorted({m.number[0] for m in messages}) or [1]
    return Archive(corpus, messages, stores), problems, disputes, doubtful


def when(text):
    return datetime.fromisoformat(re.sub(r"\.(\d{1,6})\d*", lambda m: "." + m.group(1).ljust(6, "0"), text).replace("Z", "+00:00")).timestamp()


def kept(party):
    """A display name and an address as the archive keeps them (FORMAT.md, fact 5, 9 to 11): the address, and as much of the name as
    fits into 1 KiB."""
    name, address = (text.encode("utf-8", "surrogatepass") for text in party)
    address = address[:1024]
    return name[: 1024 - len(address)].decode("utf-8", "ignore"), address.decode("utf-8", "ignore")


def own_date(own):
    """(the date that the mail itself has, its source), or two None (T11.1)."""
    if own.date is not None:
        return own.date, "mail"
    return own.received, None if own.received is None else "received_field"


def trimmed(party):
    return party[0].strip(), party[1]


def facts_differences(own, known):
    """(what, by the oracle, by the archive) for each disagreement about a mail. Only what `known` has is compared."""

    def first(name):
        value = (known.get(name) or [{"name": "", "address": ""}])[0]
        return trimmed((value["name"], value["address"]))

    if own.size != known["size"]:
        yield "size", own.size, known["size"]
    ours, source = own_date(own)
    if (known["date_source"] if known["date_source"] in OF_MAIL else None) != source:
        yield "date_source", source, known["date_source"]
    elif source and ours != when(known["date"]):
        yield "date", ours, when(known["date"])
    elif (known["date"] is None) != (known["date_source"] == "archiving"):
        yield "date", "none if nothing but the time of archiving is known", known["date"]
    if trimmed(own.sender) != first("from"):
        yield "sender", own.sender, first("from")
    recipient = first("to") if known.get("to") else first("cc") if "cc" in known else trimmed(own.recipient)
    if trimmed(own.recipient) != recipient:
        yield "recipient", own.recipient, recipient
    # The archive keeps at most 1 KiB of a subject.
    if own.subject != known["subject"] and not (len(known["subject"]) > 200 and own.subject.startswith(known["subject"])):
        yield "subject", own.subject, known["subject"]
    if len(own.types) != known["attachments"]:
        yield "attachments", len(own.types), known["attachments"]
    if "importance" in known and own.importance != IMPORTANCE.get(known["importance"], known["importance"]):
        yield "importance", own.importance, IMPORTANCE.get(known["importance"], known["importance"])
    if "header_message_id" in known and own.message_id.decode("utf-8", "replace") != (known["header_message_id"] or ""):
        yield "message_id", own.message_id, known["header_message_id"]
    if "list_id" in known and own.list_id != (known["list_id"] or ""):
        yield "list_id", own.list_id, known["list_id"]
    if "labels" in known and list(own.labels) != known["labels"]:
        yield "labels", own.labels, known["labels"]


def taken_over(own, name, theirs):
    """The facts with the archive's version of what is disputed, so that one difference of facts is not reported again in every
    answer."""
    if name == "attachments":
        return own._replace(types=(own.types + ("?",) * theirs)[:theirs])
    if name in ("date", "date_source"):
        return own
    if name == "labels":
        return own._replace(labels=tuple(theirs))
    if name == "message_id":
        return own._replace(message_id=(theirs or "").encode())
    return own._replace(**{name: "" if theirs is None and name == "list_id" else theirs})


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
