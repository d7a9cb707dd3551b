"""Rules about what is said: `says`, `never_says`, `order`."""

from qa.checking.rules.matching import is_quoted
from qa.checking.rules.phrase_search import (
    DOUBTFUL_HIT,
    NEAR_MISS,
    UNSURE,
    PhraseSearch,
    confidence_of,
    doubt,
    find,
    met,
    pieces_of,
    words_confidence,
)
from qa.checking.types import Judgement, Verdict
from qa.forms.types import Order, Says


def judge_says(hearing: PhraseSearch, rule: Says) -> Judgement:
    """Met with the evidence, not met where the basis is good enough to say so, else unsure."""
    clear, near = find(hearing, rule)
    if clear:
        return met(hearing, clear)
    if near or doubt(hearing, rule):
        return Judgement(Verdict.UNSURE, 0.5, tuple(pieces_of(near[0])) if near else ())
    return Judgement(Verdict.NOT_MET, 0.9)


def judge_never_says(hearing: PhraseSearch, rule: Says) -> Judgement:
    """Not met with the words where they are said; unsure where they may be a quotation or are half
    heard.
    """
    clear, near = find(hearing, rule)
    own = [h for h in clear if not is_quoted(h)]
    if own and words_confidence(own[0].tokens) >= DOUBTFUL_HIT:
        return Judgement(Verdict.NOT_MET, confidence_of(hearing, own[0]), tuple(pieces_of(own[0])))
    if clear:
        return Judgement(Verdict.UNSURE, 0.5, tuple(pieces_of(clear[0])))
    if not hearing.said_by(rule.by) or not hearing.is_complete:
        return UNSURE
    half_heard = [
        h for h in near if h.similarity >= rule.similarity - NEAR_MISS / 2 and len(h.tokens) > 1
    ]
    if half_heard:
        return Judgement(Verdict.UNSURE, 0.5, tuple(pieces_of(half_heard[0])))
    return Judgement(Verdict.MET, 0.94)


def judge_order(hearing: PhraseSearch, rule: Order) -> Judgement:
    """Judge whether `first` comes before the earliest `then`.

    Not applicable where `then` never comes.
    """
    then, then_near = find(hearing, rule.then)
    if not then:
        return (
            UNSURE
            if then_near or not hearing.said_by(rule.then.by)
            else Judgement(Verdict.NOT_APPLICABLE, 0.85)
        )
    earliest = min(then, key=lambda h: h.tokens[0].start)
    first, near = find(hearing, rule.first)
    before = [h for h in first if h.tokens[0].start < earliest.tokens[0].start]
    if before:
        best = max(before, key=lambda h: h.similarity)
        return Judgement(
            Verdict.MET,
            min(confidence_of(hearing, best), confidence_of(hearing, earliest)),
            (*pieces_of(best), *pieces_of(earliest)),
        )
    if any(h.tokens[0].start < earliest.tokens[0].start for h in near) or doubt(
        hearing, rule.first
    ):
        return Judgement(Verdict.UNSURE, 0.5, tuple(pieces_of(earliest)))
    return Judgement(Verdict.NOT_MET, 0.85, tuple(pieces_of(earliest)))
