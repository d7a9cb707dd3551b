"""Query and change assignments in the database. A claim is one compare-and-swap."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from qa.assignment.types import Assignment, Candidate, EvaluatorLoad, QueueCounts, SkipReason
from qa.states import AssignmentKind, AssignmentState, Role
from qa.tables.calls import CallRow
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, ProjectRow, UserRow
from qa.tables.scoring import AssignmentRow, ScorecardRow

# calibrations and self-evaluations are taken on their own pages
_QUEUED = AssignmentRow.kind.in_((AssignmentKind.STANDARD, AssignmentKind.DOUBLE))


def _free(now: datetime) -> ColumnElement[bool]:
    claimed_too_long = and_(
        AssignmentRow.state == AssignmentState.CLAIMED, AssignmentRow.lease_until < now
    )
    return or_(AssignmentRow.state == AssignmentState.WAITING, claimed_too_long)


def _open_to(evaluator_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Match the assignments for everybody, and those reserved for this evaluator."""
    return AssignmentRow.reserved_for_id.is_(None), AssignmentRow.reserved_for_id == evaluator_id


def add(
    session: Session,
    *,
    call_id: int,
    form_version_id: int,
    drawn_call_id: int | None,
    due_at: datetime,
    at: datetime,
    kind: AssignmentKind = AssignmentKind.STANDARD,
    occasion: str = "",
    reserved_for_id: int | None = None,
    is_blind: bool = False,
) -> int | None:
    """Insert an assignment; None where the call has one already for this form and occasion."""
    existing = select(AssignmentRow.id).where(
        AssignmentRow.call_id == call_id, AssignmentRow.form_version_id == form_version_id
    )
    if session.scalar(existing.where(AssignmentRow.occasion == occasion)) is not None:
        return None
    row = AssignmentRow(
        call_id=call_id,
        form_version_id=form_version_id,
        drawn_call_id=drawn_call_id,
        kind=kind,
        occasion=occasion,
        reserved_for_id=reserved_for_id,
        is_blind=is_blind,
        state=AssignmentState.WAITING,
        due_at=due_at,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def reopen(session: Session, assignment_id: int, *, evaluator_id: int, due_at: datetime) -> None:
    """Set a submitted assignment back to waiting, reserved for its evaluator."""
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id, AssignmentRow.state == AssignmentState.SUBMITTED
    )
    session.execute(
        change.values(
            state=AssignmentState.WAITING,
            evaluator_id=None,
            reserved_for_id=evaluator_id,
            lease_until=None,
            finished_at=None,
            due_at=due_at,
        )
    )


def add_re_evaluation(
    session: Session, assignment_id: int, *, due_at: datetime, at: datetime
) -> int | None:
    """Insert a further standard assignment like an old one; None where there is one already."""
    old = session.get_one(AssignmentRow, assignment_id)
    drawn, occasion = old.drawn_call_id, f"again:{assignment_id}"
    return add(
        session,
        call_id=old.call_id,
        form_version_id=old.form_version_id,
        drawn_call_id=drawn,
        due_at=due_at,
        at=at,
        occasion=occasion,
    )


def held_by(session: Session, evaluator_id: int, *, now: datetime) -> int | None:
    """Select the oldest assignment that an evaluator holds now."""
    query = select(AssignmentRow.id).where(
        AssignmentRow.evaluator_id == evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
        _QUEUED,
    )
    return session.scalar(
        query.where(AssignmentRow.lease_until >= now).order_by(AssignmentRow.id).limit(1)
    )


def candidates(
    session: Session, *, evaluator_id: int, own_agent_id: int | None, now: datetime, limit: int
) -> list[Candidate]:
    """List free assignments that an evaluator may claim: those reserved for them, else anybody's.

    Each by due time. Nobody gets a call of their own, nor one that they have filled a form for
    already.
    """
    own = and_(_QUEUED, AssignmentRow.reserved_for_id == evaluator_id)
    anybodys = and_(_QUEUED, AssignmentRow.reserved_for_id.is_(None))
    waiting = AssignmentRow.state == AssignmentState.WAITING
    abandoned = and_(
        AssignmentRow.state == AssignmentState.CLAIMED, AssignmentRow.lease_until < now
    )
    other = aliased(AssignmentRow)
    already_filled = exists().where(
        other.call_id == AssignmentRow.call_id,
        other.evaluator_id == evaluator_id,
        other.id != AssignmentRow.id,
    )
    free_ones: list[Candidate] = []
    for reach in (own, anybodys):
        # each a range of one index; together they would be a scan
        for free in (
            waiting,
            abandoned,
        ):
            query = select(AssignmentRow.id, CallRow.agent_id, AssignmentRow.due_at).join(
                CallRow, CallRow.id == AssignmentRow.call_id
            )
            query = (
                query.where(free, reach, ~already_filled if reach is anybodys else true())
                .order_by(AssignmentRow.due_at, AssignmentRow.id)
                .limit(limit)
            )
            if own_agent_id is not None:
                query = query.where(CallRow.agent_id != own_agent_id)
            free_ones += [Candidate(*row) for row in session.execute(query)]
        if free_ones:
            break
    return free_ones


