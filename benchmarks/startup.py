"""Start-up of `qa --help`, against a Python that imports click and nothing else.

python benchmarks/startup.py
"""

import subprocess
import sys
import time


def best_of(command: list[str], runs: int = 7) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    click = best_of([sys.executable, "-c", "import click"])
    ours = best_of([sys.executable, "-m", "qa", "--help"])
    print(
        f"qa --help {ours * 1000:.0f} ms, python with click {click * 1000:.0f} ms, ratio"
        f" {ours / click:.1f}"
    )


if __name__ == "__main__":
    main()
