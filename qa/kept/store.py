"""Queries on kept results."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from qa.kept.types import HALF, Fingerprint, Kept
from qa.states import ResultKind
from qa.tables.database import put
from qa.tables.reports import KeptResultRow


def find(session: Session, kind: ResultKind, key: str) -> Kept | None:
    row = session.scalar(
        select(KeptResultRow).where(KeptResultRow.kind == kind, KeptResultRow.key == key)
    )
    if row is None:
        return None
    fingerprint = Fingerprint(row.fingerprint[:HALF], row.fingerprint[HALF:])
    return Kept(row.kind, row.key, fingerprint, row.document, row.seconds, row.made_at)


def keep(session: Session, kept: Kept) -> None:
    """Keep a result in place of the one of the same kind and key."""
    content = {
        "fingerprint": "".join(kept.fingerprint),
        "document": kept.document,
        "seconds": kept.seconds,
        "made_at": kept.at,
    }
    put(session, KeptResultRow, key={"kind": kept.kind, "key": kept.key}, values=content)


def forget(session: Session, *, before: datetime) -> int:
    """Drop what was counted before a time; how many."""
    return session.execute(delete(KeptResultRow).where(KeptResultRow.made_at < before)).rowcount  # type: ignore[attr-defined, no-any-return]
