"""Walks every byte of every file of an archive by docs/FORMAT.md: each must belong to a header, a frame, an identity file, the lock or the page.

walk_files.py ARCHIVE [--key-file FILE]     with a key every frame is opened too, and HMACs of identity files are compared.

Copies of identity files must be equal, and copies of headers must equal the header of their file. Names that the page does not
define are listed; they mean nothing. Exit 1 if a byte is not accounted for.
"""

import argparse
import os
import re
import struct
import sys
from collections import Counter

from fileformat import (
    COPY, HEADER, IDENTITIES, FormatError, Sealed, archive_keys, check_identity, check_lock, mapped, read_frames, read_header, read_identity,
    sealed, store_key,
)  # fmt: skip

# What section 2 names, by the path below the archive or below the store, and the kind of the file.
NAMES = (
    (r"archive\.mk(\.2)?", 1), (r"master/\d{6,}\.mkr", 4), (r"master/head\.mkm", 10), (r"stores/[^/]+/store\.mk(\.2)?", 2),
    (r"stores/[^/]+/head\.mkm", 10), (r"stores/[^/]+/records/\d{6,}\.mkr", 4), (r"stores/[^/]+/content/\d{6,}\.mkc", 3),
    (r"stores/[^/]+/catalog/\d{6,}\.mks", 5), (r"stores/[^/]+/catalog/manifest\.mkm", 6), (r"stores/[^/]+/index/\d{6,}\.mki", 7),
    (r"stores/[^/]+/index/manifest\.mkm", 8), (r"(master|stores/[^/]+)/lost\+found/\d{6,}-[0-9a-f]{32}\.(mkc|mkr)", None),
    (r"(master|stores/[^/]+)/lost\+found/\d{6,}-[0-9a-f]{32}-\d+\.mkl", None), (r"write\.lock", None), (r"FORMAT\.md", None),
    (r"FORMAT\.md", None), (r"(.+/)?readers\.[01]", None),
)  # fmt: skip
COUNTED_FROM_ZERO = (1, 2, 6, 8, 10)


def walk(archive, key_file=None):
    """(findings, names that mean nothing, bytes by kind of file) of an archive."""
    findings, unknown = [], []
    counted = Counter()
    keys = archive_keys(archive, key_file) if key_file else None
    stores = {}
    for folder, folders, files in os.walk(archive):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, archive).replace("\\", "/")
            kind = next((kind for pattern, kind in NAMES if re.fullmatch(pattern, relative)), "unknown")
            try:
                size = os.path.getsize(path)
                counted[kind_of(relative)] += size
                if kind == "unknown":
                    unknown.append(relative)
                elif name == "FORMAT.md":
                    pass
                elif relative == "FORMAT.md":
                    continue
                elif name == "write.lock":
                    check_lock(path)
                elif name in ("readers.0", "readers.1"):
                    if size:
                        raise FormatError(path, 0, "a readers file is empty")
                elif name in IDENTITIES:
                    walk_identity(path, kind, keys)
                else:
                    walk_sealed(archive, path, relative, kind, keys, stores, counted)
            except FormatError as error:
                findings.append(str(error))
            except Exception as error:
                findings.append(f"{path}: {type(error).__name__}: {error}")
    return findings, unknown, counted


def kind_of(relative):
    parts = relative.split("/")
    return f"{parts[0]}/*/{'/'.join(parts[2:-1])}" if parts[0] == "stores" and len(parts) > 3 else "/".join(parts[:-1]) or parts[-1]


def walk_identity(path, kind, keys):
    file = read_identity(path, kind)
    if keys:
        check_identity(path, file, keys.archive_key)
    if not path.endswith(".2"):
        with open(path, "rb") as f, open(path + ".2", "rb") as g:
            if f.read() != g.read():
                raise FormatError(path, 0, "the two copies differ")


def walk_sealed(archive, path, relative, kind, keys, stores, counted):
    data = mapped(path)
    header = read_header(path, data)
    if kind is not None and header.kind != kind:
        raise FormatError(path, 8, f"kind {header.kind}, not {kind}")
    if header.kind in COUNTED_FROM_ZERO and header.number:
        raise FormatError(path, 48, f"number {header.number}")
    if kind is not None and header.kind not in COUNTED_FROM_ZERO and int(os.path.basename(path).partition(".")[0]) != header.number:
        raise FormatError(path, 48, f"number {header.number}")
    base, skip = 0, HEADER
    if path.endswith(".mkl"):
        (base,) = struct.unpack_from("<Q", data, HEADER)
        data, skip = data[HEADER + 8 :], 0
    file = Sealed(path, data, header, None)
    if keys:
        parts = relative.split("/")
        outer, owner = keys.master_key, keys.archive_id
        if parts[0] == "stores":
            if parts[1] not in stores:
                stores[parts[1]] = store_key(keys, os.path.join(archive, "stores", parts[1]))
            owner, outer = stores[parts[1]]
        file = sealed(path, data, header.kind, owner, outer, header)
    for frame in read_frames(file._replace(base=base, skip=skip)):
        counted["frames"] += 1
        if frame.kind == COPY and frame.plain != header.raw:
            raise FormatError(path, frame.offset, "the copy of the header differs from the header")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--key-file")
    args = parser.parse_args()
    findings, unknown, counted = walk(args.archive, args.key_file)
    for kind, size in sorted(counted.items()):
        print(f"{kind}: {size}")
    for name in unknown:
        print("UNKNOWN", name)
    for line in findings:
        print("FINDING", line)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
