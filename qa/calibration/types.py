"""Calibration sessions: several people fill one form for the same calls, blind, then agree."""

import enum
from dataclasses import dataclass, field
from datetime import datetime

from qa.states import AssignmentState, CalibrationState
from qa.statistics.agreement import Agreement, Icc


class SessionFault(enum.Enum):
    """Reason that keeps a calibration session from being called."""

    TITLE = "title"
    CALLS = "calls"
    PEOPLE = "people"
    DUE = "due"
    FORM = "form"


@dataclass(frozen=True)
class SessionCall:
    """A call of a session.

    `agreed` maps a criterion to the option that the group settled on; what is missing is
    unresolved.
    """

    call_id: int
    agent: str
    started_at: datetime
    agreed: dict[str, str]


@dataclass(frozen=True)
class Member:
    user_id: int
    name: str
    done: int  # calls scored


@dataclass(frozen=True)
class CalibrationSession:
    id: int
    title: str
    form_version_id: int
    state: CalibrationState
    due_at: datetime
    notes: str
    follow_up: str
    created_by: str
    created_at: datetime
    calls: tuple[SessionCall, ...]
    members: tuple[Member, ...]

    @property
    def is_scored_by_all(self) -> bool:
        return all(m.done >= len(self.calls) for m in self.members)


@dataclass(frozen=True)
class OwnAssignment:
    """A member's assignment for one call of a session, and how far it is."""

    id: int
    state: AssignmentState


@dataclass(frozen=True)
class RaterAnswers:
    """One rater's submitted form for one call.

    `options` by criterion; the automatic checks are a rater too, with None as id.
    """

    rater_id: int | None
    call_id: int
    options: dict[str, str]
    score: float | None
    comments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """A criterion over all calls of the session: how far people agreed.

    `spread` counts every option that people chose.
    """

    criterion: str
    spread: dict[str, int]
    pairs: float | None  # share of pairs of people with the same answer, 0–1
    alpha: Agreement
    ac1: float | None
    kappa: float | None  # weighted, mean over pairs of people
    unresolved: int  # calls without an agreed answer, of those on which people differed


@dataclass(frozen=True)
class RaterReport:
    """One rater compared with the agreed answers.

    An answer that nobody agreed on counts as differing from everybody's.
    """

    rater_id: int | None
    name: str
    answers: int
    differing: float | None  # share of answers that are not the agreed one, 0–1
    score_distance: float | None  # mean absolute difference to the agreed score, in points
    severity: float | None  # mean difference to the agreed score: below 0 is stricter
    na_share: float | None
    is_na_unusual: bool


@dataclass(frozen=True)
class SessionReport:
    items: tuple[Item, ...]
    raters: tuple[RaterReport, ...]
    overall: Agreement
    pairs: float | None
    scores: Icc | None
    unresolved: int
