"""Query and change calibration sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from qa.calibration.types import (
    CalibrationSession,
    Member,
    OwnAssignment,
    RaterAnswers,
    SessionCall,
)
from qa.scoring.types import Filled
from qa.states import AssignmentKind, AssignmentState, CalibrationState
from qa.tables.calibration import CalibrationCallRow, CalibrationMemberRow, CalibrationSessionRow
from qa.tables.calls import CallRow
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, UserRow
from qa.tables.scoring import AssignmentRow, ScorecardRow


def occasion(session_id: int, user_id: int) -> str:
    """Name the occasion of a member's assignments: `calibration:<session>:<user>`."""
    return f"calibration:{session_id}:{user_id}"


def add(
    session: Session,
    *,
    title: str,
    form_version_id: int,
    due_at: datetime,
    by: int,
    at: datetime,
    call_ids: Sequence[int],
    user_ids: Sequence[int],
) -> int:
    row = CalibrationSessionRow(
        title=title,
        form_version_id=form_version_id,
        state=CalibrationState.SCORING,
        due_at=due_at,
        created_by_id=by,
        created_at=at,
    )
    session.add(row)
    session.flush()
    session.add_all(CalibrationCallRow(session_id=row.id, call_id=c) for c in call_ids)
    session.add_all(CalibrationMemberRow(session_id=row.id, user_id=u) for u in user_ids)
    session.flush()
    return row.id


def session_by_id(session: Session, session_id: int) -> CalibrationSession | None:
    sessions_found = _sessions(session, CalibrationSessionRow.id == session_id, limit=1)
    return sessions_found[0] if sessions_found else None


def sessions(
    session: Session, *, member_id: int | None, limit: int = 50
) -> list[CalibrationSession]:
    """List sessions, the newest first; with `member_id` those of one person."""
    mine = CalibrationSessionRow.id.in_(
        select(CalibrationMemberRow.session_id).where(CalibrationMemberRow.user_id == member_id)
    )
    return _sessions(session, *([mine] if member_id is not None else []), limit=limit)


def change(session: Session, session_id: int, **fields: Any) -> bool:
    """Change a session that is not closed."""
    query = update(CalibrationSessionRow).where(
        CalibrationSessionRow.id == session_id,
        CalibrationSessionRow.state != CalibrationState.CLOSED,
    )
    return affected_rows(session, query.values(**fields)) > 0


def agree(session: Session, session_id: int, call_id: int, agreed: dict[str, str]) -> None:
    query = update(CalibrationCallRow).where(
        CalibrationCallRow.session_id == session_id, CalibrationCallRow.call_id == call_id
    )
    session.execute(query.values(agreed=agreed))


def submitted_answers(session: Session, session_id: int) -> list[RaterAnswers]:
    """List every submitted form of a session."""
    query = select(ScorecardRow).join(AssignmentRow, AssignmentRow.id == ScorecardRow.assignment_id)
    query = query.where(
        AssignmentRow.kind == AssignmentKind.CALIBRATION,
        AssignmentRow.state == AssignmentState.SUBMITTED,
    )
    rows = session.scalars(
        query.where(AssignmentRow.occasion.like(f"calibration:{session_id}:%")).order_by(
            ScorecardRow.id
        )
    )
    submitted = []
    for row in rows:
        filled = Filled.model_validate(
            {"answers": row.answers, "notes": row.notes, "summary": row.summary}
        )
        comments = {c: a.comment for c, a in filled.answers.items() if a.comment}
        submitted.append(
            RaterAnswers(row.evaluator_id, row.call_id, filled.options, row.score, comments)
        )
    return submitted


def own_assignments(session: Session, session_id: int, user_id: int) -> dict[int, OwnAssignment]:
    """Map each call of a session to the assignment of one member."""
    query = select(AssignmentRow.call_id, AssignmentRow.id, AssignmentRow.state).where(
        AssignmentRow.occasion == occasion(session_id, user_id)
    )
    return {
        call_id: OwnAssignment(assignment_id, state)
        for call_id, assignment_id, state in session.execute(query)
    }


def unfinished_assignments(session: Session, session_id: int) -> list[int]:
    unfinished = AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED))
    return list(
        session.scalars(
            select(AssignmentRow.id).where(
                AssignmentRow.occasion.like(f"calibration:{session_id}:%"), unfinished
            )
        )
    )


def waiting_for(session: Session, user_id: int) -> int:
    """Count the sessions in which this person has calls left to score."""
    query = select(func.count(AssignmentRow.occasion.distinct())).where(
        AssignmentRow.reserved_for_id == user_id
    )
    unfinished = AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED))
    return (
        session.scalar(query.where(AssignmentRow.kind == AssignmentKind.CALIBRATION, unfinished))
        or 0
    )


def _sessions(session: Session, *where: Any, limit: int) -> list[CalibrationSession]:
    query = (
        select(CalibrationSessionRow, UserRow.display_name)
        .join(UserRow, UserRow.id == CalibrationSessionRow.created_by_id)
        .where(*where)
    )
    rows = session.execute(query.order_by(CalibrationSessionRow.id.desc()).limit(limit)).all()
    ids = [r.id for r, _ in rows]
    calls: dict[int, list[SessionCall]] = {i: [] for i in ids}
    members: dict[int, list[Member]] = {i: [] for i in ids}
    called = (
        select(CalibrationCallRow, AgentRow.name, CallRow.started_at)
        .join(CallRow, CallRow.id == CalibrationCallRow.call_id)
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .where(CalibrationCallRow.session_id.in_(ids))
        .order_by(CalibrationCallRow.id)
    )
    for c, agent, started_at in session.execute(called):
        calls[c.session_id].append(SessionCall(c.call_id, agent, started_at, dict(c.agreed)))
    counts: dict[str, int] = dict(
        session.execute(
            select(AssignmentRow.occasion, func.count())
            .where(
                AssignmentRow.kind == AssignmentKind.CALIBRATION,
                AssignmentRow.state == AssignmentState.SUBMITTED,
            )
            .where(
                AssignmentRow.reserved_for_id.in_(
                    select(CalibrationMemberRow.user_id).where(
                        CalibrationMemberRow.session_id.in_(ids)
                    )
                )
            )
            .group_by(AssignmentRow.occasion)
        ).all()
    )
    invited = select(CalibrationMemberRow, UserRow.display_name).join(
        UserRow, UserRow.id == CalibrationMemberRow.user_id
    )
    for m, name in session.execute(
        invited.where(CalibrationMemberRow.session_id.in_(ids)).order_by(UserRow.display_name)
    ):
        members[m.session_id].append(
            Member(m.user_id, name, counts.get(occasion(m.session_id, m.user_id), 0))
        )
    return [
        CalibrationSession(
            r.id,
            r.title,
            r.form_version_id,
            r.state,
            r.due_at,
            r.notes,
            r.follow_up,
            creator,
            r.created_at,
            tuple(calls[r.id]),
            tuple(members[r.id]),
        )
        for r, creator in rows
    ]
