"""The month, its exports, closing it; and the leader's team."""

import io
import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.disputes import store as disputes
from qa.engines.typesetting import pdf
from qa.forms import service as forms
from qa.months import Month
from qa.people import store as people
from qa.reporting import service, store, trends
from qa.reporting.types.report import MonthReport
from qa.reporting.types.scope import About
from qa.reporting.workbook import workbook
from qa.result_cache.types import CachedResult
from qa.states import Audience, Role
from qa.web import report
from qa.web.context import keep_result, missing, now, person, reading, wiring, writing
from qa.web.language import current_language
from qa.web.needs import keep_needs, needs_of

blueprint = Blueprint("reporting", __name__)
AUDIENCES = {
    Audience.MANAGER: lazy_gettext("everything"),
    Audience.BOARD: lazy_gettext("for the board"),
    Audience.LEADER: lazy_gettext("for leaders"),
}
WORTH_KEEPING = 20_000  # calls
MIMES = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "pdf": "application/pdf",
}


@blueprint.get("/reports/")
@blueprint.get("/reports/<month>")
def month(month: Month | None = None) -> Response | str:
    asked = _asked()
    with reading() as session:
        if month is None:
            return redirect(
                url_for("reporting.month", month=latest_month(session), project=asked.project)
            )
        closed = store.closed(session, month, asked.project or "*") if not asked.is_part else None
        projects = people.projects(session)
        is_frozen = closed is not None and not request.args.get("live")
        document, found, made = (
            (closed[1], None, None)
            if closed and is_frozen
            else _document(session, month, asked, force_refresh="fresh" in request.args)
        )
    _keep(found, made)
    audience = audience_of()
    given = {
        k: v
        for k, v in request.args.items()
        if k in ("project", "department", "team", "agent") and v
    }
    shown = {
        "given": given,
        "found": found,
        "about": about(document) if asked.is_part else [],
        "blocks": report.blocks(for_reader(document, audience), audience),
        "top": report.headline(document),
        "audience": audience,
        "audiences": AUDIENCES,
    }
    around = {"before": month.previous(), "after": month.next()}
    return render_template(
        "reporting/month.html",
        r=document,
        closed=closed,
        projects=projects,
        is_live=bool(request.args.get("live")),
        **shown,
        **around,
    )


@blueprint.get("/reports/<month>/export.<kind>")
def export(month: Month, kind: str) -> Response:
    if kind not in MIMES:
        missing()
    made = files(month=month, asked=_asked(), formats=[kind], audience=audience_of())
    with writing() as session:
        record_event(
            session,
            subject=Subject.MONTH,
            subject_id=int(month.replace("-", "")),
            event=EventKind.EXPORTED,
            at=now(),
            actor_id=person().id,
            kind=kind,
        )
    name, content = next(iter(made.items()))
    return send_file(
        io.BytesIO(content), mimetype=MIMES[kind], as_attachment=True, download_name=name
    )


@blueprint.post("/reports/<month>/close")
def close(month: Month) -> Response:
    project = request.form.get("project") or None
    with reading() as session:
        made = _report(session, month, About(project))
    with writing() as session:
        revision = service.close_month(session, report=made, by=person().id, at=now())
    flash(_("Closed as revision %(n)s. These figures no longer change.", n=revision), "success")
    return redirect(url_for("reporting.month", month=month, project=project))


@blueprint.get("/team")
def team() -> str:
    with reading() as session:
        when = month_asked(session)
        name = _team_name() or request.args.get("team")
        teams = people.teams(session)
        name = name or (teams[0].name if teams else None)
        if name is None:
            return render_template("reporting/team.html", r=None, teams=[], needs=None, month=when)
        made = _report(
            session, when, About(None if person().sees_all_projects else _project(), team=name)
        )
        team_id = next((t.id for t in teams if t.name == name), None)
        needs, counted = needs_of(session, when, team_id, force_refresh="fresh" in request.args)
        titles, _topics = forms.vocabulary(session)
        sparks = _sparks(session, when, made) if person().sees_all_projects else {}
        disputed = disputes.open_of_team(session, team_id) if team_id is not None else []
    keep_needs(needs, counted)
    own = [] if person().role is Role.TEAM_LEADER else teams
    document = made.document()
    shown = {
        "blocks": report.blocks(document, Audience.LEADER),
        "top": report.headline(document),
        "sparks": sparks,
        "disputed": disputed,
    }
    return render_template(
        "reporting/team.html",
        r=document,
        teams=own,
        needs=needs,
        counted=counted,
        month=when,
        titles=titles,
        **shown,
    )


def _sparks(session: Session, month: Month, made: MonthReport) -> dict[int, str]:
    """A small trend for every agent of a team that has one."""
    found = {}
    for g in made.agents:
        if g.id is not None:
            points = trends.agent_trend(session, month=month.previous(), agent_id=g.id)
            found[g.id] = report.spark_of([*points, (month, g.estimate)], g.name)
    return found


