"""Queries on kept results."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from qa.kept.types import Kept, Kind
from qa.tables.reports import KeptResultRow


def find(session: Session, kind: Kind, key: str) -> Kept | None:
    row = session.scalar(select(KeptResultRow).where(KeptResultRow.kind == kind, KeptResultRow.key == key))
    return Kept(row.kind, row.key, row.fingerprint, row.document, row.seconds, row.made_at) if row else None


def keep(session: Session, kept: Kept) -> None:
    """Keep a result in place of the one of the same kind and key."""
    session.execute(delete(KeptResultRow).where(KeptResultRow.kind == kept.kind, KeptResultRow.key == kept.key))
    content = {"fingerprint": kept.fingerprint, "document": kept.document, "seconds": kept.seconds, "made_at": kept.at}
    session.add(KeptResultRow(kind=kept.kind, key=kept.key, **content))
    session.flush()


def forget(session: Session, *, before: datetime) -> int:
    """Drop what was counted before a time; how many."""
    return session.execute(delete(KeptResultRow).where(KeptResultRow.made_at < before)).rowcount  # type: ignore[attr-defined, no-any-return]
