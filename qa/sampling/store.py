"""Queries on plans, draws and coverage."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qa.months import Month
from qa.sampling.rules import ALL_OF
from qa.sampling.types import AgentCoverage, Draw, DrawnCall, Plan, PlanRule, SelectedCall, Stratum
from qa.states import AssignmentKind, AssignmentState, Phase, ScorecardState
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow, TeamRow
from qa.tables.results import CheckResultRow
from qa.tables.sampling import DrawnCallRow, DrawRow, SamplingPlanRow, SeedCommitmentRow
from qa.tables.scoring import AssignmentRow, ScorecardRow
from qa.tables.spans import started_between

CHUNK = 5000  # ids in one query


def _plan(row: SamplingPlanRow) -> Plan:
    return Plan(
        row.id, row.code, row.phase, PlanRule.model_validate(row.rule), row.seed, row.is_active
    )


def plans(session: Session, *, only_active: bool = True) -> list[Plan]:
    query = select(SamplingPlanRow).order_by(SamplingPlanRow.code)
    return [
        _plan(r)
        for r in session.scalars(query.where(SamplingPlanRow.is_active) if only_active else query)
    ]


def has_automatic_plan(session: Session) -> bool:
    """Whether some plan draws which calls are transcribed and checked; without one all are."""
    query = select(SamplingPlanRow.id).where(
        SamplingPlanRow.phase == Phase.AUTOMATIC, SamplingPlanRow.is_active
    )
    return session.scalar(query.limit(1)) is not None


def plan(session: Session, code: str) -> Plan | None:
    row = session.scalar(select(SamplingPlanRow).where(SamplingPlanRow.code == code))
    return _plan(row) if row else None


def add_plan(session: Session, **fields: Any) -> Plan:
    row = SamplingPlanRow(**fields)
    session.add(row)
    session.flush()
    return _plan(row)


def change_plan(session: Session, code: str, **fields: Any) -> None:
    row = session.scalars(select(SamplingPlanRow).where(SamplingPlanRow.code == code)).one()
    for name, value in fields.items():
        setattr(row, name, value)


def drawn_calls(session: Session, picks: Sequence[SelectedCall]) -> list[DrawnCall]:
    """The picks with the ids of their calls."""
    ids: dict[str, int] = {}
    for k in range(0, len(picks), CHUNK):
        query = select(CallRow.external_id, CallRow.id).where(
            CallRow.external_id.in_([p.external_id for p in picks[k : k + CHUNK]])
        )
        ids |= dict(session.execute(query).all())
    return [
        DrawnCall(ids[p.external_id], p.external_id, p.stratum, p.probability, p.reason)
        for p in picks
    ]


def scored(
    session: Session, *, begin: datetime, end: datetime
) -> dict[int, list[tuple[float, float | None, float]]]:
    """Per agent the scores of people, of the checks, and the probability of the draw, of the drawn
    calls in [begin, end).
    """
    query = select(
        ScorecardRow.agent_id,
        ScorecardRow.score,
        ScorecardRow.automatic_score,
        ScorecardRow.probability,
    ).where(
        ScorecardRow.started_at >= begin,
        ScorecardRow.started_at < end,
        ScorecardRow.kind == AssignmentKind.STANDARD,
        ScorecardRow.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
        ScorecardRow.score.is_not(None),
        ScorecardRow.probability.is_not(None),
    )
    found: dict[int, list[tuple[float, float | None, float]]] = {}
    for agent_id, score, automatic, probability in session.execute(query):
        found.setdefault(agent_id, []).append((score or 0.0, automatic, probability or 1.0))
    return found


def commit_seed(session: Session, plan_id: int, *, month: Month, sha256: str, at: datetime) -> bool:
    """Write the hash of a month's seed down, once; false where it stands already."""
    if (
        session.scalar(
            select(SeedCommitmentRow.id).where(
                SeedCommitmentRow.plan_id == plan_id, SeedCommitmentRow.month == month
            )
        )
        is not None
    ):
        return False
    session.add(SeedCommitmentRow(plan_id=plan_id, month=month, sha256=sha256, committed_at=at))
    session.flush()
    return True


def commitments(
    session: Session, *, limit: int = 24
) -> list[tuple[str, str, Month, str, datetime]]:
    """Plan, its secret seed, month, hash and time, the newest month first."""
    query = select(
        SamplingPlanRow.code,
        SamplingPlanRow.seed,
        SeedCommitmentRow.month,
        SeedCommitmentRow.sha256,
        SeedCommitmentRow.committed_at,
    )
    query = query.join(SamplingPlanRow, SamplingPlanRow.id == SeedCommitmentRow.plan_id).order_by(
        SeedCommitmentRow.month.desc(), SamplingPlanRow.code
    )
    # five columns, as selected
    return [tuple(r) for r in session.execute(query.limit(limit))]  # type: ignore[misc]


