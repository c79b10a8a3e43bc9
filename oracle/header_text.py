"""Text of header values (T3) and addresses (T4) of docs/TEXT.md."""

import re

from charset import decode_text, is_utf8, label_encoding
from transfer import base64_decode, qp_escapes

HEAD = re.compile(r"=\?([!->@-~]+)\?([bBqQ])\?")
_END = re.compile(r"\?=|=\?[!->@-~]+\?[bBqQ]\?|[\x00-\x08\x0a-\x1f\x7f]|\Z")
_STOP = re.compile(r"[ \t\"<>]")
_WHITE_ONLY = re.compile(r"[ \t\r\n]*\Z")
_HALF_ESCAPE = re.compile(r"=.?\Z", re.S)


class Word:
    """T3.2: an encoded word of a text."""

    def __init__(self, head, text, end, cut_off):
        self.label = head.group(1).split("*", 1)[0]
        self.q = head.group(2) in "qQ"
        self.text = text
        self.begin = head.start()
        self.end = end
        self.cut_off = cut_off


def word_at(text, at):
    """The encoded word that begins at a place, or None."""
    head = HEAD.match(text, at)
    if not head:
        return None
    stop = _END.search(text, head.end())
    if stop.group() == "?=":
        return Word(head, text[head.end() : stop.start()], stop.end(), False)
    inner = text[head.end() : stop.start()]
    m = _STOP.search(inner)
    inner = inner[: m.start()] if m else inner
    end = head.end() + len(inner)
    inner = inner[:-1] if inner.endswith("?") else inner
    word = Word(head, inner, end, True)
    # "\0\0" so that no rule about NUL bytes discards the label.
    return word if inner and label_encoding(word.label, b"\0\0") is not None else None


def instead_of_guess(data):
    """T3.3."""
    return lambda: "utf-8" if is_utf8(data) else "windows-1252"


def decode_bytes(data, label):
    return decode_text(data, label, instead_of_guess(data))


class Row:
    """T3.3 and T3.4: a row of words with one label."""

    def __init__(self, label):
        self.label = label
        self.pieces = []
        self.written = []

    def is_utf8(self):
        return label_encoding(self.label, b"") == "utf-8"

    def no_decoder(self):
        return label_encoding(self.label, b"") == "replacement"

    def add(self, word, written, out):
        data = b""
        if not word.q:
            data = base64_decode(word.text.encode("utf-8"))
        else:
            text = word.text
            while not text.isascii() and not self.no_decoder():
                at = next(i for i, c in enumerate(text) if ord(c) > 0x7F)
                self.pieces.append(self.quoted(text[:at]))
                self.end(out)
                out.append(text[at])
                text = text[at + 1 :]
            data = self.quoted(_HALF_ESCAPE.sub("", text[-2:]).join((text[:-2], "")) if word.cut_off else text)
        if word.cut_off and self.is_utf8():
            whole = b"".join(self.pieces) + data
            for length in (1, 2, 3):
                try:
                    whole[-length:].decode("utf-8")
                except UnicodeDecodeError as e:
                    if e.reason == "unexpected end of data" and e.start == 0 and length <= len(whole):
                        self.pieces, data = [], whole[:-length]
                        break
        self.pieces.append(data)
        self.written.append(written)

    @staticmethod
    def quoted(text):
        return qp_escapes(text.encode("utf-8").replace(b"_", b" "))

    def end(self, out):
        joined = b"".join(self.pieces)
        if joined:
            text, replaced = decode_bytes(joined, self.label)
            if replaced is not None:
                text = "".join(self.written)
            elif "\ufffd" in text and len(self.pieces) > 1 and not self.is_utf8():
                alone = [decode_bytes(piece, self.label) for piece in self.pieces]
                if all(r is None for _, r in alone):
                    alone = "".join(t for t, _ in alone)
                    if alone.count("\ufffd") < text.count("\ufffd"):
                        text = alone
            out.append(text)
        self.pieces = []
        self.written = []


