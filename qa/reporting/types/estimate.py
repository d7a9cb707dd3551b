"""Scored calls, their totals, and what is estimated from them."""

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

from qa.reporting.types.rounding import rounded_fields


class ScoredCall(NamedTuple):
    """A human score with the automatic score and the sampling probability of the same call."""

    agent_id: int
    human: float
    automatic: float | None
    probability: float
    project_id: int = 0
    evaluator_id: int = 0
    without_fails: float | None = None
    is_breach: bool = False  # a person found a critical breach
    is_flagged: bool = False  # a check said so


@dataclass(frozen=True)
class CallTotals:
    """Totals of all calls of an agent in a project and month.

    `checked` calls have an automatic score, `automatic_sum` is its sum, `flagged` calls have a
    critical flag.
    """

    project_id: int
    agent_id: int
    calls: int
    checked: int
    automatic_sum: float
    flagged: int


@dataclass(frozen=True)
class Totals:
    """Totals of calls, added up over agents or projects."""

    calls: int = 0
    checked: int = 0
    automatic_sum: float = 0.0
    flagged: int = 0

    @property
    def automatic_mean(self) -> float | None:
        return self.automatic_sum / self.checked if self.checked else None

    def __add__(self, other: "Totals") -> "Totals":
        sums = (
            self.calls + other.calls,
            self.checked + other.checked,
            self.automatic_sum + other.automatic_sum,
            self.flagged + other.flagged,
        )
        return Totals(*sums)


@dataclass(frozen=True)
class Tally:
    """Counted answers to one criterion.

    Over drawn calls, w = 1 ÷ probability: `lost_weight`, `lost_square` and `lost_cross` are Σw·l,
    Σw²·l² and Σw²·l, l the points lost; `missed_weight`, `weight` and `squares` are Σw of those
    that lost some, and Σw and Σw² of all on which the criterion counted.
    """

    criterion: str
    answered: int
    counted: int
    lost: int
    not_applicable: int
    fails: int
    automatic: int
    unchanged: int
    lost_weight: float
    lost_square: float
    lost_cross: float
    missed_weight: float
    weight: float
    squares: float


class Basis(enum.Enum):
    """Whether there is a figure, and if not, why."""

    ESTIMATED = "estimated"
    TOO_FEW = "too_few"
    NO_CARDS = "no_cards"


@dataclass(frozen=True)
class Estimate:
    """A mean score (0–100) with its 95 % interval, or why there is none.

    `human_mean` and `automatic_mean` stand beside it, unweighted.
    """

    basis: Basis
    cards: int
    calls: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    human_mean: float | None = None
    automatic_mean: float | None = None
    standard_error: float | None = None
    degrees: float | None = None

    def document(self) -> dict[str, Any]:
        return rounded_fields(self)


@dataclass(frozen=True)
class Rate:
    """A share (0–1) estimated for all calls, with its 95 % interval.

    `count` of `of` that were looked at.
    """

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, 4)


@dataclass(frozen=True)
class Change:
    """Change since the month before, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        return self.low > 0 or self.high < 0

    def document(self) -> dict[str, Any]:
        return rounded_fields(self) | {"is_sure": self.is_sure}


class Verdict(enum.Enum):
    """A figure against its target; it cannot tell where the interval holds the target."""

    MET = "met"
    NOT_MET = "not_met"
    CANNOT_TELL = "cannot_tell"
    NO_FIGURE = "no_figure"


@dataclass(frozen=True)
class Standing:
    """Comparison of an agent with the others: for looking closer, never for judging.

    `shrunken` is the value that the others make likely, `under_target` the probability of lying
    under the target. `apart` names the groups that cannot be told apart: who shares a letter does.
    `bias` is by how many points the checks rate this agent's calls too high (+) or too low (−).
    """

    shrunken: float | None = None
    under_target: float | None = None
    apart: str = ""
    bias: float | None = None
    is_bias_sure: bool = False

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, under_target=4)
