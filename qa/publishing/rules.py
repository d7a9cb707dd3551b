"""Decide when a report is due, and check a schedule. Pure."""

import re
from datetime import date

from qa.months import Month
from qa.publishing.types import Schedule, ScheduleDraft

FORMATS = ("pdf", "xlsx", "html", "json")
EACH = ("", "project", "department", "team", "agent")
ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
LAST_DAY = 28  # every month has it


def fault(draft: ScheduleDraft) -> str | None:
    """Return what is wrong with a schedule, or None.

    A code: name, day, formats, each or recipients.
    """
    if not draft.name.strip():
        return "name"
    if not 1 <= draft.day <= LAST_DAY:
        return "day"
    formats = split(draft.formats)
    if not formats or any(name not in FORMATS for name in formats):
        return "formats"
    if draft.each not in EACH:
        return "each"
    if not all(ADDRESS.fullmatch(address) for address in split(draft.recipients)):
        return "recipients"
    return None


def split(text: str) -> tuple[str, ...]:
    """Split a list with commas; no entry twice."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def due_month(schedule: Schedule, today: date) -> Month | None:
    """Return the month whose report is due: the last one, once its day has come.

    A day that was missed is caught up.
    """
    return Month.of(today).previous() if schedule.is_active and today.day >= schedule.day else None
