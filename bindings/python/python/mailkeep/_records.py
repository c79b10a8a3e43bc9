"""What calls return: records, lists and reports, which do not change."""

from __future__ import annotations

import copy
import datetime
import email.utils
import re
from dataclasses import dataclass, field, fields
from typing import Any, Callable, Dict, Generic, Iterator, Mapping, Optional, Sequence, Tuple, Type, TypeVar

from ._native import Hit

T = TypeVar("T")
R = TypeVar("R", bound="Record")

#: What the extension module calls to say how far a call is: done, total, unit, activity.
StepFunction = Callable[[int, Optional[int], str, str], object]

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z")


def time_of(text: Optional[str]) -> Optional[datetime.datetime]:
    """A time in UTC; ``None`` for none, and for one that Python has not, such as one in the year 0."""
    found = _TIME.fullmatch(text or "")
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(number) for number in found.groups()[:6])
    micros = int((found.group(7) or "").ljust(6, "0")[:6])
    try:
        return datetime.datetime(year, month, day, hour, minute, second, micros, datetime.timezone.utc)
    except ValueError:
        return None


def _range_of(text: str, start: int, end: int) -> Tuple[int, int]:
    """A range of bytes of a text as one of characters."""
    if text.isascii():
        return start, end
    data = text.encode()
    return len(data[:start].decode("utf-8", "ignore")), len(data[:end].decode("utf-8", "ignore"))


@dataclass(frozen=True)
class Record:
    """What the library knows, says or counts. It does not change."""

    _form: Mapping[str, Any] = field(repr=False, compare=False)

    def json(self) -> Dict[str, Any]:
        """The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``."""
        return copy.deepcopy(dict(self._form))

    @classmethod
    def of(cls: Type[R], form: Mapping[str, Any]) -> R:
        """The record of its JSON form."""
        return cls(form, *cls._values(form))

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        """What the fields are, in their order: by default, what the form has under their names."""
        return [form[one.name] for one in fields(cls)[1:]]


@dataclass(frozen=True)
class Address(Record):
    """A display name, which may be empty, and an address."""

    #: The name; empty if there is none.
    name: str
    #: The address.
    address: str

    @classmethod
    def named(cls, name: str, address: str) -> Address:
        """The address of its parts."""
        return cls({"name": name, "address": address}, name, address)

    def __str__(self) -> str:
        return email.utils.formataddr((self.name, self.address)) if self.name.isascii() else f"{self.name} <{self.address}>"


def _addresses(forms: Sequence[Mapping[str, Any]]) -> Tuple[Address, ...]:
    return tuple(Address.of(form) for form in forms)


