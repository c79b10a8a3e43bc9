"""Text of header values (T3) and addresses (T4) of docs/TEXT.md."""

import re

from charset import decode_text
from transfer import base64_decode, qp_escapes

ENCODED_WORD = re.compile(r"=\?([!->@-~]+)\?([bBqQ])\?([ ->@-~]*)\?=")
_WHITE_ONLY = re.compile(r"[ \t\r\n]*\Z")


def word_bytes(encoding, text):
    raw = text.encode("ascii")
    if encoding in "qQ":
        return qp_escapes(raw.replace(b"_", b" "))
    return base64_decode(raw)


def windows_1252():
    return "windows-1252"


def decode_words(text):
    """T3.2 to T3.5."""
    if "=?" not in text:
        return text
    out = []
    run = None  # (label in lower case, label, bytes) of encoded words that may go on
    at = 0
    for m in ENCODED_WORD.finditer(text):
        between = text[at : m.start()]
        label = m.group(1).split("*", 1)[0]
        data = word_bytes(m.group(2), m.group(3))
        if run and _WHITE_ONLY.match(between):
            if run[0] == label.lower():
                run = run[0], run[1], run[2] + data
                at = m.end()
                continue
            out.append(decode_text(run[2], run[1], windows_1252)[0])
        else:
            if run:
                out.append(decode_text(run[2], run[1], windows_1252)[0])
            out.append(between)
        run = label.lower(), label, data
        at = m.end()
    if run:
        out.append(decode_text(run[2], run[1], windows_1252)[0])
    out.append(text[at:])
    return "".join(out)


# -------------------------------------------------------------------------------------------------------- T4: addresses

_STRIP_WHITE = str.maketrans("", "", " \t\r\n")
_PLAIN = re.compile(r"[^ \t\r\n\"(<,;:@=]+")


def address_values(text):
    """T4.3 to T4.6: [(mark, text)] of one header value."""
    return [value for _, values in address_entries(text) for value in values]


def address_entries(text):
    """The same by entry: (whether it is the name of a group, its values)."""
    entries = []
    out = []
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

    def cut(group):
        nonlocal out
        if out:
            entries.append((group, out))
        out = []

    def name(text):
        text = decode_words(text)
        if text:
            out.append(("name", text))

    def address(text):
        text = decode_words(text)
        if text:
            out.append(("address", text))
            out.extend(("address", t) for t in international(text))

    def end_entry():
        nonlocal tokens, comments, angle
        end_token()
        if angle is not None:
            addr = angle.translate(_STRIP_WHITE)
            if addr.startswith("@") and ":" in addr:
                addr = addr.split(":", 1)[1]
            name(" ".join(t for t, _ in tokens))
            if addr:
                address(addr)
        else:
            name(" ".join(t for t, m in tokens if not m))
            for t, m in tokens:
                if m:
                    address(t)
        for c in comments:
            name(c)
        tokens, comments, angle = [], [], None
        cut(False)

    at, n = 0, len(text)
    while at < n:
        c = text[at]
        if c == "=":
            m = ENCODED_WORD.match(text, at)
            if m:
                current.append(m.group())
                at = m.end()
                continue
        if c == '"':
            at += 1
            while at < n and text[at] != '"':
                m = ENCODED_WORD.match(text, at) if text[at] == "=" else None
                if m:
                    current.append(m.group())
                    at = m.end()
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
                m = ENCODED_WORD.match(text, at) if text[at] == "=" else None
                if m:
                    comment.append(m.group())
                    at = m.end()
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
            if angle is not None:
                end_entry()
            else:
                end_token()
                name(" ".join(t for t, _ in tokens))
                for comment in comments:
                    name(comment)
                tokens, comments = [], []
                cut(True)
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
    """RFC 3492, section 6.2; None where it cannot be decoded."""
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
