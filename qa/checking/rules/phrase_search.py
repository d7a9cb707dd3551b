"""Search a form's phrases in a call: where they are, and how sure that is.

And when "it was not said" rests on too little.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from qa.checking.rules.matching import Hit, Pattern, best_hits, compile_phrase, is_negated
from qa.checking.rules.words import Token, TokenSpan, looks_like, token_span_of, token_spans
from qa.checking.types import Evidence, Judgement, SpeechActs, Verdict
from qa.forms.types import Act, LocalPhrases, Says, Window, phrases_in
from qa.transcription.types import Transcript

NEAR_MISS = 0.1
SINGLE_WORD = 0.93  # one word alone is not forgiven much: "with" is not "within"
DOUBTFUL_WORDS = 0.45
DOUBTFUL_HIT = 0.3
GARBLED_PAIR = 0.55
GARBLED = 0.2
SHORT_PHRASE = 10  # letters up to which a near miss is most often another word
CLEARLY_HEARD = 0.8
UNSURE = Judgement(Verdict.UNSURE, 0.5)


@dataclass
class PhraseSearch:
    """Search a call's transcript for a form's phrases.

    `is_complete` is false where a part of the recording is lost: then nothing counts as absent.

    `is_complete` is false where a part of the recording is lost: then nothing counts as absent.
    """

    transcript: Transcript
    variables: Mapping[str, str]
    is_complete: bool = True
    speakers_known: bool = True
    evidence_of: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    acts: SpeechActs | None = None
    _acts: Sequence[Mapping[Act, float]] | None = None
    _stretches: dict[str, tuple[TokenSpan, ...]] = field(default_factory=dict)
    _patterns: dict[str, Pattern | None] = field(default_factory=dict)

    def said_by(self, speaker: str) -> tuple[TokenSpan, ...]:
        speaker = speaker if self.speakers_known else "anyone"
        if speaker not in self._stretches:
            self._stretches[speaker] = token_spans(self.transcript, speaker)
        return self._stretches[speaker]

    def perhaps_said_by(self, speaker: str) -> tuple[TokenSpan, ...]:
        """List what is put down to the other side, but not surely.

        That is the case where voices were told apart in one channel.
        """
        if speaker == "anyone" or not self.speakers_known:
            return ()
        return tuple(
            token_span_of(index, utterance)
            for index, utterance in enumerate(self.transcript.utterances)
            if utterance.speaker != speaker and not utterance.is_sure_of_speaker
        )

    def is_by_whom(self, hit: Hit, speaker: str) -> bool:
        """Tell whether it is sure enough that this speaker said it."""
        utterances = self.transcript.utterances
        return speaker == "anyone" or (
            self.speakers_known
            and all(utterances[token.utterance].is_sure_of_speaker for token in hit.tokens)
        )

    def acts_of_utterances(self) -> Sequence[Mapping[Act, float]] | None:
        """Classify the speech acts of each utterance; None without a classifier."""
        if self._acts is None and self.acts is not None:
            self._acts = self.acts(self.transcript)
        return self._acts

    def patterns(self, phrases: LocalPhrases | None) -> Iterator[Pattern]:
        for phrase in phrases_in(phrases, self.transcript.language):
            if phrase not in self._patterns:
                self._patterns[phrase] = compile_phrase(phrase, self.variables)
            if pattern := self._patterns[phrase]:
                yield pattern

    def limits(self, within: Window) -> tuple[float, float]:
        """Compute the first and last second in which something counts."""
        begin, end = 0.0, float("inf")
        utterances = self.transcript.utterances
        if utterances and within.first_seconds is not None:
            end = utterances[0].start + within.first_seconds
        if utterances and within.last_seconds is not None:
            begin = max(utterance.end for utterance in utterances) - within.last_seconds
        for name, is_before in ((within.before, True), (within.after, False)):
            spans = self.evidence_of.get(name or "", ())
            if spans and is_before:
                end = min(end, min(piece.start for piece in spans))
            elif spans:
                begin = max(begin, max(piece.end for piece in spans))
        return begin, end

    def heard(self, speaker: str, within: Window) -> tuple[TokenSpan, ...]:
        """List the token spans of a speaker that touch a window."""
        spans = self.said_by(speaker)
        if within.first_turns:
            spans = spans[: within.first_turns]
        if within.last_turns:
            spans = spans[-within.last_turns :]
        begin, end = self.limits(within)
        return tuple(
            span
            for span in spans
            if span.tokens and span.tokens[-1].end >= begin and span.tokens[0].start <= end
        )


def find(hearing: PhraseSearch, rule: Says) -> tuple[list[Hit], list[Hit]]:
    """Find clear hits and near misses inside the window, best first.

    What somebody else may have said is a near miss.
    """
    clear, near = _found(hearing, rule, hearing.heard(rule.by, rule.within))
    certain = [hit for hit in clear if hearing.is_by_whom(hit, rule.by)]
    doubtful = [hit for hit in clear if hit not in certain] + _found(
        hearing, rule, hearing.perhaps_said_by(rule.by)
    )[0]
    return certain, sorted([*near, *doubtful], key=lambda hit: -hit.similarity)


def _found(
    hearing: PhraseSearch, rule: Says, spans: tuple[TokenSpan, ...]
) -> tuple[list[Hit], list[Hit]]:
    begin, end = hearing.limits(rule.within)
    clear: list[Hit] = []
    near: list[Hit] = []
    excluded = [
        hit
        for exception in hearing.patterns(rule.unless)
        for hit in best_hits(exception, spans, at_least=0.85)
    ]
    for pattern in hearing.patterns(rule.any):
        needed = max(rule.similarity, SINGLE_WORD) if len(pattern.literal) == 1 else rule.similarity
        slack = NEAR_MISS if sum(map(len, pattern.literal)) > SHORT_PHRASE else NEAR_MISS / 3
        for hit in best_hits(pattern, spans, at_least=needed - slack):
            if not (
                hit.tokens and begin <= hit.tokens[-1].end and hit.tokens[0].start <= end
            ) or is_negated(hit, pattern):
                continue
            if any(
                other.span is hit.span
                and other.start < hit.end
                and hit.start < other.end
                and other.similarity > hit.similarity
                for other in excluded
            ):
                continue
            if hit.similarity >= needed:
                clear.append(hit)
            elif hit.similarity >= needed - slack / 2 or _was_hard_to_hear(hit):
                near.append(hit)
    return sorted(clear, key=lambda hit: -hit.similarity), near


def _was_hard_to_hear(hit: Hit) -> bool:
    """Tell whether the words of a hit or beside it were recognised poorly.

    A phrase half found among words well heard is another phrase.
    """
    around = hit.span.tokens[max(0, hit.start - 2) : hit.end + 2]
    return any(
        token.confidence is not None and token.confidence < CLEARLY_HEARD for token in around
    )


def met(hearing: PhraseSearch, hits: list[Hit]) -> Judgement:
    best = max(hits, key=lambda hit: (confidence_of(hearing, hit), -hit.tokens[0].start))
    if words_confidence(best.tokens) < DOUBTFUL_HIT:
        return Judgement(Verdict.UNSURE, 0.5, tuple(pieces_of(best)))
    return Judgement(Verdict.MET, confidence_of(hearing, best), tuple(pieces_of(best)))


def confidence_of(hearing: PhraseSearch, hit: Hit) -> float:
    """Compute the confidence of a hit from similarity, recognition and overlapping speech."""
    alike = 0.7 + 0.28 * (hit.similarity - 0.7) / 0.3
    recognition = 0.7 + 0.3 * words_confidence(hit.tokens)
    start, end = hit.tokens[0].start, hit.tokens[-1].end
    speaker = hearing.transcript.utterances[hit.tokens[0].utterance].speaker
    overlap = sum(
        max(0.0, min(end, utterance.end) - max(start, utterance.start))
        for utterance in hearing.transcript.utterances
        if utterance.speaker != speaker
    )
    clear = 0.9 if end > start and overlap > 0.5 * (end - start) else 1.0
    return round(
        max(0.5, min(0.98, alike * recognition * clear * speaker_confidence(hearing, hit))), 3
    )


def speaker_confidence(hearing: PhraseSearch, hit: Hit) -> float:
    """Look up how sure it is who said it: 1 where each side has a channel of its own."""
    confidences = [
        hearing.transcript.utterances[token.utterance].speaker_confidence for token in hit.tokens
    ]
    return min((confidence for confidence in confidences if confidence is not None), default=1.0)


def words_confidence(tokens: tuple[Token, ...]) -> float:
    confidences = [token.confidence for token in tokens if token.confidence is not None]
    return sum(confidences) / len(confidences) if confidences else 0.95


def doubt(hearing: PhraseSearch, rule: Says) -> bool:
    """Tell whether "it was not said" would rest on too little.

    Lost sound, a silent speaker, poor recognition, or another language.
    """
    spans = hearing.heard(rule.by, rule.within)
    tokens = tuple(token for span in spans for token in span.tokens)
    all_tokens = tuple(token for span in hearing.said_by(rule.by) for token in span.tokens)
    if (
        not all_tokens
        or not hearing.is_complete
        or not any(True for _ in hearing.patterns(rule.any))
    ):
        return True
    if not tokens:
        return False
    is_narrow = rule.within != Window()
    garbled = _garbled_share(tokens)
    return (
        words_confidence(tokens) < DOUBTFUL_WORDS
        or garbled > (0 if is_narrow else GARBLED)
        or not looks_like(hearing.transcript.language, all_tokens)
    )


def _garbled_share(tokens: tuple[Token, ...]) -> float:
    """Compute the share of neighbouring word pairs that were recognised badly.

    A phrase may be hidden there.
    """
    confidences = [token.confidence for token in tokens if token.confidence is not None]
    pairs = [
        (first + second) / 2 for first, second in zip(confidences, confidences[1:], strict=False)
    ]
    return sum(pair < GARBLED_PAIR for pair in pairs) / len(pairs) if pairs else 0.0


def pieces_of(hit: Hit) -> Iterator[Evidence]:
    """Yield one piece of evidence per utterance that the hit touches."""
    for index in sorted({token.utterance for token in hit.tokens}):
        inside = [token for token in hit.tokens if token.utterance == index]
        words = [token.text for token in inside if token.text]
        joined = ("" if all(len(word) <= 2 and not word.isascii() for word in words) else " ").join(
            words
        )
        yield Evidence(index, "", inside[0].start, inside[-1].end, joined)
