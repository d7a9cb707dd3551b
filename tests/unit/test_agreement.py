"""Agreement coefficients against the values published with their data sets."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.statistics.agreement import (
    Scale,
    ac1,
    alpha,
    bootstrap,
    icc,
    kappa,
    mean_kappa,
    percent,
    with_interval,
)

N = None
# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: data C, A and B; rows are
# observers
C = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
A = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
B = [list("aabbdcccedda"), list("babbbccceddd")]
# Shrout & Fleiss (1979), table 2
TARGETS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Fleiss (1971): 30 patients, six psychiatrists, five diagnoses
PATIENTS = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""


def units(observers):
    return list(zip(*observers, strict=True))


@pytest.mark.parametrize(
    ("scale", "value"),
    [(Scale.NOMINAL, 0.743), (Scale.ORDINAL, 0.815), (Scale.INTERVAL, 0.849), (Scale.RATIO, 0.797)],
)
def test_krippendorffs_data_c(scale, value):
    assert alpha(units(C), scale) == pytest.approx(value, abs=0.0006)


def test_krippendorffs_data_a_and_b():
    assert alpha(units(A)) == pytest.approx(0.095, abs=0.0006)
    assert alpha(units(B)) == pytest.approx(0.692, abs=0.0006)


def test_shrout_and_fleiss():
    found = icc(TARGETS)
    assert [
        round(v, 2)
        for v in (found.one, found.two, found.three, found.one_k, found.two_k, found.three_k)
    ] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert (round(found.low, 2), round(found.high, 2)) == (
        0.02,
        0.76,
    ), "the interval that R's psych::ICC prints for ICC(2,1) on these data"


def test_fleisss_psychiatrists_agree_in_as_many_pairs_and_beyond_chance_as_published():
    table = [
        [category for category, count in enumerate(row) for _ in range(int(count))]
        for row in PATIENTS.split()
    ]
    assert percent(table) == pytest.approx(0.5556, abs=0.0001)
    kappa_of_fleiss, ratings = 0.430, 180
    assert alpha(table) == pytest.approx(
        1 - (1 - kappa_of_fleiss) * (ratings - 1) / ratings, abs=0.0006
    ), "alpha draws the second of two ratings from the 179 that are left"


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weights):
    from sklearn.metrics import cohen_kappa_score

    counts = np.random.default_rng(3).integers(0, 30, (4, 4))
    first, second = (places.ravel() for places in np.indices(counts.shape))
    expected = cohen_kappa_score(
        first,
        second,
        weights=None if weights == "none" else weights,
        sample_weight=counts.ravel(),
    )
    assert kappa(counts, weights=weights) == pytest.approx(expected)


def test_the_bootstrap_draws_the_same_units_every_time():
    resampled = bootstrap(lambda picks: float(picks.mean()), 20, rounds=5, seed=1)
    rng = np.random.default_rng(1)
    assert list(resampled) == [rng.integers(0, 20, 20).mean() for _ in range(5)]
    odd_is_none = bootstrap(lambda picks: None if picks[0] % 2 else 1.0, 20, rounds=50)
    assert 0 < len(odd_is_none) < 50


def test_cohen_and_the_paradox():
    assert kappa([[20, 5], [10, 15]]) == pytest.approx(0.40)
    paradox = [[130, 56], [9, 5]]
    table = [(i, j) for i in range(2) for j in range(2) for _ in range(paradox[i][j])]
    assert kappa(paradox) == pytest.approx(0.022, abs=0.0005)
    assert ac1(table) == pytest.approx(0.533, abs=0.0005)


def test_weights_forgive_near_misses():
    near, far = [[10, 5, 0], [0, 10, 5], [0, 0, 10]], [[10, 0, 5], [0, 10, 0], [5, 0, 10]]
    assert kappa(near, weights="quadratic") > kappa(near, weights="linear") > kappa(near)
    assert kappa(far, weights="quadratic") < kappa(far)


def test_what_cannot_be_said_is_none_and_nothing_crashes():
    for table in ([], [[1, N]], [[N, N], [N, N]], [["a", "a"], ["a", "a"]]):
        assert alpha(table) is None
    assert (
        percent([["a", N]]) is None
        and ac1([]) is None
        and icc([[1, 2]]) is None
        and icc([[5, 5], [5, 5]]) is None
        and icc([[92, 80, 70], [92, 80, 70]]) is None
    )
    assert (
        kappa([[0, 0], [0, 0]]) is None
        and kappa([[5, 0], [0, 0]]) is None
        and mean_kappa([], ["a", "b"]) is None
    )
    assert ac1([["met", "met"]] * 9, ["met", "not_met"]) == 1.0
    assert with_interval([["a", "b"], ["a", "a"]], alpha).low is None, (
        "no interval from fewer than five units"
    )


@given(
    st.lists(
        st.lists(st.sampled_from(["met", "not_met", "na", None]), min_size=3, max_size=3),
        min_size=2,
        max_size=25,
    )
)
def test_coefficients_stay_in_their_bounds_and_do_not_care_about_the_order_of_raters(table):
    for coefficient in (alpha, ac1):
        value = coefficient(table)
        if value is not None:
            assert value <= 1 + 1e-9
            assert coefficient([row[::-1] for row in table]) == pytest.approx(value)


def test_chance_alone_gives_about_zero_and_its_interval_holds_it():
    rng = random.Random(3)
    table = [[rng.choice("abc") for _ in range(3)] for _ in range(200)]
    found = with_interval(table, alpha)
    assert abs(found.value) < 0.08 and found.low < 0 < found.high
