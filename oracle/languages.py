"""Searches for strings of real mail in eight languages, whatever its charset: the command must find what the scan finds.

languages.py MAILKEEP ARCHIVE [SOURCE...] [--strings 20] [--seed S]

For each language, a quarter of the strings is joined to Latin letters or digits, and a quarter crosses a line end; every string has
a letter that English lacks. The language of a value is recognised by its script, by frequent words, and by letters that only one
language has. If the mails have too few of these strings, plain ones replace them. Exit 1 on any difference, if a language has too
few strings, or if a string is not found although it comes from a mail.
"""

import argparse
import os
import random
import re
import shutil
import sys

from command import Mailkeep
from compare import compare
from load import CACHE, bytes_of, load
from mailtext import mail_values
from queries import sound
from words import NO_BLANKS, WITH_BLANKS_CLASS, WORD_CLASS, fold

FREQUENT = {
    "German": "und der die das nicht ist für mit sie ich auf ein eine wir von zu bei",
    "French": "les des est pour vous dans que une nous pas sur et je avec votre qui",
    "Polish": "nie się jest na że do jak dla to czy przez jest od po są oraz",
    "Portuguese": "não que para uma com você por dos em os mais seu sua ao da",
    "Russian": "и в не на что с как это по для из к от вы мы за",
    "English": "the and of to is that in for it you this with on be are not",
}
FREQUENT = {name: set(words.split()) for name, words in FREQUENT.items()}
LANGUAGES = ("Japanese", "Chinese", "Korean", "Russian", "German", "French", "Polish", "Portuguese")
KANA, HAN, HANGUL = "[\u3041-\u30fa]", "[\u4e00-\u9fff]", "[\uac00-\ud7a3]"
# Not ą, ę, ń and single Ł: if a charset is guessed wrongly, they replace marked letters of other languages and the pound sign.
POLISH = re.compile("[łśżŁŚŻ][a-ząćęłńóśźż]{2}|\\bśr\\b")
OWN = {
    "Japanese": f"{KANA}|{HAN}", "Chinese": HAN, "Korean": HANGUL, "Russian": "[а-яё]", "German": "[äöüß]", "French": "[àâçèéêëîïôùûœ]",
    "Polish": "[ąćęłńóśźż]", "Portuguese": "[ãõáéíóúâêôàç]",
}  # fmt: skip
OWN = {name: re.compile(letters, re.I) for name, letters in OWN.items()}
WORD = re.compile(f"[{WORD_CLASS}]+")
OTHERS = re.compile("[čđěůšžøåæäüõãţşăėųūāēīļņģķ\ufffd]", re.I)
GLUE = ("-", "/", ".", "_", ":", "@", "(")
KINDS = ("plain", "glued", "line end")

# Letters of Chinese, Japanese and Korean that are words by themselves, without marks.
_SINGLE = "".join(chr(c) for c in sorted(NO_BLANKS) if 0x3041 <= c <= 0x30FF or 0x3400 <= c <= 0x9FFF or 0xAC00 <= c <= 0xD7A3)
_SINGLE = f"[{_SINGLE}]"
SINGLES = re.compile(_SINGLE + "{2,5}")
# Latin letters and digits are used as whole words, which end where these scripts begin.
_LATIN, _OTHER = "[A-Za-z0-9]{1,12}", f"[{WITH_BLANKS_CLASS}]"
SINGLES_GLUED = re.compile(f"(?<!{_OTHER}){_LATIN}{_SINGLE}{{1,4}}|{_SINGLE}{{1,4}}{_LATIN}(?!{_OTHER})")
# Separators have no position (S1.1): the letters of two lines are neighbours.
SINGLES_AT_LINE_END = re.compile(f"({_SINGLE}{{1,3}})[ \t.,!?]{{0,4}}\r?\n[ \t\r\n]*({_SINGLE}{{1,3}})")


def language(text):
    """The language of a text, or None if that is not clear."""
    counts = [len(re.findall(script, text[:20000])) for script in (KANA, HANGUL, HAN)]
    if counts[0] >= 5 and counts[0] * 20 > counts[2]:
        return "Japanese"
    # Mails in Chinese quote names in Korean; there are few mails in Korean, so names are used too.
    if counts[1] > counts[2] and re.search(HANGUL + "{3}", text[:20000]):
        return "Korean"
    if counts[2] >= 10:
        return "Chinese"
    words = [w.lower() for w in WORD.findall(text[:20000])]
    hits = sorted((sum(w in frequent for w in words), name) for name, frequent in FREQUENT.items())
    (second, _), (most, name) = hits[-2:]
    if most < 5 or most * 12 < len(words) or most < 2 * second or name == "English" or len(FREQUENT[name] & set(words)) < 4:
        # Polish is in subjects, names of files and persons, and above quotations in mails in other languages.
        return "Polish" if POLISH.search(text) and not OTHERS.search(text) else None
    if name == "Russian" and not re.search("[ыэ]", text):
        return None  # another language in Cyrillic letters
    return name


