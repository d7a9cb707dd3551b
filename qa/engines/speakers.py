"""Two voices in one channel told apart, for one call only: no model, no voiceprint, nothing kept.

Speech (Silero) is cut into short windows, each described by its spectral envelope (MFCC, librosa);
windows are put into two groups (scikit-learn), and a Viterbi pass keeps a voice from changing for
an instant. What is returned are times; the features are dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qa.checking.rules.words import keys_of
from qa.engines.audio import RATE
from qa.engines.courtesy import shipped
from qa.forms.types import Act
from qa.transcription.types import Span, Utterance, Word

# used within the call and dropped; never stored, never compared between calls
SPEAKER_FEATURES = ("mfcc",)
HOP = 160  # samples: 10 ms
WINDOW_FRAMES = 120
STEP_FRAMES = 30
COEFFICIENTS = 24
ROUNDS = 6
CHANGE_COST = 4.0
MIN_WINDOWS = 6
TEMPERATURE = 2.5
FIRST_TO_SPEAK = 0.4
AGENTS_ACTS: dict[Act, float] = {
    "introduction": 1.0,
    "further_help": 1.5,
    "hold_request": 1.5,
    "commitment": 1.0,
    "greeting": 0.5,
    "thanks": 0.3,
}
AGENTS_CUES = {
    "en": (
        "for calling",
        "help you",
        "your account",
        "your name",
        "your number",
        "customer number",
        "anything else",
    ),
    "it": (
        "per aver chiamato",
        "aiutarla",
        "esserle utile",
        "il suo nome",
        "il suo codice",
        "la sua",
        "altro in cui",
    ),
    "zh": ("致电", "帮您", "为您", "请问您", "您的客户", "久等"),
}
CUSTOMERS_CUES = {
    "en": (
        "my router",
        "my bill",
        "my account",
        "i would like",
        "i want",
        "help me",
        "i lost",
        "i need",
    ),
    "it": ("il mio", "la mia", "vorrei", "voglio", "mi puo aiutare", "ho perso"),
    "zh": ("我的", "我要", "我想", "帮我", "你们"),
}


@dataclass(frozen=True)
class VoiceSpan:
    """A stretch of one voice (0 or 1) with how sure that is (0.5–1)."""

    start: float
    end: float
    voice: int
    confidence: float


def tell_apart(channel: Any, speech: Sequence[Span]) -> tuple[VoiceSpan, ...]:
    """Separate the two voices of a mono recording (16 kHz float32) within its speech.

    Empty where there is too little speech to tell.
    """
    windows = _windows(speech)
    if len(windows) < MIN_WINDOWS:
        return ()
    described = _described(channel, windows)
    chances = _grouped(described)
    path, sure = _smoothed(chances, windows)
    return tuple(_joined(windows, path, sure, speech))


def _windows(speech: Sequence[Span]) -> list[tuple[int, int]]:
    """(first frame, last frame) of overlapping windows inside each span; a short span is one
    window.
    """
    out = []
    for span in speech:
        first, last = int(span.start * RATE / HOP), int(span.end * RATE / HOP)
        if last - first <= WINDOW_FRAMES:
            out.append((first, max(first + 1, last)))
            continue
        starts = list(range(first, last - WINDOW_FRAMES + 1, STEP_FRAMES))
        out.extend((s, s + WINDOW_FRAMES) for s in starts)
        if starts[-1] + WINDOW_FRAMES < last:
            out.append((last - WINDOW_FRAMES, last))
    return out


def _described(channel: Any, windows: list[tuple[int, int]]) -> Any:
    import librosa

    mel = librosa.feature.melspectrogram(
        y=channel, sr=RATE, n_fft=400, hop_length=HOP, n_mels=40, fmin=150, fmax=3800
    )
    frames = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=60), n_mfcc=COEFFICIENTS)[1:].T
    energy = librosa.power_to_db(mel, top_db=60).mean(axis=0)
    out = []
    for first, last in windows:
        part = frames[first:last]
        if not len(part):
            out.append(np.zeros(2 * (COEFFICIENTS - 1)))
            continue
        loud = energy[first:last] >= np.quantile(energy[first:last], 0.3)
        out.append(np.concatenate([part[loud].mean(axis=0), part[loud].std(axis=0)]))
    described = np.array(out)
    return (described - described.mean(axis=0)) / (described.std(axis=0) + 1e-6)


def _grouped(described: Any) -> Any:
    """Log chances (windows, 2): two groups, then sharpened by the directions that part them (LDA),
    a few times over.
    """
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    labels = AgglomerativeClustering(n_clusters=2, linkage="ward").fit_predict(described)
    chances = np.zeros((len(described), 2))
    for _ in range(ROUNDS):
        if min(np.bincount(labels, minlength=2)) < 2:
            break
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5]).fit(
            described, labels
        )
        chances = model.predict_log_proba(described)
        again = chances.argmax(axis=1)
        if (again == labels).all():
            break
        labels = again
    return np.clip(chances / TEMPERATURE, -8, 0)


def _smoothed(chances: Any, windows: list[tuple[int, int]]) -> tuple[Any, Any]:
    """Find the likeliest way through the windows, and the posteriors.

    Changes have a price that falls with the pause before them.
    """
    count = len(windows)
    gaps = (
        np.array([0] + [max(0, b[0] - a[1]) for a, b in zip(windows, windows[1:], strict=False)])
        * HOP
        / RATE
    )
    price = CHANGE_COST / (1 + 3 * gaps)
    forward, backward = np.zeros((count, 2)), np.zeros((count, 2))
    best, came = np.zeros((count, 2)), np.zeros((count, 2), int)
    forward[0] = best[0] = chances[0]
    for i in range(1, count):
        step = np.array([[0.0, -price[i]], [-price[i], 0.0]])
        options = best[i - 1][:, None] + step
        came[i], best[i] = options.argmax(axis=0), options.max(axis=0) + chances[i]
        forward[i] = np.logaddexp.reduce(forward[i - 1][:, None] + step, axis=0) + chances[i]
    for i in range(count - 2, -1, -1):
        step = np.array([[0.0, -price[i + 1]], [-price[i + 1], 0.0]])
        backward[i] = np.logaddexp.reduce(
            step + (backward[i + 1] + chances[i + 1])[None, :], axis=1
        )
    path = np.zeros(count, int)
    path[-1] = best[-1].argmax()
    for i in range(count - 1, 0, -1):
        path[i - 1] = came[i][path[i]]
    both = forward + backward
    posterior = np.exp(both - np.logaddexp.reduce(both, axis=1)[:, None])
    return path, posterior[np.arange(count), path]


def _joined(
    windows: list[tuple[int, int]], path: Any, sure: Any, speech: Sequence[Span]
) -> list[VoiceSpan]:
    """Windows of one voice that touch become one span; between overlapping windows of two voices
    the middle is the border.
    """
    out: list[VoiceSpan] = []
    weights: list[float] = []
    for i, (first, last) in enumerate(windows):
        start, end = first * HOP / RATE, last * HOP / RATE
        overlaps = bool(out) and start < out[-1].end
        if out and overlaps and out[-1].voice == path[i]:
            total = weights[-1] + 1
            out[-1] = VoiceSpan(
                out[-1].start,
                end,
                out[-1].voice,
                (out[-1].confidence * weights[-1] + float(sure[i])) / total,
            )
            weights[-1] = total
            continue
        if overlaps:
            border = (start + out[-1].end) / 2
            out[-1] = VoiceSpan(out[-1].start, border, out[-1].voice, out[-1].confidence)
            start = border
        out.append(VoiceSpan(start, end, int(path[i]), float(sure[i])))
        weights.append(1.0)
    return [s for s in out if s.end - s.start > 0.05]


def speech_by_voice(channel: Any, speech: tuple[Span, ...]) -> tuple[tuple[Span, ...], ...]:
    """List the speech of a mono recording by voice, whoever speaks first coming first.

    As it was where the voices cannot be told apart.
    """
    voices = tell_apart(channel, speech)
    if not voices:
        return (speech,)
    first = voices[0].voice
    return tuple(
        tuple(Span(start=s.start, end=s.end) for s in voices if s.voice == v)
        for v in (first, 1 - first)
    )


def voice_of(said: Utterance | Word, voices: Sequence[VoiceSpan]) -> tuple[int, float]:
    """Find whose words these are (0 or 1), and how sure that is (0.5–1).

    By the time they share with each voice.
    """
    shared = [0.0, 0.0]
    weighted = 0.0
    for span in voices:
        together = min(said.end, span.end) - max(said.start, span.start)
        if together > 0:
            shared[span.voice] += together
            weighted += together * span.confidence
    total = sum(shared)
    if total <= 0:
        nearest = min(voices, key=lambda s: max(s.start - said.end, said.start - s.end))
        return nearest.voice, 0.5
    voice = int(shared[1] > shared[0])
    return voice, (weighted / total) * (shared[voice] / total)


def agent_voice(said: Sequence[tuple[int, str]], language: str) -> tuple[int, float]:
    """Which voice is the agent's, known by what is said (whoever greets, offers help, asks to
    hold), and how sure (0.5–1).
    """
    heard = shipped().probabilities([text for _, text in said], language)
    evidence = [0.0, 0.0]
    for act, weight in AGENTS_ACTS.items():
        for voice in (0, 1):
            evidence[voice] += weight * max(
                (p[act] for (v, _), p in zip(said, heard, strict=True) if v == voice), default=0.0
            )
    for voice, text in said:
        keys = " ".join(keys_of(text))
        joined = keys.replace(" ", "") if language == "zh" else keys
        evidence[voice] += sum(cue in joined for cue in AGENTS_CUES[language]) - sum(
            cue in joined for cue in CUSTOMERS_CUES[language]
        )
    evidence[said[0][0]] += FIRST_TO_SPEAK
    difference = evidence[0] - evidence[1]
    return int(difference < 0), float(1 / (1 + np.exp(-1.5 * abs(difference))))
