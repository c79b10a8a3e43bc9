"""Long calls: followed, ended, interrupted; and many of them at once."""

import io
import os
import random
import signal
import threading
import time
from typing import Dict, Iterator, List, Optional

import mailkeep
import pytest
from conftest import mail, mbox

SECONDS = float(os.environ.get("MAILKEEP_THREADS_SECONDS", "2"))


class Endless:
    """An mbox without an end."""

    def __init__(self) -> None:
        self.number = 0
        self.rest = b""

    def read(self, size: int, /) -> bytes:
        if not self.rest:
            self.rest = mbox(self.number, self.number + 50)
            self.number += 50
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken


class Own(Exception):
    """An exception of the caller."""


def test_exceptions_of_functions_come_out_unchanged(session: mailkeep.Session) -> None:
    raised = Own("of the caller")

    def fail(_: object) -> None:
        raise raised

    for functions in ({"progress": fail}, {"on_receipt": fail}):
        with pytest.raises(Own) as caught:
            session.import_(Endless(), "anna/inbox", **functions)  # type: ignore[arg-type]
        assert caught.value is raised
    with pytest.raises(Own) as caught:
        session.import_(io.BytesIO(b"no mail\n" + mbox(0, 1)), "anna/x", name="x.mbox", on_trouble=fail)
    assert caught.value is raised

    class Broken:
        def read(self, size: int, /) -> bytes:
            raise raised

        def write(self, data: bytes, /) -> int:
            raise raised

    with pytest.raises(Own) as caught:
        session.import_(Broken(), "anna/inbox")
    assert caught.value is raised
    with pytest.raises(Own) as caught:
        session.export_mbox(Broken())
    assert caught.value is raised
    with pytest.raises(Own):
        session.check(io.BytesIO(mbox(100_000, 100_001)), name="x.mbox", on_missing=fail)
    # What has a receipt stays, and the archive goes on.
    assert session.verify(progress=lambda step: None).sound
    with pytest.raises(Own):
        session.verify(progress=fail)
    assert session.add(mail(1_000_000), "anna/inbox").outcome == "stored"


def test_files_that_break_their_contract(session: mailkeep.Session) -> None:
    class TooMuch:
        def read(self, size: int, /) -> bytes:
            return bytes(size + 1)

    class TooFar:
        def write(self, data: bytes, /) -> Optional[int]:
            return len(data) + 1

    session.add(mail(1), "anna/inbox")
    with pytest.raises(ValueError):
        session.import_(TooMuch(), "anna/inbox")
    with pytest.raises(ValueError):
        session.export_mbox(TooFar())


def test_functions_run_on_the_thread_of_the_call_and_use_the_archive(session: mailkeep.Session) -> None:
    seen: Dict[str, bytes] = {}
    threads = set()

    def keep(receipt: mailkeep.Receipt) -> None:
        threads.add(threading.get_ident())
        seen[receipt.id] = session.raw(receipt.id)
        assert session.search("number", limit=1).total >= 0

    session.import_(io.BytesIO(mbox(0, 200)), "anna/inbox", on_receipt=keep)
    assert sorted(seen.values()) == sorted(mail(number) for number in range(200))
    assert threads == {threading.get_ident()}


def test_a_function_archives_more(session: mailkeep.Session) -> None:
    def add(receipt: mailkeep.Receipt) -> None:
        session.add(session.raw(receipt.id) + b"once more\n", "anna/copies")

    session.import_(io.BytesIO(mbox(0, 100)), "anna/inbox", on_receipt=add)
    assert session.search("once", limit=0).total == 100

    def nested(receipt: mailkeep.Receipt) -> None:
        session.import_(io.BytesIO(mbox(0, 100)), "anna/nested", on_receipt=lambda receipt: session.message(receipt.id))

    session.import_(io.BytesIO(mbox(200, 202)), "anna/inbox", on_receipt=nested)
    assert session.stats().messages == 302


