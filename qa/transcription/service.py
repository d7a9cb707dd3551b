"""Transcribe a call: decode, transcribe, redact, measure; and correct a word afterwards.

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
        on_progress: ProgressCallback | None = None,
    ) -> TranscriptionResult: ...

    def silence(self, path: Path, spans: Sequence[Redaction]) -> RedactedAudio: ...


class RecordingStore(Protocol):
    def as_file(self, key: str): ...  # type: ignore[no-untyped-def]  # a context manager of Path

    def save(self, key: str, content: bytes) -> None: ...

    def read(self, key: str) -> bytes: ...


@dataclass(frozen=True)
class Transcribed:
    """The transcript and mechanics of a call.

    `media_type` is that of the silenced copy that is to be played from now on; None where nothing
    had to be silenced.
    """

    transcript: Transcript
    mechanics: Mechanics
    media_type: str | None


def transcribe(
    call: CallFacts,
    *,
    audio: TranscriptionEngine,
    storage: RecordingStore,
    private_names: Sequence[str] = (),
    script_lines: Sequence[str] = (),
    on_progress: ProgressCallback | None = None,
) -> Transcribed:
    """Transcribe a call, redact what is private, and measure its mechanics.

    No database: this takes a while; `on_progress` hears how much is done (0–1).

    No database: this takes a while; `on_progress` hears how much is done (0–1).

    `script_lines` are what the agent should say word for word: the recogniser is asked to listen
    for them.

    What is private is masked before anything is kept, and silenced in a playback copy that is kept
    at once. If that fails, all fails. Raises RecordingUnreadable where the stored recording cannot
    be decoded.
    """
    with storage.as_file(f"{call.storage_key}/original") as path:
        result = audio.transcribe(
            path,
            language=call.language,
            source_name=call.source_name,
            hotwords=[*_company_words(call), *script_lines],
            on_progress=on_progress,
        )
        mechanics = measure_mechanics(result)
        transcript = redact(result.transcript, names=private_names)
        if not transcript.redactions:
            return Transcribed(transcript, mechanics, None)
        redacted = audio.silence(path, transcript.redactions)
    storage.save(f"{call.storage_key}/playback", redacted.sound)
    storage.save(f"{call.storage_key}/peaks", redacted.peaks)
    return Transcribed(transcript, mechanics, redacted.media_type)


def replace_original_with_redacted(call: CallFacts, *, storage: RecordingStore) -> None:
    """Replace the recording as it came in by its silenced copy. Safe to repeat."""
    storage.save(f"{call.storage_key}/original", storage.read(f"{call.storage_key}/playback"))


def may_keep_original(call: CallFacts, transcript: Transcript) -> bool:
    """Tell whether the recording as it came in may stay.

    It may where nothing was masked, or the project says so and no card code was spoken.
    """
    kinds = {redaction.kind for redaction in transcript.redactions}
    return not kinds or (call.keeps_originals and not kinds & {"cvv"})


def measure_mechanics(result: TranscriptionResult) -> Mechanics:
    """Measure the mechanics of a recording; unknown speakers leave only what needs none."""
    is_stereo = len(result.speech) == 2
    agent, customer = (*result.speech, (), ())[:2]
    return measure(
        result.transcript,
        agent,
        customer,
        speakers_known=is_stereo and _knows_speakers(result.transcript),
        line=result.line,
    )


def _knows_speakers(transcript: Transcript) -> bool:
    """Tell whether nearly every utterance surely has its speaker.

    Then figures per speaker may be judged.
    """
    sure = [utterance.is_sure_of_speaker for utterance in transcript.utterances]
    return not sure or sum(sure) >= MOSTLY * len(sure)


def _company_words(call: CallFacts) -> list[str]:
    """List the project's own words in the call's language, for the recogniser."""
    words = [
        in_language(value, call.language or "en") if isinstance(value, dict) else str(value)
        for value in call.variables.values()
    ]
    return [word for word in words if word]


class NoSuchWord(ValueError):
    """The transcript has no word at this place, or the correction is empty."""


def correct_word(
    session: Session, *, call_id: int, utterance: int, word: int, text: str, by: int, at: datetime
) -> str:
    """Correct a recognised word; the transcript keeps what was recognised.

    An equal text takes a correction back. Raises NoSuchWord.
    """
    stored = store.transcript(session, call_id)
    corrected = " ".join(text.split())[:200]
    if stored is None or not corrected:
        raise NoSuchWord
    try:
        recognised = (stored[0].utterances[utterance].words or ())[word].text
    except IndexError as error:
        raise NoSuchWord from error
    store.add_correction(
        session,
        call_id=call_id,
        utterance=utterance,
        word=word,
        recognised=recognised[:200],
        corrected=corrected,
        by=by,
        at=at,
    )
    store.index(
        session, call_id, searchable(corrected_text(stored[0], store.corrections(session, call_id)))
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
    return corrected
