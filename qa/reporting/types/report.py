"""The monthly quality report."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from qa.months import Month
from qa.reporting.types.estimate import Change, Estimate
from qa.reporting.types.lines import (
    ActionLine,
    AgreementFacts,
    Association,
    Breaches,
    Coverage,
    CriterionLine,
    Drift,
    Group,
    Satisfaction,
    TargetLine,
    TrendPoint,
)
from qa.reporting.types.rounding import round_or_none


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
    actions: tuple[ActionLine, ...] = ()
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
        )
        records = ("change", "drift", "between_agents", "agreement", "satisfaction")
        method = {
            "estimator": "difference estimator with one pooled slope, design-weighted",
            "slope": round_or_none(self.slope, 4),
            "confidence": 0.95,
        }
        return {
            **named,
            "made_at": self.made_at.isoformat(),
            "simulated": self.is_simulated,
            "whole": self.whole.document(),
            "previous": self.previous.document(),
            **{k: [x.document() for x in getattr(self, k)] for k in lists},
            "measures": [action.document() for action in self.actions],
            **{k: x.document() if (x := getattr(self, k)) else None for k in records},
            "coverage": asdict(self.coverage),
            "target": self.target,
            "fails_cost": round_or_none(self.fails_cost),
            "overdispersion": round_or_none(self.overdispersion),
            "corrected": self.corrected,
            "method": method | self.model,
            "notes": list(self.notes),
        }
