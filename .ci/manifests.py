"""Every dependency that a manifest declares is named by the code it is declared for, and every one of the workspace by some member.

manifests.py    Exit 1 and a line for each that is not. Run from the root of the repository.
"""

import pathlib
import re
import sys
import tomllib

# Dependencies that no code names, and why.
UNNAMED = {
    # The package under test, with the feature for tests.
    ("archive-core", "archive-core"),
    # Of the C interface, whose code is that of archive-ffi.
    ("mailkeep-fuzz", "serde"),
    ("mailkeep-fuzz", "serde_json"),
}


def dependencies(manifest):
    """(kind, name) of what a manifest declares, those of its targets too."""
    tables = [manifest, *manifest.get("target", {}).values()]
    for table in tables:
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name in table.get(kind, {}):
                yield kind, name


def code_of(folder, kind):
    """The text of all Rust code that may use a dependency of this kind."""
    folders = ("src", "benches", "tests", "examples", "fuzz_targets") if kind == "dev-dependencies" else ("src", "fuzz_targets", "examples")
    files = [file for name in folders for file in (folder / name).rglob("*.rs")] + [folder / "build.rs"]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def main():
    root = tomllib.loads(pathlib.Path("Cargo.toml").read_text(encoding="utf-8"))
    used, wrong = set(), []
    for path in sorted(pathlib.Path(".").glob("**/Cargo.toml")):
        if "target" in path.parts or path.parent == pathlib.Path("."):
            continue
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        package = manifest["package"]["name"]
        for kind, name in dependencies(manifest):
            used.add(name)
            named = re.search(rf"\b{re.escape(name.replace('-', '_'))}\b", code_of(path.parent, kind))
            if not named and (package, name) not in UNNAMED:
                wrong.append(f"{path}: {name} ({kind}) is declared, and no code names it")
    for name in sorted(set(root["workspace"].get("dependencies", {})) - used):
        wrong.append(f"Cargo.toml: {name} is in the workspace's table, and no member takes it")
    print("\n".join(wrong) if wrong else f"manifests: {len(used)} dependencies, each is used")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
