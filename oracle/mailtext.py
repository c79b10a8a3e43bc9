"""The values of a mail: written from docs/TEXT.md alone, rule by rule (cited by number). Stdlib only.

mail_values(bytes, guesses) -> Result(values, not_searchable); a value is (field, mark, text) with mark 'name' or 'address' in
address fields and '' elsewhere. `guesses` maps the numbers of T7.5 to names of encodings.
"""

import re
import sys
from typing import NamedTuple

from charset import decode_text
from header_text import address_values, decode_bytes, decode_words
from html_text import html_text
from transfer import line_spans, transfer_decode

CUT_HEADER = 262144
CUT_LEAF = 33554432
CUT_TEXT = 16777216
CUT_MAIL = 67108864
LONG_LINE = 393216
MAX_DEPTH = 64
MAX_ENTITIES = 10000

WHITE = b" \t\r\n"
SPACE = b" \t"


class Value(NamedTuple):
    field: str
    mark: str
    text: str


class Result(NamedTuple):
    values: list
    not_searchable: list
    unknown_guesses: list
    origins: list  # beside each value: (transfer encoding, type) of the leaf, or ('', '') for header values
    parts: list  # (entity, its file names, the source text if it is HTML), for the other facts of a mail (facts.py)


# ---------------------------------------------------------------------------------------------------------------- T2: structure


def cr_lines(data):
    """T2.1: whether the lines of this mail end with CR."""
    head = data[:65536]
    return b"\n" not in head and b"\r" in head


_FROM_LINE = b"From ", b">From "
_KNOWN_FIELDS = set(
    b"from to cc bcc date subject sender reply-to message-id in-reply-to references received return-path mime-version delivered-to"
    b" envelope-to errors-to precedence organization newsgroups path lines status dkim-signature arc-seal authentication-results"
    b" received-spf user-agent importance priority apparently-to xref summary".split()
)
_BLANK = re.compile(rb"[ \t\r\n]*")


def known_field(data, at):
    """T2.2."""
    name, colon, _ = data[at : at + 64].partition(b":")
    name = name.rstrip(SPACE).lstrip(b">").lower()
    visible = all(0x21 <= b <= 0x7E for b in name)
    return bool(colon) and visible and (name in _KNOWN_FIELDS or name.startswith((b"x-", b"list-", b"resent-", b"content-")))


def header_start(data, cr, at, end):
    """T2.2: where the header block of a message begins."""

    def behind_blank(at):
        stop = min(_BLANK.match(data, at).end(), at + 1024)
        return data.rfind(b"\r" if cr else b"\n", at, stop) + 1 or at

    line = behind_blank(at)
    if data.startswith(_FROM_LINE, line):
        stop = data.find(b"\r" if cr else b"\n", line)
        at = end if stop < 0 else stop + 1
        line = behind_blank(at)
    return line if line > at and known_field(data, line) else at


class Entity:
    __slots__ = (
        "number", "depth", "message", "nested", "parent_type", "data", "cr",
        "header_begin", "header_end", "in_header", "fields", "type", "type_params", "disposition", "disposition_params",
        "encoding", "boundary", "seen_delimiter", "closed", "body_begin", "body_end", "kind", "too_deep", "bare",
    )  # fmt: skip


_NAME = re.compile(rb"[!-~]+\Z")


def header_fields(block, cr):
    """T2.5: (name in lower case, value) of every field."""
    out = []
    current = None
    for begin, inner, _ in line_spans(block, cr, 0, len(block)):
        line = block[begin:inner]
        if line[:1] in (b" ", b"\t"):
            if current is not None:
                current.append(line)
            continue
        colon = line.find(b":")
        name = line[:colon].rstrip(SPACE).lstrip(b">") if colon >= 0 else b""
        if not _NAME.match(name):
            current = None
            continue
        current = [line[colon + 1 :]]
        out.append((name.lower(), current))
    return [(name, b"".join(parts)) for name, parts in out]


def first_word(value):
    """T5.2: the part of a type, disposition or transfer encoding that counts."""
    word = re.match(rb'[^ \t\r\n;,("]*', value.lstrip(WHITE + b'"')).group().lower()
    return b"" if b"=" in word else word


