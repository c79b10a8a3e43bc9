"""The tasks of tasks.c through the Python package."""

import json
import pathlib
import sys
import time
from typing import Iterable

import mailkeep


def take(hits: Iterable[mailkeep.MessageInfo]) -> int:
    """Reads what a program would show of each row."""
    total = 0
    for hit in hits:
        if hit.id and hit.subject and hit.folder:
            total += 1
        total += hit.size + hit.attachments
    return total


def listing(session: mailkeep.Session, times: int) -> int:
    total = 0
    for _ in range(times):
        cursor = None
        while True:
            page = session.messages_page(cursor=cursor, limit=1000)
            total += take(page.items)
            cursor = page.cursor
            if cursor is None:
                break
    return total


def search(session: mailkeep.Session, requests: str) -> int:
    total = 0
    for line in pathlib.Path(requests).read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        found = session.search(request["query"], limit=request["limit"])
        total += found.total + take(found.hits)
    return total


def main(task: str, folder: str, key_file: str, argument: str) -> None:
    with mailkeep.open(folder, mailkeep.Key.file(pathlib.Path(key_file).read_text(encoding="utf-8"))) as archive:
        session = archive.session()
        begun = time.process_time()
        if task == "list":
            total = listing(session, int(argument))
        elif task == "search":
            total = search(session, argument)
        else:
            total = session.import_(argument).read
        print(json.dumps({"cpu": time.process_time() - begun, "sum": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
