"""What logged values that are no numbers become in the history: records of media, lists of them, histograms."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from tracking.errors import SweepError
from tracking.live.values import Unloggable, plain
from tracking.media.contract import Media, Sink
from tracking.media.run_sink import RunSink

if TYPE_CHECKING:
    from tracking.live.run import Run

LONGEST_ARRAY = 32
"""An array with more elements is recorded as a histogram, as W&B has it; a Python list stays a list."""
_LISTS = {
    "image-file": ("images/separated", "images"),
    "audio-file": ("audio", "audio"),
    "video-file": ("videos", "videos"),
    "html-file": ("html", "html"),
    "object3D-file": ("object3D", "objects"),
    "molecule-file": ("molecule", "molecules"),
    "plotly-file": ("plotly", "plots"),
}
"""How a list of one type is recorded: its `_type`, and where the records of its items lie."""
_ARRAYS = frozenset(("numpy", "torch", "jax", "jaxlib", "tensorflow", "cupy"))
_families: dict[type[Any], str] = {}
_MOST_FAMILIES = 4096


def is_rich(value: Any) -> bool:
    """Whether `converted` makes something else of the value. Cheap, and imports nothing."""
    if isinstance(value, (bool, int, float, str)) or value is None:
        return False
    if isinstance(value, Media):
        return True
    if isinstance(value, (list, tuple)):
        return any(isinstance(item, Media) or _is_foreign(item) for item in value)
    return _is_foreign(value) or _is_long_array(value)


def converted(value: Any, run: Run, key: str, step: int) -> Any:
    """The plain record of a logged value; its files are kept with the run. Other values become plain, too.

    Raises Unloggable, whose text says what happened (a full disk, a library that is absent); nothing else.
    """
    try:
        if not is_rich(value):
            return plain(value)  # such as a Timestamp of pandas
        return recorded(value, RunSink(run, step), key, step)
    except Unloggable:
        raise
    except (SweepError, OSError) as error:
        raise Unloggable(str(error)) from None
    except Exception as error:  # noqa: BLE001  boundary: foreign figures and encoders must not end the training
        raise Unloggable(f"{type(value).__name__} could not be encoded: {type(error).__name__}: {error}") from None


def recorded(value: Any, sink: Sink, key: str, step: int) -> Any:
    """The same for any sink; raises what the media raise."""
    if isinstance(value, Media):
        return value.to_record(sink, key, step)
    if isinstance(value, (list, tuple)):
        return _recorded_list(value, sink, key, step) if is_rich(value) else value
    medium = as_medium(value)
    return value if medium is None else medium.to_record(sink, key, step)


def as_medium(value: Any) -> Media | None:
    """The media object for a figure, a PIL image, a data frame or a long array; None for anything else."""
    from tracking.media import figures  # with numbers only, none of these classes is needed

    if isinstance(value, Media):
        return value
    if _is_foreign(value):
        if figures.is_matplotlib(value) or _is_pillow(value):
            from tracking.media.image import Image

            return Image(value)
        if figures.is_plotly(value):
            return figures.Plotly(value)
        if type(value).__name__ == "DataFrame":
            from tracking.tables.table import Table

            return Table(dataframe=value)
    if _is_long_array(value):
        from tracking.media.histogram import Histogram

        return Histogram(value, num_bins=LONGEST_ARRAY)
    return None


def _recorded_list(values: Sequence[Any], sink: Sink, key: str, step: int) -> Any:
    """One record for media of one type; of mixed ones a list of records."""
    media = [as_medium(value) for value in values]
    found = [medium for medium in media if medium is not None]
    if len(found) < len(values):
        pairs = zip(media, values, strict=True)
        return [plain(value) if medium is None else medium.to_record(sink, key, step) for medium, value in pairs]
    records = [medium.to_record(sink, key, step) for medium in found]
    kinds = {medium.type_name for medium in found}
    if len(kinds) > 1 or not kinds <= _LISTS.keys():
        return records
    return joined(records)


def joined(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of a list: W&B's fields, the digests, and the records of the items."""
    kind, items = _LISTS[records[0]["_type"]]
    record: dict[str, Any] = {"_type": kind, "count": len(records)}
    record |= {name: records[0][name] for name in ("width", "height", "format") if name in records[0]}
    record["filenames"] = [one["path"] for one in records]
    record["sha256"] = [one["sha256"] for one in records]
    if any("caption" in one for one in records):
        record["captions"] = [one.get("caption", "") for one in records]
    for name, many in (("boxes", "all_boxes"), ("masks", "all_masks"), ("sample_rate", "sampleRates"),
                       ("duration", "durations")):  # fmt: skip
        if any(name in one for one in records):
            record[many] = [one.get(name) for one in records]
    record[items] = records
    return record


def _is_foreign(value: Any) -> bool:
    """Whether it is a figure, a picture or a data frame of a library that the program has imported."""
    if type(value) is type(sys):
        return getattr(value, "__name__", "") in ("matplotlib.pyplot", "pylab")
    return _family(type(value)) == "foreign"


def _is_pillow(value: Any) -> bool:
    image = getattr(sys.modules.get("PIL.Image"), "Image", None)
    return image is not None and isinstance(value, image)


def _is_long_array(value: Any) -> bool:
    """Whether it is an array of numbers that is too long for a list in the history."""
    if _family(type(value)) != "array" or not isinstance(shape := getattr(value, "shape", None), tuple):
        return False
    return prod(shape) > LONGEST_ARRAY and any(kind in str(value.dtype) for kind in ("int", "float", "bool"))


def _family(kind: type[Any]) -> str:
    """Where a type belongs: "foreign" (what as_medium knows), "array", or "" for the rest."""
    known = _families.get(kind)
    if known is None:
        if len(_families) >= _MOST_FAMILIES:
            _families.clear()
        known = _families[kind] = _looked_up(kind)
    return known


def _looked_up(kind: type[Any]) -> str:
    names = {base.__module__.partition(".")[0] for base in kind.__mro__}
    if names & {"pandas", "polars"}:
        return "foreign" if kind.__name__ == "DataFrame" else ""
    if names & {"PIL", "matplotlib"} or ("plotly" in names and hasattr(kind, "to_plotly_json")):
        return "foreign"
    return "array" if names & _ARRAYS and hasattr(kind, "shape") else ""