@dataclass(frozen=True)
class Snippet(Record):
    """The place of a message that shows why it was found."""

    #: The field, as the query language names it.
    field: str
    #: A piece of its text.
    text: str
    #: The words of the query in it: ``text[start:end]`` for each pair.
    ranges: Tuple[Tuple[int, int], ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        text = form["text"]
        return [form["field"], text, tuple(_range_of(text, start, end) for start, end in form["ranges"])]


@dataclass(frozen=True)
class MessageRecord(Record):
    """Everything that the archive knows of a message: what ``MessageInfo`` has, and more."""

    #: Its id, such as ``1:42``: permanent, and no other message ever gets it.
    id: str
    #: Its date in UTC; ``None`` if only the time of archiving is known.
    date: Optional[datetime.datetime]
    #: Where the date is from: ``mail``, ``mbox_line``, ``maildir_name``, ``received``, ``received_field``, ``archiving``.
    date_source: str
    #: The time of archiving in UTC.
    archived: Optional[datetime.datetime]
    #: All senders, as far as they are kept.
    from_: Tuple[Address, ...]
    #: All receivers, as far as they are kept.
    to: Tuple[Address, ...]
    #: The subject, decoded.
    subject: str
    #: Its folder: names from the user archive down, joined by ``/``.
    folder: str
    #: Its number in the folder, which no other message ever gets.
    number_in_folder: int
    #: Bytes.
    size: int
    #: Attachments.
    attachments: int
    #: -1 low, 0 normal or not said, 1 high.
    importance: int
    #: Whether the owner of the user archive ``received`` or ``sent`` it; ``unknown`` if that is not known.
    direction: str
    #: SHA-256 of its bytes, in hex digits.
    digest: str
    #: What makes two copies the same mail to a person, in hex digits.
    identity: str
    #: The digest without status headers, if there are any.
    restated: Optional[str]
    #: All of Cc, as far as it is kept.
    cc: Tuple[Address, ...]
    #: The text of its Message-ID field.
    header_message_id: Optional[str]
    #: Its List-Id.
    list_id: Optional[str]
    #: Labels that it had before it was archived, in their order.
    labels: Tuple[str, ...]
    #: The name of the store.
    store: str
    #: The number of the content in the store.
    content: int
    #: The container of its first stored byte; ``None`` while it is in a small commit.
    container: Optional[int]
    #: The offset of that block.
    offset: Optional[int]
    #: The sequence of the commit that added the content.
    sequence: int
    #: The path within the source that it was imported from.
    source: str
    #: The offset in that file.
    source_offset: int
    #: The From_ line of the mbox it was in.
    from_line: Optional[str]
    #: Whether quoted From lines were unquoted by one level.
    unquoted: bool
    #: The flags of the Maildir it was in.
    flags: Optional[str]
    #: Charsets that were guessed: place and name.
    charset_guesses: Tuple[Tuple[int, str], ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [
            form["id"],
            time_of(form["date"]),
            form["date_source"],
            time_of(form["archived"]),
            _addresses(form["from"]),
            _addresses(form["to"]),
            form["subject"],
            form["folder"],
            form["number_in_folder"],
            form["size"],
            form["attachments"],
            form["importance"],
            form["direction"],
            form["digest"],
            form["identity"],
            form["restated"],
            _addresses(form["cc"]),
            form["header_message_id"],
            form["list_id"],
            tuple(form["labels"]),
            form["store"],
            form["content"],
            form["container"],
            form["offset"],
            form["sequence"],
            form["source"],
            form["source_offset"],
            form["from_line"],
            form["unquoted"],
            form["flags"],
            tuple((guess["place"], guess["charset"]) for guess in form["charset_guesses"]),
        ]


@dataclass(frozen=True)
class FolderInfo(Record):
    """A folder with its counts."""

    #: The path: names from the user archive down, joined by ``/``.
    path: str
    #: Messages in the folder itself.
    messages: int
    #: Bytes of these messages.
    bytes: int
    #: Messages in the folder and in all folders below it.
    total_messages: int
    #: Bytes of these messages.
    total_bytes: int
    #: How many folders are below it, at any depth.
    folders_below: int
    #: When the folder was created, in seconds since 1970.
    epoch: int
    #: The number of the last message that was added here; 0 if there was none.
    last_number: int

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["folder"], *(form[one.name] for one in fields(cls)[2:])]


@dataclass(frozen=True)
class FolderReport(Record):
    """What a change of folders did, or would do."""

    #: The folders that were made, each after the one that it is in.
    made: Tuple[str, ...]
    #: The path of the folder that was renamed or moved, before and since; ``None`` if none was.
    moved: Optional[Tuple[str, str]]
    #: The folders that were removed, sorted by path.
    removed: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        moved = form["moved"]
        return [tuple(form["made"]), moved and (moved["from"], moved["to"]), tuple(form["removed"])]


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list."""

    #: What is on it.
    items: Tuple[T, ...]
    #: Where the next page begins; ``None`` if this is the last one. Opaque, and valid only for this list.
    cursor: Optional[str]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class Step:
    """How far a call is."""

    #: What is done, in ``unit``. It never falls within one activity.
    done: int
    #: What there is to do, if that is known: an estimate.
    total: Optional[int]
    #: What is counted: ``bytes``, ``messages``, ``contents``, ``commits``, ``steps``.
    unit: str
    #: What the call is doing, in a few English words.
    activity: str


@dataclass(frozen=True)
class Receipt:
    """Proof that a mail is durable: power may fail at any later moment."""

    #: The message: the new one, or the one that is there.
    id: str
    #: SHA-256 of the bytes that were given, in hex digits.
    digest: str
    #: ``stored`` or ``duplicate``.
    outcome: str
    #: Whether it is a duplicate that differs in headers that mail programs change.
    restated: bool
    #: The path of the file within the source; empty where the source is one file.
    source: str
    #: The offset of the mail's first byte in that file.
    offset: int


@dataclass(frozen=True)
class Trouble:
    """Something in a source that is not a mail, or could not be read."""

    #: The path of the file within the source.
    source: str
    #: Where in the file.
    offset: int
    #: What it is: a sentence in English.
    message: str
    #: Whether something that may be mail was not read.
    loss: bool


@dataclass(frozen=True)
class Missing:
    """A mail that a check does not find in the archive, or finds damaged there."""

    #: The path of the file within the source.
    source: str
    #: The offset of the mail's first byte in that file.
    offset: int


@dataclass(frozen=True)
class ImportReport(Record):
    """The totals of an import: read = stored + duplicate + failed."""

    #: Mails found in the source.
    read: int
    #: New messages.
    stored: int
    #: Mails that the archive already had.
    duplicate: int
    #: Duplicates whose bytes differ in headers that mail programs change.
    restated: int
    #: Mails or pieces of the source that could not be read.
    failed: int
    #: Mails skipped because their program had marked them as deleted.
    deleted: int
    #: Mails of which the source itself has only a part; they count as read.
    incomplete: int
    #: Files that are not mail.
    skipped_files: int
    #: Files of kinds that are not supported.
    unsupported_files: int
    #: Bytes of the mails read.
    bytes_in: int
    #: The destination folder; folders of the source are below it.
    folder: Optional[str]
    #: A ``Cancel`` ended it.
    stopped: bool


@dataclass(frozen=True)
class SourceSummary(Record):
    """The sums of reading a source."""

    #: Mails.
    mails: int
    #: Mailboxes and mails of no bytes.
    empty: int
    #: Mails skipped because their program had marked them as deleted.
    deleted: int
    #: Mails of which the source itself has only a part.
    incomplete: int
    #: Files that are not mail.
    skipped_files: int
    #: Files of kinds that are not supported.
    unsupported_files: int
    #: Pieces that could not be read.
    losses: int
    #: Bytes.
    bytes: int
    #: Reading was ended.
    stopped: bool


@dataclass(frozen=True)
class PlannedFolder(Record):
    """A folder with the mails that an import would put there."""

    #: The path.
    folder: str
    #: Mails; duplicates are counted too.
    messages: int
    #: Their bytes.
    bytes: int


@dataclass(frozen=True)
class ImportPlan(Record):
    """What an import would add."""

    #: Folders in the order of their paths.
    folders: Tuple[PlannedFolder, ...]
    #: Sums of the reading.
    source: SourceSummary

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [tuple(PlannedFolder.of(folder) for folder in form["folders"]), SourceSummary.of(form["source"])]


@dataclass(frozen=True)
class CheckReport(Record):
    """What a source has that the archive does not."""

    #: Mails found in the source.
    read: int
    #: Mails whose bytes were read from the archive and are the same.
    present: int
    #: Mails that are not there, or are damaged.
    missing: int
    #: Pieces of the source that could not be read.
    failed: int
    #: Files that are not mail.
    skipped_files: int
    #: Mails skipped because their program had marked them as deleted.
    deleted: int
    #: Mails of which the source itself has only a part.
    incomplete: int


@dataclass(frozen=True)
class ExportReport(Record):
    """The sums of an export."""

    #: Messages written.
    exported: int
    #: Messages that were there already.
    present: int
    #: Messages among those written whose record is damaged: they lack the From_ line and flags of their source.
    without_record: int
    #: Messages that could not be read, or whose names are too long for the file system.
    failed: int
    #: Bytes of the messages written.
    bytes: int
    #: A ``Cancel`` ended it.
    stopped: bool


@dataclass(frozen=True)
class Damage(Record):
    """Bytes on disk that are not what was written."""

    #: The file.
    file: str
    #: Where the damage begins.
    offset: int
    #: How many bytes cannot be trusted.
    length: int
    #: What is wrong.
    kind: str
    #: The numbers of the contents whose bytes are hit, as far as known.
    contents: Tuple[int, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["file"], form["offset"], form["length"], form["kind"], tuple(form["contents"])]


@dataclass(frozen=True)
class Finding(Record):
    """Damage, and the messages that it costs."""

    #: The file.
    file: str
    #: Where the damage begins.
    offset: int
    #: How many bytes cannot be trusted; 0 if the whole file is meant.
    length: int
    #: What is wrong.
    kind: str
    #: The ids of messages whose bytes are hit.
    messages: Tuple[str, ...]
    #: The ids of messages whose bytes are whole and whose record is hit.
    records: Tuple[str, ...]
    #: What fixes it, if it can be rebuilt: ``rebuild_index`` or ``repair``.
    remedy: Optional[str]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        lists = (tuple(form[name]) for name in ("messages", "records"))
        return [form["file"], form["offset"], form["length"], form["kind"], *lists, form["remedy"]]


@dataclass(frozen=True)
class VerifyReport(Record):
    """What a verification read and found."""

    #: Files read.
    files: int
    #: Bytes of these files.
    bytes: int
    #: Messages in the archive.
    messages: int
    #: Messages of which damage left nothing.
    lost_messages: int
    #: Bytes of contents whose digest was checked.
    content_bytes: int
    #: What is damaged.
    findings: Tuple[Finding, ...]
    #: Damage that costs no mail: all mails that it hit were imported again.
    healed: Tuple[Finding, ...]
    #: Damage that was accepted.
    accepted: Tuple[Finding, ...]
    #: What is in the archive's folder and does not belong there. It is not damage.
    foreign: Tuple[str, ...]
    _verified: Any = field(default=None, repr=False, compare=False)

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged but what was healed or accepted."""
        return not self.findings

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        numbers = (form[name] for name in ("files", "bytes", "messages", "lost_messages", "content_bytes"))
        found = (tuple(Finding.of(one) for one in form[name]) for name in ("findings", "healed", "accepted"))
        return [*numbers, *found, tuple(form["foreign"])]


@dataclass(frozen=True)
class DeleteReport(Record):
    """What a deletion did, or would do."""

    #: Ids of messages that were deleted, each once.
    deleted: Tuple[str, ...]
    #: Ids of messages that were deleted already.
    already_deleted: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [tuple(form["deleted"]), tuple(form["already_deleted"])]


@dataclass(frozen=True)
class UndeleteReport(Record):
    """What was brought back."""

    #: Ids of messages that are back, each once.
    undeleted: Tuple[str, ...]
    #: Ids of messages that were not deleted.
    not_deleted: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [tuple(form["undeleted"]), tuple(form["not_deleted"])]


@dataclass(frozen=True)
class Erased(Record):
    """What a compaction erases."""

    #: Deleted messages.
    messages: int
    #: Different mails that only these messages had.
    mails: int
    #: Bytes of these mails.
    bytes: int
    #: Deleted messages that stay, since damaged mails are read from their bytes.
    needed: int

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["messages"], form["mails"], form["bytes"], form["needed"]]


