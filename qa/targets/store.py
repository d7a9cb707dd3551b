"""Read and write targets and improvement actions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from qa.states import ImprovementActionState, ScopeKind
from qa.tables.database import affected_rows
from qa.tables.people import AgentRow, DepartmentRow, ProjectRow, TeamRow, UserRow
from qa.tables.targets import ImprovementActionRow, TargetRow
from qa.targets.types import ImprovementAction, ImprovementActionDraft, Target, TargetDraft


def _name_of(row: Any) -> Any:
    """Select the name of what a target or action is for, as a column."""
    tables: dict[ScopeKind, Any] = {
        ScopeKind.PROJECT: ProjectRow,
        ScopeKind.DEPARTMENT: DepartmentRow,
        ScopeKind.TEAM: TeamRow,
        ScopeKind.AGENT: AgentRow,
    }
    return case(
        *[
            (
                row.scope == kind,
                select(table.name).where(table.id == row.scope_id).scalar_subquery(),
            )
            for kind, table in tables.items()
        ],
        else_="",
    )


def targets(session: Session) -> list[Target]:
    query = (
        select(TargetRow, _name_of(TargetRow), UserRow.display_name)
        .join(UserRow, UserRow.id == TargetRow.set_by_id)
        .order_by(TargetRow.id.desc())
    )
    return [
        Target(
            id=row.id,
            indicator=row.indicator,
            criterion=row.criterion,
            scope=row.scope,
            scope_id=row.scope_id,
            name=name or "",
            value=row.value,
            first_month=row.first_month,
            last_month=row.last_month,
            set_by=set_by,
        )
        for row, name, set_by in session.execute(query)
    ]


def add_target(session: Session, draft: TargetDraft, *, by: int, at: datetime) -> int:
    row = TargetRow(**vars(draft), set_by_id=by, set_at=at)
    session.add(row)
    session.flush()
    return row.id


def end_target(session: Session, target_id: int, *, last_month: str) -> bool:
    changed = update(TargetRow).where(TargetRow.id == target_id).values(last_month=last_month)
    return affected_rows(session, changed) > 0


def actions(
    session: Session,
    *,
    until_month: str | None = None,
    action_id: int | None = None,
    limit: int = 100,
) -> list[ImprovementAction]:
    """List improvement actions, the newest first."""
    query = select(
        ImprovementActionRow, _name_of(ImprovementActionRow), UserRow.display_name
    ).outerjoin(UserRow, UserRow.id == ImprovementActionRow.owner_id)
    if until_month is not None:
        query = query.where(ImprovementActionRow.month <= until_month)
    if action_id is not None:
        query = query.where(ImprovementActionRow.id == action_id)
    rows = session.execute(query.order_by(ImprovementActionRow.id.desc()).limit(limit))
    return [
        ImprovementAction(
            id=row.id,
            title=row.title,
            detail=row.detail,
            month=row.month,
            criterion=row.criterion,
            scope=row.scope,
            scope_id=row.scope_id,
            name=name or "",
            state=row.state,
            owner_id=row.owner_id,
            owner=owner or "",
            due_on=row.due_on,
            expected=row.expected,
            result=row.result,
            finished_on=row.finished_on,
        )
        for row, name, owner in rows
    ]


def add_action(
    session: Session,
    draft: ImprovementActionDraft,
    *,
    state: ImprovementActionState,
    by: int,
    at: datetime,
) -> int:
    row = ImprovementActionRow(**vars(draft), state=state, created_by_id=by, created_at=at)
    session.add(row)
    session.flush()
    return row.id


def move_action(
    session: Session,
    action_id: int,
    *,
    was: ImprovementActionState,
    to: ImprovementActionState,
    result: str,
    on: date | None,
    **fields: Any,
) -> bool:
    change = update(ImprovementActionRow).where(
        ImprovementActionRow.id == action_id, ImprovementActionRow.state == was
    )
    changed = change.values(state=to, result=result, finished_on=on, **fields)
    return affected_rows(session, changed) > 0


def scopes(session: Session) -> dict[ScopeKind, list[tuple[int, str]]]:
    """List what a target or action can be set for, by name."""
    scopes: dict[ScopeKind, list[tuple[int, str]]] = {}
    for kind, table in (
        (ScopeKind.PROJECT, ProjectRow),
        (ScopeKind.DEPARTMENT, DepartmentRow),
        (ScopeKind.TEAM, TeamRow),
        (ScopeKind.AGENT, AgentRow),
    ):
        scopes[kind] = [
            (scope_id, name)
            for scope_id, name in session.execute(
                select(table.id, table.name).order_by(table.name).limit(500)
            )
        ]
    return scopes
