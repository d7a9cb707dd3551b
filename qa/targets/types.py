"""Targets, and improvement actions towards them."""

import enum
from dataclasses import dataclass
from datetime import date

from qa.months import Month
from qa.states import ImprovementActionState, Indicator, ScopeKind


class TargetFault(enum.Enum):
    """Why a target cannot be set or ended."""

    VALUE = "value"
    MONTH = "month"
    ORDER = "order"
    SCOPE = "scope"
    CRITERION = "criterion"
    UNKNOWN = "unknown"


class ActionFault(enum.Enum):
    """Why an improvement measure cannot be added or moved on."""

    TITLE = "title"
    OWNER = "owner"
    RESULT = "result"
    MOVED = "moved"  # somebody was faster, or it does not go that way


@dataclass(frozen=True)
class TargetDraft:
    """A target as it is set.

    Quality and satisfaction 0–100, critical breaches and criteria as shares 0–1.
    """

    indicator: Indicator
    scope: ScopeKind
    scope_id: int | None
    value: float
    first_month: Month
    last_month: str = ""
    criterion: str = ""


@dataclass(frozen=True)
class Target:
    id: int
    indicator: Indicator
    criterion: str
    scope: ScopeKind
    scope_id: int | None
    name: str  # of what it is set for
    value: float
    first_month: Month
    last_month: str
    set_by: str

    @property
    def is_at_most(self) -> bool:
        return self.indicator is Indicator.CRITICAL

    def holds_in(self, month: Month) -> bool:
        return self.first_month <= month and (not self.last_month or month <= self.last_month)


@dataclass(frozen=True)
class ImprovementActionDraft:
    title: str
    month: Month
    scope: ScopeKind
    scope_id: int | None
    detail: str = ""
    criterion: str = ""
    owner_id: int | None = None
    due_on: date | None = None
    expected: float | None = None


@dataclass(frozen=True)
class ImprovementAction:
    id: int
    title: str
    detail: str
    month: Month
    criterion: str
    scope: ScopeKind
    scope_id: int | None
    name: str
    state: ImprovementActionState
    owner_id: int | None
    owner: str
    due_on: date | None
    expected: float | None
    result: str
    finished_on: date | None

    @property
    def is_open(self) -> bool:
        return self.state in (ImprovementActionState.PROPOSED, ImprovementActionState.AGREED)