@dataclass(frozen=True)
class NotRewritten(Record):
    """A file that a compaction could not rewrite."""

    #: The file, or the folder of the index.
    path: str
    #: Why, and what to do.
    why: str

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["path"], form["why"]]


@dataclass(frozen=True)
class CompactReport(Record):
    """What a compaction did, or would do."""

    #: What this call erased.
    erased: Erased
    #: Whether it went on with an earlier compaction that was stopped.
    resumed: bool
    #: Containers that were rewritten.
    containers: int
    #: Records files that were rewritten; 0 of a dry run.
    records: int
    #: Files in ``lost+found`` that were removed.
    lost_found: int
    #: Bytes of all files before; of a dry run, those of the containers that would be rewritten.
    bytes_before: int
    #: Bytes of all files after; of a dry run 0.
    bytes_after: int
    #: What could not be rewritten, so that something erased may still be in it. The next compaction tries again.
    left: Tuple[NotRewritten, ...]

    @property
    def done(self) -> bool:
        """Whether nothing is left of what was erased."""
        return not self.left

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        numbers = (form[name] for name in ("containers", "records", "lost_found", "bytes_before", "bytes_after"))
        return [Erased.of(form["erased"]), form["resumed"], *numbers, tuple(NotRewritten.of(one) for one in form["left"])]


