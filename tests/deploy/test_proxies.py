"""The recipes for nginx and Caddy, run as they are shipped, in front of a stand-in for the dashboard.

The stand-in tells what reached it, and has a page that does not end; beside it stands
one for oauth2-proxy, which knows Ann by her cookie.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.kit import ROOT, needed
from servers import free_port, wait_until

PROXIES = ROOT / "deploy/proxy"
HOST = "jobs.example.com"
FORGED = {
    "X-Forwarded-User": "root",
    "X-Forwarded-Groups": "admin",
    "X-Forwarded-Email": "root@example.com",
    "Authorization": "Bearer forged",
}
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; include {folder}/nginx.conf; }}
}}
"""


class Dashboard(BaseHTTPRequestHandler):
    """Answers with what reached it; /events goes on until the test is over."""

    protocol_version = "HTTP/1.1"
    over = threading.Event()

    def do_GET(self) -> None:
        if self.path.endswith("/events"):
            self._events()
            return
        told = json.dumps({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.over.wait(30)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Login(BaseHTTPRequestHandler):
    """What oauth2-proxy answers: who it is, or 401."""

    def do_GET(self) -> None:
        known = "session=ann" in self.headers.get("Cookie", "")
        self.send_response(202 if known else 401)
        if known:
            self.send_header("X-Auth-Request-User", "ann")
            self.send_header("X-Auth-Request-Groups", "ops")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextmanager
def proxy(name: str, folder: Path, dashboard: int, login: int, was: str = "", now: str = "") -> Iterator[int]:
    """Run a recipe, changed in nothing but its addresses and, where one is planted, a mistake."""
    port, file = free_port(), {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]
    text = (PROXIES / file).read_text()
    assert was in text
    text = text.replace(was, now) if was else text
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{dashboard}").replace("127.0.0.1:4180", f"127.0.0.1:{login}")
    if name == "caddy":
        text = "{\n\tadmin off\n}\n" + text.replace(f"{HOST} {{", f"http://127.0.0.1:{port}, http://{HOST}:{port} {{")
        command = [needed("caddy"), "run", "--config", str(folder / file), "--adapter", "caddyfile"]
    else:
        (folder / "whole.conf").write_text(NGINX.format(folder=folder, port=port))
        command = [needed("nginx"), "-c", str(folder / "whole.conf"), "-g", "user root;" * (os.geteuid() == 0)]
    (folder / file).write_text(text)
    log = (folder / "out").open("wb")
    env = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log, subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: answers(port), lambda: (folder / "out").read_text())
            yield port
        finally:
            Dashboard.over.set()
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        get(port, "/jobs/")
        return True
    return False


def get(port: int, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers={"Host": HOST, **headers}, timeout=10)


@pytest.fixture
def stand_ins() -> Iterator[tuple[int, int]]:
    Dashboard.over.clear()
    with answering(Dashboard) as dashboard, answering(Login) as login:
        yield dashboard, login
        Dashboard.over.set()


PREFIX = {"nginx": "/jobs", "caddy": ""}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_a_recipe_tells_the_dashboard_who_it_is_and_nothing_that_a_client_made_up(
    name: str, tmp_path: Path, stand_ins: tuple[int, int]
) -> None:
    with proxy(name, tmp_path, *stand_ins) as port:
        stranger = get(port, f"{PREFIX[name]}/s/main/queues", **FORGED)
        seen = get(port, f"{PREFIX[name]}/s/main/queues?page=2", Cookie="session=ann", **FORGED).json()

        assert stranger.status_code in (302, 401)
        assert seen["path"] == "/s/main/queues?page=2"
        assert (seen["x-forwarded-user"], seen["x-forwarded-groups"]) == ("ann", "ops")
        assert "x-forwarded-email" not in seen
        assert "authorization" not in seen
        assert seen["x-forwarded-proto"] == "http"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_a_recipe_hands_events_on_while_their_answer_goes_on(
    name: str, tmp_path: Path, stand_ins: tuple[int, int]
) -> None:
    said = {"Host": HOST, "Cookie": "session=ann"}
    with proxy(name, tmp_path, *stand_ins) as port:
        with httpx.stream("GET", f"http://127.0.0.1:{port}{PREFIX[name]}/events", headers=said) as events:
            assert next(events.iter_lines()) == "data: first"
            assert not Dashboard.over.is_set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "was", "now", "header"),
    [
        ("nginx", "proxy_set_header X-Forwarded-User $ferryman_user;", "", "x-forwarded-user"),
        ("caddy", "request_header -X-Forwarded-Email", "", "x-forwarded-email"),
    ],
)
def test_without_its_line_a_client_could_say_who_it_is(
    name: str, was: str, now: str, header: str, tmp_path: Path, stand_ins: tuple[int, int]
) -> None:
    with proxy(name, tmp_path, *stand_ins, was, now) as port:
        seen = get(port, f"{PREFIX[name]}/x", Cookie="session=ann", **FORGED).json()
    assert "root" in seen[header]


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[int]:
    """The dashboard itself, started as the recipes say."""
    said = re.search(r"^#   ferryman (dashboard .*)$", (PROXIES / "nginx.conf").read_text(), re.MULTILINE)
    assert said is not None
    port = free_port()
    command = [sys.executable, "-m", "ferryman", "--url", "sqlite:///jobs.db", *said[1].split(), "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: answers(port))
        yield port
        process.terminate()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_the_dashboard_itself_is_whole_behind_a_recipe(name: str, tmp_path: Path, dashboard: int) -> None:
    with answering(Login) as login, proxy(name, tmp_path, dashboard, login) as port:
        known: dict[str, Any] = {"headers": {"Host": HOST, **FORGED}, "cookies": {"session": "ann"}}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=10, **known) as ann:
            page = ann.get(f"{PREFIX[name]}/")
            links = set(re.findall(r'(?:href|src)="(/[^"#]*)"', page.text))
            style = next(each for each in links if each.endswith(".css"))

            assert (page.status_code, page.url.path) == (200, f"{PREFIX[name]}/s/main/")
            assert "ann" in page.text
            assert {link for link in links if not link.startswith(f"{PREFIX[name]}/")} == set()
            assert ann.get(style).status_code == 200
