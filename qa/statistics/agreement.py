"""Agreement between raters, beyond what chance would give.

A table of ratings has one row per unit (what is rated) and one column per rater; None where a rater
gave no answer.
"""

import enum
import itertools
import math
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rating = Hashable | None
Table = Sequence[Sequence[Rating]]


class Scale(enum.Enum):
    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


@dataclass(frozen=True)
class Agreement:
    """A coefficient with its interval (95 %, percentile bootstrap over units).

    None where the table cannot say: no two ratings of a unit, or no variation.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int


def pairable(table: Table) -> list[list[Hashable]]:
    """List the ratings of every unit that at least two raters rated."""
    rows = [[r for r in row if r is not None] for row in table]
    return [r for r in rows if len(r) >= 2]


def alpha(table: Table, scale: Scale = Scale.NOMINAL) -> float | None:
    """Compute Krippendorff's alpha: 1 for perfect agreement, 0 for chance.

    Missing ratings are no disagreement.

    Krippendorff, K. (2011), Computing Krippendorff's Alpha-Reliability. Ordinal values are ordered
    by themselves.
    """
    units = pairable(table)
    counts = Counter(v for unit in units for v in unit)
    n = sum(counts.values())
    if len(counts) < 2:
        return None  # everybody always says the same: there is nothing that chance could explain
    distance = _distance(counts, scale)
    observed = math.fsum(
        sum(distance(a, b) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    )
    expected = math.fsum(counts[a] * counts[b] * distance(a, b) for a in counts for b in counts) / (
        n - 1
    )
    return 1 - observed / expected if expected else None


def _distance(counts: Counter[Hashable], scale: Scale) -> Callable[[Hashable, Hashable], float]:
    """Choose the squared difference of two values on a scale."""
    if scale is Scale.NOMINAL:
        return lambda a, b: float(a != b)
    if scale is Scale.INTERVAL:
        return lambda a, b: (a - b) ** 2  # type: ignore[operator]  # numbers on this scale
    if scale is Scale.RATIO:
        return lambda a, b: ((a - b) / (a + b)) ** 2 if a != b else 0.0  # type: ignore[operator]
    order = sorted(counts)  # type: ignore[type-var]
    rank, total = {}, 0.0
    for value in order:  # the middle of the value's place among all ratings
        rank[value] = total + counts[value] / 2
        total += counts[value]
    return lambda a, b: (rank[a] - rank[b]) ** 2  # type: ignore[index]


def percent(table: Table) -> float | None:
    """Compute the share (0–1) of equal pairs of ratings of a unit, every unit weighing the same."""
    units = pairable(table)
    return float(np.mean([_same_pairs(u) for u in units])) if units else None


def _same_pairs(unit: Sequence[Hashable]) -> float:
    return sum(k * (k - 1) for k in Counter(unit).values()) / (len(unit) * (len(unit) - 1))


def ac1(table: Table, categories: Sequence[Hashable] = ()) -> float | None:
    """Compute Gwet's AC1.

    It stays meaningful where nearly all ratings fall into one category and kappa does not.

    Gwet, K. L. (2008), Computing inter-rater reliability and its variance in the presence of high
    agreement. `categories` that could have been chosen count even if nobody chose them.
    """
    rated = [[ratings for ratings in row if ratings is not None] for row in table]
    rated = [ratings for ratings in rated if ratings]
    observed = percent(table)
    values = sorted({value for ratings in rated for value in ratings} | set(categories), key=repr)
    if observed is None or len(values) < 2:
        return None if observed is None else 1.0
    share = {
        value: float(np.mean([ratings.count(value) / len(ratings) for ratings in rated]))
        for value in values
    }
    chance = sum(share_of_value * (1 - share_of_value) for share_of_value in share.values()) / (
        len(values) - 1
    )
    return (observed - chance) / (1 - chance)


def kappa(matrix: npt.ArrayLike, *, weights: str = "none") -> float | None:
    """Compute Cohen's kappa of two raters from their table of counts (Cohen 1960, 1968).

    `weights` are none, linear or quadratic. By hand, because `sklearn.metrics.cohen_kappa_score`
    would load scikit-learn into every web process; a test holds the two together.
    """
    counts = np.asarray(matrix, dtype=float)
    total, categories = counts.sum(), counts.shape[0]
    if total == 0 or categories < 2:
        return None
    i, j = np.indices(counts.shape)
    distance = {
        "none": (i != j).astype(float),
        "linear": abs(i - j) / (categories - 1),
        "quadratic": ((i - j) / (categories - 1)) ** 2,
    }[weights]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    chance = float((distance * expected).sum())
    return None if chance == 0 else 1 - float((distance * counts).sum()) / chance


def mean_kappa(table: Table, order: Sequence[Hashable], *, weights: str = "linear") -> float | None:
    """Average weighted kappa over all pairs of raters (Light 1971).

    `order` are the categories from worst to best.
    """
    place = {option: position for position, option in enumerate(order)}
    raters = len(table[0]) if table else 0
    kappas = []
    for a, b in itertools.combinations(range(raters), 2):
        matrix = np.zeros((len(order), len(order)))
        for row in table:
            if row[a] in place and row[b] in place:
                matrix[place[row[a]], place[row[b]]] += 1  # type: ignore[index]
        pair_kappa = kappa(matrix, weights=weights)
        if pair_kappa is not None:
            kappas.append(pair_kappa)
    return float(np.mean(kappas)) if kappas else None


@dataclass(frozen=True)
class Icc:
    """Intraclass correlations of Shrout and Fleiss (1979); single raters and the mean of k.

    The interval (95 %) is that of ICC(2,1).
    """

    one: float  # ICC(1,1): raters differ from unit to unit
    two: float  # ICC(2,1): the same raters, a sample of all; their severity counts as disagreement
    three: float  # ICC(3,1): these raters only; severity does not count
    one_k: float
    two_k: float
    three_k: float
    low: float
    high: float
    units: int


def icc(table: npt.ArrayLike) -> Icc | None:
    """Compute the intraclass correlations of scores, units × raters without gaps.

    None with fewer than two units or raters, or where the units do not differ.

    Shrout & Fleiss (1979), Psychological Bulletin 86, 420–428; the interval by Satterthwaite as in
    McGraw & Wong (1996).
    """
    from scipy.stats import f as F

    x = np.asarray(table, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2 or np.ptp(x) == 0:
        return None
    n, k = x.shape
    grand = x.mean()
    rows, columns = (
        k * ((x.mean(axis=1) - grand) ** 2).sum(),
        n * ((x.mean(axis=0) - grand) ** 2).sum(),
    )
    total = ((x - grand) ** 2).sum()
    bms, jms = rows / (n - 1), columns / (k - 1)
    ems = (total - rows - columns) / ((n - 1) * (k - 1))
    wms = (total - rows) / (n * (k - 1))
    if bms < 1e-9 * max(1.0, total):
        return None
    two = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)
    if ems == 0:
        low = high = float(two)
    else:
        a, b = (
            k * two / (n * (1 - two)) if two < 1 else math.inf,
            1 + k * two * (n - 1) / (n * (1 - two)) if two < 1 else math.inf,
        )
        v = (a * jms + b * ems) ** 2 / (
            (a * jms) ** 2 / (k - 1) + (b * ems) ** 2 / ((n - 1) * (k - 1))
        )
        upper, lower = F.ppf(0.975, n - 1, v), F.ppf(0.975, v, n - 1)
        low = n * (bms - upper * ems) / (upper * (k * jms + (k * n - k - n) * ems) + n * bms)
        high = n * (lower * bms - ems) / (k * jms + (k * n - k - n) * ems + n * lower * bms)
    return Icc(
        one=float((bms - wms) / (bms + (k - 1) * wms)),
        two=float(two),
        three=float((bms - ems) / (bms + (k - 1) * ems)),
        one_k=float((bms - wms) / bms),
        two_k=float((bms - ems) / (bms + (jms - ems) / n)),
        three_k=float((bms - ems) / bms),
        low=float(low),
        high=float(high),
        units=n,
    )


def with_interval(
    table: Table, coefficient: Callable[[Table], float | None], *, rounds: int = 400, seed: int = 1
) -> Agreement:
    """Compute a coefficient with its percentile bootstrap interval over units.

    No interval from fewer than five units, or where most resamples have no coefficient.
    """
    units = len(pairable(table))
    value = coefficient(table)
    if value is None or units < 5:
        return Agreement(value, None, None, units)
    rows = list(table)
    resampled = bootstrap(
        lambda picks: coefficient([rows[i] for i in picks]), len(rows), rounds=rounds, seed=seed
    )
    if len(resampled) < rounds / 2:
        return Agreement(value, None, None, units)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Agreement(value, float(low), float(high), units)


def bootstrap(
    coefficient: Callable[[npt.NDArray[np.intp]], float | None],
    units: int,
    *,
    rounds: int = 400,
    seed: int = 1,
) -> npt.NDArray[np.float64]:
    """Compute a coefficient on resamples of units, given as their positions.

    Resamples that have no coefficient are left out. The same seed gives the same resamples.
    """
    from scipy import stats  # too slow to load at a web process's start

    def statistic(picks: npt.NDArray[np.intp]) -> float:
        value = coefficient(picks)
        return math.nan if value is None else value

    with warnings.catch_warnings():  # of resamples without a coefficient: they are left out
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            (np.arange(units),),
            statistic,
            n_resamples=rounds,
            vectorized=False,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    values: npt.NDArray[np.float64] = result.bootstrap_distribution
    return values[~np.isnan(values)]
