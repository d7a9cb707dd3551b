"""Queries on the task ledger. Every change of state is a compare-and-swap."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from qa.jobs.types import Claim, Task
from qa.states import Step, TaskState
from qa.tables.database import affected_rows
from qa.tables.records import TaskRow


def request(session: Session, steps: Iterable[tuple[Step, int]], *, at: datetime) -> list[int]:
    """Ask for steps.

    One that is done or set aside is due again; one that is running is taken from its holder and
    runs anew.
    """
    ids = []
    for step, subject_id in steps:
        row = session.scalar(
            select(TaskRow).where(TaskRow.step == step, TaskRow.subject_id == subject_id)
        )
        if row is None:
            row = TaskRow(
                step=step,
                subject_id=subject_id,
                state=TaskState.WAITING,
                run_after=at,
                created_at=at,
                changed_at=at,
            )
            session.add(row)
        else:
            row.state, row.run_after, row.attempts, row.error, row.changed_at, row.lease_until = (
                TaskState.WAITING,
                at,
                0,
                "",
                at,
                None,
            )
            row.fence += 1
        session.flush()
        ids.append(row.id)
    return ids


def claim(
    session: Session,
    *,
    owner: str,
    now: datetime,
    lease_until: datetime,
    task_id: int | None = None,
) -> Claim | None:
    """Take a due task (a certain one, or the oldest), with a new fence."""
    free = or_(
        TaskRow.state == TaskState.WAITING,
        and_(TaskRow.state == TaskState.RUNNING, TaskRow.lease_until < now),
    )
    query = (
        select(TaskRow)
        .where(free, TaskRow.run_after <= now)
        .order_by(TaskRow.run_after, TaskRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query.where(TaskRow.id == task_id) if task_id is not None else query)
    if row is None:
        return None
    row.state, row.owner, row.lease_until, row.changed_at, row.progress = (
        TaskState.RUNNING,
        owner,
        lease_until,
        now,
        None,
    )
    row.fence += 1
    row.attempts += 1
    session.flush()
    return Claim(row.id, row.step, row.subject_id, row.fence, row.attempts)


def finish(session: Session, claim: Claim, *, at: datetime) -> bool:
    """Mark as done if the fence still holds; to be called in the transaction that writes the
    result.
    """
    return _change(session, claim, state=TaskState.DONE, error="", lease_until=None, changed_at=at)


def fail(
    session: Session, claim: Claim, *, error: str, run_after: datetime | None, at: datetime
) -> bool:
    """Try again at `run_after`, or set aside for a person where there is none."""
    state = TaskState.WAITING if run_after else TaskState.FAILED
    return _change(
        session,
        claim,
        state=state,
        error=error[:4000],
        run_after=run_after or at,
        lease_until=None,
        changed_at=at,
    )


def record_progress(session: Session, claim: Claim, share: float) -> bool:
    """How much of a running task is done (0–1)."""
    return _change(session, claim, progress=min(1.0, max(0.0, share)))


def _change(session: Session, claim: Claim, **values: object) -> bool:
    change = update(TaskRow).where(
        TaskRow.id == claim.task_id,
        TaskRow.fence == claim.fence,
        TaskRow.state == TaskState.RUNNING,
    )
    return affected_rows(session, change.values(**values)) > 0


def running(session: Session) -> list[tuple[int, str, int]]:
    """Id, owner and fence of what is running."""
    query = select(TaskRow.id, TaskRow.owner, TaskRow.fence).where(
        TaskRow.state == TaskState.RUNNING
    )
    return [(i, o, f) for i, o, f in session.execute(query)]


def release(session: Session, task_id: int, fence: int, *, at: datetime) -> bool:
    """Take a task back from a holder that is gone; the fence moves on, so a late write of theirs is
    refused.
    """
    change = update(TaskRow).where(
        TaskRow.id == task_id, TaskRow.fence == fence, TaskRow.state == TaskState.RUNNING
    )
    values = {
        "state": TaskState.WAITING,
        "fence": fence + 1,
        "lease_until": None,
        "run_after": at,
        "changed_at": at,
    }
    return affected_rows(session, change.values(**values)) > 0


def due(session: Session, *, now: datetime, limit: int = 1000) -> list[int]:
    """Tasks to announce: waiting and due, or held past their lease."""
    free = or_(
        TaskRow.state == TaskState.WAITING,
        and_(TaskRow.state == TaskState.RUNNING, TaskRow.lease_until < now),
    )
    return list(
        session.scalars(
            select(TaskRow.id)
            .where(free, TaskRow.run_after <= now)
            .order_by(TaskRow.run_after, TaskRow.id)
            .limit(limit)
        )
    )


def next_due_at(session: Session) -> datetime | None:
    return session.scalar(
        select(func.min(TaskRow.run_after)).where(TaskRow.state == TaskState.WAITING)
    )


def counts(session: Session) -> dict[TaskState, int]:
    found = dict(session.execute(select(TaskRow.state, func.count()).group_by(TaskRow.state)).all())
    return {state: found.get(state, 0) for state in TaskState}


def step_counts(session: Session) -> list[tuple[str, TaskState, int]]:
    query = (
        select(TaskRow.step, TaskRow.state, func.count())
        .group_by(TaskRow.step, TaskRow.state)
        .order_by(TaskRow.step)
    )
    return [(a, b, n) for a, b, n in session.execute(query)]


def tasks(session: Session, *, state: TaskState, limit: int = 100) -> list[Task]:
    rows = session.scalars(
        select(TaskRow)
        .where(TaskRow.state == state)
        .order_by(TaskRow.changed_at.desc())
        .limit(limit)
    )
    return [
        Task(
            r.id,
            r.step,
            r.subject_id,
            r.state,
            r.attempts,
            r.owner,
            r.lease_until,
            r.run_after,
            r.error,
            r.changed_at,
            r.progress,
        )
        for r in rows
    ]


def retry(session: Session, task_id: int, *, at: datetime) -> bool:
    """Put a task that was set aside back to work, with its attempts forgotten."""
    change = update(TaskRow).where(TaskRow.id == task_id, TaskRow.state == TaskState.FAILED)
    values = {"state": TaskState.WAITING, "attempts": 0, "run_after": at, "changed_at": at}
    return affected_rows(session, change.values(**values)) > 0


def was_requested(session: Session, step: Step, subject_id: int) -> bool:
    return (
        session.scalar(
            select(TaskRow.id).where(TaskRow.step == step, TaskRow.subject_id == subject_id)
        )
        is not None
    )
