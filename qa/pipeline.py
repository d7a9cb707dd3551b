"""Define the pipeline's steps: the only place that knows the order in which a call travels.

A step loads and computes outside any transaction and returns what is to be recorded; the ledger
(`qa.jobs`) calls that inside one short transaction under the task's fence, and asks for the steps
it returns.
"""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from qa.assignment import service as assignment
from qa.assignment import store as places
from qa.assignment.rules import is_selected_for_share
from qa.audit.store import record_event
from qa.audit.types import EventKind, Subject
from qa.checking import service as checking
from qa.checking import store as findings
from qa.confidence import store as learnt
from qa.forms import service as forms
from qa.forms.rules import script_lines
from qa.forms.types import Form
from qa.intake import service as intake
from qa.intake import store as calls
from qa.intake.types import CallData, CallFacts, FileOutcome
from qa.months import Month
from qa.people import store as people
from qa.sampling import service as sampling
from qa.sampling import store as draws
from qa.sampling.types import Draw
from qa.states import Phase, Step
from qa.transcription import service as transcription
from qa.transcription import store as transcripts
from qa.wiring import Wiring

NextSteps = Iterable[tuple[Step, int]]
Record = Callable[[Session], NextSteps]


class PermanentFailure(Exception):
    """A failure that no repetition will help; a person has to look at it.

    The message says what to do.
    """


def transcribe(wiring: Wiring, call_id: int) -> Record:
    call = _call(wiring, call_id)
    with wiring.database.read() as session:
        chosen = _form_for(session, call, call.language)
    lines = script_lines(chosen[1], call.language or chosen[1].languages[0]) if chosen else []
    result = transcription.transcribe(
        call,
        audio=wiring.audio,
        storage=wiring.storage,
        private_names=wiring.settings.names_to_mask,
        script_lines=lines,
        on_progress=wiring.report_progress,
    )
    transcript = result.transcript

    def record(session: Session) -> NextSteps:
        at = wiring.clock()
        transcripts.save_transcript(
            session, call_id=call_id, transcript=transcript, mechanics=result.mechanics, at=at
        )
        if call.language is None:
            calls.set_language(session, call_id, transcript.language)
        if result.media_type:
            calls.set_media_type(session, call_id, result.media_type)
        kinds = sorted({redaction.kind for redaction in transcript.redactions})
        record_event(
            session,
            subject=Subject.CALL,
            subject_id=call_id,
            event=EventKind.TRANSCRIBED,
            at=at,
            engine=transcript.engine,
            masked=kinds,
        )
        steps = [(Step.CHECK, call_id)]
        if not transcription.may_keep_original(call, transcript):
            steps.append((Step.REPLACE_ORIGINAL, call_id))
        return steps

    return record


def replace_original(wiring: Wiring, call_id: int) -> Record:
    """Replace the recording as it came in by its silenced copy."""
    transcription.replace_original_with_redacted(_call(wiring, call_id), storage=wiring.storage)

    def record(session: Session) -> NextSteps:
        record_event(
            session,
            subject=Subject.CALL,
            subject_id=call_id,
            event=EventKind.ORIGINAL_REPLACED,
            at=wiring.clock(),
        )
        return []

    return record


def check(wiring: Wiring, call_id: int) -> Record:
    call = _call(wiring, call_id)
    with wiring.database.read() as session:
        stored = transcripts.transcript(session, call_id)
        if stored is None:
            raise PermanentFailure("the call has no transcript; retry its transcription")
        month = Month.of(call.started_at.astimezone(wiring.settings.zone))
        calibration = learnt.calibration(session, month)
        chosen = _form_for(session, call, stored[0].language)
    if chosen is None:
        raise PermanentFailure(
            "no published form applies to this call; publish one whose applies_to and languages"
            " fit, then retry"
        )
    form_version_id, form = chosen
    answers = checking.check(
        call, stored[0], stored[1], form, acts=wiring.acts, calibration=calibration
    )

    def record(session: Session) -> NextSteps:
        at = wiring.clock()
        flagged = checking.breaks_critical(form, answers)
        findings.save_result(
            session,
            call_id=call_id,
            form_version_id=form_version_id,
            findings=answers,
            is_flagged=flagged,
            at=at,
        )
        record_event(
            session,
            subject=Subject.CALL,
            subject_id=call_id,
            event=EventKind.CHECKED,
            at=at,
            form=form.form,
            version=form.version,
            rules=answers.rules_version,
        )
        return [(Step.QUEUE, call_id)]

    return record


def queue(wiring: Wiring, call_id: int) -> Record:
    """Enqueue an assignment once the call is both drawn and checked.

    Whichever comes second asks for this step.
    """

    def record(session: Session) -> NextSteps:
        drawn = draws.is_drawn_for_people(session, call_id)
        form_version_id = findings.latest_form_version(session, call_id)
        if drawn is not None and form_version_id is not None:
            settings, seed, external_id = (
                wiring.settings,
                draws.seed_of(session, drawn),
                _call(wiring, call_id).external_id,
            )
            assignment.enqueue(
                session,
                call_id=call_id,
                form_version_id=form_version_id,
                drawn_call_id=drawn,
                due_days=settings.score_due_days,
                is_blind=is_selected_for_share(
                    settings.blind_share, purpose="blind", seed=seed, external_id=external_id
                ),
                is_double=is_selected_for_share(
                    settings.double_share, purpose="double", seed=seed, external_id=external_id
                ),
                at=wiring.clock(),
            )
        return []

    return record


