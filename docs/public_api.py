"""The public Rust API of `archive-core`, a line for each item, in a file that shows every change of it in review.

public_api.py            writes docs/api/archive-core.txt
public_api.py --check    compares instead, and prints what differs

Reads what `rustdoc --output-format json` says of the crate without optional features, and of crates of the workspace that it re-exports.
An item stands at the path by which a user names it; a second path is a line of its own, `use second = first`. A provided method of a trait ends
in ` { .. }`, a struct with private fields too. Exit 1 if the file differs (--check), or if a signature names an item of a dependency that
ACCEPTED does not hold.
"""

import argparse
import difflib
import json
import os
import pathlib
import subprocess
import sys
from collections import deque

from rust_text import Signatures, stop

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATE = "archive_core"
SNAPSHOT = ROOT / "docs" / "api" / "archive-core.txt"
# The version of rustdoc's JSON that this script was written for.
FORMAT = 57

# Items of dependencies that signatures may name: full path as it is reported, and why.
ACCEPTED = {
    # The JSON form of records and reports is what serde gives of them (archive-core/src/json.rs).
    "serde_core::ser::Serialize",
}

# Derived impls of these crates are no dependency in a signature: a user of serde has them, others do not see them.
SERDE = ("serde", "serde_core")
AUTO = ("Send", "Sync")


class Crate:
    """What rustdoc says of one crate."""

    def __init__(self, workspace, name):
        package = workspace.packages[name]
        command = ["cargo", "rustdoc", "-q", "-p", package, "--lib", "--", "--cap-lints", "allow"]
        command += ["-Z", "unstable-options", "--output-format", "json"]
        # The variable goes to rustdoc alone: if cargo saw it, it would build all dependencies again.
        rustdoc = workspace.target / "rustdoc-json"
        rustdoc.parent.mkdir(parents=True, exist_ok=True)
        rustdoc.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n', encoding="utf-8")
        rustdoc.chmod(0o755)
        if subprocess.run(command, check=False, cwd=ROOT, env=dict(os.environ, RUSTDOC=str(rustdoc))).returncode:
            stop(f"rustdoc failed for {package}")
        said = json.loads((workspace.target / "doc" / f"{name}.json").read_text(encoding="utf-8"))
        if said["format_version"] != FORMAT:
            print(f"public_api.py: written for rustdoc's JSON of version {FORMAT}, this is {said['format_version']}: see FORMAT", file=sys.stderr)
        self.name, self.root = name, said["root"]
        self.index = {int(number): item for number, item in said["index"].items()}
        self.paths = {int(number): summary for number, summary in said["paths"].items()}

    def kind(self, number):
        """(kind, what it holds) of an item."""
        return next(iter(self.index[number]["inner"].items()))

    def by_path(self, path, kind):
        """The item that is defined at a path."""
        for number, summary in self.paths.items():
            if summary["path"] == path and summary["kind"] == kind and number in self.index:
                return number
        return stop(f"{'::'.join(path)} is re-exported, but rustdoc says nothing of it")


class Workspace:
    """The crates of the workspace; each is documented when it is first asked for."""

    def __init__(self):
        command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
        metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        self.target = pathlib.Path(metadata["target_directory"])
        self.packages = {package["name"].replace("-", "_"): package["name"] for package in metadata["packages"]}
        self.crates = {}

    def crate(self, name):
        """A crate by the name by which code calls it."""
        if name not in self.crates:
            self.crates[name] = Crate(self, name)
        return self.crates[name]


