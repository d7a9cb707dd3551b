"""What runs by the clock: the reconciler every minute, yesterday's draw every night.

A night that was missed is caught up.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from qa.jobs import store
from qa.jobs.announce import announce
from qa.jobs.mailer import deliver_due
from qa.jobs.service import reconcile
from qa.people import store as people
from qa.upkeep import run_housekeeping
from qa.wiring import Wiring

Duty = Callable[[Wiring], object]
RECONCILE_SECONDS = 60
CATCH_UP_DAYS = 7
DRAW_HOUR = 2
log = structlog.get_logger()


def due_days(now: datetime) -> list[int]:
    """Ordinals of the days whose draw is due at this local time: those that ended, drawn from two
    in the morning on.
    """
    last = now.date() - timedelta(days=1 if now.hour >= DRAW_HOUR else 2)
    return [(last - timedelta(days=i)).toordinal() for i in reversed(range(CATCH_UP_DAYS))]


def ask_for_draws(wiring: Wiring) -> None:
    """Ask once for the draw of every day that ended."""
    now = wiring.clock()
    with wiring.database.read() as session:
        missing = [
            d
            for d in due_days(now.astimezone(wiring.settings.zone))
            if not store.was_requested(session, "sample", d)
        ]
    if missing:
        with wiring.database.write() as session:
            asked = store.request(session, [("sample", d) for d in missing], at=now)
        announce(wiring.settings, asked)


def end_sessions(wiring: Wiring) -> None:
    """Sign-ins whose time is over leave no trace."""
    with wiring.database.write() as session:
        people.end_expired_sessions(session, wiring.clock())


def run(wiring: Wiring, *, rounds: int | None = None, further: Sequence[Duty] = ()) -> None:
    """The scheduler's loop; `rounds` ends it for tests.

    `further` duties come from above: pages know how to make a report, this does not.
    """
    while rounds is None or rounds > 0:
        for duty in (
            ask_for_draws,
            reconcile,
            run_housekeeping,
            end_sessions,
            deliver_due,
            *further,
        ):
            try:
                duty(wiring)
            except Exception:
                log.exception("a duty of the scheduler failed", duty=duty.__name__)
        if rounds is not None:
            rounds -= 1
            continue
        time.sleep(RECONCILE_SECONDS)
