"""Show an evaluator their queue, and the manager all of it."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.assignment import service, store
from qa.assignment.types import Claimed, SkipReason
from qa.disputes import store as disputes
from qa.jobs import service as jobs
from qa.months import Month, day_bounds
from qa.people import store as people
from qa.states import Role, Step
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.assignment import ReassignForm, SkipForm, WithdrawForm, WorkloadForm

blueprint = Blueprint("assignment", __name__)
PAGE = 50


@blueprint.get("/queue")
def queue() -> str:
    today, _tomorrow = day_bounds(
        now().astimezone(wiring().settings.zone).date(), wiring().settings.zone
    )
    with reading() as session:
        mine = store.held_by_me(session, person().id, now=now())
        waiting = store.waiting(session, person().id, now=now())
        finished = store.finished(session, person().id)
        counts = store.counts(session, person().id, now=now(), today=today)
        goal = people.daily_goal(session, person().id)
    soon = now() + timedelta(days=1)
    return render_template(
        "assignment/queue.html",
        mine=mine,
        waiting=waiting,
        finished=finished,
        counts=counts,
        now=now(),
        soon=soon,
        goal=goal,
    )


@blueprint.post("/queue/next")
def take_next() -> Response:
    settings = wiring().settings
    with writing() as session:
        outcome = service.claim_next(
            session,
            evaluator_id=person().id,
            own_agent_id=person().agent_id,
            lease_minutes=settings.lease_minutes,
            at=now(),
            zone=settings.zone,
        )
    if isinstance(outcome, Claimed):
        return redirect(url_for("scoring.workbench", assignment_id=outcome.assignment_id))
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
            service.skip(
                session,
                assignment_id=assignment_id,
                evaluator_id=person().id,
                reason=SkipReason(form.reason.data),
                comment=form.comment.data or "",
                at=now(),
            )
            jobs.request(session, [(Step.REPLACE_SKIPPED, assignment_id)], at=now())
    except service.ReasonRequired:
        flash(_("Write why you skip this call."), "danger")
        return redirect(url_for("scoring.workbench", assignment_id=assignment_id))
    flash(
        _(
            "Skipped. The reason is kept with the call, and another call of the same agent and day"
            " takes its place if there is one."
        ),
        "success",
    )
    return redirect(url_for("assignment.queue"))


@blueprint.post("/queue/<int:assignment_id>/give-back")
def give_back(assignment_id: int) -> Response:
    with writing() as session:
        service.give_back(session, assignment_id=assignment_id, evaluator_id=person().id, at=now())
    flash(_("The call is back in the queue; your draft stays with it."), "success")
    return redirect(url_for("assignment.queue"))


@blueprint.get("/queue/overview")
def overview() -> str:
    """Show the evaluators' workload, and every call that waits or is being scored."""
    settings = wiring().settings
    local = now().astimezone(settings.zone)
    today, _tomorrow = day_bounds(local.date(), settings.zone)
    month_start, _month_end = Month.of(local).bounds(settings.zone)
    with reading() as session:
        loads = store.loads(session, now=now(), today=today, month=month_start)
        assignments = store.unfinished(
            session,
            evaluator_id=request.args.get("who", type=int),
            overdue_at=now() if request.args.get("overdue") else None,
            after_id=request.args.get("after", type=int),
            limit=PAGE + 1,
        )
        records = disputes.records(session)
        evaluators = [
            *people.users_with_role(session, Role.EVALUATOR),
            *people.users_with_role(session, Role.QA_MANAGER),
        ]
    more = assignments[PAGE - 1][0].id if len(assignments) > PAGE else None
    filters = {k: v for k, v in request.args.items() if v and k != "after"}
    return render_template(
        "assignment/overview.html",
        loads=loads,
        assignments=assignments[:PAGE],
        more=more,
        records=records,
        evaluators=evaluators,
        filters=filters,
        now=now(),
    )


@blueprint.post("/queue/<int:assignment_id>/reassign")
def reassign(assignment_id: int) -> Response:
    try:
        with writing() as session:
            service.reassign(
                session,
                assignment_id=assignment_id,
                user_id=ReassignForm().to.data or None,
                by=person().id,
                at=now(),
            )
    except service.NotEvaluator:
        missing()
    flash(_("Done. A draft goes with its call."), "success")
    return redirect(url_for("assignment.overview"))


@blueprint.post("/queue/<int:assignment_id>/take-out")
def take_out(assignment_id: int) -> Response:
    try:
        with writing() as session:
            service.withdraw(
                session,
                assignment_id=assignment_id,
                reason=WithdrawForm().reason.data or "",
                by=person().id,
                at=now(),
            )
    except service.ReasonRequired:
        flash(_("Write why the call leaves the queue."), "danger")
        return redirect(url_for("assignment.overview"))
    flash(_("Taken out. The call counts as drawn and not scored, with your reason."), "success")
    return redirect(url_for("assignment.overview"))


@blueprint.post("/queue/goals/<int:user_id>")
def set_goal(user_id: int) -> Response:
    """Set an evaluator's daily goal, and their share of the calls that arrive."""
    form = WorkloadForm()
    if not form.validate_on_submit():
        missing()
    try:
        with writing() as session:
            service.set_workload(
                session,
                user_id=user_id,
                daily_goal=form.goal.data,
                share=form.share.data,
                by=person().id,
                at=now(),
            )
    except service.NotEvaluator:
        missing()
    flash(_("Saved."), "success")
    return redirect(url_for("assignment.overview"))


@blueprint.post("/queue/deal")
def deal() -> Response:
    with writing() as session:
        moved = service.distribute(session, by=person().id, at=now())
    if moved:
        flash(_("%(n)s calls were put on the evaluators' lists.", n=moved), "success")
    else:
        flash(_("Nothing to deal out: no call waits for everybody, or nobody has a share."), "info")
    return redirect(url_for("assignment.overview"))


@blueprint.post("/queue/evaluators/<int:user_id>/put-back")
def put_back(user_id: int) -> Response:
    with writing() as session:
        moved = service.return_all_to_queue(session, user_id=user_id, by=person().id, at=now())
    flash(_("%(n)s calls are back for everybody.", n=moved), "success")
    return redirect(url_for("assignment.overview", who=user_id))
