"""What a run store promises of runs: how batches of journals are merged, once and in order."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.contract.store_examples import finished, floats, further, started
from tracking.errors import RunNotFound
from tracking.states import RunState
from tracking.store import console
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore, SeriesPart

RUN = "run00001"


def test_a_run_is_read_back_as_its_journal_started_it(run_store: RunStore) -> None:
    start = RunStart(
        RUN, "digits", "lab", "first", "notes", "group", "train", ("a", "b"), {"lr": 0.1, "n": {"x": [1]}},
        {"git": "abc"}, "abcd1234", 3, 1234.5, 0, "host", 42,
    )  # fmt: skip
    assert run_store.apply([started(start=start)]) == [100]
    run = run_store.run(RUN)
    assert (run.id, run.project, run.entity, run.name, run.notes) == (RUN, "digits", "lab", "first", "notes")
    assert (run.group, run.job_type, run.tags, run.config) == ("group", "train", ("a", "b"), start.config)
    assert (run.metadata, run.sweep_id, run.trial, run.host, run.pid) == ({"git": "abc"}, "abcd1234", 3, "host", 42)
    assert (run.state, run.reason, run.exit_code, run.finished_at) == (RunState.RUNNING, "", None, None)
    assert (run.attempt, run.journal_offset, run.started_at, run.last_step) == (1, 100, 1234.5, None)
    assert run.created_at == 1234.5  # when it began, not when it came


def test_an_unknown_run_is_not_found(run_store: RunStore) -> None:
    for call in (run_store.run, run_store.console):
        with pytest.raises(RunNotFound, match="run00001"):
            call(RUN)
    assert run_store.keys(RUN) == []
    assert run_store.series(RUN, "loss").steps == []
    assert run_store.sample(RUN, "loss").steps == []
    run_store.delete_runs([RUN])


def test_a_run_whose_journal_never_said_how_it_started_is_made_from_its_id(run_store: RunStore) -> None:
    run_store.apply([RunBatch("abcd1234-17", 1, 0, 0, end=RunEnd(RunState.CRASHED, "it never started"))])
    run = run_store.run("abcd1234-17")
    assert (run.sweep_id, run.trial, run.state, run.reason) == ("abcd1234", 17, RunState.CRASHED, "it never started")
    assert run.finished_at is not None


def test_config_summary_and_metrics_are_merged_by_their_keys(run_store: RunStore) -> None:
    run_store.apply([started(summary={"loss": 1.0, "acc": None}, metrics={"loss": {"goal": "minimize"}})])
    run_store.apply([further(config={"lr": None, "new": [1]}, summary={"loss": math.nan}, metrics={"acc": {}})])
    run = run_store.run(RUN)
    assert run.config == {"lr": None, "new": [1]}
    assert math.isnan(run.summary["loss"])
    assert run.summary["acc"] is None
    assert run.metrics == {"loss": {"goal": "minimize"}, "acc": {}}


def test_shipping_twice_changes_nothing(run_store: RunStore) -> None:
    batch = started(history={"loss": floats([0, 1])}, console=b"hello\n", last_step=1)
    assert run_store.apply([batch]) == [100]
    before = run_store.run(RUN)
    assert run_store.apply([batch]) == [100]
    assert run_store.apply([further(since=50, to=150, summary={"x": 1})]) == [100]
    assert run_store.apply([further(since=150, to=250, summary={"x": 1})]) == [100]
    assert run_store.run(RUN) == before
    assert list(run_store.series(RUN, "loss").steps) == [0, 1]
    assert run_store.console(RUN) == b"hello\n"


def test_several_batches_of_one_run_go_in_one_call(run_store: RunStore) -> None:
    batches = [
        started(history={"loss": floats([0, 1])}),
        further(history={"loss": floats([2]), "acc": floats([2])}, summary={"a": 1}),
        further(since=100, to=999, summary={"a": 2}),
        further(since=200, to=300, summary={"b": 2}, end=finished()),
    ]
    assert run_store.apply(batches) == [100, 200, 200, 300]
    run = run_store.run(RUN)
    assert (run.state, run.summary, run.journal_offset) == (RunState.FINISHED, {"a": 1, "b": 2}, 300)
    assert list(run_store.series(RUN, "loss").steps) == [0, 1, 2]


def test_batches_of_many_runs_go_in_one_call(run_store: RunStore) -> None:
    names = [f"abcd1234-{n}" for n in range(700)]
    batches = [started(name, history={"loss": floats([0])}, end=finished()) for name in names]
    assert run_store.apply(batches) == [100] * 700
    assert run_store.apply(list(reversed(batches))) == [100] * 700
    assert [run.id for run in run_store.runs(sweep_id="")] != []
    assert len(run_store.heads(names, "loss", 5)) == 700
    run_store.delete_runs(names)
    assert run_store.runs() == []


def test_a_batch_that_does_not_begin_at_the_start_makes_no_run(run_store: RunStore) -> None:
    assert run_store.apply([further()]) == [0]
    assert run_store.runs() == []
    assert run_store.apply([]) == []


def test_the_first_end_of_an_attempt_counts(run_store: RunStore) -> None:
    run_store.apply([started(end=RunEnd(RunState.FAILED, "exit status 3", 3, 2000.0))])
    run_store.apply([further(end=finished(3000.0), summary={"late": 1})])
    run = run_store.run(RUN)
    assert (run.state, run.reason, run.exit_code, run.finished_at) == (RunState.FAILED, "exit status 3", 3, 2000.0)
    assert run.summary == {"late": 1}


# -- attempts -----------------------------------------------------------------------------------


def test_a_newer_attempt_starts_the_run_anew(run_store: RunStore) -> None:
    first = started(
        history={"loss": floats([0, 1, 2]), "old": floats([0])},
        summary={"loss": 1.0},
        console=b"old",
        last_step=2,
        end=RunEnd(RunState.KILLED, "signal 9", None, 5.0),
    )
    run_store.apply([first])
    second = started(attempt=2, to=50, history={"loss": floats([0])}, start=RunStart(RUN, "digits", config={"lr": 9}))
    assert run_store.apply([second]) == [50]
    run = run_store.run(RUN)
    assert (run.state, run.reason, run.exit_code, run.finished_at) == (RunState.RUNNING, "", None, None)
    assert (run.attempt, run.journal_offset, run.config, run.summary) == (2, 50, {"lr": 9}, {})
    assert (run.console_size, run.last_step) == (0, None)
    assert list(run_store.series(RUN, "loss").steps) == [0]
    assert [info.key for info in run_store.keys(RUN)] == ["loss"]
    assert run_store.console(RUN) == b""


def test_an_older_attempt_is_refused_as_stale(run_store: RunStore) -> None:
    run_store.apply([started(attempt=2, history={"loss": floats([0])})])
    before = run_store.run(RUN)
    late = [started(attempt=1, summary={"x": 1}), further(attempt=1, end=finished(), history={"loss": floats([5])})]
    assert run_store.apply(late) == [-1, -1]
    assert run_store.run(RUN) == before
    assert list(run_store.series(RUN, "loss").steps) == [0]


def test_a_newer_attempt_must_begin_at_the_start_of_its_journal(run_store: RunStore) -> None:
    run_store.apply([started()])
    before = run_store.run(RUN)
    assert run_store.apply([further(attempt=2, since=100)]) == [0]
    assert run_store.run(RUN) == before


def test_two_attempts_in_one_call_leave_the_second(run_store: RunStore) -> None:
    batches = [
        started(history={"loss": floats([0, 1])}, console=b"one", summary={"a": 1}),
        started(attempt=2, to=10, history={"loss": floats([0])}, console=b"two"),
    ]
    assert run_store.apply(batches) == [100, 10]
    run = run_store.run(RUN)
    assert (run.attempt, run.summary, run.console_size) == (2, {}, 3)
    assert list(run_store.series(RUN, "loss").steps) == [0]
    assert run_store.console(RUN) == b"two"


@pytest.mark.parametrize("known", [True, False], ids=["same-instance", "other-instance"])
@pytest.mark.parametrize("length", [10, 4096, 9000])
def test_a_resumed_run_keeps_the_history_before_its_step(
    run_store: RunStore, url: str, known: bool, length: int
) -> None:
    import tracking.store

    steps = list(range(length))
    history = {"loss": floats(steps), "n": SeriesPart("int", steps, steps), "late": floats([length - 1])}
    run_store.apply([started(history=history, summary={"best": 1}, last_step=length - 1)])
    other = run_store if known else tracking.store.open_store(url)
    at = length - 4
    start = RunStart(RUN, "digits", starting_step=at)
    other.apply([started(attempt=2, start=start, history={"loss": floats([at, at + 1], [7.0, 8.0])}, last_step=at + 1)])
    assert list(other.series(RUN, "loss").steps) == list(range(at + 2))
    assert list(other.series(RUN, "loss").values)[-3:] == [(at - 1) / 2, 7.0, 8.0]
    assert list(other.series(RUN, "n").values) == list(range(at))
    infos = {info.key: info for info in other.keys(RUN)}
    assert infos.keys() == {"loss", "n"}
    assert (infos["n"].count, infos["n"].last_step, infos["n"].last_value) == (at, at - 1, at - 1)
    assert (other.run(RUN).summary, other.run(RUN).last_step) == ({"best": 1}, at + 1)
    if not known:
        other.close()


# -- console ------------------------------------------------------------------------------------


def test_console_bytes_are_read_from_any_place(run_store: RunStore) -> None:
    pieces = [b"first\n", b"second\n", bytes(range(256)) * 9]
    offset = 0
    for number, piece in enumerate(pieces):
        fields: dict[str, Any] = {"since": number, "to": number + 1} if number else {"to": 1}
        make = further if number else started
        run_store.apply([make(**fields, console=piece, console_offset=offset)])
        offset += len(piece)
    whole = b"".join(pieces)
    assert run_store.run(RUN).console_size == len(whole)
    assert run_store.console(RUN) == whole
    for start, limit in ((0, 3), (4, 5), (6, 7), (12, 500), (len(whole) - 1, 10), (len(whole), 10), (5, 0)):
        assert run_store.console(RUN, start, limit) == whole[start : start + limit]


def test_console_bytes_that_were_shipped_are_skipped(run_store: RunStore) -> None:
    run_store.apply([started(console=b"one two ")])
    run_store.apply([further(since=100, to=100, console=b"two three", console_offset=4)])
    run_store.apply([further(since=100, to=100, console=b"two three", console_offset=4)])
    assert run_store.console(RUN) == b"one two three"


def test_console_output_is_bounded(run_store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "CONSOLE_LIMIT", 1000)
    run_store.apply([started(console=b"x" * 600)])
    for number in range(3):
        run_store.apply([further(since=100, to=100, console=b"y" * 600, console_offset=600 * (number + 1))])
    kept = run_store.console(RUN)
    assert len(kept) == run_store.run(RUN).console_size == 1000
    assert b"output.log ends here" in kept


# -- listing and deleting -----------------------------------------------------------------------


def test_runs_are_listed_oldest_first_by_sweep_and_project(run_store: RunStore) -> None:
    for number in (0, 1, 2, 10):
        start = RunStart(f"abcd1234-{number}", "digits", sweep_id="abcd1234", trial=number)
        run_store.apply([started(start.id, start=start)])
    run_store.apply([started("other001", start=RunStart("other001", "faces"))])
    assert [run.trial for run in run_store.runs(sweep_id="abcd1234")] == [0, 1, 2, 10]
    assert [run.id for run in run_store.runs(project="faces")] == ["other001"]
    assert len(run_store.runs()) == 5
    assert run_store.runs(sweep_id="abcd1234", project="faces") == []


def test_a_deleted_run_leaves_nothing_and_can_be_made_again(run_store: RunStore) -> None:
    run_store.apply([started(history={"loss": floats([0, 1])}, console=b"x")])
    run_store.delete_runs([RUN, "unknown1"])
    assert run_store.keys(RUN) == []
    assert run_store.apply([further(history={"loss": floats([2])})]) == [0]
    run_store.apply([started(history={"loss": floats([5])})])
    assert list(run_store.series(RUN, "loss").steps) == [5]
    assert run_store.console(RUN) == b""


def test_odd_text_is_stored(run_store: RunStore) -> None:
    start = RunStart(RUN, "digits", name="nul \x00", notes="\ud800", config={"key\x00": "\x00\ud800", "big": 2**80})
    odd = {"a\x00b": floats([0, 1]), "ä/loss": floats([0])}
    run_store.apply([started(start=start, history=odd)])
    run_store.apply([further(history={"a\x00b": floats([2])})])
    assert run_store.run(RUN).config == {"key\x00": "\x00\ud800", "big": 2**80}
    assert list(run_store.series(RUN, "a\x00b").steps) == [0, 1, 2]
    assert len(run_store.keys(RUN)) == 2
