"""Write schedules down, and ask for what is due."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.schedules import rules, store
from qa.schedules.types import ScheduleDraft


class ScheduleRefused(ValueError):
    """A schedule that cannot be kept, as a code of `rules.fault`, or taken."""


def add(session: Session, draft: ScheduleDraft, *, by: int, at: datetime) -> int:
    """A report that is made every month from now on. Raises ScheduleRefused."""
    wrong = rules.fault(draft)
    if wrong:
        raise ScheduleRefused(wrong)
    made = store.add(session, draft, by=by, at=at)
    if made is None:
        raise ScheduleRefused("taken")
    record_event(
        session,
        subject=Subject.REPORT,
        subject_id=made,
        event=EventKind.SCHEDULED,
        at=at,
        actor_id=by,
        name=draft.name,
        audience=draft.audience.value,
    )
    return made


def ask_for_due(session: Session, *, zone: ZoneInfo, at: datetime) -> list[int]:
    """The runs that are due and were not asked for yet."""
    today = at.astimezone(zone).date()
    asked = []
    for s in store.schedules(session):
        month = rules.due_month(s, today)
        run = store.ask(session, s.id, month, at=at) if month else None
        asked += [run] if run is not None else []
    return asked
