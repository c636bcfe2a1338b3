"""The notation `"<run id>?_step=<n>"` by which resume_from and fork_from name a moment of a run."""

from __future__ import annotations

from tracking.errors import UsageError
from tracking.ids import check_id


class Moment:
    """A run as it was right after the rows of one step."""

    __slots__ = ("run_id", "step")

    def __init__(self, run_id: str, step: int) -> None:
        self.run_id, self.step = run_id, step

    @classmethod
    def parse(cls, text: object, what: str) -> Moment:
        """Raises UsageError, which names `what` (the argument) and the notation."""
        run_id, mark, condition = str(text).partition("?")
        name, _, number = condition.partition("=")
        if not mark or name.strip() != "_step" or not number.strip().isdecimal():
            raise UsageError(f'{what} is {text!r}; write it as "<run id>?_step=<n>", n being the last step to keep')
        return cls(check_id(run_id.strip()), int(number))
