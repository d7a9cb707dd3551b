"""Notices of a user, and which of them they want."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.notices import service, store
from qa.notices.rules import kind_name, message_text, path
from qa.notices.types import NoticeKind
from qa.people import service as people_service
from qa.people import store as people
from qa.web.context import missing, now, person, reading, writing
from qa.web.forms_wtf.notices import NoticeChoicesForm
from qa.web.language import localizer

blueprint = Blueprint("notices", __name__)
PAGE = 50


@blueprint.get("/notices")
def listing() -> str:
    """List the newest notices, with the choices of what to be notified of."""
    with reading() as session:
        rows = store.notices(
            session, person().id, before_id=request.args.get("before", type=int), limit=PAGE + 1
        )
        unread, choices, email = (
            store.unread(session, person().id),
            store.choices(session, person().id),
            people.email_of(session, person().id),
        )
    reader = localizer()
    return render_template(
        "notices/listing.html",
        notices=rows[:PAGE],
        more=rows[PAGE - 1].id if len(rows) > PAGE else None,
        unread=unread,
        choices=choices,
        email=email,
        said=lambda n: message_text(n.kind, n.facts, reader),
        name_of=lambda kind: kind_name(kind, reader.gettext),
    )


@blueprint.get("/notices/<int:notice_id>")
def follow(notice_id: int) -> Response:
    """Go where a notice leads; it counts as read."""
    with writing() as session:
        notice = (
            service.open_notice(session, user_id=person().id, notice_id=notice_id, at=now())
            or missing()
        )
    return redirect(path(notice.subject, notice.subject_id))


@blueprint.post("/notices/read")
def read_all() -> Response:
    """Mark every notice as read."""
    with writing() as session:
        service.mark_all_read(session, user_id=person().id, at=now())
    return redirect(url_for("notices.listing"))


@blueprint.post("/notices/choices")
def choose() -> Response:
    """Choose which notices come to the page and by mail, and to which address."""
    form = NoticeChoicesForm()
    if not form.validate():
        flash(_("This is not a mail address."), "danger")
        return redirect(url_for("notices.listing"))
    with writing() as session:
        people_service.set_email(session, user_id=person().id, email=form.email.data or "")
        choices = {kind: form.choice(kind) for kind in NoticeKind}
        service.choose(session, user_id=person().id, choices=choices)
    flash(_("Saved."), "success")
    return redirect(url_for("notices.listing"))
