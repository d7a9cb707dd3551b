"""Decode, transcribe and redact recordings, as the settings choose; libraries load at first use.

A recording is decoded once for intake and once for transcription: whoever has transcribed it keeps
the samples until they have been redacted or another recording comes.
"""

import functools
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa.intake.service import DecodedRecording
from qa.intake.types import Reason
from qa.settings import PROJECT_ROOT, Settings
from qa.transcription.types import RedactedAudio, Redaction, TranscriptionResult

if TYPE_CHECKING:  # they load numpy
    from qa.engines.audio import Sound
    from qa.engines.transcribers import Transcriber

ProgressCallback = Callable[[float], None]
FileVersion = tuple[str, int, int]  # path, time of the last change, size
MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg"}


class AudioEngine:
    """Decode in a child process; transcribe with the transcriber that the settings choose.

    `model_socket` is the socket of the model process of this machine's worker, where there is one.
    """

    def __init__(self, settings: Settings, model_socket: Path | None = None) -> None:
        self._settings = settings
        self._model_socket = model_socket
        self._last_decoded: tuple[FileVersion, Sound] | None = None

    def prepare(self, path: Path, *, declared_seconds: float | None) -> DecodedRecording | Reason:
        """Decode a recording for intake, or return the reason why it is refused."""
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
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        """Transcribe a recording in the model process, else in this process.

        Raises RecordingUnreadable.
        """
        from qa.engines.model_server import request_transcription

        result = self._model_socket and request_transcription(
            self._model_socket,
            path,
            language=language,
            source_name=source_name,
            hotwords=hotwords,
            on_progress=on_progress,
        )
        return result or self.transcribe_here(
            path,
            language=language,
            source_name=source_name,
            hotwords=hotwords,
            on_progress=on_progress,
        )

    def transcribe_here(
        self,
        path: Path,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult:
        """Transcribe a recording in this process. Raises RecordingUnreadable."""
        return self._transcriber.transcribe(
            self._decoded(path),
            language=language,
            source_name=source_name,
            hotwords=hotwords,
            on_progress=on_progress,
        )

    def silence(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio:
        """Make a copy of a recording with these spans silent on every channel.

        The process that transcribed the recording does it, as it has the samples.
        Raises RecordingUnreadable.
        """
        from qa.engines.model_server import request_redaction

        result = self._model_socket and request_redaction(self._model_socket, path, spans)
        return result or self.silence_here(path, spans)

    def silence_here(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio:
        """Silence spans of a recording in this process. Raises RecordingUnreadable."""
        import soundfile

        from qa.engines.audio import RATE, peaks, silenced

        sound = silenced(self._decoded(path), [(s.start, s.end) for s in spans])
        self._last_decoded = None
        flac = io.BytesIO()
        soundfile.write(flac, sound.samples.T, RATE, format="FLAC", subtype="PCM_16")
        return RedactedAudio(flac.getvalue(), "audio/flac", peaks(sound))

    def _decoded(self, path: Path) -> "Sound":
        """Decode a recording, unless it is the last one decoded and its file is unchanged."""
        from qa.engines.audio import decode

        status = path.stat()
        version = str(path.resolve()), status.st_mtime_ns, status.st_size
        if self._last_decoded is None or self._last_decoded[0] != version:
            self._last_decoded = None  # never two in memory
            self._last_decoded = version, decode(path, **self._limits)
        return self._last_decoded[1]

    @functools.cached_property
    def _transcriber(self) -> "Transcriber":
        from qa.engines.transcribers import ScriptedTranscriber, WhisperTranscriber

        settings = self._settings
        if settings.transcriber == "scripted":
            return ScriptedTranscriber(PROJECT_ROOT / "audio_samples" / "truth")
        return WhisperTranscriber(
            settings.whisper_model,
            device=settings.whisper_device,
            compute=settings.whisper_compute,
            threads=settings.threads,
        )

    @property
    def _limits(self) -> dict[str, int]:
        return {
            "max_seconds": self._settings.max_call_seconds,
            "memory_megabytes": self._settings.decoder_memory_megabytes,
        }

    @staticmethod
    def _playback(sound: "Sound") -> bytes:
        from qa.engines.audio import playback_copy

        with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
            playback_copy(sound, Path(file.name))
            return Path(file.name).read_bytes()
