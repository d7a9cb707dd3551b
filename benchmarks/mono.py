"""Voices told apart in mono: two-channel calls mixed down, truth from the channels.

Diarisation error of speech told by one voice alone.

python benchmarks/mono.py AGENT.wav,CUSTOMER.wav … STEREO.wav …
"""

import sys
from itertools import permutations
from pathlib import Path

import numpy as np

from qa.engines.audio import RATE, decode
from qa.engines.speakers import tell_apart
from qa.engines.speech import speech_spans
from qa.settings import PROJECT_ROOT

FRAME = 0.01


def channels(argument: str):
    loaded = [
        decode(Path(p), max_seconds=36_000, memory_megabytes=4096).samples
        for p in argument.split(",")
    ]
    rows = [c for samples in loaded for c in samples]
    length = max(map(len, rows))
    return [np.pad(c, (0, length - len(c))) for c in rows]


def frames(spans, length):
    out = np.zeros(length, bool)
    for s in spans:
        out[int(s.start / FRAME) : int(s.end / FRAME)] = True
    return out


def error(agent, customer) -> tuple[float, float]:
    """(share of speech given to the wrong voice or none, seconds of speech)."""
    length = int(len(agent) / RATE / FRAME) + 1
    truth = [frames(speech_spans(c), length) for c in (agent, customer)]
    mixed = (agent + customer).astype(np.float32)
    found = tell_apart(mixed, speech_spans(mixed))
    heard = [frames([s for s in found if s.voice == v], length) for v in (0, 1)]
    alone = truth[0] ^ truth[1]
    wrong = min(
        sum((truth[i] & alone & ~heard[v]).sum() for i, v in enumerate(order))
        for order in permutations((0, 1))
    )
    return wrong / max(1, alone.sum()), alone.sum() * FRAME


def main() -> None:
    arguments = sys.argv[1:] or [
        str(p) for p in sorted((PROJECT_ROOT / "audio_samples").glob("*.wav"))
    ]
    total = seconds = 0.0
    for argument in arguments:
        rows = channels(argument)
        if len(rows) != 2:
            continue
        share, length = error(*rows)
        total, seconds = total + share * length, seconds + length
        print(
            f"{Path(argument.split(',')[0]).name:36} diarisation error {100 * share:5.1f} % of"
            f" {length:.0f} s"
        )
    print(f"all: {100 * total / seconds:.1f} % of {seconds:.0f} s")


if __name__ == "__main__":
    main()
