"""Briefings with its jobs on Redis: what becomes of them when Redis, or one of the programs, is killed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ferryman.storage.filters import JobFilter
from servers import Server, program
from whole.program import Place, until

pytestmark = pytest.mark.slow


@pytest.fixture
def redis() -> Iterator[Server]:
    """A server that keeps on disk what it was told, and that may be killed.

    It writes before it answers.  With "everysec", while the disk is slow, it holds back for up to two seconds what it
    has answered, and forgets that when it is killed.
    """
    server = Server(program(), "appendonly yes", "appendfsync always").start()
    yield server
    server.kill()


@pytest.fixture
def place(redis: Server, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, REDIS_URL=redis.url)
    yield place
    place.http.close()


def ended(place: Place) -> dict[str, int]:
    """Count the briefings that are over, by status."""
    return dict(place.sql("select status, count(*) from briefings where finished_at is not null group by status"))


def unsent(place: Place) -> int:
    return int(place.sql("select count(*) from outbox where sent_at is null")[0][0])


def test_redis_is_killed_in_the_middle_of_a_run_and_every_briefing_is_made_exactly_once(
    place: Place, redis: Server
) -> None:
    with ExitStack() as running:
        running.enter_context(place.service("0.05-0.15"))
        running.enter_context(place.running("--web", "--no-embedded-worker"))
        ids = [place.new(f"before {number}") for number in range(60)]
        for _ in range(2):
            running.enter_context(place.start("--worker", WORKER_CONCURRENCY="2"))
        until(lambda: sum(ended(place).values()) > 10)

        redis.kill()
        at_work = sum(ended(place).values())
        ids += [place.new(f"meanwhile {number}") for number in range(20)]
        redis.start()
        ids += [place.new(f"after {number}") for number in range(20)]

        # Seconds, unless Redis died between giving a job and saying so: then its lease has to run out.
        until(lambda: sum(ended(place).values()) == 100, within=90)
        assert at_work < 60
        assert ended(place) == {"completed": 100}, place.sql(
            "select id, job_ref, attempt, error_message from briefings where status = 'failed'"
        )
        assert Counter(place.calls()) == Counter(ids)
        until(lambda: unsent(place) == 0)
        with place.jobs() as jobs:
            until(lambda: jobs.sync.admin.jobs.count(JobFilter(queues=("default",))) == {"completed": 100})


def test_without_redis_the_web_starts_and_accepts_and_says_what_the_briefing_waits_for(
    place: Place, redis: Server
) -> None:
    redis.kill()
    with place.running("--web", "--no-embedded-worker"):
        answer = place.create("patience")
        page = answer.headers["location"]
        assert answer.status_code == 202
        assert place.http.get("/readyz").status_code == place.http.get("/").status_code == 200
        until(lambda: "Queued: the queue has not answered for" in place.page(page))
        assert place.http.get("/failed").json()["error"].startswith("The queue does not answer just now.")

        redis.start()
        with place.start("--worker"):
            assert place.final(answer.json()["id"])["status"] == "completed"


def test_a_web_that_dies_before_it_has_sent_a_job_leaves_it_to_the_workers_who_share_the_work(
    place: Place, redis: Server
) -> None:
    with place.service("0-0"):
        redis.kill()
        with place.running("--web", "--no-embedded-worker") as web:
            ids = [place.new(f"left behind {number}") for number in range(40)]
            web.end(signal.SIGKILL)
        redis.start()
        # What the web had claimed when it died is nobody's for ten seconds: they have passed, in effect.
        place.sql("update outbox set claimed_at = null")

        with place.start("--worker"), place.start("--worker"), place.start("--worker"):
            until(lambda: ended(place) == {"completed": 40})
        assert Counter(place.calls()) == Counter(ids)
        assert unsent(place) == 0


def test_a_job_that_is_sent_twice_is_one_job(place: Place) -> None:
    with place.running() as program:
        id = place.new("once")
        first = place.final(id)
        place.sql("update outbox set sent_at = null, claimed_at = null")
        until(lambda: unsent(place) == 0)
        assert place.calls() == [id]
        assert place.show(id) == first
        assert program.text.count("briefing:generate") == 2  # it started, it completed


def test_a_briefing_whose_job_is_still_in_the_outbox_is_not_taken_for_lost(place: Place) -> None:
    with place.running("--web", "--no-embedded-worker"):
        # Somebody has claimed the job and takes his time.
        place.sql(
            "create trigger slow after insert on outbox begin"
            " update outbox set claimed_at = '2999-01-01T00:00:00.000+00:00' where id = new.id; end"
        )
        id = place.new("on its way")
        with place.start("--worker") as worker:
            worker.says("completed in")  # the heartbeat, which looks for briefings whose job is lost
            assert place.show(id)["status"] == "queued"
            place.sql("update outbox set claimed_at = null")
            assert place.final(id)["status"] == "completed"


def test_a_job_that_is_refused_does_not_keep_others_in_the_outbox(place: Place) -> None:
    with place.running("--web", "--no-embedded-worker"), place.start("--worker") as worker:
        worker.says("worker ready")
        place.sql(
            "create trigger spoil after insert on outbox when new.id = 1 begin"
            " update outbox set job = json_set(job, '$.queue', '') where id = 1; end"
        )
        refused, fine = place.new("refused"), place.new("fine")
        assert place.final(fine)["status"] == "completed"
        assert place.show(refused)["status"] == "queued"
        ((error, tries),) = place.sql("select last_error, tries from outbox where id = 1")
        assert "queue" in error
        assert tries <= 3  # one in ten seconds


def test_what_was_sent_long_ago_is_forgotten_by_the_workers(place: Place) -> None:
    with place.running("--web", "--no-embedded-worker"):
        place.new("old"), place.new("young")
        until(lambda: unsent(place) == 0)
        place.sql("update outbox set sent_at = '2020-01-01T00:00:00.000+00:00' where id = 1")
        with place.start("--worker"):
            until(lambda: place.sql("select id from outbox") == [(2,)])


def test_trying_again_makes_a_second_job_with_an_id_of_its_own(place: Place) -> None:
    with place.running():
        failed = place.final(place.new("fail-400"))
        assert place.http.post(f"/briefings/{failed['id']}/retry").status_code == 202
        again = place.final(failed["id"])
        assert [failed["job_ref"], again["job_ref"]] == [f"default/briefing:{failed['id']}:{n}" for n in (1, 2)]


def test_the_development_program_needs_the_redis_that_it_was_told_of_and_says_so_in_a_sentence(
    place: Place, redis: Server
) -> None:
    redis.kill()
    done = place.run("--web")
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
