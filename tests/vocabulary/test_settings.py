"""Settings: where each may be written, which place wins, and what a wrong value hears."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from ferryman.errors import ConfigError
from ferryman.settings import DEFAULT_URL, Settings
from ferryman.settings_sources import Loaded, load


def loaded(env: dict[str, str] | None = None, file: Path | None = None, **arguments: Any) -> Loaded:
    return load(arguments, environment=env or {}, file=file)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ferryman.toml"
    path.write_text(text)
    return path


# Sources


def test_without_a_word_the_defaults_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    found = loaded()

    assert found.settings == Settings()
    assert (found.settings.url, found.settings.concurrency, found.origin("url")) == (DEFAULT_URL, 10, "default")


def test_the_later_source_wins_and_says_where_it_is(tmp_path: Path) -> None:
    file = written(tmp_path, 'concurrency = 3\ntimeout = "1m"\npoll_interval = 2\n')

    found = loaded({"FERRYMAN_TIMEOUT": "2m", "FERRYMAN_POLL_INTERVAL": "3"}, file, poll_interval="4s")

    assert (found.settings.concurrency, found.settings.timeout, found.settings.poll_interval) == (3, 120.0, 4.0)
    assert found.origins == {
        "concurrency": str(file),
        "timeout": "FERRYMAN_TIMEOUT",
        "poll_interval": "argument",
    }


def test_the_file_beside_the_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "concurrency = 3")
    monkeypatch.chdir(tmp_path)

    found = loaded()

    assert (found.settings.concurrency, found.origin("concurrency")) == (3, "ferryman.toml")


def test_an_empty_variable_and_a_none_say_nothing() -> None:
    found = loaded({"FERRYMAN_CONCURRENCY": ""}, concurrency=None)

    assert found.settings.concurrency == 10
    assert found.origins == {}


def test_logging_has_the_names_that_everybody_uses() -> None:
    found = loaded({"LOG_LEVEL": "debug", "LOG_FORMAT": "json"})
    assert (found.settings.log_level, found.settings.log_format) == ("debug", "json")
    assert found.origin("log_level") == "LOG_LEVEL"

    assert loaded({"LOG_LEVEL": "debug", "FERRYMAN_LOG_LEVEL": "error"}).settings.log_level == "error"


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_every_setting_can_be_written_in_the_environment(field: Any, tmp_path: Path) -> None:
    value = {"url": "sqlite://", "queues": "a:2", "log_level": "warn", "log_format": "text"}.get(field.name)
    value = value or {"bool": "true", "int": "3"}.get(str(field.type), "1h30m")
    if field.name == "rescue_unknown":
        value = "discard"

    named = written(tmp_path, '[storages.1h30m]\nurl = "sqlite://"')

    found = loaded({f"FERRYMAN_{field.name.upper()}": value}, named)

    assert found.origin(field.name) == f"FERRYMAN_{field.name.upper()}"


# The URL of others


def test_the_applications_redis_is_used_where_nothing_else_is_said() -> None:
    found = loaded({"REDIS_URL": "redis://localhost:6379/0", "DATABASE_URL": "postgres://db"})

    assert (found.settings.url, found.origin("url")) == ("redis://localhost:6379/0", "REDIS_URL")


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("postgres://db/app", "postgres://db/app"),
        ("postgresql://db/app", "postgresql://db/app"),
        ("postgresql+asyncpg://db/app", "postgresql://db/app"),
        ("mysql://db/app", DEFAULT_URL),
        ("sqlite:///app.db", DEFAULT_URL),
        ("nonsense", DEFAULT_URL),
    ],
)
def test_the_applications_database_is_used_if_it_can_hold_jobs(url: str, used: str) -> None:
    assert loaded({"DATABASE_URL": url}).settings.url == used


def test_our_own_url_goes_before_that_of_others() -> None:
    env = {"FERRYMAN_URL": "sqlite:///jobs.db", "REDIS_URL": "redis://localhost"}

    assert loaded(env).settings.url == "sqlite:///jobs.db"
    assert loaded(env, url="sqlite://").settings.url == "sqlite://"


# Forms


@pytest.mark.parametrize("value", ["1h30m", 5400, 5400.0, "5400"])
def test_a_time_may_be_written_in_every_form(value: Any) -> None:
    assert loaded(timeout=value).settings.timeout == 5400.0


@pytest.mark.parametrize(
    "value",
    ["critical:6,default:3", " critical:6 , default:3 ", {"critical": 6, "default": 3}, ["critical:6", "default:3"]],
)
def test_queues_may_be_written_in_every_form(value: Any) -> None:
    assert loaded(queues=value).settings.queues == {"critical": 6, "default": 3}


def test_a_queue_without_a_weight_weighs_1() -> None:
    assert loaded(queues="mail,default").settings.queues == {"mail": 1, "default": 1}
    assert loaded({"FERRYMAN_QUEUES": "mail"}).settings.queues == {"mail": 1}


def test_queues_are_a_table_in_the_file(tmp_path: Path) -> None:
    assert loaded(file=written(tmp_path, "[queues]\ncritical = 6\n")).settings.queues == {"critical": 6}


@pytest.mark.parametrize("value", [-1, "-1"])
def test_forever_is_written_as_minus_one(value: Any) -> None:
    assert loaded(keep_completed=value).settings.keep_completed is None


@pytest.mark.parametrize(("value", "read"), [("true", True), ("1", True), ("false", False), (False, False)])
def test_yes_and_no_may_be_written_in_every_form(value: Any, read: bool) -> None:
    assert loaded(strict=value).settings.strict is read


def test_a_warning_is_a_warn() -> None:
    assert loaded(log_level="WARNING").settings.log_level == "warn"


# Refused


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("concurrency", "ten", 'FERRYMAN_CONCURRENCY is "ten". It takes a whole number, 1 or more, such as 10.'),
        ("concurrency", "0", "FERRYMAN_CONCURRENCY is 0. It takes 1 or more."),
        ("timeout", "soon", 'FERRYMAN_TIMEOUT is "soon". It takes a time such as 30s or 5m.'),
        ("timeout", "-1", 'FERRYMAN_TIMEOUT is "-1". It takes a time such as 30s or 5m.'),
        ("strict", "perhaps", 'FERRYMAN_STRICT is "perhaps". It takes true or false.'),
        ("poll_interval", "0", "FERRYMAN_POLL_INTERVAL is 0.0. It takes 0.001 or more."),
        ("queues", "mail:0", 'FERRYMAN_QUEUES is "mail:0". It takes queues with weights of 1 or more'),
        ("queues", "mail:many", 'FERRYMAN_QUEUES is "mail:many". It takes queues with weights of 1 or more'),
        ("queues", ",", 'FERRYMAN_QUEUES is ",". It takes queues'),
        ("log_level", "loud", 'FERRYMAN_LOG_LEVEL is "loud". It takes debug, info, warn, error.'),
        ("log_format", "xml", 'FERRYMAN_LOG_FORMAT is "xml". It takes text, json.'),
        ("rescue_unknown", "keep", 'FERRYMAN_RESCUE_UNKNOWN is "keep". It takes leave, discard.'),
    ],
)
def test_a_value_that_cannot_be_says_where_it_is_and_what_it_takes(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded({f"FERRYMAN_{name.upper()}": value})

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "name",
    [
        "elect_interval",
        "schedule_interval",
        "rescue_interval",
        "clean_interval",
        "heartbeat_interval",
        "poll_interval",
    ],
)
def test_an_interval_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is 0.0. It takes"):
        loaded(**{name: 0})


def test_a_bad_value_in_the_file_names_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'concurrency = "ten"')

    with pytest.raises(ConfigError) as caught:
        loaded(file=file)

    assert str(caught.value).startswith(f'concurrency in {file} is "ten". It takes a whole number')


def test_a_misspelt_setting_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'Ferryman\(\) has no setting "concurency". Did you mean concurrency\?'):
        loaded(concurency=3)
    file = written(tmp_path, "concurency = 3")
    with pytest.raises(ConfigError, match=r'ferryman\.toml has no setting "concurency"'):
        loaded(file=file)


def test_a_file_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml cannot be read: No such file or directory"):
        loaded(file=tmp_path / "no.toml")


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ferryman\.toml is not TOML"):
        loaded(file=written(tmp_path, "concurrency: 3"))


def test_variables_that_do_not_bear_our_name_say_nothing() -> None:
    """Defect D24 of asynq's command line: it takes a stray USERNAME for Redis's user (spec/asynq.md 10.1)."""
    stray = {"URL": "redis://elsewhere", "URI": "elsewhere", "DB": "3", "USERNAME": "ada", "PASSWORD": "x", "TLS": "1"}

    assert loaded(stray).settings == Settings()


@pytest.mark.parametrize(
    ("said", "meant"),
    [("a, b", ("a", "b")), (["a"], ("a",)), ("none", ()), ([], ())],
)
def test_names_of_indexes_are_a_list_or_none(said: Any, meant: tuple[str, ...]) -> None:
    assert loaded(reindex=said).settings.reindex == meant
