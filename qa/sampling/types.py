"""A sampling plan, the frame it draws from, and a draw that can be made again."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from qa.tables.sampling import Phase

__all__ = ["AgentCoverage", "Draw", "DrawnCall", "FrameCall", "Phase", "Plan", "PlanRule", "Risk", "Stratum"]


class Risk(BaseModel):
    """Calls drawn more often: long ones, or ones whose call data have a field (say, `complaint`). `share` of the draw goes by risk, the rest stays even."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    min_duration_seconds: Annotated[float, Field(ge=0)] | None = None
    has: str | None = None
    share: Annotated[float, Field(ge=0, le=0.9)] = 0.6


class PlanRule(BaseModel):
    """What a plan draws: filters, a quota per agent and month, more for new hires, a floor that keeps every call eligible."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    project: str | None = None
    queue: str | None = None
    direction: str | None = None
    language: str | None = None
    min_duration_seconds: Annotated[float, Field(ge=0)] = 0
    quota_per_agent: Annotated[float, Field(gt=0, le=10_000)] = 6
    new_hire_factor: Annotated[float, Field(ge=1, le=20)] = 2
    floor_probability: Annotated[float, Field(ge=0, le=1)] = 0.004
    risk: Risk | None = None


@dataclass(frozen=True)
class Plan:
    id: int
    code: str
    phase: Phase
    rule: PlanRule
    seed: str
    is_active: bool


@dataclass(frozen=True)
class FrameCall:
    """A call that a plan could draw. `external_id` is what the random number hangs on, so a draw does not depend on our own numbering."""

    id: int
    external_id: str
    agent_id: int
    is_new_hire: bool
    duration_seconds: float
    details: dict[str, Any]


@dataclass(frozen=True)
class Stratum:
    """One agent's calls of the day: how many there were, how many were to be drawn on average, how many were."""

    name: str
    agent_id: int
    frame: int
    target: float
    drawn: int

    def document(self) -> dict[str, Any]:
        return {"stratum": self.name, "agent_id": self.agent_id, "frame": self.frame, "target": round(self.target, 6), "drawn": self.drawn}


@dataclass(frozen=True)
class DrawnCall:
    call_id: int
    external_id: str
    stratum: str
    probability: float
    reason: str


@dataclass(frozen=True)
class Draw:
    """What a plan drew on one day, with everything needed to draw it again."""

    id: int | None
    plan: str
    phase: Phase
    day: date
    seed: str
    frame_size: int
    frame_sha256: str
    strata: tuple[Stratum, ...]
    calls: tuple[DrawnCall, ...]
    created_at: datetime | None = None
    is_new: bool = False

    def document(self) -> dict[str, Any]:
        return {
            "plan": self.plan,
            "phase": self.phase.value,
            "date": self.day.isoformat(),
            "seed": self.seed,
            "new": self.is_new,
            "frame": {"size": self.frame_size, "sha256": self.frame_sha256},
            "strata": [s.document() for s in self.strata],
            "calls": [
                {"call_id": c.call_id, "external_id": c.external_id, "stratum": c.stratum, "probability": c.probability, "reason": c.reason} for c in self.calls
            ],
        }


@dataclass(frozen=True)
class AgentCoverage:
    """How far the month has come for one agent."""

    agent_id: int
    agent: str
    team: str
    calls: int
    checked: int
    drawn: int
    waiting: int
    scored: int
    skipped: int
