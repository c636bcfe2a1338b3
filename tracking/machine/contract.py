"""The contract of what measures one thing of the machine."""

from __future__ import annotations

from typing import Protocol


class Source(Protocol):
    """Measures one thing each time it is asked. Rates are those since the last time, so the first answer has none."""

    def sample(self, now: float) -> dict[str, float]:
        """Values by key, such as {"system/cpu": 12.5}; what cannot be measured is left out. `now` is monotonic."""
