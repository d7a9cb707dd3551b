"""Queue calls for scoring, hand them out, and finish, renew, reopen or withdraw assignments."""

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.assignment import store
from qa.assignment.rules import fair_order, lease_end, may_be_distributed, pick_evaluator
from qa.assignment.types import Claimed, NothingWaiting, SkipReason
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.notices.service import last_notice_at, notify
from qa.notices.types import NoticeKind
from qa.people import service as people
from qa.people.types import User
from qa.states import AssignmentKind, AssignmentState, Role
from qa.text import bounded_text

ATTEMPTS = 5
SHARES_OVER = timedelta(days=31)  # over which each gets their share
MOST_DISTRIBUTED = 500  # at once: nobody else can save meanwhile
CANDIDATES = 25
MOST_DAILY_GOAL = 200
MOST_SHARE = 100
UTC_ZONE = ZoneInfo("UTC")


class NotHeld(Exception):
    """Raised where the assignment is not (or no longer) this evaluator's."""


class ReasonRequired(ValueError):
    """Raised where a call leaves the queue without a reason in words."""


class NotEvaluator(ValueError):
    """Raised where somebody who does not score is given calls, a goal or a share of them."""


class WorkloadRefused(ValueError):
    """Raised where a daily goal or a share is out of range."""


def enqueue(
    session: Session,
    *,
    call_id: int,
    form_version_id: int,
    drawn_call_id: int | None,
    due_days: int,
    at: datetime,
    is_blind: bool = False,
    is_double: bool = False,
) -> int | None:
    """Queue a drawn and checked call for scoring; None where it is queued already.

    `is_double` adds a second, blind assignment for another evaluator.
    """
    due_at = at + timedelta(days=due_days)
    add = functools.partial(
        store.add,
        session,
        call_id=call_id,
        form_version_id=form_version_id,
        drawn_call_id=drawn_call_id,
        due_at=due_at,
        at=at,
    )
    distributor = WorkloadDistributor.load(session, [call_id], at=at)
    first = distributor.next(call_id)
    added = add(is_blind=is_blind, reserved_for_id=first)
    if added is not None:
        record_event(
            session, subject=Subject.CALL, subject_id=call_id, event=EventKind.QUEUED, at=at
        )
        if is_double:
            add(
                kind=AssignmentKind.DOUBLE,
                occasion="double",
                is_blind=True,
                reserved_for_id=distributor.next(call_id, but=first),
            )
    return added


@dataclass
class WorkloadDistributor:
    """Choose the evaluator of each new call by share; loaded once, counted on as calls are given.

    `counts` has the calls per evaluator and agent, `owners` the agent and project of each call.
    """

    evaluators: list[User]
    shares: dict[int, int]
    counts: Counter[tuple[int, int]]
    owners: dict[int, tuple[int, int]]

    @classmethod
    def load(
        cls, session: Session, call_ids: Sequence[int], *, at: datetime
    ) -> "WorkloadDistributor":
        shares = store.shares(session)
        if not shares:
            return cls([], {}, Counter(), {})
        evaluators = people.users_with_role(session, Role.EVALUATOR)
        return cls(
            [user for user in evaluators if user.id in shares],
            shares,
            store.reserved_this_month(session, list(shares), since=at - SHARES_OVER),
            store.agents_of_calls(session, call_ids),
        )

    def next(self, call_id: int, *, but: int | None = None) -> int | None:
        """Pick the evaluator on whose list a call goes; None: the common queue."""
        if not self.shares:
            return None
        agent_id, project_id = self.owners[call_id]
        eligible = {
            user.id: self.shares[user.id]
            for user in self.evaluators
            if may_be_distributed(user, agent_id=agent_id, project_id=project_id)
        }
        totals: Counter[int] = Counter()
        for (user_id, _agent), count in self.counts.items():
            totals[user_id] += count
        of_agent = {user_id: self.counts[user_id, agent_id] for user_id in eligible}
        evaluator_id = pick_evaluator(eligible, totals, of_agent, but=but)
        if evaluator_id is not None:
            self.counts[evaluator_id, agent_id] += 1
        return evaluator_id


