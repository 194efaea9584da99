"""A function's arguments ⇄ a payload: what travels, in which form, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.arguments import Arguments
from ferryman.errors import ConfigError, InvalidArguments, InvalidJob
from ferryman.job import Job


def arguments(function: Callable[..., Any], provided: tuple[type, ...] = ()) -> Arguments:
    return Arguments(function, "mail", provided)


def encode(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bytes:
    return arguments(function).encode(args, kwargs)


def decode(function: Callable[..., Any], payload: bytes) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return arguments(function).decode(payload)


def travel(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Send a call's arguments over and call the function with what arrives."""
    there = arguments(function)
    args, kwargs = there.decode(there.encode(args, kwargs))
    return function(*args, **kwargs)


# Named by the parameters


def send(to: str, copies: int = 1, *, urgent: bool = False) -> Any:
    return to, copies, urgent


def test_arguments_are_an_object_named_by_the_parameters() -> None:
    assert encode(send, "ada", 2, urgent=True) == b'{"to":"ada","copies":2,"urgent":true}'


def test_what_is_not_given_is_sent_as_its_default() -> None:
    """So that a reader in Go, who has no defaults, sees it too."""
    assert encode(send, "ada") == b'{"to":"ada","copies":1,"urgent":false}'
    assert decode(send, b'{"to":"ada"}')[1] == {"to": "ada", "copies": 1, "urgent": False}


def test_arguments_may_be_given_by_name_in_any_order() -> None:
    assert encode(send, urgent=True, copies=2, to="ada") == b'{"to":"ada","copies":2,"urgent":true}'
    assert travel(send, urgent=True, copies=2, to="ada") == ("ada", 2, True)


def test_names_that_nobody_knows_are_passed_over() -> None:
    assert decode(send, b'{"to":"ada","cc":"bob"}')[1] == {"to": "ada", "copies": 1, "urgent": False}


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    assert encode(lambda: None) == b"{}"
    for payload in (b"{}", b"null", b""):
        assert decode(lambda: None, payload) == ((), {})


def positional(to: str, /, copies: int = 1) -> Any:
    return to, copies


def test_positional_only_parameters_travel_like_others() -> None:
    assert encode(positional, "ada") == b'{"to":"ada","copies":1}'
    assert travel(positional, "ada", 2) == ("ada", 2)


def keyword_only(*, copies: int = 1, to: str) -> Any:
    return to, copies


def test_keyword_only_parameters_may_stand_in_any_order() -> None:
    assert travel(keyword_only, to="ada") == ("ada", 1)


def untyped(to, copies=1):  # type: ignore[no-untyped-def]
    return to, copies


def test_parameters_without_a_type_take_whatever_json_holds() -> None:
    assert travel(untyped, {"name": "ada"}, [1, 2]) == ({"name": "ada"}, [1, 2])


def collected(names: list[str] = [], by_name: dict[str, int] = {}) -> Any:  # noqa: B006 - that is the point
    return names, by_name


def test_a_mutable_default_is_the_functions_own() -> None:
    assert travel(collected) == ([], {})
    assert travel(collected, ["ada"]) == (["ada"], {})


class Port(Enum):
    QUAY = "quay"


def typed(
    at: datetime, day: date, id: UUID, price: Decimal, port: Port, kind: Literal["a", "b"], some: int | None
) -> Any:
    return at, day, id, price, port, kind, some


def test_types_that_json_has_no_word_for_arrive_as_they_were_sent() -> None:
    sent = (
        datetime(2026, 11, 21, 12, tzinfo=UTC),
        date(2026, 11, 21),
        UUID(int=7),
        Decimal("1.10"),
        Port.QUAY,
        "a",
        None,
    )

    assert travel(typed, *sent) == sent


def test_plain_values_are_taken_for_what_the_type_says() -> None:
    """As somebody who enqueues by name would write them."""
    assert encode(typed, "2026-11-21T12:00:00Z", "2026-11-21", str(UUID(int=7)), "1.10", "quay", "a", None)


