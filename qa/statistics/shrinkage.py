"""Shrink many small figures towards what the others make likely.

For ranking and triage, never for consequences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Posterior:
    """Posterior means and standard deviations, one of each per unit.

    `under` is the probability of lying under the target, where one was given.
    """

    means: Floats
    deviations: Floats
    under: Floats | None
    spread: float  # posterior mean of the between-unit standard deviation


def hierarchical(
    estimates: Sequence[float],
    variances: Sequence[float],
    covariate: Sequence[float] | None = None,
    *,
    target: float | None = None,
    grid: int = 100,
) -> Posterior:
    """Fit Fay–Herriot by hierarchical Bayes, τ summed over a grid.

    θ_i ~ N(b0 + b1·x_i, τ²), estimate_i ~ N(θ_i, ψ_i), flat priors on b and τ.

    A maximum-likelihood τ² can be 0 and then pulls everybody onto the line; summing over τ has no
    such edge (Gelman et al., BDA3, 5.4). At least four estimates.
    """
    y, psi = np.asarray(estimates, float), np.maximum(np.asarray(variances, float), 1e-9)
    z = np.ones((len(y), 1)) if covariate is None else np.column_stack([np.ones(len(y)), covariate])
    top = max(4 * float(np.std(y, ddof=1)), 2 * float(np.sqrt(psi.max())), 1e-6)
    taus = (np.arange(grid) + 0.5) * top / grid
    logs, mids, vars_ = [], [], []
    for tau in taus:
        v = psi + tau**2
        zv = z / v[:, None]
        information = z.T @ zv + 1e-12 * np.eye(z.shape[1])
        covariance = np.linalg.inv(information)
        beta = covariance @ (zv.T @ y)
        rest = y - z @ beta
        logs.append(
            -0.5 * (np.log(v).sum() + np.linalg.slogdet(information)[1] + (rest**2 / v).sum())
        )
        g = tau**2 / v
        mids.append(g * y + (1 - g) * (z @ beta))
        vars_.append(g * psi + (1 - g) ** 2 * np.einsum("ij,jk,ik->i", z, covariance, z))
    weight = np.exp(np.array(logs) - max(logs))
    weight /= weight.sum()
    m, v2 = np.array(mids), np.array(vars_)
    means = weight @ m
    deviations = np.sqrt(weight @ (v2 + (m - means) ** 2))
    under = weight @ ndtr((target - m) / np.sqrt(v2)) if target is not None else None
    return Posterior(means, deviations, under, float(weight @ taus))


def compact_letter_display(
    estimates: Sequence[float], variances: Sequence[float], *, level: float = 0.95
) -> list[tuple[int, int]]:
    """Find the units that cannot be told apart.

    Maximal runs of the sorted estimates whose ends do not differ surely.

    Returned as (first, last) positions in ascending order of the estimates, runs overlapping as
    they do in truth. The limit for a difference is Bonferroni's for all pairs, so that in 95 of 100
    lists no pair is told apart wrongly.
    """
    order = np.argsort(np.asarray(estimates, float), kind="stable")
    y, psi = np.asarray(estimates, float)[order], np.asarray(variances, float)[order]
    n = len(y)
    if n == 0:
        return []
    z = float(ndtri(1 - (1 - level) / (n * (n - 1)))) if n > 1 else 0.0
    runs: list[tuple[int, int]] = []
    for first in range(n):
        beyond = (y[first:] - y[first]) > z * np.sqrt(psi[first:] + psi[first])
        last = n - 1 if not beyond.any() else first + int(np.argmax(beyond)) - 1
        if not runs or last > runs[-1][1]:
            runs.append((first, last))
    return runs
