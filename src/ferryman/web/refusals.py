"""Why a request is not answered with what it asks for: a status, a name for programs, a sentence for people.

Errors of the storage become refusals here too, so pages and API say the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from ferryman import errors
from ferryman.redaction import USUAL

__all__ = ["Refusal", "refusal_for"]

_STATUS: Mapping[type[BaseException], tuple[int, str]] = {
    errors.ConfigError: (400, "bad_request"),
    errors.InvalidJob: (400, "invalid_job"),
    errors.InvalidArguments: (400, "invalid_arguments"),
    errors.JobNotFound: (404, "job_not_found"),
    errors.QueueNotFound: (404, "queue_not_found"),
    errors.BulkNotFound: (404, "bulk_not_found"),
    errors.ScheduleNotFound: (404, "schedule_not_found"),
    errors.UnknownTask: (404, "unknown_task"),
    errors.DuplicateJob: (409, "duplicate_job"),
    errors.WrongState: (409, "wrong_state"),
    errors.Unsupported: (422, "unsupported"),
    errors.MissingExtra: (500, "missing_extra"),
    errors.SchemaOutOfDate: (503, "schema_out_of_date"),
    errors.StorageUnavailable: (503, "storage_unavailable"),
    errors.StorageError: (503, "storage_error"),
    errors.FerrymanError: (500, "error"),
    TimeoutError: (504, "out_of_time"),
}


class Refusal(Exception):
    """A request that is not answered with what it asks for."""

    def __init__(
        self, status: int, code: str, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})


def refusal_for(error: Exception) -> Refusal:
    """Return what is said when this error ends a request; what nobody expected is not described to strangers."""
    if isinstance(error, Refusal):
        return error
    known = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
    if known is None:
        return Refusal(500, "bug", "Something went wrong here; nobody but us can put it right.")
    status, code = known
    if isinstance(error, TimeoutError):
        return Refusal(status, code, "The storage took too long to answer. Narrow what is asked for, or try again.")
    headers = {"Retry-After": "5"} if status == 503 else {}
    return Refusal(status, code, USUAL.text(str(error)), hint=getattr(error, "hint", "") or "", headers=headers)
