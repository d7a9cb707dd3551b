"""What a telephone line does to speech, and what is heard when nobody speaks."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

RATE = 16_000
NOISES = ("white", "pink", "brown", "babble")
SLOPE = {"pink": 0.5, "brown": 1.0, "babble": 0.7}


def band(samples: Any, low: float, high: float) -> Any:
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    with np.errstate(over="ignore"):
        gain = (
            1
            / (1 + np.exp(-(frequencies - low) / (low * 0.12)))
            / (1 + np.exp((frequencies - high) / (high * 0.025)))
        )
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def telephone(samples: Any, rng: random.Random | None = None) -> Any:
    """Telephone band, 8 kHz, µ-law."""
    low, high = (300.0, 3400.0) if rng is None else (rng.uniform(150, 350), rng.uniform(3200, 3750))
    narrow = np.clip(soxr.resample(band(samples, low, high), RATE, 8000), -1, 1)
    squeezed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round((squeezed + 1) * 127.5) / 127.5 - 1
    wide = soxr.resample(
        (np.sign(steps) * (256 ** np.abs(steps) - 1) / 255).astype(np.float32), 8000, RATE
    )
    return np.pad(wide, (0, max(0, len(samples) - len(wide))))[: len(samples)].astype(np.float32)


def noise(kind: str, count: int, draw: np.random.Generator) -> Any:
    white = draw.standard_normal(count).astype(np.float32)
    if kind == "white":
        return white
    spectrum = np.fft.rfft(white)
    shaped = np.fft.irfft(
        spectrum / np.maximum(np.arange(len(spectrum)), 1.0) ** SLOPE[kind], count
    )
    if kind == "babble":
        shaped = shaped * (
            1
            + 0.7
            * np.sin(
                np.arange(count) * draw.uniform(0.5, 6) * 2 * np.pi / RATE + draw.uniform(0, 6)
            )
        )
    return (shaped / (np.std(shaped) + 1e-9)).astype(np.float32)


def worn(samples: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    """Speech as it arrives: level, background, band."""
    samples = samples * 10 ** rng.uniform(-0.9, 0.1)
    loud = samples[np.abs(samples) > 0.01]
    level = float(np.sqrt(np.mean(loud**2))) if len(loud) else 0.05
    if rng.random() < 0.55:
        samples = samples + noise(rng.choice(NOISES), len(samples), draw) * level * 10 ** (
            -rng.uniform(12, 40) / 20
        )
    else:
        samples = samples + draw.standard_normal(len(samples)) * 10 ** rng.uniform(-5, -3.5)
    kind = rng.random()
    if kind < 0.55:
        samples = telephone(samples, rng)
    elif kind < 0.7:
        samples = band(samples, rng.uniform(30, 200), rng.uniform(4000, 7800))
    return np.clip(samples, -1, 1).astype(np.float32)


def without_speech(seconds: float, rng: random.Random, draw: np.random.Generator) -> Any:
    """Silence, noise, tones, ringing, music, hum, keys, clicks."""
    count = int(seconds * RATE)
    made = rng.choice(list(QUIET.values()))(np.arange(count) / RATE, rng, draw)
    samples = made + draw.standard_normal(count) * 10 ** rng.uniform(-4.5, -3)
    samples = telephone(samples, rng) if rng.random() < 0.5 else samples
    return np.clip(samples, -1, 1).astype(np.float32)


def _noise(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    return noise(rng.choice(NOISES), len(t), draw) * 10 ** rng.uniform(-3.3, -1)


def _tone(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    period = rng.uniform(0.3, 4)
    beats = (t % period) < period * rng.uniform(0.2, 0.8)
    return (
        np.sin(2 * np.pi * rng.choice([350, 400, 425, 440, 480, 620, 800, 1000]) * t)
        * beats
        * rng.uniform(0.02, 0.5)
    )


def _ringing(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    rings = (t % rng.choice([3, 4, 5, 6])) < rng.choice([1, 2])
    return (
        (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * rings * rng.uniform(0.05, 0.3)
    )


def music(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    """Chords of a major scale with decaying overtones: what a caller hears on hold."""
    out = np.zeros(len(t))
    base, beat, at = rng.uniform(110, 330), rng.uniform(0.15, 0.6), 0.0
    while at < len(t) / RATE:
        for _ in range(rng.choice((1, 1, 2, 3))):
            tone = base * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
            begin = int(at * RATE)
            local = np.arange(min(len(t) - begin, int(beat * rng.uniform(0.8, 2.5) * RATE))) / RATE
            overtones = sum(
                np.sin(2 * np.pi * tone * h * local) / h ** rng.uniform(1, 2) for h in (1, 2, 3, 4)
            )
            out[begin : begin + len(local)] += overtones * np.exp(-local * rng.uniform(0.5, 5))
        at += beat
    return out / (np.abs(out).max() + 1e-9) * rng.uniform(0.05, 0.6)


def _hum(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    return sum(np.sin(2 * np.pi * 50 * h * t) / h for h in (1, 2, 3, 5)) * rng.uniform(0.005, 0.2)


def _keys(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    out = np.zeros(len(t))
    for _ in range(rng.randint(1, 8)):
        begin = rng.randrange(len(t))
        local = t[: min(len(t) - begin, int(rng.uniform(0.08, 0.3) * RATE))]
        out[begin : begin + len(local)] += 0.3 * sum(
            np.sin(2 * np.pi * rng.choice(f) * local)
            for f in ([697, 770, 852, 941], [1209, 1336, 1477])
        )
    return out


def _clicks(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    out = np.zeros(len(t))
    for _ in range(rng.randint(1, 20)):
        begin = rng.randrange(len(t))
        count = min(len(t) - begin, rng.randint(5, 800))
        out[begin : begin + count] += (
            draw.standard_normal(count)
            * np.exp(-np.arange(count) / rng.uniform(5, 200))
            * rng.uniform(0.05, 0.6)
        )
    return out


def _nothing(t: Any, rng: random.Random, draw: np.random.Generator) -> Any:
    return np.zeros(len(t))


QUIET: dict[str, Callable[[Any, random.Random, np.random.Generator], Any]] = {
    "nothing": _nothing,
    "noise": _noise,
    "tone": _tone,
    "ringing": _ringing,
    "music": music,
    "hum": _hum,
    "keys": _keys,
    "clicks": _clicks,
}
