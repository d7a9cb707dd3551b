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
    """Judge whether enough required steps of a script are said.

    In their order, unless the rule lets them come anyhow; the steps tell what became of each.
    """
    if not hearing.said_by(rule.by):
        return UNSURE
    rules = [Says(any=step.any, by=rule.by, similarity=step.similarity) for step in rule.steps]
    hits = [find(hearing, says) for says in rules]
    chain = (
        _chain([clear for clear, _ in hits])
        if rule.in_order
        else [max(clear, key=lambda hit: hit.similarity, default=None) for clear, _ in hits]
    )
    steps = []
    for step, says, (clear, near), hit in zip(rule.steps, rules, hits, chain, strict=True):
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
    spoken = [hit for hit in chain if hit is not None]
    confidences = [confidence_of(hearing, hit) for hit in spoken]
    verdict = _verdict(rule, steps)
    confidence = {Verdict.UNSURE: 0.5, Verdict.NOT_MET: NOT_SAID}.get(
        verdict, sum(confidences) / len(confidences) if confidences else 0.5
    )
    return Judgement(
        verdict,
        round(confidence, 3),
        tuple(piece for hit in spoken for piece in pieces_of(hit)),
        tuple(steps),
    )


def _verdict(rule: ScriptRule, steps: list[ScriptStepFinding]) -> Verdict:
    required = [
        outcome.state for step, outcome in zip(rule.steps, steps, strict=True) if not step.optional
    ]
    spoken, unsure = required.count(StepState.SAID), required.count(StepState.UNSURE)
    if spoken >= rule.share * len(required) - 1e-9:
        return Verdict.MET
    return (
        Verdict.UNSURE if spoken + unsure >= rule.share * len(required) - 1e-9 else Verdict.NOT_MET
    )


def _chain(hits: list[list[Hit]]) -> list[Hit | None]:
    """Choose a hit or none per step, so that they follow each other in time and are most alike."""
    # likeness so far, end of the last hit, chosen
    best: list[tuple[float, float, list[Hit | None]]] = [(0.0, -1.0, [])]
    for candidates in hits:
        grown = [(gain, end, [*chosen, None]) for gain, end, chosen in best]
        for hit in candidates:
            before = [state for state in best if state[1] <= hit.tokens[0].start + 0.01]
            gain, _, chosen = max(
                before, key=lambda state: (state[0], -state[1]), default=(0.0, 0.0, None)
            )
            if chosen is not None:
                grown.append((gain + 1 + hit.similarity, hit.tokens[-1].end, [*chosen, hit]))
        best = _useful(grown)
    return max(best, key=lambda state: state[0])[2]


def _useful(
    states: list[tuple[float, float, list[Hit | None]]],
) -> list[tuple[float, float, list[Hit | None]]]:
    """Drop states that end later and gained no more."""
    useful: list[tuple[float, float, list[Hit | None]]] = []
    for state in sorted(states, key=lambda candidate: (candidate[1], -candidate[0])):
        if not useful or state[0] > useful[-1][0]:
            useful.append(state)
    return useful
