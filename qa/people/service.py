"""Sign in and out, add and change users, agents, and what people keep for themselves."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.people import store
from qa.people.rules import password_fault
from qa.people.types import AgentFault, User, UserFault
from qa.states import Role

HASHER = PasswordHasher()
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
    "$2T0bzHrG7rRp2cKq0BXk3r0q9ld3JmE6C2qv9lS1m3k"
)


class UserRefused(ValueError):
    """A user that cannot be added, or a password that cannot be set; `fault` says why."""

    def __init__(self, fault: UserFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class AgentRefused(ValueError):
    """A change of an agent that cannot be made; `fault` says why."""

    def __init__(self, fault: AgentFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class UnknownPerson(LookupError):
    """There is no such user or agent."""


class WrongPassword(ValueError):
    """The present password is not this one."""


def password_user(session: Session, *, username: str, password: str) -> User | None:
    """Return the user whose password this is, or None.

    Unknown names take as long as wrong passwords.
    """
    credentials = store.credentials(session, username.strip().lower())
    stored = credentials[1] if credentials else None
    try:
        HASHER.verify(stored or NOBODY, password[:200])
    except (VerificationError, InvalidHashError):
        return None
    return credentials[0] if credentials and stored and credentials[0].is_active else None


def sign_in(
    session: Session,
    *,
    user_id: int,
    at: datetime,
    language: str | None = None,
    theme: str | None = None,
) -> None:
    """Log that a user signed in; keep the language and theme picked before signing in."""
    if language or theme:
        set_preferences(session, user_id=user_id, language=language, theme=theme)
    _record(session, user_id, EventKind.SIGNED_IN, by=user_id, at=at)


def sign_out(session: Session, *, user_id: int, at: datetime) -> None:
    """Log that a user signed out; the web session ends with the request."""
    _record(session, user_id, EventKind.SIGNED_OUT, by=user_id, at=at)


def add_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: Role,
    password: str | None,
    at: datetime,
    by: int | None = None,
    language: str = "en",
    team_id: int | None = None,
    agent_id: int | None = None,
    is_demo: bool = False,
) -> User:
    """Add a user; without a password nobody signs in as them except by the demo's buttons.

    Raises UserRefused.
    """
    username = username.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,79}", username):
        raise UserRefused(UserFault.USERNAME)
    if store.credentials(session, username):
        raise UserRefused(UserFault.TAKEN)
    if role is Role.TEAM_LEADER and team_id is None:
        raise UserRefused(UserFault.TEAM)
    if role is Role.AGENT and agent_id is None:
        raise UserRefused(UserFault.AGENT)
    if password is not None and (fault := password_fault(password, username)):
        raise UserRefused(fault)
    user = store.add_user(
        session,
        username=username,
        display_name=display_name.strip() or username,
        role=role,
        password_hash=HASHER.hash(password) if password else None,
        language=language,
        team_id=team_id,
        agent_id=agent_id,
        is_demo=is_demo,
        is_active=True,
        created_at=at,
    )
    _record(session, user.id, EventKind.ADDED, by=by, at=at, role=role.value)
    return user


def change_agent(
    session: Session,
    *,
    agent_id: int,
    team_id: int,
    hired_on: date | None,
    left_on: date | None,
    by: int,
    at: datetime,
) -> None:
    """Move an agent to a team, note when they came and left.

    Reports of all months show them in the team they are in now.
    Raises UnknownPerson, AgentRefused.
    """
    agent = store.agent(session, agent_id)
    if agent is None:
        raise UnknownPerson(agent_id)
    if team_id not in {t.id for t in store.teams(session)}:
        raise AgentRefused(AgentFault.TEAM)
    if hired_on and left_on and left_on < hired_on:
        raise AgentRefused(AgentFault.ORDER)
    store.change_agent(session, agent_id, team_id=team_id, hired_on=hired_on, left_on=left_on)
    record_event(
        session,
        subject=Subject.AGENT,
        subject_id=agent_id,
        event=EventKind.SETTING_CHANGED,
        at=at,
        actor_id=by,
        team_id=team_id,
        hired_on=hired_on.isoformat() if hired_on else "",
        left_on=left_on.isoformat() if left_on else "",
        team_before=agent.team_id,
    )


def disable_user(session: Session, *, user_id: int, at: datetime, by: int | None = None) -> None:
    """Forbid a user to sign in, and end their open sessions now. Raises UnknownPerson.

    Nobody disables themselves.
    """
    _other_user(session, user_id, by=by)
    store.change_user(session, user_id, is_active=False)
    store.end_sessions_of(session, user_id)
    _record(session, user_id, EventKind.DISABLED, by=by, at=at)


def set_projects(
    session: Session,
    *,
    user_id: int,
    project_ids: Sequence[int] | None,
    at: datetime,
    by: int | None = None,
) -> None:
    """Restrict a user to some projects; None: they see all. Raises UnknownPerson.

    Unknown projects are left out. Nobody changes their own.
    """
    _other_user(session, user_id, by=by)
    existing = {id for id, _code, _name in store.project_ids(session)}
    projects = None if project_ids is None else [p for p in project_ids if p in existing]
    store.set_projects(session, user_id, projects)
    _record(session, user_id, EventKind.PROJECTS_CHANGED, by=by, at=at, projects=projects)


def set_password(
    session: Session,
    *,
    user_id: int,
    username: str,
    password: str,
    at: datetime,
    by: int | None = None,
) -> None:
    """Set a new password, which ends every open session of the user. Raises UserRefused."""
    if fault := password_fault(password, username):
        raise UserRefused(fault)
    store.change_user(session, user_id, password_hash=HASHER.hash(password))
    store.end_sessions_of(session, user_id)
    _record(session, user_id, EventKind.PASSWORD_CHANGED, by=by, at=at)


def change_password(session: Session, *, user: User, current: str, new: str, at: datetime) -> None:
    """Let a user change their own password. Raises WrongPassword, UserRefused."""
    if password_user(session, username=user.username, password=current) is None:
        raise WrongPassword
    set_password(session, user_id=user.id, username=user.username, password=new, by=user.id, at=at)


def set_preferences(
    session: Session, *, user_id: int, language: str | None = None, theme: str | None = None
) -> None:
    """Set a user's language and theme; what is left out stays."""
    fields = {k: v for k, v in (("language", language), ("theme", theme)) if v}
    store.change_user(session, user_id, **fields)


