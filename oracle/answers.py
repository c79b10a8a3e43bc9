"""The answer to a request, naively: criteria (S3) over messages (S4), for the system or a user.

A request is what the runner of the judges accepts: {"as": user or null, "criteria": {...}, "now": ..., "counts": [...]}. The answer has
`ids` in order, `total`, `undecided`, `counts`, or `error` (a code; '' where the rules name none).
"""

import json
import unicodedata
from collections import Counter
from datetime import datetime, timezone
from typing import NamedTuple

from periods import parse_period, parse_range, range_bounds, span, zone_of
from query import ADDRESS, FIELDS, All, And, Filter, Not, Or, QueryError, Term, Unsupported, first_kib, parse
from words import fold

SWITCHES = {
    "subject": ("subject",), "parties": ADDRESS, "content": ("bcontent",), "attachment-names": ("attachment",),
    "attachment-contents": ("acontent",),
}  # fmt: skip
KEYS = {
    "version", "language", "text", "in", "folder", "from", "recipients", "date", "archived", "with_attachments", "without_attachments",
    "size", "importance", "store", "zone", "order",
}  # fmt: skip
ORDERS = ("date", "archived", "party", "sender", "subject", "size", "folder")


class Refused(Exception):
    """An error that the rules demand, by its code ('' where they name none)."""


class Message(NamedTuple):
    id: str
    content: int  # number in the corpus
    folder: str
    date: object  # seconds; its own, else what the archive found, else None
    archived: float
    direction: str
    facts: object  # facts.Facts

    @property
    def number(self):
        store, message = self.id.split(":")
        return int(store), int(message)


def below(path, top, subfolders=True):
    path, top = unicodedata.normalize("NFC", path), unicodedata.normalize("NFC", top)
    return path == top or subfolders and path.startswith(top + "/")


class Archive:
    """Messages, and the corpus of their contents."""

    def __init__(self, corpus, messages, stores=(1,)):
        self.corpus = corpus
        self.messages = messages
        self.stores = stores
        self.seen = {}  # what users see, by folder

    def visible(self, user):
        """The numbers of the messages that a user sees; the system (None) sees all."""
        key = None if user is None else json.dumps(user["folders"])
        if key not in self.seen:
            folders = {m.folder for m in self.messages}
            if user is not None:
                folders = {f for f in folders if any(below(f, r["path"], r.get("subfolders", True)) for r in user["folders"])}
            self.seen[key] = frozenset(i for i, m in enumerate(self.messages) if m.folder in folders)
        return self.seen[key]

    def answer(self, request):
        try:
            search = Search(self, request)
        except (QueryError, Refused) as error:
            return {"error": str(error) if isinstance(error, Refused) else "query", "why": str(error)}
        visible = self.visible(request.get("as"))
        hits = search.hits() & visible
        out = {
            "ids": [self.messages[i].id for i in search.ordered(hits)],
            "total": len(hits),
            "undecided": sum(search.truth(search.tree, i) is None for i in visible if self.messages[i].facts.overlooked),
        }
        if request.get("counts"):
            out["counts"] = {by: search.count(hits, by) for by in request["counts"]}
        return out


