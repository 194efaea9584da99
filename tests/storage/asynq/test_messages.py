"""asynq's messages are read and written as Go and every other protobuf library does (spec/asynq.md 2)."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protobuf_twins import TWINS, twin_of, values_of
from recorded_asynq import SCENARIOS, messages, recording, stamp

from ferryman.errors import StorageError
from ferryman.storage.asynq.messages import (
    ENQUEUE_EVENT,
    SCHEDULER_ENTRY,
    SERVER_INFO,
    TASK,
    WORKER_INFO,
    SchedulerEnqueueEvent,
    SchedulerEntry,
    ServerInfo,
    TaskMessage,
    Timestamp,
    WorkerInfo,
)
from ferryman.storage.asynq.wire import Codec, WireError

CODECS: dict[type, Codec[Any]] = {
    TaskMessage: TASK,
    ServerInfo: SERVER_INFO,
    WorkerInfo: WORKER_INFO,
    SchedulerEntry: SCHEDULER_ENTRY,
    SchedulerEnqueueEvent: ENQUEUE_EVENT,
}
BY_NAME = {kind.__name__: codec for kind, codec in CODECS.items()}

int32 = st.integers(-(2**31), 2**31 - 1)
int64 = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2_000_000_000)
texts = st.text(max_size=300) | st.sampled_from(["default", "email:send", "11111111-2222-3333-4444-555555555555"])
payloads = st.binary(max_size=300) | st.just(b'{"user_id":42}')
times = st.none() | st.sampled_from([Timestamp(5), Timestamp(0, 7)]) | st.builds(Timestamp, int64, int32)

tasks = st.builds(
    TaskMessage,
    type=texts,
    payload=payloads,
    id=texts,
    queue=texts,
    retry=int32,
    retried=int32,
    error_msg=st.just("") | texts,
    timeout=int64,
    deadline=int64,
    unique_key=st.just("") | texts,
    last_failed_at=int64,
    retention=int64,
    completed_at=int64,
    group_key=st.just("") | texts,
    headers=st.just({}) | st.dictionaries(texts, texts, max_size=3),
)
servers = st.builds(
    ServerInfo,
    host=texts,
    pid=int32,
    server_id=texts,
    concurrency=int32,
    queues=st.dictionaries(texts, int32, max_size=3),
    strict_priority=st.booleans(),
    status=texts,
    start_time=times,
    active_worker_count=int32,
)
workers = st.builds(
    WorkerInfo,
    host=texts,
    pid=int32,
    server_id=texts,
    task_id=texts,
    task_type=texts,
    task_payload=payloads,
    queue=texts,
    start_time=times,
    deadline=times,
)
entries = st.builds(
    SchedulerEntry,
    id=texts,
    spec=texts,
    task_type=texts,
    task_payload=payloads,
    enqueue_options=st.lists(texts, max_size=3).map(tuple),
    next_enqueue_time=times,
    prev_enqueue_time=times,
)
events = st.builds(SchedulerEnqueueEvent, task_id=texts, enqueue_time=times)
anything = tasks | servers | workers | entries | events


def written(message: Any) -> bytes:
    return CODECS[type(message)].encode(message)


def content(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__ if name != "unknown"}


# What Go wrote

PLAIN = TaskMessage(
    type="email:send",
    payload=b'{"user_id":42}',
    id="11111111-2222-3333-4444-555555555555",
    queue="default",
    retry=25,
    timeout=1800,
)
FULL = msgspec.structs.replace(
    PLAIN,
    retried=3,
    error_msg="boom",
    deadline=1700003600,
    unique_key="asynq:{default}:unique:email:send:1181f89307fa271072c095747d5813cc",
    last_failed_at=1700000000,
    retention=3600,
    completed_at=1700000001,
    group_key="g1",
    headers={"trace": "abc"},
)
PLAIN_DATA = (
    "0a0a656d61696c3a73656e64120e7b22757365725f6964223a34327d1a2431313131313131312d323232322d333333332d343434"
    "342d353535353535353535353535220764656661756c74281940880e"
)
FULL_DATA = (
    "0a0a656d61696c3a73656e64120e7b22757365725f6964223a34327d1a2431313131313131312d323232322d333333332d343434"
    "342d353535353535353535353535220764656661756c74281930033a04626f6f6d40880e4890fecfaa0652426173796e713a7b64"
    "656661756c747d3a756e697175653a656d61696c3a73656e643a3131383166383933303766613237313037326330393537343764"
    "3538313363635880e2cfaa0660901c6881e2cfaa06720267317a0c0a0574726163651203616263"
)
GO_WROTE = {
    "task": (
        PLAIN,
        PLAIN_DATA,
    ),
    "task with everything": (
        FULL,
        FULL_DATA,
    ),
    "server": (
        ServerInfo(
            host="h",
            pid=1,
            server_id="s",
            concurrency=10,
            queues={"default": 1},
            status="active",
            start_time=Timestamp(1700000000, 5),
        ),
        "0a016810011a0173200a2a0b0a0764656661756c7410013a0661637469766542080880e2cfaa061005",
    ),
    "worker": (
        WorkerInfo(
            host="h",
            pid=1,
            server_id="s",
            task_id="i",
            task_type="t",
            task_payload=b"p",
            queue="q",
            start_time=Timestamp(1700000000, 5),
            deadline=Timestamp(1700001800),
        ),
        "0a016810011a01732201692a01743201703a017142080880e2cfaa0610054a060888f0cfaa06",
    ),
    "scheduler entry that never ran": (
        SchedulerEntry(
            id="e1",
            spec="@every 1m",
            task_type="t",
            enqueue_options=('Queue("low")',),
            next_enqueue_time=Timestamp(1700000000),
            prev_enqueue_time=Timestamp.of(None),
        ),
        "0a026531120940657665727920316d1a01742a0c517565756528226c6f77222932060880e2cfaa063a0b088092b8c398feffffff01",
    ),
    "enqueue event": (
        SchedulerEnqueueEvent(task_id="t1", enqueue_time=Timestamp(1700000000)),
        "0a02743112060880e2cfaa06",
    ),
}


@pytest.mark.parametrize(("message", "data"), GO_WROTE.values(), ids=GO_WROTE)
def test_the_bytes_of_a_message_are_gos(message: Any, data: str) -> None:
    assert written(message).hex() == data
    assert CODECS[type(message)].decode(bytes.fromhex(data)) == message


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_message_is_read_and_written_again_as_it_was(scenario: str) -> None:
    for name, data, decoded in messages(recording(scenario)):
        message = BY_NAME[name].decode(data)
        again = BY_NAME[name].encode(message)

        assert in_json(message) == numbers_of(decoded)
        if len(getattr(message, "headers", ())) < 2 and len(getattr(message, "queues", ())) < 2:
            assert again == data
        # Go writes the entries of a map in any order.
        assert sorted(again) == sorted(data)
        assert BY_NAME[name].decode(again) == message


def in_json(message: Any) -> dict[str, Any]:
    """Write a message as Go's JSON of it does: only what is there, bytes in base 64."""
    found = {name: value for name, value in content(message).items() if value}
    return {name: b64encode(value).decode() if isinstance(value, bytes) else value for name, value in found.items()}