def scorecards_by_agent(
    session: Session, evaluator_id: int, agent_ids: Sequence[int], *, since: datetime
) -> dict[int, int]:
    """Count the cards of each agent that this evaluator has opened since then."""
    query = select(ScorecardRow.agent_id, func.count()).where(
        ScorecardRow.evaluator_id == evaluator_id, ScorecardRow.opened_at >= since
    )
    counting = ScorecardRow.kind.in_((AssignmentKind.STANDARD, AssignmentKind.DOUBLE))
    return dict(
        session.execute(
            query.where(ScorecardRow.agent_id.in_(agent_ids), counting).group_by(
                ScorecardRow.agent_id
            )
        ).all()
    )


def is_untouched(session: Session, assignment_id: int, *, now: datetime) -> bool:
    """Tell whether an assignment is free and nobody is claiming it at this moment.

    Locks it on PostgreSQL.
    """
    query = (
        select(AssignmentRow.id)
        .where(AssignmentRow.id == assignment_id, _free(now))
        .with_for_update(skip_locked=True)
    )
    return session.scalar(query) is not None


def claim(
    session: Session, assignment_id: int, *, evaluator_id: int, now: datetime, lease_until: datetime
) -> bool:
    """Claim an assignment if it is still free."""
    change = update(AssignmentRow).where(AssignmentRow.id == assignment_id, _free(now))
    statement = change.values(
        state=AssignmentState.CLAIMED, evaluator_id=evaluator_id, lease_until=lease_until
    )
    return affected_rows(session, statement) > 0


def finish(
    session: Session,
    assignment_id: int,
    *,
    evaluator_id: int,
    to: AssignmentState,
    at: datetime,
    **fields: Any,
) -> bool:
    """Finish an assignment if this evaluator still holds it."""
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id,
        AssignmentRow.evaluator_id == evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
    )
    statement = change.values(state=to, finished_at=at, lease_until=None, **fields)
    return affected_rows(session, statement) > 0


def return_to_queue(session: Session, assignment_id: int, *, evaluator_id: int) -> bool:
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id,
        AssignmentRow.evaluator_id == evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
    )
    statement = change.values(state=AssignmentState.WAITING, evaluator_id=None, lease_until=None)
    return affected_rows(session, statement) > 0


def renew(
    session: Session, assignment_id: int, *, evaluator_id: int, lease_until: datetime
) -> bool:
    """Extend the lease of a claimed assignment.

    A lease that ended is taken up again while nobody else has claimed the call.
    """
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id,
        AssignmentRow.evaluator_id == evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
    )
    statement = change.values(lease_until=lease_until).execution_options(synchronize_session=False)
    return affected_rows(session, statement) > 0


def drawn_standard(session: Session, assignment_id: int) -> int | None:
    """Select the drawn call behind a standard assignment; None where nobody drew it."""
    query = select(AssignmentRow.drawn_call_id).where(
        AssignmentRow.id == assignment_id, AssignmentRow.kind == AssignmentKind.STANDARD
    )
    return session.scalar(query)


def shares(session: Session) -> dict[int, int]:
    """Map the evaluators among whom new calls are distributed to their shares."""
    query = select(UserRow.id, UserRow.queue_share).where(
        UserRow.is_active, UserRow.queue_share > 0, UserRow.role == Role.EVALUATOR
    )
    return dict(session.execute(query).all())


