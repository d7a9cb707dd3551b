"""Query the figures of a month.

A month is a handful of grouped queries, whatever the number of calls.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, case, cast, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from qa.audit.types import EventKind, FigureEffect
from qa.months import Month
from qa.reporting.types.estimate import CallTotals, ScoredCall, Tally
from qa.reporting.types.lines import Coverage, Example
from qa.reporting.types.report import MonthReport
from qa.reporting.types.scope import AgentFacts, ProjectFacts, Scope
from qa.result_cache.types import CacheKey
from qa.states import AssignmentKind, AssignmentState, ScorecardState
from qa.tables.calls import CallRow, RatingRow
from qa.tables.database import upsert
from qa.tables.people import AgentRow, DepartmentRow, ProjectRow, TeamRow
from qa.tables.records import EventRow
from qa.tables.reports import ClosedMonthRow, MonthFigureRow
from qa.tables.sampling import DrawnCallRow
from qa.tables.scoring import AnswerRow, AssignmentRow, ScorecardRow
from qa.tables.spans import started_between

SURE = ("met", "not_met", "not_applicable")
CONFIG_EVENTS = EventKind.changing(FigureEffect.CONFIG)
DATA_EVENTS = EventKind.changing(FigureEffect.DATA)
SUMS = ("y", "yy", "n", "x", "xx", "xy", "yc", "yyc")


def _members(column: Any, scope: Scope) -> list[ColumnElement[bool]]:
    """Narrow to the agents that the scope is about.

    Each part narrows further, so that a leader asks for no other team's agent.
    """
    conditions: list[ColumnElement[bool]] = []
    if scope.agent_id is not None:
        conditions.append(column == scope.agent_id)
    if scope.team_id is not None:
        conditions.append(column.in_(select(AgentRow.id).where(AgentRow.team_id == scope.team_id)))
    if scope.department_id is not None:
        inside = (
            select(AgentRow.id)
            .join(TeamRow, TeamRow.id == AgentRow.team_id)
            .where(TeamRow.department_id == scope.department_id)
        )
        conditions.append(column.in_(inside))
    return conditions


def _calls(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        CallRow.started_at >= scope.begin,
        CallRow.started_at < scope.end,
    ]
    if scope.project_id is not None:
        conditions.append(CallRow.project_id == scope.project_id)
    return conditions + _members(CallRow.agent_id, scope)


def _joined_calls(session: Session, scope: Scope) -> list[ColumnElement[bool]]:
    """Select the same calls for a query that joins something smaller to them."""
    return [*started_between(session, scope.begin, scope.end), *_calls(scope)[2:]]


def _cards(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        ScorecardRow.started_at >= scope.begin,
        ScorecardRow.started_at < scope.end,
        ScorecardRow.kind == AssignmentKind.STANDARD,
        ScorecardRow.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    ]
    if scope.project_id is not None:
        conditions.append(ScorecardRow.project_id == scope.project_id)
    return conditions + _members(ScorecardRow.agent_id, scope)


def _answers(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        AnswerRow.called_at >= scope.begin,
        AnswerRow.called_at < scope.end,
    ]
    if scope.project_id is not None:
        conditions.append(AnswerRow.project_id == scope.project_id)
    return conditions + _members(AnswerRow.agent_id, scope)


def totals(
    session: Session, scope: Scope, *, among: Collection[int] | None = None
) -> list[CallTotals]:
    """Add up calls per project and agent, of some agents where they are named."""
    score = CallRow.automatic_score
    flagged = func.sum(case((CallRow.is_flagged, 1), else_=0))
    query = (
        select(
            CallRow.project_id,
            CallRow.agent_id,
            func.count(),
            func.count(score),
            func.coalesce(func.sum(score), 0.0),
            flagged,
        )
        .where(*_calls(scope), *([CallRow.agent_id.in_(among)] if among is not None else []))
        .group_by(CallRow.project_id, CallRow.agent_id)
    )
    return [CallTotals(*row) for row in session.execute(query)]


def automatic_means(
    session: Session, scope: Scope, edges: Sequence[datetime]
) -> list[tuple[int, float]]:
    """Average the automatic scores between each edge and the next, in one query.

    With the number of calls that have one; the mean is 0 where none has.

    PostgreSQL puts the calls into the stretches in one scan; on SQLite, which has no such function,
    each stretch is a range of one index.
    """
    stretches = [replace(scope, begin=begin, end=end) for begin, end in itertools.pairwise(edges)]
    score = CallRow.automatic_score
    if session.get_bind().dialect.name == "postgresql":
        place = func.width_bucket(CallRow.started_at, array(edges, type_=DateTime(timezone=True)))
        query = (
            select(place, func.count(score), func.avg(score))
            .where(*_calls(replace(scope, begin=edges[0], end=edges[-1])))
            .group_by(place)
        )
        by_place = {place: (count, mean or 0.0) for place, count, mean in session.execute(query)}
        return [by_place.get(place + 1, (0, 0.0)) for place in range(len(stretches))]
    counts = [
        select(func.count(score)).where(*_calls(stretch)).scalar_subquery() for stretch in stretches
    ]
    means = [
        select(func.avg(score)).where(*_calls(stretch)).scalar_subquery() for stretch in stretches
    ]
    row = session.execute(select(*counts, *means)).one()
    return [
        (count, mean or 0.0)
        for count, mean in zip(row[: len(stretches)], row[len(stretches) :], strict=True)
    ]


def agents(session: Session, scope: Scope) -> list[AgentFacts]:
    """List all agents with team and department, in the order of the report."""
    query = (
        select(
            AgentRow.id,
            AgentRow.name,
            TeamRow.id,
            TeamRow.name,
            DepartmentRow.name,
            AgentRow.is_simulated,
            AgentRow.left_on,
        )
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .join(DepartmentRow, DepartmentRow.id == TeamRow.department_id)
        .order_by(DepartmentRow.name, TeamRow.name, AgentRow.name, AgentRow.id)
    )
    return [AgentFacts(*row) for row in session.execute(query.where(*_members(AgentRow.id, scope)))]


def projects(session: Session) -> list[ProjectFacts]:
    """List all projects by name."""
    query = select(ProjectRow.id, ProjectRow.code, ProjectRow.name, ProjectRow.is_simulated)
    return [ProjectFacts(*row) for row in session.execute(query.order_by(ProjectRow.name))]


def departments(session: Session) -> dict[str, int]:
    return {
        name: department_id
        for department_id, name in session.execute(select(DepartmentRow.id, DepartmentRow.name))
    }


def scored_calls(session: Session, scope: Scope) -> list[ScoredCall]:
    """Load submitted cards of drawn calls that have a score.

    Cards of calls that nobody drew stand for themselves only and are left out.
    """
    s = ScorecardRow
    columns = (
        s.agent_id,
        s.score,
        s.automatic_score,
        s.probability,
        s.project_id,
        s.evaluator_id,
        s.score_without_fails,
        s.is_breach,
        s.is_flagged,
    )
    query = select(*columns).where(*_cards(scope), s.score.is_not(None), s.probability.is_not(None))
    rows = session.execute(query.order_by(s.id))
    # neither score nor probability is None here
    return [ScoredCall(*row) for row in rows]  # type: ignore[arg-type]


def tallies(session: Session, scope: Scope) -> list[Tally]:
    """Count the answers of the month per criterion, from one index."""
    a = AnswerRow
    sure = a.automatic.in_(SURE)
    lost = a.weight * a.points_lost
    missed, counts = (a.share_of_points < 1,), (a.share_of_points.is_not(None),)

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    query = (
        select(
            a.criterion,
            func.count(),
            func.count(a.share_of_points),
            count(a.share_of_points < 1),
            count(a.option == "na"),
            count(a.failed.is_(True)),
            count(sure),
            count(sure & ~a.was_changed),
            func.coalesce(func.sum(lost), 0.0),
            func.coalesce(func.sum(lost * lost), 0.0),
            func.coalesce(func.sum(lost * a.weight), 0.0),
            *(
                func.coalesce(func.sum(w).filter(*which), 0.0)
                for w, which in (
                    (a.weight, missed),
                    (a.weight, counts),
                    (a.weight * a.weight, counts),
                )
            ),
        )
        .where(*_answers(scope))
        .group_by(a.criterion)
        .order_by(a.criterion)
    )
    # coalesced sums, in this order
    return [Tally(*row) for row in session.execute(query)]  # type: ignore[arg-type, call-arg]


def examples(
    session: Session, criteria: Sequence[str], scope: Scope, *, each: int = 3
) -> dict[str, list[Example]]:
    """Load for some criteria the newest released cards on which they were lost."""
    query = (
        select(AnswerRow.criterion, ScorecardRow.id, ScorecardRow.call_id, ScorecardRow.agent_id)
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .where(*_answers(scope), AnswerRow.criterion.in_(criteria), AnswerRow.share_of_points < 1)
        .where(ScorecardRow.state.in_((ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)))
        .order_by(AnswerRow.called_at.desc(), AnswerRow.id.desc())
        .limit(60 * max(1, len(criteria)))
    )
    examples: dict[str, list[Example]] = {}
    for criterion, card_id, call_id, agent_id in session.execute(query):
        rows = examples.setdefault(criterion, [])
        if len(rows) < each and agent_id not in {example.agent_id for example in rows}:
            rows.append(Example(card_id, call_id, agent_id))
    return examples


def coverage(session: Session, scope: Scope, *, now: datetime) -> Coverage:
    """Count what became of the drawn calls.

    The totals of all calls are filled in by the caller, who has them.
    """
    where = _joined_calls(session, scope)
    drawn = (
        session.scalar(
            select(func.count(DrawnCallRow.call_id.distinct()))
            .join(CallRow, CallRow.id == DrawnCallRow.call_id)
            .where(*where)
        )
        or 0
    )
    open_states = (AssignmentState.WAITING, AssignmentState.CLAIMED)

    def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(*conditions)

    state = AssignmentRow.state
    scored, skipped, waiting, overdue, expired, withdrawn = session.execute(
        select(
            count(state == AssignmentState.SUBMITTED),
            count(state == AssignmentState.SKIPPED),
            count(state.in_(open_states)),
            count(state.in_(open_states), AssignmentRow.due_at < now),
            count(state == AssignmentState.EXPIRED),
            count(state == AssignmentState.WITHDRAWN),
        )
        .select_from(AssignmentRow)
        .join(CallRow, CallRow.id == AssignmentRow.call_id)
        .where(*where, AssignmentRow.kind == AssignmentKind.STANDARD)
    ).one()
    return Coverage(0, 0, drawn, scored, skipped, waiting, overdue, expired, withdrawn)


def ratings(session: Session, scope: Scope) -> dict[int, tuple[int, dict[str, float]]]:
    """Count customers' ratings per agent, with sums for mean and correlation."""
    x, y = CallRow.automatic_score, RatingRow.value
    checked_rating = case((x.is_not(None), y), else_=None)
    sums = (
        func.sum(y),
        func.sum(y * y),
        func.count(x),
        func.sum(x),
        func.sum(x * x),
        func.sum(x * y),
        func.sum(checked_rating),
        func.sum(checked_rating * checked_rating),
    )
    query = (
        select(CallRow.agent_id, func.count(), *sums)
        .join(RatingRow, RatingRow.call_id == CallRow.id)
        .where(*_joined_calls(session, scope))
    )
    rows = session.execute(query.group_by(CallRow.agent_id))
    return {
        agent: (count, {name: float(value or 0) for name, value in zip(SUMS, values, strict=True)})
        for agent, count, *values in rows
    }


