"""What log() does: steps, layouts of rows and the last values; the journal takes the rest."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tracking.context import TrialStopped
from tracking.journal.records import RecordType
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalWriter, Layout
from tracking.live.mediated import looks_like_media, with_media
from tracking.live.values import Unloggable, flattened, kind_letter, plain
from tracking.notices import warn_once

if TYPE_CHECKING:
    from tracking.live.metrics import MetricDefinition
    from tracking.live.rules import Rules

Writer = JournalWriter | SilentWriter
_RESERVED = frozenset(("_step", "_runtime", "_timestamp"))
_ODD_NAME = re.compile(r"[^\w./]")
_LAST_STEP = 2**53
"""Beyond, neither charts nor databases keep whole numbers apart."""
_MAX_CACHE = 4096
MAX_KEY = 512
"""Characters of a name: databases index it."""


class Recorder:
    """The history of one run as its process writes it. Threads may log at the same time."""

    def __init__(self, writer: Writer, step: int = 0, stop_reason: Callable[[], str] | None = None) -> None:
        self.step = step
        """The step that the next row without a step of its own gets."""
        self.last_step: int | None = None
        """The step of the last row that was written."""
        self.lock = threading.RLock()  # re-entrant: a signal handler may log while the main thread logs
        self.last: dict[str, Any] = {}
        """What the history says of the summary."""
        self.restored: dict[str, Any] = {}
        """The summary that the run had before this process."""
        self._writer = writer
        self._mute = isinstance(writer, SilentWriter)
        self._stop_reason = stop_reason
        self._fast: dict[tuple[object, ...], Layout] = {}
        self._layouts: dict[tuple[tuple[str, ...], str], Layout] = {}
        self._rules: Rules | None = None
        self.convert: Callable[[Any, str, int], Any] | None = None
        """Makes the record of an image, a table, a figure (value, key, step); None: such values are left out."""
        self.tentative = False
        """Whether `step` is only where a checkpoint would let a repeated trial go on. If the script has not said
        (`confirm`) that it loaded one when it logs its first row, it has begun anew, and so does the history."""

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Append one row. Raises nothing for odd data (it warns), TrialStopped in a function trial that is to end."""
        if self._stop_reason is not None and (reason := self._stop_reason()):
            raise TrialStopped(reason)
        try:
            # The names and the types together say whether, and how, the row can be packed as it is.
            layout = self._fast.get((*data, *map(type, data.values())))
        except (TypeError, AttributeError):
            warn_once("log:data", f"log() takes a mapping of names to values, not {type(data).__name__}; it is ignored")
            return
        if layout is None and self.convert is not None:
            data = with_media(data, self.convert, self.step if step is None else step)  # slow: not under the lock
        with self.lock:
            if self.tentative:
                self._rewind(step)
            if step is not None and not self._move_to(step):
                return
            if layout is not None and self._writer.row(layout, self.step, time.time(), data.values()):
                self.last.update(data)
                self.last_step = self.step
            elif data:
                self._log_any(data)
                self.last_step = self.step
            if commit or (commit is None and step is None):
                self.step += 1

    def define(self, definition: MetricDefinition, overwrite: bool = False) -> None:
        """Declare a metric."""
        from tracking.live.rules import Rules  # most runs declare nothing

        with self.lock:
            self._rules = self._rules or Rules(self.last, self.restored)
            holds = self._rules.define(definition, overwrite)
            self._writer.record(RecordType.METRIC, holds.to_json() | ({"overwrite": True} if overwrite else {}))
            self._fast.clear()  # rows that now need more than packing must take the long way again

    def precede(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the aggregates go on from what earlier attempts gathered: `Aggregate.state` by key."""
        with self.lock:
            if self._rules is not None:
                self._rules.precede(states)

    def record(self, kind: RecordType, body: Any) -> None:
        """Append a record that is no row."""
        with self.lock:
            self._writer.record(kind, body)

    def confirm(self, step: int | None) -> None:
        """Go on after the checkpoint of this step, by default the one at which the attempt was said to start."""
        with self.lock:
            if not self.tentative:
                return
            self.tentative = False
            if step is not None and step + 1 != self.step:
                self.step = max(0, int(step) + 1)
                self._writer.record(RecordType.REWIND, {"step": self.step})

    def converted_value(self, value: Any, key: str) -> Any:
        """A value of the summary: media become the record that stands for them. Raises Unloggable."""
        return self.convert(value, key, self.step) if self.convert and looks_like_media(value) else value

    def close(self, patience: float) -> bool:
        """Close the journal; False when a part of it could not be written."""
        with self.lock:
            self._fast.clear()
            return self._writer.close(patience)

    def fall_silent(self, reason: str) -> None:
        """Let go of the journal without touching it: this process is a fork of the one that writes it."""
        self._writer.abandon()
        self._writer = SilentWriter(reason)
        self.convert, self.tentative, self._mute = None, False, True
        self._fast.clear()
        self.lock = threading.RLock()  # another thread of the parent may have held the old one

    def _rewind(self, step: Any) -> None:
        """Begin anew at the first row; a script that names its step knows where it is."""
        self.tentative = False
        try:
            self.step = 0 if step is None else max(0, int(step))
        except (TypeError, ValueError, OverflowError):
            self.step = 0
        if self.step == 0:
            self.restored.clear()
        self._writer.record(RecordType.REWIND, {"step": self.step})

    def _move_to(self, step: int) -> bool:
        try:
            wanted = int(step)
            is_whole = not isinstance(step, str) and wanted == step
        except (TypeError, ValueError, OverflowError):
            is_whole = False
        if not is_whole:
            warn_once("log:step", f"log(step={step!r}): a step is a whole number; the row is dropped")
            return False
        if wanted < self.step:
            warn_once(
                "log:back",
                f"log(step={wanted}) after step {self.step} was reached: steps only grow, so the row is dropped. "
                "For another x axis log it as a value and say define_metric(name, step_metric=…).",
            )
            return False
        if wanted > _LAST_STEP:
            warn_once("log:far", f"log(step={wanted}): steps end at {_LAST_STEP}; the row is dropped")
            return False
        self.step = wanted
        return True

    def _log_any(self, data: Mapping[str, Any]) -> None:
        """The long way: values of any kind, new sets of keys, metrics with rules."""
        row = self._cleaned(data)
        if not row:
            return
        ruled = self._apply_rules(row)
        kinds = "".join(map(kind_letter, row.values()))
        if len(kinds) < len(row):
            self._writer.json_row(self.step, time.time(), row)
            return
        layout = self._layout(tuple(row), kinds)
        if layout is None:
            self._writer.json_row(self.step, time.time(), row)
            return
        self._writer.row(layout, self.step, time.time(), row.values())
        if not ruled and len(self._fast) < _MAX_CACHE and _as_it_is(data, row):
            self._fast[(*data, *map(type, data.values()))] = layout

    def _layout(self, keys: tuple[str, ...], kinds: str) -> Layout | None:
        known = self._layouts.get((keys, kinds))
        if known is None:
            known = self._writer.declare(keys, kinds)
            if known is not None:
                self._layouts[keys, kinds] = known
        return known

    def _cleaned(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The row flat and plain; what cannot be recorded is left out with a warning."""
        row: dict[str, Any] = {}
        for key, value in flattened(data):
            if key in _RESERVED:
                warn_once(f"log:reserved:{key}", f"log(): {key} is kept by the run itself; the value is ignored")
                continue
            if len(key) > MAX_KEY:
                warn_once("log:key", f"log(): a name of {len(key)} characters is not recorded (at most {MAX_KEY})")
                continue
            if self._mute and looks_like_media(value):
                continue  # a disabled run does not even look at it
            try:
                row[key] = value if type(value) is float else plain(value)
            except Unloggable as error:
                warn_once(f"log:{key}", f"log(): {key} is not recorded: {error}")
                continue
            if key not in self.last and _ODD_NAME.search(key):
                warn_once(f"name:{key}", f"log(): {key!r} works; names of letters, digits, _ and / are easier to query")
        return row

    def _apply_rules(self, row: dict[str, Any]) -> bool:
        """Do what define_metric() asks for the keys of a row; whether there is anything to do."""
        if self._rules is not None:
            return self._rules.apply(row)
        self.last.update(row)
        return False


def _as_it_is(data: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether rows of the same names and types can be packed directly: their values are numbers already.

    Subclasses of float (numpy's float64) are; what only can become a number is not, for it may hold a whole GPU graph.
    """
    return len(data) == len(row) and all(_is_number_as(data.get(key), value) for key, value in row.items())


def _is_number_as(given: Any, value: Any) -> bool:
    return type(given) is type(value) or (type(value) is float and isinstance(given, float))
