"""Sampling plans, draws and the calls they drew, each with its probability."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.months import Month
from qa.states import Phase
from qa.tables.base import Base, state_column


class SamplingPlanRow(Base):
    __tablename__ = "sampling_plan"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    phase: Mapped[Phase] = mapped_column(state_column(Phase, "phase"))
    rule: Mapped[dict[str, Any]]
    seed: Mapped[str] = mapped_column(String(120))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class DrawRow(Base):
    """One plan on one day, with everything needed to draw it again."""

    __tablename__ = "draw"
    __table_args__ = (UniqueConstraint("plan_id", "day"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("sampling_plan.id"))
    day: Mapped[date]
    rule: Mapped[dict[str, Any]]
    seed: Mapped[str] = mapped_column(String(140))
    strata: Mapped[list[Any]]
    frame_size: Mapped[int]
    frame_sha256: Mapped[str] = mapped_column(String(64))
    frame_until: Mapped[datetime]
    created_at: Mapped[datetime]


class DrawnCallRow(Base):
    __tablename__ = "drawn_call"
    __table_args__ = (UniqueConstraint("draw_id", "call_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), index=True)
    stratum: Mapped[str] = mapped_column(String(120))
    probability: Mapped[float]
    # of being drawn by any of the plans that could have; None: only this one could
    any_probability: Mapped[float | None]
    reason: Mapped[str] = mapped_column(String(40))


class SeedCommitmentRow(Base):
    """The hash of a month's seed, written down before the month is drawn; the seed itself is told
    when the month is over.
    """

    __tablename__ = "seed_commitment"
    __table_args__ = (UniqueConstraint("plan_id", "month"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("sampling_plan.id"))
    month: Mapped[Month] = mapped_column()
    sha256: Mapped[str] = mapped_column(String(64))
    committed_at: Mapped[datetime]
