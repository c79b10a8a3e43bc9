"""A naive search: SEARCH.md S1 and S2 over values of mails, sharing nothing with the library.

Query language: words, phrases, wildcards, fields, exclusions (S2.4), OR and groups. Filters (after:, larger:, in: ...) are not
implemented: a query with one raises Unsupported.
"""

import re
import unicodedata
from array import array
from collections import defaultdict

from words import ANY, IS_SINGLE, ONE, SINGLE, WORD_CLASS, fold, letter_pattern, letters, tokenize

FIELDS = ("subject", "from", "to", "cc", "bcc", "attachment", "acontent", "bcontent")
ADDRESS = ("from", "to", "cc", "bcc")
FILTERS = ("after", "before", "date", "archived", "larger", "smaller", "has", "in", "folder", "msgid", "list")


class QueryError(Exception):
    """The query is refused (S2)."""


class Unsupported(Exception):
    """A part of the language that this oracle leaves out."""


# ------------------------------------------------------------------------------------------------------------ the language (S2)

WHITE_SPACE = set("\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
QUOTES = set('"“”„«»')
MINUS = set("-–−")


class Term:
    """One word or phrase: parts in order, and the text as written (for complete addresses)."""

    def __init__(self, raw, parts, field):
        self.raw = raw
        self.parts = parts
        self.field = field

    def __repr__(self):
        return f"{self.field or ''}:{self.parts}"


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


def parse(query):
    """The tree of a query, or None for one without a clause."""
    return _Parser(query).query(None, 0)


def _word_char(c):
    return unicodedata.category(c)[0] in "LNM"


class _Parser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def blank(self):
        while self.at < len(self.text) and self.text[self.at] in WHITE_SPACE:
            self.at += 1

    def query(self, field, depth):
        branches = [And()]
        pending_or = False
        while True:
            self.blank()
            if self.at >= len(self.text):
                break
            if depth and self.text[self.at] == ")":
                self.at += 1
                break
            follows = self.text[self.at + 2 : self.at + 3]
            if self.text.startswith("OR", self.at) and (not follows or follows in WHITE_SPACE or (depth and follows == ")")):
                # OR without a clause on each side is a word.
                save = self.at
                self.at += 2
                if branches[-1] and self.clause_follows(depth):
                    branches.append(And())
                    continue
                self.at = save
            clause = self.clause(field, depth)
            if clause is not None:
                branches[-1].append(clause)
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

    def clause(self, field, depth):
        negative = False
        if self.text[self.at] in MINUS:
            negative = True
            self.at += 1
            if self.at >= len(self.text) or self.text[self.at] in WHITE_SPACE:
                return None
        m = re.compile(r"([A-Za-z]+):").match(self.text, self.at)
        own = None
        if m and m.end() < len(self.text) and self.text[m.end()] not in WHITE_SPACE and not (depth and self.text[m.end()] == ")"):
            name = m.group(1).lower()
            if name in FIELDS:
                own = name
                self.at = m.end()
            elif name in FILTERS:
                raise Unsupported(name)
        inner = self.term(own or field, depth)
        if inner is None:
            return None
        return Not(inner) if negative else inner

    def term(self, field, depth):
        text = self.text
        c = text[self.at] if self.at < len(text) else ""
        if c == "(":
            self.at += 1
            return self.query(field, depth + 1)
        if c in QUOTES and c:
            begin = self.at + 1
            end = begin
            while end < len(text) and text[end] not in QUOTES:
                end += 1
            self.at = min(end + 1, len(text))
            return self.make(text[begin:end], field, True)
        begin = self.at
        while self.at < len(text) and text[self.at] not in WHITE_SPACE and not (depth and text[self.at] == ")"):
            self.at += 1
        return self.make(text[begin : self.at], field, False)

    def make(self, raw, field, quoted):
        parts = query_parts(raw, quoted)
        if not parts:
            return None
        if not quoted and parts == ["*"] and field is None and re.fullmatch(r"\*+", raw):
            return All()
        return Term(raw, parts, field)


_PART = re.compile(f"{SINGLE}|(?:(?!{SINGLE})[{WORD_CLASS}])+|[*?]+")
_RUN = re.compile(f"[{WORD_CLASS}*?]+")


def query_parts(raw, quoted):
    """The words of a term, each folded and with its wildcards (S2.2, S1.3)."""
    out = []
    text = fold(raw)
    for run in _RUN.finditer(text):
        piece = run.group()
        if quoted:
            # A `?` before blank, punctuation or the end is punctuation.
            piece = re.sub(r"\?+\Z", "", piece)
            if not piece:
                continue
        parts = []
        for m in _PART.finditer(piece):
            parts.append(m.group())
        words = []  # [text, single]
        for p in parts:
            single = bool(IS_SINGLE.match(p))
            if p[0] in "*?" and words and not words[-1][1]:
                words[-1][0] += p
            elif not single and words and not words[-1][1]:
                words[-1][0] += p
            else:
                words.append([p, single])
        # Wildcards that stand alone beside scripts without blanks.
        cleaned = []
        for i, (w, single) in enumerate(words):
            before = i and words[i - 1][1]
            after = i + 1 < len(words) and words[i + 1][1]
            if not single and (before or after) and set(w) <= set("*?"):
                if before and after or "?" in w:
                    if set(w) == {"?"} and before and after:
                        cleaned.extend(["?"] * len(w))
                        continue
                    raise QueryError("a wildcard inside a run of letters without blanks")
                continue  # `*` at the end of such a run changes nothing
            if not single and (before or after) and "*" in w:
                raise Unsupported("a wildcard at the border of scripts")
            cleaned.append(w)
        for w in cleaned:
            w = re.sub(r"\*+", "*", w)
            if w != "?" and (w.startswith("?") or w.endswith("?")):
                raise QueryError("`?` at an edge of a word; use `*`")
            if w == "?" and len(cleaned) == 1:
                raise QueryError("`?` at an edge of a word; use `*`")
            out.append(w)
    return out


def part_pattern(part):
    """The pattern of one part for words in the kept form."""
    out = []
    for piece in re.split(r"([*?])", part):
        if piece == "*":
            out.append(ANY)
        elif piece == "?":
            out.append(ONE)
        elif piece:
            out.append(letter_pattern(piece))
    return "".join(out)


# ------------------------------------------------------------------------------------------------------------ the mails


class Corpus:
    """Mails as lists of values; sets of mails by word are kept so that most mails need not be looked at."""

    def __init__(self):
        self.vocabulary = {}
        self.spelling = []
        self.mails = []  # per mail: list of (field, mark, array of word numbers)
        self.addresses = defaultdict(set)  # folded complete address -> mails
        self.postings = defaultdict(set)  # (word, field, is an address) -> mails
        self.text = None
        self.cache = {}

    def add(self, values):
        """Adds a mail: values are (field, mark, words, folded text of an address or '')."""
        number = len(self.mails)
        mail = []
        for field, mark, words, address in values:
            ids = array("I")
            for w in words:
                i = self.vocabulary.get(w)
                if i is None:
                    i = self.vocabulary[w] = len(self.spelling)
                    self.spelling.append(w)
                ids.append(i)
            is_address = field in ADDRESS and mark == "address"
            if is_address:
                self.addresses[address].add(number)
            if not ids:
                continue
            mail.append((field, is_address, ids))
            for i in set(ids):
                self.postings[i, field, is_address].add(number)
        self.mails.append(mail)

    def add_mail(self, data, guesses=None):
        from mailtext import mail_values

        self.add(prepare(mail_values(data, guesses).values))

    def finish(self):
        self.text = "\n" + "\n".join(self.spelling) + "\n"
        starts = []
        at = 1
        for w in self.spelling:
            starts.append(at)
            at += len(w) + 1
        self.starts = {s: i for i, s in enumerate(starts)}
        self.all = frozenset(range(len(self.mails)))

    def words_of(self, part):
        """The numbers of all words that a part matches; None for every word (`*`)."""
        if part == "*":
            return None
        found = self.cache.get(part)
        if found is None:
            pattern = part_pattern(part)
            if not re.search(r"[*?]", part) and part.isascii() and part.isdigit():
                i = self.vocabulary.get(part)
                found = {i} if i is not None else set()
            else:
                rx = re.compile(f"(?<=\n){pattern}(?=\n)")
                found = {self.starts[m.start()] for m in rx.finditer(self.text)}
            self.cache[part] = found
        return found

    def mails_with(self, words, allowed):
        out = set()
        get = self.postings.get
        for i in words:
            for key in allowed:
                s = get((i, *key))
                if s:
                    out |= s
        return out

    def term(self, term, bare_exclusion):
        """The mails that a term matches."""
        if isinstance(term, All):
            return self.all
        fields = (term.field,) if term.field else FIELDS
        allowed = [(f, False) for f in fields]
        if not bare_exclusion:
            allowed += [(f, True) for f in fields if f in ADDRESS]
        out = self.by_words(term.parts, allowed)
        if bare_exclusion:
            pattern = complete_address(term.raw)
            rx = re.compile(pattern, re.S)
            for address, mails in self.addresses.items():
                if rx.fullmatch(address):
                    out = out | mails
        return out

    def by_words(self, parts, allowed):
        sets = [self.words_of(p) for p in parts]
        if any(s is not None and not s for s in sets):
            return set()
        candidates = None
        for s in sorted((s for s in sets if s is not None), key=len):
            got = self.mails_with(s, allowed)
            candidates = got if candidates is None else candidates & got
            if not candidates:
                return set()
        if candidates is None:
            candidates = self.all
        elif len(parts) == 1:
            return candidates
        allowed = set(allowed)
        n = len(sets)
        out = set()
        pivot = min((i for i in range(n) if sets[i] is not None), key=lambda i: len(sets[i]), default=None)
        for number in candidates:
            for field, is_address, ids in self.mails[number]:
                if (field, is_address) not in allowed or len(ids) < n:
                    continue
                if pivot is None or _adjacent(ids, sets, pivot, n):
                    out.add(number)
                    break
        return out

    def evaluate(self, node, negative=False):
        """The mails of a node. Under an exclusion, terms without field are compared as S2.4 says."""
        if node is None:
            return set()
        if isinstance(node, (Term, All)):
            bare = negative and isinstance(node, Term) and node.field is None
            return self.term(node, bare)
        if isinstance(node, Not):
            return self.all - self.evaluate(node.inner, True)
        if isinstance(node, Or):
            return set().union(*(self.evaluate(n, negative) for n in node))
        out = None
        for n in node:
            got = self.evaluate(n, negative)
            out = set(got) if out is None else out & got
        return out if out is not None else set()

    def search(self, query):
        """The numbers of the mails that a query finds."""
        return self.evaluate(parse(query))


def _adjacent(ids, sets, pivot, n):
    wanted = sets[pivot]
    for at, i in enumerate(ids):
        if i not in wanted:
            continue
        begin = at - pivot
        if begin < 0 or begin + n > len(ids):
            continue
        for k in range(n):
            s = sets[k]
            if s is not None and ids[begin + k] not in s:
                break
        else:
            return True
    return False


def complete_address(raw):
    """The pattern of a term for a complete address as one string (S2.4): `*` is any characters, `?` one; marks as in S1.2."""
    out = []
    for piece in re.split(r"(\*+|\?)", fold(raw.strip())):
        if piece.startswith("*"):
            out.append(ANY)
        elif piece == "?":
            out.append(ONE)
        else:
            out.append(letter_pattern(piece))
    return "".join(out)


def prepare(values):
    """Values of a mail with their words, as Corpus.add takes them."""
    out = []
    for field, mark, text in values:
        address = letters(fold(text)) if mark == "address" and field in ADDRESS else ""
        out.append((field, mark, tokenize(text), address))
    return out
