"""Run periodic duties: reconciling, draws, housekeeping, mails, trend figures, publishing.

Every duty is idempotent: safe at any moment, twice, or not at all. What was missed is caught up.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from qa.assignment import service as assignment
from qa.cases import service as cases
from qa.disputes import service as disputes
from qa.forms import service as forms
from qa.jobs import store
from qa.jobs.announce import announce
from qa.jobs.mailer import deliver_due
from qa.jobs.service import reconcile
from qa.months import Month
from qa.people import store as people
from qa.publishing.delivery import publish
from qa.reporting import service as reporting
from qa.reporting import store as figures
from qa.result_cache import store as result_cache
from qa.sampling import service as sampling
from qa.scoring import service as scoring
from qa.states import Step
from qa.wiring import Wiring

ROUND_SECONDS = 60.0
CATCH_UP_DAYS = 7
DRAW_HOUR = 2
TREND_MONTHS = 12
RECENT_MONTHS = 2  # the newest months of a trend, whose figures still move
RECENT_FRESH_FOR = timedelta(days=1)
OLDER_FRESH_FOR = timedelta(days=7)
KEEP_RESULTS_FOR = timedelta(days=30)
log = structlog.get_logger()


@dataclass(frozen=True)
class PeriodicDuty:
    """A function of the scheduler and how often it runs."""

    name: str
    period_seconds: float
    run: Callable[[Wiring], object]


def due_days(now: datetime) -> list[int]:
    """List the days (ordinals) whose draw is due at this local time: ended ones, from 02:00 on."""
    last = now.date() - timedelta(days=1 if now.hour >= DRAW_HOUR else 2)
    return [(last - timedelta(days=i)).toordinal() for i in reversed(range(CATCH_UP_DAYS))]


def request_draws(wiring: Wiring) -> None:
    """Request the sampling draw of every ended day that has none yet."""
    now = wiring.clock()
    with wiring.database.read() as session:
        missing = [
            day
            for day in due_days(now.astimezone(wiring.settings.zone))
            if not store.was_requested(session, Step.SAMPLE, day)
        ]
    if missing:
        with wiring.database.write() as session:
            task_ids = store.request(session, [(Step.SAMPLE, day) for day in missing], at=now)
        announce(wiring.settings, task_ids)


def end_expired_sessions(wiring: Wiring) -> None:
    """Delete the sign-ins whose time is over."""
    with wiring.database.write() as session:
        people.end_expired_sessions(session, wiring.clock())


def run_housekeeping(wiring: Wiring) -> dict[str, int]:
    """Commit sampling seeds, release due scorecards, escalate overdue disputes, remind, expire.

    Returns how many records each of them changed.
    """
    settings, at = wiring.settings, wiring.clock()
    with wiring.database.write() as session:
        sampling.commit_seeds(session, zone=settings.zone, at=at)
        return {
            "released": scoring.release_due(session, at=at),
            "disputes risen": disputes.escalate_overdue(
                session, decide_days=settings.dispute_decide_days, at=at
            ),
            "people reminded": cases.remind(session, at=at),
            "reminded of overdue calls": assignment.remind(session, at=at),
            "kept results dropped": result_cache.delete_before(
                session, before=at - KEEP_RESULTS_FOR
            ),
            "places expired": assignment.expire(session, after_days=settings.expire_days, at=at),
        }


def refresh_trend_figures(wiring: Wiring, *, most: int = 1) -> int:
    """Compute at most `most` of the stale monthly figures that trends need; return how many.

    The figures of the last two months are stale after a day, those of earlier ones after a week.
    """
    refreshed = 0
    for month, project in _stale_figures(wiring)[:most]:
        _refresh_figure(wiring, month, project)
        refreshed += 1
    return refreshed


def _stale_figures(wiring: Wiring) -> list[tuple[Month, str]]:
    """List the months and project codes ("" = all projects) whose figures are missing or old."""
    zone, at = wiring.settings.zone, wiring.clock()
    stale = []
    with wiring.database.read() as session:
        first, newest = figures.first_call_at(session), figures.last_call_at(session)
        if first is None or newest is None:
            return []
        earliest, last = Month.containing(first, zone), Month.containing(newest, zone)
        months = [m for m in (last.previous(n) for n in range(TREND_MONTHS)) if m >= earliest]
        codes = ["", *(code for _id, code, _name, _simulated in figures.projects(session))]
        for code in codes:
            computed_at = figures.figure_times(session, project=code)
            for age, month in enumerate(months):
                fresh_for = RECENT_FRESH_FOR if age < RECENT_MONTHS else OLDER_FRESH_FOR
                if month not in computed_at or at - computed_at[month] > fresh_for:
                    stale.append((month, code))
    return stale


def _refresh_figure(wiring: Wiring, month: Month, project: str) -> None:
    settings, at = wiring.settings, wiring.clock()
    with wiring.database.read() as session:
        titles, _topics = forms.vocabulary(session)
        cached, report = reporting.cached_report(
            session,
            month=month,
            zone=settings.zone,
            minimum=settings.minimum_cards,
            titles=titles,
            at=at,
            project=project or None,
            force_refresh=True,
        )
    assert report is not None and cached.new is not None  # computed anew
    with wiring.database.write() as session:
        reporting.save_figure(session, report=report, at=at)
        result_cache.save(session, cached.new)


DUTIES = (
    PeriodicDuty("draws", ROUND_SECONDS, request_draws),
    PeriodicDuty("reconcile", ROUND_SECONDS, reconcile),
    PeriodicDuty("housekeeping", ROUND_SECONDS, run_housekeeping),
    PeriodicDuty("session expiry", ROUND_SECONDS, end_expired_sessions),
    PeriodicDuty("mail delivery", ROUND_SECONDS, deliver_due),
    PeriodicDuty("trend figures", ROUND_SECONDS, refresh_trend_figures),
    PeriodicDuty("publishing", ROUND_SECONDS, publish),
)


def run(wiring: Wiring, *, duties: Sequence[PeriodicDuty] = DUTIES) -> None:
    """Run the scheduler's loop: every duty at once, then each again after its period, for ever."""
    next_run = dict.fromkeys(duties, time.monotonic())
    while True:
        due = [duty for duty in duties if time.monotonic() >= next_run[duty]]
        run_once(wiring, duties=due)
        next_run |= {duty: time.monotonic() + duty.period_seconds for duty in due}
        time.sleep(max(0.0, min(next_run.values()) - time.monotonic()))


def run_once(wiring: Wiring, *, duties: Sequence[PeriodicDuty] = DUTIES) -> None:
    """Run each duty once; one that fails is logged and keeps none of the others back."""
    for duty in duties:
        try:
            duty.run(wiring)
        except Exception:
            log.exception("a duty of the scheduler failed", duty=duty.name)
