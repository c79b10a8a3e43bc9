"""Archives for tests."""

import pathlib
from typing import Iterator, Tuple

import mailkeep
import pytest


def mail(number: int, text: str = "") -> bytes:
    """A mail that no other number has."""
    return (
        f"From: Anna Example <anna@example.org>\nTo: Ben <ben@example.net>\nMessage-ID: <{number}@example.org>\n"
        f"Date: {1 + number % 28:02} Jan 2020 10:00:00 +0000\nSubject: number {number}\n\nword{number} {text}\n"
    ).encode()


def mbox(first: int, last: int) -> bytes:
    """An mbox of the mails `first` up to `last`."""
    return b"".join(b"From anna@example.org Wed Jan  1 00:00:00 2020\n" + mail(number) + b"\n" for number in range(first, last))


class Place:
    """A folder for an archive, and what opens it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.path = folder / "archive"
        self.key_text = ""
        self.recovery = ""

    def create(self) -> mailkeep.Archive:
        with mailkeep.create(self.path, "anna") as new:
            self.key_text, self.recovery = new.key_file or "", new.recovery_key
            return new.commit()

    @property
    def key(self) -> mailkeep.Key:
        return mailkeep.Key.file(self.key_text)


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def archive(place: Place) -> Iterator[mailkeep.Archive]:
    with place.create() as archive:
        yield archive


@pytest.fixture
def session(archive: mailkeep.Archive) -> mailkeep.Session:
    return archive.session()


NESTED = b"""From: Anna <anna@example.org>
To: ben@example.net
Subject: =?utf-8?q?Caf=C3=A9?= bill
Date: Wed, 01 Jan 2020 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

The bill is attached.
--b
Content-Type: text/csv; name=report.csv
Content-Disposition: attachment; filename=report.csv
Content-Transfer-Encoding: base64

YSxiCjEsMgo=
--b--
"""
