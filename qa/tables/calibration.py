"""Calibration sessions: several people fill the same form for the same calls, blind, and agree
afterwards.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import CalibrationState
from qa.tables.base import Base, state_column


class CalibrationSessionRow(Base):
    __tablename__ = "calibration_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("form_version.id"))
    state: Mapped[CalibrationState] = mapped_column(state_column(CalibrationState, "session_state"))
    due_at: Mapped[datetime]
    notes: Mapped[str] = mapped_column(Text, default="")
    follow_up: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CalibrationCallRow(Base):
    """A call of a session; `agreed` maps a criterion to the answer that the group settled on
    (missing: unresolved).
    """

    __tablename__ = "calibration_call"
    __table_args__ = (UniqueConstraint("session_id", "call_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("calibration_session.id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"))
    agreed: Mapped[dict[str, Any]] = mapped_column(default=dict)


class CalibrationMemberRow(Base):
    __tablename__ = "calibration_member"
    session_id: Mapped[int] = mapped_column(ForeignKey("calibration_session.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
