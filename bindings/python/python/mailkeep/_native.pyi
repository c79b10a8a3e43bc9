from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, final

from typing_extensions import disjoint_base

from ._errors import MailkeepError
from ._records import Address, Snippet, StepFunction

__all__ = [
    "Archive",
    "Cancel",
    "Frozen",
    "Hit",
    "Key",
    "MessageInfo",
    "NewArchive",
    "Pages",
    "Session",
    "Stream",
    "Verified",
    "__version__",
    "create",
    "id_of",
    "open",
    "opens_with",
    "read_criteria",
    "test_key",
]

__version__: str

_Function = Callable[..., object]

@final
class Cancel:
    """Ends calls, from any thread.

    Give it to a call as ``cancel``. It ends the calls that use it, and those that begin with it later.
    """

    def __new__(cls) -> Cancel: ...
    def cancel(self) -> None:
        """Ends the calls that use it, soon, and those that begin with it later."""

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""

@final
class Key:
    """Something that opens an archive: ``Key.file``, ``Key.recovery`` or ``Key.passphrase``."""

    @staticmethod
    def file(text: str, /) -> Key:
        """The text of a key file."""

    @staticmethod
    def recovery(text: str, /) -> Key:
        """The recovery key as it was printed."""

    @staticmethod
    def passphrase(text: str, /) -> Key:
        """A passphrase."""

    @property
    def kind(self) -> str:
        """What it is: ``key file``, ``recovery key`` or ``passphrase``."""

@disjoint_base
class MessageInfo:
    """What lists show of a message. It does not change."""

    @property
    def id(self) -> str:
        """Its id, such as ``1:42``: permanent, and no other message ever gets it."""

    @property
    def date(self) -> Optional[datetime]:
        """Its date in UTC; ``None`` if only the time of archiving is known."""

    @property
    def date_source(self) -> str:
        """Where the date is from: ``mail``, ``mbox_line``, ``maildir_name``, ``received``, ``received_field``, ``archiving``."""

    @property
    def archived(self) -> Optional[datetime]:
        """The time of archiving in UTC."""

    @property
    def from_(self) -> Tuple[Address, ...]:
        """The first senders."""

    @property
    def to(self) -> Tuple[Address, ...]:
        """The first receivers."""

    @property
    def subject(self) -> str:
        """The subject, decoded."""

    @property
    def folder(self) -> str:
        """Its folder: names from the user archive down, joined by ``/``."""

    @property
    def number_in_folder(self) -> int:
        """Its number in the folder, which no other message ever gets."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def attachments(self) -> int:
        """Attachments."""

    @property
    def importance(self) -> int:
        """-1 low, 0 normal or not said, 1 high."""

    @property
    def direction(self) -> str:
        """Whether the owner of the user archive ``received`` or ``sent`` it; ``unknown`` if that is not known."""

    def json(self) -> Dict[str, Any]:
        """The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> MessageInfo: ...
    def __deepcopy__(self, memo: Any, /) -> MessageInfo: ...

