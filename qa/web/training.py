"""Training pages: needs, plans, sessions, their effect; and the agent's own training."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.cases import store as cases
from qa.forms import service as forms
from qa.months import Month
from qa.people.rules import may
from qa.people.types import Permission
from qa.publishing.document import agent_chart
from qa.reporting import trends
from qa.states import CaseKind, Role, TrainingPlanState
from qa.training import service, store
from qa.training.types import Evidence, NeedList, Plan, PlanDraft, PlanFault, Proof, Urgency
from qa.web.context import missing, now, person, reading, today, wiring, writing
from qa.web.forms_wtf.training import MemberForm, MovePlanForm, PlanForm, SessionForm
from qa.web.language import localizer
from qa.web.month_report import latest_month
from qa.web.needs import keep_needs, needs_of

blueprint = Blueprint("training", __name__)
FAULTS = {
    PlanFault.TITLE: lazy_gettext("Give the plan a name."),
    PlanFault.NOBODY: lazy_gettext("Choose at least one agent."),
    PlanFault.SEATS: lazy_gettext("A plan has at least one seat."),
    PlanFault.MOVED: lazy_gettext("The plan was moved on meanwhile."),
    PlanFault.DATE: lazy_gettext("Choose the day on which it starts."),
}
MINUTES = 60


@blueprint.get("/training/")
@blueprint.get("/training/<month>")
def needs(month: Month | None = None) -> Response | str:
    with reading() as session:
        if month is None:
            return redirect(url_for("training.needs", month=latest_month(session)))
        needs, counted = needs_of(session, month, _team_id(), force_refresh="fresh" in request.args)
        topics = _topics(session, needs)
        begin, end = (
            (month.previous(2)).bounds(wiring().settings.zone)[0],
            month.bounds(wiring().settings.zone)[1],
        )
        day = today()
        hires = store.new_hires(
            session,
            since=service.new_since(day, wiring().settings.new_hire_days),
            begin=begin,
            end=end,
            today=day,
            team_id=_team_id(),
        )
        proposals = cases.cases(
            session, person(), kind=CaseKind.PROPOSAL, open_only=True, before_id=None, limit=5
        )
    keep_needs(needs, counted)
    act = [n for n in needs.needs if n.urgency is Urgency.ACT]
    watch = [n for n in needs.needs if n.urgency is Urgency.WATCH]
    around = {"before": month.previous(), "after": month.next()}
    return render_template(
        "training/needs.html",
        found=needs,
        counted=counted,
        act=act,
        watch=watch,
        hires=hires,
        proposals=proposals,
        topics=topics,
        **around,
    )


@blueprint.get("/training/plans")
def plans() -> str:
    with reading() as session:
        rows = store.plans(session, team_id=_team_id())
        proofs = {p.id: _proof(session, p) for p in rows[:20]}
    return render_template("training/plans.html", plans=rows, proofs=proofs)


@blueprint.route("/training/plans/new", methods=["GET", "POST"])
def new_plan() -> Response | str | tuple[str, int]:
    """Make a plan for a topic from a month's list.

    With fewer seats than agents a lot says who goes first.
    """
    if request.method == "POST":
        try:
            with writing() as session:
                plan = service.make_plan(session, _draft(PlanForm()), by=person().id, at=now())
            flash(_("Planned. The agents who go first are told."), "success")
            return redirect(url_for("training.plan", plan_id=plan.id))
        except service.PlanRefused as error:
            flash(str(FAULTS[error.fault]), "danger")
            return _new_page(request.form), 422
    return _new_page(request.args)


@blueprint.get("/training/plans/<int:plan_id>")
def plan(plan_id: int) -> str:
    user = person()
    with reading() as session:
        plan = _plan(session, plan_id)
        if user.role is Role.AGENT and user.agent_id not in {m.agent_id for m in plan.members}:
            missing()
        if user.role is not Role.AGENT and not may(user, Permission.READ_TRAINING):
            missing()
        if user.role is Role.TEAM_LEADER and not store.plans(
            session, plan_id=plan_id, team_id=user.team_id
        ):
            missing()
        titles, topics = forms.vocabulary(session)
        proof = _proof(session, plan)
    facts = {
        "titles": titles,
        "topic": _topic_name(plan.topic, titles, topics),
        "today": today(),
        "is_own": user.role is Role.AGENT,
    }
    return render_template("training/plan.html", plan=plan, proof=proof, **facts)


@blueprint.post("/training/plans/<int:plan_id>/move")
def move(plan_id: int) -> Response:
    """Begin, finish or drop a plan."""
    form = MovePlanForm()
    try:
        if not form.validate():
            raise service.PlanRefused(PlanFault.MOVED)
        with writing() as session:
            service.move_plan(
                session,
                plan_id=plan_id,
                to=TrainingPlanState(form.to.data),
                on=today(),
                by=person().id,
                at=now(),
            )
    except service.PlanRefused:
        flash(str(FAULTS[PlanFault.MOVED]), "danger")
    return redirect(url_for("training.plan", plan_id=plan_id))


@blueprint.post("/training/plans/<int:plan_id>/sessions")
def hold_session(plan_id: int) -> Response:
    """Write down a session that was held."""
    form = SessionForm()
    minutes = MINUTES if form.minutes.data is None else form.minutes.data
    with writing() as session:
        members = {m.agent_id for m in _plan(session, plan_id).members}
        service.hold_session(
            session,
            plan_id=plan_id,
            held_on=form.held_on.data or today(),
            minutes=min(600, max(1, minutes)),
            notes=form.notes.data or "",
            present=sorted(members & set(form.present.data)),
            by=person().id,
            at=now(),
        )
    flash(_("Written down."), "success")
    return redirect(url_for("training.plan", plan_id=plan_id))


@blueprint.post("/training/plans/<int:plan_id>/members/<int:agent_id>")
def finish_member(plan_id: int, agent_id: int) -> Response:
    """Note that an agent is through with the plan, or is to go on with it."""
    form = MemberForm()
    try:
        with writing() as session:
            service.finish_member(
                session,
                plan_id=plan_id,
                agent_id=agent_id,
                done_on=None if form.again.data else today(),
                remark=form.remark.data or "",
                by=person().id,
                at=now(),
            )
    except service.PlanRefused:
        missing()
    return redirect(url_for("training.plan", plan_id=plan_id))


@blueprint.post("/training/plans/<int:plan_id>/calls/<int:call_id>/studied")
def studied(plan_id: int, call_id: int) -> Response:
    """Note that the agent has gone through a call of the plan."""
    user = person()
    with writing() as session:
        members = {m.agent_id for m in _plan(session, plan_id).members}
        if user.agent_id is None or user.agent_id not in members:
            missing()
        if not service.mark_studied(
            session, plan_id=plan_id, call_id=call_id, agent_id=user.agent_id
        ):
            missing()
    return redirect(url_for("training.plan", plan_id=plan_id))


@blueprint.get("/my-training")
def own() -> str:
    """Show the agent's own figures by month, and what is planned for them."""
    agent_id = person().agent_id
    if agent_id is None:
        missing()
    with reading() as session:
        month = latest_month(session)
        points = trends.agent_trend(session, month=month, agent_id=agent_id)
        rows = store.plans(session, agent_id=agent_id)
    svg = agent_chart(points, localizer())
    return render_template(
        "training/own.html", points=points, svg=svg, plans=rows, agent_id=agent_id, month=month
    )


