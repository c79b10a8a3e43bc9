"""Reads the frozen archives (docs/vectors, archive-core/tests/golden) by docs/FORMAT.md alone, and broken copies of them.

check_frozen.py DIR ...     each with archive/, archive.key, vectors.json

Every mail must come back with its digest, and from each broken copy every mail that `vectors.json` does not call lost. Exit 1 otherwise.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from write_golden import harm

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "read_archive.py")


def digests(archive, key):
    """The digests of all mails that can be read."""
    done = subprocess.run([sys.executable, READER, archive, key, "--damaged", "--list"], capture_output=True, text=True)
    return {word for line in done.stdout.splitlines() for word in line.split() if len(word) == 64}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dirs", nargs="+")
    cases, wrong = 0, 0
    for root in parser.parse_args().dirs:
        archive, key = os.path.join(root, "archive"), os.path.join(root, "archive.key")
        with open(os.path.join(root, "vectors.json"), encoding="utf-8") as f:
            says = json.load(f)
        mails = {mail["id"]: mail["digest"] for mail in says["mails"]}
        if digests(archive, key) != set(mails.values()):
            print(f"{root}: not the mails that it holds")
            wrong += 1
        if subprocess.run([sys.executable, READER, archive, key], capture_output=True).returncode != 0:
            print(f"{root}: not as the page says")
            wrong += 1
        for case in says["broken"]:
            with tempfile.TemporaryDirectory() as folder:
                copy = os.path.join(folder, "archive")
                shutil.copytree(archive, copy)
                harm(os.path.join(copy, case["file"]), case)
                expected = {digest for number, digest in mails.items() if number not in case["lost"]}
                found = digests(copy, key)
            cases += 1
            if not expected <= found or not found <= set(mails.values()):
                print(f"{root}: {case['name']}: {len(expected - found)} mails are not read, {len(found - set(mails.values()))} are no mails of it")
                wrong += 1
    print(f"{cases} broken copies, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
