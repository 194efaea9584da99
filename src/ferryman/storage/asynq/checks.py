"""What may lose, delay or hide jobs on a Redis server, judged from what it says of itself (spec/cli.md 4.6).

Each check takes the facts and returns a finding, or None where there is nothing to
judge.  A fact that the server would not give is raised when it is asked for, so that
every check that needs it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ferryman.errors import StorageError
from ferryman.findings import Finding, clocks_apart, failed, passed, warned
from ferryman.sizes import mebibytes
from ferryman.storage.asynq.info import read_info, server_name
from ferryman.storage.asynq.keys import QueueKeys

__all__ = ["CHECKS", "Facts", "judge"]

_OLDEST, _OLD = (6, 2), (7, 0)
_SLOW = 50_000  # microseconds
_LISTS = ("pending", "active")
_ARCHIVE_HOLDS = 10_000
_MANY_BYTES = 100 * 1024 * 1024
_PERSIST = "redis-cli CONFIG SET appendonly yes && redis-cli CONFIG REWRITE"


@dataclass(frozen=True)
class Facts:
    """What was asked; each is the server's reply, or the StorageError that came instead."""

    answers: Mapping[str, Any]
    archived: Mapping[str, int]
    """How many jobs gave up in each queue."""
    asked: datetime
    answered: datetime
    is_cluster: bool
    production: bool

    def __getitem__(self, name: str) -> Any:
        answer = self.answers[name]
        if isinstance(answer, StorageError):
            raise answer
        return answer

    @property
    def info(self) -> Mapping[str, str]:
        """What INFO says, by name."""
        return read_info(self["info"])

    def number(self, name: str) -> float:
        """Return a number that INFO says, 0 where it does not."""
        return float(self.info.get(name) or 0)


def judge(facts: Facts) -> list[Finding]:
    """Return what each check finds."""
    return [found for id, check in CHECKS.items() if (found := _found(id, check, facts)) is not None]


def _found(id: str, check: Check, facts: Facts) -> Finding | None:
    try:
        return check(id, facts)
    except StorageError as error:
        return warned(id, f"cannot be looked at, for the server does not allow it: {getattr(error, 'reply', error)}")


def _version(id: str, facts: Facts) -> Finding:
    text = facts.info.get("redis_version", "")
    numbers = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    named = server_name(facts.info)
    if numbers < _OLDEST:
        return failed(id, f"{named} is too old: ferryman needs Redis 6.2, and 7.0 or newer is better")
    if numbers < _OLD:
        return warned(id, f"{named} works, but 7.0 or newer tells more and is looked after")
    return passed(id, named)


def _persistence(id: str, facts: Facts) -> Finding:
    info = facts.info
    if info.get("aof_enabled") == "1":
        if info.get("aof_last_write_status", "ok") != "ok" or info.get("aof_last_bgrewrite_status", "ok") != "ok":
            return failed(id, "the append-only file could not be written: look at the server's log and its disk")
        return _fsync(id, facts)
    if saved := facts["save"].get(b"save"):
        seconds = max(int(part) for part in saved.decode().split()[::2])
        return warned(id, f"only snapshots are kept: a crash loses the jobs of up to {seconds:,} s", _PERSIST)
    return (failed if facts.production else warned)(
        id, "nothing is kept on disk: a restart of the server loses every job", _PERSIST
    )


def _fsync(id: str, facts: Facts) -> Finding:
    how = facts["appendfsync"].get(b"appendfsync", b"").decode()
    if how == "no":
        return warned(
            id,
            "the append-only file is left to the system to write: a crash loses up to half a minute",
            "redis-cli CONFIG SET appendfsync everysec && redis-cli CONFIG REWRITE",
        )
    return passed(id, f"append-only file, appendfsync {how}")


def _eviction(id: str, facts: Facts) -> Finding:
    policy = facts.info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return passed(id, "maxmemory-policy is noeviction")
    return failed(
        id,
        f"maxmemory-policy is {policy}; jobs may be deleted under memory pressure",
        "redis-cli CONFIG SET maxmemory-policy noeviction && redis-cli CONFIG REWRITE",
    )


def _memory(id: str, facts: Facts) -> Finding:
    most, used = facts.number("maxmemory"), facts.number("used_memory")
    if not most:
        return passed(id, f"{mebibytes(used)} used, no limit set")
    text = f"{mebibytes(used)} of {mebibytes(most)} used ({used / most:.0%})"
    if used >= 0.75 * most:
        return (failed if used >= 0.9 * most else warned)(id, f"{text}; when it is full, nothing can be enqueued")
    return passed(id, text)


def _evicted(id: str, facts: Facts) -> Finding:
    gone = int(facts.number("evicted_keys"))
    if gone:
        return failed(
            id, f"{gone:,} keys were deleted under memory pressure since the server started: jobs may be lost"
        )
    return passed(id, "no key was ever evicted")


