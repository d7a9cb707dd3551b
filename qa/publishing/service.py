"""Add report schedules, and queue the runs that are due."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.months import Month
from qa.publishing import rules, store
from qa.publishing.types import ScheduleDraft


class ScheduleRefused(ValueError):
    """The schedule is refused: a code of `rules.fault`, or `taken`."""


class UnknownSchedule(LookupError):
    """There is no such scheduled report."""


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


def toggle_schedule(session: Session, *, schedule_id: int, by: int, at: datetime) -> None:
    """Pause a scheduled report, or resume one that is paused. Raises UnknownSchedule."""
    schedule = store.schedule(session, schedule_id)
    if schedule is None:
        raise UnknownSchedule(schedule_id)
    store.set_active(session, schedule_id, is_active=not schedule.is_active)
    record_event(
        session,
        subject=Subject.REPORT,
        subject_id=schedule_id,
        event=EventKind.PAUSED if schedule.is_active else EventKind.RESUMED,
        at=at,
        actor_id=by,
    )


def queue_run(session: Session, *, schedule_id: int, month: Month, at: datetime) -> int | None:
    """Queue the run of a month now, again where it ended; None while it is being made.

    Raises UnknownSchedule.
    """
    if store.schedule(session, schedule_id) is None:
        raise UnknownSchedule(schedule_id)
    return store.queue_run(session, schedule_id, month, at=at, again=True)


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
