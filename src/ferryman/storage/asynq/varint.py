"""Protobuf's numbers: seven bits a byte, the lowest first, and a high bit where more follow."""

from __future__ import annotations

__all__ = ["BITS_64", "SHORT", "read_varint", "write_varint"]

BITS_64 = (1 << 64) - 1
"""The largest number that there is."""

SHORT = tuple(bytes([number]) for number in range(128))
"""The numbers that take one byte, as most do."""


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number, seven bits a byte, and say where it ends.

    Raises IndexError when it goes on behind the data, ValueError when it is too large.
    """
    number = byte = data[at]
    shift = 7
    while byte > 127:
        if shift > 63:
            raise ValueError("a number in it takes more than 64 bits")
        at += 1
        byte = data[at]
        number += (byte - 1) << shift  # less the bit of the byte before that said there is more
        shift += 7
    if number > BITS_64:
        raise ValueError("a number in it takes more than 64 bits")
    return number, at + 1


def write_varint(number: int) -> bytes:
    """Write a number from 0 to 2⁶⁴−1."""
    if number < 1 << 7:
        return SHORT[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    return bytes((number & 127 | 128, number >> 7 & 127 | 128)) + write_varint(number >> 14)
