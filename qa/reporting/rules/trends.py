"""Compare months and days: control limits, overdispersion, drift. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from qa.months import Month
from qa.reporting.types.estimate import Estimate
from qa.reporting.types.lines import Breaches, Drift, TrendPoint
from qa.statistics import proportions
from qa.statistics.control_charts import cusum, funnel, individuals_chart, p_chart

MIN_MONTHS = 3  # and teams of a funnel
MIN_CALLS_OF_A_DAY, MIN_DAYS = 20, 10
DRIFT_LIMIT = 8.0  # standard deviations
NO_SPREAD = 1e-12


@dataclass(frozen=True)
class DailyMean:
    """A day's calls with an automatic score, and their mean."""

    day: date
    calls: int
    mean: float


def with_control_limits(points: Sequence[tuple[Month, Estimate]]) -> tuple[TrendPoint, ...]:
    """Add control limits about the months' mean, where there are enough months."""
    values = {
        month: (estimate.value, estimate.standard_error**2)
        for month, estimate in points
        if estimate.value is not None and estimate.standard_error is not None
    }
    if len(values) < MIN_MONTHS:
        return tuple(TrendPoint(month, estimate) for month, estimate in points)
    limits = individuals_chart(
        [value for value, _ in values.values()], [variance for _, variance in values.values()]
    )
    position = {month: i for i, month in enumerate(values)}
    trend = []
    for month, estimate in points:
        i = position.get(month)
        if i is None:
            trend.append(TrendPoint(month, estimate))
        else:
            is_outside = i in limits.outside
            trend.append(TrendPoint(month, estimate, limits.low[i], limits.high[i], is_outside))
    return tuple(trend)


def with_p_chart_limits(months: Sequence[Breaches]) -> tuple[Breaches, ...]:
    """Add the limits of a p-chart to months, where there are enough of them.

    Flagged calls are all heard and others rarely, so a share of the scored calls would follow the
    quota. The chart is of the share of all calls; a month counts as many calls as, had all been
    drawn alike, would know it as well.
    """
    sizes = {
        m.month: (m.share, proportions.equivalent_sample_size(m.low, m.high))
        for m in months
        if m.share is not None and m.low is not None and m.high is not None
    }
    if len(sizes) < MIN_MONTHS or not any(share for share, _ in sizes.values()):
        return tuple(months)
    limits = p_chart(
        [share * size for share, size in sizes.values()], [size for _, size in sizes.values()]
    )
    position = {month: i for i, month in enumerate(sizes)}

    def limited(breaches: Breaches) -> Breaches:
        i = position.get(breaches.month)
        if i is None:
            return breaches
        return replace(
            breaches,
            low_limit=limits.low[i],
            high_limit=limits.high[i],
            is_outside=i in limits.outside,
        )

    return tuple(limited(breaches) for breaches in months)


def overdispersion(centre: float | None, estimates: Sequence[Estimate]) -> float | None:
    """Estimate the factor by which a funnel is widened where teams differ more than by chance."""
    usable = [
        (estimate.value, estimate.standard_error**2)
        for estimate in estimates
        if estimate.value is not None and estimate.standard_error
    ]
    if centre is None or len(usable) < MIN_MONTHS:
        return None
    return funnel(centre, [variance for _, variance in usable], [value for value, _ in usable])[0]


def detect_drift(previous: Sequence[DailyMean], current: Sequence[DailyMean]) -> Drift | None:
    """Detect whether daily means leave those of the month before.

    Cumulative sums with a slack of half a standard deviation, alarm at eight.

    The usual five is for a mean and spread that are known; where both are learnt from a month's
    days it would alarm one stable month in six. With eight it is three in a hundred, and a move by
    one standard deviation is noticed in 87 of 100 months (simulated). Days with few calls are left
    out.
    """
    usual = [d.mean for d in previous if d.calls >= MIN_CALLS_OF_A_DAY]
    days = [d for d in current if d.calls >= MIN_CALLS_OF_A_DAY]
    if len(usual) < MIN_DAYS or not days:
        return None
    centre, spread = float(np.mean(usual)), float(np.std(usual, ddof=1))
    if spread < NO_SPREAD:
        return None
    sums = cusum(
        [(d.mean - centre) / spread for d in days], target=0.0, slack=0.5, limit=DRIFT_LIMIT
    )
    alarm = sums.first_alarm
    if alarm is None:
        return None
    side = sums.high if sums.high[alarm] > DRIFT_LIMIT else sums.low
    since = next((i + 1 for i in range(alarm, -1, -1) if side[i] == 0.0), 0)
    return Drift(
        days[since].day,
        days[alarm].day,
        centre,
        float(np.mean([d.mean for d in days[since:]])),
    )
