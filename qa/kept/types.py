"""Results that take long to count, kept until something they rest on changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qa.tables.reports import Kind

__all__ = ["Counted", "Kept", "Kind"]


@dataclass(frozen=True)
class Kept:
    """A result as it was counted at a time. `seconds` is how long that took, `fingerprint` a hash over what it rests on."""

    kind: Kind
    key: str
    fingerprint: str
    document: dict[str, Any]
    seconds: float
    at: datetime


@dataclass(frozen=True)
class Counted:
    """A result with the time at which it was counted. `new` is what can be kept of it, where that was now."""

    document: dict[str, Any]
    at: datetime
    is_current: bool = True  # nothing it rests on has changed since
    new: Kept | None = None
