"""Did it help? Estimates that are not fooled by the return to the mean.

Agents are coached after a bad month, and a bad month is partly bad luck; the next one would be
better anyway (Barnett, van der Pols, Dobson 2005). So nothing here compares with the month that
they were chosen by.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit


class Design(enum.Enum):
    """How the effect of a training can be known, best first."""

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
    """Least squares of the later score on the score of the choice and on having been coached.

    None where the data cannot carry three coefficients.

    Because the choice depends on that earlier score alone, the coefficient is free of the return to
    the mean. HC3 standard errors (Long, Ervin 2000).
    """
    y, t = np.asarray(after, float), np.asarray(coached, float)
    x = (
        np.column_stack(
            [
                np.ones(len(y)),
                t,
                np.asarray(before, float) - float(np.mean(before)) if len(y) else [],
            ]
        )
        if len(y)
        else np.empty((0, 3))
    )
    n, k = x.shape
    if n - k < 2 or t.sum() < 2 or (1 - t).sum() < 2 or np.linalg.matrix_rank(x) < k:
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
    """Difference in differences between a month after the choice, before the training, and a month
    after it: pairs (baseline, after).
    """
    a, b = (
        np.array([after - before for before, after in rows], float) for rows in (coached, others)
    )
    return _two_samples(Design.SECOND_BASELINE, a, b)


def waiting_list(
    first: Sequence[float],
    waiting: Sequence[float],
    before: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Effect | None:
    """Those who were drawn to go first against those who wait; with earlier scores given, adjusted
    for these (which sharpens it, no more).
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


def return_to_the_mean(
    mean: float, deviation: float, cut: float, reliability: float
) -> tuple[float, float]:
    """By how much those under a cut rise without any training: the expected rise, and C(z) (Barnett
    et al. 2005).
    """
    z = (mean - cut) / deviation
    c = math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / float(ndtr(-z))
    return deviation * (1 - reliability) * c, c


# floats
def _two_samples(design: Design, a: "np.ndarray", b: "np.ndarray") -> Effect | None:  # type: ignore[type-arg]
    if len(a) < 2 or len(b) < 2:
        return None
    va, vb = float(np.var(a, ddof=1)) / len(a), float(np.var(b, ddof=1)) / len(b)
    tail = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
    df = (va + vb) ** 2 / tail if tail > 0 else float(len(a) + len(b) - 2)
    return _effect(design, float(a.mean() - b.mean()), va + vb, df, len(a), len(b))


def _effect(
    design: Design, value: float, variance: float, df: float, coached: int, others: int
) -> Effect:
    error = math.sqrt(variance)
    half = float(stdtrit(df, 0.975)) * error
    p = 2 * float(stdtr(df, -abs(value) / error)) if error > 0 else float(value == 0)
    return Effect(design, value, value - half, value + half, p, coached, others)