def numbers_of(decoded: dict[str, Any]) -> dict[str, Any]:
    """Read what JSON has as text, since it knows no large numbers and no times."""
    long = {"timeout", "deadline", "last_failed_at", "retention", "completed_at"}
    found: dict[str, Any] = {}
    for name, value in decoded.items():
        if name.endswith("_time") or (name == "deadline" and "T" in value):
            found[name] = stamp(value)
        elif name in long:
            found[name] = int(value)
        else:
            found[name] = tuple(value) if isinstance(value, list) else value
    return found


# What other libraries write


@given(anything)
def test_google_reads_what_we_write(message: Any) -> None:
    theirs = TWINS[type(message).__name__].FromString(written(message))

    assert values_of(theirs) == content(message)


@given(anything)
def test_we_read_what_google_writes(message: Any) -> None:
    data = twin_of(message).SerializeToString()

    assert CODECS[type(message)].decode(data) == message


@given(anything)
def test_we_write_the_very_bytes_that_google_writes(message: Any) -> None:
    # Of two entries in a map nobody says which comes first.
    maps = {name: dict([*value.items()][:1]) for name, value in content(message).items() if isinstance(value, dict)}
    message = msgspec.structs.replace(message, **maps)

    assert written(message) == twin_of(message).SerializeToString()


