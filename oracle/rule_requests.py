"""Requests with hand-made answers, some for each rule, most for S2.6, S3 and S4 (requests-by-rule.jsonl), put to the library's runner.

rule_requests.py MAILKEEP ASK    Exit 1 on any difference.

A line is {"rule", "request", and what is expected: "found" (names of mails, in order), "undecided", "counts", "notices" (whether
there is one), or "error"}. selftest.py runs the same on the scan.
"""

import argparse
import json
import os
import sys
import tempfile

from command import Mailkeep

HERE = os.path.dirname(os.path.abspath(__file__))
TEAM = "To: team@x.example\n"
SMIME = "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n"


def mail(sender, subject, date, more=TEAM, body="some text", size=None):
    head = f"From: {sender}\nSubject: {subject}\nDate: {date}\n{more}"
    if "Content-Type" not in head:
        head += "Content-Type: text/plain; charset=utf-8\n"
    data = f"{head}\n{body}\n".encode()
    return data if size is None else data + b"x" * (size - len(data) - 1) + b"\n"


LATIN_1 = "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<b>ca</b>f=E9<p>some text"


def with_file(kind, name, text, body="\nsome text"):
    return (
        'Content-Type: multipart/mixed; boundary="b"\n',
        f'--b\n{body}\n--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename="{name}"\n\n{text}\n--b--',
    )


def mails():
    """(name, folder, bytes) in the order of their import: g first, so that the order by archiving is not that by date."""
    pdf, pdf_body = with_file("application/PDF", "bill.pdf", "binary", LATIN_1)
    txt, txt_body = with_file("text/plain", "n.txt", "secretword")
    e = mail("Zoe <zoe@x.example>", "apple", "Tue, 1 Jun 2021 10:00:00 +0000")
    a_more = "To: Bob <bob@y.example>\nMessage-ID: <One@x.example>\nList-Id: Talk <talk.x.example>\n"
    return [
        ("g", "anna/Inbox", mail("Carl <carl@z.example>", "cipher two", "Fri, 6 May 2022 09:00:00 +0000", TEAM + SMIME, "AAAA")),
        ("a", "anna/Inbox", mail("Zoe <zoe@x.example>", "apple", "Wed, 1 Jan 2020 00:30:00 +0100", a_more, size=2048)),
        ("b", "anna/Inbox/Sub dir", mail("adam@x.example", "Banana", "Wed, 15 Jan 2020 12:00:00 GMT",
                                         "To: zoe@x.example\nX-Priority: 1 (Highest)\n" + pdf, pdf_body, 2049)),
        ("c", "anna/Inbox/Sub dir", mail("=?utf-8?q?=C3=89mile?= <emile@y.example>", "=?utf-8?q?=C3=84pfel?=",
                                         "Sat, 29 Feb 2020 23:59:59 +0000", "Cc: Bob <bob@y.example>\n",
                                         "Windows系统 日本\n語テスト " + "y" * 70)),
        ("d", "bob/Ärger", mail("Bob <bob@y.example>", "", "Sun, 1 Mar 2020 00:00:00 +0000", TEAM + txt, txt_body)),
        ("e1", "anna/Inbox", e),
        ("e2", "bob/Ärger", e),
        ("f", "bob/Inbox", mail("Carl <carl@z.example>", "cipher", "Thu, 5 May 2022 10:00:00 +0000", TEAM + SMIME, "AAAB")),
    ]  # fmt: skip


def cases():
    with open(os.path.join(HERE, "requests-by-rule.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def problems(case, answer, names):
    """What an answer has that the case does not expect; `names` by id."""
    if "error" in case:
        code = (answer.get("error") or {}).get("code") if isinstance(answer.get("error"), dict) else answer.get("error")
        return [] if "error" in answer and case["error"] in ("", code) else [f"expected the error {case['error']!r}, got {answer}"]
    if "error" in answer:
        return [f"refused: {answer}"]
    out = []
    got = {**answer, **(answer.get("coverage") or {}), "found": [names.get(i, i) for i in answer["ids"]]}
    got["counts"] = answer.get("counts")
    for key in ("found", "undecided", "counts"):
        if key in case and case[key] != got.get(key):
            out.append(f"{key}: expected {case[key]}, got {got.get(key)}")
    # The scan returns no notices.
    if "notices" in case and case["notices"] != bool(answer.get("notices")) and "notices" in answer:
        out.append(f"notices {answer['notices']}")
    if "limit" not in case["request"] and answer["total"] != len(case["found"]):
        out.append(f"total {answer['total']}")
    return out


def main():
    from judge import Runner

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailkeep")
    parser.add_argument("ask")
    args = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="mailkeep-rules-") as place:
        keep = Mailkeep(args.mailkeep, os.path.join(place, "archive"))
        keep.make([])
        names = {}
        for name, folder, data in mails():
            path, receipts = os.path.join(place, name + ".eml"), os.path.join(place, "receipts")
            with open(path, "wb") as f:
                f.write(data)
            keep.run("import", path, "--into", folder, "--receipts", receipts)
            with open(receipts, encoding="utf-8") as f:
                names[json.loads(f.readline())["id"]] = name
        runner = Runner(args.ask, keep.archive, keep.found_key_file())
        for case in cases():
            found = problems(case, runner.ask(case["request"]), names)
            if found:
                bad += 1
                print(f"DIFFERENCE {case['rule']} {json.dumps(case['request'], ensure_ascii=False)}\n  " + "\n  ".join(found))
        runner.close()
    print(f"{len(cases())} requests with hand-made answers: {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
