"""Checks the naive scan on hand-made fixtures, rule by rule: python3.11 oracle/selftest.py"""

import unittest

import charset
from header_text import address_values, decode_words
from html_text import html_text
from mailtext import mail_values
from search import Corpus, QueryError, parse
from transfer import transfer_decode
from words import tokenize


def mail(sender, to, subject, body, attachment=None, more=""):
    head = f"From: {sender}\nTo: {to}\n{more}Subject: {subject}\n"
    if attachment is None:
        return (head + "Content-Type: text/plain; charset=utf-8\n\n" + body + "\n").encode()
    name, kind, text = attachment
    return (
        head
        + 'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n'
        + body
        + f'\n--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename="{name}"\n\n{text}\n--b--\n'
    ).encode()


def txt(name, text):
    return name, "text/plain", text


ME, TEAM, ALICE = "me@company.tld", "team@company.tld", "alice@company.tld"
NEWS = "ZDNet News <newsletter@zdnet.example>"
FIXTURE = [
    mail(NEWS, ME, "ZDNet Daily Update", "Neue Nachrichten aus der IT."),
    mail(NEWS, ME, "Download-Tipp der Woche", "MailStore zum Ausprobieren."),
    mail("Redaktion <redaktion@zdnet.example>", ME, "Archivierung", "MailStore im Vergleich."),
    mail("versand@example.com", "meineadresse@company.tld", "Ihre Lieferung", "Beleg anbei.", txt("beleg.txt", "Rechnung Nr. 4711")),
    mail("versand@example.com", "meineadresse@company.tld", "Mahnung", "Bitte zahlen.", txt("offen.txt", "Rechnung Nr. 4712 ist offen")),
    mail("bob@example.org", "bewerbung@example.com", "Initiativ", "Anbei mein Lebenslauf."),
    mail("eve@example.org", "bewerbung@example.com", "Bewerbung als Entwicklerin", "Anbei mein Lebenslauf."),
    mail("vorname.nachname@example.net", TEAM, "Autoreparatur", "Das Auto ist fertig."),
    mail("robot@company.tld", "max@sub.example.com", "Status", "Automatisch erzeugt."),
    mail(ALICE, TEAM, "Gruss 1", "Herr Meier kommt."),
    mail(ALICE, TEAM, "Gruss 2", "Frau Meyer kommt."),
    mail(ALICE, TEAM, "Gruss 3", "Herr Maier am Meer."),
    mail(ALICE, TEAM, "System 1", "Wir nutzen Microsoft Windows."),
    mail(ALICE, TEAM, "System 2", "Microsoft Works und Windows 95."),
    mail("john@mailstore.com", "michael@mailstore.com", "Nachrichten", "Die Rechnung kommt.",
         more="Cc: lisa@mailstore.com\nBcc: customers@mailstore.com\n"),
    mail("michael@mailstore.com", "john@mailstore.com", "Re: Frage", "Kurze Antwort.",
         ("rechnung_2020-01.pdf", "application/pdf", "Rechnung")),
]  # fmt: skip

