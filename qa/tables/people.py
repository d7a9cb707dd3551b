"""Projects, departments, teams, agents; users and their sessions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from qa.states import Role
from qa.tables.base import Base, state_column


class ProjectRow(Base):
    """A client or campaign.

    `variables` are the words that forms name as {company} and the like, per language or one for
    all.
    """

    __tablename__ = "project"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_simulated: Mapped[bool] = mapped_column(default=False)
    # of calls in which something had to be masked
    keeps_originals: Mapped[bool] = mapped_column(default=False)


class DepartmentRow(Base):
    __tablename__ = "department"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class TeamRow(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"), index=True)


class AgentRow(Base):
    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    hired_on: Mapped[date | None]
    left_on: Mapped[date | None]
    is_simulated: Mapped[bool] = mapped_column(default=False)


class UserRow(Base):
    __tablename__ = "user_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    role: Mapped[Role] = mapped_column(state_column(Role, "role"))
    language: Mapped[str] = mapped_column(String(2), default="en")
    theme: Mapped[str] = mapped_column(String(5), default="light")
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    email: Mapped[str] = mapped_column(String(200), default="")
    daily_goal: Mapped[int | None]  # calls that an evaluator means to score in a day
    # of the calls that arrive, beside the shares of the others; 0: takes from the common queue
    queue_share: Mapped[int] = mapped_column(default=0)
    sees_all_projects: Mapped[bool] = mapped_column(default=True)  # else those of project_member
    created_at: Mapped[datetime]


class WebSessionRow(Base):
    """A signed-in browser. Only a hash of the cookie is kept; deleting the row ends the session."""

    __tablename__ = "web_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ProjectMemberRow(Base):
    """A user who works for some projects only sees nothing of the others."""

    __tablename__ = "project_member"
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)


class SavedFilterRow(Base):
    """A search that a person keeps under a name."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("user_id", "page", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    page: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(String(1000))
