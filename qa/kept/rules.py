"""How long a kept result may be shown. Pure."""

from datetime import datetime, timedelta

from qa.kept.types import Fingerprint, Kept

SLOW = 1.0  # seconds
PATIENCE = timedelta(minutes=10)


def may_be_shown(kept: Kept, now_rests_on: Fingerprint, *, now: datetime, is_patient: bool) -> bool:
    """What still holds, always.

    What took long to count also for some minutes after calls and scorecards have come, to a reader
    who is told so and can have it counted anew: while two hundred people submit scorecards nobody
    waits for every one of them.
    """
    if kept.fingerprint == now_rests_on:
        return True
    is_near = (
        kept.fingerprint.set_up == now_rests_on.set_up and timedelta(0) <= now - kept.at < PATIENCE
    )
    return is_patient and is_near and kept.seconds >= SLOW
