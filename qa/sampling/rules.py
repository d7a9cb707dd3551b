"""Draw calls with known probabilities, so that anybody can draw them again. Pure.

Permanent random numbers with Pareto ordering (Rosén 1997; Ohlsson 1998): see
docs/decisions/0003-sampling.md.
"""

import hashlib
import heapq
import hmac
import itertools
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from scipy.special import stdtrit

from qa.months import Month
from qa.sampling.types import Frame, FrameCell, PlanRule, Precision, Risk, SelectedCall, Stratum
from qa.statistics.proportions import Z95
from qa.statistics.survey_estimators import PooledModel, neyman

ALL_OF = "all:"  # a stratum of which every call is drawn
_digest = hashlib.blake2b
# of an even day's share: 5 % more cards, 7 % more of what they are worth, and no weight over twice
# the usual one
LEAST_OF_A_DAY = 0.5
PLANNING_SPREAD = 12.0  # points, where no scorecards tell how far people and checks differ


@dataclass(frozen=True)
class Selection:
    strata: tuple[Stratum, ...]
    calls: tuple[SelectedCall, ...]


@dataclass
class StratumCalls:
    """The calls of one stratum by their external ids."""

    kind: FrameCell
    usual: Sequence[str] = ()
    risky: Sequence[str] = ()

    @property
    def count(self) -> int:
        return len(self.usual) + len(self.risky)

    def in_order(self) -> list[tuple[str, bool]]:
        """By external id, each with whether it is risky."""
        return sorted(
            [
                *((call_id, False) for call_id in self.usual),
                *((call_id, True) for call_id in self.risky),
            ]
        )


def random_number(seed: str, name: str) -> float:
    """Compute the permanent random number of a name under a seed, in [0, 1).

    It is the BLAKE2b-64 hash of "seed|name", as a number.
    """
    return int.from_bytes(_digest(f"{seed}|{name}".encode(), digest_size=8).digest(), "big") / 2**64


def month_seed(plan_seed: str, month: Month) -> str:
    """Derive a month's seed from the plan's secret one (HMAC).

    Published when the month is over, it gives away no other month.

    Told when the month is over, it gives away no other month.
    """
    return hmac.new(plan_seed.encode(), month.encode(), hashlib.sha256).hexdigest()


def day_seed(of_month: str, day: date) -> str:
    """Derive a day's seed from its month's (HMAC).

    Known after the draw, it gives away no other day.
    """
    return hmac.new(of_month.encode(), day.isoformat().encode(), hashlib.sha256).hexdigest()[:32]


def commitment(of_month: str) -> str:
    """Hash a month's seed, to be published before the month begins.

    Whoever sees the seed later can tell that it was this one.
    """
    return hashlib.sha256(of_month.encode()).hexdigest()


def frame_size(frame: Frame) -> int:
    return sum(map(len, frame.values()))


def frame_hash(frame: Frame) -> str:
    """Hash the sorted external ids of a frame (SHA-256)."""
    return hashlib.sha256(
        "\n".join(sorted(itertools.chain.from_iterable(frame.values()))).encode()
    ).hexdigest()


def days_left(day: date) -> int:
    """Count the working days (Monday to Friday) left in the month, with this day; at least 1."""
    current, count = day, 0
    while current.month == day.month:
        count += current.weekday() < 5
        current += timedelta(days=1)
    return max(1, count)


def targets(
    frame: Frame,
    rule: PlanRule,
    *,
    drawn_before: Mapping[int, int],
    day: date,
    quotas: Mapping[int, float] | None = None,
) -> dict[str, float]:
    """Compute how many calls of each stratum to draw today on average.

    What is left of the agent's quota is spread over the working days left.

    Never less than the floor times the agent's calls, nor than half of an even day's share: who has
    had a quota early is heard on, or one call drawn late would stand for hundreds. Never more than
    the calls there are; over the day's budget all give way alike, down to their floors. `quotas`
    per agent and month stand instead of the plan's even one.
    """
    result, floors, working_days, of_month = {}, {}, days_left(day), days_left(day.replace(day=1))
    for agent_id, parts in _by_agent(frame).items():
        everyone = sum(calls.count for _, calls in parts)
        even = rule.quota_per_agent * (rule.new_hire_factor if parts[0][1].kind.is_new_hire else 1)
        quota = (quotas or {}).get(agent_id, even)
        left = max(0.0, quota - drawn_before.get(agent_id, 0))
        agent_target = max(
            left / working_days,
            rule.floor_probability * everyone,
            LEAST_OF_A_DAY * quota / of_month,
        )
        shared = _shared(parts, rule, agent_target)
        for name, calls in parts:
            floors[name] = min(float(calls.count), rule.floor_probability * calls.count)
            result[name] = min(float(calls.count), max(floors[name], shared[name]))
    return _within_budget(result, floors, rule.daily_budget)