def set_email(session: Session, *, user_id: int, email: str) -> None:
    """Set the address that a user's notices are mailed to; empty for none."""
    store.change_user(session, user_id, email=email)


def save_filter(session: Session, *, user_id: int, page: str, name: str, query: str) -> None:
    """Save a search of a page under a name; the same name again replaces it."""
    store.save_filter(session, user_id=user_id, page=page, name=name, query=query)


def delete_filter(session: Session, *, user_id: int, filter_id: int) -> None:
    """Delete a saved search of this user; another's stays."""
    store.delete_filter(session, user_id, filter_id)


def new_token() -> str:
    """Return a random token for the cookie of a web session."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the hash under which a web session is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def web_session(
    session: Session, *, token: str, now: datetime
) -> tuple[User | None, dict[str, Any]] | None:
    """Load the user and content of a web session; None where it ended."""
    return store.web_session(session, token_hash(token), now)


def save_web_session(
    session: Session,
    *,
    token: str,
    user_id: int | None,
    content: dict[str, Any],
    hours: int,
    now: datetime,
) -> None:
    """Write a web session down; a new one ends after so many hours."""
    store.save_web_session(
        session,
        token_hash(token),
        user_id=user_id,
        content=content,
        now=now,
        expires_at=now + timedelta(hours=hours),
    )


def end_web_session(session: Session, *, token: str) -> None:
    """End a web session: its cookie opens nothing any more."""
    store.end_web_session(session, token_hash(token))


def _other_user(session: Session, user_id: int, *, by: int | None) -> User:
    user = store.user(session, user_id)
    if user is None or user_id == by:
        raise UnknownPerson(user_id)
    return user


def _record(
    session: Session, user_id: int, event: EventKind, *, by: int | None, at: datetime, **detail: Any
) -> None:
    """Log what a signed-in user did; set-up, simulation and command line act as nobody."""
    if by is None:
        return
    record_event(
        session,
        subject=Subject.USER,
        subject_id=user_id,
        event=event,
        at=at,
        actor_id=by,
        **detail,
    )


def user(session: Session, user_id: int) -> User | None:
    """Return a user; None where there is none."""
    return store.user(session, user_id)


def users_with_role(session: Session, role: Role) -> list[User]:
    """List the active users of a role, by name."""
    return store.users_with_role(session, role)


def has_role(session: Session, role: Role) -> bool:
    """Tell whether any active user has a role."""
    return store.has_role(session, role)


def users_of_agent(session: Session, agent_id: int) -> list[int]:
    """List the ids of the users who are this agent, to notify them."""
    return store.users_of_agent(session, agent_id)


def leaders_of_agent(session: Session, agent_id: int) -> list[int]:
    """List the ids of the team leaders of an agent, to notify them."""
    return store.leaders_of_agent(session, agent_id)


def agent_name(session: Session, agent_id: int) -> str:
    """Return the name of an agent."""
    return store.agent_name(session, agent_id)


def set_workload(session: Session, user_id: int, *, daily_goal: int | None, share: int) -> None:
    """Set how many calls a user means to score a day, and their share of those that arrive."""
    store.change_user(session, user_id, daily_goal=daily_goal, queue_share=share)
