"""Runs the command `mailkeep` for the judges, with a separate user configuration and JSON lines."""

import json
import os
import subprocess
import tempfile


class Mailkeep:
    def __init__(self, binary, archive, key_file=None):
        self.binary = os.path.abspath(binary)
        self.archive = os.path.abspath(archive)
        # Keys of archives that the judges create are stored beside the archive, never in the user's configuration.
        self.config = os.environ.get("XDG_CONFIG_HOME") or self.archive + ".config"
        self.env = dict(os.environ, XDG_CONFIG_HOME=self.config, NO_COLOR="1")
        self.key = ["--key-file", key_file] if key_file else []

    def run(self, *args, archive=True, stdin=None, allow=(0,)):
        head = ["-a", self.archive] if archive else []
        done = subprocess.run(
            [self.binary, *head, *self.key, *args], input=stdin, capture_output=True, env=self.env
        )
        if done.returncode not in allow:
            # With --json errors go to standard output.
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"{args}: exit {done.returncode}\n{said[-2000:]}")
        return done

    def found_key_file(self):
        """The key file that the command keeps for this archive."""
        status = self.run("--json", "key", "status").stdout.splitlines()
        name = json.loads(status[-1])["archive"]
        return os.path.join(self.config, "mailkeep", "keys", name + ".key")

    def lines(self, *args, allow=(0,)):
        done = self.run("--json", *args, allow=allow)
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def make(self, sources, into=None, receipts=None, allow=(0, 1), stores=False):
        """Creates the archive and imports sources, one run each, and each into a store of its own if asked for. Returns the summaries by source."""
        os.makedirs(self.config, mode=0o700, exist_ok=True)
        if not os.path.exists(os.path.join(self.archive, "archive.mk")):
            recovery = self.archive + ".recovery"
            if os.path.exists(recovery):
                os.remove(recovery)
            self.run("init", self.archive, "--owner", "judge", "--recovery-key-file", recovery, archive=False)
        out = {}
        for at, source in enumerate(sources):
            if stores and at:
                self.run("store", "new", f"store {at + 1}")
            more = (["--into", into] if into else []) + (["--receipts", receipts] if receipts else [])
            events = self.lines("import", source, *more, allow=allow)
            out[source] = events[-1]
        return out

    def export(self, folder=None):
        """Exports all as EML; the manifest's entries with 'path' as the full path of each file."""
        dest = tempfile.mkdtemp(prefix="mailkeep-export-")
        self.run("export", dest, "--format", "eml", "--manifest", allow=(0, 1))
        entries = []
        with open(os.path.join(dest, "MANIFEST.jsonl"), encoding="utf-8") as f:
            for line in f:
                entry = json.loads(line)
                entry["path"] = os.path.join(dest, entry["file"])
                entries.append(entry)
        entries.sort(key=lambda e: number(e["id"]))
        return dest, entries

    def search(self, query):
        """(hits, summary) of a query, or (None, error)."""
        done = self.run("--json", "search", "--", query, allow=(0, 1, 2, 3))
        events = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        errors = [e for e in events if "error" in e]
        for line in done.stderr.splitlines():
            if line.startswith(b"{"):
                event = json.loads(line)
                if "error" in event:
                    errors.append(event)
                elif event.get("event") == "summary":
                    events.append(event)
        if errors or done.returncode not in (0, 1):
            return None, errors or done.stderr.decode("utf-8", "replace")
        summary = next((e for e in reversed(events) if e.get("event") == "summary"), {})
        return [e for e in events if e.get("event") == "hit"], summary


def number(identifier):
    """'3:10251' -> (3, 10251)."""
    store, message = identifier.split(":")
    return int(store), int(message)
