"""Queries on kept results."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from qa.result_cache.types import DIGEST_DIGITS, CacheEntry, CacheKey
from qa.states import ResultKind
from qa.tables.database import affected_rows, upsert
from qa.tables.reports import CachedResultRow


def find(session: Session, kind: ResultKind, key: str) -> CacheEntry | None:
    row = session.scalar(
        select(CachedResultRow).where(CachedResultRow.kind == kind, CachedResultRow.key == key)
    )
    if row is None:
        return None
    fingerprint = CacheKey(row.fingerprint[:DIGEST_DIGITS], row.fingerprint[DIGEST_DIGITS:])
    return CacheEntry(row.kind, row.key, fingerprint, row.document, row.seconds, row.made_at)


def save(session: Session, kept: CacheEntry) -> None:
    """Keep a result in place of the one of the same kind and key."""
    content = {
        "fingerprint": "".join(kept.fingerprint),
        "document": kept.document,
        "seconds": kept.seconds,
        "made_at": kept.at,
    }
    upsert(session, CachedResultRow, key={"kind": kept.kind, "key": kept.key}, values=content)


def delete_before(session: Session, *, before: datetime) -> int:
    """Drop what was counted before a time; how many."""
    return affected_rows(session, delete(CachedResultRow).where(CachedResultRow.made_at < before))
