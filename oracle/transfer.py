"""Lines (T2.1) and transfer decoding (T6) of docs/TEXT.md."""

import binascii
import re


def line_spans(data, cr, at, end):
    """(begin, end without line end, end with line end) of every line."""
    mark = b"\r" if cr else b"\n"
    find = data.find
    while at < end:
        stop = find(mark, at, end)
        if stop < 0:
            yield at, end, end
            return
        inner = stop
        if not cr and stop > at and data[stop - 1] == 13:
            inner -= 1
        yield at, inner, stop + 1
        at = stop + 1


_B64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_B64 = bytes(c for c in range(256) if c not in _B64)
_LOOK = 1024


def _groups(data):
    """What one sequence of characters gives."""
    left = len(data) % 4
    if left == 1:
        data = data[:-1]
    elif left:
        data += b"=" * (4 - left)
    return binascii.a2b_base64(data)


def base64_decode(data):
    """T6.3: pieces, each ended by padding, as long as what follows is base64 too."""
    out = []
    row = b""  # characters since the last `=`
    at = 0
    while True:
        equals = data.find(b"=", at)
        if equals < 0:
            row += data[at:].translate(None, _NOT_B64)
            break
        out.append(_groups(row + data[at:equals].translate(None, _NOT_B64)))
        row = b""
        at = equals
        ends_with_padding = True
        while ends_with_padding:
            begin = len(data) - len(data[at:].lstrip(b"= \t\r\n"))
            looked = data[begin : begin + _LOOK]
            line = re.split(rb"[\r\n]", looked, maxsplit=1)[0]
            text = line.rstrip(b" \t")
            if not text or text.strip(_B64 + b"=") or not (len(text) % 4 == 0 or len(line) == _LOOK):
                return b"".join(out)
            *ended, row = text.split(b"=")
            out.extend(map(_groups, ended))
            at = begin + len(line)
            ends_with_padding = text.endswith(b"=")
    out.append(_groups(row))
    return b"".join(out)


_QP = re.compile(rb"=([0-9A-Fa-f]{2})")


def qp_escapes(data):
    return _QP.sub(lambda m: bytes((int(m.group(1), 16),)), data)


def quoted_printable(data, cr):
    out = []
    for begin, inner, stop in line_spans(data, cr, 0, len(data)):
        line = data[begin:inner].rstrip(b" \t\r")
        soft = line.endswith(b"=")
        if soft:
            line = line[:-1]
        out.append(qp_escapes(line) if b"=" in line else line)
        if not soft and stop > inner:
            out.append(b"\n")
    return b"".join(out)


def transfer_decode(data, encoding, cr):
    if encoding == b"base64":
        return base64_decode(data)
    if encoding == b"quoted-printable":
        return quoted_printable(data, cr)
    return data
