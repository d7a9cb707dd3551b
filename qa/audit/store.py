"""Events are appended and read, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from qa.audit.types import Event, Subject
from qa.tables.people import UserRow
from qa.tables.records import EventRow


def note(session: Session, *, subject: Subject, subject_id: int, what: str, at: datetime, actor_id: int | None = None, **detail: Any) -> None:
    """Append one event, in the transaction of what it tells about."""
    session.add(EventRow(at=at, actor_id=actor_id, subject=subject.value, subject_id=subject_id, what=what, detail=detail))


def history(session: Session, *, subject: Subject | None = None, subject_id: int | None = None, before_id: int | None = None, limit: int = 100) -> list[Event]:
    """The newest events first, of one subject or of all."""
    query = select(EventRow, UserRow.display_name).outerjoin(UserRow, UserRow.id == EventRow.actor_id).order_by(EventRow.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(EventRow.subject == subject.value, EventRow.subject_id == subject_id)
    if before_id is not None:
        query = query.where(EventRow.id < before_id)
    return [Event(e.id, e.at, name, e.subject, e.subject_id, e.what, e.detail) for e, name in session.execute(query)]