class Search:
    """One request, parsed; its tree is evaluated over all messages, for every user alike."""

    def __init__(self, archive, request):
        criteria = request["criteria"]
        self.archive = archive
        self.messages = archive.messages
        now = request.get("now")
        self.now = (datetime.fromisoformat(now.replace("Z", "+00:00")) if now else datetime.now(timezone.utc)).timestamp()
        if criteria.get("version") != 1 or criteria.get("language", 1) != 1 or set(criteria) - KEYS:
            raise Refused("")
        try:
            self.zone = zone_of(criteria.get("zone", "UTC"))
            self.tree = self.build(criteria, request.get("as"))
        except ValueError as error:
            raise Refused("") from error
        order = criteria.get("order") or {}
        self.order, self.reverse = order.get("by", "date"), order.get("reverse", False)
        if self.order not in ORDERS:
            raise Refused("")
        self.leaves = {}

    # ---------------------------------------------------------------------------------------------- criteria to a tree (S3, A22)

    def build(self, criteria, user):
        """The tree of all criteria; None if nothing can be found because there are no criteria."""
        # First of all: a user who may not ask for a store learns nothing else.
        if "store" in criteria:
            if user is not None and not user.get("administrator"):
                raise Refused("denied")
            if criteria["store"] not in self.archive.stores:
                raise Refused("no_such_store")
        switches = criteria.get("in", list(SWITCHES))
        if set(switches) - set(SWITCHES):
            raise Refused("")
        text = criteria.get("text") or ""
        if text and not switches:
            raise Refused("")
        self.switched_on = tuple(f for f in FIELDS if any(f in SWITCHES[s] for s in switches))
        tree = And(
            part
            for part in (
                parse(text),
                parse(criteria.get("from") or "", ("from",)),
                parse(criteria.get("recipients") or "", ("to", "cc", "bcc")),
            )
            if part is not None
        )
        folder = criteria.get("folder")
        if folder is not None:
            tree.append(Filter("in" if folder.get("subfolders", True) else "folder", folder["path"]))
        for name in ("date", "archived"):
            if criteria.get(name):
                tree.append(Filter(name, self.range_of(criteria[name])))
        size = criteria.get("size") or {}
        tree.extend(Filter(name, size[key]) for key, name in (("min", "larger"), ("max", "smaller")) if key in size)
        if "importance" in criteria:
            if criteria["importance"] not in ("low", "normal", "high"):
                raise Refused("")
            tree.append(Filter("importance", criteria["importance"]))
        if not criteria.get("with_attachments", True):
            tree.append(Not(Filter("has", "attachment")))
        if not criteria.get("without_attachments", True):
            tree.append(Filter("has", "attachment"))
        if "store" in criteria:
            tree.append(Filter("store", criteria["store"]))
        return tree or None

    @staticmethod
    def range_of(value):
        if "period" in value:
            return parse_range(value["period"]) if ".." not in value["period"] else parse_period(value["period"])
        return tuple(parse_period(value[key]) if key in value else None for key in ("from", "to"))

    # ---------------------------------------------------------------------------------------------- what the tree finds

    def hits(self):
        return self.find(self.tree) if self.tree is not None else set()

    def find(self, node, excluded=False):
        """The messages of a node, on the assumption that a word that was not found is absent."""
        if isinstance(node, Not):
            return set(range(len(self.messages))) - self.find(node.inner, True)
        if isinstance(node, (And, Or)):
            sets = [self.find(n, excluded) for n in node]
            return set.union(*sets) if isinstance(node, Or) else set.intersection(*sets)
        return self.leaf(node, excluded)

    def leaf(self, node, excluded):
        key = id(node)
        if key not in self.leaves:
            if isinstance(node, Filter):
                test = self.test_of(node)
                self.leaves[key] = {i for i, m in enumerate(self.messages) if test(m)}
            else:
                contents = self.archive.corpus.term(node, excluded, self.switched_on)
                self.leaves[key] = {i for i, m in enumerate(self.messages) if m.content in contents}
        return self.leaves[key]

    def truth(self, node, i, excluded=False):
        """Kleene logic: True, False, or None if a word may have been overlooked in this message (S4.3)."""
        if node is None:
            return False
        if isinstance(node, Not):
            inner = self.truth(node.inner, i, True)
            return None if inner is None else not inner
        if isinstance(node, (And, Or)):
            values = [self.truth(n, i, excluded) for n in node]
            decisive = isinstance(node, Or)
            return decisive if decisive in values else None if None in values else not decisive
        found = i in self.leaf(node, excluded)
        if isinstance(node, Term) and not found and self.messages[i].facts.overlooked:
            return None
        return found

    def test_of(self, node):
        """The test of a filter on a message (S2.6)."""
        name, value = node.name, node.value
        if name == "after":
            start = span(value, self.now, self.zone).start
            return lambda m: m.date is not None and m.date >= start
        if name == "before":
            last = span(value, self.now, self.zone).last
            return lambda m: m.date is not None and m.date < last
        if name in ("date", "archived"):
            start, last = range_bounds(*value, self.now, self.zone)
            return lambda m: getattr(m, name) is not None and start <= getattr(m, name) < last
        if name == "list":
            # `*` matches any letters; the case of ASCII letters does not count.
            named = pattern_test(value, lambda m: [lower(m.facts.list_id)])
            if "." in value or "*" in value:
                return named
            longer = pattern_test(value + ".*", lambda m: [lower(m.facts.list_id)])
            return lambda m: named(m) or longer(m)
        if name == "type":
            if "/" in value:
                return pattern_test(value, lambda m: m.facts.types)
            ending = pattern_test(value, lambda m: m.facts.endings)
            half = pattern_test(value, lambda m: [half for media in m.facts.types for half in media.split("/", 1)])
            return lambda m: ending(m) or half(m)
        if name == "id":
            return lambda m: m.number == value
        if name in ("is", "thread"):
            raise Unsupported(name)
        if name == "label":
            return pattern_test(value, lambda m: [first_kib(fold(label)) for label in m.facts.labels])
        if name == "msgid":
            wanted = value.encode("utf-8", "surrogatepass")
            return lambda m: m.facts.message_id == wanted and bool(wanted)
        return {
            "larger": lambda m: m.facts.size >= value,
            "smaller": lambda m: m.facts.size <= value,
            "has": lambda m: bool(m.facts.types),
            "in": lambda m: below(m.folder, value),
            "folder": lambda m: below(m.folder, value, False),
            "importance": lambda m: m.facts.importance == value,
            "store": lambda m: m.number[0] == value,
        }[name]

    # ---------------------------------------------------------------------------------------------- orders and counts (S4.5, S4.6)

    def ordered(self, hits):
        """Numbers as keys are descending, texts ascending; ties by date, then number, both descending."""
        ms = self.messages
        out = sorted(hits, key=lambda i: (date_key(ms[i]), ms[i].number), reverse=True)
        numeric = {"date": date_key, "archived": lambda m: m.archived, "size": lambda m: m.facts.size}.get(self.order)
        if numeric:
            out.sort(key=lambda i: numeric(ms[i]), reverse=True)
        else:
            out.sort(key=lambda i: cut(fold(text_key(ms[i], self.order)), self.order))
        return out[::-1] if self.reverse else out

    def count(self, hits, by):
        """[[key, number of messages]], the most frequent first."""
        counts = Counter()
        for i in hits:
            counts.update(self.count_keys(self.messages[i], by))
        return [list(pair) for pair in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]

    def count_keys(self, m, by):
        if by in ("year", "month"):
            if m.date is None:
                return ["no date"]
            local = datetime.fromtimestamp(m.date, self.zone)
            return [f"{local.year:04}" + (f"-{local.month:02}" if by == "month" else "")]
        if by == "from":
            name, address = m.facts.sender
            return [cut(lower(address) or name, by)]
        if by == "folder":
            return [m.folder]
        return {lower(t) for t in m.facts.types} or ["none"]


def date_key(m):
    """A mail without a date is as if it were older than any."""
    return float("-inf") if m.date is None else m.date


def lower(text):
    """Folds ASCII case only."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def pattern_test(value, texts):
    """Whether one of the texts of a message matches `value`."""
    pieces = lower(value).split("*")

    def matches(text):
        if len(pieces) == 1:
            return bool(text) and text == pieces[0]
        if not text or not text.startswith(pieces[0]) or not text[len(pieces[0]) :].endswith(pieces[-1]):
            return False
        at = len(pieces[0])
        end = len(text) - len(pieces[-1])
        for piece in pieces[1:-1]:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return at <= end

    return lambda m: any(matches(text) for text in texts(m))


def cut(key, by):
    """The part of a key that counts; of a folder, all of it."""
    return key if by == "folder" else key.encode()[:2052].decode(errors="ignore")


def text_key(m, by):
    sender = m.facts.sender[0] or m.facts.sender[1]
    if by == "party" and m.direction == "sent":
        return m.facts.recipient[0] or m.facts.recipient[1]
    return {"party": sender, "sender": sender, "subject": m.facts.subject, "folder": m.folder}[by]


__all__ = ["All", "Archive", "Message", "Search"]
