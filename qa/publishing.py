"""Scheduled reports become files in the data folder, and mails to whoever is to have them.

A run that was cut goes on with the file it was at.
"""

from email.message import EmailMessage
from pathlib import Path

import structlog
from flask import Flask

from qa.app import create_app
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.engines.mail import MailRefused, sender
from qa.jobs.mailer import localizer_for
from qa.months import Month
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people import store as people
from qa.reporting import store as figures
from qa.reporting.types.scope import About, Scope
from qa.schedules import service, store
from qa.schedules.types import Run, Schedule
from qa.states import RunState
from qa.web import reporting
from qa.wiring import Wiring

log = structlog.get_logger()
TYPES = {
    ".pdf": ("application", "pdf"),
    ".html": ("text", "html"),
    ".json": ("application", "json"),
}
SHEET = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def publish(wiring: Wiring) -> int:
    """Ask for what is due, and make every waiting run; how many were finished.

    A run that fails is set aside with its error.
    """
    with wiring.database.write() as session:
        service.ask_for_due(session, zone=wiring.settings.zone, at=wiring.clock())
    with wiring.database.read() as session:
        waiting = store.runs(session, state=RunState.WAITING)
        schedules = {s.id: s for s in store.schedules(session)}
    app = create_app(wiring.settings, wiring=wiring) if waiting else None
    done = 0
    for run in waiting:
        try:
            # there is an app where a run waits
            _make(wiring, app, run, schedules[run.schedule_id])  # type: ignore[arg-type]
            done += 1
        except Exception as error:
            log.exception("a scheduled report failed", run=run.id)
            with wiring.database.write() as session:
                store.change(
                    session,
                    run.id,
                    state=RunState.FAILED,
                    error=f"{type(error).__name__}: {error}"[:1000],
                    finished_at=wiring.clock(),
                )
    return done


def _make(wiring: Wiring, app: Flask, run: Run, schedule: Schedule) -> None:
    folder = run.folder(wiring.settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    scopes = _scopes(wiring, schedule, run.month)
    for mark, about in scopes.items():
        if mark in run.made:
            continue
        with app.test_request_context("/", headers={"Accept-Language": schedule.language}):
            files = reporting.files(
                month=run.month,
                asked=about,
                formats=list(schedule.formats),
                audience=schedule.audience,
            )
        for name, content in files.items():
            half = folder / f".{name}.part"
            half.write_bytes(content)
            half.rename(folder / name)
        with wiring.database.write() as session:
            store.record_made(session, run.id, [mark], total=len(scopes))
    _send(wiring, run, schedule, sorted(p for p in folder.iterdir() if not p.name.startswith(".")))
    with wiring.database.write() as session:
        at = wiring.clock()
        store.change(
            session, run.id, state=RunState.DONE, finished_at=at, total=len(scopes), error=""
        )
        month = int(run.month.replace("-", ""))
        record_event(
            session,
            subject=Subject.MONTH,
            subject_id=month,
            event=EventKind.EXPORTED,
            at=at,
            schedule=schedule.name,
            mailed=len(schedule.recipients),
        )
        notify(
            session,
            [schedule.created_by_id],
            NoticeKind.REPORT_READY,
            about=("report", run.id),
            at=at,
            name=schedule.name,
            month=run.month,
        )


def _scopes(wiring: Wiring, schedule: Schedule, month: Month) -> dict[str, About]:
    """What every report of a schedule is about, by the mark that says it is made.

    Of agents those who had calls in the month.
    """
    project = schedule.project or None
    with wiring.database.read() as session:
        if schedule.each == "agent":
            begin, end = month.bounds(wiring.settings.zone)
            return {
                f"{schedule.project}|agent|{code}": About(project, agent=code)
                for code in figures.agents_with_calls(session, Scope(begin, end))
            }
        teams = people.teams(session)
        if schedule.each == "department":
            return {
                f"{schedule.project}|department|{name}": About(project, name)
                for name in sorted({t.department for t in teams})
            }
        if schedule.each == "team":
            return {f"{schedule.project}|{t.name}": About(project, team=t.name) for t in teams}
        if schedule.each == "project":
            return {f"{code}|": About(code) for code, _name in people.projects(session)}
    return {f"{schedule.project}|": About(project)}


def _send(wiring: Wiring, run: Run, schedule: Schedule, files: list[Path]) -> None:
    """One mail with all files to every address. Raises MailRefused; what is made stays."""
    if not schedule.recipients:
        return
    send, _ = (
        sender(wiring.settings.smtp_url, wiring.settings.outbox),
        localizer_for(schedule.language, wiring.settings).text,
    )
    for n, address in enumerate(schedule.recipients):
        message = EmailMessage()
        message["From"], message["To"] = wiring.settings.mail_from, address
        message["Subject"] = _("Quality report") + f" {run.month} · {schedule.name}"
        message["Message-ID"] = f"<report-{run.id}-{n}@earshot>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            _("The quality report of %(month)s is attached.") % {"month": run.month} + "\n"
        )
        for path in files:
            kind = TYPES.get(path.suffix, SHEET)
            message.add_attachment(
                path.read_bytes(), maintype=kind[0], subtype=kind[1], filename=path.name
            )
        try:
            send(message)
        except MailRefused as error:
            raise MailRefused(f"{address}: {error}") from error
