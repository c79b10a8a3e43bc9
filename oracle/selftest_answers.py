"""Checks everything besides words: periods, facts of mails, criteria, answers. Run by selftest.py."""

import json
import os
import tempfile
import unittest
from datetime import datetime, timezone
from unittest import mock

import periods
import rule_requests
from answers import Archive, Message, Search
from facts import facts
from mailtext import mail_values
from maildate import mail_date
from query import Filter, QueryError, parse
from search import Corpus, prepare
from words import tokenize


def archive_of(mails):
    """An archive in memory of (name, folder, bytes), archived one a second."""
    corpus, messages, contents = Corpus(), [], {}
    for n, (_, folder, data) in enumerate(mails):
        result = mail_values(data)
        own = facts(data, result)
        if data not in contents:
            contents[data] = len(contents)
            corpus.add(prepare(result.values))
        messages.append(Message(f"1:{n}", contents[data], folder, own.date, 1_600_000_000 + n, "received", own))
    corpus.finish()
    return Archive(corpus, messages)


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mails = rule_requests.mails()
        cls.archive = archive_of(cls.mails)
        cls.names = {f"1:{n}": name for n, (name, _, _) in enumerate(cls.mails)}

    def test_the_hand_made_requests(self):
        for case in rule_requests.cases():
            with self.subTest(json.dumps(case, ensure_ascii=False)):
                answer = self.archive.answer(case["request"])
                if "limit" in case["request"] and "ids" in answer:
                    answer["ids"] = answer["ids"][: case["request"]["limit"]]
                self.assertEqual(rule_requests.problems(case, answer, self.names), [])

    def test_every_rule_that_one_request_can_show_has_a_case(self):
        rules = {case["rule"] for case in rule_requests.cases()}
        # S2.8 (the reduced mode), S4.7 and S4.8 (time, rebuilding) do not concern single requests.
        words = "S1.1 S1.2 S1.3 S1.4 S1.5 S1.6 S2.1 S2.2 S2.3 S2.4 S2.5 S2.6 S2.7 S2.9".split()
        for rule in [*words, "S3.1", "S4.1", "S4.2", "S4.3", "S4.4", "S4.5", "S4.6"]:
            self.assertIn(rule, rules)

    def test_a_sent_message_is_ordered_by_its_recipient(self):
        sent = [m._replace(direction="sent") for m in self.archive.messages]
        request = {"criteria": {"version": 1, "text": "in:anna", "order": {"by": "party"}}}
        ids = Archive(self.archive.corpus, sent).answer(request)["ids"]
        self.assertEqual([self.names[i] for i in ids], ["c", "a", "g", "e1", "b"])

    def test_a_message_without_a_date(self):
        some = [m._replace(date=None) if n % 2 else m for n, m in enumerate(self.archive.messages)]
        archive = Archive(self.archive.corpus, some)
        request = {"criteria": {"version": 1, "text": "*", "order": {"by": "date"}}, "counts": ["year"]}
        answer = archive.answer(request)
        dated = [m.id for m in some if m.date is not None]
        self.assertEqual(sorted(answer["ids"][: len(dated)]), sorted(dated))
        self.assertIn(["no date", len(some) - len(dated)], answer["counts"]["year"])
        request["criteria"]["order"]["reverse"] = True
        self.assertEqual(archive.answer(request)["ids"], answer["ids"][::-1])
        for text in ("after:1900", "before:2900", "date:1900..2900"):
            self.assertEqual(archive.answer({"criteria": {"version": 1, "text": text}})["total"], len(dated), text)

    def test_unknown_needs_a_term(self):
        search = Search(self.archive, {"criteria": {"version": 1, "text": "nothere OR cipher"}})
        of = {name: n for n, (name, _, _) in enumerate(self.mails)}
        self.assertIs(search.truth(search.tree, of["f"]), True)
        self.assertIs(search.truth(search.tree, of["a"]), False)
        search = Search(self.archive, {"criteria": {"version": 1, "text": "-nothere"}})
        self.assertIsNone(search.truth(search.tree, of["f"]))
        self.assertIs(search.truth(search.tree, of["a"]), True)


