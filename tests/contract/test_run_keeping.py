"""What a run store promises of files, alerts, metadata and of what people change afterwards."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

import tracking.store
from tests.contract.store_examples import finished, floats, further, started
from tracking.errors import RunNotFound
from tracking.store.contract import AlertState, RunChanges, RunStart, RunStore

RUN = "run00001"
ONE, OTHER = "ab" * 32, "cd" * 32


def alert(position: int, title: str = "loss is NaN", at: float = 5.0, **fields: Any) -> dict[str, Any]:
    return {"title": title, "text": "look", "level": "ERROR", "wait": 60, "at": at, "position": position, **fields}


# -- files --------------------------------------------------------------------------------------


def test_files_are_kept_by_name_and_the_last_one_counts(run_store: RunStore) -> None:
    first = {"name": "b.txt", "sha256": ONE, "size": 3, "mime": "text/plain", "step": None, "at": 7.0}
    run_store.apply([started(files=[first, {"name": "a.png", "sha256": ONE, "step": 4}])])
    run_store.apply([further(files=[{**first, "sha256": OTHER, "size": 2**40}, {**first, "sha256": ONE}, first])])
    run_store.apply([further(since=200, to=300, files=[{**first, "sha256": OTHER, "size": 2**40}])])
    found = run_store.files(RUN)
    assert [(file.name, file.digest, file.size, file.mime, file.step) for file in found] == [
        ("a.png", ONE, 0, "", 4),
        ("b.txt", OTHER, 2**40, "text/plain", None),
    ]
    assert run_store.files("other001") == []


@pytest.mark.parametrize("name", ["../up.txt", "a\x00b", "x" * 300, "ä/ö 😀.png", "CON", "a\\b", "\ud800"])
def test_hostile_file_names_are_only_text_to_the_store(run_store: RunStore, name: str) -> None:
    run_store.apply([started(files=[{"name": name, "sha256": ONE}])])
    (file,) = run_store.files(RUN)
    assert file.name == name.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def test_a_file_without_a_blob_is_left_out(run_store: RunStore) -> None:
    odd = [{"name": "", "sha256": ONE}, {"name": "x", "sha256": "../../etc/passwd"}, {"name": "y"}]
    assert run_store.apply([started(files=odd)]) == [100]
    assert run_store.files(RUN) == []


# -- metadata -----------------------------------------------------------------------------------


def test_metadata_is_merged_by_its_top_level_keys(run_store: RunStore) -> None:
    run_store.apply([started(start=RunStart(RUN, "p", metadata={"a": 1, "b": {"x": 1}}), metadata={"git": "c0ffee"})])
    run_store.apply([further(metadata={"b": {"y": math.inf}, "pip": ["numpy"]})])
    assert run_store.run(RUN).metadata == {"a": 1, "b": {"y": math.inf}, "git": "c0ffee", "pip": ["numpy"]}


# -- alerts -------------------------------------------------------------------------------------


def test_alerts_wait_in_the_order_in_which_they_were_raised(run_store: RunStore) -> None:
    run_store.apply([started(alerts=[alert(30, at=6.0), alert(20)]), started("other001", alerts=[alert(9, at=1.0)])])
    assert [found.position for found in run_store.alerts(RUN)] == [20, 30]
    (first, *_) = run_store.alerts(RUN)
    assert (first.title, first.text, first.level, first.wait, first.at) == ("loss is NaN", "look", "ERROR", 60.0, 5.0)
    assert (first.sent, first.tries, first.sent_at, first.attempt, first.part) == (AlertState.WAITING, 0, None, 1, "")
    assert [found.position for found in run_store.waiting_alerts()] == [9, 20, 30]
    assert [found.position for found in run_store.waiting_alerts(2)] == [9, 20]
    assert [found.position for found in run_store.waiting_alerts(run_ids=[RUN])] == [20, 30]
    assert run_store.waiting_alerts(run_ids=[]) == []


def test_a_claimed_alert_is_sent_by_nobody_else_until_its_time_is_over(run_store: RunStore) -> None:
    run_store.apply([started(alerts=[alert(20)])])
    (found,) = run_store.waiting_alerts()
    assert run_store.claim_alert(found, "a", 60.0)
    assert run_store.claim_alert(found, "a", 0.0)  # the answer may have been lost
    assert run_store.waiting_alerts() == [run_store.alerts(RUN)[0]]
    assert run_store.claim_alert(found, "b", 60.0)
    assert run_store.waiting_alerts() == []
    assert not run_store.claim_alert(found, "c", 60.0)
    assert not run_store.mark_alert(found, "a", AlertState.SENT)
    assert run_store.mark_alert(found, "b", AlertState.SENT, "slack")
    assert run_store.mark_alert(found, "b", AlertState.SENT, "slack")
    assert not run_store.claim_alert(found, "b", 60.0)
    (told,) = run_store.alerts(RUN)
    assert (told.sent, told.reason, told.tries) == (AlertState.SENT, "slack", 3)
    assert told.sent_at is not None
    assert abs(told.sent_at - run_store.now()) < 60


def test_an_alert_that_failed_for_now_waits_and_one_that_was_given_up_does_not(run_store: RunStore) -> None:
    run_store.apply([started(alerts=[alert(1), alert(2), alert(3)])])
    for found in run_store.waiting_alerts():
        assert run_store.claim_alert(found, "a")
        later = {1: 0.0, 2: 60.0, 3: 0.0}[found.position]
        state = AlertState.FAILED if found.position == 3 else AlertState.WAITING
        assert run_store.mark_alert(found, "a", state, "timeout", later)
    (waiting,) = run_store.waiting_alerts()
    assert (waiting.position, waiting.reason, waiting.tries) == (1, "timeout", 1)
    assert run_store.claim_alert(waiting, "b")


def test_shipping_an_alert_twice_sends_it_once(run_store: RunStore) -> None:
    batch = started(alerts=[alert(20)])
    run_store.apply([batch])
    (found,) = run_store.waiting_alerts()
    assert run_store.claim_alert(found, "a")
    assert run_store.mark_alert(found, "a", AlertState.SENT)
    run_store.apply([batch, further(alerts=[alert(20)])])
    assert run_store.waiting_alerts() == []
    run_store.apply([started(attempt=2, alerts=[alert(20)])])
    assert [found.attempt for found in run_store.waiting_alerts()] == [2]
    assert len(run_store.alerts(RUN)) == 2


def test_racing_senders_never_claim_the_same_alert(run_store: RunStore, url: str) -> None:
    run_store.apply([started(alerts=[alert(position) for position in range(30)])])
    claimed: list[tuple[str, int]] = []

    def send(name: str) -> None:
        store = tracking.store.open_store(url)
        claimed.extend((name, found.position) for found in store.waiting_alerts() if store.claim_alert(found, name))
        store.close()

    threads = [threading.Thread(target=send, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(position for _, position in claimed) == list(range(30))


# -- changes by people --------------------------------------------------------------------------


def test_a_run_is_changed_by_people(run_store: RunStore) -> None:
    run_store.apply([started(summary={"loss": 1.0, "old": 2}, config={"width": 4}, end=finished())])
    changes = RunChanges(
        name="best", notes="n", group="g", job_type="eval", tags=("a", "b"), config={"lr": 9},
        summary={"acc": math.nan}, metadata={"seen": True}, without_config=("width",), without_summary=("old", "none"),
    )  # fmt: skip
    run = run_store.update_run(RUN, changes)
    assert (run.name, run.notes, run.group, run.job_type, run.tags) == ("best", "n", "g", "eval", ("a", "b"))
    assert run.config == {"lr": 9}
    assert run.summary["loss"] == 1.0
    assert math.isnan(run.summary["acc"])
    assert "old" not in run.summary
    assert run.metadata["seen"] is True
    assert run_store.run(RUN).name == "best"
    assert run_store.update_run(RUN, RunChanges()).name == "best"
    with pytest.raises(RunNotFound):
        run_store.update_run("other001", changes)


def test_a_run_that_goes_on_keeps_what_people_changed_beside_it(run_store: RunStore) -> None:
    run_store.apply([started(history={"loss": floats([0])}, summary={"loss": 1.0})])
    run_store.update_run(RUN, RunChanges(summary={"label": "good"}, tags=("keep",)))
    run_store.apply([further(history={"loss": floats([1])}, summary={"loss": 2.0})])
    run = run_store.run(RUN)
    assert (run.summary, run.tags) == ({"loss": 2.0, "label": "good"}, ("keep",))
    assert list(run_store.series(RUN, "loss").steps) == [0, 1]


# -- hostile names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../../x", "a\x00b", "k" * 300, "ключ/😀", "nul", "x' OR 1=1 --", "\ud800", "%s%n", "a\nb", " "]
)
def test_hostile_keys_and_ids_are_only_text_to_the_store(run_store: RunStore, name: str) -> None:
    batch = started(name, history={name: floats([0, 1])}, summary={name: 1}, config={name: name})
    assert run_store.apply([batch]) == [100]
    assert run_store.apply([batch]) == [100]
    (run,) = run_store.runs()
    assert list(run_store.series(run.id, name).values) == [0.0, 0.5]
    assert run.config[name] == name
    run_store.delete_runs([run.id])
    assert run_store.runs() == []
