"""Log what concerns no stage of its own: exports of tables."""

from datetime import datetime

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject


def record_export(session: Session, *, table: str, rows: int, by: int, at: datetime) -> None:
    """Log that a user exported so many rows of a table."""
    record_event(
        session,
        subject=Subject.USER,
        subject_id=by,
        event=EventKind.EXPORTED,
        at=at,
        actor_id=by,
        table=table,
        rows=rows,
    )