def files(
    *, month: Month, asked: About, formats: list[str], audience: Audience = Audience.MANAGER
) -> dict[str, bytes]:
    """The report as files by name: JSON, XLSX, a page that stands alone, and PDF, all from one
    document.
    """
    month.bounds(wiring().settings.zone)
    with reading() as session:
        closed = store.closed(session, month, asked.project or "*") if not asked.is_part else None
        document = closed[1] if closed else _document(session, month, asked)[0]
    return render_files(document, formats=formats, audience=audience)


def for_reader(document: dict[str, Any], audience: Audience) -> dict[str, Any]:
    """The board reads of no single agent, in no format."""
    if audience is not Audience.BOARD:
        return document
    parts = {
        name: [x for x in document.get(name, []) if x["scope"] != "agent"]
        for name in ("targets", "measures")
    }
    between = document.get("between_agents")
    return (
        document
        | {"agents": [], "between_agents": between | {"points": []} if between else None}
        | parts
    )


def render_files(
    document: dict[str, Any], *, formats: list[str], audience: Audience
) -> dict[str, bytes]:
    """A report's document as files by name, in the language of the request."""
    document = for_reader(document, audience)
    stem = (
        "-".join(["quality", document["month"], *about(document)])
        .replace(" ", "_")
        .replace("/", "_")
    )
    made = {}
    if "json" in formats:
        made[f"{stem}.json"] = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    if "xlsx" in formats:
        made[f"{stem}.xlsx"] = workbook(document, _words(), current_language())
    made_at = _("Made at %(when)s by Earshot", when=report.moment(document["made_at"]))
    if "html" in formats:
        shown = {
            "made_at": made_at,
            "blocks": report.blocks(document, audience),
            "top": report.headline(document),
        }
        made[f"{stem}.html"] = render_template(
            "reporting/document.html", r=document, **shown
        ).encode()
    if "pdf" in formats:
        source, beside = report.paper(_title(document), document, audience, made_at)
        made[f"{stem}.pdf"] = pdf(source, beside)
    return made


def month_asked(session: Session) -> Month:
    """Return the month of the address, or that of the newest call. Raises MonthRefused."""
    text = request.args.get("month")
    return Month(text) if text else latest_month(session)


def latest_month(session: Session) -> Month:
    """The month of the newest call; this month in an empty centre."""
    newest = store.last_call_at(session) or now()
    return Month.containing(newest, wiring().settings.zone)


def audience_of() -> Audience:
    """Who the report is written for: as asked, else by role."""
    asked = request.args.get("audience", "")
    if asked in {a.value for a in Audience}:
        return Audience(asked)
    from flask import g

    if not g.get("user"):  # the command line
        return Audience.MANAGER
    own = {Role.DIRECTOR: Audience.BOARD, Role.TEAM_LEADER: Audience.LEADER}
    return own.get(g.user.role, Audience.MANAGER)


def _title(document: dict[str, Any]) -> str:
    from flask import current_app

    parts = [
        f"{_('Quality report')} {current_app.jinja_env.filters['month_name'](document['month'])}",
        *about(document),
    ]
    return " · ".join(parts + ([_("simulated data")] if document["simulated"] else []))


def about(document: dict[str, Any]) -> list[str]:
    """What a report is about, from the largest to the smallest; empty where it is about all."""
    return [
        document[part] for part in ("project", "department", "team", "agent") if document.get(part)
    ]


def _report(session: Session, month: Month, asked: About) -> MonthReport:
    settings = wiring().settings
    titles, _topics = forms.vocabulary(session)
    return service.month_report(
        session,
        month=month,
        zone=settings.zone,
        minimum=settings.minimum_cards,
        titles=titles,
        at=now(),
        about=asked,
    )


def report_document(
    session: Session, month: Month, project: str | None, team: str | None
) -> dict[str, Any]:
    """A month's report as this person may see it."""
    return _document(session, month, About(project, team=team))[0]


def _document(
    session: Session, month: Month, asked: About, *, force_refresh: bool = False
) -> tuple[dict[str, Any], CachedResult | None, MonthReport | None]:
    """The report as it was kept, where it may be shown and this person sees all of it; else made
    anew.
    """
    from flask import g

    user = g.get("user")
    if asked.is_part or (user is not None and not user.sees_all_projects):
        return _report(session, month, asked).document(), None, None
    settings = wiring().settings
    titles, _topics = forms.vocabulary(session)
    ways: dict[str, Any] = {
        "month": month,
        "zone": settings.zone,
        "minimum": settings.minimum_cards,
        "titles": titles,
        "at": now(),
        "project": asked.project,
    }
    # a command waits and gets the figures of now
    found, made = service.cached_report(
        session, **ways, force_refresh=force_refresh, allow_stale=user is not None
    )
    return found.document, found, made


