"""Add report schedules, and queue the runs that are due."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.publishing import rules, store
from qa.publishing.types import ScheduleDraft


class ScheduleRefused(ValueError):
    """The schedule is refused: a code of `rules.fault`, or `taken`."""


def add_schedule(session: Session, draft: ScheduleDraft, *, by: int, at: datetime) -> int:
    """Schedule a report for every month from now on. Raises ScheduleRefused."""
    fault = rules.fault(draft)
    if fault:
        raise ScheduleRefused(fault)
    schedule_id = store.add_schedule(session, draft, by=by, at=at)
    if schedule_id is None:
        raise ScheduleRefused("taken")
    record_event(
        session,
        subject=Subject.REPORT,
        subject_id=schedule_id,
        event=EventKind.SCHEDULED,
        at=at,
        actor_id=by,
        name=draft.name,
        audience=draft.audience.value,
    )
    return schedule_id


def queue_due_runs(session: Session, *, zone: ZoneInfo, at: datetime) -> list[int]:
    """Queue the runs that are due and were not queued yet."""
    today = at.astimezone(zone).date()
    queued = []
    for schedule in store.schedules(session):
        month = rules.due_month(schedule, today)
        run_id = store.queue_run(session, schedule.id, month, at=at) if month else None
        if run_id is not None:
            queued.append(run_id)
    return queued
