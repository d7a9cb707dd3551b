"""Queries on users, sessions, teams, agents, projects."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from qa.people.types import PersonFacts, SavedFilter, TeamFacts, User
from qa.states import Role
from qa.tables.people import (
    AgentRow,
    DepartmentRow,
    ProjectMemberRow,
    ProjectRow,
    SavedFilterRow,
    TeamRow,
    UserRow,
    WebSessionRow,
)
from qa.tables.project_scope import ProjectScope, restrict_to_projects


def _users(session: Session, rows: Iterable[UserRow]) -> list[User]:
    """Convert rows to users with the projects they work for.

    The projects are read once, and only where somebody is restricted to some.
    """
    rows = list(rows)
    held = [r.id for r in rows if not r.sees_all_projects]
    projects: dict[int, list[int]] = {i: [] for i in held}
    members = (
        select(ProjectMemberRow)
        .where(ProjectMemberRow.user_id.in_(held))
        .order_by(ProjectMemberRow.project_id)
    )
    for m in session.scalars(members) if held else ():
        projects[m.user_id].append(m.project_id)
    return [
        User(
            r.id,
            r.username,
            r.display_name,
            r.role,
            r.language,
            r.theme,
            r.agent_id,
            r.team_id,
            r.is_active,
            None if r.sees_all_projects else tuple(projects[r.id]),
        )
        for r in rows
    ]


def user(session: Session, user_id: int) -> User | None:
    row = session.get(UserRow, user_id)
    return _users(session, [row])[0] if row else None


def users(session: Session) -> list[User]:
    return _users(
        session, session.scalars(select(UserRow).order_by(UserRow.role, UserRow.username))
    )


def demo_users(session: Session) -> list[User]:
    return _users(
        session,
        session.scalars(
            select(UserRow).where(UserRow.is_demo, UserRow.is_active).order_by(UserRow.id)
        ),
    )


def credentials(session: Session, username: str) -> tuple[User, str | None] | None:
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    return (_users(session, [row])[0], row.password_hash) if row else None


def hold_to_projects(session: Session, user: User | None) -> None:
    """Restrict a session from now on to what the user's projects hold."""
    held = (
        None
        if user is None or user.projects is None
        else ProjectScope(user.projects, user.id, user.agent_id)
    )
    restrict_to_projects(session, held)


def set_projects(session: Session, user_id: int, project_ids: Sequence[int] | None) -> None:
    """Set the projects that a user works for; None: all."""
    session.execute(delete(ProjectMemberRow).where(ProjectMemberRow.user_id == user_id))
    session.add_all(
        ProjectMemberRow(user_id=user_id, project_id=p) for p in sorted(set(project_ids or ()))
    )
    change_user(session, user_id, sees_all_projects=project_ids is None)


def project_ids(session: Session) -> list[tuple[int, str, str]]:
    """List id, code and name of every project, by name."""
    return [
        (r.id, r.code, r.name)
        for r in session.scalars(select(ProjectRow).order_by(ProjectRow.name))
    ]


def add_user(session: Session, **fields: Any) -> User:
    row = UserRow(**fields)
    session.add(row)
    session.flush()
    return _users(session, [row])[0]


def change_user(session: Session, user_id: int, **fields: Any) -> None:
    row = session.get_one(UserRow, user_id)
    for name, value in fields.items():
        setattr(row, name, value)
    session.flush()


def web_session(
    session: Session, token_hash: str, now: datetime
) -> tuple[User | None, dict[str, Any]] | None:
    """Load the user of a web session and its content; None where it ended."""
    query = select(WebSessionRow.content, UserRow).outerjoin(
        UserRow, UserRow.id == WebSessionRow.user_id
    )
    row = session.execute(
        query.where(WebSessionRow.token_hash == token_hash, WebSessionRow.expires_at > now)
    ).first()
    if row is None:
        return None
    content, user_row = row
    return _users(session, [user_row])[0] if user_row else None, dict(content)


