"""Containers against records (docs/FORMAT.md, sections 7, 8, 11): stamps, order of frames, copies of the header, tables, places of
seeds; and that nothing is left of what was erased (sections 8, 9)."""

import os
from collections import defaultdict

from fileformat import COPY, FormatError, cbor, judge_keys, open_file, read_frames
from records import (
    BLOCK, CONTAINER, CONTENT, COPY_FROM, DELETED, MESSAGE, OPENED, PART, RECOVERED, TABLE, UNDELETED, block, decompress, numbered, quads,
    seeded, stamp_of,
)  # fmt: skip

NEVER = 1 << 64  # the sequence of no commit


def check_containers(store):
    """What is wrong in the containers of a store that was read from its records."""
    wrong = []
    indices = defaultdict(list)  # sequence: indices of its frames in containers, in the order of the file
    tables = []
    found = {}
    for number, path in numbered(store.content_folder, "mkc"):
        if number not in store.containers and not store.records.lost:
            store.notes.add(f"{path}: no fact names this container: it belongs to no commit")
            continue
        if store.erasures.is_over(store.erasures.removed.get(number, NEVER)):
            wrong.append(f"{path}: a fact 4 removed this container, and a fact 24 says that the erasure is done")
        try:
            found[number] = walk_container(store, number, path, indices, tables)
        except (FormatError, ValueError, LookupError) as error:
            wrong.append(f"{path}: {error}")
    # Where records lost facts 4, nothing says which containers were removed.
    gone = (set(store.containers) if store.records.lost else store.gone) - set(found)
    if store.commits:
        active, end = store.commits[-1].skeleton[5]
        ends = {**{n: n and end for n in [active]}, **store.closed}
        for number in store.containers:
            if number in gone:
                continue
            if number in ends and found.get(number) != ends[number]:
                wrong.append(f"container {number}: frames of commits up to {found.get(number)}, the records say {ends[number]}")
    wrong += check_indices(store, indices, gone)
    wrong += check_tables(store, tables)
    wrong += check_erased(store, tables)
    return wrong


def walk_container(store, number, path, indices, tables):
    """The offset up to which the container has frames of commits and their copies of the header."""
    file = open_file(path, CONTAINER, store.owner, store.key)
    if file.header.file_id != store.containers.get(number, file.header.file_id) or file.header.number != number:
        raise FormatError(path, 16, "another file than the records name")
    active, recorded = store.commits[-1].skeleton[5]
    end = recorded if number == active and number not in store.closed else file.end()
    copied, last, at = False, None, file.base + file.skip
    stored, covered = {}, set()  # blocks: offset and length; stretches of them that tables name
    for frame in read_frames(file):
        at = frame.offset
        if at >= end:
            store.notes.add(f"{path}: a tail from {at} that belongs to no commit")
            break
        at = frame.offset + frame.length
        if frame.offset >= COPY_FROM and not copied and frame.kind != COPY:
            raise FormatError(path, frame.offset, "no copy of the header at the first boundary after 4,096")
        last = frame.kind
        if frame.kind == COPY:
            copied = True
            if frame.plain != file.header.raw:
                raise FormatError(path, frame.offset, "the copy of the header differs from the header")
            continue
        if frame.kind not in (BLOCK, TABLE):
            store.notes.add(f"{path}: a frame of kind {frame.kind}: nothing may be written")
            continue
        stamp, rest = stamp_of(frame.plain)
        lost = any(begin <= stamp.synced <= end for begin, end in store.records.lost)
        if (store.records.links.get(stamp.synced) != stamp.synced_chain and not lost) or stamp.synced >= stamp.sequence:
            raise FormatError(path, frame.offset, f"the stamp of commit {stamp.sequence} names {stamp.synced} with another chain value")
        indices[stamp.sequence].append(stamp.index)
        if frame.kind == TABLE:
            table = cbor(decompress(rest, 64 << 20))
            judge_keys(f"{path}: table at {frame.offset}", table, range(1, 8), store.notes)
            tables.append((f"{path}: table at {frame.offset}", stamp.sequence, table))
            covered |= spans(table, number)
        else:
            stored[frame.offset] = len(block(rest))
    if number in store.closed and last != COPY and number not in store.closed_by_open:
        raise FormatError(path, file.end(), "a closed container does not end in a copy of the header")
    for offset, length in uncovered(stored, covered):
        raise FormatError(path, offset, f"{length} stored bytes that no table names")
    return min(at, end)