def raw_text(value, guess):
    """T3.1."""
    return decode_text(value, None, guess)[0].replace("\t", " ")


def usable_type(value):
    word = first_word(value)
    if word == b"multipart":
        return b"multipart/mixed"
    pieces = [piece for piece in word.split(b"/") if piece]
    if len(pieces) < 2:
        return None
    others = [piece for piece in pieces if piece != pieces[0]]
    return pieces[0] + b"/" + (others[0] if others else pieces[1])


_KNOWN = rb"(?:boundary|charset|creation-date|delsp|format|method|micalg|modification-date|protocol|report-type|size|smime-type|start|type)"
_KNOWN_NAME = re.compile(rb"(?:" + _KNOWN + rb"|(?:file)?name(?:\*.*)?)\Z", re.I | re.S)


def bare_value(value, at):
    """T5.3: where an unquoted value that begins at `at` ends."""
    stop = value.find(b";", at)
    stop = len(value) if stop < 0 else stop
    begin = at
    for m in re.finditer(rb"=", value[at:stop]):
        equals = at + m.start()
        before = value[begin:equals].rstrip(WHITE)
        words = re.split(rb"[ \t\r\n;,]", before)
        if len(words) > 1 and _KNOWN_NAME.match(words[-1]):
            return len(value[: begin + len(before) - len(words[-1])].rstrip(WHITE + b";,"))
        begin = equals + 1
    return stop


def parameters(value):
    """T5.3: name -> (value, quoted), the first of a name."""
    out = {}
    value = value.lstrip(WHITE + b'"')
    at = len(first_word(value))
    n = len(value)
    while True:
        while at < n and value[at] in b" \t\r\n;,":
            at += 1
        if at >= n:
            return out
        begin = at
        while at < n and value[at] not in b"=;":
            at += 1
        if at >= n or value[at] == 0x3B:
            continue
        name = re.split(rb"[ \t\r\n;,]", value[begin:at].rstrip(WHITE))[-1].lower()
        at += 1
        while at < n and value[at] in WHITE:
            at += 1
        if at < n and value[at] == 0x22:
            at += 1
            text = bytearray()
            while at < n and value[at] != 0x22:
                if value[at] == 0x5C and at + 1 < n and value[at + 1] in b'"\\':
                    at += 1
                text.append(value[at])
                at += 1
            at += 1
            result = bytes(text), True
        else:
            stop = max(bare_value(value, at), at)
            result = value[at:stop].rstrip(WHITE), False
            at = stop
        out.setdefault(name, result)


def _percent(text):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text)


def _behind_label(text):
    pieces = text.split(b"'", 2)
    return pieces[2] if len(pieces) == 3 else text


def rfc2231_bytes(params, name):
    """T5.9: the bytes of a parameter in the forms of RFC 2231, or None."""
    if name + b"*" in params:
        return _percent(_behind_label(params[name + b"*"][0]))
    out, number = b"", 0
    while True:
        plain = name + b"*%d" % number
        if plain + b"*" in params:
            text = params[plain + b"*"][0]
            out += _percent(_behind_label(text) if number == 0 else text)
        elif plain in params:
            out += params[plain][0]
        else:
            return out or None
        number += 1


def cut_param(params, name):
    """T5.4, T5.9, and `boundary` of T2.7."""
    if name in params:
        text, quoted = params[name]
    else:
        text, quoted = rfc2231_bytes(params, name) if name in (b"boundary", b"charset") else None, True
        if text is None:
            return None
    if name == b"boundary":
        if not quoted:
            text = re.split(rb"[ \t\r\n]", text, maxsplit=1)[0]
        return text.rstrip(WHITE)
    text = re.split(rb"[ \t\r\n]", text, maxsplit=1)[0]
    if name == b"charset":
        text = text.split(b"(", 1)[0]
        text = text[1:] if text.startswith(b"'") else text
        text = text[:-1] if text.endswith(b"'") else text
    return text


NESTED_TYPES = (b"message/rfc822", b"message/global", b"message/news")


