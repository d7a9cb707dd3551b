"""Pages of targets and improvement measures: set, agree, follow up."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.forms import service as forms
from qa.people import store as people
from qa.people.rules import may
from qa.people.types import Permission
from qa.states import ImprovementActionState, Indicator
from qa.targets import service, store
from qa.targets.types import ActionFault, ImprovementActionDraft, TargetDraft, TargetFault
from qa.web.context import now, person, reading, today, writing
from qa.web.forms_wtf.targets import EndTargetForm, MeasureForm, MoveMeasureForm, TargetForm
from qa.web.month_report import latest_month, report_document

blueprint = Blueprint("targets", __name__)
INDICATORS = {
    Indicator.QUALITY: lazy_gettext("Quality (0–100), at least"),
    Indicator.CRITICAL: lazy_gettext("Critical breaches (percent of calls), at most"),
    Indicator.CRITERION: lazy_gettext("Points kept on a criterion (percent), at least"),
    Indicator.SATISFACTION: lazy_gettext("Customers’ ratings (0–100), at least"),
}
FAULTS = {
    TargetFault.VALUE: lazy_gettext("A target lies between 0 and 100."),
    TargetFault.MONTH: lazy_gettext("Write months like 2026-11."),
    TargetFault.ORDER: lazy_gettext("The last month lies before the first."),
    TargetFault.SCOPE: lazy_gettext("Choose whom the target is for."),
    TargetFault.CRITERION: lazy_gettext(
        "Choose a criterion for this indicator, and none for the others."
    ),
    TargetFault.UNKNOWN: lazy_gettext("There is no such target any more."),
    ActionFault.TITLE: lazy_gettext("Write what is to be done."),
    ActionFault.OWNER: lazy_gettext("A measure that is agreed has an owner and a date."),
    ActionFault.RESULT: lazy_gettext("Write what came of it."),
    ActionFault.MOVED: lazy_gettext("Somebody has moved this measure on meanwhile."),
}


@blueprint.get("/targets")
def listing() -> str:
    """List targets and measures; the address may hold a weak point, to be made a measure."""
    return _page(request.args)


@blueprint.post("/targets")
def set_target() -> Response | tuple[str, int]:
    """Set a target."""
    try:
        with writing() as session:
            service.set_target(session, _target(TargetForm()), by=person().id, at=now())
    except service.TargetRefused as error:
        flash(str(FAULTS[error.fault]), "danger")
        return _page(request.form), 422
    flash(_("Set. Reports of these months hold their figures against it."), "success")
    return redirect(url_for("targets.listing"))


@blueprint.post("/targets/<int:target_id>/end")
def end_target(target_id: int) -> Response:
    """End a target with a month."""
    form = EndTargetForm()
    try:
        with writing() as session:
            service.end_target(
                session,
                target_id=target_id,
                last_month=form.last_month.data or "",
                by=person().id,
                at=now(),
            )
    except service.TargetRefused as error:
        flash(str(FAULTS[error.fault]), "danger")
    return redirect(url_for("targets.listing"))


@blueprint.post("/measures")
def add_action() -> Response | tuple[str, int]:
    """Add an improvement measure, agreed on where the role may and the button says so."""
    form = MeasureForm()
    is_agreed = form.agree.data is not None and may(person(), Permission.SET_TARGETS)
    try:
        with writing() as session:
            service.add_action(
                session, _measure(form), is_agreed=is_agreed, by=person().id, at=now()
            )
    except service.ActionRefused as error:
        flash(str(FAULTS[error.fault]), "danger")
        return _page(request.form), 422
    flash(_("Written down. Its effect stands in the monthly reports."), "success")
    return redirect(url_for("targets.listing"))


@blueprint.post("/measures/<int:measure_id>")
def move_action(measure_id: int) -> Response:
    """Agree on a measure, finish it or drop it."""
    form = MoveMeasureForm()
    form.validate()
    try:
        if form.to.errors:
            raise service.ActionRefused(ActionFault.MOVED)
        with writing() as session:
            service.move_action(
                session,
                action_id=measure_id,
                to=ImprovementActionState(form.to.data),
                result=form.result.data or "",
                on=today(),
                by=person().id,
                at=now(),
                owner_id=form.owner.data,
                due_on=form.due_on.data,
            )
    except service.ActionRefused as error:
        flash(str(FAULTS[error.fault]), "danger")
    return redirect(url_for("targets.listing"))


def _page(typed: Mapping[str, Any]) -> str:
    """Render targets and measures, with what was typed where it was refused."""
    with reading() as session:
        month = latest_month(session)
        titles, _topics = forms.vocabulary(session)
        document = report_document(session, month, _own_project(), None)
        rows = {
            "targets": store.targets(session),
            "measures": store.actions(session),
            "scopes": store.scopes(session),
            "owners": [u for u in people.users(session) if u.is_active],
        }
    weak = [c for c in document["criteria"] if c.get("points_lost")][:5]
    lines = {t["id"]: t for t in document.get("targets", [])}
    return render_template(
        "targets/listing.html",
        month=month,
        titles=titles,
        lines=lines,
        weak=weak,
        indicators=INDICATORS,
        given=typed,
        can_write=may(person(), Permission.SET_TARGETS),
        today=today(),
        **rows,
    )


def _own_project() -> str | None:
    if person().sees_all_projects:
        return None
    with reading() as session:
        return next((code for code, _name in people.projects(session)), "–")


def _target(form: TargetForm) -> TargetDraft:
    """Read a target from its form. Raises TargetRefused."""
    form.validate()
    if form.indicator.errors or form.value.errors or form.value.data is None:
        raise service.TargetRefused(TargetFault.VALUE)
    if form.first_month.data is None:
        raise service.TargetRefused(TargetFault.MONTH)
    indicator, value = Indicator(form.indicator.data), form.value.data
    is_share = indicator in (Indicator.CRITICAL, Indicator.CRITERION)
    scope, scope_id = form.scope.scope
    return TargetDraft(
        indicator,
        scope,
        scope_id,
        value / 100 if is_share else value,
        form.first_month.data,
        form.last_month.data or "",
        form.criterion.data or "",
    )


def _measure(form: MeasureForm) -> ImprovementActionDraft:
    """Read a measure from its form; a number or day that cannot be read is left out.

    Raises ActionRefused.
    """
    if form.month.data is None:
        raise service.ActionRefused(ActionFault.TITLE)
    scope, scope_id = form.scope.scope
    return ImprovementActionDraft(
        title=form.title.data or "",
        month=form.month.data,
        scope=scope,
        scope_id=scope_id,
        detail=form.detail.data or "",
        criterion=form.criterion.data or "",
        owner_id=form.owner.data,
        due_on=form.due_on.data,
        expected=form.expected.data,
    )