def save_web_session(
    session: Session,
    token_hash: str,
    *,
    user_id: int | None,
    content: dict[str, Any],
    now: datetime,
    expires_at: datetime,
) -> None:
    row = session.get(WebSessionRow, token_hash)
    if row is None:
        session.add(
            WebSessionRow(
                token_hash=token_hash,
                user_id=user_id,
                content=content,
                created_at=now,
                expires_at=expires_at,
            )
        )
    else:
        row.user_id, row.content = user_id, content
    session.flush()


def end_web_session(session: Session, token_hash: str) -> None:
    session.execute(delete(WebSessionRow).where(WebSessionRow.token_hash == token_hash))


def end_sessions_of(session: Session, user_id: int) -> None:
    session.execute(delete(WebSessionRow).where(WebSessionRow.user_id == user_id))


def end_expired_sessions(session: Session, now: datetime) -> None:
    session.execute(delete(WebSessionRow).where(WebSessionRow.expires_at < now))


def teams(session: Session) -> list[TeamFacts]:
    query = (
        select(TeamRow.id, TeamRow.name, DepartmentRow.name, func.count(AgentRow.id))
        .join(DepartmentRow, DepartmentRow.id == TeamRow.department_id)
        .outerjoin(AgentRow, AgentRow.team_id == TeamRow.id)
        .group_by(TeamRow.id, TeamRow.name, DepartmentRow.name)
        .order_by(DepartmentRow.name, TeamRow.name)
    )
    return [TeamFacts(*row) for row in session.execute(query)]


def agents(session: Session, *, team_id: int | None = None, limit: int = 5000) -> list[PersonFacts]:
    query = (
        select(AgentRow, TeamRow.name)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .order_by(TeamRow.name, AgentRow.name)
        .limit(limit)
    )
    if team_id is not None:
        query = query.where(AgentRow.team_id == team_id)
    return [_person(a, team) for a, team in session.execute(query)]


def agent(session: Session, agent_id: int) -> PersonFacts | None:
    query = (
        select(AgentRow, TeamRow.name)
        .join(TeamRow, TeamRow.id == AgentRow.team_id)
        .where(AgentRow.id == agent_id)
    )
    row = session.execute(query).first()
    return _person(*row) if row else None


def _person(row: AgentRow, team: str) -> PersonFacts:
    return PersonFacts(row.id, row.code, row.name, row.team_id, team, row.hired_on, row.left_on)


def change_agent(
    session: Session, agent_id: int, *, team_id: int, hired_on: date | None, left_on: date | None
) -> None:
    row = session.get_one(AgentRow, agent_id)
    row.team_id, row.hired_on, row.left_on = team_id, hired_on, left_on


def projects(session: Session) -> list[tuple[str, str]]:
    """List code and name of every project, by name."""
    return [(r.code, r.name) for r in session.scalars(select(ProjectRow).order_by(ProjectRow.name))]


def project_id(session: Session, code: str) -> int | None:
    return session.scalar(select(ProjectRow.id).where(ProjectRow.code == code))


def set_keeps_originals(session: Session, code: str, *, keeps: bool) -> bool:
    """Set whether recordings in which something was masked stay as they came in.

    False where there is no such project.
    """
    row = session.scalar(select(ProjectRow).where(ProjectRow.code == code))
    if row is None:
        return False
    row.keeps_originals = keeps
    return True


def ensure_project(
    session: Session, code: str, *, company: str | None, is_simulated: bool = False
) -> int:
    row = session.scalar(select(ProjectRow).where(ProjectRow.code == code))
    if row is None:
        row = ProjectRow(
            code=code,
            name=company or code,
            variables={"company": company} if company else {},
            is_simulated=is_simulated,
        )
        session.add(row)
    elif company and not row.variables.get("company"):
        row.variables = {**row.variables, "company": company}
    session.flush()
    return row.id


