"""Says in our words what Redis, or the way to it, answered.

What concerns the server as a whole is `StorageUnavailable`, for it passes: jobs and
outcomes are kept and tried again.  What concerns one call is `Refused`.
"""

from __future__ import annotations

from redis import exceptions as redis

from ferryman.errors import StorageError, StorageUnavailable
from ferryman.storage.asynq.calls import Call, Refused, Script

__all__ = ["translate"]

_PASSING = {
    "LOADING": "is still loading its data. It will answer when that is done.",
    "OOM": "is out of memory. Raise its maxmemory, or delete what is not needed; jobs can still be worked meanwhile.",
    "READONLY": "is a replica and takes no writes. Give the master's address, or use redis+sentinel://.",
    "MISCONF": "cannot save to its disk and so takes no writes. Look into its log.",
    "MASTERDOWN": "is a replica that has lost its master.",
    "CLUSTERDOWN": "is a Cluster of which a part is down. Look at CLUSTER INFO.",
    "TRYAGAIN": "is moving these keys to another node.",
    "NOREPLICAS": "has not the replicas that its min-replicas-to-write demands.",
    "BUSY": "is busy with a script that does not end.",
    "NOAUTH": "asks for a password. Write it as in redis://:password@host:6379/0.",
    "WRONGPASS": "refuses this user and password.",
}


def translate(error: Exception, location: str, call: Call | None = None) -> StorageError:
    """Return our error for one of redis-py's; `call` is what was answered with it."""
    code, text = _code(error)
    if code == "NOPERM":
        return StorageUnavailable(f"The user that logs in to Redis at {location} lacks a right: {text}.")
    if "non local key" in text:  # what a script hears of a key that its caller did not name
        code = "TRYAGAIN"
    if code in _PASSING:
        return StorageUnavailable(f"Redis at {location} {_PASSING[code]} ({code} {text})")
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return StorageUnavailable(f"Redis at {location} did not answer in time ({text}).")
    if isinstance(error, redis.ConnectionError | OSError):
        return StorageUnavailable(f"Redis at {location} cannot be reached ({text}). Is it running there?")
    reply = f"{code} {text}".strip()
    return Refused(f"Redis at {location} refused {_named(call)}: {reply}", reply=reply)


def _code(error: Exception) -> tuple[str, str]:
    """Take an error reply apart: redis-py keeps the codes that it knows beside the text."""
    text = str(error).rstrip(".")
    if code := getattr(error, "status_code", None):
        return code, text
    first, _, rest = text.partition(" ")
    return (first, rest) if first.isupper() and first.isalpha() else ("", text)


def _named(call: Call | None) -> str:
    if call is None:
        return "a call"
    if isinstance(call, Script):
        return f"{call.name} with {', '.join(call.keys.values())}"
    return f"{call.words[0]!s} {call.words[1]!s}" if len(call.words) > 1 else str(call.words[0])
