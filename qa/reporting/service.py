"""Make the monthly report, and close a month."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import note
from qa.audit.types import Subject
from qa.calendar import month_before, month_bounds
from qa.reporting import rules, store
from qa.reporting.types import AgentTotals, CriterionLine, Estimate, Group, MonthReport, ProjectTotals, Rate, ScoredCall

Titles = Mapping[str, dict[str, str]]


class UnknownScope(ValueError):
    """A project or team that does not exist; the message names it."""


def month_report(
    session: Session, *, month: str, zone: ZoneInfo, minimum: int, titles: Titles, at: datetime, project: str | None = None, team: str | None = None
) -> MonthReport:
    """The report of a month, for all, a project, a team or both.

    `minimum` is the number of cards below which nobody gets a figure. Raises MonthRefused and UnknownScope.
    """
    begin, end = month_bounds(month, zone)
    scope: dict[str, Any] = {"begin": begin, "end": end} | _scope(session, project, team)
    totals = store.totals(session, **scope)
    cards = store.scored_calls(session, **scope)
    critical = store.critical_cards(session, **scope)
    model = rules.fit(cards)
    by_agent = rules.by_agent(cards)

    def group(kind: str, name: str, parent: str, members: Sequence[AgentTotals], group_id: int | None = None) -> Group:
        rows = [c for m in members for c in by_agent.get(m.agent_id, ())]
        if kind == "agent":
            estimate = rules.estimate_agent(rows, members[0], model, minimum=minimum)
        else:
            estimate = rules.estimate_group(rows, members, model, minimum=minimum)
        breaches = [critical.get(m.agent_id, (0, 0)) for m in members]
        rate = rules.wilson(sum(k for k, _ in breaches), sum(n for _, n in breaches))
        return Group(kind, group_id, name, parent, sum(m.checked for m in members), estimate, rate)

    return MonthReport(
        month=month,
        project=project,
        team=team,
        time_zone=zone.key,
        whole=group("whole", project or "", "", totals),
        previous=_previous(session, month=month, zone=zone, scope=scope, minimum=minimum),
        projects=_projects(cards, store.project_totals(session, **scope), model, minimum=minimum),
        departments=tuple(group("department", name, "", rows) for (name,), rows in _grouped(totals, lambda t: (t.department,))),
        teams=tuple(group("team", n, d, rows, i) for (d, n, i), rows in _grouped(totals, lambda t: (t.department, t.team, t.team_id))),
        agents=tuple(group("agent", t.agent, t.team, [t], t.agent_id) for t in totals),
        criteria=_criteria(session, scope, titles),
        coverage=store.coverage(session, now=at, **scope),
        slope=model.slope if model else None,
        is_simulated=store.has_simulated(session, **scope),
        made_at=at,
        notes=_notes(cards, model),
    )


def close_month(session: Session, *, report: MonthReport, by: int | None, at: datetime) -> int:
    """Freeze the month as it is now; closing again makes a further revision and keeps the earlier ones. The revision's number."""
    scope = report.project or "*"
    earlier = store.closed(session, report.month, scope)
    revision = earlier[0] + 1 if earlier else 1
    store.add_closed(session, month=report.month, project=scope, revision=revision, document=report.document(), at=at, by=by)
    note(session, subject=Subject.MONTH, subject_id=int(report.month.replace("-", "")), what="closed", at=at, actor_id=by, revision=revision, scope=scope)
    return revision


def _scope(session: Session, project: str | None, team: str | None) -> dict[str, int | None]:
    project_id = store.project(session, project) if project else None
    team_id = store.team(session, team) if team else None
    for name, found in ((project, project_id), (team, team_id)):
        if name and found is None:
            raise UnknownScope(name)
    return {"project_id": project_id, "team_id": team_id}


def _projects(cards: Sequence[ScoredCall], totals: Sequence[ProjectTotals], model: rules.PooledModel | None, *, minimum: int) -> tuple[Group, ...]:
    groups = []
    for t in totals:
        rows = [c for c in cards if c.project_id == t.project_id]
        estimate = rules.estimate_group(rows, [t], model, minimum=minimum)
        groups.append(Group("project", t.project_id, t.project, "", t.checked, estimate, rules.wilson(t.critical, t.cards)))
    return tuple(groups)


def _previous(session: Session, *, month: str, zone: ZoneInfo, scope: dict[str, Any], minimum: int) -> Estimate:
    begin, end = month_bounds(month_before(month), zone)
    earlier = scope | {"begin": begin, "end": end}
    cards = store.scored_calls(session, **earlier)
    return rules.estimate_group(cards, store.totals(session, **earlier) if cards else [], rules.fit(cards), minimum=minimum)


def _grouped(rows: Sequence[AgentTotals], key: Callable[[AgentTotals], tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], list[AgentTotals]]]:
    groups: dict[tuple[Any, ...], list[AgentTotals]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.items())


def _criteria(session: Session, scope: dict[str, Any], titles: Titles) -> tuple[CriterionLine, ...]:
    lines = []
    for criterion, answered, counted, lost, na, fails, automatic, unchanged in store.criteria(session, **scope):
        agrees: Rate = rules.wilson(unchanged, automatic)
        title = titles.get(criterion, {"en": criterion})
        lines.append(CriterionLine(criterion, title, answered, rules.wilson(lost, counted), na, agrees, fails))
    return tuple(sorted(lines, key=lambda x: (-x.lost.count, x.criterion)))


def _notes(cards: Sequence[ScoredCall], model: rules.PooledModel | None) -> tuple[str, ...]:
    """What a reader must know about the figures, as codes that pages put into words."""
    notes = []
    if model is None:
        notes.append("too_few_cards")
    if cards and any(c.automatic is None for c in cards):
        notes.append("human_only")
    if any(c.probability < 1 for c in cards) and len({round(c.probability, 6) for c in cards}) > 1:
        notes.append("unequal_probabilities")
    return tuple(notes)
