"""Log exports: of tables, and of the report of a month."""

from datetime import datetime
from typing import Any

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


def record_report_export(
    session: Session, *, month: str, by: int, at: datetime, **detail: Any
) -> None:
    """Log that a user took the report of a month away as a file; `detail` says which."""
    record_event(
        session,
        subject=Subject.MONTH,
        subject_id=int(month.replace("-", "")),
        event=EventKind.EXPORTED,
        at=at,
        actor_id=by,
        **detail,
    )
