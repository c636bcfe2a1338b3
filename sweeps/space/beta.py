"""The regularised incomplete beta function and its inverse, which the standard library lacks."""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_TERMS = 20_000  # terms grow with sqrt(max(a, b)); the parser refuses a and b beyond 1e6


def beta_cdf(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) that is at most `x`."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x),
    )
    # The fraction converges fast on one side of the mean only; the other side follows by symmetry.
    if x < (a + 1.0) / (a + b + 2.0):
        share = front * _continued_fraction(x, a, b) / a
    else:
        share = 1.0 - front * _continued_fraction(1.0 - x, b, a) / b
    return min(max(share, 0.0), 1.0)


def beta_quantile(u: float, a: float, b: float) -> float:
    """The `x` with beta_cdf(x) == u, by bisection down to neighbouring floats."""
    if u <= 0.0:
        return 0.0
    if u >= 1.0:
        return 1.0
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2.0
        if middle in {low, high}:
            return middle
        if beta_cdf(middle, a, b) < u:
            low = middle
        else:
            high = middle


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's evaluation of the continued fraction of the incomplete beta function."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    result = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d, c = 1.0 / _not_zero(1.0 + even * d), _not_zero(1.0 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d, c = 1.0 / _not_zero(1.0 + odd * d), _not_zero(1.0 + odd / c)
        result *= d * c
        if abs(d * c - 1.0) < _PRECISION:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