def project(session: Session, code: str) -> int | None:
    return session.scalar(select(ProjectRow.id).where(ProjectRow.code == code))


def team(session: Session, name: str) -> int | None:
    return session.scalar(select(TeamRow.id).where(TeamRow.name == name))


def department(session: Session, name: str) -> int | None:
    return session.scalar(select(DepartmentRow.id).where(DepartmentRow.name == name))


def agents_with_calls(session: Session, scope: Scope) -> list[str]:
    """List the codes of the agents who had a call."""
    had = select(CallRow.agent_id).where(*_calls(scope)).distinct()
    return list(
        session.scalars(select(AgentRow.code).where(AgentRow.id.in_(had)).order_by(AgentRow.code))
    )


def agent_code(session: Session, agent_id: int) -> str | None:
    return session.scalar(select(AgentRow.code).where(AgentRow.id == agent_id))


def agent(session: Session, code: str) -> tuple[int, str] | None:
    """Find an agent's id and name by code."""
    row = session.execute(select(AgentRow.id, AgentRow.name).where(AgentRow.code == code)).first()
    return (row[0], row[1]) if row else None


def first_call_at(session: Session) -> datetime | None:
    return session.scalar(select(func.min(CallRow.started_at)))


def last_call_at(session: Session) -> datetime | None:
    return session.scalar(select(func.max(CallRow.started_at)))


