"""Results that take long to compute, kept until something they rest on changes."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from qa.states import ResultKind

DIGEST_DIGITS = 32


class CacheKey(NamedTuple):
    """Hashes over what a result rests on.

    `config` is over what people set up (forms, targets, the day), `data` over what happens all the
    time (calls, scorecards).
    """

    config: str
    data: str

    @classmethod
    def of(cls, result: type, config: Sequence[Any], data: Sequence[Any]) -> "CacheKey":
        """Hash what a result rests on.

        `result` is the record that is kept: one with other fields, as an older version of the
        program made it, is never taken for it.
        """
        return cls(_digest([record_schema(result), *config]), _digest(data))


def _digest(parts: Sequence[Any]) -> str:
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()[:DIGEST_DIGITS]


@functools.cache
def record_schema(record: type) -> str:
    """Describe a record's fields, and those of its parts, as text."""
    return json.dumps(TypeAdapter(record).json_schema(), sort_keys=True)


@dataclass(frozen=True)
class CacheEntry:
    """A result as it was computed at a time, as it is saved.

    `name` tells results of one kind apart, `cache_key` says what the result rested on; `seconds` is
    how long it took to compute.
    """

    kind: ResultKind
    name: str
    cache_key: CacheKey
    document: dict[str, Any]
    seconds: float
    at: datetime


@dataclass(frozen=True)
class CachedResult:
    """A result with the time at which it was computed.

    `new` is what the caller may save, where it was computed now.
    """

    document: dict[str, Any]
    at: datetime
    is_current: bool = True  # nothing it rests on has changed since
    new: CacheEntry | None = None
