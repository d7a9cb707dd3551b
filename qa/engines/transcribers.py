"""Sound becomes words: faster-whisper, and an honest double that reads the words really spoken from a file.

The model is loaded at first use and never before a fork: CTranslate2 is not fork-safe.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from qa.engines.audio import RATE, Sound
from qa.transcription.types import Span, Transcript, Utterance, Word

LANGUAGES = ("en", "it", "zh")
UTTERANCE_GAP = 0.9
PACK_GAP = 1.0  # wider packing is up to a fifth faster and errs more: 8.6 % at 1 s, 10.2 % at 3 s, 13.0 % at 10 s on the samples
LOOP_RATIO = 2.4
SPEAKERS = ("agent", "customer")


class Transcriber(Protocol):
    def transcribe(self, sound: Sound, *, language: str | None, source_name: str) -> tuple[Transcript, tuple[tuple[Span, ...], ...]]:
        """The transcript, and for each channel when there is speech."""
        ...


class WhisperTranscriber:
    """faster-whisper, each channel on its own: speech found first (Silero), both channels batched, no text carried over.

    `model` is a Whisper name or a CTranslate2 folder. The agent is the left channel. A mono recording has one channel whose speakers
    are not told apart; its transcript says so (`engine.speakers == "unknown"`).
    """

    def __init__(self, model: str, *, device: str = "auto", compute: str = "auto", threads: int = 2) -> None:
        self._name = model
        self._device = device
        self._compute = compute
        self._threads = threads
        self._loaded: Any = None

    def transcribe(self, sound: Sound, *, language: str | None, source_name: str) -> tuple[Transcript, tuple[tuple[Span, ...], ...]]:
        spans = tuple(speech_spans(channel) for channel in sound.samples)
        language = language if language in LANGUAGES else self._detect(sound, spans)
        utterances: list[Utterance] = []
        for speaker, channel, speech in zip(SPEAKERS, sound.samples, spans, strict=False):
            if speech:
                utterances.extend(_utterances(speaker, self._words(channel, language, speech), language))
        engine = self.describe() | {"speakers": "channels" if sound.channels == 2 else "unknown"}
        utterances.sort(key=lambda u: (u.start, u.end))
        transcript = Transcript(language=language, duration=round(sound.seconds, 3), engine=engine, utterances=tuple(utterances))  # type: ignore[arg-type]
        return transcript, spans

    def describe(self) -> dict[str, Any]:
        """What makes a transcript repeatable: program, its version, the model and the hash of its weights."""
        import faster_whisper

        path = Path(self._name)
        name = f"{path.parent.name}/{path.name}" if path.is_dir() else self._name
        return {"program": "faster-whisper", "version": faster_whisper.__version__, "model": name, "model_sha256": _weights_hash(path)}

    def _model(self) -> Any:
        if self._loaded is None:
            from faster_whisper import BatchedInferencePipeline, WhisperModel

            compute = self._compute if self._compute != "auto" else ("int8" if self._device != "cuda" else "float16")
            model = WhisperModel(self._name, device=self._device, compute_type=compute, cpu_threads=self._threads, local_files_only=Path(self._name).is_dir())
            self._loaded = (model, BatchedInferencePipeline(model))
        return self._loaded

    def _detect(self, sound: Sound, spans: tuple[tuple[Span, ...], ...]) -> str:
        """The likeliest of our languages, from what is spoken first on each channel."""
        speech = [channel[int(s.start * RATE) : int(s.end * RATE)] for channel, found in zip(sound.samples, spans, strict=True) for s in found[:4]]
        if not speech:
            return LANGUAGES[0]
        _, _, probabilities = self._model()[0].detect_language(np.concatenate(speech)[: 30 * RATE])
        chances = dict(probabilities or [])
        return max(LANGUAGES, key=lambda x: chances.get(x, 0.0))

    def _words(self, channel: Any, language: str, speech: tuple[Span, ...]) -> Iterable[tuple[Word, bool]]:
        """Words with their times, each with whether it ends a segment. Loops, and words where nobody speaks, are dropped."""
        window = float(self._model()[0].feature_extractor.chunk_length)
        clips = [{"start": s.start, "end": s.end} for s in _packed(speech, window)]
        segments, _ = self._model()[1].transcribe(
            channel, language=language, batch_size=8, word_timestamps=True, vad_filter=False, clip_timestamps=clips, condition_on_previous_text=False
        )
        for segment in segments:
            if segment.compression_ratio > LOOP_RATIO:
                continue
            words = [w for w in segment.words or [] if _is_spoken(w.start, w.end, speech)]
            for i, w in enumerate(words):
                word = Word(start=round(w.start, 3), end=round(max(w.end, w.start), 3), text=w.word.strip(), confidence=round(min(1.0, w.probability), 3))
                yield word, i == len(words) - 1


class ScriptedTranscriber:
    """Reads `<name of the recording>.json` (a truth file as in audio_samples/) instead of listening. For tests and trials of forms."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def transcribe(self, sound: Sound, *, language: str | None, source_name: str) -> tuple[Transcript, tuple[tuple[Span, ...], ...]]:
        truth = json.loads((self._folder / f"{Path(source_name).stem}.json").read_text())
        transcript = Transcript.model_validate({**truth, "engine": {"program": "scripted", "speakers": "channels"}})
        return transcript, tuple(tuple(Span(start=u.start, end=u.end) for _, u in transcript.by(s)) for s in SPEAKERS[: sound.channels])


