"""What becomes of briefings when workers come and go, each program a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from ferryman import Job
from servers import free_port
from whole.objects import serving
from whole.program import Place, until

pytestmark = pytest.mark.slow


def upload(place: Place, id: str, name: str) -> str:
    """Attach a file, and return the key of its object."""
    answer = place.http.post(f"/briefings/{id}/files", files={"file": (name, b"bytes")})
    assert answer.status_code == 201
    return str(place.sql("select object_key from files where id = ?", answer.json()["id"])[0][0])


def test_a_briefing_whose_worker_is_killed_is_completed_by_another(place: Place) -> None:
    hasty = {"FERRYMAN_RESCUE_INTERVAL": "0.2s"}
    with place.service("2-2"), place.running("--web", "--no-embedded-worker"):
        id = place.new("killed in the middle")
        # One that does not lead, so that the other need not wait for its term to end.
        with place.start("--worker", FERRYMAN_LEAD="false", FERRYMAN_PERIODIC="false", **hasty) as first:
            until(lambda: place.calls() == [id])
            first.end(signal.SIGKILL)
        # A day later, in effect: nobody believes any more that it runs.
        place.sql("update river_job set attempted_at = datetime(attempted_at, '-1 day') where state = 'running'")
        with place.start("--worker", **hasty) as second:
            assert place.final(id)["status"] == "completed"
            second.says("1 jobs taken back")
            assert second.end() == 0
        assert place.calls() == [id, id]


def test_a_worker_that_is_told_to_stop_finishes_its_call_and_leaves_in_peace(place: Place) -> None:
    with place.service("2-2"), place.running("--web", "--no-embedded-worker"):
        id = place.new("let me finish")
        with place.start("--worker") as worker:
            until(lambda: place.calls() == [id])
            assert worker.end(signal.SIGTERM) == 0
            assert "worker stopping (SIGTERM): 1 running" in worker.text
            assert "worker stopped" in worker.text
        briefing = place.show(id)
        assert (briefing["status"], briefing["attempt"]) == ("completed", 1)
        assert place.calls() == [id]


def test_stopping_the_development_program_lets_its_own_worker_finish(place: Place) -> None:
    with place.running(MOCK_LATENCY="2-2") as program:
        id = place.new("let me finish too")
        until(lambda: place.calls() == [id])
        assert program.end(signal.SIGINT) == 0
        assert "Traceback" not in program.text
    assert place.sql("select status from briefings where id = ?", id) == [("completed",)]


def test_a_worker_that_may_not_wait_gives_the_job_back_unharmed(place: Place) -> None:
    with place.service("60-60"), place.running("--web", "--no-embedded-worker"):
        id = place.new("too slow")
        with place.start("--worker", SHUTDOWN_TIMEOUT="0.1s") as worker:
            until(lambda: place.calls() == [id])
            assert worker.end(signal.SIGTERM) == 0
        briefing = place.show(id)
        assert (briefing["status"], briefing["attempt"]) == ("queued", 0)


def test_a_briefing_whose_job_is_gone_is_failed_by_the_next_heartbeat(place: Place) -> None:
    with place.running("--web", "--no-embedded-worker"):
        id = place.new("forgotten")
        with place.jobs() as jobs:
            jobs.sync.admin.jobs.delete(place.show(id)["job_ref"])
        with place.start("--worker"):
            failed = place.final(id)
        assert (failed["status"], failed["error_message"]) == ("failed", "The worker stopped unexpectedly.")


def test_the_page_says_when_no_worker_takes_the_job(place: Place) -> None:
    with place.running("--web", "--no-embedded-worker"):
        id = place.new("is anybody there")
        assert "waiting for a worker" not in place.page(f"/briefings/{id}")
        place.sql("update briefings set created_at = '2020-01-01T00:00:00.000+00:00'")
        assert "Queued: waiting for a worker." in place.page(f"/briefings/{id}")
        assert "no worker has run yet" in place.page("/")


def test_the_clean_up_deletes_orphans_and_goes_on_after_one_that_it_cannot(place: Place) -> None:
    with place.running(ORPHAN_AGE="0s", FERRYMAN_LOG_FORMAT="text") as program:
        kept, dropped = place.new("kept"), place.new("dropped")
        key = upload(place, kept, "kept.txt")
        orphans = [upload(place, dropped, f"{n}.txt") for n in range(3)]
        stubborn = place.folder / "objects" / orphans[1]
        in_the_way(stubborn)
        assert place.http.delete(f"/briefings/{dropped}").status_code == 204

        assert cleaned_up(place).metadata["output"] == {"scanned": 3, "deleted": 2, "errors": 1}
        left = place.sql("select object_key, delete_errors, last_error from files order by delete_errors")
        assert [(row[0], row[1]) for row in left] == [(key, 0), (orphans[1], 1)]
        assert "Unable to delete" in left[1][2]
        assert (place.folder / "objects" / key).exists()
        assert not (place.folder / "objects" / orphans[0]).exists()
        lines = [line for line in program.text.splitlines() if line.endswith(" deleted")]
        assert [line.split()[2] for line in lines] == ["object", "row", "object", "row"]


def in_the_way(path: Path) -> None:
    """Put a folder where an object was: nothing deletes that, not even as root."""
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def test_a_clean_up_that_can_delete_nothing_is_a_failed_job(place: Place) -> None:
    with place.running(ORPHAN_AGE="0s"):
        id = place.new("dropped")
        in_the_way(place.folder / "objects" / upload(place, id, "only.txt"))
        place.http.delete(f"/briefings/{id}")
        assert cleaned_up(place).state == "discarded"
        assert "None of 1 orphaned files could be deleted." in place.page("/failed")


def test_while_the_object_store_is_away_a_file_is_refused_and_its_row_waits_for_a_clean_up_that_works(
    place: Place,
) -> None:
    away = {"S3_BUCKET": "files", "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_ACCESS_KEY_ID": "nobody"}
    with place.running(ORPHAN_AGE="0s", AWS_SECRET_ACCESS_KEY="none", AWS_REGION="here", **away):
        refused = place.http.post(f"/briefings/{place.new('alone')}/files", files={"file": ("a.txt", b"bytes")})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"].startswith("The object store does not answer just now.")
        assert cleaned_up(place).state == "discarded"
        assert place.sql("select state, delete_errors from files") == [("pending", 1)]
    with place.running(ORPHAN_AGE="0s"):
        assert cleaned_up(place).metadata["output"] == {"scanned": 1, "deleted": 1, "errors": 0}
        assert place.sql("select id from files") == []


def test_files_are_kept_in_a_bucket_by_the_real_protocol_and_one_that_is_refused_stays(place: Place) -> None:
    with serving(place.folder) as objects, place.running(ORPHAN_AGE="0s", **objects.bucket("files")):
        id = place.new("dropped")
        gone, refused = (upload(place, id, f"{n}.txt") for n in range(2))
        assert objects.has("files", gone)
        objects.refuse_to_delete(refused)
        place.http.delete(f"/briefings/{id}")

        assert cleaned_up(place).metadata["output"] == {"scanned": 2, "deleted": 1, "errors": 1}
        assert (objects.has("files", gone), objects.has("files", refused)) == (False, True)
        ((key, error),) = place.sql("select object_key, last_error from files")
        assert key == refused
        assert "The policy says no." in error


def cleaned_up(place: Place) -> Job:
    """Run the clean-up now, and return its job when it is over."""
    with place.jobs() as jobs:
        ref = jobs.kind("files:cleanup-orphans").using(retries=0).enqueue_sync().ref
        return until(lambda: job if (job := jobs.sync.admin.jobs.get(ref)).finalized_at else None)


def test_a_service_that_nobody_answers_for_is_tried_four_times(place: Place) -> None:
    with place.running(WEBHOOK_URL=f"http://127.0.0.1:{place.mock}/briefings", FIRST_RETRY="0.1s"):
        failed = place.final(place.new("is anybody there"))
    assert (failed["status"], failed["attempt"]) == ("failed", 4)
    assert failed["error_message"] == "The briefing service could not be reached. We tried 4 times."


def test_a_secret_goes_to_the_service_and_nowhere_else(place: Place) -> None:
    token = place.folder / "token"
    token.write_text("sk-test-1234567890\n")
    with place.running(WEBHOOK_SECRET_FILE=str(token)) as program:
        ids = [place.new("hush"), place.new("hush fail-400")]
        for id in ids:
            place.final(id)
        assert "sk-test" not in program.text
        assert "sk-test" not in place.page("/failed") + place.page(f"/briefings/{ids[1]}")
    for file in place.folder.glob("briefings.db*"):
        assert b"sk-test" not in file.read_bytes()


def test_production_wants_a_real_service_and_migrated_tables(place: Place) -> None:
    production = {"APP_ENV": "production", "WEBHOOK_URL": "https://service.example/briefings"}

    mock = place.run("--worker", APP_ENV="production", WEBHOOK_URL=f"http://localhost:{place.mock}/briefings")
    missing = place.run("migrate", "--check", **production)
    unmigrated, unready = place.run("--worker", **production), place.run("check", **production)
    migrated = place.run("migrate", **production)

    assert (mock.returncode, "the address of the real briefing service" in mock.stderr) == (2, True)
    assert (unmigrated.returncode, "Run: python -m briefings migrate" in unmigrated.stderr) == (2, True)
    assert (unready.returncode, "Run: python -m briefings migrate" in unready.stderr) == (2, True)
    assert (missing.returncode, "main 1\n" in missing.stdout, "0001_briefings.sql\n" in missing.stdout) == (
        1,
        True,
        True,
    )
    assert (migrated.returncode, "0003_beats.sql\n" in migrated.stdout) == (0, True)
    assert place.run("migrate", "--check", **production).stdout == "Nothing to apply.\n"
    assert place.run("check", **production).returncode == 0
    assert place.run("mock-webhook", **production).returncode == 2


def test_production_runs_no_worker_in_the_web_and_opens_the_failed_jobs_to_operators_only(place: Place) -> None:
    production = {"APP_ENV": "production", "WEBHOOK_URL": "https://service.example/x", "ADMIN_TOKEN": "open sesame"}
    place.run("migrate", **production)
    with place.running(**production) as web:
        assert "worker ready" not in web.text
        assert '"msg": "Briefings on' in web.text
        assert place.http.get("/failed").status_code == 401
        assert place.http.get("/failed", headers={"Authorization": "Bearer open sesame"}).status_code == 200
        assert place.http.get("/failed", auth=httpx.BasicAuth("me", "open sesame")).status_code == 200
        assert place.http.get("/failed", auth=httpx.BasicAuth("me", "wrong")).status_code == 401
        assert "Failed jobs" not in place.page("/")
        assert web.end() == 0


def test_a_database_that_is_gone_is_an_outage_and_not_an_empty_one(place: Place) -> None:
    production = {"APP_ENV": "production", "WEBHOOK_URL": "https://service.example/x"}
    place.run("migrate", **production)
    with place.running(**production):
        assert place.http.get("/failed").status_code == 403  # without a token nobody is an operator
        kept = place.database.rename(place.folder / "elsewhere.db")
        assert place.create("lost").status_code == place.http.get("/readyz").status_code == 503
        assert not place.database.exists()
        kept.rename(place.database)
        assert place.create("found").status_code == 202


def test_a_setting_that_cannot_be_is_one_sentence(place: Place) -> None:
    done = place.run("--web", HTTP_ADDR="8080")
    assert done.returncode == 2
    assert 'HTTP_ADDR is "8080". It takes something like "127.0.0.1:8080".' in done.stderr
    assert "Traceback" not in done.stderr
