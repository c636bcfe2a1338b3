"""How init() understands what it is told: settings, the environment, ranks, moments, checkpoints of a trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracking
from tracking import notices
from tracking.errors import UsageError
from tracking.home import journal_path
from tracking.journal.exit_note import note_path, noted_status
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping.last_words import end_without_word
from tracking.starting import ranks
from tracking.starting.endings import ending_for_code
from tracking.starting.past.checkpoints import last_checkpoint
from tracking.starting.past.moments import Moment
from tracking.starting.settings import Settings, resolve
from tracking.states import RunState

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 1.0}}


@pytest.fixture(autouse=True)
def _fresh_notices() -> None:
    notices.forget("")


def test_arguments_win_over_settings_and_settings_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "theirs")
    monkeypatch.setenv("SWEEP_NOTES", "ours")
    monkeypatch.setenv("WANDB_NOTES", "theirs")
    monkeypatch.setenv("WANDB_RUN_GROUP", "g")
    monkeypatch.setenv("SWEEP_API_KEY", "ignored")
    holds = resolve({"name": "argument", "mode": None}, Settings(run_name="setting", run_tags=("a", "b"), root_dir="d"))
    assert (holds.name, holds.project, holds.notes, holds.group) == ("argument", "theirs", "ours", "g")
    assert (holds.tags, holds.dir, holds.mode, holds.shared) == (("a", "b"), "d", "online", False)


@pytest.mark.parametrize(
    ("mode", "held", "shared"),
    [("online", "online", False), ("shared", "online", True), ("dryrun", "offline", False), ("run", "online", False)],
)
def test_a_mode_may_be_said_in_settings(mode: str, held: str, shared: bool) -> None:
    holds = resolve({}, {"mode": mode})
    assert (holds.mode, holds.shared) == (held, shared)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (None, "return_previous"),
        ("default", "return_previous"),
        (False, "return_previous"),
        (True, "finish_previous"),
        ("create_new", "create_new"),
    ],
)
def test_reinit_has_names_and_booleans(given: Any, held: str) -> None:
    assert resolve({"reinit": given}, None).reinit == held


def test_words_that_mean_nothing_are_refused() -> None:
    for wrong in ({"mode": "onlin"}, {"resume": "maybe"}, {"reinit": "again"}, {"save_code": "perhaps"}):
        with pytest.raises(UsageError, match="is n"):
            resolve(wrong, None)
    with pytest.raises(UsageError, match=r"pass tracking\.Settings"):
        resolve({}, 3)  # type: ignore[arg-type]


def test_every_setting_of_wandb_is_taken_and_a_slip_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    resolve({}, Settings(x_disable_stats=True, init_timeout=5, x_graphql_retry_max=3, anonymous="allow", resumed=True))
    assert capsys.readouterr().err == ""
    resolve({}, Settings(x_disable_stat=True))
    assert "is x_disable_stats meant?" in capsys.readouterr().err


def test_an_option_that_was_not_said_is_none() -> None:
    assert Settings().x_label is None
    assert dict(Settings(a=1)) == {"a": 1}


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        ({}, None),
        ({"RANK": "3"}, None),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}, 3),
        ({"RANK": "0", "WORLD_SIZE": "4"}, 0),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0", "WORLD_SIZE": "4"}, 0),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1", "WORLD_SIZE": "4"}, 1),
        ({"LOCAL_RANK": "2", "WORLD_SIZE": "4"}, 2),
        ({"RANK": "x", "WORLD_SIZE": "y"}, None),
    ],
)
def test_the_rank_is_read_as_launchers_set_it(environ: dict[str, str], rank: int | None) -> None:
    assert ranks.rank(environ) == rank
    assert ranks.writes_alone(environ) is (not rank)


def test_a_moment_is_a_run_and_a_step() -> None:
    moment = Moment.parse("abc?_step=12", "fork_from")
    assert (moment.run_id, moment.step) == ("abc", 12)
    for wrong in ("abc", "abc?_step=", "abc?_step=-1", "abc?epoch=3", "?_step=1", "a/b?_step=1"):
        with pytest.raises(UsageError):
            Moment.parse(wrong, "fork_from")


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, RunState.FINISHED),
        (1, RunState.FAILED),
        (130, RunState.KILLED),
        (143, RunState.KILLED),
        (255, RunState.FAILED),
    ],
)
def test_an_exit_status_gives_the_state(code: int, state: RunState) -> None:
    assert ending_for_code(code).state is state


def test_a_journal_without_an_end_is_explained_by_the_note_beside_it(tmp_path: Path) -> None:
    journal = journal_path(tmp_path, 1)
    assert end_without_word(journal, 7.0).state is RunState.CRASHED
    assert end_without_word(journal, 7.0, preempting=True).state is RunState.PREEMPTED
    note_path(journal).write_bytes(b"")
    assert noted_status(journal) is None
    note_path(journal).write_bytes((3).to_bytes(8, "little"))
    end = end_without_word(journal, 7.0)
    assert (end.state, end.exit_code, end.at) == (RunState.FAILED, 3, 7.0)


def write_attempt(folder: Path, attempt: int, *records: tuple[RecordType, dict[str, Any]] | int) -> None:
    """A journal with rows (their steps) and records, in this order."""
    writer = JournalWriter.create(journal_path(folder, attempt), RUN)
    layout = writer.declare(("loss",), "d")
    assert layout is not None
    for record in records:
        if isinstance(record, int):
            writer.row(layout, record, 1.0, (0.5,))
        else:
            writer.record(*record)
    writer.close()


MODEL = (RecordType.ARTIFACT, {"do": "log", "type": "model", "name": "m"})
SAVED = (RecordType.FILE, {"name": "checkpoint.pt", "sha256": "0", "size": 1})
IMAGE = (RecordType.FILE, {"name": "media/images/a.png", "sha256": "0", "size": 1})
DATASET = (RecordType.ARTIFACT, {"do": "log", "type": "dataset", "name": "d"})
USED = (RecordType.ARTIFACT, {"do": "use", "type": "model", "name": "m"})
REWOUND = (RecordType.REWIND, {"step": 0})


@pytest.mark.parametrize(
    ("attempts", "step"),
    [
        ([[0, 1, MODEL, 2, 3]], 1),
        ([[0, 1, SAVED, 2, SAVED, 3]], 2),
        ([[0, 1, IMAGE, DATASET, USED]], None),
        ([[0, 1, MODEL, 2], [2, 3]], 1),
        ([[0, 1, MODEL, 2], [2, 3, MODEL, 4]], 3),
        ([[0, 1, MODEL, 2], [REWOUND, 0, 1]], None),
        ([[0, 1, MODEL, 2], [REWOUND, 0, MODEL, 1]], 0),
        ([[0, 1, (RecordType.FILE, {"name": "c.pt", "step": 7})]], 7),
        ([[(RecordType.JSONROW, {"step": 4, "time": 1.0, "data": {"a": "x"}}), MODEL]], 4),
        ([[]], None),
    ],
)
def test_a_trial_goes_on_after_its_last_checkpoint(tmp_path: Path, attempts: list[list[Any]], step: int | None) -> None:
    for number, records in enumerate(attempts, 1):
        write_attempt(tmp_path, number, *records)
    found = last_checkpoint(tmp_path, "r", len(attempts) + 1)
    assert (found.step if found else None) == step


@pytest.mark.parametrize("name", ["a/b", "..", "a\0b", "x" * 129, "50%"])
@pytest.mark.parametrize("what", ["project", "entity"])
def test_a_project_that_no_path_could_name_is_refused(what: str, name: str) -> None:
    with pytest.raises(UsageError, match=what):
        tracking.init(mode="disabled", **{what: name})


def test_who_asks_for_another_run_is_told_that_the_old_one_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with tracking.init(mode="offline", id="first", settings={"console": "off"}) as first:
        assert tracking.init(id="second", project=first.project) is first
    assert "init(id='second'): run first goes on and is returned" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["5", 1.5, float("nan")])
def test_a_step_that_is_no_whole_number_drops_the_row(step: Any, capsys: pytest.CaptureFixture[str]) -> None:
    notices.forget("log:")
    with tracking.init(mode="offline", id="r", settings={"console": "off"}) as run:
        run.log({"a": 1}, step=step)
        assert run.step == 0
    assert "a step is a whole number" in capsys.readouterr().err


def test_a_text_that_is_cut_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    notices.forget("values:")
    with tracking.init(mode="offline", id="r", settings={"console": "off"}) as run:
        run.log({"text": "x" * 200_000})
    assert "a text of 200000 characters is cut to 100000" in capsys.readouterr().err