class Walker:
    """T2: the entities of a mail in document order, each with the range of its body."""

    def __init__(self):
        self.entities = []
        self.notes = []
        self.full = False

    def walk(self, data, depth, nested, parent=None):
        """Walks one message with separate bytes."""
        cr = cr_lines(data)
        at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        stack = []
        end = len(data)
        root = self.begin(data, cr, at, depth, True, nested, b"", parent)
        if root is None:
            return
        stack.append(root)
        last_inner = at  # where the line before this one ends, without its line end
        root.header_begin = last_inner = header_start(data, cr, at, end)
        for begin, inner, stop in line_spans(data, cr, at, end):
            top = stack[-1]
            if top.in_header and stop <= top.header_begin:
                continue
            # A delimiter line of an open multipart, the innermost first.
            hit = None
            if data[begin] == 0x2D and stop - begin <= LONG_LINE and data[begin : begin + 2] == b"--":
                line = data[begin:inner].rstrip(SPACE)
                for i in range(len(stack) - 1, -1, -1):
                    e = stack[i]
                    if e.boundary is None or e.in_header or e.closed:
                        continue
                    if line == b"--" + e.boundary:
                        hit = i, False
                        break
                    if line == b"--" + e.boundary + b"--":
                        hit = i, True
                        break
            if hit:
                i, closing = hit
                while len(stack) - 1 > i:
                    self.finish(stack.pop(), max(last_inner, 0), begin)
                multi = stack[i]
                multi.seen_delimiter = True
                if closing:
                    multi.closed = True
                else:
                    part = self.begin(data, cr, stop, multi.depth + 1, False, multi.nested, multi.type, multi)
                    if part is None:
                        self.stop_all(stack, end)
                        return
                    stack.append(part)
                last_inner = inner
                continue
            if top.in_header:
                if begin == inner:
                    self.end_header(top, begin, stop)
                    if top.kind == "nested":
                        child = self.begin(data, cr, stop, top.depth + 1, True, True, top.type, top)
                        if child is None:
                            self.stop_all(stack, end)
                            return
                        stack.append(child)
                        child.header_begin = header_start(data, cr, stop, end)
                    if self.full:
                        self.stop_all(stack, end)
                        return
            last_inner = inner
        while stack:
            self.finish(stack.pop(), end, end)

    def begin(self, data, cr, at, depth, message, nested, parent_type, parent):
        if len(self.entities) >= MAX_ENTITIES:
            if not self.full:
                self.full = True
                self.notes.append((parent.number if parent else 0, "too many parts", ""))
            return None
        e = Entity()
        e.number = len(self.entities)
        e.depth = depth
        e.message = message
        e.nested = nested
        e.parent_type = parent_type
        e.data = data
        e.cr = cr
        e.header_begin = at
        e.header_end = None
        e.in_header = True
        e.boundary = None
        e.seen_delimiter = e.closed = False
        e.kind = "leaf"
        e.fields = []
        e.too_deep = depth >= MAX_DEPTH
        e.body_begin = e.body_end = at
        e.bare = False
        self.entities.append(e)
        if e.too_deep:
            self.notes.append((e.number, "too deep", ""))
            e.in_header = False
            e.type = b"text/plain"
            e.type_params = e.disposition_params = {}
            e.disposition = e.encoding = b""
        return e

    def end_header(self, e, header_end, body_begin):
        e.in_header = False
        e.header_end = header_end
        e.body_begin = body_begin
        block = e.data[e.header_begin : header_end]
        if len(block) > CUT_HEADER:
            self.notes.append((e.number, "header too long", ""))
            block = block[:CUT_HEADER]
        e.fields = header_fields(block, e.cr)
        first = {}
        for name, value in e.fields:
            first.setdefault(name, value)
        ctype = first.get(b"content-type", b"")
        e.type = usable_type(ctype)
        e.type_params = parameters(ctype)
        disposition = first.get(b"content-disposition", b"")
        e.disposition = first_word(disposition)
        e.disposition_params = parameters(disposition)
        e.encoding = first_word(first.get(b"content-transfer-encoding", b""))
        if e.type is None:
            e.type = b"message/rfc822" if not e.message and e.parent_type == b"multipart/digest" else b"text/plain"
        if e.type.startswith(b"multipart/"):
            boundary = cut_param(e.type_params, b"boundary")
            if boundary:
                e.kind = "multipart"
                e.boundary = boundary
            else:
                self.make_bare(e)
        elif e.type in NESTED_TYPES:
            e.kind = "encoded" if e.encoding in (b"base64", b"quoted-printable") else "nested"
        elif treatment(e) == "mail":
            e.kind = "encoded"

    def make_bare(self, e):
        """T2.7: a multipart that is a leaf of type text/plain without anything else."""
        e.kind = "leaf"
        e.bare = True
        e.type = b"text/plain"
        e.type_params = {}
        e.disposition_params = {}
        e.disposition = e.encoding = b""

    def finish(self, e, body_end, header_end):
        """An entity ends; body_end is where its last line ends without its line end."""
        if e.in_header:
            self.end_header(e, max(header_end, e.header_begin), max(header_end, e.header_begin))
            if e.kind == "nested" and not self.full:
                child = self.begin(e.data, e.cr, e.body_begin, e.depth + 1, True, True, e.type, e)
                if child is not None and child.in_header:
                    self.end_header(child, e.body_begin, e.body_begin)
                    child.body_end = child.body_begin
        e.body_end = max(e.body_begin, body_end)
        if e.kind == "multipart" and not e.seen_delimiter:
            self.make_bare(e)
        elif e.kind == "encoded" and not self.full:
            body = transfer_decode(e.data[e.body_begin : e.body_end], e.encoding, e.cr)
            self.walk(body, e.depth + 1, True, e)

    def stop_all(self, stack, end):
        """T2.11: the rest of the mail belongs to the innermost open entity and is not searchable."""
        while stack:
            self.finish(stack.pop(), end, end)


