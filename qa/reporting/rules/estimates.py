"""Estimate mean scores and rates of agents, teams and the whole from scored calls.

Pure; the formulas are in `qa.statistics`, the reasons in docs/decisions/0005-estimation.md.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from qa.reporting.types.estimate import (
    Basis,
    Change,
    Estimate,
    Rate,
    ScoredCall,
    Totals,
    Verdict,
)
from qa.statistics import proportions
from qa.statistics.survey_estimators import (
    Mean,
    PooledModel,
    Sample,
    fit,
    regression_mean,
    rule_of_three,
    small_area,
    welch,
)

NO_SPREAD = 1e-12


def wilson(count: int, of: int) -> Rate:
    """Estimate a share with its Wilson 95 % interval; without any observation no share."""
    share = proportions.wilson(count, of)
    return Rate(count, of, share.value, share.low, share.high)


def by_agent(cards: Iterable[ScoredCall]) -> dict[int, list[ScoredCall]]:
    """Group scorecards by agent."""
    groups: dict[int, list[ScoredCall]] = {}
    for card in cards:
        groups.setdefault(card.agent_id, []).append(card)
    return groups


def sample_of(rows: Sequence[ScoredCall], severity: Mapping[int, float] | None = None) -> Sample:
    """Put scored calls into arrays.

    With severities given, each score is what the average evaluator would have given.
    """
    if not rows:
        return Sample(np.array([]), np.array([]), np.array([]))
    _agents, scores, checked, chances, _projects, evaluators, *_others = zip(*rows, strict=True)
    human = np.array(scores, float)
    if severity:  # a critical breach is 0 whoever scored it
        shifts = np.array([severity.get(evaluator, 0.0) for evaluator in evaluators])
        human = np.where(human > 0, human - shifts, human)
    automatic = None if None in checked else np.array(checked, float)
    return Sample(human, automatic, np.array(chances, float))


def model_of(
    cards: Sequence[ScoredCall], severity: Mapping[int, float] | None = None
) -> PooledModel | None:
    """Fit what all agents of a month share; None where the cards cannot carry it."""
    samples = [sample_of(rows, severity) for rows in by_agent(cards).values()]
    if any(sample.automatic is None for sample in samples):
        samples = [Sample(sample.human, None, sample.probability) for sample in samples]
    return fit(samples)


def estimate_agent(
    rows: Sequence[ScoredCall],
    totals: Totals,
    model: PooledModel | None,
    *,
    minimum: int,
    severity: Mapping[int, float] | None = None,
) -> Estimate:
    """Estimate an agent's month: mean residual of the cards plus slope × automatic mean."""
    if not rows or model is None or len(rows) < minimum:
        return _no_estimate(rows, totals)
    mean = small_area(sample_of(rows, severity), model, totals.automatic_mean)
    return _estimate(mean, rows, totals)


def estimate_group(
    rows: Sequence[ScoredCall],
    totals: Totals,
    model: PooledModel | None,
    *,
    minimum: int,
    severity: Mapping[int, float] | None = None,
) -> Estimate:
    """Estimate a team, department or the whole directly on all its cards.

    Never as a mean of agents' figures.
    """
    if model is None or len(rows) < max(minimum, 3):
        return _no_estimate(rows, totals)
    mean = regression_mean(sample_of(rows, severity), model, totals.automatic_mean)
    return _estimate(mean, rows, totals)


def mean_of_cards(scores: Sequence[float]) -> float | None:
    """Average scores without weights, as vendors print it; cards without a score are out of it."""
    return sum(scores) / len(scores) if scores else None


def _no_estimate(rows: Sequence[ScoredCall], totals: Totals) -> Estimate:
    """Say why there is no figure."""
    return Estimate(
        basis=Basis.TOO_FEW if rows else Basis.NO_CARDS,
        cards=len(rows),
        calls=totals.calls,
        human_mean=_human_mean(rows),
        automatic_mean=totals.automatic_mean,
    )


def _human_mean(rows: Sequence[ScoredCall]) -> float | None:
    """Average the scores of two cards or more; a single score is not shown as a mean."""
    return mean_of_cards([row.human for row in rows]) if len(rows) > 1 else None


def _estimate(mean: Mean, rows: Sequence[ScoredCall], totals: Totals) -> Estimate:
    """Bound an estimated mean and its interval to the scale of 0–100."""
    value = min(100.0, max(0.0, mean.value))
    if mean.variance > NO_SPREAD:
        low, high = mean.interval()
    else:
        low, high = rule_of_three(value, sum(row.probability < 1 for row in rows))
    low, high = min(max(0.0, low), 100.0), max(min(100.0, high), 0.0)
    if mean.variance > NO_SPREAD:
        error = math.sqrt(mean.variance)
    else:
        error = (high - low) / (2 * proportions.Z95)
    return Estimate(
        basis=Basis.ESTIMATED,
        cards=len(rows),
        calls=totals.calls,
        value=value,
        low=low,
        high=high,
        human_mean=_human_mean(rows),
        automatic_mean=totals.automatic_mean,
        standard_error=error,
        degrees=mean.df,
    )


