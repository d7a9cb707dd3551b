"""Difficult cases, praise and complaints, guide notes, proposals: written, read, settled."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.cases import rules, service, store
from qa.cases.types import Draft
from qa.notices import store as notices
from qa.people import store as people
from qa.states import CaseKind, CaseState, Role
from qa.web.context import missing, now, person, reading, wiring, writing

blueprint = Blueprint("cases", __name__)
PAGE = 50
NAMES = {
    CaseKind.DIFFICULT: lazy_gettext("Difficult case"),
    CaseKind.PRAISE: lazy_gettext("Praise"),
    CaseKind.COMPLAINT: lazy_gettext("Complaint"),
    CaseKind.GUIDE: lazy_gettext("Guide note"),
    CaseKind.PROPOSAL: lazy_gettext("Proposal to the knowledge base"),
}
FAULTS = {
    "content": lazy_gettext("Write what it is about."),
    "agent": lazy_gettext("Choose the agent."),
    "contact": lazy_gettext("Write whom to answer and how."),
    "due": lazy_gettext("Write by when a reply was promised."),
    "due_past": lazy_gettext("The promised time lies in the past."),
    "decision": lazy_gettext("Write the reason; those concerned read it."),
}


@blueprint.get("/cases")
def listing() -> str:
    kind = _kind(request.args.get("kind"))
    with reading() as session:
        rows = store.cases(
            session,
            person(),
            kind=kind,
            open_only=bool(request.args.get("open")),
            before_id=request.args.get("before", type=int),
            limit=PAGE + 1,
        )
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    given = {k: v for k, v in request.args.items() if v and k != "before"}
    writable = [k for k in CaseKind if person().role in rules.WRITES[k]]
    return render_template(
        "cases/listing.html",
        cases=rows[:PAGE],
        more=more,
        given=given,
        names=NAMES,
        writable=writable,
        now=now(),
    )


@blueprint.route("/cases/new/<kind>", methods=["GET", "POST"])
def write(kind: str) -> Response | str | tuple[str, int]:
    chosen = _kind(kind) or missing()
    if person().role not in rules.WRITES[chosen]:
        missing()
    if request.method == "POST":
        try:
            with writing() as session:
                made = service.write(session, _draft(chosen), by=person(), at=now())
            flash(_("On record. Whoever it concerns is told."), "success")
            return redirect(url_for("cases.case", case_id=made))
        except service.CaseRefused as refused:
            flash(str(FAULTS[str(refused)]), "danger")
        except service.NotCaseOwner:
            missing()
    with reading() as session:
        agents = (
            []
            if person().role is Role.AGENT
            else people.agents(
                session, team_id=person().team_id if person().role is Role.TEAM_LEADER else None
            )
        )
    page = render_template(
        "cases/new.html", kind=chosen, names=NAMES, agents=agents, typed=request.values
    )
    return (page, 422) if request.method == "POST" else page


@blueprint.get("/cases/<int:case_id>")
def case(case_id: int) -> str:
    with reading() as session:
        found = store.case(session, case_id)
        if found is None or not rules.may_read(person(), found):
            missing()
    with writing() as session:
        record_event(
            session,
            subject=Subject.CASE,
            subject_id=case_id,
            event=EventKind.READ,
            at=now(),
            actor_id=person().id,
        )
        notices.mark_read_about(session, person().id, subject="case", subject_id=case_id, at=now())
    return render_template(
        "cases/case.html",
        case=found,
        names=NAMES,
        may_settle=rules.may_settle(person(), found),
        outcomes=rules.OUTCOMES[found.kind],
        State=CaseState,
        now=now(),
    )


@blueprint.post("/cases/<int:case_id>/settle")
def settle(case_id: int) -> Response:
    state = request.form.get("state", "")
    if state not in {s.value for s in CaseState}:
        missing()
    try:
        with writing() as session:
            service.settle(
                session,
                case_id=case_id,
                state=CaseState(state),
                decision=request.form.get("decision", ""),
                by=person(),
                at=now(),
            )
        flash(_("Settled. Those concerned are told."), "success")
    except service.CaseRefused as refused:
        flash(str(FAULTS[str(refused)]), "danger")
    except service.NotCaseOwner:
        missing()
    return redirect(url_for("cases.case", case_id=case_id))


def _kind(text: str | None) -> CaseKind | None:
    return CaseKind(text) if text in {k.value for k in CaseKind} else None


def _draft(kind: CaseKind) -> Draft:
    form = request.form
    return Draft(
        kind=kind,
        content=form.get("content", "")[:8000],
        agent_id=form.get("agent", type=int),
        call_id=form.get("call", type=int),
        criterion=form.get("criterion", "")[:120],
        happened_at=_moment(form.get("happened_at")),
        contact=form.get("contact", "")[:300],
        due_at=_moment(form.get("due_at")),
    )


def _moment(text: str | None) -> datetime | None:
    """A time as a browser's field gives it, in the reporting zone."""
    try:
        return (
            datetime.fromisoformat(text or "")
            .replace(tzinfo=wiring().settings.zone)
            .astimezone(UTC)
        )
    except (ValueError, OverflowError):
        return None
