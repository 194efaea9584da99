"""Protobuf's wire format, as far as asynq's messages use it (spec/asynq.md 2).

A `Codec` writes and reads one kind of message by a list of its fields.  It writes what
Go writes: fields in ascending order, and none whose value is zero.  It reads what any
protobuf library may write: fields in any order, or more than once, and fields that it
does not know, which it keeps and writes again behind the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec.structs import astuple

from ferryman.errors import StorageError
from ferryman.storage.asynq.varint import BITS_64, SHORT, read_varint, write_varint

__all__ = ["Blob", "Codec", "Field", "Flag", "Nested", "Number", "Pairs", "Text", "Texts", "WireError"]

M = TypeVar("M")

# Wire types: the lowest three bits of a tag say what follows it.
_VARINT, _EIGHT_BYTES, _SIZED, _GROUP, _GROUP_END, _FOUR_BYTES = range(6)
_LARGEST_TAG = (1 << 32) - 1
_DEEPEST_GROUP = 100


class WireError(StorageError, ValueError):
    """Bytes that are not the message they should be, or a value that its field cannot carry.

    `message` is the kind of message, `reason` what is wrong with it.
    """

    def __init__(self, text: str, *, message: str, reason: str) -> None:
        super().__init__(text)
        self.message = message
        self.reason = reason


class Field:
    """One field of a message."""

    wire = _SIZED
    blank: Any = None
    """Its value in a message that has it not."""

    def __init__(self, number: int) -> None:
        self.tag = number << 3 | self.wire
        self._head = write_varint(self.tag)
        # Nearly every size and many a number take one byte: tag and byte, ready made.
        self.heads = tuple(self._head + short for short in SHORT)

    def write(self, value: Any) -> bytes:
        """Return the field, tag and all.  Raises ValueError when it cannot carry this value."""
        raise NotImplementedError

    def read(self, raw: Any, before: Any) -> Any:
        """Return what `raw` says: bytes, or the number of a varint.  `before` is what the field held until now."""
        raise NotImplementedError

    def _sized(self, raw: bytes) -> bytes:
        size = len(raw)
        return (self.heads[size] if size < 128 else self._head + write_varint(size)) + raw


class Blob(Field):
    """bytes"""

    blank = b""

    def write(self, value: bytes) -> bytes:
        return self._sized(value)

    def read(self, raw: bytes, before: bytes) -> bytes:
        return raw


class Text(Field):
    """string"""

    blank = ""

    def write(self, value: str) -> bytes:
        return self._sized(value.encode())

    def read(self, raw: bytes, before: str) -> str:
        return raw.decode()


class Texts(Field):
    """repeated string"""

    blank: tuple[str, ...] = ()

    def write(self, value: Sequence[str]) -> bytes:
        return b"".join([self._sized(text.encode()) for text in value])

    def read(self, raw: bytes, before: tuple[str, ...]) -> tuple[str, ...]:
        return (*before, raw.decode())


class Number(Field):
    """int64, or int32 when it has 32 bits"""

    wire = _VARINT
    blank = 0

    def __init__(self, number: int, *, bits: int = 64) -> None:
        super().__init__(number)
        self._bits = bits
        self._end = 1 << (bits - 1)

    def write(self, value: int) -> bytes:
        if 0 <= value < 128:
            return self.heads[value]
        if not -self._end <= value < self._end:
            raise ValueError(f"{value} takes more than {self._bits} bits")
        return self._head + write_varint(value & BITS_64)  # a negative one takes ten bytes, of 32 bits too

    def read(self, raw: int, before: int) -> int:
        low = raw & (2 * self._end - 1)
        return low if low < self._end else low - 2 * self._end


class Flag(Field):
    """bool"""

    wire = _VARINT
    blank = False

    def write(self, value: bool) -> bytes:
        return self.heads[value]

    def read(self, raw: int, before: bool) -> bool:
        return raw != 0


class Pairs(Field):
    """map<string, …>: an entry for each, with key and value even when they are blank"""

    blank: Mapping[str, Any] = {}

    def __init__(self, number: int, value: Field) -> None:
        super().__init__(number)
        self._key, self._value = Text(1), value
        self._entry = Codec(_pair, [self._key, self._value])

    def write(self, value: Mapping[str, Any]) -> bytes:
        return b"".join([self._sized(self._key.write(k) + self._value.write(v)) for k, v in value.items()])

    def read(self, raw: bytes, before: dict[str, Any]) -> dict[str, Any]:
        key, value = self._entry.decode(raw)
        return {**before, key: value}


class Nested(Field):
    """a message; None where there is none"""

    def __init__(self, number: int, codec: Codec[Any]) -> None:
        super().__init__(number)
        self._codec = codec

    def write(self, value: Any) -> bytes:
        return self._sized(self._codec.encode(value))

    def read(self, raw: bytes, before: Any) -> Any:
        # One that comes in parts is the sum of them, and so are the bytes.
        return self._codec.decode(raw if before is None else self._codec.encode(before) + raw)


class Codec(Generic[M]):
    """Writes and reads messages of one kind.

    `make` takes the values of `fields` in their order, and unknown fields as bytes; it is
    the class of the messages, whose attributes are in the same order.
    """

    def __init__(self, make: Callable[..., M], fields: Sequence[Field]) -> None:
        self.fields = fields
        self._make = make
        self._blank = [*(field.blank for field in fields), b""]
        self._known = {field.tag: (slot, field) for slot, field in enumerate(fields)}

    def encode(self, message: M) -> bytes:
        """Return the bytes that Go would write.  Raises WireError for text that is no UTF-8, or too large a number."""
        values = astuple(message)  # type: ignore[arg-type]
        unknown: bytes = values[-1]
        return self.write(self.fields, values[:-1]) + unknown

    def write(self, fields: Sequence[Field], values: Sequence[Any]) -> bytes:
        """Return these fields of a message, without those that are zero; raises as `encode` does."""
        try:
            return b"".join([field.write(value) for field, value in zip(fields, values, strict=True) if value])
        except ValueError as error:
            raise self._refusal(_reason(error)) from error

    def decode(self, data: bytes) -> M:
        """Read a message.  Raises WireError when these bytes are none."""
        values = self._blank.copy()
        try:
            self._read(data, values)
        except (IndexError, ValueError) as error:
            raise self._refusal(_reason(error), data) from error
        return self._make(*values)

    def _read(self, data: bytes, values: list[Any]) -> None:
        # One byte is looked at in place: a call costs more, and nearly all tags and sizes are one byte.
        known, end, at = self._known, len(data), 0
        while at < end:
            start = at
            tag, at = data[at], at + 1
            if tag > 127:
                tag, at = read_varint(data, start)
            found = known.get(tag)
            if found is None:
                at = _skip(data, at, tag)
                values[-1] += data[start:at]
                continue
            slot, field = found
            raw: Any = data[at]
            at += 1
            if raw > 127:
                raw, at = read_varint(data, at - 1)
            if field.wire == _SIZED:
                first, at = at, at + raw
                raw = data[first:at]
                if at > end:
                    break
            values[slot] = field.read(raw, values[slot])
        if at > end:
            raise IndexError

    def _refusal(self, reason: str, data: bytes | None = None) -> WireError:
        name = self._make.__name__
        if data is None:
            text = f"A {name} cannot be written: {reason}. Nothing was stored."
        else:
            shown = f"It has {len(data)} bytes and begins with {data[:16].hex()}."
            text = f"A {name} cannot be read: {reason}. {shown} Look for a program that writes it in another format."
        return WireError(text, message=name, reason=reason)


def _skip(data: bytes, at: int, tag: int, depth: int = 0) -> int:
    """Say where a field that nobody knows ends; `at` is behind its tag."""
    if not 1 << 3 <= tag <= _LARGEST_TAG or depth > _DEEPEST_GROUP:
        raise ValueError(f"{tag} begins no field")
    wire = tag & 7
    if wire == _VARINT:
        return read_varint(data, at)[1]
    if wire == _SIZED:
        size, at = read_varint(data, at)
        return at + size
    if wire == _GROUP:
        inner, at = read_varint(data, at)
        while inner != tag + 1:
            at = _skip(data, at, inner, depth + 1)
            inner, at = read_varint(data, at)
        return at
    if wire in (_EIGHT_BYTES, _FOUR_BYTES):
        return at + (8 if wire == _EIGHT_BYTES else 4)
    raise ValueError(f"{tag} begins no field")


def _reason(error: Exception) -> str:
    match error:
        case WireError():
            return error.reason
        case IndexError():
            return "it ends in the middle of a field"
        case UnicodeError():
            return f"{getattr(error, 'object', '')[:40]!a} is not valid text, which is UTF-8"
    return str(error)


def _pair(key: str, value: Any, unknown: bytes) -> tuple[str, Any]:
    return key, value
