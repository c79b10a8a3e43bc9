"""Contents and parts as docs/FORMAT.md says (section 10): from runs to stored bytes, from stored bytes and parts to the exact bytes
of a mail."""

import base64
import hashlib
import itertools

from fileformat import FormatError, read_frame
from records import BLOCK, block, quads, stamp_of


class Contents:
    """Contents and parts by their runs. A run is (place, offset of the frame, start, length); a place is a file, or what is left of it."""

    def __init__(self):
        self.parts = {}  # number: list of (digest or None, length, runs); the first readable one counts
        self.contents = {}  # number: (fact, runs)
        self.blocks = {}

    def files_at(self, place):
        """The files, or tails of files, that may have the frames of a place."""
        raise NotImplementedError

    def block_at(self, place, offset):
        if offset is None:
            raise ValueError("the section is gone, and nothing says where it was packed")
        if (place, offset) not in self.blocks:
            if len(self.blocks) > 64:
                self.blocks.pop(next(iter(self.blocks)))
            self.blocks[place, offset] = self.read_block(place, offset)
        return self.blocks[place, offset]

    def read_block(self, place, offset):
        error = ValueError(f"no file of {place} has a frame at {offset}")
        for file in self.files_at(place):
            if not file.base + file.skip <= offset < file.end():
                continue
            try:
                frame = read_frame(file, offset)
                if frame.kind != BLOCK:
                    raise FormatError(file.path, offset, f"a frame of kind {frame.kind} is no block")
                return block(stamp_of(frame.plain)[1])
            except (FormatError, ValueError) as found:
                error = found
        raise error

    def stored(self, runs):
        out = []
        for place, offset, start, length in runs:
            piece = self.block_at(place, offset)[start : start + length]
            if len(piece) != length:
                raise ValueError(f"a run beyond the block at {offset}")
            out.append(piece)
        return b"".join(out)

    def part(self, number):
        """The bytes of a part; if its own are damaged, those of another one with its digest."""
        error = ValueError(f"part {number} is nowhere")
        own = self.parts.get(number, [])
        digests = {digest for digest, _, _ in own if digest}
        others = (known for no, rows in self.parts.items() if no != number for known in rows if known[0] in digests)
        for digest, length, runs in itertools.chain(own, others):
            try:
                data = self.stored(runs)
                if len(data) == length and (digest is None or hashlib.sha256(data).digest() == digest):
                    return data
                raise ValueError(f"part {number} does not have its digest")
            except (FormatError, ValueError) as found:
                error = found
        raise error

    def join(self, own, shape, size):
        """A content's bytes from its own stored bytes and its parts."""
        if shape is None:
            data = own
        else:
            out = []
            at = 0
            for form, length, wrap, part in quads(shape):
                if form not in (1, 2, 3, 4):
                    raise ValueError(f"an extent of form {form}")
                if form in (1, 2):
                    piece = own[at : at + length]
                    at += length
                else:
                    piece = self.part(part)
                if len(piece) != length:
                    raise ValueError(f"an extent of {length} bytes has {len(piece)}")
                if (wrap and form in (1, 3)) or (part and form in (1, 2)):
                    raise ValueError(f"an extent of form {form} with wrap {wrap}, part {part}")
                out.append(encode(piece, wrap) if form in (2, 4) else piece)
            if at != len(own):
                raise ValueError("own bytes are left over")
            data = b"".join(out)
        if len(data) != size:
            raise ValueError(f"{len(data)} bytes, not {size}")
        return data

    def content(self, number):
        """The bytes of a content; if its own are damaged, those of another one with its digest."""
        try:
            return self.own_content(number)
        except (FormatError, ValueError):
            digest = self.contents[number][0].get(2) if number in self.contents else None
            others = [other for other, (fact, _) in self.contents.items() if digest and other != number and fact.get(2) == digest]
            for other in others:
                try:
                    return self.own_content(other)
                except (FormatError, ValueError):
                    continue
            raise

    def own_content(self, number):
        fact, runs = self.contents[number]
        data = self.join(self.stored(runs), fact.get(5), fact[4])
        if hashlib.sha256(data).digest() != fact[2]:
            raise ValueError(f"content {number} does not have its digest")
        return data


def encode(data, wrap):
    """Base64 as in forms 2 and 4."""
    if not data:
        return b""
    text = base64.b64encode(data)
    width, crlf, ended = wrap >> 2, wrap >> 1 & 1, wrap & 1
    if width % 4:
        raise ValueError(f"base64 in lines of {width} characters")
    end = b"\r\n" if crlf else b"\n"
    lines = [text[i : i + width] for i in range(0, len(text), width)] if width else [text]
    return end.join(lines) + (end if ended else b"")
