"""Queries on schedules and their runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qa.months import Month
from qa.schedules.rules import split
from qa.schedules.types import Run, Schedule, ScheduleDraft
from qa.states import RunState
from qa.tables.database import affected_rows
from qa.tables.reports import ReportRunRow, ReportScheduleRow


def _schedule(r: ReportScheduleRow) -> Schedule:
    return Schedule(
        r.id,
        r.name,
        r.day,
        r.project,
        r.each,
        r.audience,
        split(r.formats),
        r.language,
        split(r.recipients),
        r.is_active,
        r.created_by_id,
    )


def schedules(session: Session) -> list[Schedule]:
    return [
        _schedule(r)
        for r in session.scalars(select(ReportScheduleRow).order_by(ReportScheduleRow.name))
    ]


def schedule(session: Session, schedule_id: int) -> Schedule | None:
    row = session.get(ReportScheduleRow, schedule_id)
    return _schedule(row) if row else None


def add(session: Session, draft: ScheduleDraft, *, by: int, at: datetime) -> int | None:
    """The id of the new schedule; None where the name is taken."""
    row = ReportScheduleRow(**vars(draft), is_active=True, created_by_id=by, created_at=at)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row.id


def set_active(session: Session, schedule_id: int, *, is_active: bool) -> bool:
    changed = (
        update(ReportScheduleRow)
        .where(ReportScheduleRow.id == schedule_id)
        .values(is_active=is_active)
    )
    return affected_rows(session, changed) > 0


def runs(
    session: Session, *, run_id: int | None = None, state: RunState | None = None, limit: int = 50
) -> list[Run]:
    """The newest first."""
    query = select(ReportRunRow, ReportScheduleRow.name).join(
        ReportScheduleRow, ReportScheduleRow.id == ReportRunRow.schedule_id
    )
    if run_id is not None:
        query = query.where(ReportRunRow.id == run_id)
    if state is not None:
        query = query.where(ReportRunRow.state == state)
    rows = session.execute(
        query.order_by(ReportRunRow.month.desc(), ReportRunRow.id.desc()).limit(limit)
    )
    return [
        Run(
            r.id,
            r.schedule_id,
            name,
            r.month,
            r.state,
            tuple(r.made),
            r.total,
            r.asked_at,
            r.finished_at,
            r.error,
        )
        for r, name in rows
    ]


def ask(
    session: Session, schedule_id: int, month: Month, *, at: datetime, again: bool = False
) -> int | None:
    """A run of a month, once; `again` starts one that ended over.

    The run's id, None where it is there already.
    """
    row = session.scalar(
        select(ReportRunRow).where(
            ReportRunRow.schedule_id == schedule_id, ReportRunRow.month == month
        )
    )
    if row is None:
        row = ReportRunRow(
            schedule_id=schedule_id,
            month=month,
            state=RunState.WAITING,
            made=[],
            total=0,
            asked_at=at,
            error="",
        )
        session.add(row)
        session.flush()
        return row.id
    if not again or row.state is RunState.WAITING:
        return None
    row.state, row.made, row.error, row.finished_at, row.asked_at = (
        RunState.WAITING,
        [],
        "",
        None,
        at,
    )
    session.flush()
    return row.id


def change(session: Session, run_id: int, **fields: Any) -> None:
    session.execute(update(ReportRunRow).where(ReportRunRow.id == run_id).values(**fields))


def record_made(session: Session, run_id: int, names: Sequence[str], *, total: int) -> None:
    row = session.get_one(ReportRunRow, run_id, with_for_update=True)
    row.made, row.total = [*row.made, *(n for n in names if n not in row.made)], total
    session.flush()
