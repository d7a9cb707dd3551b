"""Summarize customers' ratings and relate them to quality. Pure."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri

from qa.reporting.types.lines import Association, Group, Satisfaction
from qa.statistics.survey_estimators import Mean

MIN_RATED_CALLS = 10  # for a correlation
MIN_RATINGS, MIN_AGENTS = 5, 10  # of an agent; of them
NO_SPREAD = 1e-12


def summarize_ratings(count: int, sums: Mapping[str, float]) -> Satisfaction:
    """Average ratings with a t interval, and correlate them with the automatic scores.

    `sums` has y, yy, n, x, xx, xy (n: rated and checked). The interval of the correlation is by
    Fisher's z, from the sums that the database adds up: `scipy.stats.pearsonr` wants every rating.
    """
    if count == 0:
        return Satisfaction(0, None, None, None)
    mean = sums["y"] / count
    if count < 2:
        return Satisfaction(count, mean, None, None)
    variance = max(0.0, sums["yy"] / count - mean**2) / (count - 1)
    low, high = Mean(mean, variance, count - 1.0).interval()
    low, high = max(0.0, low), min(100.0, high)
    n = sums["n"]
    r = None
    if n >= MIN_RATED_CALLS:
        cov = sums["xy"] - sums["x"] * sums["yc"] / n
        spread = (sums["xx"] - sums["x"] ** 2 / n) * (sums["yyc"] - sums["yc"] ** 2 / n)
        r = max(-1.0, min(1.0, cov / math.sqrt(spread))) if spread > 1e-9 else None
    if r is None or abs(r) >= 1:
        return Satisfaction(count, mean, low, high)
    z, half = math.atanh(r), float(ndtri(0.975)) / math.sqrt(n - 3)
    return Satisfaction(count, mean, low, high, r, math.tanh(z - half), math.tanh(z + half))


def correlate_quality_and_ratings(agents: Sequence[Group]) -> Association | None:
    """Correlate the estimates of agents with their customers' ratings, where enough have both."""
    from scipy.stats import pearsonr  # too slow to load at a web process's start

    pairs = [
        (agent.estimate.value, agent.satisfaction.mean)
        for agent in agents
        if agent.satisfaction and agent.satisfaction.count >= MIN_RATINGS
    ]
    points = sorted((x, y) for x, y in pairs if x is not None and y is not None)
    if len(points) < MIN_AGENTS:
        return None
    x, y = np.array(points).T
    if x.std() < NO_SPREAD or y.std() < NO_SPREAD:
        return None
    correlation = pearsonr(x, y)
    interval = correlation.confidence_interval()
    return Association(
        agents=len(points),
        r=float(correlation.statistic),
        low=float(interval.low),
        high=float(interval.high),
        points=tuple(points),
    )
