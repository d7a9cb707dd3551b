"""Take a result as it was kept, or count it."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qa.result_cache import store
from qa.result_cache.rules import is_servable
from qa.result_cache.types import CachedResult, CacheEntry, CacheKey
from qa.states import ResultKind
from qa.tables.database import gc_paused


def get_or_compute(
    session: Session,
    kind: ResultKind,
    key: str,
    count: Callable[[], dict[str, Any]],
    *,
    fingerprint: CacheKey,
    at: datetime,
    allow_stale: bool,
    force_refresh: bool,
) -> CachedResult:
    """The result as it was kept if it may be shown, else counted now;
    `again` counts in any case.
    """
    kept = None if force_refresh else store.find(session, kind, key)
    if kept is not None and is_servable(kept, fingerprint, now=at, allow_stale=allow_stale):
        return CachedResult(kept.document, kept.at, kept.fingerprint == fingerprint)
    started = time.perf_counter()
    with gc_paused():
        document = count()
    return CachedResult(
        document,
        at,
        new=CacheEntry(kind, key, fingerprint, document, time.perf_counter() - started, at),
    )
