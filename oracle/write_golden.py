"""Writes the golden archives of this format with a release of the command: run once when the format is frozen, and never changed
afterwards.

write_golden.py MAILKEEP DIR     (DIR is archive-core/tests/golden; existing archives stay as they are)

Each archive is a folder with `archive/`, `archive.key` and `vectors.json`: its mails, and broken copies of it with what the command
reports about them: mails that no longer come back, the code of the error that bars new mail, and whether anything is found.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PASSPHRASE = "correct horse"


def mails(count, seed):
    """Mails of the kinds that are stored differently in containers: plain, with parts in base64, with a part that several share, with odd bytes."""
    drawn = random.Random(seed)
    words = "archive winter letter kitchen invoice river meeting garden station paper window answer".split()
    shared = base64.encodebytes(random.Random(7).randbytes(3000)).decode()
    out = []
    for n in range(count):
        text = " ".join(drawn.choice(words) for _ in range(60))
        head = f"From: Anna {n % 5} <anna{n % 5}@example.org>\nTo: bob@example.org\nSubject: {drawn.choice(words)} {n}\nMessage-ID: <{seed}.{n}@example.org>\n"
        head += f"Date: {1 + n % 28} Feb 2014 10:{n % 60:02}:00 +0100\n"
        if n % 4 == 1:
            own = base64.encodebytes(drawn.randbytes(1500 + 7 * n)).decode()
            data = shared if n % 8 == 1 else own
            body = f'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\n{text}\n--b\nContent-Type: application/pdf; name="a{n}.pdf"\nContent-Transfer-Encoding: base64\n\n{data}--b--\n'
        elif n % 4 == 2:
            body = f"Status: RO\n\n{text}\nGrüße, größer als √2\n"
        else:
            body = f"\n{text}\n"
        out.append((head + body).encode())
    return out


def mbox(mails):
    return b"".join(b"From a@example.org Sat Feb  1 10:00:00 2014\n" + mail + b"\n" for mail in mails)


class Command:
    def __init__(self, mailkeep, archive, key):
        self.begin = [mailkeep, "-q", "-a", archive, "--key-file", key]

    def run(self, *args, check=True, **more):
        done = subprocess.run([*self.begin, *args], capture_output=True, **more)
        if check and done.returncode not in (0, 1):
            sys.exit(f"{args}: {done.stderr.decode()}")
        return done

    def lines(self, *args):
        return [json.loads(line) for line in self.run("--json", *args).stdout.splitlines()]


def create(mailkeep, root):
    os.makedirs(root)
    archive, key = os.path.join(root, "archive"), os.path.join(root, "archive.key")
    secret = os.path.join(root, "passphrase")
    with open(secret, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(PASSPHRASE)
    command = Command(mailkeep, archive, key)
    command.run("--passphrase-file", secret, "init", archive, "--owner", "anna", "--recovery-key-file", os.path.join(root, "recovery.txt"))
    os.remove(secret)
    return archive, command


def sound(mailkeep, root):
    archive, command = create(mailkeep, root)
    command.run("import", "-", "--into", "anna/Inbox", input=mbox(mails(40, 1)))
    command.run("import", "-", "--into", "anna/Sent", "--commit", "each", input=mbox(mails(8, 2)))
    # The same mail in a second folder, and an import of nothing new.
    command.run("import", "-", "--into", "bob", input=mbox(mails(3, 1)))
    command.run("import", "-", "--into", "bob", input=mbox(mails(3, 1)))
    return archive, command


def killed(mailkeep, root):
    """Closed once, then killed while single mails arrived, each with a receipt: some are only in the records, and no cache knows
    them."""
    archive, command = create(mailkeep, root)
    command.run("import", "-", "--into", "anna/Inbox", input=mbox(mails(20, 3)))
    receipts = os.path.join(root, "receipts")
    args = [*command.begin, "import", "-", "--into", "anna/Sent", "--commit", "each", "--receipts", receipts]
    writer = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    writer.stdin.write(mbox(mails(60, 4)) + b" " * 200_000)
    writer.stdin.flush()
    while not os.path.exists(receipts) or len(open(receipts, "rb").read().splitlines()) < 12:
        time.sleep(0.05)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    os.remove(receipts)
    return archive, command


def listed(command):
    """The mails of the archive, by their bytes."""
    out = []
    for line in command.lines("search", "*"):
        if line.get("event") != "hit":
            continue
        record = command.lines("show", "--record", line["id"])[0]
        raw = command.run("show", "--raw", line["id"]).stdout
        out.append({"id": line["id"], "folder": record["folder"], "number": record["number_in_folder"], "size": len(raw),
                    "digest": hashlib.sha256(raw).hexdigest()})  # fmt: skip
    return sorted(out, key=lambda mail: int(mail["id"].split(":")[1]))


def cases(archive):
    """Each file harmed in several ways."""
    out = []
    for folder, _, names in os.walk(archive):
        for name in sorted(names):
            file = os.path.relpath(os.path.join(folder, name), archive)
            if name in ("FORMAT.md", "write.lock") or name.endswith(".2"):
                continue
            size = os.path.getsize(os.path.join(archive, file))
            out.append({"name": f"{file}: a byte in the middle", "file": file, "at": size // 2, "xor": 32})
            out.append({"name": f"{file}: a byte of the header", "file": file, "at": 20, "xor": 32})
            out.append({"name": f"{file}: the end zeroed", "file": file, "zero": 100})
            out.append({"name": f"{file}: cut", "file": file, "cut": size - size // 3})
            out.append({"name": f"{file}: gone", "file": file, "remove": True})
    return sorted(out, key=lambda case: case["name"])


def harm(path, case):
    if case.get("remove"):
        return os.remove(path)
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        if "cut" in case:
            del data[case["cut"] :]
        elif "zero" in case:
            data[-case["zero"] :] = bytes(case["zero"])
        else:
            data[case["at"]] ^= case["xor"]
        f.seek(0)
        f.truncate()
        f.write(data)


def judged(mailkeep, archive, key, said, case):
    """What the command reports about a copy damaged as in `case`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "archive")
        shutil.copytree(archive, copy)
        harm(os.path.join(copy, case["file"]), case)
        command = Command(mailkeep, copy, key)
        first = command.run("--json", "verify")
        lost = []
        for mail in said:
            raw = command.run("show", "--raw", mail["id"], check=False)
            if raw.returncode != 0 or hashlib.sha256(raw.stdout).hexdigest() != mail["digest"]:
                lost.append(mail["id"])
        barred = command.run("--json", "import", "-", "--into", "anna/New", input=b"Subject: new\n\nnew\n", check=False)
        error = [json.loads(line) for line in barred.stderr.splitlines() + barred.stdout.splitlines() if b'"error"' in line]
        code = error[0]["error"]["code"] if error else None
        return {**case, "lost": lost, "barred": code, "found": first.returncode == 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mailkeep")
    parser.add_argument("dir")
    args = parser.parse_args()
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()
    for make in (sound, killed):
        root = os.path.join(args.dir, f"format-2-{make.__name__}")
        if os.path.exists(root):
            continue
        archive, command = make(args.mailkeep, root)
        with tempfile.TemporaryDirectory() as folder:
            # An open changes what a kill left.
            copy = os.path.join(folder, "archive")
            shutil.copytree(archive, copy)
            said = listed(Command(args.mailkeep, copy, command.begin[-1]))
        with open(os.path.join(root, "recovery.txt"), encoding="utf-8") as f:
            recovery = f.read().split()[-1]
        os.remove(os.path.join(root, "recovery.txt"))
        broken = [judged(args.mailkeep, archive, command.begin[-1], said, case) for case in cases(archive)] if make is sound else []
        value = {"keys": {"passphrase": PASSPHRASE, "recovery_key": recovery}, "erased": [], "mails": said, "broken": broken}
        with open(os.path.join(root, "vectors.json"), "w", encoding="utf-8") as out:
            json.dump(value, out, indent=1, ensure_ascii=False)
            out.write("\n")
        print(f"{root}: {len(said)} mails, {len(broken)} broken copies")


if __name__ == "__main__":
    main()
