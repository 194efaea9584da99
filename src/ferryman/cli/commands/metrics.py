"""`ferryman metrics`: what waits in the storage, for Prometheus."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ferryman import logs
from ferryman.cli.failures import TIMED_OUT
from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, Row, show
from ferryman.cli.session import Session
from ferryman.cli.signals import STOP
from ferryman.cli.times import Times
from ferryman.errors import MissingExtra

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ferryman.metrics.storage import StorageGauges

__all__ = ["metrics"]


def _line(sample: Row, times: Times) -> Iterator[str]:
    labels = ",".join(f'{name}="{value}"' for name, value in sample["labels"].items())
    yield f"{sample['name']}{{{labels}}} {sample['value']}"


SAMPLES = Listing[Row](lambda sample: sample, lambda sample: str(sample["name"]), lines=_line)


@command(
    "metrics",
    endless=True,
    examples=[
        "ferryman metrics",
        "ferryman metrics --once",
        "ferryman metrics --host 0.0.0.0 --port 9464 --asynq-names",
    ],
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDR", help="The address to answer on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9464,
    show_default=True,
    metavar="N",
    help="The port to answer on.",
)
@click.option("--once", is_flag=True, help="Write them to stdout once, and end.")
@click.option("--asynq-names", is_flag=True, help="Also under the names of asynq's own exporter.")
@click.pass_obj
def metrics(session: Session, /, host: str, port: int, once: bool, asynq_names: bool) -> int:
    """Show what waits in the storage to Prometheus, until told to stop.

    One process does so for all; what a worker does is on its own health port.
    """
    gauges, registry = _registered(session, asynq_names=asynq_names)
    if once:
        _write(session, gauges, registry)
        return 0
    return _serve(session, registry, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _registered(session: Session, *, asynq_names: bool) -> tuple[StorageGauges, CollectorRegistry]:
    try:
        from prometheus_client import CollectorRegistry
    except ModuleNotFoundError as error:
        raise MissingExtra("Metrics need a package that is not installed.", extra="metrics") from error
    from ferryman.metrics.storage import StorageGauges

    production = not logs.in_development()
    name = session.jobs.settings.storage or session.location
    gauges = StorageGauges(session.admin, name, production=production, asynq_names=asynq_names)
    registry = CollectorRegistry()
    registry.register(gauges)
    return gauges, registry


def _write(session: Session, gauges: StorageGauges, registry: CollectorRegistry) -> None:
    from ferryman.metrics.written import written

    text, _ = written(registry)
    if gauges.failure is not None:
        raise gauges.failure
    if session.format == "table":
        click.echo(text.decode(), nl=False)
        return
    samples = [sample for family in registry.collect() for sample in family.samples]
    show(session, SAMPLES, [{"name": each.name, "labels": each.labels, "value": each.value} for each in samples])


def _serve(session: Session, registry: CollectorRegistry, where: str) -> int:
    from ferryman.health.pages import OK, Answer
    from ferryman.health.port import Port
    from ferryman.metrics.written import written

    stopped = threading.Event()
    for each in STOP:
        signal.signal(each, lambda number, frame: stopped.set())
    with Port(where, {"/metrics": lambda: Answer(OK, *written(registry))}, origin="The address") as port:
        session.note(f"metrics of {session.place} on http://{where.rpartition(':')[0]}:{port.number}/metrics")
        told = stopped.wait(session.within)
    return 0 if told else TIMED_OUT
