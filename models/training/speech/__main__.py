"""One command from nothing to a model: `python -m models.training.speech --minutes 90 --out
models/speech/mine`.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.training.speech", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--minutes", type=float, default=90, help="time to train")
    parser.add_argument(
        "--from", dest="start", type=Path, help="go on from this model instead of from nothing"
    )
    parser.add_argument(
        "--small",
        action="store_true",
        help="few windows and a small batch: to see that everything runs",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.2e-3, help="highest learning rate")
    options = parser.parse_args()

    from models.training.speech import files, network, train

    budget = train.Budget(options.minutes * 60, seed=options.seed, peak_rate=options.rate)
    if options.small:
        budget = replace(budget, windows=24, shard=24, frames=2_000)
    begin = files.read(options.start) if options.start else network.fresh(options.seed)
    trained = train.train(
        begin,
        budget,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
        keep=lambda p: files.write(p, options.out),
    )
    files.write(trained, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
