"""What a request carries, and never more of it than is taken here, whatever its headers say.

A length that is said proves nothing: a request that comes in chunks may say one too.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Message

from ferryman.web.refusals import Refusal

__all__ = ["bounded"]


def bounded(request: Request, longest: int) -> Request:
    """Return the request for whoever reads what it carries; reading raises Refusal after `longest` bytes.

    Raises Refusal at once where it says that it is longer, or nothing.
    """
    too_long = Refusal(413, "too_long", f"A body may have {longest:,} bytes here, and has to say how many it has.")
    said = request.headers.get("content-length", "")
    if not said.isdecimal() or len(said) > 9 or int(said) > longest:
        raise too_long
    left = longest

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "broke_off", "The request broke off before all of it was here.")
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_long
        return message

    return Request(request.scope, receive)
