"""Draw calls with known probabilities, so that anybody can draw them again. Pure.

Permanent random numbers with Pareto ordering (Rosén 1997; Ohlsson 1998): see docs/decisions/0003-sampling.md.
"""

import hashlib
import heapq
import hmac
import math
import operator
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from scipy.special import stdtrit

from qa.sampling.types import DrawnCall, FrameCall, PlanRule, Precision, Risk, Stratum
from qa.statistics.shares import Z95
from qa.statistics.survey import PooledModel, neyman

ALL_OF = "all:"  # a stratum of which every call is drawn
_digest, _EXTERNAL_ID = hashlib.blake2b, operator.itemgetter(1)
PLANNING_SPREAD = 12.0  # points, where no scorecards tell how far people and checks differ


@dataclass(frozen=True)
class Choice:
    strata: tuple[Stratum, ...]
    calls: tuple[DrawnCall, ...]


def random_number(seed: str, name: str) -> float:
    """The permanent random number of a name under a seed: BLAKE2b-64 of "seed|name", as a number in [0, 1)."""
    return int.from_bytes(_digest(f"{seed}|{name}".encode(), digest_size=8).digest(), "big") / 2**64


def month_seed(plan_seed: str, month: str) -> str:
    """A month's seed, from the plan's secret one. Told when the month is over, it gives away no other month."""
    return hmac.new(plan_seed.encode(), month.encode(), hashlib.sha256).hexdigest()


def day_seed(of_month: str, day: date) -> str:
    """A day's seed, from its month's. Known after the draw, it gives away no other day."""
    return hmac.new(of_month.encode(), day.isoformat().encode(), hashlib.sha256).hexdigest()[:32]


def commitment(of_month: str) -> str:
    """What is written down before the month begins: who sees the seed later can tell that it was this one."""
    return hashlib.sha256(of_month.encode()).hexdigest()


def frame_hash(frame: Sequence[FrameCall]) -> str:
    """What the frame was: a hash over the sorted external ids."""
    return hashlib.sha256("\n".join(sorted([c.external_id for c in frame])).encode()).hexdigest()


def days_left(day: date) -> int:
    """Working days (Monday to Friday) from this day to the end of its month, at least 1."""
    at, count = day, 0
    while at.month == day.month:
        count += at.weekday() < 5
        at += timedelta(days=1)
    return max(1, count)


def targets(
    frame: Sequence[FrameCall], rule: PlanRule, *, drawn_before: Mapping[int, int], day: date, quotas: Mapping[int, float] | None = None
) -> dict[str, float]:
    """How many calls of each stratum to draw today on average: what is left of the agent's quota, spread over the working days left.

    Never less than the floor times the agent's calls, never more than the calls there are; over the day's budget all give way alike, down to
    their floors. `quotas` per agent and month stand instead of the plan's even one.
    """
    strata = _strata([c for c in frame if not c.must])
    by_agent: dict[int, list[tuple[str, list[FrameCall]]]] = {}
    for name, calls in strata.items():
        by_agent.setdefault(calls[0].agent_id, []).append((name, calls))
    result, floors = {}, {}
    for agent_id, parts in by_agent.items():
        everyone = sum(len(calls) for _, calls in parts)
        even = rule.quota_per_agent * (rule.new_hire_factor if parts[0][1][0].is_new_hire else 1)
        left = max(0.0, (quotas or {}).get(agent_id, even) - drawn_before.get(agent_id, 0))
        wanted = max(left / days_left(day), rule.floor_probability * everyone)
        sizes = {name: len(calls) * rule.factors.get(calls[0].part, 1.0) for name, calls in parts}
        for name, calls in parts:
            floors[name] = min(float(len(calls)), rule.floor_probability * len(calls))
            result[name] = min(float(len(calls)), max(floors[name], wanted * sizes[name] / sum(sizes.values())))
    return _within_budget(result, floors, rule.daily_budget)


def _within_budget(wanted: dict[str, float], floors: Mapping[str, float], budget: int | None) -> dict[str, float]:
    over = sum(wanted.values()) - budget if budget is not None else 0.0
    room = sum(wanted.values()) - sum(floors.values())
    if over <= 0 or room <= 0:
        return wanted
    kept = max(0.0, 1 - over / room)
    return {name: floors[name] + (w - floors[name]) * kept for name, w in wanted.items()}