class Names:
    """The public paths of all items that a user of the crate can name."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.paths = {}
        # Re-exports of items outside the workspace: (path, crate that re-exports, use).
        self.outside = []
        root = workspace.crate(CRATE)
        self.paths[root.name, root.root] = [CRATE]
        waiting, seen = deque([(root, root.root, CRATE, False)]), set()
        while waiting:
            crate, parent, path, globbed = waiting.popleft()
            # A module that has a second path is not listed twice, but what a glob takes from it is there too.
            place = (crate.name, parent, path if globbed else None)
            if place not in seen:
                seen.add(place)
                waiting.extend(self.children(crate, parent, path))
        for (name, number), paths in self.paths.items():
            # What a module holds was noted below its first path.
            if workspace.crate(name).kind(number)[0] != "module":
                paths.sort(key=lambda path: (path.count("::"), path))

    def children(self, crate, parent, path):
        """Notes what a module or an enum behind a glob holds; gives the modules to go on with, and whether by a glob."""
        kind, inner = crate.kind(parent)
        for number in inner["variants" if kind == "enum" else "items"]:
            name, owner, globbed = crate.index[number]["name"], crate, False
            kind, use = crate.kind(number)
            if kind == "impl":
                continue
            if kind == "use":
                name, globbed = "*" if use["is_glob"] else use["name"], use["is_glob"]
                owner, number = self.follow(crate, use)
            if not owner:
                self.outside.append((f"{path}::{name}", crate, use))
            elif globbed:
                yield owner, number, path, True
            else:
                paths = self.paths.setdefault((owner.name, number), [])
                paths.extend({f"{path}::{name}"}.difference(paths))
                if owner.kind(number)[0] == "module":
                    yield owner, number, f"{path}::{name}", False

    def follow(self, crate, use):
        """(crate, item) that a `use` leads to, through other `use`s; (None, None) outside the workspace."""
        number = use["id"]
        while number in crate.index and crate.kind(number)[0] == "use":
            number = crate.kind(number)[1]["id"]
        if number in crate.index:
            return crate, number
        summary = crate.paths.get(number)
        if summary is None or summary["path"][0] not in self.workspace.packages:
            return None, None
        other = self.workspace.crate(summary["path"][0])
        return other, other.by_path(summary["path"], summary["kind"])

    def of(self, crate, number):
        """The path by which a user names an item of the workspace, if there is one."""
        summary = crate.paths.get(number)
        if number not in crate.index and summary and summary["path"][0] in self.workspace.crates:
            crate = self.workspace.crate(summary["path"][0])
            number = crate.by_path(summary["path"], summary["kind"])
        return self.paths.get((crate.name, number), [None])[0]


class Listing:
    """The lines of the file, and what signatures name of dependencies."""

    def __init__(self, names):
        self.names, self.lines, self.foreign = names, {}, set()
        # Auto traits: (owner, type, where clause) and the traits.
        self.autos = {}
        for (name, number), paths in names.paths.items():
            crate = names.workspace.crate(name)
            self.item(Signatures(names, crate), number, paths[0])
            for path in paths[1:]:
                self.add(None, path, 0, path, f"use {path} = {paths[0]}")
        for path, crate, use in names.outside:
            signatures = Signatures(names, crate)
            source = signatures.name(use["id"], use["source"])
            self.add(signatures, path, 0, path, f"use {path} = {source}{'::*' if use['is_glob'] else ''}")
        for crate in list(names.workspace.crates.values()):
            for number in crate.index:
                if crate.kind(number)[0] == "impl":
                    self.impl(Signatures(names, crate), number)
        for (owner, of, where), traits in self.autos.items():
            self.add(None, owner, 3, of, f"{of}: {' + '.join(sorted(traits))}{where}")

    def add(self, signatures, owner, rank, path, line):
        """A line, to stand below an item of a module by its rank; what its signatures named of dependencies is noted with it."""
        self.lines[line] = (owner, rank, path, line)
        if signatures:
            self.foreign |= {(path, line) for path in signatures.foreign if path not in ACCEPTED}
            signatures.foreign = set()

    def item(self, signatures, number, path):
        """An item of a module with its fields, variants or members."""
        kind, inner = signatures.crate.kind(number)
        parameters, where = signatures.generics(inner["generics"]) if "generics" in inner else ("", "")
        rest, members = "", []
        if kind == "struct" and "plain" in inner["kind"]:
            members = inner["kind"]["plain"]["fields"]
            rest = " { .. }" if inner["kind"]["plain"]["has_stripped_fields"] else ""
        elif kind == "struct" and "tuple" in inner["kind"]:
            members = [field for field in inner["kind"]["tuple"] if field is not None]
            rest = "(..)" if None in inner["kind"]["tuple"] else ""
        elif kind == "enum":
            members = inner["variants"]
        elif kind == "trait":
            rest = f": {signatures.bounds(inner['bounds'])}" if inner["bounds"] else ""
            members = inner["items"]
        if kind in ("struct", "enum"):
            text = f"{kind} {path}{parameters}{where}{rest}"
        elif kind == "trait":
            text = f"{'unsafe ' if inner['is_unsafe'] else ''}trait {path}{parameters}{rest}{where}"
        elif kind == "module":
            text = f"mod {path}"
        else:
            text = self.member(signatures, number, path)
        self.add(signatures, path, 0, path, self.attributes(signatures.crate, number) + text)
        for member in members:
            name = signatures.crate.index[member]["name"]
            inside = f"{path}.{name}" if signatures.crate.kind(member)[0] == "struct_field" else f"{path}::{name}"
            text = self.member(signatures, member, inside, provided=kind == "trait")
            self.add(signatures, path, 1, inside, self.attributes(signatures.crate, member) + text)

    def attributes(self, crate, number):
        """Those attributes that bind users."""
        found = crate.index[number]["attrs"]
        must_use = any(isinstance(one, dict) and "must_use" in one for one in found)
        return "#[non_exhaustive] " * ("non_exhaustive" in found) + "#[must_use] " * must_use

    def member(self, signatures, number, path, provided=False):
        """A function, a field, a variant, a constant, an alias: whatever is told in one line; in a trait it may be provided."""
        kind, inner = signatures.crate.kind(number)
        match kind:
            case "function":
                return signatures.function(path, inner) + (" { .. }" if provided and inner["has_body"] else "")
            case "struct_field":
                return f"field {path}: {signatures.type(inner)}"
            case "variant":
                return f"variant {path}{self.variant(signatures, inner)}"
            case "constant" | "assoc_const":
                value = inner["const"]["value"] or inner["const"]["expr"] if kind == "constant" else inner["value"]
                return f"const {path}: {signatures.type(inner['type'])}" + (f" = {value}" if value not in (None, "_") else "")
            case "type_alias" | "assoc_type":
                parameters, where = signatures.generics(inner["generics"])
                bounds = f": {signatures.bounds(inner['bounds'])}" if inner.get("bounds") else ""
                return f"type {path}{parameters}{bounds}" + (f" = {signatures.type(inner['type'])}" if inner["type"] else "") + where
        return stop(f"{path} is a `{kind}`, which this script does not know")

    def variant(self, signatures, inner):
        """The fields of a variant, or its number."""
        crate, shape, text = signatures.crate, inner["kind"], ""
        if "tuple" in shape:
            fields = ("_" if field is None else signatures.type(crate.kind(field)[1]) for field in shape["tuple"])
            text = f"({', '.join(fields)})"
        elif "struct" in shape:
            fields = [f"{crate.index[field]['name']}: {signatures.type(crate.kind(field)[1])}" for field in shape["struct"]["fields"]]
            fields += [".."] * shape["struct"]["has_stripped_fields"]
            text = f" {{ {', '.join(fields)} }}"
        return text + (f" = {inner['discriminant']['value']}" if inner["discriminant"] else "")

    def impl(self, signatures, number):
        """Members of an inherent impl, or a line for that of a trait. Of auto traits Send and Sync are told."""
        crate, (_, inner) = signatures.crate, signatures.crate.kind(number)
        trait = inner["trait"]
        owner = next(filter(None, (self.names.of(crate, found) for found in ids([inner["for"], trait]))), None)
        private = trait and trait["id"] in crate.index and not self.names.of(crate, trait["id"])
        if not owner or private or inner["blanket_impl"]:
            return
        parameters, where = signatures.generics(inner["generics"])
        of = signatures.type(inner["for"])
        if not trait:
            for member in inner["items"]:
                name = crate.index[member]["name"]
                text = self.member(signatures, member, f"{of if parameters else owner}::{name}")
                head = f"impl{parameters}{where} " if parameters or where else ""
                self.add(signatures, owner, 1, f"{owner}::{name}", self.attributes(crate, member) + head + text)
            return
        name = ("!" if inner["is_negative"] else "") + signatures.path(trait)
        if inner["is_synthetic"]:
            if name in AUTO:
                self.autos.setdefault((owner, of, where), []).append(name)
            return
        if name.endswith("StructuralPartialEq"):
            return
        types = [self.member(signatures, one, crate.index[one]["name"]) for one in inner["items"] if crate.kind(one)[0] == "assoc_type"]
        if "automatically_derived" in crate.index[number]["attrs"]:
            signatures.foreign = {path for path in signatures.foreign if path.split("::")[0] not in SERDE}
        head = f"{'unsafe ' if inner['is_unsafe'] else ''}impl{parameters} {name} for {of}{where}"
        self.add(signatures, owner, 2, name, head + (f" {{ {'; '.join(types)} }}" if types else ""))

    def text(self):
        return "".join(f"{line}\n" for line in sorted(self.lines, key=self.lines.get))


def ids(said):
    """The numbers of all items that types name, outermost first."""
    if isinstance(said, dict):
        if isinstance(said.get("id"), int):
            yield said["id"]
        said = said.values()
    if not isinstance(said, str | int | None):
        for one in said:
            yield from ids(one)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    check = parser.parse_args().check
    listing = Listing(Names(Workspace()))
    new, shown, wrong = listing.text(), SNAPSHOT.relative_to(ROOT).as_posix(), False
    if check:
        old = SNAPSHOT.read_text(encoding="utf-8") if SNAPSHOT.exists() else ""
        if old != new:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), shown, "the code", n=1))
            print(f"The public API is not that of {shown}. If it should be: python3 docs/public_api.py")
            wrong = True
    else:
        SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
        SNAPSHOT.write_text(new, encoding="utf-8", newline="\n")
        print(f"{shown}: {len(listing.lines)} lines")
    for path, line in sorted(listing.foreign):
        print(f"{path} is of a dependency, in: {line}")
    if listing.foreign:
        print(f"{len({path for path, _ in listing.foreign})} items of dependencies in public signatures: hide them, or name them in ACCEPTED")
    sys.exit(1 if wrong or listing.foreign else 0)


if __name__ == "__main__":
    main()