class Language(unittest.TestCase):
    def test_filters(self):
        self.assertIsInstance(parse("larger:5m")[0], Filter)
        self.assertEqual(parse('in:"a b"c')[0].value, "a b")
        self.assertEqual(parse("(in:a)")[0][0].value, "a")
        self.assertEqual(parse("in:a)")[0].value, "a)")
        self.assertEqual(parse("larger: 5")[0].parts, ["larger"])
        self.assertEqual(parse("subject:larger:5")[0].parts, ["larger", "5"])
        self.assertEqual(parse("subject:from:a")[0].parts, ["from", "a"])
        self.assertEqual([parse(f"larger:1{u}")[0].value for u in ("", "K", "kb", "KiB", "m", "GiB")], [1, 1024, 1024, 1024, 1 << 20, 1 << 30])

    def test_reserved(self):
        for query in ("id:1", "-tag:x", "a (link:b)", "Importance:high"):
            with self.subTest(query), self.assertRaises(QueryError):
                parse(query)
        self.assertEqual(parse("id: 1")[0].parts, ["id"])

    def test_fields_for_terms_that_name_none(self):
        self.assertEqual(parse("a subject:b -c", ("to", "cc"))[0].fields, ("to", "cc"))
        self.assertEqual(parse("a subject:b -c", ("to", "cc"))[1].fields, ("subject",))
        self.assertEqual(parse("a subject:b -c", ("to", "cc"))[2].inner.fields, ("to", "cc"))