ORACLES = """
Auto*|8 9
Auto|8
*example.com|4 5 6 7 9
vorname.nachname*|8
Me?er|10 11
"Microsoft Windows"|13
Microsoft Windows|13 14
subject:Nachrichten|15
Nachrichten|1 15
from:john@mailstore.com|15
to:michael@mailstore.com|15
cc:lisa@mailstore.com|15
to:lisa@mailstore.com|
bcc:customers@mailstore.com|15
bcontent:Rechnung|15
acontent:Rechnung|4 5
Rechnung|4 5 15 16
ZDNet -Download-Tipp|1 3
ZDNET -"Daily Update"|2 3
from:ZDNET bcontent:MailStore|2 3
from:versand@example.com acontent:Rechnung|4 5
to:bewerbung@example.com -Bewerbung|6
to:bewerbung@example.com|6 7
from:versand@example.com to:meineadresse@company.tld acontent:Rechnung -subject:Mahnung|4
vorname|8
nachname|8
vorname.nachname|8
zdnet|1 2 3
ZDNET|1 2 3
-from:zdnet subject:Archivierung|
2020|16
ZDNet -*@zdnet.example|
ZDNet -newsletter@zdnet.example|3
ZDNet -newsletter|1 2 3
ZDNet -from:newsletter|3
*|1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
-*|
-kommt subject:gruss|12
-(herr OR frau) subject:gruss|
subject:gruss -(herr meier)|11 12
Meier OR Meyer|10 11
herr Meier OR Frau meyer|10 11
herr (Meier OR meyer)|10
subject:("gruss 1" OR system*)|10 13 14
"gruss *"|10 11 12
"herr * kommt"|10
"herr * * kommt"|
wind*95|
"*soft w*"|13 14
attachment:beleg.txt|4
attachment:*.txt|4 5
acontent:4712|5
*eie*|10
*a?e*|1 8 12 16
gruss and 1|
OR|
--kommt gruss|12
http://zdnet|
()|
-|
SUBJECT:Mahnung|5
bcontent:"microsoft windows"|13
"windows 95|14
„Microsoft Windows“|13
–kommt gruss|12
"""


class Oracles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.corpus = Corpus()
        for m in FIXTURE:
            cls.corpus.add_mail(m)
        cls.corpus.finish()

    def test_the_oracles_of_the_specification(self):
        for line in ORACLES.strip().splitlines():
            query, _, expected = line.rpartition("|")
            with self.subTest(query):
                got = {n + 1 for n in self.corpus.search(query)}
                self.assertEqual(got, set(map(int, expected.split())), query)

    def test_a_question_mark_at_an_edge_is_refused(self):
        for query in ("?eier", "Meie?", "a?.b", '"?eier"'):
            with self.subTest(query), self.assertRaises(QueryError):
                parse(query)

    def test_a_question_mark_before_punctuation_in_quotes_is_punctuation(self):
        self.assertEqual(parse('"what? now?"')[0].parts, ["what", "now"])


def find(texts, query):
    corpus = Corpus()
    for t in texts:
        corpus.add([("bcontent", "", tokenize(t), "")])
    corpus.finish()
    return [texts[n] for n in sorted(corpus.search(query))]


class Words(unittest.TestCase):
    def check(self, texts, query, expected):
        self.assertEqual(find(texts, query), expected, query)

    def test_s1_1_separators_and_folding(self):
        self.assertEqual(tokenize("a.b,c;d-e_f@g/h\\i\0j x\u00ady ﬁ ＡＢ"), list("abcdefghij") + ["xy", "fi", "ab"])
        self.check(["STRASSE", "Straße"], "straße", ["STRASSE", "Straße"])

    def test_s1_2_marks(self):
        mu = ["Müller", "Muller", "Mu\u0308ller", "Mùller"]
        self.check(mu, "Muller", mu)
        self.check(mu, "Müller", ["Müller", "Mu\u0308ller"])
        self.check(["Łódź", "lodz"], "lodz", ["Łódź", "lodz"])
        self.check(["Łódź", "lodz"], "łodz", ["Łódź"])
        self.check(["ёлка", "елка"], "елка", ["ёлка", "елка"])
        self.check(["ёлка", "елка"], "ёлка", ["ёлка"])
        self.check(["й", "и"], "и", ["и"])
        self.check(["سُلام"], "سلام", ["سُلام"])
        self.check(["ǿ"], "o", ["ǿ"])
        self.check(["bör", "bor"], "b?r", ["bör", "bor"])
        self.check(["bör", "borr"], "b?r", ["bör"])
        self.check(["bör", "bör"], "*ö*", ["bör", "bör"])
        self.check(["école", "ecole"], "e*", ["école", "ecole"])
        self.check(["école", "ecole"], "é*", ["école"])

    def test_s1_3_scripts_without_blanks(self):
        texts = ["日本語テスト", "日 本語", "Windows系统", "本日"]
        self.check(texts, "日本", ["日本語テスト", "日 本語"])
        self.check(texts, "Windows系统", ["Windows系统"])
        self.check(texts, "windows", ["Windows系统"])
        self.check(texts, "日?語", ["日本語テスト", "日 本語"])
        self.check(texts, "本*", ["日本語テスト", "日 本語", "本日"])
        with self.assertRaises(QueryError):
            parse("日*語")

    def test_s1_4_long_words(self):
        long = "a" * 200
        self.check([long, long + "b"], long, [long])
        self.check([long, "a" * 64], "a" * 64, ["a" * 64])
        self.check([long], "a*a", [long])

    def test_phrases_stay_within_a_value(self):
        corpus = Corpus()
        corpus.add([("bcontent", "", ["a"], ""), ("bcontent", "", ["b"], "")])
        corpus.add([("bcontent", "", ["a", "b"], "")])
        corpus.finish()
        self.assertEqual(corpus.search('"a b"'), {1})


