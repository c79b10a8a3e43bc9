"""Writes the mails that queries-by-rule.txt asks about: python3.11 oracle/rule_mails.py DIR, then compare.py ... DIR --query-file."""

import os
import sys

from selftest import FIXTURE

MAILS = {
    'addr1': (
        'From: a@b.example\nTo: c@d.example\nSubject: addr1\nCc: Müller <müller@bücher.example>, "Quoted, Name" <q@n.example>, grp: g@h.example;\nContent-Type: text/plain; charset=utf-8\n\nx\n'
    ),
    'addr2': (
        'From: a@b.example\nTo: c@d.example\nSubject: addr2\nBcc: Muller <muller@xn--bcher-kva.example>\nContent-Type: text/plain; charset=utf-8\n\nx\n'
    ),
    'arab': (
        'From: a@b.example\nTo: c@d.example\nSubject: arab\nContent-Type: text/plain; charset=utf-8\n\nسُلام سلام أحمد احمد\n'
    ),
    'badct': (
        'From: a@b.example\nTo: c@d.example\nSubject: badct\nContent-Transfer-Encoding: quoted-printable\nContent-Type: plain; charset=iso-8859-1\n\ncaf=E9 Äpfel\n'
    ),
    'bopo': (
        'From: a@b.example\nTo: c@d.example\nSubject: bopo\nContent-Type: text/plain; charset=utf-8\n\nㄅㄆ ㄇ\n'
    ),
    'cyr': (
        'From: a@b.example\nTo: c@d.example\nSubject: cyr\nContent-Type: text/plain; charset=utf-8\n\nёлка елка йод иод\n'
    ),
    'deva': (
        'From: a@b.example\nTo: c@d.example\nSubject: deva\nContent-Type: text/plain; charset=utf-8\n\nहिन्दी कि क\n'
    ),
    'emptynest': (
        'From: a@b.example\nTo: c@d.example\nSubject: emptynest\nContent-Type: message/rfc822\n\n\n'
    ),
    'han': (
        'From: a@b.example\nTo: c@d.example\nSubject: han\nContent-Type: text/plain; charset=utf-8\n\n日本語テスト Windows系统 々々 〇 한국어 ㈱ ｶﾀｶﾅ\n'
    ),
    'hebrew': (
        'From: a@b.example\nTo: c@d.example\nSubject: hebrew\nContent-Type: text/plain; charset=utf-8\n\nשָׁלוֹם שלום\n'
    ),
    'html1': (
        'From: a@b.example\nTo: c@d.example\nSubject: html1\nContent-Type: text/html; charset=utf-8\n\n<p>a<b>b</b>c&nbsp;d<br>e<!-- x -->f<img alt="alt text" title=tt>g<script>no</script></p><template>tpl</template><title>t&eacute;</title>\n'
    ),
    'ids': (
        'From: a@b.example\nTo: c@d.example\nSubject: ids\nContent-Type: text/plain; charset=utf-8\n\nfoo_bar foo-bar foo.bar foobar\n'
    ),
    'kana': (
        'From: a@b.example\nTo: c@d.example\nSubject: kana\nContent-Type: text/plain; charset=utf-8\n\nがぎ ぱ か゛\n'
    ),
    'long1': (
        'From: a@b.example\nTo: c@d.example\nSubject: long1\nContent-Type: text/plain; charset=utf-8\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxqrs end\n'
    ),
    'long2': (
        'From: a@b.example\nTo: c@d.example\nSubject: long2\nContent-Type: text/plain; charset=utf-8\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n'
    ),
    'long3': (
        'From: a@b.example\nTo: c@d.example\nSubject: long3\nContent-Type: text/plain; charset=utf-8\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxéyz\n'
    ),
    'long4': (
        'From: a@b.example\nTo: c@d.example\nSubject: long4\nContent-Type: text/plain; charset=utf-8\n\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxjxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxw\n'
    ),
    'marks': (
        'From: a@b.example\nTo: c@d.example\nSubject: marks\nContent-Type: text/plain; charset=utf-8\n\ńx ́ 1́ а́б\n'
    ),
    'multi': (
        'From: a@b.example\nTo: c@d.example\nSubject: multi\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\none two\n--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename="a b-c.txt"\n\nthree\n--x--\n'
    ),
    'nfkc': (
        'From: a@b.example\nTo: c@d.example\nSubject: nfkc\nContent-Type: text/plain; charset=utf-8\n\nﬁle ＡＢＣ① Ⅷ x²  a\xadb K\u200bL straße STRASSE ŀ ŉ\n'
    ),
    'star': (
        'From: a@b.example\nTo: c@d.example\nSubject: star\nContent-Type: text/plain; charset=utf-8\n\na*b a?b\n'
    ),
    'thai': (
        'From: a@b.example\nTo: c@d.example\nSubject: thai\nContent-Type: text/plain; charset=utf-8\n\nภาษาไทยกินข้าว\n'
    ),
    'thai2': (
        'From: a@b.example\nTo: c@d.example\nSubject: thai2\nContent-Type: text/plain; charset=utf-8\n\nกน ข\n'
    ),
    'turk': (
        'From: a@b.example\nTo: c@d.example\nSubject: turk\nContent-Type: text/plain; charset=utf-8\n\nİstanbul ISTANBUL ıstanbul istanbul\n'
    ),
    'vs': (
        'From: a@b.example\nTo: c@d.example\nSubject: vs\nContent-Type: text/plain; charset=utf-8\n\n❤️a 1️⃣ 葛󠄀城 ᄒ\n'
    ),
    'greek': (
        'From: a@b.example\nTo: c@d.example\nSubject: greek\nContent-Type: text/plain; charset=utf-8\n\nΚαλημέρα καλημερα ΚΑΛΗΜΕΡΑ άνθρωπος ανθρωπος ὁδός οδος σοφός Ωδή ωδη ϊ ΐ\n'
    ),
    'hebrew2': (
        'From: a@b.example\nTo: c@d.example\nSubject: hebrew2\nContent-Type: text/plain; charset=utf-8\n\nספר2020 לַשָּׁנָה הבאה\nבירושלים word שלוםabc\n'
    ),
    'arab2': (
        'From: a@b.example\nTo: c@d.example\nSubject: arab2\nContent-Type: text/plain; charset=utf-8\n\nكِتَابٌ كتاب 2024كتاب الكتاب\nالكبير مكتبة abcكتب ٣٤ 34\n'
    ),
    'lao': (
        'From: a@b.example\nTo: c@d.example\nSubject: lao\nContent-Type: text/plain; charset=utf-8\n\nພາສາລາວ ສະບາຍດີ ກິນເຂົ້າ abcລາວ ລາວ12\nດີ\n'
    ),
    'khmer': (
        'From: a@b.example\nTo: c@d.example\nSubject: khmer\nContent-Type: text/plain; charset=utf-8\n\nភាសាខ្មែរ សួស្តី ខ្មែរabc 12ខ្មែរ\nភាសា\n'
    ),
    'myanmar': (
        'From: a@b.example\nTo: c@d.example\nSubject: myanmar\nContent-Type: text/plain; charset=utf-8\n\nမြန်မာစာ abcမြန်မာ\n'
    ),
    'thai3': (
        'From: a@b.example\nTo: c@d.example\nSubject: thai3\nContent-Type: text/plain; charset=utf-8\n\nWindowsภาษาไทย ไทย2020 สวัสดี\nครับ น้ำ น ํ า\n'
    ),
}  # fmt: skip


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    mails = {f"f{i + 1:02}": mail for i, mail in enumerate(FIXTURE)} | {name: text.encode() for name, text in MAILS.items()}
    for name, mail in mails.items():
        with open(os.path.join(folder, name + ".eml"), "wb") as f:
            f.write(mail)


if __name__ == "__main__":
    main()
