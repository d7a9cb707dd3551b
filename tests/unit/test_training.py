"""Who needs training: posterior probabilities, cut at a false-discovery rate."""

import pytest

from qa.statistics.shares import discoveries
from qa.training.rules import probabilities_under
from qa.training.types import Counts


def counts(*rows: tuple[float, int]) -> list[Counts]:
    return [Counts(i, f"a{i}", "t", "c", kept, of) for i, (kept, of) in enumerate(rows)]


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
    assert discoveries([], rate=0.1) == 0


@pytest.mark.parametrize(("given", "expected"), [([0.99, 0.95, 0.85, 0.6], 3), ([0.5, 0.4], 0), ([1.0, 1.0], 2), ([0.95, 0.5, 0.5], 1)])
def test_the_list_is_the_longest_prefix_within_the_rate(given, expected):
    assert discoveries(given, rate=0.10) == expected
