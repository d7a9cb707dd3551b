"""What happened, as a reader sees it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Subject(enum.Enum):
    CALL = "call"
    ASSIGNMENT = "assignment"
    SCORECARD = "scorecard"
    USER = "user"
    AGENT = "agent"
    MONTH = "month"
    PLAN = "plan"
    TASK = "task"
    FORM = "form"
    CALIBRATION = "calibration"
    CASE = "case"
    TARGET = "target"
    MEASURE = "measure"
    TRAINING = "training"
    REPORT = "report"


@dataclass(frozen=True)
class Event:
    id: int
    at: datetime
    actor: str | None
    subject: str
    subject_id: int
    what: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Line:
    """An event as it stands in the chain. `digest` is of this line and of the digest before it."""

    id: int
    at: datetime
    actor_id: int | None
    subject: str
    subject_id: int
    what: str
    detail: dict[str, Any]
    digest: str


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many lines there are, and the digest of the last."""

    event_id: int
    digest: str

    def __str__(self) -> str:
        return f"{self.event_id}:{self.digest}"


class Damage(enum.Enum):
    # the line is not the one that was written, or the one before it was exchanged
    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"  # beyond the end of the chain
    OTHER_HISTORY = "other_history"  # the chain does not pass through the head noted earlier


@dataclass(frozen=True)
class ChainFault:
    damage: Damage
    event_id: int
