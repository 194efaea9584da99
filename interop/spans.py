"""The spans of a program that traces its jobs, kept where a test can look at them."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ferryman import Ferryman, tracing

__all__ = ["Spans"]


class Spans:
    """What a Ferryman that is traced has done."""

    def __init__(self, jobs: Ferryman) -> None:
        self._exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        tracing.instrument(jobs, tracer_provider=provider)

    def only(self) -> ReadableSpan:
        """Return the span that there is."""
        (span,) = self._exporter.get_finished_spans()
        return span

    @property
    def context(self) -> str:
        """The trace and the id of that span, as Go's programs here say it."""
        context = self.only().get_span_context()
        assert context is not None
        return f"{context.trace_id:032x}/{context.span_id:016x}"

    @property
    def parent(self) -> str:
        """The trace that it went on with, and the span that it followed."""
        parent = self.only().parent
        assert parent is not None
        return f"{parent.trace_id:032x}/{parent.span_id:016x}"
