"""The tree of folders by facts 9 to 12 (docs/FORMAT.md, section 9)."""

from collections import Counter

MADE, RENAMED, MOVED, REMOVED = 9, 10, 11, 12
DEPTH = 128


class Folders(dict):
    """{number: path}, removed folders too. `lossy` says whether damage may have taken facts: then the page says what counts;
    without it, what a writer must not write is a ValueError."""

    def __init__(self, lossy):
        super().__init__({0: ()})
        self.lossy = lossy
        self.parents, self.names = {}, {}
        self.removed = set()
        self.messages = Counter()  # by folder
        self.had = {0: {()}}  # all paths that each folder had

    def take(self, kind, value):
        """Applies a fact."""
        if kind == MADE:
            self.make(value[1], value[2], value[3], value[4])
        elif kind == RENAMED and self.knows(value[1], value):
            self.put(value[1], self.parents[value[1]], value[2])
        elif kind == MOVED and self.knows(value[1], value):
            self.put(value[1], value[2], value[3])
        elif kind == MOVED:
            self.make(value[1], value[2], value[3], 1)
        elif kind == REMOVED:
            for number in value[1]:
                if self.knows(number, value):
                    self.remove(number, value)

    def recovered(self, value):
        """Applies a folder that a repair recorded again."""
        if value[1] in self.parents:
            self.put(value[1], value[2], value[3])
        else:
            self.make(value[1], value[2], value[3], value[4])

    def add_message(self, number):
        """Something came into a folder."""
        self.messages[number] += 1
        self.restore(number)

    # -------------------------------------------------------------------------------------------------------------------- changes

    def make(self, number, parent, name, epoch):
        wrong = number in self.parents or not 0 < epoch < 1 << 32 or parent not in self
        self.judge(wrong, f"folder {number} in {parent}: {name}")
        if number in self.parents:
            return
        self.place(number, 0 if self.is_within(parent, number) else parent, name)

    def put(self, number, parent, name):
        below_itself = self.is_within(parent, number)
        self.judge(below_itself or parent not in self, f"folder {number} moved to {parent}")
        if not below_itself:
            self.removed.discard(number)
            self.place(number, parent, name)

    def remove(self, number, value):
        below = any(parent == number and child not in self.removed for child, parent in self.parents.items())
        full = below or self.messages[number] > 0 or number in self.removed
        self.judge(full, f"folder {number} is not empty, or was removed before: {value}")
        if not full:
            self.removed.add(number)

    def place(self, number, parent, name):
        self.judge("/" in name or not 0 < len(name.encode()) <= 1024, f"the name of folder {number}: {name}")
        same = [n for n, p in self.parents.items() if (p, self.names[n]) == (parent, name) and n != number and n not in self.removed]
        self.judge(same, f"folders {number} and {same} are both {name} in {parent}")
        self.parents[number], self.names[number] = parent, name
        self.restore(parent)
        for each in self.parents:
            if self.is_within(each, number):
                path = self.path(each)
                self.judge(len(path) > DEPTH and each not in self.removed, f"folder {each} is deeper than {DEPTH}")
                self[each] = path[-DEPTH:]
                self.had.setdefault(each, set()).add(self[each])

    def restore(self, number):
        while number in self.removed:
            self.removed.remove(number)
            number = self.parents[number]

    # -------------------------------------------------------------------------------------------------------------------- questions

    def path(self, number):
        names = []
        while number in self.parents:
            names.append(self.names[number])
            number = self.parents[number]
        return tuple(reversed(names))

    def is_within(self, number, above):
        while number != above:
            if number not in self.parents:
                return False
            number = self.parents[number]
        return True

    def knows(self, number, value):
        self.judge(number not in self.parents, f"a fact about folder {number}, which no fact made: {value}")
        return number in self.parents

    def judge(self, is_wrong, what):
        if is_wrong and not self.lossy():
            raise ValueError(what)
