"""Show the workbench of a call; save and submit its scorecard."""

import math
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from qa.assignment import service as assignment_service
from qa.assignment import store as assignments
from qa.assignment.types import Assignment
from qa.checking.types import Finding
from qa.forms import service as forms
from qa.forms.rules import open_criteria, partial_score, round_half_up
from qa.forms.types import Form
from qa.scoring import service, store
from qa.scoring.rules import submission_faults
from qa.scoring.types import Answer, Filled, Note
from qa.states import AssignmentKind, AssignmentState
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.assignment import SkipForm
from qa.web.forms_wtf.scoring import DraftForm
from qa.web.workbench_context import WorkbenchContext, findings_of, load_workbench

blueprint = Blueprint("scoring", __name__)


@blueprint.get("/workbench/<int:assignment_id>")
def workbench(assignment_id: int) -> Response | str:
    with reading() as session:
        assignment = assignments.assignment(session, assignment_id) or missing()
    if assignment.state is AssignmentState.WAITING and assignment.reserved_for_id == person().id:
        with writing() as session:  # on their list: opening it takes it
            assignment_service.claim_reserved(
                session,
                assignment_id=assignment_id,
                evaluator_id=person().id,
                lease_minutes=wiring().settings.lease_minutes,
                at=now(),
            )
    with reading() as session:
        assignment = _own_assignment(session, assignment_id)
        card = store.card_of(session, assignment_id)
    if card and assignment.state is AssignmentState.SUBMITTED:
        return _leave(assignment, card.id)
    with writing() as session:
        card = service.open_card(
            session, assignment_id=assignment_id, evaluator_id=person().id, at=now()
        )
    with reading() as session:
        context = load_workbench(session, card)
    return _render(context, card.filled, {})


@blueprint.post("/cards/<int:card_id>/draft")
def save(card_id: int) -> Response | tuple[Response, int]:
    """Autosave everything typed, with the version it was loaded at.

    The running score is computed beforehand: others wait to write only for the save itself.
    """
    form = DraftForm()
    filled = parse_answers(request.form)
    seconds = form.seconds.data or 0.0
    with reading() as session:
        card = store.card(session, card_id) or missing()
        running = _running_score(
            forms.load(session, card.form_version_id),
            filled,
            findings_of(session, card),
            blind=card.is_blind,
        )
    try:
        with writing() as session:
            version = service.save_draft(
                session,
                card_id=card_id,
                evaluator_id=person().id,
                version=form.version.data or 0,
                filled=filled,
                lease_minutes=wiring().settings.lease_minutes,
                at=now(),
                seconds=seconds if math.isfinite(seconds) else 0.0,
            )
    except service.VersionConflict as conflict:
        theirs = conflict.card.filled.model_dump(mode="json")
        return jsonify(conflict=True, version=conflict.card.version, theirs=theirs), 409
    except service.AlreadySubmitted as submitted:
        location = url_for("cards.card", card_id=submitted.card.id)
        return jsonify(submitted=True, location=location), 409
    return jsonify(version=version, **running)


@blueprint.post("/cards/<int:card_id>/submit")
def submit(card_id: int) -> Response | tuple[str, int]:
    filled = parse_answers(request.form)
    with reading() as session:
        card = store.card(session, card_id) or missing()
        form = forms.load(session, card.form_version_id)
        findings = findings_of(session, card)
    try:
        with writing() as session:
            service.submit(
                session,
                card_id=card_id,
                evaluator_id=person().id,
                version=DraftForm().version.data or 0,
                filled=filled,
                form=form,
                findings=findings,
                at=now(),
            )
            assignment = assignments.assignment(session, card.assignment_id) or missing()
    except service.AlreadySubmitted as submitted:
        return redirect(url_for("cards.card", card_id=submitted.card.id))
    except service.SubmissionRefused as refused:
        return _render_again(card_id, filled, refused.faults), 422
    except service.VersionConflict:
        flash(
            _(
                "This card was saved in another window since you loaded it. Below is what you typed"
                " here; check it and submit again."
            ),
            "warning",
        )
        return _render_again(card_id, filled, {}), 409
    reaches_agent = (
        card.kind is AssignmentKind.STANDARD
        and form.release == "at_submission"
        and not form.release_after_days
    )
    flash(
        _("Submitted. The agent can read it now.") if reaches_agent else _("Submitted."), "success"
    )
    return _leave(assignment, card_id, is_new=True)


