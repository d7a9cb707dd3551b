"""Synthetic voices: espeak-ng through its C API, with sample-exact times of words and phonemes."""

import ctypes
import functools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import espeakng_loader
import numpy as np
import soxr
from pypinyin import Style, lazy_pinyin

from models.training.speech.sentences import HAN_DIGITS, spoken_units

RATE = 16_000
ESPEAK_RATE = 22_050
VARIANTS = (
    " m1 m2 m3 m4 m5 m6 f1 f2 f3 f4 Alex Alicia Andrea Andy Annie Diogo Gene Hugo Lee Marco Mario"
    " Michael adam anika antonio belinda benjamin boris caleb david ed edward linda marcelo max"
    " michel miguel norbert pablo paul pedro quincy rob robert sandro shelby steph travis victor"
    " zac john iven Henrique Denis"
).split(" ")
UNHEARD = ("f5", "m7", "grandma")  # never in training
LANGUAGE_VOICES = {
    "en": [
        "en-us",
        "en-us",
        "en-us",
        "en",
        "en",
        "en-gb-x-rp",
        "en-gb-scotland",
        "en-029",
        "en-us-nyc",
        "en-gb-x-gbclan",
    ],
    "it": ["it"],
    "zh": ["cmn-latn-pinyin"],
}
PHONEME, END = 7, 0
Times = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Spoken:
    """An utterance: samples at 16 kHz; words as (first letter, last letter, start, end); phonemes
    as (name, start, end).
    """

    language: str
    text: str
    voice: str
    samples: "np.ndarray[Any, np.dtype[np.int16]]"
    words: Times = field(default_factory=list)
    phonemes: Times = field(default_factory=list)


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Espeak:
    """The library, one per process; `say` is not safe for threads."""

    def __init__(self) -> None:
        self.sound: list[bytes] = []
        self.events: Times = []
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = callback(self._receive)
        rate = self.library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 3)
        if rate != ESPEAK_RATE:
            raise RuntimeError(f"espeak-ng did not start: {rate}")
        self.library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            self.sound.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while events and events[index].type != END:
            event = events[index]
            if event.type == PHONEME:
                self.events.append(
                    (
                        event.id.string.decode("utf-8", "ignore"),
                        event.text_position - 1,
                        event.audio_position / 1000,
                    )
                )
            index += 1
        return 0

    def say(self, text: str, voice: str, *, rate: int, pitch: int, spread: int) -> bool:
        self.sound.clear()
        self.events.clear()
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            return False
        for parameter, value in ((1, rate), (3, pitch), (4, spread)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 0, 0, 1 | 0x1000, None, None)
        return bool(self.sound)


@functools.cache
def _espeak() -> _Espeak:
    return _Espeak()


def speak(language: str, text: str, rng: random.Random, *, unheard: bool = False) -> Spoken | None:
    """The text in a random voice, with tempo, pitch and formants varied; None where espeak-ng gives
    no usable times.
    """
    variant = rng.choice(UNHEARD if unheard else VARIANTS)
    voice = rng.choice(LANGUAGE_VOICES[language]) + (f"+{variant}" if variant else "")
    script, places = _script(language, text)
    if not places or not _espeak().say(
        script,
        voice,
        rate=rng.randint(125, 215),
        pitch=rng.randint(25, 75),
        spread=rng.randint(25, 75),
    ):
        return None
    samples = np.frombuffer(b"".join(_espeak().sound), np.int16).astype(np.float32) / 32768
    timed = _timed(_espeak().events, places, len(samples) / ESPEAK_RATE, language)
    if timed is None:
        return None
    units = spoken_units(language, text)
    words = [(u[0], u[1], start, end) for u, (start, end) in zip(units, timed[0], strict=True)]
    # formants, pitch and tempo together
    factor = rng.uniform(0.9, 1.12) if rng.random() < 0.4 else 1.0
    resampled = soxr.resample(samples, ESPEAK_RATE, int(RATE * factor))
    return _trimmed(
        Spoken(language, text, voice, resampled, _scaled(words, factor), _scaled(timed[1], factor))
    )


