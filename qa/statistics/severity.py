"""Estimate how severe each evaluator is: a two-way model of agents and evaluators.

Calls that two evaluators scored link them.

score = mean + λ·automatic + agent + severity(evaluator) + call + error, agents and calls random,
severities fixed and summing to zero. Variances by moments, severities by generalised least squares
with the agents absorbed (Searle, Casella, McCulloch 1992, ch. 7). Without double scoring and with
evaluators bound to agents, severity and quality cannot be told apart; `links` says how well the
data can.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit


@dataclass(frozen=True)
class Scored:
    """A scorecard: call, agent, evaluator, score, and the automatic score where there is one."""

    call: int
    agent: int
    evaluator: int
    score: float
    automatic: float | None = None


@dataclass(frozen=True)
class Severity:
    """Points by which an evaluator scores above (+) or below (−) the average, 95 % interval."""

    evaluator: int
    points: float
    low: float
    high: float
    cards: int
    doubles: int


@dataclass(frozen=True)
class SeverityModel:
    severities: tuple[Severity, ...]
    agent_deviation: float
    call_deviation: float
    error_deviation: float
    doubles: int

    def points(self) -> dict[int, float]:
        return {s.evaluator: s.points for s in self.severities}


MIN_CARDS = 20
MIN_EVALUATORS = 2


def severity(cards: Sequence[Scored]) -> SeverityModel | None:
    """Fit the model; None where the cards cannot carry it.

    That is fewer than two evaluators, fewer than twenty cards, or evaluators whom no agent or call
    connects.
    """
    evaluators = sorted({c.evaluator for c in cards})
    if len(evaluators) < MIN_EVALUATORS or len(cards) < MIN_CARDS:
        return None
    place = {e: i for i, e in enumerate(evaluators)}
    agents = {a: i for i, a in enumerate(sorted({c.agent for c in cards}))}
    y = np.array([c.score for c in cards])
    j = np.array([place[c.evaluator] for c in cards])
    a = np.array([agents[c.agent] for c in cards])
    if not _are_connected(j, a):
        return None
    calls = np.unique(np.array([c.call for c in cards]), return_inverse=True)[1]
    if all(c.automatic is not None for c in cards):
        y = y - _within_slope(y, np.array([c.automatic for c in cards], float), a) * np.array(
            [c.automatic for c in cards], float
        )
    first = _fit(
        y, j, a, calls, len(evaluators), len(agents), (np.var(y) / 4, np.var(y) / 2, np.var(y) / 4)
    )
    ta = tc = te = 0.0
    beta, covariance = first
    for _ in range(4):
        ta, tc, te = _variances(y - beta[j], a, calls)
        beta, covariance = _fit(y, j, a, calls, len(evaluators), len(agents), (ta, tc, te))
    centred = beta - beta.mean()
    n = len(evaluators)
    contrast = np.eye(n) - 1 / n
    errors = np.sqrt(np.maximum(np.diag(contrast @ covariance @ contrast.T), 0))
    t = float(stdtrit(max(1, len(y) - n - len(agents)), 0.975))
    sizes = np.bincount(calls)
    doubled = sizes[calls] > 1
    rows = tuple(
        Severity(
            e,
            float(centred[i]),
            float(centred[i] - t * errors[i]),
            float(centred[i] + t * errors[i]),
            int((j == i).sum()),
            int((doubled & (j == i)).sum()),
        )
        for e, i in place.items()
    )
    return SeverityModel(
        rows, float(np.sqrt(ta)), float(np.sqrt(tc)), float(np.sqrt(te)), int((sizes > 1).sum())
    )


def _within_slope(
    y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], a: npt.NDArray[np.intp]
) -> float:
    dx, dy = x - _means(x, a)[a], y - _means(y, a)[a]
    spread = float(dx @ dx)
    return float(dx @ dy) / spread if spread > 1e-9 else 0.0


def _means(v: npt.NDArray[np.float64], by: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return np.bincount(by, v) / np.maximum(np.bincount(by), 1)


def _fit(
    y: npt.NDArray[np.float64],
    j: npt.NDArray[np.intp],
    a: npt.NDArray[np.intp],
    calls: npt.NDArray[np.intp],
    n: int,
    m: int,
    variances: tuple[float, float, float],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Fit evaluators by generalised least squares, calls and agents absorbed one after the other.

    Calls of one agent are independent given the agent.
    """
    ta, tc, te = (max(v, 1e-6) for v in variances)
    sizes = np.bincount(calls).astype(float)
    pull = tc / (te + sizes * tc)  # V⁻¹ of a call of k cards is (I − pull·J) / te

    def times(v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        sums = np.zeros((len(sizes), v.shape[1]))
        np.add.at(sums, calls, v)
        return (v - (pull[:, None] * sums)[calls]) / te

    x = np.zeros((len(y), n))
    x[np.arange(len(y)), j] = 1.0
    wx, wy, w1 = times(x), times(y[:, None]), times(np.ones((len(y), 1)))
    per_agent = np.zeros((m, n))
    np.add.at(per_agent, a, wx)
    own = np.bincount(a, w1[:, 0], minlength=m) + 1 / ta
    score_sums = np.bincount(a, wy[:, 0], minlength=m)
    left = x.T @ wx - per_agent.T @ (per_agent / own[:, None])
    right = x.T @ wy[:, 0] - per_agent.T @ (score_sums / own)
    covariance = np.linalg.pinv(left, hermitian=True)
    return np.asarray(covariance @ right, dtype=np.float64), np.asarray(
        covariance, dtype=np.float64
    )


def _variances(
    e: npt.NDArray[np.float64], a: npt.NDArray[np.intp], calls: npt.NDArray[np.intp]
) -> tuple[float, float, float]:
    """Estimate agent, call and error variance by moments.

    Within doubled calls, within agents, between agents.
    """
    sizes = np.bincount(calls)
    doubled = sizes[calls] > 1
    df = int(sizes[sizes > 1].sum() - (sizes > 1).sum())
    within = float(((e - _means(e, calls)[calls])[doubled] ** 2).sum()) / df if df > 0 else None
    counts = np.bincount(a).astype(float)
    rest = max(1, len(e) - int((counts > 0).sum()))
    inside = float(((e - _means(e, a)[a]) ** 2).sum()) / rest
    # nothing tells call from error; a third is a guess that only moves the intervals
    error = within if within is not None else inside / 3
    error = min(error, inside)
    means = _means(e, a)[counts > 0]
    between = (
        float(np.var(means, ddof=1)) - inside * float(np.mean(1 / counts[counts > 0]))
        if len(means) > 1
        else 0.0
    )
    return max(between, 0.0), max(inside - error, 0.0), max(error, 1e-6)


def _are_connected(evaluators: npt.NDArray[np.intp], agents: npt.NDArray[np.intp]) -> bool:
    """Tell whether cards connect all agents and evaluators, so that severities can be compared."""
    from scipy.sparse import coo_array  # too slow to load at a web process's start
    from scipy.sparse.csgraph import connected_components

    first_agent = int(evaluators.max()) + 1
    size = first_agent + int(agents.max()) + 1
    edges = (np.ones(len(agents)), (evaluators, first_agent + agents))
    graph = coo_array(edges, shape=(size, size))
    return bool(connected_components(graph, directed=False, return_labels=False) == 1)
