"""Published values, and properties that must hold whatever the data.

Sources stand with each function in qa/statistics.
"""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import stdtr, stdtrit

from qa.statistics.control_charts import cusum, funnel, individuals_chart, p_chart
from qa.statistics.proportions import benjamini_hochberg, fdr_cutoff, wilson
from qa.statistics.severity import Scored, severity
from qa.statistics.shrinkage import compact_letter_display, hierarchical
from qa.statistics.survey_estimators import (
    Mean,
    Sample,
    fit,
    neyman,
    regression_mean,
    small_area,
    stratified,
    welch,
)
from qa.statistics.treatment_effect import (
    Design,
    ancova,
    second_baseline,
    waiting_list,
)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_newcombes(count, of, low, high):
    share = wilson(count, of)
    assert share.low == pytest.approx(low, abs=5e-5)
    assert share.high == pytest.approx(high, abs=5e-5)


P_1995 = (
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.000,
)


def test_benjamini_hochberg_rejects_four_where_bonferroni_rejects_three():
    assert benjamini_hochberg(P_1995, rate=0.05) == 4
    assert sum(p <= 0.05 / len(P_1995) for p in P_1995) == 3


@given(st.lists(st.floats(0, 1), max_size=40), st.sampled_from([0.05, 0.1, 0.2]))
def test_benjamini_hochberg_is_the_step_up_procedure_written_out(p_values, rate):
    ordered = sorted(p_values)
    limits = [(i + 1) * rate / len(ordered) for i in range(len(ordered))]
    assume(all(abs(p - limit) > 1e-12 for p, limit in zip(ordered, limits, strict=True)))
    rejected = [i + 1 for i, p in enumerate(ordered) if p <= limits[i]]
    assert benjamini_hochberg(p_values, rate=rate) == max(rejected, default=0)


def test_discoveries_are_the_longest_prefix_whose_mean_chance_of_error_is_within_the_rate():
    assert fdr_cutoff([0.99, 0.95, 0.9, 0.7, 0.2], rate=0.1) == 3
    assert fdr_cutoff([0.6, 0.5], rate=0.1) == 0


ORANGE_JUICE = (
    12,
    15,
    8,
    10,
    4,
    7,
    16,
    9,
    14,
    10,
    5,
    6,
    17,
    12,
    22,
    8,
    10,
    5,
    13,
    11,
    20,
    18,
    24,
    15,
    9,
    12,
    7,
    13,
    9,
    6,
)


def test_the_p_chart_of_the_orange_juice_cans_has_samples_fifteen_and_twentythree_out():
    limits = p_chart(ORANGE_JUICE, [50] * 30)
    assert (limits.centre, limits.low[0], limits.high[0]) == (
        pytest.approx(0.2313, abs=5e-5),
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.4102, abs=5e-5),
    )
    assert [i + 1 for i in limits.outside] == [15, 23]
    rest = [c for i, c in enumerate(ORANGE_JUICE) if i not in limits.outside]
    again = p_chart(rest, [50] * 28)
    assert (again.centre, again.low[0], again.high[0]) == (
        pytest.approx(0.2150, abs=5e-5),
        pytest.approx(0.0407, abs=5e-5),
        pytest.approx(0.3893, abs=5e-5),
    )


NIST = (
    324.925,
    324.675,
    324.725,
    324.350,
    325.350,
    325.225,
    324.125,
    324.525,
    325.225,
    324.600,
    324.625,
    325.150,
    328.325,
    327.250,
    327.825,
    328.500,
)


def test_the_cusum_of_the_nist_handbook_alarms_at_the_fourteenth_sample():
    found = cusum(NIST, target=325, slack=0.3175, limit=4.1959)
    assert found.first_alarm == 13
    assert found.high[12] == pytest.approx(3.007, abs=2e-3)
    assert found.high[13] == pytest.approx(4.94, abs=5e-3)


@pytest.mark.parametrize(
    ("reliability", "rise"), [(0, 26.97), (0.3, 18.88), (0.5, 13.49), (0.7, 8.09), (0.9, 2.70)]
)
def test_ancova_sees_no_effect_where_barnetts_regression_to_the_mean_lets_the_chosen_rise(
    reliability, rise
):
    """Barnett, van der Pols, Dobson 2005: mean 60, deviation 15, those under 40 are chosen."""
    rng = np.random.default_rng(5)
    truth = rng.normal(60, 15 * math.sqrt(reliability), 20_000)
    noise = 15 * math.sqrt(1 - reliability)
    before, after = (truth + rng.normal(0, noise, 20_000) for _ in range(2))
    chosen = before < 40
    assert (after - before)[chosen].mean() == pytest.approx(rise, abs=1)
    effect = ancova(before, after, chosen)
    assert effect.low < 0 < effect.high and abs(effect.value) < 1.5