def decode_words(text):
    """T3.2 to T3.5."""
    if "=?" not in text:
        return text
    out = []
    row = None
    done = at = 0
    while True:
        at = text.find("=?", at)
        if at < 0:
            break
        word = word_at(text, at)
        if word is None:
            at += 1
            continue
        between = text[done:at]
        if row is None or not _WHITE_ONLY.match(between):
            if row:
                row.end(out)
            out.append(between)
            row = Row(word.label)
        elif row.label.lower() != word.label.lower():
            row.end(out)
            row = Row(word.label)
        row.label = word.label
        row.add(word, text[word.begin : word.end], out)
        done = at = word.end
    if row:
        row.end(out)
    out.append(text[done:])
    return "".join(out)


# -------------------------------------------------------------------------------------------------------- T4: addresses

_STRIP_WHITE = str.maketrans("", "", " \t\r\n")
_PLAIN = re.compile(r"[^ \t\r\n\"(<,;:@=]+")


def address_values(text, sender=False):
    """T4.3 to T4.8: [(mark, text)] of one header value."""
    return [value for _, values in address_entries(text, sender) for value in values]


class Entry:
    """T4.4: undecoded at first."""

    def __init__(self, group, angle, name, addresses, comments):
        self.group = group
        self.angle = angle
        self.name = name
        self.addresses = addresses
        self.comments = comments

    def decoded(self):
        return Entry(
            self.group, self.angle, decode_words(self.name), [decode_words(a) for a in self.addresses], [decode_words(c) for c in self.comments]
        )

    def values(self):
        out = [("name", self.name)]
        for address in self.addresses:
            if address:
                out.append(("address", address))
                out.extend(("address", form) for form in international(address))
        out.extend(("name", comment) for comment in self.comments)
        return [(mark, text) for mark, text in out if text]


def address_entries(text, sender=False):
    """The same by entry: (whether it is the name of a group, its values)."""
    entries = [after for entry in raw_entries(text) for after in read_anew(entry)]
    if (
        sender
        and len(entries) > 1
        and entries[-1].angle
        and entries[-1].addresses
        and all(e.name and not e.group and not e.addresses for e in entries[:-1])
    ):
        last = entries[-1]
        name = ", ".join(e.name for e in entries if e.name)
        entries = [Entry(False, True, name, last.addresses, [c for e in entries for c in e.comments])]
    return [(e.group, e.values()) for e in entries if e.values()]


def read_anew(entry):
    """T4.7."""
    if not entry.group and not entry.addresses and "=?" in entry.name:
        name = decode_words(entry.name)
        if "@" in name:
            again = raw_entries(name)
            if any(all(a.partition("@")[::2]) for e in again for a in e.addresses):
                again[-1].comments.extend(entry.comments)
                return [e.decoded() for e in again]
    return [entry.decoded()]


def spoken(words):
    """T4.4: the address, or None."""
    if len(words) != 3 or words[1].translate(_ASCII_LOWER) != "at":
        return None
    labels = words[2].split(".")
    return f"{words[0]}@{words[2]}" if len(labels) > 1 and all(labels) else None


def angle_address(angle):
    """T4.4.1."""
    words = [w for w in re.split("[ \t\r\n]", angle) if w]
    address = spoken(words)
    if address:
        return address
    angle = angle.translate(_STRIP_WHITE)
    if angle[:7].translate(_ASCII_LOWER) == "mailto:":
        return angle[7:].split("?", 1)[0]
    if angle.startswith("@") and ":" in angle:
        return angle.split(":", 1)[1]
    return angle


