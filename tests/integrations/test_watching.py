"""Traces, reports and logs: what others' tools are told of a job."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import pytest
import sentry_sdk
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sentry_sdk.transport import Transport

from ferryman import Cancel, Ferryman, sentry, tracing
from ferryman.job_fields import JobFields, bind_job
from ferryman.testing import run_until_empty
from servers import valkey

GO = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def traced(url: str) -> tuple[Ferryman, InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    jobs = Ferryman(url)
    tracing.instrument(jobs, tracer_provider=provider)

    @jobs.task("mail:send", retries=0)
    def send(to: str) -> None:
        if not to:
            raise LookupError("nobody")
        if to == "unwanted":
            raise Cancel("no")

    return jobs, exporter


@pytest.mark.parametrize("system", ["river", "asynq"])
async def test_enqueueing_and_working_are_one_trace(system: str) -> None:
    valkey().flush()
    jobs, exporter = traced("sqlite://" if system == "river" else valkey().url)
    async with jobs:
        ref = (await jobs.tasks["mail:send"].using(retention="1h").enqueue("ada")).ref
        await run_until_empty(jobs)
        stored = await jobs.admin.jobs.get(ref)

    create, process = exporter.get_finished_spans()
    assert (create.name, create.kind) == ("create default", SpanKind.PRODUCER)
    assert (process.name, process.kind) == ("process default", SpanKind.CONSUMER)
    assert process.context.trace_id == create.context.trace_id
    assert process.parent.span_id == create.context.span_id == process.links[0].context.span_id
    assert process.attributes["messaging.system"] == system
    assert process.attributes["messaging.message.id"] == str(ref)
    carried = stored.metadata if system == "river" else stored.headers
    assert carried["traceparent"].split("-")[1] == f"{create.context.trace_id:032x}"


async def test_the_trace_of_a_go_producer_goes_on() -> None:
    jobs, exporter = traced("sqlite://")
    async with jobs:
        # As otelriver writes it, past our own client.
        job = jobs.kind("mail:send").using(metadata={"traceparent": GO}).job({"to": "ada"})
        await (await jobs.connections.storage()).jobs.insert([job])
        await run_until_empty(jobs)

    (process,) = exporter.get_finished_spans()
    assert f"{process.context.trace_id:032x}" == GO.split("-")[1]
    assert f"{process.parent.span_id:016x}" == GO.split("-")[2]


async def test_a_failure_marks_its_span_and_a_verdict_does_not() -> None:
    jobs, exporter = traced("sqlite://")
    async with jobs:
        for to in ("", "unwanted"):
            await jobs.tasks["mail:send"].enqueue(to)
        await run_until_empty(jobs)

    ends = [span.status.status_code for span in exporter.get_finished_spans() if span.kind is SpanKind.CONSUMER]
    assert sorted(ends, key=lambda code: code.value) == [StatusCode.UNSET, StatusCode.ERROR]


class Kept(Transport):
    """Keeps what would be sent to Sentry."""

    events: ClassVar[list[dict[str, Any]]] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events.append(envelope.get_event())


async def test_sentry_hears_of_what_a_job_raises_with_its_tags_and_not_of_verdicts() -> None:
    jobs = Ferryman("sqlite://", middleware=[sentry.report])

    @jobs.task("mail:send", retries=0)
    def send(to: str) -> None:
        sentry_sdk.set_tag("to", to)
        if to == "unwanted":
            raise Cancel("no")
        raise LookupError("nobody")

    Kept.events = []
    sentry_sdk.init(dsn="http://key@localhost/1", transport=Kept, default_integrations=False)
    try:
        async with jobs:
            await send.enqueue("unwanted")
            ref = (await send.enqueue("ada")).ref
            await run_until_empty(jobs)
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.init()

    (event,) = Kept.events
    assert event["exception"]["values"][-1]["type"] == "LookupError"
    tags = event["tags"]
    assert (tags["ferryman.kind"], tags["ferryman.id"], tags["to"]) == ("mail:send", str(ref), "ada")
    assert event["transaction"] == "mail:send"


async def test_what_a_task_logs_says_which_job_it_is_in_logging_and_in_structlog() -> None:
    jobs, seen = Ferryman("sqlite://", middleware=[bind_job]), []
    record = logging.makeLogRecord({})

    @jobs.task("mail:send")
    def send() -> None:
        JobFields().filter(record)
        seen.append(structlog.contextvars.get_contextvars())

    async with jobs:
        ref = (await send.enqueue()).ref
        await run_until_empty(jobs)

    assert (record.job_id, record.kind, record.attempt) == (str(ref), "mail:send", 1)
    assert seen == [{"job_id": str(ref), "kind": "mail:send", "queue": "default", "attempt": 1}]
    after = logging.makeLogRecord({})
    JobFields().filter(after)
    assert after.job_id == ""
