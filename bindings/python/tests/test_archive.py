"""Archives: created, opened, closed, and what opens them."""

import multiprocessing
import os
import pathlib
import pickle
import re
import shutil
import threading
import warnings
from typing import List

import mailkeep
import pytest
from conftest import Place, mail

CREATED = ["archive.mk", "FORMAT.md"]


def test_nothing_is_created_before_commit(place: Place) -> None:
    with mailkeep.create(place.path, "anna") as new:
        assert re.fullmatch(r"([0-9A-Z]{5}-){11}[0-9A-Z]{5}", new.recovery_key)
        assert new.key_file is not None and new.key_file.startswith("mailkeep-key-1")
        assert len(new.id) == 32 and new.path == place.path
    assert not place.path.exists()
    with pytest.raises(mailkeep.Misuse):
        new.commit()
    with pytest.raises(mailkeep.NotAnArchive):
        mailkeep.open(place.path, mailkeep.Key.passphrase("x"))


def test_keys_must_be_asked_for(place: Place) -> None:
    with mailkeep.create(place.path, "anna") as new:
        with pytest.raises(mailkeep.Misuse, match="keys"):
            new.commit()
        assert not (place.path / "archive.mk").exists()
        # It was not used up by that.
        assert new.recovery_key
        new.commit().close()
        with pytest.raises(mailkeep.Misuse, match="used up by commit"):
            new.commit()


def test_create_and_open_with_every_key(place: Place) -> None:
    with mailkeep.create(place.path, "anna", passphrase="open sesame", key_file=True) as new:
        place.key_text, place.recovery, id = new.key_file or "", new.recovery_key, new.id
        archive = new.commit()
    with archive:
        assert archive.owner == "anna" and archive.path == place.path and archive.id == id
        assert archive.damage is None and archive.barred is None and archive.notices == () and archive.recovered is None
        assert archive.holds(place.path / "stores") and not archive.holds(place.folder)
    assert archive.closed
    for key in (place.key, mailkeep.Key.recovery(place.recovery), mailkeep.Key.passphrase("open sesame")):
        with mailkeep.open(place.path, key, memory=32 << 20) as archive:
            assert archive.id == id
    assert mailkeep.id_of(place.path) == id
    assert "passphrase" in mailkeep.opens_with(place.path)
    assert mailkeep.test_key(place.path, place.key).kind == "key file"
    with pytest.raises(mailkeep.AlreadyExists):
        mailkeep.create(place.path, "anna")


def test_wrong_and_malformed_keys(place: Place) -> None:
    place.create().close()
    with pytest.raises(mailkeep.WrongKey) as wrong:
        mailkeep.open(place.path, mailkeep.Key.passphrase("wrong"))
    assert wrong.value.code == "wrong_key" and not wrong.value.retryable and "recovery key" in str(wrong.value)
    with pytest.raises(mailkeep.BadKey):
        mailkeep.open(place.path, mailkeep.Key.recovery("no key"))
    assert "sesame" not in repr(mailkeep.Key.passphrase("sesame"))
    assert mailkeep.Key.passphrase("sesame").kind == "passphrase"


def test_without_a_key_file(place: Place) -> None:
    with mailkeep.create(place.path, "anna", key_file=False) as new:
        assert new.key_file is None
        new.commit().close()


def test_two_opens(place: Place) -> None:
    with place.create():
        with pytest.raises(mailkeep.InUse) as in_use:
            mailkeep.open(place.path, place.key)
        assert in_use.value.retryable and "file" in in_use.value.details
    mailkeep.open(place.path, place.key).close()


def test_use_after_close(place: Place) -> None:
    archive = place.create()
    session = archive.session()
    receipt = session.add(mail(1), "anna/inbox")
    pages, messages = session.search_pages("*"), session.messages()
    stream = session.open(receipt.id)
    archive.close()
    archive.close()
    for call in (session.folders, session.stats, session.verify, lambda: session.raw(receipt.id), archive.mark):
        with pytest.raises(mailkeep.Closed):
            call()
    with pytest.raises(mailkeep.Closed):
        next(pages)
    with pytest.raises(mailkeep.Closed):
        next(messages)
    assert archive.id and archive.owner == "anna"
    assert stream.read() == mail(1)


def test_an_archive_that_is_not_closed_is_reported(place: Place) -> None:
    archive = place.create()
    with pytest.warns(ResourceWarning, match="unclosed archive"):
        del archive
    mailkeep.open(place.path, place.key).close()


