"""Open, save, submit, release, send back, revise, void and acknowledge scorecards.

A verb that closes or reopens a card finishes, renews or reopens its assignment too, whichever edge
calls it: the page, the command line or a job.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from qa.assignment import service as assignments
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.checking.types import Finding
from qa.forms.types import Form
from qa.notices.service import mark_read_about, notify
from qa.notices.types import NoticeKind
from qa.people.service import agent_name, users_of_agent
from qa.people.types import User
from qa.scoring import store
from qa.scoring.rules import release_time, result_of, revised, submission_faults
from qa.scoring.types import Card, Filled
from qa.states import AssignmentKind, RevisionCause, ScorecardState
from qa.text import bounded_text

MOST_SECONDS = 3600.0  # of one save; a page that claims more is not believed


class VersionConflict(Exception):
    """Raised where somebody (perhaps the same person in another window) saved the card meanwhile.

    `card` is how it is now.
    """

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is at version {card.version}")
        self.card = card


class AlreadySubmitted(Exception):
    """Raised where the card is no draft any more; nothing was changed."""

    def __init__(self, card: Card) -> None:
        super().__init__(f"scorecard {card.id} is submitted")
        self.card = card


class SubmissionRefused(Exception):
    """Raised where the card is not complete.

    `faults` maps a criterion to missing, unknown_option, na_not_allowed, comment or reason.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{c}: {f}" for c, f in faults.items()))
        self.faults = dict(faults)


class NotOwner(Exception):
    """Raised where the card is not this person's to change."""


class ReasonRequired(Exception):
    """Raised where a change of a submitted card has no reason in words."""


class RevisionRefused(Exception):
    """Raised where the new answers do not make a complete card.

    `faults` as in SubmissionRefused; empty where nothing would change.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{c}: {f}" for c, f in faults.items()) or "nothing changed")
        self.faults = dict(faults)


def open_card(session: Session, *, assignment_id: int, evaluator_id: int, at: datetime) -> Card:
    """Open the card of an assignment: the draft that is there, or a new one.

    The call's history shows who opened it.
    """
    existing = store.card_of(session, assignment_id)
    if existing is None:
        store.open_card(session, assignment_id=assignment_id, evaluator_id=evaluator_id, at=at)
    elif existing.state is ScorecardState.DRAFT and existing.evaluator_id != evaluator_id:
        store.take_over(session, existing.id, evaluator_id=evaluator_id)
    card = store.card_of(session, assignment_id)
    assert card is not None
    record_event(
        session,
        subject=Subject.CALL,
        subject_id=card.call_id,
        event=EventKind.OPENED,
        at=at,
        actor_id=evaluator_id,
    )
    return card


def start_self_evaluation(
    session: Session, *, card_id: int, by: User, lease_minutes: int, due_days: int, at: datetime
) -> int:
    """Let an agent fill the form of one of their released cards; the id of their assignment.

    A second start leads to the same assignment. Raises NotOwner.
    """
    card = store.card(session, card_id)
    if (
        card is None
        or card.agent_id != by.agent_id
        or not card.is_released
        or card.kind is not AssignmentKind.STANDARD
    ):
        raise NotOwner
    return assignments.claim_for(
        session,
        call_id=card.call_id,
        form_version_id=card.form_version_id,
        user_id=by.id,
        kind=AssignmentKind.SELF,
        occasion=f"self:{by.id}",
        lease_minutes=lease_minutes,
        due_at=at + timedelta(days=due_days),
        at=at,
    )


def save_draft(
    session: Session,
    *,
    card_id: int,
    evaluator_id: int,
    version: int,
    filled: Filled,
    lease_minutes: int,
    at: datetime,
    seconds: float = 0.0,
) -> int:
    """Save a draft and renew the lease of its assignment; returns the new version.

    `seconds` were spent on it since the last save. Raises VersionConflict, AlreadySubmitted,
    NotOwner and NotHeld.
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
    assignments.renew(
        session,
        assignment_id=store.assignment_id_of(session, card_id),
        evaluator_id=evaluator_id,
        lease_minutes=lease_minutes,
        at=at,
    )
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
    """Submit a draft: compute and store its score once, and finish its assignment.

    A second submit of the same card changes nothing. Raises SubmissionRefused, VersionConflict,
    AlreadySubmitted, NotOwner and NotHeld.
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
    assignments.finish(session, assignment_id=card.assignment_id, evaluator_id=evaluator_id, at=at)
    store.add_revision(
        session,
        card_id,
        revision=card.revision,
        cause=RevisionCause.SUBMITTED,
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
    return _reload(session, card_id)


def release(session: Session, *, card_id: int, by: int | None, at: datetime) -> None:
    """Release a submitted card: from now on its agent sees it, and is notified."""
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
        _notify_agent(session, _reload(session, card_id), NoticeKind.CARD_RELEASED, at=at, by=by)


def schedule_release(
    session: Session,
    *,
    card_id: int,
    release_at: datetime,
    by: int,
    at: datetime,
    reviewer_id: int | None = None,
) -> None:
    """Schedule the release of a submitted card, or release it now where that time is past.

    `reviewer_id` has read it a second time. Raises NotOwner.
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
    """Release every scorecard whose day has come; how many."""
    due = store.due_for_release(session, now=at)
    for card_id in due:
        release(session, card_id=card_id, by=None, at=at)
    return len(due)


