"""asynq's messages once more, made by Google's library from descriptors: the other side of the property tests."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import Message

from ferryman.storage.asynq.messages import Timestamp

_TYPES = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}

# Transcribed from spec/asynq.md 2, and from nowhere else: one field a line, numbered from 1.
SCHEMA = {
    "TaskMessage": """
        string type
        bytes payload
        string id
        string queue
        int32 retry
        int32 retried
        string error_msg
        int64 timeout
        int64 deadline
        string unique_key
        int64 last_failed_at
        int64 retention
        int64 completed_at
        string group_key
        map:string headers
    """,
    "ServerInfo": """
        string host
        int32 pid
        string server_id
        int32 concurrency
        map:int32 queues
        bool strict_priority
        string status
        time start_time
        int32 active_worker_count
    """,
    "WorkerInfo": """
        string host
        int32 pid
        string server_id
        string task_id
        string task_type
        bytes task_payload
        string queue
        time start_time
        time deadline
    """,
    "SchedulerEntry": """
        string id
        string spec
        string task_type
        bytes task_payload
        repeated:string enqueue_options
        time next_enqueue_time
        time prev_enqueue_time
    """,
    "SchedulerEnqueueEvent": """
        string task_id
        time enqueue_time
    """,
}


def fields(name: str) -> list[tuple[str, str]]:
    """Return the type and name of each field of a message."""
    return [(line.split()[0], line.split()[1]) for line in SCHEMA[name].strip().splitlines()]


def _add(message: Any, package: str, number: int, kind: str, name: str) -> None:
    shape, _, inner = kind.rpartition(":")
    field = message.field.add(name=name, number=number, label=3 if shape else 1)
    if shape == "map":
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_TYPES["string"], label=1)
        entry.field.add(name="value", number=2, type=_TYPES[inner], label=1)
        field.type_name = f".{package}.{message.name}.{entry.name}"
    elif kind == "time":
        field.type_name = ".google.protobuf.Timestamp"
    else:
        field.type = _TYPES[inner]


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(name="asynq.proto", package="asynq", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for name in SCHEMA:
        message = file.message_type.add(name=name)
        for number, (kind, field) in enumerate(fields(name), 1):
            _add(message, "asynq", number, kind, field)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"asynq.{name}")) for name in SCHEMA}


TWINS = _classes()


def twin_of(ours: Any) -> Any:
    """Return Google's message with the values of ours."""
    name = type(ours).__name__
    values = {field: getattr(ours, field) for _, field in fields(name)}
    given = {field: _theirs(value) for field, value in values.items() if value is not None}
    return TWINS[name](**given)


def values_of(theirs: Any) -> dict[str, Any]:
    """Return the fields of Google's message as ours has them."""
    return {field: _ours(theirs, kind, field) for kind, field in fields(type(theirs).__name__)}


def _theirs(value: Any) -> Any:
    return {"seconds": value.seconds, "nanos": value.nanos} if isinstance(value, Timestamp) else value


def _ours(theirs: Any, kind: str, field: str) -> Any:
    value = getattr(theirs, field)
    if kind == "time":
        return Timestamp(value.seconds, value.nanos) if theirs.HasField(field) else None
    if kind.startswith("map"):
        return dict(value)
    return tuple(value) if kind.startswith("repeated") else value
