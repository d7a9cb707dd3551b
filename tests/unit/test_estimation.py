"""Honest figures: published values, and intervals that cover as often as they say."""

import math
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from qa.reporting.rules.criteria import WeightSums, score_change
from qa.reporting.rules.estimates import (
    change,
    critical_rate,
    estimate_agent,
    estimate_group,
    verdict,
    wilson,
)
from qa.reporting.rules.estimates import model_of as fit
from qa.reporting.rules.satisfaction import correlate_quality_and_ratings, summarize_ratings
from qa.reporting.rules.standings import standings
from qa.reporting.rules.trends import (
    DailyMean,
    detect_drift,
    with_control_limits,
    with_p_chart_limits,
)
from qa.reporting.types.estimate import (
    Basis,
    Estimate,
    ScoredCall,
    Tally,
    Totals,
    Verdict,
)
from qa.reporting.types.lines import Breaches, Satisfaction
from qa.statistics.proportions import equivalent_sample_size
from qa.statistics.survey_estimators import moderation


def test_of_nothing_there_is_no_share():
    assert wilson(0, 0).share is None


def totals(calls: int, mean: float | None, flagged: int = 0) -> Totals:
    return Totals(calls, calls if mean is not None else 0, (mean or 0.0) * calls, flagged)


def cards(agent: int, human, automatic, p: float = 0.1) -> list[ScoredCall]:
    return [
        ScoredCall(agent, float(y), None if x is None else float(x), p)
        for y, x in zip(human, automatic, strict=True)
    ]


def test_too_few_cards_give_no_figure_and_say_so():
    few = cards(1, [80, 90], [80, 85])
    assert fit(few) is None
    assert estimate_agent(few, totals(100, 82), None, minimum=3).basis is Basis.TOO_FEW
    assert estimate_agent([], totals(100, 82), None, minimum=3).basis is Basis.NO_CARDS


def test_a_census_has_no_interval_to_speak_of():
    rows = cards(1, [70, 80, 90, 60, 75, 85, 95, 65], [70, 80, 90, 60, 75, 85, 95, 65], p=1.0)
    e = estimate_agent(rows, totals(8, 77.5), fit(rows), minimum=3)
    assert e.value == pytest.approx(77.5)
    assert e.high - e.low < 1e-6


def test_zero_variance_and_all_failed_give_figures_and_no_crash():
    rows = cards(1, [0] * 10, [0] * 10) + cards(2, [100] * 10, [100] * 10)
    model = fit(rows)
    assert estimate_agent(rows[:10], totals(100, 0.0), model, minimum=3).value == 0
    perfect = estimate_agent(rows[10:], totals(100, 100.0), model, minimum=3)
    assert perfect.value == 100 and 70 < perfect.low < 75, (
        "ten perfect cards do not prove a hundred perfect calls"
    )
    assert estimate_group(rows, totals(200, 50.0), model, minimum=3).basis is Basis.ESTIMATED


def test_without_automatic_scores_people_alone_are_used():
    rows = cards(1, [70, 80, 90, 85], [None] * 4) + cards(2, [60, 65, 70, 75], [50, None, 60, 70])
    model = fit(rows)
    assert model.slope == 0
    assert estimate_agent(rows[:4], totals(40, None), model, minimum=3).value == pytest.approx(
        81.25
    )


def test_intervals_never_leave_the_scale():
    rng = np.random.default_rng(1)
    rows = [
        c
        for a in range(5)
        for c in cards(a, np.clip(rng.normal(97, 6, 4), 0, 100), rng.normal(95, 5, 4))
    ]
    for a in range(5):
        e = estimate_agent(rows[4 * a : 4 * a + 4], totals(40, 95), fit(rows), minimum=3)
        assert 0 <= e.low <= e.value <= e.high <= 100


def simulate(rho: float, reps: int, seed: int):
    """40 agents × 400 calls, 6 human scores each, between-agent sd 5, call sd 12
    (design/STATISTICS.md, 1.5), scaled off the ends of 0–100.
    """
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
            e = estimate_agent(rows[a], totals(400, float(x[a].mean())), model, minimum=3)
            truth = y[a].mean()
            errors.append(e.value - truth)
            naive.append(y[a, picks[a]].mean() - truth)
            covered += e.low <= truth <= e.high
    return (
        math.sqrt(np.mean(np.square(errors))),
        covered / len(errors),
        math.sqrt(np.mean(np.square(naive))),
        float(np.mean(errors)),
    )


