"""The workbench: a call, its transcript, the automatic answers, and the form to fill."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from qa.assignment import service as assignment
from qa.assignment import store as queue
from qa.assignment.rules import lease_end
from qa.assignment.service import NotHeld
from qa.assignment.types import Assignment
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.checking import store as findings_store
from qa.checking.types import Finding, Findings
from qa.forms import service as forms
from qa.forms.rules import open_criteria, partial_score, round_half_up
from qa.forms.types import Form
from qa.intake import store as calls
from qa.intake.types import CallFacts
from qa.sampling import store as draws
from qa.scoring import service, store
from qa.scoring.rules import automatic_option, submission_faults
from qa.scoring.types import Answer, Card, Filled, Note
from qa.states import AssignmentKind, AssignmentState, ScorecardState
from qa.transcription import store as transcripts
from qa.transcription.types import Corrections, Mechanics, Transcript
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.stages import SkipForm
from qa.web.waveform import marks

blueprint = Blueprint("scoring", __name__)


@dataclass(frozen=True)
class WorkbenchContext:
    """Everything the workbench lays out for one call."""

    place: Assignment
    call: CallFacts
    form: Form
    card: Card
    transcript: Transcript | None
    mechanics: Mechanics | None
    findings: dict[str, Finding]
    result: Findings | None
    drawn: list[Any]
    corrections: Corrections

    @property
    def is_blind(self) -> bool:
        """Whether the automatic answers are hidden: until a blind card is submitted."""
        return self.card.is_blind and self.card.state is ScorecardState.DRAFT

    @property
    def names_agent(self) -> bool:
        """Whether the agent's name is shown: not while people score for a calibration, so that
        nobody scores a name.
        """
        return (
            self.place.kind is not AssignmentKind.CALIBRATION
            or self.card.state is not ScorecardState.DRAFT
        )

    def suggestion(self, criterion_id: str) -> str | None:
        criterion = self.form.criterion(criterion_id)
        return (
            automatic_option(self.findings.get(criterion_id), criterion)
            if criterion and not self.is_blind
            else None
        )

    def shown(self, criterion_id: str) -> Finding | None:
        """The automatic answer as far as this person may see it."""
        return None if self.is_blind else self.findings.get(criterion_id)


@blueprint.get("/workbench/<int:assignment_id>")
def workbench(assignment_id: int) -> Response | str:
    with reading() as session:
        place = queue.assignment(session, assignment_id)
    if place and place.state is AssignmentState.WAITING and place.reserved_for_id == person().id:
        with writing() as session:  # on their list: opening it takes it
            queue.claim(
                session,
                assignment_id,
                evaluator_id=person().id,
                now=now(),
                lease_until=lease_end(now(), wiring().settings.lease_minutes),
            )
    with reading() as session:
        place = _held(session, assignment_id)
        card = store.card_of(session, assignment_id)
    if card and place.state is AssignmentState.SUBMITTED:
        return _after(place, card.id)
    with writing() as session:
        card = service.open_card(
            session, assignment_id=assignment_id, evaluator_id=person().id, at=now()
        )
        record_event(
            session,
            subject=Subject.CALL,
            subject_id=place.call_id,
            event=EventKind.OPENED,
            at=now(),
            actor_id=person().id,
        )
    with reading() as session:
        desk = load_workbench(session, place, card)
    return _workbench(desk, card.filled, {})


@blueprint.post("/cards/<int:card_id>/draft")
def save(card_id: int) -> Response | tuple[Response, int]:
    """Autosave: everything typed, with the version it was loaded at.

    Only the two changes are made while others wait to write.
    """
    filled, version = _typed()
    seconds = request.form.get("seconds", default=0.0, type=float)
    seconds = seconds if math.isfinite(seconds) else 0.0
    with reading() as session:
        card = store.card(session, card_id) or missing()
        running = _running(
            forms.load(session, card.form_version_id),
            filled,
            findings_of(session, card),
            blind=card.is_blind,
        )
    until = lease_end(now(), wiring().settings.lease_minutes)
    try:
        with writing() as session:
            new_version = service.save_draft(
                session,
                card_id=card_id,
                evaluator_id=person().id,
                version=version,
                filled=filled,
                seconds=seconds,
            )
            if not queue.renew(
                session, card.assignment_id, evaluator_id=person().id, lease_until=until
            ):
                raise NotHeld
    except service.VersionConflict as other:
        return (
            jsonify(
                conflict=True,
                version=other.card.version,
                theirs=other.card.filled.model_dump(mode="json"),
            ),
            409,
        )
    except service.AlreadySubmitted as done:
        return jsonify(submitted=True, location=url_for("cards.card", card_id=done.card.id)), 409
    return jsonify(version=new_version, **running)


@blueprint.post("/cards/<int:card_id>/submit")
def submit(card_id: int) -> Response | tuple[str, int]:
    filled, version = _typed()
    with reading() as session:
        card = store.card(session, card_id) or missing()
        form, findings = forms.load(session, card.form_version_id), findings_of(session, card)
    try:
        with writing() as session:
            service.submit(
                session,
                card_id=card_id,
                evaluator_id=person().id,
                version=version,
                filled=filled,
                form=form,
                findings=findings,
                at=now(),
            )
            if not queue.finish(
                session,
                card.assignment_id,
                evaluator_id=person().id,
                to=AssignmentState.SUBMITTED,
                at=now(),
            ):
                raise NotHeld
            place = queue.assignment(session, card.assignment_id) or missing()
    except service.AlreadySubmitted as done:
        return redirect(url_for("cards.card", card_id=done.card.id))
    except service.SubmissionRefused as refused:
        return _again(card_id, filled, refused.faults), 422
    except service.VersionConflict:
        flash(
            _(
                "This card was saved in another window since you loaded it. Below is what you typed"
                " here; check it and submit again."
            ),
            "warning",
        )
        return _again(card_id, filled, {}), 409
    reaches_agent = (
        card.kind is AssignmentKind.STANDARD
        and form.release == "at_submission"
        and not form.release_after_days
    )
    flash(
        _("Submitted. The agent can read it now.") if reaches_agent else _("Submitted."), "success"
    )
    return _after(place, card_id, is_new=True)


@blueprint.post("/my/scorecards/<int:card_id>/self-evaluation")
def self_evaluate(card_id: int) -> Response:
    """An agent fills the same form for the same call, before reading the evaluator's answers or
    after.
    """
    with writing() as session:
        card = store.card(session, card_id)
        if (
            card is None
            or card.agent_id != person().agent_id
            or not card.is_released
            or card.kind is not AssignmentKind.STANDARD
        ):
            missing()
        minutes, occasion = wiring().settings.lease_minutes, f"self:{person().id}"
        due_at = now() + timedelta(days=wiring().settings.score_due_days)
        assignment.claim_for(
            session,
            call_id=card.call_id,
            form_version_id=card.form_version_id,
            user_id=person().id,
            kind=AssignmentKind.SELF,
            occasion=occasion,
            lease_minutes=minutes,
            due_at=due_at,
            at=now(),
        )
        place_id = (
            queue.assignment_id_for(
                session,
                call_id=card.call_id,
                form_version_id=card.form_version_id,
                occasion=occasion,
            )
            or missing()
        )
    return redirect(url_for("scoring.workbench", assignment_id=place_id))


def _after(place: Assignment, card_id: int, *, is_new: bool = False) -> Response:
    """Where one goes from a submitted form."""
    if place.kind is AssignmentKind.CALIBRATION:
        return redirect(
            url_for("calibration.session", session_id=int(place.occasion.split(":")[1]))
        )
    if place.kind is AssignmentKind.SELF or not is_new:
        return redirect(url_for("cards.card", card_id=card_id))
    return redirect(url_for("assignment.queue"))


def _held(session: Session, assignment_id: int) -> Assignment:
    place = queue.assignment(session, assignment_id)
    if (
        place is None
        or place.state not in (AssignmentState.CLAIMED, AssignmentState.SUBMITTED)
        or place.evaluator_id != person().id
    ):
        missing()
    return place


def load_workbench(session: Session, place: Assignment, card: Card) -> WorkbenchContext:
    call = calls.call(session, place.call_id) or missing()
    heard = transcripts.transcript(session, place.call_id)
    result = findings_store.result(session, place.call_id, place.form_version_id)
    form = forms.load(session, place.form_version_id)
    findings = {f.criterion: f for f in result.findings} if result else {}
    drawn = draws.why_drawn(session, place.call_id)
    corrections = transcripts.corrections(session, place.call_id)
    return WorkbenchContext(
        place,
        call,
        form,
        card,
        heard[0] if heard else None,
        heard[1] if heard else None,
        findings,
        result,
        drawn,
        corrections,
    )


def findings_of(session: Session, card: Card) -> dict[str, Finding]:
    result = findings_store.result(session, card.call_id, card.form_version_id)
    return {f.criterion: f for f in result.findings} if result else {}


def _workbench(desk: WorkbenchContext, filled: Filled, faults: dict[str, str]) -> str:
    running = _running(desk.form, filled, desk.findings, blind=desk.is_blind)
    is_open = open_criteria(desk.form, filled.options)
    return render_template(
        "scoring/workbench.html",
        desk=desk,
        filled=filled,
        faults=faults,
        running=running,
        is_open=is_open,
        skip_form=SkipForm(),
        marks=marks(desk.mechanics, desk.transcript.redactions if desk.transcript else ()),
    )


def _again(card_id: int, filled: Filled, faults: dict[str, str]) -> str:
    """The workbench with everything that was typed, and what is still missing."""
    with reading() as session:
        found = store.card(session, card_id) or missing()
        desk = load_workbench(session, _held(session, found.assignment_id), found)
    return _workbench(desk, filled, faults)


def _running(
    form: Form, filled: Filled, findings: dict[str, Finding], *, blind: bool
) -> dict[str, Any]:
    """The running score, what is open, and what submission would refuse."""
    known = {c.id for c in form.criteria()}
    options = {c: o for c, o in filled.options.items() if c in known}
    breakdown = partial_score(form, options)
    is_open = open_criteria(form, options)
    faults = submission_faults(form, filled, findings, blind=blind)
    answered = sum(is_open[c] and c in options for c in known)
    return {
        "score": round_half_up(breakdown.score),
        "without_fails": round_half_up(breakdown.score_without_fails),
        "answered": answered,
        "of": sum(is_open.values()),
        "faults": faults,
        "open": [c for c, yes in is_open.items() if yes],
    }


def _typed() -> tuple[Filled, int]:
    """The posted card: `answer.<criterion>`, `comment.…`, `reason.…`, `accepted.…`,
    `note.<seconds>`, `summary`, `version`.
    """
    return _filled(request.form), request.form.get("version", default=0, type=int)


def _filled(posted: "MultiDict[str, str]") -> Filled:
    answers: dict[str, dict[str, Any]] = {}
    for key, value in posted.items():
        kind, _dot, criterion = key.partition(".")
        if kind in ("answer", "comment", "reason", "accepted") and criterion:
            fields = answers.setdefault(criterion, {})
            fields["option" if kind == "answer" else kind] = (
                value == "1" if kind == "accepted" else value
            )
    notes = []
    for value in posted.getlist("note"):
        at, _bar, text = value.partition("|")
        notes.append({"at": at, "text": text})
    try:
        return Filled(
            answers={
                c: Answer(**f)
                for c, f in answers.items()
                if f.get("option") or f.get("comment") or f.get("reason")
            },
            notes=[Note.model_validate(n) for n in notes if n["text"].strip()],
            summary=posted.get("summary", ""),
        )
    except ValidationError:
        abort(400)
