"""Classify the speech acts of an utterance (the courtesy classifier).

Words alone; it never hears the voice.

Hashed n-grams (scikit-learn) and one logistic model per act and language, calibrated; trained by
`python -m models.training.courtesy`.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa.checking.rules.speech_acts import SURE
from qa.checking.rules.words import keys_of, sound_of
from qa.forms.types import ACTS, Act
from qa.settings import PROJECT_ROOT
from qa.transcription.types import Transcript

BUCKETS = 2**14
FEATURES = 3 * BUCKETS
WINDOW = {"en": 10, "it": 10, "zh": 14}  # words (characters in Chinese) of one piece
SENTENCE_END = re.compile(r"[.!?;。！？；]+")
LONGEST = 4000  # letters of one utterance that are looked at


class CourtesyClassifier:
    """`folder` holds weights.npz and figures.json. The weights are read at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, transcript: Transcript) -> list[Mapping[Act, float]]:
        """For every utterance the probability (0–1) of each act."""
        return self.probabilities([u.text for u in transcript.utterances], transcript.language)

    def probabilities(self, texts: Sequence[str], language: str) -> list[Mapping[Act, float]]:
        if not texts:
            return []
        weights = self._weights
        scores = utterance_scores(
            texts,
            language,
            weights[f"{language}_weights"],
            weights[f"{language}_bias"],
            self._figures["word_classes"][language],
        )
        slope, offset, sure = weights[f"{language}_calibration"]
        with np.errstate(over="ignore"):
            chances = abstaining(1 / (1 + np.exp(-(slope * scores + offset))), sure)
        return [dict(zip(ACTS, map(float, row), strict=True)) for row in chances]

    @property
    def version(self) -> str:
        return str(self._figures["version"])

    @functools.cached_property
    def _figures(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / "figures.json").read_text())
        return found

    @functools.cached_property
    def _weights(self) -> dict[str, Any]:
        with np.load(self._folder / "weights.npz", allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float32) for name in stored.files}


@functools.cache
def shipped() -> CourtesyClassifier:
    """Load the classifier that comes with the program."""
    return CourtesyClassifier(PROJECT_ROOT / "models" / "courtesy")


def utterance_scores(
    texts: Sequence[str], language: str, weights: Any, bias: Any, classes: Mapping[str, str]
) -> Any:
    """(utterances, acts): the highest score that any piece of the utterance reaches.

    `weights` is (acts, features).
    """
    split = [pieces(t, language) for t in texts]
    scores = features([p for each in split for p in each], language, classes) @ weights.T + bias
    out = np.full((len(texts), len(weights)), -20.0, np.float32)
    at = 0
    for i, each in enumerate(split):
        if each:
            out[i] = scores[at : at + len(each)].max(axis=0)
        at += len(each)
    return out


def abstaining(chances: Any, sure: Any) -> Any:
    """Below the probability at which an act proved trustworthy the classifier does not call it
    sure.
    """
    return np.where(chances < sure, np.minimum(chances, SURE - 0.01), chances)


def pieces(text: str, language: str) -> list[str]:
    """Split an utterance into pieces short enough for one act.

    Sentences where there is punctuation, and overlapping windows of long ones.
    """
    out = []
    size = WINDOW[language]
    for sentence in SENTENCE_END.split(text[:LONGEST]):
        keys = keys_of(sentence)
        for begin in range(0, max(1, len(keys) - size // 2), size // 2):
            if piece := " ".join(keys[begin : begin + size]):
                out.append(piece)
    return out


def features(texts: Sequence[str], language: str, classes: Mapping[str, str]) -> Any:
    """Build a sparse matrix of text features (texts, 3 × BUCKETS).

    Words, letters (in Chinese their sounds), and words with those of one class put together.
    """
    from scipy.sparse import csr_matrix, hstack

    if not texts:
        return csr_matrix((0, FEATURES), dtype=np.float32)
    words, letters = _vectorizers()
    if language == "zh":
        sounds = [" ".join(sound_of(k) for k in t.split()) for t in texts]
        second = words.transform(sounds)
    else:
        second = letters.transform(texts)
    classed = [" ".join(f"_{classes[k]}" if k in classes else k for k in t.split()) for t in texts]
    return hstack([words.transform(texts), second, words.transform(classed)]).tocsr()


@functools.cache
def _vectorizers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(
        analyzer="word",
        token_pattern=r"\S+",
        ngram_range=(1, 3),
        n_features=BUCKETS,
        alternate_sign=False,
        dtype=np.float32,
    )
    letters = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 5),
        n_features=BUCKETS,
        alternate_sign=False,
        dtype=np.float32,
    )
    return words, letters
