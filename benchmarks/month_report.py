"""Time and memory of the month report and of a day's draw at growing numbers of simulated calls,
each in a process of its own.

python -m benchmarks.month_report [10000 100000 1000000]; with BENCHMARK_DATABASE_URL on that
PostgreSQL instead of SQLite. 400 calls and 24 cards an agent.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from qa import setup
from qa.months import Month
from qa.settings import Settings
from qa.wiring import Wiring

if TYPE_CHECKING:
    from qa.sampling.types import Draw

CALLS, QUOTA = 400, 18


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(Wiring.build(settings(sys.argv[2])))))
        return
    first = None
    for total in [int(a) for a in sys.argv[1:]] or [10_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            made = simulate(folder, total)
            alone = subprocess.run(
                [sys.executable, "-m", "benchmarks.month_report", "measure", folder],
                capture_output=True,
                text=True,
                check=True,
            )
            found = json.loads(alone.stdout)
            first = first or (total, found["report"])
            growth = (
                f"{found['report'] / first[1]:.1f} × the time for {total / first[0]:.0f} × the"
                " calls"
            )
            print(
                f"{total} calls, {found['cards']} cards: report {found['report']:.2f} s ({growth}),"
                f" again while nothing changed {found['kept']:.2f} s, {found['megabytes']:.0f} MB"
                f" more than at rest ({found['rest']:.0f}); draw from {found['frame']} calls of a"
                f" day {found['draw']:.2f} s; needs of {found['pairs']} pairs {found['needs']:.2f}"
                f" s; simulated in {made:.0f} s"
            )


def settings(folder: str) -> Settings:
    return Settings(
        data_dir=Path(folder), database_url=os.environ.get("BENCHMARK_DATABASE_URL", "")
    )


def simulate(folder: str, total: int) -> float:
    from qa.simulation import simulate_centre

    wiring = Wiring.build(settings(folder))
    setup.initialise(wiring)
    started = time.perf_counter()
    simulate_centre(
        wiring,
        agents=max(12, total // CALLS),
        calls=CALLS,
        months=1,
        seed=total,
        tick=lambda step, left: None,
        quota=QUOTA,
    )
    wiring.database.engine.dispose()
    return time.perf_counter() - started


def peak_megabytes() -> float:
    """The most memory this process has had since it began (the kernel's own count; `getrusage`
    remembers what forked us).
    """
    line = next(
        x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


def measure(wiring: Wiring) -> dict[str, float]:
    """The report made anew and again, and a draw from all calls of a day."""
    from qa.forms.service import vocabulary
    from qa.reporting.service import cached_report
    from qa.result_cache import store as kept
    from qa.training.service import need_list

    month = Month.containing((wiring.clock(), wiring.settings.zone)).previous()
    rest = peak_megabytes()
    scope = {"month": month, "zone": wiring.settings.zone, "minimum": 3, "at": wiring.clock()}
    times = []
    for again in (True, False):
        started = time.perf_counter()
        with wiring.database.read() as session:
            titles, _topics = vocabulary(session)
            found, made = cached_report(session, titles=titles, again=again, **scope)
        times.append(time.perf_counter() - started)
        if made is not None:
            with wiring.database.write() as session:
                kept.save(session, found.new)
            with wiring.database.read() as session:  # keeping it has itself changed nothing
                assert cached_report(session, titles=titles, **scope)[1] is None
    peak = peak_megabytes()
    started = time.perf_counter()
    drawn = draw(wiring, month)
    took = time.perf_counter() - started
    started = time.perf_counter()
    with wiring.database.read() as session:
        titles, topics = vocabulary(session)
        needs = need_list(
            session, month=month, zone=wiring.settings.zone, titles=titles, topics=topics
        )
    listed = time.perf_counter() - started
    return {
        "needs": listed,
        "pairs": needs.pairs_looked_at,
        "report": times[0],
        "kept": times[1],
        "cards": found.document["whole"]["estimate"]["cards"],
        "rest": rest,
        "megabytes": peak - rest,
        "frame": drawn.frame_size,
        "draw": took,
    }


def draw(wiring: Wiring, month: str) -> "Draw":
    """What a plan would draw from a whole month's calls if they were one day's."""
    from qa.sampling import service
    from qa.sampling.types import Plan, PlanRule
    from qa.states import Phase

    bounds = month.bounds(wiring.settings.zone)
    with (
        mock.patch.object(service, "day_bounds", lambda day, zone: bounds),
        wiring.database.read() as session,
    ):
        plan = Plan(0, "benchmark", Phase.HUMAN, PlanRule(), "benchmark", True)
        return service.preview(
            session,
            plan=plan,
            day=bounds[0].date(),
            zone=wiring.settings.zone,
            new_hire_days=90,
            at=wiring.clock(),
        )


if __name__ == "__main__":
    main()
