"""Walks every byte of every file of an archive by docs/FORMAT.md: each must belong to a header, a frame, an identity map or the lock.

walk_files.py ARCHIVE [--key-file FILE]     with a key every frame is opened too. Exit 1 where a byte is not accounted for.
"""

import argparse
import mmap
import os
import sys
from collections import Counter

from fileformat import HEADER, FormatError, archive_keys, check_lock, file_key, read_frames, read_header, read_identity, store_key


def walk(archive, key_file=None):
    """(findings, bytes by kind of file) of an archive."""
    findings = []
    counted = Counter()
    keys = archive_keys(archive, key_file) if key_file else None
    stores = {}
    for folder, folders, files in os.walk(archive):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, archive)
            try:
                size = os.path.getsize(path)
                counted[kind_of(relative)] += size
                if name == "write.lock":
                    check_lock(path)
                elif name in ("readers.0", "readers.1"):
                    if size:
                        raise FormatError(path, 0, "a readers file is empty")
                elif name in ("archive.mk", "archive.mk.2", "store.mk", "store.mk.2"):
                    read_identity(path)
                else:
                    walk_sealed(archive, path, relative, keys, stores, counted)
            except FormatError as error:
                findings.append(str(error))
            except Exception as error:
                findings.append(f"{path}: {type(error).__name__}: {error}")
    return findings, counted


def kind_of(relative):
    parts = relative.replace("\\", "/").split("/")
    return f"{parts[0]}/*/{'/'.join(parts[2:-1])}" if parts[0] == "stores" and len(parts) > 3 else "/".join(parts[:-1]) or parts[-1]


def walk_sealed(archive, path, relative, keys, stores, counted):
    if os.path.getsize(path) < HEADER:
        raise FormatError(path, os.path.getsize(path), "shorter than a file header")
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = read_header(path, data)
        key = None
        if keys:
            parts = relative.replace("\\", "/").split("/")
            outer, owner = keys.master_key, keys.archive_id
            if parts[0] == "stores":
                if parts[1] not in stores:
                    stores[parts[1]] = store_key(keys, os.path.join(archive, "stores", parts[1]))
                owner, outer = stores[parts[1]]
            if header.owner != owner:
                raise FormatError(path, 32, "the owner is another")
            key = file_key(path, header, outer)
        for frame in read_frames(path, data, key):
            counted["frames"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--key-file")
    args = parser.parse_args()
    findings, counted = walk(args.archive, args.key_file)
    for kind, size in sorted(counted.items()):
        print(f"{kind}: {size}")
    for line in findings:
        print("FINDING", line)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
