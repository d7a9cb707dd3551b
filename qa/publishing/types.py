"""Define the schedule of a monthly report, and its run of one month."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from qa.months import Month
from qa.states import Audience, RunState


@dataclass(frozen=True)
class ScheduleDraft:
    """A schedule as it is written down.

    `day` of the month after, `each` empty for one report or what there is one of (project,
    department, team, agent), `recipients` with commas between.
    """

    name: str
    day: int
    audience: Audience
    formats: str
    language: str
    project: str = ""
    each: str = ""
    recipients: str = ""


@dataclass(frozen=True)
class Schedule:
    id: int
    name: str
    day: int
    project: str
    each: str
    audience: Audience
    formats: tuple[str, ...]
    language: str
    recipients: tuple[str, ...]
    is_active: bool
    created_by_id: int


@dataclass(frozen=True)
class Run:
    """One month of a schedule: `made` of `total` files are there."""

    id: int
    schedule_id: int
    name: str
    month: Month
    state: RunState
    made: tuple[str, ...]
    total: int
    asked_at: datetime
    finished_at: datetime | None
    error: str

    def folder(self, data_dir: Path) -> Path:
        """Return the folder of its files."""
        return data_dir / "reports" / str(self.schedule_id) / self.month