# -------------------------------------------------------------------------------------------------------- T5.5: file names


def percent_bytes(text):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m.group(1), 16),)), text.encode("utf-8"))


def split_label(text):
    parts = text.split("'", 2)
    return (parts[0], parts[2]) if len(parts) == 3 else (None, text)


def without_escapes(name):
    """T5.5 (a'): one candidate or none."""
    escapes = re.findall("%([0-9A-Fa-f]{2})", name)
    try:
        text = percent_bytes(name).decode("utf-8")
    except UnicodeDecodeError:
        return []
    telling = "%20" in name or any(int(e, 16) > 0x7F for e in escapes)
    clean = name.count("%") == len(escapes) and not any(c < " " or "\x7f" <= c <= "\x9f" for c in text)
    return [text] if escapes and telling and clean else []


def name_candidates(params, name, chars):
    """T5.5 to T5.7; `chars` decodes a value's bytes to characters."""
    out = []
    if name in params:
        plain = decode_words(chars(params[name][0]))
        out.append(plain)
        out.extend(without_escapes(plain))
    if name + b"*" in params:
        label, text = split_label(chars(params[name + b"*"][0]))
        out.append(decode_bytes(percent_bytes(text), label)[0])
    data = b""
    label = None
    starred = False
    numbers = [int(m.group(1)) for m in (re.fullmatch(re.escape(name) + rb"\*(0|[1-9][0-9]*)\*?", p) for p in params) if m]
    first = k = min((n for n in numbers if n < 1 << 32), default=0)
    while True:
        key = name + b"*%d" % k
        if key + b"*" in params:
            text = chars(params[key + b"*"][0])
            if k == first:
                label, text = split_label(text)
            data += percent_bytes(text)
            starred = True
        elif key in params:
            data += chars(params[key][0]).encode("utf-8")
        else:
            break
        k += 1
    if k > first:
        text = decode_bytes(data, label)[0]
        out.append(text if starred else decode_words(text))
    return out


NAME_PARAMS = re.compile(rb"(filename|name)(\*|\*(0|[1-9][0-9]*)\*?)?\Z")

# -------------------------------------------------------------------------------------------------------- T8: leaves

