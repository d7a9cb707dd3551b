"""Build what the settings choose: database, storage, audio engine, clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qa.checking.types import SpeechActs
from qa.engines.audio_engine import AudioEngine, ProgressCallback
from qa.engines.storage import Storage
from qa.settings import Settings
from qa.tables.database import Database


def utc_now() -> datetime:
    return datetime.now(UTC)


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
    def build(cls, settings: Settings, *, model_socket: Path | None = None) -> "Wiring":
        """Build the wiring; `model_socket` is that of a worker's model process, if there is one."""
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return cls(
            settings,
            Database(settings.database),
            Storage(settings.storage),
            AudioEngine(settings, model_socket),
        )
