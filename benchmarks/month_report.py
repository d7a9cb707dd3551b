"""Time and memory of the month report at growing numbers of simulated calls, and what a page costs.

python benchmarks/month_report.py [1000 10000 100000]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from qa import setup
from qa.app import create_app, report_files
from qa.calendar import month_before
from qa.settings import Settings
from qa.simulation import simulate_centre
from qa.wiring import Wiring


def main() -> None:
    first = None
    for total in [int(a) for a in sys.argv[1:]] or [1_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            wiring = Wiring.build(Settings(data_dir=Path(folder)))
            setup.initialise(wiring)
            agents = max(5, min(200, total // 500))
            started = time.perf_counter()
            simulate_centre(wiring, agents=agents, calls=total // agents, months=1, seed=1, tick=lambda step, left: None)
            made = time.perf_counter() - started
            app = create_app(wiring.settings, wiring=wiring)
            month = month_before(wiring.clock().strftime("%Y-%m"))
            times = []
            for _ in range(3):
                started = time.perf_counter()
                report_files(app, month=month, project=None, team=None, language="en", formats=["json"])
                times.append(time.perf_counter() - started)
            best = min(times)
            first = first or (total, best)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            growth = f"{best / first[1]:.1f} × the time for {total / first[0]:.0f} × the calls"
            print(f"{total} calls, {agents} agents: report {best:.3f} s ({growth}), peak {memory:.0f} MiB, simulated in {made:.1f} s")


if __name__ == "__main__":
    main()
