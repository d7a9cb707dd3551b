"""The figures of a month, each with what it rests on."""

import enum
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from qa.months import Month


class Basis(enum.Enum):
    """Whether there is a figure, and if not, why."""

    ESTIMATED = "estimated"
    TOO_FEW = "too_few"
    NO_CARDS = "no_cards"


class ScoredCall(NamedTuple):
    """A human score with the automatic score of the same call and the probability with which the
    call was drawn.
    """

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
    """All calls of an agent in a project and month: how many, how many with an automatic score, its
    sum, how many with a critical flag.
    """

    project_id: int
    agent_id: int
    calls: int
    checked: int
    automatic_sum: float
    flagged: int


@dataclass(frozen=True)
class About:
    """What of a month somebody wants to read: by name, the agent by code. All None: everything."""

    project: str | None = None
    department: str | None = None
    team: str | None = None
    agent: str | None = None

    @property
    def is_part(self) -> bool:
        """Whether some agents are left out; such reports are neither kept nor closed."""
        return (self.department, self.team, self.agent) != (None, None, None)


@dataclass(frozen=True)
class Scope:
    """The same as ids and times, for queries: the calls that began in [begin, end), of all or of a
    project, a department, a team, an agent.
    """

    begin: datetime
    end: datetime
    project_id: int | None = None
    department_id: int | None = None
    team_id: int | None = None
    agent_id: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether some agents are left out."""
        return (
            self.department_id is not None or self.team_id is not None or self.agent_id is not None
        )

    @property
    def everybody(self) -> "Scope":
        """The same calls of all agents: what they share is learnt from all."""
        return Scope(self.begin, self.end, self.project_id)


@dataclass(frozen=True)
class AgentFacts:
    agent_id: int
    agent: str
    team_id: int
    team: str
    department: str
    is_simulated: bool = False
    left_on: date | None = None


@dataclass(frozen=True)
class Totals:
    """Calls of anybody or anything, added up."""

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
        return _rounded(self)


@dataclass(frozen=True)
class Rate:
    """`count` of `of` that were looked at, and the share (0–1) it makes likely for all calls, with
    its 95 % interval.
    """

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    def document(self) -> dict[str, Any]:
        return _rounded(self, 4)


class Verdict(enum.Enum):
    """A figure against its target. Where the interval holds the target, nobody can tell."""

    MET = "met"
    NOT_MET = "not_met"
    CANNOT_TELL = "cannot_tell"
    NO_FIGURE = "no_figure"


@dataclass(frozen=True)
class Standing:
    """What is known of an agent beside the figure with consequences; for looking closer, never for
    judging.

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
        return _rounded(self, under_target=4)


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
    satisfaction: "Satisfaction | None" = None
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
class Satisfaction:
    """What customers said afterwards (0–100), and how it goes with the automatic score of the same
    calls (correlation with 95 % interval).
    """

    count: int
    mean: float | None
    low: float | None
    high: float | None
    correlation: float | None = None
    correlation_low: float | None = None
    correlation_high: float | None = None

    def document(self) -> dict[str, Any]:
        return _rounded(self, correlation=3, correlation_low=3, correlation_high=3)


@dataclass(frozen=True)
class Tally:
    """Answers to one criterion, counted.

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


@dataclass(frozen=True)
class Change:
    """By how much something changed since the month before, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        return self.low > 0 or self.high < 0

    def document(self) -> dict[str, Any]:
        return _rounded(self) | {"is_sure": self.is_sure}


@dataclass(frozen=True)
class Example:
    card_id: int
    call_id: int
    agent_id: int


@dataclass(frozen=True)
class CriterionLine:
    """How often a criterion was lost, what that costs of the 100 points, how that moved, and how
    often people agree with its automatic answer.
    """

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
            "points_lost": _round(self.points_lost),
            "moved": self.moved.document() if self.moved else None,
            "examples": [asdict(e) for e in self.examples],
        }


@dataclass(frozen=True)
class TrendPoint:
    month: Month
    estimate: Estimate
    low_limit: float | None = None
    high_limit: float | None = None
    is_outside: bool = False

    def document(self) -> dict[str, Any]:
        limits = {
            "low_limit": _round(self.low_limit),
            "high_limit": _round(self.high_limit),
            "is_outside": self.is_outside,
        }
        return {"month": self.month, "estimate": self.estimate.document()} | limits


@dataclass(frozen=True)
class Breaches:
    """A month of the p-chart: the share of all calls with a critical breach and its interval, and
    the shares within which chance would keep it.
    """

    month: Month
    share: float | None
    low: float | None = None
    high: float | None = None
    low_limit: float | None = None
    high_limit: float | None = None
    is_outside: bool = False

    def document(self) -> dict[str, Any]:
        return _rounded(self, 4)