def spans(table, container):
    """(offset of the block, start, length) of all runs of a table in its own container."""
    flat = [row[3] for row in table[4]] + [row[2] for row in table[6]]
    return {(frame, start, length) for runs in flat for c, frame, start, length in quads(runs) if c == container}


def uncovered(stored, covered):
    """(offset, bytes) of blocks of which not every byte is in a run."""
    by_block = defaultdict(list)
    for frame, start, length in covered:
        by_block[frame].append((start, length))
    for offset, length in stored.items():
        at = lacking = 0
        for start, count in sorted(by_block[offset]):
            lacking += max(0, start - at)
            at = max(at, start + count)
        if lacking + length - at:
            yield offset, lacking + length - at


def check_indices(store, indices, gone):
    """A commit's frames are counted in containers first, then in its section, then its pieces. Some may have been in containers that
    are gone."""
    active = 0
    for commit in store.commits:
        found = indices.pop(commit.sequence, [])
        before = commit.frames_in_containers()
        containers = {active} | {fact.value[1] for fact in commit.facts if fact.kind == OPENED and fact.value}
        active = commit.skeleton[5][0]
        if containers & gone:
            if found != sorted(set(found)) or found and found[-1] >= before:
                yield f"commit {commit.sequence}: frames {found} in containers that are left, {before} by its records"
        elif found != list(range(len(found))) or before not in (0, len(found)):
            yield f"commit {commit.sequence}: frames {found} in containers, {before} by its records"
    for sequence in indices:
        if any(begin <= sequence <= end for begin, end in store.records.lost):
            continue
        yield f"commit {sequence} has frames in containers and is not in the records"


def check_tables(store, tables):
    """Compares every row of a table with the facts, and checks that each content in containers is in a table of its commit."""
    wrong = []
    salts, messages, by_sequence = {}, {}, {}
    for commit in store.commits:
        by_sequence[commit.sequence] = commit
        for i, fact in enumerate(commit.facts):
            if fact.kind == CONTENT:
                salts[commit.numbers[i]] = fact.salt, i
            elif fact.kind == MESSAGE and fact.value:
                messages[fact.value[1]] = [fact.value]
            elif fact.kind == RECOVERED and fact.value[1] == MESSAGE:
                value = cbor(fact.value[2])
                messages.setdefault(value[1], [value])
            elif fact.kind == UNDELETED and fact.value:
                # Contents packed after that have the folder and the number that the message has then.
                for number, count, folder, counted in fact.value[1]:
                    for at in range(count):
                        known = messages.get(number + at)
                        if known:
                            known.append({**known[0], 3: folder, 12: counted + at})
    first = {}
    for number, known in messages.items():
        content = known[0][2]
        first[content] = min(number, first.get(content, number))
    deletions = (fact.value[1] for commit in store.commits for fact in commit.facts if fact.kind == DELETED)
    ever_deleted = {begin + at for ranges in deletions for begin, count in ranges for at in range(count)}
    listed = set()
    seeds = set()
    for what, sequence, table in tables:
        if table[1] != sequence:
            wrong.append(f"{what}: sequence {table[1]} in a frame of {sequence}")
        if table.get(3):
            seeds.add(table[3])
        for row in table[4]:
            content, size, index, runs, shape, salt = (row + [None] * 6)[:6]
            if content not in store.contents:
                if content not in store.erasures.contents:
                    wrong.append(f"{what}: content {content} is in no commit")
                continue
            fact, placed = store.contents[content]
            here = [((CONTAINER, c), *r) for c, *r in quads(runs)]
            if here == placed:
                listed.add(content)
            if salt is None:
                salt = seeded(table[3], index) if table.get(3) else None
            # The records have no salts for what a repair recovered.
            if content in salts and (salt, index) != salts[content]:
                wrong.append(f"{what}: content {content}: salt or index is not that of its fact")
            if (size, shape) != (fact[4], fact.get(5)) or not is_place(store, CONTENT, content, here, placed):
                wrong.append(f"{what}: content {content}: size, shape or runs are not those of its fact")
        for row in table[5]:
            message, content, folder, counted, time = (row + [None] * 5)[:5]
            if message in store.erasures.messages:
                continue
            known = [fact for fact in messages.get(message, ()) if fact[2] == content]
            here = [fact for fact in known if tuple(table[7][folder]) in store.folders.had[fact[3]]]
            # Messages of a content that were deleted before it was packed are passed over.
            if not here or first[content] != message and first[content] not in ever_deleted:
                wrong.append(f"{what}: message {message} of content {content} is not the first one in the records")
            elif all((counted, table[2] if time is None else time) != (fact[12], fact[5]) for fact in here):
                said = [(fact[12], fact[5]) for fact in here]
                wrong.append(f"{what}: message {message}: {counted}, {time}, {table[2]}; its facts say {said}")
        for row in table[6]:
            if row[0] in store.erasures.parts:
                continue
            _, length, placed = store.parts.get(row[0], [(None, None, None)])[0]
            if row[1] != length or not is_place(store, PART, row[0], [((CONTAINER, c), *r) for c, *r in quads(row[2])], placed):
                wrong.append(f"{what}: part {row[0]}: length or runs are not those of its fact")
    for number, (_, runs) in store.contents.items():
        if runs and all(place[0] == CONTAINER for place, *_ in runs) and number not in listed:
            wrong.append(f"content {number} lies in containers and no table has it")
    # A seed in a table may give salts of contents only: otherwise an erased fact of another kind could be guessed.
    for commit in store.commits:
        for begin, end, seed in commit.seeds:
            if seed in seeds and any(fact.kind != CONTENT for fact in commit.facts[begin:end]):
                wrong.append(f"commit {commit.sequence}: a seed that stands in a table gives salts of other facts than contents")
    return wrong


