"""Declaring tasks, making jobs of them, and finding them again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ferryman.cron import Interval
from ferryman.errors import ConfigError, InvalidJob, ScheduleNotFound, UnknownTask
from ferryman.job import Inserted, Job, JobRef, NewJob, State
from ferryman.schedules import Schedules
from ferryman.task import Kind, Task, Tasks


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def mail(tasks: Tasks) -> Task[[str], None]:
    @tasks.task("email:send", retries=3, queue="mail")
    async def mail(to: str) -> None:
        """Send a mail."""

    return mail


# Declaring


def test_a_task_is_still_its_function(tasks: Tasks) -> None:
    @tasks.task("add")
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add two numbers.")
    assert repr(add).startswith("<Task add (")


async def test_calling_an_async_task_awaits_its_function(tasks: Tasks) -> None:
    @tasks.task("add")
    async def add(a: int, b: int) -> int:
        return a + b

    assert await add(1, 2) == 3


def test_where_it_runs_is_read_from_how_it_is_written(tasks: Tasks) -> None:
    @tasks.task("a")
    async def a() -> None: ...

    @tasks.task("b")
    def b() -> None: ...

    @tasks.task("c", run="process")
    def c() -> None: ...

    assert (a.run, b.run, c.run) == ("async", "thread", "process")


async def _async() -> None: ...


def _plain() -> None: ...


@pytest.mark.parametrize(("run", "function"), [("thread", _async), ("process", _async), ("async", _plain)])
def test_what_cannot_run_there_is_refused(tasks: Tasks, run: Any, function: Any) -> None:
    with pytest.raises(ConfigError, match=rf'run="{run}" but is written with'):
        tasks.task("mail", run=run)(function)


def test_a_place_that_does_not_exist_is_refused(tasks: Tasks) -> None:
    with pytest.raises(ConfigError, match='It takes "async", "thread" or "process"'):
        tasks.task("mail", run="gpu")(_plain)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["", "  ", None, _plain])
def test_a_task_needs_a_kind(tasks: Tasks, kind: Any) -> None:
    with pytest.raises(ConfigError, match="A task needs a kind"):
        tasks.task(kind)


def test_a_misspelt_option_is_refused_where_it_is_written(tasks: Tasks) -> None:
    with pytest.raises(ConfigError, match=r'Task "mail" has no option "timout". Did you mean timeout\?'):
        tasks.task("mail", timout="5m")  # type: ignore[call-arg]


def test_a_value_that_cannot_be_is_refused_where_it_is_written(tasks: Tasks) -> None:
    with pytest.raises(InvalidJob, match="retries is -1"):
        tasks.task("mail", retries=-1)
    with pytest.raises(ConfigError, match="soon"):
        tasks.task("mail", backoff="soon")(_plain)


def test_a_kind_belongs_to_one_function(tasks: Tasks, mail: Any) -> None:
    with pytest.raises(ConfigError, match=r'The kind "email:send" is taken by <Task'):
        tasks.task("email:send")(_plain)


def test_the_same_function_may_come_again(tasks: Tasks) -> None:
    """As when a module is run and imported, or reloaded."""
    tasks.task("mail")(_plain)
    again: Any = tasks.task("mail")(_plain)

    assert tasks["mail"] is again


# The registry


def test_tasks_are_found_by_their_kind(tasks: Tasks, mail: Any) -> None:
    assert tasks["email:send"] is mail
    assert tasks.get("email:send") is mail
    assert (list(tasks), len(tasks), "email:send" in tasks) == (["email:send"], 1, True)


def test_an_unknown_kind_says_which_are_known(tasks: Tasks, mail: Any) -> None:
    with pytest.raises(UnknownTask, match=r'No task is called "email:sent".* It knows email:send\. Import') as caught:
        tasks["email:sent"]

    assert (caught.value.kind, caught.value.known) == ("email:sent", ["email:send"])
    assert tasks.get("email:sent") is None
    assert "email:sent" not in tasks


def test_a_kind_is_run_by_the_task_with_the_longest_prefix_of_it(tasks: Tasks) -> None:
    @tasks.task("image:", prefix=True)
    async def image(job: Job) -> None: ...

    @tasks.task("image:resize:", prefix=True)
    async def resize(job: Job) -> None: ...

    @tasks.task("image:resize:thumbnail")
    async def thumbnail() -> None: ...

    found = ["image:rotate", "image:resize:large", "image:resize:thumbnail", "image:"]
    assert [tasks[kind] for kind in found] == [image, resize, thumbnail, image]
    assert "image:resize:thumbnails" in tasks  # there is no separator: a prefix is text
    assert tasks["image:resize:thumbnails"] is resize
    assert "imagine" not in tasks
    assert list(tasks) == ["image:", "image:resize:", "image:resize:thumbnail"]


def test_two_schedules_need_two_ids(tasks: Tasks, mail: Any) -> None:
    minute = Interval(timedelta(minutes=1))
    tasks.schedule(mail, minute, "@every 1m", id=None, on_start=False)
    tasks.schedule(mail, minute, "@every 1m", id="again", on_start=True)

    assert [(entry.id, entry.on_start) for entry in tasks.periodic] == [("email:send", False), ("again", True)]
    with pytest.raises(ConfigError, match='Two schedules have the id "again"'):
        tasks.schedule(mail, minute, "@every 1m", id="again", on_start=False)


def test_schedules_are_added_and_removed_at_any_time(tasks: Tasks, mail: Any) -> None:
    schedules = Schedules(tasks)

    every = schedules.add(mail, every="90s")
    cron = schedules.add(mail, cron="0 6 * * 1", tz="Europe/Berlin", id="weekly")
    assert [entry.spec for entry in schedules] == ["@every 1m30s", "CRON_TZ=Europe/Berlin 0 6 * * 1"]

    schedules.remove(every.id)
    assert list(schedules) == [cron]
    with pytest.raises(ScheduleNotFound, match="email:send"):
        schedules.remove(every.id)
    with pytest.raises(ConfigError, match="one of every=… and cron=…"):
        schedules.add(mail)


# Jobs


def test_a_job_carries_what_its_task_declares(mail: Any) -> None:
    job = mail.job("ada")

    assert (job.kind, job.args, job.queue, job.max_attempts) == ("email:send", b'{"to":"ada"}', "mail", 4)
    assert job.given == frozenset()


def test_what_the_call_says_wins_and_is_known_as_given(mail: Any) -> None:
    job = mail.using(queue="bulk", delay="10m").using(tags=["news"]).job("ada")

    assert (job.queue, job.state, job.max_attempts, job.tags) == ("bulk", State.SCHEDULED, 4, ("news",))
    assert job.given == {"queue", "delay", "tags"}


def test_using_leaves_the_task_as_it_was(mail: Any) -> None:
    mail.using(queue="bulk")

    assert mail.job("ada").queue == "mail"


def test_using_refuses_a_misspelt_option(mail: Any) -> None:
    with pytest.raises(ConfigError, match=r"using\(\) has no option"):
        mail.using(quue="bulk")


def test_arguments_that_do_not_fit_make_no_job(mail: Any) -> None:
    with pytest.raises(InvalidJob):
        mail.job(7)


# Enqueueing


class Post:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.jobs: list[NewJob] = []

    def enqueue_sync(self, job: NewJob) -> Inserted:
        self.jobs.append(job)
        return Inserted(JobRef(str(len(self.jobs))))

    async def enqueue(self, job: NewJob) -> Inserted:
        return self.enqueue_sync(job)


def test_a_task_enqueues_through_what_it_is_bound_to(tasks: Tasks, mail: Any) -> None:
    tasks.bind(post := Post())

    assert asyncio.run(mail.enqueue("ada")) == Inserted(JobRef("1"))
    assert mail.using(queue="bulk").enqueue_sync("bob") == Inserted(JobRef("2"))
    assert [(job.args, job.queue) for job in post.jobs] == [(b'{"to":"ada"}', "mail"), (b'{"to":"bob"}', "bulk")]


def test_a_task_that_belongs_to_nobody_says_so(mail: Any) -> None:
    with pytest.raises(ConfigError, match="These tasks belong to no Ferryman"):
        mail.enqueue_sync("ada")


# Written elsewhere


@pytest.mark.parametrize(
    ("args", "payload"), [(None, b"{}"), ({"to": "ada"}, b'{"to":"ada"}'), (b"raw", b"raw"), ([1], b"[1]")]
)
def test_a_task_that_is_written_elsewhere_is_enqueued_by_its_kind(tasks: Tasks, args: Any, payload: bytes) -> None:
    job = Kind("written-in-go", tasks).using(retries=0).job(args)

    assert (job.kind, job.args, job.max_attempts, job.given) == ("written-in-go", payload, 1, {"retries"})
