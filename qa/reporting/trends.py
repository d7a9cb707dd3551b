"""A month beside those before it: estimates, critical breaches, and whether the automatic scores
drift from day to day.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.months import Month, day_bounds
from qa.reporting import store
from qa.reporting.rules import trends as rules
from qa.reporting.types.estimate import Basis, Estimate, Rate
from qa.reporting.types.lines import Breaches, Drift, Group, TrendPoint
from qa.reporting.types.scope import About, Scope

TREND_MONTHS = 12


class OverTime(TypedDict):
    """What a report says of the months before; by the names of its fields."""

    trend: tuple[TrendPoint, ...]
    breaches: tuple[Breaches, ...]
    drift: Drift | None


def over_time(
    session: Session, scope: Scope, *, month: Month, zone: ZoneInfo, about: About, whole: Group
) -> OverTime:
    """The month beside those before it.

    Breaches and drift are looked at for all or a project: a part has too few cards for them.
    """
    found = OverTime(
        trend=trend(
            session,
            month=month,
            project=about.project,
            part=part_of(scope, about),
            now=whole.estimate,
        ),
        breaches=(),
        drift=None,
    )
    if not about.is_part:
        found["breaches"] = breaches(
            session, month=month, project=about.project, now=whole.critical
        )
        found["drift"] = drift(session, scope, month=month, zone=zone)
    return found


def part_of(scope: Scope, about: About) -> tuple[str, str]:
    """Return the list in a month's saved figures that holds a scope, and its name in that list."""
    if scope.agent_id is not None:
        return "agents", str(scope.agent_id)
    if about.team:
        return "teams", about.team
    if about.department:
        return "departments", about.department
    return "whole", ""


def trend(
    session: Session, *, month: Month, project: str | None, part: tuple[str, str], now: Estimate
) -> tuple[TrendPoint, ...]:
    """The months before, as they were kept, and this one, with control limits about their mean.

    `part` as _part says.
    """
    months = [month.previous(back) for back in reversed(range(1, TREND_MONTHS))]
    kept = store.figures(session, months=months, project=project or "")
    points = []
    for m in months:
        if m in kept:
            document = kept[m][0]
            found = document[part[0]].get(part[1]) if part[1] else document[part[0]]
            if found:
                points.append((m, estimate_of(found)))
    return rules.with_control_limits([*points, (month, now)])


def breaches(
    session: Session, *, month: Month, project: str | None, now: Rate
) -> tuple[Breaches, ...]:
    """The share of calls with a critical breach, month by month, with the limits of a p-chart; as
    far back as it was kept.
    """
    months = [month.previous(back) for back in reversed(range(1, TREND_MONTHS))]
    kept = store.figures(session, months=months, project=project or "")
    known = [(m, kept[m][0].get("critical") or {}) for m in months if m in kept]
    before = [Breaches(m, *(c["share"], c["low"], c["high"])) for m, c in known if "share" in c]
    return rules.with_p_chart_limits([*before, Breaches(month, now.share, now.low, now.high)])


def drift(session: Session, scope: Scope, *, month: Month, zone: ZoneInfo) -> Drift | None:
    """Whether the daily means of the automatic scores have left those of the month before, as
    cumulative sums see it.
    """
    first, middle, last = (
        m.bounds(zone)[0].astimezone(zone).date() for m in (month.previous(), month, month.next())
    )
    dates = [first + timedelta(days=n) for n in range((last - first).days)]
    edges = [day_bounds(day, zone)[0] for day in dates] + [day_bounds(dates[-1], zone)[1]]
    means = store.automatic_means(session, scope, edges)
    days = [rules.DailyMean(day, n, mean) for day, (n, mean) in zip(dates, means, strict=True)]
    return rules.detect_drift(
        [d for d in days if d.day < middle], [d for d in days if d.day >= middle]
    )


def agent_trend(
    session: Session, *, month: Month, agent_id: int, back: int = TREND_MONTHS
) -> list[tuple[str, Estimate]]:
    """An agent's figures of the months up to and with `month`, as they were kept."""
    months = [month.previous(n) for n in reversed(range(back))]
    kept = store.figures(session, months=months, project="")
    return [
        (m, estimate_of(kept[m][0]["agents"][str(agent_id)]))
        for m in months
        if m in kept and str(agent_id) in kept[m][0]["agents"]
    ]


def estimate_of(document: Mapping[str, Any]) -> Estimate:
    """An estimate read back from a report's document."""
    return Estimate(**{**document, "basis": Basis(document["basis"])})
