"""Who needs training in what: a hierarchical beta-binomial model over three months, cut at a
false-discovery rate. Pure.

Why not a plain threshold: over six calls it gives 69 % false flags (design/STATISTICS.md, 4.1).
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln

from qa.months import Month
from qa.states import TrainingArm
from qa.statistics import proportions
from qa.statistics.treatment_effect import Design, Effect, ancova, second_baseline, waiting_list
from qa.training.types import (
    AgentTally,
    Colleague,
    CommonWeakness,
    Counts,
    GroupProposal,
    Need,
    Plan,
    Urgency,
)

MONTHS = 3
TARGET = 0.8
FALSE_DISCOVERY_RATE = 0.10
ACT_AT = 0.8
WATCH_AT = 0.5
MIN_CARDS = 3
# or what is worth as many; with fewer a list at 10 % is wrong at 15 % (docs/statistics.md)
CARDS_TO_ACT = 9
SMALLEST_GROUP = 2
SHOWN_CALLS = 6
FEW_AGENTS, MANY = 5, 0.4
Floats = npt.NDArray[np.float64]
MEANS = np.linspace(0.02, 0.98, 49)
DIGITS = 3  # of a card
# logarithms of likelihood: what is so much less likely changes no probability by more than a
# billionth; and by rough counts
NO_WEIGHT, FAR = 28.0, 60.0
STRENGTHS = np.exp(np.linspace(np.log(1.5), np.log(80.0), 24))


def counts(a: AgentTally, who: Colleague, *, target: float) -> Counts:
    """What drawn cards are worth: as many as tell as much, had all been drawn alike, with the share
    that they make likely.
    """
    of = proportions.effective_sample_size(a.weight, a.squares)
    return Counts(
        a.agent_id, who.name, who.team, a.criterion, a.kept / a.weight * of, of, a.cards, target
    )


def probabilities_under(counts: Sequence[Counts]) -> list[float]:
    """For each agent of one criterion: the probability that the true rate is under the agent's
    target.

    Agents' rates come from one beta distribution; its mean and strength are integrated over a grid
    with flat priors on the mean and on the logarithm of the strength.
    """
    if not counts:
        return []
    kept = np.array([c.kept for c in counts])
    lost, target = (
        np.maximum(np.array([c.of for c in counts]) - kept, 0.0),
        np.array([c.target for c in counts]),
    )
    a = (MEANS[:, None] * STRENGTHS[None, :]).ravel()
    b = ((1 - MEANS)[:, None] * STRENGTHS[None, :]).ravel()
    # in whole cards a thousand agents have a few dozen results: where to look closely
    for digits, far in (
        (0, FAR + len(counts) / 10),
        (DIGITS, NO_WEIGHT),
    ):
        log_likelihood = _log_likelihood(a, b, np.round(kept, digits), np.round(lost, digits))
        near = log_likelihood > log_likelihood.max() - far
        a, b, log_likelihood = a[near], b[near], log_likelihood[near]
    weight = np.exp(log_likelihood - log_likelihood.max())
    under = betainc(a[:, None] + kept, b[:, None] + lost, target)
    return [float(p) for p in (weight / weight.sum()) @ under]


def _log_likelihood(a: Floats, b: Floats, kept: Floats, lost: Floats) -> Floats:
    """Of every beta distribution, given these results of agents."""
    (k, x), times = np.unique(np.stack([kept, lost]), axis=1, return_counts=True)
    found: Floats = (betaln(a[:, None] + k, b[:, None] + x) - betaln(a, b)[:, None]) @ times
    return found


def urgencies(
    probabilities: Sequence[float], *, rate: float = FALSE_DISCOVERY_RATE
) -> list[Urgency | None]:
    """What to do about each pair: act (within the false-discovery rate, and at least 0.8 sure),
    watch (more likely than not), or nothing.
    """
    ordered = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])
    acting = set(ordered[: proportions.fdr_cutoff(probabilities, rate=rate)])
    return [
        Urgency.ACT if i in acting and p >= ACT_AT else Urgency.WATCH if p > WATCH_AT else None
        for i, p in enumerate(probabilities)
    ]


def groups(needs: Sequence[Need]) -> tuple[GroupProposal, ...]:
    """Sessions worth holding together: topics that at least two agents need, the largest first."""
    by_topic: dict[str, list[Need]] = {}
    for n in needs:
        if n.urgency is Urgency.ACT:
            by_topic.setdefault(n.topic, []).append(n)
    made = []
    for topic, rows in by_topic.items():
        agents = dict(sorted({(n.agent_id, n.agent) for n in rows}, key=lambda a: a[1]))
        if len(agents) >= SMALLEST_GROUP:
            criteria = tuple(sorted({n.criterion for n in rows}))
            made.append(
                GroupProposal(
                    topic,
                    criteria,
                    rows[0].title,
                    tuple(agents.items()),
                    tuple(e for n in rows for e in n.evidence[:1])[:SHOWN_CALLS],
                )
            )
    return tuple(sorted(made, key=lambda g: (-len(g.agents), g.topic)))


def common(needs: Sequence[Need], pairs: Mapping[str, int]) -> tuple[CommonWeakness, ...]:
    """Criteria that a large part of all agents lose: a matter for the guide, the process or the
    knowledge base rather than for each agent.
    """
    weak: dict[str, list[Need]] = {}
    for n in needs:
        weak.setdefault(n.criterion, []).append(n)
    found = [
        CommonWeakness(c, rows[0].title, len(rows), pairs[c])
        for c, rows in weak.items()
        if pairs[c] >= FEW_AGENTS and len(rows) / pairs[c] >= MANY
    ]
    return tuple(sorted(found, key=lambda w: -w.agents / w.of))


def draw_lots(agent_ids: Sequence[int], seats: int | None, *, seed: str) -> dict[int, TrainingArm]:
    """Who goes first: everybody where there are seats for all, else drawn by lot, so that those who
    wait can be compared with them.
    """
    if seats is None or seats >= len(agent_ids):
        return dict.fromkeys(agent_ids, TrainingArm.FIRST)
    drawn = sorted(
        agent_ids, key=lambda a: hashlib.blake2b(f"{seed}|{a}".encode(), digest_size=8).digest()
    )
    return {a: TrainingArm.FIRST if i < seats else TrainingArm.WAITING for i, a in enumerate(drawn)}


def design(plan: Plan) -> Design:
    """How the effect can be known: by those who wait, else by a month between choice and training,
    else against all others given the score of the choice.
    """
    if any(m.arm is TrainingArm.WAITING for m in plan.members):
        return Design.WAITING_LIST
    return Design.SECOND_BASELINE if months_between(plan) else Design.ANCOVA


def months_between(plan: Plan) -> list[Month]:
    """The full months after the choice and before the training: an independent second baseline."""
    start, m = Month.of(plan.starts_on), plan.month.next()
    found: list[Month] = []
    while m < start:
        found.append(m)
        m = m.next()
    return found[-MONTHS:]


def months_after(plan: Plan, last: Month) -> list[Month]:
    """Up to three full months after the training ended (or began, while it runs),
    as far as `last`.
    """
    m = Month.of(plan.finished_on or plan.starts_on).next()
    found: list[Month] = []
    while m <= last and len(found) < MONTHS:
        found.append(m)
        m = m.next()
    return found


def effect(
    plan: Plan,
    before: Mapping[int, float],
    baseline: Mapping[int, float],
    after: Mapping[int, float],
) -> Effect | None:
    """What the training brought, in points of 100; agents without cards in a period are out of it.

    None where too few have them.

    `before` are the scores of the choice, `baseline` those of the months between, `after` those of
    the months after.
    """
    first = {m.agent_id for m in plan.members if m.arm is TrainingArm.FIRST}
    waiting = {m.agent_id for m in plan.members if m.arm is TrainingArm.WAITING}
    how = design(plan)
    if how is Design.WAITING_LIST:
        a, b = (
            [x for x in sorted(group) if x in after and x in before] for group in (first, waiting)
        )
        return waiting_list(
            [after[x] for x in a],
            [after[x] for x in b],
            ([before[x] for x in a], [before[x] for x in b]),
        )
    others = set(after) - first
    if how is Design.SECOND_BASELINE:
        rows = [
            [(baseline[x], after[x]) for x in sorted(group) if x in after and x in baseline]
            for group in (first, others)
        ]
        return second_baseline(rows[0], rows[1])
    everybody = [x for x in sorted(after) if x in before]
    return ancova(
        [before[x] for x in everybody],
        [after[x] for x in everybody],
        [x in first for x in everybody],
    )
