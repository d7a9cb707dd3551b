"""Pages of the jobs: what waits, runs and failed; retry; health for a monitor."""

from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.jobs import service, store
from qa.jobs.announce import announce
from qa.states import TaskState
from qa.web.context import missing, now, person, reading, wiring, writing

blueprint = Blueprint("jobs", __name__)


@blueprint.get("/jobs")
def overview() -> str:
    """Show how much waits, runs and failed, by step, with the newest tasks of each."""
    with reading() as session:
        counts = store.counts(session)
        steps = store.step_counts(session)
        lists = {
            s: store.tasks(session, state=s, limit=50)
            for s in (TaskState.FAILED, TaskState.RUNNING, TaskState.WAITING)
        }
    by_step: dict[str, dict[TaskState, int]] = {}
    for step, state, n in steps:
        by_step.setdefault(step, {})[state] = n
    return render_template(
        "jobs/overview.html", counts=counts, by_step=by_step, lists=lists, State=TaskState
    )


@blueprint.get("/jobs/state")
def state() -> Response:
    """Count the tasks by state, for the page's progress bar."""
    with reading() as session:
        counts = store.counts(session)
    failed = counts[TaskState.FAILED]
    return jsonify({s.value: n for s, n in counts.items()} | {"set_aside": failed})


@blueprint.post("/jobs/<int:task_id>/retry")
def retry(task_id: int) -> Response:
    """Try a failed task again."""
    with writing() as session:
        if not service.retry(session, task_id=task_id, by=person().id, at=now()):
            missing()
    announce(wiring().settings, [task_id])
    flash(_("The task is tried again."), "success")
    return redirect(url_for("jobs.overview"))


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """Report to a monitor that the database answers, and the oldest due task's age in seconds."""
    with reading() as session:
        oldest, counts = store.next_due_at(session), store.counts(session)
    age = max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0
    failed = counts[TaskState.FAILED]
    document = {"oldest_due_seconds": round(age), "failed": failed, "set_aside": failed}
    return jsonify(ok=True, **document), 200
