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
        return sorted([*((x, False) for x in self.usual), *((x, True) for x in self.risky)])


def random_number(seed: str, name: str) -> float:
    """The permanent random number of a name under a seed: BLAKE2b-64 of "seed|name", as a number in
    [0, 1).
    """
    return int.from_bytes(_digest(f"{seed}|{name}".encode(), digest_size=8).digest(), "big") / 2**64


def month_seed(plan_seed: str, month: Month) -> str:
    """A month's seed, from the plan's secret one.

    Told when the month is over, it gives away no other month.
    """
    return hmac.new(plan_seed.encode(), month.encode(), hashlib.sha256).hexdigest()


def day_seed(of_month: str, day: date) -> str:
    """A day's seed, from its month's. Known after the draw, it gives away no other day."""
    return hmac.new(of_month.encode(), day.isoformat().encode(), hashlib.sha256).hexdigest()[:32]


def commitment(of_month: str) -> str:
    """What is written down before the month begins: who sees the seed later can tell that it was
    this one.
    """
    return hashlib.sha256(of_month.encode()).hexdigest()


def frame_size(frame: Frame) -> int:
    return sum(map(len, frame.values()))


def frame_hash(frame: Frame) -> str:
    """What the frame was: a hash over the sorted external ids."""
    return hashlib.sha256(
        "\n".join(sorted(itertools.chain.from_iterable(frame.values()))).encode()
    ).hexdigest()


def days_left(day: date) -> int:
    """Working days (Monday to Friday) from this day to the end of its month, at least 1."""
    at, count = day, 0
    while at.month == day.month:
        count += at.weekday() < 5
        at += timedelta(days=1)
    return max(1, count)


def targets(
    frame: Frame,
    rule: PlanRule,
    *,
    drawn_before: Mapping[int, int],
    day: date,
    quotas: Mapping[int, float] | None = None,
) -> dict[str, float]:
    """How many calls of each stratum to draw today on average: what is left of the agent's quota,
    spread over the working days left.

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
        wanted = max(
            left / working_days,
            rule.floor_probability * everyone,
            LEAST_OF_A_DAY * quota / of_month,
        )
        shared = _shared(parts, rule, wanted)
        for name, calls in parts:
            floors[name] = min(float(calls.count), rule.floor_probability * calls.count)
            result[name] = min(float(calls.count), max(floors[name], shared[name]))
    return _within_budget(result, floors, rule.daily_budget)


def _by_agent(frame: Frame) -> dict[int, list[tuple[str, StratumCalls]]]:
    """Every agent's strata by name."""
    found: dict[int, list[tuple[str, StratumCalls]]] = {}
    for name, calls in _strata(frame).items():
        found.setdefault(calls.kind.agent_id, []).append((name, calls))
    return found


def _shared(
    parts: Sequence[tuple[str, StratumCalls]], rule: PlanRule, wanted: float
) -> dict[str, float]:
    """So many calls of an agent, shared out to the agent's strata by their sizes and factors."""
    sizes = {name: calls.count * rule.factors.get(calls.kind.part, 1.0) for name, calls in parts}
    return {name: wanted * size / sum(sizes.values()) for name, size in sizes.items()}


def design_effects(frame: Frame, rule: PlanRule, quotas: Mapping[int, float]) -> dict[int, float]:
    """Per agent how many times as many calls a plan must draw to know as much as if it drew all
    alike: Σπ · Σ(1/π) ÷ N² (Kish 1965).
    """
    found = {}
    for agent_id, parts in _by_agent(frame).items():
        drawn = inverse = 0.0
        shared = _shared(parts, rule, quotas.get(agent_id, rule.quota_per_agent))
        for name, calls in parts:
            for p, n in zip(
                stated_probabilities(calls, rule, min(float(calls.count), shared[name])),
                (len(calls.usual), len(calls.risky)),
                strict=True,
            ):
                drawn += n * p
                inverse += n / p if p > 0 else 0.0
        found[agent_id] = max(1.0, drawn * inverse / sum(calls.count for _, calls in parts) ** 2)
    return found


def _within_budget(
    wanted: dict[str, float], floors: Mapping[str, float], budget: int | None
) -> dict[str, float]:
    over = sum(wanted.values()) - budget if budget is not None else 0.0
    room = sum(wanted.values()) - sum(floors.values())
    if over <= 0 or room <= 0:
        return wanted
    kept = max(0.0, 1 - over / room)
    return {name: floors[name] + (w - floors[name]) * kept for name, w in wanted.items()}