def test_the_eight_schools_have_their_posterior_means():
    found = hierarchical(
        (28, 8, -3, 7, -1, 1, 18, 12), [s * s for s in (15, 10, 16, 11, 9, 11, 10, 18)]
    )
    assert list(found.means) == pytest.approx([11.4, 7.9, 6.1, 7.6, 5.1, 6.1, 10.7, 8.4], abs=0.3)


def test_neyman_allocates_the_textbook_exercise():
    given_ = neyman([500, 1000, 1500], [10, math.sqrt(200), 15], 84)
    assert given_ == [
        pytest.approx(10.09, abs=5e-3),
        pytest.approx(28.53, abs=5e-3),
        pytest.approx(45.39, abs=5e-3),
    ]


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0, 30)), min_size=1, max_size=30),
    st.floats(1, 400),
    st.floats(0, 5),
)
def test_an_allocation_spends_the_total_keeps_the_floor_and_never_asks_for_more_than_there_is(
    strata, total, floor
):
    sizes, spreads = [n for n, _ in strata], [s for _, s in strata]
    total = max(total, floor * len(sizes))
    given_ = neyman(sizes, spreads, total, floor=floor)
    assert all(min(floor, n) - 1e-6 <= g <= n + 1e-6 for g, n in zip(given_, sizes, strict=True))
    assert sum(given_) == pytest.approx(min(total, sum(sizes)), abs=1e-6 * total + 1e-6)


scores = st.floats(0, 100)


@given(
    st.lists(st.tuples(scores, scores, st.floats(0.01, 1)), min_size=2, max_size=30),
    st.floats(-50, 50),
    scores,
)
def test_moving_every_score_moves_the_estimate_and_leaves_its_variance(rows, shift, mean):
    y, x, p = (np.array(c) for c in zip(*rows, strict=True))
    sample, moved = Sample(y, x, p), Sample(y + shift, x, p)
    model = fit([sample, Sample(y[::-1].copy(), x, p), Sample(y, x[::-1].copy(), p), sample])
    if model is None:
        return
    a, b = regression_mean(sample, model, mean), regression_mean(moved, model, mean)
    assert b.value - a.value == pytest.approx(shift, abs=1e-6)
    assert b.variance == pytest.approx(a.variance, abs=1e-6)


@given(st.lists(scores, min_size=2, max_size=20))
def test_a_census_has_no_sampling_error(values):
    y = np.array(values)
    sample = Sample(y, None, np.ones(len(y)))
    model = fit([sample] * 4)
    if model is None:
        return
    assert small_area(sample, model, None).variance == pytest.approx(0, abs=1e-9)
    assert regression_mean(sample, model, None).value == pytest.approx(y.mean(), abs=1e-9)


def test_strata_add_up_by_their_sizes():
    whole = stratified([(300, Mean(80, 4, 9)), (100, Mean(60, 16, 5))])
    assert whole.value == pytest.approx(75)
    assert whole.variance == pytest.approx(0.75**2 * 4 + 0.25**2 * 16)
    assert whole.df == pytest.approx((2.25 + 1) ** 2 / (2.25**2 / 9 + 1 / 5))


def test_a_stratum_that_was_scored_whole_is_no_part_of_the_sampling_error():
    rng = np.random.default_rng(4)
    y = np.concatenate([rng.normal(80, 8, 6), [10, 15]])
    p = np.array([0.05] * 6 + [1.0, 1.0])
    rest = [Sample(rng.normal(75, 8, 6), None, np.full(6, 0.05)) for _ in range(8)]
    model = fit([Sample(y, None, p), *rest])
    assert model.variance < 120, "the two complaints are not spread of the drawn calls"
    assert small_area(Sample(y, None, p), model, None).value > 75, (
        "each complaint stands for itself, each drawn call for twenty"
    )


