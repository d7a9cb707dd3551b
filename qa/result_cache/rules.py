"""How long a kept result may be shown. Pure."""

from datetime import datetime, timedelta

from qa.result_cache.types import CacheEntry, CacheKey

SLOW_SECONDS = 1.0  # seconds
STALE_FOR = timedelta(minutes=10)


def is_servable(
    kept: CacheEntry, now_rests_on: CacheKey, *, now: datetime, allow_stale: bool
) -> bool:
    """What still holds, always.

    What took long to count also for some minutes after calls and scorecards have come, to a reader
    who is told so and can have it counted anew: while two hundred people submit scorecards nobody
    waits for every one of them.
    """
    if kept.fingerprint == now_rests_on:
        return True
    is_near = (
        kept.fingerprint.config == now_rests_on.config and timedelta(0) <= now - kept.at < STALE_FOR
    )
    return allow_stale and is_near and kept.seconds >= SLOW_SECONDS