def test_a_function_cannot_close_the_archive(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    refused = []

    def close(receipt: mailkeep.Receipt) -> None:
        with pytest.raises(mailkeep.Misuse):
            archive.close()
        refused.append(receipt)

    session.import_(io.BytesIO(mbox(0, 3)), "anna/inbox", on_receipt=close)
    assert len(refused) == 3 and not archive.closed


def test_another_thread_ends_a_call(session: mailkeep.Session) -> None:
    cancel = mailkeep.Cancel()
    receipts: List[mailkeep.Receipt] = []
    timer = threading.Timer(0.3, cancel.cancel)
    timer.start()
    report = session.import_(Endless(), "anna/inbox", cancel=cancel, on_receipt=receipts.append)
    timer.join()
    assert report.stopped and cancel.cancelled
    assert session.stats().messages == len(receipts) == report.stored
    # It ends calls that begin with it later, too.
    with pytest.raises(mailkeep.Stopped):
        session.verify(cancel=cancel)
    with pytest.raises(mailkeep.Stopped):
        session.search("*", cancel=cancel)
    with pytest.raises(mailkeep.Stopped):
        list(session.search_all("*", cancel=cancel))
    assert session.verify(cancel=mailkeep.Cancel()).sound


def test_an_exception_does_not_cancel_the_calls_of_others(session: mailkeep.Session) -> None:
    cancel = mailkeep.Cancel()

    def fail(_: object) -> None:
        raise Own

    with pytest.raises(Own):
        session.import_(Endless(), "anna/inbox", cancel=cancel, on_receipt=fail)
    assert not cancel.cancelled
    session.verify(cancel=cancel)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT as at a terminal; a shell lets programs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(_: object = None) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_a_function(session: mailkeep.Session, ctrl_c: None) -> None:
    with pytest.raises(KeyboardInterrupt):
        session.import_(Endless(), "anna/inbox", on_receipt=interrupt)
    with pytest.raises(KeyboardInterrupt):
        session.import_(Endless(), "anna/inbox", progress=interrupt)
    assert session.verify().sound


def test_ctrl_c_while_the_library_works(session: mailkeep.Session, ctrl_c: None) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as writer, os.fdopen(read, "rb") as reader:

        def feed() -> None:
            # Longer than a pipe holds, so that the import waits for more when the signal comes.
            writer.write(mbox(0, 10))
            writer.flush()
            time.sleep(0.3)
            interrupt()

        thread = threading.Thread(target=feed)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            session.import_(reader, "anna/inbox", name="x.mbox")
        thread.join()
    # A call that no function of the caller follows is interrupted too.
    session.import_(io.BytesIO(mbox(0, 3000)), "anna/more")
    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            session.verify()
    timer.join()
    assert session.verify().sound


def test_ctrl_c_ends_a_search_and_one_that_takes_long_begins_again(session: mailkeep.Session, ctrl_c: None) -> None:
    session.import_(io.BytesIO(mbox(0, 3000)), "anna/more")
    # Every text of the mails is looked at for each.
    many = " OR ".join(["*or*", *(f"*{number:02}*" for number in range(100))])
    assert session.search(many, limit=0).total == 3000
    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            session.search(many)
    timer.join()
    cancel = mailkeep.Cancel()
    assert session.search(many, limit=0, cancel=cancel).total == 3000
    cancel.cancel()
    with pytest.raises(mailkeep.Stopped):
        session.search(many, cancel=cancel)


def test_threads_search_and_read_while_one_imports(session: mailkeep.Session) -> None:
    cancel = mailkeep.Cancel()
    archived: Dict[str, bytes] = {}
    state = {"begun": 0, "receipts": 0}
    failures: List[BaseException] = []
    over = threading.Event()
    looks = [0] * 16

    class Counted(Endless):
        """Notes how many mails were begun to be read."""

        def read(self, size: int, /) -> bytes:
            taken = super().read(size)
            state["begun"] = self.number
            return taken

    def note(receipt: mailkeep.Receipt) -> None:
        archived[receipt.id] = mail(state["receipts"])
        state["receipts"] += 1

    def look(at: int) -> None:
        chance = random.Random(at)
        try:
            while not over.is_set():
                # Each receipt has been given before the call; none of a mail that was not begun after it.
                least = state["receipts"]
                found = session.search("*", limit=3)
                most = state["begun"]
                assert least <= found.total + found.coverage.not_indexed, (least, found.total, found.coverage)
                assert found.total <= most, (found.total, most)
                ids = list(archived)[: least or 1]
                if ids:
                    id = chance.choice(ids)
                    assert session.raw(id) == archived[id]
                    assert session.message(id).folder == "anna/inbox"
                    if at % 4 == 0:
                        with session.open(id) as stream:
                            assert stream.read() == archived[id]
                looks[at] += 1
        except BaseException as failure:
            failures.append(failure)
            cancel.cancel()

    threads = [threading.Thread(target=look, args=(at,)) for at in range(16)]
    for thread in threads:
        thread.start()
    timer = threading.Timer(SECONDS, cancel.cancel)
    timer.start()
    try:
        report = session.import_(Counted(), "anna/inbox", cancel=cancel, on_receipt=note, name="x.mbox")
    finally:
        over.set()
        timer.cancel()
        for thread in threads:
            thread.join()
    assert not failures, failures
    assert all(looks), looks
    assert report.stored == state["receipts"] == session.search("*", limit=0).total
    assert session.verify().sound


def test_threads_add_mails(session: mailkeep.Session) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 20):
            session.add(mail(number), "anna/inbox")

    threads = [threading.Thread(target=add, args=(20 * at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.search("number", limit=0).total == 160