def choose_sample(frame: Sequence[FrameCall], rule: PlanRule, wanted: Mapping[str, float], *, seed: str) -> Choice:
    """Draw from each stratum; every drawn call carries the probability it had. Calls that must be drawn are strata drawn whole.

    A target of 1.3 calls draws one, or with probability 0.3 two; the probabilities count that in.
    """
    strata, drawn = [], []
    for name, calls in sorted(_strata(frame).items()):
        target = wanted.get(name, 0.0)
        chosen = _draw_stratum(calls, rule, target, seed=seed, name=name)
        strata.append(Stratum(name, calls[0].agent_id, len(calls), target, len(chosen)))
        drawn.extend(chosen)
    sure = [c for c in frame if c.must]
    for why in sorted({c.must for c in sure}):
        calls = sorted((c for c in sure if c.must == why), key=_EXTERNAL_ID)
        strata.append(Stratum(f"{ALL_OF}{why}", 0, len(calls), float(len(calls)), len(calls)))
        drawn.extend(DrawnCall(c.id, c.external_id, f"{ALL_OF}{why}", 1.0, why) for c in calls)
    return Choice(tuple(strata), tuple(drawn))


def _strata(frame: Sequence[FrameCall]) -> dict[str, list[FrameCall]]:
    """The calls that need not be drawn, by the name of their stratum."""
    found: dict[tuple[int, bool, str], list[FrameCall]] = {}
    for c in frame:
        if not c.must:
            found.setdefault((c.agent_id, c.is_new_hire, c.part), []).append(c)
    return {stratum_name(calls[0]): calls for calls in found.values()}


def stratum_name(call: FrameCall) -> str:
    return f"agent:{call.agent_id}" + (":new" if call.is_new_hire else "") + (f":{call.part}" if call.part else "")


def part_of(rule: PlanRule, *, queue: str, direction: str, language: str | None, seconds: float) -> str:
    """The value by which a plan stratifies a call; durations in three bands."""
    band = "short" if seconds < 120 else "middle" if seconds < 600 else "long"
    return {"": "", "queue": queue, "direction": direction, "language": language or "?", "duration": band}[rule.stratify_by]


def is_said(value: Any) -> bool:
    """Whether a field of the call data says yes: present, and neither empty nor no."""
    return str(value).lower() not in ("none", "", "false", "no", "0")


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
    """The calls of one stratum. Most strata draw nothing on most days; then nothing more is computed than that."""
    fewer, extra = math.floor(target), target - math.floor(target)
    takes_more = random_number(seed, f"size|{name}") < extra
    count = fewer + takes_more
    if count == 0:
        return []
    flags = [is_risky(c, rule.risk) for c in calls] if rule.risk else []
    if not any(flags) or all(flags):
        return _draw_evenly(calls, fewer=fewer, extra=extra, count=count, seed=seed, name=name, reason="risk" if any(flags) else "")
    calls = sorted(calls, key=_EXTERNAL_ID)
    flags = [is_risky(c, rule.risk) for c in calls]
    sizes = _sizes(flags, rule.risk)
    low, high = inclusion_probabilities(sizes, fewer), inclusion_probabilities(sizes, fewer + 1)
    now = high if takes_more else low
    key = _race_key if count == 1 and rule.method == 2 else _pareto_key
    keys = [(key(random_number(seed, c.external_id), p), i) for i, (c, p) in enumerate(zip(calls, now, strict=True))]
    chosen = sorted(i for _, i in sorted(keys)[: min(count, len(calls))])
    reasons = {i: "risk" if flags[i] else "new_hire" if calls[i].is_new_hire else "random" for i in chosen}
    return [DrawnCall(calls[i].id, calls[i].external_id, name, (1 - extra) * low[i] + extra * high[i], reasons[i]) for i in chosen]