def drawn_before(
    session: Session, plan_id: int, *, first_day: date, day: date
) -> Mapping[int, int]:
    """How many calls of each agent this plan has drawn since `first_day`, before `day`."""
    query = (
        select(CallRow.agent_id, func.count())
        .join(DrawnCallRow, DrawnCallRow.call_id == CallRow.id)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .where(
            DrawRow.plan_id == plan_id,
            DrawRow.day >= first_day,
            DrawRow.day < day,
            DrawnCallRow.stratum.not_like(f"{ALL_OF}%"),
        )
        .group_by(CallRow.agent_id)
    )
    return dict(session.execute(query).all())


def draw(session: Session, plan: Plan, day: date) -> Draw | None:
    row = session.scalar(select(DrawRow).where(DrawRow.plan_id == plan.id, DrawRow.day == day))
    return _draw(session, row, plan) if row else None


def draw_by_id(session: Session, draw_id: int) -> tuple[Draw, PlanRule, datetime] | None:
    """A draw with the plan's rule as it was then, and the time up to which calls had arrived."""
    row = session.get(DrawRow, draw_id)
    if row is None:
        return None
    plan_row = session.get_one(SamplingPlanRow, row.plan_id)
    # a draw that does not say how it was made is an old one
    rule = PlanRule.model_validate({"method": 1} | row.rule)
    return _draw(session, row, _plan(plan_row)), rule, row.frame_until


def draws_for_people(session: Session, day: date) -> list[tuple[Draw, PlanRule, datetime]]:
    """The draws of a day from which people score, as `draw_by_id` tells each."""
    query = (
        select(DrawRow.id)
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .where(DrawRow.day == day, SamplingPlanRow.phase == Phase.HUMAN)
    )
    return [
        d
        for i in session.scalars(query.order_by(DrawRow.id))
        if (d := draw_by_id(session, i)) is not None
    ]


def set_any_probability(
    session: Session, draw_ids: Sequence[int], probabilities: Mapping[str, float]
) -> None:
    """With what probability any of the plans drew these calls, by external id; where that is no
    more than the own one nothing is noted.
    """
    rows = session.execute(
        select(DrawnCallRow, CallRow.external_id)
        .join(CallRow, CallRow.id == DrawnCallRow.call_id)
        .where(DrawnCallRow.draw_id.in_(draw_ids))
    )
    for row, external_id in rows:
        p = probabilities[external_id]
        row.any_probability = p if p > row.probability + 1e-9 else None
    session.flush()


def recent_draws(
    session: Session, *, limit: int = 31
) -> list[tuple[int, str, date, int, int, datetime]]:
    """Id, plan, day, frame size, calls drawn and time of the newest draws."""
    query = (
        select(
            DrawRow.id,
            SamplingPlanRow.code,
            DrawRow.day,
            DrawRow.frame_size,
            func.count(DrawnCallRow.id),
            DrawRow.created_at,
        )
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .outerjoin(DrawnCallRow, DrawnCallRow.draw_id == DrawRow.id)
        .group_by(
            DrawRow.id, SamplingPlanRow.code, DrawRow.day, DrawRow.frame_size, DrawRow.created_at
        )
        .order_by(DrawRow.day.desc(), SamplingPlanRow.code)
        .limit(limit)
    )
    # six columns, as selected
    return [tuple(r) for r in session.execute(query)]  # type: ignore[misc]


def record_draw(
    session: Session, plan: Plan, made: Draw, *, frame_until: datetime, at: datetime
) -> int:
    row = DrawRow(
        plan_id=plan.id,
        day=made.day,
        rule=plan.rule.model_dump(mode="json"),
        seed=made.seed,
        strata=[s.document() for s in made.strata],
        frame_size=made.frame_size,
        frame_sha256=made.frame_sha256,
        frame_until=frame_until,
        created_at=at,
    )
    session.add(row)
    session.flush()
    session.add_all(
        DrawnCallRow(
            draw_id=row.id,
            call_id=c.call_id,
            stratum=c.stratum,
            probability=c.probability,
            reason=c.reason,
        )
        for c in made.calls
    )
    session.flush()
    return row.id


def place_in_draw(session: Session, drawn_call_id: int) -> tuple[int, int, str]:
    """Draw, call and stratum of a drawn call."""
    row = session.get_one(DrawnCallRow, drawn_call_id)
    return row.draw_id, row.call_id, row.stratum


def add_drawn(session: Session, draw_id: int, call: DrawnCall) -> bool:
    """One more call of a draw; false where it is there already."""
    if (
        session.scalar(
            select(DrawnCallRow.id).where(
                DrawnCallRow.draw_id == draw_id, DrawnCallRow.call_id == call.call_id
            )
        )
        is not None
    ):
        return False
    session.add(
        DrawnCallRow(
            draw_id=draw_id,
            call_id=call.call_id,
            stratum=call.stratum,
            probability=call.probability,
            reason=call.reason,
        )
    )
    session.flush()
    return True