def speech_spans(channel: Any) -> tuple[Span, ...]:
    """When there is speech on a channel (16 kHz float32): Silero VAD, silences under 300 ms bridged, 100 ms of margin."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=300, speech_pad_ms=100)
    return tuple(Span(start=s["start"] / RATE, end=s["end"] / RATE) for s in get_speech_timestamps(channel, options))


def _packed(speech: tuple[Span, ...], window: float) -> list[Span]:
    """Speech laid into windows the model can hold: neighbours joined while they fit, long stretches cut."""
    out: list[Span] = []
    for span in speech:
        start, end = max(0.0, span.start - 0.2), span.end + 0.2
        if out and end - out[-1].start <= window and start - out[-1].end <= PACK_GAP:
            out[-1] = Span(start=out[-1].start, end=end)
            continue
        while end - start > window:
            out.append(Span(start=start, end=start + window))
            start += window
        out.append(Span(start=start, end=end))
    return out


def _is_spoken(start: float, end: float, speech: tuple[Span, ...]) -> bool:
    return any(s.start - 0.5 <= (start + end) / 2 <= s.end + 0.5 for s in speech)


def _utterances(speaker: str, words: Iterable[tuple[Word, bool]], language: str) -> Iterable[Utterance]:
    glue = "" if language == "zh" else " "
    pending: list[Word] = []
    for word, ends_segment in words:
        if not word.text:
            continue
        if pending and word.start - pending[-1].end > UTTERANCE_GAP:
            yield _utterance(speaker, pending, glue)
            pending = []
        pending.append(word)
        if ends_segment and word.text[-1] in ".?!。？！":
            yield _utterance(speaker, pending, glue)
            pending = []
    if pending:
        yield _utterance(speaker, pending, glue)


def _utterance(speaker: str, words: list[Word], glue: str) -> Utterance:
    known = [w.confidence for w in words if w.confidence is not None]
    confidence = round(sum(known) / len(known), 3) if known else None
    text = glue.join(w.text for w in words)
    end = max(w.end for w in words)
    return Utterance(speaker=speaker, start=words[0].start, end=end, text=text, confidence=confidence, words=tuple(words))  # type: ignore[arg-type]


def _weights_hash(path: Path) -> str:
    weights = path / "model.bin"
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