def _draw_evenly(calls: Sequence[FrameCall], *, fewer: int, extra: float, count: int, seed: str, name: str, reason: str) -> list[DrawnCall]:
    """Where all calls are as likely the smallest random numbers win: the same calls as by the keys below, without computing them a million times."""
    prefix = f"{seed}|"
    numbers = [(_digest((prefix + c.external_id).encode(), digest_size=8).digest(), c.external_id, c) for c in calls]
    chosen = sorted((c for _, _, c in heapq.nsmallest(count, numbers)), key=_EXTERNAL_ID)
    low, high = min(1.0, fewer / len(calls)), min(1.0, (fewer + 1) / len(calls))
    probability = (1 - extra) * low + extra * high
    return [DrawnCall(c.id, c.external_id, name, probability, reason or ("new_hire" if c.is_new_hire else "random")) for c in chosen]


def next_in_line(calls: Sequence[FrameCall], rule: PlanRule, target: float, *, taken: Set[int], seed: str) -> tuple[FrameCall, float] | None:
    """Of a stratum's calls the one whose turn would have come next, and its probability; None where all are taken.

    Taking the next ones by their permanent random numbers is how a sample of the calls that can be scored at all would have been drawn at once.
    """
    calls = sorted(calls, key=_EXTERNAL_ID)
    sizes = _sizes([is_risky(c, rule.risk) for c in calls], rule.risk)
    free = [(_race_key(random_number(seed, c.external_id), size), i) for i, (c, size) in enumerate(zip(calls, sizes, strict=True)) if c.id not in taken]
    if not free:
        return None
    _key, i = min(free)
    fewer, extra = math.floor(target), target - math.floor(target)
    low, high = inclusion_probabilities(sizes, fewer)[i], inclusion_probabilities(sizes, fewer + 1)[i]
    return calls[i], (1 - extra) * low + extra * high


def is_risky(call: FrameCall, risk: Risk | None) -> bool:
    if risk is None:
        return False
    is_long = risk.min_duration_seconds is not None and call.duration_seconds >= risk.min_duration_seconds
    return is_long or (risk.has is not None and is_said(call.details.get(risk.has)))


def _sizes(flags: Sequence[bool], risk: Risk | None) -> list[float]:
    """A defensive mixture: an even part that keeps every call eligible, and a part by risk."""
    risky = sum(flags)
    if risk is None or not risky or risky == len(flags):
        return [1.0] * len(flags)
    return [(1 - risk.share) / len(flags) + (risk.share / risky if f else 0.0) for f in flags]


def _race_key(u: float, probability: float) -> float:
    """For one call out of many: waiting times with the probabilities as rates, the first one wins with exactly its probability. Pareto's is near it only."""
    return -math.log(1 - u) / probability if probability > 0 else math.inf


def _pareto_key(u: float, probability: float) -> float:
    if probability >= 1:
        return -1.0
    if probability <= 0:
        return math.inf
    return (u / (1 - u)) / (probability / (1 - probability))


def quotas_by_spread(calls: Mapping[int, int], spreads: Mapping[int, float], quotas: Mapping[int, float], *, floor: float) -> dict[int, float]:
    """The same total as the even quotas, given where it tells most: in proportion to calls × residual spread (Neyman), none under the floor."""
    agents = sorted(calls)
    usual = sum(spreads.values()) / len(spreads) if spreads else PLANNING_SPREAD
    given = neyman([calls[a] for a in agents], [spreads.get(a, usual) for a in agents], sum(quotas[a] for a in agents), floor=floor)
    return dict(zip(agents, given, strict=True))


def precision(calls: Mapping[int, int], quotas: Mapping[int, float], model: PooledModel | None) -> Precision:
    """The half-widths that quotas per agent would give in a month of so many calls: t · s · √((1 − n/N) / n)."""
    spread = math.sqrt(model.variance) if model else PLANNING_SPREAD
    t = float(stdtrit(model.degrees, 0.975)) if model else Z95
    halves, variance = [], 0.0
    drawn = {a: min(quotas[a], n) for a, n in calls.items() if n}
    for a, n in drawn.items():
        error = spread * math.sqrt(max(0.0, 1 - n / calls[a]) / n) if n > 0 else 0.0
        halves.append(t * error)
        variance += (calls[a] * error) ** 2
    total = sum(calls.values())
    middle = sorted(halves)[len(halves) // 2] if halves else None
    whole = t * math.sqrt(variance) / total if total else None
    count = sum(drawn.values())
    return Precision(len(calls), total, count, count / len(drawn) if drawn else 0.0, middle, whole, spread, model is None)
