"""Streams: large mails that are read piece by piece, and mailboxes of other programs that are imported."""

from __future__ import annotations

import io
import mailbox
import os
import tarfile
from typing import TYPE_CHECKING, Any, Iterator, Optional, Protocol, Tuple

if TYPE_CHECKING:
    from . import _native

#: What is read into memory at once; larger mails and parts are read piece by piece.
IN_MEMORY = 16 << 20


class Readable(Protocol):
    """A binary file object that can be read: ``read(n)`` returns at most ``n`` bytes, none at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


class Writable(Protocol):
    """A binary file object that can be written: ``write(data)`` returns how many bytes it took, or ``None`` for all."""

    def write(self, data: bytes, /) -> Optional[int]:
        """Takes bytes."""


class MailStream(io.RawIOBase):
    """The bytes of a large mail or part. Reading it ends in an error if the mail is damaged; then none must be used."""

    def __init__(self, stream: _native.Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """It can be read, and neither written nor rewound."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads the next bytes into a buffer; 0 at the end."""
        if self.closed:
            raise ValueError("the stream was closed")
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Ends the reading."""
        if not self.closed:
            self._stream.close()
        super().close()


class MailboxReader:
    """The mails of a ``mailbox.Mailbox`` as a tar archive, which carries them with exactly their bytes."""

    def __init__(self, box: mailbox.Mailbox[Any]) -> None:
        self._pieces = self._tar(box)
        self._rest = b""

    @staticmethod
    def _tar(box: mailbox.Mailbox[Any]) -> Iterator[bytes]:
        for number, key in enumerate(box.iterkeys()):
            mail = box.get_bytes(key)
            member = tarfile.TarInfo(f"{number:08}.eml")
            member.size = len(mail)
            yield member.tobuf(tarfile.USTAR_FORMAT if len(mail) < 1 << 33 else tarfile.GNU_FORMAT)
            yield mail
            yield bytes(-len(mail) % tarfile.BLOCKSIZE)
        yield bytes(2 * tarfile.BLOCKSIZE)

    def read(self, size: int, /) -> bytes:
        """The next bytes of the tar archive."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def source_of(source: Any, name: Optional[str]) -> Tuple[Any, Optional[str]]:
    """What the extension module reads: a path and no name, or a file object and its name."""
    if isinstance(source, (str, bytes, os.PathLike)):
        if name is not None:
            raise TypeError("a path has its own name; give `name` with a file object")
        return os.fsdecode(source), None
    if isinstance(source, mailbox.Mailbox):
        path = getattr(source, "_path", "")
        return MailboxReader(source), name if name is not None else os.path.basename(os.fsdecode(path or ""))
    if not hasattr(source, "read"):
        raise TypeError(f"a source is a path, a binary file object or a mailbox.Mailbox, not {type(source).__name__}")
    if name is None:
        named = getattr(source, "name", "")
        name = os.path.basename(named) if isinstance(named, str) else ""
    return source, name
