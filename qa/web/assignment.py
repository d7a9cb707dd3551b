"""The evaluator's queue."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.assignment import service, store
from qa.assignment.types import Claimed, SkipReason
from qa.calendar import day_bounds
from qa.web.current import now, person, reading, wiring, writing
from qa.web.inputs.stages import SkipForm

blueprint = Blueprint("assignment", __name__)


@blueprint.get("/queue")
def queue() -> str:
    today, _tomorrow = day_bounds(now().astimezone(wiring().settings.zone).date(), wiring().settings.zone)
    with reading() as session:
        mine = store.mine(session, person().id, now=now())
        waiting = store.waiting(session, now=now())
        finished = store.finished(session, person().id)
        counts = store.counts(session, person().id, now=now(), today=today)
    soon = now() + timedelta(days=1)
    return render_template("assignment/queue.html", mine=mine, waiting=waiting, finished=finished, counts=counts, now=now(), soon=soon)


@blueprint.post("/queue/next")
def take_next() -> Response:
    with writing() as session:
        taken = service.claim_next(session, evaluator_id=person().id, own_agent_id=person().agent_id, lease_minutes=wiring().settings.lease_minutes, at=now())
    if isinstance(taken, Claimed):
        return redirect(url_for("scoring.workbench", assignment_id=taken.assignment_id))
    flash(_("No call is waiting just now."), "info")
    return redirect(url_for("assignment.queue"))


@blueprint.post("/queue/<int:assignment_id>/skip")
def skip(assignment_id: int) -> Response:
    form = SkipForm()
    if not form.validate_on_submit():
        flash(_("Choose a reason for skipping."), "danger")
        return redirect(url_for("scoring.workbench", assignment_id=assignment_id))
    try:
        with writing() as session:
            reason = SkipReason(form.reason.data)
            service.skip(session, assignment_id=assignment_id, evaluator_id=person().id, reason=reason, comment=form.comment.data or "", at=now())
    except service.SkipRefused:
        flash(_("Write why you skip this call."), "danger")
        return redirect(url_for("scoring.workbench", assignment_id=assignment_id))
    flash(_("Skipped. The reason is kept with the call."), "success")
    return redirect(url_for("assignment.queue"))


@blueprint.post("/queue/<int:assignment_id>/give-back")
def give_back(assignment_id: int) -> Response:
    with writing() as session:
        service.give_back(session, assignment_id=assignment_id, evaluator_id=person().id, at=now())
    flash(_("The call is back in the queue; your draft stays with it."), "success")
    return redirect(url_for("assignment.queue"))
