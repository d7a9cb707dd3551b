"""Calls: the list, a call with its player, its sound, and the import page."""

import secrets
import tempfile
from pathlib import Path

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import lazy_gettext
from werkzeug.datastructures import FileStorage

from qa.assignment import store as queue
from qa.audit.store import history, note
from qa.audit.types import Subject
from qa.calendar import MonthRefused, month_bounds
from qa.checking import store as findings
from qa.forms import service as forms
from qa.intake import service, store
from qa.intake.types import CallData, CallFacts, FileOutcome, Incoming, Reason
from qa.jobs import service as jobs
from qa.people import store as people
from qa.people.rules import may_hear
from qa.people.types import Role
from qa.sampling import store as draws
from qa.scoring import store as cards
from qa.transcription import store as transcripts
from qa.web.current import missing, now, person, reading, wiring, writing
from qa.web.inputs.stages import UploadForm
from qa.web.listening import marks

blueprint = Blueprint("intake", __name__)
REASONS = {
    Reason.WRONG_FORMAT: lazy_gettext("not an audio file that we read (WAV, FLAC, MP3, Ogg/Opus, AMR, M4A, WebM)"),
    Reason.DAMAGED: lazy_gettext("the file is damaged and cannot be decoded; export it again from the recorder"),
    Reason.EMPTY: lazy_gettext("there is no sound in the file"),
    Reason.NO_AUDIO: lazy_gettext("the file has no audio track"),
    Reason.TOO_LONG: lazy_gettext("longer than this installation accepts"),
    Reason.TOO_LARGE: lazy_gettext("too large to decode within the memory limit"),
    Reason.TOO_MANY_CHANNELS: lazy_gettext("more than two channels; export agent and customer as stereo"),
    Reason.INCOMPLETE: lazy_gettext("a part of the sound is missing; the call is kept, and nothing in it counts as not said"),
    Reason.MISSING_FILE: lazy_gettext("named in the manifest but not found"),
    Reason.OUTSIDE_FOLDER: lazy_gettext("the manifest points outside its folder"),
    Reason.BAD_CALL_DATA: lazy_gettext("the call data cannot be read"),
    Reason.EXTERNAL_ID_TAKEN: lazy_gettext("another recording already has this external id"),
    Reason.SAME_RECORDING: lazy_gettext("this recording is already here"),
    Reason.DISK_FULL: lazy_gettext("the disk is nearly full; free some space and import again"),
}
PAGE = 50


@blueprint.get("/calls")
def calls() -> str:
    team_id = person().team_id if person().role is Role.TEAM_LEADER else None
    since = until = None
    if request.args.get("month"):
        try:
            since, until = month_bounds(request.args["month"], wiring().settings.zone)
        except MonthRefused:
            since = until = None
    with reading() as session:
        rows = store.calls(
            session,
            team_id=team_id,
            project_code=request.args.get("project") or None,
            language=request.args.get("language") or None,
            since=since,
            until=until,
            after_id=request.args.get("after", type=int),
            limit=PAGE + 1,
        )
        projects = people.projects(session)
    return render_template("intake/calls.html", calls=rows[:PAGE], more=rows[PAGE - 1].id if len(rows) > PAGE else None, projects=projects)


@blueprint.get("/calls/<int:call_id>")
def call(call_id: int) -> str:
    found = audible(call_id)
    with writing() as session:
        note(session, subject=Subject.CALL, subject_id=call_id, what="opened", at=now(), actor_id=person().id)
    with reading() as session:
        heard = transcripts.transcript(session, call_id)
        version_id = findings.latest_form_version(session, call_id)
        result = findings.result(session, call_id, version_id) if version_id else None
        form = forms.load(session, version_id) if version_id else None
        events = history(session, subject=Subject.CALL, subject_id=call_id)
        drawn = draws.why_drawn(session, call_id)
        own = cards.cards(session, call_id=call_id, only_released=person().role not in (Role.QA_MANAGER, Role.EVALUATOR))
    shown = [e for e in events if e.what not in ("opened", "played")]
    return render_template(
        "intake/call.html",
        call=found,
        heard=heard,
        result=result,
        form=form,
        events=shown,
        drawn=drawn,
        cards=own,
        marks=marks(heard[1], heard[0].redactions) if heard else [],
    )


@blueprint.get("/calls/<int:call_id>/audio")
def audio(call_id: int) -> Response:
    """The recording, or the copy that browsers play; by ranges, so that one can jump. The first bytes of a playback are logged."""
    found = audible(call_id)
    with reading() as session:
        if not found.is_simulated and not transcripts.has_transcript(session, call_id):
            missing()  # nobody hears a call before what is private in it is silenced
    if not request.range or request.range.ranges[0][0] == 0:
        with writing() as session:
            note(session, subject=Subject.CALL, subject_id=call_id, what="played", at=now(), actor_id=person().id)
    shelf = wiring().storage
    key = f"{found.storage_key}/playback"
    if not shelf.has(key):
        key = f"{found.storage_key}/original"
        if not shelf.has(key):
            missing()
    response = send_file(shelf.open(key), mimetype=found.media_type or "audio/wav", etag=found.content_sha256, max_age=0)
    size = shelf.size(key)
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/calls/<int:call_id>/peaks")
def peaks(call_id: int) -> Response:
    found = audible(call_id)
    key = f"{found.storage_key}/peaks"
    if not wiring().storage.has(key):
        missing()
    return Response(wiring().storage.read(key), mimetype="application/octet-stream", headers={"Cache-Control": "private, max-age=3600"})


@blueprint.route("/import", methods=["GET", "POST"])
def upload() -> Response | str | tuple[str, int]:
    form = UploadForm()
    outcomes: list[FileOutcome] = []
    fault = ""
    if form.validate_on_submit():
        try:
            outcomes = _take_in(form.recordings.data or [], form.manifest.data)
        except service.ManifestRefused as error:
            fault = str(error)
    with reading() as session:
        recent = store.recent_files(session, limit=50)
    status = 422 if fault or form.errors else 200
    return render_template("intake/upload.html", form=form, outcomes=outcomes, recent=recent, reasons=REASONS, fault=fault), status


def _take_in(recordings: list[FileStorage], manifest: FileStorage | None) -> list[FileOutcome]:
    """Uploaded files through the same intake as the command line. Names are only ever shown, never used as paths."""
    batch = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="earshot-upload-") as folder:
        files: dict[str, Path] = {}
        for i, item in enumerate(recordings):
            target = Path(folder) / f"{i:05d}"
            item.save(target)
            files[item.filename or f"file {i + 1}"] = target
        rows = _rows(manifest, Path(folder), files)
        return [jobs.take_one(wiring(), item, batch=batch, actor_id=person().id) for item in rows]


def _rows(manifest: FileStorage | None, folder: Path, files: dict[str, Path]) -> list[Incoming]:
    if manifest is None or not manifest.filename:
        return [Incoming(name, path, CallData()) for name, path in files.items()]
    is_json = manifest.filename.lower().endswith(".json")
    path = folder / ("manifest.json" if is_json else "manifest.csv")
    manifest.save(path)
    return service.matched(service.read_manifest(path), files, zone=wiring().settings.zone)


def audible(call_id: int) -> CallFacts:
    """The call, if this person may hear it; else there is none."""
    with reading() as session:
        found = store.call(session, call_id)
        if found is None:
            missing()
        released = cards.has_released_card(session, call_id)
        holds = queue.holds(session, person().id, call_id)
    if not may_hear(person(), agent_id=found.agent_id, team_id=found.team_id, has_released_card=released, holds_assignment=holds):
        missing()
    return found
