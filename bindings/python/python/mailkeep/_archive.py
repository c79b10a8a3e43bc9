"""Archives: created, opened, closed, and what opens them."""

from __future__ import annotations

import json
import os
import pathlib
import warnings
from types import TracebackType
from typing import Any, Callable, Optional, Tuple, Type, Union

from . import _native
from ._errors import Closed, MailkeepError
from ._native import Cancel, Key
from ._records import Damage, KeySlot, KeyStatus, Recovery, Step
from ._session import PathLike, Session, User, steps_of


def _opening(
    memory: Optional[int], index: bool, container_limit: Optional[int], mapped_reads: bool, read_only: bool = False
) -> str:
    opening = {"memory": memory, "index": index, "container_limit": container_limit, "mapped_reads": mapped_reads}
    return json.dumps({**opening, "read_only": read_only})


def create(
    path: PathLike,
    owner: str,
    passphrase: Optional[str] = None,
    key_file: bool = True,
    *,
    memory: Optional[int] = None,
    index: bool = True,
    container_limit: Optional[int] = None,
    mapped_reads: bool = False,
) -> NewArchive:
    """Begins an archive in the folder ``path``, in two steps: keep its keys, then ``commit`` it.

    The folder must not exist yet, or be empty. ``owner`` names the first user archive. The archive opens with its recovery
    key, with a key file unless ``key_file`` is false, and with ``passphrase`` if there is one. The other options are those
    of ``open``, for the archive that ``commit`` returns.
    """
    return NewArchive(_native.create(os.fspath(path), owner, passphrase, key_file, _opening(memory, index, container_limit, mapped_reads)), path)


def open(
    path: PathLike,
    key: Key,
    *,
    memory: Optional[int] = None,
    index: bool = True,
    container_limit: Optional[int] = None,
    mapped_reads: bool = False,
    read_only: bool = False,
    progress: Optional[Callable[[Step], object]] = None,
    cancel: Optional[Cancel] = None,
) -> Archive:
    """Opens the archive in the folder ``path``, for reading and writing unless ``read_only`` is set.

    One process has an archive open for writing; another ``open`` raises ``InUse``. With ``read_only`` any number of
    processes open it beside that one, also on read-only media: they see what was committed when they opened or refreshed
    it, and what would change it raises ``ReadOnly``. ``memory`` is about how many bytes the archive may
    take: 144 MiB by default. ``index`` says whether mail is indexed. ``container_limit`` is the size of files of mail, 256
    MiB by default. ``mapped_reads`` reads closed files through memory maps. ``progress`` is called now and then where
    opening takes time.
    """
    opening = _opening(memory, index, container_limit, mapped_reads, read_only)
    return Archive(_native.open(os.fspath(path), key, opening, steps_of(progress), cancel))


def test_key(path: PathLike, key: Key) -> KeySlot:
    """Tries only ``key`` on the archive in ``path``, which may be open elsewhere. Returns the slot that it opens."""
    return KeySlot.of(json.loads(_native.test_key(os.fspath(path), key)))


def id_of(path: PathLike) -> str:
    """The id of the archive in ``path``, without a key."""
    return _native.id_of(os.fspath(path))


def opens_with(path: PathLike) -> str:
    """Describes, without a key, what opens the archive in ``path``, for people who look for the right key."""
    return _native.opens_with(os.fspath(path))


class NewArchive:
    """An archive that is not on disk yet: its keys exist, and are to be kept before ``commit`` makes it one.

    As a context manager it leaves nothing behind unless it was committed.
    """

    def __init__(self, native: _native.NewArchive, path: PathLike) -> None:
        self._native = native
        self._path = pathlib.Path(path)

    def __repr__(self) -> str:
        return f"<NewArchive {str(self._path)!r}>"

    def __enter__(self) -> NewArchive:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.discard()

    @property
    def path(self) -> pathlib.Path:
        """The folder of the archive."""
        return self._path

    @property
    def id(self) -> str:
        """The id that it will have."""
        return self._native.id()

    @property
    def recovery_key(self) -> str:
        """The recovery key as it is printed. It cannot be shown again after ``commit``: keep it before."""
        return self._native.recovery_key()

    @property
    def key_file(self) -> Optional[str]:
        """The text for the key file, if one was requested: keep it outside the archive, before ``commit``."""
        return self._native.key_file()

    def commit(self) -> Archive:
        """Creates the archive, synced, and opens it.

        Raises ``Misuse`` if nobody asked for its keys: ask, and commit again. Otherwise it is used up, also by an error.
        """
        return Archive(self._native.commit())

    def discard(self) -> None:
        """Gives the creation up; nothing is on disk. After ``commit`` it does nothing."""
        self._native.discard()


