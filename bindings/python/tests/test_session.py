"""What comes in, what is found, and what goes out."""

import copy
import datetime
import email.message
import io
import json
import mailbox
import pathlib
from typing import List

import mailkeep
import pytest
from conftest import NESTED, mail, mbox


def test_import_with_progress_and_receipts(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "inbox.mbox"
    source.write_bytes(mbox(0, 300))
    steps: List[mailkeep.Step] = []
    receipts: List[mailkeep.Receipt] = []
    report = session.import_(source, progress=steps.append, on_receipt=receipts.append)
    assert (report.read, report.stored, report.failed, report.folder, report.stopped) == (300, 300, 0, "anna/inbox", False)
    assert report.json()["read"] == 300
    assert steps and steps[-1].total == source.stat().st_size and steps[-1].unit == "bytes"
    assert [receipt.outcome for receipt in receipts] == ["stored"] * 300
    assert [receipt.offset for receipt in receipts] == sorted(receipt.offset for receipt in receipts)
    assert session.raw(receipts[7].id) == mail(7)

    again = session.import_(str(source), "anna/inbox")
    assert (again.stored, again.duplicate) == (0, 300)
    assert session.target(source) == "anna/inbox"
    plan = session.plan(source)
    assert plan.source.mails == 300 and plan.folders[0].messages == 300


def test_import_from_file_objects(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    assert session.import_(io.BytesIO(mbox(0, 10)), "anna/a").stored == 10
    path = tmp_path / "named.mbox"
    path.write_bytes(mbox(0, 3))
    with path.open("rb") as file:
        assert session.import_(file).folder == "anna/named"

    class Slow:
        """Gives little at a time."""

        def __init__(self) -> None:
            self.file = io.BytesIO(mbox(10, 20))

        def read(self, size: int, /) -> bytes:
            return self.file.read(min(size, 7))

    assert session.import_(Slow(), "anna/slow", name="x.mbox").stored == 10
    with pytest.raises(TypeError, match="binary mode"):
        session.import_(io.StringIO("From a"), "anna/text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        session.import_(17)  # type: ignore[arg-type]


def test_what_is_no_mail_is_told(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "in" / "a.mbox").write_bytes(b"before\n" + mbox(0, 2))
    troubles: List[mailkeep.Trouble] = []
    lost: List[bytes] = []
    report = session.import_(tmp_path / "in", on_trouble=troubles.append, on_lost=lost.append)
    assert report.stored == 2 and report.skipped_files == 1
    assert {trouble.source for trouble in troubles} == {"a.mbox", "picture.png"}
    assert b"".join(lost) == b"before\n"
    with pytest.raises(mailkeep.SourceError):
        session.import_(tmp_path / "nothing")
    with pytest.raises(mailkeep.Misuse):
        session.import_(tmp_path / "in", format="pst")
    with pytest.raises(mailkeep.Misuse):
        session.import_(tmp_path / "in", "anna//x")


def test_mailboxes_of_the_standard_library(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    box = mailbox.Maildir(str(tmp_path / "Old Mail"))
    for number in range(20):
        box.add(mail(number))
    box.add(b"Subject: no line end\r\n\r\nFrom here")
    receipts: List[mailkeep.Receipt] = []
    report = session.import_(box, on_receipt=receipts.append)
    assert report.stored == 21 and report.folder == "anna/Old Mail"
    archived = sorted(session.raw(receipt.id) for receipt in receipts)
    assert archived == sorted(box.get_bytes(key) for key in box.iterkeys())
    assert session.check(str(tmp_path / "Old Mail")).missing == 0


def test_add(session: mailkeep.Session) -> None:
    receipt = session.add(mail(1), "anna/inbox")
    assert receipt.outcome == "stored" and receipt.source == "" and len(receipt.digest) == 64
    assert session.add(bytearray(mail(1)), "anna/inbox").outcome == "duplicate"

    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = "Anna <anna@example.org>", "ben@example.net", "Grüße"
    message.set_content("Hallo!\n")
    message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="x.csv")
    receipt = session.add(message, "anna/sent")
    assert session.raw(receipt.id) == message.as_bytes()
    again = session.email(receipt.id)
    assert again["subject"] == "Grüße"
    assert [part.get_filename() for part in again.iter_attachments()] == ["x.csv"]
    with pytest.raises(mailkeep.NotAMail):
        session.add(b"", "anna/inbox")
    with pytest.raises(TypeError):
        session.add("text", "anna/inbox")  # type: ignore[arg-type]
    with pytest.raises(mailkeep.Misuse):
        session.add(mail(2), "")


def test_records(session: mailkeep.Session) -> None:
    id = session.add(NESTED, "anna/inbox").id
    message = session.message(id)
    assert message.subject == "Café bill" and message.attachments == 1 and message.folder == "anna/inbox"
    assert message.date == datetime.datetime(2020, 1, 1, 10, tzinfo=datetime.timezone.utc)
    assert message.archived is not None and message.archived.tzinfo is datetime.timezone.utc
    assert str(message.from_[0]) == "Anna <anna@example.org>" and message.to[0].address == "ben@example.net"
    assert json.loads(json.dumps(message.json()))["from"][0]["name"] == "Anna"
    with pytest.raises(AttributeError):
        message.subject = "other"  # type: ignore[misc]
    record = session.record(id)
    assert {**record.json(), **message.json()} == record.json()
    assert record.subject == message.subject and len(record.digest) == 64 and record.store == "1"
    undated = session.message(session.add(b"Subject: x\n\ny\n", "anna/inbox").id)
    assert undated.date is None and undated.date_source == "archiving"


def test_parts_and_streams(session: mailkeep.Session) -> None:
    id = session.add(NESTED, "anna/inbox").id
    view = session.parts(id)
    assert view.field("SUBJECT") == "Café bill" and view.field("none") is None and not view.cut
    assert [part.kind for part in view.parts] == ["multipart", "leaf", "leaf"]
    (report,) = view.attachments
    assert (report.name, report.type, report.size) == ("report.csv", "text/csv", 8)
    assert session.part(id, report.number) == b"a,b\n1,2\n"
    with session.open_part(id, report.number) as stream:
        assert stream.readline() == b"a,b\n" and stream.read() == b"1,2\n"
    assert session.read_parts(id, [1, 2])[2] == b"a,b\n1,2\n"
    with session.open(id) as stream:
        assert stream.read() == NESTED
    assert session.header(id) == NESTED.partition(b"\n\n")[0] + b"\n"
    assert session.read_range(id, 6, 10) == b"Anna"
    with pytest.raises(mailkeep.NoSuchPart) as no_part:
        session.open_part(id, 9)
    assert no_part.value.details == {"id": id, "part": 9}
    with pytest.raises(mailkeep.NoSuchMessage):
        session.open("1:77")
    with pytest.raises(mailkeep.Misuse):
        session.raw("seven")


def test_a_large_mail_is_a_stream(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    text = b"".join(b"line %d\n" % number for number in range(1_600_000))
    raw = b"Subject: large\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + text + b"\n--b--\n"
    assert len(raw) > 17 << 20
    id = session.import_(io.BytesIO(raw), "anna/large", name="large.eml").stored and next(session.messages()).id
    assert isinstance(id, str)
    with session.open(id) as stream:
        assert isinstance(stream, io.BufferedReader) and not stream.seekable()
        assert stream.read(8) == b"Subject:" and stream.read() == raw[8:]
    with session.open_part(id, 1) as stream:
        assert stream.readline() == b"line 0\n" and stream.read() == text[7:]
    unread, half = session.open(id), session.open(id)
    half.read(100)
    half.close()
    with pytest.raises(ValueError):
        half.read(1)
    # Closing the archive ends what nobody read.
    archive.close()
    with pytest.raises(mailkeep.Closed):
        unread.read()
    unread.close()


def test_search(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 100)), "anna/inbox")
    session.add(NESTED, "anna/bills/2020")
    found = session.search("number", limit=7, counts=["year", "folder"], snippets=True, subject_words=True)
    assert found.total == 100 and found.contents == 100 and len(found.hits) == 7 and found.cursor is not None
    assert found.counts[0].rows == (("2020", 100),) and found.counts[1].by == "folder"
    hit = next(iter(found))
    assert [hit.subject[start:end] for start, end in hit.subject_words] == ["number"]
    assert hit.snippet is not None and hit.snippet.field == "subject"
    second = session.search("number", limit=7, after=found.cursor)
    assert not {hit.id for hit in found} & {hit.id for hit in second}
    assert session.search("bill", limit=None).total == 1

    cafe = session.search("café has:attachment", subject_words=True).hits[0]
    assert [cafe.subject[start:end] for start, end in cafe.subject_words] == ["Café"]
    assert session.search({"text": "number", "folder": {"path": "anna/bills"}}).total == 0
    assert session.search({"text": "bill", "folder": {"path": "anna/bills"}}).total == 1
    nothing = session.search("numbre", suggestions=True)
    assert nothing.total == 0 and nothing.suggestions is not None and "number" in nothing.suggestions.words
    day = datetime.datetime(2020, 1, 2, 12, tzinfo=datetime.timezone.utc)
    assert 0 < session.search("date:yesterday", now=day).total < 100
    assert mailkeep.read_criteria("bill")["text"] == "bill"
    assert [clause.messages for clause in session.explain("number bill")] == [100, 1]
    assert session.why(cafe.id, "bill")[0].met is True
    assert session.undecided("bill") == []
    assert [message.id for message in session.thread(cafe.id)] == [cafe.id]


def test_messages_in_lists_are_values(session: mailkeep.Session) -> None:
    utc = datetime.timezone.utc
    one = session.add(NESTED, "anna/inbox").id
    session.add(NESTED, "anna/copy")
    message, record = session.message(one), session.record(one)
    for name in ("id", "date", "date_source", "archived", "from_", "to", "subject", "folder", "number_in_folder"):
        assert getattr(message, name) == getattr(record, name)
    for name in ("size", "attachments", "importance", "direction"):
        assert getattr(message, name) == getattr(record, name)
    listed = {listed.id: listed for listed in session.messages()}
    assert listed[one] == message and hash(listed[one]) == hash(message) and len({message, *listed.values()}) == 2
    assert message != record and message != "1:0"
    assert copy.copy(message) == message == copy.deepcopy([message])[0]
    assert repr(message).startswith(f"MessageInfo(id='{one}', date=datetime.datetime(2020, 1, 1, 10, 0, tzinfo=")
    assert repr(message).endswith("size=%d, attachments=1, importance=0, direction='%s')" % (len(NESTED), message.direction))

    plain = session.search("bill", limit=2)
    (hit, _) = plain.hits
    assert isinstance(hit, mailkeep.MessageInfo) and isinstance(hit, mailkeep.Hit)
    assert (hit.snippet, hit.subject_words, hit.also) == (None, (), ())
    assert listed[hit.id].json() == hit.json() and listed[hit.id] != hit
    assert hit == session.search("bill").hits[0] and hit in {*session.search("bill")}
    assert plain == session.search("bill", limit=2) and plain.json()["hits"] == [hit.json() for hit in plain]
    assert plain.json()["snippets"] == plain.json()["also"] == []

    full = session.search("café", snippets=True, subject_words=True, once=True)
    (hit,) = full.hits
    assert hit != plain.hits[0] and repr(hit).startswith("Hit(id=") and repr(hit).endswith(f", also={hit.also!r})")
    assert [type(other) for other in hit.also] == [mailkeep.MessageInfo] and hit.also[0].id != hit.id
    assert hit.subject_words == ((0, 4),) and hit.snippet is not None and hit.snippet.ranges
    form = json.loads(json.dumps(full.json()))
    assert form["hits"] == [listed[hit.id].json()] and form["also"] == [[hit.also[0].json()]]
    # There, ranges count bytes.
    assert form["subject_words"] == [[[0, 5]]] and form["snippets"] == [hit.snippet.json()]
    assert hit.json() == {**form["hits"][0], "subject_words": [[0, 5]], "snippet": form["snippets"][0], "also": form["also"][0]}

    dates = {
        "Sat, 31 Dec 1969 23:59:59 +0000": datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=utc),
        "Mon, 01 Jan 1900 00:00:00 +0000": datetime.datetime(1900, 1, 1, tzinfo=utc),
        "Fri, 31 Dec 2100 01:02:03 +0100": datetime.datetime(2100, 12, 31, 0, 2, 3, tzinfo=utc),
    }
    for text, date in dates.items():
        dated = session.add(f"Date: {text}\nSubject: x\n\ny\n".encode(), "anna/dates").id
        found = session.message(dated)
        assert found.date == session.record(dated).date and found.date in (date, None)
        assert found.archived == session.record(dated).archived


def test_pages_are_read_as_the_iterator_goes_on(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 1000)), "anna/inbox")
    pages = session.search_pages("number", limit=100)
    first = next(pages)
    assert first.total == 1000 and len(first.hits) == 100
    # All pages come from the state of the archive at the first.
    session.add(mail(5000), "anna/inbox")
    rest = list(pages)
    assert len(rest) == 9 and rest[-1].cursor is None
    hits = list(session.search_all("number"))
    assert len({hit.id for hit in hits}) == 1001
    assert [hit.date for hit in hits] == sorted((hit.date for hit in hits if hit.date), reverse=True)
    assert sum(1 for _ in session.messages("anna/inbox")) == 1001
    assert [message.id for message in session.messages()][:3] == ["1:0", "1:1", "1:2"]
    page = session.messages_page("anna/inbox", limit=10)
    assert len(page) == 10 and page.cursor is not None
    with pytest.raises(mailkeep.Misuse):
        session.messages_page("anna", page.cursor)
    with pytest.raises(mailkeep.NoSuchFolder) as no_folder:
        next(session.messages("anna/none"))
    assert no_folder.value.details["folder"] == "anna/none"


