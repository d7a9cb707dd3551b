"""Who needs training in what: a hierarchical beta-binomial model over three months, cut at a false-discovery rate. Pure.

Why not a plain threshold: over six calls it gives 69 % false flags (design/STATISTICS.md, 4.1).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import betainc, betaln

from qa.training.types import Counts

MONTHS = 3
TARGET = 0.8
FALSE_DISCOVERY_RATE = 0.10
ACT_AT = 0.8
WATCH_AT = 0.5
MIN_CARDS = 3
MEANS = np.linspace(0.02, 0.98, 49)
STRENGTHS = np.exp(np.linspace(np.log(1.5), np.log(80.0), 24))


def probabilities_under(counts: Sequence[Counts], *, target: float = TARGET) -> list[float]:
    """For each agent of one criterion: the probability that the true rate is under the target.

    Agents' rates come from one beta distribution; its mean and strength are integrated over a grid with flat priors on the mean and
    on the logarithm of the strength.
    """
    if not counts:
        return []
    kept = np.array([c.kept for c in counts])
    lost = np.array([c.of for c in counts]) - kept
    a = (MEANS[:, None] * STRENGTHS[None, :]).ravel()
    b = ((1 - MEANS)[:, None] * STRENGTHS[None, :]).ravel()
    log_likelihood = (betaln(a[:, None] + kept, b[:, None] + lost) - betaln(a, b)[:, None]).sum(axis=1)
    weight = np.exp(log_likelihood - log_likelihood.max())
    weight /= weight.sum()
    under = betainc(a[:, None] + kept, b[:, None] + lost, target)
    return [float(p) for p in weight @ under]


def discoveries(probabilities: Sequence[float], *, rate: float = FALSE_DISCOVERY_RATE) -> int:
    """How many of the probabilities (largest first) may be acted on: the longest prefix whose mean chance of being wrong is within the rate."""
    ordered = sorted(probabilities, reverse=True)
    wrong, count = 0.0, 0
    for i, p in enumerate(ordered, start=1):
        wrong += 1 - p
        if wrong / i <= rate:
            count = i
    return count


def benjamini_hochberg(p_values: Sequence[float], *, rate: float) -> int:
    """How many hypotheses are rejected (Benjamini, Hochberg 1995)."""
    ordered = sorted(p_values)
    return max((i for i, p in enumerate(ordered, start=1) if p <= i * rate / len(ordered)), default=0)
