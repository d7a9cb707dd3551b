"""`act`: what an utterance does, as the courtesy classifier hears it."""

from qa.checking.rules.matching import QUOTING
from qa.checking.rules.phrase_search import UNSURE, PhraseSearch
from qa.checking.rules.words import keys_of
from qa.checking.types import Evidence, Judgement, Verdict
from qa.forms.types import ActRule

SURE = 0.8
POSSIBLE = 0.35
DOUBTFUL_WORDS = 0.45
MEANT_OR_TOLD = ("rudeness", "blame")  # whoever tells what somebody else said has not said it


def judge_act(hearing: PhraseSearch, rule: ActRule) -> Judgement:
    """Met where an utterance of the speaker is surely that act (`never: true` turns it round);
    unsure between the thresholds.
    """
    heard_acts = hearing.acts_of_utterances()
    if heard_acts is None or not hearing.transcript.utterances:
        return UNSURE
    begin, end = hearing.limits(rule.within)
    turns = {t.utterance for s in hearing.heard(rule.by, rule.within) for t in s.tokens}
    utterances = hearing.transcript.utterances
    candidates = [
        (probabilities.get(rule.is_, 0.0), i)
        for i, (u, probabilities) in enumerate(zip(utterances, heard_acts, strict=True))
        if i in turns and u.end >= begin and u.start <= end
    ]
    if not hearing.said_by(rule.by) or not hearing.is_complete:
        return UNSURE
    chance, best = max(candidates, default=(0.0, -1))
    piece = _piece(hearing, best) if chance >= POSSIBLE else ()
    heard = utterances[best].confidence if best >= 0 else None
    is_told = (
        rule.is_ in MEANT_OR_TOLD
        and best >= 0
        and QUOTING.search(" ".join(keys_of(utterances[best].text))) is not None
    )
    clearly = (
        not is_told
        and hearing.speakers_known
        and best >= 0
        and utterances[best].is_sure_of_speaker
        and (heard is None or heard >= DOUBTFUL_WORDS)
    )
    if chance >= SURE and clearly:
        return Judgement(Verdict.NOT_MET if rule.never else Verdict.MET, round(chance, 3), piece)
    if chance >= POSSIBLE:
        return Judgement(Verdict.UNSURE, 0.5, piece)
    return Judgement(Verdict.MET if rule.never else Verdict.NOT_MET, round(1 - chance, 3))


def _piece(hearing: PhraseSearch, index: int) -> tuple[Evidence, ...]:
    u = hearing.transcript.utterances[index]
    return (Evidence(index, "", u.start, u.end, u.text),)
