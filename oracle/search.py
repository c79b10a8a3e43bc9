"""A naive search: the words and phrases of a query over values of mails (SEARCH.md S1, S2). It shares nothing with the library.

The language is query.py's; filters, messages and orders are answers.py's.
"""

import re
from array import array
from collections import defaultdict

from query import ADDRESS, FIELDS, All, Filter, Near, Not, Or, QueryError, Term, Unsupported, parse
from words import ANY, ONE, base_letters, fold, letter_pattern, letters, tokenize, without_marks

__all__ = ["ADDRESS", "FIELDS", "Corpus", "QueryError", "Unsupported", "parse", "prepare"]


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


def is_near(near, word):
    """Whether a word, without marks, has at most so many letters more, less or other (S2.10)."""
    asked = base_letters(near.word)
    if abs(len(asked) - len(word)) > near.errors or len(word) > 64 or near.first and asked[:1] != word[:1]:
        return False
    row = list(range(len(word) + 1))
    for i, a in enumerate(asked, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(word, 1):
            before, row[j] = row[j], min(before + (a != b), row[j] + 1, row[j - 1] + 1)
        if min(row) > near.errors:
            return False
    return row[-1] <= near.errors


# ------------------------------------------------------------------------------------------------------------ the mails


class Corpus:
    """Mails as lists of values; sets of mails by word are kept so that most mails need not be examined."""

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
            pattern = None if isinstance(part, Near) else part_pattern(part)
            if pattern is None:
                found = {i for i, word in enumerate(self.spelling) if is_near(part, without_marks(word))}
            elif not re.search(r"[*?]", part) and part.isascii() and part.isdigit():
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

    def term(self, term, exclusion=False, switched_on=FIELDS):
        """The mails that a term matches; one that names no field searches those that are switched on."""
        if isinstance(term, All):
            return self.all
        bare = exclusion and term.fields is None
        fields = switched_on if term.fields is None else term.fields
        allowed = [(f, False) for f in fields]
        if not bare:
            allowed += [(f, True) for f in fields if f in ADDRESS]
        out = self.by_words(term.parts, allowed)
        if bare and not term.forgives and set(ADDRESS) <= set(fields):
            rx = re.compile(complete_address(term.raw), re.S)
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
        """The mails of a node without filters. Under an exclusion, terms without field are compared as S2.4 says."""
        if node is None:
            return set()
        if isinstance(node, Filter):
            raise Unsupported(node.name)
        if isinstance(node, (Term, All)):
            return self.term(node, negative)
        if isinstance(node, Not):
            return self.all - self.evaluate(node.inner, True)
        sets = [self.evaluate(n, negative) for n in node]
        return set().union(*sets) if isinstance(node, Or) else set.intersection(*map(set, sets))

    def search(self, query):
        """The numbers of the mails that a query without filters finds."""
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
