"""Pages of scoring forms: the list, a version, and a trial of a form on a past call."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import NoResultFound

from qa.checking import service as checking
from qa.checking.types import Findings
from qa.confidence import store as learnt
from qa.forms import service, store
from qa.forms.reader import read_form
from qa.forms.types import Fault, Form, FormFaults
from qa.intake import service as intake
from qa.intake import store as calls
from qa.intake.types import CallFacts
from qa.people import store as people
from qa.transcription import store as transcripts
from qa.transcription.types import Mechanics, Transcript
from qa.web.context import missing, now, person, reading, wiring, writing
from qa.web.forms_wtf.forms import TrialForm
from qa.web.waveform import marks

blueprint = Blueprint("forms", __name__)
CHOICES = 60


@dataclass(frozen=True)
class Trial:
    """A form tried on a call.

    `tables` are, per criterion, counts of (automatic verdict, person's answer) so far.
    """

    call: CallFacts
    transcript: Transcript
    mechanics: Mechanics
    form: Form
    findings: Findings
    tables: dict[str, dict[tuple[str, str], int]]

    @property
    def marks(self) -> list[dict[str, Any]]:
        """Mark what the rules hit, beside silences and the like, on the waveform."""
        hits = [
            {"kind": "evidence", "start": e.start, "end": e.end}
            for f in self.findings.findings
            for e in f.evidence
        ]
        return sorted(
            [*marks(self.mechanics, self.transcript.redactions), *hits], key=lambda m: m["start"]
        )

    @property
    def hits(self) -> dict[int, list[str]]:
        """List for every utterance the criteria with evidence in it."""
        criteria: dict[int, list[str]] = {}
        for finding in self.findings.findings:
            for evidence in finding.evidence:
                of_utterance = criteria.setdefault(evidence.utterance, [])
                if finding.criterion not in of_utterance:
                    of_utterance.append(finding.criterion)
        return criteria


@blueprint.get("/forms")
def listing() -> str:
    """List the versions of forms, and which form a call of each kind is scored with."""
    with reading() as session:
        versions = [
            (v.id, v.version, v.state.value, v.published_at, _readable(v.id, v.source), v.form)
            for v in store.versions(session)
        ]
        kinds = [
            (
                *k,
                service.form_for(
                    session, project=k[1], queue=k[2], direction=k[3], language=k[4], duration=60.0
                ),
            )
            for k in calls.call_combinations(session)
        ]
        own = (
            None
            if person().sees_all_projects
            else {"*", *(code for code, _name in people.projects(session))}
        )
    versions = [v for v in versions if own is None or (v[4] and v[4].applies_to.project in own)]
    return render_template("forms/listing.html", versions=versions, kinds=kinds)


@blueprint.get("/forms/<int:version_id>")
def version(version_id: int) -> str:
    """Show a version as its author wrote it and as evaluators see it."""
    form, source = _version(version_id)
    with reading() as session:
        facts = store.facts(session, version_id)
    return render_template(
        "forms/version.html", form=form, source=source, version_id=version_id, facts=facts
    )


@blueprint.route("/forms/<int:version_id>/try", methods=["GET", "POST"])
def try_out(version_id: int) -> str | tuple[str, int]:
    """Try a form, as published or as edited here, on a past call. Nothing is kept."""
    published, source = _version(version_id)
    posted = TrialForm()
    source = source if posted.source.data is None else posted.source.data
    chosen = posted.call.data or request.args.get("call", type=int)
    form, faults = _read(source, published.form)
    with reading() as session:
        recent = [c for c in calls.calls(session, limit=CHOICES) if not c.is_simulated]
        ready = transcripts.transcribed(session, [c.id for c in recent])
        choices = [c for c in recent if c.id in ready]
        trial = _trial(session, form, chosen) if form and chosen else None
        if chosen and form and trial is None:
            faults = (
                Fault(
                    "",
                    0,
                    "",
                    _("This call is not here or not transcribed yet."),
                    _("Choose another call."),
                ),
            )
    if trial:
        with writing() as session:
            intake.record_opened(session, call_id=trial.call.id, by=person().id, at=now())
    page = render_template(
        "forms/try.html",
        version_id=version_id,
        published=published,
        source=source,
        faults=faults,
        choices=choices,
        chosen=chosen,
        trial=trial,
    )
    return (page, 422) if faults else page


def _readable(version_id: int, source: str) -> Form | None:
    """Parse a version; None while a draft has faults."""
    try:
        return service.parsed(version_id, source)
    except FormFaults:
        return None


def _version(version_id: int) -> tuple[Form, str]:
    try:
        with reading() as session:
            form, own = (
                service.load(session, version_id),
                {"*", *(code for code, _name in people.projects(session))},
            )
            if form.applies_to.project not in own and not person().sees_all_projects:
                missing()
            return form, store.source(session, version_id)
    except (NoResultFound, FormFaults):  # a draft with faults is opened in its editor
        missing()


def _read(source: str, name: str) -> tuple[Form | None, tuple[Fault, ...]]:
    try:
        return read_form(source, file=name), ()
    except FormFaults as refused:
        return None, refused.faults


def _trial(session: Any, form: Form, call_id: int) -> Trial | None:
    call, transcribed = calls.call(session, call_id), transcripts.transcript(session, call_id)
    if call is None or transcribed is None:
        return None
    transcript, mechanics = transcribed
    findings = checking.check(call, transcript, mechanics, form, acts=wiring().acts)
    confusions = learnt.confusions(session, form.form)
    return Trial(call, transcript, mechanics, form, findings, confusions)
