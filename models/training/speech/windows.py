"""Utterances become training windows of at most ten seconds: log-mel, token sequences, when each
token is spoken, phonemes by frame.
"""

import random
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from models.training.speech.sentences import LANGUAGES, Grammar
from models.training.speech.sounds import RATE, without_speech, worn
from models.training.speech.voices import Spoken, speak

SECONDS = 10.0
WORD_TOKENS = 2000
SPECIALS = (
    "<|endoftext|> <|startoftranscript|> <|en|> <|zh|> <|it|> <|translate|> <|transcribe|>"
    " <|startoflm|> <|startofprev|> <|nospeech|> <|notimestamps|>"
).split()
# after the words; "" tells CTranslate2 that the model is multilingual
TOKENS = [
    "",
    *SPECIALS,
    *(f"<|{k * 0.02:.2f}|>" for k in range(501)),
]
ID = {token: WORD_TOKENS + i for i, token in enumerate(TOKENS)}
VOCABULARY = WORD_TOKENS + len(TOKENS)
FRAMES_PER_SECOND = 50
PHONEMES = 1021  # a prime: classes of phoneme names
IGNORED = -100
TOKENIZER = Path(__file__).resolve().parents[2] / "speech" / "earshot-tiny" / "tokenizer.json"
SHARE_WITHOUT_SPEECH = 0.05
MIX = {"en": 0.36, "it": 0.36, "zh": 0.28}


@dataclass(frozen=True)
class Sequence:
    """Tokens with the frames (50 a second) in which each is spoken; (−1, −1) where none."""

    tokens: list[int]
    frames: list[tuple[int, int]]


@dataclass(frozen=True)
class Window:
    """`mel` is (80, frames at 100 a second); `phonemes` one class per 20 ms, 0 for none."""

    language: str
    mel: Any
    plain: Sequence
    stamped: Sequence
    phonemes: Any

    @property
    def has_speech(self) -> bool:
        return len(self.plain.tokens) > 1


@cache
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER))


@cache
def _features() -> Any:
    from faster_whisper.feature_extractor import FeatureExtractor

    return FeatureExtractor()


def make_windows(count: int, seed: int) -> list[Window]:
    """Fresh windows; the seed repeats them."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    grammars = {x: Grammar(x) for x in LANGUAGES}
    out: list[Window] = []
    while len(out) < count:
        if rng.random() < SHARE_WITHOUT_SPEECH:
            samples = without_speech(rng.uniform(1, SECONDS), rng, draw)
            out.append(window(rng.choice(LANGUAGES), samples, [], rng, draw, wear=False))
            continue
        language = rng.choices(list(MIX), list(MIX.values()))[0]
        samples, placed = _composed(grammars[language], rng)
        if placed:
            out.append(window(language, samples, placed, rng, draw))
    return out


def window(
    language: str,
    samples: Any,
    placed: list[tuple[float, Spoken]],
    rng: random.Random,
    draw: np.random.Generator,
    *,
    wear: bool = True,
) -> Window:
    mel = _features()(worn(samples, rng, draw) if wear else samples).astype(np.float16)
    mel = mel[:, : mel.shape[1] // 2 * 2]
    phonemes = np.zeros(mel.shape[1] // 2, np.int16)
    for start, spoken in placed:
        for name, begin, end in spoken.phonemes:
            phonemes[
                int((start + begin) * 50) : max(
                    int((start + begin) * 50) + 1, round((start + end) * 50)
                )
            ] = _phoneme(name)
    return Window(
        language,
        mel,
        _sequence(language, placed, stamped=False),
        _sequence(language, placed, stamped=True),
        phonemes,
    )


def _composed(grammar: Grammar, rng: random.Random) -> tuple[Any, list[tuple[float, Spoken]]]:
    """One or several utterances with pauses, within ten seconds."""
    style = rng.random()
    wanted = SECONDS if style < 0.15 else (rng.uniform(4, 10) if style < 0.6 else 0.0)
    parts = [
        np.zeros(
            int(rng.choice([0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, rng.uniform(0, 2.5)]) * RATE),
            np.float32,
        )
    ]
    length, placed = len(parts[0]), []
    while True:
        spoken = speak(grammar.language, grammar.sentence(rng), rng)
        if spoken is None:
            continue
        if length + len(spoken.samples) > SECONDS * RATE:
            break
        placed.append((length / RATE, spoken))
        gap = int(rng.choice([0.1, 0.2, 0.3, 0.4, 0.6, 0.9, rng.uniform(0.1, 2.5)]) * RATE)
        parts += [
            spoken.samples.astype(np.float32) / 32768 * 10 ** rng.uniform(-0.35, 0.1),
            np.zeros(gap, np.float32),
        ]
        length += len(spoken.samples) + gap
        if length / RATE >= wanted:
            break
    return np.concatenate(parts)[: int(SECONDS * RATE)], placed


def _sequence(language: str, placed: list[tuple[float, Spoken]], *, stamped: bool) -> Sequence:
    tokens: list[int] = []
    frames: list[tuple[int, int]] = []
    for number, (start, spoken) in enumerate(placed):
        encoded = tokenizer().encode(
            spoken.text if language == "zh" else f" {spoken.text}", add_special_tokens=False
        )
        if stamped:
            tokens.append(_stamp(min(start, 1.0) if number == 0 else start))
            frames.append((-1, -1))
        tokens.extend(encoded.ids)
        frames.extend(
            _frames(a, b, start, spoken, 0 if language == "zh" else 1) for a, b in encoded.offsets
        )
        if stamped:
            tokens.append(_stamp(start + len(spoken.samples) / RATE))
            frames.append((-1, -1))
    if stamped and not placed:
        tokens, frames = [_stamp(0.0)], [(-1, -1)]
    return Sequence([*tokens, ID["<|endoftext|>"]], [*frames, (-1, -1)])


def _frames(begin: int, end: int, start: float, spoken: Spoken, offset: int) -> tuple[int, int]:
    begin, end = begin - offset, end - offset
    word = next((w for w in spoken.words if begin < w[1] and end > w[0]), None)
    if word is None:
        return -1, -1
    first, last, at, until = word
    share = (until - at) / (last - first)
    from_, to = at + share * (max(begin, first) - first), at + share * (min(end, last) - first)
    return int((start + from_) * FRAMES_PER_SECOND), int(np.ceil((start + to) * FRAMES_PER_SECOND))


def _stamp(seconds: float) -> int:
    return ID["<|0.00|>"] + min(500, max(0, round(seconds * FRAMES_PER_SECOND)))


@cache
def _phoneme(name: str) -> int:
    """A stable class for a phoneme's name: what matters is that the same sound always gets the same
    one.
    """
    return 1 + zlib.crc32(name.encode()) % (PHONEMES - 1)
