"""Seconds of audio per second, against the plain faster-whisper call with default options on the
same file and model.

python benchmarks/transcription.py [FILE …]
"""

import json
import sys
import time
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from qa.checking.rules.words import keys_of
from qa.engines.audio import decode
from qa.engines.transcribers import WhisperTranscriber
from qa.settings import PROJECT_ROOT, load


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


class Errors:
    """Word (character) errors against the words really spoken, where a truth file says them."""

    def __init__(self) -> None:
        self.wrong = self.total = 0

    def add(self, file: Path, texts: list[str]) -> None:
        path = PROJECT_ROOT / "audio_samples" / "truth" / f"{file.stem}.json"
        if not path.is_file():
            return
        truth = json.loads(path.read_text())["utterances"]
        for speaker, text in zip(("agent", "customer"), texts, strict=False):
            said = [k for u in truth if u["speaker"] == speaker for k in keys_of(u["text"])]
            self.wrong += Levenshtein.distance(said, list(keys_of(text)))
            self.total += len(said)

    def __str__(self) -> str:
        return f"{100 * self.wrong / self.total:.1f} % error" if self.total else "error unknown"


def main() -> None:
    from faster_whisper import WhisperModel

    settings = load()
    files = [Path(a) for a in sys.argv[1:]] or sorted(
        (PROJECT_ROOT / "audio_samples").glob("*.wav")
    )
    ours = WhisperTranscriber(settings.whisper_model, threads=settings.threads)
    plain = WhisperModel(
        settings.whisper_model,
        device="cpu",
        compute_type="int8",
        cpu_threads=settings.threads,
        local_files_only=True,
    )
    sounds = [(f, decode(f, max_seconds=36_000, memory_megabytes=4096)) for f in files]
    ours.transcribe(sounds[0][1], language="en", source_name="warm-up")
    inside = ours._model().model = Timed(ours._model().model)
    audio = sum(s.seconds for _, s in sounds)
    our_errors, plain_errors = Errors(), Errors()
    started = time.perf_counter()
    for file, sound in sounds:
        heard = ours.transcribe(sound, language=file.name[:2], source_name=file.name).transcript
        our_errors.add(
            file, [" ".join(u.text for _, u in heard.by(s)) for s in ("agent", "customer")]
        )
    our_seconds = time.perf_counter() - started
    share = inside.seconds / (our_seconds * ours._workers)
    started = time.perf_counter()
    for file, sound in sounds:
        texts = [
            " ".join(s.text for s in plain.transcribe(channel, language=file.name[:2])[0])
            for channel in sound.samples
        ]
        plain_errors.add(file, texts)
    plain_seconds = time.perf_counter() - started
    print(
        f"{audio:.0f} s of two-channel audio: ours {audio / our_seconds:.1f} s/s ({our_errors}),"
        f" plain {audio / plain_seconds:.1f} s/s ({plain_errors}), ratio"
        f" {plain_seconds / our_seconds:.2f}; {100 * share:.0f} % of the workers' time in"
        " CTranslate2"
    )


if __name__ == "__main__":
    main()