@dataclass(frozen=True)
class DeletedMessage(Record):
    """A deleted message: what lists showed of it, and who deleted it, when and why."""

    #: Its id, such as ``1:42``, under which it can be brought back.
    id: str
    #: Its date in UTC; ``None`` if it has none.
    date: Optional[datetime.datetime]
    #: The first senders.
    from_: Tuple[Address, ...]
    #: The subject, decoded.
    subject: str
    #: The folder that it comes back to.
    folder: str
    #: Bytes.
    size: int
    #: When it was deleted, in UTC; ``None`` where damage took the record of it, as for the next two.
    deleted: Optional[datetime.datetime]
    #: Who deleted it.
    deleted_by: Optional[str]
    #: Why.
    reason: Optional[str]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        shown = [form["id"], time_of(form["date"]), _addresses(form["from"]), form["subject"], form["folder"], form["size"]]
        return [*shown, time_of(form["deleted"]), form["deleted_by"], form["reason"]]


@dataclass(frozen=True)
class RepairReport(Record):
    """What a repair did, or would do."""

    #: Why the archive refused mail, or its keys could not be changed; ``None`` if there was nothing to repair.
    reason: Optional[str]
    #: The repair is done only with ``accept_state``.
    needs_acceptance: bool
    #: Commits of the store that are lost: sequences, from and to.
    lost_commits: Tuple[Tuple[int, int], ...]
    #: Messages of lost commits that are recorded again.
    recorded_again: int
    #: Messages that had a number and of which nothing is left.
    lost_messages: int
    #: The Merkle tree could not be continued: a new one begins.
    new_tree: bool
    #: Numbers were skipped, to assign none twice.
    left_out: bool

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        commits = tuple((first, last) for first, last in form["lost_commits"])
        rest = (form[name] for name in ("recorded_again", "lost_messages", "new_tree", "left_out"))
        return [form["reason"], form["needs_acceptance"], commits, *rest]