def test_errors_in_a_query_have_a_place(session: mailkeep.Session) -> None:
    for query in ("grüße larger:x", {"text": "grüße larger:x"}):
        with pytest.raises(mailkeep.QueryError) as wrong:
            session.search(query)
        assert wrong.value.code == "query"
        assert wrong.value.start is not None and "grüße larger:x"[wrong.value.start : wrong.value.end] == "x"
    with pytest.raises(mailkeep.QueryError) as wrong:
        session.search({"colour": "red"})
    assert wrong.value.start is None
    with pytest.raises(mailkeep.QueryError):
        session.search_pages("larger:x")
    with pytest.raises(ValueError):
        session.search("bill", after="no cursor")
    with pytest.raises(mailkeep.QueryError):
        session.search("bill", counts=["colour"])


def test_users_see_their_folders(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    session.add(mail(1), "anna/inbox")
    hidden = session.add(mail(2), "ben/inbox").id
    user = archive.session(mailkeep.User("anna", ["anna"]))
    assert user.search("number").total == 1
    assert [folder.path for folder in user.folders_in()] == ["anna"]
    with pytest.raises(mailkeep.NoSuchMessage):
        user.raw(hidden)
    with pytest.raises(mailkeep.Denied):
        user.verify()
    assert user.archive is archive
    alone = archive.session(mailkeep.User("anna", [mailkeep.FolderScope("anna", subfolders=False)]))
    assert alone.search("number").total == 0


def test_folders(session: mailkeep.Session) -> None:
    session.add(mail(1), "anna/a")
    session.add(mail(2), "anna/a/b")
    folders = {folder.path: folder for folder in session.folders()}
    assert folders["anna"].total_messages == 2 and folders["anna/a"].messages == 1
    assert [folder.path for folder in session.folders_in("anna/a")] == ["anna/a/b"]
    page = session.folders_page(limit=2)
    assert len(page) == 2 and [folder.path for folder in session.folders_page(page.cursor)] == ["anna/a/b"]


def test_export(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    session.import_(io.BytesIO(mbox(0, 30)), "anna/inbox")
    steps: List[mailkeep.Step] = []
    report = session.export(tmp_path / "eml", manifest=True, progress=steps.append)
    assert report.exported == 30 and report.failed == 0 and steps[-1].done == report.bytes
    files = sorted((tmp_path / "eml").rglob("*.eml"))
    assert sorted(file.read_bytes() for file in files) == sorted(mail(number) for number in range(30))
    assert (tmp_path / "eml" / "SHA256SUMS").exists()
    assert session.export(tmp_path / "eml", manifest=True, update=True).present == 30
    assert session.export(tmp_path / "md", format="maildir", query="word7", folder="anna").exported == 1
    with pytest.raises(mailkeep.AlreadyExists):
        session.export(tmp_path / "eml")
    with pytest.raises(mailkeep.Misuse):
        session.export(tmp_path / "x", format="pst")

    out = io.BytesIO()
    assert session.export_mbox(out).exported == 30
    assert session.check(io.BytesIO(out.getvalue()), name="x.mbox").present == 30
    with (tmp_path / "unbuffered.mbox").open("wb", buffering=0) as file:
        session.export_mbox(file, query="number")
    assert (tmp_path / "unbuffered.mbox").read_bytes() == out.getvalue()


def test_check_names_what_is_missing(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 5)), "anna/inbox")
    missing: List[mailkeep.Missing] = []
    report = session.check(io.BytesIO(mbox(3, 7)), name="x.mbox", on_missing=missing.append)
    assert (report.read, report.present, report.missing) == (4, 2, 2)
    assert len(missing) == 2 and missing[0].offset < missing[1].offset


