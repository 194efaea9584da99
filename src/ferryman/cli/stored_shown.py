"""How a job is shown as it is stored: every field, and none of it made nicer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import msgspec

from ferryman.cli.output import Listing, Row, printable
from ferryman.cli.times import Times
from ferryman.job import Job
from ferryman.redaction import Redaction
from ferryman.views import job_view

__all__ = ["STORED"]


def _view(job: Job) -> Row:
    return {
        **job_view(job),
        "args_base64": b64encode(job.args).decode(),
        "metadata_base64": b64encode(job.raw_metadata).decode(),
        "unique_key": job.unique_key and job.unique_key.hex(),
        "unique_states": job.unique_states,
        "unreadable": job.unreadable,
    }


def _lines(job: Job, times: Times) -> Iterator[str]:
    shown = {"ref": str(job.ref), "unique_key": job.unique_key and job.unique_key.hex()}
    # A storage's own jobs have fields more, which nobody made safe to show.
    for name in Job.__struct_fields__:
        yield f"{name:<19}  {printable(_text(shown.get(name, getattr(job, name))))}"


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    plain = msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


STORED = Listing(_view, lambda job: str(job.ref), lines=_lines, safe=Redaction.job)
