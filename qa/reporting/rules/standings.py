"""Compare agents with each other: shrunken values, letter groups, bias of the checks. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

import numpy as np
from scipy.special import stdtr

from qa.reporting.rules.estimates import sample_of
from qa.reporting.types.estimate import Estimate, ScoredCall, Standing
from qa.statistics import proportions
from qa.statistics.shrinkage import Posterior, compact_letter_display, hierarchical
from qa.statistics.survey_estimators import PooledModel, residuals

BIAS_RATE = 0.10  # false-discovery rate of the list of agents whom the checks rate wrongly
MIN_FOR_GROUPS, MIN_FOR_SHRINKAGE = 3, 4


def standings(
    estimates: Mapping[int, Estimate],
    rows: Mapping[int, Sequence[ScoredCall]],
    model: PooledModel | None,
    *,
    target: float | None,
) -> dict[int, Standing]:
    """Compare each agent with the others: shrunken value, letter groups, bias of the checks."""
    biases = _check_biases(rows, model)
    standing_of = {
        agent_id: Standing(bias=biases[agent_id].points, is_bias_sure=biases[agent_id].is_sure)
        if agent_id in biases
        else Standing()
        for agent_id in estimates
    }
    usable = {
        agent_id: (estimate.value, estimate.standard_error**2)
        for agent_id, estimate in estimates.items()
        if estimate.value is not None and estimate.standard_error is not None
    }
    if len(usable) < MIN_FOR_GROUPS:
        return standing_of
    agent_ids = list(usable)
    values = [value for value, _ in usable.values()]
    variances = [variance for _, variance in usable.values()]
    automatic = [estimates[agent_id].automatic_mean for agent_id in agent_ids]
    posterior = _shrink(values, variances, automatic, model, target=target)
    letters = _letters(compact_letter_display(values, variances), len(usable))
    for place, position in enumerate(np.argsort(values, kind="stable")):
        i = int(position)
        mean = under = None
        if posterior is not None:
            mean = min(100.0, max(0.0, float(posterior.means[i])))
            under = None if posterior.under is None else float(posterior.under[i])
        standing_of[agent_ids[i]] = replace(
            standing_of[agent_ids[i]], shrunken=mean, under_target=under, apart=letters[place]
        )
    return standing_of


def _shrink(
    values: Sequence[float],
    variances: Sequence[float],
    automatic: Sequence[float | None],
    model: PooledModel | None,
    *,
    target: float | None,
) -> Posterior | None:
    """Shrink the values towards each other, on the automatic means where all agents have one."""
    if len(values) < MIN_FOR_SHRINKAGE:
        return None
    covariate = [x for x in automatic if x is not None]
    is_usable = len(covariate) == len(values) >= 2 * MIN_FOR_SHRINKAGE
    if model is None or not model.slope or not is_usable:
        return hierarchical(values, variances, target=target)
    return hierarchical(values, variances, covariate, target=target)


def _letters(runs: Sequence[tuple[int, int]], count: int) -> list[str]:
    """Name the letter groups that each place belongs to.

    Of many groups only the first and the last are named; one group of all needs no letter.
    """
    if len(runs) <= 1:
        return ["="] * count
    names = [_letter(i) for i in range(len(runs))]
    return [
        _join_letters(
            [
                name
                for name, (first, last) in zip(names, runs, strict=True)
                if first <= place <= last
            ]
        )
        for place in range(count)
    ]


def _letter(i: int) -> str:
    """Name the i-th group: A…Z, AA, AB and so on."""
    hundreds, rest = divmod(i, len(ascii_uppercase))
    return (ascii_uppercase[hundreds - 1] if hundreds else "") + ascii_uppercase[rest]


def _join_letters(names: Sequence[str]) -> str:
    return "".join(names) if len(names) <= 3 else f"{names[0]}–{names[-1]}"


@dataclass(frozen=True)
class _CheckBias:
    """Points by which the checks rate an agent's calls too high (+), and whether that is sure."""

    points: float
    is_sure: bool


def _check_biases(
    rows: Mapping[int, Sequence[ScoredCall]], model: PooledModel | None
) -> dict[int, _CheckBias]:
    """Estimate per agent by how much the checks rate too high (+) against the other agents.

    Sure are those that t tests reject, cut by Benjamini and Hochberg.
    """
    if model is None or not model.slope:
        return {}
    samples = {agent_id: sample_of(cards) for agent_id, cards in rows.items() if len(cards) >= 2}
    means = {
        agent_id: float(np.average(residuals(sample, model.slope), weights=sample.weights))
        for agent_id, sample in samples.items()
    }
    if len(means) < 2:
        return {}
    sizes = {agent_id: len(sample) for agent_id, sample in samples.items()}
    centre = math.fsum(means[a] * sizes[a] for a in means) / sum(sizes.values())
    p_values = {}
    for agent_id, mean in means.items():
        error = math.sqrt(max(model.variance / sizes[agent_id], 1e-12))
        p_values[agent_id] = 2 * float(stdtr(model.df, -abs(mean - centre) / error))
    ordered = sorted(p_values, key=lambda agent_id: p_values[agent_id])
    sure = set(ordered[: proportions.benjamini_hochberg(list(p_values.values()), rate=BIAS_RATE)])
    return {a: _CheckBias(centre - mean, a in sure) for a, mean in means.items()}
