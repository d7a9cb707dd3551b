"""Training plans: who learns what, with which calls, in which sessions; and who waits, so that the
effect can be known.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from qa.months import Month
from qa.states import TrainingArm, TrainingPlanState
from qa.tables.base import Base, state_column


class TrainingPlanRow(Base):
    __tablename__ = "training_plan"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    topic: Mapped[str] = mapped_column(String(120))
    # empty: the whole score is to rise
    criterion: Mapped[str] = mapped_column(String(120), default="")
    goal: Mapped[str] = mapped_column(Text, default="")
    month: Mapped[Month] = mapped_column()  # of the list by which its members were chosen
    is_for_new_hires: Mapped[bool] = mapped_column(default=False)
    seats: Mapped[int | None]
    # of the lot that drew who goes first; empty: nobody waits
    seed: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[TrainingPlanState] = mapped_column(
        state_column(TrainingPlanState, "training_plan_state")
    )
    trainer_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    starts_on: Mapped[date]
    finished_on: Mapped[date | None]
    created_at: Mapped[datetime]


class TrainingMemberRow(Base):
    __tablename__ = "training_member"
    plan_id: Mapped[int] = mapped_column(ForeignKey("training_plan.id"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), primary_key=True, index=True)
    arm: Mapped[TrainingArm] = mapped_column(state_column(TrainingArm, "training_arm"))
    done_on: Mapped[date | None]
    remark: Mapped[str] = mapped_column(String(1000), default="")


class TrainingSessionRow(Base):
    __tablename__ = "training_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("training_plan.id"), index=True)
    held_on: Mapped[date]
    minutes: Mapped[int]
    notes: Mapped[str] = mapped_column(Text, default="")
    present: Mapped[list[Any]] = mapped_column(default=list)  # agents' ids


class TrainingCallRow(Base):
    """A call to study, and who has done so."""

    __tablename__ = "training_call"
    plan_id: Mapped[int] = mapped_column(ForeignKey("training_plan.id"), primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("call.id"), primary_key=True)
    why: Mapped[str] = mapped_column(String(300), default="")
    studied_by: Mapped[list[Any]] = mapped_column(default=list)  # agents' ids
