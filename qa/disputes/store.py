"""Query and change disputes. A decision is one compare-and-swap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from qa.disputes.types import Dispute, EvaluatorRecord
from qa.people.types import User
from qa.states import DisputeLevel, DisputeState, Role
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, UserRow
from qa.tables.scoring import DisputeRow, ScorecardRow

Evaluator, Decider = aliased(UserRow), aliased(UserRow)


def add(
    session: Session,
    *,
    card_id: int,
    criterion: str,
    number: int,
    level: DisputeLevel,
    option: str,
    suggested: str,
    reason: str,
    by: int,
    at: datetime,
    due_at: datetime,
) -> int:
    row = DisputeRow(
        scorecard_id=card_id,
        criterion=criterion,
        round=number,
        level=level,
        state=DisputeState.OPEN,
        disputed_option=option,
        suggested_option=suggested,
        reason=reason,
        opened_by_id=by,
        opened_at=at,
        due_at=due_at,
    )
    session.add(row)
    session.flush()
    return row.id


def highest_round(session: Session, card_id: int, criterion: str) -> int:
    query = select(func.max(DisputeRow.round)).where(
        DisputeRow.scorecard_id == card_id, DisputeRow.criterion == criterion
    )
    return session.scalar(query) or 0


def dispute(session: Session, dispute_id: int) -> Dispute | None:
    rows = _disputes(session, DisputeRow.id == dispute_id)
    return rows[0] if rows else None


def of_card(session: Session, card_id: int) -> list[Dispute]:
    """List every dispute about a card, in the order in which they were opened."""
    return _disputes(session, DisputeRow.scorecard_id == card_id)


def waiting_for(session: Session, user: User, *, limit: int = 100) -> list[Dispute]:
    """List open disputes that are this user's to decide, the most urgent first."""
    return _disputes(
        session,
        DisputeRow.state == DisputeState.OPEN,
        _theirs(user),
        order=(DisputeRow.due_at, DisputeRow.id),
        limit=limit,
    )


def count_waiting(session: Session, user: User) -> int:
    query = (
        select(func.count())
        .select_from(DisputeRow)
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
    )
    return session.scalar(query.where(DisputeRow.state == DisputeState.OPEN, _theirs(user))) or 0


def disputes(
    session: Session,
    *,
    evaluator_id: int | None,
    team_id: int | None,
    open_only: bool,
    before_id: int | None,
    limit: int,
) -> list[Dispute]:
    """List disputes for those who watch them, the newest first."""
    conditions = (
        (ScorecardRow.evaluator_id == evaluator_id if evaluator_id is not None else None),
        (AgentRow.team_id == team_id if team_id is not None else None),
        (DisputeRow.state == DisputeState.OPEN if open_only else None),
        (DisputeRow.id < before_id if before_id is not None else None),
    )
    return _disputes(
        session,
        *[c for c in conditions if c is not None],
        order=(DisputeRow.id.desc(),),
        limit=limit,
    )


def overdue(session: Session, *, now: datetime, limit: int = 200) -> list[Dispute]:
    open_ones = (
        DisputeRow.state == DisputeState.OPEN,
        DisputeRow.due_at < now,
        DisputeRow.level != DisputeLevel.DIRECTOR,
    )
    return _disputes(session, *open_ones, order=(DisputeRow.due_at,), limit=limit)


def change(session: Session, dispute_id: int, **fields: Any) -> bool:
    """Change a dispute that is still open."""
    still_open = update(DisputeRow).where(
        DisputeRow.id == dispute_id, DisputeRow.state == DisputeState.OPEN
    )
    return affected_rows(session, still_open.values(**fields)) > 0


def close_all(session: Session, card_id: int, *, at: datetime) -> None:
    """Withdraw every open dispute about a card that is void."""
    change = update(DisputeRow).where(
        DisputeRow.scorecard_id == card_id, DisputeRow.state == DisputeState.OPEN
    )
    session.execute(change.values(state=DisputeState.WITHDRAWN, decided_at=at))


def open_of_team(
    session: Session, team_id: int, *, limit: int = 50
) -> list[tuple[int, str, str, datetime]]:
    """List undecided disputes of a team's agents, the most pressing first.

    Each with id, agent, criterion and due time.
    """
    query = (
        select(DisputeRow.id, AgentRow.name, DisputeRow.criterion, DisputeRow.due_at)
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .where(DisputeRow.state == DisputeState.OPEN, AgentRow.team_id == team_id)
        .order_by(DisputeRow.due_at)
        .limit(limit)
    )
    return [(i, agent, criterion, due) for i, agent, criterion, due in session.execute(query)]


def records(session: Session, *, since: datetime | None = None) -> dict[int, EvaluatorRecord]:
    """Count per evaluator the answers disputed, decided and changed in the end."""
    decided = DisputeRow.state.in_((DisputeState.UPHELD, DisputeState.REJECTED))
    query = (
        select(
            ScorecardRow.evaluator_id,
            func.count().filter(DisputeRow.round == 1),
            func.count().filter(decided, DisputeRow.round == 1),
            func.count().filter(DisputeRow.state == DisputeState.UPHELD),
        )
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
        .group_by(ScorecardRow.evaluator_id)
    )
    if since is not None:
        query = query.where(DisputeRow.opened_at >= since)
    return {e: EvaluatorRecord(e, *counts) for e, *counts in session.execute(query)}


def _theirs(user: User) -> ColumnElement[bool]:
    own = (DisputeRow.level == DisputeLevel.EVALUATOR) & (ScorecardRow.evaluator_id == user.id)
    levels = {Role.QA_MANAGER: DisputeLevel.QA_MANAGER, Role.DIRECTOR: DisputeLevel.DIRECTOR}
    if user.role not in levels:
        return own
    earlier = aliased(DisputeRow)
    decided = select(earlier.id).where(
        earlier.scorecard_id == DisputeRow.scorecard_id,
        earlier.criterion == DisputeRow.criterion,
        earlier.decided_by_id == user.id,
    )
    return or_(
        own,
        (DisputeRow.level == levels[user.role])
        & (ScorecardRow.evaluator_id != user.id)
        & ~decided.exists(),
    )


def _disputes(
    session: Session,
    *where: ColumnElement[bool],
    order: Sequence[Any] = (DisputeRow.id,),
    limit: int = 500,
) -> list[Dispute]:
    columns = (
        DisputeRow,
        ScorecardRow.agent_id,
        AgentRow.name,
        ScorecardRow.evaluator_id,
        Evaluator.display_name,
        ScorecardRow.project_id,
        Decider.display_name,
    )
    query = (
        select(*columns)
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .join(Evaluator, Evaluator.id == ScorecardRow.evaluator_id)
        .outerjoin(Decider, Decider.id == DisputeRow.decided_by_id)
    )
    return [
        _dispute(*row) for row in session.execute(query.where(*where).order_by(*order).limit(limit))
    ]


def _dispute(
    row: DisputeRow,
    agent_id: int,
    agent: str,
    evaluator_id: int,
    evaluator: str,
    project_id: int,
    decided_by: str | None,
) -> Dispute:
    return Dispute(
        row.id,
        row.scorecard_id,
        agent_id,
        agent,
        evaluator_id,
        evaluator,
        project_id,
        row.criterion,
        row.round,
        row.level,
        row.state,
        row.disputed_option,
        row.suggested_option,
        row.reason,
        row.opened_at,
        row.due_at,
        row.decided_by_id,
        decided_by,
        row.decided_at,
        row.decision_reason,
        row.decided_option,
        row.is_rule_at_fault,
    )
