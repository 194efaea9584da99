"""What browsers load beside the pages: read from the package once, under an address that names its content."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from ferryman.web.refusals import Refusal

__all__ = ["asset", "asset_path"]

_KINDS = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "ico": "image/x-icon",
}
_STATIC = files("ferryman.web") / "static"
_HASH = 12


@cache
def _read(name: str) -> bytes:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise FileNotFoundError(name)
    return _STATIC.joinpath(*parts).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Return the address of a file below the mount point: /static/<hash>/<name>."""
    return f"/static/{sha256(_read(name)).hexdigest()[:_HASH]}/{name}"


async def asset(request: Request) -> Response:
    """Answer with a file; its address changes with its content, so it may be kept for good."""
    name = request.path_params["name"]
    kind = _KINDS.get(name.rpartition(".")[2])
    try:
        if kind is None or asset_path(name) != f"/static/{request.path_params['hash']}/{name}":
            raise FileNotFoundError(name)
        body = _read(name)
    except OSError:
        raise Refusal(404, "not_found", "There is no such file.") from None
    return Response(body, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})
