"""The byte layout of a journal: a header, then records of length, checksum, type and body.

    file    = MAGIC record*
    record  = u32 length, u32 crc32(payload), payload          (length counts the payload; little endian throughout)
    payload = u8 type, body

    RUN      JSON {"attempt", "start": RunStart}        the first record of every journal
    KEYS     JSON {"layout", "keys", "kinds"}           declares the columns of the rows that name this layout
    ROW      u32 layout, i64 step, f64 time, values     8 bytes a number, 1 a bool, in the order of the layout
    JSONROW  JSON {"step", "time", "data"}              a row that holds anything but numbers and bools
    CONFIG   JSON {top-level key: value}                changed keys
    SUMMARY  JSON {top-level key: value}                keys that the user set; they win over the history
    METRIC   JSON {"name", …}                           one define_metric()
    FINISH   JSON {"state", "exit_code", "reason", "at"}
    EVENT    JSON {"kind", …}                           what happened to the writer, such as rows dropped on a full disk
    IDENTITY JSON {"name" | "notes" | "tags": value}    what was renamed after the start
    FILE     JSON {"name", "sha256", "size", "mime", "step", "at"}   a file of the run; its bytes are a blob
    ARTIFACT JSON {"do": "log" | "use" | "link", …}     tracking.artifacts.recording has the fields
    ALERT    JSON {"title", "text", "level", "wait", "at"}           wait in seconds
    METADATA JSON {top-level key: value}                merged into the metadata of the run
    REWIND   JSON {"step"}                              drops the history from this step on, before the rows that follow

Rows of one step merge, the last value of a key wins. Records of unknown types are skipped, so a newer writer harms no
older reader.
"""

from __future__ import annotations

import json
import struct
from enum import IntEnum
from typing import Any
from zlib import crc32

MAGIC = b"SWPJRNL\x01"
"""Its last byte is the version; a reader refuses versions that it does not know."""

FRAME = struct.Struct("<II")
ROW_HEAD = struct.Struct("<IIBIqd")
"""Frame, type, layout, step and time: the fixed part of a row."""
ROW_KINDS = frozenset("dq?")
"""Column kinds of a layout, in struct's letters: float, 64-bit integer, bool."""
ROW_PREFIX = "<BIqd"
MAX_PAYLOAD = 1 << 28
"""Bytes. A longer length in a file can only be damage."""


class RecordType(IntEnum):
    RUN = 1
    KEYS = 2
    ROW = 3
    JSONROW = 4
    CONFIG = 5
    SUMMARY = 6
    METRIC = 7
    FINISH = 8
    EVENT = 9
    IDENTITY = 10
    FILE = 11
    ARTIFACT = 12
    ALERT = 13
    METADATA = 14
    REWIND = 15


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def framed(payload: bytes) -> bytes:
    """The record that carries this payload."""
    return FRAME.pack(len(payload), crc32(payload)) + payload


def json_record(kind: RecordType, body: Any) -> bytes:
    """A record with a JSON body. NaN and the infinities are written as Python's json writes them."""
    # Lone surrogates (a file name of os.fsdecode) are no UTF-8: they become escapes that json reads back.
    return framed(bytes((kind,)) + _encode(body).encode("utf-8", "backslashreplace"))
