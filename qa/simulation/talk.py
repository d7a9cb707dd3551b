"""Make the dialogues of simulated calls.

Lines per language; the agent's are tied to the criterion that they meet or miss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qa.transcription.types import Mechanics, Span, SpeakerMechanics, Transcript, Utterance, Word

AGENT, CUSTOMER = "agent", "customer"
PACE = {"en": 0.36, "it": 0.38, "zh": 0.24}  # seconds a word; a character in Chinese


@dataclass(frozen=True)
class Line:
    """A line of a dialogue.

    With a criterion it is said if that is met; `instead` if it is not (empty: nothing).
    """

    speaker: str
    said: tuple[str, ...]
    criterion: str = ""
    instead: str = ""


def _lines(text: str) -> tuple[Line, ...]:
    """One line each: speaker, criterion, what is said (variants after |), what is said instead."""
    lines = []
    for row in text.strip().splitlines():
        who, criterion, words, instead = (part.strip() for part in (row + "///").split("/")[:4])
        lines.append(
            Line(
                AGENT if who == "A" else CUSTOMER,
                tuple(variant.strip() for variant in words.split("|")),
                criterion,
                instead,
            )
        )
    return tuple(lines)


TALK: dict[str, tuple[Line, ...]] = {
    path.stem: _lines(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "dialogues").glob("*.txt"))
}
TOPICS = {
    "en": (
        "your line has been down since yesterday",
        "you have a question about a charge",
        "you would like to move your contract",
    ),
    "it": ("il problema è cominciato ieri", "non riesce più ad accedere", "il programma si blocca"),
    "zh": ("网络断了", "话费多扣了", "想换套餐"),
}


@dataclass(frozen=True)
class Said:
    """A simulated conversation, and for each criterion the utterance that shows it."""

    transcript: Transcript
    mechanics: Mechanics
    shown_by: dict[str, int]


def conversation(
    language: str, met: Mapping[str, bool], *, agent: str, rng: np.random.Generator, seed: str
) -> Said:
    """Make a call in which what is met is said and what is missed is not.

    Deterministic in the generator's state.
    """
    start = 0.6
    utterances: list[Utterance] = []
    shown_by: dict[str, int] = {}
    for line in TALK[language]:
        text = line.said[int(rng.integers(len(line.said)))]
        if line.criterion and not met.get(line.criterion, True):
            text = line.instead
        if not text:
            continue
        if line.criterion:
            shown_by[line.criterion] = len(utterances)
        text = text.format(agent=agent, topic=TOPICS[language][int(rng.integers(3))])
        utterances.append(_uttered(line.speaker, text, language, start, rng))
        start = utterances[-1].end + float(rng.uniform(0.2, 1.6))
    duration = round(start, 2)
    engine = {"name": "simulated", "seed": seed}
    transcript = Transcript(
        language=language, duration=duration, engine=engine, utterances=tuple(utterances)
    )  # type: ignore[arg-type]  # one of the three
    return Said(transcript, _mechanics(utterances, duration, rng), shown_by)


def _uttered(
    speaker: str, text: str, language: str, at: float, rng: np.random.Generator
) -> Utterance:
    tokens = list(text.replace(" ", "")) if language == "zh" else text.split()
    each = PACE[language] * float(rng.uniform(0.85, 1.2))
    words = tuple(
        Word(
            start=round(at + position * each, 2),
            end=round(at + (position + 1) * each, 2),
            text=token,
            confidence=round(float(rng.beta(12, 1)), 2),
        )
        for position, token in enumerate(tokens)
    )
    return Utterance(
        speaker=speaker,
        start=words[0].start,
        end=words[-1].end,
        text=text,
        confidence=0.9,
        words=words,
    )  # type: ignore[arg-type]  # agent or customer


def _mechanics(
    utterances: Sequence[Utterance], duration: float, rng: np.random.Generator
) -> Mechanics:
    """The turns of the conversation, and a line of some quality."""
    talk = {
        side: sum(
            utterance.end - utterance.start for utterance in utterances if utterance.speaker == side
        )
        for side in (AGENT, CUSTOMER)
    }
    whole = sum(talk.values())
    sides = {
        side: SpeakerMechanics(
            talk_seconds=round(seconds, 2),
            talk_share=round(seconds / whole, 4),
            words=sum(
                len(utterance.words) for utterance in utterances if utterance.speaker == side
            ),
            words_per_minute=None,
            longest_monologue=None,
        )
        for side, seconds in talk.items()
    }
    over_noise = 30 * float(rng.beta(8, 2))
    line = {"level_db": -18.0, "bandwidth_hz": 3400.0, "clipping_share": 0.0}
    return Mechanics(
        duration=duration,
        speakers_known=True,
        agent=sides[AGENT],
        customer=sides[CUSTOMER],
        silences=tuple(
            Span(start=first.end, end=second.start)
            for first, second in zip(utterances, utterances[1:], strict=False)
            if second.start - first.end > 1
        ),
        silence_share=round(max(0.0, 1 - whole / duration), 4),
        line=tuple(
            line | {"noise_floor_db": round(-18.0 - over_noise - more, 1)} for more in (12, 8)
        ),
    )
