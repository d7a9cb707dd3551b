"""Train on windows that are made while it trains:
text, voices and lines are never the same twice.
"""

import math
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax

from models.training.speech import network
from models.training.speech.windows import ID, IGNORED, Window, make_windows

FRAMES_A_BATCH = 8_000
BLOCK = 100  # frames: few distinct shapes, since each is compiled once
TOKEN_BLOCK = 64
WARM = 0.04
NO_DECAY = ("bias", "gamma", "beta", "embeddings/weight", "encodings", "rest_position")


@dataclass(frozen=True)
class Budget:
    """How long and how much: `seconds` of training, `windows` alive at once, `uses` of each before
    it is replaced.
    """

    seconds: float
    windows: int = 3000
    shard: int = 300
    uses: int = 2
    peak_rate: float = 1.2e-3
    makers: int = 1
    frames: int = FRAMES_A_BATCH
    seed: int = 0


def train(
    p: network.Parameters,
    budget: Budget,
    *,
    tell: Callable[[str], None],
    keep: Callable[[network.Parameters], None],
) -> network.Parameters:
    """Parameters after `budget`; `keep` is given them every few minutes, so that a killed run is
    not lost.
    """
    decayed = {k: not k.endswith(NO_DECAY) for k in p}
    rate = optax.inject_hyperparams(
        lambda learning_rate: optax.adamw(
            learning_rate, b1=0.9, b2=0.98, weight_decay=0.05, mask=decayed
        )
    )
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), rate(learning_rate=0.0))
    state = optimiser.init(p)
    rng = random.Random(budget.seed)
    step, heard, parts, begun, kept = 0, 0.0, np.zeros(3), time.monotonic(), time.monotonic()
    for batch, seconds in _batches(budget, rng):
        share = (time.monotonic() - begun) / budget.seconds
        if share >= 1:
            break
        state[1].hyperparams["learning_rate"] = np.float32(_rate(budget.peak_rate, share))
        p, state, found = _step(
            p, state, batch, 0.5 * (1 - share) + 0.1, 0.4 * (1 - share) + 0.15, optimiser
        )
        step, heard, parts = step + 1, heard + seconds, parts + np.asarray(found)
        if step % 20 == 0:
            elapsed = time.monotonic() - begun
            tell(
                f"step {step} {elapsed:.0f} s tokens {parts[0] / 20:.3f} phonemes"
                f" {parts[1] / 20:.3f} look {parts[2] / 20:.3f} {heard / elapsed:.0f} audio s/s"
            )
            parts = np.zeros(3)
        if time.monotonic() - kept > 600:
            keep(p)
            kept = time.monotonic()
    return p


def _rate(peak: float, share: float) -> float:
    rising = (
        share / WARM
        if share < WARM
        else 0.5 * (1 + math.cos(math.pi * (share - WARM) / (1 - WARM)))
    )
    return peak * rising + 1e-6


@jax.jit(static_argnums=5, donate_argnums=(0, 1))
def _step(
    p: Any, state: Any, batch: Any, phoneme_weight: Any, look_weight: Any, optimiser: Any
) -> Any:
    (_, parts), gradient = jax.value_and_grad(network.loss, has_aux=True)(
        p, batch, phoneme_weight, look_weight
    )
    updates, state = optimiser.update(gradient, state, p)
    return optax.apply_updates(p, updates), state, parts


def _batches(budget: Budget, rng: random.Random) -> Iterator[tuple[dict[str, Any], float]]:
    shards = _shards(budget)
    alive: list[Window] = []
    while True:
        while len(alive) < min(budget.windows, budget.shard):
            alive.extend(next(shards))
        by_length: dict[int, list[Window]] = {}
        for w in alive:
            by_length.setdefault(min(10, max(2, -(-w.mel.shape[1] // (2 * BLOCK)) * 2)), []).append(
                w
            )
        groups = []
        for length, windows in by_length.items():
            rng.shuffle(windows)
            size = max(2, budget.frames // (BLOCK * length))
            groups += [
                (length * BLOCK, windows[i : i + size])
                for i in range(0, len(windows) - size + 1, size)
            ]
        rng.shuffle(groups)
        for frames, windows in groups:
            yield batch_of(windows, frames, rng), sum(w.mel.shape[1] for w in windows) / 100
        alive.extend(next(shards))
        alive = alive[-budget.windows :]
        for _ in range(max(0, len(alive) // (budget.shard * budget.uses) - 1)):
            alive = [*alive, *next(shards)][-budget.windows :]


def _shards(budget: Budget) -> Iterator[list[Window]]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(budget.makers) as pool:
        seeds = iter(range(budget.seed * 1_000_003, 1 << 62))
        pending = [
            pool.apply_async(make_windows, (budget.shard, next(seeds)))
            for _ in range(2 * budget.makers)
        ]
        while True:
            yield pending.pop(0).get()
            pending.append(pool.apply_async(make_windows, (budget.shard, next(seeds))))


def batch_of(windows: list[Window], frames: int, rng: random.Random) -> dict[str, Any]:
    """Arrays of one shape: `mel` (B, 80, frames), `phonemes` (B, frames/2), `input`, `target` (B,
    L), `frames` (B, L, 2).
    """
    rows = [_row(w, rng) for w in windows]
    length = -(-max(len(r[0]) for r in rows) // TOKEN_BLOCK) * TOKEN_BLOCK
    size = len(windows)
    mel, phonemes = (
        np.zeros((size, network.MELS, frames), np.float32),
        np.zeros((size, frames // 2), np.int32),
    )
    given, target = (
        np.full((size, length), ID["<|endoftext|>"], np.int32),
        np.full((size, length), IGNORED, np.int32),
    )
    spoken = np.full((size, length, 2), -1, np.int32)
    for i, (w, (inputs, targets, places)) in enumerate(zip(windows, rows, strict=True)):
        count = min(frames, w.mel.shape[1])
        mel[i, :, :count] = _masked(w.mel[:, :count].astype(np.float32), rng)
        phonemes[i, : count // 2] = w.phonemes[: count // 2]
        given[i, : len(inputs)], target[i, : len(targets)], spoken[i, : len(places)] = (
            inputs,
            targets,
            places,
        )
    return {"mel": mel, "phonemes": phonemes, "input": given, "target": target, "frames": spoken}


def _row(w: Window, rng: random.Random) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    stamped = rng.random() < 0.4
    sequence = w.stamped if stamped else w.plain
    language = ID[f"<|{w.language}|>"]
    before = [
        ID["<|startoftranscript|>"],
        language,
        ID["<|transcribe|>"],
        *([] if stamped else [ID["<|notimestamps|>"]]),
    ]
    answers = [language if w.has_speech else ID["<|nospeech|>"], *[IGNORED] * (len(before) - 2)]
    return (
        before + sequence.tokens[:-1],
        answers + sequence.tokens,
        [(-1, -1)] * len(answers) + sequence.frames,
    )


def _masked(mel: Any, rng: random.Random) -> Any:
    """Floor raised, level moved, a band or an instant wiped out."""
    if rng.random() < 0.4:
        mel = np.maximum(mel, mel.max() - 2.0 + rng.random() * 0.4)
    mel = mel + rng.uniform(-0.15, 0.1)
    if rng.random() < 0.3:
        low = rng.randrange(72)
        mel[low : low + rng.randint(1, 8)] = mel.mean()
    if rng.random() < 0.2:
        at = rng.randrange(max(1, mel.shape[1] - 8))
        mel[:, at : at + rng.randint(1, 8)] = mel.mean()
    return mel
