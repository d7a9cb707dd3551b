"""Compute figures on evaluators, criteria and checks. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from qa.fairness.types import CheckLine, CriterionAgreement, Item, MonthAgreement, Pair, Shift
from qa.months import Month
from qa.statistics import agreement, proportions
from qa.statistics.severity import SeverityModel

CEILING, SELDOM, LOW_ALPHA, REDUNDANT = 0.98, 0.95, 0.4, 0.9
MIN_ANSWERS, MIN_PAIRS = 20, 10
LISTED_RATE = 0.05
Titles = Mapping[str, dict[str, str]]


def month_agreement(month: Month, pairs: Sequence[Pair]) -> MonthAgreement:
    """Measure agreement on the score of doubly scored calls; no figure from fewer than ten."""
    scores = [
        (pair.first, pair.second)
        for pair in pairs
        if pair.first is not None and pair.second is not None
    ]
    table = np.array(scores, float).reshape(-1, 2)
    distance = float(np.abs(table[:, 0] - table[:, 1]).mean()) if len(table) else None
    if len(table) < MIN_PAIRS:
        return MonthAgreement(month, len(table), None, None, None, distance)
    alpha = pair_alpha(table)
    low = high = None
    resampled = agreement.bootstrap(lambda picks: pair_alpha(table[picks]), len(table))
    if alpha is not None and len(resampled):
        low, high = (float(bound) for bound in np.quantile(resampled, (0.025, 0.975)))
    return MonthAgreement(month, len(table), alpha, low, high, distance)


def pair_alpha(table: npt.NDArray[np.float64]) -> float | None:
    """Compute Krippendorff's alpha (interval) of two ratings per unit, in closed form.

    1 − mean squared difference ÷ twice the pooled variance.
    """
    spread = 2 * float(table.var(ddof=1))
    return 1 - float(((table[:, 0] - table[:, 1]) ** 2).mean()) / spread if spread > 0 else None


def by_criterion(pairs: Sequence[Pair], titles: Titles) -> tuple[CriterionAgreement, ...]:
    """Measure agreement on each criterion, the lowest first.

    Those with fewer than ten pairs have no coefficient.
    """
    answers: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        for criterion, both in pair.answers.items():
            answers.setdefault(criterion, []).append(both)
    lines = []
    for criterion, table in answers.items():
        same = sum(a == b for a, b in table) / len(table)
        enough = len(table) >= MIN_PAIRS
        alpha = agreement.alpha(table) if enough else None
        ac1 = agreement.ac1(table) if enough else None
        lines.append(
            CriterionAgreement(
                criterion, titles.get(criterion, {"en": criterion}), len(table), same, alpha, ac1
            )
        )
    return tuple(sorted(lines, key=lambda line: (line.same, line.criterion)))


def shifts(cards: Iterable[tuple[int, str, int]], model: SeverityModel) -> tuple[Shift, ...]:
    """Estimate what severity does to each agent's plain mean, the largest shift first.

    Cards as (agent, name, evaluator).
    """
    points = model.points()
    groups: dict[tuple[int, str], list[float]] = {}
    for agent_id, name, evaluator in cards:
        groups.setdefault((agent_id, name), []).append(points.get(evaluator, 0.0))
    agent_shifts = [
        Shift(
            agent_id, name, len(shifts_of_cards), math.fsum(shifts_of_cards) / len(shifts_of_cards)
        )
        for (agent_id, name), shifts_of_cards in groups.items()
    ]
    return tuple(sorted(agent_shifts, key=lambda shift: (-abs(shift.points), shift.agent)))


def items(
    answers: Mapping[str, Mapping[int, float | None]],
    criteria: Sequence[CriterionAgreement],
    titles: Titles,
) -> tuple[Item, ...]:
    """Analyse each criterion as an instrument.

    Per criterion {card: share of points, None for not applicable}.

    `discrimination` is the correlation with the mean of the card's other criteria; two criteria
    whose answers go together at r ≥ 0.9 say one thing twice.
    """
    low = {
        line.criterion
        for line in criteria
        if line.alpha is not None
        and line.alpha < LOW_ALPHA
        and (line.ac1 is None or line.ac1 < LOW_ALPHA)
    }
    means = _card_means(answers)
    twins = _twins(answers)
    lines = []
    for criterion, rows in sorted(answers.items()):
        shares = [share for share in rows.values() if share is not None]
        away = 1 - len(shares) / len(rows)
        mean = math.fsum(shares) / len(shares) if shares else None
        faults = []
        if len(rows) >= MIN_ANSWERS:
            if mean is not None and len(shares) >= MIN_ANSWERS and mean >= CEILING:
                faults.append("ceiling")
            if away >= SELDOM:
                faults.append("seldom_applies")
            if criterion in low:
                faults.append("low_agreement")
            if criterion in twins:
                faults.append(f"redundant:{twins[criterion]}")
        lines.append(
            Item(
                criterion,
                titles.get(criterion, {"en": criterion}),
                len(rows),
                mean,
                away,
                _discrimination(rows, means),
                tuple(faults),
            )
        )
    return tuple(sorted(lines, key=lambda item: (-len(item.faults), item.criterion)))


def _card_means(answers: Mapping[str, Mapping[int, float | None]]) -> dict[int, tuple[float, int]]:
    sums: dict[int, tuple[float, int]] = {}
    for rows in answers.values():
        for card, share in rows.items():
            if share is not None:
                total, count = sums.get(card, (0.0, 0))
                sums[card] = (total + share, count + 1)
    return sums


def _discrimination(
    rows: Mapping[int, float | None], means: Mapping[int, tuple[float, int]]
) -> float | None:
    pairs = [
        (share, (means[card][0] - share) / (means[card][1] - 1))
        for card, share in rows.items()
        if share is not None and means[card][1] > 1
    ]
    return _correlation(pairs)


def _twins(answers: Mapping[str, Mapping[int, float | None]]) -> dict[str, str]:
    names, twins = sorted(answers), {}
    for i, criterion in enumerate(names):
        for earlier in names[:i]:
            pairs = [
                (share, other_share)
                for card, share in answers[criterion].items()
                if share is not None and (other_share := answers[earlier].get(card)) is not None
            ]
            r = _correlation(pairs)
            if r is not None and r >= REDUNDANT:
                twins[criterion] = earlier
    return twins


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < MIN_ANSWERS:
        return None
    x, y = (np.array(c) for c in zip(*pairs, strict=True))
    if x.std() < 1e-9 or y.std() < 1e-9:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def checks(counts: Mapping[str, Mapping[str, tuple[int, int, int]]]) -> tuple[CheckLine, ...]:
    """Estimate how often people keep automatic answers, by kind of call.

    `counts` are {kind: {value: (sure answers, kept, unsure)}}. Each value is tested against the
    others of its kind: two-sided tests of two shares, the list cut by Benjamini and Hochberg.
    """
    lines: list[CheckLine] = []
    p_values: list[float] = []
    for kind, values in counts.items():
        for value, (sure, agreeing, unsure) in sorted(values.items()):
            if sure == 0:
                continue
            share = proportions.wilson(agreeing, sure)
            rest = [
                sum(others[i] for other, others in values.items() if other != value) for i in (0, 1)
            ]
            p_values.append(_two_shares(agreeing, sure, rest[1], rest[0]))
            lines.append(
                CheckLine(
                    kind,
                    value,
                    sure,
                    share.value or 0.0,
                    share.low or 0.0,
                    share.high or 1.0,
                    unsure / (sure + unsure),
                    False,
                )
            )
    limit = (
        sorted(p_values)[count - 1]
        if (count := proportions.benjamini_hochberg(p_values, rate=LISTED_RATE))
        else -1.0
    )
    return tuple(
        CheckLine(**{**vars(line), "is_sure": p_value <= limit})
        for line, p_value in zip(lines, p_values, strict=True)
    )


def _two_shares(k1: int, n1: int, k2: int, n2: int) -> float:
    if n1 == 0 or n2 == 0:
        return 1.0
    p = (k1 + k2) / (n1 + n2)
    error = math.sqrt(p * (1 - p) * (1 / n1 + 1 / n2))
    return math.erfc(abs(k1 / n1 - k2 / n2) / error / math.sqrt(2)) if error > 0 else 1.0


def shift_of_day(hour: int) -> str:
    """Name the shift: morning until noon, afternoon until six, evening, night until six."""
    if hour < 6:
        return "night"
    if hour < 12:
        return "morning"
    return "afternoon" if hour < 18 else "evening"


def line_of(level: float | None, floor: float | None) -> str:
    """Classify speech over noise on a channel: good from 30 dB, middling from 20."""
    if level is None or floor is None:
        return ""
    if level - floor >= 30:
        return "good"
    return "middling" if level - floor >= 20 else "poor"
