"""Fit, calibrate and measure the courtesy classifier.

Grouped by template throughout: no figure rests on a template that was learnt.
"""

import random
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.training.courtesy.examples import Example, joined, misheard, read, word_classes
from qa.checking.rules.speech_acts import POSSIBLE, SURE
from qa.checking.rules.words import keys_of
from qa.engines.courtesy import FEATURES, abstaining, features, utterance_scores
from qa.forms.types import ACTS

FOLDS = 5
STRENGTH = 12.0
QUOTED_WEIGHT = 3.0
JOINED_SHARE = 0.5
PRECISION = 0.92
ENOUGH = 20


def train(language: str, seed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights (float16) and calibration for a language, and the figures of its cross-validation."""
    examples = read(language, random.Random(seed))
    groups = sorted({e.group for e in examples})
    random.Random(seed).shuffle(groups)
    fold_of = {g: i % FOLDS for i, g in enumerate(groups)}
    scores, tests = [], []
    for fold in range(FOLDS):
        learnt = _fitted([e for e in examples if fold_of[e.group] != fold], language, seed)
        held_out = _utterances(
            [e for e in examples if fold_of[e.group] == fold], language, random.Random(seed + fold)
        )
        scores.append(
            utterance_scores([e.text for e in held_out], language, *learnt, word_classes(language))
        )
        tests.extend((fold, e) for e in held_out)
    held_out_scores = np.concatenate(scores)
    figures = _figures(held_out_scores, tests)
    utterances = [e for _, e in tests]
    slope, offset = _calibration(held_out_scores, utterances)
    sure = _thresholds(_chances(held_out_scores, slope, offset), utterances)
    weights, bias = _fitted(examples, language, seed)
    weights[np.abs(weights) < 2e-3] = 0
    stored = {
        "weights": weights.astype(np.float16),
        "bias": bias.astype(np.float32),
        "calibration": np.array([slope, offset, sure], np.float32),
    }
    return {f"{language}_{k}": v for k, v in stored.items()}, figures | {
        "examples": len(examples),
        "templates": len(groups),
    }


def _fitted(examples: list[Example], language: str, seed: int) -> tuple[Any, Any]:
    rng = random.Random(seed)
    made = examples + [
        joined([e, rng.choice(examples)], language, rng)
        for e in examples
        if rng.random() < JOINED_SHARE
    ]
    rows = [(" ".join(keys_of(misheard(e.text, language, rng))), e) for e in made]
    x = features([text for text, _ in rows], language, word_classes(language))
    weights, bias = np.zeros((len(ACTS), FEATURES)), np.zeros(len(ACTS))
    for i, act in enumerate(ACTS):
        sure = np.array([act not in e.unsure for _, e in rows])
        label = np.array([act in e.acts or act in e.unsure for _, e in rows])
        weight = np.array([QUOTED_WEIGHT if e.is_quoted else 1.0 for _, e in rows]) * np.where(
            sure, 1.0, 0.5
        )
        unsure = np.flatnonzero(~sure)  # half met, half not
        matrix = x if not len(unsure) else _stacked(x, unsure)
        model = LogisticRegression(C=STRENGTH, max_iter=400).fit(
            matrix,
            np.concatenate([label, np.zeros(len(unsure), bool)]),
            np.concatenate([weight, weight[unsure]]),
        )
        weights[i], bias[i] = model.coef_[0], model.intercept_[0]
    return weights.astype(np.float32), bias.astype(np.float32)


def _stacked(x: Any, rows: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([x, x[rows]]).tocsr()


def _utterances(examples: list[Example], language: str, rng: random.Random) -> list[Example]:
    """Held-out utterances of one to three sentences, as a recogniser gives them."""
    out = []
    for e in examples:
        parts = [e, *rng.sample(examples, rng.choice((0, 0, 1, 2)))]
        rng.shuffle(parts)
        both = joined(parts, language, rng)
        out.append(
            Example(
                misheard(both.text, language, rng) if rng.random() < 0.6 else both.text,
                both.acts,
                both.unsure,
                e.group,
                both.is_quoted,
            )
        )
    return out


def _calibration(scores: Any, tests: list[Example]) -> tuple[Any, Any]:
    """Platt's sigmoid per act: slope and offset, (acts,) each."""
    slope, offset = np.ones(len(ACTS)), np.zeros(len(ACTS))
    for i, act in enumerate(ACTS):
        known = np.array([act not in e.unsure for e in tests])
        label = np.array([act in e.acts for e in tests])[known]
        model = LogisticRegression(C=1e3).fit(scores[known, i : i + 1], label)
        slope[i], offset[i] = model.coef_[0, 0], model.intercept_[0]
    return slope, offset


def _chances(scores: Any, slope: Any, offset: Any) -> Any:
    return 1 / (1 + np.exp(-(slope * scores + offset)))


def _thresholds(chances: Any, tests: list[Example]) -> Any:
    """Per act the probability from which on held-out answers were right nine times in ten; 2 where
    that never was so: it abstains.
    """
    out = np.full(len(ACTS), 2.0)
    for i, act in enumerate(ACTS):
        order = np.argsort(-chances[:, i])
        right = np.cumsum([act in tests[k].acts for k in order]) / np.arange(1, len(order) + 1)
        reached = np.flatnonzero((right >= PRECISION) & (np.arange(len(order)) >= ENOUGH))
        if len(reached):
            out[i] = max(SURE, chances[order[reached[-1]], i])
    return out


def _figures(scores: Any, tests: list[tuple[int, Example]]) -> dict[str, Any]:
    """Calibrated on four folds, measured on the fifth: precision and recall of "sure", abstention,
    calibration error, per act and in all.
    """
    chances, folds = np.zeros_like(scores), np.array([f for f, _ in tests])
    for fold in range(FOLDS):
        slope, offset = _calibration(scores[folds != fold], [e for f, e in tests if f != fold])
        others = [e for f, e in tests if f != fold]
        chances[folds == fold] = abstaining(
            _chances(scores[folds == fold], slope, offset),
            _thresholds(_chances(scores[folds != fold], slope, offset), others),
        )
    truth = np.array([[a in e.acts for a in ACTS] for _, e in tests])
    known = np.array([[a not in e.unsure for a in ACTS] for _, e in tests])
    per_act = {
        a: _measured(chances[known[:, i], i], truth[known[:, i], i]) for i, a in enumerate(ACTS)
    }
    open_ones = chances[~known]
    quoted = np.array([e.is_quoted and not e.acts for _, e in tests])
    judged = [ACTS.index("rudeness"), ACTS.index("blame")]
    return {
        "acts": per_act,
        "all": _measured(chances[known], truth[known]),
        "reliability": _reliability(chances[known], truth[known]),
        "sarcasm_called_sure": round(float((open_ones >= SURE).mean()), 4)
        if len(open_ones)
        else None,
        "quoted_called_sure": round(
            float((chances[quoted][:, judged] >= SURE).any(axis=1).mean()), 4
        ),
        "utterances": len(tests),
    }


def _measured(chance: Any, truth: Any) -> dict[str, float]:
    sure, possible = chance >= SURE, chance >= POSSIBLE
    return {
        "precision": round(float(truth[sure].mean()), 4) if sure.any() else 0.0,
        "recall": round(float(sure[truth].mean()), 4),
        "abstained": round(float((possible & ~sure).mean()), 4),
        "missed": round(float((~possible)[truth].mean()), 4),
        "ece": round(_ece(chance, truth), 4),
        "ece_above_5_percent": round(_ece(chance[chance >= 0.05], truth[chance >= 0.05]), 4),
    }


def _ece(chance: Any, truth: Any, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al. 2015)."""
    index = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        abs(chance[index == b].mean() - truth[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def _reliability(chance: Any, truth: Any, bins: int = 10) -> list[dict[str, float]]:
    index = np.minimum((chance * bins).astype(int), bins - 1)
    return [
        {
            "from": b / bins,
            "said": round(float(chance[index == b].mean()), 3),
            "true": round(float(truth[index == b].mean()), 3),
            "count": int((index == b).sum()),
        }
        for b in range(bins)
        if (index == b).any()
    ]
