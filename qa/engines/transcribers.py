"""Transcribe sound with faster-whisper, or read the words from a file (for tests and trials).

The model is loaded at first use and never before a fork: CTranslate2 is not fork-safe.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from qa.engines import guards
from qa.engines.acoustics import line_quality
from qa.engines.audio import RATE, Sound
from qa.engines.speakers import agent_voice, tell_apart, voice_of
from qa.engines.speech import coverage, is_spoken, packed, speech_of
from qa.transcription.types import Quality, Span, Transcript, TranscriptionResult, Utterance, Word

LANGUAGES = ("en", "it", "zh")
UTTERANCE_GAP = 0.9
SENTENCE_ENDS = ".?!。？！"
SPEAKERS = ("agent", "customer")
BATCH = 4  # windows at once on a processor
CUDA_BATCH = 16
MOST_HOTWORDS = 40
ProgressCallback = Callable[[float], None]


class Transcriber(Protocol):
    def transcribe(
        self,
        sound: Sound,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        """Transcribe: what is said and when. `on_progress` hears how much is done (0–1)."""
        ...


class WhisperTranscriber:
    """faster-whisper: speech found first (Silero), all channels in batches side by side, no text
    carried over.

    `model` is a Whisper name or a CTranslate2 folder. The agent is the left channel. In a mono
    recording the two voices are told apart and the agent is known by what is said (`engine.speakers
    == "voices"`), each utterance with how sure that is; where that fails, "unknown".
    """

    def __init__(
        self, model: str, *, device: str = "auto", compute: str = "auto", threads: int = 2
    ) -> None:
        self._name = model
        self._device = device
        self._compute = compute
        self._threads = threads
        self._loaded: Any = None
        self._workers, self._batch = 1, BATCH

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        speech = speech_of(list(sound.samples))
        detected = [
            language if language in LANGUAGES else self._detect(channel, spans)
            for channel, spans in zip(sound.samples, speech, strict=True)
        ]
        languages = [
            code or next((other for other in detected if other), LANGUAGES[0]) for code in detected
        ]
        segments, invented = self._segments(
            sound, speech, languages, hotwords, on_progress or (lambda _: None)
        )
        covered = min(
            coverage([word for segment in segments_of for word in segment], spans)
            for segments_of, spans in zip(segments, speech, strict=True)
        )
        quality = Quality(
            coverage=round(covered, 4), invented_words=invented, languages=tuple(languages)
        )
        utterances, speech, speakers = self._told_apart(sound, speech, segments, languages)
        transcript = Transcript(
            language=languages[0],  # type: ignore[arg-type]  # one of LANGUAGES
            duration=round(sound.seconds, 3),
            engine=self.describe() | {"speakers": speakers},
            quality=quality,
            utterances=tuple(
                sorted(utterances, key=lambda utterance: (utterance.start, utterance.end))
            ),
        )
        return TranscriptionResult(
            transcript=transcript, speech=speech, line=tuple(line_quality(sound))
        )

    def describe(self) -> dict[str, Any]:
        """Describe the program, its version, the model and the hash of its weights.

        They make a transcript repeatable.
        """
        import faster_whisper

        path = Path(self._name)
        name = f"{path.parent.name}/{path.name}" if path.is_dir() else self._name
        return {
            "program": "faster-whisper",
            "version": faster_whisper.__version__,
            "model": name,
            "model_sha256": _weights_hash(path),
        }

    def _model(self) -> Any:
        if self._loaded is None:
            import ctranslate2
            from faster_whisper import WhisperModel

            has_cuda = ctranslate2.get_cuda_device_count() > 0
            device, compute = self._device, self._compute
            if device == "auto":
                device = "cuda" if has_cuda else "cpu"
            if compute == "auto":
                compute = "float16" if device == "cuda" else "int8"
            # one thread each: twice as fast as many threads on one batch
            workers = 1 if device == "cuda" else self._threads
            is_folder = Path(self._name).is_dir()
            self._loaded = WhisperModel(
                self._name,
                device=device,
                compute_type=compute,
                cpu_threads=1,
                num_workers=workers,
                local_files_only=is_folder,
            )
            self._workers, self._batch = workers, CUDA_BATCH if device == "cuda" else BATCH
        return self._loaded

    def _detect(self, channel: Any, speech: tuple[Span, ...]) -> str | None:
        """Detect the likeliest of our languages from the first speech; None where nobody speaks."""
        spoken = [channel[int(span.start * RATE) : int(span.end * RATE)] for span in speech[:6]]
        if not spoken:
            return None
        _, _, probabilities = self._model().detect_language(np.concatenate(spoken)[: 30 * RATE])
        chances = dict(probabilities or [])
        return max(LANGUAGES, key=lambda code: chances.get(code, 0.0))

    def _segments(
        self,
        sound: Sound,
        speech: tuple[tuple[Span, ...], ...],
        languages: list[str],
        hotwords: Sequence[str],
        on_progress: ProgressCallback,
    ) -> tuple[list[list[list[Word]]], int]:
        """Transcribe each channel into segments of words; count the words not believed."""
        segments: list[list[list[Word]]] = [[] for _ in sound.samples]
        window = float(self._model().feature_extractor.chunk_length)
        work = [
            (channel_index, clips[at : at + self._batch])
            for channel_index, spans in enumerate(speech)
            for clips in [packed(spans, window)]
            for at in range(0, len(clips), self._batch)
        ]
        invented, finished = 0, 0

        def listen(item: tuple[int, list[Span]]) -> list[tuple[list[Word], int]]:
            index, clips = item
            return list(
                self._batched(
                    sound.samples[index], clips, speech[index], languages[index], hotwords
                )
            )

        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            for (index, _), results in zip(work, pool.map(listen, work), strict=True):
                segments[index].extend(words for words, _ in results)
                invented += sum(left_out for _, left_out in results)
                finished += 1
                on_progress(finished / len(work))
        return segments, invented

    def _batched(
        self,
        samples: Any,
        clips: list[Span],
        speech: tuple[Span, ...],
        language: str,
        hotwords: Sequence[str],
    ) -> Iterable[tuple[list[Word], int]]:
        """Transcribe some windows of a channel: words per segment, and how many were left out."""
        segments, _ = _pipeline(self._model()).transcribe(
            samples,
            language=language,
            batch_size=len(clips),
            word_timestamps=True,
            vad_filter=False,
            clip_timestamps=[{"start": clip.start, "end": clip.end} for clip in clips],
            condition_on_previous_text=False,
            hotwords=self._prompt(hotwords, language),
        )
        for segment in segments:
            yield _believed(segment, speech, language)

    def _prompt(self, hotwords: Sequence[str], language: str) -> str | None:
        """Company words and script lines that the model is asked to listen for.

        A model for short windows was not made to be prompted.
        """
        if not hotwords or self._model().feature_extractor.chunk_length < 30:
            return None
        return ("，" if language == "zh" else ", ").join(
            list(dict.fromkeys(hotwords))[:MOST_HOTWORDS]
        )

    def _told_apart(
        self,
        sound: Sound,
        speech: tuple[tuple[Span, ...], ...],
        segments: list[list[list[Word]]],
        languages: list[str],
    ) -> tuple[list[Utterance], tuple[tuple[Span, ...], ...], str]:
        """Find the utterances with their speakers, when each speaks, and how speakers are known."""
        if sound.channels == 2:
            both = zip(SPEAKERS, segments, languages, strict=True)
            return (
                [
                    utterance
                    for speaker, segments_of, language in both
                    for utterance in _utterances(speaker, segments_of, language)
                ],
                speech,
                "channels",
            )
        voices = tell_apart(sound.samples[0], speech[0])
        if not voices:
            return list(_utterances("agent", segments[0], languages[0])), speech, "unknown"
        runs = _cut_at_changes(segments[0], voices)
        turns = [
            (voice_of(utterance, voices), utterance)
            for run in runs
            for utterance in _utterances("agent", [run], languages[0])
        ]
        if not turns:
            return [], speech, "unknown"
        agent, sure = agent_voice(
            [(voice, utterance.text) for (voice, _), utterance in turns], languages[0]
        )
        utterances = [
            utterance.model_copy(
                update={
                    "speaker": SPEAKERS[voice != agent],
                    "speaker_confidence": round(confidence * sure, 3),
                }
            )
            for (voice, confidence), utterance in turns
        ]
        spans = tuple(
            tuple(
                Span(start=span.start, end=span.end)
                for span in voices
                if (span.voice == agent) == is_agent
            )
            for is_agent in (True, False)
        )
        return utterances, spans, "voices"


class ScriptedTranscriber:
    """Read `<name of the recording>.json` (a truth file as in audio_samples/) instead.

    For tests and trials of forms.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        truth = json.loads((self._folder / f"{Path(source_name).stem}.json").read_text())
        transcript = Transcript.model_validate(
            {**truth, "engine": {"program": "scripted", "speakers": "channels"}}
        )
        speech = tuple(
            tuple(
                Span(start=utterance.start, end=utterance.end)
                for _, utterance in transcript.by(speaker)
            )
            for speaker in SPEAKERS[: sound.channels]
        )
        return TranscriptionResult(transcript=transcript, speech=speech)