def _by_agent(frame: Frame) -> dict[int, list[tuple[str, StratumCalls]]]:
    """Group the strata by agent; each with its name."""
    strata_of_agents: dict[int, list[tuple[str, StratumCalls]]] = {}
    for name, calls in _strata(frame).items():
        strata_of_agents.setdefault(calls.kind.agent_id, []).append((name, calls))
    return strata_of_agents


def _shared(
    parts: Sequence[tuple[str, StratumCalls]], rule: PlanRule, target: float
) -> dict[str, float]:
    """Split an agent's target over the agent's strata by their sizes and factors."""
    sizes = {name: calls.count * rule.factors.get(calls.kind.part, 1.0) for name, calls in parts}
    return {name: target * size / sum(sizes.values()) for name, size in sizes.items()}


def design_effects(frame: Frame, rule: PlanRule, quotas: Mapping[int, float]) -> dict[int, float]:
    """Compute the design effect of each agent: Σπ · Σ(1/π) ÷ N² (Kish 1965).

    How many times as many calls a plan must draw to know as much as if it drew all alike.
    """
    effects = {}
    for agent_id, parts in _by_agent(frame).items():
        drawn = inverse = 0.0
        shared = _shared(parts, rule, quotas.get(agent_id, rule.quota_per_agent))
        for name, calls in parts:
            for probability, count in zip(
                stated_probabilities(calls, rule, min(float(calls.count), shared[name])),
                (len(calls.usual), len(calls.risky)),
                strict=True,
            ):
                drawn += count * probability
                inverse += count / probability if probability > 0 else 0.0
        effects[agent_id] = max(1.0, drawn * inverse / sum(calls.count for _, calls in parts) ** 2)
    return effects


def _within_budget(
    target_sizes: dict[str, float], floors: Mapping[str, float], budget: int | None
) -> dict[str, float]:
    over = sum(target_sizes.values()) - budget if budget is not None else 0.0
    room = sum(target_sizes.values()) - sum(floors.values())
    if over <= 0 or room <= 0:
        return target_sizes
    share_left = max(0.0, 1 - over / room)
    return {
        name: floors[name] + (size - floors[name]) * share_left
        for name, size in target_sizes.items()
    }


def choose_sample(
    frame: Frame, rule: PlanRule, target_sizes: Mapping[str, float], *, seed: str
) -> Selection:
    """Draw calls from each stratum; every drawn call carries the probability it had.

    Calls that must be drawn are strata drawn whole.

    Calls that must be drawn are strata drawn whole.

    A target of 1.3 calls draws one, or with probability 0.3 two; the probabilities count that in.
    """
    strata, drawn = [], []
    for name, calls in sorted(_strata(frame).items()):
        target = target_sizes.get(name, 0.0)
        chosen = _draw_stratum(calls, rule, target, seed=seed, name=name)
        strata.append(Stratum(name, calls.kind.agent_id, calls.count, target, len(chosen)))
        drawn.extend(chosen)
    for why in sorted({kind.certainty_reason for kind in frame if kind.certainty_reason}):
        certain = sorted(
            call_id
            for kind, ids in frame.items()
            if kind.certainty_reason == why
            for call_id in ids
        )
        strata.append(Stratum(f"{ALL_OF}{why}", 0, len(certain), float(len(certain)), len(certain)))
        drawn.extend(SelectedCall(call_id, f"{ALL_OF}{why}", 1.0, why) for call_id in certain)
    return Selection(tuple(strata), tuple(drawn))


def _strata(frame: Frame) -> dict[str, StratumCalls]:
    """Group the calls that need not be drawn by the name of their stratum."""
    strata: dict[str, StratumCalls] = {}
    for kind, ids in frame.items():
        if not kind.certainty_reason and ids:
            calls = strata.setdefault(stratum_name(kind), StratumCalls(kind))
            if kind.is_risky:
                calls.risky = ids
            else:
                calls.usual = ids
    return strata


def stratum_name(kind: FrameCell) -> str:
    return (
        f"agent:{kind.agent_id}"
        + (":new" if kind.is_new_hire else "")
        + (f":{kind.part}" if kind.part else "")
    )


