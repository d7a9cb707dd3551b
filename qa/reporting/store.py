"""Queries for reports: a month is a handful of grouped queries, whatever the number of calls."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from qa.reporting.types import AgentTotals, Coverage, ProjectTotals, ScoredCall
from qa.scoring.types import AssignmentKind, ScorecardState
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow, DepartmentRow, ProjectRow, TeamRow
from qa.tables.reports import ClosedMonthRow
from qa.tables.results import CheckResultRow
from qa.tables.sampling import DrawnCallRow
from qa.tables.scoring import AnswerRow, AssignmentRow, AssignmentState, ScorecardRow

CriterionCounts = tuple[str, int, int, int, int, int, int, int]


def _calls(begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [CallRow.started_at >= begin, CallRow.started_at < end]
    if project_id is not None:
        conditions.append(CallRow.project_id == project_id)
    if team_id is not None:
        conditions.append(CallRow.agent_id.in_(select(AgentRow.id).where(AgentRow.team_id == team_id)))
    return conditions


def _cards(begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        ScorecardRow.started_at >= begin,
        ScorecardRow.started_at < end,
        ScorecardRow.kind == AssignmentKind.STANDARD,
        ScorecardRow.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    ]
    if project_id is not None:
        conditions.append(ScorecardRow.project_id == project_id)
    if team_id is not None:
        conditions.append(ScorecardRow.agent_id.in_(select(AgentRow.id).where(AgentRow.team_id == team_id)))
    return conditions


def totals(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[AgentTotals]:
    """Per agent: calls, calls with an automatic score, mean of it."""
    counted = (
        select(CallRow.agent_id, func.count().label("calls"), func.count(CheckResultRow.score).label("checked"), func.avg(CheckResultRow.score).label("mean"))
        .outerjoin(CheckResultRow, CheckResultRow.call_id == CallRow.id)
        .where(*_calls(begin, end, project_id, team_id))
        .group_by(CallRow.agent_id)
        .subquery()
    )
    query = (
        select(AgentRow.id, AgentRow.name, TeamRow.id, TeamRow.name, DepartmentRow.name, counted.c.calls, counted.c.checked, counted.c.mean)
        .join(counted, counted.c.agent_id == AgentRow.id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .join(DepartmentRow, DepartmentRow.id == TeamRow.department_id)
        .order_by(DepartmentRow.name, TeamRow.name, AgentRow.name)
    )
    return [AgentTotals(*row) for row in session.execute(query)]


def scored_calls(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[ScoredCall]:
    """Submitted cards of drawn calls that have a score. Cards of calls that nobody drew stand for themselves only and are left out."""
    columns = (ScorecardRow.agent_id, ScorecardRow.score, ScorecardRow.automatic_score, ScorecardRow.probability, ScorecardRow.project_id)
    query = select(*columns).where(*_cards(begin, end, project_id, team_id), ScorecardRow.score.is_not(None), ScorecardRow.probability.is_not(None))
    return [ScoredCall(a, s, x, p, project) for a, s, x, p, project in session.execute(query.order_by(ScorecardRow.id)) if s is not None and p]


def project_totals(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[ProjectTotals]:
    """Per project: calls, calls with an automatic score, mean of it, scorecards with a critical breach, scorecards."""
    counted = (
        select(CallRow.project_id, func.count().label("calls"), func.count(CheckResultRow.score).label("checked"), func.avg(CheckResultRow.score).label("mean"))
        .outerjoin(CheckResultRow, CheckResultRow.call_id == CallRow.id)
        .where(*_calls(begin, end, project_id, team_id))
        .group_by(CallRow.project_id)
        .subquery()
    )
    failed = select(AnswerRow.scorecard_id).where(AnswerRow.failed).distinct().subquery()
    carded = (
        select(ScorecardRow.project_id, func.count(failed.c.scorecard_id).label("critical"), func.count().label("cards"))
        .outerjoin(failed, failed.c.scorecard_id == ScorecardRow.id)
        .where(*_cards(begin, end, project_id, team_id))
        .group_by(ScorecardRow.project_id)
        .subquery()
    )
    columns = (
        ProjectRow.id,
        ProjectRow.name,
        counted.c.calls,
        counted.c.checked,
        counted.c.mean,
        func.coalesce(carded.c.critical, 0),
        func.coalesce(carded.c.cards, 0),
    )
    query = select(*columns).join(counted, counted.c.project_id == ProjectRow.id).outerjoin(carded, carded.c.project_id == ProjectRow.id)
    return [ProjectTotals(*row) for row in session.execute(query.order_by(ProjectRow.name))]


def critical_cards(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> dict[int, tuple[int, int]]:
    """Per agent: cards with a critical breach, and all cards."""
    failed = select(AnswerRow.scorecard_id).where(AnswerRow.failed).distinct().subquery()
    query = (
        select(ScorecardRow.agent_id, func.count(failed.c.scorecard_id), func.count())
        .outerjoin(failed, failed.c.scorecard_id == ScorecardRow.id)
        .where(*_cards(begin, end, project_id, team_id))
        .group_by(ScorecardRow.agent_id)
    )
    return {a: (k, n) for a, k, n in session.execute(query)}


def criteria(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> list[CriterionCounts]:
    """Per criterion: answers, counted, lost, not applicable, fails, with an automatic answer, of these unchanged."""
    query = (
        select(
            AnswerRow.criterion,
            func.count(),
            func.count(AnswerRow.share_of_points),
            func.count().filter(AnswerRow.share_of_points < 1),
            func.count().filter(AnswerRow.option == "na"),
            func.count().filter(AnswerRow.failed),
            func.count().filter(AnswerRow.automatic.in_(("met", "not_met", "not_applicable"))),
            func.count().filter(AnswerRow.automatic.in_(("met", "not_met", "not_applicable")), ~AnswerRow.was_changed),
        )
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .where(*_cards(begin, end, project_id, team_id))
        .group_by(AnswerRow.criterion)
        .order_by(AnswerRow.criterion)
    )
    return [tuple(row) for row in session.execute(query)]  # type: ignore[misc]  # eight columns, as selected


def coverage(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None, now: datetime) -> Coverage:
    where = _calls(begin, end, project_id, team_id)
    calls, checked = session.execute(
        select(func.count(), func.count(CheckResultRow.id)).select_from(CallRow).outerjoin(CheckResultRow, CheckResultRow.call_id == CallRow.id).where(*where)
    ).one()
    drawn = session.scalar(select(func.count(DrawnCallRow.call_id.distinct())).join(CallRow, CallRow.id == DrawnCallRow.call_id).where(*where)) or 0
    open_states = (AssignmentState.WAITING, AssignmentState.CLAIMED)
    scored, skipped, waiting, overdue = session.execute(
        select(
            func.count().filter(AssignmentRow.state == AssignmentState.SUBMITTED),
            func.count().filter(AssignmentRow.state == AssignmentState.SKIPPED),
            func.count().filter(AssignmentRow.state.in_(open_states)),
            func.count().filter(AssignmentRow.state.in_(open_states), AssignmentRow.due_at < now),
        )
        .select_from(AssignmentRow)
        .join(CallRow, CallRow.id == AssignmentRow.call_id)
        .where(*where, AssignmentRow.kind == AssignmentKind.STANDARD)
    ).one()
    return Coverage(calls, checked, drawn, scored, skipped, waiting, overdue)


def has_simulated(session: Session, *, begin: datetime, end: datetime, project_id: int | None, team_id: int | None) -> bool:
    return session.scalar(select(CallRow.id).where(*_calls(begin, end, project_id, team_id), CallRow.is_simulated).limit(1)) is not None


def project(session: Session, code: str) -> int | None:
    return session.scalar(select(ProjectRow.id).where(ProjectRow.code == code))


def team(session: Session, name: str) -> int | None:
    return session.scalar(select(TeamRow.id).where(TeamRow.name == name))


def last_call_at(session: Session) -> datetime | None:
    return session.scalar(select(func.max(CallRow.started_at)))


def closed(session: Session, month: str, project: str) -> tuple[int, dict[str, Any], datetime] | None:
    """The newest revision of a closed month: number, document, when."""
    query = select(ClosedMonthRow).where(ClosedMonthRow.month == month, ClosedMonthRow.project == project).order_by(ClosedMonthRow.revision.desc())
    row = session.scalar(query.limit(1))
    return (row.revision, row.document, row.closed_at) if row else None


def is_closed(session: Session, month: str) -> bool:
    """Whether any project's report of the month is closed."""
    return session.scalar(select(ClosedMonthRow.id).where(ClosedMonthRow.month == month).limit(1)) is not None


def add_closed(session: Session, *, month: str, project: str, revision: int, document: dict[str, Any], at: datetime, by: int | None) -> None:
    session.add(ClosedMonthRow(month=month, project=project, revision=revision, document=document, closed_at=at, closed_by=by))
    session.flush()
