"""Scorecards as their readers see them, and what happens to them after submission: release, second
reading, re-evaluation, taking back.
"""

from datetime import UTC, date, datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from qa.assignment import service as assignment
from qa.assignment import store as queue
from qa.audit.store import history, record_event
from qa.audit.types import EventKind, Subject
from qa.disputes import service as dispute_service
from qa.disputes import store as disputes
from qa.disputes.rules import deadline, dispute_block, may_decide
from qa.forms import service as forms
from qa.forms.rules import partial_score
from qa.intake import store as calls
from qa.notices import store as notices
from qa.people.rules import may_read_card
from qa.scoring import service, store
from qa.scoring.rules import may_read_again, may_release
from qa.scoring.types import Card, CardOrder
from qa.states import AssignmentKind, RevisionCause, Role, ScorecardState
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.exports import chosen_order
from qa.web.scoring import findings_of, load_workbench
from qa.web.waveform import marks

blueprint = Blueprint("cards", __name__)
PAGE = 50
HIDDEN_EVENTS = (EventKind.READ.value, EventKind.OPENED.value)


@blueprint.get("/cards")
def listing() -> str:
    role = person().role
    state, sort = request.args.get("state", ""), request.args.get("sort", "")
    by, descending = chosen_order(sort, CardOrder, CardOrder.SUBMITTED)
    with reading() as session:
        rows = store.cards(
            session,
            team_id=person().team_id if role is Role.TEAM_LEADER else None,
            evaluator_id=person().id if role is Role.EVALUATOR else None,
            agent_id=request.args.get("agent", type=int),
            state=ScorecardState(state) if state in {s.value for s in ScorecardState} else None,
            only_released=role not in (Role.QA_MANAGER, Role.EVALUATOR),
            by=by,
            descending=descending,
            before_id=request.args.get("before", type=int),
            limit=PAGE + 1,
        )
        titles, _topics = forms.vocabulary(session)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "cards/listing.html", cards=rows[:PAGE], more=more, titles=titles, state=state, sort=sort
    )


@blueprint.get("/my/scorecards")
def own() -> str:
    if person().agent_id is None:
        missing()
    with reading() as session:
        rows = store.cards(
            session,
            agent_id=person().agent_id,
            only_released=True,
            before_id=request.args.get("before", type=int),
            limit=PAGE + 1,
        )
        titles, _topics = forms.vocabulary(session)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template("cards/own.html", cards=rows[:PAGE], more=more, titles=titles)


@blueprint.get("/second-reading")
def second_reading() -> str:
    """Submitted cards that wait for somebody else to read them before their agent may."""
    with reading() as session:
        rows = store.awaiting_second_reader(session, reader_id=person().id, limit=PAGE)
    return render_template("cards/second_reading.html", cards=rows)


@blueprint.get("/cards/<int:card_id>")
def card(card_id: int) -> str:
    with reading() as session:
        found = readable(session, card_id)
        place = queue.assignment(session, found.assignment_id) or missing()
        desk = load_workbench(session, place, found)
        events = history(session, subject=Subject.SCORECARD, subject_id=card_id)
        revisions = store.revisions(session, card_id)
        rounds = disputes.of_card(session, card_id)
        highest = dispute_service.highest_level(session)
    breakdown = partial_score(desk.form, found.filled.options)
    with writing() as session:
        record_event(
            session,
            subject=Subject.SCORECARD,
            subject_id=card_id,
            event=EventKind.READ,
            at=now(),
            actor_id=person().id,
        )
        notices.mark_read_about(
            session, person().id, subject="scorecard", subject_id=card_id, at=now()
        )
    is_own = found.agent_id == person().agent_id and person().role is Role.AGENT
    criteria = [c.id for c in desk.form.criteria()]
    return render_template(
        "cards/card.html",
        desk=desk,
        card=found,
        parts={c.id: c for c in breakdown.criteria},
        events=[e for e in events if e.what not in HIDDEN_EVENTS],
        marks=marks(desk.mechanics, desk.transcript.redactions if desk.transcript else ()),
        revisions=revisions,
        rounds={c: [d for d in rounds if d.criterion == c] for c in criteria},
        is_own=is_own,
        disputable={
            c: deadline(desk.form, found, rounds, c)
            for c in criteria
            if is_own and not dispute_block(desk.form, found, rounds, c, highest=highest, at=now())
        },
        decidable={d.id for d in rounds if may_decide(person(), d, rounds)},
        may_release=_releases(found, desk.form.release),
        is_second_reader=_reads_again(found, desk.form.release),
        today=now().astimezone(wiring().settings.zone).date(),
    )


@blueprint.post("/cards/<int:card_id>/acknowledge")
def acknowledge(card_id: int) -> Response:
    comment = request.form.get("comment", "")
    with writing() as session:
        service.acknowledge(
            session,
            card_id=card_id,
            agent_id=person().agent_id,
            by=person().id,
            comment=comment,
            at=now(),
        )
    flash(_("Thank you. Your evaluator sees that you have read it."), "success")
    return _to(card_id)


