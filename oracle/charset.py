"""Bytes to characters as rule group T7 of docs/TEXT.md says.

The decoders are written from the algorithms of the WHATWG Encoding standard; their index tables and labels (of that standard),
and the Unicode tables, are in tables.json.gz.
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
SQUEEZED = {}
for _table, _rows in (
    (
        FALSE_LABELS,
        (
            ("uft-8 utf_8 utf8mb4 utf utf-8-purple", "utf-8"),
            ("_iso-2022-jp _iso-2022-jp$esc iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-ms", "iso-2022-jp"),
            ("eucgb2312_cn", "gbk"),
            ("iso-8858-15", "iso-8859-15"),
            ("unicodebig", "utf-16be"),
            ("utf-7 unicode-1-1-utf-7 x-utf-7", "utf-7"),
            ("hz-gb-2312", "hz"),
            ("iso-2022-kr csiso2022kr", "iso-2022-kr"),
        ),
    ),
    (
        SQUEEZED,
        (
            ("utf8mac macutf8", "utf-8"),
            ("shiftjis mskanji macjapanese", "shift_jis"),
            ("iso2022jp", "iso-2022-jp"),
            ("eucjp", "euc-jp"),
            ("euckr ksc56011987 mackorean", "euc-kr"),
            ("euccn gb231280 macchinesesimp", "gbk"),
            ("big5hkscs macchinesetrad", "big5"),
            ("macroman", "macintosh"),
            ("maccyrillic macukrainian macukraine", "x-mac-cyrillic"),
            ("koi8r", "koi8-r"),
            ("koi8u koi8ru", "koi8-u"),
            ("iso885916", "iso-8859-16"),
            ("utf16", "utf-16le"),
            ("utf7", "utf-7"),
            ("utf32 utf32be ucs4 ucs4be iso10646ucs4", "utf-32be"),
            ("utf32le ucs4le", "utf-32le"),
            ("hz hzgb2312", "hz"),
            ("iso2022kr", "iso-2022-kr"),
            ("iso646us isoir6", "no label"),
            ("macce maccenteuro maccentraleurope maccentraleurroman maclatin2", "python mac_latin2"),
            ("maccroatian", "python mac_croatian"),
            ("macgreek", "python mac_greek"),
            ("maciceland macicelandic", "python mac_iceland"),
            ("macromania macromanian", "python mac_romanian"),
            ("macturkish", "python mac_turkish"),
            (
                "viscii tcvn tcvn5712 tcvn57121 vps armscii8 georgianps georgianacademy geostd8 koi8t ptcp154 euctw johab iso2022cn iso2022cnext"
                " hproman8 nextstep tscii mulelao1 gb12345 scsu bocu1",
                "replacement",
            ),
        ),
    ),
):
    for _names, _is in _rows:
        for _n in _names.split():
            _table[_n] = _is
PAGES = {n: f"python cp{n}" for n in (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 869)}
for _numbers, _is in (
    ((866,), "ibm866"), ((932, 943, 10001), "shift_jis"), ((936, 1386, 10008, 20936, 51936), "gbk"), ((949, 1363, 10003, 51949), "euc-kr"),
    ((950, 10002), "big5"), ((1200,), "utf-16le"), ((1201,), "utf-16be"), ((12000,), "utf-32le"), ((12001,), "utf-32be"),
    ((10000,), "macintosh"), ((10007, 10017), "x-mac-cyrillic"), ((10006,), "python mac_greek"), ((10010,), "python mac_romanian"),
    ((10029,), "python mac_latin2"), ((10079,), "python mac_iceland"), ((10081,), "python mac_turkish"), ((10082,), "python mac_croatian"),
    ((20866,), "koi8-r"), ((21866,), "koi8-u"), ((20932, 51932), "euc-jp"), ((50220, 50221, 50222), "iso-2022-jp"), ((50225,), "iso-2022-kr"),
    ((52936,), "hz"), ((54936,), "gb18030"), ((819,), "windows-1252"), ((38598,), "iso-8859-8-i"), ((65000,), "utf-7"), ((65001,), "utf-8"),
    ((367, 20127), "no label"),
):  # fmt: skip
    for _n in _numbers:
        PAGES[_n] = _is
for _n in (874, *range(1250, 1259)):
    PAGES[_n] = LABELS[f"windows-{_n}"]
for _n in range(28591, 28607):
    if f"iso-8859-{_n - 28590}" in LABELS:
        PAGES[_n] = LABELS[f"iso-8859-{_n - 28590}"]
_NUMBERED = re.compile(r"(cp|ibm|dos|ms|msdos|oem|win|windows|codepage|ccsid|xcp)?([0-9]+)\Z")


def squeezed_encoding(label):
    """T7.2.1 to T7.2.3; None if the label is none of these."""
    enc = LABELS.get(label)
    if enc not in (None, "replacement"):
        return enc
    m = _NUMBERED.match(label)
    if m:
        return PAGES.get(int(m.group(2)), "replacement" if m.group(1) else None)
    if label in SQUEEZED:
        return SQUEEZED[label]
    return "replacement" if label.startswith(("mac", "ebcdic", "isoir", "iscii", "din66003", "adobe")) else None


BAD = "\ufffd"


def get_encoding(label):
    """WHATWG "get an encoding" (the label is stripped and lowercased); None if there is none."""
    return LABELS.get(_norm(label))


def _norm(label):
    return label.strip(" \t\r\n\f").translate(_LOWER)


_LOWER = {c: c + 32 for c in range(65, 91)}


MARKS = b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe"


def label_encoding(label, data):
    """T7.2: an encoding's name, 'replacement' for no decoder, or None for no label."""
    norm = label.strip(" \t\r\n\f").translate(_LOWER)
    if norm in NO_LABEL or len(norm.encode("utf-8", "replace")) > 40:
        return None
    enc = FALSE_LABELS.get(norm) or get_encoding(norm)
    if enc is None:
        squeezed = re.sub("[^a-z0-9]", "", norm)
        enc = squeezed_encoding(squeezed)
        if enc is None and squeezed.startswith(("cs", "x")):
            enc = squeezed_encoding(squeezed[2:] if squeezed.startswith("cs") else squeezed[1:])
        if enc == "no label":
            return None
    if enc and enc.startswith("utf-16") and not data.startswith(MARKS) and b"\0" not in data:
        return None
    if enc and enc.startswith("utf-32") and b"\0" not in data:
        return None
    return enc


