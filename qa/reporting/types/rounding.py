"""Round the fields of a record for its document."""

import enum
from typing import Any


def rounded_fields(record: Any, digits: int = 2, **own_digits: int) -> dict[str, Any]:
    """Return a record's fields, floats rounded and enums as their values.

    `own_digits` names the fields that are rounded to other than `digits` digits.
    """

    def plain(name: str, value: Any) -> Any:
        if isinstance(value, enum.Enum):
            return value.value
        if isinstance(value, float):
            return round(value, own_digits.get(name, digits))
        return value

    return {name: plain(name, value) for name, value in vars(record).items()}


def round_or_none(value: float | None, digits: int = 2) -> float | None:
    """Round a value if there is one."""
    return None if value is None else round(value, digits)
