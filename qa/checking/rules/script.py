"""`script`: ordered steps aligned to the call; which were said, skipped, out of order."""

from qa.checking.rules.matching import Hit
from qa.checking.rules.phrase_search import (
    UNSURE,
    PhraseSearch,
    confidence_of,
    doubt,
    find,
    pieces_of,
)
from qa.checking.types import Judgement, ScriptStepFinding, StepState, Verdict
from qa.forms.types import Says, ScriptRule

NOT_SAID = 0.88


def judge_script(hearing: PhraseSearch, rule: ScriptRule) -> Judgement:
    """Met where enough required steps are said (in their order, unless the rule lets them come
    anyhow); the steps tell what became of each.
    """
    if not hearing.said_by(rule.by):
        return UNSURE
    asked = [Says(any=s.any, by=rule.by, similarity=s.similarity) for s in rule.steps]
    found = [find(hearing, a) for a in asked]
    chain = (
        _chain([clear for clear, _ in found])
        if rule.in_order
        else [max(clear, key=lambda h: h.similarity, default=None) for clear, _ in found]
    )
    steps = []
    for step, says, (clear, near), hit in zip(rule.steps, asked, found, chain, strict=True):
        if hit is not None:
            steps.append(
                ScriptStepFinding(step.id, StepState.SAID, hit.similarity, hit.tokens[0].start)
            )
        elif clear:
            steps.append(
                ScriptStepFinding(
                    step.id, StepState.OUT_OF_ORDER, clear[0].similarity, clear[0].tokens[0].start
                )
            )
        elif near or doubt(hearing, says):
            steps.append(
                ScriptStepFinding(step.id, StepState.UNSURE, near[0].similarity if near else 0.0)
            )
        else:
            steps.append(ScriptStepFinding(step.id, StepState.SKIPPED, 0.0))
    said = [h for h in chain if h is not None]
    confidences = [confidence_of(hearing, h) for h in said]
    verdict = _verdict(rule, steps)
    confidence = {Verdict.UNSURE: 0.5, Verdict.NOT_MET: NOT_SAID}.get(
        verdict, sum(confidences) / len(confidences) if confidences else 0.5
    )
    return Judgement(
        verdict, round(confidence, 3), tuple(p for h in said for p in pieces_of(h)), tuple(steps)
    )


def _verdict(rule: ScriptRule, steps: list[ScriptStepFinding]) -> Verdict:
    required = [s.state for step, s in zip(rule.steps, steps, strict=True) if not step.optional]
    said, unsure = required.count(StepState.SAID), required.count(StepState.UNSURE)
    if said >= rule.share * len(required) - 1e-9:
        return Verdict.MET
    return Verdict.UNSURE if said + unsure >= rule.share * len(required) - 1e-9 else Verdict.NOT_MET


def _chain(hits: list[list[Hit]]) -> list[Hit | None]:
    """One hit per step, or none, so that they follow each other in time and are most
    alike in sum.
    """
    # likeness so far, end of the last hit, chosen
    best: list[tuple[float, float, list[Hit | None]]] = [(0.0, -1.0, [])]
    for candidates in hits:
        grown = [(gain, end, [*chosen, None]) for gain, end, chosen in best]
        for hit in candidates:
            before = [b for b in best if b[1] <= hit.tokens[0].start + 0.01]
            gain, _, chosen = max(before, key=lambda b: (b[0], -b[1]), default=(0.0, 0.0, None))
            if chosen is not None:
                grown.append((gain + 1 + hit.similarity, hit.tokens[-1].end, [*chosen, hit]))
        best = _useful(grown)
    return max(best, key=lambda b: b[0])[2]


def _useful(
    states: list[tuple[float, float, list[Hit | None]]],
) -> list[tuple[float, float, list[Hit | None]]]:
    """Drop what ends later and gained no more."""
    kept: list[tuple[float, float, list[Hit | None]]] = []
    for state in sorted(states, key=lambda s: (s[1], -s[0])):
        if not kept or state[0] > kept[-1][0]:
            kept.append(state)
    return kept
