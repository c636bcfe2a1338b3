"""Writes the starter sweep.yaml, with comments that say where each range comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sweeps.errors import SweepsError
from sweeps.spec.placeholders import PLACEHOLDER
from sweeps.spec.source.scalars import resolve
from sweeps.starter.logged import MetricGuess, guess_metric
from sweeps.starter.options import UNKNOWN, Form, Option
from sweeps.starter.ranges import Proposal, has_valued_booleans, propose
from sweeps.starter.script import Script

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_NO_WORD = re.compile(r"\W", re.ASCII)
_OLD_BOOLEANS = {"y", "n", "yes", "no", "on", "off"}  # other readers of the file take them for booleans
_WIDTH = 100


def starter_document(script: Script, program: str, output: str = "sweep.yaml") -> str:
    """The YAML text of the file `output`. Raises SweepsError when the script has nothing that a sweep could set."""
    flags_allowed = script.from_command_line and not any(map(has_valued_booleans, script.options))
    proposals = [propose(option, flags_allowed) for option in script.options]
    taken = [proposal for proposal in proposals if proposal.keys]
    left_out = [proposal for proposal in proposals if not proposal.keys]
    if not any(set(proposal.keys) != {"value"} for proposal in taken):
        raise SweepsError(_nothing(program, left_out))
    metric = guess_metric(script.logged)
    lines = [
        f"# A starter sweep for {_comment(program)}: check the ranges, then `sweep check {_comment(output)}`.",
        f"program: {scalar(program)}",
        *_search_lines(metric, script.logged),
        "run_cap: 20",
        "",
        "parameters:",
        *(line for proposal in taken for line in _parameter_lines(proposal)),
        *_left_out_lines(left_out),
        *_stopping_lines(metric),
        *_command_lines(taken, [option for option in script.options if _is_placed_by_hand(option)]),
    ]
    return "\n".join(lines) + "\n"


def scalar(value: Any) -> str:
    """A value as YAML that every reader of YAML 1.1 and 1.2 understands alike."""
    if isinstance(value, list):
        return f"[{', '.join(map(scalar, value))}]"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and resolve(value) == value and value.lower() not in _OLD_BOOLEANS
        return value if plain else _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """JSON's quotes, but characters beyond 16 bits stay whole: YAML has no surrogate pairs."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)


def _float(value: float) -> str:
    if value == 0 or 1e-6 <= abs(value) < 1e12:
        text = f"{value:.12f}".rstrip("0")
        return text + "0" if text.endswith(".") else text
    mantissa, exponential, exponent = f"{value!r}".partition("e")
    if not exponential:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"  # without a dot YAML 1.1 reads a string


def _search_lines(metric: MetricGuess | None, logged: Sequence[str]) -> list[str]:
    if metric is None:
        keys = f" The script logs: {_comment(', '.join(logged))}." if logged else ""
        return [
            f"# No logged value could be taken for the metric.{keys}",
            "# With one, use `method: bayes`:",
            "# metric: {name: val_loss, goal: minimize}",
            "method: random",
        ]
    others = [key for key in logged if key != metric.name]
    remark = [f"# Also logged: {_comment(', '.join(others))}"] if others else []
    return ["method: bayes", *remark, "metric:", f"  name: {scalar(metric.name)}", f"  goal: {metric.goal}"]


def _parameter_lines(proposal: Proposal) -> list[str]:
    option = proposal.option
    default = "" if option.default in (None, UNKNOWN) else f"default {_comment(scalar_or_text(option.default))}"
    remark = "; ".join(part for part in (default, _comment(proposal.remark)) if part)
    lines = [f"  {scalar(option.name)}:" + (f"  # {remark}" if remark else "")]
    return lines + [f"    {key}: {scalar(value)}" for key, value in proposal.keys.items()]


def scalar_or_text(value: Any) -> str:
    """A default for a comment: any object has a text."""
    return scalar(value) if isinstance(value, (bool, int, float, str)) else str(value)


def _left_out_lines(left_out: Sequence[Proposal]) -> list[str]:
    if not left_out:
        return []
    lines = [f"  #   {_comment(proposal.option.name)}: {_comment(proposal.left_out)}" for proposal in left_out]
    return ["  # Left out:", *lines]


def _stopping_lines(metric: MetricGuess | None) -> list[str]:
    if metric is None:
        return []
    return [
        "",
        "# Ends runs early that are worse than others at the same length:",
        *(f"# {line}" for line in ("early_terminate:", "  type: hyperband", "  min_iter: 3")),
    ]


def _is_placed_by_hand(option: Option) -> bool:
    """Whether the script demands it in a form that `${args}` cannot give."""
    return option.required and option.form in {Form.POSITIONAL, Form.SHORT, Form.MANY}


def _command_lines(taken: Sequence[Proposal], by_hand: Sequence[Option]) -> list[str]:
    """A command of its own for flags, and for what is required but no `--name=value`; [] where the default does."""
    flags = any(proposal.option.form in {Form.FLAG, Form.SWITCH} for proposal in taken)
    if not flags and not by_hand:
        return []
    positional = [option for option in by_hand if option.form is Form.POSITIONAL]
    named = [option for option in by_hand if option.form is not Form.POSITIONAL]
    placed = [word for option in [*positional, *named] for word in _words_of(option)]
    lines = [""]
    if by_hand:
        names = ", ".join(option.name for option in by_hand)
        lines.append(f"# The script requires {_comment(names)}: put it in place of {PLACEHOLDER}_….")
    if flags:
        lines.append("# Flags are given as --flag, or not at all.")
    words = ["${env}", "${interpreter}", "${program}", *placed, "${args_no_boolean_flags}" if flags else "${args}"]
    return [*lines, f"command: {json.dumps(words)}"]


def _words_of(option: Option) -> list[str]:
    """The words of the command that stand for a required option."""
    placeholder = f"{PLACEHOLDER}_{_NO_WORD.sub('_', option.name)}"
    if option.form is Form.POSITIONAL:
        return [placeholder]
    return [f"-{option.name}" if option.form is Form.SHORT else f"--{option.name}", placeholder]


def _nothing(program: str, left_out: Sequence[Proposal]) -> str:
    if not left_out:
        return (
            f"{program} has no option that could be searched: no add_argument, click or typer option and no "
            "init(config={…}) was found. Add one, such as parser.add_argument('--lr', type=float, default=0.01)"
        )
    reasons = "; ".join(f"{proposal.option.name}: {proposal.left_out}" for proposal in left_out[:10])
    return f"{program} has options, but none that is worth searching ({reasons})"


def _comment(text: str) -> str:
    """One line, without control characters, of bearable length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