def test_verify(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 20)), "anna/inbox")
    (archive.path / "stray.txt").write_text("x")
    report = session.verify()
    assert report.sound and report.messages == 20 and report.foreign == (str(archive.path / "stray.txt"),)
    assert session.verify(structure_only=True).content_bytes == 0
    parts = [session.verify(part=(no, 3)).content_bytes for no in (1, 2, 3)]
    assert sum(parts) == report.content_bytes
    with pytest.raises(mailkeep.Misuse):
        session.verify(part=(4, 3))
    with pytest.raises(mailkeep.Misuse):
        session.verify(part=(1, 3), structure_only=True)
    assert session.accept_damage(report).findings == ()


def test_what_is_deleted_is_gone_and_comes_back(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 5)), "anna/inbox")
    ids = [message.id for message in session.messages()]
    with pytest.raises(mailkeep.Misuse):
        session.delete(ids, "")
    with pytest.raises(mailkeep.NoSuchMessage):
        session.delete([ids[0], "1:99"], "a test")
    assert session.delete(ids[:1], "a test", dry_run=True).deleted == (ids[0],)
    assert session.delete(iter(ids[:2]), "größer").deleted == tuple(ids[:2])
    assert session.delete(ids[:1], "a test").already_deleted == (ids[0],)
    assert [message.id for message in session.messages()] == ids[2:]
    with pytest.raises(mailkeep.Deleted):
        session.raw(ids[0])
    (first, _) = session.deleted()
    assert (first.id, first.folder, first.deleted_by, first.reason) == (ids[0], "anna/inbox", "system", "größer")
    assert first.deleted is not None and first.json()["reason"] == "größer"
    page = session.deleted_page(limit=1)
    assert len(page.items) == 1 and page.cursor is not None
    stats = session.stats()
    assert (stats.messages, stats.deleted_messages, stats.unreferenced_contents) == (3, 2, 2) and stats.unreferenced_bytes > 0
    report = session.undelete(ids[1:3], "a test")
    assert (report.undeleted, report.not_deleted) == ((ids[1],), (ids[2],))
    assert session.raw(ids[1])


