"""Who needs what, who learns it, and whether it helped."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.months import Month
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people.store import users_of_agent
from qa.result_cache.service import get_or_compute
from qa.result_cache.types import CachedResult
from qa.states import Indicator, ScopeKind, TrainingArm, TrainingPlanState
from qa.states import ResultKind as Result
from qa.targets import rules as targeting
from qa.targets import store as targets
from qa.targets.types import Target
from qa.training import rules, store
from qa.training.rules import (
    CARDS_TO_ACT,
    FALSE_DISCOVERY_RATE,
    MIN_CARDS,
    MONTHS,
    TARGET,
    WATCH_AT,
)
from qa.training.types import (
    Colleague,
    Counts,
    Need,
    NeedList,
    Plan,
    PlanDraft,
    PlanFault,
    Proof,
    TrainingOutcome,
    Urgency,
)

Titles = Mapping[str, dict[str, str]]
AS_DOCUMENT = TypeAdapter(NeedList)


def need_list(
    session: Session, *, month: Month, zone: ZoneInfo, titles: Titles, topics: Mapping[str, str]
) -> NeedList:
    """Agent and criterion pairs whose true rate is probably under their target, over three months
    ending with `month`.

    "Act" is cut at the false-discovery rate and needs a probability of at least 0.8; "watch" is
    what is more likely than not. Nobody is listed for what others alone make likely: an agent whose
    own cards keep the target is not. Raises MonthRefused.
    """
    begin, end = _months(month, zone)
    everyone = _counts(session, month=month, begin=begin, end=end)
    by_criterion: dict[str, list[Counts]] = {}
    for c in everyone:
        by_criterion.setdefault(c.criterion, []).append(c)
    # the others' rates are learnt from theirs too
    gone = store.left_before(session, end.astimezone(zone).date())
    likely = (
        (c, p)
        for rows in by_criterion.values()
        for c, p in zip(rows, rules.probabilities_under(rows), strict=True)
    )
    judged = [
        (c, p)
        for c, p in likely
        if round(c.of) >= MIN_CARDS and c.kept < c.target * c.of and c.agent_id not in gone
    ]
    enough = [round(c.of) >= CARDS_TO_ACT for c, _ in judged]
    acting = iter(rules.urgencies([p for (_, p), e in zip(judged, enough, strict=True) if e]))
    marks = [
        next(acting) if e else Urgency.WATCH if p > WATCH_AT else None
        for (_, p), e in zip(judged, enough, strict=True)
    ]
    needs = [
        _need(c, p, mark, titles, topics)
        for (c, p), mark in zip(judged, marks, strict=True)
        if mark is not None
    ]
    needs.sort(key=lambda n: (-n.probability, n.agent, n.criterion))
    common = rules.common(needs, {criterion: len(rows) for criterion, rows in by_criterion.items()})
    shown = (
        store.evidence(session, [(n.agent_id, n.criterion) for n in needs], begin=begin, end=end)
        if needs
        else {}
    )
    with_calls = tuple(
        replace(n, evidence=tuple(shown.get((n.agent_id, n.criterion), ()))) for n in needs
    )
    return NeedList(
        month,
        MONTHS,
        TARGET,
        FALSE_DISCOVERY_RATE,
        with_calls,
        len(everyone),
        rules.groups(with_calls),
        common,
        len(gone & {c.agent_id for c in everyone}),
    )


def _counts(session: Session, *, month: Month, begin: datetime, end: datetime) -> list[Counts]:
    """What every agent's cards of these months are worth, criterion by criterion, beside the target
    that holds for the agent.
    """
    staff = store.staff(session)
    set_for: dict[str, list[Target]] = {}
    for t in targets.targets(session):
        if t.indicator is Indicator.CRITERION and t.holds_in(month):
            set_for.setdefault(t.criterion, []).append(t)

    def target(criterion: str, agent_id: int, who: Colleague) -> float:
        own = {
            ScopeKind.AGENT: agent_id,
            ScopeKind.TEAM: who.team_id,
            ScopeKind.DEPARTMENT: who.department_id,
            ScopeKind.WHOLE: None,
        }
        found = (
            targeting.applying(set_for[criterion], Indicator.CRITERION, month, own)
            if criterion in set_for
            else None
        )
        return found.value if found else TARGET

    known = (
        (a, staff[a.agent_id])
        for a in store.agent_tallies(session, begin=begin, end=end)
        if a.agent_id in staff
    )
    return [rules.counts(a, who, target=target(a.criterion, a.agent_id, who)) for a, who in known]


def counted_needs(
    session: Session,
    *,
    month: Month,
    zone: ZoneInfo,
    titles: Titles,
    topics: Mapping[str, str],
    at: datetime,
    allow_stale: bool = False,
    force_refresh: bool = False,
) -> tuple[NeedList, CachedResult]:
    """The list as it was kept, if it may be shown, else counted now. Raises MonthRefused."""
    begin, end = _months(month, zone)
    cache_key = store.cache_key(session, begin=begin, end=end, day=at.astimezone(zone).date())

    def compute() -> dict[str, Any]:
        return cast(
            "dict[str, Any]",
            AS_DOCUMENT.dump_python(
                need_list(session, month=month, zone=zone, titles=titles, topics=topics),
                mode="json",
            ),
        )

    found = get_or_compute(
        session,
        Result.NEEDS,
        month,
        compute,
        cache_key=cache_key,
        at=at,
        allow_stale=allow_stale,
        force_refresh=force_refresh,
    )
    return AS_DOCUMENT.validate_python(found.document), found


def of_team(session: Session, found: NeedList, team_id: int) -> NeedList:
    """Of everybody's needs those of a team; what is common to many stays as it is."""
    own = store.members(session, team_id)
    needs = tuple(n for n in found.needs if n.agent_id in own)
    return replace(found, needs=needs, groups=rules.groups(needs))