TYPE_OFF = (b"text/rtf", b"text/richtext", b"text/enriched")
PLAIN = (
    b"message/delivery-status", b"message/global-delivery-status", b"message/disposition-notification",
    b"message/global-disposition-notification", b"message/feedback-report", b"message/global-headers",
)  # fmt: skip
NOTHING = (
    b"application/pgp-signature", b"application/pkcs7-signature", b"application/x-pkcs7-signature", b"application/pgp-encrypted",
)
# T8.1: generic types.
GENERIC = (
    b"application/octet-stream", b"application/octetstream", b"application/x-octet-stream", b"application/binary", b"application/data",
    b"application/download", b"application/x-download", b"application/force-download", b"application/x-force-download",
    b"application/unknown", b"application/x-unknown", b"application/x-unknown-content-type", b"unknown/unknown",
)  # fmt: skip
# T8.7.
ENDINGS = {
    "txt text log csv tsv md markdown ics vcf vcard xml json yaml yml ini conf cfg tex srt diff patch sql": "plain",
    "html htm xhtml": "html",
    "eml": "mail",
    "p7m": "smime",
    "p7s p7c": "nothing",
}
BY_ENDING = {ending: what for endings, what in ENDINGS.items() for ending in endings.split()}
ADDRESS_FIELDS = ("subject", "from", "to", "cc", "bcc")


def treatment(e):
    """T8.1: how a leaf is treated."""
    t = e.type
    if t in NOTHING or t.startswith((b"image/", b"audio/", b"video/")):
        return "nothing"
    if t in (b"application/pkcs7-mime", b"application/x-pkcs7-mime"):
        return "smime"
    if t == b"application/octet-stream" and e.parent_type == b"multipart/encrypted" and not e.message:
        return "encrypted"
    if t in GENERIC:
        return by_ending(e)
    if t == b"text/html":
        return "html"
    return "plain" if t not in TYPE_OFF and (t.startswith(b"text/") or t in PLAIN) else "off"


def by_ending(e):
    """T8.7."""
    # An extension is ASCII, whatever the charset of the name.
    chars = lambda b: b.decode("utf-8", "replace")
    for params, name in ((e.disposition_params, b"filename"), (e.type_params, b"name")):
        for candidate in name_candidates(params, name, chars):
            _, dot, ending = candidate.rstrip(" \t\r\n").rpartition(".")
            if dot and ending.isascii() and ending.lower() in BY_ENDING:
                return BY_ENDING[ending.lower()]
    return "off"


SIGNED_OR_ENCRYPTED = re.compile(rb"\x30(?:[\x00-\x80]|([\x81-\xff]))", re.S)


def smime(e, body):
    """T8.8: the reason why it is not searchable, or None."""
    said = (cut_param(e.type_params, b"smime-type") or b"").lower()
    if said == b"certs-only":
        return None
    head = body[:32]
    m = SIGNED_OR_ENCRYPTED.match(head)
    oid = head[m.end() + (m.group(1)[0] - 0x80 if m.group(1) else 0) :] if m else b""
    for prefix, last, why in (
        ("06092a864886f70d0107", (2,), "signed"),
        ("06092a864886f70d0107", (3, 4), "encrypted"),
        ("060b2a864886f70d01091001", (0x17,), "encrypted"),
        ("060b2a864886f70d01091001", (9,), "type off"),
    ):
        prefix = bytes.fromhex(prefix)
        if oid.startswith(prefix) and oid[len(prefix) : len(prefix) + 1] and oid[len(prefix)] in last:
            return why
    return {b"signed-data": "signed", b"compressed-data": "type off"}.get(said, "encrypted")


def flowed(text):
    """T8.4."""
    lines = re.split(r"\r\n|\n|\r", text)
    out = []
    previous = None  # depth of a flowed line that waits
    for i, line in enumerate(lines):
        body = line.lstrip(">")
        depth = len(line) - len(body)
        if body.startswith(" "):
            body = body[1:]
        signature = body == "-- "
        if i and not (previous == depth and not signature):
            out.append("\n")
        previous = None
        if body.endswith(" ") and not signature:
            body = body[:-1]
            previous = depth
        out.append(body)
    return "".join(out)


def cut_white(data, limit):
    """T8.5 for bytes."""
    if len(data) <= limit:
        return data, False
    data = data[:limit]
    for i in range(len(data) - 1, -1, -1):
        if data[i] <= 0x20:
            return data[: i + 1], True
    return data, True


