"""Append and read events of the audit log; they are never changed.

They are written last in their transaction, one writer at a time, each chained to the one before.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import event, func, insert, select, update
from sqlalchemy.orm import Session

from qa.audit.rules import digest
from qa.audit.types import Event, EventKind, Head, Line, Subject
from qa.tables.people import UserRow
from qa.tables.records import EventHeadRow, EventRow

PENDING = "events"


def record_event(
    session: Session,
    *,
    subject: Subject,
    subject_id: int,
    event: EventKind,
    at: datetime,
    actor_id: int | None = None,
    **detail: Any,
) -> None:
    """Append one event to the log, in the transaction of what it is about."""
    line = {
        "at": at,
        "actor_id": actor_id,
        "subject": subject.value,
        "subject_id": subject_id,
        "what": event.value,
        "detail": detail,
    }
    session.info.setdefault(PENDING, []).append(line)


@event.listens_for(Session, "before_commit")
def _write_down(session: Session) -> None:
    """Chain what this transaction recorded to the end.

    The lock on the end is the last one taken, so that no two writers wait for each other.
    """
    if session.in_nested_transaction() or not session.info.get(PENDING):
        return
    session.flush()
    lines = session.info.pop(PENDING)
    end = session.execute(
        select(EventHeadRow.event_id, EventHeadRow.digest)
        .where(EventHeadRow.id == 1)
        .with_for_update()
    ).one()
    event_id, before = end
    rows = []
    for line in lines:
        event_id += 1
        before = digest(before, event_id=event_id, **line)
        rows.append(line | {"id": event_id, "digest": before})
    session.execute(insert(EventRow), rows)
    session.execute(
        update(EventHeadRow).where(EventHeadRow.id == 1).values(event_id=event_id, digest=before)
    )


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _previous: Any) -> None:
    if not session.in_nested_transaction():
        session.info.pop(PENDING, None)


def history(
    session: Session,
    *,
    subject: Subject | None = None,
    subject_id: int | None = None,
    actor_id: int | None = None,
    what: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """List the newest events first; each condition narrows them."""
    query = (
        select(EventRow, UserRow.display_name)
        .outerjoin(UserRow, UserRow.id == EventRow.actor_id)
        .order_by(EventRow.id.desc())
        .limit(limit)
    )
    conditions = (
        (EventRow.subject == subject.value if subject is not None else None),
        (EventRow.subject_id == subject_id if subject_id is not None else None),
        (EventRow.actor_id == actor_id if actor_id is not None else None),
        (EventRow.what == what if what else None),
        (EventRow.at >= since if since else None),
        (EventRow.at < until if until else None),
        (EventRow.id < before_id if before_id is not None else None),
    )
    rows = session.execute(query.where(*[c for c in conditions if c is not None]))
    return [Event(e.id, e.at, name, e.subject, e.subject_id, e.what, e.detail) for e, name in rows]


def kinds(session: Session) -> list[str]:
    """List every kind of event that happened."""
    return list(session.scalars(select(EventRow.what).distinct().order_by(EventRow.what)))


def head(session: Session) -> Head:
    row = session.get_one(EventHeadRow, 1)
    return Head(row.event_id, row.digest)


def lines(session: Session) -> Iterator[Line]:
    """Read the whole chain in its order, a thousand lines in memory at a time."""
    columns = (
        EventRow.id,
        EventRow.at,
        EventRow.actor_id,
        EventRow.subject,
        EventRow.subject_id,
        EventRow.what,
        EventRow.detail,
        EventRow.digest,
    )
    for row in session.execute(
        select(*columns).order_by(EventRow.id).execution_options(yield_per=1000)
    ):
        yield Line(*row)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(EventRow)) or 0
