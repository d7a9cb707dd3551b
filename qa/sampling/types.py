"""A sampling plan, the frame it draws from, and a draw that can be made again."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from qa.months import Month
from qa.states import Phase

# the reason of a call drawn instead of a skipped one, with that one's id behind a colon
REPLACEMENT = "replacement"


class PlanFault(enum.Enum):
    """Why a plan cannot be added, or used."""

    CODE = "code"
    TAKEN = "taken"
    UNKNOWN = "unknown"


class Risk(BaseModel):
    """Calls drawn more often: long ones, or ones whose call data have a field (say, `complaint`).

    `share` of the draw goes by risk, the rest stays even.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    min_duration_seconds: Annotated[float, Field(ge=0)] | None = None
    has: str | None = None
    share: Annotated[float, Field(ge=0, le=0.9)] = 0.6


class PlanRule(BaseModel):
    """A plan's rule: filters, strata, a quota per agent and month, and a floor.

    The floor keeps every call eligible.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    # which calls can be drawn at all
    project: str | None = None
    queue: str | None = None
    direction: str | None = None
    language: str | None = None
    min_duration_seconds: Annotated[float, Field(ge=0)] = 0
    max_duration_seconds: Annotated[float, Field(gt=0)] | None = None
    has: str | None = None  # a field of the call data, say ticket.number
    only_new_hires: bool = False
    first_day: date | None = None
    last_day: date | None = None
    # strata of their own, of which every call is drawn
    # fields of the call data; and the calls of such cases
    take_all: tuple[str, ...] = (
        "complaint",
        "praise",
    )
    verify_critical: bool = True  # calls that an automatic answer says break a critical criterion
    # how many of the others
    quota_per_agent: Annotated[float, Field(gt=0, le=10_000)] = 6
    new_hire_factor: Annotated[float, Field(ge=1, le=20)] = 2
    floor_probability: Annotated[float, Field(ge=0, le=1)] = 0.004
    # a month, where quotas follow the spread
    floor_per_agent: Annotated[float, Field(ge=0, le=1000)] = 2
    # every agent alike, or more where people and checks differ more (Neyman)
    allocation: Literal["equal", "spread"] = "equal"
    stratify_by: Literal["", "queue", "direction", "language", "duration"] = ""
    factors: dict[
        str, Annotated[float, Field(gt=0, le=100)]
    ] = {}  # of the strata so made: this one so many times as often
    daily_budget: Annotated[int, Field(ge=1)] | None = None  # calls a day, over all agents
    risk: Risk | None = None
    method: Literal[1, 2] = (
        # of drawing one call of many: 1 by Pareto's keys, as draws before November 2026 did, 2 by
        # waiting times, which is exact
        2
    )


@dataclass(frozen=True)
class Plan:
    id: int
    code: str
    phase: Phase
    rule: PlanRule
    seed: str
    is_active: bool


class FrameCell(NamedTuple):
    """The properties that calls of a cell share; a plan tells them no further apart."""

    agent_id: int
    is_new_hire: bool = False
    part: str = ""  # the value they are stratified by
    is_risky: bool = False  # by the plan's risk rule
    certainty_reason: str = (
        ""  # why they are drawn in any case: a field of `take_all`, or "critical"
    )


Frame = Mapping[FrameCell, Sequence[str]]
"""The calls that a plan could draw, by kind.

A call is its external id: the random number hangs on that, so a draw does not depend on our own
numbering.
"""


@dataclass(frozen=True)
class Stratum:
    """Some calls of the day: how many there were, how many were to be drawn on average, how many
    were. `agent_id` 0: of all agents.
    """

    name: str
    agent_id: int
    frame: int
    target: float
    drawn: int

    def document(self) -> dict[str, Any]:
        return {
            "stratum": self.name,
            "agent_id": self.agent_id,
            "frame": self.frame,
            "target": round(self.target, 6),
            "drawn": self.drawn,
        }


@dataclass(frozen=True)
class SelectedCall:
    """A call that is drawn, with the probability it had and why it came."""

    external_id: str
    stratum: str
    probability: float
    reason: str


@dataclass(frozen=True)
class DrawnCall:
    """A pick that stands in a draw."""

    call_id: int
    external_id: str
    stratum: str
    probability: float
    reason: str

    @property
    def is_replacement(self) -> bool:
        """Whether it was drawn later, instead of a call that somebody skipped."""
        return self.reason.startswith(REPLACEMENT)


@dataclass(frozen=True)
class Draw:
    """A plan's draw of one day, with everything needed to draw it again."""

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
                {
                    "call_id": c.call_id,
                    "external_id": c.external_id,
                    "stratum": c.stratum,
                    "probability": c.probability,
                    "reason": c.reason,
                }
                for c in self.calls
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


@dataclass(frozen=True)
class Commitment:
    """The hash of a month's seed as it was written down before; the seed itself once the month is
    over.
    """

    plan: str
    month: Month
    sha256: str
    committed_at: datetime
    seed: str | None = None


@dataclass(frozen=True)
class Precision:
    """An estimate of a plan's month: calls drawn, and half-widths of 95 % intervals.

    Of an agent (the median one) and of all together.

    `spread` is the residual standard deviation it rests on; `is_assumed` where no scorecards are
    there to know it from. `worth_each`: so many calls of an agent, drawn alike, would tell as much
    as the `per_agent` that are drawn.
    """

    agents: int
    calls: int
    drawn: float
    per_agent: float
    half_width: float | None
    half_width_whole: float | None
    spread: float
    is_assumed: bool
    worth_each: float