def test_what_was_deleted_is_erased(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 5)), "anna/inbox")
    ids = [message.id for message in session.messages()]
    session.delete(ids[:1], "a test")
    plan = session.compact(dry_run=True)
    assert (plan.erased.messages, plan.erased.mails, plan.erased.needed) == (1, 1, 0) and plan.erased.bytes > 0
    assert len(list(session.deleted())) == 1
    cancel = mailkeep.Cancel()
    # Ended by its first report, and continued.
    with pytest.raises(mailkeep.Stopped):
        session.compact(progress=lambda step: cancel.cancel(), cancel=cancel)
    with pytest.raises(mailkeep.NoSuchMessage):
        session.undelete(ids[:1], "too late")
    report = session.compact()
    # How far the first one came is a matter of time.
    assert report.done and report.resumed and report.containers <= 1 and report.left == ()
    assert not session.compact().resumed
    assert [message.id for message in session.messages()] == ids[1:] and session.verify().sound


def test_the_index_is_kept(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 20)), "anna/inbox")
    session.add(NESTED, "anna/inbox")
    (index,) = session.store_indexes()
    assert index.folder == "anna" and index.messages == 21 and not index.selected_for_rebuild
    assert session.types_not_read() == [] or session.types_not_read()[0][1] == 1
    session.set_index_configuration(["application/pdf"])
    assert session.index_configuration == ["application/pdf"]
    session.select_all_store_indexes_for_rebuild()
    assert session.store_indexes(1)[0].selected_for_rebuild
    assert session.rebuild_selected_store_indexes() == 1
    session.rebuild_store_index()
    assert session.search("number").total == 20
    assert list(session.not_searchable()) == []
    with pytest.raises(mailkeep.NoSuchStore):
        session.rebuild_store_index(9)


