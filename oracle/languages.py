"""Searches for strings of real mail in eight languages, in whatever charset it came: the command must find what the scan finds.

languages.py MAILKEEP ARCHIVE [SOURCE...] [--strings 20] [--seed S]

Of each language a quarter of the strings is glued to Latin letters or digits, a quarter goes across a line end. Which value of a mail is in
which language is told by its script, and by frequent words. Exit 1 on any difference, or where a language has too few strings.
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
from words import NO_BLANKS, WORD_CLASS

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
WORD = re.compile(f"[{WORD_CLASS}]+")
GLUE = ("-", "/", ".", "_", ":", "@")
KINDS = ("plain", "glued", "line end")


def language(text):
    """The language of a text, or None where that is not clear."""
    counts = [len(re.findall(script, text[:20000])) for script in (KANA, HANGUL, HAN)]
    if counts[0] >= 5 and counts[0] * 20 > counts[2]:
        return "Japanese"
    if counts[1] >= 5:
        return "Korean"
    if counts[2] >= 10:
        return "Chinese"
    words = [w.lower() for w in WORD.findall(text[:20000])]
    hits = sorted((sum(w in frequent for w in words), name) for name, frequent in FREQUENT.items())
    (second, _), (most, name) = hits[-2:]
    if most < 5 or most * 12 < len(words) or most < 2 * second or name == "English" or len(FREQUENT[name] & set(words)) < 4:
        return None
    if name == "Russian" and not re.search("[ыэ]", text):
        return None  # another language in Cyrillic letters
    return name


def unlike_ascii(text):
    return any(ord(c) > 0x7F for c in text)


def candidates(text, name):
    """kind -> [query] of all places of a text that give strings of that kind."""
    blanks = name not in ("Japanese", "Chinese", "Korean")
    out = {kind: [] for kind in KINDS}
    if blanks:
        words = list(WORD.finditer(text))
        for a, b in zip(words, words[1:]):
            between = text[a.end() : b.start()]
            pair = f'"{a.group()} {b.group()}"'
            if "\n" in between and not between.strip(" \t\r\n"):
                out["line end"].append(pair)
            elif between in GLUE and _alien(a.group(), b.group()):
                out["glued"].append(a.group() + between + b.group())
            if unlike_ascii(a.group()):
                glued = re.search(r"[A-Za-z0-9]", a.group()) if name == "Russian" else re.search(r"\d", a.group())
                out["glued" if glued else "plain"].append(a.group())
        return out
    single = f"[{''.join(map(re.escape, _ranges()))}]"
    for m in re.finditer(f"[A-Za-z0-9]{{1,12}}{single}{{1,4}}|{single}{{1,4}}[A-Za-z0-9]{{1,12}}(?![A-Za-z0-9])", text):
        if m.group()[0] in _ASCII and m.start() and text[m.start() - 1] in _ASCII:
            continue
        out["glued"].append(m.group())
    # What separates has no position (S1.1): the letters of two lines are neighbours.
    for m in re.finditer(f"({single}{{1,3}})[ \t.,!?]{{0,4}}\r?\n[ \t\r\n]*({single}{{1,3}})", text):
        out["line end"].append(m.group(1) + m.group(2))
    for m in re.finditer(f"{single}{{2,5}}", text):
        out["plain"].append(m.group())
    return out


def _alien(a, b):
    """Whether one of two words is in letters of the language and the other one is digits, or only one has letters that Latin has not."""
    return unlike_ascii(a) != unlike_ascii(b) or a.isdigit() != b.isdigit()


_ASCII = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _ranges():
    """Letters of Chinese, Japanese and Korean that stand alone as words, without marks."""
    return [chr(c) for c in sorted(NO_BLANKS) if 0x3041 <= c <= 0x30FF or 0x3400 <= c <= 0x9FFF or 0xAC00 <= c <= 0xD7A3]


def strings(entries, count, rng):
    """language -> [(kind, query)]; the mails of a language take turns, so that no single one gives all."""
    found = {name: [] for name in LANGUAGES}
    for entry in entries:
        for value in mail_values(bytes_of(entry), entry.get("guesses")).values:
            if unlike_ascii(value.text) and len(value.text) >= 20 and (name := language(value.text)) in found:
                found[name].append(value.text[:20000])
    out = {}
    for name, texts in found.items():
        rng.shuffle(texts)
        out[name] = []
        wanted = {"glued": count // 4, "line end": count // 4}
        wanted["plain"] = count - sum(wanted.values())
        for text in texts * 3:
            if not any(wanted.values()):
                break
            for kind, queries in candidates(text, name).items():
                queries = [q for q in queries if len(q) < 80 and sound(q) and (kind, q) not in out[name]]
                if wanted[kind] and queries:
                    wanted[kind] -= 1
                    out[name].append((kind, rng.choice(queries)))
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
        hits = sum(archive.answer({"criteria": {"version": 1, "text": q}})["total"] for _, q in queries)
        kinds = ", ".join(f"{sum(k == kind for k, _ in queries)} {kind}" for kind in KINDS)
        short = len(queries) < args.strings
        print(f"{name}: {len(queries)} strings ({kinds}), {hits} hits, {wrong} differ{'; TOO FEW' if short else ''}")
        log("  " + "  ".join(q for _, q in queries))
        bad += wrong + short
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
