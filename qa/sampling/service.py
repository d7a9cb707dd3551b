"""Make plans, draw a day, draw it again."""

import math
import re
import secrets
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.months import Month, day_bounds
from qa.sampling import frame_store, rules, store
from qa.sampling.rules import (
    ALL_OF,
    choose_sample,
    commitment,
    day_seed,
    frame_hash,
    frame_size,
    month_seed,
    targets,
)
from qa.sampling.types import (
    REPLACEMENT,
    Commitment,
    Draw,
    DrawnCall,
    Frame,
    FrameCell,
    Plan,
    PlanFault,
    PlanRule,
    Precision,
    SelectedCall,
)
from qa.states import Phase
from qa.statistics.survey_estimators import PooledModel, Sample, fit, residuals
from qa.tables.database import gc_paused

WHENEVER = datetime.max.replace(tzinfo=UTC)
FOUR_WEEKS, QUARTER = timedelta(days=28), timedelta(days=91)


class PlanRefused(ValueError):
    """A plan that cannot be added, or is not there; `fault` says why."""

    def __init__(self, fault: PlanFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def add_plan(
    session: Session,
    *,
    code: str,
    phase: Phase,
    rule: PlanRule,
    at: datetime,
    by: int | None = None,
    seed: str | None = None,
) -> Plan:
    """Add a plan with a seed of its own. Raises PlanRefused.

    Logged is what a signed-in user added; set-up and simulation act as nobody.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,60}", code):
        raise PlanRefused(PlanFault.CODE)
    if store.plan(session, code):
        raise PlanRefused(PlanFault.TAKEN)
    seed = seed or secrets.token_hex(16)
    plan = store.add_plan(
        session,
        code=code,
        phase=phase,
        rule=rule.model_dump(mode="json"),
        seed=seed,
        is_active=True,
        created_at=at,
    )
    if by is not None:
        record_event(
            session,
            subject=Subject.PLAN,
            subject_id=plan.id,
            event=EventKind.ADDED,
            at=at,
            actor_id=by,
            rule=plan.rule.model_dump(mode="json"),
        )
    return plan


def toggle_plan(session: Session, *, code: str, by: int, at: datetime) -> None:
    """Pause a plan that draws, or resume one that is paused. Raises PlanRefused."""
    plan = store.plan(session, code)
    if plan is None:
        raise PlanRefused(PlanFault.UNKNOWN)
    store.change_plan(session, code, is_active=not plan.is_active)
    record_event(
        session,
        subject=Subject.PLAN,
        subject_id=plan.id,
        event=EventKind.PAUSED if plan.is_active else EventKind.RESUMED,
        at=at,
        actor_id=by,
    )


def draw_day(
    session: Session, *, plan: Plan, day: date, zone: ZoneInfo, new_hire_days: int, at: datetime
) -> Draw:
    """The plan's draw for a day: the one made before, or a new one. A day draws once."""
    existing = store.draw(session, plan, day)
    if existing:
        return existing
    commit_seed(session, plan=plan, month=Month.of(day), at=at)
    made = preview(session, plan=plan, day=day, zone=zone, new_hire_days=new_hire_days, at=at)
    draw_id = store.record_draw(session, plan, made, frame_until=at, at=at)
    if plan.phase is Phase.HUMAN:
        _join_plans(
            session, plan.rule, plan=plan.code, day=day, zone=zone, new_hire_days=new_hire_days
        )
    return replace(made, id=draw_id, created_at=at, is_new=True)


def _join_plans(
    session: Session, rule: PlanRule, *, plan: str, day: date, zone: ZoneInfo, new_hire_days: int
) -> None:
    """Store for calls that several plans could have drawn the probability 1 − Π(1 − π).

    It is the probability that any of the plans did, as their seeds are independent.

    Else calls in which plans meet would count once for each of them (Kalton, Anderson 1986: samples
    of several frames).
    """
    draws = store.draws_for_people(session, day)
    if not any(
        draw.plan != plan and rules.may_share_calls(rule, other) for draw, other, _ in draws
    ):
        return
    drawn = {call.external_id for draw, _, _ in draws for call in draw.calls}
    missed = dict.fromkeys(drawn, 1.0)
    for recorded, rule_then, frame_until in draws:
        frame = _frame_then(session, recorded, rule_then, frame_until, zone, new_hire_days)
        chances = rules.probabilities(
            frame, rule_then, {stratum.name: stratum.target for stratum in recorded.strata}, drawn
        )
        for call_id, probability in (
            chances | {call.external_id: call.probability for call in recorded.calls}
        ).items():
            missed[call_id] *= 1 - probability
    store.set_any_probability(
        session,
        [draw.id for draw, _, _ in draws if draw.id is not None],
        {call_id: 1 - chance for call_id, chance in missed.items()},
    )


def commit_seed(session: Session, *, plan: Plan, month: Month, at: datetime) -> None:
    """Publish the hash of a month's seed before anything is drawn with it."""
    sha256 = commitment(month_seed(plan.seed, month))
    if store.commit_seed(session, plan.id, month=month, sha256=sha256, at=at):
        record_event(
            session,
            subject=Subject.PLAN,
            subject_id=plan.id,
            event=EventKind.SEED_COMMITTED,
            at=at,
            month=month,
            sha256=sha256,
        )


def commit_seeds(session: Session, *, zone: ZoneInfo, at: datetime) -> None:
    """Commit every active plan's seed of this month and of the next."""
    this = Month.containing(at, zone)
    for plan in store.plans(session):
        for month in (this, this.next()):
            commit_seed(session, plan=plan, month=month, at=at)


def commitments(session: Session, *, zone: ZoneInfo, at: datetime) -> list[Commitment]:
    """List the committed hashes, with the seeds of the months that are over.

    So anybody can draw these months again.
    """
    this = Month.containing(at, zone)
    rows = store.commitments(session)
    return [
        Commitment(plan, month, sha256, when, month_seed(seed, month) if month < this else None)
        for plan, seed, month, sha256, when in rows
    ]


def preview(
    session: Session, *, plan: Plan, day: date, zone: ZoneInfo, new_hire_days: int, at: datetime
) -> Draw:
    """Compute what the plan would draw, without drawing it."""
    begin, end = day_bounds(day, zone)
    with gc_paused():
        frame = frame_store.frame(
            session, plan.rule, begin=begin, end=end, received_until=at, new_hire_days=new_hire_days
        )
        if plan.phase is Phase.HUMAN and plan.rule.take_all:
            for external_id, reason in frame_store.late_cases(
                session, plan.id, plan.rule, begin=begin, end=end
            ).items():
                frame.setdefault(FrameCell(0, certainty_reason=reason), []).append(external_id)
        before = store.drawn_before(session, plan.id, first_day=day.replace(day=1), day=day)
        quotas = (
            _quotas(session, plan.rule, end=begin, new_hire_days=new_hire_days)[1]
            if plan.rule.allocation == "spread"
            else None
        )
        target_sizes = targets(frame, plan.rule, drawn_before=before, day=day, quotas=quotas)
        return _drawn(
            session,
            plan.code,
            plan.phase,
            plan.rule,
            frame,
            target_sizes,
            day_seed(month_seed(plan.seed, Month.of(day)), day),
            day,
        )


def precision(session: Session, *, rule: PlanRule, new_hire_days: int, at: datetime) -> Precision:
    """Estimate what a plan would have given over the last four weeks: calls and intervals."""
    calls, quotas, model = _quotas(session, rule, end=at, new_hire_days=new_hire_days)
    if not (rule.has or rule.risk or rule.factors):
        return rules.precision(calls, quotas, model)
    always = rule.model_copy(update={"first_day": None, "last_day": None})
    with gc_paused():
        frame = frame_store.frame(
            session,
            always,
            begin=at - FOUR_WEEKS,
            end=at,
            received_until=WHENEVER,
            new_hire_days=new_hire_days,
        )
        effects = rules.design_effects(frame, rule, quotas)
    eligible: Counter[int] = Counter()
    for cell, ids in frame.items():
        if cell.agent_id in quotas and not cell.certainty_reason:
            eligible[cell.agent_id] += len(ids)
    return rules.precision(eligible, quotas, model, effects)


def _quotas(
    session: Session, rule: PlanRule, *, end: datetime, new_hire_days: int
) -> tuple[dict[int, int], dict[int, float], PooledModel | None]:
    """Load calls per agent, quotas per agent and month, and the model of the spread.

    Calls of the last four weeks; the spread from the scorecards of three months.
    """
    agents = frame_store.calls_by_agent(
        session, rule, begin=end - FOUR_WEEKS, end=end, new_hire_days=new_hire_days
    )
    calls = {agent_id: count for agent_id, (count, _) in agents.items()}
    even = {
        agent_id: rule.quota_per_agent * (rule.new_hire_factor if is_new else 1)
        for agent_id, (_, is_new) in agents.items()
    }
    samples = {
        agent_id: _sample(rows)
        for agent_id, rows in store.scored(session, begin=end - QUARTER, end=end).items()
    }
    model = fit(list(samples.values()))
    if rule.allocation == "equal" or model is None:
        return calls, even, model
    spreads = {}
    for agent_id, sample in samples.items():
        errors = residuals(sample, model.slope)
        own = float(errors.var(ddof=1)) if len(errors) > 1 else None
        spreads[agent_id] = math.sqrt(model.moderated(own, len(errors) - 1.0)[0])
    return calls, rules.quotas_by_spread(calls, spreads, even, floor=rule.floor_per_agent), model


def _sample(rows: list[tuple[float, float | None, float]]) -> Sample:
    human, automatic, probability = zip(*rows, strict=True)
    predicted = (
        np.array(automatic, float) if all(score is not None for score in automatic) else None
    )
    return Sample(np.array(human), predicted, np.array(probability))


def replay(
    session: Session, *, draw_id: int, zone: ZoneInfo, new_hire_days: int
) -> tuple[Draw, Draw]:
    """Load a draw as it was recorded, and draw it again from seed and frame.

    The same calls come out, unless somebody changed something.

    Which calls had to be drawn (a complaint, a critical flag) is taken from the record: later flags
    do not change what was known then. Raises PlanRefused.
    """
    stored = store.draw_by_id(session, draw_id)
    if stored is None:
        raise PlanRefused(PlanFault.UNKNOWN)
    recorded, rule, frame_until = stored
    frame = _frame_then(session, recorded, rule, frame_until, zone, new_hire_days)
    certain = {call_id for cell, ids in frame.items() if cell.certainty_reason for call_id in ids}
    for call in recorded.calls:
        # an earlier call that somebody praised or complained of that day
        if call.stratum.startswith(ALL_OF) and call.external_id not in certain:
            frame.setdefault(FrameCell(0, certainty_reason=call.reason), []).append(
                call.external_id
            )
    target_sizes = {stratum.name: stratum.target for stratum in recorded.strata}
    return recorded, _drawn(
        session,
        recorded.plan,
        recorded.phase,
        rule,
        frame,
        target_sizes,
        recorded.seed,
        recorded.day,
    )


def _frame_then(
    session: Session,
    recorded: Draw,
    rule: PlanRule,
    frame_until: datetime,
    zone: ZoneInfo,
    new_hire_days: int,
) -> dict[FrameCell, list[str]]:
    """Rebuild the frame of a draw as it was when it was drawn.

    What had arrived then, with what had to be drawn and who was new as it was known then.
    """
    begin, end = day_bounds(recorded.day, zone)
    certainty_reason = {
        call.external_id: call.reason for call in recorded.calls if call.stratum.startswith(ALL_OF)
    }
    was_new = rules.were_new_hires(recorded.strata, rule)
    cells = frame_store.frame(
        session,
        rule,
        begin=begin,
        end=end,
        received_until=frame_until,
        new_hire_days=new_hire_days,
        was_new=was_new,
    )
    then: dict[FrameCell, list[str]] = {}
    for cell, ids in cells.items():
        then.setdefault(cell._replace(certainty_reason=""), []).extend(
            call_id for call_id in ids if call_id not in certainty_reason
        )
        for call_id in certainty_reason.keys() & ids:
            then.setdefault(cell._replace(certainty_reason=certainty_reason[call_id]), []).append(
                call_id
            )
    return then


def replacement(
    session: Session, *, drawn_call_id: int, zone: ZoneInfo, new_hire_days: int
) -> tuple[int, DrawnCall] | None:
    """Find the call of the same stratum and day that replaces a skipped one, with its draw.

    None where none is left, or where the stratum was drawn whole: then every call stands for
    itself. The same one again if it is there already.
    """
    draw_id, call_id, stratum = store.place_in_draw(session, drawn_call_id)
    stored = store.draw_by_id(session, draw_id)
    if stored is None or stratum.startswith(ALL_OF):
        return None
    recorded, rule, frame_until = stored
    reason = f"{REPLACEMENT}:{call_id}"
    if existing := next((call for call in recorded.calls if call.reason == reason), None):
        return draw_id, existing
    frame = _frame_then(session, recorded, rule, frame_until, zone, new_hire_days)
    target = next((part.target for part in recorded.strata if part.name == stratum), 0.0)
    taken = {call.external_id for call in recorded.calls}
    if not (
        chosen := rules.next_replacement(
            frame, rule, target, stratum=stratum, taken=taken, seed=recorded.seed
        )
    ):
        return None
    return draw_id, store.drawn_calls(
        session, [SelectedCall(chosen[0], stratum, chosen[1], reason)]
    )[0]


def add_replacement(
    session: Session,
    *,
    draw_id: int,
    call: DrawnCall,
    zone: ZoneInfo,
    new_hire_days: int,
    at: datetime,
) -> bool:
    """Add a replacement for a skipped call to its draw, once."""
    if not store.add_drawn(session, draw_id, call):
        return False
    if stored := store.draw_by_id(session, draw_id):
        recorded, rule, _ = stored
        _join_plans(
            session,
            rule,
            plan=recorded.plan,
            day=recorded.day,
            zone=zone,
            new_hire_days=new_hire_days,
        )
    record_event(
        session,
        subject=Subject.CALL,
        subject_id=call.call_id,
        event=EventKind.DRAWN,
        at=at,
        instead_of=int(call.reason.partition(":")[2]),
    )
    return True


def _drawn(
    session: Session,
    code: str,
    phase: Phase,
    rule: PlanRule,
    frame: Frame,
    target_sizes: dict[str, float],
    seed: str,
    day: date,
) -> Draw:
    target_sizes = {name: round(target, 6) for name, target in target_sizes.items()}
    chosen = choose_sample(frame, rule, target_sizes, seed=seed)
    calls = store.drawn_calls(
        session, sorted(chosen.calls, key=lambda call: (call.stratum, call.external_id))
    )
    return Draw(
        None,
        code,
        phase,
        day,
        seed,
        frame_size(frame),
        frame_hash(frame),
        chosen.strata,
        tuple(calls),
    )
