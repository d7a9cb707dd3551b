"""Open, withdraw and decide disputes, and escalate those that nobody decided in time."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.checking.types import Finding
from qa.disputes import store
from qa.disputes.rules import dispute_block, may_decide, next_level, overdue_level, rounds_of
from qa.disputes.types import Dispute, DisputeBlock
from qa.forms.types import NOT_APPLICABLE, Form
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people import service as people
from qa.people.types import User
from qa.scoring import service as scoring
from qa.scoring.types import Card
from qa.states import DisputeLevel, DisputeState, RevisionCause, Role
from qa.text import bounded_text


class DisputeBlocked(Exception):
    """Raised where an answer cannot be disputed; `block` says why not."""

    def __init__(self, block: DisputeBlock) -> None:
        super().__init__(block.value)
        self.block = block


class ReasonRequired(ValueError):
    """Raised where a dispute or its decision has no reason in words."""


class NotDecider(Exception):
    """Raised where a dispute is not this person's to decide, or is decided already."""


class NoSuchOption(ValueError):
    """Raised where the criterion has no such option, or it is the one that is disputed."""


def open_dispute(
    session: Session,
    *,
    card: Card,
    form: Form,
    criterion: str,
    reason: str,
    suggested: str,
    by: User,
    decide_days: int,
    at: datetime,
) -> Dispute:
    """Open a dispute about an answer on the agent's own card, and notify who decides it.

    Raises DisputeBlocked, ReasonRequired, NoSuchOption and scoring's NotOwner.
    """
    if by.agent_id is None or card.agent_id != by.agent_id:
        raise scoring.NotOwner
    earlier = store.of_card(session, card.id)
    highest = highest_level(session)
    if block := dispute_block(form, card, earlier, criterion, highest=highest, at=at):
        raise DisputeBlocked(block)
    if not reason.strip():
        raise ReasonRequired
    option = card.filled.answers[criterion].option or ""
    if suggested and not _is_choice(form, criterion, suggested, but=option):
        raise NoSuchOption
    level = next_level(rounds_of(earlier, criterion))
    try:
        dispute_id = store.add(
            session,
            card_id=card.id,
            criterion=criterion,
            number=store.highest_round(session, card.id, criterion) + 1,
            level=level,
            option=option,
            suggested=suggested,
            reason=bounded_text(reason, 4000),
            by=by.id,
            at=at,
            due_at=at + timedelta(days=decide_days),
        )
    except IntegrityError as error:  # the same objection was sent twice at once
        raise DisputeBlocked(DisputeBlock.OPEN) from error
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=card.id,
        event=EventKind.DISPUTED,
        at=at,
        actor_id=by.id,
        criterion=criterion,
        level=level.value,
    )
    dispute = _reload(session, dispute_id)
    _notify_deciders(session, dispute, at=at)
    return dispute


def withdraw(session: Session, *, dispute_id: int, by: User, at: datetime) -> Dispute:
    """Withdraw a dispute as the agent who opened it. Raises scoring's NotOwner."""
    dispute = store.dispute(session, dispute_id)
    if (
        dispute is None
        or dispute.agent_id != by.agent_id
        or not store.change(session, dispute_id, state=DisputeState.WITHDRAWN, decided_at=at)
    ):
        raise scoring.NotOwner
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=dispute.card_id,
        event=EventKind.DISPUTE_WITHDRAWN,
        at=at,
        actor_id=by.id,
        criterion=dispute.criterion,
    )
    return dispute