@final
class Hit(MessageInfo):
    """A message that a search found."""

    @property
    def snippet(self) -> Optional[Snippet]:
        """If requested: the place that has the most words of the query; ``None`` if the text has none."""

    @property
    def subject_words(self) -> Tuple[Tuple[int, int], ...]:
        """If requested: the words of the query in the subject: ``subject[start:end]`` for each pair."""

    @property
    def also(self) -> Tuple[MessageInfo, ...]:
        """If mails are shown once: the other messages with the same mail that meet the query, newest first."""

    def json(self) -> Dict[str, Any]:
        """The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class NewArchive:
    def id(self) -> str: ...
    def recovery_key(self) -> str: ...
    def key_file(self) -> Optional[str]: ...
    def commit(self) -> Archive: ...
    def discard(self) -> None: ...

@final
class Frozen:
    def thaw(self) -> bool: ...
    def release(self) -> None: ...

@final
class Archive:
    def id(self) -> str: ...
    def owner(self) -> str: ...
    def path(self) -> Path: ...
    def damage(self) -> Optional[str]: ...
    def barred(self) -> Optional[MailkeepError]: ...
    def notices(self) -> List[MailkeepError]: ...
    def recovered(self) -> Optional[str]: ...
    def session(self, user: Optional[str], /) -> Session: ...
    def close(self, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> None: ...
    def read_only(self) -> bool: ...
    def lags(self) -> bool: ...
    def refresh(self) -> None: ...
    def mark(self) -> None: ...
    def freeze(self, seconds: float, /) -> Frozen: ...
    def holds(self, path: str, /) -> bool: ...
    def key_status(self) -> str: ...
    def add_passphrase(self, passphrase: str, /) -> str: ...
    def remove_passphrase(self, slot: str, /) -> None: ...
    def confirm_recovery(self, key: Key, /) -> None: ...

@final
class Session:
    def import_(
        self,
        source: Any,
        name: Optional[str],
        options: str,
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        on_receipt: Optional[_Function],
        on_trouble: Optional[_Function],
        on_lost: Optional[_Function],
        /,
    ) -> str: ...
    def add(self, mail: bytes, folder: str, /) -> Tuple[str, str, str, bool, str, int]: ...
    def target(self, source: Any, name: Optional[str], options: str, /) -> str: ...
    def plan(
        self,
        source: Any,
        name: Optional[str],
        options: str,
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        on_trouble: Optional[_Function],
        /,
    ) -> str: ...
    def check(
        self,
        source: Any,
        name: Optional[str],
        options: str,
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        on_missing: Optional[_Function],
        on_trouble: Optional[_Function],
        /,
    ) -> str: ...
    def lost_files(self) -> str: ...
    def lost_mails(self, visit: _Function, /) -> str: ...
    def import_lost(self, on_receipt: Optional[_Function], /) -> str: ...
    def folders(self) -> str: ...
    def folders_in(self, folder: Optional[str], /) -> str: ...
    def folders_page(self, cursor: Optional[str], most: int, /) -> str: ...
    def messages_page(
        self, folder: Optional[str], cursor: Optional[str], most: int, /
    ) -> Tuple[Tuple[MessageInfo, ...], Optional[str]]: ...
    def message(self, id: str, /) -> MessageInfo: ...
    def record(self, id: str, /) -> str: ...
    def raw(self, id: str, /) -> bytes: ...
    def header(self, id: str, /) -> bytes: ...
    def read_range(self, id: str, start: int, stop: int, /) -> bytes: ...
    def parts(self, id: str, /) -> str: ...
    def part(self, id: str, part: int, /) -> bytes: ...
    def read_parts(self, id: str, parts: List[int], /) -> Dict[int, bytes]: ...
    def stream(self, id: str, part: Optional[int], /) -> Stream: ...
    def thread(self, id: str, cancel: Optional[Cancel], /) -> Tuple[MessageInfo, ...]: ...
    def export(
        self,
        destination: str,
        options: str,
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        on_failed: Optional[_Function],
        /,
    ) -> str: ...
    def export_mbox(
        self,
        file: Any,
        options: str,
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        on_failed: Optional[_Function],
        /,
    ) -> str: ...
    def search(self, json: str, cancel: Optional[Cancel], /) -> Tuple[Tuple[Hit, ...], str]: ...
    def search_pages(self, json: str, /) -> Pages: ...
    def explain(self, json: str, cancel: Optional[Cancel], /) -> str: ...
    def why(self, id: str, json: str, cancel: Optional[Cancel], /) -> str: ...
    def undecided(self, json: str, most: int, cancel: Optional[Cancel], /) -> str: ...
    def make_folder(self, path: str, dry_run: bool, /) -> str: ...
    def rename_folder(self, path: str, name: str, dry_run: bool, /) -> str: ...
    def move_folder(self, path: str, to: str, dry_run: bool, /) -> str: ...
    def remove_folder(self, path: str, dry_run: bool, /) -> str: ...
    def prune_folders(self, path: Optional[str], dry_run: bool, /) -> str: ...
    def delete(self, ids: List[str], reason: str, dry_run: bool, /) -> str: ...
    def undelete(self, ids: List[str], reason: str, /) -> str: ...
    def deleted_page(self, cursor: Optional[str], most: int, /) -> str: ...
    def compact(self, dry_run: bool, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> str: ...
    def stats(self, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> str: ...
    def types_not_read(self, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> str: ...
    def not_searchable_page(self, cursor: Optional[str], most: int, /) -> str: ...
    def verify(
        self,
        structure_only: bool,
        part: Optional[Tuple[int, int]],
        progress: Optional[StepFunction],
        cancel: Optional[Cancel],
        /,
    ) -> Verified: ...
    def accept_damage(self, verified: Verified, /) -> None: ...
    def repair(self, accept_state: bool, dry_run: bool, /) -> str: ...
    def store_indexes(self, store: Optional[int], /) -> str: ...
    def rebuild_store_index(self, store: int, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> None: ...
    def select_all_store_indexes_for_rebuild(self) -> None: ...
    def rebuild_selected_store_indexes(self, progress: Optional[StepFunction], cancel: Optional[Cancel], /) -> int: ...
    def index_configuration(self) -> List[str]: ...
    def set_index_configuration(self, types: List[str], /) -> None: ...

@final
class Pages:
    def next(self, cancel: Optional[Cancel], /) -> Optional[Tuple[Tuple[Hit, ...], str]]: ...

@final
class Verified:
    def json(self) -> str: ...

@final
class Stream:
    def read(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...

def create(path: str, owner: str, passphrase: Optional[str], key_file: bool, opening: str, /) -> NewArchive: ...
def open(
    path: str, key: Key, opening: str, progress: Optional[StepFunction], cancel: Optional[Cancel], /
) -> Archive: ...
def test_key(path: str, key: Key, /) -> str: ...
def id_of(path: str, /) -> str: ...
def opens_with(path: str, /) -> str: ...
def read_criteria(json: str, /) -> str: ...