def test_a_risk_targeted_draw_is_estimated_without_bias_and_covered():
    """design/STATISTICS.md 2.1, part 2: plain mean −4.7 and 0.1 % covered, Hájek −0.05, GREG −0.01
    and 95.4 %.
    """
    rng = np.random.default_rng(2)
    plain, weighted, greg, covered = [], [], [], 0
    for _ in range(300):
        y = 70 + rng.normal(0, 12, 16000)
        x = 70 + 0.6 * (y - 70) + rng.normal(0, 12 * 0.8, 16000)
        size = 0.4 / 16000 + 0.6 * (risk := np.exp((70 - x) / 12)) / risk.sum()
        p = np.minimum(1, 240 * size)
        taken = rng.random(16000) < p
        plain.append(y[taken].mean() - y.mean())
        weighted.append(np.average(y[taken], weights=1 / p[taken]) - y.mean())
        drawn = Sample(y[taken], x[taken], p[taken])
        mean = regression_mean(drawn, fit([drawn]), float(x.mean()))
        greg.append(mean.value - y.mean())
        low, high = mean.interval()
        covered += low <= y.mean() <= high
    assert np.mean(plain) < -3
    assert abs(np.mean(weighted)) < 0.25
    assert abs(np.mean(greg)) < 0.15
    assert np.std(greg) < np.std(weighted)
    assert 0.91 <= covered / 300 <= 0.99


def test_the_difference_of_two_means_has_welchs_degrees():
    d = welch(Mean(10, 4, 9), Mean(7, 9, 4))
    assert (d.value, d.variance) == (3, 13)
    assert d.df == pytest.approx(13**2 / (16 / 9 + 81 / 4))


def test_units_that_differ_by_less_than_chance_allows_are_one_group():
    assert compact_letter_display([70, 71, 72], [9, 9, 9]) == [(0, 2)]
    assert compact_letter_display([50, 90], [1, 1]) == [(0, 0), (1, 1)]
    assert compact_letter_display([50, 70, 71, 90], [9] * 4) == [(0, 0), (1, 2), (3, 3)]
    assert compact_letter_display([], []) == []
    assert compact_letter_display([80], [4]) == [(0, 0)]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 50)), min_size=1, max_size=40))
def test_the_groups_cover_everybody_and_none_lies_inside_another(units):
    runs = compact_letter_display([v for v, _ in units], [p for _, p in units])
    assert set().union(*(range(a, b + 1) for a, b in runs)) == set(range(len(units)))
    assert all(a < c and b < d for (a, b), (c, d) in zip(runs, runs[1:], strict=False))


def test_of_agents_who_are_all_alike_almost_no_list_tells_any_apart():
    rng = np.random.default_rng(8)
    wrong = sum(
        len(compact_letter_display(list(rng.normal(80, 3, 30)), [9.0] * 30)) > 1 for _ in range(300)
    )
    assert wrong / 300 <= 0.08


def test_months_within_chance_are_inside_the_limits_and_a_fall_is_not():
    limits = individuals_chart([80, 81, 79, 80, 60], [4, 4, 4, 4, 4])
    assert limits.outside == (4,)


def test_a_funnel_widens_where_teams_differ_more_than_chance():
    calm, _ = funnel(80, [4, 4, 4], [80.5, 79.5, 80])
    wild, limits = funnel(80, [4, 4, 4], [70, 90, 80])
    assert calm == 1
    assert wild > 5
    assert limits[0][0] < 80 - 1.96 * 2


def coaching(rng, effect=0.0, agents=40, coached=8):
    """Scores of three months: choice, second baseline, after.

    The worst of the first month are coached; drift of one point a month.
    """
    truth = rng.normal(75, 5, agents)
    months = [truth + rng.normal(0, 12 / math.sqrt(6), agents) + drift for drift in (0, 1, 1)]
    chosen = np.zeros(agents, bool)
    chosen[np.argsort(months[0])[:coached]] = True
    months[2] = months[2] + effect * chosen
    return months, chosen


@pytest.mark.parametrize("effect", [0.0, 4.0])
def test_the_effect_of_a_training_is_estimated_without_the_return_to_the_mean(effect):
    """design/STATISTICS.md 4.1, part 2: before/after shows +5.67 where nothing helped; the three
    designs show what is true.
    """
    rng = np.random.default_rng(11)
    naive, second, adjusted, lots, significant = [], [], [], [], 0
    for _ in range(400):
        (first, baseline, after), chosen = coaching(rng, effect)
        naive.append((after - first)[chosen].mean())
        pairs = list(zip(baseline, after, strict=True))
        second.append(
            second_baseline(
                [p for p, c in zip(pairs, chosen, strict=True) if c],
                [p for p, c in zip(pairs, chosen, strict=True) if not c],
            ).value
        )
        found = ancova(first, after, chosen)
        adjusted.append(found.value)
        significant += found.p_value < 0.05
        worst = rng.permutation(np.argsort(first)[:16])
        late = after - effect * chosen
        lots.append(
            waiting_list(
                late[worst[:8]] + effect, late[worst[8:]], (first[worst[:8]], first[worst[8:]])
            ).value
        )
    assert np.mean(naive) == pytest.approx(5.67 + effect, abs=0.5)
    for estimates in (second, adjusted, lots):
        assert np.mean(estimates) == pytest.approx(effect, abs=0.6)
    if not effect:
        assert significant / 400 <= 0.09