_ESCAPES = re.compile(rb"\x1b(?:\x24[\x40\x42]|\x28\x4a)")
_OTHER_STATE = re.compile(rb"[\x0e\x0f\x1b\x80-\xff]")
MULTI_BYTE = "big5", "euc-jp", "shift_jis", "euc-kr", "gbk", "gb18030", "iso-2022-jp"



def decode_text(data, label, guess):
    """T7: (characters, label if there is no decoder or None). `guess` is called without arguments and returns a WHATWG name."""
    enc = label_encoding(label, data) if label is not None else None
    if enc in ("utf-32le", "utf-32be"):
        return _utf32(data, enc == "utf-32le"), None
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace"), None
    if data.startswith(b"\xfe\xff"):
        return decode("utf-16be", data[2:]), None
    if data.startswith(b"\xff\xfe"):
        return decode("utf-16le", data[2:]), None
    if enc == "replacement":
        return ("", label) if _OTHER_STATE.search(data) else (data.decode("ascii"), None)
    if enc is not None and lies(enc, data):
        if enc == "utf-8":
            enc = None
        else:
            return decode(get_encoding(guess()) or "windows-1252", data), None
    if enc is None:
        if data.isascii():
            enc = "iso-2022-jp" if _ESCAPES.search(data) else "utf-8"
        else:
            try:
                return data.decode("utf-8"), None
            except UnicodeDecodeError:
                enc = get_encoding(guess()) or "windows-1252"
    return decode(enc, data), None


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def lies(enc, data):
    """T7.10."""
    if data.isascii():
        return False
    if enc == "utf-8":
        text = data.decode("utf-8", "surrogateescape")
        if is_utf8(data):
            return False
        formed = sum(ord(c) > 0x7F and not 0xDC80 <= ord(c) <= 0xDCFF for c in text)
        malformed = data.decode("utf-8", "replace").count(BAD) - text.count(BAD)
        return malformed > formed
    if enc.startswith("utf-") or enc in ("hz", "iso-2022-kr") or not is_utf8(data):
        return False
    if enc in MULTI_BYTE:
        # The text itself has no U+FFFD: these charsets do not have it, except gb18030.
        return BAD in decode(enc, data) and (enc not in ("gbk", "gb18030") or BAD in decode(enc, data.replace(b"\x84\x31\xa4\x37", b"")))
    return enc != "windows-874" or any("\u0e00" <= c <= "\u0e7f" for c in data.decode("utf-8"))


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
        data = re.sub(rb"[^\r\n]+(?=[\r\n])", _in_ascii, data)
        return _iso2022jp(_EMPTY_ESCAPE.sub(b"", data))
    if enc == "hz":
        return _gb18030(_pairs(data, rb"~\{", rb"~\}", _HZ))
    if enc == "iso-2022-kr":
        return _euckr(_pairs(data, rb"\x0e", rb"\x0f", _KR))
    if enc.startswith("python "):
        return data.decode("ascii") if data.isascii() else "".join(map(_page(enc[7:]).__getitem__, data))
    if data.isascii():
        return data.decode("ascii")
    multi = {"big5": _big5, "euc-jp": _eucjp, "shift_jis": _shiftjis, "euc-kr": _euckr}.get(enc)
    if multi:
        return multi(data)
    return codecs.charmap_decode(data, "strict", _single(enc))[0]


