"""Pages to write scoring forms: drafts, differences, publish, retire, import, download.

A draft is edited as YAML and through fields; both are the same document.
"""

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import NoResultFound
from werkzeug.wrappers import Response as WerkzeugResponse

from qa.forms import service, store
from qa.forms.editing import apply_operation, differences
from qa.forms.fields import EditRefused, fields_of, inner_rules, list_of_inner, script_fields
from qa.forms.reader import read_form
from qa.forms.types import Fault, Form, FormFaults, VersionFacts
from qa.web.context import missing, now, person, reading, writing
from qa.web.forms_wtf.forms import DraftForm, SourceForm
from qa.web.language import current_language, reading_translation

blueprint = Blueprint("editor", __name__)
LANGUAGES = ("en", "it", "zh")
FIELDS = {
    "languages": LANGUAGES,
    "fields_of": fields_of,
    "inner_rules": inner_rules,
    "list_of_inner": list_of_inner,
    "script_fields": script_fields,
}


@blueprint.post("/forms/<int:version_id>/draft")
def draft(version_id: int) -> WerkzeugResponse:
    """Go on with the draft of a form, or begin one from this version."""
    _facts(version_id)
    with writing() as session:
        draft_id = service.draft_of(session, form_version_id=version_id, by=person().id, at=now())
    return redirect(url_for("editor.edit", version_id=draft_id))


@blueprint.route("/forms/<int:version_id>/edit", methods=["GET", "POST"])
def edit(version_id: int) -> WerkzeugResponse | str | tuple[str, int]:
    """Edit the draft: a post saves it, and with `publish` publishes it."""
    facts = _facts(version_id)
    if not facts.is_draft:
        return redirect(url_for("forms.version", version_id=version_id))
    with reading() as session:
        source = store.source(session, version_id)
    status = 200
    if request.method == "POST":
        posted = DraftForm()
        source, loaded_edition = posted.source.data or "", posted.edition.data or 0
        is_to_publish = posted.publish.data is not None
        try:
            with writing() as session:
                edition = service.save_draft(
                    session,
                    form_version_id=version_id,
                    source=source,
                    edition=loaded_edition,
                    by=person().id,
                    at=now(),
                )
                if is_to_publish:
                    service.publish_draft(
                        session, form_version_id=version_id, by=person().id, at=now()
                    )
            if is_to_publish:
                flash(
                    _(
                        "Published. New calls are checked and scored with version %(n)s.",
                        n=facts.version,
                    ),
                    "success",
                )
                return redirect(url_for("forms.version", version_id=version_id))
            flash(_("Draft kept."), "success")
            return redirect(url_for("editor.edit", version_id=version_id))
        except service.DraftChanged:
            flash(
                _(
                    "Somebody else saved this draft since you loaded it. Below is what you wrote;"
                    " compare it before you save again."
                ),
                "warning",
            )
            edition, status = _facts(version_id).edition, 409
        except service.NotItself:
            flash(_("The lines form: and version: have to stay as they were."), "danger")
            edition, status = _facts(version_id).edition, 422
        except FormFaults:
            flash(_("Not published yet: the form has faults. Your text is kept below."), "danger")
            edition, status = _keep_faulty(version_id, source, loaded_edition), 422
    else:
        edition = facts.edition
    form, faults = _read(source)
    page = render_template(
        "forms/edit.html",
        facts=facts,
        version_id=version_id,
        source=source,
        edition=edition,
        form=form,
        faults=faults,
        tongue=_text_language(form),
        **FIELDS,
    )
    return page, status


@blueprint.post("/forms/<int:version_id>/look")
def preview(version_id: int) -> Response | tuple[Response, int]:
    """Check what is typed without saving it: its faults, fields and preview.

    With `act` a change through the fields is made first. The fields of this request are those of
    an operation on any place of the document (act, where, value, language, part), which
    `qa.forms.editing` parses and refuses itself: no form of the web knows them beforehand.
    """
    _facts(version_id)
    source, refused = SourceForm().source.data or "", ""
    if act := request.form.get("act"):
        fields = {k: request.form.get(k, "")[:8000] for k in ("where", "value", "language", "part")}
        try:
            source = _edited(source, act, fields)
        except EditRefused as error:
            refused = reading_translation(error.args[0])
    form, faults = _read(source)
    html = render_template(
        "forms/fields.html", form=form, faults=faults, tongue=_text_language(form), **FIELDS
    )
    return jsonify(source=source, html=html, refused=refused, faults=len(faults))


