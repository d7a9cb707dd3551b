"""Open, withdraw and decide disputes; undecided ones rise to the next level when their time is
over.
"""

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
from qa.people import store as people
from qa.people.types import User
from qa.scoring import service as scoring
from qa.scoring.types import Card
from qa.states import DisputeLevel, DisputeState, RevisionCause, Role


class DisputeBlocked(Exception):
    """The answer cannot be disputed; `why` says why not."""

    def __init__(self, why: DisputeBlock) -> None:
        super().__init__(why.value)
        self.why = why


class ReasonRequired(ValueError):
    """A dispute and its decision need a reason in words."""


class NotDecider(Exception):
    """Not this person's dispute to decide, or decided already."""


class NoSuchOption(ValueError):
    """The criterion has no such option, or it is the one that is disputed."""


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
    """An agent objects to an answer on their own card.

    Raises DisputeBarred, WordsMissing, NoSuchOption and NotTheirs.
    """
    if by.agent_id is None or card.agent_id != by.agent_id:
        raise scoring.NotOwner
    earlier = store.of_card(session, card.id)
    if why := dispute_block(form, card, earlier, criterion, highest=highest_level(session), at=at):
        raise DisputeBlocked(why)
    if not reason.strip():
        raise ReasonRequired
    option = card.filled.answers[criterion].option or ""
    if suggested and not _is_choice(form, criterion, suggested, but=option):
        raise NoSuchOption
    level = next_level(rounds_of(earlier, criterion))
    number = store.highest_round(session, card.id, criterion) + 1
    due_at = at + timedelta(days=decide_days)
    said = {"option": option, "suggested": suggested, "reason": reason.strip()[:4000]}
    try:
        dispute_id = store.add(
            session,
            card_id=card.id,
            criterion=criterion,
            number=number,
            level=level,
            by=by.id,
            at=at,
            due_at=due_at,
            **said,
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
    made = store.dispute(session, dispute_id)
    assert made is not None
    _tell_deciders(session, made, at=at)
    return made


def withdraw(session: Session, *, dispute_id: int, by: User, at: datetime) -> Dispute:
    """The agent takes the objection back. Raises NotTheirs."""
    found = store.dispute(session, dispute_id)
    if (
        found is None
        or found.agent_id != by.agent_id
        or not store.change(session, dispute_id, state=DisputeState.WITHDRAWN, decided_at=at)
    ):
        raise scoring.NotOwner
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=found.card_id,
        event=EventKind.DISPUTE_WITHDRAWN,
        at=at,
        actor_id=by.id,
        criterion=found.criterion,
    )
    return found


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

    Raises NotTheirsToDecide, WordsMissing, NoSuchOption, and RevisionRefused where the new answer
    opens others that have none.
    """
    found = store.dispute(session, dispute_id)
    if found is None or not may_decide(by, found, store.of_card(session, found.card_id)):
        raise NotDecider
    if not reason.strip():
        raise ReasonRequired
    if option is not None and not _is_choice(
        form, found.criterion, option, but=found.disputed_option
    ):
        raise NoSuchOption
    state = DisputeState.REJECTED if option is None else DisputeState.UPHELD
    fields = {
        "decided_by_id": by.id,
        "decided_at": at,
        "decision_reason": reason.strip()[:4000],
        "decided_option": option or "",
    }
    if not store.change(
        session, dispute_id, state=state, is_rule_at_fault=is_rule_at_fault, **fields
    ):
        raise NotDecider
    record_event(
        session,
        subject=Subject.SCORECARD,
        subject_id=found.card_id,
        event=EventKind(f"dispute_{state.value}"),
        at=at,
        actor_id=by.id,
        criterion=found.criterion,
    )
    if option is not None:
        changes, cause = {found.criterion: option}, RevisionCause.DISPUTE
        scoring.revise(
            session,
            card_id=found.card_id,
            changes=changes,
            cause=cause,
            reason=reason,
            by=by.id,
            form=form,
            findings=findings,
            at=at,
        )
    readers = [*people.users_of_agent(session, found.agent_id), found.evaluator_id]
    notify(
        session,
        readers,
        NoticeKind.DISPUTE_DECIDED,
        about=("dispute", dispute_id),
        at=at,
        but=by.id,
        project=found.project_id,
        upheld=option is not None,
    )
    decided = store.dispute(session, dispute_id)
    assert decided is not None
    return decided


def escalate_overdue(session: Session, *, decide_days: int, at: datetime) -> int:
    """Disputes that nobody decided in time go one level higher; how many."""
    late, highest, risen_ones = store.overdue(session, now=at), highest_level(session), 0
    for d in late:
        level = overdue_level(d, highest=highest, at=at)
        if level is not None and store.change(
            session, d.id, level=level, due_at=at + timedelta(days=decide_days)
        ):
            record_event(
                session,
                subject=Subject.SCORECARD,
                subject_id=d.card_id,
                event=EventKind.DISPUTE_ESCALATED,
                at=at,
                criterion=d.criterion,
                level=level.value,
            )
            risen = store.dispute(session, d.id)
            assert risen is not None
            _tell_deciders(session, risen, at=at)
            risen_ones += 1
    return risen_ones


def highest_level(session: Session) -> DisputeLevel:
    """The last level that somebody holds here: without a director it is the QA manager."""
    return (
        DisputeLevel.DIRECTOR
        if people.has_role(session, Role.DIRECTOR)
        else DisputeLevel.QA_MANAGER
    )


def void_card(session: Session, *, card_id: int, reason: str, by: int, at: datetime) -> Card:
    """Take a card back, and with it what is disputed about it. Raises RemarkMissing
    and NotTheirs.
    """
    card = scoring.void(session, card_id=card_id, reason=reason, by=by, at=at)
    store.close_all(session, card_id, at=at)
    return card


def _is_choice(form: Form, criterion_id: str, option: str, *, but: str) -> bool:
    criterion = form.criterion(criterion_id)
    if criterion is None or option == but:
        return False
    return criterion.na if option == NOT_APPLICABLE else criterion.option(option) is not None


def _tell_deciders(session: Session, found: Dispute, *, at: datetime) -> None:
    if found.level is DisputeLevel.EVALUATOR:
        readers = [found.evaluator_id]
    else:
        role = Role.QA_MANAGER if found.level is DisputeLevel.QA_MANAGER else Role.DIRECTOR
        readers = [
            u.id for u in people.users_with_role(session, role) if u.id != found.evaluator_id
        ]
    notify(
        session,
        readers,
        NoticeKind.DISPUTE_OPENED,
        about=("dispute", found.id),
        at=at,
        project=found.project_id,
        name=found.agent,
        until=found.due_at.isoformat(),
    )
