"""Who needs training: posterior probabilities, cut at a false-discovery rate."""

import pytest

from qa.training.rules import benjamini_hochberg, discoveries, probabilities_under
from qa.training.types import Counts


def counts(*rows: tuple[float, int]) -> list[Counts]:
    return [Counts(i, f"a{i}", "t", "c", kept, of) for i, (kept, of) in enumerate(rows)]


def test_benjamini_hochbergs_own_example_rejects_four_where_bonferroni_rejects_three():
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert benjamini_hochberg(p, rate=0.05) == 4
    assert sum(x <= 0.05 / 15 for x in p) == 3


def test_an_agent_who_fails_often_among_good_ones_stands_out_and_the_good_ones_do_not():
    p = probabilities_under(counts(*[(k, 18) for k in (13, 15, 16, 17, 17, 18) * 5], (6, 18)))
    assert p[-1] > 0.95
    assert max(p[:-1]) < 0.75
    assert p[3] < 0.2


def test_a_little_data_is_drawn_towards_the_others():
    p = probabilities_under(counts(*[(17, 18)] * 30, (1, 3)))
    assert p[-1] < probabilities_under(counts(*[(17, 18)] * 30, (6, 18)))[-1]


def test_of_nobody_there_is_nothing_to_say():
    assert probabilities_under([]) == []
    assert discoveries([]) == 0


@pytest.mark.parametrize(("given", "expected"), [([0.99, 0.95, 0.85, 0.6], 3), ([0.5, 0.4], 0), ([1.0, 1.0], 2), ([0.95, 0.5, 0.5], 1)])
def test_the_list_is_the_longest_prefix_within_the_rate(given, expected):
    assert discoveries(given, rate=0.10) == expected
