"""Queries on plans, frames, draws and coverage."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Text, false, func, literal_column, or_, select, true
from sqlalchemy.orm import Session

from qa.sampling.rules import ALL_OF, is_said, part_of
from qa.sampling.types import AgentCoverage, Draw, DrawnCall, FrameCall, Phase, Plan, PlanRule, Stratum
from qa.tables.calls import CallRow, Direction
from qa.tables.cases import CaseKind, CaseRow
from qa.tables.people import AgentRow, ProjectRow, TeamRow
from qa.tables.results import CheckResultRow
from qa.tables.sampling import DrawnCallRow, DrawRow, SamplingPlanRow, SeedCommitmentRow
from qa.tables.scoring import AssignmentKind, AssignmentRow, AssignmentState, ScorecardRow, ScorecardState

NOTHING: dict[str, Any] = {}
CHUNK = 5000  # ids in one query
LARGE_PART = 10  # one in so many calls


def _plan(row: SamplingPlanRow) -> Plan:
    return Plan(row.id, row.code, row.phase, PlanRule.model_validate(row.rule), row.seed, row.is_active)


def plans(session: Session, *, only_active: bool = True) -> list[Plan]:
    query = select(SamplingPlanRow).order_by(SamplingPlanRow.code)
    return [_plan(r) for r in session.scalars(query.where(SamplingPlanRow.is_active) if only_active else query)]


def has_automatic_plan(session: Session) -> bool:
    """Whether some plan draws which calls are transcribed and checked; without one all are."""
    query = select(SamplingPlanRow.id).where(SamplingPlanRow.phase == Phase.AUTOMATIC, SamplingPlanRow.is_active)
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


def frame(session: Session, rule: PlanRule, *, begin: datetime, end: datetime, received_until: datetime, new_hire_days: int) -> list[FrameCall]:
    """The calls that began in [begin, end), had arrived by `received_until`, and pass the plan's filters."""
    if (rule.first_day and begin.date() < rule.first_day) or (rule.last_day and begin.date() > rule.last_day):
        return []
    within = (*_began(session, begin, end), CallRow.received_at <= received_until, *_filters(rule))
    asked = sorted({*rule.take_all, *([rule.has] if rule.has else []), *([rule.risk.has] if rule.risk and rule.risk.has else [])})
    columns = (CallRow.id, CallRow.external_id, CallRow.agent_id, CallRow.duration_seconds, CallRow.is_flagged, _names(asked))
    new_since = begin.date() - timedelta(days=new_hire_days)
    new = {a for a, hired in session.execute(select(AgentRow.id, AgentRow.hired_on).where(AgentRow.hired_on > new_since))}
    cases = _cases_of(session, begin=begin, end=end, until=received_until) if rule.take_all else {}
    parts = _parts(session, rule, within) if rule.stratify_by else {}
    rows = session.execute(select(*columns).where(*within)).all()
    details = _details(session, asked, [row[0] for row in rows if row[5]])
    made = []
    for i, x, agent, seconds, flagged, _named in rows:
        said = details.get(i, NOTHING)
        if (rule.has and not is_said(said.get(rule.has))) or (rule.only_new_hires and agent not in new):
            continue
        must = next((k for k in rule.take_all if is_said(said.get(k)) or cases.get(i) == k), "") if said or cases else ""
        made.append(FrameCall(i, x, agent, agent in new, seconds, said, parts.get(i, ""), must or ("critical" if flagged and rule.verify_critical else "")))
    return made


