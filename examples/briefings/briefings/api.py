"""What can be asked over HTTP.  Each thing has one address: browsers get pages, programs JSON."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from briefings import failpoint, files
from briefings.briefing import Briefing, briefing_from
from briefings.database import Connection
from briefings.guard import refuse_strangers
from briefings.pages import last_beat, page, waiting_for
from briefings.tasks import database, generate_briefing, jobs, outbox

logger = logging.getLogger("briefings")

LONGEST = 200
KEY_STANDS = timedelta(hours=24)


async def index(request: Request, topic: str = "", error: Mapping[str, str] | None = None) -> Response:
    """The form and the latest briefings."""
    with database.reading() as connection:
        latest, beat = [briefing_from(row) for row in connection.run("latest")], last_beat(connection)
        waiting = await waiting_for(latest, connection)
    values = {"briefings": latest, "waiting": waiting, "beat": beat, "topic": topic, "error": error, "key": uuid4()}
    return page(request, "index.html", 422 if error else 200, **values)


async def create(request: Request) -> Response:
    """Store a briefing together with its job, and answer before anything is done."""
    is_form = not request.headers.get("content-type", "").startswith("application/json")
    said: Any = await request.form() if is_form else await _json(request)
    topic, key = said.get("topic"), request.headers.get("idempotency-key") or said.get("key")
    if error := _problem(topic, key):
        return await index(request, str(topic or ""), error) if is_form else _json_answer({"errors": error}, 422)
    briefing = await _create(" ".join(topic.split()), key)
    failpoint.reach("after_commit")
    outbox.send_soon()
    logger.info("briefing %s is job %s (request %s)", briefing.id, briefing.job_ref, _request_id(request))
    return RedirectResponse(_links(briefing)["self"], 303) if is_form else _accepted(briefing)


async def _create(topic: str, key: str | None) -> Briefing:
    async with database.transaction() as tx:
        if key:
            earlier = tx.run("briefing_of_key", key=key, horizon=datetime.now(UTC) - KEY_STANDS).fetchone()
            if found := briefing_from(earlier):
                return found
            tx.run("forget_key", key=key)
        id = uuid4()
        tx.run("create", id=id, topic=topic, key=key)
        return await _enqueue(tx, id)


async def _enqueue(tx: Connection, id: UUID) -> Briefing:
    # The job is in the transaction of its briefing: there is never one without the other.
    task = generate_briefing.using(tx=tx)
    if jobs.outbox:  # then the id is what tells a job that is sent twice
        task = task.using(id=f"briefing:{id}:{_briefing(tx, id).tries}")
    ref = (await task.enqueue(id)).ref
    tx.run("belongs_to", id=id, job=ref)
    return _briefing(tx, id)


async def show(request: Request) -> Response:
    """One briefing."""
    with database.reading() as connection:
        briefing = _briefing(connection, request.path_params["id"])
        names = [row["name"] for row in connection.run("files_of_briefing", id=briefing.id)]
        waiting = await waiting_for([briefing], connection) if _wants_html(request) else {}
    if not _wants_html(request):
        return _with_etag(request, _json_answer(_as_json(briefing), headers={"Vary": "Accept"}))
    values = {"briefing": briefing, "files": names, "waiting": waiting.get(briefing.id)}
    return _with_etag(request, page(request, "briefing.html", **values))


async def events(request: Request) -> Response:
    """What a briefing goes through, as it comes; ends when there is nothing more to say."""
    with database.reading() as connection:
        id = _briefing(connection, request.path_params["id"]).id
    return StreamingResponse(_states(id), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _states(id: UUID) -> AsyncIterator[bytes]:
    told = None
    while not (told and told.final):
        with database.reading() as connection:
            briefing = briefing_from(connection.run("briefing", id=id).fetchone())
        if briefing is None:
            return
        if briefing != told:
            yield b"event: status\ndata: " + msgspec.json.encode(_as_json(briefing)) + b"\n\n"
        told = briefing
        await asyncio.sleep(0.2)


async def again(request: Request) -> Response:
    """Give a failed briefing a new job."""
    id = request.path_params["id"]
    async with database.transaction() as tx:
        if not tx.run("reset", id=id).rowcount:
            raise HTTPException(409, f"This briefing is {_briefing(tx, id).status}. Only a failed one is tried again.")
        briefing = await _enqueue(tx, id)
    outbox.send_soon()
    return RedirectResponse(_links(briefing)["self"], 303) if _wants_html(request) else _accepted(briefing)


async def delete(request: Request) -> Response:
    """Delete a briefing.  Its job finds nothing to do, and its files become orphans."""
    async with database.transaction() as tx:
        tx.run("delete", id=_briefing(tx, request.path_params["id"]).id)
    return RedirectResponse("/", 303) if _wants_html(request) else Response(status_code=204)


async def upload(request: Request) -> Response:
    """Attach a file to a briefing."""
    id = request.path_params["id"]
    async with request.form(max_files=1, max_fields=1) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise HTTPException(422, "Choose a file. Its field is called file.")
        file = await files.attach(database, id, sent.filename, await sent.read())
    return RedirectResponse(f"/briefings/{id}", 303) if _wants_html(request) else _json_answer({"id": file}, 201)


async def failed(request: Request) -> Response:
    """The jobs that gave up, each with its briefing."""
    refuse_strangers(request)
    found = (await jobs.admin.jobs.failed()).items
    with database.reading() as connection:
        rows = [(job, briefing_from(connection.run("briefing_of_job", job=job.ref).fetchone())) for job in found]
    if _wants_html(request):
        return page(request, "failed.html", rows=rows)
    told = [{"job": str(job.ref), "kind": job.kind, "attempt": job.attempt, "error": job.error} for job in found]
    return _json_answer({"v": 1, "data": told})


async def revive(request: Request) -> Response:
    """Let a job that gave up run once more."""
    refuse_strangers(request)
    await jobs.admin.jobs.retry(request.path_params["ref"], actor="operator")
    return RedirectResponse("/failed", 303) if _wants_html(request) else Response(status_code=202)


async def healthz(request: Request) -> Response:
    """Whether this process is alive."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Whether the database answers."""
    with database.reading() as connection:
        last_beat(connection)
    return PlainTextResponse("ok\n")


