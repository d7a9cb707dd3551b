"""Training needs, plans, and effects of trainings."""

import enum
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from qa.months import Month
from qa.states import TrainingArm, TrainingPlanState
from qa.statistics.treatment_effect import Design, Effect


class Urgency(enum.Enum):
    ACT = "act"
    WATCH = "watch"


class PlanFault(enum.Enum):
    """Why a training plan cannot be made or moved on."""

    TITLE = "title"
    NOBODY = "nobody"
    SEATS = "seats"
    DATE = "date"
    MOVED = "moved"


class Colleague(NamedTuple):
    """An agent, with the team and department whose targets are the agent's too."""

    name: str
    team: str
    team_id: int
    department_id: int


class AgentTally(NamedTuple):
    """An agent's drawn cards on a criterion, added up.

    Σw·s, Σw and Σw²: s the share of points kept, w = 1 ÷ the probability of the draw.
    """

    criterion: str
    agent_id: int
    kept: float
    weight: float
    squares: float
    cards: int


@dataclass(frozen=True)
class Counts:
    """An agent's answers on a criterion, each card weighted by 1 ÷ its probability.

    `of` is what the `cards` are worth: their number where all were drawn alike, less where some
    were drawn more readily. `kept` is the share of the points kept times `of`. `target` is the
    share that is to be kept.
    """

    agent_id: int
    agent: str
    team: str
    criterion: str
    kept: float
    of: float
    cards: int
    target: float


@dataclass(frozen=True)
class Evidence:
    card_id: int
    call_id: int


@dataclass(frozen=True)
class Need:
    """A probable training need of an agent on a criterion.

    `probability` that the agent's true rate on the criterion is under `target`.

    `rate` is the weighted share of points kept on the drawn `cards`, which are worth
    `effective_cards` drawn alike.
    """

    agent_id: int
    agent: str
    team: str
    criterion: str
    topic: str
    title: dict[str, str]
    probability: float
    rate: float
    cards: int
    effective_cards: float
    target: float
    urgency: Urgency
    evidence: tuple[Evidence, ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "agent_id": self.agent_id,
            "agent": self.agent,
            "team": self.team,
            "criterion": self.criterion,
            "topic": self.topic,
            "title": self.title,
            "probability": round(self.probability, 4),
            "rate": round(self.rate, 4),
            "cards": self.cards,
            "effective_cards": round(self.effective_cards, 1),
            "target": self.target,
            "urgency": self.urgency.value,
            "calls": [e.call_id for e in self.evidence],
        }


@dataclass(frozen=True)
class NeedList:
    """The training-need list of a month, over `months` months ending with it.

    `false_discovery_rate` is the share of "act" lines expected to be wrong, `target` what holds for
    a criterion that nobody set one for.
    """

    month: Month
    months: int
    target: float
    false_discovery_rate: float
    needs: tuple[Need, ...]
    pairs_looked_at: int
    groups: tuple["GroupProposal", ...] = ()
    common: tuple["CommonWeakness", ...] = ()
    left: int = 0  # agents with scorecards who have left and are not listed

    def document(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "months": self.months,
            "target": self.target,
            "false_discovery_rate": self.false_discovery_rate,
            "pairs_looked_at": self.pairs_looked_at,
            "agents_left": self.left,
            "needs": [need.document() for need in self.needs],
            "groups": [
                {
                    "topic": group.topic,
                    "criteria": list(group.criteria),
                    "agents": [agent_id for agent_id, _ in group.agents],
                }
                for group in self.groups
            ],
            "common": [
                {"criterion": weakness.criterion, "agents": weakness.agents, "of": weakness.of}
                for weakness in self.common
            ],
        }


@dataclass(frozen=True)
class GroupProposal:
    """Agents who share a topic and could learn it together. `agents` are ids and names."""

    topic: str
    criteria: tuple[str, ...]
    title: dict[str, str]
    agents: tuple[tuple[int, str], ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class CommonWeakness:
    """A criterion that many agents lose: `agents` of `of`."""

    criterion: str
    title: dict[str, str]
    agents: int
    of: int


@dataclass(frozen=True)
class PlanDraft:
    """A training plan as a trainer writes it down.

    With fewer seats than agents a lot says who goes first.
    """

    title: str
    topic: str
    month: Month
    starts_on: date
    agent_ids: tuple[int, ...]
    criterion: str = ""
    goal: str = ""
    seats: int | None = None
    call_ids: tuple[int, ...] = ()
    is_for_new_hires: bool = False


@dataclass(frozen=True)
class Member:
    agent_id: int
    agent: str
    team: str
    arm: TrainingArm
    done_on: date | None
    remark: str


@dataclass(frozen=True)
class TrainingSession:
    """A session that took place; `present` are agents' ids."""

    id: int
    held_on: date
    minutes: int
    notes: str
    present: tuple[int, ...]


@dataclass(frozen=True)
class Study:
    """A call to study, and who has."""

    call_id: int
    agent_id: int
    card_id: int | None
    why: str
    studied_by: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    id: int
    title: str
    topic: str
    criterion: str
    goal: str
    month: Month
    is_for_new_hires: bool
    seats: int | None
    seed: str
    state: TrainingPlanState
    trainer_id: int
    trainer: str
    starts_on: date
    finished_on: date | None
    members: tuple[Member, ...] = ()
    sessions: tuple[TrainingSession, ...] = ()
    calls: tuple[Study, ...] = ()

    @property
    def first(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.arm is TrainingArm.FIRST)

    @property
    def done(self) -> int:
        return sum(member.done_on is not None for member in self.first)


class TrainingOutcome(enum.Enum):
    """What can be said of a training in plain words."""

    TOO_EARLY = "too_early"  # no full month after it yet
    TOO_FEW = "too_few"
    HELPED = "helped"
    HARMED = "harmed"
    CANNOT_TELL = "cannot_tell"

    @classmethod
    def of(cls, effect: Effect | None, months: int) -> "TrainingOutcome":
        if months == 0:
            return cls.TOO_EARLY
        if effect is None:
            return cls.TOO_FEW
        if effect.low > 0:
            return cls.HELPED
        return cls.HARMED if effect.high < 0 else cls.CANNOT_TELL


@dataclass(frozen=True)
class Proof:
    """The measured effect of a training.

    The design, the effect where there is one, the plain change before and after beside it, and what
    it can be called.
    """

    design: Design
    effect: Effect | None
    outcome: TrainingOutcome
    months: tuple[Month, ...]
    # of those trained, since the month of the choice: what other tools show, and what is mostly
    # luck coming back
    plain_change: float | None


@dataclass(frozen=True)
class NewHire:
    """A new agent: days since hiring, calls and cards, points kept, and the plan, if any."""

    agent_id: int
    agent: str
    team: str
    hired_on: date
    days: int
    calls: int
    cards: int
    kept: float | None
    plan_id: int | None
