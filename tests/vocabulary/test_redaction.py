"""What is hidden wherever jobs and errors are shown, and what is left as it is."""

from __future__ import annotations

import json

import pytest

from ferryman.redaction import USUAL, Redaction, hidden


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "PASSWD", "pwd", "apiKey", "api-key", "X-Auth-Token", "Set-Cookie", "userSSN", "iban"],
)
def test_these_names_are_of_secrets(name: str) -> None:
    assert USUAL.is_secret_name(name)


@pytest.mark.parametrize("name", ["to", "className", "keyboard", "author", "passenger", "ibanez", "id"])
def test_these_names_are_of_none(name: str) -> None:
    assert not USUAL.is_secret_name(name)


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
    assert USUAL.text(text) == shown
    assert USUAL.text(shown) == shown


@pytest.mark.parametrize(
    "text", ["http://localhost:8080/x?to=a@b.c", "KeyError: 'token'", "no session", "https://example.com/a:b@c"]
)
def test_what_only_resembles_one_is_left(text: str) -> None:
    assert USUAL.text(text) == text


def test_a_payload_keeps_the_very_bytes_of_what_is_no_secret() -> None:
    payload = b'{ "n": 1.10, "big": 123456789012345678901234567890, "deep": [{"to": "ada"}] }'

    assert USUAL.payload(payload) == payload
    assert b'"n":1.10' in USUAL.payload(b'{"n":1.10,"password":"x"}')


def test_secrets_are_hidden_at_any_depth_and_whatever_their_type() -> None:
    payload = b'{"a": [{"api_key": 12345, "session": {"id": 1}, "password": null}], "url": "redis://u:p@h"}'

    shown = json.loads(USUAL.payload(payload))

    assert shown["a"][0] == {"api_key": "•••••• (5 chars)", "session": "•••••• (9 chars)", "password": None}
    assert shown["url"] == "redis://u:***@h"


def test_bytes_that_are_no_text_are_shown_as_size_and_hash() -> None:
    assert json.loads(USUAL.payload(b"\xff\xfe")) == "•••••• (2 bytes), sha256 b3d510ef0427"


@pytest.mark.parametrize(("length", "said"), [(64, "64"), (65, "over 64"), (128, "over 64"), (129, "over 128")])
def test_how_long_a_long_secret_is_is_told_roughly(length: int, said: str) -> None:
    assert hidden(length) == f"•••••• ({said} chars)"


def test_names_are_added_and_left_out_without_regard_to_case_and_separators() -> None:
    ours = Redaction(hide_names=["customer_phone"], show_names=["Session", "token-count"])

    assert list(map(ours.is_secret_name, ["customerPhone", "CUSTOMER-PHONE", "api_token"])) == [True, True, True]
    assert list(map(ours.is_secret_name, ["session", "session_id", "tokenCount", "phone"])) == [False] * 4
    assert set(ours.names) ^ set(USUAL.names) == {"customerphone", "session"}


def test_an_added_name_counts_in_texts_too_and_one_left_out_no_more() -> None:
    ours = Redaction(hide_names=["customer_phone"], show_names=["token"])

    assert ours.text("no such customerPhone=12345") == "no such customerPhone=•••••• (5 chars)"
    assert ours.text("token=abc&secret=def") == "token=abc&secret=•••••• (3 chars)"


def test_of_some_kinds_no_arguments_are_shown() -> None:
    ours = Redaction(hide_args=["payment:*"])

    assert ours.args("payment:book", b'{"cents":100}') == '"•••••• (13 bytes)"'.encode()
    assert ours.args("mail:send", b'{"to":"ada"}') == b'{"to":"ada"}'


def test_a_program_changes_arguments_before_they_are_shown_and_its_mistakes_open_no_hole() -> None:
    ours = Redaction(redact=lambda kind, args: {"to": args["to"][0], "password": "x"})

    assert json.loads(ours.args("mail:send", b'{"to":"ada"}')) == {"to": "a", "password": "•••••• (1 chars)"}
    assert json.loads(ours.args("mail:send", b'{"address":"ada"}')) == "•••••• (17 bytes)"
    assert ours.args("mail:send", b"no JSON") == b"no JSON"


@pytest.mark.parametrize(
    ("ours", "paths", "kinds", "refused"),
    [
        (USUAL, ["user.password"], [], True),
        (USUAL, ["user.id"], [], False),
        (Redaction(show_names=["session"]), ["user.session"], [], False),
        (Redaction(hide_args=["payment:*"]), ["cents"], [], True),
        (Redaction(hide_args=["payment:*"]), ["cents"], ["mail:send", "payment:book"], True),
        (Redaction(hide_args=["payment:*"]), ["to"], ["mail:send"], False),
        (Redaction(hide_args=["payment:*"]), [], [], False),
        (Redaction(redact=lambda kind, args: args), ["to"], [], True),
    ],
)
def test_nobody_guesses_what_is_hidden_by_looking_for_it(
    ours: Redaction, paths: list[str], kinds: list[str], refused: bool
) -> None:
    assert (ours.guesses(paths, kinds) is not None) == refused
