"""Apply a form's checks to a call. Pure: transcript, mechanics and call data in, findings out.

It judges words and turn-taking only. Nothing about a person is inferred from a voice.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qa.checking.rules.measured import judge_mechanics, judge_metadata
from qa.checking.rules.phrase_search import UNSURE, PhraseSearch
from qa.checking.rules.question_answer import judge_answers, judge_reads_back
from qa.checking.rules.script import judge_script
from qa.checking.rules.speech_acts import judge_act
from qa.checking.rules.spoken import judge_never_says, judge_order, judge_says
from qa.checking.types import (
    ConfidenceCalibration,
    Evidence,
    Finding,
    Findings,
    Judgement,
    PlattCurve,
    SpeechActs,
    Verdict,
)
from qa.forms.rules import partial_score, round_half_up
from qa.forms.types import NOT_APPLICABLE, Criterion, Form, Rule, in_language
from qa.transcription.rules import measure, turns_of
from qa.transcription.types import Mechanics, Transcript

RULES_VERSION = "2026.11.2"
BELIEVED = 0.6


def check_call(
    form: Form,
    transcript: Transcript,
    *,
    mechanics: Mechanics | None = None,
    details: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    is_complete: bool = True,
    acts: SpeechActs | None = None,
    calibration: ConfidenceCalibration | None = None,
) -> Findings:
    """Answer a form's checks for one call, in the form's order.

    `mechanics` come from the recording; without them they are taken from the transcript's times.
    `variables` fill {company} and the like. `is_complete` is false for a damaged recording: then
    nothing is answered "not said". `acts` is the courtesy classifier; without it rules about speech
    acts are unsure. `calibration` is what people's answers taught: an answer that is then hardly
    better than a guess becomes unsure.
    """
    if mechanics is None:
        has_speakers = transcript.engine.get("speakers") != "unknown"
        mechanics = measure(
            transcript,
            turns_of(transcript, "agent"),
            turns_of(transcript, "customer"),
            speakers_known=has_speakers,
        )
    evidence: dict[str, tuple[Evidence, ...]] = {}
    speakers_known = transcript.engine.get("speakers") != "unknown"
    is_complete = is_complete and (transcript.quality is None or transcript.quality.is_assessable)
    hearing = PhraseSearch(
        transcript,
        _filled(form, transcript.language, variables or {}),
        is_complete,
        speakers_known,
        evidence,
        acts,
    )
    findings = []
    for criterion in form.criteria():
        if criterion.check is None:
            continue
        judgement = _criterion(
            criterion,
            hearing,
            mechanics,
            details or {},
            speaks=transcript.language in form.languages,
        )
        pieces = tuple(_attributed(piece, transcript) for piece in judgement.evidence)
        evidence[criterion.id] = pieces
        curve = calibration.curves.get(f"{form.form}/{criterion.id}") if calibration else None
        raw = judgement.confidence if curve else None
        judgement = _calibrated(judgement, curve)
        findings.append(
            Finding(
                criterion.id,
                judgement.verdict,
                judgement.confidence,
                criterion.check.kind,
                pieces,
                judgement.steps,
                raw,
            )
        )
    low, high = bounds(form, findings)
    version = RULES_VERSION
    if acts is not None and any(_uses_acts(each.check) for each in form.criteria() if each.check):
        version += f" courtesy {acts.version}"
    if calibration is not None:
        version += f" learnt {calibration.version}"
    return Findings(form.form, form.version, tuple(findings), low, high, version)


def _calibrated(judgement: Judgement, curve: PlattCurve | None) -> Judgement:
    if curve is None or judgement.verdict is Verdict.UNSURE:
        return judgement
    confidence = round(curve.apply(judgement.confidence), 3)
    if confidence < BELIEVED:
        return replace(judgement, verdict=Verdict.UNSURE, confidence=0.5)
    return replace(judgement, confidence=confidence)


def bounds(form: Form, findings: list[Finding]) -> tuple[float | None, float | None]:
    """Compute the automatic score with every unsure answer counted as not met, and as met."""

    def total(unsure_as: str) -> float | None:
        answers = {
            finding.criterion: NOT_APPLICABLE
            if finding.verdict is Verdict.NOT_APPLICABLE
            else unsure_as
            for finding in findings
        }
        answers |= {
            finding.criterion: finding.verdict.value
            for finding in findings
            if finding.verdict in (Verdict.MET, Verdict.NOT_MET)
        }
        return round_half_up(partial_score(form, answers).score)

    return total("not_met"), total("met")


def _filled(form: Form, language: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Resolve the variables a caller gave.

    What a form declares is a label for people, never a value.
    """
    return {
        name: in_language(value, language) if isinstance(value, dict) else str(value)
        for name, value in variables.items()
        if value
    }


def _criterion(
    criterion: Criterion,
    hearing: PhraseSearch,
    mechanics: Mechanics,
    details: Mapping[str, Any],
    *,
    speaks: bool,
) -> Judgement:
    assert criterion.check is not None
    if not speaks and _listens(criterion.check):
        return UNSURE
    judgement = _judge(criterion.check, hearing, mechanics, details)
    if judgement.verdict is Verdict.NOT_APPLICABLE and not criterion.na:
        return replace(judgement, verdict=Verdict.UNSURE, confidence=0.5)
    return judgement


