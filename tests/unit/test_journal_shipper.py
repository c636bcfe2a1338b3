"""The shipper's bookkeeping and its loop, with a store and a clock made for the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tracking.errors import StoreUnavailable
from tracking.home import console_path, journal_path
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping import loop
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.loop import Outcome, Shipping, write_log
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStore

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 1.0}}


def write(folder: Path, rows: int, finish: bool = True) -> None:
    writer = JournalWriter.create(journal_path(folder, 1), RUN)
    layout = writer.declare(("loss",), "d")
    assert layout is not None
    for step in range(rows):
        writer.row(layout, step, 10.0 + step, (float(step),))
    if finish:
        writer.record(RecordType.FINISH, {"state": "finished", "exit_code": 0, "at": 99.0})
    writer.close()


class Ledger:
    """The part of a store that the loop calls, with offsets like the real one and outages on demand."""

    def __init__(self) -> None:
        self.batches: list[RunBatch] = []
        self.offset = 0
        self.outages = 0
        self.stale = False
        self.lose_answers = 0

    def apply(self, batches: list[RunBatch]) -> list[int]:
        if self.outages:
            self.outages -= 1
            raise StoreUnavailable("down for the test")
        (batch,) = batches
        if self.stale:
            return [-1]
        if batch.from_offset == self.offset:
            self.batches.append(batch)
            self.offset = batch.to_offset
        if self.lose_answers:
            self.lose_answers -= 1
            raise StoreUnavailable("the connection broke after the commit")
        return [self.offset]

    @property
    def losses(self) -> list[float]:
        return [value for batch in self.batches for value in _values(batch)]

    @property
    def ends(self) -> list[RunEnd]:
        return [batch.end for batch in self.batches if batch.end is not None]


def _values(batch: RunBatch) -> list[Any]:
    return batch.history["loss"].values if "loss" in batch.history else []


class Clock:
    """A writer that ended, and time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.has_ended = True

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def shipping(folder: Path, ledger: Ledger, clock: Clock) -> Shipping:
    return Shipping(JournalShipper(folder, "r", 1), cast(RunStore, ledger), clock, clock=clock)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loop.time, "sleep", clock.wait)
    return clock


def test_a_finished_journal_is_shipped_with_its_end(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 100)
    ledger = Ledger()
    assert shipping(tmp_path, ledger, clock).run() is Outcome.SHIPPED
    assert ledger.losses == [float(step) for step in range(100)]
    assert [end.state for end in ledger.ends] == [RunState.FINISHED]


def test_a_journal_without_an_end_whose_writer_is_gone_is_a_crash_at_its_last_row(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 3, finish=False)
    ledger = Ledger()
    assert shipping(tmp_path, ledger, clock).run() is Outcome.SHIPPED
    assert [(end.state, end.at) for end in ledger.ends] == [(RunState.CRASHED, 12.0)]


def test_an_outage_is_waited_out_and_nothing_is_lost(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 10)
    ledger = Ledger()
    ledger.outages = 5
    assert shipping(tmp_path, ledger, clock).run() is Outcome.SHIPPED
    assert len(ledger.losses) == 10
    assert clock.now > 5


def test_a_commit_whose_answer_was_lost_is_not_applied_twice(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 10)
    console_path(tmp_path, 1).write_bytes(b"hello\n")
    ledger = Ledger()
    ledger.lose_answers = 1
    assert shipping(tmp_path, ledger, clock).run() is Outcome.SHIPPED
    assert len(ledger.losses) == 10
    assert b"".join(batch.console for batch in ledger.batches) == b"hello\n"


def test_a_store_that_stays_away_after_the_end_is_given_up_and_the_journal_stays(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 10)
    ledger = Ledger()
    ledger.outages = 10**9
    assert shipping(tmp_path, ledger, clock).run() is Outcome.GAVE_UP
    assert loop.PATIENCE_S < clock.now < 2 * loop.PATIENCE_S
    ledger.outages = 0
    assert shipping(tmp_path, ledger, Clock()).run() is Outcome.SHIPPED
    assert len(ledger.losses) == 10


def test_a_stale_attempt_ships_nothing_more(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 10)
    ledger = Ledger()
    ledger.stale = True
    assert shipping(tmp_path, ledger, clock).run() is Outcome.STALE


def test_a_missing_journal_is_told(tmp_path: Path, clock: Clock) -> None:
    assert shipping(tmp_path, Ledger(), clock).run() is Outcome.UNREADABLE


def test_a_store_that_has_a_part_already_gets_the_rest(tmp_path: Path, clock: Clock) -> None:
    write(tmp_path, 10)
    first = Ledger()
    shipper = JournalShipper(tmp_path, "r", 1)
    batch = shipper.collect(max_bytes=journal_path(tmp_path, 1).stat().st_size // 2)
    assert batch is not None
    first.apply([batch])
    assert shipping(tmp_path, first, clock).run() is Outcome.SHIPPED
    assert first.losses == [float(step) for step in range(10)]


def test_an_end_that_the_agent_knows_comes_after_everything_else(tmp_path: Path) -> None:
    write(tmp_path, 10)
    ledger, shipper = Ledger(), JournalShipper(tmp_path, "r", 1)
    shipper.end(RunEnd(RunState.KILLED, "pruned"))
    while (batch := shipper.collect()) is not None:
        shipper.accept(ledger.apply([batch])[0])
    assert [(end.state, end.reason) for end in ledger.ends] == [(RunState.KILLED, "pruned")]
    assert ledger.batches[-1].end is not None
    assert shipper.ended == RunEnd(RunState.KILLED, "pruned")


def test_a_log_that_cannot_be_written_does_not_end_the_shipper(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        write_log("the store is away")