@blueprint.post("/cards/<int:card_id>/release")
def release(card_id: int) -> Response:
    """Release now or on a day: by a QA manager, or by the second reader."""
    try:
        day = date.fromisoformat(request.form.get("day") or "")
        release_at = datetime.combine(day, time(), wiring().settings.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        release_at = now()
    with writing() as session:
        found = readable(session, card_id)
        rule = forms.load(session, found.form_version_id).release
        if not _releases(found, rule):
            missing()
        again = _reads_again(found, rule)
        service.schedule_release(
            session,
            card_id=card_id,
            release_at=release_at,
            by=person().id,
            at=now(),
            reviewer_id=person().id if again else None,
        )
    flash(
        _("The agent can read it now.")
        if release_at <= now()
        else _("The agent can read it from that day on."),
        "success",
    )
    return _to(card_id)


@blueprint.post("/cards/<int:card_id>/send-back")
def send_back(card_id: int) -> Response:
    """The second reader asks the evaluator to look again."""
    try:
        with writing() as session:
            found = readable(session, card_id)
            if not _reads_again(found, forms.load(session, found.form_version_id).release):
                missing()
            service.send_back(
                session,
                card_id=card_id,
                remark=request.form.get("remark", ""),
                by=person().id,
                at=now(),
            )
            assignment.reopen(
                session,
                assignment_id=found.assignment_id,
                evaluator_id=found.evaluator_id,
                days=wiring().settings.score_due_days,
                at=now(),
            )
    except service.ReasonRequired:
        flash(_("Write what the evaluator should look at."), "danger")
        return _to(card_id)
    flash(_("The card is back with its evaluator, with your remark."), "success")
    return redirect(url_for("cards.second_reading"))


@blueprint.post("/cards/<int:card_id>/void")
def void(card_id: int) -> Response:
    try:
        with writing() as session:
            found = dispute_service.void_card(
                session,
                card_id=card_id,
                reason=request.form.get("reason", ""),
                by=person().id,
                at=now(),
            )
            if request.form.get("again"):
                assignment.score_again(
                    session,
                    assignment_id=found.assignment_id,
                    due_days=wiring().settings.score_due_days,
                    at=now(),
                )
    except service.ReasonRequired:
        flash(_("Write why the card is taken back."), "danger")
        return _to(card_id)
    flash(
        _("The card is taken back. It counts nowhere; its content and your reason stay."), "success"
    )
    return _to(card_id)


@blueprint.route("/cards/<int:card_id>/re-evaluate", methods=["GET", "POST"])
def re_evaluate(card_id: int) -> Response | str | tuple[str, int]:
    """Answer a submitted card anew: old and new values are kept and shown."""
    with reading() as session:
        found = readable(session, card_id)
        if found.state is ScorecardState.VOID or found.kind is not AssignmentKind.STANDARD:
            missing()
        place = queue.assignment(session, found.assignment_id) or missing()
        desk = load_workbench(session, place, found)
    faults: dict[str, str] = {}
    if request.method == "POST":
        changes = {
            c.id: request.form[f"answer.{c.id}"]
            for c in desk.form.criteria()
            if request.form.get(f"answer.{c.id}")
        }
        try:
            with writing() as session:
                cause, reason, findings = (
                    RevisionCause.RE_EVALUATION,
                    request.form.get("reason", ""),
                    findings_of(session, found),
                )
                service.revise(
                    session,
                    card_id=card_id,
                    changes=changes,
                    cause=cause,
                    reason=reason,
                    by=person().id,
                    form=desk.form,
                    findings=findings,
                    at=now(),
                )
            flash(_("Revised. The earlier answers stay visible on the card."), "success")
            return _to(card_id)
        except service.ReasonRequired:
            flash(_("Write why the answers change."), "danger")
        except service.RevisionRefused as refused:
            faults = refused.faults
            flash(
                _("Some criteria need an answer.") if faults else _("Nothing is different yet."),
                "danger",
            )
    page = render_template(
        "cards/re_evaluate.html", desk=desk, card=found, faults=faults, typed=request.form
    )
    return (page, 422) if request.method == "POST" else page


def readable(session: Session, card_id: int) -> Card:
    """A submitted card that this person may read; else there is no such page."""
    found = store.card(session, card_id)
    if found is None or found.state is ScorecardState.DRAFT:
        missing()
    call = calls.call(session, found.call_id)
    if call is None:
        missing()
    # doubles, self-evaluations, calibrations: who filled it in, and QA managers
    if found.kind is not AssignmentKind.STANDARD:
        return (
            found
            if person().role is Role.QA_MANAGER or found.evaluator_id == person().id
            else missing()
        )
    facts = {
        "agent_id": found.agent_id,
        "team_id": call.team_id,
        "evaluator_id": found.evaluator_id,
    }
    if may_read_card(
        person(),
        is_released=found.is_released
        or (found.state is ScorecardState.VOID and found.released_at is not None),
        **facts,
    ):
        return found
    return (
        found
        if _reads_again(found, forms.load(session, found.form_version_id).release)
        else missing()
    )


def _reads_again(found: Card, release_rule: str) -> bool:
    asks = (
        release_rule == "second_reader"
        and found.kind is AssignmentKind.STANDARD
        and person().role in (Role.EVALUATOR, Role.QA_MANAGER)
    )
    return may_read_again(
        form_asks=asks,
        is_own=found.evaluator_id == person().id,
        is_submitted=found.state is ScorecardState.SUBMITTED,
    )


def _releases(found: Card, release_rule: str) -> bool:
    is_manager, is_reviewed = person().role is Role.QA_MANAGER, found.reviewer_id is not None
    return may_release(
        release_rule,
        reads_again=_reads_again(found, release_rule),
        is_manager=is_manager,
        is_reviewed=is_reviewed,
    )


def _to(card_id: int) -> Response:
    return redirect(url_for("cards.card", card_id=card_id))
