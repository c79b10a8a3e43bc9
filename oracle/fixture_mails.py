"""The oracles of the specification (docs A: E1 to E19, O1 to O45) as mails and expected sets, run through the command and the runner.

fixture_mails.py MAILKEEP [--ask ASK]    without ASK, only what the command can answer. Exit 1 on any difference.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile

from command import Mailkeep
from selftest import FIXTURE, ME, ORACLES, mail, txt

# The examples of the manual, each with the oracle that defines its set.
EXAMPLES = {
    "E1": "Auto*", "E2": "*example.com", "E3": "vorname.nachname*", "E4": "Me?er", "E5": '"Microsoft Windows"', "E6": "subject:Nachrichten",
    "E7": "from:john@mailstore.com", "E8": "to:michael@mailstore.com", "E9": "cc:lisa@mailstore.com", "E10": "bcc:customers@mailstore.com",
    "E11": "bcontent:Rechnung", "E12": "acontent:Rechnung", "E13": "ZDNet -Download-Tipp", "E14": 'ZDNET -"Daily Update"',
    "E15": "from:ZDNET bcontent:MailStore", "E16": "from:versand@example.com acontent:Rechnung", "E17": "to:bewerbung@example.com -Bewerbung",
    "E18": "from:versand@example.com to:meineadresse@company.tld acontent:Rechnung -subject:Mahnung",
    "E19": "vorname", "E19 whole": "vorname.nachname", "E19 second": "nachname",
}  # fmt: skip
# ORACLES begins with these, in this order (O28 is a refusal, O30 and O31 are the reduced mode, which neither command nor runner has).
NUMBERS = [f"O{n}" for n in range(1, 25)] + ["O25"] * 3 + ["O26"] * 3 + ["O27", "O29"]


def plain(number, more="", body="x", size=None):
    """A mail identified by a number, of exactly `size` bytes if that is given."""
    head = f"From: a@b.example\nTo: c@d.example\nSubject: number{number}\n{more}\n"
    data = (head + body + "\n").encode()
    return data if size is None else data[:-1] + b"\n" + b"x" * (size - len(data) - 1) + b"\n"


def dated(number, date):
    return plain(number, f"Date: {date}\n")


CASES = {  # folder -> its mails
    "dates": [
        dated(1, "Tue, 31 Dec 2019 23:59:59 +0100"), dated(2, "Wed, 1 Jan 2020 00:00:00 +0100"), dated(3, "Fri, 31 Jan 2020 23:59:59 +0100"),
        dated(4, "Sat, 1 Feb 2020 00:00:00 +0100"),
    ],
    "importance": [
        plain(1, "X-Priority: 5\n"), plain(2, "X-Priority: 4 (Low)\n"), plain(3, "X-Priority: 3\n"), plain(4, "Importance: low\n"), plain(5),
    ],
    "large": [plain(n + 1, size=size) for n, size in enumerate((5242879, 5242880, 5242881))],
    "middle": [plain(n + 1, size=size) for n, size in enumerate((409599, 409600, 614400, 614401))],
}  # fmt: skip
# Additional mails that some examples must not find: the column "does not find" of the manual, if no mail of the fixture covers it.
ELSEWHERE = [
    (mail("lisa@mailstore.com", "customers@mailstore.com", "Gruss", "Nachrichten und Rechnung",
          more="Cc: michael@mailstore.com\nBcc: john@mailstore.com\n"), "E6 E7 E8 E9 E10 E12"),
    (mail("bcc@mailstore.com", "lisa@mailstore.com", "Rechnung", "x", txt("Rechnung.txt", "Nachrichten")), "E6 E9 E10 E11 E12"),
    (mail("john@mailstore.com", "x@mailstore.com", "Gruss", "x", txt("x.txt", "Rechnung"), "Cc: customers@mailstore.com\n"), "E8 E10 E11 E16"),
    (mail("versand@example.com", "meineadresse@company.tld", "Gruss", "Rechnung"), "E12 E16 E18"),
    (mail("versand@example.com", "other@company.tld", "Gruss", "x", txt("x.txt", "Rechnung")), "E11 E18"),
    (mail("bob@example.org", ME, "ZDNet", "MailStore"), "E15"),
    (mail("bob@example.org", ME, "Gruss", "x", txt("daily.txt", "ZDNet, the daily update")), "E14"),
    (mail("bob@example.org", "bewerbung@example.com", "Gruss", "x", txt("Bewerbung.txt", "x")), "E17"),
    (mail("bob@example.org", ME, "Download-Tipp", "ZDNet"), "E13 E15"),
    (mail("vorname@example.org", "nachname@example.org", "Vorname", "nachname.vorname"), "E3"),
    (mail("bob@example.org", ME, "Halbauto", "example.company Meer Meeier"), "E1 E2 E4 E5"),
]  # fmt: skip
MAILBOX = {"alice/Mailbox/Inbox": plain(1), "alice/Mailbox/Inbox/Projekte 2017/Gewinnoptimierung": plain(2)}
F16_ONLY = {"name": "reader", "administrator": False, "folders": [{"path": "judge/f16", "subfolders": True}]}
READER = {"name": "reader", "administrator": False, "folders": [{"path": "judge", "subfolders": True}]}


def criteria_cases(fixture):
    """(oracle, request, expected numbers or an error's code) for O32 to O45."""
    inside = lambda folder, **more: {"version": 1, "folder": {"path": f"judge/{folder}"}, **more}
    of_fixture = lambda **more: {"version": 1, **more, **({"folder": fixture} if "folder" not in more else {})}
    yield "O33", {"criteria": inside("dates", date={"from": "2020-01-01", "to": "2020-01-31"}, zone="Europe/Berlin")}, {2, 3}
    yield "O34", {"criteria": inside("importance", importance="low")}, {1, 2, 4}
    yield "O35", {"criteria": inside("importance", importance="normal")}, {3, 5}
    yield "O36", {"criteria": inside("large", size={"min": 5 << 20})}, {2, 3}
    yield "O37", {"criteria": inside("middle", size={"min": 400 << 10, "max": 600 << 10})}, {2, 3}
    only = {"text": 'subject:"ZDNet Daily Update" OR subject:"Ihre Lieferung"', "with_attachments": False, "without_attachments": True}
    yield "O38", {"criteria": of_fixture(**only)}, {1}
    inbox = {"path": "alice/Mailbox/Inbox", "subfolders": False}
    yield "O39", {"criteria": {"version": 1, "folder": inbox}}, {1}
    yield "O40", {"criteria": {"version": 1, "folder": {**inbox, "subfolders": True}}}, {1, 2}
    yield "O41", {"criteria": of_fixture(text="Rechnung", **{"in": ["attachment-names"]})}, {16}
    yield "O42", {"criteria": of_fixture(text="john@mailstore.com", **{"in": ["parties"]})}, {15, 16}
    yield "O43", {"criteria": of_fixture(text="Nachrichten", **{"in": ["subject"], "from": "john@mailstore.com"})}, {15}
    yield "O45", {"as": READER, "criteria": {"version": 1, "store": 1}}, "denied"
    for n, query in enumerate(("Rechnung", "*", "-Rechnung", "from:michael", "ZDNet"), 1):
        yield f"O32.{n}", {"as": F16_ONLY, "criteria": {"version": 1, "text": query}}, ({16} if n in (1, 2, 4) else set())


def month_before(keep, identifier):
    """O44: requests whose `now` is in the month after that of archiving, in that month itself, and two months later."""
    record = keep.lines("show", identifier, "--record")[-1]
    year, month = int(record["archived"][:4]), int(record["archived"][5:7])
    for later, found in ((1, True), (0, False), (2, False)):
        y, m = year + (month + later - 1) // 12, (month + later - 1) % 12 + 1
        yield f"{y}-{m:02}-15T12:00:00Z", found


class Fixture:
    def __init__(self, binary, folder):
        self.keep = Mailkeep(binary, os.path.join(folder, "archive"))
        sources = os.path.join(folder, "sources")
        self.keep.make([])
        self.waiting = {}
        for n, data in enumerate(FIXTURE, 1):
            self.add(sources, f"f{n:02}", data, "judge/f16" if n == 16 else "judge/fixture")
        for place, mails in CASES.items():
            for n, data in enumerate(mails, 1):
                self.add(sources, f"{place}{n}", data, f"judge/{place}")
        for n, (data, _) in enumerate(ELSEWHERE):
            self.add(sources, f"elsewhere{n}", data, "elsewhere")
        for n, (place, data) in enumerate(MAILBOX.items(), 1):
            self.add(sources, f"mailbox{n}", data, place)
        self.names = {}  # id -> name of the mail
        for name, (path, into) in self.waiting.items():
            receipts = os.path.join(folder, "receipts")
            self.keep.run("import", path, "--into", into, "--receipts", receipts)
            with open(receipts, encoding="utf-8") as f:
                self.names[json.loads(f.readline())["id"]] = name

    def add(self, sources, name, data, into):
        os.makedirs(sources, exist_ok=True)
        path = os.path.join(sources, name + ".eml")
        with open(path, "wb") as f:
            f.write(data)
        self.waiting[name] = path, into

    def of_fixture(self, ids):
        return {int(self.names[i][1:]) for i in ids if self.names[i][0] == "f" and self.names[i][1:].isdigit()}


def number_of(name):
    return int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))