class Periods(unittest.TestCase):
    NOW = datetime(2024, 3, 31, 12, tzinfo=timezone.utc).timestamp()  # a Sunday; in Berlin the clocks went forward in the morning

    def days(self, text, zone="UTC"):
        s = periods.span(periods.parse_period(text), self.NOW, periods.zone_of(zone))
        return tuple(datetime.fromtimestamp(t, timezone.utc).strftime("%Y-%m-%dT%H:%M") for t in s)

    def test_periods(self):
        for text, begin, end in (
            ("2024", "2024-01-01", "2025-01-01"), ("2024-02", "2024-02-01", "2024-03-01"), ("2023-12", "2023-12-01", "2024-01-01"),
            ("2024-02-29", "2024-02-29", "2024-03-01"), ("today", "2024-03-31", "2024-04-01"), ("yesterday", "2024-03-30", "2024-03-31"),
            ("this-week", "2024-03-25", "2024-04-01"), ("last-week", "2024-03-18", "2024-03-25"), ("this-month", "2024-03-01", "2024-04-01"),
            ("last-month", "2024-02-01", "2024-03-01"), ("this-year", "2024-01-01", "2025-01-01"), ("last-year", "2023-01-01", "2024-01-01"),
            ("7d", "2024-03-24", "2024-03-25"), ("0d", "2024-03-31", "2024-04-01"),
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(self.days(text), (begin + "T00:00", end + "T00:00"))
        self.assertEqual(self.days("2024-03-01T12:30"), ("2024-03-01T12:30", "2024-03-01T12:31"))

    def test_zones(self):
        self.assertEqual(self.days("today", "Europe/Berlin"), ("2024-03-30T23:00", "2024-03-31T22:00"))
        self.assertEqual(self.days("today", "+13:00"), ("2024-03-31T11:00", "2024-04-01T11:00"))
        # In São Paulo the clocks went from midnight to one: the day began at one.
        self.assertEqual(self.days("2018-11-04", "America/Sao_Paulo"), ("2018-11-04T03:00", "2018-11-05T02:00"))

    def test_what_is_no_period(self):
        for text in ("", "20", "2024-13", "2024-02-30", "2024-2", "2024-01-01T24:00", "2024-01-01T12", "today.", "31.11.2020", "1.1.20", "1x", "d", "-1d", "last-day", "٢٠٢٤"):
            with self.subTest(text), self.assertRaises(ValueError):
                periods.parse_period(text)
        for zone in ("Nowhere/Town", "+2", "+25:00", "02:00"):
            with self.subTest(zone), self.assertRaises(ValueError):
                periods.zone_of(zone)


class Facts(unittest.TestCase):
    def facts(self, head, body="x"):
        data = (head + "\n" + body).encode()
        return facts(data, mail_values(data))

    def test_dates(self):
        noon = int(datetime(2020, 1, 15, 12, tzinfo=timezone.utc).timestamp())
        for text, later in (
            ("Wed, 15 Jan 2020 12:00:00 +0000", 0), ("15 Jan 2020 12:00 GMT", 0), ("Wed, 15 Jan 2020 12:00:07 (a (b)) -0000", 7),
            ("Wed, 15 Jan 20 13:00:00 +0100", 0), ("Wed, 15 Jan 120 07:00:00 EST", 0), ("Wed Jan 15 12:00:00 2020", 0),
            ("Wed Jan 15 04:00:00 PST 2020", 0), ("15-Jan-2020 12:00:00", 0), ("Wednesday, 15 January 2020 12:00:00 Z", 0),
            ("2020-01-15T13:00:00+01:00", 0), ("20200115T120000Z", 0), ("Wednesday, January 15, 2020 12:00 PM", 0), ("15/1/2020 12:00", 0),
            ("1/15/2020 0:00:00 p.m. +1", -13 * 3600), ("Mi, 15. Jänner 2020 um 13:00 Uhr MEZ", 0), ("15 stycznia 2020 12.00", 0),
            ("15 de enero de 2020 13:00:07 \"W. Europe Standard Time\"", 7), ("15 Jan 2020 08:00:00 --0400", 0), ("15 Jan 2020", -43200),
            ("14 Jan 2020 24:00:00 +9999", -43200), ("15 Jan 2020 12:00:00 FOO +0100", -3600), ("15 Jan 2020 21:00:00 JST", 0),
            ("mar. 15 janv. 2020 12h00", 0), ("2020/01/15 Wed 12:00:00", 0), ("15.01.20 12:00", 0), ("15 Jan 2020 12:00:00 GMT Daylight Time", -3600),
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(mail_date(text), noon + later)
        for text in ("", "soon", "32 Jan 2020 12:00:00", "15 Foo 2020 12:00:00", "15 Jan 2020 25:00:00", "5/6/2020 12:00", "15 Jan 20201 12:00", "15 Jan 2020 x"):
            self.assertIsNone(mail_date(text), text)
        head = "Received: a; soon\nReceived: b (c; d)\n; 15 Jan 2020 12:00:00 +0000\nReceived: b; 14 Jan 2020 12:00:00 +0000\n"
        self.assertEqual(self.facts(head.replace(")\n;", ")\n ;")).received, noon)
        self.assertIsNone(self.facts("Received: 15 Jan 2020 12:00:00 +0000\n").received)
        self.assertEqual(self.facts("Date: =?utf-8?q?15_Jan_2020_12:00?=\n").date, noon)

    def test_parties(self):
        f = self.facts("From: g: ;, A B <a@x> (c), d@y\nTo: undisclosed:;\nCc: (Carl) c@z\n")
        self.assertEqual((f.sender, f.recipient), (("A B", "a@x"), ("Carl", "c@z")))
        self.assertEqual(self.facts("Subject: x\n").sender, ("", ""))

    def test_importance(self):
        for head, level in (
            ("", "normal"), ("Importance: High\n", "high"), ("X-Priority: 1 (Highest)\nImportance: low\n", "low"), ("X-Priority: 4\n", "low"),
            ("X-Priority: 3\nPriority: urgent\n", "normal"), ("Priority: non-urgent\n", "low"), ("Importance: what\nX-Priority: 2\n", "high"),
        ):  # fmt: skip
            self.assertEqual(self.facts("Subject: x\n" + head).importance, level, head)

    def test_ids(self):
        f = self.facts("Message-ID: <A@b> \nList-Id: The <list> of <A.b>\n")
        self.assertEqual((f.message_id, f.list_id), (b"A@b", "A.b"))
        self.assertEqual(self.facts("List-Id: a.b\n").list_id, "a.b")
        self.assertEqual(self.facts("Message-ID: <a@b > x\n").message_id, b"a@b")

    def test_labels(self):
        for head, labels in (
            ("Inbox,Unread", ("Inbox", "Unread")), (' Inbox , ,"Kunden, alt",Inbox', ("Inbox", "Kunden, alt")),
            ('"a \\"b\\" \\c","d""e"', ('a "b" \\c', 'd"e')), ('"open, on', ("open, on",)), ('5" disks,x', ('5" disks', "x")), ('"a" b,""', ("a b",)),
            ("=?UTF-8?Q?Entw=C3=BCrfe,Rei?= =?UTF-8?Q?sen?=\nX-Gmail-Labels: x", ("Entwürfe", "Reisen", "x")), ("", ()),
            ("K=C3=B6ln,=e4,a=b,=C3=A4=C3=B6=41", ("Köln", "=e4", "a=b", "äö=41")), ("=e4=C3=B6,=", ("=e4=C3=B6", "=")),
        ):  # fmt: skip
            self.assertEqual(self.facts(f"X-Gmail-Labels: {head}\n").labels, labels, head)
        many = [f"label {n}" for n in range(9000)]
        labels = self.facts("X-Gmail-Labels: " + ",".join(many) + "\n").labels
        self.assertEqual(list(labels), many[: len(labels)])
        self.assertIn(8192 - sum(map(len, labels)), range(10))

    def test_attachments(self):
        def part(head, body="x"):
            return f"--b\n{head}\n\n{body}\n"

        def of(*parts):
            return self.facts('Content-Type: multipart/mixed; boundary="b"\n', "".join(parts) + "--b--\n").types

        self.assertEqual(of(part("Content-Type: text/plain")), ())
        self.assertEqual(of(part("Content-Type: image/png; name=a.png")), ("image/png",))
        self.assertEqual(of(part("Content-Disposition: attachment")), ("text/plain",))
        self.assertEqual(of(part("Content-Type: application/pgp-signature; name=s.asc")), ())
        html = part("Content-Type: text/html", '<img src="cid:one%40x">')
        shown = part("Content-Type: image/png; name=a.png\nContent-ID: <one@x>")
        self.assertEqual(of(html, shown), ())
        self.assertEqual(of(shown, part("Content-Type: text/html", "<p>")), ("image/png",))
        nested = part("Content-Type: message/rfc822", "Content-Type: image/png; name=a.png\n\nx")
        self.assertEqual(of(nested), ("image/png",))
        self.assertEqual(of(html, part("Content-Type: image/png\nContent-ID: <one@x>\nContent-Disposition: attachment")), ("image/png",))

    def test_text_that_was_overlooked(self):
        self.assertTrue(self.facts("Content-Type: application/pkcs7-mime\n").overlooked)
        self.assertFalse(self.facts("Content-Type: application/zip\n").overlooked)


class Judges(unittest.TestCase):
    """judge.py must see each kind of lie; drawn requests must be the same for the same seed."""

    def setUp(self):
        import judge
        import stub_ask

        self.judge, self.stub = judge, stub_ask
        self.mails = rule_requests.mails()
        self.archive = archive_of(self.mails)

    def runner(self, lie=None):
        return mock.Mock(ask=lambda request: self.stub.answer(self.archive, request, lie))

    def test_lies_are_seen(self):
        request = {"as": None, "criteria": {"version": 1, "text": "*"}, "limit": 3, "counts": ["year"]}
        self.assertEqual(self.judge.judge(self.archive, self.runner(), request), [])
        for lie in ("order", "missing", "total", "page", "undecided", "counts"):
            with self.subTest(lie):
                self.assertNotEqual(self.judge.judge(self.archive, self.runner(lie), request), [])
        self.assertNotEqual(self.judge.judge(self.archive, self.runner("extra"), {"criteria": {"version": 1, "text": "cipher"}}), [])
        self.assertNotEqual(self.judge.judge(self.archive, self.runner("error"), {"criteria": {"version": 1, "text": "id:1"}}), [])

    def test_drawn_requests(self):
        from criteria import Requests

        with tempfile.TemporaryDirectory() as place:
            entries = []
            for name, _, data in self.mails:
                entries.append({"path": os.path.join(place, name)})
                with open(entries[-1]["path"], "wb") as f:
                    f.write(data)
            requests = Requests(self.archive, entries, 7).draw(60)
            self.assertEqual(requests, Requests(self.archive, entries, 7).draw(60))
        for request in requests:
            self.assertEqual(self.judge.judge(self.archive, self.runner(), request), [], request)
        self.assertGreaterEqual(sum(not self.archive.answer(r).get("total") for r in requests), 6)


class Switches(unittest.TestCase):
    def test_a_bare_exclusion_looks_at_addresses_only_where_they_are_switched_on(self):
        corpus = Corpus()
        corpus.add([("from", "address", tokenize("a@b"), "a@b")])
        corpus.finish()
        term = parse("a@b")[0]
        self.assertEqual(corpus.term(term, True), {0})
        self.assertEqual(corpus.term(term, True, ("subject",)), set())
