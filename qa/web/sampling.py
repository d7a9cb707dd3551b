"""Sampling pages: coverage, plans, draws, replay."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.assignment import store as queue
from qa.jobs import service as jobs
from qa.jobs.announce import announce
from qa.people import store as people
from qa.pipeline import draw as draw_day
from qa.pipeline import steps_after_draw
from qa.sampling import service, store
from qa.sampling.rules import ALL_OF
from qa.sampling.types import Draw, Plan, PlanRule, Precision, Risk
from qa.states import Phase
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf import options
from qa.web.forms_wtf.assignment import SKIP_NAMES
from qa.web.forms_wtf.sampling import DrawForm, PlanForm
from qa.web.month_report import requested_month

blueprint = Blueprint("sampling", __name__)


@blueprint.get("/sampling")
def overview() -> str:
    """Show coverage, plans and draws."""
    return _page(PlanForm())


@blueprint.post("/sampling/plans")
def add_plan() -> Response | tuple[str, int] | str:
    """Add a plan; with `look` show how precise its figures would be, and add nothing."""
    form = PlanForm()
    with reading() as session:
        form.project.choices = options([("", "–"), *people.projects(session)])
    if not form.validate_on_submit():
        return _page(form), 422
    if "look" in request.form:
        with reading() as session:
            precision = service.precision(
                session, rule=_rule(form), new_hire_days=wiring().settings.new_hire_days, at=now()
            )
        return _page(form, precision)
    try:
        with writing() as session:
            service.add_plan(
                session,
                code=form.code.data or "",
                phase=Phase(form.phase.data),
                rule=_rule(form),
                by=person().id,
                at=now(),
            )
            service.commit_seeds(session, zone=wiring().settings.zone, at=now())
    except service.PlanRefused:
        flash(_("A plan of this name exists already."), "danger")
        return _page(form), 422
    flash(_("The plan draws from tonight on."), "success")
    return redirect(url_for("sampling.overview"))


@blueprint.post("/sampling/plans/<code>/toggle")
def toggle_plan(code: str) -> Response:
    """Pause a plan that draws, or resume one that is paused."""
    try:
        with writing() as session:
            service.toggle_plan(session, code=code, by=person().id, at=now())
    except service.PlanRefused:
        missing()
    return redirect(url_for("sampling.overview"))


@blueprint.get("/sampling/plans/<code>/preview")
def preview(code: str) -> str:
    """Show what the plan would draw from a day, without drawing."""
    day = _day(request.args.get("day"))
    with reading() as session:
        plan = _plan(session, code)
        draw = service.preview(
            session,
            plan=plan,
            day=day,
            zone=wiring().settings.zone,
            new_hire_days=wiring().settings.new_hire_days,
            at=now(),
        )
        existing = store.draw(session, plan, day)
        precision = service.precision(
            session, rule=plan.rule, new_hire_days=wiring().settings.new_hire_days, at=now()
        )
        words = _strata(session, draw)
    return render_template(
        "sampling/preview.html",
        plan=plan,
        draw=draw,
        words=words,
        existing=existing,
        seen=precision,
    )


@blueprint.post("/sampling/draw")
def draw() -> Response:
    """Draw from a day now, by every active plan."""
    form = DrawForm()
    if not form.validate() or form.day.data is None:
        missing()
    with writing() as session:
        draws = draw_day(wiring(), session, form.day.data)
        task_ids = jobs.request(session, steps_after_draw(session, draws), at=now())
    announce(wiring().settings, task_ids)
    flash(_("Drawn: %(n)s calls.", n=sum(len(d.calls) for d in draws)), "success")
    return redirect(url_for("sampling.overview"))


@blueprint.get("/sampling/draws/<int:draw_id>")
def replay(draw_id: int) -> str:
    """Show a draw as recorded, and draw it again from its seed."""
    try:
        with reading() as session:
            recorded, again = service.replay(
                session,
                draw_id=draw_id,
                zone=wiring().settings.zone,
                new_hire_days=wiring().settings.new_hire_days,
            )
            words = _strata(session, recorded)
    except service.PlanRefused:
        missing()
    same = (
        recorded.frame_sha256 == again.frame_sha256
        and tuple(c for c in recorded.calls if not c.is_replacement) == again.calls
    )
    return render_template(
        "sampling/replay.html", draw=recorded, words=words, again=again, same=same
    )


def _strata(session: Session, draw: Draw) -> dict[str, str]:
    """Name the strata of a draw: by the agent's name, and what is the stratum's own."""
    names = {p.id: p.name for p in people.agents(session, limit=100_000)}
    whole = {
        "complaint": _("all complaints"),
        "praise": _("all praise"),
        "critical": _("all critical flags"),
    }

    def words(name: str, agent_id: int) -> str:
        if name.startswith(ALL_OF):
            field = name.removeprefix(ALL_OF)
            return str(whole.get(field, field))
        rest = name.removeprefix(f"agent:{agent_id}")[1:]
        mark, _colon, part = rest.partition(":")
        parts = (_("new hire"), part) if mark == "new" else (rest,)
        return " · ".join(str(p) for p in (names.get(agent_id, name), *parts) if p)

    return {s.name: words(s.name, s.agent_id) for s in draw.strata}


def _page(form: PlanForm, precision: Precision | None = None) -> str:
    with reading() as session:
        month = requested_month(session)
        begin, end = month.bounds(wiring().settings.zone)
        form.project.choices = options([("", "–"), *people.projects(session)])
        coverage = store.coverage(session, begin=begin, end=end)
        plans, draws = store.plans(session, only_active=False), store.recent_draws(session)
        skips = queue.skips_by_evaluator(session)
        seeds = service.commitments(session, zone=wiring().settings.zone, at=now())
    today = now().astimezone(wiring().settings.zone).date()
    facts = {
        "coverage": coverage,
        "plans": plans,
        "draws": draws,
        "skips": skips,
        "skip_names": SKIP_NAMES,
        "seeds": seeds,
        "seen": precision,
    }
    return render_template("sampling/overview.html", form=form, month=month, today=today, **facts)


def _rule(form: PlanForm) -> PlanRule:
    share = float(form.risk_share.data or 0)
    factors = (form.factors.data or "").split(",")
    return PlanRule(
        project=form.project.data or None,
        queue=form.queue.data or None,
        direction=form.direction.data or None,
        language=form.language.data or None,
        min_duration_seconds=form.min_duration_seconds.data or 0,
        max_duration_seconds=form.max_duration_seconds.data,
        has=form.has.data or None,
        only_new_hires=form.only_new_hires.data,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
        take_all=tuple(w.strip() for w in (form.take_all.data or "").split(",") if w.strip()),
        verify_critical=form.verify_critical.data,
        quota_per_agent=form.quota_per_agent.data or 6,
        new_hire_factor=form.new_hire_factor.data or 1,
        floor_probability=float(form.floor_probability.data or 0),
        floor_per_agent=float(form.floor_per_agent.data or 0),
        allocation=form.allocation.data,
        stratify_by=form.stratify_by.data,
        factors={
            name.strip(): max(0.01, min(100.0, float(times)))
            for name, _sign, times in (f.partition("=") for f in factors)
            if times
        },
        daily_budget=form.daily_budget.data,
        risk=Risk(
            has=form.risk_has.data or None, min_duration_seconds=form.risk_seconds.data, share=share
        )
        if share and (form.risk_has.data or form.risk_seconds.data)
        else None,
    )


def _plan(session: Session, code: str) -> Plan:
    return store.plan(session, code) or missing()


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        missing()
