"""Open a scorecard, save it, submit it, release it, acknowledge it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from qa.audit.store import note
from qa.audit.types import Subject
from qa.checking.types import Finding
from qa.forms.rules import score, shown
from qa.forms.types import Form
from qa.scoring import store
from qa.scoring.rules import counted_answers, submission_faults
from qa.scoring.types import Card, Filled, ScorecardState


class SavedElsewhere(Exception):
    """Somebody (perhaps another window of the same person) saved this card since it was loaded. `card` is how it is now."""

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is at version {card.version}")
        self.card = card


class AlreadySubmitted(Exception):
    """The card is no draft any more; nothing was changed."""

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is submitted")
        self.card = card


class SubmissionRefused(Exception):
    """The card is not complete. `faults` maps a criterion to missing, unknown_option, na_not_allowed, comment or reason."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{c}: {f}" for c, f in faults.items()))
        self.faults = dict(faults)


class NotTheirs(Exception):
    """The card is not this person's to change."""


def open_card(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> Card:
    """The card of an assignment: the draft that is there, or a new one."""
    existing = store.card_of(session, assignment_id)
    if existing is None:
        store.open_card(session, assignment_id=assignment_id, evaluator_id=evaluator_id, at=at)
    elif existing.state is ScorecardState.DRAFT and existing.evaluator_id != evaluator_id:
        store.take_over(session, existing.id, evaluator_id=evaluator_id)
    found = store.card_of(session, assignment_id)
    assert found is not None
    return found


def save_draft(session: Session, *, card_id: int, evaluator_id: int, version: int, filled: Filled) -> int:
    """Keep what was typed; the new version. Raises SavedElsewhere, AlreadySubmitted, NotTheirs."""
    card = _own(session, card_id, evaluator_id)
    if not store.save(session, card_id, version=version, filled=filled):
        raise _why_not(session, card)
    return version + 1


def submit(
    session: Session, *, card_id: int, evaluator_id: int, version: int, filled: Filled, form: Form, findings: Mapping[str, Finding], at: datetime
) -> Card:
    """Close the card: its score is computed once, here, and kept. A second submit of the same card changes nothing.

    Raises SubmissionRefused, SavedElsewhere, AlreadySubmitted, NotTheirs.
    """
    card = _own(session, card_id, evaluator_id)
    if card.state is not ScorecardState.DRAFT:
        raise AlreadySubmitted(card)
    faults = submission_faults(form, filled, findings)
    if faults:
        raise SubmissionRefused(faults)
    known = {c.id for c in form.criteria()}
    breakdown = score(form, {c: o for c, o in filled.options.items() if c in known})
    figures = {
        "score": shown(breakdown.score),
        "score_without_fails": shown(breakdown.score_without_fails),
        "critical_score": shown(breakdown.critical_score),
        "passed": breakdown.passed,
    }
    answers = counted_answers(form, filled, findings, breakdown)
    if not store.submit(session, card_id, version=version, filled=filled, answers=answers, figures=figures, at=at):
        raise _why_not(session, card)
    note(session, subject=Subject.SCORECARD, subject_id=card_id, what="submitted", at=at, actor_id=evaluator_id, score=figures["score"])
    if form.release == "at_submission":
        release(session, card_id=card_id, by=evaluator_id, at=at)
    done = store.card(session, card_id)
    assert done is not None
    return done


def release(session: Session, *, card_id: int, by: int, at: datetime) -> None:
    """From now on the agent sees the card."""
    if store.change_state(session, card_id, was=ScorecardState.SUBMITTED, to=ScorecardState.RELEASED, released_at=at):
        note(session, subject=Subject.SCORECARD, subject_id=card_id, what="released", at=at, actor_id=by)


def acknowledge(session: Session, *, card_id: int, agent_id: int | None, by: int, comment: str, at: datetime) -> None:
    """The agent has read the card. Raises NotTheirs."""
    card = store.card(session, card_id)
    if card is None or card.agent_id != agent_id or not card.is_released:
        raise NotTheirs
    fields = {"acknowledged_at": at, "agent_comment": comment.strip()[:4000]}
    if store.change_state(session, card_id, was=ScorecardState.RELEASED, to=ScorecardState.ACKNOWLEDGED, **fields):
        note(session, subject=Subject.SCORECARD, subject_id=card_id, what="acknowledged", at=at, actor_id=by)


def _own(session: Session, card_id: int, evaluator_id: int) -> Card:
    card = store.card(session, card_id)
    if card is None or card.evaluator_id != evaluator_id:
        raise NotTheirs
    return card


def _why_not(session: Session, card: Card) -> Exception:
    now = store.card(session, card.id)
    assert now is not None
    return SavedElsewhere(now) if now.state is ScorecardState.DRAFT else AlreadySubmitted(now)