def cut_text(text, limit):
    """T8.5 for characters."""
    if len(text) * 4 <= limit or len(text.encode("utf-8", "replace")) <= limit:
        return text, False
    text = text.encode("utf-8")[:limit].decode("utf-8", "ignore")
    for i in range(len(text) - 1, -1, -1):
        if text[i] <= " ":
            return text[: i + 1], True
    return text, True


def mail_values(data, guesses=None):
    """The values of a mail (T1)."""
    guesses = guesses or {}
    walker = Walker()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 2000))
    walker.walk(data, 0, False)
    notes = walker.notes
    unknown = []
    values = []
    origins = []
    parts = []
    total = 0
    full = False

    def add(number, field, mark, text, origin=("", "")):
        nonlocal total, full
        if full:
            return
        size = len(text.encode("utf-8", "replace")) + 64
        if total + size > CUT_MAIL:
            full = True
            notes.append((number, "too large", ""))
            return
        total += size
        values.append(Value(field, mark, text))
        origins.append(origin)

    def guess(number):
        def it():
            if number not in guesses:
                unknown.append(number)
            return guesses.get(number, "windows-1252")

        return it

    types = {}
    for e in walker.entities:
        types[e.number] = e.type
        if e.too_deep:
            continue
        header_guess = guess(2 * e.number)
        chars = lambda b: raw_text(b, header_guess)
        place = (lambda f: "acontent") if e.nested else (lambda f: f)
        # T4
        if e.message:
            for field in ADDRESS_FIELDS:
                for name, value in e.fields:
                    if name != field.encode():
                        continue
                    if field == "subject":
                        add(e.number, place(field), "", decode_words(chars(value)))
                    else:
                        for mark, text in address_values(chars(value), field == "from"):
                            add(e.number, place(field), mark, text)
        # T5
        names = []
        if not e.bare and e.kind != "multipart":
            for params, name in ((e.disposition_params, b"filename"), (e.type_params, b"name")):
                for candidate in name_candidates(params, name, chars):
                    if candidate and candidate not in names:
                        names.append(candidate)
        for candidate in names:
            add(e.number, place("attachment"), "", candidate)
        parts.append((e, names, None))
        # T8
        if e.kind != "leaf":
            continue
        t = e.type
        what = treatment(e)
        if what == "smime":
            what = smime(e, transfer_decode(e.data[e.body_begin : e.body_end], e.encoding, e.cr))
        if what in (None, "nothing"):
            continue
        if what in ("encrypted", "signed"):
            notes.append((e.number, what, ""))
            continue
        if what in ("off", "type off"):
            notes.append((e.number, "type off", t.decode("latin-1")))
            continue
        if e.nested:
            field = "acontent"
        elif e.disposition == b"attachment" or names:
            field = "acontent"
        else:
            field = "bcontent"
        body = transfer_decode(e.data[e.body_begin : e.body_end], e.encoding, e.cr)
        body, long = cut_white(body, CUT_LEAF)
        label = cut_param(e.type_params, b"charset")
        text, replaced = decode_text(body, label.decode("latin-1") if label is not None else None, guess(2 * e.number + 1))
        if replaced is not None:
            notes.append((e.number, "charset", replaced))
            continue
        extra = []
        if what == "html":
            if t == b"text/html":
                parts[-1] = e, names, text
            text, extra = html_text(text)
        elif (
            t == b"text/plain"
            and (cut_param(e.type_params, b"format") or b"").lower() == b"flowed"
            and (cut_param(e.type_params, b"delsp") or b"").lower() == b"yes"
        ):
            text = flowed(text)
        text, cut = cut_text(text, CUT_TEXT)
        long = long or cut
        origin = e.encoding.decode("latin-1"), t.decode("latin-1")
        add(e.number, field, "", text, origin)
        left = CUT_TEXT - len(text.encode("utf-8", "replace"))
        for value in extra:
            left -= len(value.encode("utf-8", "replace"))
            if left < 0:
                long = True
                break
            add(e.number, field, "", value, origin)
        if long:
            notes.append((e.number, "too long", ""))
    return Result(values, notes, unknown, origins, parts)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as f:
            result = mail_values(f.read())
        for v in result.values:
            print(v.field, v.mark, repr(v.text[:300]))
        print(result.not_searchable, result.unknown_guesses)
