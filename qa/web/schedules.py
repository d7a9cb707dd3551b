"""Reports that are made by themselves."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.months import Month, MonthRefused
from qa.people import store as people
from qa.schedules import service, store
from qa.schedules.types import ScheduleDraft
from qa.states import Audience
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.reporting import AUDIENCES, MIMES, latest_month

blueprint = Blueprint("schedules", __name__)
FAULTS = {
    "name": lazy_gettext("Give the report a name."),
    "taken": lazy_gettext("A report of this name is scheduled already."),
    "day": lazy_gettext("Choose a day from 1 to 28."),
    "formats": lazy_gettext("Choose at least one format."),
    "each": lazy_gettext("Choose whether there is one report or one of each."),
    "recipients": lazy_gettext("Write mail addresses with commas between."),
}


@blueprint.get("/reports/scheduled")
def listing() -> str:
    return _page({})


@blueprint.post("/reports/scheduled")
def add() -> Response | tuple[str, int]:
    given = request.form
    try:
        with writing() as session:
            service.add(session, _draft(given), by=person().id, at=now())
    except service.ScheduleRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
        return _page(given), 422
    flash(
        _("Scheduled. The report of the last month is made first, if its day has come."), "success"
    )
    return redirect(url_for("schedules.listing"))


@blueprint.post("/reports/scheduled/<int:schedule_id>/toggle")
def toggle(schedule_id: int) -> Response:
    with writing() as session:
        found = store.schedule(session, schedule_id) or missing()
        store.set_active(session, schedule_id, is_active=not found.is_active)
        record_event(
            session,
            subject=Subject.REPORT,
            subject_id=schedule_id,
            event=EventKind.PAUSED if found.is_active else EventKind.RESUMED,
            at=now(),
            actor_id=person().id,
        )
    return redirect(url_for("schedules.listing"))


@blueprint.post("/reports/scheduled/<int:schedule_id>/run")
def run(schedule_id: int) -> Response:
    """Make a month's report now (again)."""
    try:
        month = Month(request.form.get("month", ""))
    except MonthRefused:
        flash(_("Write months like 2026-11."), "danger")
        return redirect(url_for("schedules.listing"))
    with writing() as session:
        if store.schedule(session, schedule_id) is None:
            missing()
        asked = store.ask(session, schedule_id, month, at=now(), again=True)
    flash(
        _("It is made within a minute or two.") if asked else _("It is being made already."),
        "success",
    )
    return redirect(url_for("schedules.listing"))


@blueprint.get("/reports/scheduled/<int:run_id>")
def result(run_id: int) -> str:
    with reading() as session:
        found = next(iter(store.runs(session, run_id=run_id)), None) or missing()
    folder = found.folder(wiring().settings.data_dir)
    files = (
        sorted((p.name, p.stat().st_size) for p in folder.iterdir() if not p.name.startswith("."))
        if folder.is_dir()
        else []
    )
    return render_template("schedules/result.html", run=found, files=files)


@blueprint.get("/reports/scheduled/<int:run_id>/<name>")
def file(run_id: int, name: str) -> Response:
    """One of the files; the name is looked for among those that are there,
    never opened as given.
    """
    with writing() as session:
        found = next(iter(store.runs(session, run_id=run_id)), None) or missing()
        folder = found.folder(wiring().settings.data_dir)
        path = (
            next((p for p in folder.iterdir() if p.name == name and not name.startswith(".")), None)
            if folder.is_dir()
            else None
        )
        if path is None:
            missing()
        record_event(
            session,
            subject=Subject.MONTH,
            subject_id=int(found.month.replace("-", "")),
            event=EventKind.EXPORTED,
            at=now(),
            actor_id=person().id,
            file=name,
        )
    return send_file(
        path,
        mimetype=MIMES.get(path.suffix[1:], "application/octet-stream"),
        as_attachment=True,
        download_name=path.name,
    )


def _page(given: Mapping[str, Any]) -> str:
    with reading() as session:
        shown = {
            "schedules": store.schedules(session),
            "runs": store.runs(session),
            "projects": people.projects(session),
            "month": latest_month(session),
        }
    return render_template("schedules/listing.html", given=given, audiences=AUDIENCES, **shown)


def _draft(given: Any) -> ScheduleDraft:
    known = {a.value for a in Audience}
    audience = given.get("audience", "")
    return ScheduleDraft(
        name=given.get("name", "").strip()[:120],
        day=given.get("day", 0, type=int) or 0,
        audience=Audience(audience) if audience in known else Audience.MANAGER,
        formats=",".join(given.getlist("formats")),
        language=(
            given.get("language", "en") if given.get("language") in ("en", "it", "zh") else "en"
        ),
        project=given.get("project", "")[:80],
        each=given.get("each", ""),
        recipients=given.get("recipients", "").strip()[:2000],
    )
