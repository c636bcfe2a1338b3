"""JSON as both databases can search it: strict text that still brings back NaN, infinities, NUL and lone surrogates.

What strict JSON has no word for is written with an escape character: the string `\\uf8ffnan` is NaN, and within any
other string (or name) `\\uf8ff0000` is NUL. So SQLite's json_extract can read every stored text, PostgreSQL can cast it
to jsonb, and the order of keys and the difference of 1 and 1.0 stay.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

ESCAPE = "\uf8ff"
"""A character of the private area, which no alphabet uses; one in a user's text is escaped itself."""
NAN, INF, MINUS_INF = f"{ESCAPE}nan", f"{ESCAPE}inf", f"{ESCAPE}-inf"

_NUMBERS = {NAN: math.nan, INF: math.inf, MINUS_INF: -math.inf}
_ODD = re.compile(r"\\u0000|\\ud|\\uf8ff")
_REFUSED = re.compile("[\x00\ud800-\udfff\uf8ff]")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]{{4}})")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def dumps(value: Any) -> str:
    """Compact ASCII JSON, strict."""
    try:
        text = _encode(value)
    except ValueError:  # NaN or an infinity
        return _encode(_escaped(value))
    return text if _ODD.search(text) is None else _encode(_escaped(value))


def loads(text: str) -> Any:
    """What `dumps` was given, as plain JSON types."""
    value = json.loads(text)
    return _unescaped(value) if "\\uf8ff" in text else value


def escaped_text(text: str) -> str:
    """A string as it stands in the stored JSON: what a search compares with."""
    return text if _REFUSED.search(text) is None else _REFUSED.sub(_code, text)


def plain_text(stored: str) -> str:
    """The string that `escaped_text` was given."""
    return _ESCAPED.sub(_character, stored) if ESCAPE in stored else stored


def _code(found: re.Match[str]) -> str:
    return f"{ESCAPE}{ord(found[0]):04x}"


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escaped_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else NAN if value != value else INF if value > 0 else MINUS_INF
    if isinstance(value, dict):
        return {escaped_text(key) if isinstance(key, str) else key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        if value in _NUMBERS:
            return _NUMBERS[value]
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_text(key): _unescaped(item) for key, item in value.items()}
    return [_unescaped(item) for item in value] if isinstance(value, list) else value
