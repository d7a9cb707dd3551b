"""Disputes: an agent objects to an answer, and somebody decides."""

import enum
from dataclasses import dataclass
from datetime import datetime

from qa.states import DisputeLevel, DisputeState


class DisputeBlock(enum.Enum):
    """Reason that keeps an answer from being disputed."""

    NOT_RELEASED = "not_released"
    NOT_ANSWERED = "not_answered"
    FULL_POINTS = "full_points"
    OPEN = "open"  # a decision is awaited
    SETTLED = "settled"  # the agent was found right, or there is no further round
    TOO_LATE = "too_late"
    NOT_OFFERED = "not_offered"  # the form has no disputes


@dataclass(frozen=True)
class Dispute:
    """One round of an objection to one answer. Options are ids of the criterion's options."""

    id: int
    card_id: int
    agent_id: int
    agent: str
    evaluator_id: int
    evaluator: str
    project_id: int
    criterion: str
    round: int
    level: DisputeLevel
    state: DisputeState
    disputed_option: str
    suggested_option: str
    reason: str
    opened_at: datetime
    due_at: datetime
    decided_by_id: int | None
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    decided_option: str
    is_rule_at_fault: bool

    @property
    def is_open(self) -> bool:
        return self.state is DisputeState.OPEN


@dataclass(frozen=True)
class EvaluatorRecord:
    """Counts of the disputes against an evaluator's cards, and of how they ended."""

    evaluator_id: int
    disputed: int
    decided: int
    upheld: int
