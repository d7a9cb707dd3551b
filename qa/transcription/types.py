"""A transcript: who said what, from when to when.

The shape of the transcript document of the command line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Speaker = Literal["agent", "customer"]
Time = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
ENOUGH_COVERAGE = 0.95
SURE_SPEAKER = 0.75
Probability = Annotated[float, Field(ge=0, le=1)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Word(Frozen):
    start: Time
    end: Time
    text: str
    confidence: Probability | None = None


class Utterance(Frozen):
    """One stretch of one speaker. Times in seconds from the start of the recording.

    `speaker_confidence` is given where voices were told apart in one channel; None where each side
    has its own.
    """

    speaker: Speaker
    start: Time
    end: Time
    text: str
    confidence: Probability | None = None
    speaker_confidence: Probability | None = None
    words: tuple[Word, ...] = ()

    @property
    def is_sure_of_speaker(self) -> bool:
        """Whether answers may rest on who said it."""
        return self.speaker_confidence is None or self.speaker_confidence >= SURE_SPEAKER

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Utterance":
        if self.end < self.start:
            raise ValueError(f"an utterance ends ({self.end}) before it starts ({self.start})")
        return self


class Redaction(Frozen):
    """A stretch of sound (seconds) that was silenced, and what was said in it: card, cvv, expiry,
    iban, id, phone, email, name.
    """

    kind: str
    start: Time
    end: Time


class Quality(Frozen):
    """How far a transcript can be trusted.

    `coverage` (0–1) is the share of speech time that became words, of the worse channel.

    `invented_words` were heard where nobody spoke, in loops, or faster than anybody speaks, and
    were left out.
    """

    coverage: Probability = 1.0
    invented_words: int = 0
    languages: tuple[str, ...] = ()

    @property
    def is_assessable(self) -> bool:
        """Whether "this was not said" may rest on the transcript."""
        return self.coverage >= ENOUGH_COVERAGE


class Transcript(Frozen):
    """Utterances by time.

    `engine` names program, model and options, so that the transcript can be made again.
    """

    language: Literal["en", "it", "zh"]
    duration: Time
    engine: dict[str, Any] = {}
    quality: Quality | None = None
    redactions: tuple[Redaction, ...] = ()
    utterances: tuple[Utterance, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _by_time(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("utterances"), list | tuple):
            rows = data["utterances"]
            data = {
                **data,
                "utterances": sorted(
                    rows,
                    key=lambda u: (
                        (u["start"], u["end"]) if isinstance(u, dict) else (u.start, u.end)
                    ),
                ),
            }
        return data

    def by(self, speaker: str) -> Iterator[tuple[int, Utterance]]:
        """The utterances of one speaker (or of `anyone`) with their places in the transcript."""
        return ((i, u) for i, u in enumerate(self.utterances) if speaker in (u.speaker, "anyone"))

    @property
    def text(self) -> str:
        return "\n".join(u.text for u in self.utterances)


class Span(Frozen):
    start: Time
    end: Time

    @property
    def seconds(self) -> float:
        return self.end - self.start


class TranscriptionResult(Frozen):
    """The audio engine's result: words, when each side speaks, and the line of each channel.

    `speech` is (agent, customer); one entry where the speakers could not be told apart.
    """

    transcript: Transcript
    speech: tuple[tuple[Span, ...], ...]
    line: tuple[dict[str, float], ...] = ()


class Interruption(Span):
    """One side begins while the other is speaking. `yielded`: the other then stopped."""

    yielded: bool = False


@dataclass(frozen=True)
class RedactedAudio:
    """A recording with its private stretches silenced, as bytes, and its waveform."""

    sound: bytes
    media_type: str
    peaks: bytes


class SpeakerMechanics(Frozen):
    """Measured from turns alone; no feature of the voice beyond speech or no speech.

    `response_seconds` is the median wait before answering.
    """

    talk_seconds: float
    talk_share: Probability
    words: int
    words_per_minute: float | None
    longest_monologue: Span | None
    interruptions: tuple[Interruption, ...] = ()
    response_seconds: float | None = None


class Mechanics(Frozen):
    """Speech mechanics of a call, definitions in docs/speech-mechanics.md.

    `speakers_known` is false for mono recordings.
    """

    duration: Time
    speakers_known: bool
    agent: SpeakerMechanics
    customer: SpeakerMechanics
    overlap: tuple[Span, ...] = ()
    overlap_share: Probability = 0.0
    silences: tuple[Span, ...] = ()
    silence_share: Probability = 0.0
    longest_silence: Span | None = None
    holds: tuple[Span, ...] = ()
    line: tuple[dict[str, float], ...] = ()


# (number of the utterance, number of the word in it) → what was really said
Corrections = dict[tuple[int, int], str]
