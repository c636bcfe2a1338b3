"""The names of the macros of `command`, and the warning for a name that is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sweeps.spec.report import Report, join, nearest
from sweeps.spec.source.node import Node

PATTERN = re.compile(r"\$\{(?:(?P<name>[a-z_]+)|envvar:(?P<variable>[^{}]*))\}")
_ANY = re.compile(r"\$\{([^{}]*)\}")

WORDS = ("env", "interpreter", "program", "args_json", "args_json_file")
"""Macros that stand for one word."""
LISTS = (
    "args",
    "args_no_equals",
    "args_no_hyphens",
    "args_append_hydra",
    "args_override_hydra",
    "args_no_boolean_flags",
)
"""Macros that stand for one or more words per parameter."""
DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")


def warn_of_unknown(node: Node, command: Sequence[str], report: Report) -> None:
    """A `${…}` that is no macro stays as it is, which a shell may want; most often it is a slip."""
    for position, element in enumerate(command):
        for name in _ANY.findall(element):
            if name in WORDS or name in LISTS or name.startswith("envvar:"):
                continue
            item = node.value[position]
            hint = nearest(name, (*WORDS, *LISTS))
            if hint.startswith("allowed"):
                hint = f"for an environment variable write ${{envvar:{name}}}"
            report.warn(item.place, join("command", position), f"${{{name}}} is no macro and stays as it is", hint)
