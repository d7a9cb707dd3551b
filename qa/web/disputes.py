"""Open disputes, list them, withdraw them, decide them level after level."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.disputes import service, store
from qa.disputes.rules import may_decide
from qa.disputes.types import DisputeBlock
from qa.forms import service as forms
from qa.notices.service import mark_read_about
from qa.scoring import service as scoring
from qa.scoring import store as cards
from qa.states import Role
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.disputes import STAYS, DecisionForm, DisputeForm
from qa.web.workbench_context import findings_of, load_workbench, readable_card

blueprint = Blueprint("disputes", __name__)
PAGE = 50
BLOCK_TEXTS = {
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
    """List the disputes that wait for this person's decision, and those that they may watch."""
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
        objection = store.dispute(session, dispute_id) or missing()
        card = readable_card(session, objection.card_id)
        rounds = [d for d in store.of_card(session, card.id) if d.criterion == objection.criterion]
        context = load_workbench(session, card)
    with writing() as session:
        mark_read_about(session, user_id=person().id, about=("dispute", dispute_id), at=now())
    if person().role is Role.AGENT:
        return redirect(url_for("cards.card", card_id=card.id) + f"#c-{objection.criterion}")
    return render_template(
        "disputes/dispute.html",
        dispute=objection,
        rounds=rounds,
        workbench=context,
        card=card,
        criterion=context.form.criterion(objection.criterion),
        may_decide=may_decide(person(), objection, rounds),
        now=now(),
    )


@blueprint.post("/cards/<int:card_id>/disputes")
def open_one(card_id: int) -> Response:
    posted = DisputeForm()
    criterion = posted.criterion.data or ""
    try:
        with writing() as session:
            card = readable_card(session, card_id)
            service.open_dispute(
                session,
                card=card,
                form=forms.load(session, card.form_version_id),
                criterion=criterion,
                reason=posted.reason.data or "",
                suggested=posted.suggested.data or "",
                by=person(),
                decide_days=wiring().settings.dispute_decide_days,
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
        flash(str(BLOCK_TEXTS[refused.block]), "danger")
    except service.ReasonRequired:
        flash(_("Write why you see it otherwise."), "danger")
    except service.NoSuchOption:
        flash(_("Choose an answer that the criterion offers."), "danger")
    return redirect(url_for("cards.card", card_id=card_id) + f"#c-{criterion}")


@blueprint.post("/disputes/<int:dispute_id>/withdraw")
def withdraw(dispute_id: int) -> Response:
    with writing() as session:
        objection = service.withdraw(session, dispute_id=dispute_id, by=person(), at=now())
    flash(_("Withdrawn. The answer stays as it is."), "success")
    return redirect(url_for("cards.card", card_id=objection.card_id))


@blueprint.post("/disputes/<int:dispute_id>/decide")
def decide(dispute_id: int) -> Response:
    here = redirect(url_for("disputes.dispute", dispute_id=dispute_id))
    posted = DecisionForm()
    option = posted.option.data or ""
    try:
        with writing() as session:
            objection = store.dispute(session, dispute_id) or missing()
            card = cards.card(session, objection.card_id) or missing()
            if not option:
                raise service.NoSuchOption
            service.decide(
                session,
                dispute_id=dispute_id,
                option=None if option == STAYS else option,
                reason=posted.reason.data or "",
                is_rule_at_fault=posted.rule_at_fault.data,
                by=person(),
                form=forms.load(session, card.form_version_id),
                findings=findings_of(session, card),
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
