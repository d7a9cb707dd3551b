"""Query report schedules and their runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qa.months import Month
from qa.publishing.rules import split
from qa.publishing.types import Run, Schedule, ScheduleDraft
from qa.states import RunState
from qa.tables.database import affected_rows
from qa.tables.reports import ReportRunRow, ReportScheduleRow


def _schedule(row: ReportScheduleRow) -> Schedule:
    return Schedule(
        row.id,
        row.name,
        row.day,
        row.project,
        row.each,
        row.audience,
        split(row.formats),
        row.language,
        split(row.recipients),
        row.is_active,
        row.created_by_id,
    )


def schedules(session: Session) -> list[Schedule]:
    """List the schedules by name."""
    query = select(ReportScheduleRow).order_by(ReportScheduleRow.name)
    return [_schedule(row) for row in session.scalars(query)]


def schedule(session: Session, schedule_id: int) -> Schedule | None:
    """Return a schedule, or None."""
    row = session.get(ReportScheduleRow, schedule_id)
    return _schedule(row) if row else None


def add_schedule(session: Session, draft: ScheduleDraft, *, by: int, at: datetime) -> int | None:
    """Add a schedule and return its id; None where the name is taken."""
    row = ReportScheduleRow(**vars(draft), is_active=True, created_by_id=by, created_at=at)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row.id


def set_active(session: Session, schedule_id: int, *, is_active: bool) -> bool:
    """Pause or resume a schedule; False where there is none."""
    change = (
        update(ReportScheduleRow)
        .where(ReportScheduleRow.id == schedule_id)
        .values(is_active=is_active)
    )
    return affected_rows(session, change) > 0


def runs(
    session: Session, *, run_id: int | None = None, state: RunState | None = None, limit: int = 50
) -> list[Run]:
    """List runs, the newest first."""
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
            row.id,
            row.schedule_id,
            name,
            row.month,
            row.state,
            tuple(row.made),
            row.total,
            row.asked_at,
            row.finished_at,
            row.error,
        )
        for row, name in rows
    ]


def queue_run(
    session: Session, schedule_id: int, month: Month, *, at: datetime, again: bool = False
) -> int | None:
    """Queue the run of a month, once, and return its id; None where it is there already.

    `again` starts a run that ended over.
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
    row.state = RunState.WAITING
    row.made, row.error = [], ""
    row.asked_at, row.finished_at = at, None
    session.flush()
    return row.id


def update_run(session: Session, run_id: int, **fields: Any) -> None:
    """Change columns of a run."""
    session.execute(update(ReportRunRow).where(ReportRunRow.id == run_id).values(**fields))


def record_made(session: Session, run_id: int, names: Sequence[str], *, total: int) -> None:
    """Write down which reports of a run are made, and of how many."""
    row = session.get_one(ReportRunRow, run_id, with_for_update=True)
    row.made, row.total = [*row.made, *(name for name in names if name not in row.made)], total
    session.flush()
