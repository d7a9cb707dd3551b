"""Events of the audit log, their kinds and subjects."""

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


class FigureEffect(enum.Enum):
    """The cached figures that an event changes."""

    NONE = "none"
    CONFIG = "config"  # forms, targets, people: whoever changed it wants to see it at once
    DATA = "data"  # scorecards and ratings: it may wait for some minutes


class EventKind(enum.Enum):
    """Kinds of event, each with its stored text and with what it changes in cached figures.

    The text is hashed in the append-only chain: a member's Python name may change, its text never.
    """

    effect: FigureEffect

    def __new__(cls, text: str, effect: FigureEffect = FigureEffect.NONE) -> "EventKind":
        member = object.__new__(cls)
        member._value_ = text
        member.effect = effect
        return member

    @classmethod
    def changing(cls, effect: FigureEffect) -> tuple["EventKind", ...]:
        """Return the kinds of event after which cached figures are no longer current."""
        return tuple(kind for kind in cls if kind.effect is effect)

    ACKNOWLEDGED = "acknowledged"
    ADDED = ("added", FigureEffect.CONFIG)
    AGREED = ("agreed", FigureEffect.CONFIG)
    CHECKED = "checked"
    CLAIMED = "claimed"
    CLOSED = ("closed", FigureEffect.CONFIG)
    CREATED = "created"
    DECIDED = "decided"
    DISABLED = "disabled"
    DISCARDED = "discarded"
    DISPUTE_ESCALATED = "dispute_risen"
    DISPUTE_WITHDRAWN = "dispute_withdrawn"
    DISPUTE_UPHELD = "dispute_upheld"
    DISPUTE_REJECTED = "dispute_rejected"
    DISPUTED = "disputed"
    DRAWN = "drawn"
    EXPIRED = "expired"
    EXPORTED = "exported"
    FINISHED = ("finished", FigureEffect.CONFIG)
    RETURNED_TO_QUEUE = "given_back"
    GOAL_CHANGED = "goal_set"
    IMPORTED = "imported"
    OPENED = "opened"
    ORIGINAL_REPLACED = "original_removed"
    PASSWORD_CHANGED = "password_changed"
    PAUSED = "paused"
    PLANNED = "planned"
    PLAYED = "played"
    PROJECTS_CHANGED = ("projects_set", FigureEffect.CONFIG)
    PUBLISHED = ("published", FigureEffect.CONFIG)
    QUEUED = "queued"
    QUEUED_FOR_RE_EVALUATION = "queued_again"
    RATED = ("rated", FigureEffect.DATA)
    READ = "read"
    SECOND_READ = "read_again"
    REASSIGNED = "reassigned"
    RELEASE_SCHEDULED = "release_set"
    RELEASED = "released"
    REOPENED = "reopened"
    RESUMED = "resumed"
    RETIRED = "retired"
    RETRIED = "retried"
    REVIEWED = "reviewed"
    REVISED = ("revised", FigureEffect.DATA)
    SCHEDULED = "scheduled"
    SEED_COMMITTED = "seed_committed"
    SENT_BACK = "sent_back"
    SETTING_CHANGED = ("set", FigureEffect.CONFIG)
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SKIPPED = "skipped"
    SUBMITTED = "submitted"
    WITHDRAWN = "taken_out"
    CALIBRATION_FITTED = "trained"
    TRANSCRIBED = "transcribed"
    VOIDED = ("voided", FigureEffect.DATA)
    WORD_CORRECTED = "word_corrected"
    WRITTEN = "written"


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
