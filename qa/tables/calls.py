"""Calls with their recordings, and what intake said about every file it was given."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import Direction, ImportOutcome
from qa.tables.base import Base, state_column


class CallRow(Base):
    __tablename__ = "call"
    # a month's totals are read from the index alone
    __table_args__ = (
        Index(
            "ix_call_month", "started_at", "project_id", "agent_id", "automatic_score", "is_flagged"
        ),
        Index("ix_call_agent_started", "agent_id", "started_at"),
        Index("ix_call_length", "duration_seconds", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200), unique=True)
    content_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    queue: Mapped[str] = mapped_column(String(80), default="")
    direction: Mapped[Direction] = mapped_column(state_column(Direction, "direction"))
    language: Mapped[str | None] = mapped_column(String(2))
    customer: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[datetime]
    duration_seconds: Mapped[float]
    channels: Mapped[int]
    lost_seconds: Mapped[float] = mapped_column(default=0.0)
    source_name: Mapped[str] = mapped_column(String(300))
    media_type: Mapped[str] = mapped_column(String(40), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime]
    is_simulated: Mapped[bool] = mapped_column(default=False)
    # of the newest check, copied so that a month is one index
    automatic_score: Mapped[float | None]
    # the newest check says that a critical criterion was broken
    is_flagged: Mapped[bool] = mapped_column(default=False)


class RatingRow(Base):
    """A customer's rating of a call afterwards, on a scale of 0–100."""

    __tablename__ = "rating"
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), primary_key=True)
    value: Mapped[float]
    given: Mapped[str] = mapped_column(String(40))  # as it came, say "4/5"
    source: Mapped[str] = mapped_column(String(80), default="")
    received_at: Mapped[datetime]


class ImportRow(Base):
    """One file given to intake."""

    __tablename__ = "import_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    batch: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(300))
    outcome: Mapped[ImportOutcome] = mapped_column(state_column(ImportOutcome, "outcome"))
    reason: Mapped[str] = mapped_column(String(40), default="")
    detail: Mapped[str] = mapped_column(String(500), default="")
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))
    at: Mapped[datetime]
