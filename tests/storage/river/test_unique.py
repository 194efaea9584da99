"""Unique keys and state masks are River's, to the byte (spec/river.md 3.5, river-conformance.md 6.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ferryman import gojson
from ferryman.errors import InvalidJob
from ferryman.job import State, Unique
from ferryman.storage.river.unique import DEFAULT, REQUIRED, canonical, mask, states, unique_key

RECORDED = Path(__file__).parents[2] / "vectors" / "river"

NOW = datetime(2024, 9, 14, 12, 34, 56, 789_000, UTC)


def text_of(unique: Unique, args: object = b"{}", *, kind: str = "k", at: datetime = NOW) -> str:
    encoded = args if isinstance(args, bytes) else gojson.encode(args)
    return canonical(unique, kind=kind, args=encoded, queue="default", at=at)


# What River 0.43 recorded


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


UNIT = recorded("unique_key_unit.json")
TAGGED = recorded("struct_tags.json")


def tagged_paths(fields: list[dict[str, Any]], parents: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the fields that a Go struct marks with `river:"unique"`."""
    for field in fields:
        name = field["json_tag"].split(",")[0] or field["go_name"]
        own = (*parents, name)
        inside = list(tagged_paths(field.get("fields", []), parents if field["embedded"] else own))
        yield from inside or ([".".join(own)] if field["river_tag"] == "unique" else [])


