"""Who needs training: posterior probabilities, cut at a false-discovery rate."""

import numpy as np
import pytest
from scipy.special import betainc, betaln

from qa.statistics.proportions import fdr_cutoff
from qa.training import rules
from qa.training.rules import TARGET, probabilities_under
from qa.training.types import AgentTally, Colleague, Counts


def counts(*rows: tuple[float, float], target: float = TARGET) -> list[Counts]:
    return [
        Counts(i, f"a{i}", "t", "c", kept, of, round(of), target)
        for i, (kept, of) in enumerate(rows)
    ]


def test_an_agent_who_fails_often_among_good_ones_stands_out_and_the_good_ones_do_not():
    p = probabilities_under(counts(*[(k, 18) for k in (13, 15, 16, 17, 17, 18) * 5], (6, 18)))
    assert p[-1] > 0.95
    assert max(p[:-1]) < 0.75
    assert p[3] < 0.2


def test_a_little_data_is_drawn_towards_the_others():
    p = probabilities_under(counts(*[(17, 18)] * 30, (1, 3)))
    assert p[-1] < probabilities_under(counts(*[(17, 18)] * 30, (6, 18)))[-1]


def test_cards_drawn_alike_are_worth_their_number_and_readily_drawn_ones_less():
    who = Colleague("Sarah Miles", "Team Thames", 1, 1)
    alike = rules.counts(AgentTally("c", 7, 60.0 * 4, 60.0 * 6, 60.0**2 * 6, 6), who, target=0.9)
    assert (alike.kept, alike.of, alike.cards, alike.target) == (
        pytest.approx(4),
        pytest.approx(6),
        6,
        0.9,
    )
    complaints = [(1.0, 0.0)] * 6  # drawn whole: they stand for themselves
    rows = [(60.0, 1.0)] * 6 + complaints
    mixed = rules.counts(
        AgentTally(
            "c", 7, *(sum(x) for x in zip(*((w * s, w, w * w) for w, s in rows), strict=True)), 12
        ),
        who,
        target=0.8,
    )
    assert (
        mixed.kept / mixed.of == pytest.approx(360 / 366)
        and mixed.of == pytest.approx(366**2 / 21606)
        and mixed.cards == 12
    )


def test_a_higher_target_is_missed_more_probably_and_each_agent_has_an_own_one():
    rows = [(k, 18) for k in (13, 15, 16, 17, 17, 18) * 5]
    low, high = (probabilities_under(counts(*rows, target=t)) for t in (0.8, 0.95))
    assert all(a < b for a, b in zip(low, high, strict=True))
    own = counts(*rows)
    own[3] = Counts(**{**vars(own[3]), "target": 0.95})
    assert probabilities_under(own) == pytest.approx([*low[:3], high[3], *low[4:]])


@pytest.mark.parametrize(("agents", "shift"), [(12, 0.0), (300, 0.3), (3000, 0.45)])
def test_looking_closely_at_a_part_of_the_grid_changes_nothing(agents, shift):
    """Every agent's rounding goes the same way here,
    the worst there is for the first rough look.
    """
    rng = np.random.default_rng(agents)
    of = rng.integers(9, 30, agents) + shift
    kept = np.minimum(of, rng.binomial(of.astype(int), rng.beta(9, 2, agents)))
    rows = counts(*zip(kept.tolist(), of.tolist(), strict=True))
    a, b = (
        (rules.MEANS[:, None] * rules.STRENGTHS).ravel(),
        ((1 - rules.MEANS)[:, None] * rules.STRENGTHS).ravel(),
    )
    likelihood = (betaln(a[:, None] + kept, b[:, None] + of - kept) - betaln(a, b)[:, None]).sum(
        axis=1
    )
    weight = np.exp(likelihood - likelihood.max())
    everywhere = weight / weight.sum() @ betainc(a[:, None] + kept, b[:, None] + of - kept, TARGET)
    assert probabilities_under(rows) == pytest.approx(everywhere.tolist(), abs=1e-6)


def test_of_nobody_there_is_nothing_to_say():
    assert probabilities_under([]) == []
    assert fdr_cutoff([], rate=0.1) == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [([0.99, 0.95, 0.85, 0.6], 3), ([0.5, 0.4], 0), ([1.0, 1.0], 2), ([0.95, 0.5, 0.5], 1)],
)
def test_the_list_is_the_longest_prefix_within_the_rate(given, expected):
    assert fdr_cutoff(given, rate=0.10) == expected