def decide(
    session: Session,
    *,
    dispute_id: int,
    option: str | None,
    reason: str,
    is_rule_at_fault: bool,
    by: User,
    form: Form,
    findings: Mapping[str, Finding],
    at: datetime,
) -> Dispute:
    """Uphold a dispute with another option, which revises the card, or reject it with None.

    Raises NotDecider, ReasonRequired, NoSuchOption, and scoring's RevisionRefused where the new
    answer opens others that have none.
    """
    dispute = store.dispute(session, dispute_id)
    if dispute is None or not may_decide(by, dispute, store.of_card(session, dispute.card_id)):
        raise NotDecider
    if not reason.strip():
        raise ReasonRequired
    if option is not None and not _is_choice(
        form, dispute.criterion, option, but=dispute.disputed_option
    ):
        raise NoSuchOption
    state = DisputeState.REJECTED if option is None else DisputeState.UPHELD
    fields = {
        "decided_by_id": by.id,
        "decided_at": at,
        "decision_reason": bounded_text(reason, 4000),
        "decided_option": option or "",
    }
    if not store.change(
        session, dispute_id, state=state, is_rule_at_fault=is_rule_at_fault, **fields
    ):
        raise NotDecider
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=dispute.card_id,
        event=EventKind(f"dispute_{state.value}"),
        at=at,
        actor_id=by.id,
        criterion=dispute.criterion,
    )
    if option is not None:
        scoring.revise(
            session,
            card_id=dispute.card_id,
            changes={dispute.criterion: option},
            cause=RevisionCause.DISPUTE,
            reason=reason,
            by=by.id,
            form=form,
            findings=findings,
            at=at,
        )
    readers = [*people.users_of_agent(session, dispute.agent_id), dispute.evaluator_id]
    notify(
        session,
        readers,
        NoticeKind.DISPUTE_DECIDED,
        about=("dispute", dispute_id),
        at=at,
        but=by.id,
        project=dispute.project_id,
        upheld=option is not None,
    )
    return _reload(session, dispute_id)


def escalate_overdue(session: Session, *, decide_days: int, at: datetime) -> int:
    """Escalate disputes that nobody decided in time one level higher; how many."""
    highest = highest_level(session)
    escalated = 0
    for dispute in store.overdue(session, now=at):
        level = overdue_level(dispute, highest=highest, at=at)
        due_at = at + timedelta(days=decide_days)
        if level is not None and store.change(session, dispute.id, level=level, due_at=due_at):
            record_event(
                session,
                subject=Subject.SCORECARD,
                subject_id=dispute.card_id,
                event=EventKind.DISPUTE_ESCALATED,
                at=at,
                criterion=dispute.criterion,
                level=level.value,
            )
            _notify_deciders(session, _reload(session, dispute.id), at=at)
            escalated += 1
    return escalated


def highest_level(session: Session) -> DisputeLevel:
    """Return the last level that somebody holds here: the QA manager where no director is."""
    return (
        DisputeLevel.DIRECTOR
        if people.has_role(session, Role.DIRECTOR)
        else DisputeLevel.QA_MANAGER
    )


def void_card(
    session: Session,
    *,
    card_id: int,
    reason: str,
    by: int,
    at: datetime,
    score_again_due_days: int | None = None,
) -> Card:
    """Void a card and close the disputes about it; queue its call once more where days are given.

    Raises scoring's ReasonRequired and NotOwner.
    """
    card = scoring.void(
        session,
        card_id=card_id,
        reason=reason,
        by=by,
        at=at,
        score_again_due_days=score_again_due_days,
    )
    store.close_all(session, card_id, at=at)
    return card


def _is_choice(form: Form, criterion_id: str, option: str, *, but: str) -> bool:
    criterion = form.criterion(criterion_id)
    if criterion is None or option == but:
        return False
    return criterion.na if option == NOT_APPLICABLE else criterion.option(option) is not None


def _reload(session: Session, dispute_id: int) -> Dispute:
    dispute = store.dispute(session, dispute_id)
    assert dispute is not None
    return dispute


def _notify_deciders(session: Session, dispute: Dispute, *, at: datetime) -> None:
    if dispute.level is DisputeLevel.EVALUATOR:
        readers = [dispute.evaluator_id]
    else:
        role = Role.QA_MANAGER if dispute.level is DisputeLevel.QA_MANAGER else Role.DIRECTOR
        readers = [
            u.id for u in people.users_with_role(session, role) if u.id != dispute.evaluator_id
        ]
    notify(
        session,
        readers,
        NoticeKind.DISPUTE_OPENED,
        about=("dispute", dispute.id),
        at=at,
        project=dispute.project_id,
        name=dispute.agent,
        until=dispute.due_at.isoformat(),
    )
