#!/usr/bin/env python3
"""Writes an mbox of 40 mails with attachments, for the example."""

import email.message
import email.policy
import sys

for number in range(40):
    mail = email.message.EmailMessage(policy=email.policy.SMTP.clone(linesep="\n"))
    mail["From"] = "Anna Müller <anna@example.org>"
    mail["To"] = "bert@example.com"
    mail["Subject"] = f"Rechnung café {number}"
    mail["Date"] = f"Mon, 06 Jan 2020 10:00:{number:02} +0000"
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content(f"zahl{number} invoice привет\n")
    data = bytes(number * at % 251 for at in range(1000 + number))
    mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=f"data {number}.bin")
    mail.set_boundary(f"border-{number}")
    sys.stdout.buffer.write(b"From anna@example.org Mon Jan  6 10:00:00 2020\n" + mail.as_bytes() + b"\n")