def test_two_samples_are_compared_as_welch_wrote_it():
    """Welch 1947, by hand."""
    a, b = [62.0, 70.0, 81.0, 66.0, 77.0], [58.0, 60.0, 59.0, 71.0]
    effect = waiting_list(a, b)
    parts = [np.var(x, ddof=1) / len(x) for x in (a, b)]
    df = sum(parts) ** 2 / sum(v**2 / (len(x) - 1) for v, x in zip(parts, (a, b), strict=True))
    half = stdtrit(df, 0.975) * math.sqrt(sum(parts))
    assert effect.value == pytest.approx(np.mean(a) - np.mean(b))
    assert (effect.low, effect.high) == pytest.approx((effect.value - half, effect.value + half))
    assert effect.p_value == pytest.approx(2 * stdtr(df, -effect.value / math.sqrt(sum(parts))))


def test_groups_without_any_spread_have_a_difference_and_no_interval():
    assert waiting_list([80, 80], [70, 70]).p_value == 0
    same = waiting_list([80, 80], [80, 80])
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_too_few_agents_give_no_effect():
    assert ancova([1, 2, 3], [1, 2, 3], [True, False, False]) is None
    assert ancova([], [], []) is None
    assert second_baseline([(1, 2)], [(1, 2), (2, 3)]) is None
    assert waiting_list([], [1, 2]) is None
    assert waiting_list([5, 6], [1, 2]).design is Design.WAITING_LIST


def cards(rng, severities, *, doubles=0.1, agents=40, each=6, tilt=True):
    """Scores by evaluators of differing severity; the first scores mostly the first half of the
    agents.
    """
    truth, rows, call = rng.normal(75, 5, agents), [], 0
    for a in range(agents):
        for _ in range(each):
            quality = truth[a] + rng.normal(0, 10)
            odds = np.ones(len(severities))
            if tilt and a < agents // 2:
                odds[0] = 4
            who = rng.choice(len(severities), 2, replace=False, p=odds / odds.sum())
            for e in who[: 2 if rng.random() < doubles else 1]:
                rows.append(Scored(call, a, int(e), quality + severities[e] + rng.normal(0, 4)))
            call += 1
    return rows, truth


def test_severities_are_found_though_the_harsh_one_scores_some_agents_more():
    rng, severities = np.random.default_rng(6), (-6, -2, 0, 1, 3, 4)
    errors, covered, raw, corrected = [], 0, [], []
    for _ in range(30):
        rows, truth = cards(rng, severities)
        model = severity(rows)
        points = model.points()
        errors.append([points[i] - s for i, s in enumerate(severities)])
        covered += sum(s.low <= severities[s.evaluator] <= s.high for s in model.severities)
        for a in range(40):
            own = [r for r in rows if r.agent == a]
            raw.append(np.mean([r.score for r in own]) - truth[a])
            corrected.append(np.mean([r.score - points[r.evaluator] for r in own]) - truth[a])
    assert abs(np.mean(errors, axis=0)).max() < 0.8
    assert 0.9 <= covered / 180 <= 1
    assert np.sqrt(np.mean(np.square(corrected))) < np.sqrt(np.mean(np.square(raw)))


def test_evaluators_whom_nothing_connects_have_no_severity():
    apart = [Scored(i, i % 2, i % 2, 70 + i % 5) for i in range(40)]
    assert severity(apart) is None
    assert severity([Scored(i, i % 3, 1, 80) for i in range(40)]) is None
    assert severity([]) is None
    same = severity([Scored(i, i % 4, i % 3, 80.0) for i in range(40)])
    assert all(s.points == pytest.approx(0, abs=1e-6) for s in same.severities)


def test_the_closed_form_of_alpha_for_pairs_is_krippendorffs():
    from qa.fairness.rules import pair_alpha
    from qa.statistics.agreement import Scale, alpha

    rng = np.random.default_rng(4)
    table = rng.normal(80, 10, (40, 1)) + rng.normal(0, 5, (40, 2))
    assert pair_alpha(table) == pytest.approx(
        alpha([tuple(r) for r in table], Scale.INTERVAL), abs=1e-9
    )
    assert pair_alpha(np.full((5, 2), 80.0)) is None
