"""Months as they were computed and as they were closed; reports that are made by themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.months import Month
from qa.states import Audience, ResultKind, RunState
from qa.tables.base import Base, state_column


class ClosedMonthRow(Base):
    """A month as it was when it was closed. A later change is a new revision; the old one stays."""

    __tablename__ = "closed_month"
    __table_args__ = (UniqueConstraint("month", "project", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[Month] = mapped_column()
    project: Mapped[str] = mapped_column(String(80))
    revision: Mapped[int]
    document: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class MonthFigureRow(Base):
    """A past month's figures as last computed, so that a trend does not count twelve
    months anew.
    """

    __tablename__ = "month_figure"
    __table_args__ = (UniqueConstraint("month", "project"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[Month] = mapped_column()
    project: Mapped[str] = mapped_column(String(80))  # empty: all
    document: Mapped[dict[str, Any]]  # what trends need
    made_at: Mapped[datetime]


class CachedResultRow(Base):
    """A result that took long to count, for as long as nothing it rests on changes."""

    __tablename__ = "cached_result"
    kind: Mapped[ResultKind] = mapped_column(
        state_column(ResultKind, "result_kind"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    seconds: Mapped[float]  # that counting took
    made_at: Mapped[datetime]


class ReportScheduleRow(Base):
    __tablename__ = "report_schedule"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    day: Mapped[int]  # of the month after
    project: Mapped[str] = mapped_column(String(80), default="")
    # empty: one report; "team" or "project": one of each
    each: Mapped[str] = mapped_column(String(20), default="")
    audience: Mapped[Audience] = mapped_column(state_column(Audience, "audience"))
    formats: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(2))
    # addresses, with commas between; empty: into the folder alone
    recipients: Mapped[str] = mapped_column(Text, default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]


class ReportRunRow(Base):
    """One month of a schedule.

    `made` names what is ready, so that a run that was cut goes on where it was.
    """

    __tablename__ = "report_run"
    __table_args__ = (UniqueConstraint("schedule_id", "month"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("report_schedule.id"))
    month: Mapped[Month] = mapped_column()
    state: Mapped[RunState] = mapped_column(state_column(RunState, "run_state"))
    made: Mapped[list[Any]] = mapped_column(default=list)
    total: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
