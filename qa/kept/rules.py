"""How long a kept result may be shown. Pure."""

from datetime import datetime, timedelta

SLOW = 1.0  # seconds
PATIENCE = timedelta(minutes=10)


def may_be_shown(*, is_current: bool, seconds: float, made_at: datetime, now: datetime, is_patient: bool) -> bool:
    """What still holds, always. What took long to count also for some minutes after something changed, to a reader who is told so and can have it
    counted anew: while two hundred people submit scorecards nobody waits for every one of them."""
    return is_current or (is_patient and seconds >= SLOW and timedelta(0) <= now - made_at < PATIENCE)
