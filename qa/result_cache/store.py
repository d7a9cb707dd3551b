"""Read and write cached results."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from qa.result_cache.types import DIGEST_DIGITS, CacheEntry, CacheKey
from qa.states import ResultKind
from qa.tables.database import affected_rows, upsert
from qa.tables.reports import CachedResultRow


def find(session: Session, kind: ResultKind, name: str) -> CacheEntry | None:
    """Find the cached result of a kind and name."""
    row = session.scalar(
        select(CachedResultRow).where(CachedResultRow.kind == kind, CachedResultRow.key == name)
    )
    if row is None:
        return None
    cache_key = CacheKey(row.fingerprint[:DIGEST_DIGITS], row.fingerprint[DIGEST_DIGITS:])
    return CacheEntry(row.kind, row.key, cache_key, row.document, row.seconds, row.made_at)


def save(session: Session, entry: CacheEntry) -> None:
    """Save a result in place of the one of the same kind and name."""
    content = {
        "fingerprint": "".join(entry.cache_key),
        "document": entry.document,
        "seconds": entry.seconds,
        "made_at": entry.at,
    }
    upsert(session, CachedResultRow, key={"kind": entry.kind, "key": entry.name}, values=content)


def delete_before(session: Session, *, before: datetime) -> int:
    """Delete the results computed before a time, and return how many."""
    return affected_rows(session, delete(CachedResultRow).where(CachedResultRow.made_at < before))
