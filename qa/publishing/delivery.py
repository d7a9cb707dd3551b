"""Deliver scheduled reports: files in the data folder, and mails to their recipients.

A run that was cut goes on with the file it was at.
"""

from email.message import EmailMessage
from pathlib import Path

import structlog

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.engines.mail import MailRefused, sender
from qa.localization import localizer_for
from qa.months import Month
from qa.notices.service import notify
from qa.notices.types import NoticeKind
from qa.people import store as people
from qa.publishing import files, service, store
from qa.publishing.types import Run, Schedule
from qa.reporting import store as figures
from qa.reporting.types.scope import About, Scope
from qa.states import RunState
from qa.wiring import Wiring

log = structlog.get_logger()
TYPES = {
    ".pdf": ("application", "pdf"),
    ".html": ("text", "html"),
    ".json": ("application", "json"),
}
SHEET = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def publish(wiring: Wiring) -> int:
    """Queue the runs that are due, deliver every waiting run, and return how many were finished.

    A run that fails is set aside with its error.
    """
    with wiring.database.write() as session:
        service.queue_due_runs(session, zone=wiring.settings.zone, at=wiring.clock())
    with wiring.database.read() as session:
        waiting = store.runs(session, state=RunState.WAITING)
        schedules = {schedule.id: schedule for schedule in store.schedules(session)}
    finished = 0
    for run in waiting:
        try:
            _deliver(wiring, run, schedules[run.schedule_id])
            finished += 1
        except Exception as error:
            log.exception("a scheduled report failed", run=run.id)
            with wiring.database.write() as session:
                store.update_run(
                    session,
                    run.id,
                    state=RunState.FAILED,
                    error=f"{type(error).__name__}: {error}"[:1000],
                    finished_at=wiring.clock(),
                )
    return finished


def _deliver(wiring: Wiring, run: Run, schedule: Schedule) -> None:
    folder = run.folder(wiring.settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    scopes = _scopes(wiring, schedule, run.month)
    for mark, about in scopes.items():
        if mark in run.made:
            continue
        _write_files(wiring, folder, run, schedule, about)
        with wiring.database.write() as session:
            store.record_made(session, run.id, [mark], total=len(scopes))
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    _send(wiring, run, schedule, paths)
    _finish(wiring, run, schedule, total=len(scopes))


def _write_files(wiring: Wiring, folder: Path, run: Run, schedule: Schedule, about: About) -> None:
    contents = files.report_files(
        wiring,
        month=run.month,
        about=about,
        formats=schedule.formats,
        language=schedule.language,
        audience=schedule.audience,
    )
    for name, content in contents.items():
        partial = folder / f".{name}.part"
        partial.write_bytes(content)
        partial.rename(folder / name)


def _finish(wiring: Wiring, run: Run, schedule: Schedule, *, total: int) -> None:
    """Close a run, and notify whoever scheduled it."""
    at = wiring.clock()
    with wiring.database.write() as session:
        store.update_run(
            session, run.id, state=RunState.DONE, finished_at=at, total=total, error=""
        )
        record_event(
            session,
            subject=Subject.MONTH,
            subject_id=int(run.month.replace("-", "")),
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
    """List what each report of a schedule is about, by the mark under which it is written down.

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
                for name in sorted({team.department for team in teams})
            }
        if schedule.each == "team":
            return {
                f"{schedule.project}|{team.name}": About(project, team=team.name) for team in teams
            }
        if schedule.each == "project":
            return {f"{code}|": About(code) for code, _name in people.projects(session)}
    return {f"{schedule.project}|": About(project)}


def _send(wiring: Wiring, run: Run, schedule: Schedule, paths: list[Path]) -> None:
    """Send one mail with all files to every address. Raises MailRefused; what is made stays."""
    if not schedule.recipients:
        return
    settings = wiring.settings
    send = sender(settings.smtp_url, settings.outbox)
    _ = localizer_for(schedule.language, settings.zone).gettext
    for number, address in enumerate(schedule.recipients):
        message = EmailMessage()
        message["From"], message["To"] = settings.mail_from, address
        message["Subject"] = _("Quality report") + f" {run.month} · {schedule.name}"
        message["Message-ID"] = f"<report-{run.id}-{number}@earshot>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            _("The quality report of %(month)s is attached.", month=run.month) + "\n"
        )
        for path in paths:
            maintype, subtype = TYPES.get(path.suffix, SHEET)
            message.add_attachment(
                path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name
            )
        try:
            send(message)
        except MailRefused as error:
            raise MailRefused(f"{address}: {error}") from error