@pytest.mark.parametrize(("rho", "rmse"), [(0.3, 4.67), (0.6, 3.92), (0.8, 2.93)])
def test_the_pooled_slope_estimator_is_as_good_as_published_and_its_interval_covers_95_percent(
    rho, rmse
):
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
        rows = [
            ScoredCall(1, float(a), float(b), float(q))
            for a, b, q in zip(y[taken], x[taken], p[taken], strict=True)
        ]
        e = estimate_group(rows, totals(4000, float(x.mean())), fit(rows), minimum=3)
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


def test_a_critical_breach_that_a_check_found_and_a_person_confirmed_counts_once_and_surely():
    heard = [ScoredCall(1, 0, 0, 1.0, is_breach=i < 3, is_flagged=True) for i in range(4)]
    drawn = [ScoredCall(1, 80, 80, 0.1) for _ in range(40)]
    rate = critical_rate(heard + drawn, totals(404, 80, flagged=4))
    assert (rate.count, rate.of) == (3, 44)
    assert rate.share == pytest.approx(3 / 404)
    assert rate.low == pytest.approx(rate.share), "the three are there, whatever the others are"
    assert rate.share < rate.high < 0.1
    all_heard = critical_rate(heard, totals(4, 0, flagged=4))
    assert (all_heard.share, all_heard.low, all_heard.high) == (0.75, 0.75, 0.75)


def test_a_flag_that_nobody_heard_is_no_breach_but_leaves_it_open():
    rate = critical_rate(
        [ScoredCall(1, 80, 80, 0.5) for _ in range(20)], totals(50, 80, flagged=10)
    )
    assert rate.share == 0
    assert rate.high >= 0.2
    assert critical_rate([], totals(50, 80, flagged=10)).share is None


def test_the_critical_rate_covers_as_often_as_it_says():
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(400):
        breach = rng.random(3000) < 0.02
        flag = np.where(breach, rng.random(3000) < 0.6, rng.random(3000) < 0.01)
        taken = flag | (rng.random(3000) < 0.05)
        rows = [
            ScoredCall(1, 0, 0, 1.0 if f else 0.05, is_breach=bool(b), is_flagged=bool(f))
            for b, f, t in zip(breach, flag, taken, strict=True)
            if t
        ]
        rate = critical_rate(rows, totals(3000, 80, flagged=int(flag.sum())))
        covered += rate.low <= breach.mean() <= rate.high
    assert 0.92 <= covered / 400 <= 1


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (90, 86, 94, "met"),
        (80, 76, 84, "not_met"),
        (86, 82, 90, "cannot_tell"),
        (None, None, None, "no_figure"),
    ],
)
def test_a_target_is_met_or_not_only_where_the_whole_interval_says_so(value, low, high, said):
    assert verdict(value, low, high, 85).value == said
    assert verdict(0.02, 0.01, 0.03, 0.05, at_most=True) is Verdict.MET
    assert verdict(0.08, 0.06, 0.1, 0.05, at_most=True) is Verdict.NOT_MET


def figure(value, error, automatic=80.0):
    return Estimate(
        Basis.ESTIMATED,
        6,
        400,
        value,
        value - 2 * error,
        value + 2 * error,
        value,
        automatic,
        error,
        50,
    )


def test_agents_who_cannot_be_told_apart_share_a_letter_and_one_group_of_all_needs_none():
    alike = standings({a: figure(80 + a, 5) for a in range(5)}, {}, None, target=None)
    assert {s.apart for s in alike.values()} == {"="}
    apart = standings({1: figure(50, 2), 2: figure(90, 2), 3: figure(91, 2)}, {}, None, target=None)
    assert apart[1].apart == "A" and apart[2].apart == apart[3].apart == "B"


def test_the_shrunken_value_lies_between_the_figure_and_the_others_and_knows_the_target():
    found = standings({a: figure(80 + (a == 0) * -20, 6) for a in range(12)}, {}, None, target=85)
    assert 60 < found[0].shrunken < 80
    assert found[0].under_target > 0.95
    assert standings({1: figure(70, 3)}, {}, None, target=85)[1].shrunken is None


