"""Answers the harness's requests, one after another (spec/river-conformance.md 1.3 and 1.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

import ferryman
from ferryman.errors import ConfigError, FerrymanError, JobNotFound, QueueNotFound, WrongState
from ferryman.job import Job, JobRef, State
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter, JobOrder
from ferryman.storage.river import cursors
from ferryman.testing.river_adapter import requests as asked
from ferryman.testing.river_adapter.barriers import Barriers
from ferryman.testing.river_adapter.client import Client
from ferryman.testing.river_adapter.database import Database
from ferryman.testing.river_adapter.newjobs import exact_object, new_jobs, refuse_repeated_keys
from ferryman.testing.river_adapter.reports import report
from ferryman.testing.river_adapter.requests import InvalidParams, MethodNotFound, NotFound, Rejected, Request

__all__ = ["Server"]

P = TypeVar("P", bound=asked.Params)

_STOP_WITHIN = 10.0
_FOR_A_WORKER = 3
"""Connections for a worker.  The harness runs sixteen processes at a time, on a server for a hundred connections."""
_MOST = 10_000
_DIRECTIONS = {None: False, "": False, "asc": False, "desc": True}
_ORDERS = ("id", "scheduled_at", "finalized_at", "time")
_INTERNAL = -32603


class Server:
    """Everything that lives as long as the process: storages, transactions, barriers, and one worker at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._storages: dict[str, AsyncStorage] = {}
        self._transactions: dict[str, Any] = {}
        self._barriers = Barriers()
        self._client: Client | None = None
        self._methods: Mapping[str, tuple[type[Any], Callable[[Any], Awaitable[Any]]]] = {
            "handshake": (asked.NoParams, self._handshake),
            "insert": (asked.InsertParams, self._insert),
            "cancel": (asked.JobParams, self._cancel),
            "retry": (asked.JobParams, self._retry),
            "list": (asked.ListParams, self._list),
            "migrate": (asked.MigrateParams, self._migrate),
            "queue": (asked.QueueParams, self._queue),
            "request_resign": (asked.ResignParams, self._request_resign),
            "start": (asked.StartParams, self._start),
            "stats": (asked.NoParams, self._stats),
            "stop": (asked.StopParams, self._stop),
            "release": (asked.ReleaseParams, self._release),
            "tx_begin": (asked.TxParams, self._tx_begin),
            "tx_end": (asked.TxEndParams, self._tx_end),
        }

    async def answer(self, line: bytes) -> bytes:
        """Answer one line with another."""
        request = Request()
        try:
            request = _decoded(line)
            result = {"result": await self._run(request) or {}}
        except asked.Refusal as refusal:
            result = {"error": {"code": refusal.code, "message": str(refusal)}}
        except Exception as error:
            result = {"error": {"code": asked.Rejected.code, "message": f"{type(error).__name__}: {error}"}}
        frame = {"id": request.id, "jsonrpc": "2.0"}
        try:
            return msgspec.json.encode({**frame, **result})
        except Exception as error:
            return msgspec.json.encode({**frame, "error": {"code": _INTERNAL, "message": str(error)}})

    async def close(self) -> None:
        """Stop the worker, roll back what is open, and disconnect."""
        if self._client is not None:
            with suppress(asked.Refusal):
                await self._client.stop(cancel=True, within=_STOP_WITHIN)
        for connection in self._transactions.values():
            with suppress(Exception):
                await self._database.end(connection, commit=False)
        for storage in self._storages.values():
            await storage.__aexit__(None, None, None)

    async def _run(self, request: Request) -> Any:
        if request.method not in self._methods:
            raise MethodNotFound(f'There is no method "{request.method}".')
        kind, method = self._methods[request.method]
        params = _params(request.params, kind)
        try:
            return await method(params)
        except (JobNotFound, QueueNotFound) as error:
            raise NotFound(str(error)) from error
        except FerrymanError as error:
            raise Rejected(f"{type(error).__name__}: {error}") from error

    async def _handshake(self, params: asked.NoParams) -> dict[str, Any]:
        return {"driver": self._database.driver, "implementation": "py", "version": ferryman.__version__}

    async def _insert(self, params: asked.InsertParams) -> dict[str, Any]:
        where = await self._where(params.schema, params.tx)
        jobs = new_jobs(params.jobs or [])
        refuse_repeated_keys(jobs)
        stored = await where.jobs.insert_and_get(jobs)
        return {
            "results": [
                {"job": report(job), "unique_skipped_as_duplicate": inserted.duplicate} for inserted, job in stored
            ]
        }

    async def _cancel(self, params: asked.JobParams) -> dict[str, Any]:
        return report(await (await self._where(params.schema, params.tx)).jobs.cancel(_ref(params)))

    async def _retry(self, params: asked.JobParams) -> dict[str, Any]:
        jobs = (await self._where(params.schema, params.tx)).jobs
        try:
            job: Job = await jobs.retry(_ref(params))
        except WrongState:
            job = await jobs.get(_ref(params))  # River leaves a running job alone, and says nothing
        return report(job)

    async def _list(self, params: asked.ListParams) -> dict[str, Any]:
        which, order = _which(params), _order(params)
        if params.after:
            try:
                cursors.read(params.after)
            except ConfigError as error:
                raise InvalidParams(str(error)) from error
        where = await self._where(params.schema, params.tx)
        page = await where.jobs.list(which, order=order, limit=params.limit or 100, cursor=params.after or None)
        cursor = cursors.behind(page.items[-1], which, order) if page.items else None
        return {"cursor": cursor, "jobs": [report(job) for job in page.items]}

    async def _migrate(self, params: asked.MigrateParams) -> dict[str, Any]:
        if params.direction not in (None, "", "up", "down"):
            raise InvalidParams(f'direction is "{params.direction}". It takes up or down.')
        schema = (await self._storage(params.schema)).schema
        done = await schema.migrate("main", up=params.direction != "down", target=params.target_version)
        return {"versions": [int(name.split()[0]) for name in done]}

    async def _queue(self, params: asked.QueueParams) -> None:
        queues, name = (await self._where(params.schema, params.tx)).queues, params.name or ""
        match params.action:
            case "pause":
                await queues.pause(name)
            case "resume":
                await queues.resume(name)
            case "update":
                await queues.update(name, exact_object(params.metadata, "metadata"))
            case _:
                raise InvalidParams(f'action is "{params.action}". It takes pause, resume or update.')

    async def _request_resign(self, params: asked.ResignParams) -> None:
        await (await self._where(params.schema, params.tx)).notices.request_resign()

    async def _start(self, params: asked.StartParams) -> None:
        if self._client is not None:
            raise Rejected("A client runs already.")
        client = Client(params, self._database.storage(params.schema or "", connections=_FOR_A_WORKER), self._barriers)
        try:
            await client.start()
        except BaseException:
            await client.close()
            raise
        self._client = client

    async def _stats(self, params: asked.NoParams) -> dict[str, Any]:
        return await self._running().stats.report()

    async def _stop(self, params: asked.StopParams) -> None:
        client, self._client = self._running(), None
        await client.stop(cancel=bool(params.cancel), within=_STOP_WITHIN)

    async def _release(self, params: asked.ReleaseParams) -> None:
        self._barriers.release(params.name or "")

    async def _tx_begin(self, params: asked.TxParams) -> None:
        if not params.tx:
            raise InvalidParams("tx needs a name.")
        if params.tx in self._transactions:
            raise Rejected(f'The transaction "{params.tx}" is open already.')
        self._transactions[params.tx] = await self._database.begin()

    async def _tx_end(self, params: asked.TxEndParams) -> None:
        connection = self._transaction(params.tx or "")
        del self._transactions[params.tx or ""]
        await self._database.end(connection, commit=bool(params.commit))

    def _running(self) -> Client:
        if self._client is None:
            raise Rejected("No client runs.")
        return self._client

    async def _where(self, schema: str | None, tx: str | None) -> Any:
        """Return the storage of a schema, or its view from inside a transaction."""
        storage = await self._storage(schema)
        return storage.within(self._transaction(tx)) if tx else storage

    async def _storage(self, schema: str | None) -> AsyncStorage:
        """Return the storage of a schema.  One beside the ordinary one stays open: a process has few connections."""
        name = schema or ""
        if name not in self._storages:
            for other in [each for each in self._storages if each]:
                await self._storages.pop(other).__aexit__(None, None, None)
            self._storages[name] = self._database.storage(name, connections=1)
        return self._storages[name]

    def _transaction(self, name: str) -> Any:
        if name not in self._transactions:
            raise NotFound(f'No transaction "{name}" is open.')
        return self._transactions[name]


