"""What one TensorBoard event says, in our values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracking.extras import require

_HPARAMS = "_hparams_/"
_IMAGE_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}


def values_of(event: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of the scalars, histograms and texts in an event."""
    for value in event.summary.value:
        if value.tag.startswith(_HPARAMS):
            continue
        plugin = value.metadata.plugin_data.plugin_name
        if value.HasField("simple_value"):
            yield value.tag, float(value.simple_value)
        elif value.HasField("histo"):
            yield value.tag, _old_histogram(value.histo)
        elif value.HasField("tensor") and plugin != "images":
            found = _tensor(value.tensor, plugin)
            if found is not None:
                yield value.tag, found


def image_of(event: Any) -> Iterator[tuple[str, bytes, str]]:
    """Tag, encoded bytes and suffix of the pictures in an event; several of one tag are numbered."""
    for value in event.summary.value:
        if value.HasField("image"):
            yield from _encoded(value.tag, [value.image.encoded_image_string])
        elif value.HasField("tensor") and value.metadata.plugin_data.plugin_name == "images":
            # Width and height come first.
            yield from _encoded(value.tag, list(value.tensor.string_val)[2:])


def hyperparameters(event: Any) -> dict[str, Any]:
    """What the hparams plugin recorded, {} in most events."""
    found: dict[str, Any] = {}
    for value in event.summary.value:
        if value.tag == "_hparams_/session_start_info":
            plugin = require("tensorboard.plugins.hparams.plugin_data_pb2").HParamsPluginData()
            plugin.ParseFromString(value.metadata.plugin_data.content)
            for name, setting in plugin.session_start_info.hparams.items():
                kind = setting.WhichOneof("kind")
                found[name] = getattr(setting, kind) if kind and kind != "null_value" else None
    return found


def _tensor(tensor: Any, plugin: str) -> Any:
    array = require("tensorboard.util.tensor_util").make_ndarray(tensor)
    if plugin == "text" or array.dtype.kind in "OS":
        return "\n".join(
            item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in array.flat
        )
    if plugin == "histograms" and array.ndim == 2 and array.shape[-1] == 3:
        edges = [*array[:, 0].tolist(), *array[-1:, 1].tolist()]
        return {"_type": "histogram", "bins": edges, "values": array[:, 2].tolist()}
    return float(array.reshape(-1)[0]) if array.size == 1 else None


def _old_histogram(histogram: Any) -> dict[str, Any]:
    edges = [max(histogram.min, -1e308), *histogram.bucket_limit]
    return {"_type": "histogram", "bins": [min(edge, 1e308) for edge in edges], "values": list(histogram.bucket)}


def _encoded(tag: str, pictures: list[bytes]) -> Iterator[tuple[str, bytes, str]]:
    for number, data in enumerate(pictures):
        suffix = next((suffix for start, suffix in _IMAGE_KINDS.items() if data.startswith(start)), "bin")
        yield (tag if len(pictures) == 1 else f"{tag}/{number}"), data, suffix
