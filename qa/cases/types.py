"""Cases around scoring: difficult calls, praise, complaints, guide notes, knowledge proposals."""

import enum
from dataclasses import dataclass
from datetime import datetime

from qa.states import CaseKind, CaseState


class CaseFault(enum.Enum):
    """Missing part of a case or its decision."""

    CONTENT = "content"
    AGENT = "agent"
    CONTACT = "contact"
    DUE = "due"
    DUE_PAST = "due_past"
    DECISION = "decision"


@dataclass(frozen=True)
class Draft:
    """A case as it is written down.

    A difficult case has a contact and a promised time; the others need only their words.
    """

    kind: CaseKind
    content: str
    agent_id: int | None = None
    call_id: int | None = None
    criterion: str = ""
    happened_at: datetime | None = None
    contact: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class Case:
    id: int
    kind: CaseKind
    state: CaseState
    agent_id: int | None
    agent: str | None
    team_id: int | None
    project_id: int | None
    call_id: int | None
    criterion: str
    happened_at: datetime | None
    content: str
    contact: str
    due_at: datetime | None
    written_by_id: int
    written_by: str
    written_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str

    @property
    def is_open(self) -> bool:
        return self.state in (CaseState.OPEN, CaseState.ESCALATED)