def _briefing(connection: Connection, id: UUID) -> Briefing:
    briefing = briefing_from(connection.run("briefing", id=id).fetchone())
    if briefing is None:
        raise HTTPException(404, "There is no such briefing. It may have been deleted.")
    return briefing


def _problem(topic: Any, key: Any) -> dict[str, str]:
    if not isinstance(topic, str) or not topic.strip():
        return {"topic": "A topic is needed."}
    if len(topic.strip()) > LONGEST:
        return {"topic": f"A topic has at most {LONGEST} characters; this one has {len(topic.strip())}."}
    return {"Idempotency-Key": f"A key has at most {LONGEST} characters."} if len(str(key)) > LONGEST else {}


def _as_json(briefing: Briefing) -> dict[str, Any]:
    return msgspec.structs.asdict(briefing) | {"links": _links(briefing)}


def _links(briefing: Briefing) -> dict[str, str]:
    return {"self": f"/briefings/{briefing.id}", "events": f"/briefings/{briefing.id}/events"}


def _accepted(briefing: Briefing) -> Response:
    links = _links(briefing)
    body = {"id": briefing.id, "status": briefing.status, "links": links}
    return _json_answer(body, 202, {"Location": links["self"], "Retry-After": "2"})


async def _json(request: Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.body(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise HTTPException(400, f"The body is not a JSON object: {error}.") from error


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _request_id(request: Request) -> str:
    return request.headers.get("x-request-id", "")[:100] or uuid4().hex[:8]


def _json_answer(value: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), code, headers, "application/json")


def _with_etag(request: Request, response: Response) -> Response:
    etag = f'W/"{hashlib.sha256(response.body).hexdigest()[:20]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return response