def _pipeline(model: Any) -> Any:
    """Build faster-whisper's batched pipeline for the window that the model was made for.

    The library pads every window to 30 s. A model for windows of 10 s spends two thirds of its time
    on those zeros.
    """
    from faster_whisper import BatchedInferencePipeline

    class ShortWindows(BatchedInferencePipeline):
        def forward(self, features: Any, *rest: Any) -> Any:
            return super().forward(
                features[..., : self.model.feature_extractor.nb_max_frames], *rest
            )

    return ShortWindows(model)


def _believed(segment: Any, speech: Sequence[Span], language: str) -> tuple[list[Word], int]:
    """Keep the words of a segment that somebody can have said; count those left out."""
    words = [
        Word(
            start=round(word.start, 3),
            end=round(max(word.end, word.start), 3),
            text=word.word.strip(),
            confidence=round(min(1.0, max(0.0, word.probability)), 3),
        )
        for word in segment.words or []
        if word.word.strip()
    ]
    is_invented = guards.is_invented(
        segment.text,
        language,
        log_probability=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
        compression=segment.compression_ratio,
    )
    if is_invented or guards.is_too_fast(words, language):
        return [], len(words)
    believed = guards.without_loops(
        [word for word in words if is_spoken(word.start, word.end, speech)]
    )
    return believed, len(words) - len(believed)


