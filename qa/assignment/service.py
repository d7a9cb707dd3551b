"""Put calls into the queue, take the next one, give it back or skip it."""

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
from qa.notices.service import notify
from qa.notices.store import newest
from qa.notices.types import NoticeKind
from qa.people.store import users_with_role
from qa.people.types import User
from qa.states import AssignmentKind, AssignmentState, Role

ATTEMPTS = 5
SHARES_OVER = timedelta(days=31)  # over which each gets their share
MOST_DEALT = 500  # at once: nobody else can save meanwhile
CANDIDATES = 25
UTC_ZONE = ZoneInfo("UTC")


class NotHeld(Exception):
    """The place is not (or no longer) this evaluator's."""


class ReasonRequired(ValueError):
    """Taking a call out of the queue needs a reason in words."""


class SkipRefused(ValueError):
    """A skip needs a reason, and `other` needs words."""


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
    """A place in the queue for a drawn and checked call; None where it has one already.

    `is_double`: one more, for a second evaluator, blind.
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
    line = WorkloadDistributor.of(session, [call_id], at=at)
    first = line.next(call_id)
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
                reserved_for_id=line.next(call_id, but=first),
            )
    return added


@dataclass
class WorkloadDistributor:
    """Who gets the next call: shares, what each has got of whom, and whom each of the calls is
    about. Loaded once, counted on as calls are given.
    """

    evaluators: list[User]
    shares: dict[int, int]
    dealt: Counter[tuple[int, int]]
    whose: dict[int, tuple[int, int]]

    @classmethod
    def of(
        cls, session: Session, call_ids: Sequence[int], *, at: datetime
    ) -> "WorkloadDistributor":
        shares = store.shares(session)
        if not shares:
            return cls([], {}, Counter(), {})
        evaluators = [u for u in users_with_role(session, Role.EVALUATOR) if u.id in shares]
        return cls(
            evaluators,
            shares,
            store.reserved_this_month(session, list(shares), since=at - SHARES_OVER),
            store.agents_of_calls(session, call_ids),
        )

    def next(self, call_id: int, *, but: int | None = None) -> int | None:
        """Whose list a call goes on; None: the common queue."""
        if not self.shares:
            return None
        agent_id, project_id = self.whose[call_id]
        able = {
            u.id: self.shares[u.id]
            for u in self.evaluators
            if may_be_distributed(u, agent_id=agent_id, project_id=project_id)
        }
        got: Counter[int] = Counter()
        for (user_id, _agent), n in self.dealt.items():
            got[user_id] += n
        who = pick_evaluator(able, got, {u: self.dealt[u, agent_id] for u in able}, but=but)
        if who is not None:
            self.dealt[who, agent_id] += 1
        return who


def distribute(session: Session, *, by: int, at: datetime) -> int:
    """Put what waits in the common queue on the evaluators' lists, by their shares; how many.

    Each is told once.
    """
    waiting = store.unreserved(session, limit=MOST_DEALT)
    calls = sorted({call_id for _, call_id in waiting})
    line, fillers, given = (
        WorkloadDistributor.of(session, calls, at=at),
        store.current_holders(session, calls),
        [],
    )
    for assignment_id, call_id in waiting:
        who = line.next(call_id, but=fillers.get(call_id))
        if who is not None and store.reserve(session, assignment_id, user_id=who, now=at):
            record_event(
                session,
                subject=Subject.ASSIGNMENT,
                subject_id=assignment_id,
                event=EventKind.REASSIGNED,
                at=at,
                actor_id=by,
                to=who,
            )
            fillers[call_id] = who
            given.append(who)
    if given:
        notify(session, set(given), NoticeKind.CALLS_DEALT, about=("queue", 0), at=at, but=by)
    return len(given)


def return_all_to_queue(session: Session, *, user_id: int, by: int, at: datetime) -> int:
    """Everything that waits on somebody's list goes back to the common queue, as when they fall
    ill; how many.
    """
    places = store.on_list(session, user_id)
    for assignment_id in places:
        reassign(session, assignment_id=assignment_id, user_id=None, by=by, at=at)
    return len(places)


def remind(session: Session, *, at: datetime) -> int:
    """Tell those who have an overdue call of it, once for each call; and QA managers, at most once
    a day, how many are on nobody's list.
    """
    late = store.overdue(session, now=at)
    held = {i: who for i, who in late if who is not None}
    for assignment_id, who in held.items():
        notify(session, [who], NoticeKind.CALL_OVERDUE, about=("assignment", assignment_id), at=at)
    store.mark_reminded(session, list(held), at=at)
    nobodys, last = [i for i, who in late if who is None], newest(session, NoticeKind.QUEUE_OVERDUE)
    if nobodys and (last is None or at - last >= timedelta(days=1)):
        managers = [u.id for u in users_with_role(session, Role.QA_MANAGER)]
        notify(
            session,
            managers,
            NoticeKind.QUEUE_OVERDUE,
            about=("overdue", 0),
            at=at,
            count=len(nobodys),
        )
        store.mark_reminded(session, nobodys, at=at)
        held |= dict.fromkeys(nobodys, 0)
    return len(held)


def claim_next(
    session: Session,
    *,
    evaluator_id: int,
    own_agent_id: int | None,
    lease_minutes: int,
    at: datetime,
    zone: ZoneInfo = UTC_ZONE,
) -> Claimed | NothingWaiting:
    """The call this evaluator already holds, else one of those due first.

    Two evaluators never get the same.
    """
    held = store.held_by(session, evaluator_id, now=at)
    until = lease_end(at, lease_minutes)
    if held is not None:
        store.renew(session, held, evaluator_id=evaluator_id, lease_until=until)
        return Claimed(held, is_resumed=True)
    for _ in range(ATTEMPTS):
        found = store.candidates(
            session, evaluator_id=evaluator_id, own_agent_id=own_agent_id, now=at, limit=CANDIDATES
        )
        if not found:
            break
        scored = store.scorecards_by_agent(
            session, evaluator_id, [c.agent_id for c in found], since=at - timedelta(days=31)
        )
        for c in fair_order(found, scored, zone=zone):
            if store.is_untouched(session, c.id, now=at) and store.claim(
                session, c.id, evaluator_id=evaluator_id, now=at, lease_until=until
            ):
                record_event(
                    session,
                    subject=Subject.ASSIGNMENT,
                    subject_id=c.id,
                    event=EventKind.CLAIMED,
                    at=at,
                    actor_id=evaluator_id,
                )
                return Claimed(c.id, is_resumed=False)
    return NothingWaiting()


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
) -> int | None:
    """A place of its own kind for one person, held by them at once; None where there was one
    before.
    """
    added = store.add(
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
    if added is not None:
        store.claim(
            session, added, evaluator_id=user_id, now=at, lease_until=lease_end(at, lease_minutes)
        )
        record_event(
            session,
            subject=Subject.ASSIGNMENT,
            subject_id=added,
            event=EventKind.CLAIMED,
            at=at,
            actor_id=user_id,
            kind=kind.value,
        )
    return added


def skip(
    session: Session,
    *,
    assignment_id: int,
    evaluator_id: int,
    reason: SkipReason,
    comment: str,
    at: datetime,
) -> None:
    """Leave a drawn call unscored, with a reason that is counted. Raises SkipRefused
    and NotHeld.
    """
    if reason is SkipReason.OTHER and not comment.strip():
        raise SkipRefused("comment")
    to = AssignmentState.SKIPPED
    if not store.finish(
        session,
        assignment_id,
        evaluator_id=evaluator_id,
        to=to,
        at=at,
        skip_reason=reason.value,
        skip_comment=comment.strip()[:1000],
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
    """Put the call back for others. Raises NotHeld."""
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
    session: Session, *, assignment_id: int, evaluator_id: int, days: int, at: datetime
) -> None:
    """A scored call goes back to its evaluator's list, reserved for them."""
    store.reopen(
        session, assignment_id, evaluator_id=evaluator_id, due_at=at + timedelta(days=days)
    )
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.REOPENED,
        at=at,
    )


