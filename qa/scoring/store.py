"""Query and change scorecards. A save is one compare-and-swap on the version the page had."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from qa.scoring.rules import CountedAnswer
from qa.scoring.types import Card, CardOrder, CardSummary, Change, Filled, Revision
from qa.states import AssignmentKind, RevisionCause, ScorecardState
from qa.tables.calls import CallRow
from qa.tables.database import affected_rows
from qa.tables.forms import FormVersionRow
from qa.tables.pages import in_order
from qa.tables.people import AgentRow, UserRow
from qa.tables.results import CheckResultRow
from qa.tables.sampling import DrawnCallRow
from qa.tables.scoring import AnswerRow, AssignmentRow, ScorecardRevisionRow, ScorecardRow

_ORDERS: dict[CardOrder, Any] = {
    CardOrder.SUBMITTED: ScorecardRow.id,
    CardOrder.CALLED: ScorecardRow.started_at,
    CardOrder.SCORE: func.coalesce(ScorecardRow.score, -1),
}
RELEASED = (ScorecardState.RELEASED, ScorecardState.ACKNOWLEDGED)


def _card(row: ScorecardRow, evaluator: str) -> Card:
    return Card(
        id=row.id,
        assignment_id=row.assignment_id,
        call_id=row.call_id,
        agent_id=row.agent_id,
        project_id=row.project_id,
        form_version_id=row.form_version_id,
        evaluator_id=row.evaluator_id,
        evaluator=evaluator,
        kind=row.kind,
        is_blind=row.is_blind,
        state=row.state,
        version=row.version,
        revision=row.revision,
        seconds_spent=row.seconds_spent,
        filled=Filled.model_validate(
            {"answers": row.answers, "notes": row.notes, "summary": row.summary}
        ),
        score=row.score,
        score_without_fails=row.score_without_fails,
        critical_score=row.critical_score,
        passed=row.passed,
        automatic_score=row.automatic_score,
        started_at=row.started_at,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        release_at=row.release_at,
        reviewer_id=row.reviewer_id,
        released_at=row.released_at,
        acknowledged_at=row.acknowledged_at,
        agent_comment=row.agent_comment,
    )


def card(session: Session, card_id: int) -> Card | None:
    query = (
        select(ScorecardRow, UserRow.display_name)
        .join(UserRow, UserRow.id == ScorecardRow.evaluator_id)
        .where(ScorecardRow.id == card_id)
    )
    row = session.execute(query).first()
    return _card(row[0], row[1]) if row else None


def card_of(session: Session, assignment_id: int) -> Card | None:
    card_id = session.scalar(
        select(ScorecardRow.id).where(ScorecardRow.assignment_id == assignment_id)
    )
    return card(session, card_id) if card_id is not None else None


def assignment_id_of(session: Session, card_id: int) -> int:
    """Select the assignment of a card that exists."""
    query = select(ScorecardRow.assignment_id).where(ScorecardRow.id == card_id)
    return session.scalars(query).one()


def open_card(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> int:
    """Insert a draft for an assignment, with the facts that reports need copied once."""
    assignment = session.get_one(AssignmentRow, assignment_id)
    call = session.get_one(CallRow, assignment.call_id)
    automatic = session.scalar(
        select(CheckResultRow.score).where(
            CheckResultRow.call_id == assignment.call_id,
            CheckResultRow.form_version_id == assignment.form_version_id,
        )
    )
    chance = func.coalesce(DrawnCallRow.any_probability, DrawnCallRow.probability)
    probability = (
        session.scalar(select(chance).where(DrawnCallRow.id == assignment.drawn_call_id))
        if assignment.drawn_call_id
        else None
    )
    row = ScorecardRow(
        assignment_id=assignment_id,
        call_id=call.id,
        agent_id=call.agent_id,
        project_id=call.project_id,
        form_version_id=assignment.form_version_id,
        evaluator_id=evaluator_id,
        kind=assignment.kind,
        is_blind=assignment.is_blind,
        state=ScorecardState.DRAFT,
        version=1,
        answers={},
        notes=[],
        automatic_score=automatic,
        is_flagged=call.is_flagged,
        probability=probability,
        started_at=call.started_at,
        opened_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def take_over(session: Session, card_id: int, *, evaluator_id: int) -> None:
    """Hand a draft whose holder lost the call to the next evaluator."""
    session.execute(
        update(ScorecardRow)
        .where(ScorecardRow.id == card_id, ScorecardRow.state == ScorecardState.DRAFT)
        .values(evaluator_id=evaluator_id)
    )


def save(
    session: Session,
    card_id: int,
    *,
    evaluator_id: int,
    version: int,
    filled: Filled,
    seconds: float = 0.0,
) -> bool:
    """Write this evaluator's draft if nobody saved it since `version`.

    `seconds` were spent on it since the last save.
    """
    is_theirs = ScorecardRow.id == card_id, ScorecardRow.evaluator_id == evaluator_id
    change = update(ScorecardRow).where(
        *is_theirs, ScorecardRow.version == version, ScorecardRow.state == ScorecardState.DRAFT
    )
    content = filled.model_dump(mode="json")
    values = {
        "version": version + 1,
        "seconds_spent": ScorecardRow.seconds_spent + seconds,
        **content,
    }
    statement = change.values(**values).execution_options(synchronize_session=False)
    return affected_rows(session, statement) > 0


def submit(
    session: Session,
    card_id: int,
    *,
    version: int,
    filled: Filled,
    answers: list[CountedAnswer],
    figures: dict[str, Any],
    at: datetime,
    **fields: Any,
) -> bool:
    """Close the draft if nobody saved it since `version`, and write its answer rows."""
    change = update(ScorecardRow).where(
        ScorecardRow.id == card_id,
        ScorecardRow.version == version,
        ScorecardRow.state == ScorecardState.DRAFT,
    )
    content = filled.model_dump(mode="json")
    values = {
        **content,
        **figures,
        **fields,
        "version": version + 1,
        "state": ScorecardState.SUBMITTED,
        "submitted_at": at,
    }
    if not affected_rows(session, change.values(**values)):
        return False
    write_answer_rows(session, card_id, answers)
    return True


def write_answer_rows(session: Session, card_id: int, answers: list[CountedAnswer]) -> None:
    """Replace the answer rows of a card, from which reports count."""
    row = session.get_one(ScorecardRow, card_id)
    session.execute(delete(AnswerRow).where(AnswerRow.scorecard_id == card_id))
    facts = {
        "agent_id": row.agent_id,
        "project_id": row.project_id,
        "called_at": row.started_at,
        "weight": 1 / row.probability if row.probability else None,
    }
    session.add_all(AnswerRow(scorecard_id=card_id, **facts, **vars(a)) for a in answers)
    session.flush()


def revise(
    session: Session,
    card_id: int,
    *,
    revision: int,
    filled: Filled,
    answers: list[CountedAnswer],
    figures: dict[str, Any],
    to: ScorecardState,
) -> bool:
    """Write the next revision of a submitted card, if it is still at `revision` and not void."""
    change = update(ScorecardRow).where(
        ScorecardRow.id == card_id,
        ScorecardRow.revision == revision,
        ScorecardRow.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    )
    content = filled.model_dump(mode="json")
    statement = change.values(**content, **figures, revision=revision + 1, state=to)
    if not affected_rows(session, statement):
        return False
    write_answer_rows(session, card_id, answers)
    return True


def add_revision(
    session: Session,
    card_id: int,
    *,
    revision: int,
    cause: RevisionCause,
    reason: str,
    filled: Filled,
    figures: dict[str, Any],
    changes: list[Change],
    by: int,
    at: datetime,
) -> None:
    """Insert the record of a submitted card as it is now; it is never changed."""
    row = ScorecardRevisionRow(
        scorecard_id=card_id,
        revision=revision,
        cause=cause,
        reason=reason,
        content=filled.model_dump(mode="json"),
        figures=figures,
        changes=[vars(c) for c in changes],
        made_by_id=by,
        made_at=at,
    )
    session.add(row)
    session.flush()


def revisions(session: Session, card_id: int) -> list[Revision]:
    """List every revision of a submitted card, the first one first."""
    query = select(ScorecardRevisionRow, UserRow.display_name).join(
        UserRow, UserRow.id == ScorecardRevisionRow.made_by_id
    )
    rows = session.execute(
        query.where(ScorecardRevisionRow.scorecard_id == card_id).order_by(
            ScorecardRevisionRow.revision
        )
    )
    return [
        Revision(
            r.revision,
            r.cause,
            r.reason,
            Filled.model_validate(r.content),
            r.figures,
            tuple(Change(**c) for c in r.changes),
            name,
            r.made_at,
        )
        for r, name in rows
    ]


def change_release(
    session: Session, card_id: int, *, release_at: datetime | None, **fields: Any
) -> bool:
    """Set when a submitted card that nobody has seen yet is released."""
    change = update(ScorecardRow).where(
        ScorecardRow.id == card_id, ScorecardRow.state == ScorecardState.SUBMITTED
    )
    return affected_rows(session, change.values(release_at=release_at, **fields)) > 0


def due_for_release(session: Session, *, now: datetime, limit: int = 200) -> list[int]:
    query = select(ScorecardRow.id).where(
        ScorecardRow.state == ScorecardState.SUBMITTED, ScorecardRow.release_at <= now
    )
    return list(session.scalars(query.order_by(ScorecardRow.release_at).limit(limit)))


def back_to_draft(session: Session, card_id: int) -> bool:
    """Set a submitted card back to draft, as its second reader sends it back.

    Its answers count no more until it is submitted again.
    """
    session.execute(delete(AnswerRow).where(AnswerRow.scorecard_id == card_id))
    change = update(ScorecardRow).where(
        ScorecardRow.id == card_id, ScorecardRow.state == ScorecardState.SUBMITTED
    )
    values = {
        "state": ScorecardState.DRAFT,
        "submitted_at": None,
        "version": ScorecardRow.version + 1,
        "revision": ScorecardRow.revision + 1,
    }
    # nobody has read yet what comes next
    values |= {
        "release_at": None,
        "reviewer_id": None,
        "reviewed_at": None,
    }
    return affected_rows(session, change.values(**values)) > 0


def void(session: Session, card_id: int) -> bool:
    """Void a submitted card: its answers count no more, its content stays."""
    session.execute(delete(AnswerRow).where(AnswerRow.scorecard_id == card_id))
    change = update(ScorecardRow).where(
        ScorecardRow.id == card_id,
        ScorecardRow.state.not_in((ScorecardState.DRAFT, ScorecardState.VOID)),
    )
    return affected_rows(session, change.values(state=ScorecardState.VOID)) > 0


def change_state(
    session: Session, card_id: int, *, was: ScorecardState, to: ScorecardState, **fields: Any
) -> bool:
    change = update(ScorecardRow).where(ScorecardRow.id == card_id, ScorecardRow.state == was)
    return affected_rows(session, change.values(state=to, **fields)) > 0


def cards(
    session: Session,
    *,
    agent_id: int | None = None,
    team_id: int | None = None,
    evaluator_id: int | None = None,
    call_id: int | None = None,
    state: ScorecardState | None = None,
    only_released: bool,
    by: CardOrder = CardOrder.SUBMITTED,
    descending: bool = True,
    before_id: int | None = None,
    limit: int = 50,
) -> list[CardSummary]:
    """List scorecards a page at a time; `before_id` is the last id of the page before."""
    query = (
        select(ScorecardRow, AgentRow.name, UserRow.display_name)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .join(UserRow, UserRow.id == ScorecardRow.evaluator_id)
        .where(
            ScorecardRow.state.in_(RELEASED)
            if only_released
            else ScorecardRow.state != ScorecardState.DRAFT
        )
        .where(ScorecardRow.kind == AssignmentKind.STANDARD)
    )
    query = in_order(
        query, by=_ORDERS[by], row_id=ScorecardRow.id, descending=descending, after_id=before_id
    ).limit(limit)
    conditions = (
        (ScorecardRow.agent_id == agent_id if agent_id is not None else None),
        (AgentRow.team_id == team_id if team_id is not None else None),
        (ScorecardRow.evaluator_id == evaluator_id if evaluator_id is not None else None),
        (ScorecardRow.call_id == call_id if call_id is not None else None),
        (ScorecardRow.state == state if state is not None else None),
    )
    rows = session.execute(query.where(*[c for c in conditions if c is not None])).all()
    failed: dict[int, list[str]] = {}
    ids = [r.id for r, _, _ in rows]
    lost = select(AnswerRow.scorecard_id, AnswerRow.criterion).where(
        AnswerRow.scorecard_id.in_(ids), AnswerRow.share_of_points < 1
    )
    for card_id, criterion in session.execute(lost):
        failed.setdefault(card_id, []).append(criterion)
    return [
        CardSummary(
            r.id,
            r.call_id,
            agent,
            evaluator,
            r.state,
            r.score,
            r.passed,
            r.started_at,
            r.submitted_at,
            tuple(failed.get(r.id, ())),
        )
        for r, agent, evaluator in rows
    ]


def awaiting_second_reader(session: Session, *, reader_id: int, limit: int) -> list[CardSummary]:
    """List submitted cards that wait for a second reader, none of their own, the oldest first."""
    query = (
        select(ScorecardRow, AgentRow.name, UserRow.display_name)
        .join(AgentRow, AgentRow.id == ScorecardRow.agent_id)
        .join(UserRow, UserRow.id == ScorecardRow.evaluator_id)
        .where(*_awaits_second_reader(reader_id))
        .order_by(ScorecardRow.submitted_at)
        .limit(limit)
    )
    rows = session.execute(query)
    return [
        CardSummary(
            r.id,
            r.call_id,
            agent,
            evaluator,
            r.state,
            r.score,
            r.passed,
            r.started_at,
            r.submitted_at,
        )
        for r, agent, evaluator in rows
    ]


def count_awaiting_second_reader(session: Session, *, reader_id: int) -> int:
    return (
        session.scalar(
            select(func.count()).select_from(ScorecardRow).where(*_awaits_second_reader(reader_id))
        )
        or 0
    )


def _awaits_second_reader(reader_id: int) -> tuple[ColumnElement[bool], ...]:
    asking = select(FormVersionRow.id).where(FormVersionRow.needs_second_reader)
    return (
        ScorecardRow.state == ScorecardState.SUBMITTED,
        ScorecardRow.kind == AssignmentKind.STANDARD,
        ScorecardRow.reviewer_id.is_(None),
        ScorecardRow.evaluator_id != reader_id,
        ScorecardRow.form_version_id.in_(asking),
    )


def calls_with_answer(
    criterion: str, *, answer: str | None, automatic: str | None, only_released: bool
) -> Select[int]:
    """Select the ids of calls on whose card a criterion was lost, kept, changed or not applicable.

    `automatic` asks for the automatic answer too.
    """
    query = (
        select(ScorecardRow.call_id)
        .join(AnswerRow, AnswerRow.scorecard_id == ScorecardRow.id)
        .where(AnswerRow.criterion == criterion)
    )
    outcomes = {
        "lost": AnswerRow.share_of_points < 1,
        "kept": AnswerRow.share_of_points == 1,
        "na": AnswerRow.option == "na",
        "changed": AnswerRow.was_changed,
    }
    if answer in outcomes:
        query = query.where(outcomes[answer])
    if automatic:
        query = query.where(AnswerRow.automatic == automatic)
    return query.where(ScorecardRow.state.in_(RELEASED)) if only_released else query


def agent_of_call_has_released_card(session: Session, call_id: int) -> bool:
    return (
        session.scalar(
            select(ScorecardRow.id)
            .where(ScorecardRow.call_id == call_id, ScorecardRow.state.in_(RELEASED))
            .limit(1)
        )
        is not None
    )


def to_acknowledge(session: Session, agent_id: int) -> int:
    query = (
        select(ScorecardRow.id)
        .where(ScorecardRow.agent_id == agent_id, ScorecardRow.state == ScorecardState.RELEASED)
        .limit(100)
    )
    return len(session.scalars(query).all())
