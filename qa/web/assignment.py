"""The evaluator's queue, and the manager's view of all of it."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.assignment import service, store
from qa.assignment.types import Claimed, SkipReason
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.disputes import store as disputes
from qa.jobs import service as jobs
from qa.months import Month, day_bounds
from qa.people import store as people
from qa.states import Role, Step
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.stages import SkipForm

blueprint = Blueprint("assignment", __name__)
PAGE = 50
MOST_GOAL = 200
MOST_SHARE = 100


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
    with writing() as session:
        s, me = wiring().settings, person()
        taken = service.claim_next(
            session,
            evaluator_id=me.id,
            own_agent_id=me.agent_id,
            lease_minutes=s.lease_minutes,
            at=now(),
            zone=s.zone,
        )
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
            service.skip(
                session,
                assignment_id=assignment_id,
                evaluator_id=person().id,
                reason=reason,
                comment=form.comment.data or "",
                at=now(),
            )
            jobs.request(session, [(Step.REPLACE_SKIPPED, assignment_id)], at=now())
    except service.SkipRefused:
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
    """Who does what, and every place that waits or is being scored."""
    settings = wiring().settings
    local = now().astimezone(settings.zone)
    today, month = (
        day_bounds(local.date(), settings.zone)[0],
        Month.of(local).bounds(settings.zone)[0],
    )
    only_overdue, who = bool(request.args.get("overdue")), request.args.get("who", type=int)
    with reading() as session:
        loads = store.loads(session, now=now(), today=today, month=month)
        places = store.unfinished(
            session,
            evaluator_id=who,
            overdue_at=now() if only_overdue else None,
            after_id=request.args.get("after", type=int),
            limit=PAGE + 1,
        )
        records = disputes.records(session)
        evaluators = [
            *people.users_with_role(session, Role.EVALUATOR),
            *people.users_with_role(session, Role.QA_MANAGER),
        ]
    more = places[PAGE - 1][0].id if len(places) > PAGE else None
    given = {k: v for k, v in request.args.items() if v and k != "after"}
    return render_template(
        "assignment/overview.html",
        loads=loads,
        places=places[:PAGE],
        more=more,
        records=records,
        evaluators=evaluators,
        given=given,
        now=now(),
    )


@blueprint.post("/queue/<int:assignment_id>/reassign")
def reassign(assignment_id: int) -> Response:
    user_id = request.form.get("to", type=int)
    with writing() as session:
        if user_id:
            found = people.user(session, user_id)
            if (
                found is None
                or not found.is_active
                or found.role not in (Role.EVALUATOR, Role.QA_MANAGER)
            ):
                missing()
        service.reassign(
            session, assignment_id=assignment_id, user_id=user_id or None, by=person().id, at=now()
        )
    flash(_("Done. A draft goes with its call."), "success")
    return redirect(url_for("assignment.overview"))


@blueprint.post("/queue/<int:assignment_id>/take-out")
def take_out(assignment_id: int) -> Response:
    try:
        with writing() as session:
            service.withdraw(
                session,
                assignment_id=assignment_id,
                reason=request.form.get("reason", ""),
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
    """An evaluator's goal of a day, and their share of the calls that arrive."""
    goal, share = request.form.get("goal", type=int), request.form.get("share", type=int)
    with writing() as session:
        found = people.user(session, user_id)
        if (
            found is None
            or found.role is not Role.EVALUATOR
            or not 0 <= (goal or 0) <= MOST_GOAL
            or not 0 <= (share or 0) <= MOST_SHARE
        ):
            missing()
        people.change_user(session, user_id, daily_goal=goal or None, queue_share=share or 0)
        record_event(
            session,
            subject=Subject.USER,
            subject_id=user_id,
            event=EventKind.GOAL_CHANGED,
            at=now(),
            actor_id=person().id,
            goal=goal,
            share=share or 0,
        )
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
