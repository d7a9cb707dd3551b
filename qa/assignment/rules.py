"""Until when a place is held, which of the free ones comes next, which calls are scored twice or blind. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from qa.assignment.types import Candidate


def lease_end(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


def in_fair_order(candidates: Sequence[Candidate], scored: Mapping[int, int], *, zone: ZoneInfo) -> list[Candidate]:
    """Of the places due on the same day those first whose agent this evaluator has scored least, so that every evaluator hears every agent.

    Without that mixing nobody could tell a strict evaluator from a weak agent. `scored` is this evaluator's number of cards per agent this month.
    """
    return sorted(candidates, key=lambda c: (c.due_at.astimezone(zone).date(), scored.get(c.agent_id, 0), c.due_at, c.id))


def is_picked(share: float, *, purpose: str, seed: str, external_id: str) -> bool:
    """Whether a drawn call belongs to a random share (0–1), the same for ever; nobody who lacks the draw's seed can tell beforehand."""
    digest = hashlib.sha256(f"{purpose}|{seed}|{external_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share
