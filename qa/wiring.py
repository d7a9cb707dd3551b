"""Builds what the settings choose: database, storage, transcriber, clock.

The engines are loaded at first use.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qa.checking.types import SpeechActs
from qa.engines.storage import Storage
from qa.intake.service import DecodedRecording
from qa.intake.types import Reason
from qa.settings import PROJECT_ROOT, Settings
from qa.tables.database import Database
from qa.transcription.types import RedactedAudio, Redaction, TranscriptionResult

ProgressCallback = Callable[[float], None]
MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg"}


def utc_now() -> datetime:
    return datetime.now(UTC)


class AudioEngine:
    """The sound engine: decoding in a child process,
    and the transcriber that the settings choose.
    """

    def __init__(self, settings: Settings, listener: Path | None = None) -> None:
        self._settings = settings
        self._listener = listener

    def prepare(self, path: Path, *, declared_seconds: float | None) -> DecodedRecording | Reason:
        """Decode a recording for intake, or say why not."""
        from qa.engines.audio import RecordingUnreadable, decode, peaks

        try:
            sound = decode(path, declared_seconds=declared_seconds, **self._limits)
        except RecordingUnreadable as error:
            return Reason(error.reason)
        playback = None if sound.plays_in_browsers else self._playback(sound)
        media_type = MEDIA_TYPES.get(sound.kind, "audio/mpeg") if playback is None else "audio/mpeg"
        return DecodedRecording(
            sound.seconds, sound.lost_seconds, sound.channels, media_type, peaks(sound), playback
        )

    def transcribe(
        self,
        path: Path,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        tell: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        """Listen to a recording: in the listening process of this machine's worker where there is
        one, else in this process.
        """
        from qa.engines.model_server import ask

        asked = self._listener and ask(
            self._listener,
            path,
            language=language,
            source_name=source_name,
            hotwords=hotwords,
            tell=tell,
        )
        return asked or self.listen(
            path, language=language, source_name=source_name, hotwords=hotwords, tell=tell
        )

    def listen(
        self,
        path: Path,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        tell: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        """Listen in this process. Raises RecordingUnreadable."""
        from qa.engines.audio import decode

        heard: TranscriptionResult = self._transcriber.transcribe(
            decode(path, **self._limits),
            language=language,
            source_name=source_name,
            hotwords=hotwords,
            tell=tell,
        )
        return heard

    def silence(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio:
        """The recording with these stretches silent on every channel."""
        import io

        import soundfile

        from qa.engines.audio import RATE, decode, peaks, silenced

        sound = silenced(decode(path, **self._limits), [(s.start, s.end) for s in spans])
        out = io.BytesIO()
        soundfile.write(out, sound.samples.T, RATE, format="FLAC", subtype="PCM_16")
        return RedactedAudio(out.getvalue(), "audio/flac", peaks(sound))

    @functools.cached_property
    # a Transcriber; importing the protocol would load numpy
    def _transcriber(self):  # type: ignore[no-untyped-def]
        from qa.engines.transcribers import ScriptedTranscriber, WhisperTranscriber

        s = self._settings
        if s.transcriber == "scripted":
            return ScriptedTranscriber(PROJECT_ROOT / "audio_samples" / "truth")
        return WhisperTranscriber(
            s.whisper_model, device=s.whisper_device, compute=s.whisper_compute, threads=s.threads
        )

    @property
    def _limits(self) -> dict[str, int]:
        return {
            "max_seconds": self._settings.max_call_seconds,
            "memory_megabytes": self._settings.decoder_memory_megabytes,
        }

    @staticmethod
    # a Sound; importing it would load numpy
    def _playback(sound) -> bytes:  # type: ignore[no-untyped-def]
        import tempfile

        from qa.engines.audio import playback_copy

        with tempfile.NamedTemporaryFile(suffix=".mp3") as f:
            playback_copy(sound, Path(f.name))
            return Path(f.name).read_bytes()


@dataclass(frozen=True)
class Wiring:
    """Everything a step, a page or a command needs from outside."""

    settings: Settings
    database: Database
    storage: Storage
    audio: AudioEngine
    clock: Callable[[], datetime] = utc_now
    report_progress: ProgressCallback | None = None

    @property
    def acts(self) -> SpeechActs:
        """The courtesy classifier; its weights are read when the first utterance is judged."""
        from qa.engines.courtesy import shipped

        return shipped()

    @classmethod
    def build(cls, settings: Settings, *, listener: Path | None = None) -> "Wiring":
        """`listener` is the socket of a process that keeps the speech model, where a worker has
        one.
        """
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return cls(
            settings,
            Database(settings.database),
            Storage(settings.storage),
            AudioEngine(settings, listener),
        )
