"""Rules about numbers: speech mechanics and call data."""

from collections.abc import Mapping, Sequence
from typing import Any

from qa.checking.types import Evidence, Judgement, Verdict
from qa.forms.types import Limit, MetadataRule, Rule
from qa.transcription.types import Mechanics, Span

MEASURED = 0.95
UNSURE = Judgement(Verdict.UNSURE, 0.5)
NOT_APPLICABLE = Judgement(Verdict.NOT_APPLICABLE, MEASURED)


def judge_mechanics(rule: Rule, mechanics: Mechanics) -> Judgement:
    """One of silence, hold, overlap, interruption, pace, talk share,
    monologue against its limits.
    """
    if rule.silence:
        long_ones = [
            s
            for s in mechanics.silences
            if s.seconds >= rule.silence.longer_than and not _is_held(s, mechanics.holds)
        ]
        return _both(
            _within(
                rule.silence.longest_seconds,
                max((s.seconds for s in long_ones), default=0.0),
                _longest(long_ones),
            ),
            _within(rule.silence.share, mechanics.silence_share, _longest(long_ones)),
            _within(rule.silence.count, len(long_ones), long_ones),
        )
    if rule.hold:
        return _both(
            _within(
                rule.hold.longest_seconds,
                max((s.seconds for s in mechanics.holds), default=0.0),
                _longest(mechanics.holds),
            ),
            _within(rule.hold.count, len(mechanics.holds), mechanics.holds),
        )
    if not mechanics.speakers_known:
        return UNSURE
    if rule.overlap:
        return _within(rule.overlap.share, mechanics.overlap_share, mechanics.overlap)
    if rule.interruption:
        cut_in = _side(mechanics, rule.interruption.by).interruptions
        return _within(rule.interruption.count, len(cut_in), cut_in)
    if rule.pace:
        pace = _side(mechanics, rule.pace.by).words_per_minute
        return NOT_APPLICABLE if pace is None else _within(rule.pace.per_minute, pace, ())
    if rule.talk_share:
        return _within(rule.talk_share.share, _side(mechanics, rule.talk_share.by).talk_share, ())
    assert rule.monologue is not None
    longest = _side(mechanics, rule.monologue.by).longest_monologue
    return _within(
        rule.monologue.longest_seconds,
        longest.seconds if longest else 0.0,
        [longest] if longest else [],
    )


def judge_metadata(rule: MetadataRule, details: Mapping[str, Any]) -> Judgement:
    """Judge a field of the call data; `ticket.closed` is a path or a flat key."""
    value = _look_up(details, rule.field)
    if rule.present is not None:
        return _yes_or_no((value not in (None, "", False)) == rule.present)
    if value in (None, ""):
        return {"unsure": UNSURE, "not_met": _yes_or_no(False), "not_applicable": NOT_APPLICABLE}[
            rule.missing
        ]
    if rule.is_ is not None:
        return _yes_or_no(any(_same(value, wanted) for wanted in rule.is_))
    if rule.contains_field is not None:
        part = _look_up(details, rule.contains_field)
        return UNSURE if part in (None, "") else _yes_or_no(_letters(part) in _letters(value))
    try:
        return _within(rule.limit, float(value), ())
    except (TypeError, ValueError):
        return UNSURE


def _is_held(silence: Span, holds: Sequence[Span]) -> bool:
    """Tell whether a silence lies (nearly) inside an announced wait."""
    return any(
        min(silence.end, h.end) - max(silence.start, h.start) > 0.8 * silence.seconds for h in holds
    )


def _side(mechanics: Mechanics, speaker: str) -> Any:
    return mechanics.agent if speaker == "agent" else mechanics.customer


def _within(limit: Limit | None, value: float, spans: Sequence[Span]) -> Judgement:
    if limit is None:
        return Judgement(Verdict.MET, MEASURED)
    inside = (limit.min is None or value >= limit.min) and (limit.max is None or value <= limit.max)
    evidence = tuple(Evidence(-1, "", s.start, s.end, "") for s in list(spans)[:10])
    return Judgement(Verdict.MET if inside else Verdict.NOT_MET, MEASURED, evidence)


def _both(*judgements: Judgement) -> Judgement:
    failed = [j for j in judgements if j.verdict is Verdict.NOT_MET]
    return failed[0] if failed else max(judgements, key=lambda j: len(j.evidence))


def _longest(spans: Sequence[Span]) -> list[Span]:
    return sorted(spans, key=lambda s: -s.seconds)[:1]


def _look_up(details: Mapping[str, Any], path: str) -> Any:
    if path in details:
        return details[path]
    if path.replace(".", "_") in details:
        return details[path.replace(".", "_")]
    node: Any = details
    for part in path.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def _letters(value: Any) -> str:
    """Letters and digits alone: "[T-3391]" and "t 3391" are the same ticket."""
    return "".join(c for c in str(value).casefold() if c.isalnum())


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return str(value).strip().casefold() in (
            {"true", "yes", "1", "si", "sì", "是"} if wanted else {"false", "no", "0", "否"}
        )
    return str(value).strip().casefold() == str(wanted).strip().casefold()


def _yes_or_no(holds: bool) -> Judgement:
    return Judgement(Verdict.MET if holds else Verdict.NOT_MET, 0.97)
