"""What a form says, however badly it was sent."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from ferryman.web.bodies import bounded
from ferryman.web.refusals import Refusal

__all__ = ["read_form"]


async def read_form(request: Request, *, longest: int, most: int) -> FormData:
    """Return the fields of a form, `most` of them in `longest` bytes.  Raises Refusal."""
    try:
        return await bounded(request, longest).form(max_fields=most, max_files=0)
    except (MultiPartException, HTTPException) as error:
        why = error.message if isinstance(error, MultiPartException) else error.detail
        raise Refusal(400, "bad_form", f"The form cannot be read: {why}") from None
