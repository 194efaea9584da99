"""Settings, read once from the environment; README.md lists them.

`APP_ENV` decides the defaults, and production is its own default: nothing that is only
for a developer's machine (the embedded worker, the mock service, open operator pages)
happens because somebody forgot to set it.  What cannot be raises ConfigError, which
names the variable, its value and what it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from os import environ
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ferryman import ConfigError
from ferryman.duration import parse_duration
from ferryman.logs import in_development

T = TypeVar("T")
Address = tuple[str, int]


def _value(name: str, default: str, convert: Callable[[str], T]) -> T:
    said = environ.get(name) or default
    try:
        return convert(said)
    except (ValueError, OSError, ConfigError) as error:
        raise ConfigError(f'{name} is "{said}". It takes something like "{default}". {error}') from error


def _secret(name: str) -> str:
    return _value(
        f"{name}_FILE", "", lambda file: Path(file).read_text("utf-8").strip() if file else environ.get(name, "")
    )


def _database(url: str) -> str:
    if url == "sqlite:///" or not url.startswith(("sqlite:///", "postgres://", "postgresql://", "postgresql+")):
        raise ConfigError("Briefings keeps its data in a SQLite file or on Postgres.")
    return url


def _address(said: str) -> Address:
    host, _, port = said.rpartition(":")
    if not host:
        raise ValueError("The host is missing.")
    return host.strip("[]"), int(port)


def _range(said: str) -> tuple[float, float]:
    shortest, _, longest = said.partition("-")
    return float(shortest), float(longest)


development = in_development()
http = _value("HTTP_ADDR", "127.0.0.1:8080", _address)
admin_token = _secret("ADMIN_TOKEN")
failpoint = environ.get("APP_FAILPOINT", "") if development else ""

database = _value("DATABASE_URL", "sqlite:///briefings.db", _database)
jobs_apart = bool(environ.get("REDIS_URL") or environ.get("FERRYMAN_URL"))
"""Whether jobs are kept elsewhere than our own data; ferryman knows where, by the same variables."""
concurrency = environ.get("WORKER_CONCURRENCY")
shutdown_timeout = environ.get("SHUTDOWN_TIMEOUT")
job_timeout = _value("JOB_TIMEOUT", "5m", parse_duration)
first_retry = _value("FIRST_RETRY", "1s" if development else "15s", parse_duration)

mock = _value("MOCK_ADDR", "127.0.0.1:9000", _address)
mock_latency = _value("MOCK_LATENCY", "2-5", _range)
own_mock = development and not environ.get("WEBHOOK_URL")
"""Whether the web runs the mock of the briefing service too: in development, unless another was named."""
webhook_url = f"http://{mock[0]}:{mock[1]}/briefings" if own_mock else environ.get("WEBHOOK_URL", "")
calls_mock = urlsplit(webhook_url).netloc in {f"{host}:{mock[1]}" for host in (mock[0], "localhost")}
webhook_secret = _secret("WEBHOOK_SECRET")
webhook_timeout = _value("WEBHOOK_TIMEOUT", "20s", parse_duration)

objects = Path(environ.get("OBJECTS_FOLDER") or "objects")
s3_bucket = environ.get("S3_BUCKET", "")
s3_endpoint = environ.get("S3_ENDPOINT_URL", "")
orphan_age = _value("ORPHAN_AGE", "24h", parse_duration)
