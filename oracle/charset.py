"""Bytes to characters as rule group T7 of docs/TEXT.md says.

The decoders are written from the algorithms of the WHATWG Encoding standard; their index tables and labels (of that standard),
and the Unicode tables, lie in tables.json.gz.
"""

import codecs
import functools
import gzip
import json
import os
import re

with gzip.open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables.json.gz")) as _f:
    TABLES = json.load(_f)
LABELS = TABLES["labels"]
INDEX = TABLES["indexes"]

NO_LABEL = set(
    "us-ascii ascii ansi_x3.4-1968 unknown unknown-8bit x-unknown default default_charset none binary 7bit 8bit charset".split()
) | {""}
FALSE_LABELS = {}
for _names, _is in (
    ("uft-8 utf_8 utf8mb4 utf utf-8-purple", "utf-8"),
    ("_iso-2022-jp _iso-2022-jp$esc iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 cp50220", "iso-2022-jp"),
    ("shift-jis cp932", "shift_jis"),
    ("eucgb2312_cn cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("koi8_r", "koi8-r"),
    ("iso-8858-15", "iso-8859-15"),
    ("unicodebig", "utf-16be"),
    ("utf-7 unicode-1-1-utf-7 x-utf-7", "utf-7"),
):
    for _n in _names.split():
        FALSE_LABELS[_n] = _is

BAD = "\ufffd"


def get_encoding(label):
    """WHATWG "get an encoding" (the label is stripped and lowercased); None if it is none."""
    return LABELS.get(_norm(label))


def _norm(label):
    return label.strip(" \t\r\n\f").translate(_LOWER)


_LOWER = {c: c + 32 for c in range(65, 91)}


def label_encoding(label, data):
    """T7.2: an encoding's name, 'replacement', or None for no label."""
    norm = label.strip(" \t\r\n").translate(_LOWER)
    if norm in NO_LABEL:
        return None
    enc = FALSE_LABELS.get(norm) or get_encoding(norm)
    if enc in ("utf-16le", "utf-16be"):
        if not data.startswith((b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")) and b"\0" not in data:
            return None
    return enc


_ESCAPES = re.compile(rb"\x1b(?:\x24[\x40\x42]|\x28\x4a)")


_ESCAPE = rb"\x1b(?:\x24[\x40\x42]|\x28[\x42\x49\x4a])"
_IDLE = re.compile(_ESCAPE + rb"(?=" + _ESCAPE + rb")")


def decode_text(data, label, guess):
    """T7: (characters, replacement label or None). `guess` is called without arguments and gives a WHATWG name."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace"), None
    if data.startswith(b"\xfe\xff"):
        return decode("utf-16be", data[2:]), None
    if data.startswith(b"\xff\xfe"):
        return decode("utf-16le", data[2:]), None
    enc = label_encoding(label, data) if label is not None else None
    if enc == "replacement":
        return "", label
    if enc is None:
        if data.isascii():
            enc = "iso-2022-jp" if _ESCAPES.search(data) else "utf-8"
        else:
            try:
                return data.decode("utf-8"), None
            except UnicodeDecodeError:
                enc = get_encoding(guess()) or "windows-1252"
    return decode(enc, data), None


def decode(enc, data):
    """The decoder of a WHATWG encoding (or 'utf-7'), with error mode "replacement"."""
    if enc == "utf-8":
        return data.decode("utf-8", "replace")
    if enc == "replacement":
        return BAD if data else ""
    if enc == "utf-7":
        return _utf7(data)
    if enc in ("utf-16le", "utf-16be"):
        return _utf16(data, enc.endswith("le"))
    if enc == "x-user-defined":
        return "".join(chr(b) if b < 128 else chr(0xF780 + b - 0x80) for b in data)
    if enc in ("gbk", "gb18030"):
        return _gb18030(data)
    if enc == "iso-2022-jp":
        return _iso2022jp(_IDLE.sub(b"", data))
    if data.isascii():
        return data.decode("ascii")
    multi = {"big5": _big5, "euc-jp": _eucjp, "shift_jis": _shiftjis, "euc-kr": _euckr}.get(enc)
    if multi:
        return multi(data)
    return codecs.charmap_decode(data, "strict", _single(enc))[0]


@functools.lru_cache(None)
def _single(enc):
    if enc == "iso-8859-8-i":
        enc = "iso-8859-8"
    table = INDEX[enc]
    return "".join(map(chr, range(128))) + "".join(BAD if c is None else chr(c) for c in table)


def _utf16(data, little):
    order = "little" if little else "big"
    units = [int.from_bytes(data[i : i + 2], order) for i in range(0, len(data) - 1, 2)]
    text = _units(units)
    # At the end one error covers a lead surrogate and an odd byte that wait together.
    if len(data) % 2 and not (units and 0xD800 <= units[-1] <= 0xDBFF):
        text += BAD
    return text


def _units(units):
    out = []
    lead = None
    for u in units:
        if lead is not None:
            if 0xDC00 <= u <= 0xDFFF:
                out.append(chr(0x10000 + ((lead - 0xD800) << 10) + (u - 0xDC00)))
                lead = None
                continue
            out.append(BAD)
            lead = None
        if 0xD800 <= u <= 0xDBFF:
            lead = u
        elif 0xDC00 <= u <= 0xDFFF:
            out.append(BAD)
        else:
            out.append(chr(u))
    if lead is not None:
        out.append(BAD)
    return "".join(out)


_B64 = {c: i for i, c in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_UTF7 = re.compile(rb"\+([A-Za-z0-9+/]*)(-?)")


def _utf7(data):
    out = []
    at = 0
    plain = lambda b: "".join(chr(c) if c < 128 else BAD for c in b)
    for m in _UTF7.finditer(data):
        out.append(plain(data[at : m.start()]))
        at = m.end()
        run, minus = m.groups()
        if not run:
            # `+-` is `+`; a lone `+` begins an empty run.
            out.append("+" if minus else "")
            continue
        bits = 0
        count = 0
        units = []
        for c in run:
            bits = (bits << 6) | _B64[c]
            count += 6
            if count >= 16:
                count -= 16
                units.append(bits >> count)
                bits &= (1 << count) - 1
        out.append(_units(units))
    out.append(plain(data[at:]))
    return "".join(out)


def _gb_ranges(pointer):
    if 39419 < pointer < 189000 or pointer > 1237575:
        return None
    if pointer == 7457:
        return 0xE7C7
    offset = point = 0
    for o, c in INDEX["gb18030-ranges"]:
        if o <= pointer:
            offset, point = o, c
    return point + pointer - offset


def _gb18030(data):
    out = []
    index = INDEX["gb18030"]
    i, n = 0, len(data)
    while i < n:
        b = data[i]
        i += 1
        if b < 0x80:
            out.append(chr(b))
            continue
        if b == 0x80:
            out.append("\u20ac")
            continue
        if b == 0xFF:
            out.append(BAD)
            continue
        if i >= n:
            out.append(BAD)
            break
        c = data[i]
        if 0x30 <= c <= 0x39:
            if i + 1 >= n:
                out.append(BAD)  # the end of input: one error, what waits is dropped
                break
            d = data[i + 1]
            if not 0x81 <= d <= 0xFE:
                out.append(BAD)  # second and third are taken again
                continue
            if i + 2 >= n:
                out.append(BAD)
                break
            e = data[i + 2]
            if not 0x30 <= e <= 0x39:
                out.append(BAD)
                continue
            p = ((b - 0x81) * 10 * 126 * 10) + ((c - 0x30) * 10 * 126) + (d - 0x81) * 10 + e - 0x30
            point = _gb_ranges(p)
            i += 3
            out.append(BAD if point is None else chr(point))
            continue
        off = 0x40 if c < 0x7F else 0x41
        point = None
        if 0x40 <= c <= 0x7E or 0x80 <= c <= 0xFE:
            p = (b - 0x81) * 190 + (c - off)
            point = index[p] if p < len(index) else None
        if point is None:
            out.append(BAD)
            if c >= 0x80:
                i += 1
        else:
            out.append(chr(point))
            i += 1
    return "".join(out)


def _big5(data):
    out = []
    index = INDEX["big5"]
    special = {1133: "\u00ca\u0304", 1135: "\u00ca\u030c", 1164: "\u00ea\u0304", 1166: "\u00ea\u030c"}
    i, n = 0, len(data)
    while i < n:
        b = data[i]
        i += 1
        if b < 0x80:
            out.append(chr(b))
        elif not 0x81 <= b <= 0xFE:
            out.append(BAD)
        elif i >= n:
            out.append(BAD)
        else:
            c = data[i]
            point = None
            p = None
            if 0x40 <= c <= 0x7E or 0xA1 <= c <= 0xFE:
                p = (b - 0x81) * 157 + (c - (0x40 if c < 0x7F else 0x62))
            if p in special:
                out.append(special[p])
                i += 1
                continue
            if p is not None and p < len(index):
                point = index[p]
            if point is None:
                out.append(BAD)
                if c >= 0x80:
                    i += 1
            else:
                out.append(chr(point))
                i += 1
    return "".join(out)


def _euckr(data):
    out = []
    index = INDEX["euc-kr"]
    i, n = 0, len(data)
    while i < n:
        b = data[i]
        i += 1
        if b < 0x80:
            out.append(chr(b))
        elif not 0x81 <= b <= 0xFE or i >= n:
            out.append(BAD)
        else:
            c = data[i]
            point = None
            if 0x41 <= c <= 0xFE:
                p = (b - 0x81) * 190 + (c - 0x41)
                point = index[p] if p < len(index) else None
            if point is None:
                out.append(BAD)
                if c >= 0x80:
                    i += 1
            else:
                out.append(chr(point))
                i += 1
    return "".join(out)


def _shiftjis(data):
    out = []
    index = INDEX["jis0208"]
    i, n = 0, len(data)
    while i < n:
        b = data[i]
        i += 1
        if b <= 0x80:
            out.append(chr(b))
        elif 0xA1 <= b <= 0xDF:
            out.append(chr(0xFF61 - 0xA1 + b))
        elif not (0x81 <= b <= 0x9F or 0xE0 <= b <= 0xFC) or i >= n:
            out.append(BAD)
        else:
            c = data[i]
            point = None
            if 0x40 <= c <= 0x7E or 0x80 <= c <= 0xFC:
                p = (b - (0x81 if b < 0xA0 else 0xC1)) * 188 + c - (0x40 if c < 0x7F else 0x41)
                if 8836 <= p <= 10715:
                    point = 0xE000 - 8836 + p
                else:
                    point = index[p] if p < len(index) else None
            if point is None:
                out.append(BAD)
                if c >= 0x80:
                    i += 1
            else:
                out.append(chr(point))
                i += 1
    return "".join(out)


def _eucjp(data):
    out = []
    i, n = 0, len(data)
    lead = 0
    jis0212 = False
    while i < n:
        b = data[i]
        i += 1
        if lead == 0x8E and 0xA1 <= b <= 0xDF:
            lead = 0
            out.append(chr(0xFF61 - 0xA1 + b))
        elif lead == 0x8F and 0xA1 <= b <= 0xFE:
            jis0212 = True
            lead = b
        elif lead:
            point = None
            if 0xA1 <= lead <= 0xFE and 0xA1 <= b <= 0xFE:
                table = INDEX["jis0212" if jis0212 else "jis0208"]
                p = (lead - 0xA1) * 94 + b - 0xA1
                point = table[p] if p < len(table) else None
            lead = 0
            jis0212 = False
            if point is not None:
                out.append(chr(point))
            else:
                if b < 0x80:
                    i -= 1
                out.append(BAD)
        elif b < 0x80:
            out.append(chr(b))
        elif b in (0x8E, 0x8F) or 0xA1 <= b <= 0xFE:
            lead = b
        else:
            out.append(BAD)
    if lead:
        out.append(BAD)
    return "".join(out)


def _iso2022jp(data):
    out = []
    index = INDEX["jis0208"]
    katakana = INDEX["iso-2022-jp-katakana"]
    state = output_state = "ascii"
    lead = 0
    output = False
    i, n = 0, len(data)
    while True:
        b = data[i] if i < n else None
        i += 1
        if state in ("ascii", "roman"):
            if b == 0x1B:
                state = "escape start"
            elif b is None:
                break
            elif b in (0x0E, 0x0F) or b > 0x7F:
                output = False
                out.append(BAD)
            else:
                output = False
                if state == "roman" and b == 0x5C:
                    out.append("\u00a5")
                elif state == "roman" and b == 0x7E:
                    out.append("\u203e")
                else:
                    out.append(chr(b))
        elif state == "katakana":
            if b == 0x1B:
                state = "escape start"
            elif b is None:
                break
            elif 0x21 <= b <= 0x5F:
                output = False
                out.append(chr(0xFF61 - 0x21 + b))
            else:
                output = False
                out.append(BAD)
        elif state == "lead":
            if b == 0x1B:
                state = "escape start"
            elif b is None:
                break
            elif 0x21 <= b <= 0x7E:
                output = False
                lead = b
                state = "trail"
            else:
                output = False
                out.append(BAD)
        elif state == "trail":
            if b == 0x1B:
                state = "escape start"
                out.append(BAD)
            elif b is not None and 0x21 <= b <= 0x7E:
                state = "lead"
                p = (lead - 0x21) * 94 + b - 0x21
                point = index[p] if p < len(index) else None
                out.append(BAD if point is None else chr(point))
            elif b is None:
                state = "lead"
                i -= 1
                out.append(BAD)
            else:
                state = "lead"
                out.append(BAD)
        elif state == "escape start":
            if b in (0x24, 0x28):
                lead = b
                state = "escape"
            else:
                i -= 1
                output = False
                state = output_state
                out.append(BAD)
        elif state == "escape":
            was = lead
            lead = 0
            new = {
                (0x28, 0x42): "ascii",
                (0x28, 0x4A): "roman",
                (0x28, 0x49): "katakana",
                (0x24, 0x40): "lead",
                (0x24, 0x42): "lead",
            }.get((was, b))
            if new:
                state = output_state = new
                if output:
                    out.append(BAD)
                output = True
            else:
                i -= 2  # the first byte of the escape is taken again, and so is this one
                output = False
                state = output_state
                out.append(BAD)
    return "".join(out)
