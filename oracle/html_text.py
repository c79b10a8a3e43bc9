"""HTML to text as rule group T9 of docs/TEXT.md says: the tokens of the WHATWG HTML standard, no tree."""

import re
from html.entities import html5 as _NAMED

_LONGEST = max(map(len, _NAMED))
_C1 = {
    0x80: 0x20AC, 0x82: 0x201A, 0x83: 0x0192, 0x84: 0x201E, 0x85: 0x2026, 0x86: 0x2020, 0x87: 0x2021, 0x88: 0x02C6,
    0x89: 0x2030, 0x8A: 0x0160, 0x8B: 0x2039, 0x8C: 0x0152, 0x8E: 0x017D, 0x91: 0x2018, 0x92: 0x2019, 0x93: 0x201C,
    0x94: 0x201D, 0x95: 0x2022, 0x96: 0x2013, 0x97: 0x2014, 0x98: 0x02DC, 0x99: 0x2122, 0x9A: 0x0161, 0x9B: 0x203A,
    0x9C: 0x0153, 0x9E: 0x017E, 0x9F: 0x0178,
}  # fmt: skip
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_LOWER = {c: c + 32 for c in range(65, 91)}
_REF = re.compile(r"&(?:#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));?|([A-Za-z0-9]+;?))")

SEPARATORS = frozenset(
    """address article aside audio blockquote body br button canvas caption center col colgroup dd details dialog dir div dl dt
    embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input
    legend li link listing main map math menu meta nav noembed noframes noscript object ol optgroup option p param plaintext pre
    search section select summary svg table tbody td textarea tfoot th thead title tr ul video xmp""".split()
)


def references(text, in_attribute):
    """The text with its character references resolved."""
    if "&" not in text:
        return text

    def one(m):
        hexa, dec, name = m.groups()
        if name is None:
            digits = (hexa or dec).lstrip("0")
            n = 0 if not digits else (0x110000 if len(digits) > 8 else int(digits, 16 if hexa else 10))
            if n == 0 or n > 0x10FFFF or 0xD800 <= n <= 0xDFFF:
                return "\ufffd"
            return chr(_C1.get(n, n))
        for length in range(min(len(name), _LONGEST), 0, -1):
            found = _NAMED.get(name[:length])
            if found is not None:
                break
        else:
            return m.group(0)
        rest = name[length:]
        if in_attribute and name[length - 1] != ";":
            following = rest[:1] or text[m.end() : m.end() + 1]
            if following == "=" or following in _ALNUM:
                return m.group(0)
        return found + rest

    return _REF.sub(one, text)


_TAG_NAME = re.compile(r"[^\t\n\f />]*")
_SKIP = re.compile(r"[\t\n\f /]*")
_ATTR_NAME = re.compile(r"=?[^\t\n\f />=]*")
_BLANKS = re.compile(r"[\t\n\f ]*")
_UNQUOTED = re.compile(r"[^\t\n\f >]*")
_COMMENT_END = re.compile(r"--!?>")


def _attributes(html, at):
    """Reads on after a tag's name: (attributes in order, place after '>'), or None if the input ends in the tag."""
    attributes = []
    seen = set()
    n = len(html)
    while True:
        at = _SKIP.match(html, at).end()
        if at >= n:
            return None
        if html[at] == ">":
            return attributes, at + 1
        m = _ATTR_NAME.match(html, at)
        name = m.group().translate(_LOWER)
        at = _BLANKS.match(html, m.end()).end()
        value = ""
        if at < n and html[at] == "=":
            at = _BLANKS.match(html, at + 1).end()
            if at >= n:
                return None
            quote = html[at]
            if quote in "\"'":
                end = html.find(quote, at + 1)
                if end < 0:
                    return None
                value = html[at + 1 : end]
                at = end + 1
            elif quote != ">":
                m = _UNQUOTED.match(html, at)
                value = m.group()
                at = m.end()
        if name not in seen:
            seen.add(name)
            attributes.append((name, references(value.replace("\0", "\ufffd"), True)))


