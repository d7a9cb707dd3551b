"""The figures of a model's card: `python -m models.training.speech.figures FOLDER [CLIPS]`.

Everything is heard through faster-whisper itself.
"""

import hashlib
import random
import re
import sys
import unicodedata
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from models.training.speech.sentences import LANGUAGES, Grammar
from models.training.speech.sounds import RATE, noise, telephone, without_speech
from models.training.speech.voices import Spoken, speak

SEED = 7_000_003  # far from any seed of training


def units(language: str, text: str) -> list[str]:
    """What errors are counted in: words and single digits; in Mandarin characters."""
    text = unicodedata.normalize("NFC", text).lower().replace("’", "'")
    pattern = r"[\u4e00-\u9fff0-9a-z]" if language == "zh" else r"\d|[^\W\d_]+(?:'[^\W\d_]+)*'?"
    return re.findall(pattern, text)


def first_model_held_out(template: str) -> bool:
    """Whether the first model, from which the shipped one was trained on, had not seen the template
    either.
    """
    return int(hashlib.md5(template.encode(), usedforsecurity=False).hexdigest(), 16) % 9 == 0


def clips(
    language: str, count: int, *, unseen_templates: bool = False, unheard_voice: bool = False
) -> list[Spoken]:
    rng, grammar = random.Random(SEED), Grammar(language)
    templates = (
        [t for t in grammar.held_out if first_model_held_out(t)]
        if unseen_templates
        else grammar.seen
    )
    out: list[Spoken] = []
    while len(out) < count:
        text = grammar.fill(rng.choice(templates), rng)
        spoken = speak(language, text, rng, unheard=unheard_voice)
        if spoken is not None and len(spoken.samples) < 9.5 * RATE:
            out.append(spoken)
    return out


def error(model: Any, said: list[Spoken], *, on_the_line: bool) -> float:
    """Word (character) error in %."""
    draw = np.random.default_rng(SEED)
    wrong = total = 0
    for spoken in said:
        samples = np.concatenate([np.zeros(3200), spoken.samples / 32768, np.zeros(4800)]).astype(
            np.float32
        )
        if on_the_line:
            level = float(np.sqrt(np.mean(samples[np.abs(samples) > 0.01] ** 2)))
            samples = telephone(
                samples + noise("pink", len(samples), draw) * level * 10 ** (-25 / 20)
            )
        segments, _ = model.transcribe(
            samples, language=spoken.language, beam_size=5, condition_on_previous_text=False
        )
        heard = units(spoken.language, " ".join(s.text for s in segments))
        expected = units(spoken.language, spoken.text)
        wrong += Levenshtein.distance(expected, heard)
        total += len(expected)
    return 100 * wrong / total


def main() -> None:
    from faster_whisper import WhisperModel

    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    model = WhisperModel(folder, device="cpu", compute_type="int8", local_files_only=True)
    sets = {
        "unseen sentences": {},
        "unseen templates": {"unseen_templates": True},
        "an unseen voice": {"unheard_voice": True},
    }
    for name, options in sets.items():
        row = []
        for language in LANGUAGES:
            said = clips(language, count, **options)
            row.append(
                f"{language} {error(model, said, on_the_line=False):.1f} /"
                f" {error(model, said, on_the_line=True):.1f}"
            )
        print(f"{name}: {'; '.join(row)}", flush=True)
    rng, draw = random.Random(SEED), np.random.default_rng(SEED)
    texts = 0
    for _ in range(60):
        segments, _ = model.transcribe(
            without_speech(rng.uniform(2, 20), rng, draw),
            language=rng.choice(LANGUAGES),
            condition_on_previous_text=False,
        )
        texts += bool("".join(s.text for s in segments).strip())
    print(f"silence, noise, tones, music: {texts} of 60 clips gave text")


if __name__ == "__main__":
    main()
