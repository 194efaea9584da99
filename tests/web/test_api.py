"""The API keeps to its own description, whatever it is asked (schemathesis makes up the questions)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.requests import Request

from ferryman.job import JobRef
from ferryman.web.api.calls import CALLS, PREFIX
from ferryman.web.api.openapi import describe
from ferryman.web.bodies import bounded
from ferryman.web.refusals import Refusal
from web.conftest import Shop

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
FORM = "application/x-www-form-urlencoded"
# A stream has no end: tests/web/test_streams.py listens to it.
DESCRIBED = schemathesis.openapi.from_dict(describe()).exclude(path=f"{PREFIX}/events")
OPERATIONS = [result.ok() for result in DESCRIBED.get_all_operations()]


def made_up(operation: Any) -> list[Any]:
    """Return questions that the description allows."""
    cases: list[Any] = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        case.path_parameters = {"storage": "main"}
        cases.append(case)

    collect()
    return cases


def known(operation: Any) -> str:
    return f"{operation.method.upper()} {operation.path}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=known)
async def test_an_answer_is_as_it_is_described(corner: Shop, operation: Any) -> None:
    for case in made_up(operation):
        asked = dict(zip(("method", "url", "params", "json", "headers"), _request(case), strict=True))
        answer = await corner.there._client.request(**asked)
        if answer.status_code != 429:
            case.validate_response(answer, checks=CHECKS)


def _request(case: Any) -> Iterator[Any]:
    sent = case.as_transport_kwargs(base_url="http://jobs.example")
    yield case.method
    yield f"http://jobs.example{case.formatted_path}"
    yield sent.get("params")
    yield sent.get("json")
    yield {**sent["headers"], "Sec-Fetch-Site": "same-origin"}


async def test_every_way_of_looking_answers_as_it_is_described(shop: Shop) -> None:
    for operation in OPERATIONS:
        if operation.method != "get" or operation.path.endswith("/bulk"):
            continue
        for ref in shop.refs.values() if operation.path.endswith("/job") else [JobRef("", "")]:
            case = operation.Case(path_parameters={"storage": "main"}, query={"id": ref.id, "queue": ref.queue})
            answer = await shop.there._client.get(case.formatted_path, params=case.query if ref.id else {})
            assert answer.status_code == 200, answer.text
            case.validate_response(answer, checks=CHECKS)


def test_the_description_names_every_call() -> None:
    paths = describe()["paths"]
    assert {(call.method.lower(), PREFIX + call.path) for call in CALLS} == {
        (method, path) for path, methods in paths.items() for method in methods
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/jobs?cursor=wrong", 400, "bad_request"),
        ("/jobs?state=nonsense", 400, "bad_filter"),
        ("/jobs?limit=0", 400, "bad_filter"),
        ("/job?id=99999", 404, "job_not_found"),
        ("/bulk?id=nope", 404, "bulk_not_found"),
        ("/nowhere", 404, "not_found"),
        ("/../other/queues", 404, "storage_not_found"),
    ],
)
async def test_what_is_wrong_is_a_problem_that_programs_can_read(
    corner: Shop, path: str, status: int, code: str
) -> None:
    answer = await corner.there.api("GET", path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"action":"retry","refs":[]}', b'{"names":["\\ud800"]}', b"\xff", b"[" * 9999]
)
async def test_a_body_that_is_not_what_is_taken_is_refused(corner: Shop, body: bytes) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    for call in CALLS:
        if call.body is not None:
            path = PREFIX.replace("{storage}", "main") + call.path
            answer = await corner.there._client.request(call.method, path, content=body, headers=headers)
            assert answer.status_code in (400, 413, 429), call.path


async def test_a_body_of_more_than_a_megabyte_is_not_read(corner: Shop) -> None:
    answer = await corner.there.api("POST", "/enqueue", {"kind": "mail:send", "args": {"text": "x" * (1 << 20)}})

    assert answer.status_code == 413


async def test_a_body_that_is_longer_than_it_says_is_not_read_to_its_end(corner: Shop) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"a=" + b"x" * 99_997 + b"&"

    headers = {"Content-Length": "5", "Sec-Fetch-Site": "same-origin", "Content-Type": FORM}
    for path in ("/login", "/s/main/act", "/api/v1/s/main/enqueue"):
        answer = await corner.there._client.post(path, content=endless(), headers=headers)
        assert answer.status_code == 413, path
    assert read < 40


async def test_a_request_that_breaks_off_is_no_bug_of_ours() -> None:
    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    with pytest.raises(Refusal, match="broke off"):
        await bounded(Request({"type": "http", "headers": [(b"content-length", b"5")]}, gone), 100).body()


async def test_a_job_is_stored_with_the_arguments_that_were_sent(corner: Shop) -> None:
    stored = await corner.there.api("POST", "/enqueue", {"kind": "mail:send", "args": {"user": 1 << 63}})
    without = await corner.there.api("POST", "/enqueue", {"kind": "mail:send"})

    assert (stored.status_code, without.status_code) == (201, 201)
    refs = [JobRef.parse(answer.json()["ref"]) for answer in (stored, without)]
    assert [(await corner.jobs.admin.jobs.get(ref)).args for ref in refs] == [b'{"user":9223372036854775808}', b"{}"]
