"""What River accepts, checked before anything is stored (spec/river.md 3.1).

Each refusal names the value and the rule.  Options that the format cannot keep at all
are `Unsupported`; values that are out of range are `InvalidJob`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence

import msgspec

from ferryman import gojson
from ferryman.errors import ConfigError, InvalidJob, Unsupported
from ferryman.job import NewJob
from ferryman.storage.river.rows import has_nul

__all__ = ["LargeArguments", "check", "check_queue", "check_schema"]

_QUEUE = re.compile(r"(?:[a-z0-9])+(?:[_|\-]?[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"\w[\w\-]+\w", re.ASCII)
_KIND = re.compile(r"\w[\w\-\[\]<>/.·:+]+", re.ASCII)
_SCHEMA = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_LARGE = 1024 * 1024
_LONGEST_QUEUE, _LONGEST_KIND, _LONGEST_TAG = 64, 127, 255
# A channel is the schema, a dot and the longest topic, in at most 63 bytes (spec/river.md 1.1).
_LONGEST_SCHEMA = 46


class LargeArguments(UserWarning):
    """A job's arguments are so large that every fetch and page will feel it."""


def check(jobs: Sequence[NewJob]) -> None:
    """Refuse jobs that River would refuse.  Raises InvalidJob or Unsupported; warns of arguments over 1 MiB."""
    seen: set[tuple[str, str]] = set()
    for job in jobs:
        # Kind and queue repeat in a batch: each pair is looked at once.
        pair = (job.kind, job.queue)
        if pair not in seen:
            check_kind(job.kind)
            check_queue(job.queue)
            seen.add(pair)
        _check_job(job)


def check_kind(kind: str) -> None:
    """Refuse a kind that River's workers cannot register.  Raises InvalidJob."""
    if len(kind) > _LONGEST_KIND or not _KIND.fullmatch(kind):
        raise InvalidJob(
            f'The kind "{kind}" does not suit River. It takes 2 to {_LONGEST_KIND} characters: letters, digits, _ '
            "and - [ ] < > / . · : +, the first a letter, digit or _."
        )


def check_queue(name: str) -> None:
    """Refuse a queue name that River's clients refuse.  Raises InvalidJob."""
    if len(name) > _LONGEST_QUEUE or not _QUEUE.fullmatch(name):
        raise InvalidJob(
            f'The queue name "{name}" does not suit River. It takes up to {_LONGEST_QUEUE} lower-case letters and '
            "digits, with single - or _ between them, such as high-priority."
        )


def check_schema(name: str, origin: str) -> None:
    """Refuse a schema that River's clients refuse; `origin` is where it was written.  Raises ConfigError."""
    if len(name) > _LONGEST_SCHEMA or not _SCHEMA.fullmatch(name):
        raise ConfigError(
            f'{origin} is "{name}". It takes up to {_LONGEST_SCHEMA} letters, digits and _, and no digit first.'
        )


def _check_job(job: NewJob) -> None:
    if job.group is not None:
        raise Unsupported(
            f"group=\"{job.group}\" cannot be kept in River's format. Groups are asynq's: use a redis:// URL."
        )
    if job.id is not None and not _ID.fullmatch(job.id):
        raise Unsupported(
            f'id="{job.id}" cannot be kept in River\'s format, whose ids are numbers from 1. Use unique=… instead.'
        )
    if job.priority is not None and not 1 <= job.priority <= 4:
        raise InvalidJob(f"priority is {job.priority}. It takes 1 (first) to 4 (last).")
    if job.max_attempts is not None and job.max_attempts < 0:
        raise InvalidJob(f"max_attempts is {job.max_attempts}. It takes 1 or more.")
    if job.tags:
        _check_tags(job.tags)
    if job.metadata is not None and not isinstance(job.metadata, Mapping):
        raise InvalidJob(f"metadata is {job.metadata!r}. It takes a mapping, such as a dict.")
    if job.metadata or job.headers:
        _refuse_nul(gojson.encode([job.metadata, job.headers]), f'the metadata of "{job.kind}"')
    _check_args(job)


def _check_tags(tags: Sequence[str]) -> None:
    for tag in tags:
        if len(tag.encode()) > _LONGEST_TAG or not _TAG.fullmatch(tag):
            raise InvalidJob(
                f'The tag "{tag}" does not suit River. It takes 3 to {_LONGEST_TAG} letters, digits, _ and -, '
                "with a letter, digit or _ at both ends."
            )


def _check_args(job: NewJob) -> None:
    try:
        job.args.decode()
        msgspec.json.decode(job.args, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJob(
            f'The arguments of "{job.kind}" are not JSON ({error}). River keeps JSON; raw bytes need a redis:// URL.'
        ) from error
    _refuse_nul(job.args, f'the arguments of "{job.kind}"')
    if len(job.args) > _LARGE:
        warnings.warn(
            f'The arguments of "{job.kind}" take {len(job.args):,} bytes. Keep it elsewhere and enqueue a key.',
            LargeArguments,
            stacklevel=2,
        )


def _refuse_nul(json: bytes, what: str) -> None:
    if has_nul(json):
        raise InvalidJob(
            f"There is a NUL character (\\u0000) in {what}, which Postgres does not keep. Take it out first."
        )
