"""How often the list of training needs is wrong, and whether the effect of a training is estimated
without bias, on simulated centres.

python -m benchmarks.training [REPETITIONS] prints docs/statistics.md's tables.
"""

import math
import sys
from collections.abc import Callable

import numpy as np

from qa.statistics.treatment_effect import ancova, second_baseline, waiting_list
from qa.training import rules
from qa.training.types import AgentTally, Colleague, Counts, Urgency

AGENTS, CRITERIA, TARGET, NEEDED = 40, 12, 0.8, 0.10
# an agent's calls of three months; of the drawn ones 60 % go to the risky fifth
CALLS, RISKY, RISK_SHARE, COMPLAINTS = (
    1200,
    0.2,
    0.6,
    6,
)
# by so much less is kept on risky calls and on those somebody complained about
HARDER, COMPLAINED = (
    0.15,
    0.45,
)
SOMEBODY = Colleague("", "", 0, 0)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(
        f"{AGENTS} agents × {CRITERIA} criteria, target {TARGET:.0%}, {NEEDED:.0%} true needs,"
        f" {repetitions} months:\n"
    )
    print(
        "| scorecards each | “act” lines a month | of these wrong (nominal 10 %) | needs found |"
        " “watch” lines | of these wrong |\n|---|---|---|---|---|---|"
    )
    for cards in (6, 12, 18, 30):
        print(f"| {cards} | {line(needs_of(drawn_alike(cards), repetitions), repetitions)}")
    print(
        f"\nTargeted draws of 18 cards by the same risk rule, and {COMPLAINTS} complaints beside"
        " them, drawn whole:\n"
    )
    print(
        "| how cards count | “act” lines a month | of these wrong (nominal 10 %) | needs found |"
        " “watch” lines | of these wrong |\n|---|---|---|---|---|---|"
    )
    for name, is_weighted in (
        ("each the same (not used)", False),
        ("by 1 ÷ probability (used)", True),
    ):
        needs = needs_of(drawn_by_risk(18, is_weighted=is_weighted), repetitions)
        print(f"| {name} | {line(needs, repetitions)}")
    for effect in (0.0, 4.0):
        print(
            f"\n8 worst of {AGENTS} trained, true effect {effect:+.0f}, common drift +1, 6 human"
            " scores a month: mean estimate, sd, declared significant at 5 %\n"
        )
        print("| estimator | mean | sd | significant |\n|---|---|---|---|")
        for name, (values, share) in effects(effect, 10 * repetitions).items():
            print(f"| {name} | {np.mean(values):+.2f} | {np.std(values):.2f} | {share:.0%} |")


def line(counted: tuple[int, ...], repetitions: int) -> str:
    act, wrong, found, watch, idle, needs = counted
    return (
        f"{act / repetitions:.1f} | {wrong / max(act, 1):.1%} | {found / needs:.0%} |"
        f" {watch / repetitions:.1f} | {idle / max(watch, 1):.0%} |"
    )


Draw = Callable[[np.random.Generator, float], Counts]


def drawn_alike(cards: int) -> Draw:
    """Cards of an agent who keeps the points with some probability, every call drawn alike."""
    return lambda rng, rate: Counts(
        0, "", "", "", float(rng.binomial(cards, rate)), cards, cards, TARGET
    )


