"""What a person is told, and what they want to be told."""

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from qa.notices import store
from qa.notices.rules import kind_name, message_text, path
from qa.notices.types import NoticeChoice, NoticeKind
from qa.people import store as people
from qa.web.context import missing, now, person, reading, writing
from qa.web.language import localizer

blueprint = Blueprint("notices", __name__)
PAGE = 50
ADDRESS = re.compile(r"[^@\s<>,;\"]{1,100}@[^@\s<>,;\"]{1,99}")


@blueprint.get("/notices")
def listing() -> str:
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
        found = store.notice(session, person().id, notice_id) or missing()
        store.mark_read(session, person().id, at=now(), notice_id=notice_id)
    return redirect(path(found.subject, found.subject_id))


@blueprint.post("/notices/read")
def read_all() -> Response:
    with writing() as session:
        store.mark_read(session, person().id, at=now())
    return redirect(url_for("notices.listing"))


@blueprint.post("/notices/choices")
def choose() -> Response:
    email = request.form.get("email", "").strip()
    if email and not ADDRESS.fullmatch(email):
        flash(_("This is not a mail address."), "danger")
        return redirect(url_for("notices.listing"))
    with writing() as session:
        people.change_user(session, person().id, email=email)
        for kind in NoticeKind:
            chosen = NoticeChoice(
                f"page.{kind.value}" in request.form, f"mail.{kind.value}" in request.form
            )
            store.save_choice(session, person().id, kind, chosen)
    flash(_("Saved."), "success")
    return redirect(url_for("notices.listing"))