def check(what, expected, got, bad):
    if expected != got:
        bad.append(what)
        print(f"DIFFERENCE {what}: expected {expected}, got {got}")


def oracles():
    """(name, query, set) of E1 to E19 and of the lines that represent O1 to O29."""
    lines = [line.rpartition("|") for line in ORACLES.strip().splitlines()]
    sets = {query: set(map(int, found.split())) for query, _, found in lines}
    for name, query in EXAMPLES.items():
        yield name, query, sets[query]
    for number, (query, _, _) in itertools.zip_longest(NUMBERS, lines, fillvalue="a rule"):
        yield number, query, sets[query]


def ask_command(fixture, bad):
    for name, query, expected in oracles():
        hits, answer = fixture.keep.search(query)
        if hits is None:
            check(f"{name} {query!r}", expected, answer, bad)
            continue
        check(f"{name} {query!r}", expected, fixture.of_fixture(h["id"] for h in hits), bad)
        elsewhere = {f"elsewhere{n}" for n, (_, examples) in enumerate(ELSEWHERE) if name.split()[0] in examples.split()}
        check(f"{name} {query!r} finds more", set(), elsewhere & {fixture.names[h["id"]] for h in hits}, bad)
    for query in ("?eier", "Meie?"):
        hits, error = fixture.keep.search(query)
        check(f"O28 {query!r} is refused with an error that names *", True, hits is None and "*" in json.dumps(error), bad)


