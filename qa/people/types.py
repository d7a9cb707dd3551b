"""Users with a role, what each role may do, teams and agents."""

import enum
from dataclasses import dataclass
from datetime import date

from qa.states import Role


class Permission(enum.Enum):
    SCORE = "score"  # take calls from the queue
    FILL_FORMS = "fill_forms"  # a form put on one's own list: a calibration, a self-evaluation
    MANAGE_QUEUE = "manage_queue"
    # difficult cases, praise, complaints, guide notes, proposals: which ones by qa.cases.rules
    KEEP_CASES = "keep_cases"
    CALL_CALIBRATION = "call_calibration"
    READ_CALLS = "read_calls"
    READ_OWN_CARDS = "read_own_cards"
    READ_CARDS = "read_cards"
    IMPORT = "import"
    SAMPLE = "sample"
    READ_FORMS = "read_forms"
    WRITE_FORMS = "write_forms"
    READ_REPORTS = "read_reports"
    CLOSE_MONTH = "close_month"
    READ_TRAINING = "read_training"
    TRAIN = "train"  # make training plans and see them through
    READ_FAIRNESS = "read_fairness"
    SET_TARGETS = "set_targets"
    READ_TEAM = "read_team"
    MANAGE_PEOPLE = "manage_people"
    RUN_JOBS = "run_jobs"
    READ_ACCESS_LOG = "read_access_log"
    GOVERN_CARDS = "govern_cards"  # release, re-evaluate, take back
    DECIDE_DISPUTES = "decide_disputes"  # those that are theirs: qa.disputes.rules


class UserFault(enum.Enum):
    """Why a user cannot be added, or a password not be set."""

    USERNAME = "username"
    TAKEN = "taken"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LIKE_THE_NAME = "like_the_name"
    TEAM = "team"
    AGENT = "agent"


class AgentFault(enum.Enum):
    """Why an agent's team or days cannot be changed."""

    TEAM = "team"
    DAY = "day"
    ORDER = "order"


@dataclass(frozen=True)
class User:
    """A signed-in person. A team leader has a team, an agent is an agent of the centre."""

    id: int
    username: str
    display_name: str
    role: Role
    language: str
    theme: str
    agent_id: int | None
    team_id: int | None
    is_active: bool = True
    projects: tuple[int, ...] | None = None  # those they work for; None: all

    @property
    def sees_all_projects(self) -> bool:
        return self.projects is None


@dataclass(frozen=True)
class SavedFilter:
    """A search that a person keeps; `query` is as in the address of its page."""

    id: int
    name: str
    query: str


@dataclass(frozen=True)
class TeamFacts:
    id: int
    name: str
    department: str
    agents: int


@dataclass(frozen=True)
class PersonFacts:
    """An agent with the team they are in, as the people page and the team page show them."""

    id: int
    code: str
    name: str
    team_id: int
    team: str
    hired_on: date | None
    left_on: date | None
