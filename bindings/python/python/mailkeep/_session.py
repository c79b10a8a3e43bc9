"""Sessions: what brings mail in, reads it, searches it, writes it out, and keeps the archive."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import json
import mailbox
import os
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default as default_policy
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
    cast,
)

from . import _native
from ._errors import MailkeepError, Misuse, QueryError, of_form, place_in
from ._native import Cancel, Hit, MessageInfo
from ._records import (
    CheckReport,
    ClauseReport,
    ClauseVerdict,
    CompactReport,
    DeletedMessage,
    DeleteReport,
    ExportReport,
    FolderInfo,
    FolderReport,
    ImportPlan,
    ImportReport,
    LostFile,
    LostMail,
    LostReport,
    MessageRecord,
    Missing,
    NotSearchable,
    Page,
    Receipt,
    Record,
    RepairReport,
    SearchResult,
    StatsReport,
    Step,
    StepFunction,
    StoreIndex,
    StoreInfo,
    Trouble,
    UndeleteReport,
    VerifyReport,
    View,
)
from ._streams import IN_MEMORY, MailStream, Readable, Writable, source_of

if TYPE_CHECKING:
    from ._archive import Archive

T = TypeVar("T")
R = TypeVar("R", bound=Record)

#: A query in the language of docs/SEARCH.md, or criteria: an object as that page describes it.
Query = Union[str, Mapping[str, Any]]
#: A path of a file or folder.
PathLike = Union[str, "os.PathLike[str]"]
#: Where mail comes from: a file or folder, a binary file object, or a mailbox of the standard library.
Source = Union[PathLike, Readable, "mailbox.Mailbox[Any]"]
#: A mail: its exact bytes, or a message of the standard library.
Mail = Union[bytes, bytearray, memoryview, Message]
#: Receives how far a call is, on the thread that made it. An exception ends the call, and comes out of it.
Progress = Callable[[Step], object]

#: How much of a list is read at once where all of it is read.
AT_ONCE = 256


@dataclass(frozen=True)
class FolderScope:
    """A folder, with those below it or without."""

    #: The path: names joined by ``/``.
    path: str
    #: Whether folders below it count.
    subfolders: bool = True


@dataclass(frozen=True)
class User:
    """A person, with the folders that they may see. Other folders behave as if they did not exist."""

    #: Their name, for records.
    name: str
    #: The folders, each with those below it unless a ``FolderScope`` says otherwise.
    folders: Sequence[Union[str, FolderScope]] = ()
    #: May restrict a search to one store. This gives no right to see mail.
    administrator: bool = False

    def form(self) -> Dict[str, Any]:
        """Its JSON form."""
        if isinstance(self.folders, str):
            raise TypeError("folders is a list of paths, not one path")
        scopes = (FolderScope(folder) if isinstance(folder, str) else folder for folder in self.folders)
        folders = [{"path": scope.path, "subfolders": scope.subfolders} for scope in scopes]
        return {"name": self.name, "administrator": self.administrator, "folders": folders}


def steps_of(progress: Optional[Progress]) -> Optional[StepFunction]:
    """The function that the extension module calls."""
    if progress is None:
        return None
    return lambda done, total, unit, activity: progress(Step(done, total, unit, activity))


def _each(make: Callable[..., T], function: Optional[Callable[[T], object]]) -> Optional[Callable[..., object]]:
    """A function that makes one object of its arguments, and passes it on."""
    if function is None:
        return None
    return lambda *arguments: function(make(*arguments))


def _dirs(*paths: Optional[PathLike]) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    """The folders of a store, that of its containers and that of its index."""
    dir, content_dir, index_dir = (None if path is None else os.fspath(path) for path in paths)
    return dir, content_dir, index_dir


def _list_of(kind: Callable[[Any], T], text: str) -> List[T]:
    return [kind(form) for form in json.loads(text)]


def _page_of(kind: Callable[[Any], T], text: str) -> Page[T]:
    form = json.loads(text)
    return Page(tuple(kind(item) for item in form["items"]), form["cursor"])


def _found(hits: Tuple[Hit, ...], rest: str) -> SearchResult:
    return SearchResult.of({**json.loads(rest), "hits": hits})


def _all_of(page: Callable[[Optional[str]], Page[T]]) -> Iterator[T]:
    cursor = None
    while True:
        found = page(cursor)
        yield from found.items
        cursor = found.cursor
        if cursor is None:
            return


def request_of(query: Query, **wanted: Any) -> str:
    """A request in the form that the library reads."""
    if isinstance(query, str):
        return json.dumps({"query": query, **wanted})
    return json.dumps({"criteria": {"version": 1, **query}, **wanted})


@contextlib.contextmanager
def asking(query: Query) -> Iterator[None]:
    """Notes the place of an error in the text of the query."""
    try:
        yield
    except QueryError as error:
        text = query if isinstance(query, str) else query.get("text", "")
        if isinstance(text, str):
            place_in(error, text)
        raise


def _search(
    query: Query,
    limit: Optional[int],
    after: Optional[str],
    counts: Iterable[str],
    snippets: bool,
    subject_words: bool,
    suggestions: bool,
    once: bool,
    now: Optional[datetime.datetime],
) -> str:
    if isinstance(counts, str):
        counts = [counts]
    wanted: Dict[str, Any] = {"limit": limit, "after": after, "counts": list(counts), "snippets": snippets}
    wanted.update(subject_words=subject_words, suggestions=suggestions, once=once)
    if now is not None:
        wanted["now"] = int(now.timestamp() * 1000)
    # What is not wanted need not be written and read. A limit of 0 is wanted.
    return request_of(query, **{name: value for name, value in wanted.items() if value is not None and value is not False and value != []})


class Session:
    """An archive, used on behalf of the system or of a user. Any thread may use it.

    Message ids are text such as ``1:42``, folders are text such as ``anna/inbox``. Functions that are given to a call run
    on the thread that made it, before it returns; an exception of one ends the call, and comes out of it unchanged. They
    may use the archive, but not close it.
    """

    def __init__(self, archive: Archive, native: _native.Session) -> None:
        self._archive = archive
        self._native = native

    @property
    def archive(self) -> Archive:
        """The archive."""
        return self._archive

    # What brings mail in.

    def import_(
        self,
        source: Source,
        into: Optional[str] = None,
        *,
        name: Optional[str] = None,
        format: Optional[str] = None,
        duplicates: str = "folder",
        with_deleted: bool = False,
        label_folders: bool = False,
        commit_each: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        on_receipt: Optional[Callable[[Receipt], object]] = None,
        on_trouble: Optional[Callable[[Trouble], object]] = None,
        on_lost: Optional[Callable[[bytes], object]] = None,
    ) -> ImportReport:
        """Imports everything in ``source``: a file or folder, a binary file object, or a ``mailbox.Mailbox``.

        Names and contents say what a source is, unless ``format`` does: ``mbox``, ``mboxo``, ``mboxrd``, ``mboxcl``,
        ``mboxcl2``, ``mmdf``, ``listserv``, ``maildir``, ``mh``, ``eml``, ``emlx``. ``name`` is the name of a file object,
        which hints at its format. Of a ``mailbox.Mailbox`` the mails are read; the path of a mailbox gives more, such as
        flags and From_ lines.

        ``into`` is the destination; by default a folder named after the source, below the owner's. A duplicate is what its
        ``folder`` has, apart from headers that mail programs change; or what its folder has with ``exact`` bytes; or what
        its user ``archive`` has, as a person would say. ``with_deleted`` reads mails that their program had marked as
        deleted, ``label_folders`` puts mails into the folders that their labels name, and ``commit_each`` commits each
        mail separately.

        ``on_receipt`` gets a receipt of each mail once it is durable, in the order of the source; ``on_trouble`` what is
        not mail or cannot be read; ``on_lost`` bytes that belong to no mail. What has a receipt is durable, whatever
        happens later. If ``cancel`` ended the import, the report has ``stopped``.
        """
        read, named = source_of(source, name)
        options = self._import_options(into, format, duplicates, with_deleted, label_folders, commit_each)
        report = self._native.import_(
            read,
            named,
            options,
            steps_of(progress),
            cancel,
            _each(Receipt, on_receipt),
            _each(Trouble, on_trouble),
            on_lost,
        )
        return ImportReport.of(json.loads(report))

    @staticmethod
    def _import_options(
        into: Optional[str] = None,
        format: Optional[str] = None,
        duplicates: str = "folder",
        with_deleted: bool = False,
        label_folders: bool = False,
        commit_each: bool = False,
    ) -> str:
        given = {"into": into, "format": format, "duplicates": duplicates, "with_deleted": with_deleted}
        return json.dumps({**given, "label_folders": label_folders, "commit_each": commit_each})

    def add(self, mail: Mail, folder: str) -> Receipt:
        """Archives one mail in ``folder``, which is created if missing. The mail is durable when this returns.

        Of bytes exactly these are archived; a message of the standard library is written as its ``as_bytes`` does.
        Several threads that add mails share the wait for the disk.
        """
        if isinstance(mail, Message):
            raw = mail.as_bytes()
        elif isinstance(mail, (bytes, bytearray, memoryview)):
            raw = bytes(mail)
        else:
            raise TypeError(f"a mail is bytes or an email.message.Message, not {type(mail).__name__}")
        return Receipt(*self._native.add(raw, folder))

    def target(self, source: Source, into: Optional[str] = None, *, name: Optional[str] = None) -> str:
        """The folder that ``import_`` would put ``source`` into, or below."""
        read, named = source_of(source, name)
        return self._native.target(read, named, self._import_options(into))

    def plan(
        self,
        source: Source,
        into: Optional[str] = None,
        *,
        name: Optional[str] = None,
        format: Optional[str] = None,
        with_deleted: bool = False,
        label_folders: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        on_trouble: Optional[Callable[[Trouble], object]] = None,
    ) -> ImportPlan:
        """Reads a source as ``import_`` does, archives nothing, and returns where its mails would go."""
        read, named = source_of(source, name)
        options = self._import_options(into, format, with_deleted=with_deleted, label_folders=label_folders)
        plan = self._native.plan(read, named, options, steps_of(progress), cancel, _each(Trouble, on_trouble))
        return ImportPlan.of(json.loads(plan))

    def check(
        self,
        source: Source,
        *,
        name: Optional[str] = None,
        format: Optional[str] = None,
        with_deleted: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        on_missing: Optional[Callable[[Missing], object]] = None,
        on_trouble: Optional[Callable[[Trouble], object]] = None,
    ) -> CheckReport:
        """Checks whether every mail of ``source`` is in the archive with exactly the same bytes.

        Headers that mail programs change may differ. Each mail is read from the archive; ``on_missing`` gets those that
        are not there, or are damaged.
        """
        read, named = source_of(source, name)
        options = self._import_options(format=format, with_deleted=with_deleted)
        functions = (_each(Missing, on_missing), _each(Trouble, on_trouble))
        return CheckReport.of(json.loads(self._native.check(read, named, options, steps_of(progress), cancel, *functions)))

    def lost_files(self) -> List[LostFile]:
        """The files in ``lost+found``: what opens cut after the last durable commit."""
        return _list_of(LostFile.of, self._native.lost_files())

    def lost_mails(self, visit: Callable[[LostMail], object]) -> LostReport:
        """Passes the mails in ``lost+found`` to ``visit``, one at a time."""

        def one(*arguments: Any) -> object:
            file, *rest = arguments
            return visit(LostMail(str(file), *rest))

        return LostReport.of(json.loads(self._native.lost_mails(one)))

    def import_lost(self, *, on_receipt: Optional[Callable[[Receipt], object]] = None) -> ImportReport:
        """Imports the mails of ``lost+found`` into the folders that they were meant for. The files stay."""
        return ImportReport.of(json.loads(self._native.import_lost(_each(Receipt, on_receipt))))

    # What reads mails, lists them and writes them out.

    def folders(self) -> List[FolderInfo]:
        """All folders with their counts, sorted by path."""
        return _list_of(FolderInfo.of, self._native.folders())

    def folders_in(self, folder: Optional[str] = None) -> List[FolderInfo]:
        """The folders directly in ``folder``, sorted by name; without ``folder``, the user archives."""
        return _list_of(FolderInfo.of, self._native.folders_in(folder))

    def folders_page(self, cursor: Optional[str] = None, limit: int = AT_ONCE) -> Page[FolderInfo]:
        """A page of ``folders``."""
        return _page_of(FolderInfo.of, self._native.folders_page(cursor, limit))

    def messages(self, folder: Optional[str] = None) -> Iterator[MessageInfo]:
        """The messages of one folder, newest first; without ``folder``, all messages in the order of their numbers.

        They are read page by page, as the iterator goes on. For other orders, and for folders with those below them,
        search ``in:FOLDER``.
        """
        return _all_of(lambda cursor: self.messages_page(folder, cursor))

    def messages_page(self, folder: Optional[str] = None, cursor: Optional[str] = None, limit: int = AT_ONCE) -> Page[MessageInfo]:
        """A page of ``messages``."""
        return Page(*self._native.messages_page(folder, cursor, limit))

    def message(self, id: str) -> MessageInfo:
        """What lists show of a message."""
        return self._native.message(id)

    def record(self, id: str) -> MessageRecord:
        """Everything that the archive knows of a message."""
        return MessageRecord.of(json.loads(self._native.record(id)))

    def raw(self, id: str) -> bytes:
        """The exact bytes of a message, checked against their digest."""
        return self._native.raw(id)

    def email(self, id: str) -> EmailMessage:
        """The message as an object of the standard library, parsed with ``email.policy.default``."""
        return message_from_bytes(self.raw(id), policy=default_policy)

    def header(self, id: str) -> bytes:
        """The header of a message as it is, without the empty line after it."""
        return self._native.header(id)

    def read_range(self, id: str, start: int, stop: int) -> bytes:
        """The bytes ``start`` to ``stop`` of a message; what is beyond its end is left out."""
        return self._native.read_range(id, start, stop)

    def open(self, id: str) -> BinaryIO:
        """The bytes of a message as a file object to read.

        Up to 16 MiB are in memory, checked, and can be read in any order. Larger mails are read piece by piece, and reading
        may end in an error; then none of the bytes must be used. Close the file object after use.
        """
        if self.message(id).size <= IN_MEMORY:
            return io.BytesIO(self.raw(id))
        return self._stream(id, None)

    def open_part(self, id: str, part: int) -> BinaryIO:
        """The bytes of one part as a file object to read, after transfer decoding. See ``open``."""
        size = next((one.size for one in self.parts(id).parts if one.number == part), 0)
        if size <= IN_MEMORY:
            return io.BytesIO(self.part(id, part))
        return self._stream(id, part)

    def _stream(self, id: str, part: Optional[int]) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(MailStream(self._native.stream(id, part)), 256 << 10))

    def parts(self, id: str) -> View:
        """A message as a person reads it: header fields, parts with numbers, names, types and sizes, and its text."""
        return View.of(json.loads(self._native.parts(id)))

    def part(self, id: str, part: int) -> bytes:
        """The bytes of one part, after transfer decoding; of a nested mail, the bytes of that mail."""
        return self._native.part(id, part)

    def read_parts(self, id: str, parts: Iterable[int]) -> Dict[int, bytes]:
        """The bytes of some parts by their numbers, in one pass over the message. Parts that do not exist are left out."""
        return self._native.read_parts(id, list(parts))

    def thread(self, id: str, *, cancel: Optional[Cancel] = None) -> List[MessageInfo]:
        """The thread of a message, including the message itself: oldest first, then messages without a date."""
        return list(self._native.thread(id, cancel))

    def export(
        self,
        destination: PathLike,
        *,
        format: str = "eml",
        folder: Optional[str] = None,
        query: Optional[str] = None,
        manifest: bool = False,
        update: bool = False,
        origin: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        on_failed: Optional[Callable[[str, MailkeepError], object]] = None,
    ) -> ExportReport:
        """Writes messages into the folder ``destination``, which is created if missing and must be empty unless ``update``.

        ``format`` is ``eml`` (a file for each mail, with exactly its bytes), ``mbox`` or ``maildir``. ``folder`` and
        ``query`` choose messages. ``manifest`` writes ``SHA256SUMS`` and ``MANIFEST.jsonl``; ``origin`` writes fields that
        say where a mail is from (``eml`` only). ``on_failed`` gets the id of each message that could not be written, and
        why; the export continues. If ``cancel`` ended it, the report has ``stopped``.
        """
        options = self._export_options(format, folder, query, manifest, update, origin)
        report = self._native.export(os.fspath(destination), options, steps_of(progress), cancel, on_failed)
        return ExportReport.of(json.loads(report))

    def export_mbox(
        self,
        file: Writable,
        *,
        folder: Optional[str] = None,
        query: Optional[str] = None,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        on_failed: Optional[Callable[[str, MailkeepError], object]] = None,
    ) -> ExportReport:
        """Writes one mbox of all chosen messages to a binary file object, folder by folder, quoted as mboxrd."""
        options = self._export_options("mbox", folder, query, False, False, False)
        return ExportReport.of(json.loads(self._native.export_mbox(file, options, steps_of(progress), cancel, on_failed)))

    @staticmethod
    def _export_options(
        format: str, folder: Optional[str], query: Optional[str], manifest: bool, update: bool, origin: bool
    ) -> str:
        chosen = {"format": format, "folder": folder, "query": query}
        return json.dumps({**chosen, "manifest": manifest, "update": update, "origin": origin})

    # What searches, and explains what was found.

    def search(
        self,
        query: Query,
        *,
        limit: Optional[int] = 100,
        after: Optional[str] = None,
        counts: Iterable[str] = (),
        snippets: bool = False,
        subject_words: bool = False,
        suggestions: bool = False,
        once: bool = False,
        now: Optional[datetime.datetime] = None,
        cancel: Optional[Cancel] = None,
    ) -> SearchResult:
        """Searches all messages that the user may see, and returns the first ``limit`` hits; all of them for ``None``.

        ``query`` is text in the language of docs/SEARCH.md, or criteria. ``after`` is the cursor of an earlier page.
        ``counts`` counts all messages that meet the query, by ``year``, ``month``, ``from``, ``folder``, ``type``.
        ``snippets`` shows the place of each hit that has the most words of the query, ``subject_words`` those words in its
        subject. ``suggestions`` says what to try if nothing is found. ``once`` shows a mail that is in several folders
        once. ``now`` is the moment that relative dates count from.

        ``total`` is exact. ``search_all`` reads all hits, page by page.
        """
        request = _search(query, limit, after, counts, snippets, subject_words, suggestions, once, now)
        with asking(query):
            return _found(*self._native.search(request, cancel))

    def search_pages(
        self,
        query: Query,
        *,
        limit: int = AT_ONCE,
        after: Optional[str] = None,
        counts: Iterable[str] = (),
        snippets: bool = False,
        subject_words: bool = False,
        suggestions: bool = False,
        once: bool = False,
        now: Optional[datetime.datetime] = None,
        cancel: Optional[Cancel] = None,
    ) -> Iterator[SearchResult]:
        """Searches once, and reads the hits page by page, as the iterator goes on; there is always a first page.

        All pages come from the state of the archive at the first. Counts and suggestions are on the first.
        """
        with asking(query):
            pages = self._native.search_pages(
                _search(query, limit, after, counts, snippets, subject_words, suggestions, once, now)
            )
        return self._pages(pages, query, cancel)

    @staticmethod
    def _pages(pages: _native.Pages, query: Query, cancel: Optional[Cancel]) -> Iterator[SearchResult]:
        while True:
            with asking(query):
                page = pages.next(cancel)
            if page is None:
                return
            yield _found(*page)

    def search_all(
        self,
        query: Query,
        *,
        snippets: bool = False,
        subject_words: bool = False,
        once: bool = False,
        now: Optional[datetime.datetime] = None,
        cancel: Optional[Cancel] = None,
    ) -> Iterator[Hit]:
        """All hits of a search, read page by page as the iterator goes on. The search runs once."""
        pages = self.search_pages(query, snippets=snippets, subject_words=subject_words, once=once, now=now, cancel=cancel)
        return (hit for page in pages for hit in page.hits)

    def explain(self, query: Query, *, cancel: Optional[Cancel] = None) -> List[ClauseReport]:
        """How a query is read, clause by clause, and what each clause finds alone."""
        with asking(query):
            return _list_of(ClauseReport.of, self._native.explain(request_of(query), cancel))

    def why(self, id: str, query: Query, *, cancel: Optional[Cancel] = None) -> List[ClauseVerdict]:
        """Which clauses of a query a message meets, and in which fields their words are."""
        with asking(query):
            return _list_of(ClauseVerdict.of, self._native.why(id, request_of(query), cancel))

    def undecided(self, query: Query, limit: int = 100, *, cancel: Optional[Cancel] = None) -> List[NotSearchable]:
        """What could not be read in the first messages for which text that could not be read would decide."""
        with asking(query):
            return _list_of(NotSearchable.of, self._native.undecided(request_of(query), limit, cancel))

    # What changes folders. With ``dry_run``, nothing is done, and the report says what would be.

    def make_folder(self, path: str, *, dry_run: bool = False) -> FolderReport:
        """Makes a folder, and the folders above it that do not exist."""
        return FolderReport.of(json.loads(self._native.make_folder(path, dry_run)))

    def rename_folder(self, path: str, name: str, *, dry_run: bool = False) -> FolderReport:
        """Gives a folder another name, in the folder in which it is."""
        return FolderReport.of(json.loads(self._native.rename_folder(path, name, dry_run)))

    def move_folder(self, path: str, to: str, *, dry_run: bool = False) -> FolderReport:
        """Makes ``to`` the path of a folder, with everything in it. Folders above ``to`` that do not exist are made.

        Messages keep their ids. Nothing that names a folder by its path follows.
        """
        return FolderReport.of(json.loads(self._native.move_folder(path, to, dry_run)))

    def remove_folder(self, path: str, *, dry_run: bool = False) -> FolderReport:
        """Removes a folder and all folders below it, if none of them has a message."""
        return FolderReport.of(json.loads(self._native.remove_folder(path, dry_run)))

    def prune_folders(self, folder: Optional[str] = None, *, dry_run: bool = False) -> FolderReport:
        """Removes all folders that have no message in themselves and below them; with ``folder``, of that and below it.

        User archives stay.
        """
        return FolderReport.of(json.loads(self._native.prune_folders(folder, dry_run)))

    # What deletes messages, brings them back, and erases them.

    def delete(self, ids: Iterable[str], reason: str, *, dry_run: bool = False) -> DeleteReport:
        """Deletes messages, all of them or none: durable when this returns.

        They leave lists, counts, searches and exports at once, and ``undelete`` brings them back. ``reason`` is recorded
        with the time and the user. ``dry_run`` only reports what would be done.
        """
        return DeleteReport.of(json.loads(self._native.delete(list(ids), reason, dry_run)))

    def undelete(self, ids: Iterable[str], reason: str) -> UndeleteReport:
        """Brings deleted messages back, all of them or none. They keep their ids."""
        return UndeleteReport.of(json.loads(self._native.undelete(list(ids), reason)))

    def deleted(self) -> Iterator[DeletedMessage]:
        """All deleted messages in the order of their numbers, read page by page."""
        return _all_of(lambda cursor: self.deleted_page(cursor))

    def deleted_page(self, cursor: Optional[str] = None, limit: int = AT_ONCE) -> Page[DeletedMessage]:
        """A page of ``deleted``."""
        return _page_of(DeletedMessage.of, self._native.deleted_page(cursor, limit))

    def compact(
        self,
        *,
        store: Optional[int] = None,
        dry_run: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
    ) -> CompactReport:
        """Erases what was deleted from every file of the archive, and removes what is in ``lost+found``.

        What is erased cannot be brought back. Everything else keeps its id, and can be read and archived meanwhile. If the
        compaction is ended, or the process dies, the next one goes on with it. ``dry_run`` only reports what would be done.

        ``store`` is the number of the only store to compact; by default it is all that are open and not write-protected.
        """
        return CompactReport.of(json.loads(self._native.compact(store, dry_run, steps_of(progress), cancel)))

    # The stores of the archive. A relative path counts from the current folder.

    def stores(self, *, stats: bool = False) -> List[StoreInfo]:
        """The stores of the archive, by number. With ``stats``, each that is open has its sizes: every file is looked at."""
        return _list_of(StoreInfo.of, self._native.stores(stats))

    def create_store(
        self,
        name: str,
        *,
        state: str = "current",
        dir: Optional[PathLike] = None,
        content_dir: Optional[PathLike] = None,
        index_dir: Optional[PathLike] = None,
    ) -> int:
        """Creates a store, and returns its number. It takes new mail from then on, unless ``state`` says otherwise.

        It lies in a folder of its own within the archive unless ``dir`` says where; its containers and its index lie in that
        folder unless ``content_dir`` and ``index_dir`` do. Folders that exist must be empty.
        """
        return self._native.create_store(name, state, _dirs(dir, content_dir, index_dir))

    def attach_store(
        self,
        name: str,
        dir: PathLike,
        *,
        state: str = "normal",
        content_dir: Optional[PathLike] = None,
        index_dir: Optional[PathLike] = None,
    ) -> int:
        """Makes a store that was detached part of the archive again, and returns its number: the one that it had."""
        return self._native.attach_store(name, state, _dirs(dir, content_dir, index_dir))

    def detach_store(self, store: int, *, cancel: Optional[Cancel] = None) -> None:
        """Takes a store out of the archive. Waits up to 10 s for calls and streams that use it, then raises ``StoreBusy``.

        Its files stay as they are. Its messages are in no list and no search until it is attached again.
        """
        self._native.detach_store(store, cancel)

    def rename_store(self, store: int, name: str) -> None:
        """Gives a store another name. Its folders keep theirs."""
        self._native.rename_store(store, name)

    def set_store_state(
        self, store: int, state: str, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None
    ) -> None:
        """Puts a store into a state: ``current``, ``normal``, ``writeProtected`` or ``disabled``.

        If it becomes current, the store that took new mail until then becomes normal. One that is disabled is closed, for
        which calls and streams that use it are waited for, up to 10 s (then ``StoreBusy``, and nothing was changed). If it
        cannot be opened (``StoreNotOpen``), the state is recorded, and ``retry_open_stores`` tries again.
        """
        self._native.set_store_state(store, state, steps_of(progress), cancel)

    def set_store_dirs(
        self,
        store: int,
        dir: Optional[PathLike] = None,
        *,
        content_dir: Optional[PathLike] = None,
        index_dir: Optional[PathLike] = None,
    ) -> None:
        """Records where the files of a disabled store are, after you moved them: this moves nothing."""
        self._native.set_store_dirs(store, _dirs(dir, content_dir, index_dir))

    @property
    def store_rule(self) -> str:
        """When a new store is made by itself, such as ``messages:5000000``."""
        return self._native.store_rule()

    def set_store_rule(self, rule: str) -> None:
        """Says when a new store is made by itself; it is named after the month, such as ``2026-12``, and takes new mail.

        ``never``, ``messages:N`` (when the current store has so many), ``bytes:N`` (when its mails have so many bytes, each
        counted once), ``monthly``, ``quarterly``.
        """
        self._native.set_store_rule(rule)

    def retry_open_stores(
        self, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None
    ) -> List[MailkeepError]:
        """Tries again to open the stores that could not be opened. Returns, and does not raise, why some still cannot."""
        return [of_form(form) for form in json.loads(self._native.retry_open_stores(steps_of(progress), cancel))]

    # What checks, repairs and measures an archive, and keeps its index.

    def stats(self, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None) -> StatsReport:
        """The totals of the archive, and its disk usage."""
        return StatsReport.of(json.loads(self._native.stats(steps_of(progress), cancel)))

    def types_not_read(
        self, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None
    ) -> List[Tuple[str, int]]:
        """Media types of attachments that are not searched, each with the number of mails that have such attachments."""
        found = json.loads(self._native.types_not_read(steps_of(progress), cancel))
        return [(media, number) for media, number in found]

    def not_searchable(self) -> Iterator[NotSearchable]:
        """All parts that searches cannot look into, read page by page. The mails that have them are read for it."""
        return _all_of(lambda cursor: self.not_searchable_page(cursor))

    def not_searchable_page(self, cursor: Optional[str] = None, limit: int = AT_ONCE) -> Page[NotSearchable]:
        """A page of ``not_searchable``; those of one mail are on one page, which may make it longer than ``limit``."""
        return _page_of(NotSearchable.of, self._native.not_searchable_page(cursor, limit))

    def verify(
        self,
        *,
        structure_only: bool = False,
        part: Optional[Tuple[int, int]] = None,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
    ) -> VerifyReport:
        """Reads everything and checks everything.

        With ``structure_only``, every file, but not every mail against its digest. With ``part=(1, 10)``, the first tenth
        of the mails, and so on: from 1 to 10.
        """
        verified = self._native.verify(structure_only, part, steps_of(progress), cancel)
        return self._verified(verified)

    @staticmethod
    def _verified(verified: _native.Verified) -> VerifyReport:
        return dataclasses.replace(VerifyReport.of(json.loads(verified.json())), _verified=verified)

    def accept_damage(self, report: VerifyReport) -> VerifyReport:
        """Accepts what ``report`` found, except what can be rebuilt: it is recorded, and listed separately from now on.

        Returns the report as it is then. What is hit stays damaged, and reading it fails as before.
        """
        verified = report._verified
        if verified is None:
            raise Misuse("misuse", "this report is not one of verify; verify the archive")
        self._native.accept_damage(verified)
        return self._verified(verified)

    def repair(self, *, accept_state: bool = False, dry_run: bool = False) -> RepairReport:
        """Makes an archive that refuses mail accept it again. Afterwards close the archive and open it again.

        ``accept_state`` accepts a state that is not what was recorded; ``dry_run`` only reports what would be done.
        """
        return RepairReport.of(json.loads(self._native.repair(accept_state, dry_run)))

    def store_indexes(self, store: Optional[int] = None) -> List[StoreIndex]:
        """The indexes of all stores, or of one."""
        return _list_of(StoreIndex.of, self._native.store_indexes(store))

    def rebuild_store_index(
        self, store: int = 1, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None
    ) -> None:
        """Rebuilds the index of a store from its mails. Until it is done, searches use the old one."""
        self._native.rebuild_store_index(store, steps_of(progress), cancel)

    def select_all_store_indexes_for_rebuild(self) -> None:
        """Marks all indexes for ``rebuild_selected_store_indexes``. The mark outlives the process."""
        self._native.select_all_store_indexes_for_rebuild()

    def rebuild_selected_store_indexes(self, *, progress: Optional[Progress] = None, cancel: Optional[Cancel] = None) -> int:
        """Rebuilds the indexes that are marked or need it, and returns how many."""
        return self._native.rebuild_selected_store_indexes(steps_of(progress), cancel)

    @property
    def index_configuration(self) -> List[str]:
        """Media types of attachments that are to be searched besides text, HTML and nested mails."""
        return self._native.index_configuration()

    def set_index_configuration(self, types: Iterable[str]) -> None:
        """Sets the media types of attachments that are to be searched from now on."""
        self._native.set_index_configuration(list(types))


def read_criteria(query: Query) -> Dict[str, Any]:
    """Reads a query or criteria, and returns the criteria in the form that can be kept, such as for a saved search.

    Raises ``QueryError`` if they cannot be understood.
    """
    with asking(query):
        return cast(Dict[str, Any], json.loads(_native.read_criteria(request_of(query))))
