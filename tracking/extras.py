"""Optional libraries: imported where they are used, with a clear word when they are absent."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tracking.errors import ExtraMissing

_DISTRIBUTIONS = {
    "PIL": "Pillow",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "pynvml": "nvidia-ml-py",
    "sklearn": "scikit-learn",
}


def require(module: str, extra: str = "", what: str = "this") -> Any:
    """The module. Raises ExtraMissing, which names the pip line: of our extra, or without one of the library."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != top:
            raise  # the library is there, but something that it needs is not
        name = _DISTRIBUTIONS.get(top, top)
        line = f"pip install 'sweepwright[{extra}]'" if extra else f"pip install {name}"
        raise ExtraMissing(f"{what} needs {name}: {line}") from None
