"""A curve in one line of block characters, as the training process prints it, too."""

from __future__ import annotations

from tracking.live.sparkline import BARS, sparkline

__all__ = ["BARS", "sparkline"]