class MailText(unittest.TestCase):
    def values(self, data, guesses=None):
        return [tuple(v) for v in mail_values(data, guesses).values if v.text.strip()]

    def test_encoded_words(self):
        self.assertEqual(decode_words("=?utf-8?B?w6Q=?= \t=?utf-8?Q?=C3=A4_b?= x"), "ää b x")
        self.assertEqual(decode_words("a =?iso-8859-1*de?q?=FC?= b"), "a ü b")
        self.assertEqual(decode_words("=?utf-8?q?=E6=97?= =?utf-8?b?pQ==?="), "日")
        self.assertEqual(decode_words("=?x?b?w6Q=?="), "ä")

    def test_addresses(self):
        n, a = "name", "address"
        self.assertEqual(address_values('"A, B" <a@x>'), [(n, "A, B"), (a, "a@x")])
        self.assertEqual(address_values("a@x (C (d)), b@y"), [(a, "a@x"), (n, "C (d)"), (a, "b@y")])
        self.assertEqual(address_values("g: a@x, B <b@y>; c@z"), [(n, "g"), (a, "a@x"), (n, "B"), (a, "b@y"), (a, "c@z")])
        self.assertEqual(address_values("<@r,@s:u@v>"), [(a, "u@v")])
        self.assertEqual(address_values("A <a@x> B <b@y>"), [(n, "A B"), (a, "a@x"), (a, "b@y")])
        self.assertEqual(address_values("=?utf-8?q?M=C3=BC,_A?= <m@x>"), [(n, "Mü, A"), (a, "m@x")])
        self.assertEqual(address_values("x@xn--bcher-kva.de"), [(a, "x@xn--bcher-kva.de"), (a, "x@bücher.de")])
        self.assertEqual(address_values("x@Bücher.de"), [(a, "x@Bücher.de"), (a, "x@xn--bcher-kva.de")])
        self.assertEqual(address_values('"a@b" c'), [(n, "a@b c")])

    def test_structure(self):
        data = (
            b"From x\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b \t\n"
            b"Content-Type: message/rfc822\n\n>From y\nSubject: in\nTo: q@r\n\ninner\n--b--\nepi\n--b\nno\n"
        )
        self.assertEqual(
            self.values(data),
            [("subject", "", " s"), ("bcontent", "", "one"), ("acontent", "", " in"), ("acontent", "address", "q@r"), ("acontent", "", "inner")],
        )
        bare = b"Content-Type: multipart/mixed; boundary=b\n\nonly\npre\n"
        self.assertEqual(self.values(bare), [("bcontent", "", "only\npre\n")])
        digest = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: d\n\nx\n--b--"
        self.assertEqual(self.values(digest), [("acontent", "", " d"), ("acontent", "", "x")])
        encoded = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogZQoKYm9keQ==\n"
        self.assertEqual(self.values(encoded), [("acontent", "", " e"), ("acontent", "", "body")])
        cr = b"Subject: a\rX: y\r\rbody\r"
        self.assertEqual(self.values(cr), [("subject", "", " a"), ("bcontent", "", "body\r")])
        inner_first = b"Content-Type: multipart/a; boundary=o\n\n--o\nContent-Type: multipart/b; boundary=i\n\n--i\n\nx\n--o\n\ny\n--o--"
        self.assertEqual(self.values(inner_first), [("bcontent", "", "x"), ("bcontent", "", "y")])

    def test_depth_is_bounded(self):
        data = b"Content-Type: message/rfc822\n\n" * 100 + b"x"
        result = mail_values(data)
        self.assertIn((64, "too deep", ""), result.not_searchable)
        many = b"Content-Type: multipart/a; boundary=o\n\n" + b"--o\n\nx\n" * 12000
        result = mail_values(many)
        self.assertEqual([n for n in result.not_searchable if n[1] == "too many parts"], [(0, "too many parts", "")])

    def test_file_names(self):
        head = b"Content-Type: application/x; name=\"n.doc\"\nContent-Disposition: attachment; filename*0*=utf-8''a%C3%A4; filename*1=\"b\"; filename=n.doc\n\n"
        self.assertEqual(self.values(head), [("attachment", "", "n.doc"), ("attachment", "", "aäb")])

    def test_transfer_and_flowed(self):
        qp = b"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=iso-8859-1\n\nM=FCl=  \nler =zz\n"
        self.assertEqual(self.values(qp), [("bcontent", "", "Müller =zz\n")])
        flowed = b"Content-Type: text/plain; format=flowed; delsp=yes\n\nfoo \nbar\n> a \nb\n-- \nx"
        self.assertEqual(self.values(flowed), [("bcontent", "", "foobar\na\nb\n-- \nx")])

    def test_content_types_written_badly(self):
        parts = b"\n\n--b\n\none\n--b\nContent-Type: a/b; name=a.pdf\n\n\n--b--\n"
        for good in (
            b"multipart/mixed boundary=b", b"multipart/multipart/mixed; boundary=\"b\"", b"multipart; boundary=b", b"multipart/mixed, boundary=b",
            b"multipart/mixed; charset=x boundary=b", b"multipart/mixed; type=\"a/b\" boundary=b", b"multipart/mixed; format flowed boundary=b",
        ):  # fmt: skip
            with self.subTest(good):
                self.assertEqual(self.values(b"Content-Type: " + good + parts), [("bcontent", "", "one"), ("attachment", "", "a.pdf")])
        named = b"Content-Type: a/b name=a q=1 b.pdf size=3; x=y\nContent-Disposition: filename=\"c\" size=4\n\n"
        self.assertEqual(self.values(named), [("attachment", "", "c"), ("attachment", "", "a q=1 b.pdf")])

    def test_boundaries_and_charsets_of_rfc_2231(self):
        parts = b"\n\n--=a b\n\none\n--=a b\nContent-Type: text/plain; charset*=us-ascii'en'utf-7\n\n+BEYlbA-\n--=a b--\n"
        for good in (
            b"boundary*=us-ascii''%3Da%20b", b"boundary*0*=us-ascii'en'%3Da; boundary*1=\" b\"", b"boundary*1*=%20b; boundary*0=\"=a\"; boundary*3=lost",
            b"boundary*=%3Da%20b; boundary*0=x", b"boundary=\"=a b\"; boundary*=x",
        ):  # fmt: skip
            with self.subTest(good):
                self.assertEqual(self.values(b"Content-Type: multipart/mixed; " + good + parts), [("bcontent", "", "one"), ("bcontent", "", "ц╬")])
        for bad in (b"boundary*1=b", b"boundary*0=", b"boundary**=b"):
            self.assertEqual(self.values(b"Content-Type: multipart/mixed; " + bad + b"\n\n--b\n\nx"), [("bcontent", "", "--b\n\nx")])

    def test_base64_in_pieces(self):
        for data, expected in (
            (b"YWI=\nYWI=", b"abab"), (b"YQ==YQ==\n\nYWJj\nYg==\n", b"aaabcb"), (b"YWI=\n____\nYWJj", b"ab"), (b"YWI=\nwords and\n", b"ab"),
            (b"YWI=\nYWJ\n", b"ab"), (b"YQ==\n" + b"YWJj" * 1000, b"a" + b"abc" * 1000), (b"YWJjYQ", b"abca"), (b"YWI==\n=\nYWI=", b"abab"),
        ):  # fmt: skip
            with self.subTest(data[:20]):
                self.assertEqual(transfer_decode(data, b"base64", False), expected)

    def test_by_the_ending_of_the_name(self):
        head = b"Content-Type: application/octet-stream; name=\"%s\"\n\n"
        self.assertEqual(self.values(head % b"a.TXT " + b"x"), [("attachment", "", "a.TXT "), ("acontent", "", "x")])
        self.assertEqual(self.values(head % b"a.htm" + b"<b>x"), [("attachment", "", "a.htm"), ("acontent", "", "x")])
        self.assertEqual(
            self.values(head % b"a.eml" + b"Subject: s\n\nx"), [("attachment", "", "a.eml"), ("acontent", "", " s"), ("acontent", "", "x")]
        )
        self.assertEqual(mail_values(head % b"a.txt.gz").not_searchable, [(0, "type off", "application/octet-stream")])
        self.assertEqual(mail_values(head % b"smime.p7s").not_searchable, [])

    def test_signed_is_not_encrypted(self):
        signed, enveloped = bytes.fromhex("3082065606092a864886f70d010702"), bytes.fromhex("308006092a864886f70d010703")
        for more, body, why in (
            (b"; smime-type=signed-data", b"?", "signed"), (b"", signed, "signed"), (b"", enveloped, "encrypted"), (b"", b"?", "encrypted"),
            (b" smime-type=compressed-data", b"", "type off"), (b"; smime-type=certs-only", signed, None),
        ):  # fmt: skip
            with self.subTest(more):
                found = mail_values(b"Content-Type: application/pkcs7-mime" + more + b"\n\n" + body).not_searchable
                self.assertEqual([reason for _, reason, _ in found], [] if why is None else [why])

    def test_guesses_are_taken_from_the_record(self):
        data = b"Subject: \xef\xf0\xe8\n\n\xef\xf0\xe8\n"
        self.assertEqual(self.values(data, {0: "windows-1251", 1: "koi8-r"}), [("subject", "", " при"), ("bcontent", "", "ОПХ\n")])
        self.assertEqual(mail_values(data).unknown_guesses, [0, 1])

    def test_odd_headers(self):
        for head, expected in (
            (b"\n\n>From: A <a@x>\n\n", [("from", "name", "A"), ("from", "address", "a@x")]),
            (b"\nFrom x\n\nFrom: a at x.org (A)\n\n", [("from", "address", "a@x.org"), ("from", "name", "A")]),
            (b"From: Smith, J <mailto:a@x?b>\n\n", [("from", "name", "Smith, J"), ("from", "address", "a@x")]),
            (b"To: =?utf-8?q?J_<a@x>?=\n\n", [("to", "name", "J"), ("to", "address", "a@x")]),
            (b"Subject:=?utf-8?q?a?b?_?=\tc\n\n", [("subject", "", "a?b?  c")]),
            (b"Subject:=?utf-8?q?=C3=BC=C3\n\n", [("subject", "", "\u00fc")]),
            (b"Subject:=?iso-2022-jp?q?=1B$B2q=1B(B?= =?iso-2022-jp?q?=1B$B5D=1B(B?=\n\n", [("subject", "", "\u4f1a\u8b70")]),
            (b"Subject:=?viscii?q?=D6?=\n\n", [("subject", "", "=?viscii?q?=D6?=")]),
            (b"Content-Disposition: x; filename=a%C3%BC\n\n", [("attachment", "", "a%C3%BC"), ("attachment", "", "a\u00fc")]),
            (b"Content-Disposition: x; filename*1=a; filename*2=b\n\n", [("attachment", "", "ab")]),
        ):
            with self.subTest(head):
                self.assertEqual([v for v in self.values(head) if v[2]], expected)

    def test_labels(self):
        for label, data, text in (
            ("cp-850", b"\x9aber", "\u00dcber"),
            ("x-mac-ce", b"\xeblu", "\u017dlu"),
            ("hz", b"~{;aRi~}~~", "\u4f1a\u8bae~"),
            ("iso2022-kr", b"\x1b$)C\x0e>H3g\x0f", "\uc548\ub155"),
            ("iso-2022-jp", b"\x1b$B2q\n\x1b$B5D\x1b(Ba", "\u4f1a\n\u8b70a"),
            ("utf-32", b"\xff\xfe\0\0a\0\0\0", "a"),
            ("65001", b"\xc3\xbc", "\u00fc"),
            ("iso_8859_1", b"\xfc", "\u00fc"),
            ("koi8-r", "\u00dcber".encode(), "\u00dcber"),
            ("tis-620", b"\xe1\xb4\xa7", "\u0e41\u0e14\u0e07"),
            ("utf-8", b"K\xf6ln", "K\u00f6ln"),
            ("utf-8", b"\xc3\xbc\xff", "\u00fc\ufffd"),
            ("gb2312", "\u4f1a\u8bae\u7684".encode(), "\u4f1a\u8bae\u7684"),
        ):
            with self.subTest(label):
                guess = lambda: "utf-8" if charset.is_utf8(data) else "windows-1252"
                self.assertEqual(charset.decode_text(data, label, guess), (text, None))
        self.assertEqual(charset.decode_text(b"\xd6", "cp037", None), ("", "cp037"))

    def test_charsets(self):
        for name, text in (("gb18030", "中文€𠀀"), ("euc-jp", "日本ｶﾅ"), ("big5", "中文測試"), ("shift_jis", "日本ｶﾅ"), ("iso-2022-jp", "日本語"), ("koi8-r", "привет")):
            self.assertEqual(charset.decode(name, text.encode(name)), text)
        self.assertEqual(charset.decode("iso-2022-jp", "日".encode("iso-2022-jp") + "本".encode("iso-2022-jp")), "日本")
        self.assertEqual(charset.decode("euc-kr", "한글똠".encode("cp949")), "한글똠")
        self.assertEqual(charset.decode("gbk", b"\x80a\xffb\x81"), "€a\ufffdb\ufffd")
        self.assertEqual(charset.decode("utf-7", b"a+AOQ-b+-c"), "aäb+c")
        self.assertEqual(charset.decode("utf-16le", b"a\0b\0\0\xd8"), "ab\ufffd")