def _decoded(line: bytes) -> Request:
    try:
        request = msgspec.json.decode(line, type=Request)
    except msgspec.ValidationError as error:
        raise asked.InvalidRequest(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise asked.ParseError(str(error)) from error
    if request.jsonrpc != "2.0":
        raise asked.InvalidRequest(f"jsonrpc is {request.jsonrpc!r} and not 2.0.")
    return request


def _params(raw: msgspec.Raw, kind: type[P]) -> P:
    text = bytes(raw)
    try:
        return msgspec.json.decode(b"{}" if text == b"null" else text, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InvalidParams(str(error)) from error


def _ref(params: asked.JobParams) -> JobRef:
    return JobRef(str(params.id or 0))


def _which(params: asked.ListParams) -> JobFilter:
    metadata = {} if bytes(params.metadata) == b"null" else exact_object(params.metadata, "metadata")
    try:
        states = tuple(State(name) for name in params.states or ())
    except ValueError as error:
        raise Rejected(str(error)) from error
    if not 0 <= (params.limit or 0) <= _MOST:
        raise Rejected(f"limit is {params.limit}. It takes 1 to {_MOST}.")
    return JobFilter(
        ids=tuple(map(str, params.ids or ())),
        kinds=tuple(params.kinds or ()),
        metadata=metadata,
        priorities=tuple(params.priorities or ()),
        queues=tuple(params.queues or ()),
        states=states,
        tags=tuple(params.tags_all or ()),
    )


def _order(params: asked.ListParams) -> JobOrder:
    if params.direction not in _DIRECTIONS:
        raise InvalidParams(f'direction is "{params.direction}". It takes asc or desc.')
    by: Any = params.order_by or "id"
    if by not in _ORDERS:
        raise Rejected(f'order_by is "{by}". It takes {", ".join(_ORDERS)}.')
    return JobOrder(by=by, descending=_DIRECTIONS[params.direction])