def _judge(
    rule: Rule, hearing: PhraseSearch, mechanics: Mechanics, details: Mapping[str, Any]
) -> Judgement:
    if rule.applies_if is not None:
        precondition = _judge(rule.applies_if, hearing, mechanics, details)
        if precondition.verdict in (Verdict.NOT_MET, Verdict.NOT_APPLICABLE):
            return Judgement(Verdict.NOT_APPLICABLE, precondition.confidence)
        inner = _kind(rule, hearing, mechanics, details)
        if precondition.verdict is Verdict.UNSURE and inner.verdict is not Verdict.MET:
            return replace(inner, verdict=Verdict.UNSURE, confidence=0.5)
        return inner if inner.evidence else replace(inner, evidence=precondition.evidence)
    return _kind(rule, hearing, mechanics, details)


def _kind(
    rule: Rule, hearing: PhraseSearch, mechanics: Mechanics, details: Mapping[str, Any]
) -> Judgement:
    if rule.says:
        return judge_says(hearing, rule.says)
    if rule.never_says:
        return judge_never_says(hearing, rule.never_says)
    if rule.order:
        return judge_order(hearing, rule.order)
    if rule.script:
        return judge_script(hearing, rule.script)
    if rule.act:
        return judge_act(hearing, rule.act)
    if rule.answers:
        return judge_answers(hearing, rule.answers)
    if rule.reads_back:
        return judge_reads_back(hearing, rule.reads_back)
    if rule.metadata:
        return judge_metadata(rule.metadata, details)
    if rule.all:
        return _all([_judge(inner, hearing, mechanics, details) for inner in rule.all])
    if rule.any:
        return _any([_judge(inner, hearing, mechanics, details) for inner in rule.any])
    if rule.not_:
        return _not(_judge(rule.not_, hearing, mechanics, details))
    if rule.at_least:
        return _at_least(
            rule.at_least.count,
            [_judge(inner, hearing, mechanics, details) for inner in rule.at_least.of],
        )
    if not hearing.transcript.utterances and not mechanics.agent.talk_seconds:
        return UNSURE
    return judge_mechanics(rule, mechanics)


def _all(parts: list[Judgement]) -> Judgement:
    evidence = tuple(piece for part in parts for piece in part.evidence)
    failed = [part for part in parts if part.verdict is Verdict.NOT_MET]
    if failed:
        return Judgement(Verdict.NOT_MET, max(part.confidence for part in failed), evidence)
    if any(part.verdict is Verdict.UNSURE for part in parts):
        return Judgement(Verdict.UNSURE, 0.5, evidence)
    applicable = [part for part in parts if part.verdict is Verdict.MET]
    if not applicable:
        return Judgement(Verdict.NOT_APPLICABLE, min(part.confidence for part in parts))
    return Judgement(Verdict.MET, min(part.confidence for part in applicable), evidence)


def _any(parts: list[Judgement]) -> Judgement:
    met_parts = [part for part in parts if part.verdict is Verdict.MET]
    if met_parts:
        best = max(met_parts, key=lambda part: part.confidence)
        return Judgement(Verdict.MET, best.confidence, best.evidence)
    unsure = [part for part in parts if part.verdict is Verdict.UNSURE]
    if unsure:
        return Judgement(Verdict.UNSURE, 0.5, unsure[0].evidence)
    failed = [part for part in parts if part.verdict is Verdict.NOT_MET]
    if failed:
        return Judgement(
            Verdict.NOT_MET, min(part.confidence for part in failed), failed[0].evidence
        )
    return Judgement(Verdict.NOT_APPLICABLE, min(part.confidence for part in parts))


def _not(inner: Judgement) -> Judgement:
    swapped = {Verdict.MET: Verdict.NOT_MET, Verdict.NOT_MET: Verdict.MET}
    return replace(inner, verdict=swapped.get(inner.verdict, inner.verdict))


def _at_least(count: int, parts: list[Judgement]) -> Judgement:
    met_parts = [part for part in parts if part.verdict is Verdict.MET]
    possible = len(met_parts) + sum(part.verdict is Verdict.UNSURE for part in parts)
    evidence = tuple(piece for part in met_parts for piece in part.evidence)
    if len(met_parts) >= count:
        return Judgement(
            Verdict.MET,
            sorted((part.confidence for part in met_parts), reverse=True)[count - 1],
            evidence,
        )
    if possible >= count:
        return Judgement(Verdict.UNSURE, 0.5, evidence)
    return Judgement(Verdict.NOT_MET, 0.85, evidence)


def _listens(rule: Rule) -> bool:
    """Tell whether the rule depends on words."""
    return any(
        any(
            (
                inner.says,
                inner.never_says,
                inner.order,
                inner.script,
                inner.act,
                inner.answers,
                inner.reads_back,
            )
        )
        for inner in rule.with_inner()
    )


def _uses_acts(rule: Rule) -> bool:
    return any(inner.act is not None for inner in rule.with_inner())


def _attributed(piece: Evidence, transcript: Transcript) -> Evidence:
    """Attribute evidence to a speaker; a measured span to the utterance it begins in or follows."""
    if piece.utterance >= 0:
        return replace(piece, speaker=transcript.utterances[piece.utterance].speaker)
    before = [
        position
        for position, utterance in enumerate(transcript.utterances)
        if utterance.start <= piece.start + 0.01
    ]
    index = before[-1] if before else 0
    speaker = transcript.utterances[index].speaker if transcript.utterances else "agent"
    return replace(piece, utterance=index, speaker=speaker)