@given(st.one_of([st.lists(each, min_size=2, max_size=3) for each in (tasks, servers, workers, entries, events)]))
def test_a_message_that_comes_in_parts_is_put_together_as_google_does(parts: list[Any]) -> None:
    data = b"".join(map(written, parts))
    kind = type(parts[0])

    assert content(CODECS[kind].decode(data)) == values_of(TWINS[kind.__name__].FromString(data))


@given(tasks, st.permutations(range(15)))
def test_fields_may_come_in_any_order(message: TaskMessage, order: list[int]) -> None:
    values = content(message)
    alone = [TASK.encode(TaskMessage(**{name: value})) for name, value in values.items()]

    assert TASK.decode(b"".join(alone[place] for place in order)) == message


# Unknown fields

strangers = st.lists(
    st.one_of(
        st.builds(lambda n, v: varint(n << 3) + varint(v), st.integers(16, 2**29 - 1), st.integers(0, 2**64 - 1)),
        st.builds(lambda n, v: varint(n << 3 | 1) + v, st.integers(16, 2**29 - 1), st.binary(min_size=8, max_size=8)),
        st.builds(lambda n, v: varint(n << 3 | 2) + varint(len(v)) + v, st.integers(16, 2**29 - 1), st.binary()),
        st.builds(
            lambda n, v: varint(n << 3 | 3) + varint(8) + varint(v) + varint(n << 3 | 4),
            st.integers(16, 2**29 - 1),
            st.integers(0, 2**64 - 1),
        ),
        st.builds(lambda n, v: varint(n << 3 | 5) + v, st.integers(16, 2**29 - 1), st.binary(min_size=4, max_size=4)),
    ),
    min_size=1,
    max_size=4,
)


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


@given(tasks, strangers)
def test_fields_that_nobody_knows_survive_a_change(message: TaskMessage, unknown: list[bytes]) -> None:
    read = TASK.decode(b"".join(unknown[:1]) + written(message) + b"".join(unknown[1:]))
    changed = msgspec.structs.replace(read, retried=7)

    assert content(read) == content(message)
    assert changed.unknown == b"".join(unknown)
    again = TWINS["TaskMessage"].FromString(TASK.encode(changed))
    assert values_of(again) == content(message) | {"retried": 7}
    again.DiscardUnknownFields()
    assert TASK.encode(changed) == TASK.encode(msgspec.structs.replace(changed, unknown=b"")) + b"".join(unknown)


def test_any_number_but_0_is_true() -> None:
    assert SERVER_INFO.decode(bytes.fromhex("3002")).strict_priority is True
    assert SERVER_INFO.decode(bytes.fromhex("3000")).strict_priority is False


def test_a_known_number_with_another_wire_type_is_kept_as_unknown() -> None:
    data = bytes.fromhex("0801") + written(PLAIN)  # field 1, which is text, as a number

    read = TASK.decode(data)

    assert (read.type, read.unknown) == ("email:send", bytes.fromhex("0801"))


# The short way


@given(tasks)
def test_the_short_way_and_the_long_way_agree(message: TaskMessage) -> None:
    data = Codec.encode(TASK, message)

    assert TASK.encode(message) == data
    assert TASK.decode(data) == Codec.decode(TASK, data) == message


def test_a_task_whose_kind_is_said_again_at_its_end_has_the_last_one() -> None:
    again = written(PLAIN) + TASK.encode(TaskMessage(type="email:draft"))

    assert TASK.decode(again).type == "email:draft"


def test_a_long_name_is_never_mistaken_for_a_short_one() -> None:
    # Where only the first byte of their length is looked at, both still make sense.
    long_kind = TaskMessage(type="k" * 199 + "\x12", payload=b"p" * 17 + b"\x1a\x00")
    long_id = TaskMessage(type="t", payload=b"p", id="i" * 139 + "(", queue='a"%' + "x" * 37, retry=5)

    assert TASK.decode(written(long_kind)) == long_kind
    assert TASK.decode(written(long_id)) == long_id


def test_a_time_that_comes_in_parts_is_put_together() -> None:
    data = written(SchedulerEnqueueEvent(enqueue_time=Timestamp(5))) + bytes.fromhex("12021007")

    assert ENQUEUE_EVENT.decode(data).enqueue_time == Timestamp(5, 7)


def test_messages_share_nothing_that_can_change() -> None:
    first, second = TASK.decode(written(PLAIN)), TASK.decode(written(PLAIN))

    assert first.headers is not second.headers


