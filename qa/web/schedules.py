"""Schedule monthly reports, and hand out the files of their runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.audit import service as audit
from qa.localization import FALLBACK_LANGUAGE, LOCALES
from qa.months import Month, MonthRefused
from qa.people import store as people
from qa.publishing import service, store
from qa.publishing.types import Run, ScheduleDraft
from qa.states import Audience
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.month_report import AUDIENCES, MIMES, latest_month

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
    form = request.form
    try:
        with writing() as session:
            service.add_schedule(session, _draft(form), by=person().id, at=now())
    except service.ScheduleRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
        return _page(form), 422
    flash(
        _("Scheduled. The report of the last month is made first, if its day has come."), "success"
    )
    return redirect(url_for("schedules.listing"))


@blueprint.post("/reports/scheduled/<int:schedule_id>/toggle")
def toggle(schedule_id: int) -> Response:
    """Pause a scheduled report, or resume one that is paused."""
    try:
        with writing() as session:
            service.toggle_schedule(session, schedule_id=schedule_id, by=person().id, at=now())
    except service.UnknownSchedule:
        missing()
    return redirect(url_for("schedules.listing"))


@blueprint.post("/reports/scheduled/<int:schedule_id>/run")
def run(schedule_id: int) -> Response:
    """Make a month's report now (again)."""
    try:
        month = Month(request.form.get("month", ""))
    except MonthRefused:
        flash(_("Write months like 2026-11."), "danger")
        return redirect(url_for("schedules.listing"))
    try:
        with writing() as session:
            run_id = service.queue_run(session, schedule_id=schedule_id, month=month, at=now())
    except service.UnknownSchedule:
        missing()
    flash(
        _("It is made within a minute or two.") if run_id else _("It is being made already."),
        "success",
    )
    return redirect(url_for("schedules.listing"))


@blueprint.get("/reports/scheduled/<int:run_id>")
def result(run_id: int) -> str:
    with reading() as session:
        run = next(iter(store.runs(session, run_id=run_id)), None) or missing()
    files = sorted((path.name, path.stat().st_size) for path in _files_of(run))
    return render_template("schedules/result.html", run=run, files=files)


@blueprint.get("/reports/scheduled/<int:run_id>/<name>")
def file(run_id: int, name: str) -> Response:
    """Send one of the files of a run.

    The name is looked for among the files that are there, never opened as a path.
    """
    with writing() as session:
        run = next(iter(store.runs(session, run_id=run_id)), None) or missing()
        path = next((path for path in _files_of(run) if path.name == name), None) or missing()
        audit.record_report_export(session, month=run.month, by=person().id, at=now(), file=name)
    return send_file(
        path,
        mimetype=MIMES.get(path.suffix[1:], "application/octet-stream"),
        as_attachment=True,
        download_name=path.name,
    )


def _files_of(run: Run) -> list[Path]:
    """List the finished files of a run."""
    folder = run.folder(wiring().settings.data_dir)
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _page(form: Mapping[str, Any]) -> str:
    with reading() as session:
        return render_template(
            "schedules/listing.html",
            given=form,
            audiences=AUDIENCES,
            schedules=store.schedules(session),
            runs=store.runs(session),
            projects=people.projects(session),
            month=latest_month(session),
        )


def _draft(form: Any) -> ScheduleDraft:
    audiences = {audience.value for audience in Audience}
    audience, language = form.get("audience", ""), form.get("language")
    return ScheduleDraft(
        name=form.get("name", "").strip()[:120],
        day=form.get("day", 0, type=int) or 0,
        audience=Audience(audience) if audience in audiences else Audience.MANAGER,
        formats=",".join(form.getlist("formats")),
        language=language if language in LOCALES else FALLBACK_LANGUAGE,
        project=form.get("project", "")[:80],
        each=form.get("each", ""),
        recipients=form.get("recipients", "").strip()[:2000],
    )
