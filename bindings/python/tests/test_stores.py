"""Several stores are one archive."""

import pathlib

import mailkeep
import pytest
from conftest import mail


def test_stores_are_one_archive(archive: mailkeep.Archive, session: mailkeep.Session) -> None:
    first = session.add(mail(0), "anna/in")
    assert session.create_store("größer") == 2
    second = session.add(mail(1), "anna/in")
    assert (first.id, second.id) == ("1:0", "2:0")
    assert session.add(mail(0), "anna/in").id == first.id
    assert {hit.id for hit in session.search("*").hits} == {"1:0", "2:0"}
    one, two = session.stores(stats=True)
    assert (one.number, one.state, one.open, one.error, one.error_code) == (1, "normal", True, None, None)
    assert (two.name, two.state) == ("größer", "current")
    assert one.stats is not None and two.stats is not None and (one.stats.messages, two.stats.name) == (1, "größer")
    assert pathlib.Path(two.content_dir).parent == pathlib.Path(two.index_dir).parent == pathlib.Path(two.dir)
    assert session.stores()[0].stats is None and len(one.id) > 30
    with pytest.raises(mailkeep.StoreExists) as refused:
        session.create_store("Größer")
    assert refused.value.details == {"store": "Größer"}
    with pytest.raises(mailkeep.NoSuchStore):
        session.rename_store(9, "x")
    session.delete([first.id, second.id], "a test")
    assert session.compact(store=1, dry_run=True).erased.messages == 1
    assert session.compact(store=2).erased.messages == 1
    assert session.compact().erased.messages == 1
    with pytest.raises(mailkeep.Denied):
        archive.session(mailkeep.User("u", [])).stores()


def test_states_keep_what_they_forbid(session: mailkeep.Session) -> None:
    first = session.add(mail(0), "anna/in")
    session.create_store("two", state="normal")
    session.set_store_state(1, "writeProtected")
    with pytest.raises(mailkeep.StoreWriteProtected):
        session.delete([first.id], "a test")
    with pytest.raises(mailkeep.StoreWriteProtected):
        session.compact(store=1)
    with pytest.raises(mailkeep.NoCurrentStore):
        session.add(mail(1), "anna/in")
    session.set_store_state(2, "current")
    session.set_store_state(1, "disabled")
    with pytest.raises(mailkeep.StoreNotOpen) as refused:
        session.add(mail(1), "anna/in")
    assert refused.value.details == {"store": "1", "why": "store_disabled"}
    with pytest.raises(mailkeep.NoSuchMessage):
        session.raw(first.id)
    assert [(store.state, store.open, store.error) for store in session.stores()][0] == ("disabled", False, None)
    session.set_store_state(1, "current", progress=lambda step: None)
    assert session.add(mail(1), "anna/in").id == "1:1"
    with pytest.raises(mailkeep.Misuse):
        session.set_store_state(1, "open")


def test_a_store_is_made_by_itself(session: mailkeep.Session) -> None:
    assert session.store_rule == "messages:5000000"
    session.set_store_rule("messages:1")
    assert [session.add(mail(number), "anna/in").id for number in range(3)] == ["1:0", "2:0", "3:0"]
    session.set_store_rule("never")
    assert session.store_rule == "never"
    for wrong in ("", "daily", "messages:0"):
        with pytest.raises(mailkeep.Misuse):
            session.set_store_rule(wrong)


def test_stores_are_moved_detached_and_attached(session: mailkeep.Session, tmp_path: pathlib.Path) -> None:
    session.add(mail(0), "anna/in")
    made, moved, content = tmp_path / "made", tmp_path / "moved", tmp_path / "content"
    assert session.create_store("two", dir=made, content_dir=str(content)) == 2
    second = session.add(mail(1), "anna/in")
    with pytest.raises(mailkeep.Misuse):
        session.set_store_dirs(2, moved)
    session.set_store_state(2, "disabled")
    made.rename(moved)
    with pytest.raises(mailkeep.StoreNotOpen):
        session.set_store_state(2, "current")
    found = session.search("*")
    assert (found.total, found.coverage.unreachable_stores) == (1, ("two",))
    (left,) = session.retry_open_stores()
    assert isinstance(left, mailkeep.StoreNotOpen) and left.details["store"] == "two"
    assert session.stores()[1].error_code == left.details["why"]
    session.set_store_state(2, "disabled")
    session.set_store_dirs(2, moved, content_dir=content)
    session.set_store_state(2, "current")
    assert session.raw(second.id) == mail(1)
    assert session.retry_open_stores() == [] and session.search("*").coverage.unreachable_stores == ()

    session.rename_store(2, "second")
    session.detach_store(2)
    assert session.search("*").total == 1
    with pytest.raises(mailkeep.Misuse):
        session.detach_store(1)
    with pytest.raises(mailkeep.NotAStore):
        session.attach_store("x", tmp_path)
    assert session.attach_store("back", moved, content_dir=content, state="writeProtected") == 2
    assert session.raw(second.id) == mail(1)
