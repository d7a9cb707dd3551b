"""Tables of a centre's targets, and of its actions where it falls short."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from qa.months import Month
from qa.states import ImprovementActionState, Indicator, ScopeKind
from qa.tables.base import Base, state_column


class TargetRow(Base):
    __tablename__ = "target"
    __table_args__ = (Index("ix_target_scope", "scope", "scope_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    indicator: Mapped[Indicator] = mapped_column(state_column(Indicator, "indicator"))
    criterion: Mapped[str] = mapped_column(String(120), default="")
    scope: Mapped[ScopeKind] = mapped_column(state_column(ScopeKind, "target_scope"))
    scope_id: Mapped[int | None]
    value: Mapped[float]
    first_month: Mapped[Month] = mapped_column()
    last_month: Mapped[str] = mapped_column(String(7), default="")  # empty: until further notice
    set_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    set_at: Mapped[datetime]


class ImprovementActionRow(Base):
    """An improvement measure: who does what by when, and what it is expected to bring."""

    __tablename__ = "improvement_action"
    __table_args__ = (Index("ix_improvement_action_open", "state", "due_on"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text, default="")
    month: Mapped[Month] = mapped_column()  # in which the weak point was seen
    criterion: Mapped[str] = mapped_column(String(120), default="")
    scope: Mapped[ScopeKind] = mapped_column(state_column(ScopeKind, "improvement_action_scope"))
    scope_id: Mapped[int | None]
    state: Mapped[ImprovementActionState] = mapped_column(
        state_column(ImprovementActionState, "improvement_action_state")
    )
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    due_on: Mapped[date | None]
    expected: Mapped[float | None]  # points of quality, or of 100 on the criterion
    result: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    finished_on: Mapped[date | None]


class ReportSwitchRow(Base):
    """A switch that a manager turns, say whether reports correct for the severity of evaluators."""

    __tablename__ = "report_switch"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    is_on: Mapped[bool]
    set_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    set_at: Mapped[datetime]