@dataclass(frozen=True)
class Recovery(Record):
    """What an open did after a crash. This is not damage: every mail with a receipt is there."""

    #: Bytes without a receipt that were moved to ``lost+found``.
    bytes_put_aside: int
    #: Whether a commit that nothing called durable was whole, and was adopted.
    commit_taken_over: bool


@dataclass(frozen=True)
class StoreStats(Record):
    """A store and its disk usage."""

    #: Its number.
    number: int
    #: Its name.
    name: str
    #: Messages.
    messages: int
    #: Messages that were archived and then lost completely to damage.
    lost_messages: int
    #: Bytes of ``containers``, ``records``, ``catalog``, ``index`` and ``lost_found``.
    bytes_on_disk: Mapping[str, int]
    #: The sequence of the last commit.
    sequence: int
    #: The head of the store: the sequence, and the chain value in hex digits.
    head: str
    #: Damage found at opening, if the store accepts no mail because of it.
    damage: Optional[str]


@dataclass(frozen=True)
class StoreInfo(Record):
    """A store of the archive."""

    #: Its number: the first part of the ids of its messages. It is never given to another store.
    number: int
    #: Its name.
    name: str
    #: Its id, for ever.
    id: str
    #: What it is to be used for: ``current``, ``normal``, ``writeProtected``, ``disabled``.
    state: str
    #: Whether it is open: its messages are listed and searched.
    open: bool
    #: Why it is not open, if it should be.
    error: Optional[str]
    #: The code of that error.
    error_code: Optional[str]
    #: Its folder: records and catalog.
    dir: str
    #: The folder of its containers.
    content_dir: str
    #: The folder of its index.
    index_dir: str
    #: Its contents in numbers, if it is open and they were asked for.
    stats: Optional[StoreStats]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        values = [form[one.name] for one in fields(cls)[1:-1]]
        return [*values, form["stats"] and StoreStats.of(form["stats"])]


@dataclass(frozen=True)
class UserArchive(Record):
    """A folder of the first level, with all below it."""

    #: Its name.
    name: str
    #: Messages.
    messages: int
    #: Bytes of these messages.
    bytes: int
    #: Folders, itself included.
    folders: int


@dataclass(frozen=True)
class StatsReport(Record):
    """The totals of the archive, and its disk usage."""

    #: Messages.
    messages: int
    #: Messages that were archived and then lost completely to damage.
    lost_messages: int
    #: Different mails, each counted once per store.
    contents: int
    #: Parts, each counted once per store.
    parts: int
    #: Bytes of the different mails.
    bytes_raw: int
    #: Bytes of ``containers``, ``records``, ``catalog``, ``index``, ``lost_found`` and ``other``.
    bytes_on_disk: Mapping[str, int]
    #: The stores.
    stores: Tuple[StoreStats, ...]
    #: The user archives.
    user_archives: Tuple[UserArchive, ...]
    #: When the last message was archived, in UTC.
    last_archived: Optional[datetime.datetime]
    #: Mails whose text is not completely indexed.
    undecided: int
    #: Mails that are not indexed yet.
    not_indexed: int
    #: Messages that are deleted, and can be brought back.
    deleted_messages: int
    #: Mails that no message refers to any more since theirs were deleted; ``contents`` counts them too.
    unreferenced_contents: int
    #: Bytes of these mails; ``bytes_raw`` counts them too.
    unreferenced_bytes: int

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [
            *(form[name] for name in ("messages", "lost_messages", "contents", "parts", "bytes_raw", "bytes_on_disk")),
            tuple(StoreStats.of(store) for store in form["stores"]),
            tuple(UserArchive.of(one) for one in form["user_archives"]),
            time_of(form["last_archived"]),
            form["undecided"],
            form["not_indexed"],
            *(form[name] for name in ("deleted_messages", "unreferenced_contents", "unreferenced_bytes")),
        ]