def drawn_by_risk(cards: int, *, is_weighted: bool) -> Draw:
    """A draw that hears risky calls more often, and complaints besides; over all the agent's calls
    the rate is the one given.
    """

    def draw(rng: np.random.Generator, rate: float) -> Counts:
        heard = round(cards * ((1 - RISK_SHARE) * RISKY + RISK_SHARE))
        parts = (
            (cards - heard, CALLS * (1 - RISKY), HARDER * RISKY),
            (heard, CALLS * RISKY, -HARDER * (1 - RISKY)),
            (COMPLAINTS, COMPLAINTS, -COMPLAINED),
        )
        drawn = [
            (size / n, n, rng.binomial(n, min(1.0, max(0.0, rate + shift))))
            for n, size, shift in parts
        ]
        if not is_weighted:
            return Counts(
                0,
                "",
                "",
                "",
                float(sum(k for _, _, k in drawn)),
                sum(n for _, n, _ in drawn),
                cards + COMPLAINTS,
                TARGET,
            )
        kept, weight, squares = (
            sum(terms)
            for terms in zip(*((w * k, w * n, w * w * n) for w, n, k in drawn), strict=True)
        )
        return rules.counts(
            AgentTally("", 0, kept, weight, squares, cards + COMPLAINTS), SOMEBODY, target=TARGET
        )

    return draw


def needs_of(draw: Draw, repetitions: int) -> tuple[int, ...]:
    """Lines to act on, wrong ones, true needs among them; lines to watch, wrong ones;
    true needs.
    """
    rng = np.random.default_rng(18)
    act = wrong = found = watch = idle = needs = 0
    for _ in range(repetitions):
        need = rng.random((AGENTS, CRITERIA)) < NEEDED
        rate = np.where(
            need,
            np.minimum(rng.beta(12, 6, need.shape), TARGET - 0.005),
            np.maximum(rng.beta(28, 2.6, need.shape), TARGET + 0.005),
        )
        pairs = [
            (p, bool(need[a, c]))
            for c in range(CRITERIA)
            for a, p in enumerate(
                rules.probabilities_under([draw(rng, rate[a, c]) for a in range(AGENTS)])
            )
        ]
        for (_, is_need), mark in zip(pairs, rules.urgencies([p for p, _ in pairs]), strict=True):
            act += mark is Urgency.ACT
            wrong += mark is Urgency.ACT and not is_need
            found += mark is Urgency.ACT and is_need
            watch += mark is Urgency.WATCH
            idle += mark is Urgency.WATCH and not is_need
        needs += int(need.sum())
    return act, wrong, found, watch, idle, needs


def effects(effect: float, repetitions: int) -> dict[str, tuple[list[float], float]]:
    rng = np.random.default_rng(5)
    names = (
        "before and after (what other tools show)",
        "against a second, independent baseline",
        "given the score of the choice (ANCOVA)",
        "against those who wait, drawn by lot",
    )
    values: dict[str, list[float]] = {n: [] for n in names}
    significant = dict.fromkeys(names, 0)
    for _ in range(repetitions):
        truth = rng.normal(75, 5, AGENTS)
        first, baseline, after = (
            truth + rng.normal(0, 12 / math.sqrt(6), AGENTS) + drift for drift in (0, 1, 1)
        )
        order = np.argsort(first)
        chosen = np.isin(np.arange(AGENTS), order[:8])
        gained = after + effect * chosen
        d = (gained - first)[chosen]
        pairs = np.column_stack([baseline, gained])
        lots = rng.permutation(order[:16])
        found = {
            names[0]: (
                float(d.mean()),
                abs(float(d.mean())) > 2.365 * float(d.std(ddof=1)) / math.sqrt(8),
            ),
            names[1]: _said(
                second_baseline(
                    [tuple(p) for p in pairs[chosen]], [tuple(p) for p in pairs[~chosen]]
                )
            ),
            names[2]: _said(ancova(list(first), list(gained), list(chosen))),
            names[3]: _said(
                waiting_list(
                    list(after[lots[:8]] + effect),
                    list(after[lots[8:]]),
                    (list(first[lots[:8]]), list(first[lots[8:]])),
                )
            ),
        }
        for name, (value, is_significant) in found.items():
            values[name].append(value)
            significant[name] += is_significant
    return {n: (values[n], significant[n] / repetitions) for n in names}


def _said(found) -> tuple[float, bool]:
    return found.value, found.p_value < 0.05


if __name__ == "__main__":
    main()