@blueprint.get("/forms/<int:version_id>/differences")
def diff(version_id: int) -> str:
    """Compare this version with another one: the one before it unless the address names one."""
    facts = _facts(version_id)
    with reading() as session:
        others = [v for v in store.versions_of(session, facts.form) if v.id != version_id]
        other_id = request.args.get("with", type=int)
        older = [v for v in others if v.version < facts.version]
        other = next(
            (v for v in others if v.id == other_id),
            older[0] if older else (others[0] if others else None),
        )
        sources = (
            store.source(session, other.id) if other else "",
            store.source(session, version_id),
        )
    (old, _old_faults), (new, faults) = (
        _read(sources[0]) if other else (None, ()),
        _read(sources[1]),
    )
    changes = differences(old, new, language=current_language()) if old and new else []
    return render_template(
        "forms/differences.html",
        facts=facts,
        version_id=version_id,
        other=other,
        others=others,
        found=changes,
        old=old,
        new=new,
        faults=faults,
    )


@blueprint.post("/forms/<int:version_id>/retire")
def retire(version_id: int) -> WerkzeugResponse:
    """Retire a version in use."""
    _facts(version_id)
    try:
        with writing() as session:
            service.retire(session, form_version_id=version_id, by=person().id, at=now())
        flash(_("Retired. No new call is scored with it; its scorecards stay."), "success")
    except service.NotADraft:
        flash(_("This version is not in use."), "warning")
    return redirect(url_for("forms.listing"))


@blueprint.post("/forms/<int:version_id>/discard")
def discard(version_id: int) -> WerkzeugResponse:
    """Throw a draft away."""
    _facts(version_id)
    try:
        with writing() as session:
            service.discard_draft(session, form_version_id=version_id, by=person().id, at=now())
        flash(_("The draft is gone."), "success")
    except service.NotADraft:
        flash(_("Only a draft can be thrown away; what was published stays."), "warning")
    return redirect(url_for("forms.listing"))


@blueprint.route("/forms/bring", methods=["GET", "POST"])
def import_yaml() -> WerkzeugResponse | str | tuple[str, int]:
    """Import a draft from YAML."""
    faults: tuple[Fault, ...] = ()
    source = SourceForm().source.data or ""
    if request.method == "POST":
        try:
            with writing() as session:
                draft_id = service.import_draft(session, source=source, by=person().id, at=now())
            return redirect(url_for("editor.edit", version_id=draft_id))
        except FormFaults as refused:
            faults = refused.faults
        except service.DraftChanged:
            flash(
                _("There is a draft of this form already. Publish it or throw it away first."),
                "warning",
            )
    page = render_template("forms/bring.html", source=source, faults=faults)
    return (page, 422) if request.method == "POST" else page


@blueprint.get("/forms/<int:version_id>/source.yaml")
def download(version_id: int) -> Response:
    """Send the YAML as a file."""
    facts = _facts(version_id)
    with reading() as session:
        source = store.source(session, version_id)
    headers = {"Content-Disposition": f'attachment; filename="{facts.form}.v{facts.version}.yaml"'}
    return Response(source, mimetype="application/yaml", headers=headers)


def _text_language(form: Form | None) -> str:
    """Return the language in which the fields show the form's texts.

    It is the one chosen, else the reader's, else the form's first.
    """
    preferred = [
        request.form.get("language", ""),
        current_language(),
        *(form.languages if form else ()),
    ]
    return next((code for code in preferred if form and code in form.languages), "")


def _edited(source: str, act: str, fields: dict[str, str]) -> str:
    """Change the YAML through the fields. Raises EditRefused.

    A change that would break a whole form is refused, so that the fields never vanish.
    """
    changed = apply_operation(source, act=act, **fields)
    _form, faults = _read(changed)
    if faults and _read(source)[0]:
        raise EditRefused(
            f"{reading_translation(faults[0].problem)}. {reading_translation(faults[0].instead)}"
        )
    return changed


def _facts(version_id: int) -> VersionFacts:
    try:
        with reading() as session:
            return store.facts(session, version_id)
    except NoResultFound:
        missing()


def _read(source: str) -> tuple[Form | None, tuple[Fault, ...]]:
    try:
        return read_form(source, file="form"), ()
    except FormFaults as refused:
        return None, refused.faults


def _keep_faulty(version_id: int, source: str, edition: int) -> int:
    """Save a draft that could not be published: the failed publication undid the save."""
    with writing() as session:
        return service.save_draft(
            session,
            form_version_id=version_id,
            source=source,
            edition=edition,
            by=person().id,
            at=now(),
        )
