"""Listen to a call: decode, transcribe, take out what is private, measure.

And correct a word afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.forms.types import in_language
from qa.intake.types import CallFacts
from qa.transcription import store
from qa.transcription.rules import measure
from qa.transcription.rules.redaction import redact
from qa.transcription.rules.search_text import corrected_text, searchable
from qa.transcription.types import (
    Mechanics,
    RedactedAudio,
    Redaction,
    Transcript,
    TranscriptionResult,
)

MOSTLY = 0.8
ProgressCallback = Callable[[float], None]


class TranscriptionEngine(Protocol):
    """The sound engine as this stage needs it."""

    def transcribe(
        self,
        path: Path,
        *,
        language: str | None,
        source_name: str,
        hotwords: Sequence[str] = (),
        tell: ProgressCallback | None = None,
    ) -> TranscriptionResult: ...

    def silence(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio: ...


class RecordingStore(Protocol):
    def as_file(self, key: str): ...  # type: ignore[no-untyped-def]  # a context manager of Path

    def save(self, key: str, content: bytes) -> None: ...

    def read(self, key: str) -> bytes: ...


@dataclass(frozen=True)
class Transcribed:
    """`media_type` is that of the silenced copy that is to be played from now on; None where
    nothing had to be silenced.
    """

    transcript: Transcript
    mechanics: Mechanics
    media_type: str | None


def listen(
    call: CallFacts,
    *,
    ears: TranscriptionEngine,
    shelf: RecordingStore,
    private_names: Sequence[str] = (),
    script_lines: Sequence[str] = (),
    tell: ProgressCallback | None = None,
) -> Transcribed:
    """The transcript and the mechanics of a call.

    No database: this takes a while; `tell` hears how much is done (0–1).

    `script_lines` are what the agent should say word for word: the recogniser is asked to listen
    for them.

    What is private is masked before anything is kept, and silenced in a playback copy that is kept
    at once. If that fails, all fails. Raises RecordingUnreadable where the stored recording cannot
    be decoded.
    """
    with shelf.as_file(f"{call.storage_key}/original") as path:
        heard = ears.transcribe(
            path,
            language=call.language,
            source_name=call.source_name,
            hotwords=[*_company_words(call), *script_lines],
            tell=tell,
        )
        mechanics = measure_mechanics(heard)
        transcript = redact(heard.transcript, names=private_names)
        if not transcript.redactions:
            return Transcribed(transcript, mechanics, None)
        muted = ears.silence(path, transcript.redactions)
    shelf.save(f"{call.storage_key}/playback", muted.sound)
    shelf.save(f"{call.storage_key}/peaks", muted.peaks)
    return Transcribed(transcript, mechanics, muted.media_type)


def replace_original_with_redacted(call: CallFacts, *, shelf: RecordingStore) -> None:
    """Put the silenced copy in the place of the recording as it came in. Safe to repeat."""
    shelf.save(f"{call.storage_key}/original", shelf.read(f"{call.storage_key}/playback"))


def may_keep_original(call: CallFacts, transcript: Transcript) -> bool:
    """Whether the recording as it came in may stay: nothing was masked, or the project says so and
    no card code was spoken.
    """
    kinds = {r.kind for r in transcript.redactions}
    return not kinds or (call.keeps_originals and not kinds & {"cvv"})


def measure_mechanics(heard: TranscriptionResult) -> Mechanics:
    """The mechanics of a recording; where the speakers are not known only what needs none."""
    two = len(heard.speech) == 2
    agent, customer = heard.speech if two else (heard.speech[0] if heard.speech else (), ())
    return measure(
        heard.transcript,
        agent,
        customer,
        speakers_known=two and _knows_speakers(heard.transcript),
        line=heard.line,
    )


def _knows_speakers(transcript: Transcript) -> bool:
    """Whether nearly every utterance surely has its speaker: then figures per speaker may be
    judged.
    """
    sure = [u.is_sure_of_speaker for u in transcript.utterances]
    return not sure or sum(sure) >= MOSTLY * len(sure)


def _company_words(call: CallFacts) -> list[str]:
    """The project's own words in the call's language: what a recogniser is most likely to miss."""
    words = [
        in_language(value, call.language or "en") if isinstance(value, dict) else str(value)
        for value in call.variables.values()
    ]
    return [w for w in words if w]


class NoSuchWord(ValueError):
    """The transcript has no word at this place, or the correction is empty."""


def correct_word(
    session: Session, *, call_id: int, utterance: int, word: int, text: str, by: int, at: datetime
) -> str:
    """Set a recognised word right; the transcript keeps what was recognised.

    An equal text takes a correction back. Raises NoSuchWord.
    """
    heard = store.transcript(session, call_id)
    said = " ".join(text.split())[:200]
    if heard is None or not said:
        raise NoSuchWord
    try:
        recognised = (heard[0].utterances[utterance].words or ())[word].text
    except IndexError as error:
        raise NoSuchWord from error
    store.add_correction(
        session,
        call_id=call_id,
        utterance=utterance,
        word=word,
        recognised=recognised[:200],
        corrected=said,
        by=by,
        at=at,
    )
    store.index(
        session, call_id, searchable(corrected_text(heard[0], store.corrections(session, call_id)))
    )
    record_event(
        session,
        subject=Subject.CALL,
        subject_id=call_id,
        event=EventKind.WORD_CORRECTED,
        at=at,
        actor_id=by,
        utterance=utterance,
        word=word,
    )
    return said
