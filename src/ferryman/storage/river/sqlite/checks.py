"""What may lose or delay jobs in a SQLite file: how it is written, and where it lies (spec/cli.md 4.6)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from ferryman.findings import Finding, failed, passed, warned
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.river.steps import Script, Verb

__all__ = ["check", "lock_taken"]

_MOUNTS = Path("/proc/self/mounts")
_FAR = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs", "fuse.gluster")
_FULL = 2
_LONG = 1.0


def check(location: Location) -> Verb[list[Finding]]:
    """Judge the file, on the connection that writes."""
    if not location.path:
        return [passed("S-MEM", "in memory: it ends with the process")]
    journal = yield from _journal()
    synchronous = yield from _synchronous()
    return [journal, synchronous, *_file_system(os.path.realpath(location.path))]


def lock_taken(asked: float) -> Verb[Finding]:
    """Judge how long it took until this transaction could write; `asked` is when, by the monotonic clock."""
    waited = time.monotonic() - asked
    yield Script(["select 1"])
    if waited > _LONG:
        return warned("S-LOCK", f"it took {waited:.1f} s until nobody else was writing: a transaction stays open long")
    return passed("S-LOCK", f"ready to write after {waited * 1000:.0f} ms")


def _journal() -> Verb[Finding]:
    ((mode,),) = yield Script(["pragma journal_mode"])
    if mode == "wal":
        return passed("S-WAL", "journal_mode is wal")
    return failed("S-WAL", f"journal_mode is {mode}, and readers and writers wait for each other; it takes wal")


def _synchronous() -> Verb[Finding]:
    ((level,),) = yield Script(["pragma synchronous"])
    if level >= _FULL:
        return passed("S-SYNC", "synchronous is full")
    return warned(
        "S-SYNC", "synchronous=normal: a power cut may lose the last jobs. Leave it out of the URL to be safe"
    )


def _file_system(path: str) -> Iterable[Finding]:
    """Judge the file system, where the operating system says which it is."""
    if not _MOUNTS.exists():
        return
    place, kind = _mount_of(path, _MOUNTS.read_text())
    if kind.startswith(_FAR):
        yield failed(
            "S-FS", f"{place} is a network file system ({kind}), whose locks SQLite cannot rely on: jobs may be lost"
        )
    else:
        yield passed("S-FS", f"{place} is a {kind} file system")


def _mount_of(path: str, mounts: str) -> tuple[str, str]:
    """Return where the file system of a path is mounted, and its kind."""
    found = [line.split()[1:3] for line in mounts.splitlines()]
    holding = [(place, kind) for place, kind in found if f"{path}/".startswith(f"{place.rstrip('/')}/")]
    return max(holding, key=lambda mount: len(mount[0]), default=("/", "unknown"))
