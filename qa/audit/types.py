"""What happened, as a reader sees it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Subject(enum.Enum):
    CALL = "call"
    ASSIGNMENT = "assignment"
    SCORECARD = "scorecard"
    USER = "user"
    MONTH = "month"
    PLAN = "plan"
    TASK = "task"


@dataclass(frozen=True)
class Event:
    id: int
    at: datetime
    actor: str | None
    subject: str
    subject_id: int
    what: str
    detail: dict[str, Any]
