"""Histograms: counts and edges, which lie in the history itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracking.errors import UsageError
from tracking.live.values import Unloggable, plain
from tracking.media import binning
from tracking.media.contract import Media, Sink

MAX_BINS = 512


class Histogram(Media):
    """How often values fall into bins: `histogram` (counts) and `bins` (edges, one more).

    Logged, it becomes {"_type": "histogram", "values", "bins"}, without a file.
    """

    type_name = "histogram"

    def __init__(self, sequence: Any = None, np_histogram: Sequence[Any] | None = None, num_bins: int = 64) -> None:
        """Count a sequence (list, array, tensor; of any shape), or take the counts and edges of `numpy.histogram`.

        NaN and the infinities are in no bin. Tensors on a GPU are counted there.

        Raises:
            UsageError: More than 512 bins, edges that do not fit the counts, or nothing to count.
            ExtraMissing: Lists and arrays need numpy.
        """
        self.histogram: list[Any]
        self.bins: list[Any]
        if np_histogram is not None:
            self.histogram, self.bins = _checked_pair(np_histogram)
        elif sequence is None:
            raise UsageError("Histogram(): give a sequence, or np_histogram=numpy.histogram(…)")
        elif not isinstance(num_bins, int) or not 1 <= num_bins <= MAX_BINS:
            raise UsageError(f"Histogram(num_bins={num_bins!r}): from 1 to {MAX_BINS}")
        else:
            self.histogram, self.bins = binning.counted(sequence, num_bins)

    @classmethod
    def of_counts(cls, counts: list[int], edges: list[float]) -> Histogram:
        """Of counts and edges that are known to be right: nothing is looked at again."""
        histogram = cls.__new__(cls)
        histogram.histogram, histogram.bins = counts, edges
        return histogram

    def to_record(self, sink: Sink | None = None, key: str = "", step: int = 0) -> dict[str, Any]:
        return {"_type": self.type_name, "values": self.histogram, "bins": self.bins}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: Any = None) -> Histogram:
        """The histogram that a record holds."""
        return cls(np_histogram=(record["values"], record["bins"]))

    def __repr__(self) -> str:
        return f"Histogram({sum(self.histogram):g} values in {len(self.histogram)} bins)"


def _checked_pair(pair: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise UsageError("Histogram(np_histogram=…): a pair of counts and edges, as numpy.histogram gives it")
    try:
        counts, edges = plain(pair[0]), plain(pair[1])
    except Unloggable as error:
        raise UsageError(f"Histogram(np_histogram=…): {error}") from None
    if not isinstance(counts, list) or not isinstance(edges, list) or len(edges) != len(counts) + 1:
        raise UsageError("Histogram(np_histogram=…): there is one edge more than there are counts")
    if len(counts) > MAX_BINS:
        raise UsageError(f"Histogram(np_histogram=…): {len(counts)} bins; at most {MAX_BINS}")
    return counts, edges
