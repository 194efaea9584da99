"""Checks of the compose file that need no engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deploy.kit import Complaint, Kit, needed, ran
from deploy.words import not_understood, unknown_variables
from ferryman.duration import parse_duration

__all__ = ["CHECKS"]

_ONCE = ("migrate", "bucket")
_UNITS = {"M": 1, "mb": 1, "G": 1024, "gb": 1024}


def keys(kit: Kit) -> Iterator[str]:
    """Every key is one of the compose specification."""
    command = [needed("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(kit.deploy / "compose.yaml")]
    try:
        ran(command)
    except Complaint as complaint:
        yield str(complaint)


def ports(kit: Kit) -> Iterator[str]:
    """Ports are open on this machine alone."""
    for name, service in kit.compose["services"].items():
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} opens {port} to everybody"


def volumes(kit: Kit) -> Iterator[str]:
    """What must outlive a container is in a volume that has a name."""
    for name in ("postgres", "redis"):
        for volume in kit.compose["services"][name].get("volumes") or ["none"]:
            if volume.partition(":")[0] not in kit.compose["volumes"]:
                yield f"{name} keeps its data in {volume}, which is no named volume"


def images(kit: Kit) -> Iterator[str]:
    """Foreign images have a version."""
    for name, service in kit.compose["services"].items():
        if not re.search(r":[\w.-]+$", service["image"]) or service["image"].endswith(":latest"):
            yield f"{name} runs {service['image']}, whichever that is today"


def healthchecks(kit: Kit) -> Iterator[str]:
    """Whoever stays can be asked how it is, and nobody waits for an answer that never comes."""
    services = kit.compose["services"]
    for name, service in services.items():
        if name not in _ONCE and "test" not in service.get("healthcheck", {}):
            yield f"{name} has no health check"
        for other, when in service.get("depends_on", {}).items():
            if other not in services:
                yield f"{name} waits for {other}, and there is none"
            elif when["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                yield f"{name} waits until {other} is healthy, which nobody asks"
            elif when["condition"] == "service_completed_successfully" and other not in _ONCE:
                yield f"{name} waits for the end of {other}"


def limits(kit: Kit) -> Iterator[str]:
    """Nobody takes the whole memory, and Redis has room to rewrite its file."""
    services = kit.compose["services"]
    for name, service in services.items():
        if not service.get("deploy", {}).get("resources", {}).get("limits", {}).get("memory"):
            yield f"{name} has no limit of memory"
    redis = services["redis"]
    if 2 * _megabytes(_flag(redis, "--maxmemory")) > _megabytes(redis["deploy"]["resources"]["limits"]["memory"]):
        yield "redis has a limit of less than twice its maxmemory"


def _megabytes(size: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([a-zA-Z]+)", size).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]


def _flag(service: dict[str, Any], name: str) -> str:
    command = service["command"]
    return str(command[command.index(name) + 1]) if name in command else ""


def durability(kit: Kit) -> Iterator[str]:
    """Redis writes what it accepts to its volume, and drops nothing."""
    redis = kit.compose["services"]["redis"]
    wanted = {"--appendonly": "yes", "--maxmemory-policy": "noeviction", "--dir": "/data"}
    for flag, value in wanted.items():
        if _flag(redis, flag) != value:
            yield f"redis runs with {flag} {_flag(redis, flag) or 'unset'}, not {value}"
    if not any(volume.endswith(":/data") for volume in redis["volumes"]):
        yield "redis has no volume at /data"


def grace(kit: Kit) -> Iterator[str]:
    """A worker is killed ten seconds after its own patience ends, and not before."""
    worker = kit.compose["services"]["worker"]
    grace = parse_duration(worker["stop_grace_period"]).total_seconds()
    timeout = parse_duration(worker["environment"]["SHUTDOWN_TIMEOUT"]).total_seconds()
    if grace < timeout + 10:
        yield f"worker is killed after {grace:g} s, and takes up to {timeout:g} s and 10 s to hand back its jobs"


def login(kit: Kit) -> Iterator[str]:
    """A dashboard that listens on every address has a login."""
    dashboard = kit.compose["services"]["dashboard"]
    if _flag(dashboard, "--host") == "0.0.0.0" and not dashboard["environment"].get("FERRYMAN_DASHBOARD_AUTH"):
        yield "dashboard is open to everybody who reaches its container"


def commands(kit: Kit) -> Iterator[str]:
    """Every command and health check of ours is one that our programs understand."""
    for service in kit.compose["services"].values():
        yield from not_understood(service.get("command", ["nothing"]))
        yield from not_understood(service.get("healthcheck", {}).get("test", ["CMD", "nothing"])[1:])


def variables(kit: Kit) -> Iterator[str]:
    """Every variable is read by somebody, and .env.example tells of each that is asked for."""
    told = set(re.findall(r"^([A-Z_]+)=", kit.text(".env.example"), re.MULTILINE))
    asked = set(re.findall(r"\$\{([A-Z_]+)", kit.text("compose.yaml")))
    yield from (f".env.example does not tell of {name}" for name in sorted(asked - told))
    given = {name for service in kit.compose["services"].values() for name in service.get("environment", {})}
    yield from unknown_variables(sorted(given | told - asked))


CHECKS = (*(keys, ports, volumes, images, healthchecks, limits, durability, grace, login, commands, variables),)