def with_stand_ins(
    cards: Sequence[ScoredCall], means: Mapping[int, float | None], whole: float | None
) -> list[ScoredCall]:
    """Give cards of calls that no check has scored their agent's automatic mean.

    That is what such calls have in the mean of all calls too.

    So a few unchecked calls do not cost everybody the help of the checks. An agent of whom nothing
    was checked gets the mean of the whole; where that is missing too nothing stands in.
    """
    if whole is None:
        return list(cards)
    filled = []
    for card in cards:
        mean = means.get(card.agent_id)
        stand_in = whole if mean is None else mean
        filled.append(card if card.automatic is not None else card._replace(automatic=stand_in))
    return filled


def critical_rate(rows: Sequence[ScoredCall], totals: Totals) -> Rate:
    """Estimate the share of calls with a critical breach, flagged calls and others apart.

    The strata are put together by their numbers.

    Where every flagged call was heard they add no uncertainty. Wilson intervals on effective
    numbers, combined by MOVER (Zou, Donner 2008).
    """
    breaches = sum(row.is_breach for row in rows)
    if not rows or not totals.calls:
        return Rate(breaches, len(rows), None, None, None)
    value = below = above = 0.0
    for is_flagged, size in ((True, totals.flagged), (False, totals.calls - totals.flagged)):
        if not size:
            continue
        stratum = [row for row in rows if row.is_flagged is is_flagged]
        share, low, high = _breach_share(stratum, size, otherwise=breaches / len(rows))
        part = size / totals.calls
        value += part * share
        below += (part * (share - low)) ** 2
        above += (part * (high - share)) ** 2
    low, high = max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    return Rate(breaches, len(rows), value, low, high)


def _breach_share(
    stratum: Sequence[ScoredCall], size: int, *, otherwise: float
) -> tuple[float, float, float]:
    """Estimate the share of breaches in a stratum of `size` calls, with its interval.

    Where nothing of it was heard all between none and all is possible, and `otherwise` is the best
    guess.
    """
    if not stratum:
        return otherwise, 0.0, 1.0
    weights = [1 / row.probability for row in stratum]
    weight = sum(weights)
    effective = weight**2 / sum(w * w for w in weights)
    share = sum(w for w, row in zip(weights, stratum, strict=True) if row.is_breach) / weight
    interval = proportions.wilson(share * effective, effective)
    correction = math.sqrt(max(0.0, 1 - len(stratum) / size))  # finite population
    low = share - correction * (share - (interval.low or 0.0))
    high = share + correction * ((interval.high or 0.0) - share)
    return share, low, high


def verdict(
    value: float | None,
    low: float | None,
    high: float | None,
    target: float,
    *,
    at_most: bool = False,
) -> Verdict:
    """Judge a figure against a target: met or not met only where the whole interval says so."""
    if value is None or low is None or high is None:
        return Verdict.NO_FIGURE
    if at_most:
        low, high, target = -high, -low, -target
    if low >= target:
        return Verdict.MET
    return Verdict.NOT_MET if high < target else Verdict.CANNOT_TELL


def change(current: Estimate, previous: Estimate) -> Change | None:
    """Estimate the difference of two months that share no card."""
    means = _mean_of(current), _mean_of(previous)
    if means[0] is None or means[1] is None:
        return None
    difference = welch(means[0], means[1])
    low, high = difference.interval()
    return Change(difference.value, low, high)


def _mean_of(estimate: Estimate) -> Mean | None:
    if estimate.value is None or estimate.standard_error is None:
        return None
    return Mean(estimate.value, estimate.standard_error**2, estimate.degrees or 1.0)


def fails_cost(cards: Sequence[ScoredCall]) -> float | None:
    """Estimate what critical fails cost of the 100 points, per call."""
    weight = sum(1 / card.probability for card in cards)
    lost = sum(
        (card.without_fails - card.human) / card.probability
        for card in cards
        if card.without_fails is not None
    )
    return lost / weight if weight else None


def model_facts(model: PooledModel | None) -> dict[str, Any]:
    """Describe the model that a report rests on."""
    if model is None:
        return {}
    return {
        "residual_deviation": round(model.variance**0.5, 2),
        "degrees": round(model.df),
        "prior_degrees": round(min(model.prior_df, 9999.0), 1),
    }


def report_notes(
    cards: Sequence[ScoredCall], model: PooledModel | None, *, unchecked: int = 0
) -> tuple[str, ...]:
    """List what a reader must know about the figures, as codes that pages put into words."""
    notes = []
    if model is None:
        notes.append("too_few_cards")
    if cards and any(c.automatic is None for c in cards):
        notes.append("human_only")
    elif unchecked:
        notes.append("some_unchecked")
    if len(cards) > 1 and len({c.human for c in cards}) == 1:
        notes.append("no_spread")
    if cards and len({c.evaluator_id for c in cards}) == 1:
        notes.append("one_evaluator")
    if any(c.probability < 1 for c in cards) and len({round(c.probability, 6) for c in cards}) > 1:
        notes.append("unequal_probabilities")
    return tuple(notes)