def replace_skipped(wiring: Wiring, assignment_id: int) -> Record:
    """Draw another call of the same stratum and day, instead of one that was skipped."""
    settings = wiring.settings
    with wiring.database.read() as session:
        drawn = places.drawn_standard(session, assignment_id)
        replacement = (
            sampling.replacement(
                session,
                drawn_call_id=drawn,
                zone=settings.zone,
                new_hire_days=settings.new_hire_days,
            )
            if drawn is not None
            else None
        )

    def record(session: Session) -> NextSteps:
        if replacement is None:
            return []
        draw_id, call = replacement
        sampling.add_replacement(
            session,
            draw_id=draw_id,
            call=call,
            zone=settings.zone,
            new_hire_days=settings.new_hire_days,
            at=wiring.clock(),
        )
        return _steps_of_drawn(session, call.call_id)

    return record


def _steps_of_drawn(session: Session, call_id: int) -> list[tuple[Step, int]]:
    unheard = not transcripts.has_transcript(session, call_id) and draws.has_automatic_plan(session)
    steps = [(Step.QUEUE, call_id)]
    return [(Step.TRANSCRIBE, call_id), *steps] if unheard else steps


def sample(wiring: Wiring, ordinal: int) -> Record:
    """Draw from one day, by every active plan."""

    def record(session: Session) -> NextSteps:
        return steps_after_draw(session, draw(wiring, session, date.fromordinal(ordinal)))

    return record


# by stored text: the ledger may hold a step of another version of this program
STEPS: dict[str, Callable[[Wiring, int], Record]] = {
    Step.SAMPLE: sample,
    Step.TRANSCRIBE: transcribe,
    Step.REPLACE_ORIGINAL: replace_original,
    Step.CHECK: check,
    Step.QUEUE: queue,
    Step.REPLACE_SKIPPED: replace_skipped,
}


def draw(wiring: Wiring, session: Session, day: date, *, plan: str | None = None) -> list[Draw]:
    """Draw from one day, by one plan or by all active ones."""
    settings, at = wiring.settings, wiring.clock()
    chosen = [candidate for candidate in draws.plans(session) if plan in (None, candidate.code)]
    drawn = [
        sampling.draw_day(
            session,
            plan=candidate,
            day=day,
            zone=settings.zone,
            new_hire_days=settings.new_hire_days,
            at=at,
        )
        for candidate in chosen
    ]
    for each in drawn:
        for call in each.calls if each.is_new else ():
            record_event(
                session,
                subject=Subject.CALL,
                subject_id=call.call_id,
                event=EventKind.DRAWN,
                at=at,
                plan=each.plan,
                probability=call.probability,
                reason=call.reason,
            )
    return drawn


def receive(
    wiring: Wiring,
    path: Path,
    *,
    name: str,
    data: CallData,
    batch: str,
    actor_id: int | None = None,
) -> Callable[[Session], FileOutcome]:
    """Take one file in: all slow work happens here; the returned function records the outcome."""
    sha256 = intake.identify(path)
    with wiring.database.read() as session:
        existing = intake.known_recording(session, name=name, sha256=sha256, data=data)
    prepared = existing or intake.prepare(
        path, name=name, data=data, sha256=sha256, audio=wiring.audio, storage=wiring.storage
    )

    def record(session: Session) -> FileOutcome:
        at = wiring.clock()
        if isinstance(prepared, FileOutcome):
            outcome = prepared
        else:
            modified = intake.modified_at(path)
            outcome = intake.record(
                session,
                name=name,
                sha256=sha256,
                data=data,
                prepared=prepared,
                place=_place,
                at=at,
                modified=modified,
            )
        calls.record_file(session, batch=batch, outcome=outcome, at=at)
        if outcome.is_new_call and outcome.call_id is not None:
            record_event(
                session,
                subject=Subject.CALL,
                subject_id=outcome.call_id,
                event=EventKind.IMPORTED,
                at=at,
                actor_id=actor_id,
                file=name,
            )
        return outcome

    return record


def steps_after_intake(session: Session, outcome: FileOutcome) -> NextSteps:
    """List the steps of a new call: transcribed at once, unless a plan draws which calls are."""
    if not outcome.is_new_call or outcome.call_id is None or draws.has_automatic_plan(session):
        return []
    return [(Step.TRANSCRIBE, outcome.call_id)]


def steps_after_draw(session: Session, drawn: Iterable[Draw]) -> list[tuple[Step, int]]:
    """List the steps of the calls drawn.

    Calls drawn for people go to the queue; those that no automatic phase has taken yet are
    transcribed and checked first.
    """
    steps: list[tuple[Step, int]] = []
    for drawing in drawn:
        for call in drawing.calls if drawing.is_new else ():
            steps += [
                step
                for step in _steps_of_drawn(session, call.call_id)
                if drawing.phase is Phase.HUMAN or step[0] is Step.TRANSCRIBE
            ]
    return list(dict.fromkeys(steps))


def _place(session: Session, data: CallData) -> intake.CallOwner:
    project_id = people.ensure_project(session, data.project, company=data.company)
    team_id = people.ensure_team(session, data.team, data.department)
    hired_on = intake.parse_day(data.hired_on)
    return intake.CallOwner(
        project_id,
        people.ensure_agent(
            session, data.agent, name=data.agent_name, team_id=team_id, hired_on=hired_on
        ),
    )


def _form_for(session: Session, call: CallFacts, language: str | None) -> tuple[int, Form] | None:
    facts = {
        "project": call.project_code,
        "queue": call.queue,
        "direction": call.direction.value,
        "duration": call.duration_seconds,
    }
    # as the facts are
    return forms.form_for(session, language=language, **facts)  # type: ignore[arg-type]


def _call(wiring: Wiring, call_id: int) -> CallFacts:
    with wiring.database.read() as session:
        call = calls.call(session, call_id)
    if call is None:
        raise PermanentFailure("the call is not here any more")
    return call
