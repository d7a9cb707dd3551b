"""Figures on evaluators, criteria and checks."""

from dataclasses import dataclass
from typing import NamedTuple

from qa.months import Month
from qa.statistics.severity import SeverityModel


@dataclass(frozen=True)
class Pair:
    """A call scored by two people independently: scores, and both options per criterion."""

    call_id: int
    first_by: int
    second_by: int
    first: float | None
    second: float | None
    answers: dict[str, tuple[str, str]]


class Habits(NamedTuple):
    """Counted answers of an evaluator."""

    answers: int = 0
    not_applicable: int = 0
    sure: int = 0  # with a sure automatic answer
    changed: int = 0  # of these


class DisputeCounts(NamedTuple):
    """Counted disputes about an evaluator's answers to a criterion."""

    evaluator_id: int
    criterion: str
    opened: int
    decided: int
    overturned: int
    by_rule: int  # the automatic answer had misled


@dataclass(frozen=True)
class CriterionAgreement:
    """Agreement of the two of each pair on one criterion.

    `alpha` is chance-corrected; `ac1` stands beside it where nearly all answers are the same.
    """

    criterion: str
    title: dict[str, str]
    pairs: int
    same: float
    alpha: float | None
    ac1: float | None


@dataclass(frozen=True)
class MonthAgreement:
    """Krippendorff's alpha (interval) of a month's doubly scored calls, 95 % interval."""

    month: Month
    calls: int
    alpha: float | None
    low: float | None
    high: float | None
    mean_distance: float | None


@dataclass(frozen=True)
class EvaluatorLine:
    """How one person scores.

    `severity` is in points against the average evaluator (negative: severe).
    """

    evaluator_id: int
    name: str
    cards: int
    doubles: int
    severity: float | None
    low: float | None
    high: float | None
    minutes: float | None  # median per card
    not_applicable: float | None  # share of answers
    changed: float | None  # share of automatic answers overruled
    skipped: int
    disputed: int
    overturned: int

    @property
    def is_sure(self) -> bool:
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Shift:
    """What the severity of their evaluators does to an agent's plain mean, in points."""

    agent_id: int
    agent: str
    cards: int
    points: float


@dataclass(frozen=True)
class Item:
    """A criterion looked at as a measuring instrument.

    `faults` are codes: ceiling, seldom_applies, low_agreement, redundant:<other criterion>.
    """

    criterion: str
    title: dict[str, str]
    answered: int
    kept: float | None
    not_applicable: float
    discrimination: float | None  # correlation with the rest of the card
    faults: tuple[str, ...]


@dataclass(frozen=True)
class DisputeLine:
    """Disputes about one criterion.

    How many were decided, how many overturned, how often the automatic answer had misled.
    """

    criterion: str
    title: dict[str, str]
    opened: int
    decided: int
    overturned: int
    by_rule: int


@dataclass(frozen=True)
class CheckLine:
    """How often people keep the automatic answers on one kind of call, against all others.

    `is_sure`: they differ more than chance lets them.
    """

    kind: str  # language, line, shift, queue, direction
    value: str
    answers: int
    kept: float
    low: float
    high: float
    unsure: float
    is_sure: bool


@dataclass(frozen=True)
class Fairness:
    months: tuple[MonthAgreement, ...]
    criteria: tuple[CriterionAgreement, ...]
    evaluators: tuple[EvaluatorLine, ...]
    model: SeverityModel | None
    shifts: tuple[Shift, ...]
    items: tuple[Item, ...]
    disputes: tuple[DisputeLine, ...]
    checks: tuple[CheckLine, ...]
