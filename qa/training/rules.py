"""Estimate training needs: a hierarchical beta-binomial model, cut at a false-discovery rate. Pure.

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
MAX_CALLS = 6
MIN_AGENTS, MANY = 5, 0.4
Floats = npt.NDArray[np.float64]
MEANS = np.linspace(0.02, 0.98, 49)
DIGITS = 3  # of a card
# logarithms of likelihood: what is so much less likely changes no probability by more than a
# billionth; and by rough counts
NO_WEIGHT, FAR = 28.0, 60.0
STRENGTHS = np.exp(np.linspace(np.log(1.5), np.log(80.0), 24))


def counts(tally: AgentTally, colleague: Colleague, *, target: float) -> Counts:
    """Weigh drawn cards: as many as tell as much, had all been drawn alike, with their share."""
    size = proportions.effective_sample_size(tally.weight, tally.squares)
    return Counts(
        agent_id=tally.agent_id,
        agent=colleague.name,
        team=colleague.team,
        criterion=tally.criterion,
        kept=tally.kept / tally.weight * size,
        of=size,
        cards=tally.cards,
        target=target,
    )


def probabilities_under(counts: Sequence[Counts]) -> list[float]:
    """Estimate for each agent the probability that the true rate is under the target.

    Agents' rates come from one beta distribution; its mean and strength are integrated over a grid
    with flat priors on the mean and on the logarithm of the strength.
    """
    if not counts:
        return []
    points_kept = np.array([c.kept for c in counts])
    points_lost = np.maximum(np.array([c.of for c in counts]) - points_kept, 0.0)
    target = np.array([c.target for c in counts])
    a = (MEANS[:, None] * STRENGTHS[None, :]).ravel()
    b = ((1 - MEANS)[:, None] * STRENGTHS[None, :]).ravel()
    # in whole cards a thousand agents have a few dozen results: where to look closely
    for digits, far in (
        (0, FAR + len(counts) / 10),
        (DIGITS, NO_WEIGHT),
    ):
        log_likelihood = _log_likelihood(
            a, b, np.round(points_kept, digits), np.round(points_lost, digits)
        )
        near = log_likelihood > log_likelihood.max() - far
        a, b, log_likelihood = a[near], b[near], log_likelihood[near]
    weight = np.exp(log_likelihood - log_likelihood.max())
    under = betainc(a[:, None] + points_kept, b[:, None] + points_lost, target)
    return [float(p) for p in (weight / weight.sum()) @ under]


def _log_likelihood(a: Floats, b: Floats, kept: Floats, lost: Floats) -> Floats:
    """Compute the log likelihood of every beta distribution, given agents' results."""
    (k, x), times = np.unique(np.stack([kept, lost]), axis=1, return_counts=True)
    each: Floats = betaln(a[:, None] + k, b[:, None] + x) - betaln(a, b)[:, None]
    return each @ times


def urgencies(
    probabilities: Sequence[float], *, rate: float = FALSE_DISCOVERY_RATE
) -> list[Urgency | None]:
    """Decide what to do about each pair: act, watch, or nothing.

    Act is within the false-discovery rate and at least 0.8 sure, watch is more likely than not.
    """
    ordered = sorted(range(len(probabilities)), key=lambda i: -probabilities[i])
    acting = set(ordered[: proportions.fdr_cutoff(probabilities, rate=rate)])
    return [
        Urgency.ACT if i in acting and probability >= ACT_AT else _watch(probability)
        for i, probability in enumerate(probabilities)
    ]


def urgencies_by_cards(pairs: Sequence[tuple[Counts, float]]) -> list[Urgency | None]:
    """Decide what to do about pairs of counts and probabilities; few cards are watched at most."""
    enough = [i for i, (counts, _) in enumerate(pairs) if round(counts.of) >= CARDS_TO_ACT]
    result = [_watch(probability) for _, probability in pairs]
    for i, urgency in zip(enough, urgencies([pairs[i][1] for i in enough]), strict=True):
        result[i] = urgency
    return result


def _watch(probability: float) -> Urgency | None:
    return Urgency.WATCH if probability > WATCH_AT else None


