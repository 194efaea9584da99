"""Settings, read once from the environment; README.md lists them.

`APP_ENV` decides the defaults, and production is its own default: nothing that is only
for a developer's machine (the embedded worker, the mock service, open operator pages)
happens because somebody forgot to set it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ferryman import ConfigError
from ferryman.duration import parse_duration
from ferryman.logs import in_development

__all__ = ["Settings", "read", "settings"]

T = TypeVar("T")
Address = tuple[str, int]


@dataclass(frozen=True)
class Settings:
    """What can be set."""

    development: bool
    database: Path
    jobs_url: str | None
    """The database, unless jobs are kept apart; None leaves it to ferryman, which takes REDIS_URL."""
    http: Address
    webhook_url: str
    webhook_secret: str
    webhook_timeout: timedelta
    own_mock: bool
    """Whether the web runs the mock of the briefing service too: in development, unless another was named."""
    mock: Address
    mock_latency: tuple[float, float]
    job_timeout: timedelta
    first_retry: timedelta
    orphan_age: timedelta
    objects: Path
    s3_bucket: str
    s3_endpoint: str
    admin_token: str
    concurrency: str | None
    shutdown_timeout: str | None

    @property
    def calls_mock(self) -> bool:
        """Whether the briefing service is our own mock."""
        return urlsplit(self.webhook_url).netloc in {f"{host}:{self.mock[1]}" for host in (self.mock[0], "localhost")}


def read(env: Mapping[str, str]) -> Settings:
    """Read the environment.  Raises ConfigError naming the variable, its value and what it takes."""

    def value(name: str, default: str, convert: Callable[[str], T]) -> T:
        said = env.get(name) or default
        try:
            return convert(said)
        except (ValueError, OSError, ConfigError) as error:
            raise ConfigError(f'{name} is "{said}". It takes something like "{default}". {error}') from error

    def secret(name: str) -> str:
        return value(f"{name}_FILE", "", _text) or env.get(name, "")

    development = in_development(env)
    database = value("DATABASE_URL", "sqlite:///briefings.db", _sqlite_file)
    mock = value("MOCK_ADDR", "127.0.0.1:9000", _address)
    return Settings(
        development=development,
        database=database,
        jobs_url=None if env.get("FERRYMAN_URL") or env.get("REDIS_URL") else f"sqlite:///{database}",
        http=value("HTTP_ADDR", "127.0.0.1:8080", _address),
        webhook_url=env.get("WEBHOOK_URL") or (f"http://{mock[0]}:{mock[1]}/briefings" if development else ""),
        webhook_secret=secret("WEBHOOK_SECRET"),
        webhook_timeout=value("WEBHOOK_TIMEOUT", "20s", parse_duration),
        own_mock=development and not env.get("WEBHOOK_URL"),
        mock=mock,
        mock_latency=value("MOCK_LATENCY", "2-5", _range),
        job_timeout=value("JOB_TIMEOUT", "5m", parse_duration),
        first_retry=value("FIRST_RETRY", "1s" if development else "15s", parse_duration),
        orphan_age=value("ORPHAN_AGE", "24h", parse_duration),
        objects=Path(env.get("OBJECTS_FOLDER") or "objects"),
        s3_bucket=env.get("S3_BUCKET", ""),
        s3_endpoint=env.get("S3_ENDPOINT_URL", ""),
        admin_token=secret("ADMIN_TOKEN"),
        concurrency=env.get("WORKER_CONCURRENCY"),
        shutdown_timeout=env.get("SHUTDOWN_TIMEOUT"),
    )


def _text(file: str) -> str:
    return Path(file).read_text("utf-8").strip() if file else ""


def _sqlite_file(url: str) -> Path:
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ConfigError("Briefings keeps its data in a SQLite file.")
    return Path(url.removeprefix("sqlite:///").partition("?")[0])


def _address(said: str) -> Address:
    host, _, port = said.rpartition(":")
    if not host:
        raise ValueError("The host is missing.")
    return host.strip("[]"), int(port)


def _range(said: str) -> tuple[float, float]:
    shortest, _, longest = said.partition("-")
    return float(shortest), float(longest)


settings = read(os.environ)
