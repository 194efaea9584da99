"""The briefing service, which somebody else runs and we call over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import msgspec

from briefings import settings
from briefings.briefing import Briefing, Content
from ferryman import Discard, Snooze

WORTH_RETRYING = {408, 425, 429}
LONGEST_WAIT = timedelta(minutes=5)
PATIENCE = timedelta(minutes=30)


class ServiceError(Exception):
    """The service did not do its work this time.  The sentence is for readers of the page."""


def client() -> httpx.AsyncClient:
    """Make the client that a worker holds.  The secret is read here, and never part of a job."""
    headers = {"Authorization": f"Bearer {settings.webhook_secret}"} if settings.webhook_secret else {}
    return httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(None, connect=5.0))


async def ask(http: httpx.AsyncClient, briefing: Briefing) -> Content:
    """Have a briefing made.

    Raises ServiceError when trying again may help, Discard when it cannot, and Snooze
    when the service says when to come back.
    """
    key = {"Idempotency-Key": str(briefing.id)}
    try:
        async with asyncio.timeout(settings.webhook_timeout.total_seconds()):
            response = await http.post(settings.webhook_url, json={"topic": briefing.topic}, headers=key)
    except (TimeoutError, httpx.TimeoutException):
        seconds = settings.webhook_timeout.total_seconds()
        raise ServiceError(f"The briefing service did not answer within {seconds:g} s.") from None
    except httpx.HTTPError as error:
        raise ServiceError("The briefing service could not be reached.") from error
    if not response.is_success:
        raise _refusal(response, briefing)
    try:
        return msgspec.json.decode(response.content, type=Content)
    except msgspec.MsgspecError as error:
        raise ServiceError("The briefing service sent something that is not a briefing.") from error


def _refusal(response: httpx.Response, briefing: Briefing) -> Exception:
    code, asked = response.status_code, response.headers.get("retry-after", "")
    if code < 500 and code not in WORTH_RETRYING:
        return Discard(f"The briefing service refused the topic (it answered {code}).")
    # A snooze is no failed attempt, so a service that is always busy must not have us wait for ever.
    if asked.isdecimal() and briefing.started_at and datetime.now(UTC) - briefing.started_at < PATIENCE:
        return Snooze(min(timedelta(seconds=int(asked)), LONGEST_WAIT))
    return ServiceError(f"The briefing service answered {code}.")