@dataclass(frozen=True)
class Drift:
    """Daily means of the automatic scores left those of the month before: from the day `since` on,
    noticed on the day `noticed`.
    """

    since: date
    noticed: date
    was: float  # mean of the daily means of the month before
    now: float  # of the days since

    def document(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(),
            "noticed": self.noticed.isoformat(),
            "was": _round(self.was),
            "now": _round(self.now),
        }


@dataclass(frozen=True)
class Association:
    """How quality and customers' ratings go together from agent to agent: Pearson's r with its 95 %
    interval.
    """

    agents: int
    r: float
    low: float
    high: float
    # estimate and mean rating of each, in no order that names anybody
    points: tuple[tuple[float, float], ...]

    def document(self) -> dict[str, Any]:
        fields = {"agents": self.agents} | {
            k: _round(getattr(self, k), 3) for k in ("r", "low", "high")
        }
        return fields | {"points": [[_round(x), _round(y)] for x, y in self.points]}


@dataclass(frozen=True)
class TargetLine:
    """A target, and where things stand.

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
        return _rounded(self, 4)


@dataclass(frozen=True)
class ActionLine:
    """An improvement measure with what it was to bring and what was seen since: the change of its
    scope, which other things moved too.
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
            "expected": _round(self.expected),
            "since": self.since.document() if self.since else None,
        }


@dataclass(frozen=True)
class AgreementFacts:
    """How far evaluators agree where two scored the same call, and people with the checks."""

    calls: int
    alpha: float | None
    low: float | None
    high: float | None
    same_answers: float | None
    automatic: Rate

    def document(self) -> dict[str, Any]:
        return _rounded(self, 3) | {"automatic": self.automatic.document()}


@dataclass(frozen=True)
class Coverage:
    """What became of the month's calls.

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


@dataclass(frozen=True)
class MonthReport:
    """The monthly quality report.

    Page, JSON and XLSX are made from its one document, so their figures are the same to the last
    digit.
    """

    month: Month
    project: str | None
    department: str | None
    team: str | None
    agent: str | None  # their name
    time_zone: str
    whole: Group
    previous: Estimate
    projects: tuple[Group, ...]
    departments: tuple[Group, ...]
    teams: tuple[Group, ...]
    agents: tuple[Group, ...]
    criteria: tuple[CriterionLine, ...]
    coverage: Coverage
    slope: float | None
    is_simulated: bool
    made_at: datetime
    notes: tuple[str, ...] = field(default=())
    target: float | None = None
    change: Change | None = None
    trend: tuple[TrendPoint, ...] = ()
    breaches: tuple[Breaches, ...] = ()
    drift: Drift | None = None
    between_agents: Association | None = None
    targets: tuple[TargetLine, ...] = ()
    measures: tuple[ActionLine, ...] = ()
    agreement: AgreementFacts | None = None
    satisfaction: Satisfaction | None = None
    fails_cost: float | None = None  # of the 100 points, by critical fails
    overdispersion: float | None = None  # of the teams' funnel plot
    corrected: bool = False  # for the severity of evaluators
    model: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        named = {
            k: getattr(self, k)
            for k in ("month", "project", "department", "team", "agent", "time_zone")
        }
        lists = (
            "projects",
            "departments",
            "teams",
            "agents",
            "criteria",
            "trend",
            "breaches",
            "targets",
            "measures",
        )
        records = ("change", "drift", "between_agents", "agreement", "satisfaction")
        method = {
            "estimator": "difference estimator with one pooled slope, design-weighted",
            "slope": _round(self.slope, 4),
            "confidence": 0.95,
        }
        return {
            **named,
            "made_at": self.made_at.isoformat(),
            "simulated": self.is_simulated,
            "whole": self.whole.document(),
            "previous": self.previous.document(),
            **{k: [x.document() for x in getattr(self, k)] for k in lists},
            **{k: x.document() if (x := getattr(self, k)) else None for k in records},
            "coverage": asdict(self.coverage),
            "target": self.target,
            "fails_cost": _round(self.fails_cost),
            "overdispersion": _round(self.overdispersion),
            "corrected": self.corrected,
            "method": method | self.model,
            "notes": list(self.notes),
        }


def _rounded(record: Any, digits: int = 2, **own: int) -> dict[str, Any]:
    """A record's fields, floats with so many digits (or a field's own), enums by their values."""

    def shown(name: str, value: Any) -> Any:
        return (
            value.value
            if isinstance(value, enum.Enum)
            else _round(value, own.get(name, digits))
            if isinstance(value, float)
            else value
        )

    return {name: shown(name, value) for name, value in vars(record).items()}


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
