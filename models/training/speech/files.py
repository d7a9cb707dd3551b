"""Trained parameters as a CTranslate2 Whisper folder that faster-whisper loads, and back."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperConfig, WhisperSpec

from models.training.speech.network import (
    ALIGNED_HEADS,
    ALIGNED_LAYERS,
    DECODER_LAYERS,
    ENCODER_LAYERS,
    HEADS,
    PHONEME_HEADS,
    POSITIONS,
    REAL_POSITIONS,
    WIDTH,
    Parameters,
    phoneme_heads,
    sinusoids,
)
from models.training.speech.windows import ID, TOKENIZER, TOKENS, VOCABULARY, WORD_TOKENS, tokenizer

SUPPRESSED = (
    "",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
)
TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def write(p: Parameters, folder: Path, *, quantization: str = "int8") -> None:
    """The folder that `WhisperModel(folder)` takes: weights, vocabulary, tokenizer, features."""
    spec = WhisperSpec(ENCODER_LAYERS, HEADS, DECODER_LAYERS, HEADS)
    values = {k: np.array(v, np.float32) for k, v in p.items()}
    values["encoder/position_encodings/encodings"] = np.concatenate(
        [
            sinusoids(REAL_POSITIONS, WIDTH),
            np.broadcast_to(values["encoder/rest_position"], (POSITIONS - REAL_POSITIONS, WIDTH)),
        ]
    )
    values["decoder/projection/weight"] = values["decoder/embeddings/weight"]
    for name, value in values.items():
        if name != "encoder/rest_position" and not name.startswith(PHONEME_HEADS):
            _place(spec, name, value)
    inverse = {i: t for t, i in tokenizer().get_vocab().items()}
    words = [inverse[i] for i in range(WORD_TOKENS)] + TOKENS
    spec.register_vocabulary(words)
    config: WhisperConfig = spec.config
    config.suppress_ids = [ID[t] for t in SUPPRESSED]
    config.suppress_ids_begin = []  # the end of the text stays allowed: silence gives an empty text
    config.lang_ids = [ID[f"<|{x}|>"] for x in ("en", "zh", "it")]
    config.alignment_heads = [
        [layer, head] for layer in ALIGNED_LAYERS for head in range(ALIGNED_HEADS)
    ]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    if TOKENIZER.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copy(TOKENIZER, folder / "tokenizer.json")
    features = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80,
        "sampling_rate": 16000,
        "hop_length": 160,
    }
    (folder / "preprocessor_config.json").write_text(
        json.dumps(features | {"chunk_length": 10, "n_fft": 400})
    )


def read(folder: Path) -> Parameters:
    """The parameters of a folder that `write` made, with int8 weights put back into numbers: to go
    on training from.
    """
    with (folder / "model.bin").open("rb") as f:
        variables = _variables(f)
    out: Parameters = {}
    for name, value in variables.items():
        if name.endswith(("/weight", "/bias", "/gamma", "/beta", "/encodings")) and value.ndim:
            scale = variables.get(f"{name}_scale")
            out[name] = value.astype(np.float32) / (
                scale.reshape(-1, *[1] * (value.ndim - 1)) if scale is not None else 1
            )
    out["encoder/rest_position"] = out.pop("encoder/position_encodings/encodings")[REAL_POSITIONS]
    out.pop("decoder/projection/bias", None)
    out.pop("decoder/projection/weight", None)
    if out["decoder/embeddings/weight"].shape != (VOCABULARY, WIDTH):
        raise ValueError(
            f"{folder} holds another kind of model: embeddings of shape"
            f" {out['decoder/embeddings/weight'].shape}"
        )
    return out | phoneme_heads(0)


def _place(spec: Any, name: str, value: Any) -> None:
    *path, last = name.split("/")
    for part in path:
        stem, _, number = part.rpartition("_")
        spec = getattr(spec, part) if hasattr(spec, part) else getattr(spec, stem)[int(number)]
    setattr(spec, last, value)


def _variables(f: BinaryIO) -> dict[str, Any]:
    def numbers(form: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{form}", f.read(struct.calcsize(f"<{form}")))

    def text() -> str:
        return f.read(numbers("H")[0])[:-1].decode()

    numbers("I"), text(), numbers("I")
    out = {}
    for _ in range(numbers("I")[0]):
        name, rank = text(), numbers("B")[0]
        shape = numbers("I" * rank)
        kind, size = numbers("BI")
        out[name] = np.frombuffer(f.read(size), TYPES[kind]).reshape(shape)
    return out