def were_new_hires(strata: Sequence[Stratum], rule: PlanRule) -> dict[int, bool]:
    """Read from the strata's names which agents of a draw counted as new hires then.

    Agents of whom the names leave it open are left out.
    """
    new_hires = {}
    for stratum in strata:
        mark = f"agent:{stratum.agent_id}:new"
        if stratum.agent_id and (
            stratum.name != mark or not rule.stratify_by
        ):  # a queue may be called "new"
            new_hires[stratum.agent_id] = stratum.name == mark or stratum.name.startswith(
                f"{mark}:"
            )
    return new_hires


def field(details: Mapping[str, Any], name: str) -> Any:
    """Look up a field of the call data, dots leading into levels; None where there is none."""
    value: Any = details
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def has_value(value: Any) -> bool:
    """Tell whether a field of the call data says yes: present, and neither empty nor no."""
    return str(value).lower() not in ("none", "", "false", "no", "0")


def inclusion_probabilities(sizes: Sequence[float], count: int) -> list[float]:
    """Compute probabilities proportional to size that sum to `count`, none above 1.

    What is cut off goes to the others.
    """
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


def _draw_stratum(
    calls: StratumCalls, rule: PlanRule, target: float, *, seed: str, name: str
) -> list[SelectedCall]:
    """Draw the calls of one stratum.

    Most strata draw nothing on most days; then nothing more is computed than that.

    Most strata draw nothing on most days; then nothing more is computed than that.
    """
    fewer, extra = math.floor(target), target - math.floor(target)
    takes_more = random_number(seed, f"size|{name}") < extra
    count = fewer + takes_more
    if count == 0:
        return []
    if calls.usual and calls.risky:
        drawing = _probabilities(calls, rule, count)
        key = exponential_key if count == 1 and rule.method == 2 else _pareto_key
        keys = [
            (key(random_number(seed, call_id), drawing[is_risky]), call_id, is_risky)
            for call_id, is_risky in calls.in_order()
        ]
        chosen = sorted((call_id, is_risky) for _, call_id, is_risky in sorted(keys)[:count])
    else:
        chosen = [
            (call_id, bool(calls.risky))
            for call_id in _smallest(calls.usual or calls.risky, count, seed=seed)
        ]
    stated = stated_probabilities(calls, rule, target)
    reasons = ("new_hire" if calls.kind.is_new_hire else "random", "risk")
    return [
        SelectedCall(call_id, name, stated[is_risky], reasons[is_risky])
        for call_id, is_risky in chosen
    ]


def stated_probabilities(calls: StratumCalls, rule: PlanRule, target: float) -> tuple[float, float]:
    """Compute the inclusion probabilities of a usual and of a risky call.

    `target` calls are drawn on average.
    """
    fewer, extra = math.floor(target), target - math.floor(target)
    low, high = _probabilities(calls, rule, fewer), _probabilities(calls, rule, fewer + 1)
    return (1 - extra) * low[0] + extra * high[0], (1 - extra) * low[1] + extra * high[1]


def probabilities(
    frame: Frame, rule: PlanRule, target_sizes: Mapping[str, float], among: set[str]
) -> dict[str, float]:
    """Compute with what probability a draw took some calls, whether it drew them or not.

    Those that it could not have drawn are left out.
    """
    strata, by_call = _strata(frame), {}
    for kind, ids in frame.items():
        if present := among.intersection(ids):
            name = stratum_name(kind)
            probability = (
                1.0
                if kind.certainty_reason
                else stated_probabilities(strata[name], rule, target_sizes.get(name, 0.0))[
                    kind.is_risky
                ]
            )
            by_call.update(dict.fromkeys(present, probability))
    return by_call


def may_share_calls(first: PlanRule, second: PlanRule) -> bool:
    """Tell whether there can be calls that two plans could both draw."""
    filters = [
        (getattr(first, field_name), getattr(second, field_name))
        for field_name in ("project", "queue", "direction", "language")
    ]
    return not any(one is not None and other is not None and one != other for one, other in filters)


def _probabilities(calls: StratumCalls, rule: PlanRule, count: int) -> tuple[float, float]:
    """Compute the inclusion probabilities of a usual and of a risky call for a fixed count."""
    if not calls.usual or not calls.risky:
        return (min(1.0, count / calls.count),) * 2
    sizes = _sizes(calls, rule.risk)
    # a sum in another order differs in its last digit, and an old draw is to come out the same
    flags = [is_risky for _, is_risky in calls.in_order()]
    by_position = inclusion_probabilities([sizes[is_risky] for is_risky in flags], count)
    return by_position[flags.index(False)], by_position[flags.index(True)]