def closed(
    session: Session, month: Month, project: str
) -> tuple[int, dict[str, Any], datetime] | None:
    """Find the newest revision of a closed month: number, document, time."""
    query = (
        select(ClosedMonthRow)
        .where(ClosedMonthRow.month == month, ClosedMonthRow.project == project)
        .order_by(ClosedMonthRow.revision.desc())
    )
    row = session.scalar(query.limit(1))
    return (row.revision, row.document, row.closed_at) if row else None


def is_closed(session: Session, month: Month) -> bool:
    """Tell whether any project's report of the month is closed."""
    return (
        session.scalar(select(ClosedMonthRow.id).where(ClosedMonthRow.month == month).limit(1))
        is not None
    )


def add_closed(
    session: Session,
    *,
    month: Month,
    project: str,
    revision: int,
    document: dict[str, Any],
    at: datetime,
    by: int | None,
) -> None:
    session.add(
        ClosedMonthRow(
            month=month,
            project=project,
            revision=revision,
            document=document,
            closed_at=at,
            closed_by=by,
        )
    )
    session.flush()


def figures(
    session: Session, *, months: Sequence[str], project: str
) -> dict[str, tuple[dict[str, Any], datetime]]:
    """Load months as they were last computed, for trends."""
    columns = select(MonthFigureRow.month, MonthFigureRow.document, MonthFigureRow.made_at)
    query = columns.where(MonthFigureRow.month.in_(months), MonthFigureRow.project == project)
    return {month: (document, at) for month, document, at in session.execute(query)}


