"""What time alone does: seeds are committed to, cards released, disputes rise, places expire,
promises fall due. Safe at any moment, twice or not at all.
"""

from datetime import timedelta

from qa.assignment import service as assignment
from qa.cases import service as cases
from qa.disputes import service as disputes
from qa.forms import service as forms
from qa.months import Month
from qa.reporting import service as reporting
from qa.reporting import store as figures
from qa.result_cache import store as kept_results
from qa.sampling import service as sampling
from qa.scoring import service as scoring
from qa.wiring import Wiring

TREND_MONTHS, FRESH_FOR, OLDER_FRESH_FOR = 12, timedelta(days=1), timedelta(days=7)
KEEP_RESULTS_FOR = timedelta(days=30)


def refresh_trend_figures(wiring: Wiring, *, most: int = 1) -> int:
    """Compute the figures that trends need: of months that have none yet, anew every day of the
    last two, every week of the others; how many.
    """
    settings, at = wiring.settings, wiring.clock()
    done = 0
    with wiring.database.read() as session:
        first, newest = figures.first_call_at(session), figures.last_call_at(session)
        if first is None or newest is None:
            return 0
        last = Month.containing(newest, settings.zone)
        months = [
            m
            for m in (last.previous(n) for n in range(TREND_MONTHS))
            if m >= Month.containing(first, settings.zone)
        ]
        codes = ["", *(code for _id, code, _name, _simulated in figures.projects(session))]
        due = []
        for code in codes:
            kept = figures.figure_times(session, project=code)
            due += [
                (m, code)
                for n, m in enumerate(months)
                if m not in kept or at - kept[m] > (FRESH_FOR if n < 2 else OLDER_FRESH_FOR)
            ]
    for month, code in due[:most]:
        with wiring.database.read() as session:
            titles, _topics = forms.vocabulary(session)
            found, made = reporting.cached_report(
                session,
                month=month,
                zone=settings.zone,
                minimum=settings.minimum_cards,
                titles=titles,
                at=at,
                project=code or None,
                force_refresh=True,
            )
        assert made is not None and found.new is not None  # made again
        with wiring.database.write() as session:
            reporting.save_figure(session, report=made, at=at)
            kept_results.save(session, found.new)
        done += 1
    return done


def run_housekeeping(wiring: Wiring) -> dict[str, int]:
    """One round; how many of each were moved."""
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
            "kept results dropped": kept_results.delete_before(
                session, before=at - KEEP_RESULTS_FOR
            ),
            "places expired": assignment.expire(session, after_days=settings.expire_days, at=at),
        }
