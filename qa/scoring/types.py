"""Scorecards: the answers, the evaluator, the figures, the revisions."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from qa.states import AssignmentKind, RevisionCause, ScorecardState


class CardOrder(enum.Enum):
    """Orders of a list of scorecards."""

    SUBMITTED = "submitted"
    CALLED = "called"
    SCORE = "score"


class Answer(BaseModel):
    """One criterion as the evaluator left it. `reason` says why an automatic answer was changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    option: Annotated[str, Field(max_length=80)] | None = None
    comment: Annotated[str, Field(max_length=4000)] = ""
    reason: Annotated[str, Field(max_length=1000)] = ""
    accepted: bool = False


class Note(BaseModel):
    """A remark pinned to the waveform."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class Filled(BaseModel):
    """Everything typed into a form, as the workbench saves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    answers: Annotated[
        dict[Annotated[str, Field(max_length=120)], Answer], Field(max_length=500)
    ] = {}
    notes: Annotated[list[Note], Field(max_length=200)] = []
    summary: Annotated[str, Field(max_length=8000)] = ""

    @property
    def options(self) -> dict[str, str]:
        return {c: a.option for c, a in self.answers.items() if a.option}


@dataclass(frozen=True)
class Card:
    """A scorecard with everything its pages show."""

    id: int
    assignment_id: int
    call_id: int
    agent_id: int
    project_id: int
    form_version_id: int
    evaluator_id: int
    evaluator: str
    kind: AssignmentKind
    is_blind: bool
    state: ScorecardState
    version: int
    revision: int
    seconds_spent: float
    filled: Filled
    score: float | None
    score_without_fails: float | None
    critical_score: float | None
    passed: bool | None
    automatic_score: float | None
    started_at: datetime
    opened_at: datetime
    submitted_at: datetime | None
    release_at: datetime | None
    reviewer_id: int | None
    released_at: datetime | None
    acknowledged_at: datetime | None
    agent_comment: str

    @property
    def is_released(self) -> bool:
        return self.state in (ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)


@dataclass(frozen=True)
class CardSummary:
    """A scorecard in a list."""

    id: int
    call_id: int
    agent: str
    evaluator: str
    state: ScorecardState
    score: float | None
    passed: bool | None
    started_at: datetime
    submitted_at: datetime | None
    failed: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Change:
    """One answer that a revision changed; options, empty where there was none."""

    criterion: str
    was: str
    now: str


@dataclass(frozen=True)
class Revision:
    """A submitted card as it was at one revision.

    `figures` has score, score_without_fails, critical_score, passed.
    """

    revision: int
    cause: RevisionCause
    reason: str
    content: Filled
    figures: dict[str, Any]
    changes: tuple[Change, ...]
    made_by: str
    made_at: datetime
