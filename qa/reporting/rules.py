"""Honest monthly figures: the difference estimator with one pooled slope. Pure; formulas in docs/decisions/0005-estimation.md.

Sources: Cassel, Särndal, Wretman 1976; Särndal, Swensson, Wretman 1992 (GREG); Angelopoulos et al. 2023 (prediction-powered inference);
Smyth 2004 (moderated variances); Wilson 1927.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma, stdtrit

from qa.reporting.types import AgentTotals, Basis, Estimate, ProjectTotals, Rate, ScoredCall

Z95 = 1.959963984540054
MIN_DEGREES = 5


def wilson(count: int, of: int) -> Rate:
    """A share with its Wilson 95 % interval; without any observation no share."""
    if of == 0:
        return Rate(count, of, None, None, None)
    p, z2 = count / of, Z95**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Rate(count, of, p, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True)
class PooledModel:
    """What all agents share: the slope of human on automatic scores, the residual variance, and how far agents' variances are trusted."""

    slope: float
    slope_spread: float  # S_xx
    variance: float
    degrees: float
    prior_variance: float
    prior_degrees: float

    def moderated(self, variance: float | None, degrees: float) -> tuple[float, float]:
        """An agent's residual variance drawn towards the pooled one, and the degrees of freedom of its t interval."""
        if variance is None or degrees <= 0 or not math.isfinite(self.prior_degrees):
            return self.variance, self.degrees
        total = self.prior_degrees + degrees
        return (self.prior_degrees * self.prior_variance + degrees * variance) / total, total


def fit(cards: Sequence[ScoredCall]) -> PooledModel | None:
    """The pooled slope over all agents' cards, weighted by 1 ÷ probability; None where the cards cannot carry it."""
    groups = by_agent(cards)
    degrees = len(cards) - len(groups) - 1
    if degrees < MIN_DEGREES:
        return None
    usable = all(c.automatic is not None for c in cards)
    sxx = sxy = 0.0
    for rows in groups.values():
        y, x, w = _arrays(rows)
        if usable:
            dx, dy = x - np.average(x, weights=w), y - np.average(y, weights=w)
            relative = w / w.mean()
            sxx += float(np.sum(relative * dx * dx))
            sxy += float(np.sum(relative * dx * dy))
    slope = sxy / sxx if sxx > 1e-9 else 0.0
    variances, freedoms, squares = [], [], 0.0
    for rows in groups.values():
        y, x, w = _arrays(rows)
        e = y - slope * x if usable else y
        deviation = e - np.average(e, weights=w)
        squares += float(np.sum(deviation**2))
        if len(rows) > 1:
            variances.append(float(np.sum(deviation**2)) / (len(rows) - 1))
            freedoms.append(len(rows) - 1.0)
    pooled = squares / degrees
    prior_degrees, prior_variance = moderation(variances, freedoms, pooled)
    return PooledModel(slope if usable else 0.0, sxx, pooled, float(degrees), prior_variance, prior_degrees)


def moderation(variances: Sequence[float], degrees: Sequence[float], pooled: float) -> tuple[float, float]:
    """Prior degrees of freedom and variance by matching moments of log variances (Smyth 2004); infinite degrees: all agents alike."""
    rows = [(v, d) for v, d in zip(variances, degrees, strict=True) if v > 0]
    if len(rows) < 3:
        return math.inf, pooled
    v, d = (np.array(c) for c in zip(*rows, strict=True))
    e = np.log(v) - _digamma(d / 2) + np.log(d / 2)
    spread = float(np.var(e, ddof=1) - np.mean(polygamma(1, d / 2)))
    if spread <= 0:
        return math.inf, pooled
    d0 = 2 * _trigamma_inverse(spread)
    return d0, float(np.exp(np.mean(e) + _digamma(np.array([d0 / 2]))[0] - np.log(d0 / 2)))


