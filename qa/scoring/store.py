"""Queries on scorecards. A save is one compare-and-swap on the version that the page had."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from qa.scoring.rules import CountedAnswer
from qa.scoring.types import Card, CardSummary, Filled, ScorecardState
from qa.tables.calls import CallRow
from qa.tables.people import AgentRow, UserRow
from qa.tables.results import CheckResultRow
from qa.tables.sampling import DrawnCallRow
from qa.tables.scoring import AnswerRow, AssignmentRow, ScorecardRow

RELEASED = (ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)


def _card(row: ScorecardRow, evaluator: str) -> Card:
    return Card(
        id=row.id,
        assignment_id=row.assignment_id,
        call_id=row.call_id,
        agent_id=row.agent_id,
        form_version_id=row.form_version_id,
        evaluator_id=row.evaluator_id,
        evaluator=evaluator,
        state=row.state,
        version=row.version,
        filled=Filled.model_validate({"answers": row.answers, "notes": row.notes, "summary": row.summary}),
        score=row.score,
        score_without_fails=row.score_without_fails,
        critical_score=row.critical_score,
        passed=row.passed,
        automatic_score=row.automatic_score,
        started_at=row.started_at,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        released_at=row.released_at,
        acknowledged_at=row.acknowledged_at,
        agent_comment=row.agent_comment,
    )


def card(session: Session, card_id: int) -> Card | None:
    query = select(ScorecardRow, UserRow.display_name).join(UserRow, UserRow.id == ScorecardRow.evaluator_id).where(ScorecardRow.id == card_id)
    row = session.execute(query).first()
    return _card(row[0], row[1]) if row else None


def card_of(session: Session, assignment_id: int) -> Card | None:
    found = session.scalar(select(ScorecardRow.id).where(ScorecardRow.assignment_id == assignment_id))
    return card(session, found) if found is not None else None


def open_card(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> int:
    """A draft for an assignment, with the facts that reports need copied once."""
    a = session.get_one(AssignmentRow, assignment_id)
    call = session.get_one(CallRow, a.call_id)
    automatic = session.scalar(select(CheckResultRow.score).where(CheckResultRow.call_id == a.call_id, CheckResultRow.form_version_id == a.form_version_id))
    probability = session.scalar(select(DrawnCallRow.probability).where(DrawnCallRow.id == a.drawn_call_id)) if a.drawn_call_id else None
    row = ScorecardRow(
        assignment_id=assignment_id,
        call_id=call.id,
        agent_id=call.agent_id,
        project_id=call.project_id,
        form_version_id=a.form_version_id,
        evaluator_id=evaluator_id,
        state=ScorecardState.DRAFT,
        version=1,
        answers={},
        notes=[],
        automatic_score=automatic,
        probability=probability,
        started_at=call.started_at,
        opened_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def take_over(session: Session, card_id: int, *, evaluator_id: int) -> None:
    """A draft whose holder lost the call goes on with the next evaluator."""
    session.execute(update(ScorecardRow).where(ScorecardRow.id == card_id, ScorecardRow.state == ScorecardState.DRAFT).values(evaluator_id=evaluator_id))


def save(session: Session, card_id: int, *, version: int, filled: Filled) -> bool:
    """Write the draft if nobody saved it since `version`."""
    change = update(ScorecardRow).where(ScorecardRow.id == card_id, ScorecardRow.version == version, ScorecardRow.state == ScorecardState.DRAFT)
    content = filled.model_dump(mode="json")
    done = session.execute(change.values(version=version + 1, **content))
    return bool(done.rowcount)  # type: ignore[attr-defined]  # a cursor result


def submit(session: Session, card_id: int, *, version: int, filled: Filled, answers: list[CountedAnswer], figures: dict[str, Any], at: datetime) -> bool:
    """Close the draft if nobody saved it since `version`, and lay its answers out for counting."""
    change = update(ScorecardRow).where(ScorecardRow.id == card_id, ScorecardRow.version == version, ScorecardRow.state == ScorecardState.DRAFT)
    content = filled.model_dump(mode="json")
    values = {**content, **figures, "version": version + 1, "state": ScorecardState.SUBMITTED, "submitted_at": at}
    done = session.execute(change.values(**values))
    if not done.rowcount:  # type: ignore[attr-defined]  # a cursor result
        return False
    row = session.get_one(ScorecardRow, card_id)
    session.execute(delete(AnswerRow).where(AnswerRow.scorecard_id == card_id))
    session.add_all(AnswerRow(scorecard_id=card_id, agent_id=row.agent_id, called_at=row.started_at, **vars(a)) for a in answers)
    session.flush()
    return True


def change_state(session: Session, card_id: int, *, was: ScorecardState, to: ScorecardState, **fields: Any) -> bool:
    change = update(ScorecardRow).where(ScorecardRow.id == card_id, ScorecardRow.state == was)
    return bool(session.execute(change.values(state=to, **fields)).rowcount)  # type: ignore[attr-defined]


def cards(
    session: Session,
    *,
    agent_id: int | None = None,
    team_id: int | None = None,
    evaluator_id: int | None = None,
    call_id: int | None = None,
    only_released: bool,
    before_id: int | None = None,
    limit: int = 50,
) -> list[CardSummary]:
    """Scorecards, newest first, a page at a time."""
    query = (
        select(ScorecardRow, AgentRow.name, UserRow.display_name)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .join(UserRow, UserRow.id == ScorecardRow.evaluator_id)
        .where(ScorecardRow.state.in_(RELEASED) if only_released else ScorecardRow.state != ScorecardState.DRAFT)
        .order_by(ScorecardRow.id.desc())
        .limit(limit)
    )
    conditions = (
        (ScorecardRow.agent_id == agent_id if agent_id is not None else None),
        (AgentRow.team_id == team_id if team_id is not None else None),
        (ScorecardRow.evaluator_id == evaluator_id if evaluator_id is not None else None),
        (ScorecardRow.call_id == call_id if call_id is not None else None),
        (ScorecardRow.id < before_id if before_id else None),
    )
    rows = session.execute(query.where(*[c for c in conditions if c is not None])).all()
    failed: dict[int, list[str]] = {}
    ids = [r.id for r, _, _ in rows]
    lost = select(AnswerRow.scorecard_id, AnswerRow.criterion).where(AnswerRow.scorecard_id.in_(ids), AnswerRow.share_of_points < 1)
    for card_id, criterion in session.execute(lost):
        failed.setdefault(card_id, []).append(criterion)
    return [
        CardSummary(r.id, r.call_id, agent, evaluator, r.state, r.score, r.passed, r.started_at, r.submitted_at, tuple(failed.get(r.id, ())))
        for r, agent, evaluator in rows
    ]


def has_released_card(session: Session, call_id: int) -> bool:
    return session.scalar(select(ScorecardRow.id).where(ScorecardRow.call_id == call_id, ScorecardRow.state.in_(RELEASED)).limit(1)) is not None


def to_acknowledge(session: Session, agent_id: int) -> int:
    query = select(ScorecardRow.id).where(ScorecardRow.agent_id == agent_id, ScorecardRow.state == ScorecardState.RELEASED).limit(100)
    return len(session.scalars(query).all())