def distribute(session: Session, *, by: int, at: datetime) -> int:
    """Distribute the common queue over the evaluators' lists by share; returns the number of calls.

    Each evaluator is notified once.
    """
    waiting = store.unreserved(session, limit=MOST_DISTRIBUTED)
    calls = sorted({call_id for _, call_id in waiting})
    distributor = WorkloadDistributor.load(session, calls, at=at)
    holders = store.current_holders(session, calls)
    receivers = []
    for assignment_id, call_id in waiting:
        evaluator_id = distributor.next(call_id, but=holders.get(call_id))
        if evaluator_id is not None and store.reserve(session, assignment_id, user_id=evaluator_id):
            record_event(
                session,
                subject=Subject.ASSIGNMENT,
                subject_id=assignment_id,
                event=EventKind.REASSIGNED,
                at=at,
                actor_id=by,
                to=evaluator_id,
            )
            holders[call_id] = evaluator_id
            receivers.append(evaluator_id)
    if receivers:
        notify(session, set(receivers), NoticeKind.CALLS_DEALT, about=("queue", 0), at=at, but=by)
    return len(receivers)


def return_all_to_queue(session: Session, *, user_id: int, by: int, at: datetime) -> int:
    """Return everything on somebody's list to the common queue, as when they fall ill; how many."""
    assignment_ids = store.on_list(session, user_id)
    for assignment_id in assignment_ids:
        reassign(session, assignment_id=assignment_id, user_id=None, by=by, at=at)
    return len(assignment_ids)


def remind(session: Session, *, at: datetime) -> int:
    """Notify evaluators of overdue calls once each, and QA managers of those on nobody's list.

    QA managers are told their number at most once a day. Returns how many calls were told of.
    """
    overdue = store.overdue(session, now=at)
    holders = {i: user_id for i, user_id in overdue if user_id is not None}
    for assignment_id, user_id in holders.items():
        about = ("assignment", assignment_id)
        notify(session, [user_id], NoticeKind.CALL_OVERDUE, about=about, at=at)
    store.mark_reminded(session, list(holders), at=at)
    unreserved = [i for i, user_id in overdue if user_id is None]
    last = last_notice_at(session, NoticeKind.QUEUE_OVERDUE)
    if not unreserved or (last is not None and at - last < timedelta(days=1)):
        return len(holders)
    notify(
        session,
        [user.id for user in people.users_with_role(session, Role.QA_MANAGER)],
        NoticeKind.QUEUE_OVERDUE,
        about=("overdue", 0),
        at=at,
        count=len(unreserved),
    )
    store.mark_reminded(session, unreserved, at=at)
    return len(holders) + len(unreserved)


def claim_next(
    session: Session,
    *,
    evaluator_id: int,
    own_agent_id: int | None,
    lease_minutes: int,
    at: datetime,
    zone: ZoneInfo = UTC_ZONE,
) -> Claimed | NothingWaiting:
    """Claim the next call for an evaluator: the one that they hold already, else one due first.

    Two evaluators never get the same.
    """
    until = lease_end(at, lease_minutes)
    held_id = store.held_by(session, evaluator_id, now=at)
    if held_id is not None:
        store.renew(session, held_id, evaluator_id=evaluator_id, lease_until=until)
        return Claimed(held_id, is_resumed=True)
    for _ in range(ATTEMPTS):
        candidates = store.candidates(
            session, evaluator_id=evaluator_id, own_agent_id=own_agent_id, now=at, limit=CANDIDATES
        )
        if not candidates:
            break
        scored = store.scorecards_by_agent(
            session, evaluator_id, [c.agent_id for c in candidates], since=at - SHARES_OVER
        )
        for candidate in fair_order(candidates, scored, zone=zone):
            if store.is_untouched(session, candidate.id, now=at) and store.claim(
                session, candidate.id, evaluator_id=evaluator_id, now=at, lease_until=until
            ):
                record_event(
                    session,
                    subject=Subject.ASSIGNMENT,
                    subject_id=candidate.id,
                    event=EventKind.CLAIMED,
                    at=at,
                    actor_id=evaluator_id,
                )
                return Claimed(candidate.id, is_resumed=False)
    return NothingWaiting()


