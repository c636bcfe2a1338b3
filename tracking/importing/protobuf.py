"""The wire format of protocol buffers, as far as reading it needs: fields by number, nothing of any schema.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator


class Message:
    """The fields of one encoded message, by number; a number may occur several times. Raises ValueError for damage."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._fields: dict[int, list[int | float | bytes]] = {}
        for number, value in _fields(memoryview(data)):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def text(self, number: int) -> str:
        """The last text under this number, "" without one."""
        value = self._fields.get(number, [b""])[-1]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

    def texts(self, number: int) -> list[str]:
        """All texts under this number."""
        return [value.decode("utf-8", "replace") for value in self._fields.get(number, []) if isinstance(value, bytes)]

    def whole(self, number: int) -> int:
        """The last integer under this number (two's complement, 64 bits), 0 without one."""
        value = self._fields.get(number, [0])[-1]
        if not isinstance(value, int):
            return 0
        return value - (1 << 64) if value >= 1 << 63 else value

    def messages(self, number: int) -> list[Message]:
        """All messages under this number."""
        return [Message(value) for value in self._fields.get(number, []) if isinstance(value, bytes)]

    def message(self, number: int) -> Message:
        """The last message under this number, an empty one without any."""
        return (self.messages(number) or [Message(b"")])[-1]


def _fields(data: memoryview) -> Iterator[tuple[int, int | float | bytes]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value: int | float | bytes
            value, position = _varint(data, position)
        elif wire == 1:
            value, position = struct.unpack_from("<d", _exactly(data, position, 8))[0], position + 8
        elif wire == 5:
            value, position = struct.unpack_from("<f", _exactly(data, position, 4))[0], position + 4
        elif wire == 2:
            size, position = _varint(data, position)
            value, position = bytes(_exactly(data, position, size)), position + size
        else:
            raise ValueError(f"wire type {wire} at byte {position}")
        yield number, value


def _exactly(data: memoryview, position: int, size: int) -> memoryview:
    if position + size > len(data):
        raise ValueError(f"{size} bytes wanted at byte {position}, {len(data) - position} are there")
    return data[position : position + size]


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if position >= len(data):
            raise ValueError("a number ends too early")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number is too long at byte {position}")