class Html(unittest.TestCase):
    def test_html(self):
        for html, text, values in (
            ("a<!-- -- > -->b", "ab", []),
            ("a<!-->b", "ab", []),
            ("<b>bo</b>ld<p>x", "bold\nx", []),
            ("a&amp;b&nbsp;c&#x80;&notit;&copy2", "a&b\xa0c€¬it;©2", []),
            ("<script>x</script>y<style>z</style>w", "yw", []),
            ("<script><!--<script></script>x--></script>y", "y", []),
            ("<title>a&lt;<b></title>b", "\na<<b>\nb", []),
            ("<img alt='A b' title=\"&copy=x\"><a alt=1 ALT=2>", "\n", ["A b", "&copy=x", "1"]),
            ("<template><p title=x>no</template>y", "y", []),
            ("a<b", "a", []),
            ("a</", "a</", []),
            ("1 < 2 </> <?x> <!doctype a>", "1 < 2   ", []),
            ("<![CDATA[x]]>y", "y", []),
            ("a<br/>b<wbr>c", "a\nbc", []),
            ("<plaintext>a<b>", "\na<b>", []),
            ("&#0;&#xD800;&#1114112;", "\ufffd\ufffd\ufffd", []),
        ):
            with self.subTest(html):
                self.assertEqual(html_text(html), (text, values))


if __name__ == "__main__":
    # Imported only where they are to run with these.
    from selftest_answers import Answers, Facts, Judges, Language, Periods, Switches  # noqa: F401

    unittest.main()