@given(st.text(), st.integers(-(2**53), 2**53), st.booleans())
def test_whatever_is_sent_arrives(to: str, copies: int, urgent: bool) -> None:
    to = to.encode("utf-8", "replace").decode()  # half a surrogate pair is no character
    assert travel(send, to, copies, urgent=urgent) == (to, copies, urgent)


# One object


@dataclasses.dataclass
class Letter:
    to: str
    copies: int = 1


class Parcel(msgspec.Struct):
    to: str
    grams: int = msgspec.field(name="weight", default=0)


class Model:
    """Stands for a pydantic model: validated and dumped by its own methods."""

    def __init__(self, to: str) -> None:
        self.to = to

    @classmethod
    def model_validate(cls, value: Any) -> Model:
        if not isinstance(value, dict) or not isinstance(value.get("To"), str):
            raise ValueError("To: a text is needed")
        return cls(value["To"])

    def model_dump(self, by_alias: bool) -> dict[str, Any]:
        return {"To": self.to}


def post_letter(letter: Letter) -> Any:
    return letter


def post_parcel(parcel: Parcel, job: Job | None = None) -> Any:
    return parcel


def post_model(model: Model) -> Any:
    return model


def test_a_single_dataclass_is_the_payload_itself() -> None:
    assert encode(post_letter, Letter("ada", 2)) == b'{"to":"ada","copies":2}'
    assert travel(post_letter, Letter("ada", 2)) == Letter("ada", 2)
    assert travel(post_letter, letter=Letter("ada")) == Letter("ada")


def post_single_parcel(parcel: Parcel) -> Any:
    return parcel


def test_a_single_struct_is_the_payload_itself_in_its_own_names() -> None:
    assert encode(post_single_parcel, Parcel("ada", 5)) == b'{"to":"ada","weight":5}'
    assert travel(post_single_parcel, Parcel("ada", 5)) == Parcel("ada", 5)


def test_a_single_model_is_validated_and_dumped_by_its_own_methods() -> None:
    assert encode(post_model, Model("ada")) == b'{"To":"ada"}'
    assert travel(post_model, Model("ada")).to == "ada"


def test_a_model_that_refuses_says_why() -> None:
    with pytest.raises(InvalidArguments, match="To: a text is needed"):
        decode(post_model, b'{"to":"ada"}')


def test_an_object_beside_other_parameters_is_one_of_them() -> None:
    def post(letter: Letter, copies: int) -> Any:
        return letter, copies

    assert encode(post, Letter("ada"), 2) == b'{"letter":{"to":"ada","copies":1},"copies":2}'
    assert travel(post, Letter("ada"), 2) == (Letter("ada"), 2)


def test_a_single_plain_parameter_is_named_like_any_other() -> None:
    assert encode(lambda to: to, "ada") == b'{"to":"ada"}'


# Raw bytes


def raw(payload: bytes) -> bytes:
    return payload


def test_a_single_bytes_parameter_is_the_payload_as_it_is() -> None:
    assert encode(raw, b"\x00\xffanything") == b"\x00\xffanything"
    assert decode(raw, b"\x00\xffanything") == ((b"\x00\xffanything",), {})
    assert decode(raw, b"") == ((b"",), {})


@pytest.mark.parametrize("value", ["text", 7, None])
def test_a_bytes_parameter_takes_bytes(value: Any) -> None:
    with pytest.raises(InvalidJob, match="cannot be given these arguments"):
        encode(raw, value)


def test_raw_bytes_reach_a_keyword_and_leave_room_for_the_job() -> None:
    def keyword(*, payload: bytes) -> None: ...

    def job_first(job: Job, payload: bytes) -> None: ...

    assert decode(keyword, b"x") == decode(job_first, b"x") == ((), {"payload": b"x"})


def test_a_single_payload_may_have_a_default() -> None:
    def raw(payload: bytes = b"nothing") -> None: ...

    def post(letter: Letter = Letter("ada")) -> None: ...  # noqa: B008 - that is the point

    assert encode(raw) == b"nothing"
    assert encode(post) == b'{"to":"ada","copies":1}'


# Filled in by the worker


class Pool: ...


