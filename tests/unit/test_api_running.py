"""The way up to whatever runs trials."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

import pytest

import sweeps
from sweeps.api.running import find_runner


class Point:
    value = "agent.api:run_sweep"

    def __init__(self, load: Callable[[], Any]) -> None:
        self.load = load


def broken() -> Any:
    raise ModuleNotFoundError("No module named 'agent.api'")


def install(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda **_: points)


def test_the_runner_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Point(lambda: print))
    assert find_runner() is print


def test_without_a_runner_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    with pytest.raises(sweeps.NoRunner, match="sweep doctor"):
        find_runner()


def test_a_runner_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Point(broken))
    with pytest.raises(sweeps.NoRunner, match=r"agent\.api"):
        find_runner()
