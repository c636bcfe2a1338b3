"""What a run store promises of histories that are cut, rewound or taken over from another run."""

from __future__ import annotations

import pytest

from tests.contract.store_examples import finished, floats, further, started
from tracking.home import part_id
from tracking.store.contract import RunBatch, RunStart, RunStore, SeriesPart

RUN, FORK = "run00001", "fork0001"
MIN_AND_MEAN = {"name": "loss", "summary": ["min", "mean"]}
DIGEST = "cd" * 32


def aggregate(values: list[float]) -> dict[str, object]:
    return {
        "definition": MIN_AND_MEAN, "count": len(values), "sum": sum(values), "min": min(values), "max": max(values),
        "first": values[0], "last": values[-1],
    }  # fmt: skip


def parent(length: int = 10) -> RunBatch:
    steps = list(range(length))
    stamps = [100.0 + step for step in steps]
    return started(
        to=500,
        history={"loss": floats(steps), "n": SeriesPart("int", steps, steps), "late": floats([length - 1]),
                 "_timestamp": floats(steps, stamps)},
        summary={"loss": (length - 1) / 2, "n": length - 1, "late": (length - 1) / 2, "note": "mine",
                 "_step": length - 1, "_timestamp": stamps[-1], "_runtime": length - 1.0},
        config={"width": 8},
        last_step=length - 1,
    )  # fmt: skip


@pytest.mark.parametrize("length", [10, 5000])
def test_a_cut_run_has_the_summary_of_what_is_left(run_store: RunStore, length: int) -> None:
    run_store.apply([parent(length), further(since=500, to=600, end=finished())])
    at = length - 4
    run_store.apply([started(attempt=2, start=RunStart(RUN, "digits", starting_step=at))])
    run = run_store.run(RUN)
    assert run.summary == {
        "loss": (at - 1) / 2, "n": at - 1, "note": "mine",
        "_step": at - 1, "_timestamp": 100.0 + at - 1, "_runtime": at - 1.0,
    }  # fmt: skip
    assert run.last_step == at - 1
    assert list(run_store.series(RUN, "n").values) == list(range(at))


def test_a_resumed_run_goes_on_with_its_aggregates_and_its_runtime(run_store: RunStore) -> None:
    first = started(
        history={"loss": floats([0, 1], [3.0, 1.0]), "_timestamp": floats([0, 1], [10.0, 20.0])},
        metrics={"loss": MIN_AND_MEAN},
        summary={"loss": {"min": 1.0, "mean": 2.0}, "_step": 1, "_timestamp": 20.0, "_runtime": 10.0},
        aggregates={"loss": aggregate([3.0, 1.0])},
        last_step=1,
    )
    run_store.apply([first])
    again = started(
        attempt=2,
        start=RunStart(RUN, "digits", starting_step=2),
        history={"loss": floats([2], [5.0])},
        metrics={"loss": MIN_AND_MEAN},
        summary={"loss": {"min": 5.0, "mean": 5.0}, "_runtime": 4.0},
        aggregates={"loss": aggregate([5.0])},
    )
    run_store.apply([again])
    assert run_store.run(RUN).summary["loss"] == {"min": 1.0, "mean": 3.0}
    assert run_store.run(RUN).summary["_runtime"] == 14.0
    more = further(summary={"loss": {"min": 0.0, "mean": 2.5}, "_runtime": 6.0}, attempt=2,
                   aggregates={"loss": aggregate([5.0, 0.0])}, history={"loss": floats([3], [0.0])})  # fmt: skip
    run_store.apply([more])
    assert run_store.run(RUN).summary["loss"] == {"min": 0.0, "mean": 2.25}
    assert run_store.run(RUN).summary["_runtime"] == 16.0
    run_store.apply([started(attempt=3, start=RunStart(RUN, "digits", starting_step=1))])
    assert run_store.run(RUN).summary["loss"] == {"min": 3.0, "mean": 3.0}


def test_an_aggregate_is_recomputed_when_its_extreme_is_cut_away(run_store: RunStore) -> None:
    run_store.apply([
        started(history={"loss": floats([0, 1, 2], [4.0, 2.0, 0.0])}, metrics={"loss": MIN_AND_MEAN},
                summary={"loss": {"min": 0.0, "mean": 2.0}}, aggregates={"loss": aggregate([4.0, 2.0, 0.0])}),
        started(attempt=2, start=RunStart(RUN, "digits", starting_step=2)),
    ])  # fmt: skip
    assert run_store.run(RUN).summary == {"loss": {"min": 2.0, "mean": 3.0}}


def test_a_tentative_start_keeps_the_history_until_the_run_is_rewound(run_store: RunStore) -> None:
    run_store.apply([parent()])
    start = RunStart(RUN, "digits", starting_step=6, tentative=True)
    run_store.apply([started(attempt=2, start=start)])
    assert list(run_store.series(RUN, "loss").steps) == [0, 1, 2, 3, 4, 5]
    rewound = further(attempt=2, rewind=0, history={"loss": floats([0], [9.0])}, summary={"loss": 9.0}, last_step=0)
    run_store.apply([rewound])
    run = run_store.run(RUN)
    assert list(run_store.series(RUN, "loss").values) == [9.0]
    assert [info.key for info in run_store.keys(RUN)] == ["loss"]
    assert (run.summary, run.last_step) == ({"loss": 9.0}, 0)
    assert run_store.apply([rewound]) == [200]
    run_store.apply([further(attempt=2, since=200, to=300, history={"loss": floats([1], [8.0])})])
    assert list(run_store.series(RUN, "loss").values) == [9.0, 8.0]