def _role(id: str, facts: Facts) -> Finding:
    role = facts["role"][0].decode()
    if role == "master":
        return passed(id, "connected to a master")
    return failed(id, f"connected to a {role}, which takes no writes: give the master's address, or redis+sentinel://")


def _replica(id: str, facts: Facts) -> Finding | None:
    if not facts.production or facts.info.get("role") != "master":
        return None
    replicas = int(facts.number("connected_slaves"))
    return passed(id, f"{replicas} replicas") if replicas else warned(id, "no replica; a lost disk loses the queue")


def _clients(id: str, facts: Facts) -> Finding:
    there, most = int(facts.number("connected_clients")), int(facts.number("maxclients")) or 10_000
    text = f"{there:,} of {most:,} clients connected"
    return warned(id, f"{text}; above the limit nobody gets in") if there > 0.8 * most else passed(id, text)


def _fragmentation(id: str, facts: Facts) -> Finding:
    ratio = facts.number("mem_fragmentation_ratio")
    text = f"memory fragmentation is {ratio:.1f}"
    # A small server is all overhead: there the ratio says nothing.
    if ratio > 1.5 and facts.number("used_memory") > _MANY_BYTES:
        return warned(id, f"{text}: it takes more memory than it uses", "redis-cli CONFIG SET activedefrag yes")
    return passed(id, text)


def _cluster(id: str, facts: Facts) -> Finding | None:
    enabled = facts.info.get("cluster_enabled") == "1"
    if enabled and not facts.is_cluster:
        return warned(id, "this is a node of a Cluster and the URL names a single server: write it as redis+cluster://")
    return passed(id, "the URL says that it is a Cluster") if enabled else None


def _slow(id: str, facts: Facts) -> Finding:
    ours = [entry for entry in map(_slow_entry, facts["slowlog"]) if entry >= _SLOW]
    if ours:
        return warned(
            id, f"scripts on asynq's keys that took over 50 ms: {len(ours)}, the slowest {max(ours) / 1000:,.0f} ms"
        )
    return passed(id, "no script on asynq's keys took over 50 ms lately")


def _slow_entry(entry: Any) -> int:
    """Return for how many microseconds a script of asynq's keys ran, 0 for any other command."""
    _, _, took, words, *_ = entry
    is_script = words and words[0].lower() in (b"eval", b"evalsha", b"fcall")
    return int(took) if is_script and any(word.startswith(b"asynq:") for word in words) else 0


def _archive(id: str, facts: Facts) -> Finding:
    name, most = max(facts.archived.items(), key=lambda queue: queue[1], default=("", 0))
    if most < 0.8 * _ARCHIVE_HOLDS:
        return passed(id, f"at most {most:,} of {_ARCHIVE_HOLDS:,} failed jobs are kept in a queue")
    text = f'the queue "{name}" keeps {most:,} failed jobs; beyond {_ARCHIVE_HOLDS:,} asynq deletes the oldest'
    return (failed if most >= 0.95 * _ARCHIVE_HOLDS else warned)(id, text, "ferryman failed")


def _rights(id: str, facts: Facts) -> Finding:
    refused = [reply.decode() for reply in facts["rights"] if reply != b"OK"]
    if refused:
        return failed(id, f"the user lacks a right that ferryman needs: {refused[0]}", "redis-cli ACL LIST")
    return passed(id, "the user may do what ferryman needs")


def _strays(id: str, facts: Facts) -> Finding:
    looked, strays = facts["strays"]
    if strays:
        queue, word, task = strays[0]
        return warned(
            id,
            f"of {looked:,} ids that were looked at {len(strays):,} have no job any more: they only fill the queues. "
            f'One is {task} in "{queue}", {word}',
            f"redis-cli {'LREM' if word in _LISTS else 'ZREM'} '{QueueKeys(queue).prefix}{word}' {_all(word)}{task}",
        )
    return passed(id, f"each of {looked:,} ids that were looked at has its job")


def _all(word: str) -> str:
    return "0 " if word in _LISTS else ""


def _clock(id: str, facts: Facts) -> Finding:
    second, microsecond = facts["time"]
    theirs = int(second) + int(microsecond) / 1e6
    ours = (facts.asked.timestamp() + facts.answered.timestamp()) / 2
    return clocks_apart(id, abs(theirs - ours))


Check = Callable[[str, Facts], Finding | None]
CHECKS: Mapping[str, Check] = {
    "R-VERSION": _version,
    "R-ROLE": _role,
    "R-AOF": _persistence,
    "R-EVICT": _eviction,
    "R-MEM": _memory,
    "R-EVICTED": _evicted,
    "R-REPLICA": _replica,
    "R-CLIENTS": _clients,
    "R-FRAG": _fragmentation,
    "R-CLUSTER": _cluster,
    "R-SLOW": _slow,
    "R-ARCHIVE": _archive,
    "R-PERMS": _rights,
    "R-STRAY": _strays,
    "C-CLOCK": _clock,
}
