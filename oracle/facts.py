"""What a search needs of a mail besides its words: date, parties, subject, importance, attachments, ids (S2.6, S3, S4.5; A22.5, A22.6).

facts(bytes, result) computes all of it from the raw mail; `result` is what mailtext.mail_values makes of the same bytes. What only the
archive can decide (time of archiving, folder, direction, the date of a mail that has none) is not here.
"""

import re
import urllib.parse
from typing import NamedTuple

from header_text import address_entries, decode_words
from maildate import mail_date, received_date
from mailtext import GENERIC, by_ending, raw_text
from query import first_kib, without_brackets

SIGNATURES = (b"application/pkcs7-signature", b"application/pgp-signature", b"application/x-pkcs7-signature")
WHITE = " \t\r\n"
# Reasons of T10 after which a word may have been overlooked; a type that is off (S1.5) is not one.
OVERLOOKED = ("encrypted", "signed", "charset", "too long", "too large", "too deep", "too many parts", "header too long")


class Facts(NamedTuple):
    date: object  # seconds since 1970, or None
    received: object  # likewise, of the first Received field that has a date
    size: int
    sender: tuple  # (display name, address) of the first mailbox of From; empty texts for what is missing
    recipient: tuple  # likewise of the first one of To, else Cc
    subject: str
    importance: str
    types: tuple  # the media type of each attachment
    endings: tuple  # those of the file names in the field attachment
    message_id: bytes
    list_id: str
    labels: tuple  # those of X-Gmail-Labels, as T12 reads them
    overlooked: bool  # whether some text was left out


def facts(data, result, guesses=None):
    root = result.parts[0][0] if result.parts else None
    head = [] if root is None else root.fields
    guess = (guesses or {}).get(0, "windows-1252")

    def fields(name):
        return [raw_text(value, lambda: guess) for n, value in head if n == name]

    def first(name):
        return next(iter(fields(name)), None)

    date = first(b"date")
    received = (received_date(decode_words(value)) for value in fields(b"received"))
    return Facts(
        date=None if date is None else mail_date(decode_words(date)),
        received=next((found for found in received if found is not None), None),
        size=len(data),
        sender=first_mailbox(fields(b"from"), True) or ("", ""),
        recipient=first_mailbox(fields(b"to")) or first_mailbox(fields(b"cc")) or ("", ""),
        subject=decode_words(first(b"subject") or "").strip(WHITE),
        importance=importance(first),
        types=tuple(attachments(result.parts)),
        endings=tuple(sorted({e for v in result.values if v.field == "attachment" for e in ending(v.text)})),
        message_id=next((message_id(v) for n, v in head if n == b"message-id"), b""),
        list_id=list_id(first(b"list-id") or ""),
        labels=labels(fields(b"x-gmail-labels")),
        overlooked=any(why in OVERLOOKED for _, why, _ in result.not_searchable),
    )


def ending(name):
    """S2.6: what follows the last full stop of a file name, if it is 1 to 16 letters or digits."""
    _, stop, end = name.rstrip().rpartition(".")
    end = end.lower()
    return [end] if stop and len(end) <= 16 and end.isalnum() else []


def first_mailbox(values, sender=False):
    """(display name, address) of the first mailbox, or None."""
    for value in values:
        for group, entry in address_entries(value, sender):
            if group:
                continue
            name = next((text for mark, text in entry if mark == "name"), "")
            address = next((text for mark, text in entry if mark == "address"), "")
            return name.strip(WHITE), address
    return None


def importance(first):
    """A22.5: the first of the three fields with a known value."""
    for name, levels in (
        (b"importance", {"low": "low", "normal": "normal", "high": "high"}),
        (b"x-priority", {"1": "high", "2": "high", "3": "normal", "4": "low", "5": "low"}),
        (b"priority", {"non-urgent": "low", "normal": "normal", "urgent": "high"}),
    ):
        m = re.match(r"[a-z-]+|\d+", (first(name) or "").strip(WHITE).lower(), re.A)
        if m and m.group() in levels:
            return levels[m.group()]
    return "normal"


def message_id(value):
    """What is in the first angle brackets, else all of it."""
    behind = value.partition(b"<")[2] or value
    return behind.partition(b">")[0].strip(WHITE.encode())


def list_id(value):
    """What is in the last angle brackets of List-Id, else all of it, not decoded: it is not text but an identifier (RFC 2919)."""
    value = value.strip(WHITE)
    m = re.search(r"<([^<>]*)>[^<>]*\Z", value)
    return (m.group(1) if m else value).strip(WHITE)


def without_frame(m):
    """Q encoding without its frame."""
    try:
        return bytes.fromhex(m.group().replace("=", "")).decode()
    except UnicodeDecodeError:
        return m.group()


def labels(values):
    """T12: field by field, label by label; each once, and as many as fit into 8 KiB."""
    found = {}
    for value in values:
        at, text = 0, re.sub(r"(?:=[89A-Fa-f][0-9A-Fa-f])+", without_frame, decode_words(value))
        while at < len(text):
            m = re.compile(r'[ \t\r\n]*(?:"((?:\\["\\]|""|[^"])*)"?)?([^,]*),?', re.S).match(text, at)
            at = m.end()
            quoted = re.sub(r'\\(["\\])|""', lambda q: q.group(1) or '"', m.group(1) or "")
            label = first_kib((quoted + m.group(2)).strip(WHITE))
            if not label or label in found:
                continue
            if sum(len(known.encode()) for known in found) + len(label.encode()) > 8192:
                break
            found[label] = True
    return tuple(found)


def attachments(parts):
    """A22.6: the media type of each part that counts as an attachment, also in nested mails. An HTML body is what T8.2 puts into bcontent."""
    shown = set()
    for entity, names, html in parts:
        if html is not None and entity.disposition != b"attachment" and not names:
            shown.update(urllib.parse.unquote(cid) for cid in re.findall(r"cid:([^\"'\s<>)]+)", html, re.I))
    for entity, names, _ in parts:
        if entity.kind == "multipart" or entity.bare or entity.too_deep or entity.type in SIGNATURES:
            continue
        cid = next((v.decode("latin-1") for n, v in entity.fields if n == b"content-id"), "")
        referred = without_brackets(cid) in shown
        if entity.disposition == b"attachment" or (names and not referred):
            yield counted_as(entity)


def counted_as(entity):
    """T8.7: the type as which an attachment counts."""
    kinds = {"plain": "text/plain", "html": "text/html", "mail": "message/rfc822", "smime": "application/pkcs7-mime", "nothing": "application/pkcs7-signature"}
    own = entity.type.decode("latin-1")
    return kinds.get(by_ending(entity), own) if entity.type in GENERIC else own
