"""Training needs of a month."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from qa.calendar import month_before
from qa.forms import service as forms
from qa.people.types import Role
from qa.training import service
from qa.training.types import Urgency
from qa.web.current import person, reading, wiring
from qa.web.reporting import latest_month

blueprint = Blueprint("training", __name__)


@blueprint.get("/training/")
@blueprint.get("/training/<month>")
def needs(month: str | None = None) -> Response | str:
    with reading() as session:
        if month is None:
            return redirect(url_for("training.needs", month=latest_month(session)))
        titles, topics = forms.vocabulary(session)
        team_id = person().team_id if person().role is Role.TEAM_LEADER else None
        found = service.need_list(session, month=month, zone=wiring().settings.zone, titles=titles, topics=topics, team_id=team_id)
    act = [n for n in found.needs if n.urgency is Urgency.ACT]
    watch = [n for n in found.needs if n.urgency is Urgency.WATCH]
    return render_template("training/needs.html", found=found, act=act, watch=watch, before=month_before(month), after=month_before(month, -1))
