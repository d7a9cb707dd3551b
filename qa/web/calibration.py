"""Call calibration sessions, show how far people agree, record what they agree on, close them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.calibration import service, store
from qa.calibration.rules import agreed_or_unanimous, order_of
from qa.calibration.types import CalibrationSession, RaterAnswers, SessionFault
from qa.forms import service as forms
from qa.intake import store as calls
from qa.months import day_bounds
from qa.people import store as people
from qa.people.rules import may
from qa.people.types import Permission, User
from qa.states import CalibrationState
from qa.transcription import store as transcripts
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.calibration import AgreementForm, SessionForm

blueprint = Blueprint("calibration", __name__)
CHOICES = 60
FAULT_TEXTS = {
    SessionFault.TITLE: lazy_gettext("Give the session a title."),
    SessionFault.CALLS: lazy_gettext("Choose between 1 and 20 calls."),
    SessionFault.PEOPLE: lazy_gettext("Invite between 2 and 50 people."),
    SessionFault.DUE: lazy_gettext("The day to be ready lies in the past."),
    SessionFault.FORM: lazy_gettext("Choose a form."),
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
                session_id = _call_session(session)
            flash(_("The session is called; everybody invited is told."), "success")
            return redirect(url_for("calibration.session", session_id=session_id))
        except service.SessionRefused as refused:
            flash(str(FAULT_TEXTS[refused.fault]), "danger")
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
        calibration = _visible_session(database, session_id)
        form = forms.load(database, calibration.form_version_id)
        own = store.own_assignments(database, session_id, person().id)
        shows_all = calibration.state is not CalibrationState.SCORING
        report, fillings = service.report(database, calibration, form) if shows_all else (None, [])
    with writing() as database:
        service.record_opening(database, session_id=session_id, by=person().id, at=now())
    return render_template(
        "calibration/session.html",
        calibration=calibration,
        form=form,
        own=own,
        report=report,
        tables=_tables(calibration, fillings),
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
    posted = AgreementForm()

    def write(database: Session) -> None:
        calibration = _visible_session(database, session_id)
        service.agree(
            database,
            session_id=session_id,
            agreed=_agreed_answers(),
            notes=posted.notes.data or "",
            follow_up=posted.follow_up.data or "",
            form=forms.load(database, calibration.form_version_id),
            by=person().id,
            at=now(),
        )

    return _change(session_id, write, _("Saved."))


@blueprint.post("/calibration/<int:session_id>/close")
def close(session_id: int) -> Response:
    return _change(
        session_id,
        lambda database: service.close(database, session_id=session_id, by=person().id, at=now()),
        _("Closed. Nothing changes any more."),
    )


def _call_session(database: Session) -> int:
    """Call a session as posted; only calls and people that the page offered count."""
    posted = SessionForm()
    offered = {c.id for c in calls.calls(database, limit=CHOICES)}
    raters = {u.id for u in _raters(database)}
    return service.call(
        database,
        title=posted.title.data or "",
        form_version_id=posted.form.data or 0,
        call_ids=[i for i in posted.call.data or () if i in offered],
        user_ids=[i for i in posted.user.data or () if i in raters],
        due_at=_end_of_day(posted.due.data),
        by=person().id,
        at=now(),
    )


def _agreed_answers() -> dict[int, dict[str, str]]:
    """Parse `agreed.<call>.<criterion>` = option, empty for unresolved.

    By hand and not by WTForms: the fields are named after the session's calls and its form's
    criteria. The service drops what the form does not know.
    """
    agreed: dict[int, dict[str, str]] = {}
    for key, option in request.form.items():
        field, _dot, rest = key.partition(".")
        call_id, _dot, criterion = rest.partition(".")
        if field == "agreed" and call_id.isdigit() and option:
            agreed.setdefault(int(call_id), {})[criterion] = option
    return agreed


def _change(session_id: int, write: Callable[[Session], None], text: str) -> Response:
    try:
        with writing() as database:
            _visible_session(database, session_id)
            write(database)
        flash(text, "success")
    except service.SessionClosed:
        flash(_("The session has moved on meanwhile; nothing was changed."), "warning")
    return redirect(url_for("calibration.session", session_id=session_id))


def _manages() -> bool:
    return may(person(), Permission.CALL_CALIBRATION)


def _visible_session(database: Session, session_id: int) -> CalibrationSession:
    """Load a session that this person is invited to or manages; else there is no such page."""
    calibration = store.session_by_id(database, session_id) or missing()
    if not _manages() and person().id not in {m.user_id for m in calibration.members}:
        missing()
    return calibration


def _raters(database: Session) -> list[User]:
    return [
        u
        for u in people.users(database)
        if u.is_active and may(u, Permission.FILL_FORMS) and u.agent_id is None
    ]


def _tables(
    calibration: CalibrationSession, fillings: list[RaterAnswers]
) -> list[dict[str, object]]:
    """Tabulate per call who answered what, and what is agreed, if only by being unanimous."""
    members = {m.user_id for m in calibration.members}
    tables: list[dict[str, object]] = []
    for call in calibration.calls:
        by_rater = {f.rater_id: f for f in fillings if f.call_id == call.call_id}
        of_members = [f for rater_id, f in by_rater.items() if rater_id in members]
        agreed = agreed_or_unanimous(call.agreed, of_members)
        tables.append({"call": call, "by": by_rater, "agreed": agreed})
    return tables


def _end_of_day(day: date | None) -> datetime:
    """Return the end of a day in the reporting zone; a moment ago where there is no such day."""
    past = now() - timedelta(seconds=1)
    if day is None:
        return past
    try:
        return day_bounds(day, wiring().settings.zone)[1].astimezone(UTC)
    except (ValueError, OverflowError):
        return past
