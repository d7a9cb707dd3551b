"""What goes on around scoring and is kept on record: difficult cases, praise and complaints, guide
notes, proposals to the knowledge base.
"""

from dataclasses import dataclass
from datetime import datetime

from qa.states import CaseKind, CaseState


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
