"""Import recordings and customers' ratings that somebody uploads."""

import secrets
import tempfile
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as WerkzeugResponse

from qa.intake import service, store
from qa.intake.types import CallData, FileOutcome, Incoming, Reason
from qa.jobs import service as jobs
from qa.web.context import now, person, reading, wiring, writing
from qa.web.forms_wtf.intake import RatingsForm, UploadForm

blueprint = Blueprint("intake", __name__)
REASONS = {
    Reason.WRONG_FORMAT: lazy_gettext(
        "not an audio file that we read (WAV, FLAC, MP3, Ogg/Opus, AMR, M4A, WebM)"
    ),
    Reason.DAMAGED: lazy_gettext(
        "the file is damaged and cannot be decoded; export it again from the recorder"
    ),
    Reason.EMPTY: lazy_gettext("there is no sound in the file"),
    Reason.NO_AUDIO: lazy_gettext("the file has no audio track"),
    Reason.TOO_LONG: lazy_gettext("longer than this installation accepts"),
    Reason.TOO_LARGE: lazy_gettext("too large to decode within the memory limit"),
    Reason.TOO_MANY_CHANNELS: lazy_gettext(
        "more than two channels; export agent and customer as stereo"
    ),
    Reason.INCOMPLETE: lazy_gettext(
        "a part of the sound is missing; the call is kept, and nothing in it counts as not said"
    ),
    Reason.MISSING_FILE: lazy_gettext("named in the manifest but not found"),
    Reason.OUTSIDE_FOLDER: lazy_gettext("the manifest points outside its folder"),
    Reason.BAD_CALL_DATA: lazy_gettext("the call data cannot be read"),
    Reason.EXTERNAL_ID_TAKEN: lazy_gettext("another recording already has this external id"),
    Reason.SAME_RECORDING: lazy_gettext("this recording is already here"),
    Reason.DISK_FULL: lazy_gettext("the disk is nearly full; free some space and import again"),
}


@blueprint.route("/import", methods=["GET", "POST"])
def upload() -> Response | str | tuple[str, int]:
    """Import uploaded recordings, and show what became of the newest files."""
    form = UploadForm()
    outcomes: list[FileOutcome] = []
    fault = ""
    if form.validate_on_submit():
        try:
            outcomes = _import_files(form.recordings.data or [], form.manifest.data)
        except service.ManifestRefused as error:
            fault = str(error)
    with reading() as session:
        recent = store.recent_files(session, limit=50)
    status = 422 if fault or form.errors else 200
    return render_template(
        "intake/upload.html",
        form=form,
        outcomes=outcomes,
        recent=recent,
        reasons=REASONS,
        fault=fault,
    ), status


@blueprint.post("/import/ratings")
def upload_ratings() -> WerkzeugResponse:
    """Import customers' ratings of calls from CSV or JSON."""
    form = RatingsForm()
    if not form.validate():
        flash(_("Choose a file."), "danger")
        return redirect(url_for("intake.upload"))
    upload = form.ratings.data
    is_json = upload.filename.lower().endswith(".json")
    with tempfile.TemporaryDirectory(prefix="earshot-ratings-") as folder:
        path = Path(folder) / ("ratings.json" if is_json else "ratings.csv")
        upload.save(path)
        try:
            rows = service.read_ratings(path)
        except service.ManifestRefused as error:
            flash(_("The ratings cannot be read: %(fault)s", fault=error), "danger")
            return redirect(url_for("intake.upload"))
    with writing() as session:
        ratings = service.save_ratings(
            session, rows, source=form.source.data or upload.filename, at=now()
        )
    refused = ", ".join(f"{name}: {reason}" for name, reason in ratings.refused[:5])
    message = _(
        "%(kept)s ratings taken in, %(refused)s refused.",
        kept=ratings.kept,
        refused=len(ratings.refused),
    )
    flash(f"{message} {refused}".strip(), "warning" if refused else "success")
    return redirect(url_for("intake.upload"))


def _import_files(recordings: list[FileStorage], manifest: FileStorage | None) -> list[FileOutcome]:
    """Import uploaded files through the same intake as the command line.

    Names are only ever shown, never used as paths.
    """
    batch = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="earshot-upload-") as folder:
        files: dict[str, Path] = {}
        for i, item in enumerate(recordings):
            target = Path(folder) / f"{i:05d}"
            item.save(target)
            files[item.filename or f"file {i + 1}"] = target
        rows = _incoming(manifest, Path(folder), files)
        return [
            jobs.import_recording(wiring(), item, batch=batch, actor_id=person().id)
            for item in rows
        ]


def _incoming(manifest: FileStorage | None, folder: Path, files: dict[str, Path]) -> list[Incoming]:
    if manifest is None or not manifest.filename:
        return [Incoming(name, path, CallData()) for name, path in files.items()]
    is_json = manifest.filename.lower().endswith(".json")
    path = folder / ("manifest.json" if is_json else "manifest.csv")
    manifest.save(path)
    return service.matched(service.read_manifest(path), files, zone=wiring().settings.zone)
