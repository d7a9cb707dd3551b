"""Put calls into the queue, take the next one, give it back or skip it."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from qa.assignment import store
from qa.assignment.rules import lease_end
from qa.assignment.types import AssignmentState, Claimed, NothingWaiting, SkipReason
from qa.audit.store import note
from qa.audit.types import Subject

ATTEMPTS = 5


class NotHeld(Exception):
    """The place is not (or no longer) this evaluator's."""


class SkipRefused(ValueError):
    """A skip needs a reason, and `other` needs words."""


def enqueue(session: Session, *, call_id: int, form_version_id: int, drawn_call_id: int | None, due_days: int, at: datetime) -> int | None:
    """A place in the queue for a drawn and checked call; None where it has one already."""
    added = store.add(session, call_id=call_id, form_version_id=form_version_id, drawn_call_id=drawn_call_id, due_at=at + timedelta(days=due_days), at=at)
    if added is not None:
        note(session, subject=Subject.CALL, subject_id=call_id, what="queued", at=at)
    return added


def claim_next(session: Session, *, evaluator_id: int, own_agent_id: int | None, lease_minutes: int, at: datetime) -> Claimed | NothingWaiting:
    """The call this evaluator already holds, else the one due first. Two evaluators never get the same."""
    held = store.held_by(session, evaluator_id, now=at)
    if held is not None:
        store.renew(session, held, evaluator_id=evaluator_id, lease_until=lease_end(at, lease_minutes))
        return Claimed(held, is_resumed=True)
    for _ in range(ATTEMPTS):
        candidate = store.next_unclaimed(session, now=at, own_agent_id=own_agent_id)
        if candidate is None:
            break
        if store.claim(session, candidate, evaluator_id=evaluator_id, now=at, lease_until=lease_end(at, lease_minutes)):
            note(session, subject=Subject.ASSIGNMENT, subject_id=candidate, what="claimed", at=at, actor_id=evaluator_id)
            return Claimed(candidate, is_resumed=False)
    return NothingWaiting()


def skip(session: Session, *, assignment_id: int, evaluator_id: int, reason: SkipReason, comment: str, at: datetime) -> None:
    """Leave a drawn call unscored, with a reason that is counted. Raises SkipRefused and NotHeld."""
    if reason is SkipReason.OTHER and not comment.strip():
        raise SkipRefused("comment")
    to = AssignmentState.SKIPPED
    if not store.finish(session, assignment_id, evaluator_id=evaluator_id, to=to, at=at, skip_reason=reason.value, skip_comment=comment.strip()[:1000]):
        raise NotHeld
    note(session, subject=Subject.ASSIGNMENT, subject_id=assignment_id, what="skipped", at=at, actor_id=evaluator_id, reason=reason.value)


def give_back(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> None:
    """Put the call back for others. Raises NotHeld."""
    if not store.put_back(session, assignment_id, evaluator_id=evaluator_id):
        raise NotHeld
    note(session, subject=Subject.ASSIGNMENT, subject_id=assignment_id, what="given_back", at=at, actor_id=evaluator_id)
