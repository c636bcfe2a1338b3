"""The Python API over a real store: create, ask and tell, steer, delete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sweeps
from sweeps.api.asking import Asker
from sweeps.api.told import understand
from sweeps.store import open_store
from tracking.errors import IllegalMove, UsageError
from tracking.home import Home
from tracking.states import RunState
from tracking.store import open_store as open_run_store

SPACE = {"opt": {"parameters": {"lr": {"min": 0.0, "max": 1.0}}}, "width": {"values": [8, 16]}}


def spec(**changes: Any) -> dict[str, Any]:
    base = {"method": "random", "metric": {"name": "loss"}, "parameters": SPACE, "run_cap": 3, "seed": 7}
    return {**base, **changes}


def test_a_loop_of_ones_own_runs_a_sweep_to_its_end() -> None:
    sweep = sweeps.create(spec(), project="p", name="mine")
    told = {}
    while True:
        try:
            trial = sweep.ask()
        except sweeps.NothingToRun:
            break
        told[trial.number] = trial.params["opt"]["lr"]
        sweep.tell(trial, {"loss": [5.0, trial.params["opt"]["lr"]]})
    assert sorted(told) == [0, 1, 2]
    assert sweep.state == "finished"
    best = sweep.best()
    assert best is not None
    assert best.value == min(told.values())
    assert best.params["opt"]["lr"] == best.value
    assert best.duration is not None
    assert [trial.state for trial in sweep.trials()] == ["complete"] * 3
    assert (sweep.project, sweep.name) == ("p", "mine")


def test_what_was_told_is_history_of_the_trials_run() -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    runs = open_run_store()
    assert runs.run(trial.run_id).state is RunState.RUNNING
    sweep.tell(trial, {"loss": [3.0, 2.0], "acc": 0.5})
    run = runs.run(trial.run_id)
    assert run.state is RunState.FINISHED
    assert run.config == trial.params
    assert list(runs.series(trial.run_id, "loss").values) == [3.0, 2.0]
    assert run.summary == {"loss": 2.0, "acc": 0.5}
    runs.close()


def test_a_failed_trial_has_its_reason() -> None:
    sweep = sweeps.create(spec())
    sweep.tell(sweep.ask(), state="failed", reason="out of memory")
    (trial,) = sweep.trials()
    assert (trial.state, trial.reason, trial.value) == ("failed", "out of memory", None)
    assert sweep.best() is None


def test_telling_twice_is_refused() -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    sweep.tell(trial, 1.0)
    with pytest.raises(sweeps.LeaseLost):
        sweep.tell(trial, 2.0)
    assert sweep.trials()[0].value == 1.0


def test_a_mistaken_tell_keeps_the_trial() -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    with pytest.raises(UsageError):
        sweep.tell(trial, "good")  # type: ignore[arg-type]
    sweep.tell(trial, 1.0)


def test_two_askers_never_get_the_same_trial() -> None:
    first = sweeps.create(spec(run_cap=6))
    store, runs = open_store(), open_run_store()
    second = Asker(store, runs, first.id)
    numbers = [number for _ in range(3) for number in (first.ask().number, second.ask().number)]
    assert sorted(numbers) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(sweeps.NothingToRun, match="6 still run"):
        first.ask()
    second.close()
    store.close()
    runs.close()


def test_reaching_the_target_ends_the_sweep() -> None:
    sweep = sweeps.create(spec(metric={"name": "loss", "target": 0.5}))
    sweep.tell(sweep.ask(), 0.4)
    assert sweep.state == "finished"
    assert "target" in sweep.reason


def test_what_one_object_asked_another_may_tell() -> None:
    sweep = sweeps.create(spec())
    trial = sweeps.get(sweep.id).ask()
    sweeps.get(sweep.id[:6]).tell(trial.number, 1.0)
    assert sweep.trials()[0].value == 1.0


def test_a_paused_sweep_gives_no_trial() -> None:
    sweep = sweeps.create(spec())
    sweep.pause()
    with pytest.raises(sweeps.NothingToRun, match="paused"):
        sweep.ask()
    sweep.resume()
    assert sweep.ask().number == 0


def test_what_was_not_told_goes_back_at_the_end_of_the_process() -> None:
    sweep = sweeps.create(spec())
    code = f"import sweeps; print(sweeps.get({sweep.id!r}).ask().number)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "0"
    assert sweep.trials()[0].state == "waiting"
    trial = sweep.ask()
    assert (trial.number, trial.attempt) == (0, 2)


def test_a_forked_child_that_ends_keeps_its_hands_off_the_leases_of_its_parent() -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    code = (
        f"import os, sweeps; sweep = sweeps.get({sweep.id!r}); trial = sweep.ask(); pid = os.fork()\n"
        "if pid == 0: raise SystemExit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "sweep.tell(trial, 1.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    sweep.tell(trial, 2.0)
    assert [one.value for one in sweep.trials()] == [2.0, 1.0]


def test_an_asker_keeps_its_leases_with_each_heartbeat() -> None:
    sweep = sweeps.create(spec())
    store, runs = open_store(), open_run_store()
    asker = Asker(store, runs, sweep.id)
    number = asker.ask().number
    before = store.trial(sweep.id, number).leased_until
    asker.renew()
    after = store.trial(sweep.id, number).leased_until
    assert before is not None
    assert after is not None
    assert after >= before
    asker.close()
    assert store.trial(sweep.id, number).state == "waiting"
    with pytest.raises(sweeps.LeaseLost):
        asker.tell(number, understand(1.0, None, sweep.spec.metric))
    store.close()
    runs.close()


def test_a_finished_sweep_goes_on_only_with_a_larger_budget() -> None:
    sweep = sweeps.create(spec(run_cap=1))
    sweep.tell(sweep.ask(), 1.0)
    with pytest.raises(sweeps.NothingToRun):
        sweep.ask()
    with pytest.raises(sweeps.BudgetTooSmall, match="--trials"):
        sweep.resume()
    with pytest.raises(sweeps.BudgetTooSmall, match="leaves nothing"):
        sweep.resume(trials=1)
    sweep.resume(trials=2)
    assert sweep.ask().number == 1


def test_a_finished_grid_has_nothing_left_to_resume() -> None:
    grid = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"a": {"values": [1, 2]}}}
    sweep = sweeps.create(grid)
    for _ in range(2):
        sweep.tell(sweep.ask(), 1.0)
    with pytest.raises(sweeps.NothingToRun):
        sweep.ask()
    with pytest.raises(sweeps.BudgetTooSmall, match="all 2 points"):
        sweep.resume(trials=9)


def test_deleting_removes_trials_runs_and_folders(home: Path) -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    with pytest.raises(IllegalMove):
        sweep.delete()
    sweep.tell(trial, 1.0)
    folder = Home.find().run_dir(trial.run_id)
    folder.mkdir(parents=True)
    (folder / "attempt-1.log").write_text("x")
    sweep.delete()
    assert not folder.exists()
    with pytest.raises(sweeps.SweepNotFound):
        sweeps.get(sweep.id)
    runs = open_run_store()
    assert runs.runs(sweep_id=sweep.id) == []
    runs.close()


def test_wandbs_spelling_returns_the_id() -> None:
    made = sweeps.sweep(spec(), project="p")
    assert sweeps.get(made).project == "p"


def test_a_wrong_config_names_every_fault_and_leaves_nothing_behind(home: Path) -> None:
    with pytest.raises(sweeps.SpecInvalid) as caught:
        sweeps.create({"method": "bogus", "parameters": {}})
    assert len(caught.value.faults) >= 2
    assert not home.exists()


def test_trials_become_a_data_frame() -> None:
    pytest.importorskip("pandas")
    sweep = sweeps.create(spec())
    sweep.tell(sweep.ask(), 1.0)
    sweep.ask()
    frame = sweep.to_pandas()
    assert list(frame.columns) == [
        *("number", "state", "value", "duration", "run_id", "reason", "params.opt.lr", "params.width")
    ]
    assert frame["value"].isna().tolist() == [False, True]
    assert sweeps.create(spec()).to_pandas().empty


def test_without_pandas_the_message_has_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'sweepwright\[pandas\]'"):
        sweeps.create(spec()).to_pandas()


def test_running_needs_sensible_numbers() -> None:
    sweep = sweeps.create(spec())
    with pytest.raises(UsageError, match="slots"):
        sweep.run(lambda: None, slots=0)


def test_importing_sweeps_is_cheap() -> None:
    code = "import sys, sweeps; sys.exit(bool({'sqlalchemy', 'yaml', 'rich', 'optuna', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}, timeout=60, check=False).returncode == 0


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = sweeps.nonsense
    assert set(sweeps.__all__) <= set(dir(sweeps))


def test_what_cannot_be_told_says_why() -> None:
    sweep = sweeps.create(spec())
    trial = sweep.ask()
    sweep.tell(trial, 0.5)
    with pytest.raises(sweeps.LeaseLost, match="trial 0 has ended already: it is complete"):
        sweep.tell(trial, 0.5)
    with pytest.raises(sweeps.TrialNotFound, match="has no trial 999"):
        sweep.tell(999, 0.5)
