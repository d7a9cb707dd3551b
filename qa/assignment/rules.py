"""When a place is free, and until when it is held. Pure."""

from datetime import datetime, timedelta

from qa.tables.scoring import AssignmentState


def is_free(state: AssignmentState, lease_until: datetime | None, *, now: datetime) -> bool:
    """A waiting place, or one whose holder gave no sign of life until the lease ended."""
    if state is AssignmentState.WAITING:
        return True
    return state is AssignmentState.CLAIMED and lease_until is not None and lease_until < now


def lease_end(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


def is_overdue(due_at: datetime, *, now: datetime) -> bool:
    return due_at < now