def test_checks_that_rate_one_agents_calls_too_high_are_found_and_few_others():
    rng = np.random.default_rng(12)
    rows = {}
    for a in range(30):
        y = 75 + rng.normal(0, 8, 18)
        rows[a] = cards(a, y, y + rng.normal(0, 5, 18) + 15 * (a == 7))
    model = fit([c for r in rows.values() for c in r])
    found = standings({a: figure(75, 2) for a in rows}, rows, model, target=None)
    assert found[7].is_bias_sure and found[7].bias > 6
    assert sum(s.is_bias_sure for s in found.values()) <= 3


def test_a_month_is_compared_with_the_one_before_with_both_their_errors():
    d = change(figure(82, 2), figure(78, 1.5))
    assert d.value == pytest.approx(4)
    assert d.high - d.value == pytest.approx(2.5 * 1.985, rel=0.01)
    assert not d.is_sure
    assert change(figure(82, 2), Estimate(Basis.NO_CARDS, 0, 0)) is None


def test_a_criterion_that_is_lost_less_raises_the_score_by_what_it_cost():
    now, before = (
        Tally("a", 100, 100, 10, 0, 0, 0, 0, 100.0, 2000.0, 100.0, 10.0, 100.0, 100.0),
        Tally("a", 100, 100, 30, 0, 0, 0, 0, 300.0, 6000.0, 300.0, 30.0, 100.0, 100.0),
    )
    hundred = WeightSums(100, 100)
    m = score_change(now, before, hundred, hundred)
    assert m.value == pytest.approx(2.0)
    assert m.low < 2 < m.high
    assert score_change(now, before, WeightSums(0, 0), hundred) is None


def test_a_trend_has_limits_from_three_months_on():
    points = [("2026-08", figure(80, 2)), ("2026-09", figure(81, 2))]
    assert with_control_limits(points)[0].low_limit is None
    three = with_control_limits([*points, ("2026-10", figure(60, 2))])
    assert three[2].is_outside and three[0].low_limit is not None


def test_what_customers_say_has_an_interval_and_a_correlation_only_with_enough_of_it():
    sums = dict.fromkeys(("y", "yy", "n", "x", "xx", "xy", "yc", "yyc"), 0.0)
    assert summarize_ratings(0, sums).mean is None
    one = summarize_ratings(1, sums | {"y": 75.0, "yy": 5625.0})
    assert (one.mean, one.low) == (75, None)
    rng = np.random.default_rng(3)
    x = rng.normal(80, 10, 200)
    y = 0.5 * x + rng.normal(0, 8, 200)
    full = {
        "y": y.sum(),
        "yy": (y * y).sum(),
        "n": 200,
        "x": x.sum(),
        "xx": (x * x).sum(),
        "xy": (x * y).sum(),
        "yc": y.sum(),
        "yyc": (y * y).sum(),
    }
    found = summarize_ratings(200, full)
    assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found.correlation_low < found.correlation < found.correlation_high
    assert found.low < found.mean < found.high


def test_a_few_unchecked_calls_do_not_cost_the_help_of_the_checks():
    from qa.reporting.rules.estimates import with_stand_ins

    rng = np.random.default_rng(2)
    rows = [c for a in range(10) for c in cards(a, rng.normal(80, 10, 6), rng.normal(80, 10, 6))]
    some = [
        ScoredCall(c.agent_id, c.human, None if i == 3 else c.automatic, c.probability)
        for i, c in enumerate(rows)
    ]
    filled = with_stand_ins(some, dict.fromkeys(range(10), 78.0), 60.0)
    assert filled[3].automatic == 78 and fit(filled).slope_spread > 0
    assert with_stand_ins(some, {}, 60.0)[3].automatic == 60, "of this agent nothing was checked"
    assert with_stand_ins(some, {}, None)[3].automatic is None, "of nobody anything"
    assert with_stand_ins([], {}, 60.0) == []


# over time, and from agent to agent


def days(month, means, n=50):
    return [DailyMean(date(2026, month, i + 1), n, m) for i, m in enumerate(means)]


