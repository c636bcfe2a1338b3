"""The keys of a sweep.yaml: what each may hold and what it means. Parser, JSON Schema and documentation read these."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.spec.kinds import AnyText, Boolean, Choice, Integer, Key, ListOf, Number, Record, Text, Word
from sweeps.spec.parameters import LATER, Parameters
from sweeps.spec.points import Points

METHODS = ("bayes", "grid", "random")
SEED_LIMIT = 2**63 - 1

_IMPUTE = ("worst", "best", "latest")
_LATER_METHODS = {
    name: f"method {name} {LATER}" for name in ("tpe", "gp", "cmaes", "qmc", "nsga2", "pbt", "module:Class")
}
_CUSTOM = "method custom runs a controller of W&B's, which this program has not"
_LATER_STOPPERS = {
    name: f"early_terminate type {name} {LATER}"
    for name in ("asha", "median", "percentile", "patience", "threshold", "wilcoxon", "auto")
}


def _later(*names: str) -> Mapping[str, str]:
    return {name: f"{name} {LATER}" for name in names}


METRIC = Record(
    "a mapping with the name of a logged value",
    {
        "name": Key(Text("the name of a value that the program logs"), "the logged value that orders the runs", True),
        "goal": Key(Choice(("minimize", "maximize")), "whether small or large values are good", default="minimize"),
        "target": Key(Number(), "the sweep finishes when a run reaches this value"),
        "impute": Key(Choice(_IMPUTE), "what a run without a value counts as", default="worst"),
        "impute_while_running": Key(
            Choice((*_IMPUTE, "false"), also_false=True), "the same for runs that are running", default="false"
        ),
        "aggregate": Key(Choice(("best", "last")), "which value of a run's history counts", default="best"),
    },
    refused=_later("on_nan"),
    example="such as {name: val_loss, goal: minimize}",
)

EARLY_TERMINATE = Record(
    "a mapping with a type",
    {
        "type": Key(Choice(("hyperband",), refused=_LATER_STOPPERS), "how runs are judged", True),
        "min_iter": Key(Integer(at_least=1), "the first band; the next ones are eta times as far"),
        "max_iter": Key(Integer(at_least=1), "bands are max_iter / eta, / eta², …: s of them"),
        "s": Key(Integer(at_least=1), "the number of bands below max_iter"),
        "eta": Key(Number(above=1), "the share 1/eta of the runs goes on", default=3),
        "strict": Key(Boolean(), "judge by the value at the band, not by the best up to it", default=True),
    },
    refused=_later("on_nan", "min_trials", "percentile", "patience", "threshold"),
    example="such as {type: hyperband, min_iter: 3}",
)

BUDGET = Record(
    "a mapping",
    {"trials": Key(Integer(at_least=1), "most trials over all agents, as run_cap")},
    refused={f"{name}": f"budget.{name} {LATER}" for name in ("hours", "gpu_hours", "deadline")},
    example="such as {trials: 20}",
)

RETRY = Record(
    "a mapping",
    {"max": Key(Integer(at_least=0), "how often a run that failed by itself is run again", default=0)},
    example="such as {max: 2}",
)

CONTROLLER = Record("a mapping", {"type": Key(Choice(("cloud", "local")), "no effect here", default="cloud")})

TOP = Record(
    "a mapping with the keys method and parameters",
    {
        "method": Key(Choice(METHODS, refused={**_LATER_METHODS, "custom": _CUSTOM}), "bayes, grid or random", True),
        "parameters": Key(Parameters(), "the search space: names and what they may be", True),
        "metric": Key(METRIC, "what orders the runs; needed by bayes and early_terminate"),
        "metrics": Key(ListOf(METRIC, at_least=2), f"several objectives ({LATER})"),
        "early_terminate": Key(EARLY_TERMINATE, "ends runs early that are worse than others at the same length"),
        "run_cap": Key(Integer(at_least=1), "most runs over all agents"),
        "budget": Key(BUDGET, "what may be spent; the smaller of run_cap and budget.trials counts"),
        "command": Key(
            ListOf(Word(), hint='such as ["${env}", "${interpreter}", "${program}", "${args}"]'),
            "the command line as a list, with macros",
        ),
        "program": Key(Text("the path of the script"), "the script that agents run"),
        "seed": Key(Integer(at_least=0, at_most=SEED_LIMIT), "makes the whole search reproducible"),
        "initial": Key(Points(), "points to try first; each names every parameter"),
        "retry": Key(RETRY, "whether failed runs are run again"),
        "name": Key(AnyText(), "for people"),
        "description": Key(AnyText(), "for people"),
        "project": Key(AnyText(), "groups sweeps and runs"),
        "entity": Key(AnyText(), "the team or person that the project belongs to"),
        "controller": Key(CONTROLLER, "accepted, no effect here"),
        "job": Key(AnyText(), "accepted, no effect here"),
        "image_uri": Key(AnyText(), "accepted, no effect here"),
        "apiVersion": Key(AnyText(), "accepted, no effect here"),
        "kind": Key(AnyText(), "accepted, no effect here"),
    },
    refused=_later("constraints", "from", "repeat", "resources", "env", "timeout", "executor", "on_nan"),
    example="see docs/sweep-yaml.md",
)
