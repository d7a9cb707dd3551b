"""What machines made of a call: the transcript, and the answers to a form's automatic criteria."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.tables.base import Base


class TranscriptRow(Base):
    __tablename__ = "transcript"
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    document: Mapped[dict[str, Any]]
    mechanics: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class CheckResultRow(Base):
    """`low` and `high` count every unsure answer as not met and as met; `score` is the expected score between them."""

    __tablename__ = "check_result"
    __table_args__ = (UniqueConstraint("call_id", "form_version_id"), Index("ix_check_result_form", "form_version_id", "call_id", "score"))
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    score: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    findings: Mapped[list[Any]]
    rules_version: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
