"""The estimators of the monthly figure against the truth, on simulated centres: reproduces the
table of the design (SCORING C, STATISTICS 1.5, 2.1).

python -m benchmarks.estimates [REPETITIONS] prints docs/statistics.md's tables.
"""

import math
import sys

import numpy as np

from qa.statistics.shrinkage import hierarchical
from qa.statistics.survey_estimators import (
    Mean,
    Sample,
    fit,
    regression_mean,
    residuals,
    small_area,
)

AGENTS, CALLS, CARDS, BETWEEN, WITHIN = 40, 400, 6, 5.0, 12.0


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print(
        f"{AGENTS} agents × {CALLS} calls, {CARDS} human scores each, agent sd {BETWEEN:.0f}, call"
        f" sd {WITHIN:.0f}, {repetitions} repetitions. RMSE / coverage of 95 % / mean width:\n"
    )
    print("| method | correlation .3 | .6 | .8 |\n|---|---|---|---|")
    columns = [month_by_month(rho, repetitions) for rho in (0.3, 0.6, 0.8)]
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(_shown(c[name]) for c in columns) + " |")
    print(
        "\nA risk-targeted draw (16,000 calls, 240 scored, correlation .6): bias, RMSE, coverage\n"
    )
    print("| estimator | bias | RMSE | coverage |\n|---|---|---|---|")
    for name, (bias, rmse, coverage) in targeted(repetitions).items():
        print(f"| {name} | {bias:+.2f} | {rmse:.2f} | {coverage} |")


def _shown(rows: list[tuple[float, float, float]]) -> str:
    errors, inside, widths = (np.array(c) for c in zip(*rows, strict=True))
    return (
        f"{math.sqrt(np.mean(errors**2)):.2f} / {100 * inside.mean():.1f} % / {widths.mean():.1f}"
    )


def month_by_month(rho: float, repetitions: int) -> dict[str, list[tuple[float, float, float]]]:
    """Error, whether covered, and width of every agent's figure, per method."""
    rng = np.random.default_rng(17)
    found: dict[str, list[tuple[float, float, float]]] = {
        k: []
        for k in (
            "plain mean, t",
            "slope per agent (not used)",
            "pooled slope, moderated variance, t (used)",
            "with shrinkage (beside it)",
        )
    }
    for _ in range(repetitions):
        mu = 50 + rng.normal(0, BETWEEN, AGENTS)
        y = mu[:, None] + rng.normal(0, WITHIN, (AGENTS, CALLS))
        # the checks err on whole agents too
        heard = 50 + rho * (mu - 50) + rng.normal(0, BETWEEN * math.sqrt(1 - rho**2), AGENTS)
        x = (
            heard[:, None]
            + rho * (y - mu[:, None])
            + rng.normal(0, WITHIN * math.sqrt(1 - rho**2), (AGENTS, CALLS))
        )
        picks = [rng.choice(CALLS, CARDS, replace=False) for _ in range(AGENTS)]
        p = np.full(CARDS, CARDS / CALLS)
        samples = [Sample(y[a, picks[a]], x[a, picks[a]], p) for a in range(AGENTS)]
        model = fit(samples)
        assert model is not None
        figures = [small_area(s, model, float(x[a].mean())) for a, s in enumerate(samples)]
        drawn = hierarchical(
            [f.value for f in figures], [f.variance for f in figures], [float(r.mean()) for r in x]
        )
        for a, s in enumerate(samples):
            truth = float(y[a].mean())
            plain = Mean(
                float(s.human.mean()),
                float(s.human.var(ddof=1)) / CARDS * (1 - CARDS / CALLS),
                CARDS - 1.0,
            )
            methods = {
                "plain mean, t": plain,
                "slope per agent (not used)": _own_slope(s, float(x[a].mean())),
                "pooled slope, moderated variance, t (used)": figures[a],
            }
            for name, mean in methods.items():
                low, high = (
                    mean.interval() if name != "slope per agent (not used)" else _normal(mean)
                )
                found[name].append((mean.value - truth, float(low <= truth <= high), high - low))
            half = 1.96 * float(drawn.deviations[a])
            found["with shrinkage (beside it)"].append(
                (
                    float(drawn.means[a]) - truth,
                    float(abs(drawn.means[a] - truth) <= half),
                    2 * half,
                )
            )
    return found


def _own_slope(s: Sample, automatic_mean: float) -> Mean:
    """What ppi_py does per agent: a slope from six cards and a normal interval."""
    assert s.automatic is not None
    n = len(s)
    slope = float(
        np.cov(s.automatic, s.human, ddof=1)[0, 1] / max(float(np.var(s.automatic, ddof=1)), 1e-9)
    ) / (1 + n / CALLS)
    e = residuals(s, slope)
    return Mean(float(e.mean()) + slope * automatic_mean, float(e.var(ddof=1)) / n, n - 1.0)


def _normal(mean: Mean) -> tuple[float, float]:
    half = 1.959964 * math.sqrt(mean.variance)
    return mean.value - half, mean.value + half


def targeted(repetitions: int) -> dict[str, tuple[float, float, str]]:
    """Calls drawn more often where the automatic score is low: plain, weighted, and weighted with
    the automatic score.
    """
    rng = np.random.default_rng(18)
    errors: dict[str, list[float]] = {
        "plain mean of the scored calls": [],
        "weighted by 1 ÷ probability (Hájek)": [],
        "GREG, weighted slope (used)": [],
    }
    covered = 0
    for _ in range(repetitions):
        y = 70 + rng.normal(0, 12, 16000)
        x = 70 + 0.6 * (y - 70) + rng.normal(0, 9.6, 16000)
        risk = np.exp((70 - x) / 12)
        p = np.minimum(1, 240 * (0.4 / 16000 + 0.6 * risk / risk.sum()))
        taken = rng.random(16000) < p
        truth = float(y.mean())
        drawn = Sample(y[taken], x[taken], p[taken])
        model = fit([drawn])
        assert model is not None
        mean = regression_mean(drawn, model, float(x.mean()))
        weighted = float(np.average(drawn.human, weights=drawn.weights))
        low, high = mean.interval()
        covered += low <= truth <= high
        for name, value in zip(errors, (float(y[taken].mean()), weighted, mean.value), strict=True):
            errors[name].append(value - truth)
    shown = {
        n: (float(np.mean(e)), math.sqrt(float(np.mean(np.square(e)))), "–")
        for n, e in errors.items()
    }
    bias, rmse, _ = shown["GREG, weighted slope (used)"]
    shown["GREG, weighted slope (used)"] = (bias, rmse, f"{100 * covered / repetitions:.1f} %")
    return shown


if __name__ == "__main__":
    main()
