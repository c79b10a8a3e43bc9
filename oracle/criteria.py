"""Draws requests by a seed, for judge.py: all operators, filters, criteria, orders, users, from the archive's own mails.

Each request starts from one message and asks for what is true of it, mostly, so that most requests have hits; at least a tenth has none.
"""

import random
import re
import unicodedata
from datetime import datetime, timedelta, timezone

from answers import ORDERS, SWITCHES
from load import bytes_of
from periods import NAMES, zone_of
from queries import KINDS, Drawer, sound
from query import QUOTES, WHITE_SPACE

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "America/Sao_Paulo", "+05:45", "-03:30")
COUNTS = ("year", "month", "from", "folder", "type")
REFUSED = (
    "larger:5.0005M", "larger:5.5", "larger:five", "smaller:1T", "after:2020-13", "before:2020-02-30", "date:soon", "archived:2020-1", "has:picture", "id:5", "is:new", "type:.",
    "thread:x", "tag:todo", "link:x", "importance:high", "direction:sent", "larger:-1", "date:2020-01-01T25:00", "?eier", "-(x larger:?)",
)  # fmt: skip


class Requests:
    def __init__(self, archive, entries, seed, asking=None):
        self.archive = archive
        self.entries = entries  # beside archive.messages
        self.rng = random.Random(seed)
        self.folders = sorted({m.folder for m in archive.messages})
        self.parents = sorted({"/".join(f.split("/")[: n + 1]) for f in self.folders for n in range(f.count("/") + 1)})
        self.users = [self.user(n) for n in range(8)]
        self.asking = asking or [None, *self.users]
        self.empty = 0

    def user(self, n):
        """A user by folders; the first sees nothing, the second has no such folder, the third is an administrator who sees all."""
        rng = self.rng
        if n == 0:
            folders = []
        elif n == 1:
            folders = [{"path": "nobody/Inbox", "subfolders": True}]
        elif n == 2:
            folders = [{"path": f, "subfolders": True} for f in sorted({f.split("/")[0] for f in self.folders})]
        else:
            some = rng.sample(self.parents, min(len(self.parents), rng.randint(1, 6)))
            tops = [f for f in self.parents if f not in self.folders and "/" in f]
            some += rng.sample(tops, min(len(tops), rng.randrange(2)))
            folders = [{"path": f, "subfolders": rng.random() < 0.7} for f in some]
        return {"name": f"u{n}", "administrator": n in (2, 5), "folders": folders}

    def draw(self, count):
        out = []
        while len(out) < count:
            # The last tenth adds requests without a hit until there are enough.
            needed = count // 10 + 1 - self.empty
            want_empty = needed > 0 and (self.rng.random() < 0.08 or count - len(out) <= needed)
            request = self.request(want_empty)
            answer = self.archive.answer(request)
            nothing = not answer.get("total")
            if want_empty and not nothing or not want_empty and nothing and self.rng.random() < 0.6:
                continue
            self.empty += nothing
            out.append(request)
        return out

    # ---------------------------------------------------------------------------------------------- one request

    def request(self, want_empty):
        rng = self.rng
        user = None if None in self.asking and rng.random() < 0.4 else rng.choice(self.asking)
        # Sometimes from a message that the user does not see: nothing of it may show.
        pool = sorted(self.archive.visible(user)) if rng.random() < 0.85 else []
        pool = pool or range(len(self.archive.messages))
        at = rng.choice(pool)
        self.message = self.archive.messages[at]
        self.drawer = Drawer([(bytes_of(self.entries[at]), self.entries[at].get("guesses"))], rng.randrange(1 << 30))
        self.zone = rng.choice(ZONES) if rng.random() < 0.6 else "UTC"
        base = self.date_of(self.message) if rng.random() < 0.8 else self.message.archived
        self.now = base + rng.choice((0, 1, 7, 31, 366)) * 86400 * rng.random()
        criteria = {"version": 1}
        if self.zone != "UTC" or rng.random() < 0.1:
            criteria["zone"] = self.zone
        parts = rng.sample(("text", "text", "text", "filters", "filters", "criteria", "criteria"), rng.choice((1, 1, 1, 2, 2, 3)))
        text = []
        if "text" in parts:
            text.append(self.words())
        if "filters" in parts:
            text += [self.filter() for _ in range(rng.choice((1, 1, 2, 3)))]
        if text:
            criteria["text"] = self.combined([t for t in text if t])
        if "criteria" in parts or not text:
            for _ in range(rng.choice((1, 1, 2, 2, 3))):
                self.criterion(criteria)
        if want_empty:
            rng.choice((self.spoil_text, self.spoil_date, self.spoil_size, self.refuse))(criteria)
        if rng.random() < 0.75:
            criteria["order"] = {"by": rng.choice(ORDERS), "reverse": rng.random() < 0.5}
        moment = datetime.fromtimestamp(int(self.now), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        request = {"as": user, "criteria": criteria, "now": moment}
        if rng.random() < 0.25:
            request["limit"] = rng.choice((1, 2, 7, 50, 1000))
        if rng.random() < 0.25:
            request["counts"] = rng.sample(COUNTS, rng.randint(1, len(COUNTS)))
        return request

    def words(self):
        """A query without filters, of the message's own words."""
        for _ in range(20):
            if not any(self.drawer.values.values()):
                break
            query = re.sub(r"\s+", " ", self.drawer.query(self.rng.choice(KINDS))).strip()
            if sound(query):
                return query
        return "*"

    def combined(self, clauses):
        rng = self.rng
        clauses = rng.sample(clauses, len(clauses))
        form = rng.random()
        if form < 0.6 or len(clauses) < 2:
            return " ".join(clauses)
        if form < 0.7:
            return " OR ".join(clauses)
        if form < 0.8:
            return f"({' OR '.join(clauses[:2])}) {' '.join(clauses[2:])}".strip()
        if form < 0.9:
            return f"{clauses[0]} -({' '.join(clauses[1:])})"
        return f"{rng.choice(('subject', 'from', 'bcontent', 'acontent'))}:({clauses[0]}) OR {' '.join(clauses[1:])}"

    # ---------------------------------------------------------------------------------------------- filters in the query

    def filter(self):
        rng = self.rng
        m = self.message
        if rng.random() < 0.15:
            m = rng.choice(self.archive.messages)
        f = rng.choice(("after", "before", "date", "date", "archived", "larger", "smaller", "has", "in", "in", "folder", "msgid", "list", "label", "type", "id"))
        minus = "-" if rng.random() < 0.15 else ""
        if f in ("after", "before"):
            value = self.period(self.date_of(m))
        elif f == "date":
            value = self.some_range(self.date_of(m))
        elif f == "archived":
            value = self.some_range(m.archived)
        elif f in ("larger", "smaller"):
            value = self.size_text(m.facts.size, f)
        elif f == "has":
            value = "attachment"
            minus = "" if m.facts.types else "-"
        elif f in ("in", "folder"):
            value = self.quoted(self.folder_of(m, f == "in"))
        elif f == "type":
            halves = [half for media in m.facts.types for half in (media, *media.split("/", 1))]
            value = rng.choice([*m.facts.endings, *halves] or ["pdf"])
            if rng.random() < 0.2:
                value = rng.choice((value.upper(), "." + value, value[:2] + "*", "*" + value[-2:]))
            value = self.quoted(value)
        elif f == "id":
            value = m.id
        elif f == "msgid":
            value = self.quoted(m.facts.message_id.decode("utf-8", "replace"), "<>")
        else:
            value = m.facts.list_id if f == "list" else rng.choice(m.facts.labels or ("",))
            if value and rng.random() < 0.4:
                cut = rng.randrange(len(value))
                value = rng.choice((value[:cut] + "*", "*" + value[cut:], value[:cut] + "*" + value[cut + 1 :], "*", value.upper()))
            value = self.quoted(value, "<>" if f == "list" else "")
        if not value:
            return ""
        name = f.upper() if rng.random() < 0.05 else f
        field = rng.choice(("subject:", "from:")) if not minus and rng.random() < 0.03 else ""
        return f"{minus}{field}{name}:{value}"

    @staticmethod
    def date_of(message):
        return message.archived if message.date is None else message.date

    def quoted(self, text, brackets=""):
        """The text as a filter accepts it; empty if no filter can express it."""
        if not text or any(c in QUOTES for c in text) or "\0" in text or "\n" in text or any(c in WHITE_SPACE for c in (text[0], text[-1])):
            return ""
        if brackets and self.rng.random() < 0.2 and not text.startswith("<"):
            text = brackets[0] + text + brackets[1]
        if any(c in WHITE_SPACE or c in "()" for c in text) or self.rng.random() < 0.3:
            return f'"{text}"'
        return text

    def folder_of(self, message, above):
        path = message.folder
        if above and self.rng.random() < 0.6:
            path = path.rsplit("/", self.rng.randint(0, path.count("/")))[0]
        if self.rng.random() < 0.08:
            path = self.rng.choice((path + "x", path.swapcase(), path + "/none", path[:-1]))
        return unicodedata.normalize("NFD", path) if self.rng.random() < 0.2 else path

    def size_text(self, size, name):
        rng = self.rng
        if rng.random() < 0.5:
            return str(max(0, size + rng.choice((0, 0, 1, -1))))
        unit = rng.choice(("K", "KB", "KiB", "k", "kb"))
        if size > 1 << 20 and rng.random() < 0.5:
            return f"{(size >> 20) + (name == 'smaller')}{rng.choice(('M', 'MB', 'MiB', 'm'))}"
        return f"{(size >> 10) + (name == 'smaller')}{unit}"

    def period(self, moment, absolute=False):
        """A period that contains a moment, or ends or begins near it."""
        rng = self.rng
        local = datetime.fromtimestamp(moment, zone_of(self.zone))
        if not absolute and rng.random() < 0.3:
            if rng.random() < 0.5:
                return rng.choice(NAMES)
            days = max(0, int(self.now - moment) // 86400 + rng.choice((-1, 0, 0, 1, 2)))
            return rng.choice((f"{days}d", f"{days // 7}w", f"{days // 30}m", f"{days // 365}y"))
        local += timedelta(days=rng.choice((0, 0, 0, 0, 1, -1)))
        form = rng.choice(("%Y", "%Y-%m", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%d.%m.%Y", "%m.%Y"))
        return local.strftime(form).rjust(len(local.strftime(form)), "0")

    def some_range(self, moment):
        if self.rng.random() < 0.5:
            return self.period(moment)
        days = 86400 * self.rng.choice((0, 1, 30, 400))
        return f"{self.period(moment - days)}..{self.period(moment + days)}"

    # ---------------------------------------------------------------------------------------------- criteria

    def criterion(self, criteria):
        rng = self.rng
        m = self.message
        what = rng.choice(("folder", "from", "recipients", "date", "date", "archived", "attachments", "size", "importance", "store", "in"))
        if what == "folder":
            subfolders = rng.random() < 0.7
            criteria["folder"] = {"path": self.folder_of(m, subfolders), "subfolders": subfolders}
        elif what in ("from", "recipients"):
            name, address = m.facts.sender if what == "from" else m.facts.recipient
            words = [w for w in re.findall(r"\w+", name + " " + address) if sound(w)] or ["*"]
            word = rng.choice(words)
            criteria[what] = rng.choice((word, word, word[:2] + "*", f"{word} OR {word[::-1]}", f"* -{word}", f'"{word}"', self.words()))
            if not sound(criteria[what]):
                criteria[what] = "*"
        elif what in ("date", "archived"):
            moment = self.date_of(m) if what == "date" else m.archived
            if rng.random() < 0.3:
                criteria[what] = {"period": self.period(moment)}
            else:
                ends = {"from": self.period(moment - 86400 * rng.choice((0, 5))), "to": self.period(moment + 86400 * rng.choice((0, 5)))}
                for key in rng.choice((("from",), ("to",), (), ())):
                    ends.pop(key)
                criteria[what] = ends
        elif what == "attachments":
            other = "without_attachments" if m.facts.types else "with_attachments"
            criteria[other] = False
            if rng.random() < 0.1:
                criteria.update(with_attachments=False, without_attachments=rng.random() < 0.5)
        elif what == "size":
            size = m.facts.size
            criteria["size"] = {"min": max(0, size - rng.choice((0, 0, -1, 1000))), "max": size + rng.choice((0, 0, -1, 100, 100000))}
            for key in rng.choice((("min",), ("max",), ())):
                criteria["size"].pop(key)
        elif what == "importance":
            criteria["importance"] = m.facts.importance if rng.random() < 0.7 else rng.choice(("low", "normal", "high"))
        elif what == "store":
            criteria["store"] = m.number[0] if rng.random() < 0.9 else 99
        else:
            criteria["in"] = rng.sample(sorted(SWITCHES), rng.randint(0 if rng.random() < 0.1 else 1, 5))
            criteria.setdefault("text", self.words())

    # ---------------------------------------------------------------------------------------------- without a hit

    def spoil_text(self, criteria):
        text = criteria.get("text")
        criteria["text"] = (text + " " if text else "") + f"zqx{self.rng.randrange(1000)}j"

    def spoil_date(self, criteria):
        criteria["date"] = {"from": "2160-01-01"}

    def spoil_size(self, criteria):
        criteria["size"] = {"min": 1 << 40}

    def refuse(self, criteria):
        text = criteria.get("text")
        criteria["text"] = (text + " " if text else "") + self.rng.choice(REFUSED)
