"""Draws have the probabilities they state, and can be made again."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.sampling.rules import choose_sample, days_left, inclusion_probabilities, random_number, targets
from qa.sampling.types import FrameCall, PlanRule, Risk

DAY = date(2026, 11, 10)


def frame(*counts: int, new_hires: tuple[int, ...] = (), risky: int = 0) -> list[FrameCall]:
    return [
        FrameCall(100 * a + i, f"call-{a}-{i}", a, a in new_hires, 60, {"complaint": "true"} if i < risky else {})
        for a, n in enumerate(counts)
        for i in range(n)
    ]


def test_the_permanent_random_number_is_the_published_one():
    assert random_number("2024-06|qa-seed-1", "call-000123") == pytest.approx(0.9443602977633253, abs=1e-15)


def test_the_same_seed_and_frame_draw_the_same_calls_in_whatever_order_they_arrive():
    calls = frame(20, 15)
    wanted = {0: 3.0, 1: 2.5}
    one = choose_sample(calls, PlanRule(), wanted, seed="s")
    other = choose_sample(list(reversed(calls)), PlanRule(), wanted, seed="s")
    assert one == other
    assert choose_sample(calls, PlanRule(), wanted, seed="t").calls != one.calls


@pytest.mark.parametrize("risk", [None, Risk(has="complaint", share=0.6)], ids=["even", "risk"])
def test_over_ten_thousand_draws_every_call_comes_as_often_as_its_stated_probability(risk):
    rule, calls, wanted = PlanRule(risk=risk), frame(12, risky=3), {0: 2.4}
    seen: Counter[int] = Counter()
    stated: dict[int, float] = {}
    for n in range(10_000):
        for c in choose_sample(calls, rule, wanted, seed=f"seed-{n}").calls:
            seen[c.call_id] += 1
            stated[c.call_id] = c.probability
    assert sum(stated.values()) == pytest.approx(2.4)
    for call_id, probability in stated.items():
        assert seen[call_id] / 10_000 == pytest.approx(probability, abs=0.02)
    if risk:
        assert stated[0] > 2 * stated[11]


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(0, 40))
def test_inclusion_probabilities_sum_to_the_count_and_none_is_above_one(sizes, count):
    p = inclusion_probabilities(sizes, count)
    assert all(0 <= x <= 1 + 1e-9 for x in p)
    assert sum(p) == pytest.approx(min(count, len(sizes)))


def test_the_quota_is_spread_over_the_working_days_left_and_new_hires_get_more():
    wanted = targets(frame(40, 40, 40, new_hires=(1,)), PlanRule(quota_per_agent=6), drawn_before={2: 6}, day=DAY)
    assert days_left(DAY) == 15
    assert wanted[0] == pytest.approx(6 / 15)
    assert wanted[1] == pytest.approx(12 / 15)
    assert wanted[2] == pytest.approx(0.004 * 40), "the floor keeps every call eligible after the quota is met"


def test_never_more_is_wanted_than_there_is():
    assert targets(frame(2), PlanRule(quota_per_agent=500), drawn_before={}, day=DAY) == {0: 2.0}
    drawn = choose_sample(frame(2), PlanRule(), {0: 2.0}, seed="s").calls
    assert [c.probability for c in drawn] == [1.0, 1.0]


def test_an_empty_frame_draws_nothing():
    assert choose_sample([], PlanRule(), {}, seed="s").calls == ()


def test_reasons_tell_why_a_call_came():
    drawn = choose_sample(frame(3, 2, new_hires=(1,), risky=1), PlanRule(risk=Risk(has="complaint")), {0: 3.0, 1: 2.0}, seed="s").calls
    assert {c.external_id: c.reason for c in drawn}["call-0-0"] == "risk"
    assert {c.external_id: c.reason for c in drawn}["call-1-1"] == "new_hire"
    assert {c.external_id: c.reason for c in drawn}["call-0-1"] == "random"
