"""Draws have the probabilities they state, and can be made again."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.sampling.rules import (
    choose_sample,
    commitment,
    day_seed,
    days_left,
    design_effects,
    inclusion_probabilities,
    may_share_calls,
    month_seed,
    next_replacement,
    precision,
    probabilities,
    quotas_by_spread,
    random_number,
    targets,
)
from qa.sampling.types import FrameCell, PlanRule, Risk
from qa.statistics.survey_estimators import PooledModel

DAY = date(2026, 11, 10)


def frame(
    *counts: int,
    new_hires: tuple[int, ...] = (),
    risky: int = 0,
    certainty_reason: Mapping[str, str] = MappingProxyType({}),
    part=lambda i: "",
) -> dict[FrameCell, list[str]]:
    """So many calls of agents 0, 1, …, each agent's first ones risky."""
    found: dict[FrameCell, list[str]] = {}
    for a, n in enumerate(counts):
        for i in range(n):
            kind = FrameCell(
                a, a in new_hires, part(i), i < risky, certainty_reason.get(f"call-{a}-{i}", "")
            )
            found.setdefault(kind, []).append(f"call-{a}-{i}")
    return found


def test_the_permanent_random_number_is_the_published_one():
    assert random_number("2024-06|qa-seed-1", "call-000123") == pytest.approx(
        0.9443602977633253, abs=1e-15
    )


def test_the_same_seed_and_frame_draw_the_same_calls_in_whatever_order_they_arrive():
    calls = frame(20, 15)
    wanted = {"agent:0": 3.0, "agent:1": 2.5}
    one = choose_sample(calls, PlanRule(), wanted, seed="s")
    other = choose_sample(
        {kind: ids[::-1] for kind, ids in reversed(calls.items())}, PlanRule(), wanted, seed="s"
    )
    assert one == other
    assert choose_sample(calls, PlanRule(), wanted, seed="t").calls != one.calls


@pytest.mark.parametrize("risk", [None, Risk(has="complaint", share=0.6)], ids=["even", "risk"])
def test_over_ten_thousand_draws_every_call_comes_as_often_as_its_stated_probability(risk):
    rule, calls, wanted = PlanRule(risk=risk), frame(12, risky=3), {"agent:0": 2.4}
    seen: Counter[str] = Counter()
    stated: dict[str, float] = {}
    for n in range(10_000):
        for c in choose_sample(calls, rule, wanted, seed=f"seed-{n}").calls:
            seen[c.external_id] += 1
            stated[c.external_id] = c.probability
    assert sum(stated.values()) == pytest.approx(2.4)
    for call, probability in stated.items():
        assert seen[call] / 10_000 == pytest.approx(probability, abs=0.02)
    if risk:
        assert stated["call-0-0"] > 2 * stated["call-0-11"]


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(0, 40))
def test_inclusion_probabilities_sum_to_the_count_and_none_is_above_one(sizes, count):
    p = inclusion_probabilities(sizes, count)
    assert all(0 <= x <= 1 + 1e-9 for x in p)
    assert sum(p) == pytest.approx(min(count, len(sizes)))


def test_the_quota_is_spread_over_the_working_days_left_and_new_hires_get_more():
    wanted = targets(
        frame(40, 40, 40, new_hires=(1,)), PlanRule(quota_per_agent=6), drawn_before={2: 6}, day=DAY
    )
    assert days_left(DAY) == 15
    assert wanted["agent:0"] == pytest.approx(6 / 15)
    assert wanted["agent:1:new"] == pytest.approx(12 / 15)
    assert wanted["agent:2"] == pytest.approx(0.004 * 40), (
        "the floor keeps every call eligible after the quota is met"
    )


def test_who_has_had_the_quota_early_is_heard_on_at_half_the_rate():
    wanted = targets(frame(9, 40), PlanRule(quota_per_agent=6), drawn_before={0: 6, 1: 9}, day=DAY)
    assert days_left(DAY.replace(day=1)) == 21
    assert wanted["agent:0"] == pytest.approx(6 / 21 / 2) and wanted["agent:1"] == pytest.approx(
        0.16
    )
    many = targets(
        frame(*[9] * 40),
        PlanRule(quota_per_agent=6, daily_budget=3),
        drawn_before=dict.fromkeys(range(40), 6),
        day=DAY,
    )
    assert sum(many.values()) == pytest.approx(3), "a day's budget goes before"