def score_again(session: Session, *, assignment_id: int, due_days: int, at: datetime) -> None:
    """A new place for a call whose card was taken back; the new card counts in its stead."""
    added = store.add_re_evaluation(
        session, assignment_id, due_at=at + timedelta(days=due_days), at=at
    )
    if added is not None:
        record_event(
            session,
            subject=Subject.ASSIGNMENT,
            subject_id=added,
            event=EventKind.QUEUED_FOR_RE_EVALUATION,
            at=at,
        )


def reassign(
    session: Session, *, assignment_id: int, user_id: int | None, by: int, at: datetime
) -> None:
    """Put a place on an evaluator's list, or back for all. Its draft goes with it.

    Raises NotHeld where it is finished.
    """
    if not store.reserve(session, assignment_id, user_id=user_id, now=at):
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
    """Withdraw a place; the call counts as drawn and not scored. Raises ReasonMissing
    and NotHeld.
    """
    if not reason.strip():
        raise ReasonRequired
    if not store.withdraw(session, assignment_id, at=at, reason=reason.strip()[:1000]):
        raise NotHeld
    record_event(
        session,
        subject=Subject.ASSIGNMENT,
        subject_id=assignment_id,
        event=EventKind.WITHDRAWN,
        at=at,
        actor_id=by,
        reason=reason.strip()[:1000],
    )


def expire(session: Session, *, after_days: int, at: datetime) -> int:
    """Places whose due day is long past leave the queue, counted as not scored; how many."""
    calls = store.expire(session, due_before=at - timedelta(days=after_days), at=at)
    for call_id in calls:
        record_event(
            session, subject=Subject.CALL, subject_id=call_id, event=EventKind.EXPIRED, at=at
        )
    return len(calls)
