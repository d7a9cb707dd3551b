"""Queries on transcripts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, Select, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from qa.tables.results import CorrectionRow, SpokenRow, TranscriptRow
from qa.transcription.rules.search_text import searchable
from qa.transcription.types import Corrections, Mechanics, Transcript


def transcript(session: Session, call_id: int) -> tuple[Transcript, Mechanics] | None:
    row = session.get(TranscriptRow, call_id)
    return (
        (Transcript.model_validate(row.document), Mechanics.model_validate(row.mechanics))
        if row
        else None
    )


def has_transcript(session: Session, call_id: int) -> bool:
    return (
        session.scalar(select(TranscriptRow.call_id).where(TranscriptRow.call_id == call_id))
        is not None
    )


def transcribed(session: Session, call_ids: Sequence[int]) -> set[int]:
    """Those of the calls that have a transcript."""
    return set(
        session.scalars(select(TranscriptRow.call_id).where(TranscriptRow.call_id.in_(call_ids)))
    )


def corrections(session: Session, call_id: int) -> Corrections:
    """Words that people set right, by the numbers of utterance and word; the newest of a place
    counts.
    """
    rows = session.scalars(
        select(CorrectionRow).where(CorrectionRow.call_id == call_id).order_by(CorrectionRow.id)
    )
    newest = {(r.utterance, r.word): r for r in rows}
    return {place: r.corrected for place, r in newest.items() if r.corrected != r.recognised}


def add_correction(
    session: Session,
    *,
    call_id: int,
    utterance: int,
    word: int,
    recognised: str,
    corrected: str,
    by: int,
    at: datetime,
) -> None:
    row = CorrectionRow(
        call_id=call_id,
        utterance=utterance,
        word=word,
        recognised=recognised,
        corrected=corrected,
        by_id=by,
        at=at,
    )
    session.add(row)
    session.flush()


def index(session: Session, call_id: int, words: str) -> None:
    """Write the words by which the search finds a call."""
    session.merge(SpokenRow(call_id=call_id, words=words))
    session.flush()


def calls_containing(phrase: str, *, dialect: str) -> Select[int]:
    """The calls in which a phrase was said, as a query of their ids.

    `phrase` is as `qa.transcription.rules.search` writes it.
    """
    if dialect == "sqlite":
        quoted = '"' + phrase.replace('"', "") + '"'
        return (
            select(column("rowid", Integer))
            .select_from(table("spoken_index"))
            .where(text("spoken_index MATCH :phrase").bindparams(phrase=quoted))
        )
    vector = func.to_tsvector(literal_column("'simple'"), SpokenRow.words)
    return select(SpokenRow.call_id).where(
        vector.op("@@")(func.phraseto_tsquery(literal_column("'simple'"), phrase))
    )


def save_transcript(
    session: Session, *, call_id: int, transcript: Transcript, mechanics: Mechanics, at: datetime
) -> None:
    """The call's one transcript; a second run replaces it whole."""
    row = session.get(TranscriptRow, call_id)
    document, numbers = transcript.model_dump(mode="json"), mechanics.model_dump(mode="json")
    if row is None:
        session.add(
            TranscriptRow(
                call_id=call_id,
                language=transcript.language,
                document=document,
                mechanics=numbers,
                created_at=at,
            )
        )
    else:
        row.language, row.document, row.mechanics, row.created_at = (
            transcript.language,
            document,
            numbers,
            at,
        )
    index(session, call_id, searchable(" ".join(u.text for u in transcript.utterances)))
