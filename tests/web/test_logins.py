"""Passwords, tokens, sessions and proxies: who is let in, and as whom."""

from __future__ import annotations

from base64 import b64encode

import pytest

from ferryman import Ferryman
from ferryman.errors import ConfigError
from ferryman.web import Dashboard, Level
from ferryman.web.entrance.logins import COOKIE, ByLogin, ByProxy
from ferryman.web.entrance.proxies import Proxies
from ferryman.web.entrance.sessions import LIFETIME, Sessions
from ferryman.web.entrance.standing import NO_LOGIN, OpenToEverybody, Wanted, standing
from ferryman.web.entrance.users import Tokens, User, Users, password_hash
from web.asking import Asking

TOKEN = "a-token-of-many-characters"
HASH = password_hash("correct horse")


def login() -> ByLogin:
    users = Users.read([f"ann:{HASH}:admin", "# nobody", f"eve:{password_hash('x')}:view"], origin="test")
    return ByLogin(users, Tokens.read([f"ci:{TOKEN}:operate"], origin="test"), Sessions("secret"))


async def test_a_password_opens_a_session_and_leads_to_what_was_asked_for(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs, auth=login())) as there:
        asked = await there.get("/s/main/queues")
        entered = await there.post("/login", {"name": "ann", "password": "correct horse", "next": "/s/main/queues"})
        shown = await there.get("/s/main/queues")

    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fs%2Fmain%2Fqueues")
    assert (entered.status_code, entered.headers["location"]) == (303, "/s/main/queues")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "SameSite=strict" in entered.headers["set-cookie"]
    assert shown.status_code == 200


async def test_a_wrong_password_is_told_as_a_wrong_name_is(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs, auth=login())) as there:
        wrong = await there.post("/login", {"name": "ann", "password": "wrong"})
        unknown = await there.post("/login", {"name": "bob", "password": "wrong"})

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text
    assert COOKIE not in there.cookies


async def test_passwords_cannot_be_tried_out(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs, auth=login())) as there:
        statuses = [(await there.post("/login", {"name": "ann", "password": str(n)})).status_code for n in range(6)]

    assert statuses == [401] * 5 + [429]


async def test_passwords_cannot_be_tried_out_in_a_header_either(jobs: Ferryman) -> None:
    def sent(password: str) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(f'ann:{password}'.encode()).decode()}"}

    async with Asking(Dashboard(jobs, auth=login())) as there:
        right = [(await there.get("/-/metrics", headers=sent("correct horse"))).status_code for _ in range(7)]
        wrong = [(await there.get("/-/metrics", headers=sent(str(n)))).status_code for n in range(6)]

    assert right == [200] * 7
    assert wrong == [401] * 5 + [429]


async def test_a_login_leads_nowhere_else(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs, auth=login())) as there:
        entered = await there.post("/login", {"token": TOKEN, "next": "//evil.example/s/"})

    assert entered.headers["location"] == "/"


async def test_logging_out_ends_the_session(jobs: Ferryman) -> None:
    async with Asking(Dashboard(jobs, auth=login())) as there:
        await there.post("/login", {"name": "ann", "password": "correct horse"})
        await there.post("/logout")

        assert (await there.get("/s/main/")).status_code == 303


async def test_a_copied_cookie_opens_nothing_after_logging_out_and_others_stay_good(jobs: Ferryman) -> None:
    way = login()
    async with Asking(Dashboard(jobs, auth=way)) as there:
        copied, other = [entered[1] for _ in range(2) if (entered := await way.enter("ann", "correct horse"))]
        await there.post("/logout", headers={"Cookie": f"{COOKIE}={copied}"})
        answers = [await there.get("/s/main/", headers={"Cookie": f"{COOKIE}={each}"}) for each in (copied, other)]

    assert [answer.status_code for answer in answers] == [303, 200]


