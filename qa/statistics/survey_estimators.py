"""Estimate means of a whole month from a sample and an automatic score of every call.

The difference (GREG) estimator. Arrays in, figures out.

Sources: Cassel, Särndal, Wretman 1976; Särndal, Swensson, Wretman 1992; Angelopoulos et al. 2023
(prediction-powered inference is the same estimator); Smyth 2004 (moderated variances); Hájek 1964
(variance under unequal probabilities). Formulas: docs/statistics.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import polygamma, stdtrit

Floats = npt.NDArray[np.float64]
MIN_DF = 5
# cards; from here on an agent's own variance is steadier than a borrowed one
OWN_VARIANCE_FROM = 12


@dataclass(frozen=True)
class Sample:
    """The scored calls of one agent (or cell).

    Human scores, automatic scores (None: unknown), and the probability with which each was drawn.
    """

    human: Floats
    automatic: Floats | None
    probability: Floats

    def __len__(self) -> int:
        return len(self.human)

    @property
    def weights(self) -> Floats:
        return 1.0 / self.probability

    @property
    def is_noncertainty(self) -> npt.NDArray[np.bool_]:
        """Calls outside the certainty stratum: they could also have been missed.

        Those of the certainty stratum stand for themselves and add no sampling error.
        """
        return self.probability < 1


@dataclass(frozen=True)
class Mean:
    """An estimated mean with its sampling variance and the df of its t interval."""

    value: float
    variance: float
    df: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        half = float(stdtrit(self.df, 0.5 + level / 2)) * math.sqrt(max(self.variance, 0.0))
        return self.value - half, self.value + half


@dataclass(frozen=True)
class PooledModel:
    """Parameters that all agents share: slope of human on automatic scores, variances.

    The prior says how far an agent's own variance is trusted.
    """

    slope: float
    slope_spread: float  # S_xx
    variance: float
    df: float
    prior_variance: float
    prior_df: float

    def moderated(self, variance: float | None, df: float) -> tuple[float, float]:
        """Shrink a residual variance towards the pooled one, with its degrees of freedom."""
        if variance is None or df <= 0 or not math.isfinite(self.prior_df):
            return self.variance, self.df
        total = self.prior_df + df
        return (self.prior_df * self.prior_variance + df * variance) / total, total


def fit(samples: Sequence[Sample]) -> PooledModel | None:
    """Fit the slope pooled over all samples, each about its own mean, weighted by 1 ÷ probability.

    None where the cards cannot carry it.
    """
    rows = [s for s in samples if len(s)]
    total = sum(len(s) for s in rows)
    df = total - len(rows) - 1
    if df < MIN_DF:
        return None
    usable = all(s.automatic is not None for s in rows)
    slope, spread = _slope(rows) if usable else (0.0, 0.0)
    squares, variances, freedoms, free = 0.0, [], [], 0.0
    for s in rows:
        chance = s.is_noncertainty if s.is_noncertainty.any() else np.ones(len(s), dtype=bool)
        e = residuals(s, slope)[chance]
        deviation = e - _mean(e, s.weights[chance])
        square = float(np.sum(deviation**2))
        squares += square
        free += len(e) - 1
        if len(e) > 1:
            variances.append(square / (len(e) - 1))
            freedoms.append(len(e) - 1.0)
    free = max(1.0, free - (1 if spread else 0))
    pooled = squares / free
    prior_df, prior_variance = moderation(variances, freedoms, pooled)
    return PooledModel(slope, spread, pooled, free, prior_variance, prior_df)


def residuals(s: Sample, slope: float) -> Floats:
    return s.human - slope * s.automatic if s.automatic is not None and slope else s.human


def _slope(rows: Sequence[Sample]) -> tuple[float, float]:
    sxx = sxy = 0.0
    for s in rows:
        if s.automatic is None:
            continue
        w = s.weights
        dx, dy = s.automatic - _mean(s.automatic, w), s.human - _mean(s.human, w)
        relative = w / w.mean()
        sxx += float(np.sum(relative * dx * dx))
        sxy += float(np.sum(relative * dx * dy))
    return (sxy / sxx, sxx) if sxx > 1e-9 else (0.0, 0.0)


def moderation(
    variances: Sequence[float], df: Sequence[float], pooled: float
) -> tuple[float, float]:
    """Estimate prior df and variance by matching moments of log variances (Smyth 2004).

    Infinite degrees: all agents alike.
    """
    rows = [(v, d) for v, d in zip(variances, df, strict=True) if v > 0]
    if len(rows) < 3:
        return math.inf, pooled
    v, d = (np.array(c) for c in zip(*rows, strict=True))
    e = np.log(v) - polygamma(0, d / 2) + np.log(d / 2)
    spread = float(np.var(e, ddof=1) - np.mean(polygamma(1, d / 2)))
    if spread <= 0:
        return math.inf, pooled
    d0 = 2 * _trigamma_inverse(spread)
    return d0, float(np.exp(np.mean(e) + float(polygamma(0, d0 / 2)) - math.log(d0 / 2)))


def small_area(s: Sample, model: PooledModel, automatic_mean: float | None) -> Mean:
    """Estimate one agent's month: weighted mean residual plus slope × automatic mean of all calls.

    The residual variance is the agent's own from twelve cards on (t with n − 1), else moderated: a
    few cards say little about their own spread.
    """
    w, p = s.weights, s.probability
    use_x = bool(model.slope) and automatic_mean is not None and s.automatic is not None
    e = residuals(s, model.slope) if use_x else s.human
    centre = _mean(e, w)
    chance = s.is_noncertainty
    k = int(chance.sum())
    own = None
    if k > 1:
        about = _mean(e[chance], w[chance])
        own = float(np.sum((e[chance] - about) ** 2)) / (k - 1)
    # twelve equal cards are no proof that all calls are
    steady = own is not None and own > 0 and k >= OWN_VARIANCE_FROM
    spread, df = (own, k - 1.0) if steady and own is not None else model.moderated(own, k - 1.0)
    variance = spread * float(np.sum(w**2 * (1 - p)) / np.sum(w) ** 2)
    value = centre
    if use_x and automatic_mean is not None and s.automatic is not None:
        value += model.slope * automatic_mean
        distance = automatic_mean - _mean(s.automatic, w)
        variance += distance**2 * model.variance / max(model.slope_spread, 1e-9) if k else 0.0
    return Mean(value, variance, df)


def regression_mean(s: Sample, model: PooledModel, automatic_mean: float | None) -> Mean:
    """Estimate the mean of a team, a department or the whole from all its cards.

    The weighted estimator with Hájek's variance for a fixed-size draw of unequal probabilities.
    """
    w, p, n = s.weights, s.probability, len(s)
    use_x = bool(model.slope) and automatic_mean is not None and s.automatic is not None
    e = residuals(s, model.slope) if use_x else s.human
    centre = _mean(e, w)
    c = (1 - p) * n / (n - 1)
    scaled = (e - centre) * w
    middle = float(np.sum(c * scaled) / np.sum(c)) if np.sum(c) > 0 else 0.0
    variance = float(np.sum(c * (scaled - middle) ** 2)) / float(np.sum(w)) ** 2
    value = centre + (model.slope * automatic_mean if use_x and automatic_mean is not None else 0.0)
    return Mean(value, variance, min(float(n - 1), model.df))


def stratified(parts: Sequence[tuple[float, Mean]]) -> Mean:
    """Combine means of strata by their sizes.

    θ = ΣW_h θ_h, V = ΣW_h² V_h, degrees of freedom by Satterthwaite (1946).
    """
    whole = math.fsum(size for size, _ in parts)
    shares = [(size / whole, m) for size, m in parts if size > 0]
    variance = math.fsum(w * w * m.variance for w, m in shares)
    tail = math.fsum((w * w * m.variance) ** 2 / m.df for w, m in shares if m.df > 0)
    return Mean(
        math.fsum(w * m.value for w, m in shares),
        variance,
        variance**2 / tail if tail > 0 else min(m.df for _, m in shares),
    )


def _mean(values: Floats, weights: Floats) -> float:
    return float(values @ weights) / float(weights.sum())


def rule_of_three(value: float, cards: int) -> tuple[float, float]:
    """Bound a mean where all `cards` drawn by chance have one value of 0–100.

    In 95 of 100 draws at most 1 − 0.05^(1/cards) of the calls are otherwise, at worst 0 or 100.

    Hanley, Lippman-Hand 1983. An interval of no width would claim what nobody knows.
    """
    hidden = 1 - 0.05 ** (1 / cards) if cards else 0.0
    return value - hidden * value, value + hidden * (100 - value)


def welch(first: Mean, second: Mean) -> Mean:
    """Estimate the difference of two independent means, degrees of freedom by Welch (1947).

    Not `scipy.stats.ttest_ind`: the means come from the estimators above, without two samples.
    """
    variance = first.variance + second.variance
    if first.df <= 0 or second.df <= 0 or not variance:
        return Mean(first.value - second.value, variance, min(first.df, second.df))
    tail = first.variance**2 / first.df + second.variance**2 / second.df
    df = variance**2 / tail if tail > 0 else min(first.df, second.df)
    return Mean(first.value - second.value, variance, df)


def neyman(
    sizes: Sequence[float], spreads: Sequence[float], total: float, *, floor: float = 0.0
) -> list[float]:
    """Allocate a sample to strata in proportion to size × residual spread (Neyman 1934).

    None gets less than the floor, none more than its size.

    Strata held by the floor or by their size leave the rest to the others. Where nobody varies, in
    proportion to size.
    """
    shares = [size * spread for size, spread in zip(sizes, spreads, strict=True)]
    if sum(shares) <= 0:
        shares = list(sizes)
    result = [0.0] * len(sizes)
    free, left = {i for i, size in enumerate(sizes) if size > 0}, total
    while free and left > 1e-9:
        whole = sum(shares[i] for i in free)
        even = left / len(free)
        allotted = {i: left * shares[i] / whole if whole > 0 else even for i in free}
        fixed = {i: min(floor, sizes[i]) for i in free if allotted[i] < min(floor, sizes[i])} or {
            i: float(sizes[i]) for i in free if allotted[i] > sizes[i]
        }
        if not fixed:
            for i in free:
                result[i] = allotted[i]
            break
        for i, value in fixed.items():
            result[i] = value
        left -= sum(fixed.values())
        free -= set(fixed)
    # a stratum left at its floor takes what no other could
    room = [size - allocated for size, allocated in zip(sizes, result, strict=True)]
    rest = min(total - sum(result), sum(room))
    return (
        [
            allocated + rest * rest_of_size / sum(room)
            for allocated, rest_of_size in zip(result, room, strict=True)
        ]
        if rest > 1e-9
        else result
    )


def _trigamma_inverse(value: float) -> float:
    """Invert the trigamma function by Newton's method on 1 ÷ trigamma (Smyth 2004, appendix)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        tri = float(polygamma(1, y))
        step = tri * (1 - tri / value) / float(polygamma(2, y))
        y += step
        if abs(step) < 1e-8 * y:
            break
    return y
