"""A compact Whisper in JAX.

Parameters carry the names and shapes of CTranslate2's WhisperSpec, so a trained model is read and
written without conversion.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.training.speech.windows import IGNORED, PHONEMES, VOCABULARY

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS, INNER, MELS = 192, 3, 4, 3, 768, 80
POSITIONS, REAL_POSITIONS, TEXT_POSITIONS = 1500, 500, 448
ALIGNED_LAYERS = (1, 2)  # in these decoder layers the first heads learn where a word is spoken
ALIGNED_HEADS = 2
SMOOTHING = 0.05
Parameters = dict[str, Any]
PHONEME_HEADS = ("phonemes/early", "phonemes/late")  # of training only


def sinusoids(count: int, width: int) -> Any:
    step = math.log(10_000) / (width // 2 - 1)
    angles = np.arange(count)[:, None] * np.exp(-step * np.arange(width // 2))[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


def fresh(seed: int) -> Parameters:
    """Random parameters."""
    draw = np.random.default_rng(seed)
    out: Parameters = {}

    def linear(name: str, outputs: int, inputs: int) -> None:
        bound = 1 / math.sqrt(inputs)
        out[f"{name}/weight"] = draw.uniform(-bound, bound, (outputs, inputs))
        out[f"{name}/bias"] = np.zeros(outputs)

    def norm(name: str) -> None:
        out[f"{name}/gamma"], out[f"{name}/beta"] = np.ones(WIDTH), np.zeros(WIDTH)

    for number, inputs in ((1, MELS), (2, WIDTH)):
        bound = 1 / math.sqrt(3 * inputs)
        out[f"encoder/conv{number}/weight"] = draw.uniform(-bound, bound, (WIDTH, inputs, 3))
        out[f"encoder/conv{number}/bias"] = np.zeros(WIDTH)
    for side, layers in (("encoder", ENCODER_LAYERS), ("decoder", DECODER_LAYERS)):
        for layer in (f"{side}/layer_{i}" for i in range(layers)):
            for name, outputs, inputs in (
                ("self_attention/linear_0", 3 * WIDTH, WIDTH),
                ("self_attention/linear_1", WIDTH, WIDTH),
            ):
                linear(f"{layer}/{name}", outputs, inputs)
            if side == "decoder":
                for name, outputs in (
                    ("linear_0", WIDTH),
                    ("linear_1", 2 * WIDTH),
                    ("linear_2", WIDTH),
                ):
                    linear(f"{layer}/attention/{name}", outputs, WIDTH)
                norm(f"{layer}/attention/layer_norm")
            linear(f"{layer}/ffn/linear_0", INNER, WIDTH)
            linear(f"{layer}/ffn/linear_1", WIDTH, INNER)
            norm(f"{layer}/self_attention/layer_norm")
            norm(f"{layer}/ffn/layer_norm")
        norm(f"{side}/layer_norm")
    out["encoder/rest_position"] = np.zeros(WIDTH)
    out["decoder/embeddings/weight"] = draw.normal(0, 0.05, (VOCABULARY, WIDTH))
    out["decoder/position_encodings/encodings"] = sinusoids(TEXT_POSITIONS, WIDTH) * 0.1
    return {k: np.asarray(v, np.float32) for k, v in out.items()} | phoneme_heads(seed)


def phoneme_heads(seed: int) -> Parameters:
    draw = np.random.default_rng(seed + 1)
    return {
        f"{h}/weight": draw.normal(0, 0.05, (PHONEMES, WIDTH)).astype(np.float32)
        for h in PHONEME_HEADS
    }


def encode(p: Parameters, mel: Any) -> tuple[Any, Any, Any]:
    """Of log-mel (batch, 80, frames): the encoder's output, that of its second layer, and what
    attention adds per position.

    One extra position stands for the rest of the 1500, which all hear zeros at one shared position
    and therefore stay alike: its attention gets log(how many), which is exact.
    """
    heard = _stem(p, mel)
    count = heard.shape[1]
    silent = _stem(p, jnp.zeros((1, MELS, 10)))[:, 2:3]
    rest = jnp.broadcast_to(silent + p["encoder/rest_position"], (len(heard), 1, WIDTH))
    x = jnp.concatenate([heard + sinusoids(REAL_POSITIONS, WIDTH)[:count], rest], 1)
    weight = jnp.zeros(count + 1).at[count].set(math.log(POSITIONS - count))
    early = x
    for i in range(ENCODER_LAYERS):
        layer = f"encoder/layer_{i}"
        x = x + _self_attention(p, layer, x, weight[None, None, None])
        x = x + _feed_forward(p, layer, x)
        early = x if i == 1 else early
    return _norm(p, "encoder/layer_norm", x), early, weight


def decode(p: Parameters, tokens: Any, encoded: Any, weight: Any) -> tuple[Any, list[Any]]:
    """Scores of the next token (batch, length, vocabulary), and where the aligned heads look
    (batch, heads, length, positions).
    """
    length = tokens.shape[1]
    x = p["decoder/embeddings/weight"][tokens] + p["decoder/position_encodings/encodings"][:length]
    causal = jnp.where(jnp.tril(jnp.ones((length, length), bool)), 0.0, -1e9)[None, None]
    looks = []
    for i in range(DECODER_LAYERS):
        layer = f"decoder/layer_{i}"
        x = x + _self_attention(p, layer, x, causal)
        name = f"{layer}/attention"
        query = _linear(p, f"{name}/linear_0", _norm(p, f"{name}/layer_norm", x))
        key, value = jnp.split(_linear(p, f"{name}/linear_1", encoded), 2, -1)
        attended, probabilities = _attend(query, key, value, weight[None, None, None])
        x = x + _linear(p, f"{name}/linear_2", attended)
        if i in ALIGNED_LAYERS:
            looks.append(probabilities[:, :ALIGNED_HEADS])
        x = x + _feed_forward(p, layer, x)
    return _norm(p, "decoder/layer_norm", x) @ p["decoder/embeddings/weight"].T, looks


def loss(
    p: Parameters, batch: Parameters, phoneme_weight: Any, look_weight: Any
) -> tuple[Any, Any]:
    """Tokens, phonemes by frame on two encoder layers, and where the aligned heads should look; and
    the three parts.
    """
    encoded, early, weight = encode(p, batch["mel"])
    scores, looks = decode(p, batch["input"], encoded, weight)
    tokens = _cross_entropy(scores, batch["target"], SMOOTHING)
    frames = batch["phonemes"]
    share = jnp.where(frames == 0, 0.3, 1.0)
    sounds = sum(
        _weighted(h[:, : frames.shape[1]] @ p[f"{name}/weight"].T, frames, share)
        for h, name in zip((early, encoded), PHONEME_HEADS, strict=True)
    )
    positions = jnp.arange(encoded.shape[1])[None, None]
    begin, end = batch["frames"][..., :1], batch["frames"][..., 1:]
    inside = ((positions >= begin - 1) & (positions < end + 1))[:, None]
    timed = (batch["frames"][..., 1] > 0)[:, None]
    missed = [-jnp.log(jnp.maximum((look * inside).sum(-1), 1e-6)) * timed for look in looks]
    look = sum(m.sum() for m in missed) / (len(looks) * ALIGNED_HEADS * jnp.maximum(timed.sum(), 1))
    return tokens + phoneme_weight * sounds + look_weight * look, jnp.stack(
        [tokens, sounds / 2, look]
    )


def _stem(p: Parameters, mel: Any) -> Any:
    x = mel
    for number, stride in ((1, 1), (2, 2)):
        name = f"encoder/conv{number}"
        x = jax.lax.conv_general_dilated(
            x, p[f"{name}/weight"], (stride,), [(1, 1)], dimension_numbers=("NCH", "OIH", "NCH")
        )
        x = jax.nn.gelu(x + p[f"{name}/bias"][None, :, None], approximate=False)
    return x.transpose(0, 2, 1)


def _self_attention(p: Parameters, layer: str, x: Any, added: Any) -> Any:
    name = f"{layer}/self_attention"
    query, key, value = jnp.split(
        _linear(p, f"{name}/linear_0", _norm(p, f"{name}/layer_norm", x)), 3, -1
    )
    return _linear(p, f"{name}/linear_1", _attend(query, key, value, added)[0])


def _attend(query: Any, key: Any, value: Any, added: Any) -> tuple[Any, Any]:
    def heads(x: Any) -> Any:
        return x.reshape(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    scores = heads(query) @ heads(key).transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS) + added
    probabilities = jax.nn.softmax(scores, -1)
    out = (probabilities @ heads(value)).transpose(0, 2, 1, 3)
    return out.reshape(*out.shape[:2], WIDTH), probabilities


def _feed_forward(p: Parameters, layer: str, x: Any) -> Any:
    inner = _linear(p, f"{layer}/ffn/linear_0", _norm(p, f"{layer}/ffn/layer_norm", x))
    return _linear(p, f"{layer}/ffn/linear_1", jax.nn.gelu(inner, approximate=False))


def _linear(p: Parameters, name: str, x: Any) -> Any:
    return x @ p[f"{name}/weight"].T + p[f"{name}/bias"]


def _norm(p: Parameters, name: str, x: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    spread = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(spread + 1e-5) * p[f"{name}/gamma"] + p[f"{name}/beta"]


def _cross_entropy(scores: Any, target: Any, smoothing: float) -> Any:
    logs = jax.nn.log_softmax(scores, -1)
    known = target != IGNORED
    right = jnp.take_along_axis(logs, jnp.maximum(target, 0)[..., None], -1)[..., 0]
    each = -(1 - smoothing) * right - smoothing * logs.mean(-1)
    return (each * known).sum() / jnp.maximum(known.sum(), 1)


def _weighted(scores: Any, target: Any, weight: Any) -> Any:
    right = jnp.take_along_axis(jax.nn.log_softmax(scores, -1), target[..., None], -1)[..., 0]
    return -(right * weight).sum() / weight.sum()
