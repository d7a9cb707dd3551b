"""Queries on the queue. A claim is one compare-and-swap."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from qa.assignment.types import AssignmentState, Place, QueueCounts, SkipReason
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow, ProjectRow, UserRow
from qa.tables.scoring import AssignmentRow, ScorecardRow


def _free(now: datetime) -> ColumnElement[bool]:
    claimed_too_long = and_(AssignmentRow.state == AssignmentState.CLAIMED, AssignmentRow.lease_until < now)
    return or_(AssignmentRow.state == AssignmentState.WAITING, claimed_too_long)


def add(session: Session, *, call_id: int, form_version_id: int, drawn_call_id: int | None, due_at: datetime, at: datetime) -> int | None:
    """A place for a call; None where the call already has one for this form."""
    known = select(AssignmentRow.id).where(AssignmentRow.call_id == call_id, AssignmentRow.form_version_id == form_version_id)
    if session.scalar(known) is not None:
        return None
    row = AssignmentRow(
        call_id=call_id, form_version_id=form_version_id, drawn_call_id=drawn_call_id, state=AssignmentState.WAITING, due_at=due_at, created_at=at
    )
    session.add(row)
    session.flush()
    return row.id


def held_by(session: Session, evaluator_id: int, *, now: datetime) -> int | None:
    """The assignment that an evaluator holds now, the oldest."""
    query = select(AssignmentRow.id).where(AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state == AssignmentState.CLAIMED)
    return session.scalar(query.where(AssignmentRow.lease_until >= now).order_by(AssignmentRow.id).limit(1))


def next_unclaimed(session: Session, *, now: datetime, own_agent_id: int | None) -> int | None:
    """The free place that is due first; rows that others are just taking are skipped (PostgreSQL)."""
    query = select(AssignmentRow.id).where(_free(now)).order_by(AssignmentRow.due_at, AssignmentRow.id).limit(1).with_for_update(skip_locked=True)
    if own_agent_id is not None:
        query = query.where(AssignmentRow.call_id.not_in(select(CallRow.id).where(CallRow.agent_id == own_agent_id)))
    return session.scalar(query)


def claim(session: Session, assignment_id: int, *, evaluator_id: int, now: datetime, lease_until: datetime) -> bool:
    """Take a place if it is still free."""
    change = update(AssignmentRow).where(AssignmentRow.id == assignment_id, _free(now))
    done = session.execute(change.values(state=AssignmentState.CLAIMED, evaluator_id=evaluator_id, lease_until=lease_until))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result


def finish(session: Session, assignment_id: int, *, evaluator_id: int, to: AssignmentState, at: datetime, **fields: Any) -> bool:
    """Leave the queue, if this evaluator still holds the place."""
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id, AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state == AssignmentState.CLAIMED
    )
    done = session.execute(change.values(state=to, finished_at=at, lease_until=None, **fields))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result


def put_back(session: Session, assignment_id: int, *, evaluator_id: int) -> bool:
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id, AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state == AssignmentState.CLAIMED
    )
    done = session.execute(change.values(state=AssignmentState.WAITING, evaluator_id=None, lease_until=None))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result


def renew(session: Session, assignment_id: int, *, evaluator_id: int, lease_until: datetime) -> bool:
    """A sign of life. A lease that ended is taken up again while nobody else has the place."""
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id, AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state == AssignmentState.CLAIMED
    )
    return bool(session.execute(change.values(lease_until=lease_until)).rowcount)  # type: ignore[attr-defined]


def _places() -> Any:
    return (
        select(
            AssignmentRow,
            AgentRow,
            ProjectRow.name,
            CallRow.queue,
            CallRow.started_at,
            CallRow.duration_seconds,
            CallRow.language,
            ScorecardRow.score,
            ScorecardRow.id,
        )
        .join(CallRow, CallRow.id == AssignmentRow.call_id)
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .join(ProjectRow, ProjectRow.id == CallRow.project_id)
        .outerjoin(ScorecardRow, ScorecardRow.assignment_id == AssignmentRow.id)
    )


def _place(row: Any) -> Place:
    a, agent, project, queue, started_at, seconds, language, score, card_id = row
    return Place(
        a.id, a.call_id, a.form_version_id, a.state, a.evaluator_id, a.lease_until, a.due_at, agent.id, agent.name, project, queue, started_at, seconds,
        language, a.finished_at, score, card_id,
    )  # fmt: skip


def place(session: Session, assignment_id: int) -> Place | None:
    row = session.execute(_places().where(AssignmentRow.id == assignment_id)).first()
    return _place(row) if row else None


def mine(session: Session, evaluator_id: int, *, now: datetime) -> list[Place]:
    query = _places().where(AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state == AssignmentState.CLAIMED, AssignmentRow.lease_until >= now)
    return [_place(r) for r in session.execute(query.order_by(AssignmentRow.due_at))]


def waiting(session: Session, *, now: datetime, limit: int = 25) -> list[Place]:
    return [_place(r) for r in session.execute(_places().where(_free(now)).order_by(AssignmentRow.due_at, AssignmentRow.id).limit(limit))]


def finished(session: Session, evaluator_id: int, *, limit: int = 25) -> list[Place]:
    done = (AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
    query = _places().where(AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state.in_(done))
    return [_place(r) for r in session.execute(query.order_by(AssignmentRow.finished_at.desc()).limit(limit))]


def counts(session: Session, evaluator_id: int, *, now: datetime, today: datetime) -> QueueCounts:
    free = _free(now)
    own = AssignmentRow.evaluator_id == evaluator_id
    row = session.execute(
        select(
            func.count().filter(free),
            func.count().filter(and_(free, AssignmentRow.due_at < now)),
            func.count().filter(and_(own, AssignmentRow.state == AssignmentState.CLAIMED, AssignmentRow.lease_until >= now)),
            func.count().filter(and_(own, AssignmentRow.state == AssignmentState.SUBMITTED, AssignmentRow.finished_at >= today)),
        )
    ).one()
    return QueueCounts(*row)


def holds(session: Session, evaluator_id: int, call_id: int) -> bool:
    query = select(AssignmentRow.id).where(AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.call_id == call_id).limit(1)
    return session.scalar(query) is not None


def skips_by_evaluator(session: Session) -> list[tuple[str, SkipReason, int]]:
    """Evaluator, reason and how often: against picking the easy calls."""
    query = (
        select(UserRow.display_name, AssignmentRow.skip_reason, func.count())
        .join(UserRow, UserRow.id == AssignmentRow.evaluator_id)
        .where(AssignmentRow.state == AssignmentState.SKIPPED)
        .group_by(UserRow.display_name, AssignmentRow.skip_reason)
        .order_by(UserRow.display_name, AssignmentRow.skip_reason)
    )
    return [(name, SkipReason(reason), n) for name, reason, n in session.execute(query)]