def figure_times(session: Session, *, project: str) -> dict[str, datetime]:
    """Load when each month was last computed."""
    return dict(
        session.execute(
            select(MonthFigureRow.month, MonthFigureRow.made_at).where(
                MonthFigureRow.project == project
            )
        ).all()
    )


def save_figure(
    session: Session, *, month: Month, project: str, document: dict[str, Any], at: datetime
) -> None:
    upsert(
        session,
        MonthFigureRow,
        key={"month": month, "project": project},
        values={"document": document, "made_at": at},
    )


def cache_key(session: Session, scope: Scope, *, before: datetime, day: date) -> CacheKey:
    """Hash what a month's report is made from.

    What people set up, then sums over calls and cards (of the month before too) and the newest
    event of every kind that matters.

    Cheap against the report itself: indexes and sums, no documents. Scores are summed in whole
    hundredths: a database that adds floats in several processes gets another last digit every time.
    """
    score, cards = cast(CallRow.automatic_score * 100, BigInteger), ScorecardRow
    flagged = func.sum(case((CallRow.is_flagged, 1), else_=0))
    calls = select(func.count(), func.count(score), func.sum(score), flagged).where(*_calls(scope))
    scorecards = select(
        func.count(),
        func.sum(cast(cards.score * 100, BigInteger)),
        func.sum(cards.version),
        func.sum(cards.revision),
        func.sum(cards.evaluator_id),
        func.max(cards.id),
    ).where(
        cards.started_at >= before,
        cards.started_at < scope.end,
        cards.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    )
    figures_before = (
        select(func.count()).select_from(MonthFigureRow).where(MonthFigureRow.month < Month.of(day))
    )
    newest = [
        select(func.max(EventRow.id)).where(EventRow.what == event.value).scalar_subquery()
        for event in (*CONFIG_EVENTS, *DATA_EVENTS)
    ]
    sums = [
        *session.execute(calls).one(),
        *session.execute(scorecards).one(),
        session.scalar(figures_before),
    ]
    events = list(session.execute(select(*newest)).one())
    return CacheKey.of(
        MonthReport,
        [day.isoformat(), *events[: len(CONFIG_EVENTS)]],
        [*sums, *events[len(CONFIG_EVENTS) :]],
    )
