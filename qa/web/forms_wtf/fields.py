"""Fields and filters that several forms share."""

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import Field, FloatField

from qa.months import Month


def stripped(text: str | None) -> str:
    """Strip blanks at both ends; no text becomes an empty one."""
    return (text or "").strip()


def cut_to(length: int) -> Callable[[str | None], str]:
    """Make a filter that cuts a text to a length without blanks at its ends."""
    return lambda text: stripped(text)[:length]


def one_of(*choices: str) -> Callable[[str | None], str | None]:
    """Make a filter that takes any other value as not chosen."""
    return lambda text: text if text in choices else None


class IntegerListField(Field):
    """Numbers of the boxes that were ticked; what is no number is left out."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the posted values."""
        self.data = [int(value) for value in valuelist if str(value).isdecimal()]


class MonthField(Field):
    """A month written like 2026-11."""

    data: Month | None

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the posted value; what is no month is an error of the field."""
        self.data = None
        if valuelist:
            self.data = Month(str(valuelist[0]))


class CommaFloatField(FloatField):
    """A number whose decimals may follow a comma."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the posted value with a point for its comma."""
        super().process_formdata([str(value).replace(",", ".") for value in valuelist])
