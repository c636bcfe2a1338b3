"""Lines of the `sweep` command that people are told to type: each works in any terminal, pasted as it is."""

from __future__ import annotations

import shlex
from pathlib import Path

from tracking import environment
from tracking.home import Home


def sweep_line(*words: str) -> str:
    """`sweep WORDS…`, led by the store and the home folder when a fresh terminal would have others."""
    return settings() + shlex.join(["sweep", *words])


def settings() -> str:
    """The assignments before a command that make it see our home and store, with a blank after each; "" for none."""
    home, parts = Home.find().root, []
    if home != Path.home() / ".sweepwright":
        parts.append(f"SWEEP_HOME={shlex.quote(str(home))}")
    url = environment.read(environment.STORE)  # --store is there too
    if url:
        parts.append(f"SWEEP_STORE={shlex.quote(without_password(url))}")
    return "".join(f"{part} " for part in parts)


def without_password(url: str) -> str:
    """The URL of a store as it may stand on a screen."""
    head, at, tail = url.rpartition("@")
    scheme, colon, login = head.partition("://")
    return f"{scheme}{colon}{login.partition(':')[0]}:***{at}{tail}" if at and ":" in login else url
