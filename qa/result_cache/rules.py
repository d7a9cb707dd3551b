"""Decide how long a cached result may be shown. Pure."""

from datetime import datetime, timedelta

from qa.result_cache.types import CacheEntry, CacheKey

SLOW_SECONDS = 1.0
STALE_FOR = timedelta(minutes=10)


def is_servable(
    entry: CacheEntry, cache_key: CacheKey, *, now: datetime, allow_stale: bool
) -> bool:
    """Tell whether a cached result may be shown: always while its cache key is the present one.

    What took long to compute also for some minutes after calls and scorecards have come, to a
    reader who is told so and can have it computed anew: while two hundred people submit scorecards
    nobody waits for every one of them.
    """
    if entry.cache_key == cache_key:
        return True
    is_same_config = entry.cache_key.config == cache_key.config
    is_recent = timedelta(0) <= now - entry.at < STALE_FOR
    return allow_stale and is_same_config and is_recent and entry.seconds >= SLOW_SECONDS
