"""Write, read and settle cases: difficult calls, praise, complaints, guide notes, proposals."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.cases import rules, service, store
from qa.cases.types import CaseFault, Draft
from qa.people import store as people
from qa.states import CaseKind, CaseState, Role
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.cases import CaseForm, SettleForm

blueprint = Blueprint("cases", __name__)
PAGE = 50
NAMES = {
    CaseKind.DIFFICULT: lazy_gettext("Difficult case"),
    CaseKind.PRAISE: lazy_gettext("Praise"),
    CaseKind.COMPLAINT: lazy_gettext("Complaint"),
    CaseKind.GUIDE: lazy_gettext("Guide note"),
    CaseKind.PROPOSAL: lazy_gettext("Proposal to the knowledge base"),
}
FAULT_TEXTS = {
    CaseFault.CONTENT: lazy_gettext("Write what it is about."),
    CaseFault.AGENT: lazy_gettext("Choose the agent."),
    CaseFault.CONTACT: lazy_gettext("Write whom to answer and how."),
    CaseFault.DUE: lazy_gettext("Write by when a reply was promised."),
    CaseFault.DUE_PAST: lazy_gettext("The promised time lies in the past."),
    CaseFault.DECISION: lazy_gettext("Write the reason; those concerned read it."),
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
    filters = {k: v for k, v in request.args.items() if v and k != "before"}
    writable = [k for k in CaseKind if person().role in rules.WRITES[k]]
    return render_template(
        "cases/listing.html",
        cases=rows[:PAGE],
        more=more,
        filters=filters,
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
                case_id = service.write(session, _draft(chosen), by=person(), at=now())
            flash(_("On record. Whoever it concerns is told."), "success")
            return redirect(url_for("cases.case", case_id=case_id))
        except service.CaseRefused as refused:
            flash(str(FAULT_TEXTS[refused.fault]), "danger")
        except service.NotCaseOwner:
            missing()
    with reading() as session:
        agents = []
        if person().role is not Role.AGENT:
            team_id = person().team_id if person().role is Role.TEAM_LEADER else None
            agents = people.agents(session, team_id=team_id)
    page = render_template(
        "cases/new.html", kind=chosen, names=NAMES, agents=agents, typed=request.values
    )
    return (page, 422) if request.method == "POST" else page


@blueprint.get("/cases/<int:case_id>")
def case(case_id: int) -> str:
    try:
        with writing() as session:
            read = service.read(session, case_id=case_id, by=person(), at=now())
    except service.NotCaseOwner:
        missing()
    return render_template(
        "cases/case.html",
        case=read,
        names=NAMES,
        may_settle=rules.may_settle(person(), read),
        outcomes=rules.OUTCOMES[read.kind],
        State=CaseState,
        now=now(),
    )


@blueprint.post("/cases/<int:case_id>/settle")
def settle(case_id: int) -> Response:
    form = SettleForm()
    if not form.validate_on_submit():
        missing()
    try:
        with writing() as session:
            service.settle(
                session,
                case_id=case_id,
                state=CaseState(form.state.data),
                decision=form.decision.data or "",
                by=person(),
                at=now(),
            )
        flash(_("Settled. Those concerned are told."), "success")
    except service.CaseRefused as refused:
        flash(str(FAULT_TEXTS[refused.fault]), "danger")
    except service.NotCaseOwner:
        missing()
    return redirect(url_for("cases.case", case_id=case_id))


def _kind(text: str | None) -> CaseKind | None:
    return CaseKind(text) if text in {k.value for k in CaseKind} else None


def _draft(kind: CaseKind) -> Draft:
    form = CaseForm()
    return Draft(
        kind=kind,
        content=(form.content.data or "")[:8000],
        agent_id=form.agent.data,
        call_id=form.call.data,
        criterion=(form.criterion.data or "")[:120],
        happened_at=_in_utc(form.happened_at.data),
        contact=(form.contact.data or "")[:300],
        due_at=_in_utc(form.due_at.data),
    )


def _in_utc(local: datetime | None) -> datetime | None:
    """Take the time of a browser's field as one in the reporting zone; None where there is none."""
    if local is None:
        return None
    try:
        return local.replace(tzinfo=wiring().settings.zone).astimezone(UTC)
    except OverflowError:
        return None