def _began(session: Session, begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Began in [begin, end). Where that is a large part of all calls SQLite is kept from its index on the time: reading every call in the order in which
    they lie is ten times faster than jumping to each of a million."""
    began: Any = CallRow.started_at
    if session.get_bind().dialect.name == "sqlite":
        asked = session.scalar(select(func.count()).select_from(CallRow).where(began >= begin, began < end)) or 0
        newest = session.scalar(select(func.max(CallRow.id))) or 0
        if asked * LARGE_PART > newest:
            began = literal_column("+call.started_at", CallRow.started_at.type)  # the sign keeps the planner from the index and changes nothing else
    return began >= begin, began < end


def _names(asked: Sequence[str]) -> ColumnElement[bool]:
    """Whether the call data as text name one of these fields: looking for that first spares unpacking a million documents."""
    if not all(name.isascii() for name in asked):
        return true()
    text = CallRow.details.cast(Text)
    return or_(false(), *(text.contains(f'"{name.rpartition(".")[2]}"', autoescape=True) for name in asked))


def _details(session: Session, asked: Sequence[str], ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """These fields of the data of these calls."""
    found: dict[int, dict[str, str]] = {}
    for k in range(0, len(ids), CHUNK):
        query = select(CallRow.id, *map(_detail, asked)).where(CallRow.id.in_(ids[k : k + CHUNK]))
        found |= {i: {name: v for name, v in zip(asked, said, strict=True) if v is not None} for i, *said in session.execute(query)}
    return found


def _parts(session: Session, rule: PlanRule, within: Sequence[ColumnElement[bool]]) -> dict[int, str]:
    """The value by which each call is stratified."""
    query = select(CallRow.id, CallRow.queue, CallRow.direction, CallRow.language, CallRow.duration_seconds).where(*within)
    return {i: part_of(rule, queue=q, direction=d.value, language=language, seconds=seconds) for i, q, d, language, seconds in session.execute(query)}


def _detail(name: str) -> ColumnElement[str]:
    """A field of the call data as text, dots leading into levels, read in the database: a million documents are not unpacked for one word."""
    node: Any = CallRow.details
    for part in name.split("."):
        node = node[part]
    return cast("ColumnElement[str]", node.as_string())


def _filters(rule: PlanRule) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [CallRow.duration_seconds >= rule.min_duration_seconds]
    if rule.max_duration_seconds is not None:
        conditions.append(CallRow.duration_seconds <= rule.max_duration_seconds)
    if rule.project:
        conditions.append(CallRow.project_id.in_(select(ProjectRow.id).where(ProjectRow.code == rule.project)))
    if rule.queue:
        conditions.append(CallRow.queue == rule.queue)
    if rule.direction:
        conditions.append(CallRow.direction == Direction(rule.direction))
    if rule.language:
        conditions.append(CallRow.language == rule.language)
    return conditions


def _cases_of(session: Session, *, begin: datetime, end: datetime, until: datetime) -> dict[int, str]:
    """Which calls of [begin, end) somebody praised or complained of, as it was known at a time."""
    query = (
        select(CaseRow.call_id, CaseRow.kind)
        .join(CallRow, CallRow.id == CaseRow.call_id)
        .where(CallRow.started_at >= begin, CallRow.started_at < end, CaseRow.written_at <= until)
        .where(CaseRow.kind.in_((CaseKind.PRAISE, CaseKind.COMPLAINT)))
    )
    return {call_id: kind.value for call_id, kind in session.execute(query) if call_id is not None}


def late_cases(session: Session, plan_id: int, rule: PlanRule, *, begin: datetime, end: datetime) -> list[FrameCall]:
    """Earlier calls that somebody praised or complained of in [begin, end), which this plan has not drawn: they are drawn now, for themselves."""
    drawn = (
        select(DrawnCallRow.id)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .where(DrawRow.plan_id == plan_id, DrawRow.day < begin.date(), DrawnCallRow.call_id == CallRow.id)
        .exists()
    )
    kinds = [k for k in (CaseKind.PRAISE, CaseKind.COMPLAINT) if k.value in rule.take_all]
    query = (
        select(CallRow.id, CallRow.external_id, CallRow.agent_id, CallRow.duration_seconds, CaseRow.kind)
        .join(CaseRow, CaseRow.call_id == CallRow.id)
        .where(CaseRow.kind.in_(kinds), CaseRow.written_at >= begin, CaseRow.written_at < end)
        .where(CallRow.started_at < begin, ~drawn, *_filters(rule))
        .order_by(CallRow.external_id, CaseRow.id)
    )
    found = {i: FrameCall(i, x, agent, False, seconds, {}, "", kind.value) for i, x, agent, seconds, kind in session.execute(query)}
    return list(found.values())


def calls_by_agent(session: Session, rule: PlanRule, *, begin: datetime, end: datetime, new_hire_days: int) -> dict[int, tuple[int, bool]]:
    """How many calls in [begin, end) pass the plan's filters, per agent, and whether the agent is new at the end of it."""
    query = (
        select(CallRow.agent_id, AgentRow.hired_on, func.count())
        .join(AgentRow, AgentRow.id == CallRow.agent_id)
        .where(CallRow.started_at >= begin, CallRow.started_at < end, *_filters(rule))
        .group_by(CallRow.agent_id, AgentRow.hired_on)
    )
    new_since = end.date() - timedelta(days=new_hire_days)
    found = {a: (n, bool(hired and hired > new_since)) for a, hired, n in session.execute(query)}
    return {a: f for a, f in found.items() if f[1] or not rule.only_new_hires}


def scored(session: Session, *, begin: datetime, end: datetime) -> dict[int, list[tuple[float, float | None, float]]]:
    """Per agent the scores of people, of the checks, and the probability of the draw, of the drawn calls in [begin, end)."""
    query = select(ScorecardRow.agent_id, ScorecardRow.score, ScorecardRow.automatic_score, ScorecardRow.probability).where(
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


def commit_seed(session: Session, plan_id: int, *, month: str, sha256: str, at: datetime) -> bool:
    """Write the hash of a month's seed down, once; false where it stands already."""
    if session.scalar(select(SeedCommitmentRow.id).where(SeedCommitmentRow.plan_id == plan_id, SeedCommitmentRow.month == month)) is not None:
        return False
    session.add(SeedCommitmentRow(plan_id=plan_id, month=month, sha256=sha256, committed_at=at))
    session.flush()
    return True


def commitments(session: Session, *, limit: int = 24) -> list[tuple[str, str, str, str, datetime]]:
    """Plan, its secret seed, month, hash and time, the newest month first."""
    query = select(SamplingPlanRow.code, SamplingPlanRow.seed, SeedCommitmentRow.month, SeedCommitmentRow.sha256, SeedCommitmentRow.committed_at)
    query = query.join(SamplingPlanRow, SamplingPlanRow.id == SeedCommitmentRow.plan_id).order_by(SeedCommitmentRow.month.desc(), SamplingPlanRow.code)
    return [tuple(r) for r in session.execute(query.limit(limit))]  # type: ignore[misc]  # five columns, as selected


def drawn_before(session: Session, plan_id: int, *, first_day: date, day: date) -> Mapping[int, int]:
    """How many calls of each agent this plan has drawn since `first_day`, before `day`."""
    query = (
        select(CallRow.agent_id, func.count())
        .join(DrawnCallRow, DrawnCallRow.call_id == CallRow.id)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .where(DrawRow.plan_id == plan_id, DrawRow.day >= first_day, DrawRow.day < day, DrawnCallRow.stratum.not_like(f"{ALL_OF}%"))
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
    rule = PlanRule.model_validate({"method": 1} | row.rule)  # a draw that does not say how it was made is an old one
    return _draw(session, row, _plan(plan_row)), rule, row.frame_until


def recent_draws(session: Session, *, limit: int = 31) -> list[tuple[int, str, date, int, int, datetime]]:
    """Id, plan, day, frame size, calls drawn and time of the newest draws."""
    query = (
        select(DrawRow.id, SamplingPlanRow.code, DrawRow.day, DrawRow.frame_size, func.count(DrawnCallRow.id), DrawRow.created_at)
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .outerjoin(DrawnCallRow, DrawnCallRow.draw_id == DrawRow.id)
        .group_by(DrawRow.id, SamplingPlanRow.code, DrawRow.day, DrawRow.frame_size, DrawRow.created_at)
        .order_by(DrawRow.day.desc(), SamplingPlanRow.code)
        .limit(limit)
    )
    return [tuple(r) for r in session.execute(query)]  # type: ignore[misc]  # six columns, as selected


def record_draw(session: Session, plan: Plan, made: Draw, *, frame_until: datetime, at: datetime) -> int:
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
    session.add_all(DrawnCallRow(draw_id=row.id, call_id=c.call_id, stratum=c.stratum, probability=c.probability, reason=c.reason) for c in made.calls)
    session.flush()
    return row.id


def place_in_draw(session: Session, drawn_call_id: int) -> tuple[int, int, str]:
    """Draw, call and stratum of a drawn call."""
    row = session.get_one(DrawnCallRow, drawn_call_id)
    return row.draw_id, row.call_id, row.stratum


def add_drawn(session: Session, draw_id: int, call: DrawnCall) -> bool:
    """One more call of a draw; false where it is there already."""
    if session.scalar(select(DrawnCallRow.id).where(DrawnCallRow.draw_id == draw_id, DrawnCallRow.call_id == call.call_id)) is not None:
        return False
    session.add(DrawnCallRow(draw_id=draw_id, call_id=call.call_id, stratum=call.stratum, probability=call.probability, reason=call.reason))
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
        select(SamplingPlanRow.code, DrawRow.day, DrawnCallRow.stratum, DrawnCallRow.probability, DrawnCallRow.reason)
        .join(DrawRow, DrawRow.id == DrawnCallRow.draw_id)
        .join(SamplingPlanRow, SamplingPlanRow.id == DrawRow.plan_id)
        .where(DrawnCallRow.call_id == call_id)
    )
    return [tuple(r) for r in session.execute(query)]  # type: ignore[misc]  # five columns, as selected


def coverage(session: Session, *, begin: datetime, end: datetime) -> list[AgentCoverage]:
    """Per agent what became of the calls that began in [begin, end): two grouped queries, whatever their number."""
    in_month = (CallRow.started_at >= begin, CallRow.started_at < end)
    checked = select(CheckResultRow.call_id).distinct().subquery()
    totals = (
        select(AgentRow.id, AgentRow.name, TeamRow.name, func.count(CallRow.id), func.count(checked.c.call_id))
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
        rows.append(AgentCoverage(agent_id, agent, team, calls, done, drawn_by.get(agent_id, 0), waiting, scored, skipped))
    return rows


def seed_of(session: Session, drawn_call_id: int) -> str:
    """The seed of the draw that a call was drawn in."""
    return session.scalars(select(DrawRow.seed).join(DrawnCallRow, DrawnCallRow.draw_id == DrawRow.id).where(DrawnCallRow.id == drawn_call_id)).one()


def _draw(session: Session, row: DrawRow, plan: Plan) -> Draw:
    calls = session.execute(select(DrawnCallRow, CallRow.external_id).join(CallRow, CallRow.id == DrawnCallRow.call_id).where(DrawnCallRow.draw_id == row.id))
    drawn = [DrawnCall(d.call_id, external, d.stratum, d.probability, d.reason) for d, external in calls]
    drawn.sort(key=lambda d: (d.stratum, d.external_id))
    strata = tuple(Stratum(s["stratum"], s["agent_id"], s["frame"], s["target"], s["drawn"]) for s in row.strata)
    return Draw(row.id, plan.code, plan.phase, row.day, row.seed, row.frame_size, row.frame_sha256, strata, tuple(drawn), row.created_at)
