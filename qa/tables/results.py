"""Tables of machine results: the transcript, and the answers to a form's automatic criteria."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint, String, Text, UniqueConstraint
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
    """`low` and `high` count every unsure answer as not met and as met; `score` is the expected
    score between them.
    """

    __tablename__ = "check_result"
    __table_args__ = (
        UniqueConstraint("call_id", "form_version_id"),
        Index("ix_check_result_form", "form_version_id", "call_id", "score"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    score: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    findings: Mapped[list[Any]]
    rules_version: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class VerdictRow(Base):
    """The verdict of a call's newest check on one criterion, for searching.

    The evidence is in `check_result`.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        PrimaryKeyConstraint("criterion", "verdict", "call_id"),
        Index("ix_verdict_call", "call_id"),
        {"sqlite_with_rowid": False},
    )
    criterion: Mapped[str] = mapped_column(String(120))
    verdict: Mapped[str] = mapped_column(String(16))
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))


class SpokenRow(Base):
    """The words of a call as the search finds them.

    A full-text index of the database stands on `words` (migration 0003).
    """

    __tablename__ = "spoken"
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), primary_key=True)
    words: Mapped[str] = mapped_column(Text)


class CorrectionRow(Base):
    """A word that a person set right; what was recognised stays in the transcript.

    The newest of a place counts.
    """

    __tablename__ = "correction"
    __table_args__ = (Index("ix_correction_call", "call_id", "utterance", "word", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    utterance: Mapped[int]
    word: Mapped[int]
    recognised: Mapped[str] = mapped_column(String(200))
    corrected: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    at: Mapped[datetime]