def _smallest(calls: Sequence[str], count: int, *, seed: str) -> list[str]:
    """Pick the calls with the smallest random numbers, where all calls are as likely.

    They are the same calls as by keys, without computing those a million times.
    """
    prefix = f"{seed}|"
    return sorted(
        call_id
        for _, call_id in heapq.nsmallest(
            count,
            [
                (_digest((prefix + call_id).encode(), digest_size=8).digest(), call_id)
                for call_id in calls
            ],
        )
    )


def next_replacement(
    frame: Frame, rule: PlanRule, target: float, *, stratum: str, taken: Set[str], seed: str
) -> tuple[str, float] | None:
    """Pick the next call of a stratum and its probability; None where all are taken.

    It is the call whose turn would have come next.

    Taking the next ones by their permanent random numbers is how a sample of the calls that can be
    scored at all would have been drawn at once.
    """
    calls = _strata(frame).get(stratum, StratumCalls(FrameCell(0)))
    sizes = _sizes(calls, rule.risk)
    free = [
        (exponential_key(random_number(seed, call_id), sizes[is_risky]), call_id, is_risky)
        for call_id, is_risky in calls.in_order()
        if call_id not in taken
    ]
    if not free:
        return None
    _key, chosen, is_risky = min(free)
    return chosen, stated_probabilities(calls, rule, target)[is_risky]


def _sizes(calls: StratumCalls, risk: Risk | None) -> tuple[float, float]:
    """Compute the size measures of a usual and of a risky call.

    A defensive mixture: an even part that keeps every call eligible, and a part by risk.
    """
    if risk is None or not calls.usual or not calls.risky:
        return 1.0, 1.0
    even = (1 - risk.share) / calls.count
    return even, even + risk.share / len(calls.risky)


def exponential_key(u: float, probability: float) -> float:
    """Compute the key by which one call out of many wins: an exponential waiting time.

    With the probabilities as rates the first one wins with exactly its probability; Pareto's is
    near it only.
    """
    return -math.log(1 - u) / probability if probability > 0 else math.inf


def _pareto_key(u: float, probability: float) -> float:
    if probability >= 1:
        return -1.0
    if probability <= 0:
        return math.inf
    return (u / (1 - u)) / (probability / (1 - probability))


def quotas_by_spread(
    calls: Mapping[int, int],
    spreads: Mapping[int, float],
    quotas: Mapping[int, float],
    *,
    floor: float,
) -> dict[int, float]:
    """Allocate the total of the even quotas by calls × residual spread (Neyman), with a floor."""
    agents = sorted(calls)
    usual = sum(spreads.values()) / len(spreads) if spreads else PLANNING_SPREAD
    allocated = neyman(
        [calls[agent_id] for agent_id in agents],
        [spreads.get(agent_id, usual) for agent_id in agents],
        sum(quotas[agent_id] for agent_id in agents),
        floor=floor,
    )
    return dict(zip(agents, allocated, strict=True))


def precision(
    calls: Mapping[int, int],
    quotas: Mapping[int, float],
    model: PooledModel | None,
    effects: Mapping[int, float] = MappingProxyType({}),
) -> Precision:
    """Estimate the half-widths that quotas would give: t · s · √((1 − n/N) / m).

    m = n ÷ the design effect; per agent, in a month of so many calls.
    """
    spread = math.sqrt(model.variance) if model else PLANNING_SPREAD
    t = float(stdtrit(model.df, 0.975)) if model else Z95
    halves, variance = [], 0.0
    drawn = {a: min(quotas[a], n) for a, n in calls.items() if n}
    for a, n in drawn.items():
        error = (
            spread * math.sqrt(max(0.0, 1 - n / calls[a]) * effects.get(a, 1.0) / n)
            if n > 0
            else 0.0
        )
        halves.append(t * error)
        variance += (calls[a] * error) ** 2
    total = sum(calls.values())
    middle = sorted(halves)[len(halves) // 2] if halves else None
    whole = t * math.sqrt(variance) / total if total else None
    count, worth = sum(drawn.values()), sum(n / effects.get(a, 1.0) for a, n in drawn.items())
    each, worth_each = (count / len(drawn), worth / len(drawn)) if drawn else (0.0, 0.0)
    return Precision(
        len(calls), total, count, each, middle, whole, spread, model is None, worth_each
    )
