"""Over TLS, over a Unix socket, and as a user with few rights: everything works as ever."""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman, Job
from ferryman.errors import StorageUnavailable
from ferryman.events import JobFinished, JobStarted, Listening
from ferryman.job import State
from ferryman.outcome import Cancelled
from ferryman.testing import Recorder
from servers import Server, Servers, free_port, program

DOCS = Path(__file__).parents[3] / "docs" / "redis.md"


async def everything_works(url: str) -> None:
    """Enqueue, wake up, work, retry, group, pause, look and cancel."""
    async with Ferryman(url) as jobs:
        seen = Recorder(jobs.events)

        @jobs.task("mail", backoff="0s", unique="1m", retention="1h")
        async def mail(number: int, job: Job) -> int:
            if job.attempt == 1:
                raise OSError("mailbox full")
            return number

        @jobs.task("long")
        async def long() -> None:
            await asyncio.Event().wait()

        @jobs.task("digest")
        async def digest() -> None: ...

        @jobs.every("1h", on_start=True)
        @jobs.task("tick")
        async def tick() -> None: ...

        @jobs.aggregate(max_size=1, grace="1s")
        def combine(group: str, found: Any) -> Any:
            return digest.job()

        async with asyncio.timeout(60), jobs.worker(poll_interval=3600, schedule_interval=0.05, heartbeat_interval=0.1):
            assert (await seen.wait_for(Listening)).by == "tracked reads"
            assert (await seen.wait_for(JobFinished)).job.kind == "tick"
            stored = await mail.using(delay="1s").enqueue(7)
            assert (await mail.using(delay="1s").enqueue(7)).duplicate
            states = [(await seen.wait_for(JobFinished)).state for _ in range(2)]
            running = await long.enqueue()
            await seen.wait_for(JobStarted, lambda event: event.job.ref == running.ref)
            await jobs.admin.jobs.cancel(running.ref)
            cancelled = await seen.wait_for(JobFinished)
            await digest.using(group="news").enqueue()
            assert (await seen.wait_for(JobFinished)).job.kind == "digest"
            await jobs.admin.queues.pause("default")
            await jobs.admin.queues.resume("default")
            (worker,) = await jobs.admin.workers.list()

        assert states == [State.RETRYABLE, State.COMPLETED]
        assert type(cancelled.outcome) is Cancelled
        assert worker.concurrency == 10
        assert (await jobs.admin.jobs.get(stored.ref)).metadata == {"output": 7}
        await jobs.admin.jobs.delete(stored.ref)


async def test_over_a_unix_socket() -> None:
    server = Server(program()).start()
    try:
        await everything_works(f"unix://{server.socket}")
        await everything_works(f"redis-socket://{server.socket}?db=3")
    finally:
        server.kill()


# A user


@pytest.fixture
def as_documented(servers: Servers, redis: Any) -> Iterator[str]:
    """Return the URL of the user whom the documentation makes."""
    (line,) = re.findall(r"^ACL SETUSER ferryman .*$", DOCS.read_text(), re.MULTILINE)
    redis.execute_command(*line.split())
    yield servers.url.replace("redis://", "redis://ferryman:secret@")
    redis.execute_command("ACL", "DELUSER", "ferryman")


async def test_as_a_user_who_may_do_no_more_than_is_documented(as_documented: str, redis: Any) -> None:
    redis.execute_command("ACL", "LOG", "RESET")

    await everything_works(as_documented)

    refused = {entry["object"] for entry in redis.acl_log() if entry["reason"] != "auth"}
    assert refused <= {"info", "role", "config|get", "slowlog|get", "acl|whoami", "acl|dryrun", "time"}


async def test_a_user_who_may_not_is_told_what_it_lacks(as_documented: str, redis: Any) -> None:
    redis.execute_command("ACL", "SETUSER", "ferryman", "-evalsha")

    async with Ferryman(as_documented) as jobs:
        with pytest.raises(StorageUnavailable, match=r"lacks a right: .*evalsha"):
            await jobs.kind("mail").enqueue()


