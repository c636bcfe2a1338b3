"""Which process of a distributed training this is, by the variables that torchrun and its like set."""

from __future__ import annotations

import os
from collections.abc import Mapping

_MARKS = ("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK")


def rank(environ: Mapping[str, str] | None = None) -> int | None:
    """The number of this process among WORLD_SIZE > 1 of them, None in a training of one process.

    Some launchers say only LOCAL_RANK and the number of the machine; then any number but 0 says "not the first".
    """
    env = os.environ if environ is None else environ
    if (_number(env, "WORLD_SIZE") or 1) <= 1:
        return None
    first = _number(env, "RANK")
    if first is not None:
        return first
    if _number(env, "LOCAL_RANK") is None:
        return None
    return max(_number(env, mark) or 0 for mark in _MARKS)


def writes_alone(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this process is the one that writes the run: rank 0, or the only process."""
    return not rank(environ)


def shares_machine_with_first(environ: Mapping[str, str] | None = None) -> bool:
    """Whether rank 0 runs on this machine, as far as the variables tell."""
    env = os.environ if environ is None else environ
    number, local = rank(env), _number(env, "LOCAL_RANK")
    return number is not None and number == local and not _number(env, "GROUP_RANK")


def _number(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name, "")
    return int(text) if text.isdecimal() else None
