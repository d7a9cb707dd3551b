"""Cut days and months of the reporting time zone into aware times.

Never cut in SQL, so that a report is the same on every server.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

TEXT = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class MonthRefused(ValueError):
    """The text is no month; write it like 2026-11."""


class Month(str):
    """A calendar month as its ISO 8601 text, such as `Month("2026-11")`.

    It is the text that stands in tables, documents and addresses, and sorts as such. Raises
    MonthRefused where the text is no month.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not TEXT.fullmatch(text) or text.startswith("0000"):
            raise MonthRefused(f"{str(text)!r} is not a month; write it like 2026-11")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, day: date) -> Self:
        """Return the month of a day, or of a moment in its own time zone."""
        return cls(f"{day:%Y-%m}")

    @classmethod
    def containing(cls, moment: datetime, zone: ZoneInfo) -> Self:
        """Return the month in which an aware moment lies in the time zone."""
        return cls.of(moment.astimezone(zone))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    def next(self, months: int = 1) -> Self:
        """Return the month so many months later."""
        year, number = map(int, self.split("-"))
        index = year * 12 + number - 1 + months
        return type(self)(f"{index // 12:04d}-{index % 12 + 1:02d}")

    def previous(self, months: int = 1) -> Self:
        """Return the month so many months earlier."""
        return self.next(-months)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the aware moments from local midnight of its first day to that of the next month.

        Raises MonthRefused for a month whose end no calendar date can hold.
        """
        first = date.fromisoformat(f"{self}-01")
        try:
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        except ValueError as error:
            raise MonthRefused(f"{str(self)!r} is not a month; write it like 2026-11") from error
        return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the day from local midnight to the next: 23 or 25 hours when the clock changes."""
    start = datetime.combine(day, time(), zone)
    return start, datetime.combine(day + timedelta(days=1), time(), zone)
