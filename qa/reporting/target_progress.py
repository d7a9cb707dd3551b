"""Set targets and improvement actions against the figures of a month."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from qa.months import Month
from qa.reporting import store, trends
from qa.reporting.month import LoadedMonth
from qa.reporting.rules.criteria import loss_rate
from qa.reporting.rules.estimates import change, verdict
from qa.reporting.types.estimate import Change, Tally
from qa.reporting.types.lines import ActionLine, Group, TargetLine
from qa.states import Indicator, ScopeKind
from qa.targets import store as targets
from qa.targets.types import ImprovementAction, Target

Titles = Mapping[str, dict[str, str]]
GROUPS_OF_SCOPE = {
    ScopeKind.TEAM: "teams",
    ScopeKind.DEPARTMENT: "departments",
    ScopeKind.PROJECT: "projects",
}


@dataclass(frozen=True)
class _Figure:
    """The figure that a target is compared with, and its interval; None where there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def target_lines(
    session: Session,
    loaded: LoadedMonth,
    groups: Sequence[Group],
    tallies: Sequence[Tally],
    titles: Titles,
) -> tuple[TargetLine, ...]:
    """Compare every target of the month with the figure of its scope."""
    scope = loaded.scope
    tallies_of_part = functools.cache(
        lambda kind, scope_id: store.tallies(session, replace(scope, **{f"{kind}_id": scope_id}))
    )
    is_narrowed = scope.is_part or scope.project_id is not None
    group_of = {(g.kind, g.id if g.kind != "whole" else None): g for g in groups}
    lines = []
    for target in loaded.targets:
        group = group_of.get((target.scope.value, target.scope_id))
        is_wider = target.scope is ScopeKind.WHOLE and is_narrowed
        if not target.holds_in(loaded.month) or group is None or is_wider:
            continue
        is_of_part = target.indicator is Indicator.CRITERION and group.kind != "whole"
        own_tallies = tallies_of_part(group.kind, group.id) if is_of_part else tallies
        figure = _figure(target, group, own_tallies)
        lines.append(
            TargetLine(
                id=target.id,
                indicator=target.indicator.value,
                criterion=target.criterion,
                title=titles.get(target.criterion, {}),
                scope=target.scope.value,
                name=group.name,
                target=target.value,
                value=figure.value,
                low=figure.low,
                high=figure.high,
                verdict=verdict(
                    figure.value,
                    figure.low,
                    figure.high,
                    target.value,
                    at_most=target.is_at_most,
                ),
            )
        )
    return tuple(lines)


def _figure(target: Target, group: Group, tallies: Sequence[Tally]) -> _Figure:
    """Return the figure of a group that a target's indicator names."""
    if target.indicator is Indicator.QUALITY:
        return _Figure(group.estimate.value, group.estimate.low, group.estimate.high)
    if target.indicator is Indicator.CRITICAL:
        return _Figure(group.critical.share, group.critical.low, group.critical.high)
    if target.indicator is Indicator.SATISFACTION:
        rated = group.satisfaction
        return _Figure(rated.mean, rated.low, rated.high) if rated else _Figure()
    tally = next((t for t in tallies if t.criterion == target.criterion), None)
    lost = loss_rate(tally) if tally else None
    if lost is None or lost.share is None or lost.low is None or lost.high is None:
        return _Figure()
    return _Figure(1 - lost.share, 1 - lost.high, 1 - lost.low)


def action_lines(
    session: Session,
    *,
    month: Month,
    project: str | None,
    is_part: bool,
    groups: Sequence[Group],
    today: date,
) -> tuple[ActionLine, ...]:
    """List the improvement actions up to this month, with the change of their scope since."""
    actions = targets.actions(session, until_month=month)
    months = sorted({action.month for action in actions})
    figures = store.figures(session, months=months, project=project or "")
    lines = []
    for action in actions:
        since = None
        if action.month in figures and not (is_part and action.scope is ScopeKind.WHOLE):
            document, _made_at = figures[action.month]
            since = _change_since(action, document, groups, month)
        lines.append(
            ActionLine(
                id=action.id,
                title=action.title,
                detail=action.detail,
                month=action.month,
                criterion=action.criterion,
                scope=action.scope.value,
                name=action.name,
                state=action.state.value,
                owner=action.owner,
                due_on=action.due_on.isoformat() if action.due_on else None,
                is_late=bool(action.is_open and action.due_on and action.due_on < today),
                expected=action.expected,
                since=since,
                result=action.result,
            )
        )
    return tuple(lines)


def _change_since(
    action: ImprovementAction, document: dict[str, Any], groups: Sequence[Group], month: Month
) -> Change | None:
    """Estimate the change of an action's scope since the month it was agreed in.

    Not an effect: nothing here knows what would have been without it.
    """
    if action.month == month or action.criterion:
        return None
    group = next((g for g in groups if _is_scope_of(action, g)), None)
    previous = _estimate_of_scope(action, document)
    if group is None or not previous:
        return None
    return change(group.estimate, trends.estimate_of(previous))


def _is_scope_of(action: ImprovementAction, group: Group) -> bool:
    is_same_kind = group.kind == action.scope.value
    return is_same_kind and (group.kind == "whole" or group.id == action.scope_id)


def _estimate_of_scope(
    action: ImprovementAction, document: dict[str, Any]
) -> Mapping[str, Any] | None:
    """Find the estimate of an action's scope in a month's saved figures."""
    estimate: Mapping[str, Any] | None
    if action.scope is ScopeKind.WHOLE:
        estimate = document["whole"]
    elif action.scope is ScopeKind.AGENT:
        estimate = document["agents"].get(str(action.scope_id))
    else:
        estimate = document[GROUPS_OF_SCOPE[action.scope]].get(action.name)
    return estimate