def raw_entries(text):
    """T4.3 and T4.4."""
    entries = []
    tokens = []
    current = []
    marked = False
    comments = []
    angle = None

    def end_token():
        nonlocal current, marked
        word = "".join(current)
        if word:
            tokens.append((word, marked))
        current = []
        marked = False

    def add(group, angle, name, addresses):
        kept = [c for c in comments if c]
        if name or addresses or kept:
            entries.append(Entry(group, angle, name, addresses, kept))

    def end_entry():
        nonlocal tokens, comments, angle
        end_token()
        if angle is not None:
            address = angle_address(angle)
            add(False, True, " ".join(t for t, _ in tokens), [address] if address else [])
        else:
            address = None if any(m for _, m in tokens) else spoken([t for t, _ in tokens])
            if address:
                add(False, False, "", [address])
            else:
                marks = [t[:-1] if t.endswith("]") and "[" not in t else t for t, m in tokens if m]
                add(False, False, " ".join(t for t, m in tokens if not m), marks)
        tokens, comments, angle = [], [], None

    at, n = 0, len(text)
    while at < n:
        c = text[at]
        if c == "=":
            m = word_at(text, at)
            if m:
                current.append(text[at : m.end])
                at = m.end
                continue
        if c == '"':
            at += 1
            while at < n and text[at] != '"':
                m = word_at(text, at) if text[at] == "=" else None
                if m:
                    current.append(text[at : m.end])
                    at = m.end
                    continue
                if text[at] == "\\" and at + 1 < n:
                    at += 1
                current.append(text[at])
                at += 1
            at += 1
        elif c == "(":
            end_token()
            at += 1
            depth = 1
            comment = []
            while at < n:
                m = word_at(text, at) if text[at] == "=" else None
                if m:
                    comment.append(text[at : m.end])
                    at = m.end
                    continue
                d = text[at]
                if d == "\\" and at + 1 < n:
                    at += 1
                    comment.append(text[at])
                    at += 1
                    continue
                at += 1
                if d == "(":
                    depth += 1
                elif d == ")":
                    depth -= 1
                    if depth == 0:
                        break
                comment.append(d)
            comments.append("".join(comment))
        elif c == "<":
            end_token()
            if angle is not None:
                end_entry()
            stop = text.find(">", at + 1)
            stop = n if stop < 0 else stop
            angle = text[at + 1 : stop]
            at = stop + 1
        elif c in ",;":
            end_entry()
            at += 1
        elif c == ":":
            if "".join(current).translate(_ASCII_LOWER) in ("mailto", "[mailto"):
                current = []
            elif angle is not None:
                end_entry()
            else:
                end_token()
                add(True, False, " ".join(t for t, _ in tokens), [])
                tokens, comments = [], []
            at += 1
        elif c in " \t\r\n":
            end_token()
            at += 1
        else:
            if c == "@":
                marked = True
                current.append(c)
                at += 1
            else:
                m = _PLAIN.match(text, at)
                if m:
                    current.append(m.group())
                    at = m.end()
                else:
                    current.append(c)
                    at += 1
    end_entry()
    return entries


def punycode_decode(text):
    """RFC 3492, section 6.2; None if it cannot be decoded."""
    if not text.isascii():
        return None
    basic, dash, extended = text.rpartition("-")
    if not dash:
        basic, extended = "", text
    out = [ord(c) for c in basic]
    n, i, bias = 128, 0, 72
    at = 0
    while at < len(extended):
        old, weight, k = i, 1, 36
        while True:
            if at >= len(extended):
                return None
            c = extended[at]
            at += 1
            if "a" <= c <= "z":
                digit = ord(c) - 97
            elif "0" <= c <= "9":
                digit = ord(c) - 22
            else:
                return None
            i += digit * weight
            if i > 0xFFFFFFFF:
                return None
            t = 1 if k <= bias else 26 if k >= bias + 26 else k - bias
            if digit < t:
                break
            weight *= 36 - t
            if weight > 0xFFFFFFFF:
                return None
            k += 36
        bias = _adapt(i - old, len(out) + 1, old == 0)
        n += i // (len(out) + 1)
        i %= len(out) + 1
        if n > 0x10FFFF or 0xD800 <= n <= 0xDFFF:
            return None
        out.insert(i, n)
        i += 1
    return "".join(map(chr, out))


def _adapt(delta, count, first):
    delta = delta // 700 if first else delta // 2
    delta += delta // count
    k = 0
    while delta > 455:
        delta //= 35
        k += 36
    return k + 36 * delta // (delta + 38)


def international(address):
    """T4.6: the further forms of an address."""
    at = address.rfind("@")
    if at < 0:
        return []
    local, labels = address[: at + 1], address[at + 1 :].split(".")
    unicode_form, ascii_form = [], []
    for label in labels:
        u = a = label
        if len(label) <= 63:
            if label[:4].translate(_ASCII_LOWER) == "xn--":
                decoded = punycode_decode(label[4:].translate(_ASCII_LOWER))
                if decoded is not None:
                    u = decoded
            if not label.isascii():
                a = "xn--" + label.lower().encode("punycode").decode("ascii")
        unicode_form.append(u)
        ascii_form.append(a)
    return [local + ".".join(form) for form in (unicode_form, ascii_form) if form != labels]


_ASCII_LOWER = {c: c + 32 for c in range(65, 91)}