def _cut_at_changes(segments: Iterable[list[Word]], voices: Sequence[Any]) -> Iterable[list[Word]]:
    """Cut segments where the voice changes."""
    for words in segments:
        pending: list[Word] = []
        voice = -1
        for word in words:
            next_voice, _ = voice_of(word, voices)
            if pending and next_voice != voice:
                yield pending
                pending = []
            pending.append(word)
            voice = next_voice
        yield pending


def _utterances(speaker: str, segments: Iterable[list[Word]], language: str) -> Iterable[Utterance]:
    """Cut segments into utterances at longer pauses, and at the end of a sentence."""
    glue = "" if language == "zh" else " "
    pending: list[Word] = []
    for words in segments:
        for position, word in enumerate(words):
            ends = bool(pending) and position == 0 and pending[-1].text[-1] in SENTENCE_ENDS
            if pending and (ends or word.start - pending[-1].end > UTTERANCE_GAP):
                yield _utterance(speaker, pending, glue)
                pending = []
            pending.append(word)
    if pending:
        yield _utterance(speaker, pending, glue)


def _utterance(speaker: str, words: list[Word], glue: str) -> Utterance:
    confidences = [word.confidence for word in words if word.confidence is not None]
    confidence = round(sum(confidences) / len(confidences), 3) if confidences else None
    text = glue.join(word.text for word in words)
    end = max(word.end for word in words)
    return Utterance(
        speaker=speaker,
        start=words[0].start,
        end=end,
        text=text,
        confidence=confidence,
        words=tuple(words),
    )  # type: ignore[arg-type]


def _weights_hash(path: Path) -> str:
    weights = path / "model.bin"
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
