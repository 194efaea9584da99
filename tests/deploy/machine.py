"""Checks of the units for systemd, which need no systemd that runs."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.kit import Complaint, Kit, needed, ran
from deploy.words import not_understood, unknown_variables
from ferryman.duration import parse_duration

__all__ = ["CHECKS"]

_EXPOSURE = "25"
"""In tenths: what `systemd-analyze security` calls OK; 100 is a service that may do everything."""


def _units(kit: Kit) -> Iterator[Path]:
    yield from sorted((kit.deploy / "systemd").glob("*.service"))


def _service(unit: Path) -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None, strict=True, delimiters="=")
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(unit.read_text("utf-8"))
    return read["Service"]


def verified(kit: Kit) -> Iterator[str]:
    """systemd has nothing against them; the program, which is not installed here, is a stand-in."""
    analyze = needed("systemd-analyze")
    for unit in _units(kit):
        with TemporaryDirectory() as folder:
            copy = Path(folder) / unit.name
            copy.write_text(unit.read_text("utf-8").replace("/opt/app/venv/bin/ferryman", "/bin/true"), "utf-8")
            try:
                ran([analyze, "verify", str(copy)])
            except Complaint as complaint:
                yield str(complaint)


def hardened(kit: Kit) -> Iterator[str]:
    """They may do little more than they must."""
    analyze = needed("systemd-analyze")
    for unit in _units(kit):
        try:
            ran([analyze, "security", "--offline=true", f"--threshold={_EXPOSURE}", "--no-pager", str(unit)])
        except Complaint as complaint:
            yield f"{unit.name}: {str(complaint).splitlines()[-1]}"


def told(kit: Kit) -> Iterator[str]:
    """systemd waits until a worker is ready, ends it when it is stuck, and leaves it its time."""
    service = _service(kit.deploy / "systemd/ferryman-worker@.service")
    timeout = re.search(r"^FERRYMAN_SHUTDOWN_TIMEOUT=(.+)$", kit.text("systemd/example.env"), re.MULTILINE)
    patience = parse_duration(timeout[1]).total_seconds() if timeout else 30.0
    if service["Type"] != "notify" or not service.get("WatchdogSec"):
        yield "systemd does not hear how the worker is"
    if service["KillMode"] != "mixed":
        yield "the first SIGTERM goes to processes that the worker stops itself"
    if int(service["TimeoutStopSec"]) < patience + 10:
        yield f"the worker is killed after {service['TimeoutStopSec']} s, and its patience is {patience:g} s"


def commands(kit: Kit) -> Iterator[str]:
    """Every command and every variable is one that we know."""
    for unit in _units(kit):
        yield from not_understood(_service(unit)["ExecStart"].split())
    yield from unknown_variables(re.findall(r"^([A-Z_]+)=", kit.text("systemd/example.env"), re.MULTILINE))


CHECKS = (verified, hardened, told, commands)
