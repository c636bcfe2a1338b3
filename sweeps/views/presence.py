"""Who is at work: which agents are alive, and which running trials have lost theirs."""

from __future__ import annotations

from collections.abc import Iterable

from sweeps.records import AgentRecord, TrialRecord
from sweeps.states import TrialState
from sweeps.store.contract import SweepStore

SILENCE = 30.0
"""Seconds. Agents beat every 2 s and ask/tell every 15 s: who was silent for longer is dead, or cut off."""


def is_lost(trial: TrialRecord, now: float) -> bool:
    """Whether its lease has expired: nobody drives it, and the next agent takes it back. `now` is the store's."""
    return trial.state is TrialState.RUNNING and trial.leased_until is not None and trial.leased_until < now


def living(agents: Iterable[AgentRecord], running: Iterable[TrialRecord], now: float) -> list[AgentRecord]:
    """The agents that are alive: they were heard of lately, or hold a lease that still counts.

    Who has let a lease expire is not: a beat renews all of them, however late it comes.
    """
    listed = list(running)
    losers = {trial.agent_id for trial in listed if is_lost(trial, now)}
    holders = {trial.agent_id for trial in listed} - losers
    return [
        agent
        for agent in agents
        if agent.ended_at is None
        and agent.id not in losers
        and (now - agent.heartbeat_at < SILENCE or agent.id in holders)
    ]


def are_agents_alive(store: SweepStore, sweep_id: str) -> bool:
    """Whether any agent of the sweep is alive. May raise StoreUnavailable."""
    running = store.trials(sweep_id, states=[TrialState.RUNNING])
    return bool(living(store.agents(sweep_id), running, store.now()))
