"""Check a month's scoring itself, with the two months before it."""

from collections.abc import Mapping
from datetime import datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.fairness import rules, store
from qa.fairness.types import (
    DisputeCounts,
    DisputeLine,
    EvaluatorLine,
    Fairness,
    Habits,
    MonthAgreement,
    Pair,
)
from qa.months import Month
from qa.statistics.severity import SeverityModel, severity

MONTHS = 3
MOST_CARDS = 3000  # of the newest, for what is counted answer by answer
MOST_FOR_SEVERITY = 20_000
MOST_PAIRS = 1000  # of a month, in its report
CORRECT = "severity_correction"
Titles = Mapping[str, dict[str, str]]


def fairness(session: Session, *, month: Month, zone: ZoneInfo, titles: Titles) -> Fairness:
    """Compute everything of the fairness page, over three months that end with `month`.

    Raises MonthRefused.
    """
    begin, end = _period(month, zone)
    pairs = store.pairs(session, begin=begin, end=end)
    criteria = rules.by_criterion([p for _, p in pairs], titles)
    model = severities(session, month=month, zone=zone)
    newest = store.newest_cards(session, begin=begin, end=end, limit=MOST_CARDS)
    disputed = store.disputes(session, begin=begin, end=end)
    return Fairness(
        months=_by_month(pairs, month, zone),
        criteria=criteria,
        evaluators=_evaluators(session, begin, end, model, disputed),
        model=model,
        shifts=rules.shifts(store.agents_of_cards(session, begin=begin, end=end), model)[:20]
        if model
        else (),
        items=rules.items(store.answers(session, newest), criteria, titles),
        disputes=_disputes(disputed, titles),
        checks=rules.checks(_checks(session, newest, zone)),
    )


def severities(session: Session, *, month: Month, zone: ZoneInfo) -> SeverityModel | None:
    """Estimate how severe each evaluator is, over three months; None where cards cannot tell."""
    begin, end = _period(month, zone)
    return severity(store.scored(session, begin=begin, end=end, limit=MOST_FOR_SEVERITY))


def correction(session: Session, *, month: Month, zone: ZoneInfo) -> dict[int, float] | None:
    """Return the points by which each evaluator's scores are shifted back in reports.

    None where the manager has not turned it on, or nothing can be known.
    """
    if not store.is_on(session, CORRECT):
        return None
    model = severities(session, month=month, zone=zone)
    return model.points() if model else None


def set_correction(session: Session, *, on: bool, by: int, at: datetime) -> None:
    """Turn the correction of reports for evaluators' severity on or off, and log who did."""
    store.set_switch(session, CORRECT, on=on, by=by, at=at)
    record_event(
        session,
        subject=Subject.MONTH,
        subject_id=0,
        event=EventKind.SETTING_CHANGED,
        at=at,
        actor_id=by,
        choice=CORRECT,
        on=on,
    )


def month_agreement(
    session: Session, *, month: Month, zone: ZoneInfo
) -> tuple[MonthAgreement, float | None]:
    """Measure a month's agreement on doubly scored calls, and the share of equal answers."""
    begin, end = month.bounds(zone)
    pairs = [pair for _, pair in store.pairs(session, begin=begin, end=end, limit=MOST_PAIRS)]
    answers = [first == second for pair in pairs for first, second in pair.answers.values()]
    return rules.month_agreement(month, pairs), sum(answers) / len(answers) if answers else None


def _period(month: Month, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return (month.previous(MONTHS - 1)).bounds(zone)[0], month.bounds(zone)[1]


def _by_month(
    pairs: list[tuple[datetime, Pair]], month: Month, zone: ZoneInfo
) -> tuple[MonthAgreement, ...]:
    months = [month.previous(back) for back in reversed(range(MONTHS))]
    by_month: dict[str, list[Pair]] = {own: [] for own in months}
    for at, pair in pairs:
        by_month[Month.of(at.astimezone(zone))].append(pair)
    return tuple(rules.month_agreement(own, by_month[own]) for own in months)


def _evaluators(
    session: Session,
    begin: datetime,
    end: datetime,
    model: SeverityModel | None,
    disputed: list[DisputeCounts],
) -> tuple[EvaluatorLine, ...]:
    habits = store.habits(session, begin=begin, end=end)
    skips = store.skips(session, begin=begin, end=end)
    severities_of = {s.evaluator: s for s in model.severities} if model else {}
    lines = []
    for user_id, (name, seconds) in store.evaluators(session, begin=begin, end=end).items():
        habit = habits.get(user_id, Habits())
        own = severities_of.get(user_id)
        disputes = [counts for counts in disputed if counts.evaluator_id == user_id]
        worked = [spent for spent in seconds if spent > 0]
        lines.append(
            EvaluatorLine(
                evaluator_id=user_id,
                name=name,
                cards=len(seconds),
                doubles=own.doubles if own else 0,
                severity=own.points if own else None,
                low=own.low if own else None,
                high=own.high if own else None,
                minutes=median(worked) / 60 if worked else None,
                not_applicable=habit.not_applicable / habit.answers if habit.answers else None,
                changed=habit.changed / habit.sure if habit.sure else None,
                skipped=skips.get(user_id, 0),
                disputed=sum(counts.opened for counts in disputes),
                overturned=sum(counts.overturned for counts in disputes),
            )
        )
    return tuple(lines)


def _disputes(rows: list[DisputeCounts], titles: Titles) -> tuple[DisputeLine, ...]:
    sums: dict[str, list[int]] = {}
    for _evaluator_id, criterion, *counts in rows:
        total = sums.get(criterion, [0] * len(counts))
        sums[criterion] = [sum(both) for both in zip(total, counts, strict=True)]
    lines = [
        DisputeLine(criterion, titles.get(criterion, {"en": criterion}), *counts)
        for criterion, counts in sums.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.overturned, -line.opened, line.criterion)))


def _checks(
    session: Session, cards: list[int], zone: ZoneInfo
) -> dict[str, dict[str, tuple[int, int, int]]]:
    counts: dict[str, dict[str, tuple[int, int, int]]] = {
        k: {} for k in ("language", "line", "shift", "queue", "direction")
    }
    for card in store.checked_cards(session, cards):
        lines = [rules.line_of(card[f"level_{side}"], card[f"floor_{side}"]) for side in ("a", "b")]
        line = next((quality for quality in ("poor", "middling", "good") if quality in lines), "")
        values: dict[str, Any] = {
            "language": card["language"],
            "line": line,
            "shift": rules.shift_of_day(card["started_at"].astimezone(zone).hour),
            "queue": card["queue"],
            "direction": card["direction"].value,
        }
        for kind, value in values.items():
            if value:
                a, b, c = counts[kind].get(value, (0, 0, 0))
                counts[kind][value] = (a + card["sure"], b + card["kept"], c + card["unsure"])
    return {
        kind: counts_of_kind for kind, counts_of_kind in counts.items() if len(counts_of_kind) > 1
    }


def misled(session: Session, *, month: Month, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """List criterion, dispute and card where the automatic answer had misled the evaluator."""
    begin, end = _period(month, zone)
    return store.rules_at_fault(session, begin=begin, end=end)
