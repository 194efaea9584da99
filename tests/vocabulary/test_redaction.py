"""What is hidden wherever jobs and errors are shown, and what is left as it is."""

from __future__ import annotations

import json

import pytest

from ferryman.redaction import hidden, is_secret_name, payload_without_secrets, without_secrets


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "PASSWD", "pwd", "apiKey", "api-key", "X-Auth-Token", "Set-Cookie", "userSSN", "iban"],
)
def test_these_names_are_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["to", "className", "keyboard", "author", "passenger", "ibanez", "id"])
def test_these_names_are_of_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ada:p@ss@db:5432/x is down", "postgres://ada:***@db:5432/x is down"),
        ("redis://:hunter2@db/0", "redis://:***@db/0"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer •••••• (12 chars)"),
        ("got eyJhbGciOi.eyJzdWIi.c2ln, expired", "got •••••• (24 chars), expired"),
        ("key sk-abcdefghijklmnopqrst refused", "key •••••• (23 chars) refused"),
        ("{'password': 'two words', 'to': 'ada'}", "{'password': •••••• (11 chars), 'to': 'ada'}"),
        ("GET /x?token=abc&y=1", "GET /x?token=•••••• (3 chars)&y=1"),
        ("-----BEGIN RSA KEY-----\nMHcabcdefghijklmnop\n-----END RSA KEY-----\nthen", "•••••• (over 64 chars)\nthen"),
    ],
)
def test_a_secret_is_known_by_its_form_and_hidden_once(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    "text", ["http://localhost:8080/x?to=a@b.c", "KeyError: 'token'", "no session", "https://example.com/a:b@c"]
)
def test_what_only_resembles_one_is_left(text: str) -> None:
    assert without_secrets(text) == text


def test_a_payload_keeps_the_very_bytes_of_what_is_no_secret() -> None:
    payload = b'{ "n": 1.10, "big": 123456789012345678901234567890, "deep": [{"to": "ada"}] }'

    assert payload_without_secrets(payload) == payload
    assert b'"n":1.10' in payload_without_secrets(b'{"n":1.10,"password":"x"}')


def test_secrets_are_hidden_at_any_depth_and_whatever_their_type() -> None:
    payload = b'{"a": [{"api_key": 12345, "session": {"id": 1}, "password": null}], "url": "redis://u:p@h"}'

    shown = json.loads(payload_without_secrets(payload))

    assert shown["a"][0] == {"api_key": "•••••• (5 chars)", "session": "•••••• (9 chars)", "password": None}
    assert shown["url"] == "redis://u:***@h"


def test_bytes_that_are_no_text_are_shown_as_size_and_hash() -> None:
    assert json.loads(payload_without_secrets(b"\xff\xfe")) == "•••••• (2 bytes), sha256 b3d510ef0427"


@pytest.mark.parametrize(("length", "said"), [(64, "64"), (65, "over 64"), (128, "over 64"), (129, "over 128")])
def test_how_long_a_long_secret_is_is_told_roughly(length: int, said: str) -> None:
    assert hidden(length) == f"•••••• ({said} chars)"
