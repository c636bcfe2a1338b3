"""Figures: plotly's as JSON, matplotlib's as pictures, or as plotly's where plotly can translate them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from tracking.errors import UsageError
from tracking.extras import require
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload


def is_matplotlib(value: Any) -> bool:
    """Whether it is a figure, something drawn in one, or the pyplot module; matplotlib is not imported for it."""
    if "matplotlib" not in sys.modules:
        return False
    if type(value) is type(sys):
        return getattr(value, "__name__", "") in ("matplotlib.pyplot", "pylab", "matplotlib.pylab")
    return any(kind.__module__.partition(".")[0] == "matplotlib" for kind in type(value).__mro__) and (
        hasattr(value, "savefig") or hasattr(value, "get_figure") or hasattr(value, "figure")
    )


def is_plotly(value: Any) -> bool:
    """Whether it is a figure of plotly."""
    return any(kind.__module__.partition(".")[0] == "plotly" for kind in type(value).__mro__) and hasattr(
        value, "to_plotly_json"
    )


def figure_of(drawn: Any) -> Any:
    """The matplotlib figure of pyplot, of an axes or of anything in it. Raises UsageError when there is none."""
    figure = drawn
    if type(drawn) is type(sys):
        figure = drawn.gcf()
    elif not hasattr(drawn, "savefig"):
        get_figure = getattr(drawn, "get_figure", None)
        figure = get_figure() if get_figure is not None else drawn.figure
    while figure is not None and not hasattr(figure, "savefig"):
        figure = getattr(figure, "figure", None)  # a figure within a figure
    if figure is None:
        raise UsageError(f"{type(drawn).__name__} belongs to no matplotlib figure")
    return figure


def save(figure: Any, file: BinaryIO, extension: str) -> None:
    """Write a matplotlib figure as a picture. The same figure gives the same bytes: no date, no version."""
    figure.savefig(file, format=extension, metadata={"Software": None} if extension == "png" else None)


class Plotly(Media):
    """A figure of plotly, or one of matplotlib that plotly can translate.

    Logged, it becomes {"_type": "plotly-file", "path", "sha256", "size"}; the file is the JSON of plotly.
    """

    type_name = "plotly-file"

    def __init__(self, val: Any, caption: str | None = None) -> None:
        """Raises UsageError for anything but a figure, ExtraMissing where a translation needs plotly."""
        self.caption = caption
        if payload.silent():
            self.payload: payload.Payload = payload.Nothing("plotly.json")
            return
        if is_matplotlib(val):
            val = _translated(figure_of(val))
        if not is_plotly(val):
            raise UsageError(f"Plotly(): {type(val).__name__} is no figure of plotly or matplotlib")
        self.payload = payload.of_text(val.to_json(), "plotly.json")

    def figure(self) -> Any:
        """The figure of plotly. Raises ExtraMissing."""
        with self.payload.open() as file:
            return require("plotly.io", "", "Plotly.figure()").from_json(file.read().decode())

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self.payload.put(sink, f"media/plotly/{key}_{step}")
        return {"_type": self.type_name, **file} | ({"caption": self.caption} if self.caption is not None else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Plotly:
        """The figure that a record speaks of."""
        plotly = cls.__new__(cls)
        plotly.caption, plotly.payload = record.get("caption"), payload.Stored(record, opener)
        return plotly


def _translated(figure: Any) -> Any:
    if any(axes.get_images() for axes in figure.get_axes()):
        raise UsageError("Plotly(): plotly does not translate matplotlib figures that hold images; use Image(figure)")
    tools = require("plotly.tools", "", "Plotly(matplotlib figure)")
    try:
        return tools.mpl_to_plotly(figure)
    except Exception as error:  # noqa: BLE001  boundary: the translator fails in many ways with new matplotlibs
        raise UsageError(
            f"Plotly(): plotly cannot translate this matplotlib figure ({error}); use Image(figure)"
        ) from None