def claim_reserved(
    session: Session, *, assignment_id: int, evaluator_id: int, lease_minutes: int, at: datetime
) -> bool:
    """Claim an assignment that waits on the evaluator's own list; False where it does not."""
    assignment = store.assignment(session, assignment_id)
    if (
        assignment is None
        or assignment.state is not AssignmentState.WAITING
        or assignment.reserved_for_id != evaluator_id
    ):
        return False
    return store.claim(
        session,
        assignment_id,
        evaluator_id=evaluator_id,
        now=at,
        lease_until=lease_end(at, lease_minutes),
    )


def reserve_for(
    session: Session,
    *,
    call_id: int,
    form_version_id: int,
    user_id: int,
    kind: AssignmentKind,
    occasion: str,
    due_at: datetime,
    at: datetime,
) -> int | None:
    """Add a blind assignment of a kind of its own for one person; None where there was one."""
    return store.add(
        session,
        call_id=call_id,
        form_version_id=form_version_id,
        drawn_call_id=None,
        due_at=due_at,
        at=at,
        kind=kind,
        occasion=occasion,
        reserved_for_id=user_id,
        is_blind=True,
    )


def claim_for(
    session: Session,
    *,
    call_id: int,
    form_version_id: int,
    user_id: int,
    kind: AssignmentKind,
    occasion: str,
    lease_minutes: int,
    due_at: datetime,
    at: datetime,
) -> int:
    """Add a blind assignment for one person and claim it for them; its id, also if it was there."""
    added_id = reserve_for(
        session,
        call_id=call_id,
        form_version_id=form_version_id,
        user_id=user_id,
        kind=kind,
        occasion=occasion,
        due_at=due_at,
        at=at,
    )
    if added_id is None:
        existing_id = store.assignment_id_for(
            session, call_id=call_id, form_version_id=form_version_id, occasion=occasion
        )
        assert existing_id is not None
        return existing_id
    until = lease_end(at, lease_minutes)
    store.claim(session, added_id, evaluator_id=user_id, now=at, lease_until=until)
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=added_id,
        event=EventKind.CLAIMED,
        at=at,
        actor_id=user_id,
        kind=kind.value,
    )
    return added_id


def renew(
    session: Session, *, assignment_id: int, evaluator_id: int, lease_minutes: int, at: datetime
) -> None:
    """Extend the lease of a claimed assignment, as a sign of life. Raises NotHeld.

    A lease that ended is taken up again while nobody else has claimed the call.
    """
    until = lease_end(at, lease_minutes)
    if not store.renew(session, assignment_id, evaluator_id=evaluator_id, lease_until=until):
        raise NotHeld


def finish(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> None:
    """Close a claimed assignment as submitted: it is never handed out again. Raises NotHeld."""
    if not store.finish(
        session,
        assignment_id,
        evaluator_id=evaluator_id,
        to=AssignmentState.SUBMITTED,
        at=at,
    ):
        raise NotHeld


def skip(
    session: Session,
    *,
    assignment_id: int,
    evaluator_id: int,
    reason: SkipReason,
    comment: str,
    at: datetime,
) -> None:
    """Skip a drawn call, with a reason that is counted per evaluator.

    Raises NotHeld, and ReasonRequired where the reason is `other` without a comment.
    """
    if reason is SkipReason.OTHER and not comment.strip():
        raise ReasonRequired
    if not store.finish(
        session,
        assignment_id,
        evaluator_id=evaluator_id,
        to=AssignmentState.SKIPPED,
        at=at,
        skip_reason=reason.value,
        skip_comment=bounded_text(comment, 1000),
    ):
        raise NotHeld
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.SKIPPED,
        at=at,
        actor_id=evaluator_id,
        reason=reason.value,
    )


def give_back(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> None:
    """Return a claimed call to the queue for others. Raises NotHeld."""
    if not store.return_to_queue(session, assignment_id, evaluator_id=evaluator_id):
        raise NotHeld
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.RETURNED_TO_QUEUE,
        at=at,
        actor_id=evaluator_id,
    )


