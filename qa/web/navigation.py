"""Register every blueprint; list what each role may open, with counts of what waits."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import gettext as _

from qa.assignment import store as queue_store
from qa.calibration import store as calibration_store
from qa.cases import rules as case_rules
from qa.cases import store as cases_store
from qa.disputes import store as disputes_store
from qa.jobs import store as jobs_store
from qa.notices import store as notices_store
from qa.people.rules import may
from qa.people.types import Permission as P
from qa.scoring import store as cards_store
from qa.states import CaseKind, TaskState
from qa.web import (
    assignment,
    audit,
    calibration,
    calls,
    cards,
    cases,
    disputes,
    editor,
    fairness,
    forms,
    installation,
    intake,
    jobs,
    notices,
    people,
    reporting,
    sampling,
    schedules,
    scoring,
    targets,
    training,
)
from qa.web.context import now, reading, wiring


@dataclass(frozen=True)
class Entry:
    endpoint: str
    label: str
    icon: str
    count: int | None = None

    @property
    def is_here(self) -> bool:
        return request.endpoint == self.endpoint


def install(app: Flask) -> None:
    for module in (
        people,
        calls,
        intake,
        sampling,
        forms,
        assignment,
        scoring,
        reporting,
        training,
        jobs,
        audit,
        cards,
        disputes,
        notices,
        calibration,
        cases,
        editor,
        fairness,
        targets,
        schedules,
        installation,
    ):
        app.register_blueprint(module.blueprint)

    @app.context_processor
    def _frame() -> dict[str, Any]:
        return {
            "side_list": side_list,
            "settings": wiring().settings,
            "user": g.get("user"),
            "may": may,
            "P": P,
            "icon_url": icon_url,
            "unread_notices": unread_notices,
            "may_write": may_write_case,
        }


def icon_url(name: str) -> str:
    return url_for("static", filename="icons.svg") + f"#{name}"


def may_write_case(user: Any, kind: str) -> bool:
    """Tell whether the role may write this kind of case down."""
    return user.role in case_rules.WRITES[CaseKind(kind)]


def unread_notices() -> int:
    """Count the notices that the signed-in person has not read, once per page."""
    if "unread_notices" not in g:
        with reading() as session:
            g.unread_notices = notices_store.unread(session, g.user.id) if g.user else 0
    return int(g.unread_notices)


def side_list() -> list[Entry]:
    """List what this person may open, with how much waits there."""
    user = g.user
    if user is None:
        return []
    with reading() as session:
        counts = (
            queue_store.counts(session, user.id, now=now(), today=now())
            if may(user, P.SCORE)
            else None
        )
        aside = jobs_store.counts(session)[TaskState.FAILED] if may(user, P.RUN_JOBS) else 0
        unread = cards_store.to_acknowledge(session, user.agent_id) if user.agent_id else 0
        disputed = (
            disputes_store.count_waiting(session, user) if may(user, P.DECIDE_DISPUTES) else 0
        )
        to_calibrate = (
            calibration_store.waiting_for(session, user.id) if may(user, P.FILL_FORMS) else 0
        )
        settles = [k for k, roles in case_rules.SETTLES.items() if user.role in roles]
        to_settle = (
            cases_store.count_open(session, user, settles)
            if settles and may(user, P.KEEP_CASES)
            else 0
        )
        to_read = (
            cards_store.count_awaiting_second_reader(session, reader_id=user.id)
            if may(user, P.SCORE)
            else 0
        )
    entries = [
        (
            P.SCORE,
            Entry(
                "assignment.queue",
                _("My queue"),
                "headphones",
                counts.waiting + counts.mine if counts else None,
            ),
        ),
        (P.READ_OWN_CARDS, Entry("cards.own", _("My scorecards"), "clipboard", unread or None)),
        (P.READ_OWN_CARDS, Entry("training.own", _("My training"), "school")),
        (P.READ_TEAM, Entry("reporting.team", _("Team"), "users")),
        (P.READ_CALLS, Entry("calls.listing", _("Calls"), "phone")),
        (P.READ_CARDS, Entry("cards.listing", _("Scorecards"), "clipboard")),
        (P.SCORE, Entry("cards.second_reading", _("Second reading"), "again", to_read))
        if to_read
        else None,
        (P.DECIDE_DISPUTES, Entry("disputes.listing", _("Disputes"), "speech", disputed or None)),
        (
            P.FILL_FORMS,
            Entry("calibration.listing", _("Calibration"), "scale", to_calibrate or None),
        )
        if to_calibrate or may(user, P.SCORE)
        else None,
        (P.KEEP_CASES, Entry("cases.listing", _("Cases"), "folder", to_settle or None)),
        (P.MANAGE_QUEUE, Entry("assignment.overview", _("Queue and evaluators"), "gauge")),
        (P.IMPORT, Entry("intake.upload", _("Import"), "upload")),
        (P.SAMPLE, Entry("sampling.overview", _("Sampling"), "dice")),
        (P.READ_REPORTS, Entry("reporting.month", _("Month"), "chart")),
        (P.READ_REPORTS, Entry("targets.listing", _("Targets and measures"), "target")),
        (P.READ_FAIRNESS, Entry("fairness.month", _("Fairness"), "balance")),
        (P.READ_TRAINING, Entry("training.needs", _("Training needs"), "school")),
        (P.READ_TRAINING, Entry("training.plans", _("Training plans"), "calendar")),
        (P.READ_FORMS, Entry("forms.listing", _("Forms"), "list")),
        (P.RUN_JOBS, Entry("jobs.overview", _("Jobs"), "gears", aside or None)),
        (P.READ_ACCESS_LOG, Entry("audit.log", _("Access log"), "eye")),
        (P.MANAGE_PEOPLE, Entry("people.listing", _("People"), "id")),
        (P.MANAGE_PEOPLE, Entry("installation.overview", _("Installation"), "gauge")),
    ]
    return [e[1] for e in entries if e and may(user, e[0])]