def test_passphrases(archive: mailkeep.Archive, place: Place) -> None:
    assert [slot.kind for slot in archive.key_status.slots] == ["recovery key", "key file"]
    slot = archive.add_passphrase("first")
    assert slot.kind == "passphrase" and slot.made is not None
    assert mailkeep.test_key(place.path, mailkeep.Key.passphrase("first")) == slot
    archive.remove_passphrase(slot)
    with pytest.raises(mailkeep.WrongKey):
        mailkeep.test_key(place.path, mailkeep.Key.passphrase("first"))
    with pytest.raises(mailkeep.Misuse):
        archive.remove_passphrase("00000000")
    with pytest.raises(mailkeep.Misuse):
        archive.add_passphrase("")


def test_the_recovery_key_is_confirmed(archive: mailkeep.Archive, place: Place) -> None:
    assert not archive.key_status.recovery_confirmed
    assert place.recovery.startswith(archive.key_status.recovery_identifier)
    with pytest.raises(mailkeep.Misuse):
        archive.confirm_recovery(place.key)
    archive.confirm_recovery(mailkeep.Key.recovery(place.recovery))
    assert archive.key_status.recovery_confirmed


def test_a_copy_of_a_frozen_archive_is_one_state_of_it(place: Place) -> None:
    archive = place.create()
    session = archive.session()
    id = session.add(mail(0), "anna/inbox").id
    late = threading.Thread(target=session.add, args=(mail(1), "anna/inbox"))
    with archive.freeze(3600) as frozen:
        late.start()
        copy = shutil.copytree(place.path, place.folder / "copy")
        assert session.raw(id) == mail(0)
        with pytest.raises(mailkeep.Misuse):
            archive.freeze(3600)
        assert late.is_alive() and frozen.thaw()
        with pytest.raises(mailkeep.Misuse, match="used up"):
            frozen.thaw()
    late.join()
    with mailkeep.open(copy, mailkeep.Key.recovery(place.recovery)) as copied:
        assert [message.id for message in copied.session().messages()] == [id] and copied.session().verify().sound
    with archive.freeze(0) as over:
        session.add(mail(2), "anna/inbox")
        assert not over.thaw()
    with archive.freeze(3600):
        pass
    session.add(mail(3), "anna/inbox")
    with pytest.raises(ValueError):
        archive.freeze(-1)
    # Closing does not wait for it.
    kept = archive.freeze(3600)
    archive.close()
    with pytest.raises(mailkeep.Closed):
        kept.thaw()


def test_every_code_has_a_class() -> None:
    source = pathlib.Path(__file__).parents[3] / "archive-core/src/error.rs"
    if not source.exists():
        pytest.skip("not in the repository")
    codes = set(re.findall(r'=> "([a-z_]+)",', source.read_text(encoding="utf-8")))
    from mailkeep._errors import CLASSES

    assert codes == set(CLASSES)


def test_errors_are_pickled() -> None:
    error = mailkeep.NoSuchPart("no_such_part", "message 1:2 has no part 3", False, {"id": "1:2", "part": 3})
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is mailkeep.NoSuchPart and again.details == error.details and str(again) == str(error)
    assert isinstance(again, LookupError)


def test_repair_has_nothing_to_do(session: mailkeep.Session) -> None:
    report = session.repair(dry_run=True)
    assert report.reason is None and report.lost_commits == ()
    assert report.json()["needs_acceptance"] is False


def _in_child(archive: mailkeep.Archive, session: mailkeep.Session, stream: object) -> List[str]:
    seen = []
    for call in (session.folders, lambda: session.search("*"), archive.close, lambda: stream.read(1)):  # type: ignore[attr-defined]
        try:
            call()
            seen.append("no error")
        except mailkeep.Forked:
            seen.append("Forked")
        except mailkeep.MailkeepError as error:
            seen.append(repr(error))
    return seen


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_does_not_use_the_archive(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    receipt = session.add(b"Subject: large\n\n" + b"line\n" * (5 << 20), "anna/inbox")
    with session.open(receipt.id) as stream:
        assert stream.read(8) == b"Subject:"
        stream.read(stream.peek() and len(stream.peek()))  # type: ignore[attr-defined]
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(writer, "\n".join(_in_child(archive, session, stream)).encode())
                del stream
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader) as answers:
            assert answers.read().split("\n") == ["Forked"] * 4
        assert os.waitpid(child, 0)[1] == 0
    # The parent goes on.
    assert session.add(mail(2), "anna/inbox").outcome == "stored"


def _close_in_child(path: str, key: str) -> None:
    with mailkeep.open(path, mailkeep.Key.file(key)) as archive:
        archive.session().add(mail(3), "anna/inbox")


def test_another_process_opens_after_it_was_closed(place: Place) -> None:
    place.create().close()
    process = multiprocessing.get_context("spawn").Process(target=_close_in_child, args=(str(place.path), place.key_text))
    process.start()
    process.join()
    assert process.exitcode == 0
    with mailkeep.open(place.path, place.key) as archive:
        assert archive.session().stats().messages == 1
