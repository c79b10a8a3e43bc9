"""Readers beside a writer."""

import mailkeep
import pytest
from conftest import Place, mail


def test_a_reader_sees_what_was_committed_when_it_was_opened_or_refreshed(place: Place) -> None:
    with place.create() as writer, mailkeep.open(place.path, place.key, read_only=True) as reader:
        assert reader.read_only and not reader.lags and not writer.read_only
        receipt = writer.session().add(mail(1), "anna/inbox")
        session = reader.session()
        with pytest.raises(mailkeep.NoSuchMessage):
            session.raw(receipt.id)
        reader.refresh()
        assert session.raw(receipt.id) == mail(1)
        with pytest.raises(mailkeep.ReadOnly) as refused:
            session.add(mail(2), "anna/inbox")
        assert refused.value.code == "read_only"
        with pytest.raises(mailkeep.InUse):
            mailkeep.open(place.path, place.key)
        writer.refresh()