def reopen(
    session: Session, *, assignment_id: int, evaluator_id: int, due_days: int, at: datetime
) -> None:
    """Reopen a submitted assignment on its evaluator's list, reserved for them."""
    due_at = at + timedelta(days=due_days)
    store.reopen(session, assignment_id, evaluator_id=evaluator_id, due_at=due_at)
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.REOPENED,
        at=at,
    )


def score_again(session: Session, *, assignment_id: int, due_days: int, at: datetime) -> None:
    """Queue a call whose scorecard was voided once more; the new card counts in its stead."""
    due_at = at + timedelta(days=due_days)
    added_id = store.add_re_evaluation(session, assignment_id, due_at=due_at, at=at)
    if added_id is not None:
        record_event(
            session,
            subject=Subject.ASSIGNMENT,
            subject_id=added_id,
            event=EventKind.QUEUED_FOR_RE_EVALUATION,
            at=at,
        )


def reassign(
    session: Session, *, assignment_id: int, user_id: int | None, by: int, at: datetime
) -> None:
    """Reassign a call to an evaluator's list, or to the common queue with None; its draft with it.

    Raises NotEvaluator, and NotHeld where the assignment is finished.
    """
    if user_id is not None:
        user = people.user(session, user_id)
        if user is None or not user.is_active or user.role not in (Role.EVALUATOR, Role.QA_MANAGER):
            raise NotEvaluator
    if not store.reserve(session, assignment_id, user_id=user_id):
        raise NotHeld
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.REASSIGNED,
        at=at,
        actor_id=by,
        to=user_id,
    )
    if user_id is not None:
        notify(
            session,
            [user_id],
            NoticeKind.CALL_ASSIGNED,
            about=("assignment", assignment_id),
            at=at,
            but=by,
        )


def withdraw(session: Session, *, assignment_id: int, reason: str, by: int, at: datetime) -> None:
    """Withdraw a call from the queue: it counts as drawn and not scored.

    Raises ReasonRequired and NotHeld.
    """
    if not reason.strip():
        raise ReasonRequired
    if not store.withdraw(session, assignment_id, at=at, reason=bounded_text(reason, 1000)):
        raise NotHeld
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.WITHDRAWN,
        at=at,
        actor_id=by,
        reason=bounded_text(reason, 1000),
    )


def withdraw_all(
    session: Session, assignment_ids: Sequence[int], *, reason: str, at: datetime
) -> None:
    """Withdraw unfinished assignments of a calibration session, whose own event tells of it."""
    for assignment_id in assignment_ids:
        store.withdraw(session, assignment_id, at=at, reason=reason)


def expire(session: Session, *, after_days: int, at: datetime) -> int:
    """Expire assignments whose due day is long past, counted as not scored; how many."""
    call_ids = store.expire(session, due_before=at - timedelta(days=after_days), at=at)
    for call_id in call_ids:
        record_event(
            session, subject=Subject.CALL, subject_id=call_id, event=EventKind.EXPIRED, at=at
        )
    return len(call_ids)


def set_workload(
    session: Session,
    *,
    user_id: int,
    daily_goal: int | None,
    share: int | None,
    by: int,
    at: datetime,
) -> None:
    """Set an evaluator's daily goal and their share of the calls that arrive.

    Raises NotEvaluator and WorkloadRefused.
    """
    user = people.user(session, user_id)
    if user is None or user.role is not Role.EVALUATOR:
        raise NotEvaluator
    if not 0 <= (daily_goal or 0) <= MOST_DAILY_GOAL or not 0 <= (share or 0) <= MOST_SHARE:
        raise WorkloadRefused
    people.set_workload(session, user_id, daily_goal=daily_goal or None, share=share or 0)
    record_event(
        session,
        subject=Subject.USER,
        subject_id=user_id,
        event=EventKind.GOAL_CHANGED,
        at=at,
        actor_id=by,
        goal=daily_goal,
        share=share or 0,
    )
