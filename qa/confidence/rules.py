"""Confidence learnt from people: a two-parameter calibration per criterion, held to identity where
answers are few. Pure.

logit P(right) = a + b · logit(confidence), with priors a ~ N(0, 1) and b ~ N(1, 0.5²) (Platt 1999,
shrunk).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.stats import binomtest

from qa.checking.types import PlattCurve
from qa.confidence.types import CriterionRecord, LabelledAnswer

ENOUGH = 10
FOLDS = 5
OFTEN = 0.2  # overturned in more than a fifth of the cases, surely so
FEW = 3
SHOWN_CALLS = 20


def fit(judged: Sequence[LabelledAnswer]) -> PlattCurve:
    """The curve for one criterion. Fewer than ten answers change nothing."""
    if len(judged) < ENOUGH:
        return PlattCurve(0.0, 1.0, len(judged))
    x = np.array([_logit(j.confidence) for j in judged])
    y = np.array([float(j.agrees) for j in judged])

    def loss(p: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        z = p[0] + p[1] * x
        return float(np.logaddexp(0, z).sum() - (y * z).sum() + p[0] ** 2 / 2 + 2 * (p[1] - 1) ** 2)

    found = minimize(loss, np.array([0.0, 1.0]), method="BFGS").x
    return PlattCurve(round(float(found[0]), 4), round(float(found[1]), 4), len(judged))


def record(judged: Sequence[LabelledAnswer]) -> CriterionRecord:
    """How one criterion fared.

    Cross-fitted: the confidence of each answer is calibrated on the other calls' answers.
    """
    agreed = sum(j.agrees for j in judged)
    interval = binomtest(agreed, len(judged)).proportion_ci(method="wilson")
    overturned = [j for j in judged if not j.agrees]
    after = None
    if len(judged) >= ENOUGH:
        errors = []
        for fold in range(FOLDS):
            curve = fit([j for j in judged if j.call_id % FOLDS != fold])
            errors += [
                (curve.apply(j.confidence) - j.agrees) ** 2
                for j in judged
                if j.call_id % FOLDS == fold
            ]
        after = sum(errors) / len(errors)
    return CriterionRecord(
        form=judged[0].form,
        criterion=judged[0].criterion,
        count=len(judged),
        agreement=agreed / len(judged),
        low=float(interval.low),
        high=float(interval.high),
        brier_before=sum((j.confidence - j.agrees) ** 2 for j in judged) / len(judged),
        brier_after=after,
        is_often_overturned=len(overturned) >= FEW
        and 1 - interval.high > OFTEN
        or (len(judged) >= ENOUGH and len(overturned) / len(judged) > 2 * OFTEN),
        overturned_calls=tuple(sorted({j.call_id for j in overturned}, reverse=True)[:SHOWN_CALLS]),
    )


def by_criterion(judged: Iterable[LabelledAnswer]) -> dict[tuple[str, str], list[LabelledAnswer]]:
    out: dict[tuple[str, str], list[LabelledAnswer]] = defaultdict(list)
    for j in judged:
        out[j.form, j.criterion].append(j)
    return dict(sorted(out.items()))


def _logit(p: float) -> float:
    p = min(0.99, max(0.01, p))
    return math.log(p / (1 - p))
