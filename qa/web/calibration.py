"""Calibration sessions: call one, score blind, look at the differences together, agree, close."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.calibration import service, store
from qa.calibration.rules import agreed_or_unanimous, order_of
from qa.calibration.types import CalibrationSession, RaterAnswers
from qa.forms import service as forms
from qa.intake import store as calls
from qa.months import day_bounds
from qa.notices import store as notices
from qa.people import store as people
from qa.people.rules import may
from qa.people.types import Permission, User
from qa.states import CalibrationState
from qa.transcription import store as transcripts
from qa.web.context import missing, now, person, reading, wiring, writing

blueprint = Blueprint("calibration", __name__)
CHOICES = 60
FAULTS = {
    "title": lazy_gettext("Give the session a title."),
    "calls": lazy_gettext("Choose between 1 and 20 calls."),
    "people": lazy_gettext("Invite between 2 and 50 people."),
    "due": lazy_gettext("The day to be ready lies in the past."),
    "form": lazy_gettext("Choose a form."),
}


@blueprint.get("/calibration")
def listing() -> str:
    with reading() as session:
        sessions = store.sessions(session, member_id=None if _manages() else person().id)
    return render_template(
        "calibration/listing.html", sessions=sessions, manages=_manages(), now=now()
    )


@blueprint.route("/calibration/new", methods=["GET", "POST"])
def call() -> Response | str | tuple[str, int]:
    if request.method == "POST":
        try:
            with writing() as session:
                version_id = request.form.get("form", 0, type=int)
                if version_id not in {v for v, _form in forms.current(session)}:
                    raise service.SessionRefused("form")
                known = {c.id for c in calls.calls(session, limit=CHOICES)}
                made = service.call(
                    session,
                    title=request.form.get("title", ""),
                    form_version_id=version_id,
                    call_ids=[c for c in request.form.getlist("call", type=int) if c in known],
                    user_ids=[
                        u.id for u in _raters(session) if str(u.id) in request.form.getlist("user")
                    ],
                    due_at=_end_of_day(request.form.get("due")),
                    by=person().id,
                    at=now(),
                )
            flash(_("The session is called; everybody invited is told."), "success")
            return redirect(url_for("calibration.session", session_id=made))
        except service.SessionRefused as refused:
            flash(str(FAULTS[str(refused)]), "danger")
    with reading() as session:
        recent = [c for c in calls.calls(session, limit=CHOICES) if not c.is_simulated]
        ready = transcripts.transcribed(session, [c.id for c in recent])
        raters, current = _raters(session), forms.current(session)
    soon = (now().astimezone(wiring().settings.zone) + timedelta(days=7)).date().isoformat()
    page = render_template(
        "calibration/new.html",
        calls=[c for c in recent if c.id in ready],
        raters=raters,
        forms=current,
        typed=request.form,
        soon=soon,
    )
    return (page, 422) if request.method == "POST" else page


@blueprint.get("/calibration/<int:session_id>")
def session(session_id: int) -> str:
    with reading() as database:
        found = _one(database, session_id)
        form = forms.load(database, found.form_version_id)
        own = store.places(database, session_id, person().id)
        shows_all = found.state is not CalibrationState.SCORING
        report, fillings = service.report(database, found, form) if shows_all else (None, [])
    with writing() as database:
        notices.mark_read_about(
            database, person().id, subject="calibration", subject_id=session_id, at=now()
        )
        record_event(
            database,
            subject=Subject.CALIBRATION,
            subject_id=session_id,
            event=EventKind.OPENED,
            at=now(),
            actor_id=person().id,
        )
    return render_template(
        "calibration/session.html",
        found=found,
        form=form,
        own=own,
        report=report,
        tables=_tables(found, fillings),
        manages=_manages(),
        order_of=order_of,
        State=CalibrationState,
    )


@blueprint.post("/calibration/<int:session_id>/review")
def review(session_id: int) -> Response:
    return _change(
        session_id,
        lambda database: service.open_review(
            database, session_id=session_id, by=person().id, at=now()
        ),
        _("Now everybody sees all answers."),
    )


@blueprint.post("/calibration/<int:session_id>/agreed")
def agree(session_id: int) -> Response:
    """`agreed.<call>.<criterion>` = option, empty for unresolved; notes; follow-up."""
    agreed: dict[int, dict[str, str]] = {}
    for key, option in request.form.items():
        kind, _dot, rest = key.partition(".")
        number, _dot, criterion = rest.partition(".")
        if kind == "agreed" and number.isdigit() and option:
            agreed.setdefault(int(number), {})[criterion] = option

    def write(database: Session) -> None:
        form = forms.load(database, _one(database, session_id).form_version_id)
        words = {
            "notes": request.form.get("notes", ""),
            "follow_up": request.form.get("follow_up", ""),
        }
        service.agree(
            database,
            session_id=session_id,
            agreed=agreed,
            form=form,
            by=person().id,
            at=now(),
            **words,
        )

    return _change(session_id, write, _("Saved."))


@blueprint.post("/calibration/<int:session_id>/close")
def close(session_id: int) -> Response:
    return _change(
        session_id,
        lambda database: service.close(database, session_id=session_id, by=person().id, at=now()),
        _("Closed. Nothing changes any more."),
    )


def _change(session_id: int, write: Callable[[Session], None], done: str) -> Response:
    try:
        with writing() as database:
            _one(database, session_id)
            write(database)
        flash(done, "success")
    except service.SessionClosed:
        flash(_("The session has moved on meanwhile; nothing was changed."), "warning")
    return redirect(url_for("calibration.session", session_id=session_id))


def _manages() -> bool:
    return may(person(), Permission.CALL_CALIBRATION)


def _one(database: Session, session_id: int) -> CalibrationSession:
    found = store.session_by_id(database, session_id)
    if found is None or not (_manages() or person().id in {m.user_id for m in found.members}):
        missing()
    return found


def _raters(database: Session) -> list[User]:
    return [
        u
        for u in people.users(database)
        if u.is_active and may(u, Permission.FILL_FORMS) and u.agent_id is None
    ]


def _tables(found: CalibrationSession, fillings: list[RaterAnswers]) -> list[dict[str, object]]:
    """Per call: who answered what, and what is agreed or follows from all answers
    being the same.
    """
    members = {m.user_id for m in found.members}
    out = []
    for c in found.calls:
        of_call = {f.rater_id: f for f in fillings if f.call_id == c.call_id}
        out.append(
            {
                "call": c,
                "by": of_call,
                "agreed": agreed_or_unanimous(
                    c.agreed, [f for r, f in of_call.items() if r in members]
                ),
            }
        )
    return out


def _end_of_day(text: str | None) -> datetime:
    try:
        return day_bounds(date.fromisoformat(text or ""), wiring().settings.zone)[1].astimezone(UTC)
    except (ValueError, OverflowError):
        return now() - timedelta(seconds=1)
