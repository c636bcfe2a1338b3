"""Turns what people log and configure into numbers and plain JSON, without importing the libraries it came from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from enum import Enum
from typing import Any

from tracking.notices import warn_once

MAX_ELEMENTS = 10_000
"""An array or list with more elements than this belongs into a table or a histogram, not into the history."""
_MAX_DEPTH = 32
_MAX_TEXT = 100_000
_PLAIN = frozenset((float, int, bool, str, type(None)))


class Unloggable(Exception):
    """A value that cannot be recorded; its text says why."""


def plain(value: Any, depth: int = 0) -> Any:
    """The value as a number, text, bool, None, list or mapping with text keys. Raises Unloggable.

    Scalars of numpy, torch, jax and TensorFlow become numbers, small arrays lists; a type that says nothing of itself
    becomes its text.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value if kind is not str else _short(value)
    if depth > _MAX_DEPTH:
        raise Unloggable(f"it is nested more than {_MAX_DEPTH} deep (or contains itself)")
    if isinstance(value, Mapping):
        return {str(_key(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, Set)):
        if len(value) > MAX_ELEMENTS:
            raise Unloggable(f"a {kind.__name__} of {len(value)} elements is too long (at most {MAX_ELEMENTS})")
        return [plain(item, depth + 1) for item in value]
    return _foreign(value, depth)


def _foreign(value: Any, depth: int) -> Any:
    """Classes of others, from the most to the least telling of what they offer."""
    if isinstance(value, Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, (bool, int, float, str)):
        return next(base(value) for base in (int, float, str) if isinstance(value, base))
    if isinstance(value, os.PathLike):
        return os.fspath(value) if isinstance(os.fspath(value), str) else str(value)
    if isinstance(value, (bytes, complex, type)):
        return _short(_name_of(value))
    if isinstance(value, Sequence) and not hasattr(value, "item"):
        return plain(list(value[: MAX_ELEMENTS + 1]), depth)
    if hasattr(type(value), "__dataclass_fields__"):
        from dataclasses import fields  # its import costs 10 ms, and who logs a dataclass has paid them

        return {field.name: plain(getattr(value, field.name), depth + 1) for field in fields(value)}
    if _is_date(value):
        return value.isoformat()
    if callable(value):
        return _short(_name_of(value))
    return _array_or_number(value, depth)


def _is_date(value: Any) -> bool:
    """Whether it is a date or a time: a program that never imported datetime has none."""
    datetime = sys.modules.get("datetime")
    return datetime is not None and isinstance(value, (datetime.date, datetime.time))


def _array_or_number(value: Any, depth: int) -> Any:
    size = array_size(value)
    if size is not None and size != 1:
        if size > MAX_ELEMENTS:
            raise Unloggable(f"an array of {size} elements is too large (at most {MAX_ELEMENTS})")
        return plain(_called(value, "tolist"), depth + 1)
    if hasattr(value, "item"):
        return plain(_called(value, "item"), depth + 1)
    if hasattr(value, "__float__"):
        return _called(value, "__float__")
    return _short(_text(value))


def array_size(value: Any) -> int | None:
    """The number of elements of anything like an array, None for the rest."""
    size = getattr(value, "size", None)
    if callable(size):  # torch: size() is the shape
        size = _called(value, "numel") if hasattr(value, "numel") else None
    return size if isinstance(size, int) and hasattr(value, "tolist") else None


def _called(value: Any, method: str) -> Any:
    """Call a method of somebody else's object: whatever it raises only makes the value unloggable."""
    try:
        return getattr(value, method)()
    except Exception as error:  # noqa: BLE001  boundary: foreign code must not end the training
        raise Unloggable(f"{type(value).__name__}.{method}() failed: {error}") from None


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  boundary: foreign code must not end the training
        raise Unloggable(f"str({type(value).__name__}) failed: {error}") from None


def _name_of(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}.{name}" if name and getattr(value, "__module__", None) else _text(value)


def _short(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        return text
    warn_once("values:text", f"a text of {len(text)} characters is cut to {_MAX_TEXT}: keep long ones as files")
    return text[:_MAX_TEXT] + "…"


def _key(key: Any) -> Any:
    return key.value if isinstance(key, Enum) else key


def flattened(data: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, their keys joined with "."; empty mappings and records of media are leaves."""
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and "_type" not in value and name.count(".") < _MAX_DEPTH:
            yield from flattened(value, f"{name}.")
        else:
            yield name, value


def kind_letter(value: Any) -> str:
    """The struct letter of a column that can hold the value, "" when only JSON can."""
    kind = type(value)
    if kind is float:
        return "d"
    if kind is bool:
        return "?"
    return "q" if kind is int and -(1 << 63) <= value < 1 << 63 else ""
