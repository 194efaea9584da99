"""Look for known weaknesses in what the image installs: `make audit`.

pip-audit asks an index or a service that knows them.  Where none answers nothing is known,
which is told in a sentence and is an error, for it is no pass.  AUDIT is passed on to pip-audit,
such as `AUDIT="--vulnerability-service osv --osv-url https://osv.example/v1/query"` for a mirror.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = "deploy/requirements.txt"
PIP_AUDIT = Path(sys.executable).with_name("pip-audit")
SAID = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", LOCK)


def main(passed_on: list[str]) -> int:
    """Return the exit code: 0 nothing is known, 1 something is, 2 nobody could be asked."""
    done = subprocess.run([PIP_AUDIT, *SAID, *passed_on], capture_output=True, text=True)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        *_, why = done.stderr.strip().splitlines() or ["it said nothing"]
        print(f"error: What {LOCK} installs was not looked up, for nobody who knows weaknesses could be asked: {why}")
        print("Run it where PyPI's API is reached, or name a mirror of OSV (tools/audit.py says how).")
        return 2
    known = [(package, each) for package in packages for each in package["vulns"]]
    for package, each in known:
        mended = ", ".join(each["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {each['id']}, mended in {mended}")
    print(f"{len(packages)} packages were looked up; known weaknesses: {len(known)}.")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
