"""Assignments: calls queued for scoring, and who scores them."""

import enum
from dataclasses import dataclass
from datetime import datetime

from qa.states import AssignmentKind, AssignmentState


class SkipReason(enum.Enum):
    """Reason for leaving a drawn call unscored; counted per evaluator."""

    BAD_SOUND = "bad_sound"
    WRONG_LANGUAGE = "wrong_language"
    NOT_A_CONVERSATION = "not_a_conversation"
    KNOWN_PERSON = "known_person"
    OTHER = "other"


@dataclass(frozen=True)
class Assignment:
    """An assignment, with what queue lists show of its call."""

    id: int
    call_id: int
    form_version_id: int
    kind: AssignmentKind
    occasion: str
    is_blind: bool
    reserved_for_id: int | None
    state: AssignmentState
    evaluator_id: int | None
    lease_until: datetime | None
    due_at: datetime
    agent_id: int
    agent: str
    project: str
    queue: str
    started_at: datetime
    duration_seconds: float
    language: str | None
    finished_at: datetime | None = None
    score: float | None = None
    card_id: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A free assignment that an evaluator might get next."""

    id: int
    agent_id: int
    due_at: datetime


@dataclass(frozen=True)
class EvaluatorLoad:
    """Workload of an evaluator, as the manager sees it.

    `seconds_per_card` is the mean time on the desk and not away.
    """

    evaluator_id: int
    name: str
    daily_goal: int | None
    # of the calls that arrive, beside those of the others; 0: takes from the common queue
    share: int
    done_today: int
    done_month: int
    held: int
    reserved: int
    skipped_month: int
    seconds_per_card: float | None


@dataclass(frozen=True)
class QueueCounts:
    waiting: int
    overdue: int
    mine: int
    done_today: int


@dataclass(frozen=True)
class Claimed:
    assignment_id: int
    is_resumed: bool


@dataclass(frozen=True)
class NothingWaiting:
    """Outcome of a claim where no call waits for this evaluator."""
