"""Judge exchanges between the two sides: `answers` and `reads_back`.

`answers`: questions get an answer; `reads_back`: one side repeats what the other said.
"""

import functools
import re
from collections.abc import Sequence
from itertools import groupby

from qa.checking.rules.matching import MONEY_WORDS, TIME_WORDS, is_number
from qa.checking.rules.phrase_search import UNSURE, PhraseSearch, find, words_confidence
from qa.checking.rules.words import HAN, keys_of
from qa.checking.types import Evidence, Judgement, Verdict
from qa.forms.types import AnswersRule, ReadsBackRule
from qa.transcription.rules.digits import DIGIT_WORDS
from qa.transcription.types import Utterance

WH = {
    "en": "what when where who why how which whose",
    "it": "quando quanto quanti quante quanta dove chi perche quale quali cosa come",
    "zh": "",
}
AUXILIARIES = frozenset(
    "can could would will do does did is are am was were have has may should shall".split()
)
AFTER_WH = AUXILIARIES | frozenset(
    "much many long often far old soon about else kind time day".split()
)
LEADING = frozenset(
    "so and but well okay ok yes no sorry please right then "
    "e ma allora scusi senta mi sa si no".split()
)
HAN_QUESTION = re.compile(
    r"(吗|呢|么|什么|怎么|多少|几点|几天|几个|哪里|哪个|哪儿|为什么|谁|多久|能不能|是不是|可不可以|有没有|行不行|对不对)"
)
HAN_OPEN_QUESTION = re.compile(r"(什么|怎么|多少|几|哪|为什么|谁)")
ASKING_ITALIAN = re.compile(
    r"^(mi puo|puo|posso|potrei|potrebbe|c e|ci sono|e possibile|avete|che)\b"
)
BACKCHANNELS = frozenset("ok okay mhm hm aha right well so allora bene ecco 好 嗯 哦 啊".split())
ENDING_SECONDS = 3.0
MOST_DETAILS = 200  # of one turn, and of what was heard before it
LATE_ECHO_SECONDS = 12.0
PLEASANTRIES = frozenset(
    "great good nice day weekend evening night thank thanks bye goodbye welcome grazie buona buono"
    " giornata arrivederci 谢 再 见 好".split()
)
EMPTY = frozenset(
    "the a an is are to of in on at it that this and or my your i you me we for with what which"
    " would like um so okay alright yes no il lo la le i gli un una di da e o mi si che per con il"
    " suo mio lei io va 的 了 我 您 你 是 吗 呢 啊 在".split()
)


def judge_answers(hearing: PhraseSearch, rule: AnswersRule) -> Judgement:
    """Judge whether every question got its answer in time.

    Not applicable without a question; the evidence is question and answer.
    """
    other = "customer" if rule.by == "agent" else "agent"
    if not hearing.said_by(other) or not hearing.speakers_known:
        return UNSURE
    questions = _asked(hearing, rule, other)
    if not questions:
        near = rule.question is not None and find(hearing, rule.question)[1]
        return UNSURE if near else Judgement(Verdict.NOT_APPLICABLE, 0.85)
    utterances = hearing.transcript.utterances
    unanswered: list[int] = []
    evidence: list[Evidence] = []
    for index in questions:
        reply = _reply(hearing, rule, utterances[index])
        evidence.append(_piece(index, utterances[index]))
        if reply is None:
            unanswered.append(index)
        else:
            evidence.append(_piece(reply, utterances[reply]))
    if not unanswered:
        return Judgement(Verdict.MET, 0.85, tuple(evidence[:10]))
    open_ones = tuple(_piece(question, utterances[question]) for question in unanswered)
    end = max(utterance.end for utterance in utterances)
    doubtful = not hearing.is_complete or any(
        end - utterances[question].end < ENDING_SECONDS
        or not utterances[question].is_sure_of_speaker
        for question in unanswered
    )
    return (
        Judgement(Verdict.UNSURE, 0.5, open_ones)
        if doubtful
        else Judgement(Verdict.NOT_MET, 0.8, open_ones)
    )


def judge_reads_back(hearing: PhraseSearch, rule: ReadsBackRule) -> Judgement:
    """Judge whether the other side says details or a whole short turn again.

    Details are numbers, days and amounts.
    """
    other = "customer" if rule.by == "agent" else "agent"
    if not hearing.speakers_known or not hearing.said_by(rule.by) or not hearing.said_by(other):
        return UNSURE
    best: tuple[int, int, int] | None = None
    for index, own in hearing.transcript.by(rule.by):
        earlier = [
            (position, utterance)
            for position, utterance in hearing.transcript.by(other)
            if own.start - rule.within_seconds <= utterance.end and utterance.start < own.start
        ]
        length, source = _details_again(own, earlier)
        if length < rule.details and _is_echo(own, earlier):
            length, source = rule.details, earlier[-1][0]
        if length >= rule.details and (best is None or length > best[0]):
            best = (length, source, index)
    utterances = hearing.transcript.utterances
    if best is not None:
        evidence = tuple(_piece(position, utterances[position]) for position in best[1:])
        if all(utterances[position].is_sure_of_speaker for position in best[1:]):
            return Judgement(Verdict.MET, min(0.95, 0.8 + 0.04 * best[0]), evidence)
        return Judgement(Verdict.UNSURE, 0.5, evidence)
    tokens = tuple(token for span in hearing.said_by(rule.by) for token in span.tokens)
    return (
        UNSURE
        if not hearing.is_complete or words_confidence(tokens) < 0.6
        else Judgement(Verdict.NOT_MET, 0.85)
    )