async def test_programs_send_a_token_or_a_password_with_each_request(jobs: Ferryman) -> None:
    basic = b64encode(b"ann:correct horse").decode()
    async with Asking(Dashboard(jobs, auth=login())) as there:
        with_token = await there.api("GET", "/queues", headers={"Authorization": f"Bearer {TOKEN}"})
        with_password = await there.api("GET", "/queues", headers={"Authorization": f"Basic {basic}"})
        with_nothing = await there.api("GET", "/queues")

    assert (with_token.status_code, with_password.status_code, with_nothing.status_code) == (200, 200, 401)
    assert with_nothing.json()["code"] == "login"


def test_a_session_ends_with_its_time_its_user_and_its_users_password() -> None:
    now = 1_000_000.0
    user = User("ann", HASH, Level.ADMIN)
    sessions = Sessions("secret", clock=lambda: now)
    cookie = sessions.begin(user)

    assert sessions.whose(cookie, lambda name: user) == user
    assert sessions.whose(cookie, lambda name: None) is None
    assert sessions.whose(cookie, lambda name: User("ann", password_hash("new"), Level.ADMIN)) is None
    assert Sessions("another", clock=lambda: now).whose(cookie, lambda name: user) is None
    now += LIFETIME + 1
    assert sessions.whose(cookie, lambda name: user) is None


@pytest.mark.parametrize("cookie", ["", "a.b", "YW5u.9999999999.m.00", "é.9.m.é", "." * 50, "YW5u.-1.m.x"])
def test_a_made_up_session_is_nobodys(cookie: str) -> None:
    assert Sessions("secret").whose(cookie, lambda name: User("ann", HASH, Level.ADMIN)) is None


async def test_a_header_is_believed_from_the_trusted_proxy_alone(jobs: Ferryman) -> None:
    way = ByProxy(Proxies(["10.0.0.0/8"]), roles={"ops": Level.OPERATE})
    said = {"X-Forwarded-User": "ann", "X-Forwarded-Groups": "staff, ops"}
    async with (
        Asking(Dashboard(jobs, auth=way), peer="10.1.2.3") as proxy,
        Asking(Dashboard(jobs, auth=way), peer="203.0.113.9") as stranger,
    ):
        let_in = await proxy.get("/s/main/", headers=said)
        without_role = await proxy.get("/s/main/", headers={**said, "X-Forwarded-Groups": "staff"})
        refused = await stranger.get("/s/main/", headers=said)

    assert (let_in.status_code, without_role.status_code, refused.status_code) == (200, 403, 403)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_it_does_not_start_where_everybody_could_use_it(host: str) -> None:
    with pytest.raises(OpenToEverybody, match="everybody could use it") as raised:
        standing(Wanted(host=host))
    assert all(way in raised.value.hint for way in ("--users", "--tokens", "--trusted-proxy"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_on_this_machine_nobody_has_to_log_in_and_only_our_names_are_answered(host: str) -> None:
    found = standing(Wanted(host=host, port=8081))

    assert not found.way.form
    assert set(found.hosts) == {"localhost:8081", "127.0.0.1:8081", "[::1]:8081"}


def test_a_proxy_in_front_has_to_be_named_in_full() -> None:
    assert standing(Wanted(host="0.0.0.0", auth=NO_LOGIN)).warning
    with pytest.raises(ConfigError, match="--trusted-proxy"):
        standing(Wanted(host="0.0.0.0", auth="proxy"))
    with pytest.raises(ConfigError, match="It takes one of"):
        standing(Wanted(auth="oidc"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ann:secret:admin", "not hashed"),
        ("ann:secret", "not whole"),
        (f"ann:{HASH}:king", "no role"),
        (f"ann:{HASH}:admin+all", "only \\+reveal"),
        (f"ann:{HASH[:-4]}:admin", "not whole"),
    ],
)
def test_a_wrong_line_of_users_says_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Users.read([line], origin="users.txt")