class Archive:
    """An archive that is open, for reading and writing or for reading only. Any thread may use it.

    Use it as a context manager, or close it: the next open is quicker then. What reads, searches or changes it is a method
    of its ``session``.
    """

    def __init__(self, native: _native.Archive) -> None:
        self._native = native
        self._process = os.getpid()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Archive {str(self.path)!r}{', closed' if self._closed else ''}>"

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._process == os.getpid():
            warnings.warn(f"unclosed archive {self!r}", ResourceWarning, source=self)

    def close(self, *, progress: Optional[Callable[[Step], object]] = None, cancel: Optional[Cancel] = None) -> None:
        """Closes the archive for all its sessions: waits for calls under way, and writes what was not written yet.

        Its locks are free afterwards, also if it raises. A second call does nothing. ``CachesLag`` says that the next open
        has to catch up; all mail is archived.
        """
        if self._closed:
            return
        try:
            self._native.close(steps_of(progress), cancel)
        except Closed:
            if self._process != os.getpid():
                raise
            self._closed = True
        except MailkeepError as error:
            self._closed = error.code != "misuse"
            raise
        except BaseException:
            # A signal, or a function that raised: the archive was closed nevertheless.
            self._closed = True
            raise
        self._closed = True

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def id(self) -> str:
        """The archive's id, 32 hex digits."""
        return self._native.id()

    @property
    def owner(self) -> str:
        """The first user archive, which receives mail for which no folder was named."""
        return self._native.owner()

    @property
    def path(self) -> pathlib.Path:
        """The folder of the archive."""
        return self._native.path()

    @property
    def damage(self) -> Optional[Damage]:
        """The first damage that opening found in what was durable. No mail is accepted then."""
        damage = self._native.damage()
        return None if damage is None else Damage.of(json.loads(damage))

    @property
    def barred(self) -> Optional[MailkeepError]:
        """Why no mail is accepted, if so. The archive can still be read."""
        return self._native.barred()

    @property
    def notices(self) -> Tuple[MailkeepError, ...]:
        """Problems found by the open that cost no mail. What could be fixed has been."""
        return tuple(self._native.notices())

    @property
    def recovered(self) -> Optional[Recovery]:
        """What the open did after a crash; ``None`` if there was nothing to do."""
        recovered = self._native.recovered()
        return None if recovered is None else Recovery.of(json.loads(recovered))

    def session(self, user: Optional[User] = None) -> Session:
        """The archive, used on behalf of ``user``, who sees some folders; without one, of the system, which sees all."""
        return Session(self, self._native.session(None if user is None else json.dumps(user.form())))

    @property
    def read_only(self) -> bool:
        """Whether it is open for reading only."""
        return self._native.read_only()

    @property
    def lags(self) -> bool:
        """Whether catalog or index lack more than an archive that is only read applies in memory: searches count what is
        left out. Opening it for writing once brings both up to date."""
        return self._native.lags()

    def refresh(self) -> None:
        """Shows what was committed since the archive was opened with ``read_only``, or refreshed last.

        Calls under way and streams that were begun go on with what they saw; lists and searches go on in the new state.
        Does nothing to an archive that is open for writing.
        """
        self._native.refresh()

    def mark(self) -> None:
        """Notes on disk that everything up to the last commit is synced. An idle archive does this by itself."""
        self._native.mark()

    def freeze(self, seconds: float) -> Frozen:
        """Holds everything that changes a file of the archive, for at most ``seconds``, so that its folder can be copied.

        Such a copy, or a snapshot of its volume, has all mail that had a receipt before. Reading and searching go on; other
        calls wait, in this thread too, until it is thawed or the time is over. Closing the archive thaws it at once. Raises
        ``Misuse`` if it is frozen already.
        """
        return Frozen(self._native.freeze(seconds))

    def holds(self, path: PathLike) -> bool:
        """Whether ``path`` is the archive's folder, or in it."""
        return self._native.holds(os.fspath(path))

    @property
    def key_status(self) -> KeyStatus:
        """What opens this archive."""
        return KeyStatus.of(json.loads(self._native.key_status()))

    def add_passphrase(self, passphrase: str) -> KeySlot:
        """Adds a passphrase that opens the archive."""
        return KeySlot.of(json.loads(self._native.add_passphrase(passphrase)))

    def remove_passphrase(self, slot: Union[str, KeySlot]) -> None:
        """Removes the passphrase of a slot."""
        self._native.remove_passphrase(slot.slot if isinstance(slot, KeySlot) else slot)

    def confirm_recovery(self, key: Key) -> None:
        """Notes that the recovery key is at hand, if ``key`` is it."""
        self._native.confirm_recovery(key)


class Frozen:
    """An archive that does not change, until it is thawed or its time is over.

    As a context manager it thaws at the end.
    """

    def __init__(self, native: _native.Frozen) -> None:
        self._native = native

    def __enter__(self) -> Frozen:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._native.release()

    def thaw(self) -> bool:
        """Lets the archive change again. Returns whether nothing had changed until now.

        If not, the time was over, and a copy that was not complete by then is none. Raises ``Misuse`` if it was thawed
        before, and ``Closed`` if the archive was closed: then a copy must not be used.
        """
        return self._native.thaw()
