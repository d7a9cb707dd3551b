"""Until when a place is held, which of the free ones comes next, which calls are scored twice or
blind. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from qa.assignment.types import Candidate
from qa.people.types import User


def lease_end(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


def fair_order(
    candidates: Sequence[Candidate], scored: Mapping[int, int], *, zone: ZoneInfo
) -> list[Candidate]:
    """Of the places due on the same day those first whose agent this evaluator has scored least, so
    that every evaluator hears every agent.

    Without that mixing nobody could tell a strict evaluator from a weak agent. `scored` is this
    evaluator's number of cards per agent this month.
    """
    return sorted(
        candidates,
        key=lambda c: (c.due_at.astimezone(zone).date(), scored.get(c.agent_id, 0), c.due_at, c.id),
    )


def may_be_distributed(user: User, *, agent_id: int, project_id: int) -> bool:
    """Whether a call may be put on an evaluator's list: of a project they work for, and not a call
    of their own.
    """
    return user.agent_id != agent_id and (user.projects is None or project_id in user.projects)


def pick_evaluator(
    shares: Mapping[int, int],
    dealt: Mapping[int, int],
    of_agent: Mapping[int, int],
    *,
    but: int | None = None,
) -> int | None:
    """Whose list a new call goes on, where calls are dealt out by share; None where nobody has one.

    Of those who are within a call of having the most owed to them, the one to whom most of this
    agent's is owed: shares are kept to within two calls, and every evaluator still hears every
    agent. `dealt` and `of_agent` are counts per evaluator, `but` has to be somebody else.
    """
    having = {who: share for who, share in shares.items() if share > 0 and who != but}
    if not having:
        return None
    owed, of_this = _owed(having, dealt), _owed(having, of_agent)
    most = max(owed.values())
    return max(
        (who for who in having if owed[who] > most - 1),
        key=lambda who: (round(of_this[who], 9), round(owed[who], 9), -who),
    )


def _owed(shares: Mapping[int, int], got: Mapping[int, int]) -> dict[int, float]:
    """How many calls short of their share each would be if one more arrived for somebody else."""
    whole, arrived = sum(shares.values()), sum(got.get(who, 0) for who in shares) + 1
    return {who: share / whole * arrived - got.get(who, 0) for who, share in shares.items()}


def is_selected_for_share(share: float, *, purpose: str, seed: str, external_id: str) -> bool:
    """Whether a drawn call belongs to a random share (0–1), the same for ever; nobody who lacks the
    draw's seed can tell beforehand.
    """
    digest = hashlib.sha256(f"{purpose}|{seed}|{external_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share
