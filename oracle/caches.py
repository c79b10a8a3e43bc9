"""The caches as far as texts, digests or numbers of mails stand in them: entries of the catalog (docs/FORMAT.md, section 12), keys and
documents of the index (docs/FORMAT-INDEX.md)."""

import struct
import zlib

from records import decompress

TERMS, BACKWARD, DOCUMENTS, COLUMNS, ORDER, DIRECTORY, FOOTER, BLOCKS, SORT_KEYS = 1, 2, 3, 5, 6, 7, 8, 9, 10
LONGEST_PAGE = 4 << 20


def varint(data, at):
    """(number, where it ends)"""
    out = shift = 0
    while True:
        byte = data[at]
        at += 1
        out |= (byte & 127) << shift
        if byte < 128:
            return out, at
        shift += 7


def varints(data, at=0, count=None):
    """(`count` numbers, where they end); without `count` all of `data`."""
    out = []
    while at < len(data) if count is None else len(out) < count:
        number, at = varint(data, at)
        out.append(number)
    return out, at


def signed(zigzag):
    return zigzag >> 1 ^ -(zigzag & 1)


def sums(gaps, before=0):
    out = []
    for gap in gaps:
        before += gap
        out.append(before)
    return out


def entries(page):
    """(key, value or None for a tombstone) of a page of the catalog."""
    at, key = 0, b""
    while at < len(page):
        shared, at = varint(page, at)
        own, at = varint(page, at)
        size, at = varint(page, at)
        if shared > len(key) or at + own + max(size - 1, 0) > len(page):
            raise ValueError("an entry of the catalog is cut short")
        key, at = key[:shared] + page[at : at + own], at + own
        yield key, page[at : at + size - 1] if size else None
        at += max(size - 1, 0)


# ------------------------------------------------------------------------------------------------------------------------ index


class Reader:
    """What a page has, one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self):
        number, self.at = varint(self.data, self.at)
        return number

    def numbers(self, count):
        numbers, self.at = varints(self.data, self.at, count)
        return numbers

    def block(self):
        size = self.number()
        self.at += size
        if self.at > len(self.data):
            raise ValueError("a block is cut short")
        return self.data[self.at - size : self.at]


def page(plain):
    """(kind, body) of a page of the index."""
    kind, version, codec, zero, length, crc = struct.unpack_from("<BBBBII", plain)
    body = plain[12:]
    if version != 1 or zero or crc != zlib.crc32(plain[:8] + body):
        raise ValueError(f"a page of version {version}, or its CRC is wrong")
    if codec == 2:
        body = decompress(body, LONGEST_PAGE)
    elif codec != 1:
        raise ValueError(f"a page of codec {codec}")
    if len(body) != length:
        raise ValueError(f"a page of {len(body)} bytes says {length}")
    return kind, body


def front_coded(reader, count):
    """Keys of which each shares bytes with the one before."""
    lengths, bytes_of = Reader(reader.block()), Reader(reader.block())
    out, key = [], b""
    for _ in range(count):
        shared = lengths.data[lengths.at]
        lengths.at += 1
        own = lengths.number()
        key = key[:shared] + bytes_of.data[bytes_of.at : bytes_of.at + own]
        bytes_of.at += own
        out.append(key)
    return out


def keys(kind, body):
    """The texts of a page: terms, sort keys, separators; backward keys are turned round."""
    reader = Reader(body)
    if kind == TERMS:
        reader.numbers(2)
        return front_coded(reader, reader.number())
    if kind == BACKWARD:
        return [key[:1] + key[:0:-1] for key in front_coded(reader, reader.number())]
    if kind == SORT_KEYS:
        return front_coded(reader, reader.number())
    if kind == BLOCKS:
        reader.numbers(reader.number())
        return transducer(reader.block())
    return []


def listed(kind, body):
    """The documents that a page of columns or of the order has."""
    reader = Reader(body)
    count = reader.number()
    if kind == ORDER:
        reader.block()
    return sums(map(signed, varints(reader.block())[0]) if kind == ORDER else varints(reader.block())[0]) if count else []


def postings(first, terms, stream):
    """(key, documents) of all terms of a segment: `first` is its first document, `terms` the bodies of its pages of terms, `stream` its
    stream of documents."""
    for body in terms:
        reader = Reader(body)
        at, _, count = reader.numbers(3)
        names = front_coded(reader, count)
        lengths, inline = Reader(reader.block()), Reader(reader.block())
        for key in names:
            documents = lengths.number()
            if documents == 1:
                gap = inline.number()
                tag = inline.number()
                inline.numbers(bin(tag >> 1).count("1") if tag & 1 else 0)
                is_inline, gaps = True, [gap]
            else:
                sizes = lengths.numbers(3 if documents > 128 else 2)
                is_inline = sum(sizes) <= 24
                source, begin = (inline.data, inline.at) if is_inline else (stream, at)
                gaps, end = varints(source, begin, documents)
                if end != begin + sizes[0]:
                    raise ValueError(f"the gaps of {key!r} have {end - begin} bytes, not {sizes[0]}")
                if is_inline:
                    inline.at += sum(sizes)
                else:
                    at += sum(sizes)
            positions = lengths.number()
            if is_inline and positions <= 12:
                inline.at += positions
            yield key, sums(gaps, first)
        if inline.at != len(inline.data) or lengths.at != len(lengths.data):
            raise ValueError("lists of a page of terms that are left over")


# What the commonest bytes are written as, in transducers.
COMMON = b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG"


def transducer(data):
    """The keys of a transducer: version 3 of the format of the `fst` crate."""
    version, _ = struct.unpack_from("<QQ", data)
    count, root = struct.unpack_from("<QQ", data, len(data) - 20)
    if version != 3:
        raise ValueError(f"a transducer of version {version}")
    out, stack = [], [(root, b"")]
    while stack:
        address, key = stack.pop()
        is_final, edges = node(data, address)
        if is_final:
            out.append(key)
        stack += [(target, key + bytes([byte])) for byte, target in edges]
        if len(out) + len(stack) > LONGEST_PAGE:
            raise ValueError("a transducer without an end")
    if len(out) != count:
        raise ValueError(f"a transducer with {len(out)} keys says {count}")
    return out


def node(data, at):
    """(whether a key ends here, (byte, node) of each way on). A node is read from its last byte to its first."""
    if at == 0:
        return True, []
    state = data[at]
    low = state & 63
    if state >> 6 == 3:
        byte = COMMON[low - 1] if low else data[at - 1]
        return False, [(byte, at - (not low) - 1)]
    if state >> 6 == 2:
        byte = COMMON[low - 1] if low else data[at - 1]
        at -= 1 + (not low)
        wide, value = data[at] >> 4, data[at] & 15
        end = at - wide - value
        return False, [(byte, target(data, at - wide, wide, end))]
    ways = low
    if not ways:
        at -= 1
        ways = 256 if data[at] == 1 else data[at]
    at -= 1
    wide, value = data[at] >> 4, data[at] & 15
    at -= 256 if ways > 32 else 0
    bytes_of = [data[at - 1 - i] for i in range(ways)]
    at -= ways
    is_final = bool(state & 64)
    end = at - ways * wide - (ways + is_final) * value
    return is_final, [(bytes_of[i], target(data, at - (i + 1) * wide, wide, end)) for i in range(ways)]


def target(data, at, wide, end):
    delta = int.from_bytes(data[at : at + wide], "little")
    return end - delta if delta else 0
