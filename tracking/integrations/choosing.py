"""Which of several packages of the same library this process uses."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def lightning_name() -> str:
    """ "lightning.pytorch" or "pytorch_lightning": what is imported already, else what is installed."""
    for name in ("lightning.pytorch", "pytorch_lightning"):
        if sys.modules.get(name) is not None:
            return name
    return "lightning.pytorch" if find_spec("lightning") or not find_spec("pytorch_lightning") else "pytorch_lightning"
