"""A recording on its way in: call data, what became of a file, and why."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from qa.states import Direction, ImportOutcome


class Reason(enum.Enum):
    """Why a file is refused or flagged. Pages and the command line say each in words."""

    WRONG_FORMAT = "wrong_format"
    DAMAGED = "damaged"
    EMPTY = "empty"
    NO_AUDIO = "no_audio"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    TOO_MANY_CHANNELS = "too_many_channels"
    INCOMPLETE = "incomplete"
    MISSING_FILE = "missing_file"
    OUTSIDE_FOLDER = "outside_folder"
    BAD_CALL_DATA = "bad_call_data"
    EXTERNAL_ID_TAKEN = "external_id_taken"
    SAME_RECORDING = "same_recording"
    DISK_FULL = "disk_full"


REASON_TEXTS = {
    Reason.WRONG_FORMAT: (
        "not an audio file that we read (WAV, FLAC, MP3, Ogg/Opus, AMR, M4A, WebM)"
    ),
    Reason.DAMAGED: "the file is damaged and cannot be decoded; export it again from the recorder",
    Reason.EMPTY: "there is no sound in the file",
    Reason.NO_AUDIO: "the file has no audio track",
    Reason.TOO_LONG: "longer than this installation accepts (QA_MAX_CALL_SECONDS)",
    Reason.TOO_LARGE: "too large to decode within the memory limit",
    Reason.TOO_MANY_CHANNELS: "more than two channels; export agent and customer as stereo",
    Reason.INCOMPLETE: (
        "a part of the sound is missing; the call is kept, and nothing in it counts as not said"
    ),
    Reason.MISSING_FILE: "named in the manifest but not found",
    Reason.OUTSIDE_FOLDER: "the manifest points outside its folder",
    Reason.BAD_CALL_DATA: "the call data cannot be read",
    Reason.EXTERNAL_ID_TAKEN: "another recording already has this external id",
    Reason.SAME_RECORDING: "this recording is already here",
    Reason.DISK_FULL: "the disk is nearly full; free some space and import again",
}


@dataclass(frozen=True)
class CallData:
    """The call data that telephony delivers.

    Times are aware; `details` holds everything else (ticket, mail, contract …).
    """

    external_id: str | None = None
    agent: str = "unassigned"
    agent_name: str | None = None
    team: str = "Unassigned"
    department: str = "Unassigned"
    project: str = "default"
    company: str | None = None
    queue: str = ""
    direction: Direction = Direction.INBOUND
    language: str | None = None
    customer: str = ""
    started_at: datetime | None = None
    duration: float | None = None
    hired_on: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Incoming:
    """One file to take in, with its call data; `path` is None where `refusal` already
    says why not.
    """

    name: str
    path: Path | None
    data: CallData
    refusal: "FileOutcome | None" = None


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of one file's import."""

    name: str
    outcome: ImportOutcome
    reason: Reason | None = None
    detail: str = ""
    call_id: int | None = None
    external_id: str | None = None

    @property
    def is_new_call(self) -> bool:
        return self.outcome in (ImportOutcome.IMPORTED, ImportOutcome.FLAGGED)

    @property
    def explanation(self) -> str:
        if self.reason is None:
            return ""
        return REASON_TEXTS[self.reason] + (f" ({self.detail})" if self.detail else "")

    def document(self) -> dict[str, Any]:
        return {
            "file": self.name,
            "outcome": self.outcome.value,
            "reason": self.reason.value if self.reason else None,
            "message": self.explanation,
            "call_id": self.call_id,
            "external_id": self.external_id,
        }


class CallOrder(enum.Enum):
    """An order of a list of calls."""

    ARRIVED = "arrived"
    BEGAN = "began"
    LENGTH = "length"


@dataclass(frozen=True)
class CallFacts:
    """A call as every page shows its head."""

    id: int
    external_id: str
    content_sha256: str
    project_id: int
    project: str
    project_code: str
    agent_id: int
    agent: str
    agent_code: str
    team_id: int
    team: str
    queue: str
    direction: Direction
    language: str | None
    customer: str
    started_at: datetime
    duration_seconds: float
    channels: int
    lost_seconds: float
    source_name: str
    media_type: str
    details: dict[str, Any]
    is_simulated: bool
    variables: dict[str, Any]
    keeps_originals: bool = False

    @property
    def storage_key(self) -> str:
        return f"{self.content_sha256[:2]}/{self.content_sha256}"


@dataclass(frozen=True)
class RatingsImport:
    """The outcome of a file of ratings: how many were kept, and the rows refused with reasons."""

    kept: int
    refused: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        return {
            "kept": self.kept,
            "refused": [{"external_id": name, "message": reason} for name, reason in self.refused],
        }
