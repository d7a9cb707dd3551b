"""Lines of a report: groups, criteria, months, targets, actions."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from qa.months import Month
from qa.reporting.types.estimate import Change, Estimate, Rate, Standing, Verdict
from qa.reporting.types.rounding import round_or_none, rounded_fields


@dataclass(frozen=True)
class Satisfaction:
    """Customers' ratings (0–100), and their correlation with the automatic scores.

    Mean and correlation have 95 % intervals.
    """

    count: int
    mean: float | None
    low: float | None
    high: float | None
    correlation: float | None = None
    correlation_low: float | None = None
    correlation_high: float | None = None

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, correlation=3, correlation_low=3, correlation_high=3)


@dataclass(frozen=True)
class Group:
    """One line of the report: an agent, a team, a department, the whole.

    `raw` is the figure before a correction for severity, if one is made.
    """

    kind: str
    id: int | None
    name: str
    parent: str
    checked: int
    estimate: Estimate
    critical: Rate
    target: float | None = None
    verdict: Verdict | None = None
    standing: Standing | None = None
    raw: Estimate | None = None
    satisfaction: Satisfaction | None = None
    left_on: date | None = None  # of an agent who is no longer there

    def document(self) -> dict[str, Any]:
        head = {
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "parent": self.parent,
            "checked": self.checked,
        }
        tail: dict[str, Any] = {
            "target": self.target,
            "verdict": self.verdict.value if self.verdict else None,
        }
        tail["left_on"] = self.left_on.isoformat() if self.left_on else None
        for name in ("standing", "raw", "satisfaction"):
            part = getattr(self, name)
            tail[name] = part.document() if part else None
        return (
            head
            | {"estimate": self.estimate.document(), "critical": self.critical.document()}
            | tail
        )


@dataclass(frozen=True)
class Example:
    """A released scorecard on which a criterion was lost."""

    card_id: int
    call_id: int
    agent_id: int


@dataclass(frozen=True)
class CriterionLine:
    """Loss rate of a criterion, the points it costs, its change, and agreement with the checks."""

    criterion: str
    title: dict[str, str]
    answered: int
    lost: Rate
    not_applicable: int
    automatic: Rate
    fails: int
    points_lost: float | None = None
    moved: Change | None = None  # of the score: less lost is a rise
    examples: tuple[Example, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion,
            "title": self.title,
            "answered": self.answered,
            "not_applicable": self.not_applicable,
            "fails": self.fails,
            "lost": self.lost.document(),
            "automatic_agrees": self.automatic.document(),
            "points_lost": round_or_none(self.points_lost),
            "moved": self.moved.document() if self.moved else None,
            "examples": [asdict(e) for e in self.examples],
        }


@dataclass(frozen=True)
class TrendPoint:
    """A month of the control chart of estimates."""

    month: Month
    estimate: Estimate
    low_limit: float | None = None
    high_limit: float | None = None
    is_outside: bool = False

    def document(self) -> dict[str, Any]:
        limits = {
            "low_limit": round_or_none(self.low_limit),
            "high_limit": round_or_none(self.high_limit),
            "is_outside": self.is_outside,
        }
        return {"month": self.month, "estimate": self.estimate.document()} | limits


@dataclass(frozen=True)
class Breaches:
    """A month of the p-chart of critical breaches.

    The share of all calls with a breach, its interval, and the limits of chance.
    """

    month: Month
    share: float | None
    low: float | None = None
    high: float | None = None
    low_limit: float | None = None
    high_limit: float | None = None
    is_outside: bool = False

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, 4)


@dataclass(frozen=True)
class Drift:
    """Departure of the automatic scores' daily means from those of the month before.

    They differ from the day `since` on; the alarm is raised on the day `noticed`.
    """

    since: date
    noticed: date
    was: float  # mean of the daily means of the month before
    now: float  # of the days since

    def document(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(),
            "noticed": self.noticed.isoformat(),
            "was": round_or_none(self.was),
            "now": round_or_none(self.now),
        }


@dataclass(frozen=True)
class Association:
    """Correlation of quality and customers' ratings over agents: Pearson's r, 95 % interval."""

    agents: int
    r: float
    low: float
    high: float
    # estimate and mean rating of each, in no order that names anybody
    points: tuple[tuple[float, float], ...]

    def document(self) -> dict[str, Any]:
        fields = {"agents": self.agents} | {
            k: round_or_none(getattr(self, k), 3) for k in ("r", "low", "high")
        }
        return fields | {"points": [[round_or_none(x), round_or_none(y)] for x, y in self.points]}


@dataclass(frozen=True)
class TargetLine:
    """A target with the current figure, its interval and the verdict.

    Values are 0–100, or shares 0–1 for critical breaches and single criteria.
    """

    id: int
    indicator: str
    criterion: str
    title: dict[str, str]
    scope: str
    name: str
    target: float
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, 4)


@dataclass(frozen=True)
class ActionLine:
    """An improvement action with its expected effect and the change of its scope since.

    Other things moved the scope too: the change is no effect.
    """

    id: int
    title: str
    detail: str
    month: Month
    criterion: str
    scope: str
    name: str
    state: str
    owner: str
    due_on: str | None
    is_late: bool
    expected: float | None
    since: Change | None
    result: str

    def document(self) -> dict[str, Any]:
        return asdict(self) | {
            "expected": round_or_none(self.expected),
            "since": self.since.document() if self.since else None,
        }


@dataclass(frozen=True)
class AgreementFacts:
    """Agreement of evaluators on doubly scored calls, and of people with the checks."""

    calls: int
    alpha: float | None
    low: float | None
    high: float | None
    same_answers: float | None
    automatic: Rate

    def document(self) -> dict[str, Any]:
        return rounded_fields(self, 3) | {"automatic": self.automatic.document()}


@dataclass(frozen=True)
class Coverage:
    """Counts of the month's calls by what became of them.

    `flagged` calls have an automatic critical flag, of these `heard` were scored, `confirmed` were
    breaches.
    """

    calls: int
    checked: int
    drawn: int
    scored: int
    skipped: int
    waiting: int
    overdue: int
    expired: int = 0
    withdrawn: int = 0
    flagged: int = 0
    heard: int = 0
    confirmed: int = 0
