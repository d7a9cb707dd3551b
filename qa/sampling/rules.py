"""Draw calls with known probabilities, so that anybody can draw them again. Pure.

Permanent random numbers with Pareto ordering (Rosén 1997; Ohlsson 1998): see docs/decisions/0003-sampling.md.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from qa.sampling.types import DrawnCall, FrameCall, PlanRule, Risk, Stratum


@dataclass(frozen=True)
class Choice:
    strata: tuple[Stratum, ...]
    calls: tuple[DrawnCall, ...]


def random_number(seed: str, name: str) -> float:
    """The permanent random number of a name under a seed: BLAKE2b-64 of "seed|name", as a number in [0, 1)."""
    digest = hashlib.blake2b(f"{seed}|{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def day_seed(plan_seed: str, day: date) -> str:
    return f"{plan_seed}|{day.isoformat()}"


def frame_hash(frame: Sequence[FrameCall]) -> str:
    """What the frame was: a hash over the sorted external ids."""
    return hashlib.sha256("\n".join(sorted(c.external_id for c in frame)).encode()).hexdigest()


def days_left(day: date) -> int:
    """Working days (Monday to Friday) from this day to the end of its month, at least 1."""
    at, count = day, 0
    while at.month == day.month:
        count += at.weekday() < 5
        at += timedelta(days=1)
    return max(1, count)


def targets(frame: Sequence[FrameCall], rule: PlanRule, *, drawn_before: Mapping[int, int], day: date) -> dict[int, float]:
    """How many calls of each agent to draw today on average: what is left of the quota, spread over the working days left.

    Never less than the floor times the agent's calls, never more than the calls there are.
    """
    by_agent: dict[int, list[FrameCall]] = {}
    for call in frame:
        by_agent.setdefault(call.agent_id, []).append(call)
    result = {}
    for agent_id, calls in by_agent.items():
        quota = rule.quota_per_agent * (rule.new_hire_factor if calls[0].is_new_hire else 1)
        left = max(0.0, quota - drawn_before.get(agent_id, 0))
        wanted = max(left / days_left(day), rule.floor_probability * len(calls))
        result[agent_id] = min(float(len(calls)), wanted)
    return result


def choose_sample(frame: Sequence[FrameCall], rule: PlanRule, wanted: Mapping[int, float], *, seed: str) -> Choice:
    """Draw from each agent's calls; every drawn call carries the probability it had.

    A target of 1.3 calls draws one, or with probability 0.3 two; the probabilities count that in.
    """
    by_agent: dict[int, list[FrameCall]] = {}
    for call in frame:
        by_agent.setdefault(call.agent_id, []).append(call)
    strata, drawn = [], []
    for agent_id in sorted(by_agent):
        calls = sorted(by_agent[agent_id], key=lambda c: c.external_id)
        target = wanted.get(agent_id, 0.0)
        name = f"agent:{agent_id}" + (":new" if calls[0].is_new_hire else "")
        chosen = _draw_stratum(calls, rule, target, seed=seed, name=name)
        strata.append(Stratum(name, agent_id, len(calls), target, len(chosen)))
        drawn.extend(chosen)
    return Choice(tuple(strata), tuple(drawn))


def inclusion_probabilities(sizes: Sequence[float], count: int) -> list[float]:
    """Probabilities in proportion to size that sum to `count`, none above 1: what is cut off goes to the others."""
    if count >= len(sizes):
        return [1.0] * len(sizes)
    result = [0.0] * len(sizes)
    free, left = set(range(len(sizes))), float(count)
    while free and left > 1e-12:
        whole = sum(sizes[i] for i in free)
        above = {i for i in free if sizes[i] * left / whole >= 1}
        if not above:
            for i in free:
                result[i] = sizes[i] * left / whole
            break
        for i in above:
            result[i] = 1.0
        free -= above
        left -= len(above)
    return result


def _draw_stratum(calls: Sequence[FrameCall], rule: PlanRule, target: float, *, seed: str, name: str) -> list[DrawnCall]:
    flags = [is_risky(c, rule.risk) for c in calls]
    sizes = _sizes(flags, rule.risk)
    fewer, extra = math.floor(target), target - math.floor(target)
    low, high = inclusion_probabilities(sizes, fewer), inclusion_probabilities(sizes, fewer + 1)
    takes_more = random_number(seed, f"size|{name}") < extra
    count, now = (fewer + 1, high) if takes_more else (fewer, low)
    keys = [(_pareto_key(random_number(seed, c.external_id), p), i) for i, (c, p) in enumerate(zip(calls, now, strict=True))]
    chosen = sorted(i for _, i in sorted(keys)[: min(count, len(calls))])
    reasons = {i: "risk" if flags[i] else "new_hire" if calls[i].is_new_hire else "random" for i in chosen}
    return [DrawnCall(calls[i].id, calls[i].external_id, name, (1 - extra) * low[i] + extra * high[i], reasons[i]) for i in chosen]


def is_risky(call: FrameCall, risk: Risk | None) -> bool:
    if risk is None:
        return False
    is_long = risk.min_duration_seconds is not None and call.duration_seconds >= risk.min_duration_seconds
    value = call.details.get(risk.has) if risk.has else None
    return is_long or str(value).lower() not in ("none", "", "false", "no", "0")


def _sizes(flags: Sequence[bool], risk: Risk | None) -> list[float]:
    """A defensive mixture: an even part that keeps every call eligible, and a part by risk."""
    risky = sum(flags)
    if risk is None or not risky or risky == len(flags):
        return [1.0] * len(flags)
    return [(1 - risk.share) / len(flags) + (risk.share / risky if f else 0.0) for f in flags]


def _pareto_key(u: float, probability: float) -> float:
    if probability >= 1:
        return -1.0
    if probability <= 0:
        return math.inf
    return (u / (1 - u)) / (probability / (1 - probability))
