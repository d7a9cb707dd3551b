"""Turns become numbers: silence, hold, overlap, interruptions, pace, talk share.

Pure; definitions in docs/speech-mechanics.md.
"""

from collections.abc import Sequence
from statistics import median

from qa.transcription.types import Interruption, Mechanics, Span, SpeakerMechanics, Transcript

MIN_SILENCE = 0.3
MIN_OVERLAP = 0.2
MIN_INTERRUPTION = 0.5
TURN_GAP = 1.5
YIELDS_WITHIN = 1.0
LONGEST_RESPONSE = 10.0
HOLD_MIN = 4.0
HOLD_WINDOW = 12.0
HOLD_WORDS = {
    "en": ("hold", "moment", "bear with me", "one second", "just a second", "wait"),
    "it": ("attesa", "attendere", "un momento", "attimo", "in linea"),
    "zh": ("稍等", "不要挂断", "等一下", "等一会", "别挂"),
}


def turns_of(transcript: Transcript, speaker: str) -> list[Span]:
    """When a speaker speaks, from the transcript's own times, where no recording is at hand."""
    return merged(
        [Span(start=u.start, end=u.end) for _, u in transcript.by(speaker) if u.end > u.start],
        gap=MIN_SILENCE,
    )


def measure(
    transcript: Transcript,
    agent: Sequence[Span],
    customer: Sequence[Span],
    *,
    speakers_known: bool = True,
    line: Sequence[dict[str, float]] = (),
) -> Mechanics:
    """The mechanics of a call from the speech spans of both sides (seconds, each side sorted and
    without overlaps of its own).
    """
    duration = max([transcript.duration, *(s.end for s in (*agent, *customer))])
    overlap = [s for s in _intersection(agent, customer) if s.seconds >= MIN_OVERLAP]
    speech = merged([*agent, *customer], gap=0.0)
    silences = [s for s in _complement(speech, duration) if s.seconds >= MIN_SILENCE]
    talk = sum(s.seconds for s in agent) + sum(s.seconds for s in customer)
    return Mechanics(
        duration=duration,
        speakers_known=speakers_known,
        agent=_speaker(transcript, "agent", agent, customer, talk),
        customer=_speaker(transcript, "customer", customer, agent, talk),
        overlap=tuple(overlap),
        overlap_share=min(1.0, sum(s.seconds for s in overlap) / duration) if duration else 0.0,
        silences=tuple(silences),
        silence_share=min(1.0, sum(s.seconds for s in silences) / duration) if duration else 0.0,
        longest_silence=max(silences, key=lambda s: s.seconds, default=None),
        holds=tuple(_holds(transcript, silences, duration)),
        line=tuple(line),
    )


def merged(spans: Sequence[Span], *, gap: float) -> list[Span]:
    """Spans joined where no more than `gap` seconds lie between them."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        if out and span.start - out[-1].end <= gap:
            out[-1] = Span(start=out[-1].start, end=max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def _speaker(
    transcript: Transcript, speaker: str, own: Sequence[Span], other: Sequence[Span], talk: float
) -> SpeakerMechanics:
    seconds = sum(s.seconds for s in own)
    words = sum(_word_count(u.text, transcript.language) for _, u in transcript.by(speaker))
    monologues = [
        m
        for m in merged(own, gap=TURN_GAP)
        if not any(o.start < m.end and o.end > m.start for o in other if o.seconds >= 1.0)
    ]
    return SpeakerMechanics(
        talk_seconds=round(seconds, 3),
        talk_share=min(1.0, seconds / talk) if talk else 0.0,
        words=words,
        words_per_minute=round(words * 60 / seconds, 1) if seconds >= 3 else None,
        longest_monologue=max(monologues, key=lambda s: s.seconds, default=None),
        interruptions=tuple(_interruptions(own, other)),
        response_seconds=_response(own, other),
    )


def _interruptions(own: Sequence[Span], other: Sequence[Span]) -> list[Interruption]:
    """Own turns that begin while the other has been speaking for a while and goes on speaking;
    whether the other then gave way.
    """
    found = []
    for turn in own:
        for heard in other:
            if (
                heard.start + MIN_INTERRUPTION <= turn.start < heard.end - MIN_OVERLAP
                and min(turn.end, heard.end) - turn.start >= MIN_INTERRUPTION
            ):
                yielded = heard.end - turn.start <= YIELDS_WITHIN and turn.end > heard.end
                found.append(
                    Interruption(start=turn.start, end=min(turn.end, heard.end), yielded=yielded)
                )
    return found


def _response(own: Sequence[Span], other: Sequence[Span]) -> float | None:
    """The median gap (seconds) between the end of the other's speech and the start of one's own
    where nobody speaks between.
    """
    ends = [s.end for s in other]
    gaps = []
    for i, turn in enumerate(own):
        before = max((e for e in ends if e <= turn.start), default=None)
        previous = own[i - 1].end if i else float("-inf")
        if before is not None and before > previous and turn.start - before <= LONGEST_RESPONSE:
            gaps.append(turn.start - before)
    return round(median(gaps), 3) if gaps else None


def _holds(transcript: Transcript, silences: Sequence[Span], duration: float) -> list[Span]:
    """For each time the agent announces a wait: the first longer stretch after it in which nobody
    says a word; music counts as waiting.
    """
    cues = HOLD_WORDS[transcript.language]
    announced = [u.end for _, u in transcript.by("agent") if any(c in u.text.lower() for c in cues)]
    said = merged(
        [Span(start=u.start, end=u.end) for u in transcript.utterances if u.end > u.start], gap=0.0
    )
    quiet = [s for s in silences if s.seconds >= HOLD_MIN]
    wordless = [s for s in _complement(said, duration) if s.seconds >= HOLD_MIN]

    def first(stretches: list[Span], end: float) -> Span | None:
        return next((s for s in stretches if -1.0 <= s.start - end <= HOLD_WINDOW), None)

    found = [first(quiet, end) or first(wordless, end) for end in announced]
    return sorted({s for s in found if s is not None}, key=lambda s: s.start)


def _word_count(text: str, language: str) -> int:
    if language == "zh":
        return sum(1 for c in text if "\u4e00" <= c <= "\u9fff") + sum(
            1 for w in text.split() if w.isascii() and w.isalnum()
        )
    return len(text.split())


def _intersection(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    out, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        start, end = max(first[i].start, second[j].start), min(first[i].end, second[j].end)
        if end > start:
            out.append(Span(start=start, end=end))
        if first[i].end < second[j].end:
            i += 1
        else:
            j += 1
    return out


def _complement(spans: Sequence[Span], duration: float) -> list[Span]:
    out, at = [], 0.0
    for span in spans:
        if span.start > at:
            out.append(Span(start=at, end=span.start))
        at = max(at, span.end)
    if duration > at:
        out.append(Span(start=at, end=duration))
    return out
