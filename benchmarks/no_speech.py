"""Invented words where nobody speaks: silence, noise, tones, ringing, music, hum, keys, clicks,
through the whole way of a call.

python -m benchmarks.no_speech [CLIPS] [SECONDS]
"""

import random
import sys
from collections import Counter

import numpy as np

from models.training.speech.sounds import QUIET, RATE, telephone
from qa.engines.audio import Sound
from qa.engines.transcribers import WhisperTranscriber
from qa.settings import load


def main() -> None:
    clips, seconds = (
        int(sys.argv[1]) if len(sys.argv) > 1 else 60,
        float(sys.argv[2]) if len(sys.argv) > 2 else 60.0,
    )
    settings = load()
    engine = WhisperTranscriber(settings.whisper_model, threads=settings.threads)
    words: Counter[str] = Counter()
    invented, total = 0, 0
    for number in range(clips):
        rng, draw = random.Random(number), np.random.default_rng(number)
        kind = list(QUIET)[number % len(QUIET)]
        times = np.arange(int(seconds * RATE)) / RATE
        samples = QUIET[kind](times, rng, draw) + draw.standard_normal(
            len(times)
        ) * 10 ** rng.uniform(-4.5, -3)
        samples = telephone(samples, rng) if number % 2 else np.clip(samples, -1, 1)
        sound = Sound(samples.astype(np.float32)[None], seconds, 0.0, 8000, "test", "wav", True)
        transcript = engine.transcribe(
            sound, language=("en", "it", "zh")[number % 3], source_name=str(number)
        ).transcript
        count = sum(len(u.words) for u in transcript.utterances)
        words[kind] += count
        total += count
        quality = transcript.quality
        assert quality is not None
        invented += quality.invented_words
    minutes = clips * seconds / 60
    print(
        f"{clips} clips, {minutes:.0f} minutes without speech: {total / minutes:.2f} invented words"
        f" a minute kept, {invented / minutes:.2f} left out; by kind {dict(words)}"
    )


if __name__ == "__main__":
    main()