def candidates(text, name):
    """kind -> [query] of all places of a text that give strings of that kind."""
    own = OWN[name].search
    out = {kind: [] for kind in KINDS}
    if name not in ("Japanese", "Chinese", "Korean"):
        words = list(WORD.finditer(text))
        for a, b in zip(words, words[1:]):
            between = text[a.end() : b.start()]
            if not (own(a.group()) or own(b.group())):
                continue
            if "\n" in between:
                out["line end"].append(f'"{a.group()} {b.group()}"')
            elif between in GLUE and not (own(a.group()) and own(b.group())):
                out["glued"].append(a.group() + between + b.group())
        for m in words:
            if own(m.group()):
                glued = re.search(r"[A-Za-z0-9]" if name == "Russian" else r"\d", m.group())
                out["glued" if glued else "plain"].append(m.group())
        return out
    out["glued"] = [m.group() for m in SINGLES_GLUED.finditer(text)]
    out["line end"] = [m.group(1) + m.group(2) for m in SINGLES_AT_LINE_END.finditer(text)]
    out["plain"] = [m.group() for m in SINGLES.finditer(text)]
    return {kind: [q for q in queries if own(q)] for kind, queries in out.items()}


def strings(entries, count, rng):
    """language -> [(kind, query)]; the texts of a language take turns until none has another one, so that no single text supplies
    all."""
    found = {name: [] for name in LANGUAGES}
    for entry in entries:
        for value in mail_values(bytes_of(entry), entry.get("guesses")).values:
            if not value.text.isascii() and (name := language(value.text)) in found:
                # Words contain no soft hyphens or similar characters (S1.1).
                found[name].append("".join(c for c in value.text[:20000] if c.isascii() or fold(c)))
    out = {}
    for name, texts in found.items():
        # A text that is in many mails counts once.
        texts = sorted(set(texts))
        rng.shuffle(texts)
        out[name] = []
        wanted = {"glued": count // 4, "line end": count // 4}
        pools = [candidates(text, name) for text in texts]
        for pool in pools:
            for queries in pool.values():
                rng.shuffle(queries)
        # Plain ones last: they fill up the number.
        for kind in KINDS[::-1]:
            if kind == "plain":
                wanted[kind] = count - len(out[name])
            while wanted[kind] and any(pool[kind] for pool in pools):
                for queries in (pool[kind] for pool in pools):
                    query = queries.pop() if wanted[kind] and queries else ""
                    if query and len(query) < 80 and (kind, query) not in out[name] and sound(query):
                        wanted[kind] -= 1
                        out[name].append((kind, query))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("archive")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--strings", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--key-file")
    args = parser.parse_args()
    log = lambda text: print(text, file=sys.stderr, flush=True)
    keep = Mailkeep(args.mailkeep, args.archive, args.key_file)
    if not os.path.exists(os.path.join(args.archive, "archive.mk")):
        keep.make(args.sources)
    folder, entries = keep.export()
    try:
        archive, _, _, doubtful = load(keep, entries, CACHE, log)
        drawn = strings(entries, args.strings, random.Random(args.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    bad = 0
    for name, queries in drawn.items():
        wrong = sum(not compare(keep, archive, q, doubtful, print) for _, q in queries)
        hits = [archive.answer({"criteria": {"version": 1, "text": q}})["total"] for _, q in queries]
        lost = [q for (_, q), n in zip(queries, hits) if not n]
        kinds = ", ".join(f"{sum(k == kind for k, _ in queries)} {kind}" for kind in KINDS)
        short = len(queries) < args.strings
        print(f"{name}: {len(queries)} strings ({kinds}), {sum(hits)} hits, {wrong} differ{'; TOO FEW' if short else ''}")
        if lost:
            print(f"  not found, though they stand in mails: {lost}")
        log("  " + "  ".join(q for _, q in queries))
        bad += wrong + short + len(lost)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