def ensure_team(session: Session, name: str, department: str) -> int:
    team_id = session.scalar(select(TeamRow.id).where(TeamRow.name == name))
    if team_id is not None:
        return team_id
    department_id = session.scalar(select(DepartmentRow.id).where(DepartmentRow.name == department))
    if department_id is None:
        new = DepartmentRow(name=department)
        session.add(new)
        session.flush()
        department_id = new.id
    row = TeamRow(name=name, department_id=department_id)
    session.add(row)
    session.flush()
    return row.id


def ensure_agent(
    session: Session,
    code: str,
    *,
    name: str | None,
    team_id: int,
    hired_on: date | None = None,
    is_simulated: bool = False,
) -> int:
    row = session.scalar(select(AgentRow).where(AgentRow.code == code))
    if row is None:
        row = AgentRow(
            code=code,
            name=name or code,
            team_id=team_id,
            hired_on=hired_on,
            is_simulated=is_simulated,
        )
        session.add(row)
        session.flush()
    return row.id


def agent_by_code(session: Session, code: str) -> tuple[int, int] | None:
    """Return the ids of an agent and their team."""
    row = session.scalar(select(AgentRow).where(AgentRow.code == code))
    return (row.id, row.team_id) if row else None


def daily_goal(session: Session, user_id: int) -> int | None:
    return session.scalars(select(UserRow.daily_goal).where(UserRow.id == user_id)).one()


def saved_filters(session: Session, user_id: int, page: str) -> list[SavedFilter]:
    rows = session.scalars(
        select(SavedFilterRow)
        .where(SavedFilterRow.user_id == user_id, SavedFilterRow.page == page)
        .order_by(SavedFilterRow.name)
    )
    return [SavedFilter(r.id, r.name, r.query) for r in rows]


def save_filter(session: Session, *, user_id: int, page: str, name: str, query: str) -> None:
    """Save a search under a name; the same name again replaces it."""
    row = session.scalar(
        select(SavedFilterRow).where(
            SavedFilterRow.user_id == user_id,
            SavedFilterRow.page == page,
            SavedFilterRow.name == name,
        )
    )
    if row is None:
        session.add(SavedFilterRow(user_id=user_id, page=page, name=name, query=query))
    else:
        row.query = query
    session.flush()


def delete_filter(session: Session, user_id: int, filter_id: int) -> None:
    session.execute(
        delete(SavedFilterRow).where(
            SavedFilterRow.id == filter_id, SavedFilterRow.user_id == user_id
        )
    )


def email_of(session: Session, user_id: int) -> str:
    return session.scalars(select(UserRow.email).where(UserRow.id == user_id)).one()


def agent_name(session: Session, agent_id: int) -> str:
    return session.scalars(select(AgentRow.name).where(AgentRow.id == agent_id)).one()


def users_of_agent(session: Session, agent_id: int) -> list[int]:
    """Users who are this agent."""
    return list(
        session.scalars(
            select(UserRow.id).where(
                UserRow.agent_id == agent_id, UserRow.role == Role.AGENT, UserRow.is_active
            )
        )
    )


def users_with_role(session: Session, role: Role) -> list[User]:
    return _users(
        session,
        session.scalars(
            select(UserRow)
            .where(UserRow.role == role, UserRow.is_active)
            .order_by(UserRow.display_name)
        ),
    )


def leaders_of_agent(session: Session, agent_id: int) -> list[int]:
    query = select(UserRow.id).join(AgentRow, AgentRow.team_id == UserRow.team_id)
    return list(
        session.scalars(
            query.where(
                AgentRow.id == agent_id, UserRow.role == Role.TEAM_LEADER, UserRow.is_active
            )
        )
    )


def has_role(session: Session, role: Role) -> bool:
    return (
        session.scalar(select(UserRow.id).where(UserRow.role == role, UserRow.is_active).limit(1))
        is not None
    )
