"""Days and months of the reporting zone as aware times.

Never cut in SQL, so a report is the same on every server.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class MonthRefused(ValueError):
    """A month that cannot be read; write it like 2026-11."""


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The day from local midnight to the next; 23 or 25 hours long when the clock changes."""
    return datetime.combine(day, time(), zone), datetime.combine(
        day + timedelta(days=1), time(), zone
    )


def month_bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The month from local midnight to local midnight. Raises MonthRefused."""
    try:
        first = date.fromisoformat(f"{month}-01")
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError as error:
        raise MonthRefused(f"{month!r} is not a month; write it like 2026-11") from error
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def month_before(month: str, back: int = 1) -> str:
    """The month `back` months earlier; a negative number goes forward."""
    year, number = map(int, month.split("-"))
    index = year * 12 + number - 1 - back
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
