"""Results that take long to count, kept until something they rest on changes."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from qa.states import ResultKind

DIGEST_DIGITS = 32  # digits


class CacheKey(NamedTuple):
    """Hashes over what a result rests on: what people set up (forms, targets, the day), and what
    happens all the time (calls, scorecards).
    """

    config: str
    data: str

    @classmethod
    def of(cls, result: type, config: Sequence[Any], data: Sequence[Any]) -> "CacheKey":
        """`result` is the record that is kept: one with other fields, as an older version of the
        program made it, is never taken for it.
        """
        return cls(
            *(
                hashlib.sha256(repr(list(part)).encode()).hexdigest()[:DIGEST_DIGITS]
                for part in ([record_schema(result), *config], data)
            )
        )


@functools.cache
def record_schema(record: type) -> str:
    """A record's fields and theirs, as text."""
    return json.dumps(TypeAdapter(record).json_schema(), sort_keys=True)


@dataclass(frozen=True)
class CacheEntry:
    """A result as it was counted at a time. `seconds` is how long that took."""

    kind: ResultKind
    key: str
    fingerprint: CacheKey
    document: dict[str, Any]
    seconds: float
    at: datetime


@dataclass(frozen=True)
class CachedResult:
    """A result with the time at which it was counted.

    `new` is what can be kept of it, where that was now.
    """

    document: dict[str, Any]
    at: datetime
    is_current: bool = True  # nothing it rests on has changed since
    new: CacheEntry | None = None
