"""What a month's numbers say, and what they do not.

Pure; the formulas are in `qa.statistics`, the reasons in docs/decisions/0005-estimation.md.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr

from qa.months import Month
from qa.reporting.types import (
    Association,
    Basis,
    Breaches,
    Change,
    Drift,
    Estimate,
    Group,
    Rate,
    Satisfaction,
    ScoredCall,
    Standing,
    Tally,
    Totals,
    TrendPoint,
    Verdict,
)
from qa.statistics import proportions
from qa.statistics.control_charts import cusum, funnel, individuals_chart, p_chart
from qa.statistics.shrinkage import compact_letter_display, hierarchical
from qa.statistics.survey_estimators import (
    Mean,
    PooledModel,
    Sample,
    fit,
    regression_mean,
    residuals,
    rule_of_three,
    small_area,
    welch,
)

BIAS_RATE = 0.10  # false-discovery rate of the list of agents whom the checks rate wrongly
NO_SPREAD = 1e-12
FEW_FOR_GROUPS, FEW_FOR_SHRINKING, FEW_FOR_TREND = 3, 4, 3
FEW_OF_A_DAY, FEW_DAYS, FEW_RATINGS, FEW_PAIRS = 20, 10, 5, 10
DRIFT_LIMIT = 8.0  # standard deviations
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def wilson(count: int, of: int) -> Rate:
    """A share with its Wilson 95 % interval; without any observation no share."""
    s = proportions.wilson(count, of)
    return Rate(count, of, s.value, s.low, s.high)


def sample_of(rows: Sequence[ScoredCall], severity: Mapping[int, float] | None = None) -> Sample:
    """Scored calls as arrays.

    With severities given, each score is what the average evaluator would have given.
    """
    if not rows:
        return Sample(np.array([]), np.array([]), np.array([]))
    _agents, scores, checked, chances, _projects, evaluators, *_others = zip(*rows, strict=True)
    human = np.array(scores, float)
    if severity:  # a critical breach is 0 whoever scored it
        human = np.where(
            human > 0, human - np.array([severity.get(e, 0.0) for e in evaluators]), human
        )
    return Sample(
        human, None if None in checked else np.array(checked, float), np.array(chances, float)
    )


def model_of(
    cards: Sequence[ScoredCall], severity: Mapping[int, float] | None = None
) -> PooledModel | None:
    """What all agents of a month share; None where the cards cannot carry it."""
    samples = [sample_of(rows, severity) for rows in by_agent(cards).values()]
    if any(s.automatic is None for s in samples):
        samples = [Sample(s.human, None, s.probability) for s in samples]
    return fit(samples)


def estimate_agent(
    rows: Sequence[ScoredCall],
    totals: Totals,
    model: PooledModel | None,
    *,
    minimum: int,
    severity: Mapping[int, float] | None = None,
) -> Estimate:
    """An agent's month: mean residual of the drawn cards plus slope times the automatic mean of all
    calls.
    """
    blank = _blank(rows, totals)
    if not rows or model is None or len(rows) < minimum:
        return blank
    return _estimate(
        blank, small_area(sample_of(rows, severity), model, totals.automatic_mean), rows
    )


def estimate_group(
    rows: Sequence[ScoredCall],
    totals: Totals,
    model: PooledModel | None,
    *,
    minimum: int,
    severity: Mapping[int, float] | None = None,
) -> Estimate:
    """A team, department or the whole: the weighted estimator directly on all its cards, never a
    mean of agents' figures.
    """
    blank = _blank(rows, totals)
    if model is None or len(rows) < max(minimum, 3):
        return blank
    return _estimate(
        blank, regression_mean(sample_of(rows, severity), model, totals.automatic_mean), rows
    )


def mean_of_cards(scores: Sequence[float]) -> float | None:
    """The plain mean of scores, as vendors print it; cards without a score are out of it."""
    return sum(scores) / len(scores) if scores else None


def _blank(rows: Sequence[ScoredCall], totals: Totals) -> Estimate:
    human = mean_of_cards([r.human for r in rows])
    basis = Basis.TOO_FEW if rows else Basis.NO_CARDS
    return Estimate(
        basis,
        len(rows),
        totals.calls,
        human_mean=human if len(rows) > 1 else None,
        automatic_mean=totals.automatic_mean,
    )


def _estimate(blank: Estimate, mean: Mean, rows: Sequence[ScoredCall]) -> Estimate:
    value = min(100.0, max(0.0, mean.value))
    by_chance = sum(r.probability < 1 for r in rows)
    low, high = mean.interval() if mean.variance > NO_SPREAD else rule_of_three(value, by_chance)
    low, high = min(max(0.0, low), 100.0), max(min(100.0, high), 0.0)
    error = (
        math.sqrt(mean.variance)
        if mean.variance > NO_SPREAD
        else (high - low) / (2 * proportions.Z95)
    )
    return Estimate(
        Basis.ESTIMATED,
        blank.cards,
        blank.calls,
        value,
        low,
        high,
        blank.human_mean,
        blank.automatic_mean,
        error,
        mean.df,
    )


def with_stand_ins(
    cards: Sequence[ScoredCall], means: Mapping[int, float | None], whole: float | None
) -> list[ScoredCall]:
    """Cards of calls that no check has scored get their agent's automatic mean, which is what such
    calls have in the mean of all calls too.

    So a few unchecked calls do not cost everybody the help of the checks. An agent of whom nothing
    was checked gets the mean of the whole; where that is missing too nothing stands in.
    """
    if whole is None:
        return list(cards)
    return [
        (
            c
            if c.automatic is not None
            else c._replace(automatic=m if (m := means.get(c.agent_id)) is not None else whole)
        )
        for c in cards
    ]


def by_agent(cards: Iterable[ScoredCall]) -> dict[int, list[ScoredCall]]:
    """The cards of each agent."""
    groups: dict[int, list[ScoredCall]] = {}
    for card in cards:
        groups.setdefault(card.agent_id, []).append(card)
    return groups


def critical_rate(rows: Sequence[ScoredCall], totals: Totals) -> Rate:
    """Share of calls with a critical breach: those a check had flagged and the others estimated
    apart, put together by their numbers.

    Where every flagged call was heard they add no uncertainty. Wilson intervals on effective
    numbers, combined by MOVER (Zou, Donner 2008).
    """
    found = sum(r.is_breach for r in rows)
    whole = totals.calls
    if not rows or not whole:
        return Rate(found, len(rows), None, None, None)
    value = low2 = high2 = 0.0
    for flag, size in ((True, totals.flagged), (False, whole - totals.flagged)):
        part = [r for r in rows if r.is_flagged is flag]
        if not size:
            continue
        # nothing of this part was heard: all between none and all is possible, the others are the
        # best guess
        if not part:
            middle = sum(r.is_breach for r in rows) / len(rows)
            value += size / whole * middle
            low2 += (size / whole * middle) ** 2
            high2 += (size / whole * (1 - middle)) ** 2
            continue
        w = [1 / r.probability for r in part]
        weight = sum(w)
        effective = weight**2 / sum(x * x for x in w)
        p = sum(x for x, r in zip(w, part, strict=True) if r.is_breach) / weight
        s = proportions.wilson(p * effective, effective)
        left = math.sqrt(max(0.0, 1 - len(part) / size))  # finite population
        value += size / whole * p
        low2 += (size / whole * left * (p - (s.low or 0.0))) ** 2
        high2 += (size / whole * left * ((s.high or 0.0) - p)) ** 2
    return Rate(
        found,
        len(rows),
        value,
        max(0.0, value - math.sqrt(low2)),
        min(1.0, value + math.sqrt(high2)),
    )


def verdict(
    value: float | None,
    low: float | None,
    high: float | None,
    target: float,
    *,
    at_most: bool = False,
) -> Verdict:
    """Met or not met only where the whole interval says so."""
    if value is None or low is None or high is None:
        return Verdict.NO_FIGURE
    if at_most:
        value, low, high, target = -value, -high, -low, -target
    return (
        Verdict.MET if low >= target else Verdict.NOT_MET if high < target else Verdict.CANNOT_TELL
    )


def change(now: Estimate, before: Estimate) -> Change | None:
    """The difference of two months that share no card."""
    if (
        now.value is None
        or before.value is None
        or now.standard_error is None
        or before.standard_error is None
    ):
        return None
    d = welch(
        *(
            Mean(e.value or 0.0, (e.standard_error or 0.0) ** 2, e.degrees or 1.0)
            for e in (now, before)
        )
    )
    low, high = d.interval()
    return Change(d.value, low, high)


def standings(
    estimates: Mapping[int, Estimate],
    rows: Mapping[int, Sequence[ScoredCall]],
    model: PooledModel | None,
    *,
    target: float | None,
) -> dict[int, Standing]:
    """Beside each agent's figure: the shrunken value, the groups that cannot be told apart, the
    bias of the checks.
    """
    known = [
        (a, e) for a, e in estimates.items() if e.value is not None and e.standard_error is not None
    ]
    biases = _biases(rows, model)
    made = {
        a: Standing(
            bias=biases.get(a, (None, False))[0], is_bias_sure=biases.get(a, (None, False))[1]
        )
        for a in estimates
    }
    if len(known) < FEW_FOR_GROUPS:
        return made
    values, variances = (
        [e.value or 0.0 for _, e in known],
        [(e.standard_error or 0.0) ** 2 for _, e in known],
    )
    shrunk = None
    if len(known) >= FEW_FOR_SHRINKING:
        automatic = [e.automatic_mean for _, e in known]
        use_x = (
            model is not None
            and bool(model.slope)
            and all(x is not None for x in automatic)
            and len(known) >= 2 * FEW_FOR_SHRINKING
        )
        shrunk = hierarchical(
            values, variances, [x or 0.0 for x in automatic] if use_x else None, target=target
        )
    letters = _letters(compact_letter_display(values, variances), len(known))
    for place, i in enumerate(np.argsort(values, kind="stable")):
        agent, s = known[int(i)][0], made[known[int(i)][0]]
        mean = min(100.0, max(0.0, float(shrunk.means[i]))) if shrunk else None
        under = float(shrunk.under[i]) if shrunk and shrunk.under is not None else None
        made[agent] = Standing(mean, under, letters[place], s.bias, s.is_bias_sure)
    return made


def _letters(runs: Sequence[tuple[int, int]], count: int) -> list[str]:
    """The letters of the groups each place belongs to, the first and the last where there are many;
    one group of all needs none.
    """
    if len(runs) <= 1:
        return ["="] * count
    names = [
        (
            LETTERS[i]
            if i < len(LETTERS)
            else f"{LETTERS[i // len(LETTERS) - 1]}{LETTERS[i % len(LETTERS)]}"
        )
        for i in range(len(runs))
    ]
    result = []
    for place in range(count):
        own = [names[k] for k, (first, last) in enumerate(runs) if first <= place <= last]
        result.append(
            own[0] if len(own) == 1 else "".join(own) if len(own) <= 3 else f"{own[0]}–{own[-1]}"
        )
    return result


def _biases(
    rows: Mapping[int, Sequence[ScoredCall]], model: PooledModel | None
) -> dict[int, tuple[float, bool]]:
    """Per agent by how much the checks rate too high (+) against the other agents, and whether that
    is sure (t tests, Benjamini–Hochberg).
    """
    if model is None or not model.slope:
        return {}
    samples = {a: sample_of(r) for a, r in rows.items() if len(r) >= 2}
    means = {
        a: (float(np.average(residuals(s, model.slope), weights=s.weights)), len(s))
        for a, s in samples.items()
    }
    if len(means) < 2:
        return {}
    middle = math.fsum(m * n for m, n in means.values()) / sum(n for _, n in means.values())
    p_values = {
        a: (
            2 * float(stdtr(model.df, -abs(m - middle) / math.sqrt(max(model.variance / n, 1e-12))))
        )
        for a, (m, n) in means.items()
    }
    ordered = sorted(p_values, key=lambda a: p_values[a])
    sure = set(ordered[: proportions.benjamini_hochberg(list(p_values.values()), rate=BIAS_RATE)])
    return {a: (-(m - middle), a in sure) for a, (m, _) in means.items()}


def missed(t: Tally) -> Rate:
    """How often a criterion was lost on scored calls, and the share of all calls on which it makes
    that likely: by the probability of each draw.
    """
    s = proportions.weighted_share(t.missed_weight, t.weight, t.squares)
    return Rate(t.lost, t.counted, s.value, s.low, s.high)


def points_lost(tally: Tally, weight: float) -> float | None:
    """What a criterion costs of the 100 points, per call of the month."""
    return tally.lost_weight / weight if weight > 0 else None


def moved(
    now: Tally | None,
    before: Tally | None,
    weights: tuple[float, float, float, float],
    *,
    of: int = 1,
) -> Change | None:
    """By how much a criterion moved the score since the month before.

    `weights` are Σw and Σw² of this month's and the last month's cards.

    The interval holds for all `of` criteria at once (Bonferroni): of twenty looked at, one would
    else seem to have moved by chance alone.
    """
    w1, s1, w0, s0 = weights
    if w1 <= 0 or w0 <= 0:
        return None
    (m1, v1), (m0, v0) = _lost(now, w1, s1), _lost(before, w0, s0)
    half = float(ndtri(1 - 0.025 / max(1, of))) * math.sqrt(v1 + v0)
    return Change(m0 - m1, m0 - m1 - half, m0 - m1 + half)


def _lost(t: Tally | None, weight: float, squares: float) -> tuple[float, float]:
    if t is None:
        return 0.0, 0.0
    m = t.lost_weight / weight
    return m, max(0.0, t.lost_square - 2 * m * t.lost_cross + m * m * squares) / weight**2


def with_limits(points: Sequence[tuple[Month, Estimate]]) -> tuple[TrendPoint, ...]:
    """Months with control limits about their mean, where there are enough of them."""
    known = [(m, e) for m, e in points if e.value is not None and e.standard_error is not None]
    if len(known) < FEW_FOR_TREND:
        return tuple(TrendPoint(m, e) for m, e in points)
    limits = individuals_chart(
        [e.value or 0.0 for _, e in known], [(e.standard_error or 0.0) ** 2 for _, e in known]
    )
    at = {m: i for i, (m, _) in enumerate(known)}
    made = []
    for m, e in points:
        if m in at:
            i = at[m]
            made.append(TrendPoint(m, e, limits.low[i], limits.high[i], i in limits.outside))
        else:
            made.append(TrendPoint(m, e))
    return tuple(made)


def overdispersion(centre: float | None, estimates: Sequence[Estimate]) -> float | None:
    """How much more teams differ than chance lets them:
    the factor by which the funnel is widened.
    """
    known = [e for e in estimates if e.value is not None and e.standard_error]
    if centre is None or len(known) < FEW_FOR_TREND:
        return None
    return funnel(
        centre, [(e.standard_error or 0.0) ** 2 for e in known], [e.value or 0.0 for e in known]
    )[0]


def satisfaction(count: int, sums: Mapping[str, float]) -> Satisfaction:
    """Mean rating with a t interval; its correlation with the automatic score by Fisher's z.

    `sums` has y, yy, n, x, xx, xy (n: rated and checked).
    """
    if count == 0:
        return Satisfaction(0, None, None, None)
    mean = sums["y"] / count
    if count < 2:
        return Satisfaction(count, mean, None, None)
    low, high = Mean(
        mean, max(0.0, sums["yy"] / count - mean**2) / (count - 1), count - 1.0
    ).interval()
    n = sums["n"]
    r = None
    if n >= 10:
        cov = sums["xy"] - sums["x"] * sums["yc"] / n
        spread = (sums["xx"] - sums["x"] ** 2 / n) * (sums["yyc"] - sums["yc"] ** 2 / n)
        r = max(-1.0, min(1.0, cov / math.sqrt(spread))) if spread > 1e-9 else None
    if r is None or abs(r) >= 1:
        return Satisfaction(count, mean, max(0.0, low), min(100.0, high))
    z, half = math.atanh(r), float(ndtri(0.975)) / math.sqrt(n - 3)
    return Satisfaction(
        count, mean, max(0.0, low), min(100.0, high), r, math.tanh(z - half), math.tanh(z + half)
    )


def p_charted(months: Sequence[Breaches]) -> tuple[Breaches, ...]:
    """Months with the limits of a p-chart, where there are enough of them.

    Flagged calls are all heard and others rarely, so a share of the scored calls would follow the
    quota. The chart is of the share of all calls; a month counts as many calls as, had all been
    drawn alike, would know it as well.
    """
    known = [
        (m, proportions.equivalent_sample_size(m.low, m.high))
        for m in months
        if m.share is not None and m.low is not None and m.high is not None
    ]
    if len(known) < FEW_FOR_TREND or not any(m.share for m, _ in known):
        return tuple(months)
    limits = p_chart([(m.share or 0.0) * n for m, n in known], [n for _, n in known])
    at = {m.month: i for i, (m, _) in enumerate(known)}

    def limited(m: Breaches) -> Breaches:
        i = at.get(m.month)
        return (
            m
            if i is None
            else replace(
                m,
                low_limit=limits.low[i],
                high_limit=limits.high[i],
                is_outside=i in limits.outside,
            )
        )

    return tuple(limited(m) for m in months)


def drift(
    before: Sequence[tuple[date, int, float]], now: Sequence[tuple[date, int, float]]
) -> Drift | None:
    """Whether daily means (day, calls, mean) leave those of the month before: cumulative sums with
    a slack of half a standard deviation, alarm at eight.

    The usual five is for a mean and spread that are known; where both are learnt from a month's
    days it would alarm one stable month in six. With eight it is three in a hundred, and a move by
    one standard deviation is noticed in 87 of 100 months (simulated). Days with few calls are left
    out.
    """
    usual = [mean for _, n, mean in before if n >= FEW_OF_A_DAY]
    days = [(day, mean) for day, n, mean in now if n >= FEW_OF_A_DAY]
    if len(usual) < FEW_DAYS or not days:
        return None
    centre, spread = float(np.mean(usual)), float(np.std(usual, ddof=1))
    if spread < NO_SPREAD:
        return None
    sums = cusum(
        [(mean - centre) / spread for _, mean in days], target=0.0, slack=0.5, limit=DRIFT_LIMIT
    )
    if sums.first_alarm is None:
        return None
    side = sums.high if sums.high[sums.first_alarm] > DRIFT_LIMIT else sums.low
    since = next((i + 1 for i in range(sums.first_alarm, -1, -1) if side[i] == 0.0), 0)
    return Drift(
        days[since][0],
        days[sums.first_alarm][0],
        centre,
        float(np.mean([mean for _, mean in days[since:]])),
    )


def between_agents(groups: Sequence[Group]) -> Association | None:
    """How the estimates of agents go with what their customers said,
    where enough agents have both.
    """
    pairs = [
        (g.estimate.value, g.satisfaction.mean)
        for g in groups
        if g.satisfaction and g.satisfaction.count >= FEW_RATINGS
    ]
    points = sorted((x, y) for x, y in pairs if x is not None and y is not None)
    if len(points) < FEW_PAIRS:
        return None
    x, y = np.array(points).T
    if x.std() < NO_SPREAD or y.std() < NO_SPREAD:
        return None
    r = float(np.corrcoef(x, y)[0, 1])
    z, half = (
        math.atanh(max(-0.999999, min(0.999999, r))),
        float(ndtri(0.975)) / math.sqrt(len(points) - 3),
    )
    return Association(len(points), r, math.tanh(z - half), math.tanh(z + half), tuple(points))


def weights(cards: Sequence[ScoredCall]) -> tuple[float, float]:
    """Σw and Σw² of cards, w = 1 ÷ probability."""
    return sum(1 / c.probability for c in cards), sum(1 / c.probability**2 for c in cards)


def fails_cost(cards: Sequence[ScoredCall]) -> float | None:
    """What critical fails cost of the 100 points, per call."""
    weight = sum(1 / c.probability for c in cards)
    lost = sum(
        ((c.without_fails if c.without_fails is not None else c.human) - c.human) / c.probability
        for c in cards
    )
    return lost / weight if weight else None


def model_facts(model: PooledModel | None) -> dict[str, Any]:
    """What a report says of the model it rests on."""
    if model is None:
        return {}
    return {
        "residual_deviation": round(model.variance**0.5, 2),
        "degrees": round(model.df),
        "prior_degrees": round(min(model.prior_df, 9999.0), 1),
    }


def notes(
    cards: Sequence[ScoredCall], model: PooledModel | None, *, unchecked: int = 0
) -> tuple[str, ...]:
    """What a reader must know about the figures, as codes that pages put into words."""
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
