"""The figures of a month, each with what it rests on."""

import enum
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


class Basis(enum.Enum):
    """Whether there is a figure, and if not, why."""

    ESTIMATED = "estimated"
    TOO_FEW = "too_few"
    NO_CARDS = "no_cards"


@dataclass(frozen=True)
class ScoredCall:
    """A human score with the automatic score of the same call and the probability with which the call was drawn."""

    agent_id: int
    human: float
    automatic: float | None
    probability: float
    project_id: int = 0


@dataclass(frozen=True)
class ProjectTotals:
    """All calls of a project in the month, and how many of its scorecards have a critical breach."""

    project_id: int
    project: str
    calls: int
    checked: int
    automatic_mean: float | None
    critical: int
    cards: int


@dataclass(frozen=True)
class AgentTotals:
    """All calls of an agent in the month: how many, how many with an automatic score, and its mean."""

    agent_id: int
    agent: str
    team_id: int
    team: str
    department: str
    calls: int
    checked: int
    automatic_mean: float | None


@dataclass(frozen=True)
class Estimate:
    """A mean score (0–100) with its 95 % interval, or why there is none. `human_mean` and `automatic_mean` stand beside it, unweighted."""

    basis: Basis
    cards: int
    calls: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    human_mean: float | None = None
    automatic_mean: float | None = None

    def document(self) -> dict[str, Any]:
        return {k: _round(v) if isinstance(v, float) else v.value if isinstance(v, Basis) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Rate:
    """`count` of `of`, as a share (0–1) with its Wilson 95 % interval."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None

    def document(self) -> dict[str, Any]:
        return {k: _round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Group:
    """One line of the report: an agent, a team, a department, the whole."""

    kind: str
    id: int | None
    name: str
    parent: str
    checked: int
    estimate: Estimate
    critical: Rate

    def document(self) -> dict[str, Any]:
        head = {"kind": self.kind, "id": self.id, "name": self.name, "parent": self.parent, "checked": self.checked}
        return head | {"estimate": self.estimate.document(), "critical": self.critical.document()}


@dataclass(frozen=True)
class CriterionLine:
    """How often a criterion was lost, and how often people agree with its automatic answer."""

    criterion: str
    title: dict[str, str]
    answered: int
    lost: Rate
    not_applicable: int
    automatic: Rate
    fails: int

    def document(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion,
            "title": self.title,
            "answered": self.answered,
            "not_applicable": self.not_applicable,
            "fails": self.fails,
            "lost": self.lost.document(),
            "automatic_agrees": self.automatic.document(),
        }


@dataclass(frozen=True)
class Coverage:
    calls: int
    checked: int
    drawn: int
    scored: int
    skipped: int
    waiting: int
    overdue: int


@dataclass(frozen=True)
class MonthReport:
    """The monthly quality report. Page, JSON and XLSX are made from its one document, so their figures are the same to the last digit."""

    month: str
    project: str | None
    team: str | None
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

    def document(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "project": self.project,
            "team": self.team,
            "time_zone": self.time_zone,
            "made_at": self.made_at.isoformat(),
            "simulated": self.is_simulated,
            "whole": self.whole.document(),
            "previous": self.previous.document(),
            "projects": [g.document() for g in self.projects],
            "departments": [g.document() for g in self.departments],
            "teams": [g.document() for g in self.teams],
            "agents": [g.document() for g in self.agents],
            "criteria": [c.document() for c in self.criteria],
            "coverage": asdict(self.coverage),
            "method": {"estimator": "difference estimator with one pooled slope, design-weighted", "slope": _round(self.slope, 4), "confidence": 0.95},
            "notes": list(self.notes),
        }


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