def recorded_unique(case: dict[str, Any]) -> Unique:
    options = case["unique_opts"]
    paths = tuple(tagged_paths(TAGGED.get(case["go_args_type"], {"fields": []})["fields"]))
    period, by_states = options.get("ByPeriod_ns"), options.get("ByState")
    return Unique(
        by_args=options.get("ByArgs", False) and (paths or True),
        by_period=timedelta(microseconds=period // 1000) if period else None,
        by_queue=options.get("ByQueue", False),
        by_states=frozenset(map(State, by_states)) if by_states else None,
        exclude_kind=options.get("ExcludeKind", False),
    )


def in_utc(text: str) -> str:
    """Write the start of the period in UTC, as River does since 0.48 (spec/river-conformance.md 5.1).

    River 0.43, which was recorded, wrote the same instant in the job's own zone, so that
    programs in two zones never met in one key.
    """
    return re.sub(r"(?<=&period=)[^&]+", lambda found: utc(found[0]), text)


def utc(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("case", UNIT["cases"], ids=lambda case: case["sha256_hex"][:8])
def test_every_recorded_job_has_its_recorded_text_and_key(case: dict[str, Any]) -> None:
    job = {
        "kind": case["kind"],
        "args": case["encoded_args"].encode(),
        "queue": case["queue"],
        "at": datetime.fromisoformat(case["now"]),
    }

    text = canonical(recorded_unique(case), **job)
    key = unique_key(recorded_unique(case), **job)

    expected = in_utc(case["string"])
    assert text == expected
    assert key == sha256(expected.encode()).digest()
    if expected == case["string"]:
        assert key.hex() == case["sha256_hex"]


def test_the_recorded_jobs_are_all_there_and_only_those_outside_utc_have_another_text_today() -> None:
    changed = [case for case in UNIT["cases"] if in_utc(case["string"]) != case["string"]]

    assert len(UNIT["cases"]) == 137
    assert changed
    assert {case["now"][-6:] for case in changed} == {"+05:30"}


@pytest.mark.parametrize("entry", UNIT["state_bitmasks"], ids=lambda entry: entry["bitmask"])
def test_a_mask_reads_as_the_recorded_states(entry: dict[str, Any]) -> None:
    assert states(int(entry["bitmask"], 2)) == entry["states"]


COMPLETE = [entry for entry in UNIT["state_bitmasks"] if len(entry["states"]) > 1]
SINGLE = [entry for entry in UNIT["state_bitmasks"] if len(entry["states"]) == 1]


@pytest.mark.parametrize("entry", COMPLETE, ids=lambda entry: entry["bitmask"])
def test_states_make_the_recorded_mask(entry: dict[str, Any]) -> None:
    assert mask(map(State, entry["states"])) == int(entry["bitmask"], 2)


@pytest.mark.parametrize("entry", SINGLE, ids=lambda entry: entry["states"][0])
def test_each_state_adds_its_own_bit(entry: dict[str, Any]) -> None:
    (name,) = entry["states"]

    assert mask([*states(REQUIRED), State(name)]) == REQUIRED | int(entry["bitmask"], 2)


# What the specification lists

MAIL = {"subject": "Test Email", "body": "…", "recipient": "user@example.com", "template_id": 1}
TWICE = {
    "addresses": {"recipient": "john@example.com", "bcc": ""},
    "subject": "Another Test Email",
    "template_id": 2,
}
SELECTED = ("account.id", "account.region", "label", "path/key")
FLOATS = {
    "below_large": 999999999999999900000.0,
    "large": 1e20,
    "large_boundary": 1e21,
    "largest": 1.7976931348623157e308,
    "negative": -1.5e-9,
    "negative_zero": -0.0,
    "one": 1.0,
    "single": 1.1,
    "single_large": 1e21,
    "single_small": 1e-7,
    "small": 1e-7,
    "small_boundary": 1e-6,
    "smallest": 5e-324,
    "tenth": 0.1,
}
NUMBERS = {
    "exponent": 1e100,
    "fraction": 1.25,
    "maximum": 2**63 - 1,
    "minimum": -(2**63),
    "unsigned_maximum": 2**64 - 1,
}
ALL = Unique(by_args=True)
SOME = Unique(by_args=SELECTED)
ACCOUNT = {"path/key": "slash", "account": {"region": "west", "more": 1, "id": "acct"}}
ODD_NAMES = {'a"b': 1, "a&b": 5, "a<b": 4, "a\u2028b": 6, "line\n": 2, "é": 3}

CASES: dict[str, tuple[str, Unique, dict[str, Any]]] = {
    "paths": ("worker_1", Unique(by_args=("subject", "recipient")), MAIL),
    "a whole object": ("worker_1", Unique(by_args=("subject", "addresses")), TWICE),
    "any kind": ("any", Unique(by_args=True, exclude_kind=True), {"task_id": "task_123"}),
    "states alone": ("sort", Unique(by_states=frozenset(State)), {"x": 1}),
    "a list": ("sort", ALL, {"strings": ["whale", "tiger", "bear"]}),
    "escapes": ("k", ALL, {"c": None, "b": "<x> & é", "a": 1}),
    "paths of nothing": ("k", Unique(by_args=("a", "b.c")), {"d": 1}),
    "no arguments": ("k", ALL, {}),
    "nested order": ("conformance_all_args", ALL, {"nested": {"z": 1, "a": 2}}),
    "nested paths": ("conformance_selected_args", SOME, ACCOUNT),
    "an empty parent": ("conformance_selected_args", SOME, {"account": {}}),
    "null": ("conformance_selected_args", SOME, {"label": None}),
    "whole numbers": ("conformance_numeric_boundaries", ALL, NUMBERS),
    "floats": ("conformance_all_args", ALL, FLOATS),
    "odd names": ("conformance_all_args", ALL, ODD_NAMES),
}
KEYS = {
    "paths": "924d0ae47cfc7fa39a6ac83c366368583aa6406612772dd007cad2527989ed80",
    "a whole object": "bb893ff0700bc8ca6e76ed1df2abde5e00884feb0178c7238d6166da6d9c0314",
    "any kind": "4b48cf5f2559d1de919b01391108cc5577d10e6e56a10bda33618b98b6054252",
    "states alone": "e65ea4ac25a2bcc8389abae8124ee315e5f47b5856d9a24ff4a90149c46307c5",
    "a list": "7631da30ce3cc7ee4ad9e01ae2d2c283814522825eec1ec357a9c488fdda79bb",
    "escapes": "f6d631bedd5480149b338203696da7089585c1dd2836eedc9f30b873752ff5a6",
    "paths of nothing": "c1ce8acb29dc651a91a5315ad52228d550c44d08db552837730dd3f91dfbd925",
    "no arguments": "6d1fad618d825cceb4f04d74a399bf641ad1d95421d160aacfd588aade6e7fa1",
    "nested order": "46ff499cb031d0458bb00ef87e7b83321eefb6e7534497c279c4ae0f474cdde0",
    "nested paths": "7d62e81ac25cfa2dec69ad5a41e0b78188ee1b299bed329b453da6b3abca70bd",
    "an empty parent": "23aa86692d9807ab10e433e378f1c0804573f5e345818461b919322dd381b4c3",
    "null": "d137d7c4f1e3f8369037b1890357655b4fa1978a329bcf51435f9f0b54abcab7",
    "whole numbers": "2c1533b3ab43068407d14e82ddb34a295a51375ae3a27fef6931123f07677f38",
    "floats": "dc330477ebe8bf2bc3402476365fcfe22c82253f744481c49a23f760f059cad4",
    "odd names": "bab84635792449d758b18950f6f014bfb16d26430e798d84afee9fc9cb793163",
}


@pytest.mark.parametrize("name", KEYS)
def test_arguments_get_the_keys_of_the_specification(name: str) -> None:
    kind, unique, args = CASES[name]

    key = unique_key(unique, kind=kind, args=gojson.encode(args), queue="default", at=NOW)

    assert key.hex() == KEYS[name]


@pytest.mark.parametrize(
    ("kind", "queue", "unique", "at", "expected"),
    [
        (
            "worker_6",
            "email_queue",
            Unique(by_queue=True),
            NOW,
            "26b1abe28abd7a0d215b0881bff7a77e408d71da6166d43272c0179ea058d3dc",
        ),
        (
            "sort",
            "default",
            Unique(by_period=timedelta(hours=1), by_queue=True),
            NOW,
            "702d72325957f8d72572242da6c2173f6d3075fdc5e4dcc6c11fec4ba9c95084",
        ),
        (
            "conformance_simple",
            "default",
            Unique(by_period=timedelta(minutes=90)),
            datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC),
            "5396f06a082abd7a929915135ebd363a9a47d800176b03ce7736f93a5ba9e22e",
        ),
        (
            "conformance_simple",
            "priority_emails",
            Unique(by_queue=True, exclude_kind=True),
            NOW,
            "d20ce47da8e8015e68b020bbca2b17494139519ae05f8985e5992db4d8dd8a09",
        ),
        (
            "conformance_simple",
            "priority_emails",
            Unique(by_args=True, by_period=timedelta(minutes=1), by_queue=True),
            datetime(2026, 1, 2, 5, 21, 5, 678_900, UTC),
            "6f20262e7b1fa9beaf98255f23030800376636484a98b20c2c04a303bab5a8d5",
        ),
    ],
)
def test_queue_and_period_get_the_keys_of_the_specification(
    kind: str, queue: str, unique: Unique, at: datetime, expected: str
) -> None:
    assert unique_key(unique, kind=kind, args=b'{"id":42}', queue=queue, at=at).hex() == expected


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (timedelta(minutes=15), "2024-09-14T12:30:00Z"),
        (timedelta(hours=1), "2024-09-14T12:00:00Z"),
        (timedelta(hours=7), "2024-09-14T06:00:00Z"),
        (timedelta(hours=24), "2024-09-14T00:00:00Z"),
        (timedelta(hours=36), "2024-09-13T12:00:00Z"),
        (timedelta(days=7), "2024-09-09T00:00:00Z"),
        (timedelta(days=30), "2024-09-12T00:00:00Z"),
        (timedelta(seconds=1.5), "2024-09-14T12:34:55Z"),
        (timedelta(days=365_000_000), "0001-01-01T00:00:00Z"),
    ],
)
def test_a_period_is_counted_from_gos_zero_time(period: timedelta, start: str) -> None:
    assert text_of(Unique(by_period=period)) == f"&kind=k&period={start}"


