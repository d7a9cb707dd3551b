"""Until when a place is held. Pure. Whether one is free is asked of the database, in one compare-and-swap (`store.claim`)."""

from datetime import datetime, timedelta


def lease_end(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)