@pytest.mark.parametrize("who", ["ferryman:wrong@", "nobody:secret@"])
async def test_a_wrong_password_is_said_to_be_one(as_documented: str, servers: Servers, who: str) -> None:
    with pytest.raises(StorageUnavailable, match="refuses this user and password") as caught:
        async with Ferryman(servers.url.replace("redis://", f"redis://{who}")):
            pass
    assert who.split(":")[1].rstrip("@") not in str(caught.value)


# TLS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that only it vouches for; its key is beside it."""
    openssl = shutil.which("openssl") or pytest.skip("there is no openssl here")
    folder = tmp_path_factory.mktemp("tls")
    key, named = "ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes", "/CN=ferryman -addext subjectAltName=IP:127.0.0.1"
    command = f"req -x509 -newkey {key} -keyout key.pem -out certificate.pem -days 2 -subj {named}"
    subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)
    return folder / "certificate.pem"


@asynccontextmanager
async def redis_with_tls(certificate: Path, servers: Servers) -> AsyncIterator[int]:
    """A Redis that speaks TLS itself; Debian's does."""
    port = free_port()
    files = f"tls-cert-file {certificate}", f"tls-key-file {certificate.with_name('key.pem')}"
    asks = "tls-auth-clients optional", f"tls-ca-cert-file {certificate}"
    server = Server(program("redis"), f"tls-port {port}", *files, *asks).start()
    yield port
    server.kill()


@asynccontextmanager
async def valkey_behind_tls(certificate: Path, servers: Servers) -> AsyncIterator[int]:
    """A Valkey that knows no TLS, behind something that does: so it is often run."""
    terms = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    terms.load_cert_chain(certificate, certificate.with_name("key.pem"))

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", servers.nodes[0].port)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=terms) as server:
        yield server.sockets[0].getsockname()[1]


BOTH = pytest.mark.parametrize("way", [redis_with_tls, valkey_behind_tls])


@BOTH
async def test_over_tls(certificate: Path, servers: Servers, way: Any) -> None:
    async with way(certificate, servers) as port:
        ours = f"ssl_certfile={certificate}&ssl_keyfile={certificate.with_name('key.pem')}"
        await everything_works(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}&{ours}")


@BOTH
async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, servers: Servers, way: Any) -> None:
    async with way(certificate, servers) as port:
        with pytest.raises(StorageUnavailable, match="certificate verify failed"):
            async with Ferryman(f"rediss://127.0.0.1:{port}/0"):
                pass
        async with Ferryman(f"rediss://127.0.0.1:{port}/0?ssl_cert_reqs=none") as jobs:
            assert await jobs.admin.queues.list() == []


async def test_what_ends_the_way_to_tls_is_told(certificate: Path, servers: Servers) -> None:
    async with valkey_behind_tls(certificate, servers) as port, Ferryman(servers.url):
        url = f"redis://127.0.0.1:{port}/0"
        steps = {
            how: await Ferryman(each).admin.storage.way()
            for how, each in {
                "trusted": f"{url}?ssl_ca_certs={certificate}".replace("redis:", "rediss:"),
                "not looked at": f"{url}?ssl_cert_reqs=none".replace("redis:", "rediss:"),
                "unknown": url.replace("redis:", "rediss:"),
                "without": url,
            }.items()
        }

    assert [step.name for step in steps["trusted"]] == ["name lookup", "connect", "TLS", "login", "first command"]
    assert steps["trusted"][2].text == "TLSv1.3, the certificate is trusted"
    assert steps["not looked at"][2].text == "TLSv1.3, the certificate is not looked at"
    assert "its certificate is not trusted: self-signed certificate" in steps["unknown"][-1].text
    assert steps["unknown"][-1].failed
    assert steps["without"][-1].text.endswith("If it speaks TLS, the URL begins with rediss://.")


@BOTH
async def test_without_tls_where_there_is_some_it_is_said_that_nobody_answers(
    certificate: Path, servers: Servers, way: Any
) -> None:
    async with way(certificate, servers) as port:
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            async with Ferryman(f"redis://127.0.0.1:{port}/0"):
                pass