def test_never_more_is_wanted_than_there_is():
    assert targets(frame(2), PlanRule(quota_per_agent=500), drawn_before={}, day=DAY) == {
        "agent:0": 2.0
    }
    drawn = choose_sample(frame(2), PlanRule(), {"agent:0": 2.0}, seed="s").calls
    assert [c.probability for c in drawn] == [1.0, 1.0]


def test_an_empty_frame_draws_nothing():
    assert choose_sample({}, PlanRule(), {}, seed="s").calls == ()


def test_reasons_tell_why_a_call_came():
    drawn = choose_sample(
        frame(3, 2, new_hires=(1,), risky=1),
        PlanRule(risk=Risk(has="complaint")),
        {"agent:0": 3.0, "agent:1:new": 2.0},
        seed="s",
    ).calls
    assert {c.external_id: c.reason for c in drawn}["call-0-0"] == "risk"
    assert {c.external_id: c.reason for c in drawn}["call-1-1"] == "new_hire"
    assert {c.external_id: c.reason for c in drawn}["call-0-1"] == "random"


def test_calls_that_must_be_heard_are_a_stratum_of_their_own_drawn_whole():
    calls = frame(10, 10, certainty_reason={"call-0-0": "complaint", "call-1-1": "complaint"})
    wanted = targets(calls, PlanRule(quota_per_agent=6), drawn_before={}, day=DAY)
    choice = choose_sample(calls, PlanRule(), wanted, seed="s")
    certainty_reason = [c for c in choice.calls if c.stratum == "all:complaint"]
    assert {(c.external_id, c.probability, c.reason) for c in certainty_reason} == {
        ("call-0-0", 1.0, "complaint"),
        ("call-1-1", 1.0, "complaint"),
    }
    assert {s.name: s.frame for s in choice.strata} == {
        "agent:0": 9,
        "agent:1": 9,
        "all:complaint": 2,
    }


def test_a_stratum_with_a_factor_is_drawn_so_many_times_as_often():
    calls = frame(20, part=lambda i: "sales" if i < 5 else "service")
    wanted = targets(
        calls,
        PlanRule(quota_per_agent=15, stratify_by="queue", factors={"sales": 3.0}),
        drawn_before={},
        day=DAY,
    )
    assert wanted["agent:0:sales"] / 5 == pytest.approx(3 * wanted["agent:0:service"] / 15)
    assert sum(wanted.values()) == pytest.approx(1.0)


def test_a_days_budget_is_kept_and_takes_from_all_alike_down_to_their_floors():
    calls = frame(40, 40, 40)
    rule = PlanRule(quota_per_agent=60, daily_budget=6)
    wanted = targets(calls, rule, drawn_before={0: 59}, day=DAY)
    assert sum(wanted.values()) == pytest.approx(6)
    assert all(w >= 0.004 * 40 - 1e-9 for w in wanted.values())


@pytest.mark.parametrize(
    "rule",
    [
        PlanRule(stratify_by="queue", factors={"sales": 2.0}),
        PlanRule(risk=Risk(has="complaint", share=0.5), stratify_by="queue"),
    ],
    ids=["strata", "strata and risk"],
)
def test_over_ten_thousand_draws_strata_and_risk_keep_the_probabilities_they_state(rule):
    calls = frame(16, risky=3, part=lambda i: "sales" if i % 4 == 0 else "service")
    wanted = targets(calls, rule, drawn_before={}, day=date(2026, 11, 27))
    seen: Counter[str] = Counter()
    stated: dict[str, float] = {}
    for n in range(10_000):
        for c in choose_sample(calls, rule, wanted, seed=f"seed-{n}").calls:
            seen[c.external_id] += 1
            stated[c.external_id] = c.probability
    assert sum(stated.values()) == pytest.approx(sum(wanted.values()))
    for call, probability in stated.items():
        assert seen[call] / 10_000 == pytest.approx(probability, abs=0.02)


