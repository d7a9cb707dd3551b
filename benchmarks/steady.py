"""Cost of an audio hour and memory over many calls in one process: both should stay flat.

python benchmarks/steady.py [CALLS]
"""

import pathlib
import resource
import sys
import time

from qa.engines.audio import decode
from qa.engines.transcribers import WhisperTranscriber
from qa.settings import PROJECT_ROOT, load


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    settings = load()
    engine = WhisperTranscriber(settings.whisper_model, threads=settings.threads)
    sounds = [
        (p, decode(p, max_seconds=600, memory_megabytes=1536))
        for p in sorted((PROJECT_ROOT / "audio_samples").glob("*.wav"))
    ]
    audio = spent = 0.0
    for number in range(calls):
        path, sound = sounds[number % len(sounds)]
        started = time.perf_counter()
        engine.transcribe(sound, language=path.name[:2], source_name=path.name)
        spent += time.perf_counter() - started
        audio += sound.seconds
        if number + 1 in (1, 12, 24, 48, 96, 144, 200, calls):
            with pathlib.Path("/proc/self/statm").open() as f:
                resident = int(f.read().split()[1]) * resource.getpagesize() / 2**20
            print(
                f"{number + 1:4} calls: {3600 * spent / audio:.0f} s an audio hour so far,"
                f" {resident:.0f} MiB"
            )


if __name__ == "__main__":
    main()
