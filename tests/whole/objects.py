"""An S3 server as a process of its own, which speaks the real protocol: the one of the package moto.

One thing it learns here: to refuse to delete an object, as a bucket's policy may.  The
program is `python -m whole.objects PORT`; `Objects` starts it and talks to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx

from servers import free_port
from whole.program import Program, until

__all__ = ["Objects", "serving"]

REFUSED = "/-/refused"
"""Whose key is put here is not deleted from then on."""
XML = [("Content-Type", "application/xml")]
DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?><DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error>'
    "<Key>{key}</Key><Code>AccessDenied</Code><Message>The policy says no.</Message></Error></DeleteResult>"
)
"""How S3 answers when several are to be deleted, as they are by our client even when it is one."""

Begin = Callable[[str, list[tuple[str, str]]], object]
Wsgi = Callable[[dict[str, Any], Begin], Iterable[bytes]]


class Objects:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def bucket(self, name: str) -> dict[str, str]:
        """Make a bucket, and return what Briefings is told of it."""
        httpx.put(f"{self.url}/{name}").raise_for_status()
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
        return {"S3_BUCKET": name, "S3_ENDPOINT_URL": self.url, **keys}

    def has(self, bucket: str, key: str) -> bool:
        """Whether an object is there."""
        listed = httpx.get(f"{self.url}/{bucket}", params={"prefix": key})
        return f"<Key>{key}</Key>" in listed.text

    def refuse_to_delete(self, key: str) -> None:
        """Keep an object, whoever wants it deleted."""
        httpx.put(f"{self.url}{REFUSED}", content=key).raise_for_status()


@contextmanager
def serving(folder: Path) -> Iterator[Objects]:
    """Run the server until the end of the block; its log is in the folder."""
    port, env = free_port(), os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with Program(folder / "s3.log", (sys.executable, "-m", "whole.objects", str(port)), env) as program:
        until(lambda: _answers(program, port))
        yield Objects(port)


def _answers(program: Program, port: int) -> bool:
    assert program.process.poll() is None, program.text
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").is_success
    except httpx.ConnectError:
        return False


def _refusing(app: Wsgi, refused: set[str], asked: dict[str, Any], begin: Begin) -> Iterable[bytes]:
    is_delete = asked["QUERY_STRING"].startswith("delete")
    if not is_delete and asked["PATH_INFO"] != REFUSED:
        return app(asked, begin)
    body = asked["wsgi.input"].read(int(asked["CONTENT_LENGTH"]))
    asked["wsgi.input"] = BytesIO(body)
    if not is_delete:
        refused.add(body.decode())
    denied = next((key for key in refused if key.encode() in body), None)
    if is_delete and denied is None:
        return app(asked, begin)
    begin("200 OK", XML)
    return [DENIED.format(key=denied).encode()]


def serve(port: int) -> None:
    """Serve S3 until killed."""
    from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    s3 = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", port, partial(_refusing, s3, set()), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
