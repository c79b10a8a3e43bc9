"""What the C ABI, C# and Python cost: the same tasks in each, interleaved, processor time, least of the runs.

cost.py WORK MBOX [--runs N]

Builds nothing: run bindings/c/test --release, bindings/dotnet/test and bindings/python/test first. WORK is made and kept.
Tasks: `list` reads all messages by pages of 1,000, `search` answers 10,000 requests of 50 hits, `import` imports MBOX into a new archive.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = ROOT / "target/release"
DOTNET = ROOT / "target/dotnet"
ENVIRONMENT = {**os.environ, "LD_LIBRARY_PATH": str(LIBRARY), "MONO_PATH": str(DOTNET / "tools/mono-devel/usr/lib/mono/4.5/Facades")}


def build(work):
    """The program of each language, as the words that run it."""
    link = LIBRARY / "libmailkeep.so.1"
    if not link.exists():
        link.symlink_to("libmailkeep.so")
    include = ROOT / "bindings/c/include"
    subprocess.run(["cc", "-O2", f"-I{include}", HERE / "tasks.c", f"-L{LIBRARY}", "-lmailkeep", "-o", work / "tasks"], check=True)
    shutil.copy(DOTNET / "lib/Mailkeep.dll", work)
    shutil.copy(ROOT / "bindings/dotnet/tests/Program.runtimeconfig.json", work / "Tasks.runtimeconfig.json")
    reference = DOTNET / "tools/mono-devel/usr/lib/mono/4.7.1-api"
    names = [reference / "mscorlib.dll", reference / "System.dll", reference / "System.Core.dll", reference / "Facades/netstandard.dll"]
    references = [f"-r:{name}" for name in [*names, work / "Mailkeep.dll"]]
    subprocess.run(
        ["mcs", "-optimize+", "-langversion:7", "-nostdlib", "-noconfig", *references, f"-out:{work / 'Tasks.exe'}", HERE / "Tasks.cs"],
        check=True,
    )
    return {
        "c": [work / "tasks"],
        "mono": ["mono", work / "Tasks.exe"],
        "coreclr": [DOTNET / "tools/dotnetcore2/dotnetcore2/bin/dotnet", work / "Tasks.exe"],
        "python": [ROOT / "target/python/tools/bin/python", HERE / "tasks.py"],
    }


def requests(mbox, path):
    """10,000 requests: 1,000 words of the subjects of the mailbox, ten times, so that the start of a runtime does not count."""
    words = collections.Counter()
    with open(mbox, encoding="latin-1") as lines:
        for line in lines:
            if line.startswith("Subject: "):
                words.update(re.findall(r"[a-z]{4,12}", line.lower()))
    chosen = [word for word, _ in words.most_common(1000)]
    text = "".join(json.dumps({"limit": 50, "query": word}, separators=(",", ":")) + "\n" for word in chosen)
    path.write_text(text * 10, encoding="utf-8")


def run(program, *arguments):
    """The answer of one run."""
    done = subprocess.run([*program, *arguments], check=True, capture_output=True, text=True, env=ENVIRONMENT)
    return json.loads(done.stdout)


def fresh(work):
    """An archive without mails, and its key file."""
    for path in work.glob("new*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (work / "none.mbox").touch()
    embed = LIBRARY / "examples/embed"
    subprocess.run([embed, work / "new", work / "none.mbox", "x"], check=False, capture_output=True, env=ENVIRONMENT)
    return work / "new", work / "new.key"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("mbox", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    programs = build(work)
    asked = work / "requests.jsonl"
    requests(options.mbox, asked)
    archive, key = work / "archive", work / "archive.key"
    if not archive.exists():
        subprocess.run([LIBRARY / "examples/embed", archive, options.mbox, "x"], check=True, capture_output=True, env=ENVIRONMENT)
    least, sums = {}, {}
    for _ in range(options.runs):
        for task, argument in [("list", "20"), ("search", asked), ("import", options.mbox.resolve())]:
            for language, program in programs.items():
                place, its_key = fresh(work) if task == "import" else (archive, key)
                answer = run(program, task, place, its_key, argument)
                least[task, language] = min(answer["cpu"], least.get((task, language), answer["cpu"]))
                if sums.setdefault(task, answer["sum"]) != answer["sum"]:
                    sys.exit(f"{task} in {language} gives {answer['sum']}, and {sums[task]} in C")
    print(f"{'task':8} {'language':9} {'processor':>10} {'of C':>6}")
    for (task, language), cpu in sorted(least.items()):
        print(f"{task:8} {language:9} {cpu:9.3f}s {cpu / least[task, 'c']:6.2f}")


if __name__ == "__main__":
    main()
