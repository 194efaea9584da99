"""Asks a dashboard as a browser does, without one."""

from __future__ import annotations

from typing import Any, Self

import httpx

from ferryman.web import Dashboard

__all__ = ["HOST", "Asking"]

HOST = "http://jobs.example"
OWN = {"Sec-Fetch-Site": "same-origin"}


class Asking:
    """A browser, as far as requests go; `mount` is the path at which the dashboard is said to be."""

    def __init__(self, dashboard: Dashboard, *, mount: str = "", peer: str = "203.0.113.7") -> None:
        self.dashboard = dashboard
        transport = httpx.ASGITransport(dashboard, root_path=mount, client=(peer, 4711), raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url=HOST + mount)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()
        await self.dashboard.close()

    @property
    def cookies(self) -> httpx.Cookies:
        """What the browser keeps."""
        return self._client.cookies

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask for a page."""
        return await self._client.get(path, **more)

    async def post(self, path: str, data: Any = None, **more: Any) -> httpx.Response:
        """Send a form, as a page of the dashboard's own does."""
        headers = {**OWN, **more.pop("headers", {})}
        return await self._client.post(path, data=data or {}, headers=headers, **more)

    async def api(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Call the API."""
        headers = {**OWN, **more.pop("headers", {})}
        return await self._client.request(method, f"/api/v1/s/main{path}", json=body, headers=headers, **more)
