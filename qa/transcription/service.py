"""Listen to a call: decode, transcribe, measure."""

from pathlib import Path
from typing import Protocol

from qa.intake.types import CallFacts
from qa.transcription.rules import measure
from qa.transcription.types import Mechanics, Span, Transcript


class Ears(Protocol):
    """The sound engine as this stage needs it."""

    def transcribe(self, path: Path, *, language: str | None, source_name: str) -> tuple[Transcript, tuple[tuple[Span, ...], ...]]: ...


class Shelf(Protocol):
    def as_file(self, key: str): ...  # type: ignore[no-untyped-def]  # a context manager of Path


def listen(call: CallFacts, *, ears: Ears, shelf: Shelf) -> tuple[Transcript, Mechanics]:
    """The transcript and the mechanics of a call. No database: this takes a while.

    Raises RecordingUnreadable where the stored recording cannot be decoded.
    """
    with shelf.as_file(f"{call.storage_key}/original") as path:
        transcript, spans = ears.transcribe(path, language=call.language, source_name=call.source_name)
    return transcript, mechanics_of(transcript, spans)


def mechanics_of(transcript: Transcript, spans: tuple[tuple[Span, ...], ...]) -> Mechanics:
    """The mechanics of a transcript; of a mono recording only what needs no speakers."""
    if len(spans) == 2:
        return measure(transcript, spans[0], spans[1])
    return measure(transcript, spans[0] if spans else (), (), speakers_known=False)
