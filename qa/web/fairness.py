"""Page of fairness: evaluators, criteria, checks, disputes."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from qa.fairness import service, store
from qa.forms import service as forms
from qa.months import Month
from qa.web.context import now, person, reading, wiring, writing
from qa.web.forms_wtf.fairness import CorrectionForm
from qa.web.month_report import latest_month

blueprint = Blueprint("fairness", __name__)
FAULTS = {
    "ceiling": lazy_gettext("nearly always kept: tells agents apart hardly at all"),
    "seldom_applies": lazy_gettext("nearly never applies"),
    "low_agreement": lazy_gettext(
        "two people often answer differently: sharpen the guidance, calibrate"
    ),
    "redundant": lazy_gettext("says the same as"),
}
KINDS = {
    "language": lazy_gettext("Language"),
    "line": lazy_gettext("Line"),
    "shift": lazy_gettext("Shift"),
    "queue": lazy_gettext("Telephony queue"),
    "direction": lazy_gettext("Direction"),
}
VALUES = {
    "good": lazy_gettext("good line"),
    "middling": lazy_gettext("middling line"),
    "poor": lazy_gettext("poor line"),
    "morning": lazy_gettext("morning"),
    "afternoon": lazy_gettext("afternoon"),
    "evening": lazy_gettext("evening"),
    "night": lazy_gettext("night"),
    "inbound": lazy_gettext("inbound"),
    "outbound": lazy_gettext("outbound"),
    "en": "English",
    "it": "Italiano",
    "zh": "中文",
}


@blueprint.get("/fairness/")
@blueprint.get("/fairness/<month>")
def month(month: Month | None = None) -> Response | str:
    """Show how fair scoring was in a month."""
    with reading() as session:
        if month is None:
            return redirect(url_for("fairness.month", month=latest_month(session)))
        titles, _topics = forms.vocabulary(session)
        fairness = service.fairness(
            session, month=month, zone=wiring().settings.zone, titles=titles
        )
        corrects = store.is_on(session, service.CORRECT)
        misled = service.misled(session, month=month, zone=wiring().settings.zone)
    texts = {"faults": FAULTS, "kinds": KINDS, "values": VALUES, "titles": titles, "misled": misled}
    around = {"before": month.previous(), "after": month.next()}
    return render_template(
        "fairness/month.html", f=fairness, month=month, corrects=corrects, **texts, **around
    )


@blueprint.post("/fairness/correction")
def correction() -> Response:
    """Turn the correction for severity on or off, for every report from now on."""
    form = CorrectionForm()
    on = form.on.data == "1"
    with writing() as session:
        service.set_correction(session, on=on, by=person().id, at=now())
    flash(
        (
            _("Reports now correct for severity; the uncorrected figure stands beside.")
            if on
            else _("Reports show scores as they were given.")
        ),
        "success",
    )
    return redirect(url_for("fairness.month", month=form.month.data or None))