_ESCAPE = re.compile(rb"\x1b(?:\([BJI]|\$[@B])")


def _in_ascii(line):
    """T7.7: a line that ends in ASCII."""
    last = _ESCAPE.findall(line[0])[-1:]
    return line[0] + b"\x1b(B" if last and last[0][1:] in (b"$@", b"$B", b"(I") else line[0]


_EMPTY_ESCAPE = re.compile(rb"\x1b(?:\([BJI]|\$[@B])(?=\x1b(?:\([BJI]|\$[@B]))")
_HZ = {b"~~": b"~", b"~\n": b"", b"~\r\n": b""}
_KR = {b"\x1b$)C": b""}


def _pairs(data, into, out_of, ascii_forms):
    """T7.8: the same in 8 bits; FF where there is no character."""
    into, out_of = re.compile(into), re.compile(out_of)
    out = bytearray()
    shifted = False
    lead = None
    at = 0
    hz = b"~~" in ascii_forms
    while at < len(data):
        b = data[at]
        m = (into.match(data, at) or out_of.match(data, at)) if lead is None or not hz else None
        if m:
            if lead is not None:
                out.append(0xFF)
                lead = None
            shifted = bool(into.match(data, at))
            at = m.end()
            continue
        form = next((f for f in ascii_forms if data.startswith(f, at)), None) if not (hz and shifted) else None
        if form is not None:
            out += ascii_forms[form]
            at += len(form)
            continue
        at += 1
        if shifted and 0x21 <= b <= 0x7E:
            if lead is None:
                lead = b
            else:
                out += bytes((lead | 0x80, b | 0x80))
                lead = None
            continue
        if lead is not None:
            out.append(0xFF)
            lead = None
        out.append(b if b < 0x80 else 0xFF)
        if b == 10:
            shifted = False
    if lead is not None:
        out.append(0xFF)
    return bytes(out)


def _utf32(data, little):
    """T7.9."""
    if data.startswith(b"\xff\xfe\0\0"):
        data, little = data[4:], True
    elif data.startswith(b"\0\0\xfe\xff"):
        data, little = data[4:], False
    out = []
    for i in range(0, len(data), 4):
        unit = data[i : i + 4]
        point = int.from_bytes(unit, "little" if little else "big")
        out.append(BAD if len(unit) < 4 or point > 0x10FFFF or 0xD800 <= point <= 0xDFFF else chr(point))
    return "".join(out)


@functools.lru_cache(None)
def _page(name):
    """A code page: ASCII below 0x80, U+FFFD for unassigned bytes."""
    return [chr(b) if b < 128 else bytes((b,)).decode(name, "replace") for b in range(256)]


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
        out.append(_units(units) + (BAD if count >= 6 or bits else ""))
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
                out.append(BAD)  # the end of input: one error, pending bytes are dropped
                break
            d = data[i + 1]
            if not 0x81 <= d <= 0xFE:
                out.append(BAD)  # the second and third byte are read again
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
                i -= 2  # the first byte of the escape is read again, and so is this one
                output = False
                state = output_state
                out.append(BAD)
    return "".join(out)