def _topics(session: Session, needs: NeedList) -> dict[str, str]:
    """Name the topics of a list."""
    titles, topics = forms.vocabulary(session)
    return {t: _topic_name(t, titles, topics) for t in {n.topic for n in needs.needs}}


def _topic_name(topic: str, titles: Mapping[str, Any], topics: Mapping[str, str]) -> str:
    """Name a topic by what its criteria ask."""
    of = [c for c, t in topics.items() if t == topic and c in titles]
    return localizer().local(titles[of[0]]) if len(of) == 1 else topic.replace("_", " ")


def _proof(session: Session, plan: Plan) -> Proof:
    _titles, topics = forms.vocabulary(session)
    criteria = [c for c, t in topics.items() if t == plan.topic] or [plan.criterion]
    last = Month.containing(now(), wiring().settings.zone).previous()
    return service.proof(
        session,
        plan,
        criteria=[c for c in criteria if c],
        last_month=last,
        zone=wiring().settings.zone,
    )


def _new_page(given: Any) -> str:
    with reading() as session:
        month = Month(given["month"]) if given.get("month") else latest_month(session)
        needs, counted = needs_of(session, month, _team_id())
        topics = _topics(session, needs)
    keep_needs(needs, counted)
    topic = given.get("topic") or next((g.topic for g in needs.groups), next(iter(topics), ""))
    candidates = {n.agent_id: n for n in reversed(needs.needs) if n.topic == topic}
    calls: list[Evidence] = list(
        {e.call_id: e for n in needs.needs if n.topic == topic for e in n.evidence}.values()
    )[:12]
    chosen = set(given.getlist("agent", type=int)) or {
        n.agent_id for n in candidates.values() if n.urgency is Urgency.ACT
    }
    people = sorted(candidates.values(), key=lambda n: (-n.probability, n.agent))
    facts = {
        "topics": topics,
        "topic": topic,
        "people": people,
        "calls": calls,
        "chosen": chosen,
        "month": month,
        "given": given,
        "today": today(),
    }
    return render_template("training/new.html", **facts)


def _draft(form: PlanForm) -> PlanDraft:
    """Read a plan from its form. Raises PlanRefused; a month that is none is not found."""
    if form.starts_on.data is None:
        raise service.PlanRefused(PlanFault.DATE)
    return PlanDraft(
        title=form.title.data or "",
        topic=form.topic.data or "",
        month=form.month.data or missing(),
        starts_on=form.starts_on.data,
        agent_ids=tuple(dict.fromkeys(form.agent.data)),
        goal=form.goal.data or "",
        seats=form.seats.data,
        call_ids=tuple(form.call.data),
        is_for_new_hires=bool(form.new_hires.data),
    )


def _plan(session: Session, plan_id: int) -> Plan:
    return next(iter(store.plans(session, plan_id=plan_id)), None) or missing()


def _team_id() -> int | None:
    return person().team_id if person().role is Role.TEAM_LEADER else None
