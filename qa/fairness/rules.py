"""What the numbers say about those who score, about criteria and about checks. Pure."""

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
    scores = [(p.first, p.second) for p in pairs if p.first is not None and p.second is not None]
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
    """Krippendorff's alpha (interval) of two ratings per unit, in closed form: 1 − mean squared
    difference ÷ twice the pooled variance.
    """
    spread = 2 * float(table.var(ddof=1))
    return 1 - float(((table[:, 0] - table[:, 1]) ** 2).mean()) / spread if spread > 0 else None


def by_criterion(pairs: Sequence[Pair], titles: Titles) -> tuple[CriterionAgreement, ...]:
    """Agreement on each criterion, the lowest first; those with fewer than ten pairs have no
    coefficient.
    """
    answers: dict[str, list[tuple[str, str]]] = {}
    for p in pairs:
        for criterion, both in p.answers.items():
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
    return tuple(sorted(lines, key=lambda x: (x.same, x.criterion)))


def shifts(cards: Iterable[tuple[int, str, int]], model: SeverityModel) -> tuple[Shift, ...]:
    """What severity does to each agent's plain mean, the largest shift first.

    Cards as (agent, name, evaluator).
    """
    points = model.points()
    groups: dict[tuple[int, str], list[float]] = {}
    for agent_id, name, evaluator in cards:
        groups.setdefault((agent_id, name), []).append(points.get(evaluator, 0.0))
    made = [Shift(a, name, len(p), math.fsum(p) / len(p)) for (a, name), p in groups.items()]
    return tuple(sorted(made, key=lambda s: (-abs(s.points), s.agent)))


def items(
    answers: Mapping[str, Mapping[int, float | None]],
    criteria: Sequence[CriterionAgreement],
    titles: Titles,
) -> tuple[Item, ...]:
    """Each criterion as an instrument: per criterion {card: share of points, None for not
    applicable}.

    `discrimination` is the correlation with the mean of the card's other criteria; two criteria
    whose answers go together at r ≥ 0.9 say one thing twice.
    """
    low = {
        c.criterion
        for c in criteria
        if c.alpha is not None and c.alpha < LOW_ALPHA and (c.ac1 is None or c.ac1 < LOW_ALPHA)
    }
    means = _card_means(answers)
    twins = _twins(answers)
    made = []
    for criterion, rows in sorted(answers.items()):
        given = [s for s in rows.values() if s is not None]
        away = 1 - len(given) / len(rows)
        kept = math.fsum(given) / len(given) if given else None
        faults = []
        if len(rows) >= MIN_ANSWERS:
            if kept is not None and len(given) >= MIN_ANSWERS and kept >= CEILING:
                faults.append("ceiling")
            if away >= SELDOM:
                faults.append("seldom_applies")
            if criterion in low:
                faults.append("low_agreement")
            if criterion in twins:
                faults.append(f"redundant:{twins[criterion]}")
        made.append(
            Item(
                criterion,
                titles.get(criterion, {"en": criterion}),
                len(rows),
                kept,
                away,
                _discrimination(rows, means),
                tuple(faults),
            )
        )
    return tuple(sorted(made, key=lambda i: (-len(i.faults), i.criterion)))


def _card_means(answers: Mapping[str, Mapping[int, float | None]]) -> dict[int, tuple[float, int]]:
    sums: dict[int, tuple[float, int]] = {}
    for rows in answers.values():
        for card, share in rows.items():
            if share is not None:
                total, n = sums.get(card, (0.0, 0))
                sums[card] = (total + share, n + 1)
    return sums


def _discrimination(
    rows: Mapping[int, float | None], means: Mapping[int, tuple[float, int]]
) -> float | None:
    pairs = [
        (s, (means[c][0] - s) / (means[c][1] - 1))
        for c, s in rows.items()
        if s is not None and means[c][1] > 1
    ]
    return _correlation(pairs)


def _twins(answers: Mapping[str, Mapping[int, float | None]]) -> dict[str, str]:
    names, twins = sorted(answers), {}
    for i, a in enumerate(names):
        for b in names[:i]:
            pairs = [
                (s, t)
                for card, s in answers[a].items()
                if s is not None and (t := answers[b].get(card)) is not None
            ]
            r = _correlation(pairs)
            if r is not None and r >= REDUNDANT:
                twins[a] = b
    return twins


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < MIN_ANSWERS:
        return None
    x, y = (np.array(c) for c in zip(*pairs, strict=True))
    if x.std() < 1e-9 or y.std() < 1e-9:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def checks(counts: Mapping[str, Mapping[str, tuple[int, int, int]]]) -> tuple[CheckLine, ...]:
    """Automatic answers kept by people, by kind of call: {kind: {value: (sure answers, kept,
    unsure)}}; each value tested against the others of its kind.

    Two-sided tests of two shares, the list cut by Benjamini and Hochberg.
    """
    lines: list[CheckLine] = []
    p_values: list[float] = []
    for kind, values in counts.items():
        for value, (sure, kept, unsure) in sorted(values.items()):
            if sure == 0:
                continue
            share = proportions.wilson(kept, sure)
            rest = [sum(v[i] for k, v in values.items() if k != value) for i in (0, 1)]
            p_values.append(_two_shares(kept, sure, rest[1], rest[0]))
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
        CheckLine(**{**vars(line), "is_sure": p <= limit})
        for line, p in zip(lines, p_values, strict=True)
    )


def _two_shares(k1: int, n1: int, k2: int, n2: int) -> float:
    if n1 == 0 or n2 == 0:
        return 1.0
    p = (k1 + k2) / (n1 + n2)
    error = math.sqrt(p * (1 - p) * (1 / n1 + 1 / n2))
    return math.erfc(abs(k1 / n1 - k2 / n2) / error / math.sqrt(2)) if error > 0 else 1.0


def shift_of_day(hour: int) -> str:
    """Morning until noon, afternoon until six, evening after it, night until six."""
    return (
        "night" if hour < 6 else "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    )


def line_of(level: float | None, floor: float | None) -> str:
    """Speech over noise on the worse channel: good from 30 dB, middling from 20."""
    if level is None or floor is None:
        return ""
    return "good" if level - floor >= 30 else "middling" if level - floor >= 20 else "poor"