def _months(month: Month, zone: ZoneInfo) -> tuple[datetime, datetime]:
    end = month.bounds(zone)[1]
    return (month.previous(MONTHS - 1)).bounds(zone)[0], end


class PlanRefused(ValueError):
    """A plan that cannot be made or moved on; `fault` says why."""

    def __init__(self, fault: PlanFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def make_plan(
    session: Session, draft: PlanDraft, *, by: int, at: datetime, seed: str | None = None
) -> Plan:
    """A new plan.

    Where more are to learn than there are seats, a lot says who goes first; its seed (a secret one,
    where none is given) is kept.

    Raises PlanRefused.
    """
    if not draft.title.strip():
        raise PlanRefused(PlanFault.TITLE)
    if not draft.agent_ids:
        raise PlanRefused(PlanFault.NOBODY)
    if draft.seats is not None and draft.seats < 1:
        raise PlanRefused(PlanFault.SEATS)
    seed = (
        (seed or secrets.token_hex(16))
        if draft.seats is not None and draft.seats < len(draft.agent_ids)
        else ""
    )
    arms = rules.draw_lots(sorted(draft.agent_ids), draft.seats, seed=seed)
    plan_id = store.add_plan(session, draft, arms, seed=seed, by=by, at=at)
    waiting = sum(a is TrainingArm.WAITING for a in arms.values())
    record_event(
        session,
        subject=Subject.TRAINING,
        subject_id=plan_id,
        event=EventKind.PLANNED,
        at=at,
        actor_id=by,
        title=draft.title[:200],
        agents=len(arms),
        waiting=waiting,
    )
    for agent_id in (a for a, arm in arms.items() if arm is TrainingArm.FIRST):
        notify(
            session,
            users_of_agent(session, agent_id),
            NoticeKind.TRAINING_PLANNED,
            about=("training", plan_id),
            at=at,
            but=by,
            project=None,
            title=draft.title[:200],
        )
    return store.plans(session, plan_id=plan_id)[0]


def move_plan(
    session: Session, *, plan_id: int, to: TrainingPlanState, on: date, by: int, at: datetime
) -> None:
    """Planned, running, done; or dropped on the way. Raises PlanRefused."""
    before = {
        TrainingPlanState.RUNNING: (TrainingPlanState.PLANNED,),
        TrainingPlanState.DONE: (TrainingPlanState.PLANNED, TrainingPlanState.RUNNING),
        TrainingPlanState.DROPPED: (TrainingPlanState.PLANNED, TrainingPlanState.RUNNING),
    }
    finished = (
        {"finished_on": on} if to in (TrainingPlanState.DONE, TrainingPlanState.DROPPED) else {}
    )
    if not store.change_plan(session, plan_id, was=before.get(to, ()), state=to, **finished):
        raise PlanRefused(PlanFault.MOVED)
    record_event(
        session,
        subject=Subject.TRAINING,
        subject_id=plan_id,
        event=EventKind.FINISHED if finished else EventKind.RESUMED,
        at=at,
        actor_id=by,
        state=to.value,
    )


def hold_session(
    session: Session,
    *,
    plan_id: int,
    held_on: date,
    minutes: int,
    notes: str,
    present: Sequence[int],
    by: int,
    at: datetime,
) -> None:
    """Write a session down; a planned plan is running from now on."""
    store.add_session(
        session,
        plan_id,
        held_on=held_on,
        minutes=minutes,
        notes=notes.strip()[:4000],
        present=present,
    )
    store.change_plan(
        session, plan_id, was=(TrainingPlanState.PLANNED,), state=TrainingPlanState.RUNNING
    )
    record_event(
        session,
        subject=Subject.TRAINING,
        subject_id=plan_id,
        event=EventKind.CALIBRATION_FITTED,
        at=at,
        actor_id=by,
        on=held_on.isoformat(),
        present=list(present),
    )


def finish_member(
    session: Session,
    *,
    plan_id: int,
    agent_id: int,
    done_on: date | None,
    remark: str,
    by: int,
    at: datetime,
) -> None:
    """An agent is through with the plan. Raises PlanRefused."""
    if not store.finish_member(
        session, plan_id, agent_id, done_on=done_on, remark=remark.strip()[:1000]
    ):
        raise PlanRefused(PlanFault.NOBODY)
    record_event(
        session,
        subject=Subject.TRAINING,
        subject_id=plan_id,
        event=EventKind.FINISHED,
        at=at,
        actor_id=by,
        agent=agent_id,
    )


def mark_studied(session: Session, *, plan_id: int, call_id: int, agent_id: int) -> bool:
    """Note that an agent has gone through a call of the plan; false where there is none."""
    return store.studied(session, plan_id, call_id, agent_id=agent_id)


def new_since(today: date, days: int) -> date:
    """Whoever was hired after this day counts as new."""
    return today - timedelta(days=days)


def proof(
    session: Session, plan: Plan, *, criteria: Sequence[str], last_month: Month, zone: ZoneInfo
) -> Proof:
    """Whether a plan helped, as far as the full months up to `last_month` can tell.

    `criteria` are those of its topic.
    """
    months = rules.months_after(plan, last_month)
    of = [plan.criterion] if plan.criterion else list(criteria)

    def scores(span: Sequence[Month]) -> dict[int, float]:
        return (
            store.mean_points_kept(
                session,
                of,
                begin=span[0].bounds(zone)[0],
                end=span[-1].bounds(zone)[1],
            )
            if span
            else {}
        )

    chosen = [plan.month.previous(back) for back in reversed(range(MONTHS))]
    before, baseline, after = scores(chosen), scores(rules.months_between(plan)), scores(months)
    found = rules.effect(plan, before, baseline, after) if months else None
    first = [m.agent_id for m in plan.first if m.agent_id in before and m.agent_id in after]
    plain = sum(after[a] - before[a] for a in first) / len(first) if first else None
    return Proof(
        rules.design(plan), found, TrainingOutcome.of(found, len(months)), tuple(months), plain
    )


def _need(
    c: Counts,
    probability: float,
    urgency: Urgency,
    titles: Mapping[str, dict[str, str]],
    topics: Mapping[str, str],
) -> Need:
    topic = topics.get(c.criterion, c.criterion.split(".")[0])
    title = titles.get(c.criterion, {"en": c.criterion})
    return Need(
        c.agent_id,
        c.agent,
        c.team,
        c.criterion,
        topic,
        title,
        probability,
        c.kept / c.of,
        c.cards,
        c.of,
        c.target,
        urgency,
    )
