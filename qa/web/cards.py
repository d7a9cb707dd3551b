"""Read scorecards, and what follows submission: release, second reading, revision, voiding."""

from datetime import UTC, date, datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.audit.store import history
from qa.audit.types import EventKind, Subject
from qa.disputes import service as dispute_service
from qa.disputes import store as disputes
from qa.disputes.rules import deadline, dispute_block, may_decide
from qa.forms import service as forms
from qa.forms.rules import partial_score
from qa.forms.types import Form
from qa.scoring import service, store
from qa.scoring.rules import may_release
from qa.scoring.types import Card, CardOrder
from qa.states import AssignmentKind, RevisionCause, Role, ScorecardState
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.exports import chosen_order
from qa.web.forms_wtf.cards import (
    AcknowledgeForm,
    ReEvaluationForm,
    ReleaseForm,
    SendBackForm,
    VoidForm,
)
from qa.web.workbench_context import (
    findings_of,
    load_workbench,
    readable_card,
    reads_as_second_reader,
)

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
    """List submitted cards that a second reader has to read before their agent may."""
    with reading() as session:
        rows = store.awaiting_second_reader(session, reader_id=person().id, limit=PAGE)
    return render_template("cards/second_reading.html", cards=rows)


@blueprint.get("/cards/<int:card_id>")
def card(card_id: int) -> str:
    with reading() as session:
        scorecard = readable_card(session, card_id)
        context = load_workbench(session, scorecard)
        events = history(session, subject=Subject.SCORECARD, subject_id=card_id)
        revisions = store.revisions(session, card_id)
        rounds = disputes.of_card(session, card_id)
        highest = dispute_service.highest_level(session)
    with writing() as session:
        service.record_reading(session, card_id=card_id, by=person().id, at=now())
    form = context.form
    breakdown = partial_score(form, scorecard.filled.options)
    is_own = scorecard.agent_id == person().agent_id and person().role is Role.AGENT
    criteria = [c.id for c in form.criteria()]
    return render_template(
        "cards/card.html",
        workbench=context,
        card=scorecard,
        parts={c.id: c for c in breakdown.criteria},
        events=[e for e in events if e.what not in HIDDEN_EVENTS],
        revisions=revisions,
        rounds={c: [d for d in rounds if d.criterion == c] for c in criteria},
        is_own=is_own,
        disputable={
            c: deadline(form, scorecard, rounds, c)
            for c in criteria
            if is_own and not dispute_block(form, scorecard, rounds, c, highest=highest, at=now())
        },
        decidable={d.id for d in rounds if may_decide(person(), d, rounds)},
        may_release=_may_release(scorecard, form.release),
        is_second_reader=reads_as_second_reader(scorecard, form.release),
        today=now().astimezone(wiring().settings.zone).date(),
    )


@blueprint.post("/cards/<int:card_id>/acknowledge")
def acknowledge(card_id: int) -> Response:
    with writing() as session:
        service.acknowledge(
            session,
            card_id=card_id,
            agent_id=person().agent_id,
            by=person().id,
            comment=AcknowledgeForm().comment.data or "",
            at=now(),
        )
    flash(_("Thank you. Your evaluator sees that you have read it."), "success")
    return _to(card_id)


@blueprint.post("/cards/<int:card_id>/release")
def release(card_id: int) -> Response:
    """Release a card now or on a day: as a QA manager, or as its second reader."""
    release_at = _start_of_day(ReleaseForm().day.data)
    with writing() as session:
        scorecard = readable_card(session, card_id)
        rule = forms.load(session, scorecard.form_version_id).release
        if not _may_release(scorecard, rule):
            missing()
        service.schedule_release(
            session,
            card_id=card_id,
            release_at=release_at,
            by=person().id,
            at=now(),
            reviewer_id=person().id if reads_as_second_reader(scorecard, rule) else None,
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
    """Send a card back to its evaluator with a remark, as its second reader."""
    try:
        with writing() as session:
            scorecard = readable_card(session, card_id)
            rule = forms.load(session, scorecard.form_version_id).release
            if not reads_as_second_reader(scorecard, rule):
                missing()
            service.send_back(
                session,
                card_id=card_id,
                remark=SendBackForm().remark.data or "",
                by=person().id,
                due_days=wiring().settings.score_due_days,
                at=now(),
            )
    except service.ReasonRequired:
        flash(_("Write what the evaluator should look at."), "danger")
        return _to(card_id)
    flash(_("The card is back with its evaluator, with your remark."), "success")
    return redirect(url_for("cards.second_reading"))


@blueprint.post("/cards/<int:card_id>/void")
def void(card_id: int) -> Response:
    form = VoidForm()
    try:
        with writing() as session:
            dispute_service.void_card(
                session,
                card_id=card_id,
                reason=form.reason.data or "",
                by=person().id,
                at=now(),
                score_again_due_days=wiring().settings.score_due_days if form.again.data else None,
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
        scorecard = readable_card(session, card_id)
        if scorecard.state is ScorecardState.VOID or scorecard.kind is not AssignmentKind.STANDARD:
            missing()
        context = load_workbench(session, scorecard)
    faults: dict[str, str] = {}
    if request.method == "POST":
        try:
            with writing() as session:
                service.revise(
                    session,
                    card_id=card_id,
                    changes=_new_answers(context.form),
                    cause=RevisionCause.RE_EVALUATION,
                    reason=ReEvaluationForm().reason.data or "",
                    by=person().id,
                    form=context.form,
                    findings=findings_of(session, scorecard),
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
        "cards/re_evaluate.html",
        workbench=context,
        card=scorecard,
        faults=faults,
        typed=request.form,
    )
    return (page, 422) if request.method == "POST" else page


def _new_answers(form: Form) -> dict[str, str]:
    """Parse `answer.<criterion>`: by hand, for the fields are named after the form's criteria."""
    posted = {c.id: request.form.get(f"answer.{c.id}") for c in form.criteria()}
    return {criterion: option for criterion, option in posted.items() if option}


def _start_of_day(day: date | None) -> datetime:
    """Return the midnight that begins a day in the reporting zone; now where there is no day."""
    if day is None:
        return now()
    try:
        return datetime.combine(day, time(), wiring().settings.zone).astimezone(UTC)
    except OverflowError:
        return now()


def _may_release(card: Card, release_rule: str) -> bool:
    return may_release(
        release_rule,
        reads_again=reads_as_second_reader(card, release_rule),
        is_manager=person().role is Role.QA_MANAGER,
        is_reviewed=card.reviewer_id is not None,
    )


def _to(card_id: int) -> Response:
    return redirect(url_for("cards.card", card_id=card_id))
