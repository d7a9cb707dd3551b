"""Fit the confidence of automatic answers to the answers of people. Pure.

A two-parameter calibration per criterion, held to identity where answers are few:

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

MIN_ANSWERS = 10
FOLDS = 5
OFTEN = 0.2  # overturned in more than a fifth of the cases, surely so
FEW = 3
MAX_CALLS = 20


def fit(answers: Sequence[LabelledAnswer]) -> PlattCurve:
    """Fit the curve of one criterion. Fewer than ten answers change nothing."""
    if len(answers) < MIN_ANSWERS:
        return PlattCurve(0.0, 1.0, len(answers))
    x = np.array([_logit(answer.confidence) for answer in answers])
    y = np.array([float(answer.agrees) for answer in answers])

    def loss(parameters: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        z = parameters[0] + parameters[1] * x
        return float(
            np.logaddexp(0, z).sum()
            - (y * z).sum()
            + parameters[0] ** 2 / 2
            + 2 * (parameters[1] - 1) ** 2
        )

    minimum = minimize(loss, np.array([0.0, 1.0]), method="BFGS").x
    return PlattCurve(round(float(minimum[0]), 4), round(float(minimum[1]), 4), len(answers))


def record(answers: Sequence[LabelledAnswer]) -> CriterionRecord:
    """Measure how one criterion's automatic answers fared.

    Cross-fitted: the confidence of each answer is calibrated on the other calls' answers.
    """
    agreed = sum(answer.agrees for answer in answers)
    interval = binomtest(agreed, len(answers)).proportion_ci(method="wilson")
    overturned = [answer for answer in answers if not answer.agrees]
    after = None
    if len(answers) >= MIN_ANSWERS:
        errors = []
        for fold in range(FOLDS):
            curve = fit([answer for answer in answers if answer.call_id % FOLDS != fold])
            errors += [
                (curve.apply(answer.confidence) - answer.agrees) ** 2
                for answer in answers
                if answer.call_id % FOLDS == fold
            ]
        after = sum(errors) / len(errors)
    return CriterionRecord(
        form=answers[0].form,
        criterion=answers[0].criterion,
        count=len(answers),
        agreement=agreed / len(answers),
        low=float(interval.low),
        high=float(interval.high),
        brier_before=sum((answer.confidence - answer.agrees) ** 2 for answer in answers)
        / len(answers),
        brier_after=after,
        is_often_overturned=len(overturned) >= FEW
        and 1 - interval.high > OFTEN
        or (len(answers) >= MIN_ANSWERS and len(overturned) / len(answers) > 2 * OFTEN),
        overturned_calls=tuple(
            sorted({answer.call_id for answer in overturned}, reverse=True)[:MAX_CALLS]
        ),
    )


def by_criterion(answers: Iterable[LabelledAnswer]) -> dict[tuple[str, str], list[LabelledAnswer]]:
    groups: dict[tuple[str, str], list[LabelledAnswer]] = defaultdict(list)
    for answer in answers:
        groups[answer.form, answer.criterion].append(answer)
    return dict(sorted(groups.items()))


def _logit(p: float) -> float:
    p = min(0.99, max(0.01, p))
    return math.log(p / (1 - p))