def test_daily_scores_that_stay_are_no_drift_and_those_that_leave_are_noticed_with_the_day():
    rng = np.random.default_rng(3)
    usual = days(9, 80 + rng.normal(0, 1, 30))
    assert detect_drift(usual, days(10, 80 + rng.normal(0, 1, 31))) is None
    left = [*(80 + rng.normal(0, 0.3, 15)), *(77 + rng.normal(0, 0.3, 16))]
    found = detect_drift(usual, days(10, left))
    assert date(2026, 10, 15) <= found.since <= date(2026, 10, 17) and date(
        2026, 10, 16
    ) < found.noticed < date(2026, 10, 21)
    assert found.was == pytest.approx(80, abs=0.6) and found.now == pytest.approx(77, abs=0.5)
    up = detect_drift(usual, days(10, [83] * 31))
    assert up.since == date(2026, 10, 1) and up.now == 83


def test_too_few_days_or_calls_or_no_spread_tell_no_drift():
    usual = days(9, [80, 81, 79] * 5)
    assert detect_drift(usual[:9], days(10, [60] * 20)) is None
    assert (
        detect_drift(usual, days(10, [60] * 20, n=19)) is None
        and detect_drift(usual, []) is None
        and detect_drift([], []) is None
    )
    assert detect_drift(days(9, [80] * 20), days(10, [60] * 20)) is None


def test_a_stable_centre_is_alarmed_in_three_of_a_hundred_months():
    rng = np.random.default_rng(7)
    alarms = sum(
        detect_drift(days(9, 80 + rng.normal(0, 1, 30)), days(10, 80 + rng.normal(0, 1, 31)))
        is not None
        for _ in range(2000)
    )
    assert 30 < alarms < 90


def test_months_of_breaches_have_the_limits_of_a_p_chart_and_empty_months_none():
    def months(*counts):
        shares_of = [wilson(count, of) for count, of in counts]
        return [
            Breaches(f"2026-{6 + i:02d}", s.share, s.low, s.high) for i, s in enumerate(shares_of)
        ]

    found = with_p_chart_limits(months((2, 200), (3, 180), (0, 0), (19, 190)))
    centre = 24 / 570
    assert found[3].is_outside and found[3].high_limit == pytest.approx(
        centre + 3 * math.sqrt(centre * (1 - centre) / 190)
    )
    assert found[2].high_limit is None and not found[0].is_outside
    assert all(
        b.high_limit is None for b in with_p_chart_limits(months((0, 100), (0, 100), (0, 100)))
    ), "without any breach there is nothing to chart"
    assert (
        all(b.high_limit is None for b in with_p_chart_limits(months((1, 100), (1, 100))))
        and with_p_chart_limits([]) == ()
    )


@pytest.mark.parametrize(("count", "of"), [(0, 40), (1, 40), (3, 500), (20, 40), (40, 40)])
def test_an_interval_is_worth_the_calls_that_it_came_from(count, of):
    s = wilson(count, of)
    assert equivalent_sample_size(s.low, s.high) == pytest.approx(of, rel=1e-6)


def member(value, mean, count=9):
    estimate = Estimate(Basis.ESTIMATED, 9, 100, value)
    return SimpleNamespace(estimate=estimate, satisfaction=Satisfaction(count, mean, None, None))


def test_quality_and_ratings_go_together_by_pearsons_r_with_fishers_interval():
    rng = np.random.default_rng(1)
    x = rng.normal(80, 5, 40)
    y = 0.8 * x + rng.normal(0, 2, 40)
    found = correlate_quality_and_ratings([member(a, b) for a, b in zip(x, y, strict=True)])
    r = float(np.corrcoef(x, y)[0, 1])
    assert found.r == pytest.approx(r) and found.agents == 40
    assert (
        math.atanh(found.high) - math.atanh(r) == pytest.approx(1.959964 / math.sqrt(37), rel=1e-5)
        and found.low > 0
    )
    assert (
        correlate_quality_and_ratings([member(a, b) for a, b in zip(x[:9], y[:9], strict=True)])
        is None
    ), "too few agents"
    assert (
        correlate_quality_and_ratings([member(80, b) for b in y]) is None
        and correlate_quality_and_ratings([member(a, 80, count=4) for a in x]) is None
    )
