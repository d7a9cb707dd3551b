"""Targets and improvement measures: set, agreed, seen through."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.forms import service as forms
from qa.intake.service import parse_day
from qa.people import store as people
from qa.people.rules import may
from qa.people.types import Permission
from qa.states import ImprovementActionState, Indicator, ScopeKind
from qa.targets import service, store
from qa.targets.types import ImprovementActionDraft, TargetDraft
from qa.web.context import now, person, reading, today, writing
from qa.web.reporting import latest_month, report_document

blueprint = Blueprint("targets", __name__)
INDICATORS = {
    Indicator.QUALITY: lazy_gettext("Quality (0–100), at least"),
    Indicator.CRITICAL: lazy_gettext("Critical breaches (percent of calls), at most"),
    Indicator.CRITERION: lazy_gettext("Points kept on a criterion (percent), at least"),
    Indicator.SATISFACTION: lazy_gettext("Customers’ ratings (0–100), at least"),
}
FAULTS = {
    "value": lazy_gettext("A target lies between 0 and 100."),
    "month": lazy_gettext("Write months like 2026-11."),
    "order": lazy_gettext("The last month lies before the first."),
    "scope": lazy_gettext("Choose whom the target is for."),
    "criterion": lazy_gettext("Choose a criterion for this indicator, and none for the others."),
    "unknown": lazy_gettext("There is no such target any more."),
    "title": lazy_gettext("Write what is to be done."),
    "owner": lazy_gettext("A measure that is agreed has an owner and a date."),
    "result": lazy_gettext("Write what came of it."),
    "moved": lazy_gettext("Somebody has moved this measure on meanwhile."),
}


@blueprint.get("/targets")
def listing() -> str:
    return _page(request.args)  # a weak point of the month, to be made a measure


@blueprint.post("/targets")
def set_target() -> Response | tuple[str, int]:
    given = request.form
    try:
        with writing() as session:
            service.set_target(session, _target(given), by=person().id, at=now())
    except service.TargetRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
        return _page(given), 422
    flash(_("Set. Reports of these months hold their figures against it."), "success")
    return redirect(url_for("targets.listing"))


@blueprint.post("/targets/<int:target_id>/end")
def end_target(target_id: int) -> Response:
    try:
        with writing() as session:
            service.end_target(
                session,
                target_id=target_id,
                last_month=request.form.get("last_month", ""),
                by=person().id,
                at=now(),
            )
    except service.TargetRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
    return redirect(url_for("targets.listing"))


@blueprint.post("/measures")
def add_action() -> Response | tuple[str, int]:
    given = request.form
    try:
        with writing() as session:
            service.add_action(
                session,
                _measure(given),
                is_agreed="agree" in given and may(person(), Permission.SET_TARGETS),
                by=person().id,
                at=now(),
            )
    except service.ActionRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
        return _page(given), 422
    flash(_("Written down. Its effect stands in the monthly reports."), "success")
    return redirect(url_for("targets.listing"))


@blueprint.post("/measures/<int:measure_id>")
def move_action(measure_id: int) -> Response:
    given = request.form
    try:
        with writing() as session:
            to, owner, due = (
                ImprovementActionState(given.get("to", "")),
                given.get("owner", type=int),
                parse_day(given.get("due_on")),
            )
            service.move_action(
                session,
                action_id=measure_id,
                to=to,
                result=given.get("result", ""),
                on=today(),
                by=person().id,
                at=now(),
                owner_id=owner,
                due_on=due,
            )
    except service.ActionRefused as error:
        flash(str(FAULTS[str(error)]), "danger")
    except ValueError:
        flash(str(FAULTS["moved"]), "danger")
    return redirect(url_for("targets.listing"))


def _page(given: Mapping[str, Any]) -> str:
    with reading() as session:
        month = latest_month(session)
        titles, _topics = forms.vocabulary(session)
        document = report_document(session, month, _own_project(), None)
        shown = {
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
        given=given,
        can_write=may(person(), Permission.SET_TARGETS),
        today=today(),
        **shown,
    )


def _own_project() -> str | None:
    if person().sees_all_projects:
        return None
    with reading() as session:
        return next((code for code, _name in people.projects(session)), "–")


def _target(given: Mapping[str, Any]) -> TargetDraft:
    try:
        indicator = Indicator(given.get("indicator", ""))
        value = float(str(given.get("value", "")).replace(",", "."))
    except ValueError as error:
        raise service.TargetRefused("value") from error
    scope, scope_id = _scope(given)
    share = indicator in (Indicator.CRITICAL, Indicator.CRITERION)
    return TargetDraft(
        indicator,
        scope,
        scope_id,
        value / 100 if share else value,
        given.get("first_month", ""),
        given.get("last_month", ""),
        given.get("criterion", ""),
    )


def _measure(given: Mapping[str, Any]) -> ImprovementActionDraft:
    scope, scope_id = _scope(given)
    expected = str(given.get("expected", "")).replace(",", ".")
    try:
        points = float(expected) if expected else None
    except ValueError:
        points = None
    owner = str(given.get("owner", ""))
    return ImprovementActionDraft(
        title=given.get("title", "").strip()[:200],
        month=given.get("month", ""),
        scope=scope,
        scope_id=scope_id,
        detail=given.get("detail", "").strip()[:4000],
        criterion=given.get("criterion", ""),
        owner_id=int(owner) if owner.isdigit() else None,
        due_on=parse_day(given.get("due_on")),
        expected=points,
    )


def _scope(given: Mapping[str, Any]) -> tuple[ScopeKind, int | None]:
    """A scope as the select gives it: "whole", or "team:12"."""
    kind, _colon, number = str(given.get("scope", "whole")).partition(":")
    known = {k.value for k in ScopeKind}
    return (
        (ScopeKind(kind), int(number) if number.isdigit() else None)
        if kind in known
        else (ScopeKind.WHOLE, None)
    )
