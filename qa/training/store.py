"""Queries for training needs."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, case, cast, func, select, update
from sqlalchemy.orm import Session

from qa.audit.types import EventKind
from qa.result_cache.types import CacheKey
from qa.states import AssignmentKind, ScorecardState, TrainingArm, TrainingPlanState
from qa.tables.calls import CallRow
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, TeamRow, UserRow
from qa.tables.records import EventRow
from qa.tables.scoring import AnswerRow, ScorecardRow
from qa.tables.training import (
    TrainingCallRow,
    TrainingMemberRow,
    TrainingPlanRow,
    TrainingSessionRow,
)
from qa.training.types import (
    AgentTally,
    Colleague,
    Evidence,
    Member,
    NeedList,
    NewHire,
    Plan,
    PlanDraft,
    Study,
    TrainingSession,
)

RELEASED = (ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)


LIST_EVENTS = (EventKind.PUBLISHED, EventKind.SETTING_CHANGED, EventKind.FINISHED)


def staff(session: Session) -> dict[int, Colleague]:
    """Every agent by id."""
    query = select(
        AgentRow.id, AgentRow.name, TeamRow.name, TeamRow.id, TeamRow.department_id
    ).join(TeamRow, TeamRow.id == AgentRow.team_id)
    return {
        i: Colleague(name, team, team_id, department_id)
        for i, name, team, team_id, department_id in session.execute(query)
    }


def agent_tallies(session: Session, *, begin: datetime, end: datetime) -> list[AgentTally]:
    """Per criterion and agent the drawn cards of [begin, end) on which it counted.

    Cards of calls that nobody drew stand for no others and are left out.
    """
    a = AnswerRow
    query = (
        select(
            a.criterion,
            a.agent_id,
            func.sum(a.weight * a.share_of_points),
            func.sum(a.weight),
            func.sum(a.weight * a.weight),
            func.count(),
        )
        .where(
            a.called_at >= begin,
            a.called_at < end,
            a.share_of_points.is_not(None),
            a.weight.is_not(None),
        )
        .group_by(a.criterion, a.agent_id)
        .order_by(a.criterion, a.agent_id)
    )
    # no sum of none: every group has a row
    return [AgentTally(*row) for row in session.execute(query)]  # type: ignore[arg-type]


def left_before(session: Session, day: date) -> set[int]:
    """The agents who had left by then."""
    return set(session.scalars(select(AgentRow.id).where(AgentRow.left_on < day)))


def members(session: Session, team_id: int) -> set[int]:
    """The agents of a team."""
    return set(session.scalars(select(AgentRow.id).where(AgentRow.team_id == team_id)))


def cache_key(session: Session, *, begin: datetime, end: datetime, day: date) -> CacheKey:
    """Hashes over what the needs of these months are made from: forms as they were published,
    targets as they were set or ended, sums over the scorecards.
    """
    cards = ScorecardRow
    sums = (
        func.sum(cast(cards.score * 100, BigInteger)),
        func.sum(cards.version),
        func.sum(cards.revision),
        func.max(cards.id),
    )
    is_released = func.sum(case((cards.state.in_(RELEASED), 1), else_=0))
    counted = (
        cards.started_at >= begin,
        cards.started_at < end,
        cards.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    )
    published = session.scalar(
        select(func.max(EventRow.id)).where(
            EventRow.what.in_([event.value for event in LIST_EVENTS])
        )
    )
    return CacheKey.of(
        NeedList,
        [day.isoformat(), published],
        session.execute(select(func.count(), is_released, *sums).where(*counted)).one(),
    )


def evidence(
    session: Session,
    pairs: Sequence[tuple[int, str]],
    *,
    begin: datetime,
    end: datetime,
    each: int = 3,
) -> dict[tuple[int, str], list[Evidence]]:
    """For agent and criterion: the newest released cards on which it was lost.

    One query for all pairs.
    """
    agents, criteria = {a for a, _ in pairs}, {c for _, c in pairs}
    query = (
        select(AnswerRow.agent_id, AnswerRow.criterion, ScorecardRow.id, ScorecardRow.call_id)
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .where(
            AnswerRow.called_at >= begin, AnswerRow.called_at < end, AnswerRow.share_of_points < 1
        )
        .where(AnswerRow.agent_id.in_(agents), AnswerRow.criterion.in_(criteria))
        .where(ScorecardRow.state.in_(RELEASED))
        .order_by(ScorecardRow.id.desc())
    )
    found: dict[tuple[int, str], list[Evidence]] = {}
    for agent_id, criterion, card_id, call_id in session.execute(query):
        rows = found.setdefault((agent_id, criterion), [])
        if len(rows) < each:
            rows.append(Evidence(card_id, call_id))
    return found


def mean_points_kept(
    session: Session, criteria: Sequence[str], *, begin: datetime, end: datetime
) -> dict[int, float]:
    """Per agent the points kept of 100 on some criteria (all where none are named) over [begin,
    end), drawn cards weighted by 1 ÷ probability.
    """
    a = AnswerRow
    query = select(a.agent_id, func.sum(a.weight * a.share_of_points) / func.sum(a.weight)).where(
        a.called_at >= begin,
        a.called_at < end,
        a.share_of_points.is_not(None),
        a.weight.is_not(None),
    )
    if criteria:
        query = query.where(a.criterion.in_(criteria))
    return {
        agent: 100 * share
        for agent, share in session.execute(query.group_by(a.agent_id))
        if share is not None
    }


def add_plan(
    session: Session,
    draft: PlanDraft,
    arms: dict[int, TrainingArm],
    *,
    seed: str,
    by: int,
    at: datetime,
) -> int:
    fields = {k: v for k, v in vars(draft).items() if k not in ("agent_ids", "call_ids")}
    row = TrainingPlanRow(
        **fields, seed=seed, state=TrainingPlanState.PLANNED, trainer_id=by, created_at=at
    )
    session.add(row)
    session.flush()
    session.add_all(
        TrainingMemberRow(plan_id=row.id, agent_id=a, arm=arm) for a, arm in arms.items()
    )
    session.add_all(
        TrainingCallRow(plan_id=row.id, call_id=c) for c in dict.fromkeys(draft.call_ids)
    )
    session.flush()
    return row.id


def change_plan(
    session: Session, plan_id: int, *, was: Sequence[TrainingPlanState], **fields: Any
) -> bool:
    change = update(TrainingPlanRow).where(
        TrainingPlanRow.id == plan_id, TrainingPlanRow.state.in_(was)
    )
    return affected_rows(session, change.values(**fields)) > 0


def plans(
    session: Session,
    *,
    plan_id: int | None = None,
    agent_id: int | None = None,
    team_id: int | None = None,
    limit: int = 100,
) -> list[Plan]:
    """Plans with everything about them, the newest first: four queries, whatever their number."""
    query = select(TrainingPlanRow, UserRow.display_name).join(
        UserRow, UserRow.id == TrainingPlanRow.trainer_id
    )
    if plan_id is not None:
        query = query.where(TrainingPlanRow.id == plan_id)
    if agent_id is not None:
        query = query.where(
            TrainingPlanRow.id.in_(
                select(TrainingMemberRow.plan_id).where(TrainingMemberRow.agent_id == agent_id)
            )
        )
    if team_id is not None:
        own = (
            select(TrainingMemberRow.plan_id)
            .join(AgentRow, AgentRow.id == TrainingMemberRow.agent_id)
            .where(AgentRow.team_id == team_id)
        )
        query = query.where(TrainingPlanRow.id.in_(own))
    rows = session.execute(query.order_by(TrainingPlanRow.id.desc()).limit(limit)).all()
    ids = [r.id for r, _ in rows]
    members: dict[int, list[Member]] = {}
    who = (
        select(TrainingMemberRow, AgentRow.name, TeamRow.name)
        .join(AgentRow, AgentRow.id == TrainingMemberRow.agent_id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .where(TrainingMemberRow.plan_id.in_(ids))
        .order_by(AgentRow.name)
    )
    for m, agent, team in session.execute(who):
        members.setdefault(m.plan_id, []).append(
            Member(m.agent_id, agent, team, m.arm, m.done_on, m.remark)
        )
    held: dict[int, list[TrainingSession]] = {}
    for h in session.scalars(
        select(TrainingSessionRow)
        .where(TrainingSessionRow.plan_id.in_(ids))
        .order_by(TrainingSessionRow.held_on)
    ):
        held.setdefault(h.plan_id, []).append(
            TrainingSession(h.id, h.held_on, h.minutes, h.notes, tuple(h.present))
        )
    calls = _calls(session, ids)
    return [
        Plan(
            r.id,
            r.title,
            r.topic,
            r.criterion,
            r.goal,
            r.month,
            r.is_for_new_hires,
            r.seats,
            r.seed,
            r.state,
            r.trainer_id,
            trainer,
            r.starts_on,
            r.finished_on,
            tuple(members.get(r.id, ())),
            tuple(held.get(r.id, ())),
            tuple(calls.get(r.id, ())),
        )
        for r, trainer in rows
    ]


def _calls(session: Session, ids: Sequence[int]) -> dict[int, list[Study]]:
    query = (
        select(TrainingCallRow, CallRow.agent_id, func.max(ScorecardRow.id))
        .join(CallRow, CallRow.id == TrainingCallRow.call_id)
        .outerjoin(
            ScorecardRow,
            (ScorecardRow.call_id == CallRow.id)
            & (ScorecardRow.kind == AssignmentKind.STANDARD)
            & ScorecardRow.state.in_(RELEASED),
        )
        .where(TrainingCallRow.plan_id.in_(ids))
        .group_by(TrainingCallRow.plan_id, TrainingCallRow.call_id, CallRow.agent_id)
        .order_by(TrainingCallRow.call_id)
    )
    found: dict[int, list[Study]] = {}
    for row, agent_id, card_id in session.execute(query):
        found.setdefault(row.plan_id, []).append(
            Study(row.call_id, agent_id, card_id, row.why, tuple(row.studied_by))
        )
    return found


def add_session(
    session: Session,
    plan_id: int,
    *,
    held_on: date,
    minutes: int,
    notes: str,
    present: Sequence[int],
) -> None:
    session.add(
        TrainingSessionRow(
            plan_id=plan_id, held_on=held_on, minutes=minutes, notes=notes, present=list(present)
        )
    )
    session.flush()


def finish_member(
    session: Session, plan_id: int, agent_id: int, *, done_on: date | None, remark: str
) -> bool:
    change = update(TrainingMemberRow).where(
        TrainingMemberRow.plan_id == plan_id, TrainingMemberRow.agent_id == agent_id
    )
    return affected_rows(session, change.values(done_on=done_on, remark=remark)) > 0


def studied(session: Session, plan_id: int, call_id: int, *, agent_id: int) -> bool:
    row = session.get(TrainingCallRow, (plan_id, call_id), with_for_update=True)
    if row is None:
        return False
    row.studied_by = sorted({*row.studied_by, agent_id})
    session.flush()
    return True


def new_hires(
    session: Session,
    *,
    since: date,
    begin: datetime,
    end: datetime,
    today: date,
    team_id: int | None,
) -> list[NewHire]:
    """Everybody hired since a day who is still there, the newest first."""
    cards = (
        select(
            ScorecardRow.agent_id,
            func.count().label("cards"),
            func.avg(ScorecardRow.score).label("mean"),
        )
        .where(
            ScorecardRow.started_at >= begin,
            ScorecardRow.started_at < end,
            ScorecardRow.kind == AssignmentKind.STANDARD,
            ScorecardRow.state.in_(RELEASED),
        )
        .group_by(ScorecardRow.agent_id)
        .subquery()
    )
    calls = (
        select(func.count())
        .where(
            CallRow.agent_id == AgentRow.id, CallRow.started_at >= begin, CallRow.started_at < end
        )
        .scalar_subquery()
    )
    plan = (
        select(func.max(TrainingMemberRow.plan_id))
        .where(TrainingMemberRow.agent_id == AgentRow.id)
        .scalar_subquery()
    )
    query = (
        select(
            AgentRow.id,
            AgentRow.name,
            TeamRow.name,
            AgentRow.hired_on,
            calls,
            func.coalesce(cards.c.cards, 0),
            cards.c.mean,
            plan,
        )
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .outerjoin(cards, cards.c.agent_id == AgentRow.id)
        .where(AgentRow.hired_on > since, AgentRow.left_on.is_(None))
        .order_by(AgentRow.hired_on.desc(), AgentRow.name)
    )
    if team_id is not None:
        query = query.where(AgentRow.team_id == team_id)
    return [
        NewHire(a, n, t, h, (today - h).days, k, c, mean, p)
        for a, n, t, h, k, c, mean, p in session.execute(query)
        if h is not None
    ]
