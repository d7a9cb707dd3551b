"""Rules about what is said: `says`, `never_says`, `order`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qa.checking.rules.matching import Hit, Pattern, best_hits, compile_phrase, is_negated, is_quoted
from qa.checking.rules.words import Stretch, Token, looks_like, stretches
from qa.checking.types import Evidence, Judgement, Verdict
from qa.forms.types import LocalPhrases, Order, Says, Window, phrases_in
from qa.transcription.types import Transcript

NEAR_MISS = 0.1
SINGLE_WORD = 0.93  # one word alone is not forgiven much: "with" is not "within"
DOUBTFUL_WORDS = 0.45
DOUBTFUL_HIT = 0.3
GARBLED_PAIR = 0.55
GARBLED = 0.2
UNSURE = Judgement(Verdict.UNSURE, 0.5)


@dataclass
class Hearing:
    """A call as the rules hear it. `is_complete` is false where a part of the recording is lost: then nothing counts as absent."""

    transcript: Transcript
    variables: Mapping[str, str]
    is_complete: bool = True
    speakers_known: bool = True
    evidence_of: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    _stretches: dict[str, tuple[Stretch, ...]] = field(default_factory=dict)
    _patterns: dict[str, Pattern | None] = field(default_factory=dict)

    def said_by(self, speaker: str) -> tuple[Stretch, ...]:
        speaker = speaker if self.speakers_known else "anyone"
        if speaker not in self._stretches:
            self._stretches[speaker] = stretches(self.transcript, speaker)
        return self._stretches[speaker]

    def patterns(self, phrases: LocalPhrases | None) -> Iterator[Pattern]:
        for phrase in phrases_in(phrases, self.transcript.language):
            if phrase not in self._patterns:
                self._patterns[phrase] = compile_phrase(phrase, self.variables)
            if pattern := self._patterns[phrase]:
                yield pattern

    def limits(self, rule: Says) -> tuple[float, float]:
        """The first and last second in which the phrase counts."""
        begin, end = 0.0, float("inf")
        utterances = self.transcript.utterances
        if utterances and rule.within.first_seconds is not None:
            end = utterances[0].start + rule.within.first_seconds
        if utterances and rule.within.last_seconds is not None:
            begin = max(u.end for u in utterances) - rule.within.last_seconds
        for name, is_before in ((rule.within.before, True), (rule.within.after, False)):
            spans = self.evidence_of.get(name or "", ())
            if spans and is_before:
                end = min(end, min(e.start for e in spans))
            elif spans:
                begin = max(begin, max(e.end for e in spans))
        return begin, end

    def heard(self, rule: Says) -> tuple[Stretch, ...]:
        """The stretches of the rule's speaker that touch its window."""
        every = self.said_by(rule.by)
        if rule.within.first_turns:
            every = every[: rule.within.first_turns]
        if rule.within.last_turns:
            every = every[-rule.within.last_turns :]
        begin, end = self.limits(rule)
        return tuple(s for s in every if s.tokens and s.tokens[-1].end >= begin and s.tokens[0].start <= end)


def judge_says(hearing: Hearing, rule: Says) -> Judgement:
    """Met with the evidence, not met where the basis is good enough to say so, else unsure."""
    clear, near = _find(hearing, rule)
    if clear and (hearing.speakers_known or rule.by == "anyone"):
        return _met(hearing, clear)
    near = near or clear  # somebody said it, but nobody knows who
    doubt = _doubt(hearing, rule)
    if near or doubt:
        return Judgement(Verdict.UNSURE, 0.5, tuple(_evidence(near[0])) if near else ())
    return Judgement(Verdict.NOT_MET, 0.9)


def judge_never_says(hearing: Hearing, rule: Says) -> Judgement:
    """Not met with the words where they are said; unsure where they may be a quotation or are half heard."""
    clear, near = _find(hearing, rule)
    own = [h for h in clear if not is_quoted(h)]
    if own and _words_confidence(own[0].tokens) >= DOUBTFUL_HIT and (hearing.speakers_known or rule.by == "anyone"):
        return Judgement(Verdict.NOT_MET, _confidence(hearing, own[0]), tuple(_evidence(own[0])))
    if clear:
        return Judgement(Verdict.UNSURE, 0.5, tuple(_evidence(clear[0])))
    if not hearing.said_by(rule.by) or not hearing.is_complete:
        return UNSURE
    closest = max((h.similarity for h in near), default=0.0)
    if closest >= rule.similarity - NEAR_MISS / 2 and len(near[0].tokens) > 1:
        return Judgement(Verdict.UNSURE, 0.5, tuple(_evidence(near[0])))
    return Judgement(Verdict.MET, 0.94)


