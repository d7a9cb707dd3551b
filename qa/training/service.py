"""Find training needs, plan trainings, and measure whether they helped."""

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
from qa.text import bounded_text
from qa.training import rules, store
from qa.training.rules import (
    FALSE_DISCOVERY_RATE,
    MIN_CARDS,
    MONTHS,
    TARGET,
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
    """List agent and criterion pairs whose true rate is probably under their target.

    Three months ending with `month` are looked at.

    "Act" is cut at the false-discovery rate and needs a probability of at least 0.8; "watch" is
    what is more likely than not. Nobody is listed for what others alone make likely: an agent whose
    own cards keep the target is not. Raises MonthRefused.
    """
    begin, end = _months(month, zone)
    all_counts = _counts(session, month=month, begin=begin, end=end)
    by_criterion: dict[str, list[Counts]] = {}
    for counts in all_counts:
        by_criterion.setdefault(counts.criterion, []).append(counts)
    # the others' rates are learnt from theirs too
    left = store.left_before(session, end.astimezone(zone).date())
    pairs = [
        (counts, probability)
        for rows in by_criterion.values()
        for counts, probability in zip(rows, rules.probabilities_under(rows), strict=True)
        if round(counts.of) >= MIN_CARDS
        and counts.kept < counts.target * counts.of
        and counts.agent_id not in left
    ]
    urgencies = rules.urgencies_by_cards(pairs)
    needs = [
        _need(counts, probability, urgency, titles, topics)
        for (counts, probability), urgency in zip(pairs, urgencies, strict=True)
        if urgency is not None
    ]
    needs.sort(key=lambda n: (-n.probability, n.agent, n.criterion))
    common = rules.common(needs, {criterion: len(rows) for criterion, rows in by_criterion.items()})
    evidence = store.evidence(
        session, [(n.agent_id, n.criterion) for n in needs], begin=begin, end=end
    )
    with_calls = tuple(
        replace(n, evidence=tuple(evidence.get((n.agent_id, n.criterion), ()))) for n in needs
    )
    return NeedList(
        month=month,
        months=MONTHS,
        target=TARGET,
        false_discovery_rate=FALSE_DISCOVERY_RATE,
        needs=with_calls,
        pairs_looked_at=len(all_counts),
        groups=rules.groups(with_calls),
        common=common,
        left=len(left & {counts.agent_id for counts in all_counts}),
    )


def _counts(session: Session, *, month: Month, begin: datetime, end: datetime) -> list[Counts]:
    """Count what every agent's cards are worth on each criterion, beside the agent's target."""
    staff = store.staff(session)
    targets_of: dict[str, list[Target]] = {}
    for criterion_target in targets.targets(session):
        if criterion_target.indicator is Indicator.CRITERION and criterion_target.holds_in(month):
            targets_of.setdefault(criterion_target.criterion, []).append(criterion_target)

    def target(criterion: str, agent_id: int, colleague: Colleague) -> float:
        own = {
            ScopeKind.AGENT: agent_id,
            ScopeKind.TEAM: colleague.team_id,
            ScopeKind.DEPARTMENT: colleague.department_id,
            ScopeKind.WHOLE: None,
        }
        applying = targeting.applying(
            targets_of.get(criterion, ()), Indicator.CRITERION, month, own
        )
        return applying.value if applying else TARGET

    counts = []
    for tally in store.agent_tallies(session, begin=begin, end=end):
        agent = staff.get(tally.agent_id)
        if agent is not None:
            own = target(tally.criterion, tally.agent_id, agent)
            counts.append(rules.counts(tally, agent, target=own))
    return counts


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
    """Return the need list from the cache, else compute it. Raises MonthRefused."""
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

    result = get_or_compute(
        session,
        Result.NEEDS,
        month,
        compute,
        cache_key=cache_key,
        at=at,
        allow_stale=allow_stale,
        force_refresh=force_refresh,
    )
    return AS_DOCUMENT.validate_python(result.document), result


def of_team(session: Session, need_list: NeedList, team_id: int) -> NeedList:
    """Narrow a need list to a team; what is common to many stays as it is."""
    own = store.members(session, team_id)
    needs = tuple(need for need in need_list.needs if need.agent_id in own)
    return replace(need_list, needs=needs, groups=rules.groups(needs))


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
    """Make a training plan.

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
    is_by_lot = draft.seats is not None and draft.seats < len(draft.agent_ids)
    seed = (seed or secrets.token_hex(16)) if is_by_lot else ""
    arms = rules.draw_lots(sorted(draft.agent_ids), draft.seats, seed=seed)
    plan_id = store.add_plan(session, draft, arms, seed=seed, by=by, at=at)
    waiting = sum(agent_id is TrainingArm.WAITING for agent_id in arms.values())
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
    for agent_id in (agent_id for agent_id, arm in arms.items() if arm is TrainingArm.FIRST):
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
    """Move a plan on: planned, running, done; or dropped on the way. Raises PlanRefused."""
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
        notes=bounded_text(notes, 4000),
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
    """Mark an agent as done with the plan. Raises PlanRefused."""
    if not store.finish_member(
        session, plan_id, agent_id, done_on=done_on, remark=bounded_text(remark, 1000)
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
    """Return the day after which somebody must be hired to count as new."""
    return today - timedelta(days=days)


def proof(
    session: Session, plan: Plan, *, criteria: Sequence[str], last_month: Month, zone: ZoneInfo
) -> Proof:
    """Measure whether a plan helped, as far as the full months up to `last_month` can tell.

    `criteria` are those of its topic.
    """
    months = rules.months_after(plan, last_month)
    of_topic = [plan.criterion] if plan.criterion else list(criteria)

    def scores(span: Sequence[Month]) -> dict[int, float]:
        if not span:
            return {}
        begin, end = span[0].bounds(zone)[0], span[-1].bounds(zone)[1]
        return store.mean_points_kept(session, of_topic, begin=begin, end=end)

    chosen = [plan.month.previous(back) for back in reversed(range(MONTHS))]
    before, baseline, after = scores(chosen), scores(rules.months_between(plan)), scores(months)
    effect = rules.effect(plan, before, baseline, after) if months else None
    first = [
        member.agent_id
        for member in plan.first
        if member.agent_id in before and member.agent_id in after
    ]
    plain = (
        sum(after[agent_id] - before[agent_id] for agent_id in first) / len(first)
        if first
        else None
    )
    return Proof(
        design=rules.design(plan),
        effect=effect,
        outcome=TrainingOutcome.of(effect, len(months)),
        months=tuple(months),
        plain_change=plain,
    )


def _need(
    counts: Counts,
    probability: float,
    urgency: Urgency,
    titles: Mapping[str, dict[str, str]],
    topics: Mapping[str, str],
) -> Need:
    topic = topics.get(counts.criterion, counts.criterion.split(".")[0])
    title = titles.get(counts.criterion, {"en": counts.criterion})
    return Need(
        agent_id=counts.agent_id,
        agent=counts.agent,
        team=counts.team,
        criterion=counts.criterion,
        topic=topic,
        title=title,
        probability=probability,
        rate=counts.kept / counts.of,
        cards=counts.cards,
        effective_cards=counts.of,
        target=counts.target,
        urgency=urgency,
    )
