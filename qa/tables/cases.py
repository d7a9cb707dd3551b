"""Tables of cases: difficult cases, praise and complaints, guide notes, proposals."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import CaseKind, CaseState
from qa.tables.base import Base, state_column


class CaseRow(Base):
    __tablename__ = "case_record"
    __table_args__ = (
        Index("ix_case_open", "kind", "state", "due_at"),
        Index("ix_case_agent", "agent_id", "kind", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CaseKind] = mapped_column(state_column(CaseKind, "case_kind"))
    state: Mapped[CaseState] = mapped_column(state_column(CaseState, "case_state"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))
    criterion: Mapped[str] = mapped_column(String(120), default="")
    happened_at: Mapped[datetime | None]
    content: Mapped[str] = mapped_column(Text)
    contact: Mapped[str] = mapped_column(String(300), default="")
    due_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    written_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    written_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(Text, default="")
