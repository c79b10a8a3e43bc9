"""Replaces the runner where judge.py itself is tested: it answers by the scan, and lies on request.

stub_ask.py ARCHIVE KEYFILE    with MAILKEEP (the command) and, optionally, LIE in the environment: order, extra, missing, total, page,
undecided, counts, error.
"""

import json
import os
import shutil
import sys

from command import Mailkeep
from load import CACHE, load


def answer(archive, request, lie):
    out = archive.answer(request)
    if "error" in out:
        if lie == "error":
            return {"total": 0, "ids": [], "cursor": None, "coverage": {}}
        return {"error": {"code": out["error"] or "criteria", "message": out["why"]}}
    ids = out["ids"]
    if lie == "order" and len(ids) > 1:
        ids[0], ids[1] = ids[1], ids[0]
    if lie == "extra":
        ids.append(archive.messages[0].id)
    if lie == "missing":
        del ids[:1]
    bound = json.dumps([request.get("as"), request["criteria"]])
    begin, cursor = 0, None
    if request.get("cursor"):
        begin, _, owner = request["cursor"].partition(" ")
        if owner != bound:
            return {"error": {"code": "cursor", "message": "not of this search"}}
        begin = int(begin)
    if "limit" in request:
        end = begin + request["limit"]
        cursor = f"{end} {bound}" if end < len(ids) else None
        ids = ids[begin : end - (lie == "page")]
    else:
        ids = ids[begin:]
    return {
        "total": out["total"] + (lie == "total"),
        "ids": ids,
        "cursor": cursor,
        "coverage": {"not_indexed": 0, "undecided": out["undecided"] + (lie == "undecided"), "unreachable_stores": 0},
        "notices": [],
        "counts": {k: v[1:] if lie == "counts" else v for k, v in out.get("counts", {}).items()},
    }


def main():
    keep = Mailkeep(os.environ["MAILKEEP"], sys.argv[1], sys.argv[2])
    folder, entries = keep.export()
    archive = load(keep, entries, CACHE, lambda text: None)[0]
    shutil.rmtree(folder)
    for line in sys.stdin.buffer:
        print(json.dumps(answer(archive, json.loads(line), os.environ.get("LIE"))), flush=True)


if __name__ == "__main__":
    main()