def estimate_agent(rows: Sequence[ScoredCall], totals: AgentTotals, model: PooledModel | None, *, minimum: int) -> Estimate:
    """An agent's month: mean residual of the drawn cards plus slope times the automatic mean of all calls."""
    blank = _blank(rows, totals.calls, totals.automatic_mean)
    if not rows or model is None or len(rows) < minimum:
        return blank
    y, x, w = _arrays(rows)
    use_x = model.slope != 0.0 and totals.automatic_mean is not None
    e = y - model.slope * x if use_x else y
    centre = float(np.average(e, weights=w))
    variance = float(np.sum((e - centre) ** 2)) / (len(rows) - 1) if len(rows) > 1 else None
    moderated, degrees = model.moderated(variance, len(rows) - 1.0)
    probabilities = np.array([r.probability for r in rows])
    psi = moderated * float(np.sum(w**2 * (1 - probabilities)) / np.sum(w) ** 2)
    value = centre
    if use_x and totals.automatic_mean is not None:
        value += model.slope * totals.automatic_mean
        psi += (totals.automatic_mean - float(np.average(x, weights=w))) ** 2 * moderated / max(model.slope_spread, 1e-9)
    return _with_interval(blank, value, psi, degrees)


def estimate_group(rows: Sequence[ScoredCall], members: Sequence[AgentTotals | ProjectTotals], model: PooledModel | None, *, minimum: int) -> Estimate:
    """A team, department or the whole: the weighted estimator directly on all its cards, never a mean of agents' figures."""
    calls = sum(m.calls for m in members)
    checked = sum(m.checked for m in members)
    automatic = sum((m.automatic_mean or 0.0) * m.checked for m in members) / checked if checked else None
    blank = _blank(rows, calls, automatic)
    if model is None or len(rows) < max(minimum, 3):
        return blank
    y, x, w = _arrays(rows)
    use_x = model.slope != 0.0 and automatic is not None
    e = y - model.slope * x if use_x else y
    centre = float(np.average(e, weights=w))
    n = len(rows)
    c = (1 - 1 / w) * n / (n - 1)
    scaled = (e - centre) * w
    middle = float(np.sum(c * scaled) / np.sum(c)) if np.sum(c) > 0 else 0.0
    psi = float(np.sum(c * (scaled - middle) ** 2)) / float(np.sum(w)) ** 2
    value = centre + (model.slope * automatic if use_x and automatic is not None else 0.0)
    return _with_interval(blank, value, psi, min(float(n - 1), model.degrees))


def mean_of_cards(scores: Sequence[float]) -> float | None:
    """The plain mean of scores, as vendors print it; cards without a score are out of it."""
    return sum(scores) / len(scores) if scores else None


def _blank(rows: Sequence[ScoredCall], calls: int, automatic: float | None) -> Estimate:
    human = mean_of_cards([r.human for r in rows])
    basis = Basis.TOO_FEW if rows else Basis.NO_CARDS
    return Estimate(basis, len(rows), calls, human_mean=human if len(rows) > 1 else None, automatic_mean=automatic)


def _with_interval(blank: Estimate, value: float, psi: float, degrees: float) -> Estimate:
    half = float(stdtrit(degrees, 0.975)) * math.sqrt(max(psi, 0.0))
    inside = min(100.0, max(0.0, value))
    low, high = max(0.0, value - half), min(100.0, value + half)
    return Estimate(Basis.ESTIMATED, blank.cards, blank.calls, inside, min(low, 100.0), max(high, 0.0), blank.human_mean, blank.automatic_mean)


def by_agent(cards: Sequence[ScoredCall]) -> dict[int, list[ScoredCall]]:
    """The cards of each agent."""
    groups: dict[int, list[ScoredCall]] = {}
    for card in cards:
        groups.setdefault(card.agent_id, []).append(card)
    return groups


def _arrays(rows: Sequence[ScoredCall]) -> tuple["np.ndarray", "np.ndarray", "np.ndarray"]:  # type: ignore[type-arg]  # floats
    y = np.array([r.human for r in rows])
    x = np.array([r.automatic if r.automatic is not None else 0.0 for r in rows])
    w = np.array([1.0 / r.probability for r in rows])
    return y, x, w


def _digamma(x: "np.ndarray") -> "np.ndarray":  # type: ignore[type-arg]  # floats
    return np.asarray(polygamma(0, x))


def _trigamma_inverse(value: float) -> float:
    """Newton's method on 1 ÷ trigamma (Smyth 2004, appendix)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        tri = float(polygamma(1, y))
        step = tri * (1 - tri / value) / float(polygamma(2, y))
        y += step
        if abs(step) < 1e-8 * y:
            break
    return y
