"""A session that is held to some projects sees nothing of the others: every query in it is narrowed
here, in one place.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, event, false, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from qa.tables.calibration import CalibrationCallRow
from qa.tables.calls import CallRow, RatingRow
from qa.tables.cases import CaseRow
from qa.tables.notices import NoticeRow
from qa.tables.people import AgentRow, ProjectRow
from qa.tables.results import CheckResultRow, CorrectionRow, SpokenRow, TranscriptRow, VerdictRow
from qa.tables.sampling import DrawnCallRow
from qa.tables.scoring import (
    AnswerRow,
    AssignmentRow,
    DisputeRow,
    ScorecardRevisionRow,
    ScorecardRow,
)
from qa.tables.training import (
    TrainingCallRow,
    TrainingMemberRow,
    TrainingPlanRow,
    TrainingSessionRow,
)

HELD = "held_to"
BY_CALL = (
    VerdictRow,
    TranscriptRow,
    RatingRow,
    TrainingCallRow,
    CheckResultRow,
    CorrectionRow,
    SpokenRow,
    DrawnCallRow,
    AssignmentRow,
    CalibrationCallRow,
)
BY_CARD = (DisputeRow, ScorecardRevisionRow)
PLANNED = (
    (TrainingPlanRow, TrainingPlanRow.id),
    (TrainingMemberRow, TrainingMemberRow.plan_id),
    (TrainingSessionRow, TrainingSessionRow.plan_id),
)


@dataclass(frozen=True)
class ProjectScope:
    """Whose session it is, and which projects they work for."""

    projects: tuple[int, ...]
    user_id: int
    agent_id: int | None


def restrict_to_projects(session: Session, held: ProjectScope | None) -> None:
    """From now on this session sees the rows of these projects alone; None lifts it."""
    session.info[HELD] = held


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    held: ProjectScope | None = state.session.info.get(HELD)
    if held is None or state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(*_conditions(held))


def _conditions(held: ProjectScope) -> list[Any]:
    ids = held.projects
    # tables, not entities: these subqueries must not be narrowed again by themselves
    calls = CallRow.__table__.alias("held_call")
    cards = ScorecardRow.__table__.alias("held_card")
    own_calls = select(calls.c.id).where(calls.c.project_id.in_(ids)).scalar_subquery()
    own_cards = select(cards.c.id).where(cards.c.project_id.in_(ids)).scalar_subquery()
    seen_agents = (
        select(calls.c.id)
        .where(calls.c.agent_id == AgentRow.id, calls.c.project_id.in_(ids))
        .exists()
    )
    agents = (
        or_(seen_agents, AgentRow.id == held.agent_id) if held.agent_id is not None else seen_agents
    )
    personal = or_(
        CaseRow.written_by_id == held.user_id,
        CaseRow.agent_id == held.agent_id if held.agent_id is not None else false(),
    )
    plans = _plans(held)
    # what belongs to no project is its people's
    cases = or_(CaseRow.project_id.in_(ids), and_(CaseRow.project_id.is_(None), personal))
    return [
        _on(ProjectRow, ProjectRow.id.in_(ids)),
        _on(CallRow, CallRow.project_id.in_(ids)),
        _on(AnswerRow, AnswerRow.project_id.in_(ids)),
        _on(ScorecardRow, ScorecardRow.project_id.in_(ids)),
        _on(AgentRow, agents),
        _on(CaseRow, cases),
        *[_on(row, plan.in_(plans)) for row, plan in PLANNED],
        _on(NoticeRow, or_(NoticeRow.project_id.is_(None), NoticeRow.project_id.in_(ids))),
        # all have a call
        *[_on(row, row.call_id.in_(own_calls)) for row in BY_CALL],  # type: ignore[attr-defined]
        # all have a card
        *[
            _on(row, row.scorecard_id.in_(own_cards))  # type: ignore[attr-defined]
            for row in BY_CARD
        ],
    ]


def _plans(held: ProjectScope) -> Any:
    """The training plans whose agents all work for these projects; and for no other unless the plan
    is one's own.
    """
    plans, members, calls = (
        TrainingPlanRow.__table__.alias("held_plan"),
        TrainingMemberRow.__table__.alias("held_member"),
        CallRow.__table__.alias("held_talk"),
    )
    of_agent = select(calls.c.id).where(calls.c.agent_id == members.c.agent_id)
    inside, outside = (
        of_agent.where(calls.c.project_id.in_(held.projects)).exists(),
        of_agent.where(calls.c.project_id.not_in(held.projects)).exists(),
    )
    strangers = select(members.c.agent_id).where(members.c.plan_id == plans.c.id, ~inside).exists()
    shared = select(members.c.agent_id).where(members.c.plan_id == plans.c.id, outside).exists()
    seen = and_(~strangers, or_(plans.c.trainer_id == held.user_id, ~shared))
    if held.agent_id is not None:
        seen = or_(
            seen,
            select(members.c.agent_id)
            .where(members.c.plan_id == plans.c.id, members.c.agent_id == held.agent_id)
            .exists(),
        )
    return select(plans.c.id).where(seen).scalar_subquery()


def _on(row: Any, condition: Any) -> Any:
    return with_loader_criteria(row, condition, include_aliases=True)
