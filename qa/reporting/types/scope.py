"""The calls and agents that a report covers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class UnknownScope(ValueError):
    """A project, department, team or agent that does not exist; the message names it."""


@dataclass(frozen=True)
class About:
    """The part of a month that is reported on: by name, the agent by code. All None: everything."""

    project: str | None = None
    department: str | None = None
    team: str | None = None
    agent: str | None = None

    @property
    def is_part(self) -> bool:
        """Whether some agents are left out; such reports are neither cached nor closed."""
        return (self.department, self.team, self.agent) != (None, None, None)


@dataclass(frozen=True)
class Scope:
    """The same as ids and times, for queries: calls that began in [begin, end).

    Of all or of a project, a department, a team, an agent.
    """

    begin: datetime
    end: datetime
    project_id: int | None = None
    department_id: int | None = None
    team_id: int | None = None
    agent_id: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether some agents are left out."""
        return (
            self.department_id is not None or self.team_id is not None or self.agent_id is not None
        )

    @property
    def everybody(self) -> "Scope":
        """The same calls of all agents: what they share is estimated from all."""
        return Scope(self.begin, self.end, self.project_id)


@dataclass(frozen=True)
class AgentFacts:
    """An agent with team and department."""

    agent_id: int
    agent: str
    team_id: int
    team: str
    department: str
    is_simulated: bool = False
    left_on: date | None = None


class ProjectFacts(NamedTuple):
    """A project, and whether its calls are simulated."""

    id: int
    code: str
    name: str
    is_simulated: bool