@dataclass(frozen=True)
class NotSearchable(Record):
    """A part of a message that is not in the index, or not completely."""

    #: The id of the message; of the first one if several have the same content.
    message: str
    #: The number of the part in the order of the mail; 0 is the mail itself.
    part: int
    #: Why.
    why: str


@dataclass(frozen=True)
class LostReport(Record):
    """What can be read in ``lost+found``. Nothing in it has a receipt."""

    #: Mails that can be read.
    mails: int
    #: Mails above 16 MiB, which are not read.
    too_large: int
    #: Mails that are named there without all of their bytes.
    incomplete: int


@dataclass(frozen=True)
class LostFile(LostReport):
    """A file in ``lost+found``."""

    #: Its path.
    file: str
    #: The name of the store; ``None`` for the master, in which there are no mails.
    store: Optional[str]
    #: Its length.
    bytes: int


@dataclass(frozen=True)
class LostMail:
    """A mail in ``lost+found``."""

    #: The file that names it.
    file: str
    #: Its number, counted from 1 over all files.
    number: int
    #: The first folder that it was meant for, if that is known.
    folder: Optional[str]
    #: SHA-256 of its bytes, in hex digits.
    digest: str
    #: The id of a message of the archive that has the same bytes.
    archived: Optional[str]
    #: Its bytes.
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class KeySlot(Record):
    """One of the keys that open an archive."""

    #: The identifier of the slot: eight hex digits.
    slot: str
    #: ``key file``, ``recovery key`` or ``passphrase``.
    kind: str
    #: When it was made, in UTC.
    made: Optional[datetime.datetime]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["slot"], form["kind"], time_of(form["made"])]


@dataclass(frozen=True)
class KeyStatus(Record):
    """What opens an archive."""

    #: Its slots.
    slots: Tuple[KeySlot, ...]
    #: The first characters of the recovery key, which identify the right printout.
    recovery_identifier: str
    #: Whether the recovery key was entered once after it was shown.
    recovery_confirmed: bool

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        slots = tuple(KeySlot.of(slot) for slot in form["slots"])
        return [slots, form["recovery_identifier"], form["recovery_key"] == "confirmed"]


@dataclass(frozen=True)
class StoreIndex(Record):
    """The index of one user archive in one store."""

    #: The number of the store.
    store: int
    #: The user archive.
    folder: str
    #: Messages of the user archive in the store.
    messages: int
    #: Bytes of the store's index on disk, for all its user archives.
    size: int
    #: Its status.
    status: str
    #: Whether it waits for ``rebuild_selected_store_indexes``.
    selected_for_rebuild: bool


@dataclass(frozen=True)
class Coverage(Record):
    """What a search could not look at."""

    #: Messages that the index does not have.
    not_indexed: int
    #: Messages for which text that could not be read would decide.
    undecided: int
    #: Names of the stores that could not be opened: nothing in them was looked at.
    unreachable_stores: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["not_indexed"], form["undecided"], tuple(form["unreachable_stores"])]


@dataclass(frozen=True)
class Counts(Record):
    """The number of hits for each value."""

    #: By what: ``year``, ``month``, ``from``, ``folder``, ``type``.
    by: str
    #: Values and numbers, the most frequent first.
    rows: Tuple[Tuple[str, int], ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["by"], tuple((value, number) for value, number in form["rows"])]


@dataclass(frozen=True)
class Suggestions(Record):
    """What to try if nothing was found."""

    #: The clause that, together with those before it, no message meets.
    clause: Optional[str]
    #: That clause with its last word left open, and how many messages meet it.
    completion: Optional[Tuple[str, int]]
    #: Words near those of that clause that some message has.
    words: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        completion = form["completion"]
        return [form["clause"], None if completion is None else (completion[0], completion[1]), tuple(form["words"])]


