"""When a report is due, and what a schedule may say. Pure."""

import re
from datetime import date

from qa.months import Month
from qa.schedules.types import Schedule, ScheduleDraft

FORMATS = ("pdf", "xlsx", "html", "json")
EACH = ("", "project", "department", "team", "agent")
ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
LAST_DAY = 28  # every month has it


def fault(draft: ScheduleDraft) -> str | None:
    """What is wrong with a schedule, as a code: name, day, formats, each, recipients; None when
    nothing is.
    """
    if not draft.name.strip():
        return "name"
    if not 1 <= draft.day <= LAST_DAY:
        return "day"
    formats = split(draft.formats)
    if not formats or any(f not in FORMATS for f in formats):
        return "formats"
    if draft.each not in EACH:
        return "each"
    return "recipients" if any(not ADDRESS.fullmatch(a) for a in split(draft.recipients)) else None


def split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.strip() for t in text.split(",") if t.strip()))


def due_month(schedule: Schedule, today: date) -> Month | None:
    """The month whose report should be there by today: the last one, once its day has come.

    A day that was missed is caught up.
    """
    return Month.of(today).previous() if schedule.is_active and today.day >= schedule.day else None
