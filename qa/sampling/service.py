"""Make plans, draw a day, draw it again."""

import re
import secrets
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.calendar import day_bounds
from qa.sampling import store
from qa.sampling.rules import choose_sample, day_seed, frame_hash, targets
from qa.sampling.types import Draw, FrameCall, Phase, Plan, PlanRule


class PlanRefused(ValueError):
    """A plan that cannot be made; the first argument is a code: code, taken, unknown."""


def add_plan(session: Session, *, code: str, phase: Phase, rule: PlanRule, at: datetime, seed: str | None = None) -> Plan:
    """A new plan with a seed of its own. Raises PlanRefused."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,60}", code):
        raise PlanRefused("code")
    if store.plan(session, code):
        raise PlanRefused("taken")
    seed = seed or secrets.token_hex(16)
    return store.add_plan(session, code=code, phase=phase, rule=rule.model_dump(), seed=seed, is_active=True, created_at=at)


def draw_day(session: Session, *, plan: Plan, day: date, zone: ZoneInfo, new_hire_days: int, at: datetime) -> Draw:
    """The plan's draw for a day: the one made before, or a new one. A day draws once."""
    existing = store.draw(session, plan, day)
    if existing:
        return existing
    made = preview(session, plan=plan, day=day, zone=zone, new_hire_days=new_hire_days, at=at)
    draw_id = store.record_draw(session, plan, made, frame_until=at, at=at)
    return replace(made, id=draw_id, created_at=at, is_new=True)


def preview(session: Session, *, plan: Plan, day: date, zone: ZoneInfo, new_hire_days: int, at: datetime) -> Draw:
    """What the plan would draw, without drawing it."""
    begin, end = day_bounds(day, zone)
    frame = store.frame(session, plan.rule, begin=begin, end=end, received_until=at, new_hire_days=new_hire_days)
    before = store.drawn_before(session, plan.id, first_day=day.replace(day=1), day=day)
    return _drawn(plan.code, plan.phase, plan.rule, frame, targets(frame, plan.rule, drawn_before=before, day=day), plan.seed, day)


def replay(session: Session, *, draw_id: int, zone: ZoneInfo, new_hire_days: int) -> tuple[Draw, Draw]:
    """A draw as it was recorded, and made again from seed and frame: the same calls, unless somebody changed something.

    Raises PlanRefused("unknown").
    """
    found = store.draw_by_id(session, draw_id)
    if found is None:
        raise PlanRefused("unknown")
    recorded, rule, frame_until = found
    begin, end = day_bounds(recorded.day, zone)
    frame = store.frame(session, rule, begin=begin, end=end, received_until=frame_until, new_hire_days=new_hire_days)
    wanted = {s.agent_id: s.target for s in recorded.strata}
    seed = recorded.seed.rsplit("|", 1)[0]
    return recorded, _drawn(recorded.plan, recorded.phase, rule, frame, wanted, seed, recorded.day)


def _drawn(code: str, phase: Phase, rule: PlanRule, frame: list[FrameCall], wanted: dict[int, float], seed: str, day: date) -> Draw:
    wanted = {agent: round(target, 6) for agent, target in wanted.items()}
    chosen = choose_sample(frame, rule, wanted, seed=day_seed(seed, day))
    calls = tuple(sorted(chosen.calls, key=lambda d: (d.stratum, d.external_id)))
    return Draw(None, code, phase, day, day_seed(seed, day), len(frame), frame_hash(frame), chosen.strata, calls)
