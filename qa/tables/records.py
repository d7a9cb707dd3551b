"""Tables of events and tasks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import TaskState
from qa.tables.base import Base, state_column


class EventRow(Base):
    """Append-only: who did, saw, played or exported what, and when."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "subject", "subject_id", "id"),
        Index("ix_event_actor", "actor_id", "id"),
        Index("ix_event_what", "what", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    what: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str] = mapped_column(String(64))  # of this line and the digest before it


class EventHeadRow(Base):
    """The end of the chain of events, one row. Locking it puts writers in a line."""

    __tablename__ = "event_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class TaskRow(Base):
    """A step that a subject has to go through.

    The database is the truth; the broker only wakes workers.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("step", "subject_id"),
        Index("ix_task_due", "state", "run_after"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int]
    state: Mapped[TaskState] = mapped_column(state_column(TaskState, "task_state"))
    attempts: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(String(120), default="")
    lease_until: Mapped[datetime | None]
    run_after: Mapped[datetime]
    error: Mapped[str] = mapped_column(Text, default="")
    progress: Mapped[float | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