def _asked() -> About:
    """What of the month was asked for: a leader reads of the own team and its agents, the board of
    no single agent.
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


def _keep(found: CachedResult | None, made: MonthReport | None) -> None:
    """A report that took long is kept until something changes."""
    if made is not None and made.coverage.calls >= WORTH_KEEPING:
        with wiring().database.write() as session:
            service.save_figure(session, report=made, at=now())
        keep_result(found)


def _team_name() -> str | None:
    """The team a leader is held to; others may see all."""
    from flask import g

    user = g.get("user")
    if user is None or user.role is not Role.TEAM_LEADER:
        return None
    with reading() as session:
        return next((t.name for t in people.teams(session) if t.id == user.team_id), "–")


def _project() -> str | None:
    """The project that was asked for.

    Who is held to some projects reads one of them at a time, never the whole centre's figures.
    """
    asked = request.args.get("project") or None
    if person().sees_all_projects:
        return asked
    with reading() as session:
        own = [code for code, _name in people.projects(session)]
    return asked if asked in own else next(iter(own), "–")


def _words() -> dict[str, Any]:
    """The workbook's headings in the reader's language."""
    return {
        "whole": _("All"),
        "project": _("Project"),
        "department": _("Department"),
        "team": _("Team"),
        "agent": _("Agent"),
        "scores": _("Scores"),
        "criteria": _("Criteria"),
        "facts": _("Facts"),
        "level": _("Level"),
        "name": _("Name"),
        "parent": _("Belongs to"),
        "calls": _("Calls"),
        "checked": _("Checked"),
        "cards": _("Scorecards"),
        "value": _("Estimate"),
        "low": _("From"),
        "high": _("To"),
        "human_mean": _("Plain mean of scorecards"),
        "automatic_mean": _("Automatic mean"),
        "critical": _("Critical breaches"),
        "of_cards": _("Of scorecards"),
        "critical_share": _("Share of calls with a critical breach"),
        "critical_low": _("From"),
        "critical_high": _("To"),
        "critical_low_limit": _("Lower limit"),
        "critical_high_limit": _("Upper limit"),
        "criterion": _("Criterion"),
        "title": _("Title"),
        "answered": _("Answered"),
        "not_applicable": _("Not applicable"),
        "lost": _("Lost"),
        "counted": _("Counted"),
        "lost_share": _("Share lost"),
        "automatic_agrees": _("Automatic answer kept"),
        "automatic_of": _("Of automatic answers"),
        "fails": _("Critical fails"),
        "month": _("Month"),
        "time_zone": _("Time zone"),
        "made_at": _("Made at"),
        "drawn": _("Drawn"),
        "scored": _("Scored"),
        "skipped": _("Skipped"),
        "waiting": _("Waiting"),
        "overdue": _("Overdue"),
        "expired": _("Expired"),
        "withdrawn": _("Taken out"),
        "flagged": _("Flagged by checks"),
        "heard": _("Flagged and heard"),
        "confirmed": _("Confirmed breaches"),
        "shrunken": _("Shrunken"),
        "under_target": _("Probability under the target"),
        "apart": _("Groups"),
        "bias": _("Bias of the checks"),
        "target": _("Target"),
        "verdict": _("Met?"),
        "raw": _("Uncorrected"),
        "satisfaction": _("Customers’ ratings"),
        "ratings": _("Ratings"),
        "points_lost": _("Points lost a call"),
        "moved": _("Change of the score"),
        "trend": _("Trend"),
        "targets": _("Targets"),
        "measures": _("Improvement measures"),
        "indicator": _("Indicator"),
        "scope": _("For"),
        "owner": _("Owner"),
        "due": _("Due"),
        "state": _("State"),
        "expected": _("Expected"),
        "since": _("Seen since"),
        "low_limit": _("Lower limit"),
        "high_limit": _("Upper limit"),
        "slope": _("Slope"),
        "simulated": _("simulated data"),
        "standard_error": _("Standard error"),
        **_state_words(),
    }


def _state_words() -> dict[str, dict[str | None, str]]:
    """The workbook's words for verdicts, states and indicators in the reader's language."""
    return {
        "verdicts": {
            "met": _("met"),
            "not_met": _("not met"),
            "cannot_tell": _("cannot be told from these cards"),
            "no_figure": _("no figure"),
            None: "",
        },
        "states": {
            "proposed": _("proposed"),
            "agreed": _("agreed"),
            "done": _("done"),
            "dropped": _("dropped"),
        },
        "indicators": {
            "quality": _("Quality"),
            "critical": _("Critical breaches"),
            "criterion": _("Points kept"),
            "satisfaction": _("Customers’ ratings"),
        },
    }
