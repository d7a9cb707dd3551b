"""The workbench, and scorecards as their readers see them."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from qa.assignment import store as queue
from qa.assignment.rules import lease_end
from qa.assignment.service import NotHeld
from qa.assignment.types import AssignmentState, Place
from qa.audit.store import history, note
from qa.audit.types import Subject
from qa.checking import store as findings_store
from qa.checking.types import Finding, Findings
from qa.forms import service as forms
from qa.forms.rules import ScoreBreakdown, open_criteria, partial_score, shown
from qa.forms.types import Form
from qa.intake import store as calls
from qa.intake.types import CallFacts
from qa.people.rules import may_read_card
from qa.people.types import Role
from qa.sampling import store as draws
from qa.scoring import service, store
from qa.scoring.rules import automatic_option, submission_faults
from qa.scoring.types import Answer, Card, Filled, Note, ScorecardState
from qa.transcription import store as transcripts
from qa.transcription.types import Mechanics, Transcript
from qa.web.current import missing, now, person, reading, wiring, writing
from qa.web.inputs.stages import SkipForm
from qa.web.listening import marks

blueprint = Blueprint("scoring", __name__)
PAGE = 50


@dataclass(frozen=True)
class Desk:
    """Everything the workbench lays out for one call."""

    place: Place
    call: CallFacts
    form: Form
    card: Card
    transcript: Transcript | None
    mechanics: Mechanics | None
    findings: dict[str, Finding]
    result: Findings | None
    drawn: list[Any]

    def suggestion(self, criterion_id: str) -> str | None:
        criterion = self.form.criterion(criterion_id)
        return automatic_option(self.findings.get(criterion_id), criterion) if criterion else None


@blueprint.get("/workbench/<int:assignment_id>")
def workbench(assignment_id: int) -> Response | str:
    with writing() as session:
        place = _held(session, assignment_id)
        if place.state is AssignmentState.SUBMITTED:
            card = store.card_of(session, assignment_id)
            return redirect(url_for("scoring.card", card_id=card.id if card else 0))
        card = service.open_card(session, assignment_id=assignment_id, evaluator_id=person().id, at=now())
        note(session, subject=Subject.CALL, subject_id=place.call_id, what="opened", at=now(), actor_id=person().id)
    with reading() as session:
        desk = _desk(session, place, card)
    return _workbench(desk, card.filled, {})


@blueprint.post("/cards/<int:card_id>/draft")
def save(card_id: int) -> Response | tuple[Response, int]:
    """Autosave: everything typed, with the version it was loaded at."""
    filled, version = _typed()
    try:
        with writing() as session:
            card = store.card(session, card_id) or missing()
            new_version = service.save_draft(session, card_id=card_id, evaluator_id=person().id, version=version, filled=filled)
            until = lease_end(now(), wiring().settings.lease_minutes)
            if not queue.renew(session, card.assignment_id, evaluator_id=person().id, lease_until=until):
                raise NotHeld
            form = forms.load(session, card.form_version_id)
            findings = _findings(session, card)
    except service.SavedElsewhere as other:
        return jsonify(conflict=True, version=other.card.version, theirs=other.card.filled.model_dump(mode="json")), 409
    except service.AlreadySubmitted as done:
        return jsonify(submitted=True, location=url_for("scoring.card", card_id=done.card.id)), 409
    return jsonify(version=new_version, **_running(form, filled, findings))


@blueprint.post("/cards/<int:card_id>/submit")
def submit(card_id: int) -> Response | tuple[str, int]:
    filled, version = _typed()
    try:
        with writing() as session:
            card = store.card(session, card_id) or missing()
            form, findings = forms.load(session, card.form_version_id), _findings(session, card)
            service.submit(session, card_id=card_id, evaluator_id=person().id, version=version, filled=filled, form=form, findings=findings, at=now())
            if not queue.finish(session, card.assignment_id, evaluator_id=person().id, to=AssignmentState.SUBMITTED, at=now()):
                raise NotHeld
    except service.AlreadySubmitted as done:
        return redirect(url_for("scoring.card", card_id=done.card.id))
    except service.SubmissionRefused as refused:
        return _again(card_id, filled, refused.faults), 422
    except service.SavedElsewhere:
        flash(_("This card was saved in another window since you loaded it. Below is what you typed here; check it and submit again."), "warning")
        return _again(card_id, filled, {}), 409
    flash(_("Submitted. The agent can read it now.") if form.release == "at_submission" else _("Submitted."), "success")
    return redirect(url_for("assignment.queue"))


@blueprint.get("/cards")
def cards() -> str:
    role = person().role
    with reading() as session:
        rows = store.cards(
            session,
            team_id=person().team_id if role is Role.TEAM_LEADER else None,
            evaluator_id=person().id if role is Role.EVALUATOR else None,
            agent_id=request.args.get("agent", type=int),
            only_released=role not in (Role.QA_MANAGER, Role.EVALUATOR),
            before_id=request.args.get("before", type=int),
            limit=PAGE + 1,
        )
        titles, _topics = forms.vocabulary(session)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template("scoring/cards.html", cards=rows[:PAGE], more=more, titles=titles)


@blueprint.get("/my/scorecards")
def own_cards() -> str:
    if person().agent_id is None:
        missing()
    with reading() as session:
        rows = store.cards(session, agent_id=person().agent_id, only_released=True, before_id=request.args.get("before", type=int), limit=PAGE + 1)
        titles, _topics = forms.vocabulary(session)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template("scoring/own_cards.html", cards=rows[:PAGE], more=more, titles=titles)


@blueprint.get("/cards/<int:card_id>")
def card(card_id: int) -> str:
    with reading() as session:
        found = _readable(session, card_id)
        place = queue.place(session, found.assignment_id) or missing()
        desk = _desk(session, place, found)
        events = history(session, subject=Subject.SCORECARD, subject_id=card_id)
    breakdown = partial_score(desk.form, found.filled.options)
    with writing() as session:
        note(session, subject=Subject.SCORECARD, subject_id=card_id, what="read", at=now(), actor_id=person().id)
    shown_events = [e for e in events if e.what != "read"]
    shown_marks = marks(desk.mechanics, desk.transcript.redactions if desk.transcript else ())
    return render_template("scoring/card.html", desk=desk, card=found, parts=_parts(breakdown), events=shown_events, marks=shown_marks)


@blueprint.post("/cards/<int:card_id>/acknowledge")
def acknowledge(card_id: int) -> Response:
    comment = request.form.get("comment", "")
    with writing() as session:
        service.acknowledge(session, card_id=card_id, agent_id=person().agent_id, by=person().id, comment=comment, at=now())
    flash(_("Thank you. Your evaluator sees that you have read it."), "success")
    return redirect(url_for("scoring.card", card_id=card_id))


def _held(session: Session, assignment_id: int) -> Place:
    place = queue.place(session, assignment_id)
    if place is None or place.evaluator_id != person().id or place.state is AssignmentState.SKIPPED:
        missing()
    return place


def _readable(session: Session, card_id: int) -> Card:
    found = store.card(session, card_id)
    if found is None or found.state is ScorecardState.DRAFT:
        missing()
    call = calls.call(session, found.call_id)
    if call is None or not may_read_card(
        person(), agent_id=found.agent_id, team_id=call.team_id, evaluator_id=found.evaluator_id, is_released=found.is_released
    ):
        missing()
    return found


def _desk(session: Session, place: Place, card: Card) -> Desk:
    call = calls.call(session, place.call_id) or missing()
    heard = transcripts.transcript(session, place.call_id)
    result = findings_store.result(session, place.call_id, place.form_version_id)
    form = forms.load(session, place.form_version_id)
    findings = {f.criterion: f for f in result.findings} if result else {}
    drawn = draws.why_drawn(session, place.call_id)
    return Desk(place, call, form, card, heard[0] if heard else None, heard[1] if heard else None, findings, result, drawn)


def _findings(session: Session, card: Card) -> dict[str, Finding]:
    result = findings_store.result(session, card.call_id, card.form_version_id)
    return {f.criterion: f for f in result.findings} if result else {}


def _workbench(desk: Desk, filled: Filled, faults: dict[str, str]) -> str:
    running = _running(desk.form, filled, desk.findings)
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
        desk = _desk(session, _held(session, found.assignment_id), found)
    return _workbench(desk, filled, faults)


def _running(form: Form, filled: Filled, findings: dict[str, Finding]) -> dict[str, Any]:
    """The running score, what is open, and what submission would refuse."""
    known = {c.id for c in form.criteria()}
    options = {c: o for c, o in filled.options.items() if c in known}
    breakdown = partial_score(form, options)
    is_open = open_criteria(form, options)
    faults = submission_faults(form, filled, findings)
    answered = sum(is_open[c] and c in options for c in known)
    return {
        "score": shown(breakdown.score),
        "without_fails": shown(breakdown.score_without_fails),
        "answered": answered,
        "of": sum(is_open.values()),
        "faults": faults,
        "open": [c for c, yes in is_open.items() if yes],
    }


def _parts(breakdown: ScoreBreakdown) -> dict[str, Any]:
    return {c.id: c for c in breakdown.criteria}


def _typed() -> tuple[Filled, int]:
    """The posted card: `answer.<criterion>`, `comment.…`, `reason.…`, `accepted.…`, `note.<seconds>`, `summary`, `version`."""
    return _filled(request.form), request.form.get("version", default=0, type=int)


def _filled(posted: "MultiDict[str, str]") -> Filled:
    answers: dict[str, dict[str, Any]] = {}
    for key, value in posted.items():
        kind, _dot, criterion = key.partition(".")
        if kind in ("answer", "comment", "reason", "accepted") and criterion:
            fields = answers.setdefault(criterion, {})
            fields["option" if kind == "answer" else kind] = value == "1" if kind == "accepted" else value
    notes = []
    for value in posted.getlist("note"):
        at, _bar, text = value.partition("|")
        notes.append({"at": at, "text": text})
    try:
        return Filled(
            answers={c: Answer(**f) for c, f in answers.items() if f.get("option") or f.get("comment") or f.get("reason")},
            notes=[Note.model_validate(n) for n in notes if n["text"].strip()],
            summary=posted.get("summary", ""),
        )
    except ValidationError:
        abort(400)
