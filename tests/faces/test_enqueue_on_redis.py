"""`ferryman enqueue` on Redis: every option arrives where Go looks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from faces.typed import Answer, Typed
from ferryman.storage.asynq.messages import TASK, TaskMessage
from servers import valkey

HEAD = ("enqueue", "mail:send")


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Redis with nothing in it, which is where the command line looks."""
    servers = valkey()
    servers.flush()
    monkeypatch.setenv("FERRYMAN_URL", servers.url)
    with servers.client() as client:
        yield client


def stored(redis: Any, answer: Answer) -> TaskMessage:
    """Return the message of the job whose id was printed."""
    assert (answer.code, answer.err) == (0, "")
    queue, _, id = answer.lines[0].partition("/")
    return TASK.decode(redis.hget(f"asynq:{{{queue}}}:t:{id}", "msg"))


def test_every_option_arrives(ferryman: Typed, redis: Any) -> None:
    answer = ferryman(
        'enqueue mail:send \'{"to": "ada"}\' -Q mail --id m-1 --retries 2 --timeout 90s --retention 24h '
        "--deadline 2031-01-01T00:00:00Z --header trace-id=47=11 --header empty="
    )

    message = stored(redis, answer)
    assert answer.lines == ["mail/m-1"]
    assert (message.type, message.payload, message.retry) == ("mail:send", b'{"to":"ada"}', 2)
    assert (message.timeout, message.retention) == (90, 86_400)
    assert message.deadline == datetime(2031, 1, 1, tzinfo=UTC).timestamp()
    assert message.headers == {"trace-id": "47=11", "empty": ""}


def test_a_job_may_wait_in_a_group(ferryman: Typed, redis: Any) -> None:
    answer = ferryman("enqueue mail:send --group news --json")

    (job,) = answer.data
    assert job["state"] == "pending"
    assert redis.zcard("asynq:{default}:g:news") == 1


def test_a_job_may_wait_for_a_time(ferryman: Typed, redis: Any) -> None:
    ferryman("enqueue mail:send --id later --at 2031-01-01T00:00:00Z")

    assert redis.zscore("asynq:{default}:scheduled", "later") == datetime(2031, 1, 1, tzinfo=UTC).timestamp()


def test_a_unique_job_holds_its_lock_for_its_time(ferryman: Typed, redis: Any) -> None:
    first, again = ferryman("enqueue mail:send --unique 1h"), ferryman("enqueue mail:send --unique 1h")

    lock = stored(redis, first).unique_key
    assert 3590 < redis.ttl(lock) <= 3600
    assert (again.code, again.out) == (4, first.out)


@pytest.mark.parametrize("text", ["not { json", "", "-1"])
def test_bytes_are_stored_as_they_are(text: str, ferryman: Typed, redis: Any) -> None:
    assert stored(redis, ferryman(*HEAD, f"--bytes={text}")).payload == text.encode()


def test_bytes_come_from_a_file_or_from_stdin(ferryman: Typed, redis: Any, folder: Path) -> None:
    (folder / "photo").write_bytes(b"\x00\xff\n")

    assert stored(redis, ferryman(*HEAD, "--bytes", "@photo")).payload == b"\x00\xff\n"
    assert stored(redis, ferryman(*HEAD, "--bytes", "-", stdin="line\n")).payload == b"line\n"


def test_a_task_that_takes_bytes_is_given_them(ferryman: Typed, redis: Any, folder: Path) -> None:
    (folder / "photos.py").write_text(
        'from ferryman import Ferryman\njobs = Ferryman()\n@jobs.task("mail:send")\nasync def send(raw: bytes): ...\n'
    )

    assert stored(redis, ferryman(*HEAD, "--bytes", "any", "--app", "photos:jobs")).payload == b"any"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--header", "trace"], '--header is "trace". It takes a name and a value'),
        (["--header", "=x"], '--header is "=x"'),
        (["--header", "a=1", "--header", "a=2"], '--header a is given twice, as "1" and "2"'),
        (["--bytes", "@nowhere"], "--bytes names the file nowhere, which cannot be read: No such file"),
        (["--bytes", "@a\0b"], "cannot be read: embedded null byte"),
        (["--bytes", "x", "-l", "{}"], "given twice, as --args and --bytes"),
        (["{}", "--bytes", "x"], "given twice, as ARGS and --bytes"),
        (["--group", " "], "The group is ' '"),
        (["--id", ""], "The id is ''"),
        (["--priority", "1"], "priority=1 cannot be kept in asynq's format"),
        (["--unique", "always"], "Its locks run out"),
        (["--deadline", "tomorrow"], '--deadline is "tomorrow"'),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(
    words: list[str], complaint: str, ferryman: Typed, redis: Any
) -> None:
    answer = ferryman(*HEAD, *words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert complaint in answer.err
    assert redis.dbsize() == 0


def test_a_job_that_waits_for_its_time_is_given_other_arguments(ferryman: Typed, redis: Any) -> None:
    ferryman("enqueue mail:send --id later --in 1h")

    answer = ferryman('job update default/later --args \'{"to": "bob"}\'')

    assert answer.lines == ["updated default/later (mail:send), now scheduled"]
    assert TASK.decode(redis.hget("asynq:{default}:t:later", "msg")).payload == b'{"to":"bob"}'
    assert ferryman("job update default/later").code == 2


def test_a_queue_shows_its_memory_and_its_groups(ferryman: Typed, redis: Any) -> None:
    ferryman("enqueue mail:send --group news")

    said = ferryman("queue show default").out

    assert re.search(r"group +news: 1\n", said)
    assert re.search(r"memory +about [\d,]+ bytes\n", said)
    assert "asynq_queue_memory_usage_approx_bytes{queue=" in ferryman("metrics --once --asynq-names").out


def test_the_jobs_of_a_group_are_run_one_by_one_when_told_to(ferryman: Typed, redis: Any) -> None:
    for id, group in (("a", "news"), ("b", "news"), ("c", "other")):
        ferryman(f"enqueue mail:send --id {id} --group {group}")

    answer = ferryman("job retry --state pending --group news --all-matching --yes --expect 2")

    assert answer.code == 0, answer.err
    assert sorted(redis.lrange("asynq:{default}:pending", 0, -1)) == [b"a", b"b"]
    assert ferryman("job list --group other -o ids").lines == ["default/c"]


def test_an_id_that_is_taken_is_a_conflict(ferryman: Typed, redis: Any) -> None:
    first, again = ferryman(*HEAD, "--id", "one"), ferryman(*HEAD, "--id", "one")

    assert (first.code, again.code) == (0, 4)
    assert "one" in again.err
