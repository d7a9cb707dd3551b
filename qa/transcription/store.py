"""Queries on transcripts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from qa.tables.results import TranscriptRow
from qa.transcription.types import Mechanics, Transcript


def transcript(session: Session, call_id: int) -> tuple[Transcript, Mechanics] | None:
    row = session.get(TranscriptRow, call_id)
    return (Transcript.model_validate(row.document), Mechanics.model_validate(row.mechanics)) if row else None


def has_transcript(session: Session, call_id: int) -> bool:
    return session.scalar(select(TranscriptRow.call_id).where(TranscriptRow.call_id == call_id)) is not None


def transcribed(session: Session, call_ids: Sequence[int]) -> set[int]:
    """Those of the calls that have a transcript."""
    return set(session.scalars(select(TranscriptRow.call_id).where(TranscriptRow.call_id.in_(call_ids))))


def keep(session: Session, *, call_id: int, transcript: Transcript, mechanics: Mechanics, at: datetime) -> None:
    """The call's one transcript; a second run replaces it whole."""
    row = session.get(TranscriptRow, call_id)
    document, numbers = transcript.model_dump(mode="json"), mechanics.model_dump(mode="json")
    if row is None:
        session.add(TranscriptRow(call_id=call_id, language=transcript.language, document=document, mechanics=numbers, created_at=at))
    else:
        row.language, row.document, row.mechanics, row.created_at = transcript.language, document, numbers, at
    session.flush()
