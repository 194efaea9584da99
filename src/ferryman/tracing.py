"""OpenTelemetry: a span for each job that is enqueued, and one for each attempt, in one trace.

    from ferryman import tracing

    tracing.instrument(jobs)                            # before the first job is enqueued

The trace context travels where Go looks for it: in an asynq task's headers, and at the top
of a River job's metadata, as River's own middleware (otelriver) has it.  So a trace that a
Go program began goes on here, and the other way round.  Names are those of OpenTelemetry's
conventions for messaging.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ferryman import __version__
from ferryman.app import Ferryman
from ferryman.job import Job, NewJob
from ferryman.middleware import Call
from ferryman.outcome import Verdict

__all__ = ["instrument"]

_W3C = TraceContextTextMapPropagator()
_PARENT = "traceparent"


def instrument(jobs: Ferryman, *, tracer_provider: TracerProvider | None = None) -> None:
    """Trace what a Ferryman enqueues and works from now on; the provider is the global one unless given."""
    tracing = _Tracing(jobs, trace.get_tracer("ferryman", __version__, tracer_provider))
    jobs.on_enqueue = (*jobs.on_enqueue, tracing.create)
    jobs.middleware = (tracing.process, *jobs.middleware)


class _Tracing:
    def __init__(self, jobs: Ferryman, tracer: trace.Tracer) -> None:
        self._jobs = jobs
        self._tracer = tracer

    def create(self, job: NewJob) -> NewJob:
        """Begin a job's trace, or go on with the one at hand, and send it along."""
        attributes = self._attributes("create", job.queue, job.kind)
        with self._tracer.start_as_current_span(f"create {job.queue}", kind=SpanKind.PRODUCER, attributes=attributes):
            carrier: dict[str, str] = {}
            _W3C.inject(carrier)
        if self._on_river:
            return msgspec.structs.replace(job, metadata={**carrier, **(job.metadata or {})})
        return msgspec.structs.replace(job, headers={**carrier, **(job.headers or {})})

    async def process(self, call: Call, job: Job) -> Any:
        """Run an attempt in a span of the trace that its job carries."""
        before = _W3C.extract(_carried(job))
        linked = trace.get_current_span(before).get_span_context()
        attributes: dict[str, str | int] = {
            **self._attributes("process", job.queue, job.kind),
            "messaging.message.id": str(job.ref),
            "ferryman.job.attempt": job.attempt,
        }
        with self._tracer.start_as_current_span(
            f"process {job.queue}",
            context=before,
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=[Link(linked)] if linked.is_valid else [],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await call(job)
            except Verdict:
                raise  # the job asked for it
            except BaseException as error:
                span.record_exception(error)
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR, str(error)))
                raise

    @property
    def _on_river(self) -> bool:
        return self._jobs.connections.in_tables

    def _attributes(self, operation: str, queue: str, kind: str) -> dict[str, str]:
        return {
            "messaging.system": "river" if self._on_river else "asynq",
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": queue,
            "ferryman.job.kind": kind,
        }


def _carried(job: Job) -> Mapping[str, str]:
    """Return the trace context that a job has, wherever the program that enqueued it put it."""
    if _PARENT in job.headers:
        return job.headers
    if _PARENT.encode() not in job.raw_metadata:
        return {}
    found = job.metadata
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
