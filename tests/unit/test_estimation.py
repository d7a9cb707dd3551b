"""Honest figures: published values, and intervals that cover as often as they say."""

import math

import numpy as np
import pytest

from qa.reporting.rules import estimate_agent, estimate_group, fit, moderation, wilson
from qa.reporting.types import AgentTotals, Basis, ScoredCall


@pytest.mark.parametrize(("count", "of", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_wilson_intervals_are_newcombes(count, of, low, high):
    rate = wilson(count, of)
    assert rate.low == pytest.approx(low, abs=5e-5)
    assert rate.high == pytest.approx(high, abs=5e-5)


def test_of_nothing_there_is_no_share():
    assert wilson(0, 0).share is None


def totals(agent: int, calls: int, mean: float | None) -> AgentTotals:
    return AgentTotals(agent, f"a{agent}", 1, "t", "d", calls, calls if mean is not None else 0, mean)


def cards(agent: int, human, automatic, p: float = 0.1) -> list[ScoredCall]:
    return [ScoredCall(agent, float(y), None if x is None else float(x), p) for y, x in zip(human, automatic, strict=True)]


def test_too_few_cards_give_no_figure_and_say_so():
    few = cards(1, [80, 90], [80, 85])
    assert fit(few) is None
    assert estimate_agent(few, totals(1, 100, 82), None, minimum=3).basis is Basis.TOO_FEW
    assert estimate_agent([], totals(1, 100, 82), None, minimum=3).basis is Basis.NO_CARDS


def test_a_census_has_no_interval_to_speak_of():
    rows = cards(1, [70, 80, 90, 60, 75, 85, 95, 65], [70, 80, 90, 60, 75, 85, 95, 65], p=1.0)
    e = estimate_agent(rows, totals(1, 8, 77.5), fit(rows), minimum=3)
    assert e.value == pytest.approx(77.5)
    assert e.high - e.low < 1e-6


def test_zero_variance_and_all_failed_give_figures_and_no_crash():
    rows = cards(1, [0] * 10, [0] * 10) + cards(2, [100] * 10, [100] * 10)
    model = fit(rows)
    assert estimate_agent(rows[:10], totals(1, 100, 0.0), model, minimum=3).value == 0
    assert estimate_group(rows, [totals(1, 100, 0.0), totals(2, 100, 100.0)], model, minimum=3).basis is Basis.ESTIMATED


def test_without_automatic_scores_people_alone_are_used():
    rows = cards(1, [70, 80, 90, 85], [None] * 4) + cards(2, [60, 65, 70, 75], [50, None, 60, 70])
    model = fit(rows)
    assert model.slope == 0
    assert estimate_agent(rows[:4], totals(1, 40, None), model, minimum=3).value == pytest.approx(81.25)


def test_intervals_never_leave_the_scale():
    rng = np.random.default_rng(1)
    rows = [c for a in range(5) for c in cards(a, np.clip(rng.normal(97, 6, 4), 0, 100), rng.normal(95, 5, 4))]
    for a in range(5):
        e = estimate_agent(rows[4 * a : 4 * a + 4], totals(a, 40, 95), fit(rows), minimum=3)
        assert 0 <= e.low <= e.value <= e.high <= 100


def simulate(rho: float, reps: int, seed: int):
    """40 agents × 400 calls, 6 human scores each, between-agent sd 5, call sd 12 (design/STATISTICS.md, 1.5), scaled off the ends of 0–100."""
    rng = np.random.default_rng(seed)
    errors, covered, naive = [], 0, []
    for _ in range(reps):
        mu = 50 + rng.normal(0, 5, 40)
        y = mu[:, None] + rng.normal(0, 12, (40, 400))
        x = 50 + rho * (y - 50) + rng.normal(0, 12 * math.sqrt(1 - rho**2), (40, 400))
        picks = [rng.choice(400, 6, replace=False) for _ in range(40)]
        rows = {a: cards(a, y[a, picks[a]], x[a, picks[a]], p=6 / 400) for a in range(40)}
        model = fit([c for r in rows.values() for c in r])
        for a in range(40):
            e = estimate_agent(rows[a], totals(a, 400, float(x[a].mean())), model, minimum=3)
            truth = y[a].mean()
            errors.append(e.value - truth)
            naive.append(y[a, picks[a]].mean() - truth)
            covered += e.low <= truth <= e.high
    return math.sqrt(np.mean(np.square(errors))), covered / len(errors), math.sqrt(np.mean(np.square(naive))), float(np.mean(errors))


@pytest.mark.parametrize(("rho", "rmse"), [(0.3, 4.67), (0.6, 3.92), (0.8, 2.93)])
def test_the_pooled_slope_estimator_is_as_good_as_published_and_its_interval_covers_95_percent(rho, rmse):
    got, coverage, naive, bias = simulate(rho, reps=60, seed=7)
    assert got == pytest.approx(rmse, rel=0.06)
    assert naive == pytest.approx(4.88, rel=0.06)
    assert 0.935 <= coverage <= 0.965
    assert abs(bias) < 0.25


def test_a_risk_targeted_sample_is_weighted_back_without_bias():
    rng = np.random.default_rng(3)
    weighted, plain, covered = [], [], 0
    for _ in range(200):
        y = rng.normal(70, 12, 4000)
        x = 70 + 0.6 * (y - 70) + rng.normal(0, 9.6, 4000)
        p = np.where(x < 60, 0.15, 0.03)
        taken = rng.random(4000) < p
        rows = [ScoredCall(1, float(a), float(b), float(q)) for a, b, q in zip(y[taken], x[taken], p[taken], strict=True)]
        e = estimate_group(rows, [totals(1, 4000, float(x.mean()))], fit(rows), minimum=3)
        weighted.append(e.value - y.mean())
        plain.append(y[taken].mean() - y.mean())
        covered += e.low <= y.mean() <= e.high
    assert abs(np.mean(weighted)) < 0.15
    assert np.mean(plain) < -2
    assert 0.9 <= covered / 200 <= 0.99


def test_moderation_trusts_agents_own_variance_more_the_more_they_differ():
    rng = np.random.default_rng(5)
    alike = rng.chisquare(5, 200) / 5 * 144
    differing = rng.chisquare(5, 200) / 5 * rng.uniform(25, 400, 200)
    assert moderation(alike, [5.0] * 200, 144)[0] > moderation(differing, [5.0] * 200, 144)[0]
