"""Scoring forms: the list, and a version as its author wrote it and as evaluators see it."""

from flask import Blueprint, render_template
from sqlalchemy.exc import NoResultFound

from qa.forms import service, store
from qa.web.current import missing, reading

blueprint = Blueprint("forms", __name__)


@blueprint.get("/forms")
def listing() -> str:
    with reading() as session:
        versions = [(v.id, v.version, v.state.value, v.published_at, service.load(session, v.id)) for v in store.versions(session)]
    return render_template("forms/listing.html", versions=versions)


@blueprint.get("/forms/<int:version_id>")
def version(version_id: int) -> str:
    try:
        with reading() as session:
            form, source = service.load(session, version_id), store.source(session, version_id)
    except NoResultFound:
        missing()
    return render_template("forms/version.html", form=form, source=source)
