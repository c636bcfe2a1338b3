"""From the tree of a specification to its checked settings: rules that join several keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.space import Categorical, Quantized, SearchSpace, Uniform
from sweeps.spec.kinds import INVALID
from sweeps.spec.macros import warn_of_unknown
from sweeps.spec.parameters import LATER, Declared, report_empty
from sweeps.spec.parts import Goal, HyperbandSpec, MetricSpec, Settings
from sweeps.spec.placeholders import warn_of_placeholders
from sweeps.spec.points import distinct, read_points
from sweeps.spec.report import Report, join
from sweeps.spec.source.node import Node
from sweeps.spec.tables import TOP

Values = Mapping[str, Any]


def parse(root: Node, report: Report, new_seed: int) -> Settings:
    """The settings that the tree says, with `new_seed` when it names no seed. Raises SpecInvalid with every fault."""
    values = TOP.check(root, "", report)
    if values is INVALID:
        report.raise_if_faulty()
    declared: list[Declared] = values.get("parameters", [])
    method: str = values.get("method", "")
    _check_method(method, declared, report)
    _check_metric(root, values, report)
    _check_bands(root, values.get("early_terminate"), report)
    initial = read_points(values.get("initial", ()), declared, method, report)
    if "command" in values:
        warn_of_unknown(root.entries()["command"].node, values["command"], report)
    warn_of_placeholders(root, values.get("command", ()), declared, report)
    report.raise_if_faulty()
    return _settings(root, values, declared, initial, values.get("seed", new_seed))


def _settings(
    root: Node, values: Values, declared: Sequence[Declared], initial: Sequence[dict[str, Any]], seed: int
) -> Settings:
    space = SearchSpace(tuple(one.parameter for one in declared if one.parameter))
    caps = [cap for cap in (values.get("run_cap"), values.get("budget", {}).get("trials")) if cap is not None]
    command = values.get("command")
    return Settings(
        method=values["method"],
        space=space,
        metric=_metric(values.get("metric")),
        early_terminate=_hyperband(values.get("early_terminate")),
        command=None if command is None else tuple(command),
        program=values.get("program"),
        name=values.get("name", ""),
        description=values.get("description", ""),
        project=values.get("project", ""),
        entity=values.get("entity", ""),
        max_trials=min(caps) if caps else None,
        seed=seed,
        initial=distinct(initial, space),
        retry_max=values.get("retry", {}).get("max", 0),
        document=_document(root, command, seed),
    )


def _document(root: Node, command: Sequence[str] | None, seed: int) -> dict[str, Any]:
    document: dict[str, Any] = {**root.plain(), "seed": seed}
    if command is not None:
        document["command"] = list(command)  # 1e-5 as an element stays as it was written
    return document


def _metric(values: Values | None) -> MetricSpec | None:
    if values is None:
        return None
    target = values.get("target")
    return MetricSpec(
        name=values["name"],
        goal=Goal(values.get("goal", "minimize")),
        target=None if target is None else float(target),
        impute=values.get("impute", "worst"),
        impute_while_running=values.get("impute_while_running", "false"),
        aggregate=values.get("aggregate", "best"),
    )


def _hyperband(values: Values | None) -> HyperbandSpec | None:
    if values is None:
        return None
    by_max = "max_iter" in values  # it goes before min_iter where both are given, as in W&B
    return HyperbandSpec(
        min_iter=None if by_max else values["min_iter"],
        max_iter=values.get("max_iter"),
        s=values["s"] if by_max else None,
        eta=float(values.get("eta", 3)),
        strict=values.get("strict", True),
    )


def _check_method(method: str, declared: Sequence[Declared], report: Report) -> None:
    for one in declared:
        if one.parameter is None:
            continue
        distribution = one.parameter.distribution
        where = join("parameters", ".parameters.".join(one.parameter.path))
        if method == "grid" and distribution.grid() is None:
            what = "weighted" if isinstance(distribution, Categorical) else "continuous"
            what = "non-uniform" if isinstance(distribution, Quantized) else what
            hint = "use values, min and max as whole numbers, or q_uniform; or method: random"
            message = f"a grid cannot have a {what} parameter ({distribution.describe()})"
            report.fault(one.place, where, message, hint)
        elif method != "grid" and isinstance(distribution, Quantized) and distribution.is_empty:
            assert isinstance(distribution.base, Uniform), "the others were refused before"
            report_empty(distribution, one.place, where, report)


def _check_metric(root: Node, values: Values, report: Report) -> None:
    entries = root.entries()
    if "metrics" in entries:
        hint = "keep one as `metric`"
        report.fault(entries["metrics"].place, "metrics", f"several metrics: `metrics` {LATER}", hint)
        return
    if "metric" in entries:
        return
    hint = "add `metric: {name: val_loss, goal: minimize}` with a value that the program logs"
    if values.get("method") == "bayes":
        report.fault(entries["method"].node.place, "method", "bayes needs a metric", hint)
    elif "early_terminate" in entries:
        report.fault(entries["early_terminate"].place, "early_terminate", "early_terminate needs a metric", hint)


def _check_bands(root: Node, values: Values | None, report: Report) -> None:
    if values is None:
        return
    where, entry = "early_terminate", root.entries()["early_terminate"]
    keys = entry.node.entries()
    if "max_iter" not in keys and "min_iter" not in keys and values.get("type"):
        report.fault(entry.place, where, "needs min_iter, or max_iter and s")
    if "max_iter" in keys and "s" not in keys:
        report.fault(keys["max_iter"].place, join(where, "max_iter"), "max_iter needs s, the number of bands")
    if "s" in keys and "max_iter" not in keys:
        report.warn(keys["s"].place, join(where, "s"), "s counts bands below max_iter: without it, s has no effect")
    if {"min_iter", "max_iter", "s"} <= keys.keys():
        report.warn(keys["min_iter"].place, join(where, "min_iter"), "has no effect beside max_iter and s")
    if "max_iter" in values and "s" in values and values["max_iter"] / values.get("eta", 3) < 1:
        message = f"no band fits below max_iter {values['max_iter']} with eta {values.get('eta', 3):g}"
        report.fault(keys["max_iter"].node.place, join(where, "max_iter"), message, "raise max_iter")