_SCRIPT = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f />])", re.I | re.A)


def _script_end(html, at):
    """The place of the `</script` that ends script data, or -1."""
    state = "data"
    while True:
        m = _SCRIPT.search(html, at)
        if not m:
            return -1
        text = m.group()
        at = m.end()
        if text == "<!--":
            if state == "data":
                state = "escaped"
                at = m.start() + 2  # its dashes also count for `-->`
        elif text == "-->":
            state = "data"
        elif m.group(1):
            if state != "double":
                return m.start()
            state = "escaped"
        elif state == "escaped":
            state = "double"
        # In plain script data `<script` is text; so is `<!--` in the escaped states.


def tokens(html):
    """Yields ('text', text), ('start', name, attributes), ('end', name, attributes)."""
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    n = len(html)
    at = 0
    while at < n:
        lt = html.find("<", at)
        if lt < 0:
            yield "text", references(html[at:], False)
            return
        if lt > at:
            yield "text", references(html[at:lt], False)
        nxt = html[lt + 1 : lt + 2]
        if nxt.isascii() and nxt.isalpha():
            kind, name_at = "start", lt + 1
        elif nxt == "/":
            c = html[lt + 2 : lt + 3]
            if c.isascii() and c.isalpha():
                kind, name_at = "end", lt + 2
            elif c == ">":
                at = lt + 3
                continue
            elif c == "":
                yield "text", "</"
                return
            else:
                at = _bogus(html, lt + 2)
                continue
        elif nxt == "!":
            if html.startswith("--", lt + 2):
                at = _comment(html, lt + 4)
            else:
                at = _bogus(html, lt + 2)  # doctypes and CDATA too: both end at the first `>`
            continue
        elif nxt == "?":
            at = _bogus(html, lt + 1)
            continue
        else:
            yield "text", "<"
            at = lt + 1
            continue
        m = _TAG_NAME.match(html, name_at)
        name = m.group().translate(_LOWER).replace("\0", "\ufffd")
        rest = _attributes(html, m.end())
        if rest is None:
            return
        attributes, at = rest
        yield kind, name, attributes
        if kind == "end":
            continue
        if name == "plaintext":
            yield "text", html[at:].replace("\0", "\ufffd")
            return
        if name in ("title", "textarea", "style", "xmp", "script"):
            end = _script_end(html, at) if name == "script" else _raw_end(html, at, name)
            raw = html[at:] if end < 0 else html[at:end]
            raw = raw.replace("\0", "\ufffd")
            if name in ("title", "textarea"):
                raw = references(raw, False)
            if raw:
                yield "text", raw
            if end < 0:
                return
            rest = _attributes(html, end + 2 + len(name))
            if rest is None:
                return
            attributes, at = rest
            yield "end", name, attributes


def _raw_end(html, at, name):
    m = re.compile("</" + name + r"(?=[\t\n\f />])", re.I | re.A).search(html, at)
    return m.start() if m else -1


def _bogus(html, at):
    end = html.find(">", at)
    return len(html) if end < 0 else end + 1


def _comment(html, at):
    if html.startswith(">", at):
        return at + 1
    if html.startswith("->", at):
        return at + 2
    m = _COMMENT_END.search(html, at)
    return m.end() if m else len(html)


def html_text(html):
    """(text, [alt and title values]) of an HTML leaf."""
    out = []
    values = []
    template = 0
    dropped = None  # the name of the open script or style
    for token in tokens(html):
        kind = token[0]
        if kind == "text":
            if template == 0 and dropped is None:
                out.append(token[1])
            continue
        _, name, attributes = token
        if kind == "start":
            if name in ("script", "style"):
                dropped = name
            if template == 0:
                if name in SEPARATORS:
                    out.append("\n")
                values += [v for a, v in attributes if a in ("alt", "title") and v]
            if name == "template":
                template += 1
        else:
            if name == dropped:
                dropped = None
            if name == "template":
                template = max(0, template - 1)
            if template == 0 and name in SEPARATORS:
                out.append("\n")
    return "".join(out), values
