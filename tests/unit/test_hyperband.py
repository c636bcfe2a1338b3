"""Hyperband against the rules and numbers of shared/reference/sweep-config.md."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.stoppers import make_stopper
from sweeps.stoppers.bands import Bands, bands_from_max, bands_from_min
from sweeps.stoppers.hyperband import Hyperband
from tests.simulation.simulated_sweep import make_spec


def hyperband(goal: str = "minimize", metric: str = "val/loss", **options: Any) -> Hyperband:
    spec = make_spec(
        parameters={"x": {"min": 0.0, "max": 1.0}},
        metric={"name": metric, "goal": goal},
        early_terminate={"type": "hyperband", **options},
    )
    stopper = make_stopper(spec)
    assert isinstance(stopper, Hyperband)
    return stopper


@pytest.mark.parametrize(
    ("max_iter", "s", "eta", "expected"),
    [
        (27, 2, 3, [3, 9]),
        (81, 4, 3, [1, 3, 9, 27]),
        (81, 9, 3, [1, 3, 9, 27]),
        (100, 3, 3, [3, 11, 33]),
        (10, 2, 2.5, [1, 4]),
        (2, 1, 3, []),
        (27, 0, 3, []),
    ],
)
def test_bands_below_max_iter(max_iter: int, s: int, eta: float, expected: list[int]) -> None:
    assert bands_from_max(max_iter, s, eta).first(99) == expected


def test_bands_from_min_iter_go_on_for_ever() -> None:
    assert bands_from_min(3, 3).first(5) == [3, 9, 27, 81, 243]
    assert bands_from_min(2, 1.5).first(6) == [2, 3, 4, 6, 10, 15]
    assert bands_from_min(1, 1.1).first(4) == [1, 2, 3, 4]
    assert bands_from_min(3, 3).at(10**9) == 3 * 3**17


def test_bands_are_counted_in_values_that_were_logged() -> None:
    bands = Bands([3, 9])
    assert [bands.at(length) for length in (0, 2, 3, 8, 9, 1000)] == [None, None, 3, 3, 9, 9]


def test_a_trial_is_due_with_each_value_from_the_first_band_on() -> None:
    stopper = hyperband(min_iter=3)
    assert [stopper.due(length - 1, length) for length in range(1, 11)] == [None, None, *[3] * 6, 9, 9]
    assert stopper.due(2, 30) == 27
    assert stopper.due(30, 30) is None


def test_a_trial_that_was_first_at_its_band_is_judged_again_when_better_ones_have_reached_it() -> None:
    stopper = hyperband(min_iter=3)
    curves: dict[int, list[float]] = {0: [5.0, 5.0, 5.0]}
    assert stopper.judge(0, curves) is None
    curves[0].append(5.0)
    curves |= {1: [1.0, 1.0, 1.0], 2: [2.0, 2.0, 2.0]}
    assert stopper.judge(0, curves) is not None
    assert stopper.judge(1, curves) is None


def at_band(values: list[float]) -> dict[int, list[float]]:
    return {number: [0.0, 0.0, value] for number, value in enumerate(values)}


def stopped(stopper: Hyperband, curves: dict[int, list[float]]) -> list[int]:
    return [number for number in curves if stopper.judge(number, curves) is not None]


def test_the_threshold_is_the_value_at_int_of_len_over_eta() -> None:
    # sorted: 1 2 3 4 5 6 7, int(7 / 3) = 2: the threshold is 3
    assert stopped(hyperband(min_iter=3), at_band([7, 6, 5, 4, 3, 2, 1])) == [0, 1, 2, 3]
    assert stopped(hyperband(min_iter=3, eta=2), at_band([7, 6, 5, 4, 3, 2, 1])) == [0, 1, 2]


def test_larger_is_better_when_maximizing() -> None:
    assert stopped(hyperband(goal="maximize", min_iter=3), at_band([7, 6, 5, 4, 3, 2, 1])) == [3, 4, 5, 6]


def test_ties_survive() -> None:
    assert stopped(hyperband(min_iter=3), at_band([1, 1, 1, 2])) == [3]


def test_the_first_trial_at_a_band_is_not_stopped() -> None:
    assert hyperband(min_iter=3).judge(5, {5: [9.0] * 9, **at_band([1, 1, 1])}) is None


def test_trials_that_have_not_reached_the_band_do_not_count() -> None:
    curves = {0: [5.0, 5.0, 5.0], 1: [1.0, 1.0], 2: [1.0]}
    assert stopped(hyperband(min_iter=3), curves) == []


def test_a_trial_is_judged_at_the_largest_band_it_has_reached() -> None:
    # Worse than the others at value 3, but alone at value 9.
    curves = {0: [9.0] * 9, **{number: [1.0] * 3 for number in range(1, 6)}}
    assert stopped(hyperband(min_iter=3), curves) == []
    assert stopped(hyperband(max_iter=9, s=1), curves) == [0]


def test_strict_looks_at_the_value_at_the_band_and_not_strict_at_the_best_up_to_it() -> None:
    curves = {0: [0.5, 9.0, 9.0], 1: [1.0, 1.0, 1.0], 2: [1.0, 1.0, 1.0]}
    assert stopped(hyperband(min_iter=3), curves) == [0]
    assert stopped(hyperband(min_iter=3, strict=False), curves) == []


def test_values_after_the_band_are_of_no_account() -> None:
    curves = {0: [1.0, 1.0, 5.0, 0.0], 1: [1.0, 1.0, 1.0, 9.0], 2: [1.0, 1.0, 1.0]}
    assert stopped(hyperband(min_iter=3), curves) == [0]


def test_the_reason_has_the_numbers() -> None:
    values = [0.83, 0.3, 0.4, 0.5, 0.55, 0.61, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76]
    curves = {number: [1.0] * 8 + [value] for number, value in enumerate(values)}
    stop = hyperband(min_iter=3).judge(0, curves)
    assert stop is not None
    expected = "val/loss 0.83 is worse than 0.61, the best third of 12 trials at that band"
    assert stop.reason == f"stopped at value 9: {expected}"


def test_the_reason_shows_the_users_sign_and_digits_that_differ() -> None:
    stop = hyperband(goal="maximize", metric="acc", min_iter=1, eta=2).judge(
        0, {0: [0.90001], 1: [0.90002], 2: [0.90003]}
    )
    assert stop is not None
    assert (
        stop.reason == "stopped at value 1: acc 0.90001 is worse than 0.90002, the best half of 3 trials at that band"
    )