@dataclass(frozen=True)
class SearchResult(Record):
    """The answer to a search, or a page of it."""

    #: How many messages meet the query, exactly.
    total: int
    #: How many different mails these are.
    contents: int
    #: The hits of this page, in order.
    hits: Tuple[Hit, ...]
    #: Where the next page begins; ``None`` if this is the last one. Opaque, and valid only for this search.
    cursor: Optional[str]
    #: What could not be looked at.
    coverage: Coverage
    #: One for each count that was requested.
    counts: Tuple[Counts, ...]
    #: If requested and nothing was found: what to try.
    suggestions: Optional[Suggestions]
    #: What the author of the query should know, although it is not an error.
    notices: Tuple[str, ...]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def json(self) -> Dict[str, Any]:
        """The same as the library gives it, for ``json.dumps``: times are text, and ``from`` is ``from``."""
        form, hits = super().json(), [hit.json() for hit in self.hits]
        # There, what was requested of the hits is beside them.
        for of_all, name in (("snippets", "snippet"), ("subject_words", "subject_words"), ("also", "also")):
            form[of_all] = [hit.pop(name) for hit in hits if name in hit]
        return {**form, "hits": hits}

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        suggestions = form["suggestions"]
        return [
            form["total"],
            form["contents"],
            form["hits"],
            form["cursor"],
            Coverage.of(form["coverage"]),
            tuple(Counts.of(counts) for counts in form["counts"]),
            None if suggestions is None else Suggestions.of(suggestions),
            tuple(form["notices"]),
        ]


@dataclass(frozen=True)
class ClauseReport(Record):
    """A clause of a query, and what it finds alone."""

    #: The clause as it was read.
    clause: str
    #: Messages that meet it.
    messages: int
    #: Words that its wildcards match, with the number of messages that have them; the most frequent ones.
    words: Tuple[Tuple[str, int], ...]
    #: How many such words there are in all.
    all_words: int

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        words = tuple((word, number) for word, number in form["words"])
        return [form["clause"], form["messages"], words, form["all_words"]]


@dataclass(frozen=True)
class ClauseVerdict(Record):
    """A clause of a query, evaluated for one message."""

    #: The clause as it was read.
    clause: str
    #: Whether the message meets it; ``None`` if text that could not be read would decide.
    met: Optional[bool]
    #: Fields that contain something that the clause names.
    fields: Tuple[str, ...]

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        return [form["clause"], form["met"], tuple(form["fields"])]


@dataclass(frozen=True)
class Part(Record):
    """A part of a mail."""

    #: Its number.
    number: int
    #: The number of the part that it is in.
    parent: Optional[int]
    #: The number of the innermost nested mail around it.
    within: Optional[int]
    #: ``multipart``, ``mail`` or ``leaf``.
    kind: str
    #: Its media type, in lower case.
    type: str
    #: Its file name, decoded, if it has one.
    name: Optional[str]
    #: The subject of the mail in it, if it is a nested mail.
    subject: Optional[str]
    #: The length of its bytes after transfer decoding; 0 for a multipart.
    size: int
    #: Whether it is marked as an attachment, has a file name, is a nested mail, or is not text.
    attachment: bool
    #: Its text, if it is to be shown.
    text: Optional[str]
    #: About how many bytes of the part follow that text; 0 if it is complete.
    text_left_out: Optional[int]


@dataclass(frozen=True)
class View(Record):
    """A mail as a person reads it."""

    #: The fields of its header, in order: name and decoded value.
    header: Tuple[Tuple[str, str], ...]
    #: All parts, in the order of the mail.
    parts: Tuple[Part, ...]
    #: Whether there is more than is shown here: a very long header or very many parts.
    cut: bool

    def field(self, name: str) -> Optional[str]:
        """The decoded value of the first header field of this name, in any case."""
        return next((value for found, value in self.header if found.lower() == name.lower()), None)

    @property
    def attachments(self) -> Tuple[Part, ...]:
        """The parts that are attachments."""
        return tuple(part for part in self.parts if part.attachment)

    @classmethod
    def _values(cls, form: Mapping[str, Any]) -> Sequence[Any]:
        header = tuple((name, value) for name, value in form["header"])
        return [header, tuple(Part.of(part) for part in form["parts"]), form["cut"]]
