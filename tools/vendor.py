"""Refresh the dashboard's vendored files from npm: `python tools/vendor.py`, with the versions that VENDOR.toml names.

To take a newer version, change its number there and run this; the hashes are rewritten.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
import tomllib
from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "src/ferryman/web/static/vendor"


def main() -> None:
    """Fetch every package, put its files in place and write their hashes down."""
    list_file = VENDOR / "VENDOR.toml"
    text = list_file.read_text()
    for package in tomllib.loads(text)["package"]:
        members = fetch(package["name"], package["version"])
        for file in package["file"]:
            content = members[file["from"]]
            (VENDOR / file["to"]).write_bytes(content)
            text = with_hash(text, file["to"], sha256(content).hexdigest())
        print(f"{package['name']} {package['version']}")
    list_file.write_text(text)


def fetch(name: str, version: str) -> dict[str, bytes]:
    """Return what is in a package, by path."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
            return {path.removeprefix("package/"): file.read() for path, file in files.items() if file}


def with_hash(text: str, file: str, digest: str) -> str:
    """Return VENDOR.toml with the hash of one file replaced."""
    return re.sub(rf'(to = "{re.escape(file)}", sha256 = ")[0-9a-f]*', rf"\g<1>{digest}", text)


if __name__ == "__main__":
    main()
