"""The failure limits: when an agent gives up because its trials fail."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import SlotsInvalid

EARLY_SECONDS = 60.0
EARLY_FAILURES = 3
MAX_INITIAL_FAILURES = 5
VARIABLE = "SWEEP_AGENT_MAX_INITIAL_FAILURES"


@dataclass(slots=True)
class FailureLimits:
    """Counts ends of attempts and says when it is enough.

    `initial`: failures before any success (0: no such limit).
    `early`: failures within the first minute (0: no such limit). It does not bind when more trials succeeded than
    failed: such a sweep is not broken.
    `consecutive`: failures in a row at any time (0: no such limit).
    """

    initial: int = MAX_INITIAL_FAILURES
    early: int = EARLY_FAILURES
    consecutive: int = 0
    failed: int = 0
    succeeded: int = 0
    in_a_row: int = 0

    @classmethod
    def from_environment(
        cls, consecutive: int = 0, environ: Mapping[str, str] | None = None, *, functions: bool = False
    ) -> FailureLimits:
        """Read SWEEP_AGENT_MAX_INITIAL_FAILURES or its WANDB_ twin, which raises both limits at the start; 0: neither.

        `functions` have no limit of the first minute: people see their exceptions, and raise some on purpose.
        Raises SlotsInvalid for no number.
        """
        env = os.environ if environ is None else environ
        text = env.get(VARIABLE) or env.get(VARIABLE.replace("SWEEP", "WANDB", 1)) or ""
        if text and not text.strip().isdecimal():
            raise SlotsInvalid(f"{VARIABLE}={text!r} is not a number; 0 switches the limit off")
        initial = int(text) if text else MAX_INITIAL_FAILURES
        early = max(EARLY_FAILURES, initial) if text and initial else EARLY_FAILURES
        return cls(initial=initial, early=0 if functions or not initial else early, consecutive=consecutive)

    def succeed(self) -> None:
        self.succeeded += 1
        self.in_a_row = 0

    def fail(self, age: float) -> str:
        """Count a failure at `age` seconds of the agent; says which limit is reached, "" while none is."""
        self.failed += 1
        self.in_a_row += 1
        if self.consecutive and self.in_a_row >= self.consecutive:
            return f"{self.in_a_row} trials in a row failed"
        if self.initial and not self.succeeded and self.failed >= self.initial:
            return f"{self.failed} trials failed and none has succeeded"
        if self.early and age < EARLY_SECONDS and self.failed >= self.early and self.failed >= self.succeeded:
            return f"{self.failed} trials failed within the first {EARLY_SECONDS:g} s"
        return ""
