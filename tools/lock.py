"""Write deploy/requirements.txt: every version that the image installs, with hashes; `--upgrade` for new ones."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = "deploy/requirements.txt"
EXTRAS = ("redis", "postgres", "web", "fast", "metrics")
QUIET = ("header", "annotate", "emit-index-url", "emit-trusted-host", "emit-find-links", "emit-options")


def main() -> int:
    """Have pip-compile find versions for our extras and for the example application together."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--strip-extras"]
    command += ["--allow-unsafe", *(f"--no-{each}" for each in QUIET), f"--output-file={LOCK}"]
    command += [*(f"--extra={extra}" for extra in EXTRAS), "pyproject.toml", "-", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, input="\n".join(groups["examples"]), text=True).returncode


if __name__ == "__main__":
    sys.exit(main())
