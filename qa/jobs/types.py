"""Tasks: a step that a subject has to go through, and who is at it."""

from dataclasses import dataclass
from datetime import datetime

from qa.states import TaskState


@dataclass(frozen=True)
class Claim:
    """A task that this process may work on. Only a write that still carries the fence counts."""

    task_id: int
    step: str
    subject_id: int
    fence: int
    attempts: int


@dataclass(frozen=True)
class Task:
    """A task as the jobs page shows it."""

    id: int
    step: str
    subject_id: int
    state: TaskState
    attempts: int
    owner: str
    lease_until: datetime | None
    run_after: datetime
    error: str
    changed_at: datetime
    progress: float | None = None