def send_back(
    session: Session, *, card_id: int, remark: str, by: int, due_days: int, at: datetime
) -> Card:
    """Send a submitted card back to its evaluator, as the second reader: it is a draft once more.

    Its assignment is reopened for the same evaluator. Raises NotOwner and ReasonRequired.
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
    assignments.reopen(
        session,
        assignment_id=card.assignment_id,
        evaluator_id=card.evaluator_id,
        due_days=due_days,
        at=at,
    )
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.SENT_BACK,
        at=at,
        actor_id=by,
        remark=bounded_text(remark, 1000),
    )
    notify(
        session,
        [card.evaluator_id],
        NoticeKind.CARD_SENT_BACK,
        about=("assignment", card.assignment_id),
        at=at,
        project=card.project_id,
        remark=bounded_text(remark, 300),
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
    """Revise answers of a submitted card: a new revision with its own score; the old one stays.

    Its assignment stays submitted. Raises ReasonRequired, RevisionRefused, NotOwner and
    VersionConflict.
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
    filled, differences = revised(card.filled, changes, comment=reason)
    if not differences:
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
        raise VersionConflict(_reload(session, card_id))
    store.add_revision(
        session,
        card_id,
        revision=card.revision + 1,
        cause=cause,
        reason=reason.strip(),
        filled=filled,
        figures=result.figures,
        changes=differences,
        by=by,
        at=at,
    )
    detail = {
        "cause": cause.value,
        "was": card.score,
        "score": result.figures["score"],
        "changes": [vars(c) for c in differences],
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
    return _reload(session, card_id)


def void(
    session: Session,
    *,
    card_id: int,
    reason: str,
    by: int,
    at: datetime,
    score_again_due_days: int | None = None,
) -> Card:
    """Void a submitted card: it counts nowhere, and everybody who knew it can still read why.

    With `score_again_due_days` its call is queued once more, due in so many days; without, its
    assignment stays submitted. Raises ReasonRequired and NotOwner.
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
        reason=bounded_text(reason, 1000),
        score=card.score,
    )
    if card.is_released:
        _notify_agent(session, card, NoticeKind.CARD_VOIDED, at=at, by=by)
    if score_again_due_days is not None:
        assignments.score_again(
            session, assignment_id=card.assignment_id, due_days=score_again_due_days, at=at
        )
    return card


def record_reading(session: Session, *, card_id: int, by: int, at: datetime) -> None:
    """Record that somebody read a card, and mark their notices about it as read."""
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card_id,
        event=EventKind.READ,
        at=at,
        actor_id=by,
    )
    mark_read_about(session, user_id=by, about=("scorecard", card_id), at=at)


def acknowledge(
    session: Session, *, card_id: int, agent_id: int | None, by: int, comment: str, at: datetime
) -> None:
    """Acknowledge a released card as its agent. Raises NotOwner."""
    card = store.card(session, card_id)
    if card is None or card.agent_id != agent_id or not card.is_released:
        raise NotOwner
    fields = {"acknowledged_at": at, "agent_comment": bounded_text(comment, 4000)}
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


def _reload(session: Session, card_id: int) -> Card:
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
    current = _reload(session, card.id)
    if current.state is ScorecardState.DRAFT:
        return VersionConflict(current)
    return AlreadySubmitted(current)
