"""Rules of disputes: what may be disputed until when, and who decides. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from qa.disputes.types import Dispute, DisputeBlock
from qa.forms.types import Form, as_fraction
from qa.people.types import User
from qa.scoring.types import Card
from qa.states import DisputeLevel, DisputeState, Role

LEVELS = (DisputeLevel.EVALUATOR, DisputeLevel.QA_MANAGER, DisputeLevel.DIRECTOR)
DECIDES = {DisputeLevel.QA_MANAGER: Role.QA_MANAGER, DisputeLevel.DIRECTOR: Role.DIRECTOR}


def next_level(rounds: Sequence[Dispute]) -> DisputeLevel:
    """Return who decides the next round: the evaluator, then the QA manager, then a director."""
    return LEVELS[min(LEVELS.index(rounds[-1].level) + 1, len(LEVELS) - 1)] if rounds else LEVELS[0]


def rounds_of(earlier: Sequence[Dispute], criterion: str) -> list[Dispute]:
    """List the rounds about one criterion that count, in order.

    What the agent withdrew does not use up a round.
    """
    return sorted(
        (d for d in earlier if d.criterion == criterion and d.state is not DisputeState.WITHDRAWN),
        key=lambda d: d.round,
    )


def deadline(form: Form, card: Card, earlier: Sequence[Dispute], criterion: str) -> datetime | None:
    """Compute until when the agent may object: from the release, or from the last decision."""
    rounds = rounds_of(earlier, criterion)
    since = rounds[-1].decided_at if rounds else card.released_at
    return since + timedelta(days=form.dispute_days) if since else None


def dispute_block(
    form: Form,
    card: Card,
    earlier: Sequence[Dispute],
    criterion_id: str,
    *,
    highest: DisputeLevel,
    at: datetime,
) -> DisputeBlock | None:
    """Find what keeps an answer from being disputed now; None where nothing does.

    `highest` is the last level that somebody holds here.
    """
    if not card.is_released:
        return DisputeBlock.NOT_RELEASED
    if form.dispute_days == 0:
        return DisputeBlock.NOT_OFFERED
    criterion, answer = form.criterion(criterion_id), card.filled.answers.get(criterion_id)
    if criterion is None or answer is None or answer.option is None:
        return DisputeBlock.NOT_ANSWERED
    rounds = rounds_of(earlier, criterion_id)
    if rounds and rounds[-1].is_open:
        return DisputeBlock.OPEN
    if rounds and (
        rounds[-1].state is DisputeState.UPHELD
        or len(rounds) >= form.dispute_rounds
        or rounds[-1].level in (highest, LEVELS[-1])
    ):
        return DisputeBlock.SETTLED
    option = criterion.option(answer.option)
    if option is not None and as_fraction(option.points) >= criterion.maximum:
        return DisputeBlock.FULL_POINTS
    until = deadline(form, card, earlier, criterion_id)
    return DisputeBlock.TOO_LATE if until is None or at > until else None


def may_decide(user: User, dispute: Dispute, earlier: Sequence[Dispute]) -> bool:
    """Tell whether a user may decide: the card's evaluator, then a QA manager, then a director.

    Nobody decides twice, and nobody above on their own card.
    """
    if not dispute.is_open or not user.is_active:
        return False
    if any(
        d.decided_by_id == user.id
        for d in earlier
        if d.criterion == dispute.criterion and d.id != dispute.id
    ):
        return False
    if dispute.level is DisputeLevel.EVALUATOR:
        return user.id == dispute.evaluator_id
    return user.role is DECIDES[dispute.level] and user.id != dispute.evaluator_id


def overdue_level(dispute: Dispute, *, highest: DisputeLevel, at: datetime) -> DisputeLevel | None:
    """Return the level to which an overdue dispute escalates; None where it stays."""
    if not dispute.is_open or at <= dispute.due_at or dispute.level in (highest, LEVELS[-1]):
        return None
    return LEVELS[LEVELS.index(dispute.level) + 1]
