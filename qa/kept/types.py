"""Results that take long to count, kept until something they rest on changes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from qa.tables.reports import Kind

__all__ = ["Counted", "Fingerprint", "Kept", "Kind"]

HALF = 32  # digits


class Fingerprint(NamedTuple):
    """Hashes over what a result rests on: what people set up (forms, targets, the day), and what happens all the time (calls, scorecards)."""

    set_up: str
    happened: str

    @classmethod
    def of(cls, set_up: Sequence[Any], happened: Sequence[Any]) -> "Fingerprint":
        return cls(*(hashlib.sha256(repr(list(part)).encode()).hexdigest()[:HALF] for part in (set_up, happened)))


@dataclass(frozen=True)
class Kept:
    """A result as it was counted at a time. `seconds` is how long that took."""

    kind: Kind
    key: str
    fingerprint: Fingerprint
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
