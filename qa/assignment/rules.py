"""Rules of the queue: leases, order, distribution by share, random shares. Pure."""

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
    """Order candidates by due day, then by how rarely this evaluator has scored their agent.

    So every evaluator hears every agent: without that mixing nobody could tell a strict evaluator
    from a weak agent. `scored` is this evaluator's number of cards per agent this month.
    """
    return sorted(
        candidates,
        key=lambda candidate: (
            candidate.due_at.astimezone(zone).date(),
            scored.get(candidate.agent_id, 0),
            candidate.due_at,
            candidate.id,
        ),
    )


def may_be_distributed(user: User, *, agent_id: int, project_id: int) -> bool:
    """Tell whether a call may go on an evaluator's list: of their projects, not their own call."""
    return user.agent_id != agent_id and (user.projects is None or project_id in user.projects)


def pick_evaluator(
    shares: Mapping[int, int],
    counts: Mapping[int, int],
    counts_of_agent: Mapping[int, int],
    *,
    but: int | None = None,
) -> int | None:
    """Pick the evaluator on whose list a new call goes, by share; None where nobody has one.

    Of those who are within a call of having the most owed to them, the one to whom most of this
    agent's is owed: shares are kept to within two calls, and every evaluator still hears every
    agent. `counts` and `counts_of_agent` are calls per evaluator; `but` is not picked.
    """
    eligible = {
        evaluator_id: share
        for evaluator_id, share in shares.items()
        if share > 0 and evaluator_id != but
    }
    if not eligible:
        return None
    owed = _owed(eligible, counts)
    owed_of_agent = _owed(eligible, counts_of_agent)
    most = max(owed.values())
    return max(
        (evaluator_id for evaluator_id in eligible if owed[evaluator_id] > most - 1),
        key=lambda evaluator_id: (
            round(owed_of_agent[evaluator_id], 9),
            round(owed[evaluator_id], 9),
            -evaluator_id,
        ),
    )


def _owed(shares: Mapping[int, int], counts: Mapping[int, int]) -> dict[int, float]:
    """Compute how many calls short of their share each would be if one more arrived elsewhere."""
    whole = sum(shares.values())
    arrived = sum(counts.get(evaluator_id, 0) for evaluator_id in shares) + 1
    return {
        evaluator_id: share / whole * arrived - counts.get(evaluator_id, 0)
        for evaluator_id, share in shares.items()
    }


def is_selected_for_share(share: float, *, purpose: str, seed: str, external_id: str) -> bool:
    """Tell whether a drawn call belongs to a random share (0–1): the same answer for ever.

    Nobody who lacks the draw's seed can tell beforehand.
    """
    digest = hashlib.sha256(f"{purpose}|{seed}|{external_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share
