"""Nobody changes anything who may not: each route is tried in each way that has to be refused."""

from __future__ import annotations

import pytest

from ferryman import Ferryman
from ferryman.web import Access, Dashboard, Level
from ferryman.web.routes import ROUTES, Way
from web.asking import Asking

CHANGES = [way for way in ROUTES if way.method != "GET" and way.needs.changes]
PAGES = [way for way in ROUTES if way.method == "GET"]


def known(way: Way) -> str:
    return f"{way.method} {way.path}"


def with_level(level: Level) -> Access:
    return Access(level, "ann", "test")


async def send(
    jobs: Ferryman, way: Way, access: Access | None, *, read_only: bool = False, **headers: str
) -> tuple[int, str]:
    said = {"Accept": "application/json", **headers}
    async with Asking(Dashboard(jobs, auth=lambda request: access, read_only=read_only)) as there:
        answer = await there._client.request(way.method, way.path.replace("{storage}", "main"), headers=said)
    text = answer.text
    return answer.status_code, text


@pytest.mark.parametrize("way", CHANGES, ids=known)
async def test_nothing_is_changed_where_it_is_read_only(jobs: Ferryman, way: Way) -> None:
    status, text = await send(jobs, way, with_level(Level.ADMIN), read_only=True, **{"Sec-Fetch-Site": "same-origin"})

    assert status == 403
    assert "read-only" in text


@pytest.mark.parametrize("way", CHANGES, ids=known)
async def test_nothing_is_changed_by_strangers(jobs: Ferryman, way: Way) -> None:
    status, _ = await send(jobs, way, None, **{"Sec-Fetch-Site": "same-origin"})

    assert status == 403


@pytest.mark.parametrize("way", [way for way in CHANGES if way.needs.level > Level.VIEW], ids=known)
async def test_nothing_is_changed_by_who_may_only_look(jobs: Ferryman, way: Way) -> None:
    status, text = await send(jobs, way, with_level(Level.VIEW), **{"Sec-Fetch-Site": "same-origin"})

    assert status == 403
    assert "takes the role" in text


@pytest.mark.parametrize("way", [way for way in ROUTES if way.method != "GET"], ids=known)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
    ids=["cross-site", "same-site", "origin", "null", "silent"],
)
async def test_no_other_page_can_send_a_form(jobs: Ferryman, way: Way, headers: dict[str, str]) -> None:
    status, text = await send(jobs, way, with_level(Level.ADMIN), **headers)

    assert status == 403
    assert "nothing was changed" in text


@pytest.mark.parametrize("way", PAGES, ids=known)
async def test_no_page_is_shown_to_strangers(jobs: Ferryman, way: Way) -> None:
    status, text = await send(jobs, way, None)

    assert status == 403
    assert "mail:send" not in text


async def test_a_dashboard_of_which_nobody_said_who_may_see_it_is_closed(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs)) as there:
        answer = await there.get("/s/main/")

    assert answer.status_code == 403
    assert "auth=function" in answer.text


async def test_on_a_developers_machine_it_is_open_to_that_machine_alone(jobs: Ferryman) -> None:
    async with (
        Asking(Dashboard(jobs, debug=True), peer="127.0.0.1") as here,
        Asking(Dashboard(jobs, debug=True)) as away,
    ):
        assert (await here.get("/s/main/")).status_code == 200
        assert (await away.get("/s/main/")).status_code == 403


async def test_a_name_that_was_rebound_is_not_answered(jobs: Ferryman) -> None:
    guarded = Dashboard(jobs, auth=lambda request: with_level(Level.ADMIN), allowed_hosts=["127.0.0.1:8081"])

    async with Asking(guarded) as there:
        assert (await there.get("/s/main/")).status_code == 421
        assert (await there.get("/s/main/", headers={"Host": "127.0.0.1:8081"})).status_code == 200
        assert (await there.get("/s/main/", headers={"Host": "127.0.0.1:8082"})).status_code == 421


async def test_who_changes_too_much_in_a_minute_has_to_wait(board: Asking) -> None:
    answers = [await board.post("/s/main/queues/resume", {"name": "mail"}) for _ in range(61)]

    assert [answer.status_code for answer in answers[:60]] == [303] * 60
    assert answers[60].status_code == 429
    assert int(answers[60].headers["Retry-After"]) <= 61
