"""The library embedded: open or create an archive, import a mailbox, search it, save an attachment.

python examples/embed.py ARCHIVE MBOX QUERY
"""

import pathlib
import sys

import mailkeep


def show(step: mailkeep.Step) -> None:
    print(f"\r{step.activity}: {step.done} of {step.total or 0} {step.unit}", end="", file=sys.stderr)


def open_or_create(path: str) -> mailkeep.Archive:
    key_file = pathlib.Path(f"{path}.key")
    if key_file.exists():
        return mailkeep.open(path, mailkeep.Key.file(key_file.read_text(encoding="utf-8")))
    # Nothing is on disk before `commit`: first its keys are kept.
    with mailkeep.create(path, "anna") as new:
        print(f"keep this safe: {new.recovery_key}", file=sys.stderr)
        key_file.write_text(new.key_file or "", encoding="utf-8")
        return new.commit()


def main(path: str, mbox: str, query: str) -> None:
    with open_or_create(path) as archive:
        session = archive.session()

        report = session.import_(mbox, progress=show)
        print(file=sys.stderr)
        print(f"read {report.read} = stored {report.stored} + duplicate {report.duplicate} + failed {report.failed}")

        found = session.search(query, limit=10)
        print(f"{len(found.hits)} of {found.total} hits")
        for hit in found:
            print(hit.id, hit.folder, hit.size, hit.subject, sep="\t")

        with_attachment = next((hit for hit in found if hit.attachments), None)
        if with_attachment is not None:
            part = next(iter(session.parts(with_attachment.id).attachments))
            data = session.part(with_attachment.id, part.number)
            pathlib.Path(f"{path}.attachment").write_bytes(data)
            print(f"saved {part.name or 'an attachment'} of {with_attachment.id}, {part.type}, {len(data)} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: embed.py ARCHIVE MBOX QUERY")
    main(*sys.argv[1:])