def test_a_months_seed_is_known_by_its_hash_and_a_days_seed_gives_no_other_day_away():
    month = month_seed("secret", "2026-11")
    assert month != month_seed("secret", "2026-12")
    assert commitment(month) == hashlib.sha256(month.encode()).hexdigest()
    days = {day_seed(month, date(2026, 11, d)) for d in range(1, 31)}
    assert len(days) == 30
    assert not any(month in d or "secret" in d for d in days)


def test_quotas_by_spread_go_where_people_and_checks_differ_and_keep_the_total():
    quotas = quotas_by_spread(
        {1: 400, 2: 400, 3: 400}, {1: 4.0, 2: 8.0, 3: 24.0}, {1: 6, 2: 6, 3: 6}, floor=3
    )
    assert sum(quotas.values()) == pytest.approx(18)
    assert quotas[1] == 3
    assert quotas[3] > quotas[2] > quotas[1]


def test_the_promised_half_width_is_the_textbooks():
    model = PooledModel(0.8, 100, 7.2**2, 200, 51.84, math.inf)
    seen = precision(dict.fromkeys(range(40), 400), dict.fromkeys(range(40), 6.0), model)
    assert (seen.agents, seen.calls, seen.drawn) == (40, 16000, 240)
    assert seen.half_width == pytest.approx(
        1.972 * 7.2 / math.sqrt(6) * math.sqrt(1 - 6 / 400), rel=1e-3
    )
    assert seen.half_width_whole == pytest.approx(seen.half_width / math.sqrt(40))
    assert precision({}, {}, None).half_width is None
    assert precision({1: 10}, {1: 6.0}, None).is_assumed


def test_a_plan_that_prefers_risky_calls_promises_what_its_cards_are_worth():
    calls = frame(1000, risky=200)
    even = design_effects(calls, PlanRule(), {0: 18.0})
    assert even == {0: pytest.approx(1.0)}
    risky = design_effects(calls, PlanRule(risk=Risk(has="x", share=0.6)), {0: 18.0})
    assert risky[0] == pytest.approx(0.8**2 / 0.32 + 0.2**2 / 0.68, rel=1e-3), (
        "Σ q w² with q = 32 and 68 % of the sample, w = 0.8/q and 0.2/q"
    )
    parts = frame(100, part=lambda i: "a" if i < 50 else "b")
    factors = design_effects(parts, PlanRule(stratify_by="queue", factors={"a": 3.0}), {0: 8.0})
    assert factors[0] == pytest.approx(0.5**2 / 0.75 + 0.5**2 / 0.25)
    plain, less = (
        precision({0: 1000}, {0: 18.0}, None),
        precision({0: 1000}, {0: 18.0}, None, risky),
    )
    assert less.half_width == pytest.approx(
        plain.half_width * math.sqrt(risky[0])
    ) and less.worth_each == pytest.approx(18 / risky[0])


def test_one_call_of_few_is_drawn_exactly_where_paretos_keys_are_only_near_it():
    """Over ten thousand draws of one call out of four: by waiting times within chance of what is
    stated, by the keys of old draws not.
    """
    calls, wanted = frame(4, risky=1), {"agent:0": 1.0}

    def off(method):
        seen: Counter[str] = Counter()
        stated = {}
        rule = PlanRule(risk=Risk(has="complaint", share=0.5), method=method)
        for n in range(10_000):
            for c in choose_sample(calls, rule, wanted, seed=f"seed-{n}").calls:
                seen[c.external_id] += 1
                stated[c.external_id] = c.probability
        return max(abs(seen[i] / 10_000 - p) for i, p in stated.items())

    assert off(2) < 0.015 < off(1)