def _script(language: str, text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """What espeak-ng is given, and where in it each unit stands.

    Mandarin goes as pinyin: its own voice spells rarer characters in English.
    """
    units, script, places, last = spoken_units(language, text), "", [], 0
    if language == "zh":
        digits = "".join(HAN_DIGITS.get(c, c) for c in text)
        for token in lazy_pinyin(
            digits, style=Style.TONE3, neutral_tone_with_five=True, errors=list
        ):
            if re.match(r"[a-zü]+\d$", token):
                script += " " if script and not script.endswith(" ") else ""
                places.append((len(script), len(script) + len(token), token))
                script += token
            else:
                script += {"，": ", ", "。": ". ", "？": "? "}.get(token, " ")
        return (script, places) if len(places) == len(units) else ("", [])
    for begin, end, word in units:
        gap = text[last:begin]
        script += gap + (
            " " if word.isdigit() and script[-1:].isdigit() and not gap.endswith(" ") else ""
        )
        places.append((len(script), len(script) + len(word), word))
        script += word
        last = end
    return script + text[last:], places


def _timed(
    events: Times, places: Sequence[tuple[int, int, str]], seconds: float, language: str
) -> tuple[list[tuple[float, float]], Times] | None:
    ends = [at for _, _, at in events[1:]] + [seconds]
    words: list[tuple[float, float] | None] = [None] * len(places)
    phonemes: Times = []
    for (name, position, start), end in zip(events, ends, strict=True):
        index = next((i for i, (a, b, _) in enumerate(places) if a <= position < b), None)
        if not name or name.startswith("(") or index is None:
            continue
        known = words[index]
        words[index] = (min(known[0], start), max(known[1], end)) if known else (start, end)
        tone = (
            places[index][2][-1]
            if language == "zh" and re.search(r"[aeiouyəɑɛɤœɪʊɔ]", name)
            else ""
        )
        phonemes.append((name + tone, start, end))
    shared = _shared(words, places)
    return (shared, phonemes) if shared else None


def _shared(
    words: list[tuple[float, float] | None], places: Sequence[tuple[int, int, str]]
) -> list[tuple[float, float]] | None:
    """Words that espeak-ng ran into the one before share its time by length."""
    if not words or words[0] is None:
        return None
    out: list[tuple[float, float]] = []
    begin = 0
    while begin < len(words):
        stop = begin + 1
        while stop < len(words) and words[stop] is None:
            stop += 1
        start, end = words[begin]  # type: ignore[misc]  # the first of a run is known
        lengths = np.cumsum([0] + [len(places[k][2]) for k in range(begin, stop)]) / sum(
            len(places[k][2]) for k in range(begin, stop)
        )
        out.extend(
            (start + (end - start) * a, start + (end - start) * b)
            for a, b in zip(lengths, lengths[1:], strict=False)
        )
        begin = stop
    return out


def _scaled(rows: Times, factor: float) -> Times:
    return [(*row[:-2], row[-2] * factor, row[-1] * factor) for row in rows]


def _trimmed(spoken: Spoken) -> Spoken | None:
    loud = np.flatnonzero(np.abs(spoken.samples) > 0.004)
    if len(loud) == 0:
        return None
    first, last = max(0, loud[0] - 160), min(len(spoken.samples), loud[-1] + 400)
    samples = spoken.samples[first:last]
    samples = (samples / np.abs(samples).max() * 0.7 * 32767).astype(np.int16)
    shift, end = first / RATE, (last - first) / RATE

    def moved(rows: Times) -> Times:
        return [(*r[:-2], max(0.0, r[-2] - shift), min(end, max(0.0, r[-1] - shift))) for r in rows]

    return Spoken(
        spoken.language,
        spoken.text,
        spoken.voice,
        samples,
        moved(spoken.words),
        moved(spoken.phonemes),
    )