def test_a_period_does_not_depend_on_the_zone_of_the_time() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-4)))

    assert text_of(Unique(by_period=timedelta(days=1)), at=elsewhere) == "&kind=k&period=2024-09-14T00:00:00Z"


# Arguments


def test_a_name_that_comes_twice_counts_with_its_first_value() -> None:
    assert text_of(ALL, b'{"b":3,"a":1,"a":2}') == '&kind=k&args={"a":1,"b":3}'
    assert text_of(Unique(by_args=("o.a",)), b'{"o":{"a":1,"a":2},"o":5}') == '&kind=k&args={"o":{"a":1}}'


def test_values_are_compared_as_they_are_written() -> None:
    assert text_of(ALL, rb'{"e":1.50,"d":1e3,"\u0061":"\u00e9,:{}\" "}') == (
        r'&kind=k&args={"a":"\u00e9,:{}\" ","d":1e3,"e":1.50}'
    )


def test_white_space_between_names_and_values_does_not_count() -> None:
    assert text_of(ALL, b' {\n "b" : [1] ,\t"a": {} }\n') == '&kind=k&args={"a":{},"b":[1]}'


def test_names_are_sorted_by_their_bytes() -> None:
    assert text_of(ALL, {"é": 1, "😀": 2, "\ue000": 3, "z": 4, "Z": 5, "10": 6, "2": 7, "": 8}) == (
        '&kind=k&args={"":8,"10":6,"2":7,"Z":5,"z":4,"é":1,"\ue000":3,"😀":2}'
    )