def is_question(text: str, language: str) -> bool:
    """Tell whether an utterance asks something, with or without a question mark."""
    if re.search(r"[?？]", text):
        return True
    keys = list(keys_of(text))
    if language == "zh":
        return bool(HAN_QUESTION.search("".join(keys)))
    while keys and keys[0] in LEADING:
        keys.pop(0)
    if len(keys) < 2:
        return False
    if language == "it":
        return keys[0] in WH["it"].split() or bool(ASKING_ITALIAN.match(" ".join(keys)))
    return keys[0] in AUXILIARIES or (keys[0] in WH["en"].split() and keys[1] in AFTER_WH)


def _asked(hearing: PhraseSearch, rule: AnswersRule, other: str) -> list[int]:
    if rule.question is not None:
        return sorted({hit.tokens[-1].utterance for hit in find(hearing, rule.question)[0]})
    return [
        position
        for position, utterance in hearing.transcript.by(other)
        if is_question(utterance.text, hearing.transcript.language)
    ]


def _reply(hearing: PhraseSearch, rule: AnswersRule, question: Utterance) -> int | None:
    until = question.end + rule.within_seconds
    if rule.reply is not None:
        hits = [
            hit
            for hit in find(hearing, rule.reply)[0]
            if question.start <= hit.tokens[0].start <= until
        ]
        return min((hit.tokens[0].utterance for hit in hits), default=None)
    for index, utterance in hearing.transcript.by(rule.by):
        if question.start < utterance.start <= until and any(
            key not in BACKCHANNELS for key in keys_of(utterance.text)
        ):
            return index
    return None


def _details_again(own: Utterance, earlier: Sequence[tuple[int, Utterance]]) -> tuple[int, int]:
    """Count how many details in a row are said again, and find where they were first said.

    The place is the utterance in which the first of them was said.
    """
    repeated = _details(own.text)[:MOST_DETAILS]
    original = (
        [
            (detail, position)
            for position, utterance in earlier
            for detail in _details(utterance.text)
        ][-MOST_DETAILS:]
        if repeated
        else []
    )
    longest, place = 0, -1
    for start in range(len(repeated)):
        for source in range(len(original)):
            length = 0
            while (
                start + length < len(repeated)
                and source + length < len(original)
                and repeated[start + length] == original[source + length][0]
            ):
                length += 1
            han = sum(HAN.match(detail) is not None for detail in repeated[start : start + length])
            length = (
                length - 1 if han and han == length else length
            )  # single characters are poorer than words
            if length > longest and len(set(repeated[start : start + length])) > 1:
                longest, place = length, original[source][1]
    return longest, place


@functools.lru_cache(maxsize=20_000)
def _details(text: str) -> tuple[str, ...]:
    """Extract numbers digit by digit, days, times and money: what an agent reads back."""
    details: list[str] = []
    for key in keys_of(re.sub(r"\b([ap])\s*\.?\s*m\b\.?", r"\1m", text.lower())):
        if key.isdigit() and len(key) > 1:
            details.extend(key)
        elif key in DIGIT_WORDS:
            details.append(DIGIT_WORDS[key])
        elif is_number(key) or key in TIME_WORDS or key in MONEY_WORDS:
            details.append(key)
    return tuple(details)


def _is_echo(own: Utterance, earlier: Sequence[tuple[int, Utterance]]) -> bool:
    """Tell whether a short turn is made of what the other side has just said.

    For example "check your account balance".
    """
    recent = [
        utterance for _, utterance in earlier if own.start - utterance.end <= LATE_ECHO_SECONDS
    ]
    keys = [
        key for key, _ in groupby(keys_of(own.text)) if key not in EMPTY and key not in BACKCHANNELS
    ]
    spoken = {key for utterance in recent for key in keys_of(utterance.text)}
    telling = [
        key
        for key in keys
        if key not in PLEASANTRIES and (len(key) > 3 or HAN.match(key) or is_number(key))
    ]
    enough = 4 if any(HAN.match(key) for key in telling) else 2
    one_detail = len(keys) == 1 and (keys[0] in TIME_WORDS and len(keys[0]) > 4)
    if _asks_openly(own.text):
        return False
    return (
        bool(keys)
        and len(keys) <= 8
        and all(key in spoken for key in keys)
        and (len(telling) >= enough or one_detail)
    )


def _asks_openly(text: str) -> bool:
    """Recognise a question that asks for more ("Which account ...?") and repeats nothing."""
    keys = [key for key in keys_of(text) if key not in LEADING]
    openers = {word for words in WH.values() for word in words.split()}
    return bool(keys) and (keys[0] in openers or bool(HAN_OPEN_QUESTION.search("".join(keys))))


def _piece(index: int, utterance: Utterance) -> Evidence:
    return Evidence(index, "", utterance.start, utterance.end, utterance.text)