def test_the_running_job_and_what_the_lifespan_yields_are_no_part_of_the_payload() -> None:
    def mail(pool: Pool, to: str, job: Job) -> None: ...

    found = arguments(mail, (Pool,))

    assert found.job_parameter == "job"
    assert found.provided == {"pool": Pool}
    assert found.encode(("ada",), {}) == b'{"to":"ada"}'
    assert found.decode(b'{"to":"ada"}') == ((), {"to": "ada"})


def test_a_single_object_beside_the_job_is_still_the_payload() -> None:
    def post(job: Job, letter: Letter) -> None: ...

    assert arguments(post).decode(b'{"to":"ada"}') == ((), {"letter": Letter("ada")})


def test_a_type_that_refers_to_a_later_name_is_found_at_first_use() -> None:
    def later(cargo: Later) -> Any:  # type: ignore[name-defined]  # noqa: F821 - it comes later
        return cargo

    with pytest.raises(ConfigError, match="'Later' is not defined"):
        arguments(later)

    globals()["Later"] = Letter
    try:
        assert arguments(later).decode(b'{"to":"ada"}') == ((Letter("ada"),), {})
    finally:
        del globals()["Later"]


def test_annotated_types_are_checked_by_their_notes() -> None:
    def send(copies: Annotated[int, msgspec.Meta(ge=1)]) -> None: ...

    with pytest.raises(InvalidArguments, match="`int` >= 1"):
        decode(send, b'{"copies":0}')
    with pytest.raises(InvalidJob, match="`int` >= 1"):
        encode(send, 0)


# Refused


def test_arguments_that_do_not_fit_are_refused_before_anything_is_stored() -> None:
    with pytest.raises(InvalidJob, match=r'Task "mail" \(.*send\) cannot be given these arguments: .*`int`, got `str`'):
        encode(send, "ada", "many")
    with pytest.raises(InvalidJob, match="missing a required argument: 'to'"):
        encode(send)
    with pytest.raises(InvalidJob, match="unexpected keyword argument 'cc'"):
        encode(send, "ada", cc="bob")


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_has_no_form_for_are_refused(number: float) -> None:
    with pytest.raises(InvalidJob, match="no number in JSON"):
        encode(lambda amount: None, number)
    with pytest.raises(InvalidJob, match="no number in JSON"):
        encode(lambda amounts: None, [{"deep": number}])


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidJob, match="no time zone"):
        encode(lambda at: None, datetime(2026, 11, 21))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"{}", "missing required field `to`"),
        (b'{"to":7}', r"Expected `str`, got `int` - at `\$\.to`"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"to":"ada"', "truncated"),
        (b"\xff", "malformed"),
        (b'{"to":"\xff"}', "utf-8"),
    ],
)
def test_a_payload_that_does_not_fit_says_where(payload: bytes, said: str) -> None:
    with pytest.raises(InvalidArguments, match=said):
        decode(send, payload)


def test_a_payload_that_is_nested_beyond_reason_does_not_fit() -> None:
    deep = b'{"to":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    with pytest.raises(InvalidArguments):
        decode(untyped, deep)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *names: None, r"takes \*names"),
        (lambda **names: None, r"takes \*\*names"),
        (lambda __secret: None, "may not start with __"),
    ],
)
def test_parameters_that_have_no_name_of_their_own_are_refused(function: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arguments(function)


def test_positional_only_parameters_leave_no_room_for_the_job() -> None:
    def mail(to: str, /, job: Job) -> None: ...

    with pytest.raises(ConfigError, match="Remove the slash"):
        arguments(mail)


def test_a_type_that_json_cannot_carry_is_refused() -> None:
    def mail(to: Letter | Parcel) -> None: ...

    with pytest.raises(ConfigError, match="whose type JSON cannot carry"):
        arguments(mail)


def test_a_type_that_nobody_knows_how_to_build_is_refused_before_it_is_stored() -> None:
    def mail(pool: Pool) -> None: ...

    with pytest.raises(InvalidJob):
        encode(mail, {"size": 3})


def test_the_message_names_the_task_and_its_function() -> None:
    with pytest.raises(ConfigError, match=r'Task "mail" \(.*test_arguments\..*<lambda>\)'):
        arguments(lambda *names: None)