def test_paths_are_sorted_whole_and_the_nested_one_comes_before_the_dotted_name() -> None:
    args = {"<k>": 3, "a": {"b": 1, "z": [2]}, "a-c": 2, "a.b": 4}

    assert text_of(Unique(by_args=(r"a\.b", "a.b", "a-c", "<k>")), args) == (
        '&kind=k&args={"<k>":3,"a-c":2,"a":{"b":1},"a.b":4}'
    )


def test_a_path_that_is_named_twice_counts_once() -> None:
    assert text_of(Unique(by_args=("a", "a", r"\a")), {"a": 1, "b": 2}) == '&kind=k&args={"a":1}'


def test_a_backslash_in_a_path_makes_the_next_character_plain() -> None:
    args = {"a\\b": 1, "@x": 2, "end\\": 3}

    assert text_of(Unique(by_args=(r"a\\b", r"\@x", "end\\")), args) == (r'&kind=k&args={"@x":2,"a\\b":1,"end\\":3}')


def test_a_path_through_something_that_is_no_object_finds_nothing() -> None:
    assert text_of(Unique(by_args=("a.b", "c.d", "e")), {"a": None, "c": [{"d": 1}], "e": 5}) == '&kind=k&args={"e":5}'


# What is refused


@pytest.mark.parametrize(
    ("unique", "reason"),
    [
        (Unique(), "compares nothing"),
        (Unique(exclude_kind=True), "exclude_kind"),
        (Unique(exclude_kind=True, by_states=frozenset(State)), "exclude_kind"),
        (Unique(by_period=timedelta(milliseconds=999)), "1 second"),
        (Unique(by_period=timedelta(0)), "1 second"),
        (Unique(by_args=()), "True for all"),
        (Unique(by_args="id"), "True for all"),  # type: ignore[arg-type]
        (Unique(by_args=("a..b",)), "a name is empty"),
        (Unique(by_args=("",)), "a name is empty"),
        (Unique(by_args=("a.b.c", "a.b")), '"a.b", and "a.b.c" inside it'),
    ],
)
def test_options_that_cannot_tell_jobs_apart_are_refused(unique: Unique, reason: str) -> None:
    with pytest.raises(InvalidJob, match=reason):
        text_of(unique)


@pytest.mark.parametrize("args", [b"[1]", b"null", b'"args"', b"7", b"", b"{", b'{"a":1}x', b"\xff", b"[" * 100_000])
def test_arguments_that_are_no_object_cannot_be_compared(args: bytes) -> None:
    for unique in (ALL, Unique(by_args=("a",))):
        with pytest.raises(InvalidJob, match="unique by arguments"):
            text_of(unique, args)


def test_an_empty_array_counts_as_an_empty_object_unless_paths_are_named() -> None:
    assert text_of(ALL, b"[]") == "&kind=k&args={}"
    with pytest.raises(InvalidJob, match="a JSON object"):
        text_of(Unique(by_args=("a",)), b"[]")


def test_the_masks_have_rivers_numbers() -> None:
    assert (REQUIRED, DEFAULT) == (0b11010001, 0b11110101)
    assert mask(()) == DEFAULT


def test_a_mask_without_a_required_state_is_refused_and_the_state_named() -> None:
    with pytest.raises(InvalidJob, match=r"Add pending, scheduled:"):
        mask([State.AVAILABLE, State.RUNNING, State.COMPLETED])


def test_a_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidJob, match=r"by_states has done\. There are: available, cancelled"):
        mask([*State, "done"])  # type: ignore[list-item]
