"""What a call can fail with: one class for all of it, and one for each kind."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Tuple, Type


class MailkeepError(Exception):
    """Anything that a call of the library can fail with. Its text says what, where, and what to do."""

    #: A stable name of the error, such as ``wrong_key``.
    code: str
    #: What went wrong, where, and what to do: in English.
    message: str
    #: Whether the same call may succeed later without a change of the archive or of the call.
    retryable: bool
    #: Further fields of the error, such as ``file``.
    details: Mapping[str, Any]

    def __init__(self, code: str, message: str, retryable: bool = False, details: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.details = dict(details or {})

    def __reduce__(self) -> Tuple[Type[MailkeepError], Tuple[str, str, bool, Dict[str, Any]]]:
        return type(self), (self.code, self.message, self.retryable, dict(self.details))


class StorageError(MailkeepError):
    """A file operation failed. What has a receipt stays. ``details`` has ``file`` and ``system_error``."""


class DiskFull(StorageError):
    """The disk is full. Free some space, and try again."""


class TooManyOpenFiles(StorageError):
    """The process or the system may open no more files."""


class Damaged(MailkeepError):
    """Bytes on disk are not what was written. ``verify`` reports all damage; everything else stays readable."""


class BrokenIdentity(Damaged):
    """Both copies of an identity file are damaged. Restore one of them from a backup."""


class NotAnArchive(MailkeepError):
    """There is no archive in this folder."""


class UnfinishedCreation(MailkeepError):
    """The creation of an archive was cut short in this folder. Create it again."""


class AlreadyExists(MailkeepError):
    """A name that was to be created exists already."""


class Unsupported(MailkeepError):
    """Written by another version of the library, in a way that this one cannot read or write."""


class WrongKey(MailkeepError):
    """The key does not open the archive. The text lists what does."""


class BadKey(MailkeepError):
    """The key is malformed, such as a recovery key with a typing error."""


class InUse(MailkeepError):
    """Another process, or this one, has the archive open."""


class LockLost(MailkeepError):
    """The folder of the archive was moved or replaced while it was open. Open it again; what has a receipt stays."""


class Latched(MailkeepError):
    """An earlier write failed, so nothing more is written. Open the archive again; what has a receipt stays."""


class SnapshotGone(MailkeepError):
    """A compaction by another process has removed a file that this archive, opened for reading, knew. Refresh it, and call again."""


class ReadOnly(MailkeepError):
    """The archive is open for reading only. Open it for writing."""


class NotFound(MailkeepError, LookupError):
    """Nothing of this name is in the archive."""


class NoSuchMessage(NotFound):
    """No message with this id."""


class Deleted(NotFound):
    """The message was deleted; ``undelete`` brings it back."""


class NoSuchPart(NotFound):
    """The message has no such part, or the part consists of other parts."""


class NoSuchFolder(NotFound):
    """No folder of this path."""


class NoSuchStore(NotFound):
    """No store of this number."""


class StoreNotOpen(MailkeepError):
    """A store is not open, and what was asked for needs all of them. ``details`` has ``store`` and ``why``."""


class NoCurrentStore(MailkeepError):
    """No store takes new mail. Make one current, or create one."""


class StoreWriteProtected(MailkeepError):
    """Messages and folders of the store must not change. Give it another state."""


class StoreBusy(MailkeepError):
    """The store could not be closed, since calls still use it. Nothing was changed."""


class StoreExists(MailkeepError):
    """Another store has this name."""


class NotAStore(MailkeepError):
    """The folder has no store of this archive."""


class AmbiguousFolder(MailkeepError):
    """The path names several folders, whose names differ only in their Unicode form."""


class FolderExists(MailkeepError):
    """There is a folder of this path, perhaps in another Unicode form."""


class FolderNotEmpty(MailkeepError):
    """The folder, or one below it, has messages. Nothing was removed."""


class Denied(MailkeepError):
    """The user may not do this."""


class NeedsRepair(MailkeepError):
    """The archive can be read, but is not written until it is repaired. The code and the text say why."""


class Misuse(MailkeepError, ValueError):
    """The call asked for something impossible."""


class Closed(MailkeepError):
    """The archive was closed. Open it again."""


class Forked(Closed):
    """The process is a fork of the one that opened the archive. Open archives after the fork."""


class NotAMail(MailkeepError, ValueError):
    """The bytes are never a mail: there are none, or all are zero. Nothing was archived."""


class SourceError(MailkeepError):
    """The source of an import or check could not be read at all."""


class QueryError(MailkeepError, ValueError):
    """The query or the criteria cannot be understood."""

    #: The part of the query text that is at fault is ``text[start:end]``; ``None`` if the error is not in the text.
    start: Optional[int] = None
    #: Where it ends.
    end: Optional[int] = None


class CachesLag(MailkeepError):
    """Catalog or index could not be written. All mail is archived, and the next open catches up."""


class IndexProblem(MailkeepError):
    """The index failed, or was written by an earlier version. It can be rebuilt at any time."""


class NoThread(MailkeepError):
    """The system provided no thread."""


class Stopped(MailkeepError):
    """The call was ended by a ``Cancel``. What has a receipt stays."""


class InternalError(MailkeepError):
    """A promise of the library to itself was broken. Please report it."""


CLASSES: Mapping[str, Type[MailkeepError]] = {
    "io": StorageError,
    "disk_full": DiskFull,
    "too_many_open_files": TooManyOpenFiles,
    "damage": Damaged,
    "broken_identity": BrokenIdentity,
    "not_an_archive": NotAnArchive,
    "unfinished_creation": UnfinishedCreation,
    "exists": AlreadyExists,
    "format_too_new": Unsupported,
    "format_too_old": Unsupported,
    "too_new_to_write": Unsupported,
    "unknown_feature": Unsupported,
    "wrong_key": WrongKey,
    "bad_key": BadKey,
    "in_use": InUse,
    "lock_lost": LockLost,
    "latched": Latched,
    "read_only": ReadOnly,
    "snapshot_gone": SnapshotGone,
    "no_such_message": NoSuchMessage,
    "deleted": Deleted,
    "no_such_part": NoSuchPart,
    "no_such_folder": NoSuchFolder,
    "no_such_store": NoSuchStore,
    "store_not_open": StoreNotOpen,
    "store_disabled": StoreNotOpen,
    "no_current_store": NoCurrentStore,
    "store_write_protected": StoreWriteProtected,
    "store_busy": StoreBusy,
    "store_exists": StoreExists,
    "not_a_store": NotAStore,
    "ambiguous_folder": AmbiguousFolder,
    "folder_exists": FolderExists,
    "folder_not_empty": FolderNotEmpty,
    "denied": Denied,
    "needs_repair": NeedsRepair,
    "store_missing": NeedsRepair,
    "rolled_back": NeedsRepair,
    "identity_older": NeedsRepair,
    "identity_changed": NeedsRepair,
    "misuse": Misuse,
    "closed": Closed,
    "forked": Forked,
    "caller": MailkeepError,
    "not_a_mail": NotAMail,
    "source": SourceError,
    "query": QueryError,
    "caches_lag": CachesLag,
    "index_older": IndexProblem,
    "index": IndexProblem,
    "no_thread": NoThread,
    "stopped": Stopped,
    "bug": InternalError,
}


def of_json(text: str) -> MailkeepError:
    """The exception of an error's JSON form as text; the extension module calls this."""
    return of_form(json.loads(text))


def of_form(form: Dict[str, Any]) -> MailkeepError:
    """The exception of an error's JSON form."""
    code, message, retryable = form.pop("code"), form.pop("message"), form.pop("retryable")
    return CLASSES.get(code, MailkeepError)(code, message, retryable, form)


def place_in(error: QueryError, query: str) -> None:
    """Notes the place of an error in the text of the query, which the library counts in bytes."""
    start, end = error.details.get("start"), error.details.get("end")
    if start is None or end is None:
        return
    text = query.encode("utf-8", "surrogatepass")
    error.start, error.end = (len(text[:at].decode("utf-8", "ignore")) for at in (start, end))