def drawn_ids(session: Session, draw_id: int) -> dict[int, int]:
    """For each call of a draw the id of its place in it."""
    query = select(DrawnCallRow.call_id, DrawnCallRow.id).where(DrawnCallRow.draw_id == draw_id)
    return dict(session.execute(query).all())


def is_drawn_for_people(session: Session, call_id: int) -> int | None:
    """The id of the human draw of this call; of several the one that was most sure to take it."""
    query = (
        select(DrawnCallRow.id)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .where(DrawnCallRow.call_id == call_id, SamplingPlanRow.phase == "human")
        .order_by(DrawnCallRow.probability.desc(), DrawnCallRow.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def why_drawn(session: Session, call_id: int) -> list[tuple[str, date, str, float, str]]:
    """Plan, day, stratum, probability and reason of every draw of a call."""
    query = (
        select(
            SamplingPlanRow.code,
            DrawRow.day,
            DrawnCallRow.stratum,
            DrawnCallRow.probability,
            DrawnCallRow.reason,
        )
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .where(DrawnCallRow.call_id == call_id)
    )
    # five columns, as selected
    return [tuple(r) for r in session.execute(query)]  # type: ignore[misc]


def coverage(session: Session, *, begin: datetime, end: datetime) -> list[AgentCoverage]:
    """Per agent what became of the calls that began in [begin, end): two grouped queries, whatever
    their number.
    """
    in_month = started_between(session, begin, end)
    checked = select(CheckResultRow.call_id).distinct().subquery()
    totals = (
        select(
            AgentRow.id,
            AgentRow.name,
            TeamRow.name,
            func.count(CallRow.id),
            func.count(checked.c.call_id),
        )
        .select_from(CallRow)
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .outerjoin(checked, checked.c.call_id == CallRow.id)
        .where(*in_month)
        .group_by(AgentRow.id, AgentRow.name, TeamRow.name)
        .order_by(TeamRow.name, AgentRow.name)
    )
    states = (
        select(CallRow.agent_id, AssignmentRow.state, func.count())
        .join(CallRow, CallRow.id == AssignmentRow.call_id)
        .where(*in_month, AssignmentRow.kind == AssignmentKind.STANDARD)
        .group_by(CallRow.agent_id, AssignmentRow.state)
    )
    queued: dict[int, dict[AssignmentState, int]] = {}
    for agent_id, state, count in session.execute(states):
        queued.setdefault(agent_id, {})[state] = count
    drawn = (
        select(CallRow.agent_id, func.count(DrawnCallRow.call_id.distinct()))
        .join(CallRow, CallRow.id == DrawnCallRow.call_id)
        .where(*in_month)
        .group_by(CallRow.agent_id)
    )
    drawn_by = dict(session.execute(drawn).all())
    rows = []
    for agent_id, agent, team, calls, done in session.execute(totals):
        q = queued.get(agent_id, {})
        waiting = q.get(AssignmentState.WAITING, 0) + q.get(AssignmentState.CLAIMED, 0)
        scored, skipped = q.get(AssignmentState.SUBMITTED, 0), q.get(AssignmentState.SKIPPED, 0)
        rows.append(
            AgentCoverage(
                agent_id,
                agent,
                team,
                calls,
                done,
                drawn_by.get(agent_id, 0),
                waiting,
                scored,
                skipped,
            )
        )
    return rows


def seed_of(session: Session, drawn_call_id: int) -> str:
    """The seed of the draw that a call was drawn in."""
    return session.scalars(
        select(DrawRow.seed)
        .join(DrawnCallRow, DrawnCallRow.draw_id == DrawRow.id)
        .where(DrawnCallRow.id == drawn_call_id)
    ).one()


def _draw(session: Session, row: DrawRow, plan: Plan) -> Draw:
    calls = session.execute(
        select(DrawnCallRow, CallRow.external_id)
        .join(CallRow, CallRow.id == DrawnCallRow.call_id)
        .where(DrawnCallRow.draw_id == row.id)
    )
    drawn = [
        DrawnCall(d.call_id, external, d.stratum, d.probability, d.reason) for d, external in calls
    ]
    drawn.sort(key=lambda d: (d.stratum, d.external_id))
    strata = tuple(
        Stratum(s["stratum"], s["agent_id"], s["frame"], s["target"], s["drawn"])
        for s in row.strata
    )
    return Draw(
        row.id,
        plan.code,
        plan.phase,
        row.day,
        row.seed,
        row.frame_size,
        row.frame_sha256,
        strata,
        tuple(drawn),
        row.created_at,
    )