def test_with_replacements_the_sample_is_one_drawn_from_the_calls_that_can_be_scored():
    rng = np.random.default_rng(11)
    calls, rule = frame(30), PlanRule()
    stratum, ((kind, names),) = "agent:0", calls.items()
    for n in range(200):
        # calls that turn out not to be conversations
        lost = {names[i] for i in rng.choice(30, 8, replace=False)}
        seed = f"s{n}"
        drawn = [c.external_id for c in choose_sample(calls, rule, {stratum: 5.0}, seed=seed).calls]
        kept = [x for x in drawn if x not in lost]
        taken = set(drawn)
        while len(kept) < 5:
            call, probability = next_replacement(
                calls, rule, 5.0, stratum=stratum, taken=taken, seed=seed
            )
            assert probability == pytest.approx(5 / 30)
            taken.add(call)
            kept += [call] if call not in lost else []
        scorable = {kind: [x for x in names if x not in lost]}
        assert sorted(kept) == sorted(
            c.external_id for c in choose_sample(scorable, rule, {stratum: 5.0}, seed=seed).calls
        )
    assert next_replacement(calls, rule, 5.0, stratum=stratum, taken=set(names), seed="s") is None


def test_calls_in_which_plans_meet_come_as_often_as_any_plan_draws_them_and_the_mean_is_true():
    """One plan for all calls and one more for an agent's sales calls: counted by one plan's
    probability alone, sales would weigh double.
    """
    everything = frame(40, part=lambda i: "sales" if i < 20 else "service")
    sales = {
        kind._replace(part=""): ids for kind, ids in everything.items() if kind.part == "sales"
    }
    plans = [
        (
            everything,
            PlanRule(stratify_by="queue", risk=None),
            {"agent:0:sales": 2.2, "agent:0:service": 2.0},
        ),
        (sales, PlanRule(queue="sales"), {"agent:0": 3.0}),
    ]
    score = {f"call-0-{i}": 60.0 if i < 20 else 90.0 for i in range(40)}
    seen, joint, own = Counter(), [], []
    for n in range(4000):
        drawn = [
            choose_sample(f, rule, wanted, seed=f"{n} {i}").calls
            for i, (f, rule, wanted) in enumerate(plans)
        ]
        both = {p.external_id for picks in drawn for p in picks}
        chances = [probabilities(f, rule, wanted, both) for f, rule, wanted in plans]
        any_of = {x: 1 - math.prod(1 - c.get(x, 0.0) for c in chances) for x in both}
        seen.update(both)
        largest = {
            p.external_id: max(
                q.probability for picks in drawn for q in picks if q.external_id == p.external_id
            )
            for picks in drawn
            for p in picks
        }
        for means, of in ((joint, any_of), (own, largest)):
            means.append(sum(score[x] / p for x, p in of.items()) / sum(1 / p for p in of.values()))
    expected = 1 - (1 - 2.2 / 20) * (1 - 3 / 20)
    assert [seen[f"call-0-{i}"] / 4000 for i in (0, 7, 19)] == pytest.approx(
        [expected] * 3, abs=4 * math.sqrt(expected * (1 - expected) / 4000)
    )
    assert seen["call-0-25"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert np.mean(joint) == pytest.approx(75, abs=0.5), "half of the calls are sales"
    assert np.mean(own) < 72, "by the probability of the plan alone sales weigh more than they are"


def test_plans_that_name_different_projects_or_queues_share_no_calls():
    assert may_share_calls(PlanRule(), PlanRule(project="a")) and may_share_calls(
        PlanRule(project="a", queue="x"), PlanRule(project="a")
    )
    assert not may_share_calls(
        PlanRule(project="a"), PlanRule(project="b")
    ) and not may_share_calls(PlanRule(queue="x"), PlanRule(queue="y", project="a"))


def test_what_a_draw_could_not_take_has_no_probability_and_what_it_must_take_has_one():
    calls = frame(10, certainty_reason={"call-0-3": "complaint"}, risky=2)
    found = probabilities(
        calls,
        PlanRule(risk=Risk(has="x", share=0.5)),
        {"agent:0": 2.0},
        {"call-0-3", "call-0-0", "call-0-5", "elsewhere"},
    )
    assert (
        set(found) == {"call-0-3", "call-0-0", "call-0-5"}
        and found["call-0-3"] == 1.0
        and found["call-0-0"] > found["call-0-5"]
    )
    assert found["call-0-0"] * 2 + found["call-0-5"] * 7 == pytest.approx(2.0)