@blueprint.post("/my/scorecards/<int:card_id>/self-evaluation")
def self_evaluate(card_id: int) -> Response:
    """Let an agent fill the same form for the same call, before reading the answers or after."""
    with writing() as session:
        assignment_id = service.start_self_evaluation(
            session,
            card_id=card_id,
            by=person(),
            lease_minutes=wiring().settings.lease_minutes,
            due_days=wiring().settings.score_due_days,
            at=now(),
        )
    return redirect(url_for("scoring.workbench", assignment_id=assignment_id))


def _leave(assignment: Assignment, card_id: int, *, is_new: bool = False) -> Response:
    """Redirect from a submitted form to where one goes on."""
    if assignment.kind is AssignmentKind.CALIBRATION:
        session_id = int(assignment.occasion.split(":")[1])
        return redirect(url_for("calibration.session", session_id=session_id))
    if assignment.kind is AssignmentKind.SELF or not is_new:
        return redirect(url_for("cards.card", card_id=card_id))
    return redirect(url_for("assignment.queue"))


def _own_assignment(session: Session, assignment_id: int) -> Assignment:
    """Load an assignment that this person holds or has submitted; else there is no such page."""
    assignment = assignments.assignment(session, assignment_id)
    if (
        assignment is None
        or assignment.state not in (AssignmentState.CLAIMED, AssignmentState.SUBMITTED)
        or assignment.evaluator_id != person().id
    ):
        missing()
    return assignment


def _render(context: WorkbenchContext, filled: Filled, faults: dict[str, str]) -> str:
    return render_template(
        "scoring/workbench.html",
        workbench=context,
        filled=filled,
        faults=faults,
        running=_running_score(context.form, filled, context.findings, blind=context.is_blind),
        is_open=open_criteria(context.form, filled.options),
        skip_form=SkipForm(),
    )


def _render_again(card_id: int, filled: Filled, faults: dict[str, str]) -> str:
    """Render the workbench with everything that was typed, and what is still missing."""
    with reading() as session:
        card = store.card(session, card_id) or missing()
        _own_assignment(session, card.assignment_id)
        context = load_workbench(session, card)
    return _render(context, filled, faults)


def _running_score(
    form: Form, filled: Filled, findings: dict[str, Finding], *, blind: bool
) -> dict[str, Any]:
    """Compute the running score, what is open, and what submission would refuse."""
    criteria = {c.id for c in form.criteria()}
    options = {c: o for c, o in filled.options.items() if c in criteria}
    breakdown = partial_score(form, options)
    is_open = open_criteria(form, options)
    return {
        "score": round_half_up(breakdown.score),
        "without_fails": round_half_up(breakdown.score_without_fails),
        "answered": sum(is_open[c] and c in options for c in criteria),
        "of": sum(is_open.values()),
        "faults": submission_faults(form, filled, findings, blind=blind),
        "open": [criterion for criterion, applies in is_open.items() if applies],
    }


def parse_answers(posted: "MultiDict[str, str]") -> Filled:
    """Parse a posted card: `answer.<criterion>`, `comment.…`, `reason.…`, `accepted.…`, `note`.

    By hand and not by WTForms: the fields are named after the criteria of the form at hand, and
    `Filled` validates them. A note is `<seconds>|<text>`. What no card can hold is a bad request.
    """
    answers: dict[str, dict[str, Any]] = {}
    for key, value in posted.items():
        field, _dot, criterion = key.partition(".")
        if field in ("answer", "comment", "reason", "accepted") and criterion:
            answer = answers.setdefault(criterion, {})
            if field == "accepted":
                answer["accepted"] = value == "1"
            else:
                answer["option" if field == "answer" else field] = value
    notes = []
    for value in posted.getlist("note"):
        seconds, _bar, text = value.partition("|")
        if text.strip():
            notes.append({"at": seconds, "text": text})
    try:
        return Filled(
            answers={
                criterion: Answer(**answer)
                for criterion, answer in answers.items()
                if answer.get("option") or answer.get("comment") or answer.get("reason")
            },
            notes=[Note.model_validate(note) for note in notes],
            summary=posted.get("summary", ""),
        )
    except ValidationError:
        abort(400)
