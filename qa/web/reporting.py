"""Show the report of a month and its files, close a month, and show a leader's team."""

import io

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.audit import service as audit
from qa.disputes import store as disputes
from qa.forms import service as forms
from qa.months import Month
from qa.people import store as people
from qa.publishing.document import agent_spark, for_reader, headline, report_blocks, scope_names
from qa.publishing.files import render_files
from qa.reporting import service, store, trends
from qa.reporting.types.report import MonthReport
from qa.reporting.types.scope import About
from qa.result_cache.types import CachedResult
from qa.states import Audience, Role
from qa.web.context import keep_result, missing, now, person, reading, wiring, writing
from qa.web.language import localizer
from qa.web.month_report import (
    AUDIENCES,
    MIMES,
    count_report,
    latest_month,
    load_document,
    requested_month,
)
from qa.web.needs import keep_needs, needs_of

blueprint = Blueprint("reporting", __name__)
SCOPES = ("project", "department", "team", "agent")
WORTH_KEEPING = 20_000  # calls


@blueprint.get("/reports/")
@blueprint.get("/reports/<month>")
def month(month: Month | None = None) -> Response | str:
    """Show the report of a month, as it was closed or with the figures of now."""
    about = _requested_scope()
    is_live = bool(request.args.get("live"))
    cached, report = None, None
    with reading() as session:
        if month is None:
            return redirect(
                url_for("reporting.month", month=latest_month(session), project=about.project)
            )
        closed = store.closed(session, month, about.project or "*") if not about.is_part else None
        projects = people.projects(session)
        if closed and not is_live:
            document = closed[1]
        else:
            document, cached, report = load_document(
                session, month, about, force_refresh="fresh" in request.args
            )
    _keep(cached, report)
    audience = audience_of()
    return render_template(
        "reporting/month.html",
        r=document,
        closed=closed,
        projects=projects,
        is_live=is_live,
        scope={name: code for name, code in request.args.items() if name in SCOPES and code},
        counted=cached,
        about=scope_names(document) if about.is_part else [],
        blocks=report_blocks(for_reader(document, audience), audience, localizer()),
        top=headline(document, localizer()),
        audience=audience,
        audiences=AUDIENCES,
        before=month.previous(),
        after=month.next(),
    )


@blueprint.get("/reports/<month>/export.<kind>")
def export(month: Month, kind: str) -> Response:
    """Send the report of a month as a file."""
    if kind not in MIMES:
        missing()
    month.bounds(wiring().settings.zone)
    about = _requested_scope()
    with reading() as session:
        closed = store.closed(session, month, about.project or "*") if not about.is_part else None
        document = closed[1] if closed else load_document(session, month, about)[0]
    files = render_files(document, formats=[kind], audience=audience_of(), localizer=localizer())
    with writing() as session:
        audit.record_report_export(session, month=month, by=person().id, at=now(), kind=kind)
    name, content = next(iter(files.items()))
    return send_file(
        io.BytesIO(content), mimetype=MIMES[kind], as_attachment=True, download_name=name
    )


@blueprint.post("/reports/<month>/close")
def close(month: Month) -> Response:
    """Close a month: its figures no longer change."""
    project = request.form.get("project") or None
    with reading() as session:
        report = count_report(session, month, About(project))
    with writing() as session:
        revision = service.close_month(session, report=report, by=person().id, at=now())
    flash(_("Closed as revision %(n)s. These figures no longer change.", n=revision), "success")
    return redirect(url_for("reporting.month", month=month, project=project))


@blueprint.get("/team")
def team() -> str:
    """Show a leader's team: its figures, disputes and training needs."""
    with reading() as session:
        month = requested_month(session)
        name = _team_name() or request.args.get("team")
        teams = people.teams(session)
        name = name or (teams[0].name if teams else None)
        if name is None:
            return render_template("reporting/team.html", r=None, teams=[], needs=None, month=month)
        project = None if person().sees_all_projects else _project()
        report = count_report(session, month, About(project, team=name))
        team_id = next((team.id for team in teams if team.name == name), None)
        needs, counted = needs_of(session, month, team_id, force_refresh="fresh" in request.args)
        titles, _topics = forms.vocabulary(session)
        sparks = _sparks(session, month, report) if person().sees_all_projects else {}
        disputed = disputes.open_of_team(session, team_id) if team_id is not None else []
    keep_needs(needs, counted)
    own = [] if person().role is Role.TEAM_LEADER else teams
    document = report.document()
    return render_template(
        "reporting/team.html",
        r=document,
        teams=own,
        needs=needs,
        counted=counted,
        month=month,
        titles=titles,
        blocks=report_blocks(document, Audience.LEADER, localizer()),
        top=headline(document, localizer()),
        sparks=sparks,
        disputed=disputed,
    )


def _sparks(session: Session, month: Month, report: MonthReport) -> dict[int, str]:
    """Draw a small trend for every agent of a team."""
    sparks = {}
    for agent in report.agents:
        if agent.id is not None:
            points = trends.agent_trend(session, month=month.previous(), agent_id=agent.id)
            months = [*points, (month, agent.estimate)]
            sparks[agent.id] = agent_spark(months, agent.name, localizer())
    return sparks


def audience_of() -> Audience:
    """Return the audience of the report: as requested, else by role."""
    requested = request.args.get("audience", "")
    if requested in {audience.value for audience in Audience}:
        return Audience(requested)
    by_role = {Role.DIRECTOR: Audience.BOARD, Role.TEAM_LEADER: Audience.LEADER}
    return by_role.get(person().role, Audience.MANAGER)


def _requested_scope() -> About:
    """Return what of the month is requested.

    A leader reads of the own team and its agents, the board of no single agent.
    """
    own_team, agent = _team_name(), None
    if (agent_id := request.args.get("agent", type=int)) and person().role is not Role.DIRECTOR:
        with reading() as session:
            agent = store.agent_code(session, agent_id) or missing()
    team = own_team or request.args.get("team") or None
    return About(
        _project(),
        request.args.get("department") or None if own_team is None else None,
        team,
        agent,
    )


def _keep(cached: CachedResult | None, report: MonthReport | None) -> None:
    """Keep a report that took long until something changes."""
    if report is not None and report.coverage.calls >= WORTH_KEEPING:
        with wiring().database.write() as session:
            service.save_figure(session, report=report, at=now())
        keep_result(cached)


def _team_name() -> str | None:
    """Return the team that a leader is held to; None for others, who may see all."""
    user = person()
    if user.role is not Role.TEAM_LEADER:
        return None
    with reading() as session:
        names = {team.id: team.name for team in people.teams(session)}
    return names.get(user.team_id or 0, "–")


def _project() -> str | None:
    """Return the requested project.

    Who is held to some projects reads one of them at a time, never the whole centre's figures.
    """
    requested = request.args.get("project") or None
    if person().sees_all_projects:
        return requested
    with reading() as session:
        own = [code for code, _name in people.projects(session)]
    return requested if requested in own else next(iter(own), "–")
