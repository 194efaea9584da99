"""Django, with real projects: transactions, Django's own tasks, `manage.py ferryman`, system checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django import VERSION as DJANGO

from integrations.project import Project, titled_blocks
from servers import postgres, valkey

pytestmark = pytest.mark.slow

BOTH_OR_NEITHER = """
    with transaction.atomic():
        Order.objects.create(name="lamp")
        kept = pack.enqueue_sync("lamp")
        seen = there()
    try:
        with transaction.atomic():
            pack.enqueue_sync("table")
            add.enqueue(1)
            raise LookupError
    except LookupError:
        pass
    print("id", bool(kept.ref.id), "seen within", seen, "after", there())
    (end,) = run(run_until_empty(jobs))
    print(end.outcome)
"""


def sqlite(path: Path) -> dict[str, object]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose jobs are in its own SQLite file."""
    return Project(tmp_path, sqlite(tmp_path / "app.db")).ready()


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Project]:
    """A project whose jobs are in its own Postgres database."""
    with postgres().database() as url:
        at = urlsplit(url)
        database = {"NAME": at.path[1:], "USER": at.username, "HOST": at.hostname, "PORT": at.port}
        yield Project(tmp_path, {"ENGINE": "django.db.backends.postgresql", **database}).ready()


@pytest.fixture
def on_redis(tmp_path: Path) -> Project:
    """A project whose jobs are on Redis."""
    valkey().flush()
    return Project(tmp_path, sqlite(tmp_path / "app.db"), url=valkey().url).ready()


def test_on_sqlite_a_job_is_part_of_djangos_own_transaction(project: Project) -> None:
    said = project.act(BOTH_OR_NEITHER)
    assert "id True seen within 0 after 1" in said  # another connection looks, and the transaction is open
    assert "packed lamp" in said


def test_on_postgres_a_job_is_part_of_djangos_own_transaction(on_postgres: Project) -> None:
    said = on_postgres.act(BOTH_OR_NEITHER)
    assert "id True seen within 0 after 1" in said
    assert "packed lamp" in said


def test_on_redis_a_job_waits_for_the_commit(on_redis: Project) -> None:
    said = on_redis.act(BOTH_OR_NEITHER)
    assert "id True seen within 0 after 1" in said
    assert "packed lamp" in said


def test_djangos_tasks_run_with_their_results_errors_context_and_priority(project: Project) -> None:
    said = project.act(
        """
        done = add.using(priority=-100).enqueue(1, other=2)
        failed = fail.enqueue("it broke")
        from django.utils import timezone
        from datetime import timedelta
        later = add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(5)
        print(done.status, [str(jobs.sync.admin.jobs.get(each.id).priority) for each in (done, failed, later)])
        run(run_until_empty(jobs))
        for each in (done, failed, later): each.refresh()
        print(done.status, done.return_value, done.attempts, done.kwargs)
        print(failed.status, failed.errors[0].exception_class, failed.errors[0].traceback.splitlines()[-1])
        print(later.status, jobs.sync.admin.jobs.get(later.id).state)
        print("again", run(add.aget_result(done.id)).return_value)
        """
    )
    assert "READY ['4', '1', '2']" in said
    assert "SUCCESSFUL 3 1 {'other': 2}" in said
    assert "FAILED <class 'LookupError'> LookupError: it broke at attempt 1" in said
    assert "READY scheduled" in said
    assert "again 3" in said


def test_on_redis_a_task_of_djangos_has_its_result_and_priority_is_a_queue(on_redis: Project) -> None:
    said = on_redis.act(
        """
        with transaction.atomic():
            done = add.using(priority=10).enqueue(1, 2)
        print(done.id.split("/")[0])
        run(run_until_empty(jobs))
        done.refresh()
        print(done.status, done.return_value)
        """
    )
    assert said == "default-high\nSUCCESSFUL 3\n"


def test_manage_py_runs_ferrymans_command_line_with_the_projects_tasks(project: Project) -> None:
    project.act("Order.objects.create(name='lamp'); pack.enqueue_sync('lamp')")

    assert "shop.tasks.add" in project.manage("ferryman", "worker", "--check")
    assert "completed" in project.manage("ferryman", "worker", "--burst")
    assert "shop:pack" in project.manage("ferryman", "job", "list", "--state", "completed")
    assert "no such command" in project.manage("ferryman", "nonsense", code=2).lower()


def test_connections_are_closed_around_jobs(project: Project) -> None:
    said = project.act(
        """
        from django.db import connections
        left = []

        @jobs.task("shop:look")
        def look() -> None:
            Order.objects.count()
            left.append(connections["default"])

        look.enqueue_sync()
        run(run_until_empty(jobs))
        print(left[0].connection)
        """
    )
    assert said == "None\n"


def test_the_checks_tell_of_a_wrong_setting_and_of_missing_tables(tmp_path: Path) -> None:
    project = Project(tmp_path, sqlite(tmp_path / "app.db"), concurrency="ten")
    assert "ferryman.E001" in project.manage("check", code=1)

    project = Project(tmp_path, sqlite(tmp_path / "app.db"))
    assert "ferryman.W001" in project.manage("check", "--database", "default")
    project.manage("ferryman", "migrate", "up")
    assert "no issues" in project.manage("check", "--database", "default")


def test_jobs_in_djangos_own_file_are_refused_where_two_libraries_would_meet(tmp_path: Path) -> None:
    import sqlite3

    from ferryman.storage.river.sqlite.library import library

    if library() is sqlite3:
        pytest.skip("this Python's own SQLite is new enough")
    project = Project(tmp_path, sqlite(tmp_path / "app.db"), one_library=False, url=f"sqlite:///{tmp_path}/app.db")
    assert "ferryman.E003" in project.manage("check", code=1)


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    project = Project(tmp_path, sqlite(tmp_path / "app.db"))
    shown = titled_blocks(Path(__file__).parents[2] / "docs/integrations/django.md")
    (tmp_path / "settings.py").write_text((tmp_path / "settings.py").read_text() + shown["settings.py"])
    tasks = shown["shop/tasks.py"]
    (tmp_path / "shop/tasks.py").write_text(tasks if DJANGO < (6,) else tasks.replace("django_tasks", "django.tasks"))

    project.manage("ferryman", "migrate", "up")
    project.run("import django; django.setup(); from shop.tasks import *; thank.enqueue('Ada'); pack.enqueue_sync(42)")

    assert project.manage("ferryman", "worker", "--burst").count("completed in") == 2
