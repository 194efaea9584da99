"""`ferryman metrics`, and what a worker counts."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import Signals
from urllib.request import urlopen

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from faces.process import Process
from faces.there import There
from faces.typed import Typed
from ferryman.cli.signals import STOP
from ferryman.errors import StorageUnavailable
from ferryman.events import EventBus, JobEnqueued, JobFinished, JobStarted, ServiceFailed, StorageAnswered, StorageLost
from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.metrics.counting import Counting
from ferryman.outcome import Cancelled, Completed, Discarded, Outcome, Released, Retry, Snoozed

NOW = datetime.now(UTC)
RESCUED = "Stuck job rescued by JobRescuer"


def job(kind: str = "mail:send") -> Job:
    return Job(
        ref=JobRef("7"),
        kind=kind,
        args=b"{}",
        state=State.RUNNING,
        attempt=1,
        max_attempts=3,
        queue="mail",
        scheduled_at=NOW - timedelta(seconds=3),
        attempted_at=NOW,
    )


class Counted:
    """The numbers of a worker of two kinds, one of which names its queue."""

    def __init__(self) -> None:
        self.registry, self.bus = CollectorRegistry(), EventBus()
        kinds, queues = {"mail:send": "mail", "report": ""}, ["mail", "default"]
        self.counting = Counting(self.registry, kinds=kinds, queues=queues, rescued=RESCUED)
        self.stop = self.counting.subscribe(self.bus)

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ferryman_{name}", {"queue": "mail", "kind": "mail:send", **labels})


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_every_counter_of_a_registered_kind_is_there_at_0(counted: Counted) -> None:
    for outcome in ("ok", "error", "timeout", "cancelled", "snoozed", "lost"):
        assert counted("attempts_total", outcome=outcome) == 0
    for outcome in ("completed", "failed", "cancelled"):
        assert counted("jobs_finished_total", outcome=outcome) == 0
    assert counted("enqueued_total") == 0
    assert counted.registry.get_sample_value("ferryman_storage_errors_total", {"op": "storage"}) == 0


def test_a_counter_is_there_in_the_queue_that_the_task_names_and_without_one_in_all(counted: Counted) -> None:
    there = {
        (sample.labels["kind"], sample.labels["queue"])
        for family in counted.registry.collect()
        for sample in family.samples
        if sample.name == "ferryman_enqueued_total"
    }

    assert there == {("mail:send", "mail"), ("report", "mail"), ("report", "default")}


def test_how_long_the_storage_takes_is_measured_by_what_it_was_asked_for(counted: Counted) -> None:
    counted.bus.publish(StorageAnswered("fetch", 0.2))

    assert counted.registry.get_sample_value("ferryman_storage_op_seconds_sum", {"op": "fetch"}) == 0.2
    assert counted.registry.get_sample_value("ferryman_storage_op_seconds_count", {"op": "beat"}) == 0


def failed(text: str) -> AttemptError:
    return AttemptError(NOW, 1, text)


@pytest.mark.parametrize(
    ("outcome", "state", "how", "end"),
    [
        (Completed(), State.COMPLETED, "ok", "completed"),
        (Retry(NOW, failed("ValueError: no")), State.RETRYABLE, "error", None),
        (Discarded(failed("ValueError: no")), State.DISCARDED, "error", "failed"),
        (Retry(NOW, failed("TimeoutError: the attempt took longer than its 5 s")), State.RETRYABLE, "timeout", None),
        (Retry(NOW, failed(RESCUED)), State.RETRYABLE, "lost", None),
        (Cancelled(failed("not wanted")), State.CANCELLED, "cancelled", "cancelled"),
        (Snoozed(NOW), State.SCHEDULED, "snoozed", None),
    ],
)
def test_each_attempt_counts_by_how_it_ended(
    outcome: Outcome, state: State, how: str, end: str | None, counted: Counted
) -> None:
    counted.bus.publish(JobFinished(job(), outcome, state, 0.2))

    assert counted("attempts_total", outcome=how) == 1
    assert counted("job_run_seconds_sum") == 0.2
    for each in ("completed", "failed", "cancelled"):
        assert counted("jobs_finished_total", outcome=each) == (each == end)


def test_an_attempt_that_went_back_unfinished_is_none(counted: Counted) -> None:
    counted.bus.publish(JobFinished(job(), Released(), State.AVAILABLE, 0.2))

    assert counted("job_run_seconds_count") is None


def test_waiting_is_measured_from_when_a_job_was_due_to_its_first_attempt(counted: Counted) -> None:
    counted.bus.publish(JobStarted(job()))
    counted.bus.publish(JobStarted(msgspec.structs.replace(job(), attempt=2)))

    assert (counted("job_wait_seconds_sum"), counted("job_wait_seconds_count")) == (3, 1)


def test_labels_come_from_closed_sets(counted: Counted) -> None:
    counted.bus.publish(JobEnqueued(JobRef("1"), "mail:send", "mail", duplicate=False))
    counted.bus.publish(JobEnqueued(JobRef("1"), "mail:send", "mail", duplicate=True))
    counted.bus.publish(JobEnqueued(JobRef("2"), "x", "y", duplicate=False))

    assert counted("enqueued_total") == 1
    assert counted("enqueued_total", kind="other", queue="other") == 1


def test_a_storage_that_fails_is_counted_by_what_it_was_asked_for(counted: Counted) -> None:
    counted.bus.publish(StorageLost(StorageUnavailable("gone")))
    counted.bus.publish(ServiceFailed("scheduler", ValueError("no")))

    for op in ("storage", "scheduler"):
        assert counted.registry.get_sample_value("ferryman_storage_errors_total", {"op": op}) == 1


def test_who_stops_counting_counts_no_more(counted: Counted) -> None:
    counted.stop()
    counted.bus.publish(JobFinished(job(), Completed(), State.COMPLETED, 0.2))

    assert counted("attempts_total", outcome="ok") == 0


def test_what_waits_is_written_once(ferryman: Typed, there: There) -> None:
    there.failed()
    there.available()
    there.worker()
    there.storage.leaders.elect("w1", term=None)

    answer = ferryman("metrics --once")

    said = [line.replace(',storage="sqlite:///ferryman.db"', "") for line in answer.lines]
    assert answer.code == 0
    assert 'ferryman_jobs{queue="default",state="available"} 1.0' in said
    assert 'ferryman_jobs{queue="default",state="discarded"} 1.0' in said
    assert 'ferryman_jobs{queue="default",state="running"} 0.0' in said
    assert 'ferryman_leader{instance="w1"} 1.0' in said
    assert 'ferryman_queue_workers{queue="default"} 1.0' in said
    assert 'ferryman_queue_slots{queue="default"} 5.0' in said
    assert any(line.startswith("ferryman_storage_check_ok{check=") for line in said)
    assert 'ferryman_storage_bytes{storage="sqlite:///ferryman.db",what="database"} ' in answer.out
    assert not any("asynq" in line for line in said)


def test_dashboards_of_asynq_find_its_names(ferryman: Typed, there: There) -> None:
    there.failed()
    there.completed()
    there.available()

    lines = ferryman("metrics --once --asynq-names").lines

    assert 'asynq_queue_size{queue="default"} 3.0' in lines
    assert 'asynq_tasks_enqueued_total{queue="default",state="archived"} 1.0' in lines
    assert 'asynq_queue_paused_total{queue="default"} 0.0' in lines


def test_they_are_json_too(ferryman: Typed, there: There) -> None:
    there.available()

    (waiting,) = [
        sample
        for sample in ferryman("metrics --once --json").data
        if sample["name"] == "ferryman_jobs" and sample["labels"]["state"] == "available"
    ]

    assert (waiting["labels"]["queue"], waiting["value"]) == ("default", 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("told", STOP)
def test_prometheus_is_answered_until_it_is_told_to_stop(folder: Path, there: There, told: Signals) -> None:
    there.available()
    with Process("metrics", "--port", "0", folder=folder) as exporter:
        where = exporter.hear(r"on (http://\S+)")[1]

        assert b'state="available",storage="sqlite:///ferryman.db"} 1.0' in urlopen(where).read()
        assert b'state="available",storage="sqlite:///ferryman.db"} 1.0' in urlopen(where).read()

        exporter.send(told)
        assert exporter.ended() == 0


def test_without_its_package_it_says_what_to_install(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)

    answer = ferryman("metrics --once")

    assert (answer.code, answer.out) == (2, "")
    assert 'Run: pip install "ferryman[metrics]"' in answer.err


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        ("metrics --once --url redis://127.0.0.1:1", 5, "127.0.0.1:1"),
        ("metrics --url nowhere", 2, "which has no scheme"),
        ("metrics --port 70000", 2, "70000"),
        ("metrics --host 203.0.113.9", 2, "The address 203.0.113.9:9464 cannot be had"),
    ],
)
def test_what_is_wrong_is_a_sentence(words: str, code: int, complaint: str, ferryman: Typed) -> None:
    answer = ferryman(words)

    assert (answer.code, answer.out) == (code, "")
    assert complaint in answer.err
