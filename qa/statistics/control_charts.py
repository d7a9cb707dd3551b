"""Control charts: tell chance from change over time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    centre: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    outside: tuple[int, ...]  # positions, from 0


def p_chart(counts: Sequence[float], sizes: Sequence[float]) -> Limits:
    """Compute Shewhart's chart of shares: pooled share ± 3 standard errors of each sample.

    Montgomery, Introduction to Statistical Quality Control.

    Sizes may be effective ones.
    """
    centre = sum(counts) / sum(sizes)
    halves = [3 * math.sqrt(centre * (1 - centre) / n) for n in sizes]
    low = tuple(max(0.0, centre - h) for h in halves)
    high = tuple(min(1.0, centre + h) for h in halves)
    outside = tuple(
        i
        for i, (c, n) in enumerate(zip(counts, sizes, strict=True))
        if not low[i] <= c / n <= high[i]
    )
    return Limits(centre, low, high, outside)


def individuals_chart(values: Sequence[float], variances: Sequence[float]) -> Limits:
    """Compute limits at 3 standard errors of each estimate about their weighted mean.

    For estimates that bring their own variance.
    """
    weights = [1 / max(v, 1e-9) for v in variances]
    centre = math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)
    halves = [3 * math.sqrt(max(v, 0.0)) for v in variances]
    low, high = tuple(centre - h for h in halves), tuple(centre + h for h in halves)
    return Limits(
        centre, low, high, tuple(i for i, v in enumerate(values) if not low[i] <= v <= high[i])
    )


@dataclass(frozen=True)
class Cusum:
    high: tuple[float, ...]
    low: tuple[float, ...]
    first_alarm: int | None  # position, from 0


def cusum(values: Sequence[float], *, target: float, slack: float, limit: float) -> Cusum:
    """Compute Page's cumulative sums, with an alarm above the limit (NIST handbook 6.3.2.3).

    S⁺ = max(0, S⁺ + x − target − slack) and the mirror image.
    """
    up = down = 0.0
    highs, lows, alarm = [], [], None
    for i, x in enumerate(values):
        up, down = max(0.0, up + x - target - slack), max(0.0, down + target - slack - x)
        highs.append(up)
        lows.append(down)
        if alarm is None and max(up, down) > limit:
            alarm = i
    return Cusum(tuple(highs), tuple(lows), alarm)


def funnel(
    centre: float, variances: Sequence[float], values: Sequence[float]
) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Compute limits (95 %) of a funnel plot, widened where units differ more than by chance.

    The factor φ ≥ 1 and the limits (Spiegelhalter 2005).
    """
    z = [(v - centre) / math.sqrt(max(p, 1e-9)) for v, p in zip(values, variances, strict=True)]
    phi = max(1.0, math.fsum(x * x for x in z) / len(z)) if z else 1.0
    return phi, tuple(
        (centre - 1.959964 * math.sqrt(phi * p), centre + 1.959964 * math.sqrt(phi * p))
        for p in variances
    )
