"""Places in the queue, and the scorecards that come of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import (
    AssignmentKind,
    AssignmentState,
    DisputeLevel,
    DisputeState,
    RevisionCause,
    ScorecardState,
)
from qa.tables.base import Base, state_column


class AssignmentRow(Base):
    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("call_id", "form_version_id", "occasion"),
        Index("ix_assignment_queue", "state", "due_at", "id"),
        Index("ix_assignment_open", "state", "kind", "reserved_for_id", "due_at"),
        Index("ix_assignment_done", "evaluator_id", "state", "finished_at"),
        Index("ix_assignment_reserved", "reserved_for_id", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    drawn_call_id: Mapped[int | None] = mapped_column(ForeignKey("drawn_call.id"))
    kind: Mapped[AssignmentKind] = mapped_column(
        state_column(AssignmentKind, "assignment_kind"), default=AssignmentKind.STANDARD
    )
    # which of several fillings of one form for one call
    occasion: Mapped[str] = mapped_column(String(60), default="")
    reserved_for_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # automatic answers are hidden until submission
    is_blind: Mapped[bool] = mapped_column(default=False)
    state: Mapped[AssignmentState] = mapped_column(
        state_column(AssignmentState, "assignment_state")
    )
    evaluator_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    lease_until: Mapped[datetime | None]
    due_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]  # when somebody was told that it is overdue
    skip_reason: Mapped[str] = mapped_column(String(40), default="")
    skip_comment: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ScorecardRow(Base):
    """A filled form.

    `answers` holds what was typed; the figures are computed once, at submission, by the one
    arithmetic of `qa.forms`.
    """

    __tablename__ = "scorecard"
    __table_args__ = (
        Index("ix_scorecard_month", "started_at", "kind", "state"),
        Index("ix_scorecard_agent", "agent_id", "started_at"),
        Index("ix_scorecard_release", "state", "release_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), unique=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    evaluator_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    kind: Mapped[AssignmentKind] = mapped_column(
        state_column(AssignmentKind, "scorecard_kind"), default=AssignmentKind.STANDARD
    )
    is_blind: Mapped[bool] = mapped_column(default=False)
    state: Mapped[ScorecardState] = mapped_column(state_column(ScorecardState, "scorecard_state"))
    version: Mapped[int] = mapped_column(default=1)
    # of the submitted card; the older ones are in scorecard_revision
    revision: Mapped[int] = mapped_column(default=1)
    seconds_spent: Mapped[float] = mapped_column(default=0.0)  # on the desk and not away
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[list[Any]] = mapped_column(default=list)
    summary: Mapped[str] = mapped_column(Text, default="")
    score: Mapped[float | None]
    score_without_fails: Mapped[float | None]
    critical_score: Mapped[float | None]
    passed: Mapped[bool | None]
    is_breach: Mapped[bool] = mapped_column(default=False)  # a fail (critical) option was chosen
    # the check said so, when the card was opened
    is_flagged: Mapped[bool] = mapped_column(default=False)
    automatic_score: Mapped[float | None]
    probability: Mapped[float | None]
    started_at: Mapped[datetime]  # of the call, so that a month is one index range
    opened_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    release_at: Mapped[datetime | None]  # when the agent may read it, if nothing else is missing
    # who read it a second time
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reviewed_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    agent_comment: Mapped[str] = mapped_column(Text, default="")


TALLIED = (
    "option",
    "automatic",
    "was_changed",
    "failed",
    "share_of_points",
    "points_lost",
    "weight",
    "agent_id",
)


class AnswerRow(Base):
    """One criterion of a submitted scorecard, laid out for counting.

    Only cards that count have any.
    """

    __tablename__ = "answer"
    # a month is counted from the index alone
    __table_args__ = (
        UniqueConstraint("scorecard_id", "criterion"),
        Index("ix_answer_count", "criterion", "agent_id", "called_at"),
        Index("ix_answer_month", "called_at", "project_id", "criterion", *TALLIED),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecard.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    criterion: Mapped[str] = mapped_column(String(120))
    option: Mapped[str] = mapped_column(String(80))
    share_of_points: Mapped[float | None]  # 0–1; None when not applicable or not counted
    failed: Mapped[bool] = mapped_column(default=False)  # a fail (critical) option was chosen
    automatic: Mapped[str] = mapped_column(String(20), default="")
    automatic_confidence: Mapped[float | None]
    was_changed: Mapped[bool] = mapped_column(default=False)
    called_at: Mapped[datetime]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    points_lost: Mapped[float | None]  # of the 100 of the whole form
    weight: Mapped[float | None]  # 1 ÷ probability of the draw; None where nobody drew the call


class ScorecardRevisionRow(Base):
    """A submitted card as it was at one revision. Never changed."""

    __tablename__ = "scorecard_revision"
    __table_args__ = (UniqueConstraint("scorecard_id", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecard.id"))
    revision: Mapped[int]
    cause: Mapped[RevisionCause] = mapped_column(state_column(RevisionCause, "revision_cause"))
    reason: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[dict[str, Any]]  # answers, notes, summary
    figures: Mapped[dict[str, Any]]
    changes: Mapped[list[Any]] = mapped_column(default=list)  # criterion, was, now
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[datetime]


class DisputeRow(Base):
    """An agent's objection to one answer, one row per round."""

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("scorecard_id", "criterion", "round"),
        Index("ix_dispute_open", "state", "level", "due_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecard.id"))
    criterion: Mapped[str] = mapped_column(String(120))
    round: Mapped[int]
    level: Mapped[DisputeLevel] = mapped_column(state_column(DisputeLevel, "dispute_level"))
    state: Mapped[DisputeState] = mapped_column(state_column(DisputeState, "dispute_state"))
    disputed_option: Mapped[str] = mapped_column(String(80))
    suggested_option: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    decided_option: Mapped[str] = mapped_column(String(80), default="")
    # the automatic answer misled the evaluator
    is_rule_at_fault: Mapped[bool] = mapped_column(default=False)
