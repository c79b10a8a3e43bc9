"""Is a new version of the command slower than an old one? Whole commands of both on the same mails, in turn, by processor time.

no_worse.py OLD NEW --corpora DIR [--runs 10] [--tasks import,verify,export,open,read,search]

OLD and NEW are programs `mailkeep` of two commits, each built with --release in a target folder of its own. The mails are LIST: `lists/` of the
corpora without `20news` and `3gpp-listserv`. Prints of each task the least and the median of the runs, in seconds, and their ratios. Exit 1 where
the ratio of the least times is above 1.05.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

LEFT_OUT = ("20news", "3gpp-listserv")
LIMIT = 1.05


class Version:
    """A program with its archives, keys and state below a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder, self.archive = program, folder, None
        self.env = dict(os.environ, XDG_CONFIG_HOME=f"{folder}/config", XDG_STATE_HOME=f"{folder}/state")
        os.makedirs(self.env["XDG_CONFIG_HOME"])

    def run(self, *arguments):
        """Processor seconds of a command."""
        process = subprocess.Popen([self.program, *arguments], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status) not in (0, 1):
            sys.exit(f"{self.program} {' '.join(arguments)}: {said.decode(errors='replace')}")
        return usage.ru_utime + usage.ru_stime

    def on_archive(self, *arguments):
        return self.run("-q", "-a", self.archive, *arguments)

    def task(self, name, number, mails):
        if name == "import":
            made = f"{self.folder}/archive-{number}"
            self.run("init", made, "--owner", "anna", "--recovery-key-file", f"{made}.recovery")
            if self.archive:
                shutil.rmtree(self.archive)
            self.archive = made
            return self.on_archive("import", *mails)
        if name == "export":
            taken = self.on_archive("export", "--format", "mbox", f"{self.folder}/out")
            shutil.rmtree(f"{self.folder}/out")
            return taken
        if name == "verify":
            return self.on_archive("verify")
        if name == "open":
            return sum(self.on_archive("ls") for _ in range(10))
        if name == "read":
            return sum(self.on_archive("show", "--raw", f"1:{number * 211}") for number in range(1, 21))
        if name == "search":
            return sum(self.on_archive("search", "--limit", "50", "kernel") for _ in range(10))
        sys.exit(f"no task {name}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("old")
    arguments.add_argument("new")
    arguments.add_argument("--corpora", required=True)
    arguments.add_argument("--runs", type=int, default=10)
    arguments.add_argument("--tasks", default="import,verify,export,open,read,search")
    given = arguments.parse_args()
    lists = os.path.join(given.corpora, "lists")
    mails = [os.path.join(lists, name) for name in sorted(os.listdir(lists)) if name not in LEFT_OUT]
    tasks = given.tasks.split(",")
    if tasks[0] != "import":
        arguments.error("the first task is import, which makes the archives of the others")
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        versions = {name: Version(os.path.abspath(program), f"{folder}/{name}") for name, program in (("old", given.old), ("new", given.new))}
        for run in range(given.runs):
            for task in tasks:
                for name in ("old", "new") if run % 2 else ("new", "old"):
                    times.setdefault((task, name), []).append(versions[name].task(task, run, mails))
    worse = False
    print("| task | old, least | new, least | ratio | ratio of medians |\n|---|---:|---:|---:|---:|")
    for task in tasks:
        old, new = sorted(times[task, "old"]), sorted(times[task, "new"])
        ratio, middle = new[0] / old[0], len(old) // 2
        worse |= ratio > LIMIT
        print(f"| {task} | {old[0]:.3f} | {new[0]:.3f} | {ratio:.3f} | {new[middle] / old[middle]:.3f} |")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