def test_a_rewind_to_a_step_keeps_what_lies_before(run_store: RunStore) -> None:
    run_store.apply([parent()])
    run_store.apply([further(since=500, to=600, rewind=4, history={"loss": floats([4], [9.0])}, last_step=4)])
    assert list(run_store.series(RUN, "loss").values) == [0.0, 0.5, 1.0, 1.5, 9.0]
    assert list(run_store.series(RUN, "n").steps) == [0, 1, 2, 3]
    assert run_store.run(RUN).last_step == 4


def test_media_of_dropped_steps_are_forgotten_and_saved_files_stay(run_store: RunStore) -> None:
    files = [{"name": f"media/{step}.png", "sha256": DIGEST, "step": step} for step in range(3)]
    run_store.apply([started(files=[*files, {"name": "model.pt", "sha256": DIGEST}])])
    run_store.apply([started(attempt=2, start=RunStart(RUN, "digits", starting_step=1))])
    assert [file.name for file in run_store.files(RUN)] == ["media/0.png", "model.pt"]
    run_store.apply([started(attempt=3)])
    assert [file.name for file in run_store.files(RUN)] == ["model.pt"]


# -- forks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [10, 5000])
def test_a_fork_begins_with_the_history_of_its_parent(run_store: RunStore, length: int) -> None:
    at = length - 4
    media = {"name": f"media/{at}.png", "sha256": DIGEST, "step": at}
    late = {"name": "media/late.png", "sha256": DIGEST, "step": at + 1}
    first = parent(length)
    first.files = [media, late, {"name": "model.pt", "sha256": DIGEST}]
    run_store.apply([first])
    start = RunStart(
        FORK, "digits", config={"lr": 9}, metadata={"git": "x"}, forked_from=RUN, fork_step=at, starting_step=at + 1
    )
    batch = started(FORK, start=start, history={"loss": floats([at + 1], [7.0])}, summary={"loss": 7.0},
                    last_step=at + 1)  # fmt: skip
    assert run_store.apply([batch, batch]) == [100, 100]
    fork = run_store.run(FORK)
    assert fork.config == {"lr": 9, "width": 8}
    assert fork.metadata == {"git": "x", "forked_from": {"run": RUN, "step": at}}
    assert {key: fork.summary[key] for key in ("loss", "n", "note")} == {"loss": 7.0, "n": at, "note": "mine"}
    assert "late" not in fork.summary
    assert fork.last_step == at + 1
    assert list(run_store.series(FORK, "loss").values) == [step / 2 for step in range(at + 1)] + [7.0]
    assert [info.key for info in run_store.keys(FORK)] == ["_timestamp", "loss", "n"]
    assert [file.name for file in run_store.files(FORK)] == [media["name"]]
    assert len(run_store.series(RUN, "loss").steps) == length
    run_store.delete_runs([RUN])
    assert len(run_store.series(FORK, "n").steps) == at + 1


def test_a_fork_without_a_step_takes_all(run_store: RunStore) -> None:
    run_store.apply([parent(), started(FORK, start=RunStart(FORK, "digits", forked_from=RUN, starting_step=10))])
    assert list(run_store.series(FORK, "loss").steps) == list(range(10))
    assert run_store.run(FORK).summary == run_store.run(RUN).summary


def test_a_fork_has_what_all_writers_of_its_parent_recorded(run_store: RunStore) -> None:
    writer = part_id(RUN, "w1")
    run_store.apply([
        parent(),
        RunBatch(writer, 1, 0, 9, start=RunStart(writer, "digits", part_of=RUN),
                 history={"loss": floats([3, 20], [99.0, 98.0]), "own": floats([1, 8])}),
        started(FORK, start=RunStart(FORK, "digits", forked_from=RUN, fork_step=5, starting_step=6)),
    ])  # fmt: skip
    assert list(run_store.series(FORK, "loss").values) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert list(run_store.series(FORK, "own").steps) == [1]


def test_a_fork_of_an_unknown_run_begins_empty_and_says_why(run_store: RunStore) -> None:
    start = RunStart(FORK, "digits", forked_from="gone0001", fork_step=5, starting_step=6)
    run_store.apply([started(FORK, start=start, history={"loss": floats([6])})])
    assert list(run_store.series(FORK, "loss").steps) == [6]
    assert "no run gone0001" in run_store.run(FORK).metadata["forked_from"]["note"]


def test_a_fork_that_is_resumed_is_not_copied_again(run_store: RunStore) -> None:
    start = RunStart(FORK, "digits", forked_from=RUN, fork_step=5, starting_step=6)
    run_store.apply([parent(), started(FORK, start=start, history={"loss": floats([6, 7], [60.0, 70.0])})])
    again = RunStart(FORK, "digits", forked_from=RUN, fork_step=5, starting_step=7)
    run_store.apply([started(FORK, attempt=2, start=again, history={"loss": floats([7], [71.0])})])
    assert list(run_store.series(FORK, "loss").values)[5:] == [2.5, 60.0, 71.0]
