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


_NOT_B64 = bytes(c for c in range(256) if c not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def base64_decode(data):
    data = data.translate(None, _NOT_B64).split(b"=", 1)[0]
    left = len(data) % 4
    if left == 1:
        data = data[:-1]
    elif left:
        data += b"=" * (4 - left)
    return binascii.a2b_base64(data)


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
