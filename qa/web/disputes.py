"""Disputes: opened by the agent on a card, decided one level after the other."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.assignment import store as queue
from qa.disputes import service, store
from qa.disputes.rules import may_decide
from qa.disputes.types import DisputeBlock
from qa.forms import service as forms
from qa.notices import store as notices
from qa.scoring import service as scoring
from qa.scoring import store as cards
from qa.states import Role
from qa.web.cards import readable
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.scoring import findings_of, load_workbench
from qa.web.waveform import marks

blueprint = Blueprint("disputes", __name__)
PAGE = 50
BARRED = {
    DisputeBlock.NOT_RELEASED: lazy_gettext("The card is not released."),
    DisputeBlock.NOT_ANSWERED: lazy_gettext("There is no answer to dispute."),
    DisputeBlock.FULL_POINTS: lazy_gettext("This answer has full points."),
    DisputeBlock.OPEN: lazy_gettext("A decision on this answer is awaited already."),
    DisputeBlock.SETTLED: lazy_gettext("This answer is settled."),
    DisputeBlock.TOO_LATE: lazy_gettext("The time for disputing this answer is over."),
    DisputeBlock.NOT_OFFERED: lazy_gettext("This form has no disputes."),
}


@blueprint.get("/disputes")
def listing() -> str:
    """What waits for this person's decision, and what they may watch."""
    with reading() as session:
        mine = store.waiting_for(session, person())
        evaluator_id = person().id if person().role is Role.EVALUATOR else None
        watched = store.disputes(
            session,
            evaluator_id=evaluator_id,
            team_id=None,
            open_only=False,
            before_id=request.args.get("before", type=int),
            limit=PAGE + 1,
        )
        titles, _topics = forms.vocabulary(session)
    more = watched[PAGE - 1].id if len(watched) > PAGE else None
    return render_template(
        "disputes/listing.html",
        mine=mine,
        watched=watched[:PAGE],
        more=more,
        titles=titles,
        now=now(),
    )


@blueprint.get("/disputes/<int:dispute_id>")
def dispute(dispute_id: int) -> Response | str:
    with reading() as session:
        found = store.dispute(session, dispute_id) or missing()
        card = readable(session, found.card_id)
        rounds = [
            d for d in store.of_card(session, found.card_id) if d.criterion == found.criterion
        ]
        place = queue.assignment(session, card.assignment_id) or missing()
        desk = load_workbench(session, place, card)
    with writing() as session:
        notices.mark_read_about(
            session, person().id, subject="dispute", subject_id=dispute_id, at=now()
        )
    if person().role is Role.AGENT:
        return redirect(url_for("cards.card", card_id=found.card_id) + f"#c-{found.criterion}")
    criterion = desk.form.criterion(found.criterion)
    return render_template(
        "disputes/dispute.html",
        found=found,
        rounds=rounds,
        desk=desk,
        card=card,
        criterion=criterion,
        marks=marks(desk.mechanics, desk.transcript.redactions if desk.transcript else ()),
        may_decide=may_decide(person(), found, rounds),
        now=now(),
    )


@blueprint.post("/cards/<int:card_id>/disputes")
def open_one(card_id: int) -> Response:
    criterion = request.form.get("criterion", "")
    reason, suggested, days = (
        request.form.get("reason", ""),
        request.form.get("suggested", ""),
        wiring().settings.dispute_decide_days,
    )
    try:
        with writing() as session:
            card = readable(session, card_id)
            form = forms.load(session, card.form_version_id)
            service.open_dispute(
                session,
                card=card,
                form=form,
                criterion=criterion,
                reason=reason,
                suggested=suggested,
                by=person(),
                decide_days=days,
                at=now(),
            )
        flash(
            _(
                "Your objection is with the person who decides next; you are told the decision and"
                " its reason."
            ),
            "success",
        )
    except service.DisputeBlocked as refused:
        flash(str(BARRED[refused.why]), "danger")
    except service.ReasonRequired:
        flash(_("Write why you see it otherwise."), "danger")
    except service.NoSuchOption:
        flash(_("Choose an answer that the criterion offers."), "danger")
    return redirect(url_for("cards.card", card_id=card_id) + f"#c-{criterion}")


@blueprint.post("/disputes/<int:dispute_id>/withdraw")
def withdraw(dispute_id: int) -> Response:
    with writing() as session:
        found = service.withdraw(session, dispute_id=dispute_id, by=person(), at=now())
    flash(_("Withdrawn. The answer stays as it is."), "success")
    return redirect(url_for("cards.card", card_id=found.card_id))


@blueprint.post("/disputes/<int:dispute_id>/decide")
def decide(dispute_id: int) -> Response:
    here = redirect(url_for("disputes.dispute", dispute_id=dispute_id))
    option, reason = request.form.get("option", ""), request.form.get("reason", "")
    try:
        with writing() as session:
            found = store.dispute(session, dispute_id) or missing()
            card = cards.card(session, found.card_id) or missing()
            form, findings = forms.load(session, card.form_version_id), findings_of(session, card)
            chosen, misled = (
                None if option in ("", "stays") else option,
                bool(request.form.get("rule_at_fault")),
            )
            if not option:
                raise service.NoSuchOption
            service.decide(
                session,
                dispute_id=dispute_id,
                option=chosen,
                reason=reason,
                is_rule_at_fault=misled,
                by=person(),
                form=form,
                findings=findings,
                at=now(),
            )
    except service.ReasonRequired:
        flash(_("Write the reason of the decision; the agent reads it."), "danger")
        return here
    except service.NoSuchOption:
        flash(_("Choose whether the answer stays or which it becomes."), "danger")
        return here
    except scoring.RevisionRefused:
        flash(
            _(
                "With this answer other criteria need one too: re-evaluate the card instead, then"
                " decide."
            ),
            "danger",
        )
        return here
    except service.NotDecider:
        missing()
    flash(_("Decided. The agent is told, with your reason."), "success")
    return redirect(url_for("disputes.listing"))
