"""Return a result from the cache, or compute it."""

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
    name: str,
    compute: Callable[[], dict[str, Any]],
    *,
    cache_key: CacheKey,
    at: datetime,
    allow_stale: bool,
    force_refresh: bool,
) -> CachedResult:
    """Return the cached result if it is servable, else compute it.

    `name` tells results of one kind apart (a month and project), `cache_key` says what the result
    rests on now. `force_refresh` computes in any case. Nothing is saved: the caller saves `new`.
    """
    entry = None if force_refresh else store.find(session, kind, name)
    if entry is not None and is_servable(entry, cache_key, now=at, allow_stale=allow_stale):
        return CachedResult(entry.document, entry.at, entry.cache_key == cache_key)
    started = time.perf_counter()
    with gc_paused():
        document = compute()
    seconds = time.perf_counter() - started
    return CachedResult(document, at, new=CacheEntry(kind, name, cache_key, document, seconds, at))