def reserved_this_month(
    session: Session, user_ids: Sequence[int], *, since: datetime
) -> Counter[tuple[int, int]]:
    """Count the calls since then that are or were on each list: (user, agent) → calls."""
    query = select(AssignmentRow.reserved_for_id, CallRow.agent_id, func.count()).join(
        CallRow, CallRow.id == AssignmentRow.call_id
    )
    query = query.where(
        AssignmentRow.reserved_for_id.in_(user_ids), _QUEUED, AssignmentRow.created_at >= since
    )
    rows = session.execute(query.group_by(AssignmentRow.reserved_for_id, CallRow.agent_id))
    return Counter({(who, agent_id): n for who, agent_id, n in rows if who is not None})


def unreserved(session: Session, *, limit: int) -> list[tuple[int, int]]:
    """List waiting assignments on nobody's list with their calls, the earliest due first."""
    query = select(AssignmentRow.id, AssignmentRow.call_id).where(
        AssignmentRow.state == AssignmentState.WAITING,
        AssignmentRow.reserved_for_id.is_(None),
        _QUEUED,
    )
    return [
        (i, call_id)
        for i, call_id in session.execute(
            query.order_by(AssignmentRow.due_at, AssignmentRow.id).limit(limit)
        )
    ]


def on_list(session: Session, user_id: int) -> list[int]:
    """List the waiting assignments on somebody's list."""
    query = select(AssignmentRow.id).where(
        AssignmentRow.state == AssignmentState.WAITING,
        AssignmentRow.reserved_for_id == user_id,
        _QUEUED,
    )
    return list(session.scalars(query.order_by(AssignmentRow.id)))


def current_holders(session: Session, call_ids: Sequence[int]) -> dict[int, int]:
    """Map each of these calls to who has it for scoring already, on a list or in hand."""
    holder = func.coalesce(AssignmentRow.evaluator_id, AssignmentRow.reserved_for_id)
    query = select(AssignmentRow.call_id, holder).where(
        AssignmentRow.call_id.in_(call_ids), holder.is_not(None), _QUEUED
    )
    return {call_id: user_id for call_id, user_id in session.execute(query) if user_id is not None}