def ask_runner(fixture, program, bad):
    from judge import Runner

    first = next(i for i, name in fixture.names.items() if name == "f01")
    months = list(month_before(fixture.keep, first))  # before the runner starts, which locks the archive
    runner = Runner(program, fixture.keep.archive, fixture.keep.found_key_file())
    try:
        # The sixteen mails of the fixture are in two folders, both below `judge`; no other mail there meets any of these queries.
        for name, request, expected in criteria_cases({"path": "judge"}):
            got = runner.ask(request)
            if isinstance(expected, str):
                check(name, expected, got.get("error", {}).get("code"), bad)
                continue
            found = {number_of(fixture.names[i]) for i in got.get("ids", [])}
            check(f"{name} {json.dumps(request, ensure_ascii=False)}", expected, found if "error" not in got else got, bad)
        for now, found in months:
            criteria = {"version": 1, "archived": {"period": "last-month"}, "text": 'subject:"ZDNet Daily Update"'}
            got = runner.ask({"criteria": criteria, "now": now})
            check(f"O44 at {now}", [first] if found else [], got.get("ids", got), bad)
    finally:
        runner.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("--ask")
    args = parser.parse_args()
    bad = []
    with tempfile.TemporaryDirectory(prefix="mailkeep-fixture-") as folder:
        fixture = Fixture(args.mailkeep, folder)
        ask_command(fixture, bad)
        if args.ask:
            ask_runner(fixture, args.ask, bad)
    print(f"oracles of the specification: {len(bad)} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
