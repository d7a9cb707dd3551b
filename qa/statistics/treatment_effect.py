"""Estimate the effect of a training, free of the regression to the mean.

Agents are coached after a bad month, and a bad month is partly bad luck; the next one would be
better anyway (Barnett, van der Pols, Dobson 2005). So nothing here compares with the month that
they were chosen by.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]


class Design(enum.Enum):
    """Study designs by which the effect of a training is estimated, best first."""

    WAITING_LIST = "waiting_list"  # who goes first was drawn by lot
    SECOND_BASELINE = "second_baseline"  # a month after the choice and before the training
    ANCOVA = "ancova"  # all agents, with the score by which they were chosen as covariate


@dataclass(frozen=True)
class Effect:
    """Points gained by the training, with 95 % interval and the p value of "no effect"."""

    design: Design
    value: float
    low: float
    high: float
    p_value: float
    coached: int
    others: int


def ancova(
    before: Sequence[float],
    after: Sequence[float],
    coached: Sequence[bool],
    *,
    design: Design = Design.ANCOVA,
) -> Effect | None:
    """Fit the later score by least squares on the score of the choice and on having been coached.

    None where the data cannot carry three coefficients.

    Because the choice depends on that earlier score alone, the coefficient is free of the
    regression to the mean. HC3 standard errors (Long, Ervin 2000).
    """
    n, k = len(after), 3
    y, t, covariate = (np.asarray(column, float) for column in (after, coached, before))
    if n - k < 2 or t.sum() < 2 or (1 - t).sum() < 2:
        return None
    x = np.column_stack([np.ones(n), t, covariate - covariate.mean()])
    if np.linalg.matrix_rank(x) < k:
        return None
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    e = (y - x @ beta) / np.maximum(1 - leverage, 1e-6)
    variance = float((bread @ (x.T * e**2) @ x @ bread)[1, 1])
    return _effect(design, float(beta[1]), variance, float(n - k), int(t.sum()), int((1 - t).sum()))


def second_baseline(
    coached: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> Effect | None:
    """Compare the changes of coached and others from a second baseline (diff in diff).

    Pairs (baseline, after): the baseline is a month after the choice and before the training.
    """
    changes = [
        np.array([after - before for before, after in pairs], float) for pairs in (coached, others)
    ]
    return _two_samples(Design.SECOND_BASELINE, *changes)


def waiting_list(
    first: Sequence[float],
    waiting: Sequence[float],
    before: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Effect | None:
    """Compare those who were drawn to go first with those who wait.

    With earlier scores given, adjusted for these (which sharpens it, no more).
    """
    if before is not None:
        adjusted = ancova(
            [*before[0], *before[1]],
            [*first, *waiting],
            [True] * len(first) + [False] * len(waiting),
            design=Design.WAITING_LIST,
        )
        if adjusted is not None:
            return adjusted
    return _two_samples(Design.WAITING_LIST, np.asarray(first, float), np.asarray(waiting, float))


def _two_samples(design: Design, coached: Floats, others: Floats) -> Effect | None:
    """Compare two independent samples by Welch's t test."""
    from scipy.stats import ttest_ind  # too slow to load at a web process's start

    if len(coached) < 2 or len(others) < 2:
        return None
    value = float(coached.mean() - others.mean())
    sizes = len(coached), len(others)
    if not np.ptp(coached) and not np.ptp(others):  # no variance: nothing to test by
        return Effect(design, value, value, value, float(value == 0), *sizes)
    test = ttest_ind(coached, others, equal_var=False)
    interval = test.confidence_interval()
    return Effect(
        design, value, float(interval.low), float(interval.high), float(test.pvalue), *sizes
    )


def _effect(
    design: Design, value: float, variance: float, df: float, coached: int, others: int
) -> Effect:
    error = math.sqrt(variance)
    half = float(stdtrit(df, 0.975)) * error
    p_value = 2 * float(stdtr(df, -abs(value) / error)) if error > 0 else float(value == 0)
    return Effect(design, value, value - half, value + half, p_value, coached, others)