def judge_order(hearing: Hearing, rule: Order) -> Judgement:
    """Whether `first` comes before the earliest `then`; not applicable where `then` never comes."""
    then, then_near = _find(hearing, rule.then)
    if not then:
        return UNSURE if then_near or not hearing.said_by(rule.then.by) else Judgement(Verdict.NOT_APPLICABLE, 0.85)
    earliest = min(then, key=lambda h: h.tokens[0].start)
    first, near = _find(hearing, rule.first)
    before = [h for h in first if h.tokens[0].start < earliest.tokens[0].start]
    if before:
        best = max(before, key=lambda h: h.similarity)
        return Judgement(Verdict.MET, min(_confidence(hearing, best), _confidence(hearing, earliest)), (*_evidence(best), *_evidence(earliest)))
    if any(h.tokens[0].start < earliest.tokens[0].start for h in near) or _doubt(hearing, rule.first):
        return Judgement(Verdict.UNSURE, 0.5, tuple(_evidence(earliest)))
    return Judgement(Verdict.NOT_MET, 0.85, tuple(_evidence(earliest)))


def _find(hearing: Hearing, rule: Says) -> tuple[list[Hit], list[Hit]]:
    """Clear hits and near misses inside the window, best first."""
    begin, end = hearing.limits(rule)
    heard = hearing.heard(rule)
    clear: list[Hit] = []
    near: list[Hit] = []
    excluded = [h for p in hearing.patterns(rule.unless) for h in best_hits(p, heard, at_least=0.85)]
    for pattern in hearing.patterns(rule.any):
        needed = max(rule.similarity, SINGLE_WORD) if len(pattern.literal) == 1 else rule.similarity
        for hit in best_hits(pattern, heard, at_least=needed - NEAR_MISS):
            if not (hit.tokens and begin <= hit.tokens[-1].end and hit.tokens[0].start <= end) or is_negated(hit, pattern):
                continue
            if any(e.stretch is hit.stretch and e.start < hit.end and hit.start < e.end for e in excluded):
                continue
            (clear if hit.similarity >= needed else near).append(hit)
    return sorted(clear, key=lambda h: -h.similarity), sorted(near, key=lambda h: -h.similarity)


def _met(hearing: Hearing, hits: list[Hit]) -> Judgement:
    best = max(hits, key=lambda h: (_confidence(hearing, h), -h.tokens[0].start))
    if _words_confidence(best.tokens) < DOUBTFUL_HIT:
        return Judgement(Verdict.UNSURE, 0.5, tuple(_evidence(best)))
    return Judgement(Verdict.MET, _confidence(hearing, best), tuple(_evidence(best)))


def _confidence(hearing: Hearing, hit: Hit) -> float:
    """From the likeness of the words, lowered by poor recognition and by the other side talking over them."""
    alike = 0.7 + 0.28 * (hit.similarity - 0.7) / 0.3
    heard = 0.7 + 0.3 * _words_confidence(hit.tokens)
    start, end = hit.tokens[0].start, hit.tokens[-1].end
    speaker = hearing.transcript.utterances[hit.tokens[0].utterance].speaker
    over = sum(max(0.0, min(end, u.end) - max(start, u.start)) for u in hearing.transcript.utterances if u.speaker != speaker)
    clear = 0.9 if end > start and over > 0.5 * (end - start) else 1.0
    return round(max(0.5, min(0.98, alike * heard * clear)), 3)


def _words_confidence(tokens: tuple[Token, ...]) -> float:
    known = [t.confidence for t in tokens if t.confidence is not None]
    return sum(known) / len(known) if known else 0.95


def _doubt(hearing: Hearing, rule: Says) -> bool:
    """Whether "it was not said" would rest on too little: lost sound, a silent speaker, poor recognition, another language."""
    heard = hearing.heard(rule)
    tokens = tuple(t for s in heard for t in s.tokens)
    every = tuple(t for s in hearing.said_by(rule.by) for t in s.tokens)
    if not every or not hearing.is_complete or not any(True for _ in hearing.patterns(rule.any)):
        return True
    if not tokens:
        return False
    is_narrow = rule.within != Window()
    garbled = _garbled_share(tokens)
    return _words_confidence(tokens) < DOUBTFUL_WORDS or garbled > (0 if is_narrow else GARBLED) or not looks_like(hearing.transcript.language, every)


def _garbled_share(tokens: tuple[Token, ...]) -> float:
    """How many of the neighbouring word pairs were recognised badly: a phrase may be hidden there."""
    known = [t.confidence for t in tokens if t.confidence is not None]
    pairs = [(a + b) / 2 for a, b in zip(known, known[1:], strict=False)]
    return sum(p < GARBLED_PAIR for p in pairs) / len(pairs) if pairs else 0.0


def _evidence(hit: Hit) -> Iterator[Evidence]:
    """One piece of evidence per utterance that the hit touches."""
    for index in sorted({t.utterance for t in hit.tokens}):
        inside = [t for t in hit.tokens if t.utterance == index]
        words = [t.text for t in inside if t.text]
        joined = ("" if all(len(w) <= 2 and not w.isascii() for w in words) else " ").join(words)
        yield Evidence(index, "", inside[0].start, inside[-1].end, joined)
