"""Query and change cases. A decision is one compare-and-swap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from qa.cases.types import Case, Draft
from qa.people.types import User
from qa.states import CaseKind, CaseState, Role
from qa.tables.calls import CallRow
from qa.tables.cases import CaseRow
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, UserRow

OPEN = (CaseState.OPEN, CaseState.ESCALATED)
Writer, Decider = aliased(UserRow), aliased(UserRow)


def add(
    session: Session,
    draft: Draft,
    *,
    project_id: int | None,
    state: CaseState,
    by: int,
    at: datetime,
) -> int:
    fields = vars(draft) | {"content": draft.content.strip(), "contact": draft.contact.strip()}
    row = CaseRow(**fields, project_id=project_id, state=state, written_by_id=by, written_at=at)
    session.add(row)
    session.flush()
    return row.id


def case(session: Session, case_id: int) -> Case | None:
    rows = _cases(session, CaseRow.id == case_id, limit=1)
    return rows[0] if rows else None


def cases(
    session: Session,
    user: User,
    *,
    kind: CaseKind | None,
    open_only: bool,
    before_id: int | None,
    limit: int,
) -> list[Case]:
    """List the cases that a user may read, the newest first."""
    conditions = (
        _theirs(user),
        (CaseRow.kind == kind if kind is not None else None),
        (CaseRow.state.in_(OPEN) if open_only else None),
        (CaseRow.id < before_id if before_id is not None else None),
    )
    return _cases(session, *[c for c in conditions if c is not None], limit=limit)


def count_open(session: Session, user: User, kinds: Sequence[CaseKind]) -> int:
    """Count open cases of some kinds that this user settles."""
    query = (
        select(func.count())
        .select_from(CaseRow)
        .outerjoin(AgentRow, AgentRow.id == CaseRow.agent_id)
    )
    return (
        session.scalar(
            query.where(
                CaseRow.kind.in_(kinds),
                CaseRow.state.in_(OPEN),
                CaseRow.written_by_id != user.id,
                _theirs(user),
            )
        )
        or 0
    )


def settle(
    session: Session, case_id: int, *, state: CaseState, by: int, decision: str, at: datetime
) -> bool:
    change = update(CaseRow).where(CaseRow.id == case_id, CaseRow.state.in_(OPEN))
    statement = change.values(state=state, decided_by_id=by, decided_at=at, decision=decision)
    return affected_rows(session, statement) > 0


def due_difficult_cases(session: Session, *, until: datetime) -> list[Case]:
    """List unanswered difficult cases promised before `until` that nobody was reminded of."""
    return _cases(
        session,
        CaseRow.kind == CaseKind.DIFFICULT,
        CaseRow.state.in_(OPEN),
        CaseRow.due_at < until,
        CaseRow.reminded_at.is_(None),
        limit=200,
    )


def mark_reminded(session: Session, case_id: int, *, at: datetime) -> bool:
    """Note that people were reminded; false where somebody else did it."""
    change = update(CaseRow).where(CaseRow.id == case_id, CaseRow.reminded_at.is_(None))
    return affected_rows(session, change.values(reminded_at=at)) > 0


def facts_of_call(session: Session, call_id: int) -> tuple[int, int, datetime] | None:
    """Select agent, project and beginning of a call."""
    row = session.execute(
        select(CallRow.agent_id, CallRow.project_id, CallRow.started_at).where(
            CallRow.id == call_id
        )
    ).first()
    return (row[0], row[1], row[2]) if row else None


def team_of(session: Session, agent_id: int) -> int | None:
    return session.scalar(select(AgentRow.team_id).where(AgentRow.id == agent_id))


def _theirs(user: User) -> ColumnElement[bool]:
    """Match the cases that a user may read, as `rules.may_read` says, in SQL."""
    own = CaseRow.written_by_id == user.id
    if user.role is Role.AGENT:
        about = (CaseRow.agent_id == user.agent_id) & or_(
            CaseRow.kind != CaseKind.COMPLAINT, CaseRow.state.not_in(OPEN)
        )
        return or_(own, about)
    if user.role is Role.TEAM_LEADER:
        return or_(own, AgentRow.team_id == user.team_id, CaseRow.kind == CaseKind.PROPOSAL)
    if user.role is Role.TRAINER:
        return or_(own, CaseRow.kind.in_((CaseKind.PROPOSAL, CaseKind.GUIDE)))
    return true() if user.role in (Role.QA_MANAGER, Role.DIRECTOR) else own


def _cases(session: Session, *where: Any, limit: int) -> list[Case]:
    query = (
        select(CaseRow, AgentRow.name, AgentRow.team_id, Writer.display_name, Decider.display_name)
        .outerjoin(AgentRow, AgentRow.id == CaseRow.agent_id)
        .join(Writer, Writer.id == CaseRow.written_by_id)
        .outerjoin(Decider, Decider.id == CaseRow.decided_by_id)
    )
    rows = session.execute(query.where(*where).order_by(CaseRow.id.desc()).limit(limit))
    return [
        Case(
            r.id,
            r.kind,
            r.state,
            r.agent_id,
            agent,
            team_id,
            r.project_id,
            r.call_id,
            r.criterion,
            r.happened_at,
            r.content,
            r.contact,
            r.due_at,
            r.written_by_id,
            writer,
            r.written_at,
            decider,
            r.decided_at,
            r.decision,
        )
        for r, agent, team_id, writer, decider in rows
    ]