def agents_of_calls(session: Session, call_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Map each of these calls to its agent and project."""
    query = select(CallRow.id, CallRow.agent_id, CallRow.project_id).where(CallRow.id.in_(call_ids))
    return {i: (agent_id, project_id) for i, agent_id, project_id in session.execute(query)}


def overdue(session: Session, *, now: datetime, limit: int = 500) -> list[tuple[int, int | None]]:
    """List overdue assignments of which nobody was told yet, with who has them."""
    holder = func.coalesce(AssignmentRow.evaluator_id, AssignmentRow.reserved_for_id)
    unfinished = AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED))
    query = select(AssignmentRow.id, holder).where(
        unfinished, AssignmentRow.due_at < now, AssignmentRow.reminded_at.is_(None), _QUEUED
    )
    return [
        (i, user_id)
        for i, user_id in session.execute(query.order_by(AssignmentRow.due_at).limit(limit))
    ]


def mark_reminded(session: Session, assignment_ids: Sequence[int], *, at: datetime) -> None:
    session.execute(
        update(AssignmentRow).where(AssignmentRow.id.in_(assignment_ids)).values(reminded_at=at)
    )


def _assignments() -> Any:
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


def _assignment(row: Any) -> Assignment:
    assignment, agent, project, queue, started_at, seconds, language, score, card_id = row
    return Assignment(
        assignment.id,
        assignment.call_id,
        assignment.form_version_id,
        assignment.kind,
        assignment.occasion,
        assignment.is_blind,
        assignment.reserved_for_id,
        assignment.state,
        assignment.evaluator_id,
        assignment.lease_until,
        assignment.due_at,
        agent.id,
        agent.name,
        project,
        queue,
        started_at,
        seconds,
        language,
        assignment.finished_at,
        score,
        card_id,
    )


def assignment(session: Session, assignment_id: int) -> Assignment | None:
    row = session.execute(_assignments().where(AssignmentRow.id == assignment_id)).first()
    return _assignment(row) if row else None


def assignment_id_for(
    session: Session, *, call_id: int, form_version_id: int, occasion: str
) -> int | None:
    query = select(AssignmentRow.id).where(
        AssignmentRow.call_id == call_id, AssignmentRow.form_version_id == form_version_id
    )
    return session.scalar(query.where(AssignmentRow.occasion == occasion))


def held_by_me(session: Session, evaluator_id: int, *, now: datetime) -> list[Assignment]:
    query = _assignments().where(
        AssignmentRow.evaluator_id == evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
        AssignmentRow.lease_until >= now,
    )
    return [_assignment(r) for r in session.execute(query.order_by(AssignmentRow.due_at))]


def waiting(
    session: Session, evaluator_id: int, *, now: datetime, limit: int = 25
) -> list[Assignment]:
    """List what an evaluator may get next, by due time."""
    query = (
        _assignments()
        .where(_free(now), _QUEUED, or_(*_open_to(evaluator_id)))
        .order_by(AssignmentRow.due_at, AssignmentRow.id)
        .limit(limit)
    )
    return [_assignment(r) for r in session.execute(query)]


def finished(session: Session, evaluator_id: int, *, limit: int = 25) -> list[Assignment]:
    states = (AssignmentState.SUBMITTED, AssignmentState.SKIPPED)
    query = _assignments().where(
        AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.state.in_(states), _QUEUED
    )
    return [
        _assignment(r)
        for r in session.execute(query.order_by(AssignmentRow.finished_at.desc()).limit(limit))
    ]


def counts(session: Session, evaluator_id: int, *, now: datetime, today: datetime) -> QueueCounts:
    """Count what waits for an evaluator, what they hold and what they did today.

    Each count is a range of one index; together in one scan they would read every assignment there
    ever was.
    """
    is_waiting = AssignmentRow.state == AssignmentState.WAITING
    is_claimed = AssignmentRow.state == AssignmentState.CLAIMED
    is_abandoned = AssignmentRow.lease_until < now
    is_mine = AssignmentRow.evaluator_id == evaluator_id
    is_overdue = AssignmentRow.due_at < now

    def count(*where: ColumnElement[bool]) -> Any:
        return select(func.count(AssignmentRow.id)).where(_QUEUED, *where).scalar_subquery()

    reaches = _open_to(evaluator_id)
    free = [
        *((is_waiting, reach) for reach in reaches),
        *((is_claimed, is_abandoned, reach) for reach in reaches),
    ]
    query = select(
        *(count(*where) for where in free),
        *(count(is_overdue, *where) for where in free),
        count(is_mine, is_claimed, AssignmentRow.lease_until >= now),
        count(
            is_mine,
            AssignmentRow.state == AssignmentState.SUBMITTED,
            AssignmentRow.finished_at >= today,
        ),
    )
    numbers = session.execute(query).one()
    return QueueCounts(
        waiting=sum(numbers[:4]), overdue=sum(numbers[4:8]), mine=numbers[8], done_today=numbers[9]
    )


def holds(session: Session, evaluator_id: int, call_id: int) -> bool:
    query = (
        select(AssignmentRow.id)
        .where(AssignmentRow.evaluator_id == evaluator_id, AssignmentRow.call_id == call_id)
        .limit(1)
    )
    return session.scalar(query) is not None


def skips_by_evaluator(session: Session) -> list[tuple[str, SkipReason, int]]:
    """Count the skips per evaluator and reason, against picking the easy calls."""
    query = (
        select(UserRow.display_name, AssignmentRow.skip_reason, func.count())
        .join(UserRow, UserRow.id == AssignmentRow.evaluator_id)
        .where(AssignmentRow.state == AssignmentState.SKIPPED)
        .group_by(UserRow.display_name, AssignmentRow.skip_reason)
        .order_by(UserRow.display_name, AssignmentRow.skip_reason)
    )
    return [(name, SkipReason(reason), n) for name, reason, n in session.execute(query)]


def reserve(session: Session, assignment_id: int, *, user_id: int | None) -> bool:
    """Reserve an unfinished assignment for somebody, or with None for everybody.

    One that is being scored is taken from its holder.
    """
    unfinished = AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED))
    change = update(AssignmentRow).where(
        AssignmentRow.id == assignment_id,
        unfinished,
        AssignmentRow.kind != AssignmentKind.CALIBRATION,
    )
    values = {
        "reserved_for_id": user_id,
        "state": AssignmentState.WAITING,
        "evaluator_id": None,
        "lease_until": None,
        "reminded_at": None,
    }
    return affected_rows(session, change.values(**values)) > 0


def withdraw(session: Session, assignment_id: int, *, at: datetime, reason: str) -> bool:
    """Withdraw an unfinished assignment."""
    unfinished = AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED))
    change = update(AssignmentRow).where(AssignmentRow.id == assignment_id, unfinished)
    values = {
        "state": AssignmentState.WITHDRAWN,
        "finished_at": at,
        "lease_until": None,
        "skip_comment": reason,
    }
    return affected_rows(session, change.values(**values)) > 0


def expire(session: Session, *, due_before: datetime, at: datetime, limit: int = 500) -> list[int]:
    """Expire assignments that have waited too long for anybody; returns their calls."""
    late = select(AssignmentRow.id, AssignmentRow.call_id).where(
        AssignmentRow.state == AssignmentState.WAITING, AssignmentRow.due_at < due_before
    )
    rows = session.execute(late.order_by(AssignmentRow.due_at).limit(limit)).all()
    change = update(AssignmentRow).where(
        AssignmentRow.id.in_([r.id for r in rows]), AssignmentRow.state == AssignmentState.WAITING
    )
    session.execute(change.values(state=AssignmentState.EXPIRED, finished_at=at))
    return [r.call_id for r in rows]


def unfinished(
    session: Session,
    *,
    evaluator_id: int | None,
    overdue_at: datetime | None,
    after_id: int | None,
    limit: int,
) -> list[tuple[Assignment, str]]:
    """List assignments that wait or are being scored, with the name of who has them."""
    holder = func.coalesce(AssignmentRow.evaluator_id, AssignmentRow.reserved_for_id)
    query = _assignments().add_columns(UserRow.display_name)
    query = query.outerjoin(UserRow, UserRow.id == holder)
    conditions = (
        AssignmentRow.state.in_((AssignmentState.WAITING, AssignmentState.CLAIMED)),
        (holder == evaluator_id if evaluator_id is not None else None),
        (AssignmentRow.due_at < overdue_at if overdue_at is not None else None),
        (AssignmentRow.id > after_id if after_id is not None else None),
    )
    rows = session.execute(
        query.where(*[c for c in conditions if c is not None])
        .order_by(AssignmentRow.id)
        .limit(limit)
    )
    return [(_assignment(r[:-1]), r[-1] or "") for r in rows]


def loads(
    session: Session, *, now: datetime, today: datetime, month: datetime
) -> list[EvaluatorLoad]:
    """Sum up what every evaluator has done, holds, has on their list and skipped."""
    is_submitted = AssignmentRow.state == AssignmentState.SUBMITTED
    mine = (
        select(
            AssignmentRow.evaluator_id,
            func.count().filter(is_submitted, AssignmentRow.finished_at >= today).label("today"),
            func.count().filter(is_submitted).label("month"),
            func.count().filter(AssignmentRow.state == AssignmentState.SKIPPED).label("skipped"),
        )
        .where(AssignmentRow.evaluator_id.is_not(None), AssignmentRow.finished_at >= month)
        .group_by(AssignmentRow.evaluator_id)
        .subquery()
    )
    held = _count_per(
        AssignmentRow.evaluator_id,
        AssignmentRow.state == AssignmentState.CLAIMED,
        AssignmentRow.lease_until >= now,
    )
    reserved = _count_per(
        AssignmentRow.reserved_for_id, AssignmentRow.state == AssignmentState.WAITING
    )
    spent = (
        select(ScorecardRow.evaluator_id, func.avg(ScorecardRow.seconds_spent).label("mean"))
        .where(ScorecardRow.submitted_at >= month, ScorecardRow.seconds_spent > 0)
        .group_by(ScorecardRow.evaluator_id)
        .subquery()
    )
    counted = [
        func.coalesce(c, 0)
        for c in (mine.c.today, mine.c.month, held.c.n, reserved.c.n, mine.c.skipped)
    ]
    query = (
        select(
            UserRow.id,
            UserRow.display_name,
            UserRow.daily_goal,
            UserRow.queue_share,
            *counted,
            spent.c.mean,
        )
        .outerjoin(mine, mine.c.evaluator_id == UserRow.id)
        .outerjoin(held, held.c.who == UserRow.id)
        .outerjoin(reserved, reserved.c.who == UserRow.id)
        .outerjoin(spent, spent.c.evaluator_id == UserRow.id)
        .where(UserRow.is_active, UserRow.role == Role.EVALUATOR)
        .order_by(UserRow.display_name)
    )
    return [EvaluatorLoad(*row) for row in session.execute(query)]


def _count_per(user: Any, *where: ColumnElement[bool]) -> Any:
    return (
        select(user.label("who"), func.count().label("n"))
        .where(user.is_not(None), *where)
        .group_by(user)
        .subquery()
    )
