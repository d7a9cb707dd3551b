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
    """Load every agent by id."""
    query = select(
        AgentRow.id, AgentRow.name, TeamRow.name, TeamRow.id, TeamRow.department_id
    ).join(TeamRow, TeamRow.id == AgentRow.team_id)
    return {
        agent_id: Colleague(name, team, team_id, department_id)
        for agent_id, name, team, team_id, department_id in session.execute(query)
    }


def agent_tallies(session: Session, *, begin: datetime, end: datetime) -> list[AgentTally]:
    """Add up the drawn cards of [begin, end) per criterion and agent.

    Cards of calls that nobody drew stand for no others and are left out.
    """
    answer = AnswerRow
    query = (
        select(
            answer.criterion,
            answer.agent_id,
            func.sum(answer.weight * answer.share_of_points),
            func.sum(answer.weight),
            func.sum(answer.weight * answer.weight),
            func.count(),
        )
        .where(
            answer.called_at >= begin,
            answer.called_at < end,
            answer.share_of_points.is_not(None),
            answer.weight.is_not(None),
        )
        .group_by(answer.criterion, answer.agent_id)
        .order_by(answer.criterion, answer.agent_id)
    )
    # no sum of none: every group has a row
    return [AgentTally(*row) for row in session.execute(query)]  # type: ignore[arg-type]


def left_before(session: Session, day: date) -> set[int]:
    """List the agents who had left by then."""
    return set(session.scalars(select(AgentRow.id).where(AgentRow.left_on < day)))


def members(session: Session, team_id: int) -> set[int]:
    """List the agents of a team."""
    return set(session.scalars(select(AgentRow.id).where(AgentRow.team_id == team_id)))


def cache_key(session: Session, *, begin: datetime, end: datetime, day: date) -> CacheKey:
    """Hash what the needs of these months are made from.

    Forms as they were published, targets as they were set or ended, sums over the scorecards.
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
    """Load for agents and criteria the newest released cards on which points were lost.

    One query for all pairs.
    """
    if not pairs:
        return {}
    agents, criteria = {agent_id for agent_id, _ in pairs}, {criterion for _, criterion in pairs}
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
    evidence: dict[tuple[int, str], list[Evidence]] = {}
    for agent_id, criterion, card_id, call_id in session.execute(query):
        rows = evidence.setdefault((agent_id, criterion), [])
        if len(rows) < each:
            rows.append(Evidence(card_id, call_id))
    return evidence


def mean_points_kept(
    session: Session, criteria: Sequence[str], *, begin: datetime, end: datetime
) -> dict[int, float]:
    """Average per agent the points kept of 100 on some criteria over [begin, end).

    On all criteria where none are named; drawn cards are weighted by 1 ÷ probability.
    """
    answer = AnswerRow
    query = select(
        answer.agent_id, func.sum(answer.weight * answer.share_of_points) / func.sum(answer.weight)
    ).where(
        answer.called_at >= begin,
        answer.called_at < end,
        answer.share_of_points.is_not(None),
        answer.weight.is_not(None),
    )
    if criteria:
        query = query.where(answer.criterion.in_(criteria))
    return {
        agent_id: 100 * share
        for agent_id, share in session.execute(query.group_by(answer.agent_id))
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
    fields = {
        name: value for name, value in vars(draft).items() if name not in ("agent_ids", "call_ids")
    }
    row = TrainingPlanRow(
        **fields, seed=seed, state=TrainingPlanState.PLANNED, trainer_id=by, created_at=at
    )
    session.add(row)
    session.flush()
    session.add_all(
        TrainingMemberRow(plan_id=row.id, agent_id=agent_id, arm=arm)
        for agent_id, arm in arms.items()
    )
    session.add_all(
        TrainingCallRow(plan_id=row.id, call_id=call_id)
        for call_id in dict.fromkeys(draft.call_ids)
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
    """Load plans with everything about them, the newest first.

    Four queries, whatever their number.
    """
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
    ids = [plan.id for plan, _ in rows]
    members: dict[int, list[Member]] = {}
    who = (
        select(TrainingMemberRow, AgentRow.name, TeamRow.name)
        .join(AgentRow, AgentRow.id == TrainingMemberRow.agent_id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .where(TrainingMemberRow.plan_id.in_(ids))
        .order_by(AgentRow.name)
    )
    for member, agent, team in session.execute(who):
        members.setdefault(member.plan_id, []).append(
            Member(member.agent_id, agent, team, member.arm, member.done_on, member.remark)
        )
    sessions: dict[int, list[TrainingSession]] = {}
    for row in session.scalars(
        select(TrainingSessionRow)
        .where(TrainingSessionRow.plan_id.in_(ids))
        .order_by(TrainingSessionRow.held_on)
    ):
        sessions.setdefault(row.plan_id, []).append(
            TrainingSession(row.id, row.held_on, row.minutes, row.notes, tuple(row.present))
        )
    calls = _calls(session, ids)
    return [
        Plan(
            plan.id,
            plan.title,
            plan.topic,
            plan.criterion,
            plan.goal,
            plan.month,
            plan.is_for_new_hires,
            plan.seats,
            plan.seed,
            plan.state,
            plan.trainer_id,
            trainer,
            plan.starts_on,
            plan.finished_on,
            tuple(members.get(plan.id, ())),
            tuple(sessions.get(plan.id, ())),
            tuple(calls.get(plan.id, ())),
        )
        for plan, trainer in rows
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
    calls: dict[int, list[Study]] = {}
    for row, agent_id, card_id in session.execute(query):
        calls.setdefault(row.plan_id, []).append(
            Study(row.call_id, agent_id, card_id, row.why, tuple(row.studied_by))
        )
    return calls


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
    """List everybody hired since a day who is still there, the newest first."""
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
        NewHire(
            agent_id=agent_id,
            agent=agent,
            team=team,
            hired_on=hired_on,
            days=(today - hired_on).days,
            calls=call_count,
            cards=card_count,
            kept=mean,
            plan_id=plan_id,
        )
        for agent_id, agent, team, hired_on, call_count, card_count, mean, plan_id in (
            session.execute(query)
        )
        if hired_on is not None
    ]
