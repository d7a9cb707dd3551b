"""Training needs: who would gain from which topic, how sure that is, and which calls show it."""

import enum
from dataclasses import dataclass
from typing import Any


class Urgency(enum.Enum):
    ACT = "act"
    WATCH = "watch"


@dataclass(frozen=True)
class Counts:
    """An agent's answers on a criterion over the months looked at. `kept` sums the shares of points kept (0–`of`)."""

    agent_id: int
    agent: str
    team: str
    criterion: str
    kept: float
    of: int


@dataclass(frozen=True)
class Evidence:
    card_id: int
    call_id: int


@dataclass(frozen=True)
class Need:
    """`probability` that the agent's true rate on the criterion is under the target."""

    agent_id: int
    agent: str
    team: str
    criterion: str
    topic: str
    title: dict[str, str]
    probability: float
    rate: float
    cards: int
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
            "urgency": self.urgency.value,
            "calls": [e.call_id for e in self.evidence],
        }


@dataclass(frozen=True)
class NeedList:
    """The training-need list of a month, over `months` months ending with it. `false_discovery_rate` is the share of "act" lines expected to be wrong."""

    month: str
    months: int
    target: float
    false_discovery_rate: float
    needs: tuple[Need, ...]
    pairs_looked_at: int

    def document(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "months": self.months,
            "target": self.target,
            "false_discovery_rate": self.false_discovery_rate,
            "pairs_looked_at": self.pairs_looked_at,
            "needs": [n.document() for n in self.needs],
        }
