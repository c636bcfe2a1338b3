"""From an option to what a sweep may try: a range around its default, or the reason to leave it out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from sweeps.spec.placeholders import PLACEHOLDER
from sweeps.starter.options import UNKNOWN, Form, Option

_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")
_SEEDS = {"seed", "seeds", "random"}
_PATHS = {
    "path",
    "dir",
    "directory",
    "folder",
    "file",
    "root",
    "data",
    "dataset",
    "output",
    "out",
    "checkpoint",
    "ckpt",
}
_PATHS |= {"save", "load", "resume", "config", "cfg", "model", "url", "host", "pretrained", "weights"}
_MACHINERY = {
    "workers",
    "worker",
    "gpu",
    "gpus",
    "device",
    "devices",
    "rank",
    "port",
    "nodes",
    "threads",
    "jobs",
    "cpus",
}
_MACHINERY |= {"cuda", "amp", "fp16", "bf16", "compile", "distributed", "ddp", "deterministic"}
_TALK = {"verbose", "debug", "quiet", "log", "print", "wandb", "project", "entity", "name", "tag", "tags", "notes"}
_TALK |= {"interval", "freq", "frequency", "every", "dry", "test", "evaluate", "profile", "progress", "plot", "version"}
_LENGTH = {"epoch", "epochs", "steps", "iterations", "iters", "updates"}
_LOGARITHMIC = {"lr", "learning", "decay", "wd", "l1", "l2", "alpha", "reg", "lambda", "eps", "epsilon", "lam"}
_POWERS = {
    "batch",
    "bs",
    "hidden",
    "width",
    "dim",
    "units",
    "channels",
    "size",
    "features",
    "embed",
    "embedding",
    "filters",
}
_SHARES = {"dropout", "drop", "prob", "p", "ratio", "fraction", "smoothing", "mixup", "rate"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """The value of one parameter: keys of a distribution, or `left_out` with the reason."""

    option: Option
    keys: dict[str, Any]
    left_out: str = ""
    remark: str = ""


def propose(option: Option, flags_allowed: bool) -> Proposal:
    """What a sweep may try. `flags_allowed` when the command can carry flags without a value."""
    reason = _reason(option, flags_allowed)
    if reason and not (option.required and option.form is Form.VALUE):
        return Proposal(option, {}, left_out=reason)
    if reason:
        return Proposal(option, {"value": PLACEHOLDER}, remark="required: give it a value")
    keys = _keys(option)
    if not keys:
        return Proposal(option, {}, left_out=f"no range can be told from the default {_shown(option.default)}")
    return Proposal(option, _within(keys, option), remark=_remark(option))


def words(name: str) -> set[str]:
    """The parts of a name: `learning_rate` has learning and rate."""
    return {word.lower() for word in _WORDS.split(name) if word}


def _reason(option: Option, flags_allowed: bool) -> str:
    """Why the option is left out; "" when it is worth searching."""
    parts = words(option.name)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", option.name):
        return "no name for a parameter"
    if option.form is Form.POSITIONAL:
        return "positional: write it into `command`, before ${args}"
    if option.form is Form.SHORT:
        return "has no name with two hyphens: write it into `command`, before ${args}"
    if option.form is Form.MANY:
        return "takes several values"
    for known, reason in (
        (_SEEDS, "a seed is no choice"),
        (_MACHINERY, "about the machine"),
        (_TALK, "about output"),
        (_LENGTH, "the length of the training: better fixed, with early_terminate"),
    ):
        if parts & known and not option.choices:
            return reason
    return _reason_of_form(option, parts, flags_allowed)


def _reason_of_form(option: Option, parts: set[str], flags_allowed: bool) -> str:
    if option.form is Form.SWITCH and option.default is True:
        return f"a switch that is on: only --no-{option.name} turns it off"
    if option.form in {Form.FLAG, Form.SWITCH}:
        return "" if flags_allowed and not parts & _PATHS else "a flag of no search value"
    if option.choices:
        return ""
    if option.type == "bool":
        return 'argparse\'s type=bool reads "False" as true: use BooleanOptionalAction'
    if _reads_bool(option):
        return ""
    if option.type in {"int", "float"}:
        return ""
    if option.type in {"str", "path", "Path"}:
        return "a path" if parts & _PATHS or option.type != "str" else "a text: add `values: […]` to search it"
    return f"its type {option.type} is not known here"


def _reads_bool(option: Option) -> bool:
    return option.form is Form.VALUE and ("bool" in option.type.lower() or isinstance(option.default, bool))


def has_valued_booleans(option: Option) -> bool:
    """Whether the option reads `--x=True`, which the macro for flags would turn into `--x`."""
    return option.type != "bool" and _reads_bool(option)


def _keys(option: Option) -> dict[str, Any]:
    if option.choices:
        return {"values": list(option.choices)}
    if option.form in {Form.FLAG, Form.SWITCH} or _reads_bool(option):
        return {"values": [True, False]}
    default = option.default if _is_finite(option.default) else None
    return _of_int(option, default) if option.type == "int" else _of_float(option, default)


def _is_finite(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is not UNKNOWN and number and math.isfinite(value) and abs(value) < 1e12


def _of_float(option: Option, default: float | None) -> dict[str, Any]:
    parts = words(option.name)
    if {"momentum", "beta1", "beta2", "ema"} & parts:
        return {"min": 0.5, "max": 0.999}
    if parts & _SHARES and "learning" not in parts and (default is None or 0 <= default <= 1):
        return {"min": 0.0, "max": 0.5 if (default or 0) <= 0.5 else 1.0}
    if parts & _LOGARITHMIC:
        return _decades(default or (1e-4 if {"decay", "wd", "l2"} & parts else 1e-3))
    if default is None or default == 0:
        return {"min": 0.0, "max": 1.0}
    if default < 0:
        return {"min": default * 2.0, "max": default / 2.0}
    if default <= 0.1:
        return _decades(default)
    return {"min": 0.0, "max": 1.0} if default < 1 else {"min": default / 2.0, "max": default * 2.0}


def _decades(center: float) -> dict[str, Any]:
    """Two decades down and up, on a logarithmic scale."""
    low, high = (float(f"{center * factor:.6g}") for factor in (0.01, 100.0))
    return {"distribution": "log_uniform_values", "min": low, "max": high} if low > 0 else {}


def _of_int(option: Option, default: float | None) -> dict[str, Any]:
    if default is None:
        return {"min": 1, "max": 10}
    value = int(default)
    if value < 0:
        return {}
    if (value >= 8 and (value & (value - 1)) == 0) or (words(option.name) & _POWERS and value >= 8):
        return {"values": [value // 4, value // 2, value, value * 2, value * 4]}
    return {"min": max(1, value // 2), "max": max(4, value * 2)} if value else {"min": 0, "max": 10}


def _within(keys: dict[str, Any], option: Option) -> dict[str, Any]:
    """The keys cut to what the script itself allows."""
    low, high = option.bounds
    if low is None and high is None:
        return keys
    if "values" in keys:
        inside = [v for v in keys["values"] if (low is None or v >= low) and (high is None or v <= high)]
        return {"values": inside} if inside else {"values": [option.default]}
    cut = dict(keys)
    if low is not None and high is not None and option.type == "int":
        return {"min": low, "max": high} if low < high else {"value": low}
    if low is not None and (low > 0 or "distribution" not in keys):
        cut["min"] = max(low, keys["min"]) if low < keys["max"] else low
    if high is not None:
        cut["max"] = min(high, keys["max"]) if high > cut["min"] else high
    if cut["min"] >= cut["max"]:
        return {"value": option.default if _is_finite(option.default) else cut["max"]}
    return cut


def _remark(option: Option) -> str:
    if option.default is None and not option.choices and option.type in {"int", "float"}:
        return "no default: check this range"
    return option.help


def _shown(value: Any) -> str:
    return "it has" if value is UNKNOWN else repr(value)[:40]
