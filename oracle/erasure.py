"""What facts 4, 23 and 24 of a store say (docs/FORMAT.md, section 9): what is erased, which containers go, and when nothing of it may
be left."""

from records import CONTAINER, CONTENT, ERASED, ERASURE, GONE, MESSAGE, PART, RECOVERED, quads

# Kinds of facts that an erasure replaces by their hashes.
REPLACED = (CONTENT, PART, MESSAGE, RECOVERED)
MOST = 1 << 22


def numbers(ranges):
    """The numbers in ranges `[first, count]`, which rise."""
    before = 0
    for first, count in ranges:
        if first < before or not 0 < count <= MOST:
            raise ValueError(f"ranges of numbers that do not rise, or are too long: {first}, {count} after {before}")
        before = first + count
        yield from range(first, before)


class Erasures:
    """All facts 4, 23 and 24 of a store, known before its commits are followed: facts may be erased long before the fact that says so."""

    def __init__(self, commits):
        self.contents, self.parts, self.messages = {}, {}, {}  # number: sequence of the commit that erased it
        self.leaving = {}  # container that a fact 23 or 4 names: sequence of the first
        self.removed = {}  # container that a fact 4 names: sequence
        self.highest = {}  # folder in which messages are erased: the highest number that was ever given there
        self.last = self.done = 0  # sequences of the last fact 23 and the last fact 24
        for commit in commits:
            for fact in commit.facts:
                if fact.value is not None:
                    self.take(commit.sequence, fact.kind, fact.value)

    def take(self, sequence, kind, value):
        if kind == ERASURE:
            self.last = sequence
            for known, ranges in ((self.contents, value[1]), (self.parts, value[2]), (self.messages, value[3])):
                for number in numbers(ranges):
                    known.setdefault(number, sequence)
            for container in value[4]:
                self.leaving.setdefault(container, sequence)
            for folder, number in value[6]:
                self.highest[folder] = max(number, self.highest.get(folder, 0))
        elif kind == GONE:
            for container in value[1]:
                self.leaving.setdefault(container, sequence)
                self.removed.setdefault(container, sequence)
        elif kind == ERASED:
            self.done = sequence

    def is_over(self, sequence):
        """Whether a fact 24 says that nothing is left of what a commit with a fact 23 named."""
        return sequence <= self.done

    def named(self, kind):
        """The numbers of a kind of fact that are erased, with the sequence of the commit that erased each."""
        return {CONTENT: self.contents, PART: self.parts, MESSAGE: self.messages}[kind]

    def leaving_at(self, sequence):
        """Containers that facts 23 and 4 have named up to a commit."""
        return {container for container, named in self.leaving.items() if named <= sequence}


def wrong_in(store, sequence, value, contents, parts, messages):
    """What a fact 23 says and may not say, by the state before it. Facts that it erases may be erased already; what they said is then
    not compared."""
    if not (isinstance(value[7], str) and isinstance(value[8], int)):
        yield "who and when"
    if messages - store.deleted:
        yield f"messages that are not deleted: {messages - store.deleted}"
    used = {m[2] for m in store.all_messages.values() if m[1] not in messages} & contents
    if used:
        yield f"contents that have other messages: {used}"
    for number, (fact, _) in store.contents.items():
        used = {part for form, _, _, part in quads(fact.get(5) or []) if form in (3, 4)} & parts
        if number not in contents and used:
            yield f"parts of content {number}: {used}"
    for what, numbers, end in (
        ("contents", contents, store.records.next_content),
        ("parts", parts, store.next_part),
        ("messages", messages, store.next_message),
    ):
        if any(number >= end for number in numbers):
            yield f"{what} that were never assigned"
    yield from wrong_containers(store, sequence, value[4], contents, parts)
    yield from wrong_about_what_stays(store, sequence, value, contents, messages)


def wrong_containers(store, sequence, named, contents, parts):
    if set(named) - set(store.containers) or set(named) & store.gone:
        yield f"containers that are not there: {named}"
    runs = [run for number in contents & set(store.contents) for run in store.contents[number][1]]
    runs += [run for number in parts & set(store.parts) for run in store.parts[number][0][2]]
    lacking = {number for (kind, number), *_ in runs if kind == CONTAINER} - store.erasures.leaving_at(sequence)
    if lacking:
        yield f"containers with its bytes that are not named: {lacking}"


def wrong_about_what_stays(store, sequence, value, contents, messages):
    first = {}
    for number, message in sorted(store.all_messages.items()):
        first.setdefault(message[2], number)
    expected = {(content, number) for content, number in first.items() if number in messages and content not in contents}
    said = {tuple(pair) for pair in value[5]}
    # The facts of contents that a later commit erases may be gone, too.
    there = set(store.contents) | {number for number, named in store.erasures.contents.items() if named > sequence}
    strange = [pair for pair in said if pair[0] not in there - contents or pair[1] not in messages]
    # Of a content whose first message was erased before, the next one is not the first.
    required = {pair for pair in expected if pair[0] not in store.firsts}
    if strange or required - said or any(number in store.all_messages and (content, number) not in expected for content, number in said):
        yield f"first messages of contents that stay: {sorted(said)}, expected {sorted(required)}"
    for folder, number in value[6]:
        if folder not in store.folders or number < store.numbers.get(folder, 0):
            yield f"the highest number in folder {folder} is {number}"
    lacking = {store.all_messages[number][3] for number in messages & set(store.all_messages)} - {folder for folder, _ in value[6]}
    if lacking:
        yield f"no highest number in folders {lacking}"