def choose_sample(
    frame: Frame, rule: PlanRule, wanted: Mapping[str, float], *, seed: str
) -> Selection:
    """Draw from each stratum; every drawn call carries the probability it had.

    Calls that must be drawn are strata drawn whole.

    A target of 1.3 calls draws one, or with probability 0.3 two; the probabilities count that in.
    """
    strata, drawn = [], []
    for name, calls in sorted(_strata(frame).items()):
        target = wanted.get(name, 0.0)
        chosen = _draw_stratum(calls, rule, target, seed=seed, name=name)
        strata.append(Stratum(name, calls.kind.agent_id, calls.count, target, len(chosen)))
        drawn.extend(chosen)
    for why in sorted({kind.certainty_reason for kind in frame if kind.certainty_reason}):
        sure = sorted(x for kind, ids in frame.items() if kind.certainty_reason == why for x in ids)
        strata.append(Stratum(f"{ALL_OF}{why}", 0, len(sure), float(len(sure)), len(sure)))
        drawn.extend(SelectedCall(x, f"{ALL_OF}{why}", 1.0, why) for x in sure)
    return Selection(tuple(strata), tuple(drawn))


def _strata(frame: Frame) -> dict[str, StratumCalls]:
    """The calls that need not be drawn, by the name of their stratum."""
    found: dict[str, StratumCalls] = {}
    for kind, ids in frame.items():
        if not kind.certainty_reason and ids:
            calls = found.setdefault(stratum_name(kind), StratumCalls(kind))
            if kind.is_risky:
                calls.risky = ids
            else:
                calls.usual = ids
    return found


def stratum_name(kind: FrameCell) -> str:
    return (
        f"agent:{kind.agent_id}"
        + (":new" if kind.is_new_hire else "")
        + (f":{kind.part}" if kind.part else "")
    )


def were_new_hires(strata: Sequence[Stratum], rule: PlanRule) -> dict[int, bool]:
    """Of the agents of a draw whether they counted as new hires then, as the names of their strata
    say; not of whom a name leaves it open.
    """
    found = {}
    for s in strata:
        mark = f"agent:{s.agent_id}:new"
        if s.agent_id and (s.name != mark or not rule.stratify_by):  # a queue may be called "new"
            found[s.agent_id] = s.name == mark or s.name.startswith(f"{mark}:")
    return found


def field(details: Mapping[str, Any], name: str) -> Any:
    """A field of the call data, dots leading into levels; None where there is none."""
    value: Any = details
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def has_value(value: Any) -> bool:
    """Whether a field of the call data says yes: present, and neither empty nor no."""
    return str(value).lower() not in ("none", "", "false", "no", "0")


