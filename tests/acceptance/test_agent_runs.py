"""The agent on its good days: grids, counts, several agents, pauses, pruning, the final summary."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import closing

import pytest

import sweeps
from sweeps.states import SweepState, TrialState
from sweeps.store import open_store
from tests.acceptance.workshop import DEADLINE, LOSS, SLOW, SWEEP, Workshop, wait_for
from tests.acceptance.workshop import shop as shop

CURVE = """
import time, tracking
run = tracking.init()
for step in range(30):
    tracking.log({"loss": run.config["x"] + 1 / (step + 1)})
    time.sleep(0.05 * (run.config["x"] > 0))
"""


def test_an_agent_runs_a_grid_to_its_end_and_leaves(shop: Workshop) -> None:
    shop.create()
    agent = shop.agent("--slots", "2")
    assert agent.wait() == 0, agent.err
    assert [(trial.state, trial.value, trial.length) for trial in shop.trials()] == [
        (TrialState.COMPLETE, float(x), 1) for x in range(3)
    ]
    assert shop.sweep_state() == "finished"
    assert "trial 2 complete loss=2" in agent.out
    assert "is finished" in agent.out
    assert shop.run(1).config["x"] == 1
    assert shop.run(1).state == "finished"


def test_the_first_trial_starts_soon(shop: Workshop) -> None:
    shop.create("import time, sys\nopen(f'start-{time.time()}', 'w').close()\n" + LOSS)
    began = time.time()
    assert shop.agent().wait() == 0
    first = min(float(path.name.removeprefix("start-")) for path in shop.folder.glob("start-*"))
    assert first - began < 5  # the benchmark measures; this only notices that something waits


def test_a_count_ends_the_agent_and_leaves_the_rest(shop: Workshop) -> None:
    shop.create()
    agent = shop.agent("--count", "2")
    assert agent.wait() == 0
    assert "took 2 trials, as asked; to go on: " in agent.out
    assert f"sweep agent {shop.sweep_id}\n" in agent.out
    assert shop.count(TrialState.COMPLETE) == 2
    assert shop.sweep_state() == "running"
    last = shop.agent("--count", "1")
    assert last.wait() == 0
    assert f"took 1 trial, as asked\nsweep {shop.sweep_id} is finished" in last.out
    assert shop.sweep_state() == "finished"


def test_two_agents_race_for_the_last_trial_and_one_gets_it(shop: Workshop) -> None:
    shop.create(parameters={"x": {"values": [7]}})
    agents = [shop.agent(), shop.agent()]
    assert [agent.wait() for agent in agents] == [0, 0]
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt, trial.lost) == (TrialState.COMPLETE, 1, 0)
    assert sum("trial 0 complete" in agent.out for agent in agents) == 1


def test_an_agent_accepts_a_full_path_and_an_unique_beginning(shop: Workshop) -> None:
    sweep_id = shop.create(project="digits", entity="lab")
    assert shop.start([SWEEP, "agent", f"lab/digits/{sweep_id}", "--count", "1"]).wait() == 0
    assert shop.start([SWEEP, "agent", sweep_id[:5], "--count", "1", "--project", "digits"]).wait() == 0
    wrong = shop.start([SWEEP, "agent", sweep_id, "--project", "other"])
    assert wrong.wait() == 1
    assert shop.count(TrialState.COMPLETE) == 2


def test_an_agent_waits_while_the_sweep_is_paused(shop: Workshop) -> None:
    shop.create()
    sweeps.get(shop.sweep_id).pause()
    agent = shop.agent()
    wait_for(shop.agents, "the agent is known")
    time.sleep(0.5)
    assert agent.process.poll() is None
    assert shop.trials() == []
    sweeps.get(shop.sweep_id).resume()
    assert agent.wait() == 0
    assert shop.count(TrialState.COMPLETE) == 3


def test_an_agent_with_nothing_to_do_waits_for_the_others_and_leaves_with_them(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"values": [1]}})
    busy = shop.agent()
    shop.wait_running(1)
    idle = shop.agent()
    time.sleep(0.7)
    assert idle.process.poll() is None
    shop.open_gate()
    assert busy.wait() == 0
    assert idle.wait() == 0
    assert "started" not in idle.out


def test_cancel_ends_running_trials_soon(shop: Workshop) -> None:
    shop.create(SLOW)
    agent = shop.agent("--slots", "2")
    shop.wait_running(2)
    sweeps.get(shop.sweep_id).cancel()
    assert agent.wait(15) == 0
    assert set(shop.states()) == {"canceled"}
    assert shop.sweep_state() == "canceled"
    assert shop.running_pids() == []
    assert shop.run(0).state == "killed"


def test_stop_lets_running_trials_finish(shop: Workshop) -> None:
    shop.create(SLOW)
    agent = shop.agent()
    shop.wait_running(1)
    sweeps.get(shop.sweep_id).stop()
    shop.open_gate()
    assert agent.wait() == 0
    assert shop.count(TrialState.COMPLETE) == 1
    assert shop.sweep_state() == "finished"


def test_one_trial_can_be_ended(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"values": [5, 6]}})
    agent = shop.agent("--slots", "2")
    shop.wait_running(2)
    with closing(open_store()) as store:
        assert store.request_stop(shop.sweep_id, 0, "pruned: by hand")
    wait_for(lambda: shop.trials()[0].state is TrialState.PRUNED, "trial 0 is pruned")
    shop.open_gate()
    assert agent.wait() == 0
    first, second = shop.trials()
    assert (first.value, first.reason) == (5.0, "by hand")
    assert second.state is TrialState.COMPLETE


def test_hyperband_ends_bad_trials_early(shop: Workshop) -> None:
    shop.create(
        CURVE,
        parameters={"x": {"values": [0, 10, 20, 30]}},
        early_terminate={"type": "hyperband", "min_iter": 3, "eta": 2},
    )
    assert shop.agent().wait() == 0
    first, *rest = shop.trials()
    assert (first.state, first.length) == (TrialState.COMPLETE, 30)
    pruned = [trial for trial in rest if trial.state is TrialState.PRUNED]
    assert pruned
    assert all(trial.value is not None and 3 <= trial.length < 30 and trial.reason for trial in pruned)
    assert shop.run(pruned[0].number).state == "killed"


def test_a_reached_target_finishes_the_sweep(shop: Workshop) -> None:
    shop.create(
        parameters={"x": {"values": [5, 4, 3, 2, 1]}}, metric={"name": "loss", "goal": "minimize", "target": 3.5}
    )
    assert shop.agent().wait() == 0
    assert shop.sweep_state() == "finished"
    assert [trial.value for trial in shop.trials() if trial.value is not None] == [5.0, 4.0, 3.0]
    with closing(open_store()) as store:
        assert "target" in store.sweep(shop.sweep_id).reason


def test_run_creates_runs_and_sums_up(shop: Workshop) -> None:
    (shop.folder / "train.py").write_text(LOSS)
    (shop.folder / "sweep.yaml").write_text(
        "method: random\nseed: 3\nprogram: train.py\nmetric: {name: loss, goal: minimize}\n"
        "parameters: {x: {min: 0.0, max: 1.0}}\n"
    )
    agent = shop.start([SWEEP, "run", "sweep.yaml", "--trials", "4", "--slots", "2"])
    assert agent.wait() == 0, agent.err
    assert "Best" in agent.out
    assert "Top 4 trials" in agent.out
    found = re.search(r"train\.py[\s\\]+--x=(\S+)", agent.out)  # the line may be folded at its words
    assert found is not None
    (sweep,) = sweeps_of_home()
    shop.sweep_id = sweep
    assert min(trial.value or 9.0 for trial in shop.trials()) == pytest.approx(float(found[1]))
    assert shop.sweep_state() == SweepState.FINISHED


def test_failed_trials_run_again_as_often_as_the_sweep_says(shop: Workshop) -> None:
    shop.create(
        "import os, sys\n" + LOSS + "if os.environ['SWEEP_ATTEMPT'] == '1': sys.exit('bad luck')\n",
        parameters={"x": {"values": [4]}},
        retry={"max": 1},
    )
    agent = shop.agent()
    assert agent.wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt, trial.failures, trial.value) == (TrialState.COMPLETE, 2, 1, 4.0)
    assert "bad luck" in agent.out
    assert shop.run(0).attempt == 2
    assert "bad luck" not in shop.console(0)


def test_a_trial_sees_its_place_and_parameters(shop: Workshop) -> None:
    shop.create(
        "import json, os, sys, tracking\n"
        "print(os.getcwd(), sys.argv[1:], sys.stdin.read() == '', json.load(open(os.environ['SWEEP_PARAM_FILE'])))\n"
        "tracking.init(); tracking.log({'loss': 1})\n",
        parameters={"opt": {"parameters": {"lr": {"values": [0.5]}}}},
    )
    (shop.folder / "sub").mkdir()
    assert shop.agent().wait() == 0
    assert shop.console(0).split("\n")[0] == f"{shop.folder} ['--opt.lr=0.5'] True {{'opt': {{'lr': 0.5}}}}"


def test_quiet_says_nothing(shop: Workshop) -> None:
    shop.create()
    agent = shop.agent("--quiet")
    assert agent.wait() == 0
    assert (agent.out, agent.err) == ("", "")


def sweeps_of_home() -> list[str]:
    with closing(open_store()) as store:
        return [record.id for record in store.sweeps()]


@pytest.mark.parametrize("where", ["/dev/full", "a reader who left"])
def test_output_that_fails_ends_no_trial(shop: Workshop, where: str) -> None:
    shop.create(LOSS)
    argv = [SWEEP, "agent", shop.sweep_id]
    if where == "/dev/full":
        with open(where, "wb") as out:
            agent = subprocess.Popen(argv, cwd=shop.folder, stdout=out)
    else:
        agent = subprocess.Popen(argv, cwd=shop.folder, stdout=subprocess.PIPE)
        assert agent.stdout is not None
        agent.stdout.close()
    assert agent.wait(DEADLINE) == 0
    assert shop.states() == ["complete"] * 3


def test_the_repeat_line_of_a_script_that_reads_its_config_brings_the_parameters(shop: Workshop) -> None:
    shop.create(
        "import tracking\nwith tracking.init() as run:\n    run.log({'loss': run.config.x})\n    print(run.config)\n"
    )
    assert shop.agent().wait() == 0
    line = subprocess.check_output([SWEEP, "best", shop.sweep_id, "--command"], text=True)
    assert "{'x': 0}" in subprocess.check_output(["sh", "-c", line], text=True)
