"""Open a scorecard, save it, submit it, release it, read it again, acknowledge it, revise it, take
it back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.checking.types import Finding
from qa.forms.types import Form
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people.store import agent_name, users_of_agent
from qa.scoring import store
from qa.scoring.rules import release_time, result_of, revised, submission_faults
from qa.scoring.types import Card, Filled
from qa.states import AssignmentKind, RevisionCause, ScorecardState

MOST_SECONDS = 3600.0  # of one save; a page that claims more is not believed


class VersionConflict(Exception):
    """Somebody (perhaps another window of the same person) saved this card since it was loaded.

    `card` is how it is now.
    """

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is at version {card.version}")
        self.card = card


class AlreadySubmitted(Exception):
    """The card is no draft any more; nothing was changed."""

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is submitted")
        self.card = card


class SubmissionRefused(Exception):
    """The card is not complete.

    `faults` maps a criterion to missing, unknown_option, na_not_allowed, comment or reason.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{c}: {f}" for c, f in faults.items()))
        self.faults = dict(faults)


class NotOwner(Exception):
    """The card is not this person's to change."""


class ReasonRequired(Exception):
    """This needs a reason in words."""


class RevisionRefused(Exception):
    """The new answers do not make a complete card.

    `faults` as in SubmissionRefused; empty where nothing would change.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{c}: {f}" for c, f in faults.items()) or "nothing changed")
        self.faults = dict(faults)


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


def save_draft(
    session: Session,
    *,
    card_id: int,
    evaluator_id: int,
    version: int,
    filled: Filled,
    seconds: float = 0.0,
) -> int:
    """Keep what was typed; the new version. `seconds` were spent on it since the last save.

    Raises SavedElsewhere, AlreadySubmitted, NotTheirs.
    """
    if not store.save(
        session,
        card_id,
        evaluator_id=evaluator_id,
        version=version,
        filled=filled,
        seconds=min(max(seconds, 0.0), MOST_SECONDS),
    ):
        raise _save_refusal(session, _own(session, card_id, evaluator_id))
    return version + 1


def submit(
    session: Session,
    *,
    card_id: int,
    evaluator_id: int,
    version: int,
    filled: Filled,
    form: Form,
    findings: Mapping[str, Finding],
    at: datetime,
) -> Card:
    """Close the card: its score is computed once, here, and kept.

    A second submit of the same card changes nothing.

    Raises SubmissionRefused, SavedElsewhere, AlreadySubmitted, NotTheirs.
    """
    card = _own(session, card_id, evaluator_id)
    if card.state is not ScorecardState.DRAFT:
        raise AlreadySubmitted(card)
    faults = submission_faults(form, filled, findings, blind=card.is_blind)
    if faults:
        raise SubmissionRefused(faults)
    result = result_of(form, filled, findings)
    release_at = release_time(form, card.kind, at=at)
    counted = result.answers if card.kind is AssignmentKind.STANDARD else []
    if not store.submit(
        session,
        card_id,
        version=version,
        filled=filled,
        answers=counted,
        figures=result.figures,
        at=at,
        release_at=release_at,
    ):
        raise _save_refusal(session, card)
    first = RevisionCause.SUBMITTED
    store.add_revision(
        session,
        card_id,
        revision=card.revision,
        cause=first,
        reason="",
        filled=filled,
        figures=result.figures,
        changes=[],
        by=evaluator_id,
        at=at,
    )
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.SUBMITTED,
        at=at,
        actor_id=evaluator_id,
        score=result.figures["score"],
    )
    if release_at is not None and release_at <= at:
        release(session, card_id=card_id, by=evaluator_id, at=at)
    return _now(session, card_id)


def release(session: Session, *, card_id: int, by: int | None, at: datetime) -> None:
    """From now on the agent sees the card, and is told so."""
    if store.change_state(
        session,
        card_id,
        was=ScorecardState.SUBMITTED,
        to=ScorecardState.RELEASED,
        released_at=at,
        release_at=None,
    ):
        record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=card_id,
            event=EventKind.RELEASED,
            at=at,
            actor_id=by,
        )
        _notify_agent(session, _now(session, card_id), NoticeKind.CARD_RELEASED, at=at, by=by)


def schedule_release(
    session: Session,
    *,
    card_id: int,
    release_at: datetime,
    by: int,
    at: datetime,
    reviewer_id: int | None = None,
) -> None:
    """Release a submitted card at a time, or now where that is past.

    `reviewer_id` has read it a second time. Raises NotTheirs.
    """
    fields = {"reviewer_id": reviewer_id, "reviewed_at": at} if reviewer_id is not None else {}
    card = store.card(session, card_id)
    if (
        card is None
        or card.kind is not AssignmentKind.STANDARD
        or not store.change_release(session, card_id, release_at=release_at, **fields)
    ):
        raise NotOwner
    if reviewer_id is not None:
        record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=card_id,
            event=EventKind.SECOND_READ,
            at=at,
            actor_id=by,
        )
    if release_at <= at:
        release(session, card_id=card_id, by=by, at=at)
    else:
        record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=card_id,
            event=EventKind.RELEASE_SCHEDULED,
            at=at,
            actor_id=by,
            release_at=release_at.isoformat(),
        )


def release_due(session: Session, *, at: datetime) -> int:
    """Release every card whose day has come; how many."""
    due = store.due_for_release(session, now=at)
    for card_id in due:
        release(session, card_id=card_id, by=None, at=at)
    return len(due)


def send_back(session: Session, *, card_id: int, remark: str, by: int, at: datetime) -> Card:
    """The second reader asks the evaluator to look again: the card is a draft once more.

    Raises NotTheirs and RemarkMissing.
    """
    if not remark.strip():
        raise ReasonRequired
    card = store.card(session, card_id)
    if (
        card is None
        or card.evaluator_id == by
        or card.kind is not AssignmentKind.STANDARD
        or not store.back_to_draft(session, card_id)
    ):
        raise NotOwner
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.SENT_BACK,
        at=at,
        actor_id=by,
        remark=remark.strip()[:1000],
    )
    notify(
        session,
        [card.evaluator_id],
        NoticeKind.CARD_SENT_BACK,
        about=("assignment", card.assignment_id),
        at=at,
        project=card.project_id,
        remark=remark.strip()[:300],
    )
    return card


def revise(
    session: Session,
    *,
    card_id: int,
    changes: Mapping[str, str],
    cause: RevisionCause,
    reason: str,
    by: int,
    form: Form,
    findings: Mapping[str, Finding],
    at: datetime,
) -> Card:
    """Answer some criteria of a submitted card otherwise: a new revision with its own score; the
    one before stays and is shown.

    Raises RemarkMissing, RevisionRefused, NotTheirs.
    """
    if not reason.strip():
        raise ReasonRequired
    card = store.card(session, card_id)
    if (
        card is None
        or card.state in (ScorecardState.DRAFT, ScorecardState.VOID)
        or card.kind is not AssignmentKind.STANDARD
    ):
        raise NotOwner
    filled, made = revised(card.filled, changes, comment=reason)
    if not made:
        raise RevisionRefused({})
    faults = submission_faults(form, filled, findings, blind=card.is_blind)
    if faults:
        raise RevisionRefused(faults)
    result = result_of(form, filled, findings)
    to = (
        ScorecardState.SUBMITTED
        if card.state is ScorecardState.SUBMITTED
        else ScorecardState.RELEASED
    )
    if not store.revise(
        session,
        card_id,
        revision=card.revision,
        filled=filled,
        answers=result.answers,
        figures=result.figures,
        to=to,
    ):
        raise VersionConflict(_now(session, card_id))
    said, figures = reason.strip(), result.figures
    store.add_revision(
        session,
        card_id,
        revision=card.revision + 1,
        cause=cause,
        reason=said,
        filled=filled,
        figures=figures,
        changes=made,
        by=by,
        at=at,
    )
    detail = {
        "cause": cause.value,
        "was": card.score,
        "score": result.figures["score"],
        "changes": [vars(c) for c in made],
    }
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.REVISED,
        at=at,
        actor_id=by,
        **detail,
    )
    if card.is_released:
        _notify_agent(
            session,
            card,
            NoticeKind.CARD_REVISED,
            at=at,
            by=by,
            was=card.score,
            score=result.figures["score"],
        )
    return _now(session, card_id)


def void(session: Session, *, card_id: int, reason: str, by: int, at: datetime) -> Card:
    """Take a submitted card back: it counts nowhere, and everybody who knew it can still read why.

    Raises RemarkMissing and NotTheirs.
    """
    if not reason.strip():
        raise ReasonRequired
    card = store.card(session, card_id)
    if card is None or not store.void(session, card_id):
        raise NotOwner
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.VOIDED,
        at=at,
        actor_id=by,
        reason=reason.strip()[:1000],
        score=card.score,
    )
    if card.is_released:
        _notify_agent(session, card, NoticeKind.CARD_VOIDED, at=at, by=by)
    return card


def acknowledge(
    session: Session, *, card_id: int, agent_id: int | None, by: int, comment: str, at: datetime
) -> None:
    """The agent has read the card. Raises NotTheirs."""
    card = store.card(session, card_id)
    if card is None or card.agent_id != agent_id or not card.is_released:
        raise NotOwner
    fields = {"acknowledged_at": at, "agent_comment": comment.strip()[:4000]}
    if store.change_state(
        session, card_id, was=ScorecardState.RELEASED, to=ScorecardState.ACKNOWLEDGED, **fields
    ):
        record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=card_id,
            event=EventKind.ACKNOWLEDGED,
            at=at,
            actor_id=by,
        )
        name, when = agent_name(session, card.agent_id), card.started_at.isoformat()
        notify(
            session,
            [card.evaluator_id],
            NoticeKind.CARD_ACKNOWLEDGED,
            about=("scorecard", card_id),
            at=at,
            project=card.project_id,
            name=name,
            when=when,
        )


def _now(session: Session, card_id: int) -> Card:
    card = store.card(session, card_id)
    assert card is not None
    return card


def _notify_agent(
    session: Session, card: Card, kind: NoticeKind, *, at: datetime, by: int | None, **facts: Any
) -> None:
    readers = users_of_agent(session, card.agent_id)
    notify(
        session,
        readers,
        kind,
        about=("scorecard", card.id),
        at=at,
        but=by,
        project=card.project_id,
        when=card.started_at.isoformat(),
        **facts,
    )


def _own(session: Session, card_id: int, evaluator_id: int) -> Card:
    card = store.card(session, card_id)
    if card is None or card.evaluator_id != evaluator_id:
        raise NotOwner
    return card


def _save_refusal(session: Session, card: Card) -> Exception:
    now = store.card(session, card.id)
    assert now is not None
    return VersionConflict(now) if now.state is ScorecardState.DRAFT else AlreadySubmitted(now)
