"""Finds images, tables, figures and their like in what is logged, by what their types say and without any import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tracking.errors import TrackingError
from tracking.live.values import Unloggable, array_size, flattened
from tracking.notices import warn_once

Convert = Callable[[Any, str, int], Any]
_PLAIN = frozenset((float, int, bool, str, type(None), dict))
_DRAWN = frozenset(("matplotlib", "plotly", "PIL", "pandas", "polars"))
_ARRAYS = frozenset(("numpy", "torch", "jax", "jaxlib", "tensorflow", "cupy"))
LONGEST_ARRAY = 32
"""An array with more elements is recorded as a histogram, as W&B has it."""
_known: dict[type, bool] = {}
_MAX_KNOWN = 4096


def looks_like_media(value: Any) -> bool:
    """Whether it is a value, or a list of values, that lies in files: ours, or a drawing of another library."""
    kind = type(value)
    if kind in _PLAIN:
        return False
    if kind is list or kind is tuple:
        return len(value) > 0 and _is_media(value[0])
    return _is_media(value)


def with_media(data: Mapping[Any, Any], convert: Convert, step: int) -> Mapping[Any, Any]:
    """The row with records in place of media; the row itself when there are none. What cannot be kept is left out."""
    if not any(isinstance(value, Mapping) or looks_like_media(value) for value in data.values()):
        return data
    row: dict[str, Any] = {}
    for key, value in flattened(data):
        if not looks_like_media(value):
            row[key] = value
            continue
        try:
            row[key] = convert(value, key, step)
        except (TrackingError, Unloggable) as error:
            warn_once(f"log:{key}", f"log(): {key} is not recorded: {error}")
        except Exception as error:  # noqa: BLE001  boundary: odd pixels, a full disk or foreign code end no training
            warn_once(f"log:{key}", f"log(): {key} is not recorded: {type(error).__name__}: {error}")
    return row


def _is_media(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return False
    known = _known.get(kind)
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[kind] = hasattr(kind, "to_record") or any(map(_is_drawn, kind.__mro__))
    if not known and kind.__module__.partition(".")[0] in _ARRAYS:
        return (array_size(value) or 0) > LONGEST_ARRAY
    # `import matplotlib.pyplot as plt; log({"chart": plt})` means the current figure.
    return known or (kind.__name__ == "module" and value.__name__ == "matplotlib.pyplot")


def _is_drawn(kind: type) -> bool:
    return (kind.__module__ or "").partition(".")[0] in _DRAWN
