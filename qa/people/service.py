"""Sign in and out, add and change users."""

import hashlib
import re
import secrets
from datetime import date, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from qa.people import store
from qa.people.rules import password_fault
from qa.people.types import User
from qa.states import Role

HASHER = PasswordHasher()
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
    "$2T0bzHrG7rRp2cKq0BXk3r0q9ld3JmE6C2qv9lS1m3k"
)


class UserRefused(ValueError):
    """A user that cannot be added; the first argument is a code: username, taken, too_short,
    too_long, like_the_name, team, agent.
    """


def password_user(session: Session, *, username: str, password: str) -> User | None:
    """The user whose password this is, or None. Unknown names take as long as wrong passwords."""
    found = store.credentials(session, username.strip().lower())
    stored = found[1] if found else None
    try:
        HASHER.verify(stored or NOBODY, password[:200])
    except (VerificationError, InvalidHashError):
        return None
    return found[0] if found and stored and found[0].is_active else None


def add_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: Role,
    password: str | None,
    at: datetime,
    language: str = "en",
    team_id: int | None = None,
    agent_id: int | None = None,
    is_demo: bool = False,
) -> User:
    """A new user. Without a password nobody can sign in as them except by the demo's buttons.

    Raises UserRefused.
    """
    username = username.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,79}", username):
        raise UserRefused("username")
    if store.credentials(session, username):
        raise UserRefused("taken")
    if role is Role.TEAM_LEADER and team_id is None:
        raise UserRefused("team")
    if role is Role.AGENT and agent_id is None:
        raise UserRefused("agent")
    if password is not None and (fault := password_fault(password, username)):
        raise UserRefused(fault)
    return store.add_user(
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


class AgentRefused(ValueError):
    """A change of an agent that cannot be made; the first argument is a code: team, order."""


def change_agent(
    session: Session, *, agent_id: int, team_id: int, hired_on: date | None, left_on: date | None
) -> None:
    """Move an agent to a team, note when they came and left.

    Reports of all months show them in the team they are in now. Raises AgentRefused.
    """
    if team_id not in {t.id for t in store.teams(session)}:
        raise AgentRefused("team")
    if hired_on and left_on and left_on < hired_on:
        raise AgentRefused("order")
    store.change_agent(session, agent_id, team_id=team_id, hired_on=hired_on, left_on=left_on)


def disable_user(session: Session, *, user_id: int) -> None:
    """No sign-in any more, and every open session ends now."""
    store.change_user(session, user_id, is_active=False)
    store.end_sessions_of(session, user_id)


def set_password(session: Session, *, user_id: int, username: str, password: str) -> None:
    """A new password ends every open session. Raises UserRefused."""
    if fault := password_fault(password, username):
        raise UserRefused(fault)
    store.change_user(session, user_id, password_hash=HASHER.hash(password))
    store.end_sessions_of(session, user_id)


def set_preferences(
    session: Session, *, user_id: int, language: str | None = None, theme: str | None = None
) -> None:
    fields = {k: v for k, v in (("language", language), ("theme", theme)) if v}
    store.change_user(session, user_id, **fields)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def session_end(at: datetime, hours: int) -> datetime:
    return at + timedelta(hours=hours)