def inclusion_probabilities(sizes: Sequence[float], count: int) -> list[float]:
    """Probabilities in proportion to size that sum to `count`, none above 1: what is cut off goes
    to the others.
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
    """The calls of one stratum.

    Most strata draw nothing on most days; then nothing more is computed than that.
    """
    fewer, extra = math.floor(target), target - math.floor(target)
    takes_more = random_number(seed, f"size|{name}") < extra
    count = fewer + takes_more
    if count == 0:
        return []
    if calls.usual and calls.risky:
        now = _probabilities(calls, rule, count)
        key = exponential_key if count == 1 and rule.method == 2 else _pareto_key
        keys = [
            (key(random_number(seed, x), now[is_risky]), x, is_risky)
            for x, is_risky in calls.in_order()
        ]
        chosen = sorted((x, is_risky) for _, x, is_risky in sorted(keys)[:count])
    else:
        chosen = [
            (x, bool(calls.risky)) for x in _smallest(calls.usual or calls.risky, count, seed=seed)
        ]
    stated = stated_probabilities(calls, rule, target)
    reasons = ("new_hire" if calls.kind.is_new_hire else "random", "risk")
    return [SelectedCall(x, name, stated[is_risky], reasons[is_risky]) for x, is_risky in chosen]


def stated_probabilities(calls: StratumCalls, rule: PlanRule, target: float) -> tuple[float, float]:
    """The probabilities of a usual and of a risky call where `target` calls are drawn
    on average.
    """
    fewer, extra = math.floor(target), target - math.floor(target)
    low, high = _probabilities(calls, rule, fewer), _probabilities(calls, rule, fewer + 1)
    return (1 - extra) * low[0] + extra * high[0], (1 - extra) * low[1] + extra * high[1]


def probabilities(
    frame: Frame, rule: PlanRule, wanted: Mapping[str, float], among: set[str]
) -> dict[str, float]:
    """With what probability a draw took some calls, whether it drew them or not.

    Those that it could not have drawn are left out.
    """
    strata, found = _strata(frame), {}
    for kind, ids in frame.items():
        if inside := among.intersection(ids):
            name = stratum_name(kind)
            p = (
                1.0
                if kind.certainty_reason
                else stated_probabilities(strata[name], rule, wanted.get(name, 0.0))[kind.is_risky]
            )
            found.update(dict.fromkeys(inside, p))
    return found


def may_share_calls(a: PlanRule, b: PlanRule) -> bool:
    """Whether there can be calls that two plans could both draw."""
    named = [(getattr(a, f), getattr(b, f)) for f in ("project", "queue", "direction", "language")]
    return not any(x is not None and y is not None and x != y for x, y in named)


def _probabilities(calls: StratumCalls, rule: PlanRule, count: int) -> tuple[float, float]:
    """The inclusion probabilities of a usual and of a risky call where so many of the stratum are
    drawn.
    """
    if not calls.usual or not calls.risky:
        return (min(1.0, count / calls.count),) * 2
    sizes = _sizes(calls, rule.risk)
    # a sum in another order differs in its last digit, and an old draw is to come out the same
    flags = [is_risky for _, is_risky in calls.in_order()]
    found = inclusion_probabilities([sizes[is_risky] for is_risky in flags], count)
    return found[flags.index(False)], found[flags.index(True)]


def _smallest(calls: Sequence[str], count: int, *, seed: str) -> list[str]:
    """Where all calls are as likely the smallest random numbers win: the same calls as by keys,
    without computing those a million times.
    """
    prefix = f"{seed}|"
    return sorted(
        x
        for _, x in heapq.nsmallest(
            count, [(_digest((prefix + x).encode(), digest_size=8).digest(), x) for x in calls]
        )
    )


def next_replacement(
    frame: Frame, rule: PlanRule, target: float, *, stratum: str, taken: Set[str], seed: str
) -> tuple[str, float] | None:
    """Of a stratum's calls the one whose turn would have come next, and its probability; None where
    all are taken.

    Taking the next ones by their permanent random numbers is how a sample of the calls that can be
    scored at all would have been drawn at once.
    """
    calls = _strata(frame).get(stratum, StratumCalls(FrameCell(0)))
    sizes = _sizes(calls, rule.risk)
    free = [
        (exponential_key(random_number(seed, x), sizes[is_risky]), x, is_risky)
        for x, is_risky in calls.in_order()
        if x not in taken
    ]
    if not free:
        return None
    _key, chosen, is_risky = min(free)
    return chosen, stated_probabilities(calls, rule, target)[is_risky]


def _sizes(calls: StratumCalls, risk: Risk | None) -> tuple[float, float]:
    """How large a usual and a risky call are.

    A defensive mixture: an even part that keeps every call eligible, and a part by risk.
    """
    if risk is None or not calls.usual or not calls.risky:
        return 1.0, 1.0
    even = (1 - risk.share) / calls.count
    return even, even + risk.share / len(calls.risky)


def exponential_key(u: float, probability: float) -> float:
    """For one call out of many: waiting times with the probabilities as rates, the first one wins
    with exactly its probability. Pareto's is near it only.
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
    """The same total as the even quotas, given where it tells most: in proportion to calls ×
    residual spread (Neyman), none under the floor.
    """
    agents = sorted(calls)
    usual = sum(spreads.values()) / len(spreads) if spreads else PLANNING_SPREAD
    given = neyman(
        [calls[a] for a in agents],
        [spreads.get(a, usual) for a in agents],
        sum(quotas[a] for a in agents),
        floor=floor,
    )
    return dict(zip(agents, given, strict=True))


def precision(
    calls: Mapping[int, int],
    quotas: Mapping[int, float],
    model: PooledModel | None,
    effects: Mapping[int, float] = MappingProxyType({}),
) -> Precision:
    """The half-widths that quotas per agent would give in a month of so many calls: t · s · √((1 −
    n/N) / m), m = n ÷ the design's effect.
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
