"""The query language of SEARCH.md S2: text to a tree. What the parts of the tree find is in search.py and answers.py."""

import re
import unicodedata

from periods import parse_period, parse_range
from words import IS_SINGLE, SINGLE, WORD_CLASS, base_letters, fold

FIELDS = ("subject", "from", "to", "cc", "bcc", "attachment", "acontent", "bcontent")
ADDRESS = ("from", "to", "cc", "bcc")
FILTERS = ("after", "before", "date", "archived", "larger", "smaller", "has", "in", "folder", "msgid", "list", "label", "type", "is", "id", "thread")
RESERVED = ("tag", "link", "importance", "direction")

WHITE_SPACE = set("\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
QUOTES = set('"“”„«»')
MINUS = set("-–−")


class QueryError(Exception):
    """The query is refused (S2)."""


class Unsupported(Exception):
    """A part of the language that this oracle leaves out."""


class Term:
    """One word or phrase: parts in order, the text as written (for complete addresses), the fields it names (None: none), and whether
    some part was written with `~`, which is compared with no complete address."""

    def __init__(self, raw, parts, fields, forgives=False):
        self.raw = raw
        self.parts = parts
        self.fields = fields
        self.forgives = forgives

    def __repr__(self):
        return f"{'/'.join(self.fields or ())}:{self.parts}"


class Not:
    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"-{self.inner}"


class And(list):
    def __repr__(self):
        return "AND" + list.__repr__(self)


class Or(list):
    def __repr__(self):
        return "OR" + list.__repr__(self)


class All:
    def __repr__(self):
        return "*"


class Filter:
    """A filter, decided without words: its name, and its value as the filter understands it."""

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __repr__(self):
        return f"<{self.name} {self.value}>"


def parse(query, fields=None):
    """The tree of a query, or None for one without a clause. `fields` apply to every term that names none, as with fields:(query)."""
    return _Parser(query).query(fields, 0)


def size_value(text):
    m = re.fullmatch(r"(\d+)(?:\.(\d{1,3}))?(|b|[kmg](?:i?b)?)", text.lower(), re.A)
    if not m or m.group(2) and m.group(3) in ("", "b"):
        raise ValueError(text)
    unit = 1 << {"": 0, "b": 0, "k": 10, "m": 20, "g": 30}[m.group(3)[:1]]
    return int(m.group(1)) * unit + int((m.group(2) or "0").ljust(3, "0")) * unit // 1000


def without_brackets(text):
    """An id without optional angle brackets around it, and without what follows them."""
    text = text.strip(" \t\r\n")
    return text[1:].partition(">")[0].strip(" \t\r\n") if text.startswith("<") else text


def folder_value(text):
    return unicodedata.normalize("NFC", text)


def type_value(text):
    text = text.strip().lstrip(".").lower()
    if not text:
        raise ValueError(text)
    return text


def mark_value(text):
    text = text.strip().lower()
    if text not in ("read", "unread", "flagged", "answered"):
        raise ValueError(text)
    return text


def id_value(text):
    m = re.fullmatch(r"(\d{1,10}):(\d{1,10})", text.strip(), re.A)
    if not m or int(m.group(1)) >= 1 << 32 or int(m.group(2)) >= 1 << 32:
        raise ValueError(text)
    return int(m.group(1)), int(m.group(2))


def has_value(text):
    if text != "attachment":
        raise ValueError(text)
    return text


def label_value(text):
    """A label as it is compared: mapped, and of that the first 1 KiB."""
    text = fold(text.strip("".join(WHITE_SPACE)))
    if not text:
        raise ValueError(text)
    return first_kib(text)


def first_kib(text):
    return text.encode("utf-8", "surrogatepass")[:1024].decode("utf-8", "ignore")


VALUES = {
    "after": parse_period, "before": parse_period, "date": parse_range, "archived": parse_range, "larger": size_value, "smaller": size_value,
    "has": has_value, "in": folder_value, "folder": folder_value, "msgid": without_brackets, "list": without_brackets, "type": type_value, "is": mark_value, "id": id_value, "thread": id_value,
    "label": label_value,
}  # fmt: skip


class _Parser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def blank(self):
        while self.at < len(self.text) and self.text[self.at] in WHITE_SPACE:
            self.at += 1

    def query(self, fields, depth):
        branches = [And()]
        ignored = False  # whether a clause was, since the last OR that is an operator
        while True:
            self.blank()
            if self.at >= len(self.text):
                break
            if self.text[self.at] == ")":
                # Without an open group it only separates.
                self.at += 1
                if depth:
                    break
                continue
            follows = self.text[self.at + 2 : self.at + 3]
            if self.text.startswith("OR", self.at) and (not follows or follows in WHITE_SPACE or follows == "(" or (depth and follows == ")")):
                # OR without a clause on each side is a word; with only ignored clauses on one it is ignored.
                save = self.at
                self.at += 2
                if branches[-1] and self.clause_follows(depth):
                    branches.append(And())
                    ignored = False
                    continue
                if self.something_follows(depth) if branches[-1] else ignored:
                    continue
                self.at = save
            clause = self.clause(fields, depth)
            if clause is not None:
                branches[-1].append(clause)
            else:
                ignored = True
        branches = [b for b in branches if b]
        if not branches:
            return None
        if len(branches) == 1:
            return branches[0]
        return Or(branches)

    def clause_follows(self, depth):
        save = self.at
        try:
            while True:
                self.blank()
                if self.at >= len(self.text) or (depth and self.text[self.at] == ")"):
                    return False
                if self.clause(None, depth) is not None:
                    return True
        finally:
            self.at = save

    def something_follows(self, depth):
        rest = self.text[self.at :].lstrip("".join(WHITE_SPACE) + ("" if depth else ")"))
        return rest != "" and not rest.startswith(")")

    def clause(self, fields, depth):
        negative = False
        if self.text[self.at] in MINUS:
            negative = True
            self.at += 1
            if self.at >= len(self.text) or self.text[self.at] in WHITE_SPACE:
                return None
        name = self.prefix(depth)
        if name == "filename":
            name = "attachment"
        if name in FIELDS:
            fields = (name,)
            # A term follows a field, whatever it looks like.
            name = None
        elif name in RESERVED:
            raise QueryError(f"{name}: is reserved")
        inner = self.filter(name, depth) if name in FILTERS else self.term(fields, depth)
        if inner is None:
            return None
        return Not(inner) if negative else inner

    def prefix(self, depth, known=FIELDS + ("filename",) + FILTERS + RESERVED):
        """Takes a known prefix that is directly followed by something; its name in lower case, or None."""
        m = re.compile(r"([A-Za-z]+):").match(self.text, self.at)
        if not m or m.group(1).lower() not in known:
            return None
        follows = self.text[m.end() : m.end() + 1]
        if not follows or follows in WHITE_SPACE or (depth and follows == ")"):
            return None
        self.at = m.end()
        return m.group(1).lower()

    def filter(self, name, depth):
        value, _ = self.raw(depth)
        try:
            return Filter(name, VALUES[name](value))
        except (ValueError, OverflowError) as error:
            raise QueryError(f"{name}:{value} has no value that can be read") from error

    def raw(self, depth):
        """(text, whether it was in quotes) of the value that begins here."""
        text = self.text
        begin = self.at
        if text[begin : begin + 1] and text[begin] in QUOTES:
            end = begin + 1
            while end < len(text) and text[end] not in QUOTES:
                end += 1
            self.at = min(end + 1, len(text))
            return text[begin + 1 : end], True
        while self.at < len(text) and text[self.at] not in WHITE_SPACE and not (depth and text[self.at] == ")"):
            self.at += 1
        return text[begin : self.at], False

    def term(self, fields, depth):
        if self.text[self.at : self.at + 1] == "(":
            self.at += 1
            return self.query(fields, depth + 1)
        raw, quoted = self.raw(depth)
        parts, forgives = query_parts(raw, quoted)
        if not parts:
            return None
        if not quoted and parts == ["*"] and fields is None and re.fullmatch(r"\*+", raw):
            return All()
        return Term(raw, parts, fields, forgives)


_PART = re.compile(f"{SINGLE}|(?:(?!{SINGLE})[{WORD_CLASS}])+|[*?]+")
_RUN = re.compile(f"[{WORD_CLASS}*?]+")
_ERRORS = re.compile(f"~([0-9]*)(?![{WORD_CLASS}*?])")


class Near(str):
    """A word with typing errors (S2.10): so many, with `first` none of them in the first letter."""

    def __new__(cls, word, errors, first):
        near = super().__new__(cls, f"{word}~{errors}{'^' if first else ''}")
        near.word, near.errors, near.first = word, errors, first
        return near


def forgiving(run, number):
    """The word of a run that `~` and a number, or nothing, follow (S2.10)."""
    if number not in ("", "1", "2"):
        raise QueryError("a number of typing errors other than 1 and 2")
    if re.search(r"[*?]", run):
        raise QueryError("typing errors in a word with wildcards")
    if any(IS_SINGLE.match(c) for c in run):
        raise QueryError("typing errors in a script without blanks")
    if len(run) > 64:
        raise QueryError("typing errors in a word above 64 letters")
    count = len(base_letters(run))
    if number:
        return Near(run, 1 if count > 32 else int(number), False)
    if count < 4:
        return run
    return Near(run, 2 if 8 <= count <= 32 else 1, True)


def query_parts(raw, quoted):
    """The words of a term, each folded and with its wildcards (S2.2, S1.3) or typing errors (S2.10); and whether some had `~`."""
    out = []
    forgives = False
    end = 0
    folded = fold(raw)
    if "://" in raw or raw[:4].lower() == "www." or raw[:7].lower() == "mailto:":
        folded = folded.replace("?", " ")
    for run in _RUN.finditer(folded):
        piece = run.group()
        if run.start() < end:
            continue  # the number of typing errors
        errors = None if quoted else _ERRORS.match(folded, run.end())
        if errors:
            if piece.startswith("?") or piece.endswith("?"):
                raise QueryError("`?` at an edge of a word; use `*`")
            out.append(forgiving(piece, errors.group(1)))
            forgives = True
            end = errors.end()
            continue
        if quoted:
            # A `?` before blank, punctuation or the end is punctuation.
            piece = re.sub(r"\?+\Z", "", piece)
        words = []  # [text, whether it is one letter of a script without blanks]
        for m in _PART.finditer(piece):
            p = m.group()
            single = bool(IS_SINGLE.match(p))
            if words and not words[-1][1] and not single:
                words[-1][0] += p
            else:
                words.append([p, single])
        for w in _beside_singles(words):
            w = re.sub(r"\*+", "*", w)
            if w.startswith("?") or w.endswith("?"):
                if w != "?" or len(words) == 1:
                    raise QueryError("`?` at an edge of a word; use `*`")
            out.append(w)
    return out, forgives


def _beside_singles(words):
    """The words of a run, if wildcards are next to letters of scripts without blanks (S1.3)."""
    out = []
    for i, (w, single) in enumerate(words):
        before = i > 0 and words[i - 1][1]
        after = i + 1 < len(words) and words[i + 1][1]
        if not single and (before or after):
            if set(w) <= set("*?"):
                if before and after or "?" in w:
                    if set(w) == {"?"} and before and after:
                        out.extend("?" * len(w))
                        continue
                    raise QueryError("a wildcard inside a run of letters without blanks")
                continue  # `*` at the end of such a run changes nothing
            if "*" in w:
                raise Unsupported("a wildcard at the border of scripts")
        out.append(w)
    return out
