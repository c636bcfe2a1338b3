"""What a run store promises of runs with parts: they are shipped apart and read as one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.store_examples import finished, floats, further, started
from tracking.home import part_id
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore, SeriesPart

RUN = "run00001"
W1, W2, SYSTEM = part_id(RUN, "w1"), part_id(RUN, "w2"), part_id(RUN, "system")
DIGEST = "ab" * 32


def part(part_run: str, attempt: int = 1, to: int = 100, **fields: Any) -> RunBatch:
    """The first batch of a part."""
    start = RunStart(part_run, "digits", part_of=RUN, starting_step=fields.pop("starting_step", 0))
    return RunBatch(part_run, attempt, 0, to, start=start, **fields)


def test_runs_are_listed_without_their_parts(run_store: RunStore) -> None:
    run_store.apply([started(), part(W1, summary={"rank": 1}, last_step=7), part(SYSTEM, metadata={"gpu": "H200"})])
    (run,) = run_store.runs()
    assert (run.id, run.summary, run.last_step) == (RUN, {"rank": 1}, 7)
    assert [run.id for run in run_store.runs(project="digits")] == [RUN]
    assert [found.id for found in run_store.parts(RUN)] == [W1, SYSTEM]
    assert [found.part_of for found in run_store.parts(RUN)] == [RUN, RUN]
    assert run_store.parts("other001") == []


def test_summary_and_metadata_of_parts_are_merged_and_the_run_itself_wins(run_store: RunStore) -> None:
    run_store.apply([
        part(W2, summary={"a": "w2", "b": "w2", "c": "w2"}, metadata={"m": "w2"}),
        part(W1, summary={"a": "w1", "b": "w1"}, metadata={"m": "w1", "n": "w1"}),
        part(SYSTEM, metadata={"gpu": "x", "m": "system"}),
        started(summary={"a": "main"}, metadata={"python": "3.11"}),
    ])  # fmt: skip
    run = run_store.run(RUN)
    assert run.summary == {"a": "main", "b": "w1", "c": "w2"}
    assert run.metadata == {"python": "3.11", "n": "w1", "m": "w1", "gpu": "x"}
    assert run_store.run(W2).summary == {"a": "w2", "b": "w2", "c": "w2"}


def test_a_key_of_several_writers_is_merged_by_step(run_store: RunStore) -> None:
    run_store.apply([
        started(history={"loss": floats([0, 2, 4], [0.0, 2.0, 4.0])}),
        part(W1, history={"loss": floats([1, 2], [10.0, 20.0]), "mine": SeriesPart("int", [5], [5])}),
        part(W2, history={"loss": SeriesPart("int", [2, 9], [200, 900])}),
    ])  # fmt: skip
    points = run_store.series(RUN, "loss")
    assert (list(points.steps), list(points.values)) == ([0, 1, 2, 4, 9], [0.0, 10.0, 2.0, 4.0, 900.0])
    assert all(type(value) is float for value in points.values)
    assert list(run_store.series(RUN, "loss", 1, 4).steps) == [1, 2]
    sample = run_store.sample(RUN, "loss")
    assert list(sample.steps) == [0, 1, 2, 4, 9]
    assert run_store.heads([RUN, "other001"], "loss", 3) == {RUN: [0.0, 10.0, 2.0]}
    assert run_store.heads([RUN], "mine", 3) == {RUN: [5.0]}
    assert run_store.samples([RUN], "loss")[RUN] == sample
    infos = {info.key: info for info in run_store.keys(RUN)}
    assert list(infos) == ["loss", "mine"]
    assert (infos["loss"].kind, infos["loss"].last_step, infos["loss"].last_value) == ("float", 9, 900)
    assert list(run_store.series(W1, "loss").values) == [10.0, 20.0]


def test_the_samples_of_the_machine_keep_their_own_clock(run_store: RunStore) -> None:
    run_store.apply([
        started(history={"_timestamp": floats([0, 1], [10.0, 11.0]), "loss": floats([0, 1])}, last_step=1),
        part(SYSTEM, history={"_timestamp": floats([0, 1, 2]), "system/cpu": floats([0, 1, 2])}, last_step=2),
    ])  # fmt: skip
    assert list(run_store.series(RUN, "_timestamp").values) == [10.0, 11.0]
    assert list(run_store.series(RUN, "system/cpu").steps) == [0, 1, 2]
    assert list(run_store.series(SYSTEM, "_timestamp").steps) == [0, 1, 2]
    assert [info.key for info in run_store.keys(RUN)] == ["_timestamp", "loss", "system/cpu"]
    assert run_store.run(RUN).last_step == 1


def test_long_series_of_several_writers_are_sampled_with_their_extremes(run_store: RunStore) -> None:
    steps = list(range(120_000))
    low, high = [1.0] * len(steps), [2.0] * len(steps)
    low[60_001], high[77] = -5.0, 9.0
    run_store.apply([
        started(history={"loss": floats(steps[::2], low[::2])}),
        part(W1, history={"loss": floats(steps[1::2], low[1::2])}),
        part(W2, history={"loss": floats(steps, high)}),
    ])  # fmt: skip
    sample = run_store.sample(RUN, "loss", 200)
    assert len(sample.steps) <= 200
    assert list(sample.steps) == sorted(set(sample.steps))
    assert min(sample.values) == -5.0


def test_files_and_alerts_of_a_part_belong_to_the_run(run_store: RunStore) -> None:
    file = {"name": "media/x.png", "sha256": DIGEST, "size": 3, "mime": "image/png", "step": 0, "at": 5.0}
    alert = {"title": "t", "text": "x", "level": "WARN", "wait": 0, "at": 1.0, "position": 10}
    run_store.apply([part(W1, files=[file], alerts=[alert]), started(alerts=[{**alert, "title": "main"}])])
    assert [(found.run_id, found.name) for found in run_store.files(RUN)] == [(RUN, "media/x.png")]
    assert [(found.run_id, found.part, found.title) for found in run_store.alerts(RUN)] == [
        (RUN, "", "main"),
        (RUN, "w1", "t"),
    ]
    assert run_store.files(W1) == []


def test_a_writer_of_an_older_attempt_is_stale_and_what_it_wrote_is_cut(run_store: RunStore) -> None:
    run_store.apply([
        started(history={"loss": floats([0, 1, 2, 3])}, last_step=3),
        part(W1, history={"rank1": floats([0, 1, 2, 3])}, last_step=3, summary={"rank1": 1.5}),
        part(SYSTEM, history={"system/cpu": floats([0, 1, 2, 3])}),
    ])  # fmt: skip
    run_store.apply([started(attempt=2, start=RunStart(RUN, "digits", starting_step=2))])
    assert list(run_store.series(RUN, "rank1").steps) == [0, 1]
    assert run_store.run(RUN).last_step == 1
    assert run_store.apply([further(W1, since=100, history={"rank1": floats([4])})]) == [-1]
    assert run_store.apply([further(SYSTEM, since=100, history={"system/cpu": floats([4])})]) == [200]
    assert len(run_store.series(RUN, "system/cpu").steps) == 5
    again = part(W1, attempt=2, starting_step=2, history={"rank1": floats([2], [7.0])}, end=finished())
    assert run_store.apply([again, again]) == [100, 100]
    assert list(run_store.series(RUN, "rank1").values) == [0.0, 0.5, 7.0]
    run_store.apply([started(attempt=3)])
    assert run_store.keys(RUN)[0].key == "system/cpu"


def test_a_part_has_a_state_of_its_own(run_store: RunStore) -> None:
    run_store.apply([started(), part(W1, end=RunEnd(RunState.CRASHED, "killed"))])
    assert run_store.run(RUN).state is RunState.RUNNING
    assert run_store.run(W1).state is RunState.CRASHED


def test_a_part_whose_first_record_is_lost_still_belongs_to_its_run(run_store: RunStore) -> None:
    run_store.apply([RunBatch(W1, 1, 0, 10, history={"x": floats([0])}), started()])
    assert [run.id for run in run_store.runs()] == [RUN]
    assert list(run_store.series(RUN, "x").steps) == [0]


def test_deleting_a_run_deletes_its_parts_files_and_alerts(run_store: RunStore) -> None:
    file = {"name": "a.txt", "sha256": DIGEST}
    alert = {"title": "t", "position": 10}
    other = started("other001", files=[file])
    run_store.apply([started(files=[file], alerts=[alert]), part(W1, history={"x": floats([0])}), other])
    run_store.delete_runs([RUN])
    assert [run.id for run in run_store.runs()] == ["other001"]
    assert (run_store.parts(RUN), run_store.files(RUN), run_store.alerts(RUN)) == ([], [], [])
    assert run_store.series(RUN, "x").steps == []
    assert len(run_store.files("other001")) == 1


@pytest.mark.parametrize("first", ["part", "run"])
def test_parts_may_be_shipped_before_or_after_the_run(run_store: RunStore, first: str) -> None:
    batches = [part(W1, history={"loss": floats([1])}, summary={"w": 1}), started(history={"loss": floats([0])})]
    for batch in batches if first == "part" else reversed(batches):
        assert run_store.apply([batch]) == [100]
    assert list(run_store.series(RUN, "loss").steps) == [0, 1]
    assert run_store.run(RUN).summary == {"w": 1}
