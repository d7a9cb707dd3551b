"""Work the ledger: claim a task, do its step, record it under the fence,
ask for what comes next.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.intake import service as intake
from qa.intake import store as calls
from qa.intake.types import FileOutcome, Incoming, Reason
from qa.jobs import store
from qa.jobs.announce import announce
from qa.jobs.rules import is_gone, lease_end, next_try, this_process
from qa.jobs.types import Claim
from qa.pipeline import STEPS, PermanentFailure, receive, steps_after_intake
from qa.states import ImportOutcome, Step
from qa.wiring import Wiring

log = structlog.get_logger()
PROGRESS_SECONDS = 2.0
Progress = Callable[[Sequence[Any], str], Iterator[Any]]


def request(session: Session, steps: Iterable[tuple[Step, int]], *, at: datetime) -> list[int]:
    """Ask for steps in the caller's transaction; the caller announces the ids after its commit."""
    return store.request(session, steps, at=at)


def retry(session: Session, *, task_id: int, by: int, at: datetime) -> bool:
    """Put a failed task back to work and log who did; false where it has not failed."""
    if not store.retry(session, task_id, at=at):
        return False
    record_event(
        session,
        subject=Subject.TASK,
        subject_id=task_id,
        event=EventKind.RETRIED,
        at=at,
        actor_id=by,
    )
    return True


def import_recordings(
    wiring: Wiring, path: Path, *, manifest: Path | None, progress: Progress
) -> list[FileOutcome]:
    """Every incoming file through intake, one transaction each. Raises ManifestRefused."""
    batch = secrets.token_hex(8)
    found = intake.incoming(path, manifest=manifest, zone=wiring.settings.zone)
    return [import_recording(wiring, item, batch=batch) for item in progress(found, "importing")]


def import_recording(
    wiring: Wiring, item: Incoming, *, batch: str, actor_id: int | None = None
) -> FileOutcome:
    """One file: its call, its outcome and the steps that follow, in one transaction; workers are
    told after the commit.
    """
    if item.refusal or item.path is None:
        outcome = item.refusal or FileOutcome(item.name, ImportOutcome.REFUSED, Reason.MISSING_FILE)
        with wiring.database.write() as session:
            calls.record_file(session, batch=batch, outcome=outcome, at=wiring.clock())
        return outcome
    record = receive(
        wiring, item.path, name=item.name, data=item.data, batch=batch, actor_id=actor_id
    )
    with wiring.database.write() as session:
        outcome = record(session)
        asked = store.request(session, steps_after_intake(session, outcome), at=wiring.clock())
    announce(wiring.settings, asked)
    return outcome


def work_once(wiring: Wiring, task_id: int | None = None) -> Claim | None:
    """Work on one due task; None where there was none (or somebody else has it)."""
    now = wiring.clock()
    with wiring.database.write() as session:
        claim = store.claim(
            session, owner=this_process(), now=now, lease_until=lease_end(now), task_id=task_id
        )
    if claim is None:
        return None
    try:
        record = STEPS[claim.step](
            replace(wiring, report_progress=_progress_writer(wiring, claim)), claim.subject_id
        )
    except PermanentFailure as error:
        _failed(wiring, claim, str(error), final=True)
        return claim
    except Exception as error:
        log.exception(
            "step failed", step=claim.step, subject=claim.subject_id, attempt=claim.attempts
        )
        _failed(wiring, claim, f"{type(error).__name__}: {error}", final=False)
        return claim
    at = wiring.clock()
    with wiring.database.write() as session:
        if not store.finish(session, claim, at=at):
            log.warning(
                "result of a lost lease discarded", step=claim.step, subject=claim.subject_id
            )
            return claim
        asked = store.request(session, record(session), at=at)
    announce(wiring.settings, asked)
    return claim


def _progress_writer(wiring: Wiring, claim: Claim) -> Callable[[float], None]:
    """Writes how far a task is, now and then, as long as its lease holds."""
    last_write = time.monotonic()

    def record_share(share: float) -> None:
        nonlocal last_write
        if time.monotonic() - last_write < PROGRESS_SECONDS:
            return
        last_write = time.monotonic()
        with wiring.database.write() as session:
            store.record_progress(session, claim, share)

    return record_share


def reclaim_expired(wiring: Wiring) -> None:
    """Free the tasks that dead processes of this machine hold."""
    with wiring.database.read() as session:
        held = store.running(session)
    for task_id, owner, fence in held:
        if is_gone(owner):
            with wiring.database.write() as session:
                store.release(session, task_id, fence, at=wiring.clock())


def reconcile(wiring: Wiring) -> int:
    """Take back what dead processes hold, and announce everything that is due;
    how much that was.
    """
    reclaim_expired(wiring)
    now = wiring.clock()
    with wiring.database.read() as session:
        waiting = store.due(session, now=now)
    announce(wiring.settings, waiting)
    return len(waiting)


def _failed(wiring: Wiring, claim: Claim, error: str, *, final: bool) -> None:
    at = wiring.clock()
    again = None if final else next_try(claim.attempts, now=at)
    with wiring.database.write() as session:
        store.fail(session, claim, error=error, run_after=again, at=at)
