"""Finds what a script logs and guesses the metric; finds the defaults that it gives to `init(config=…)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sweeps.starter.options import UNKNOWN, Literals, Option, keywords, type_of

_LOGGERS = re.compile(r"(tracking|wandb|run|self\.run|logger)$")
_SMALL = ("loss", "err", "mse", "mae", "perplexity", "ppl", "nll", "wer", "cer", "bpc", "fid", "cost", "regret")
_LARGE = ("acc", "f1", "auc", "score", "reward", "return", "iou", "map", "bleu", "rouge", "r2", "precision", "recall")
_HELD_OUT = ("val", "valid", "validation", "dev", "eval", "test", "held")


@dataclass(frozen=True, slots=True)
class MetricGuess:
    """The logged value that most likely orders the runs."""

    name: str
    goal: str


def logged_keys(tree: ast.Module, literals: Literals) -> list[str]:
    """The keys of `log({...})` calls and of `summary[...] = …`, in order, each once."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_call(node, "log"):
            found.update(dict.fromkeys(_keys(node, literals)))
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_summary(node.value):
            key = literals.value(node.slice)
            found.update({key: None} if isinstance(key, str) else {})
    return list(found)


def config_options(tree: ast.Module, literals: Literals) -> Iterator[Option]:
    """The defaults of `tracking.init(config={...})`, which a sweep overrides without any command line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_call(node, "init") and "config" in keywords(node):
            for name, value in literals.mapping(keywords(node)["config"]).items():
                default = literals.value(value)
                if default is not UNKNOWN:
                    yield Option(name, type=type_of(default), default=default, line=value.lineno)


def guess_metric(keys: Sequence[str]) -> MetricGuess | None:
    """The key with a known direction, held-out data first; None when no key tells."""
    known = [(key, goal) for key in keys if (goal := _goal(key))]
    held_out = [pair for pair in known if set(_words(pair[0])) & set(_HELD_OUT)]
    best = next(iter(held_out or known), None)
    return MetricGuess(*best) if best else None


def _goal(key: str) -> str:
    for word in reversed(_words(key)):
        if word.startswith(_SMALL) or word.endswith(("loss", "error", "mse", "mae")):
            return "minimize"
        if word in _LARGE or word.startswith(("acc", "score", "reward", "bleu", "rouge", "auroc")):
            return "maximize"
    return ""


def _words(key: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", key.lower()) if word]


def _is_call(call: ast.Call, method: str) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr != method:
        return False
    return bool(_LOGGERS.search(ast.unparse(call.func.value)))


def _is_summary(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "summary"


def _keys(call: ast.Call, literals: Literals) -> Iterator[str]:
    yield from literals.mapping(call.args[0] if call.args else keywords(call).get("data"))
