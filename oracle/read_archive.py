"""Reads every mail of an archive by docs/FORMAT.md alone, with the key file and common libraries (`cryptography`, `zstandard`).

read_archive.py ARCHIVE KEYFILE [--out DIR] [--manifest FILE] [--containers-only]
read_archive.py ARCHIVE KEYFILE --damaged [--recovery-key FILE] [--list]

Follows section 14: identities, keys, the master's records, each store's records with their chain and tree, and every message's
content, joined and compared with its digest. Stamps, heads, copies of headers, and tables are compared with the records too.
--out writes the mails; --manifest takes the MANIFEST.jsonl of an export and compares ids, folders and digests with it.
--containers-only reads the contents by the tables of the containers, without the records, and compares what comes out with the
records' digests. --damaged follows section 15: whatever can be read, records with gaps, tables where records lack, no records at all,
copies of headers, lost+found; it counts each mail once, and with --list prints their digests. Exit 1 if anything is wrong.
"""

import argparse
import hashlib
import json
import os
import sys

from check_files import check_containers
from damaged import read_damaged
from fileformat import archive_keys
from store import stores_of


def mails(archive, key_file):
    """(id, digest, folder, bytes) of every mail, by store and content."""
    for number, store in stores_of(archive, archive_keys(archive, key_file)):
        for message in sorted(store.messages, key=lambda m: m[2]):
            data = store.content(message[2])
            folder = "/".join(name.replace("/", "%2F") for name in store.folders[message[3]])
            yield f"{number}:{message[1]}", hashlib.sha256(data).hexdigest(), folder, data


def unreadable(store, messages):
    for message in messages:
        try:
            store.content(message[2])
        except Exception as error:
            yield f"{message[1]}: {type(error).__name__}: {error}"


def read_sound(args, notes):
    """({id: (digest, folder)}, bytes read, what is wrong)."""
    wrong = []
    seen = {}
    total = 0
    for number, store in stores_of(args.archive, archive_keys(args.archive, args.key_file), notes):
        if args.containers_only:
            found = store.by_tables()
            for content, (data, _) in sorted(found.items()):
                if hashlib.sha256(data).digest() != store.contents[content][0][2]:
                    wrong.append(f"content {content}: the tables give other bytes")
            print(f"store {number}: {len(found)} of {len(store.contents)} contents by the tables alone")
            continue
        wrong += check_containers(store)
        # Until a compaction, those that are deleted must be readable too: they can be brought back.
        gone = [message for message in store.all_messages.values() if message[1] in store.deleted]
        wrong += [f"{number}: a deleted message: {error}" for error in unreadable(store, gone)]
        ordered = sorted(store.messages, key=lambda m: m[2])
        last, data = None, b""
        for message in ordered:
            name = f"{number}:{message[1]}"
            try:
                if message[2] != last:
                    data, last = store.content(message[2]), message[2]
            except Exception as error:
                last = None
                wrong.append(f"{name}: {type(error).__name__}: {error}")
                continue
            total += len(data)
            seen[name] = hashlib.sha256(data).hexdigest(), "/".join(p.replace("/", "%2F") for p in store.folders[message[3]])
            if args.out:
                folder = os.path.join(args.out, str(number), f"{message[1] // 1000:04}")
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, f"{message[1]}.eml"), "wb") as f:
                    f.write(data)
        print(
            f"store {number}: {len(store.commits)} commits, {len(store.folders) - 1} folders, {len(store.parts)} parts, "
            f"{len(store.contents)} contents, {len(store.messages)} messages, {len(store.deleted)} deleted, "
            f"{len(store.erasures.messages)} erased"
        )
    return seen, total, wrong


def print_damaged(args):
    result = read_damaged(args.archive, args.key_file, args.recovery_key)
    for line in result.problems[:50]:
        print("PROBLEM", line)
    if args.list:
        for digest, how in sorted(result.mails.items()):
            print(digest.hex(), how)
    by = ", ".join(f"{list(result.mails.values()).count(how)} by {how}" for how in sorted(set(result.mails.values())))
    print(f"{len(result.mails)} mails{': ' + by if by else ''}; {len(result.problems)} problems")
    return 1 if result.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("key_file")
    parser.add_argument("--out", help="write the mails below this folder")
    parser.add_argument("--manifest")
    parser.add_argument("--containers-only", action="store_true")
    parser.add_argument("--damaged", action="store_true", help="read whatever can be read")
    parser.add_argument("--recovery-key", help="a file with the recovery key as text, for stores that the key file does not open")
    parser.add_argument("--list", action="store_true", help="with --damaged: a line for each mail")
    args = parser.parse_args()
    if args.damaged:
        return print_damaged(args)
    notes = set()
    seen, total, wrong = read_sound(args, notes)
    if args.manifest:
        with open(args.manifest, encoding="utf-8") as f:
            listed = {e["id"]: (e["digest"], e["folder"]) for e in map(json.loads, f)}
        for name in sorted(set(listed) | set(seen)):
            if listed.get(name) != seen.get(name):
                wrong.append(f"{name}: the manifest has {listed.get(name)}, the archive {seen.get(name)}")
    for line in sorted(notes):
        print("NOTE", line)
    for line in wrong[:50]:
        print("WRONG", line)
    print(f"{len(seen)} mails, {total} bytes read; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
