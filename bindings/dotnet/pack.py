#!/usr/bin/env python3
"""Makes the NuGet package, which is a zip of a known layout, without a .NET SDK.

Usage: pack.py OUT_FOLDER --lib Mailkeep.dll --doc Mailkeep.xml --native linux-x64=libmailkeep.so ...
What it says about itself is read from Mailkeep.csproj. The same input gives the same bytes.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree
import zipfile
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
CONTENT_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
{rows}
</Types>
"""
RELATIONS = """<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/{PackageId}.nuspec" Id="R1" />
</Relationships>
"""
NUSPEC = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>{PackageId}</id>
    <version>{Version}</version>
    <authors>{Authors}</authors>
    <license type="expression">{PackageLicenseExpression}</license>
    <readme>{PackageReadmeFile}</readme>
    <description>{Description}</description>
    <tags>{tags}</tags>
    <dependencies>
      <group targetFramework=".NETStandard2.0" />
    </dependencies>
  </metadata>
</package>
"""
# No clock of this machine is in the package.
STAMP = (2020, 1, 1, 0, 0, 0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--lib", type=pathlib.Path, required=True)
    parser.add_argument("--doc", type=pathlib.Path, required=True)
    parser.add_argument("--native", action="append", required=True, metavar="RID=FILE")
    given = parser.parse_args()

    project = xml.etree.ElementTree.parse(HERE / "Mailkeep.csproj")
    facts = {field.tag: escape(field.text or "") for group in project.iter("PropertyGroup") for field in group}
    facts["tags"] = facts["PackageTags"].replace(";", " ")
    assembly = re.search(r'AssemblyVersion\("(\d+\.\d+\.\d+)', (HERE / "src/AssemblyInfo.cs").read_text())
    if not assembly or assembly[1] != facts["Version"]:
        sys.exit("error: Mailkeep.csproj and src/AssemblyInfo.cs have different versions")

    lib = "lib/netstandard2.0/"
    files = {
        lib + given.lib.name: given.lib.read_bytes(),
        lib + given.doc.name: given.doc.read_bytes(),
        "README.md": (HERE / "README.md").read_bytes(),
    }
    for native in given.native:
        rid, _, name = native.partition("=")
        files[f"runtimes/{rid}/native/{pathlib.Path(name).name}"] = pathlib.Path(name).read_bytes()

    manifest = f"{facts['PackageId']}.nuspec"
    kinds = {"rels": "application/vnd.openxmlformats-package.relationships+xml"}
    for name in [manifest, *files]:
        kinds.setdefault(name.rsplit(".", 1)[1], "application/octet")
    rows = "\n".join(f'  <Default Extension="{end}" ContentType="{kind}" />' for end, kind in kinds.items())
    # The first entries are what a reader of the container looks for.
    entries = {
        "_rels/.rels": RELATIONS.format(**facts).encode(),
        manifest: NUSPEC.format(**facts).encode(),
        **files,
        "[Content_Types].xml": CONTENT_TYPES.format(rows=rows).encode(),
    }
    given.folder.mkdir(parents=True, exist_ok=True)
    out = given.folder / f"{facts['PackageId']}.{facts['Version']}.nupkg"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name, STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, data)
    print(out)


if __name__ == "__main__":
    main()
