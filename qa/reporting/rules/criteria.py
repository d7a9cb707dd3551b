"""Estimate how often each criterion is lost and what that costs. Pure."""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from qa.reporting.types.estimate import Change, Rate, ScoredCall, Tally
from qa.statistics import proportions


@dataclass(frozen=True)
class WeightSums:
    """Σw and Σw² of scorecards, w = 1 ÷ probability."""

    weight: float
    squares: float


def weight_sums(cards: list[ScoredCall]) -> WeightSums:
    """Add up the weights of scorecards and their squares."""
    return WeightSums(
        sum(1 / card.probability for card in cards),
        sum(1 / card.probability**2 for card in cards),
    )


def loss_rate(tally: Tally) -> Rate:
    """Estimate how often a criterion is lost, with its interval on all calls.

    Each scorecard weighs 1 ÷ its probability.
    """
    share = proportions.weighted_share(tally.missed_weight, tally.weight, tally.squares)
    return Rate(tally.lost, tally.counted, share.value, share.low, share.high)


def points_lost(tally: Tally, weight: float) -> float | None:
    """Estimate what a criterion costs of the 100 points, per call of the month."""
    return tally.lost_weight / weight if weight > 0 else None


def score_change(
    current: Tally | None,
    previous: Tally | None,
    current_weights: WeightSums,
    previous_weights: WeightSums,
    *,
    criteria: int = 1,
) -> Change | None:
    """Estimate by how much a criterion moved the score since the month before.

    The interval holds for all `criteria` at once (Bonferroni): of twenty looked at, one would else
    seem to have moved by chance alone.
    """
    if current_weights.weight <= 0 or previous_weights.weight <= 0:
        return None
    current_loss, current_variance = _mean_loss(current, current_weights)
    previous_loss, previous_variance = _mean_loss(previous, previous_weights)
    half = float(ndtri(1 - 0.025 / max(1, criteria)))
    half *= math.sqrt(current_variance + previous_variance)
    value = previous_loss - current_loss
    return Change(value, value - half, value + half)


def _mean_loss(tally: Tally | None, weights: WeightSums) -> tuple[float, float]:
    """Estimate the points lost per call, with the variance of that mean."""
    if tally is None:
        return 0.0, 0.0
    mean = tally.lost_weight / weights.weight
    squares = tally.lost_square - 2 * mean * tally.lost_cross + mean * mean * weights.squares
    return mean, max(0.0, squares) / weights.weight**2
