"""Seconds of audio per second, against the plain faster-whisper call with default options on the same file and model.

python benchmarks/transcription.py [FILE …]
"""

import sys
import time
from pathlib import Path

from qa.engines.audio import decode
from qa.engines.transcribers import WhisperTranscriber
from qa.settings import HOUSE, load


class Timed:
    """A CTranslate2 model that counts the time spent inside it, over all threads."""

    def __init__(self, model) -> None:
        self._model, self.seconds = model, 0.0

    def __getattr__(self, name):
        inner = getattr(self._model, name)
        if name not in ("encode", "generate", "align"):
            return inner

        def measured(*args, **kwargs):
            started = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - started

        return measured


def main() -> None:
    from faster_whisper import WhisperModel

    settings = load()
    files = [Path(a) for a in sys.argv[1:]] or sorted((HOUSE / "audio_samples").glob("*.wav"))
    ours = WhisperTranscriber(settings.whisper_model, threads=settings.threads)
    plain = WhisperModel(settings.whisper_model, device="cpu", compute_type="int8", cpu_threads=settings.threads, local_files_only=True)
    sounds = [(f, decode(f, max_seconds=36_000, memory_megabytes=4096)) for f in files]
    ours.transcribe(sounds[0][1], language="en", source_name="warm-up")
    inside = ours._model().model = Timed(ours._model().model)
    audio = sum(s.seconds for _, s in sounds)
    started = time.perf_counter()
    for file, sound in sounds:
        ours.transcribe(sound, language=file.name[:2], source_name=file.name)
    our_seconds = time.perf_counter() - started
    share = inside.seconds / (our_seconds * ours._workers)
    started = time.perf_counter()
    for file, sound in sounds:
        for channel in sound.samples:
            list(plain.transcribe(channel, language=file.name[:2])[0])
    plain_seconds = time.perf_counter() - started
    print(
        f"{audio:.0f} s of two-channel audio: ours {audio / our_seconds:.1f} s/s, plain {audio / plain_seconds:.1f} s/s, ratio {plain_seconds / our_seconds:.2f}; "
        f"{100 * share:.0f} % of the workers' time in CTranslate2"
    )


if __name__ == "__main__":
    main()
