"""Draws queries from mails by a seed: a quarter each from non-ASCII text, transfer-encoded text, HTML-only mails and addresses.

draw(mails, corpus, count, seed) -> [query]; at least a tenth of them has no hit. Nothing is drawn that the oracle does not know.
As a program: queries.py --queries N --seed S FILE...   (each FILE one mail) prints one query a line.
"""

import argparse
import random
import re
import unicodedata

from mailtext import mail_values
from search import ADDRESS, Corpus, QueryError, Unsupported, parse
from words import NO_BLANKS, WORD_CLASS

WORD = re.compile(f"[{WORD_CLASS}]+")
KINDS = ("non-ascii", "encoded", "html", "address")
FORMS = (
    ["word"] * 4 + ["two"] * 3 + ["phrase"] * 4 + ["prefix"] * 3 + ["suffix"] * 3 + ["infix", "question", "question", "inner"]
    + ["field"] * 4 + ["field phrase"] * 2 + ["minus"] * 3 + ["minus field"] * 2 + ["minus phrase", "only minus", "or", "group"]
    + ["wild phrase"] * 2 + ["run"] * 2 + ["case", "plain letters"]
    + ["near"] * 3 + ["near, a number", "near in a field", "near, excluded"]
)  # fmt: skip


def classify(result):
    """kind -> [(field, mark, text)] of the values of one mail."""
    out = {k: [] for k in KINDS}
    types = {t for _, t in result.origins if t}
    html_only = "text/html" in types and "text/plain" not in types
    for value, (encoding, kind) in zip(result.values, result.origins):
        if not WORD.search(value.text):
            continue
        if not value.text.isascii():
            out["non-ascii"].append(value)
        if encoding in ("base64", "quoted-printable"):
            out["encoded"].append(value)
        if html_only and kind == "text/html":
            out["html"].append(value)
        if value.field in ADDRESS:
            out["address"].append(value)
    return out


def usable(text):
    """Whether the pinned tables know every character (later ones are out of this oracle's reach)."""
    return all(unicodedata.category(c) not in ("Cn", "Co", "Cs") for c in text) and "\0" not in text


