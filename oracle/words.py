"""Text to words as SEARCH.md S1.1 to S1.4 say.

A word is stored as a string in a special form: every letter is one character, followed, where S1.2 lets marks be left out, by its
marks as characters of the private planes (mark U+0301 is U+F0301). So "a letter with any marks" is `letter[private]*`.
"""

import functools
import re
import unicodedata

from charset import TABLES

U = TABLES["unicode"]
NFKC_CF = {int(k): "".join(chr(int(c)) for c in v) for k, v in U["nfkc_cf"].items()}


def _ranges(inversion):
    inversion = [int(c) for c in inversion]
    return [(inversion[i], (inversion[i + 1] if i + 1 < len(inversion) else 0x110000) - 1) for i in range(0, len(inversion), 2)]


def _chars(inversion):
    return {c for a, b in _ranges(inversion) for c in range(a, b + 1)}


MARK_SCRIPTS = set().union(*(_chars(U["sc"][s]) for s in ("Latin", "Greek", "Hebrew", "Arabic")))
_NO_BLANK_ALL = set().union(*(_chars(U["scx"][s]) for s in U["scx"]))
_CATEGORY = unicodedata.category
WORD_CHARS = {c for c in range(0x110000) if _CATEGORY(chr(c))[0] in "LNM"}
MARKS = {c for c in WORD_CHARS if _CATEGORY(chr(c))[0] == "M"}
NO_BLANKS = _NO_BLANK_ALL & WORD_CHARS


def _cls(chars):
    out = []
    chars = sorted(chars)
    i = 0
    while i < len(chars):
        j = i
        while j + 1 < len(chars) and chars[j + 1] == chars[j] + 1:
            j += 1
        out.append(f"\\U{chars[i]:08x}" + (f"-\\U{chars[j]:08x}" if j > i else ""))
        i = j + 1
    return "".join(out)


WORD_CLASS = _cls(WORD_CHARS)
SINGLE = f"[{_cls(NO_BLANKS)}][{_cls(MARKS)}]*"
WITH_BLANKS_CLASS = _cls(WORD_CHARS - NO_BLANKS)
WORDS = re.compile(f"{SINGLE}|[{WITH_BLANKS_CLASS}]+")
IS_SINGLE = re.compile(f"[{_cls(NO_BLANKS)}]")
_ASCII_WORDS = re.compile(r"[a-z0-9]+")

SHIFT = 0xF0000
PRIVATE = "[\U000F0000-\U0010FFFD]"
# o, l, d, h with a mark that Unicode does not decompose.
STROKES = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h"}
STROKE = chr(SHIFT + 0x338)  # the mark's own code: any that no combining mark of these letters has


def fold(text):
    """S1.1: the letters I of Turkish, then toNFKC_Casefold (Unicode 3.13, R5): map each character, then normalise to NFC."""
    if text.isascii():
        return text.lower()
    mapped = text.replace("\u0131", "i").replace("\u0130", "i").translate(NFKC_CF)
    return unicodedata.normalize("NFC", re.sub("i\u0307+", "i", mapped))


@functools.lru_cache(1 << 20)
def letters(word):
    """The kept form of one folded word."""
    if word.isascii():
        return word
    out = []
    base_takes_marks = False
    for c in word:
        if c == "ё":
            out.append("е" + chr(SHIFT + 0x308))
            base_takes_marks = False
            continue
        point = ord(c)
        if point in MARKS and base_takes_marks:
            out.append(chr(SHIFT + point))
            continue
        if point not in MARK_SCRIPTS:
            out.append(c)
            base_takes_marks = False
            continue
        parts = unicodedata.normalize("NFD", c)
        base, marks = parts[0], parts[1:]
        if base in STROKES:
            out.append(STROKES[base] + STROKE)
        else:
            out.append(base)
        out.extend(chr(SHIFT + ord(m)) for m in marks)
        base_takes_marks = point not in MARKS
    return "".join(out)


def base_letters(word):
    """The letters of a folded word without the marks that may be left out."""
    return without_marks(letters(word))


def without_marks(kept):
    """The letters of a word in the kept form, likewise."""
    return "".join(c for c in kept if ord(c) < SHIFT)


def tokenize(text):
    """The words of a value, in order; each has the position of its place in the list."""
    folded = fold(text)
    if folded.isascii():
        return _ASCII_WORDS.findall(folded)
    return [letters(w) for w in WORDS.findall(folded)]


def letter_pattern(text):
    """The pattern (for words in the kept form) of a folded piece of a query without wildcards."""
    kept = letters(text)
    out = []
    i = 0
    while i < len(kept):
        base = kept[i]
        i += 1
        marks = ""
        while i < len(kept) and ord(kept[i]) >= SHIFT:
            marks += kept[i]
            i += 1
        if marks:
            out.append(re.escape(base) + marks + f"(?!{PRIVATE})")
        elif base in "0123456789" or not takes_marks(base):
            out.append(re.escape(base))
        else:
            out.append(re.escape(base) + PRIVATE + "*")
    return "".join(out)


def takes_marks(base):
    return ord(base) in MARK_SCRIPTS or base == "е"


ONE = f"[^\n\U000F0000-\U0010FFFD]{PRIVATE}*"
ANY = "[^\n]*"