def is_place(store, kind, number, runs, present):
    """Whether a table names the runs of a content or part; while a container waits to be removed, they may be those that were in it."""
    leaving = any(place[1] in store.erasures.leaving for place, *_ in runs)
    return runs == present or leaving and runs in store.placings[kind].get(number, ())


def check_erased(store, tables):
    """Where erased things still are. Until a fact 24 follows the fact 23 that names them, they may be in facts, and in containers that a
    fact 23 or 4 names. A seed that gives the salt of an erased fact may be nowhere."""
    erasures = store.erasures
    by_sequence = {}
    for commit in store.commits:
        by_sequence[commit.sequence] = commit
        for index, fact in enumerate(commit.facts):
            kind, value = (fact.value[1], cbor(fact.value[2])) if fact.kind == RECOVERED and fact.value else (fact.kind, fact.value)
            if kind in (CONTENT, PART, MESSAGE) and value and erasures.is_over(erasures.named(kind).get(value[1], NEVER)):
                yield f"commit {commit.sequence}: fact {index} of kind {kind}, number {value[1]}, is erased and still there"
        if commit.section and any(fact.salt is None and fact.kind in (CONTENT, PART) for fact in commit.facts):
            yield f"commit {commit.sequence}: a content or part is erased, and the section is still there"
        for seed in {seed for _, _, seed in commit.seeds}:
            given = [at for begin, end, each in commit.seeds if each == seed for at in (begin, end - 1)]
            yield from salts_given(commit, given, "a seed")
    for what, sequence, table in tables:
        for kind, key, column in ((CONTENT, 4, 0), (MESSAGE, 5, 0), (CONTENT, 5, 1), (PART, 6, 0)):
            for row in table[key]:
                if erasures.is_over(erasures.named(kind).get(row[column], NEVER)):
                    yield f"{what}: number {row[column]} of kind {kind} is erased and still there"
        commit = by_sequence.get(sequence)
        if commit and table.get(3):
            given = [index for index, fact in enumerate(commit.facts) if fact.salt is not None and fact.salt == seeded(table[3], index)]
            yield from salts_given(commit, given, f"the seed in {what}")


def salts_given(commit, given, what):
    """Erased facts between facts that have their salts from one seed, which gives those of the erased ones too."""
    for index, fact in enumerate(commit.facts):
        if fact.salt is None and given and min(given) < index < max(given):
            yield f"commit {commit.sequence}: {what} gives the salt of the erased fact {index}"
