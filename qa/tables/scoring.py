"""Places in the queue, and the scorecards that come of them."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.tables.base import Base, state_column


class AssignmentState(enum.Enum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"


class ScorecardState(enum.Enum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"


class AssignmentRow(Base):
    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("call_id", "form_version_id"), Index("ix_assignment_queue", "state", "due_at", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    drawn_call_id: Mapped[int | None] = mapped_column(ForeignKey("drawn_call.id"))
    state: Mapped[AssignmentState] = mapped_column(state_column(AssignmentState, "assignment_state"))
    evaluator_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    lease_until: Mapped[datetime | None]
    due_at: Mapped[datetime]
    skip_reason: Mapped[str] = mapped_column(String(40), default="")
    skip_comment: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ScorecardRow(Base):
    """A filled form. `answers` holds what was typed; the figures are computed once, at submission, by the one arithmetic of `qa.forms`."""

    __tablename__ = "scorecard"
    __table_args__ = (Index("ix_scorecard_month", "started_at", "state"), Index("ix_scorecard_agent", "agent_id", "started_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), unique=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    evaluator_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    state: Mapped[ScorecardState] = mapped_column(state_column(ScorecardState, "scorecard_state"))
    version: Mapped[int] = mapped_column(default=1)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    notes: Mapped[list[Any]] = mapped_column(default=list)
    summary: Mapped[str] = mapped_column(Text, default="")
    score: Mapped[float | None]
    score_without_fails: Mapped[float | None]
    critical_score: Mapped[float | None]
    passed: Mapped[bool | None]
    automatic_score: Mapped[float | None]
    probability: Mapped[float | None]
    started_at: Mapped[datetime]  # of the call, so that a month is one index range
    opened_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    agent_comment: Mapped[str] = mapped_column(Text, default="")


class AnswerRow(Base):
    """One criterion of a submitted scorecard, laid out for counting."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("scorecard_id", "criterion"), Index("ix_answer_count", "criterion", "agent_id", "called_at"))
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