def groups(needs: Sequence[Need]) -> tuple[GroupProposal, ...]:
    """Propose sessions to hold together: topics that at least two agents need, largest first."""
    by_topic: dict[str, list[Need]] = {}
    for need in needs:
        if need.urgency is Urgency.ACT:
            by_topic.setdefault(need.topic, []).append(need)
    proposals = []
    for topic, rows in by_topic.items():
        agents = dict(
            sorted({(need.agent_id, need.agent) for need in rows}, key=lambda agent: agent[1])
        )
        if len(agents) >= SMALLEST_GROUP:
            criteria = tuple(sorted({need.criterion for need in rows}))
            proposals.append(
                GroupProposal(
                    topic,
                    criteria,
                    rows[0].title,
                    tuple(agents.items()),
                    tuple(evidence for need in rows for evidence in need.evidence[:1])[:MAX_CALLS],
                )
            )
    return tuple(sorted(proposals, key=lambda group: (-len(group.agents), group.topic)))


def common(needs: Sequence[Need], pairs: Mapping[str, int]) -> tuple[CommonWeakness, ...]:
    """Find criteria that a large part of all agents lose.

    They are a matter for the guide, the process or the knowledge base rather than for each agent.
    """
    weak: dict[str, list[Need]] = {}
    for need in needs:
        weak.setdefault(need.criterion, []).append(need)
    weaknesses = [
        CommonWeakness(criterion, rows[0].title, len(rows), pairs[criterion])
        for criterion, rows in weak.items()
        if pairs[criterion] >= MIN_AGENTS and len(rows) / pairs[criterion] >= MANY
    ]
    return tuple(sorted(weaknesses, key=lambda weakness: -weakness.agents / weakness.of))


def draw_lots(agent_ids: Sequence[int], seats: int | None, *, seed: str) -> dict[int, TrainingArm]:
    """Draw who goes first: everybody where there are seats for all, else by lot.

    So those who wait can be compared with those who went.
    """
    if seats is None or seats >= len(agent_ids):
        return dict.fromkeys(agent_ids, TrainingArm.FIRST)
    ordered = sorted(
        agent_ids,
        key=lambda agent_id: hashlib.blake2b(f"{seed}|{agent_id}".encode(), digest_size=8).digest(),
    )
    return {
        agent_id: TrainingArm.FIRST if i < seats else TrainingArm.WAITING
        for i, agent_id in enumerate(ordered)
    }


def design(plan: Plan) -> Design:
    """Choose the study design: by those who wait, else by a second baseline, else ANCOVA."""
    if any(m.arm is TrainingArm.WAITING for m in plan.members):
        return Design.WAITING_LIST
    return Design.SECOND_BASELINE if months_between(plan) else Design.ANCOVA


def months_between(plan: Plan) -> list[Month]:
    """List the full months between choice and training: an independent second baseline."""
    start, month = Month.of(plan.starts_on), plan.month.next()
    months: list[Month] = []
    while month < start:
        months.append(month)
        month = month.next()
    return months[-MONTHS:]


def months_after(plan: Plan, last: Month) -> list[Month]:
    """List up to three full months after the training ended, as far as `last`.

    While it runs, after it began.
    """
    month = Month.of(plan.finished_on or plan.starts_on).next()
    months: list[Month] = []
    while month <= last and len(months) < MONTHS:
        months.append(month)
        month = month.next()
    return months


def effect(
    plan: Plan,
    before: Mapping[int, float],
    baseline: Mapping[int, float],
    after: Mapping[int, float],
) -> Effect | None:
    """Estimate the effect of a training in points of 100.

    Agents without cards in a period are out of it.

    None where too few have them.

    `before` are the scores of the choice, `baseline` those of the months between, `after` those of
    the months after.
    """
    first = {member.agent_id for member in plan.members if member.arm is TrainingArm.FIRST}
    waiting = {member.agent_id for member in plan.members if member.arm is TrainingArm.WAITING}
    study_design = design(plan)
    if study_design is Design.WAITING_LIST:
        a, b = (
            [agent_id for agent_id in sorted(group) if agent_id in after and agent_id in before]
            for group in (first, waiting)
        )
        return waiting_list(
            [after[agent_id] for agent_id in a],
            [after[agent_id] for agent_id in b],
            ([before[agent_id] for agent_id in a], [before[agent_id] for agent_id in b]),
        )
    others = set(after) - first
    if study_design is Design.SECOND_BASELINE:
        rows = [
            [
                (baseline[agent_id], after[agent_id])
                for agent_id in sorted(group)
                if agent_id in after and agent_id in baseline
            ]
            for group in (first, others)
        ]
        return second_baseline(rows[0], rows[1])
    everybody = [agent_id for agent_id in sorted(after) if agent_id in before]
    return ancova(
        [before[agent_id] for agent_id in everybody],
        [after[agent_id] for agent_id in everybody],
        [agent_id in first for agent_id in everybody],
    )