def test_stats(session: mailkeep.Session) -> None:
    session.import_(io.BytesIO(mbox(0, 20)), "anna/inbox")
    stats = session.stats()
    assert stats.messages == 20 and stats.user_archives[0].name == "anna" and stats.stores[0].number == 1
    assert stats.last_archived is not None and stats.bytes_on_disk["records"] > 0


def test_lost_and_found_is_empty(session: mailkeep.Session) -> None:
    seen: List[mailkeep.LostMail] = []
    assert session.lost_files() == [] and session.lost_mails(seen.append).mails == 0 and seen == []
    assert session.import_lost().read == 0


def test_folders_are_made_renamed_moved_and_removed(session: mailkeep.Session) -> None:
    session.add(b"Subject: one\n\nx\n", "anna/a/b")
    assert session.make_folder("anna/c/d", dry_run=True).made == ("anna/c", "anna/c/d")
    report = session.make_folder("anna/c/d")
    assert (report.made, report.moved, report.removed) == (("anna/c", "anna/c/d"), None, ())
    with pytest.raises(mailkeep.FolderExists) as there:
        session.make_folder("anna/c/d")
    assert there.value.details["folder"] == "anna/c/d"
    assert session.rename_folder("anna/a", "e").moved == ("anna/a", "anna/e")
    assert session.move_folder("anna/e/b", "bob/x/b").made == ("bob", "bob/x")
    with pytest.raises(mailkeep.FolderNotEmpty) as full:
        session.remove_folder("bob")
    assert full.value.details["messages"] == 1
    assert session.prune_folders("anna/c").removed == ("anna/c", "anna/c/d")
    assert session.prune_folders().json()["removed"] == ["anna/e"]
    assert session.remove_folder("anna").removed == ("anna",)
    assert [folder.path for folder in session.folders()] == ["bob", "bob/x", "bob/x/b"]
    with pytest.raises(mailkeep.NoSuchFolder):
        session.rename_folder("anna", "ann")


def test_what_is_falsy_and_wanted_is_asked_for(archive: mailkeep.Archive) -> None:
    session = archive.session()
    session.add(b"Subject: one\n\nword\n", "anna/inbox")
    none = session.search("word", limit=0)
    assert (none.total, list(none.hits)) == (1, [])
    with pytest.raises(TypeError, match="list of paths"):
        archive.session(mailkeep.User("ben", "anna")).search("word")