class Drawer:
    def __init__(self, mails, seed):
        self.rng = random.Random(seed)
        self.values = {k: [] for k in KINDS}
        for data, guesses in mails:
            result = mail_values(data, guesses)
            if result.unknown_guesses:
                continue
            for kind, values in classify(result).items():
                if values:
                    self.values[kind].append(values)

    def value(self, kind):
        pool = self.values[kind] or next(p for p in self.values.values() if p)
        return self.rng.choice(self.rng.choice(pool))

    def words(self, value, kind, count):
        """A place in a value: (text from the first to the last of up to `count` runs of letters, [the runs])."""
        found = [m.span() for m in WORD.finditer(value.text)]
        if kind == "non-ascii" and self.rng.random() < 0.8:
            starts = [i for i, (a, b) in enumerate(found) if not value.text[a:b].isascii()] or list(range(len(found)))
        else:
            starts = list(range(len(found)))
        i = self.rng.choice(starts)
        i = max(0, i - self.rng.randrange(count))
        spans = found[i : i + count]
        runs = []
        for a, b in spans:
            run = value.text[a:b]
            if len(run) > 80:
                run = run[:80]
            if any(ord(c) in NO_BLANKS for c in run) and len(run) > 6:
                # A piece of a run of Han, Thai ...: any part of it is a query.
                k = self.rng.randrange(len(run) - 2)
                run = run[k : k + self.rng.randint(1, 6)].lstrip()
                run = "".join(c for c in run if WORD.match(c)) or value.text[a:b][:4]
            runs.append(run)
        return value.text[spans[0][0] : spans[-1][1]], runs

    def query(self, kind):
        rng = self.rng
        value = self.value(kind)
        other = self.value(rng.choice(KINDS))
        form = rng.choice(FORMS)
        raw, runs = self.words(value, kind, rng.randint(2, 4))
        word = rng.choice(runs)
        more = rng.choice(self.words(other, "", 2)[1])
        raw = re.sub(r"[\"“”„«»*?]", " ", raw) if len(raw) < 200 else " ".join(runs)
        plain = lambda w: "".join(c for c in unicodedata.normalize("NFD", w) if not unicodedata.combining(c))
        cut = rng.randint(1, max(1, len(word) - 1))
        single = any(ord(c) in NO_BLANKS for c in word)
        if single and form in ("prefix", "suffix", "infix", "question", "inner", "wild phrase", "plain letters", "near", "near, a number", "near in a field", "near, excluded"):
            form = "word"
        field = value.field
        # `-` and `(` have a meaning where a clause begins: a drawn text must not begin with them.
        address = value.mark == "address" and rng.random() < 0.5 and not re.search(r"[\s\"()*?]", value.text)
        if address and form in ("word", "field", "minus", "minus field", "prefix", "suffix", "case"):
            at = value.text.rfind("@")
            word = {"prefix": value.text[: max(1, at)], "suffix": value.text[at:]}.get(form, value.text)
            cut = len(word) if form == "prefix" else 0
            word = word.lstrip("-–−(").rstrip()
        return {
            "word": lambda: word,
            "case": lambda: word.upper(),
            "plain letters": lambda: plain(word),
            "two": lambda: f"{word} {more}",
            "phrase": lambda: f'"{raw}"',
            "prefix": lambda: word[:cut] + "*",
            "suffix": lambda: "*" + word[-cut:] if cut else "*" + word,
            "infix": lambda: "*" + word[cut // 2 : cut + 2] + "*",
            "question": lambda: word[: len(word) // 2] + "?" + word[len(word) // 2 + 1 :] if len(word) > 2 else word,
            "inner": lambda: word[:1] + "*" + word[-1:] if len(word) > 2 else word,
            "field": lambda: f"{field}:{word}",
            "field phrase": lambda: f'{field}:"{raw}"',
            "minus": lambda: f"{more} -{word}",
            "minus field": lambda: f"{more} -{field}:{word}",
            "minus phrase": lambda: f'{more} -"{raw}"',
            "only minus": lambda: f"-{word}",
            "or": lambda: f"{word} OR {more}",
            "group": lambda: f"{field}:({word} OR {more}*) -({' '.join(runs)})" if not any(ord(c) in NO_BLANKS for c in more) else word,
            "wild phrase": lambda: '"' + " ".join(r[: max(1, len(r) - 1)] + "*" for r in runs if not _single(r)) + '"',
            "near": lambda: self.mistyped(word) + "~",
            "near, a number": lambda: self.mistyped(word) + rng.choice(("~1", "~2", "~0", "~3")),
            "near in a field": lambda: f"{field}:{self.mistyped(word)}~",
            "near, excluded": lambda: f"{more} -{self.mistyped(word)}~",
            "run": lambda: re.sub(r"\s+", "-", raw).lstrip("-(–−"),
        }[form]()

    def mistyped(self, word):
        """A word with up to two letters more, less or other."""
        rng = self.rng
        for _ in range(rng.randint(0, 2)):
            at = rng.randint(0, len(word))
            word = word[:at] + rng.choice(("", rng.choice("aeinrstuß"))) + word[at + rng.randint(0, 1) :]
        return word or "a"

    def spoiled(self, query):
        """The same query with something in it that hardly any mail has."""
        rng = self.rng
        return rng.choice(
            (
                lambda: f"{query} zqx{rng.randrange(1000)}j",
                lambda: re.sub(f"[{WORD_CLASS}]{{3,}}", lambda m: m.group()[::-1], query),
                lambda: re.sub(f"([{WORD_CLASS}]{{2,}})", r"\1qz", query),
                lambda: f"cc:{re.sub(r'[^A-Za-z]', '', query)[:20] or 'x'}q bcc:nobody",
            )
        )()


def _single(run):
    return any(ord(c) in NO_BLANKS for c in run)


def sound(query):
    """Whether the oracle can answer a query."""
    if not query.strip() or not usable(query) or len(query) > 400:
        return False
    try:
        return parse(query) is not None
    except (QueryError, Unsupported):
        return False


def draw(mails, corpus, count, seed):
    """`mails`: a sample of (bytes, guesses); `corpus`: all mails, to see which queries have no hit."""
    drawer = Drawer(mails, seed)
    out = []
    empty = 0
    seen = set()
    while len(out) < count:
        kind = KINDS[len(out) % len(KINDS)]
        # The last tenth adds queries without a hit until there are enough.
        want_empty = empty < count // 10 + 1 and drawer.rng.random() < 0.12 or count - len(out) <= count // 10 + 1 - empty
        query = drawer.query(kind)
        if want_empty:
            query = drawer.spoiled(query)
        query = re.sub(r"\s+", " ", query).strip()
        if query in seen or not sound(query):
            continue
        nothing = not corpus.search(query)
        if want_empty and not nothing:
            continue
        seen.add(query)
        empty += nothing
        out.append(query)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    mails = []
    corpus = Corpus()
    for path in args.files:
        with open(path, "rb") as f:
            mails.append((f.read(), {}))
        corpus.add_mail(*mails[-1])
    corpus.finish()
    for query in draw(mails, corpus, args.queries, args.seed):
        print(query)


if __name__ == "__main__":
    main()
