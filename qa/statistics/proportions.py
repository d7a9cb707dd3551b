"""Estimate shares with their intervals, and cut lists at an error rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Proportion:
    """`value` (0–1) with its 95 % interval; None where nothing was counted."""

    value: float | None
    low: float | None
    high: float | None


def wilson(count: float, of: float) -> Proportion:
    """Compute Wilson's score interval (Wilson 1927; values in Newcombe 1998).

    `of` may be an effective number of observations.
    """
    if of <= 0:
        return Proportion(None, None, None)
    p, z2 = count / of, Z95**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Proportion(p, max(0.0, middle - half), min(1.0, middle + half))


def effective_sample_size(weight: float, squares: float) -> float:
    """Count the equally drawn observations that tell as much: (Σw)² ÷ Σw², w = 1 ÷ probability.

    Their number where all weigh the same (Kish 1965).
    """
    return weight * weight / squares if squares > 0 else 0.0


def equivalent_sample_size(low: float, high: float) -> float:
    """Find the sample size at which Wilson's interval would be as narrow as this one.

    About the same middle, by bisection.
    """
    few, many = 1e-3, 1e9
    for _ in range(60):
        n = math.sqrt(few * many)
        # the share that has its Wilson interval there
        middle = (low + high) / 2 * (1 + Z95**2 / n) - Z95**2 / (2 * n)
        s = wilson(min(1.0, max(0.0, middle)) * n, n)
        few, many = (n, many) if (s.high or 0.0) - (s.low or 0.0) > high - low else (few, n)
    return few


def weighted_share(hits: float, weight: float, squares: float) -> Proportion:
    """Estimate a share from observations drawn with different probabilities.

    Σw over the hits ÷ Σw, Wilson's interval on the effective number.
    """
    n = effective_sample_size(weight, squares)
    return wilson(hits / weight * n, n) if n > 0 else wilson(0, 0)


def benjamini_hochberg(p_values: Sequence[float], *, rate: float) -> int:
    """Count the hypotheses that are rejected, smallest p first (Benjamini, Hochberg 1995)."""
    from scipy.stats import false_discovery_control  # too slow to load at a web process's start

    return int((false_discovery_control(p_values) <= rate).sum()) if p_values else 0


def fdr_cutoff(probabilities: Sequence[float], *, rate: float) -> int:
    """Count the statements that may be acted on, most probable first.

    The longest prefix whose mean chance of being wrong is within the rate.
    """
    wrong, count = 0.0, 0
    for i, p in enumerate(sorted(probabilities, reverse=True), start=1):
        wrong += 1 - p
        if wrong / i <= rate:
            count = i
    return count
