"""Who counts as alive: heard of lately, or holding a lease that still counts."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.records import AgentRecord, TrialRecord
from sweeps.states import TrialState
from sweeps.views.presence import SILENCE, is_lost, living
from tests.unit.test_views_tables import trial

NOW = 1000.0


def agent(silent: float, ended_at: float | None = None) -> AgentRecord:
    return AgentRecord("a", "k3f9x2ab", "n", "h", 1, 1, 0.0, NOW - silent, ended_at, {})


def held(until: float, **changes: Any) -> TrialRecord:
    return trial(0, TrialState.RUNNING, leased_until=until, **changes)


@pytest.mark.parametrize(
    ("found", "running", "alive"),
    [
        (agent(1.0), [], True),
        (agent(SILENCE + 1), [], False),
        (agent(1.0, ended_at=NOW), [], False),
        (agent(SILENCE + 1), [held(NOW + 60)], True),
        (agent(SILENCE + 1), [held(NOW + 60, agent_id="other")], False),
        (agent(1.0), [held(NOW - 1)], False),
    ],
)
def test_an_agent_is_alive_while_it_is_heard_of_or_holds_a_lease(
    found: AgentRecord, running: list[TrialRecord], alive: bool
) -> None:
    assert bool(living([found], running, NOW)) is alive


def test_a_running_trial_is_lost_when_its_lease_has_expired() -> None:
    assert is_lost(held(NOW - 1), NOW)
    assert not is_lost(held(NOW + 1), NOW)
    assert not is_lost(trial(0, leased_until=NOW - 1), NOW)
