"""Query who scored what, twice or once, and how it went on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from qa.fairness.types import DisputeCounts, Habits, Pair
from qa.states import AssignmentKind, AssignmentState, DisputeState, ScorecardState
from qa.statistics.severity import Scored
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow, UserRow
from qa.tables.results import TranscriptRow
from qa.tables.scoring import AnswerRow, AssignmentRow, DisputeRow, ScorecardRow
from qa.tables.targets import ReportSwitchRow

UNCOUNTED = (ScorecardState.DRAFT, ScorecardState.VOID)
SURE = ("met", "not_met", "not_applicable")


def _within(
    begin: datetime, end: datetime, kind: AssignmentKind | None = AssignmentKind.STANDARD
) -> list[ColumnElement[bool]]:
    conditions = [
        ScorecardRow.started_at >= begin,
        ScorecardRow.started_at < end,
        ScorecardRow.state.not_in(UNCOUNTED),
    ]
    return conditions if kind is None else [*conditions, ScorecardRow.kind == kind]


def pairs(
    session: Session, *, begin: datetime, end: datetime, limit: int = 3000
) -> list[tuple[datetime, Pair]]:
    """Load the newest calls scored by two people independently, with their time."""
    second = aliased(ScorecardRow)
    query = (
        select(ScorecardRow, second)
        .join(
            second,
            (second.call_id == ScorecardRow.call_id)
            & (second.form_version_id == ScorecardRow.form_version_id),
        )
        .where(
            *_within(begin, end),
            second.kind == AssignmentKind.DOUBLE,
            second.state.not_in(UNCOUNTED),
            second.evaluator_id != ScorecardRow.evaluator_id,
        )
        .order_by(ScorecardRow.started_at.desc(), ScorecardRow.id)
        .limit(limit)
    )
    result = []
    for first, other in session.execute(query):
        both = {
            criterion: (answer["option"], other.answers[criterion]["option"])
            for criterion, answer in first.answers.items()
            if answer.get("option") and other.answers.get(criterion, {}).get("option")
        }
        result.append(
            (
                first.started_at,
                Pair(
                    first.call_id,
                    first.evaluator_id,
                    other.evaluator_id,
                    first.score_without_fails,
                    other.score_without_fails,
                    both,
                ),
            )
        )
    return result


def scored(session: Session, *, begin: datetime, end: datetime, limit: int) -> list[Scored]:
    """Load the newest cards of drawn calls and their doubles.

    Scores are without what a critical fail does to them.
    """
    kinds = (AssignmentKind.STANDARD, AssignmentKind.DOUBLE)
    query = (
        select(
            ScorecardRow.call_id,
            ScorecardRow.agent_id,
            ScorecardRow.evaluator_id,
            ScorecardRow.score_without_fails,
            ScorecardRow.automatic_score,
        )
        .where(
            *_within(begin, end, None),
            ScorecardRow.kind.in_(kinds),
            ScorecardRow.score_without_fails.is_not(None),
        )
        .order_by(ScorecardRow.started_at.desc())
        .limit(limit)
    )
    return [
        Scored(call, agent, evaluator, score or 0.0, automatic)
        for call, agent, evaluator, score, automatic in session.execute(query)
    ]


def agents_of_cards(
    session: Session, *, begin: datetime, end: datetime
) -> list[tuple[int, str, int]]:
    """Load agent, name and evaluator of every counted card."""
    query = (
        select(AgentRow.id, AgentRow.name, ScorecardRow.evaluator_id)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .where(*_within(begin, end))
    )
    return [
        (agent_id, name, evaluator_id) for agent_id, name, evaluator_id in session.execute(query)
    ]


def evaluators(
    session: Session, *, begin: datetime, end: datetime
) -> dict[int, tuple[str, list[float]]]:
    """Load name and seconds per card of everybody who scored."""
    query = select(UserRow.id, UserRow.display_name, ScorecardRow.seconds_spent).join(
        UserRow, UserRow.id == ScorecardRow.evaluator_id
    )
    evaluators: dict[int, tuple[str, list[float]]] = {}
    for user_id, name, seconds in session.execute(
        query.where(*_within(begin, end)).order_by(UserRow.display_name)
    ):
        evaluators.setdefault(user_id, (name, []))[1].append(seconds)
    return evaluators


def habits(session: Session, *, begin: datetime, end: datetime) -> dict[int, Habits]:
    """Count answers per evaluator: all, not applicable, with a sure automatic answer, changed."""
    query = (
        select(
            ScorecardRow.evaluator_id,
            func.count(),
            func.count().filter(AnswerRow.option == "na"),
            func.count().filter(AnswerRow.automatic.in_(SURE)),
            func.count().filter(AnswerRow.automatic.in_(SURE), AnswerRow.was_changed),
        )
        .join(AnswerRow, AnswerRow.scorecard_id == ScorecardRow.id)
        .where(*_within(begin, end))
        .group_by(ScorecardRow.evaluator_id)
    )
    return {evaluator_id: Habits(*counts) for evaluator_id, *counts in session.execute(query)}


def skips(session: Session, *, begin: datetime, end: datetime) -> dict[int, int]:
    query = (
        select(AssignmentRow.evaluator_id, func.count())
        .where(
            AssignmentRow.state == AssignmentState.SKIPPED,
            AssignmentRow.created_at >= begin,
            AssignmentRow.created_at < end,
        )
        .group_by(AssignmentRow.evaluator_id)
    )
    return {
        evaluator_id: count
        for evaluator_id, count in session.execute(query)
        if evaluator_id is not None
    }


def disputes(session: Session, *, begin: datetime, end: datetime) -> list[DisputeCounts]:
    """Count disputes of cards in [begin, end) per evaluator and criterion."""
    decided = DisputeRow.state.in_((DisputeState.UPHELD, DisputeState.REJECTED))
    query = (
        select(
            ScorecardRow.evaluator_id,
            DisputeRow.criterion,
            func.count().filter(DisputeRow.round == 1),
            func.count().filter(decided, DisputeRow.round == 1),
            func.count().filter(DisputeRow.state == DisputeState.UPHELD),
            func.count().filter(DisputeRow.is_rule_at_fault),
        )
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
        .where(ScorecardRow.started_at >= begin, ScorecardRow.started_at < end)
        .group_by(ScorecardRow.evaluator_id, DisputeRow.criterion)
    )
    return [DisputeCounts(*row) for row in session.execute(query)]


def rules_at_fault(
    session: Session, *, begin: datetime, end: datetime, limit: int = 50
) -> list[tuple[str, int, int]]:
    """List criterion, dispute and card where the automatic answer misled, the newest first."""
    query = (
        select(DisputeRow.criterion, DisputeRow.id, DisputeRow.scorecard_id)
        .join(ScorecardRow, ScorecardRow.id == DisputeRow.scorecard_id)
        .where(
            DisputeRow.is_rule_at_fault,
            ScorecardRow.started_at >= begin,
            ScorecardRow.started_at < end,
        )
        .order_by(DisputeRow.id.desc())
        .limit(limit)
    )
    return [
        (criterion, dispute_id, card_id)
        for criterion, dispute_id, card_id in session.execute(query)
    ]


def newest_cards(session: Session, *, begin: datetime, end: datetime, limit: int) -> list[int]:
    return list(
        session.scalars(
            select(ScorecardRow.id)
            .where(*_within(begin, end))
            .order_by(ScorecardRow.started_at.desc())
            .limit(limit)
        )
    )


def answers(session: Session, card_ids: Sequence[int]) -> dict[str, dict[int, float | None]]:
    """Load per criterion the share of points on each card, None where it was not applicable."""
    answers: dict[str, dict[int, float | None]] = {}
    query = select(AnswerRow.criterion, AnswerRow.scorecard_id, AnswerRow.share_of_points).where(
        AnswerRow.scorecard_id.in_(card_ids)
    )
    for criterion, card, share in session.execute(query):
        answers.setdefault(criterion, {})[card] = share
    return answers


def checked_cards(session: Session, card_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Load per card the kind of call, and how many automatic answers were sure, kept, unsure."""
    sure = AnswerRow.automatic.in_(SURE)
    counts = (
        select(
            AnswerRow.scorecard_id.label("card"),
            func.count().filter(sure).label("sure"),
            func.count().filter(sure, ~AnswerRow.was_changed).label("kept"),
            func.count().filter(AnswerRow.automatic == "unsure").label("unsure"),
        )
        .where(AnswerRow.scorecard_id.in_(card_ids))
        .group_by(AnswerRow.scorecard_id)
        .subquery()
    )
    line = TranscriptRow.mechanics["line"]
    worse = [(line[i]["level_db"].as_float(), line[i]["noise_floor_db"].as_float()) for i in (0, 1)]
    query = (
        select(
            CallRow.started_at,
            CallRow.language,
            CallRow.queue,
            CallRow.direction,
            counts.c.sure,
            counts.c.kept,
            counts.c.unsure,
            *worse[0],
            *worse[1],
        )
        .select_from(ScorecardRow)
        .join(counts, counts.c.card == ScorecardRow.id)
        .join(CallRow, CallRow.id == ScorecardRow.call_id)
        .outerjoin(TranscriptRow, TranscriptRow.call_id == CallRow.id)
    )
    names = (
        "started_at",
        "language",
        "queue",
        "direction",
        "sure",
        "kept",
        "unsure",
        "level_a",
        "floor_a",
        "level_b",
        "floor_b",
    )
    return [dict(zip(names, row, strict=True)) for row in session.execute(query)]


def is_on(session: Session, name: str) -> bool:
    """Tell whether a switch is turned on; all are off at first."""
    row = session.get(ReportSwitchRow, name)
    return bool(row and row.is_on)


def set_switch(session: Session, name: str, *, on: bool, by: int, at: datetime) -> None:
    session.merge(ReportSwitchRow(name=name, is_on=on, set_by_id=by, set_at=at))
    session.flush()
