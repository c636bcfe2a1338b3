"""What an unquoted YAML word means: numbers (1e-5 too), true/false, null, else a string; `on` and `yes` are strings."""

from __future__ import annotations

import math
import re
from typing import Any

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("+-.0123456789")
_MAX_DIGITS = 400  # no number of use has more; Python itself refuses 4 300

NULL, BOOLEAN, INTEGER, FLOAT, STRING = (
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str")
)


def resolve(text: str) -> Any:
    """The value of a plain (unquoted) scalar."""
    if text and text[0] in _NUMBER_STARTS:
        number = as_number(text)
        return text if number is None else number
    if text in _NULLS:
        return None
    return _BOOLEANS.get(text, text)


def as_number(text: str) -> int | float | None:
    """The number that the text is; None for anything else."""
    special = _SPECIAL.fullmatch(text)
    if special:
        return math.nan if special[1] is None else math.copysign(math.inf, -1 if special[1] == "-" else 1)
    if len(text) > _MAX_DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return None


def as_tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag such as `!!int`. Raises ValueError when the text is none."""
    if tag == STRING:
        return text
    value = resolve(text)
    if tag == NULL and value is None:
        return None
    if tag == BOOLEAN and isinstance(value, bool):
        return value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if tag == FLOAT and number:
        return float(value)
    if tag == INTEGER and number and isinstance(value, int):
        return value
    raise ValueError(text)


def _integer(text: str) -> int | None:
    digits = text.replace("_", "").lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    try:
        if len(digits) > 1 and digits[0] == "0" and digits[1] not in "xob":
            return sign * int(digits, 8)  # YAML 1.1, which the files of today's users are written in
        return sign * int(digits, 0)
    except ValueError:  # "0x_" has no digit
        return None