# What is wrong


@given(anything)
def test_a_message_that_was_cut_short_is_refused_or_read_and_never_breaks(message: Any) -> None:
    codec, data = CODECS[type(message)], written(message)
    for end in range(len(data)):
        with suppress(WireError):
            codec.decode(data[:end])


def test_a_cut_inside_a_field_is_noticed() -> None:
    ends_of_fields = {0, 12, 28, 66, 75, 77, 80}
    for end in set(range(80)) - ends_of_fields:
        with pytest.raises(WireError, match="it ends in the middle of a field") as refused:
            TASK.decode(written(PLAIN)[:end])
        assert refused.value.message == "TaskMessage"


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused_or_read_and_never_break(data: bytes) -> None:
    for codec in CODECS.values():
        try:
            message = codec.decode(data)
        except WireError:
            continue
        assert codec.decode(codec.encode(message)) == message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("0a02fffe", "is not valid text"),
        ("7a040a02fffe", "is not valid text"),
        ("28ffffffffffffffffffff01", "more than 64 bits"),
        ("28ffffffffffffffffff02", "more than 64 bits"),
        ("2880808080808080808080" + "00", "more than 64 bits"),
        ("0a01c3", "is not valid text"),
        ("0a02c3", "it ends in the middle of a field"),
        ("0000", "0 begins no field"),
        ("0c", "12 begins no field"),
        ("0f00", "15 begins no field"),
        ("83018801", "it ends in the middle of a field"),
        ("83" + "01" + "8301" * 200, "begins no field"),
    ],
    ids=[
        "text",
        "header",
        "varint",
        "bits",
        "long zero",
        "half a character",
        "cut in a character",
        "field 0",
        "end of no group",
        "wire type 7",
        "open group",
        "deep groups",
    ],
)
def test_what_is_wrong_with_a_message_is_said(data: str, reason: str) -> None:
    with pytest.raises(StorageError, match=reason) as refused:
        TASK.decode(bytes.fromhex(data))

    assert str(refused.value).startswith("A TaskMessage cannot be read: ")
    assert data[:32] in str(refused.value)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (TaskMessage(type="bad\udcff"), r"'bad\\udcff' is not valid text"),
        (TaskMessage(type="t", payload=b"p", id="bad\udcff"), "is not valid text"),
        (TaskMessage(headers={"bad\udcff": ""}), "is not valid text"),
        (TaskMessage(retry=2**31), "2147483648 takes more than 32 bits"),
        (TaskMessage(type="t", payload=b"p", id="i", retry=2**31), "more than 32 bits"),
        (TaskMessage(deadline=-(2**63) - 1), "more than 64 bits"),
        (WorkerInfo(start_time=Timestamp(0, 2**31)), "more than 32 bits"),
        (ServerInfo(queues={"default": 2**31}), "more than 32 bits"),
    ],
)
def test_what_a_message_cannot_carry_is_not_written(message: Any, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        written(message)


# Times


def test_never_is_the_first_of_january_of_year_1() -> None:
    assert Timestamp.of(None) == Timestamp(-62135596800)
    assert Timestamp(-62135596800).moment() is None


def test_a_time_that_is_missing_is_not_the_same_as_never() -> None:
    assert SCHEDULER_ENTRY.decode(b"").prev_enqueue_time is None
    assert written(SchedulerEntry(prev_enqueue_time=Timestamp())) == bytes.fromhex("3a00")


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year > 1))
def test_a_time_comes_back_as_it_was(at: datetime) -> None:
    assert Timestamp.of(at).moment() == at
    assert 0 <= Timestamp.of(at).nanos < 10**9


def test_nanoseconds_stay_in_the_message_and_are_cut_from_the_time() -> None:
    (go_wrote, _) = GO_WROTE["server"]

    assert go_wrote.start_time == Timestamp(1700000000, 5)
    assert go_wrote.start_time.moment() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert Timestamp(1, 999_999_999).moment() == datetime(1970, 1, 1, 0, 0, 1, 999_999, UTC)


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63)])
def test_a_time_beyond_all_calendars_is_the_nearest_that_there_is(seconds: int) -> None:
    at = Timestamp(seconds).moment()

    assert at is None or datetime.max.replace(tzinfo=UTC) - at < timedelta(seconds=1)
