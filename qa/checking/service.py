"""Apply a form's checks to a transcribed call."""

from sqlalchemy.orm import Session

from qa.checking import store
from qa.checking.rules import check_call
from qa.checking.types import ConfidenceCalibration, Finding, Findings, SpeechActs, Verdict
from qa.forms.types import Form, in_language
from qa.intake.types import CallFacts
from qa.transcription.types import Mechanics, Transcript


def check(
    call: CallFacts,
    transcript: Transcript,
    mechanics: Mechanics,
    form: Form,
    *,
    acts: SpeechActs | None = None,
    calibration: ConfidenceCalibration | None = None,
) -> Findings:
    """Check a call with a form, with the project's words filled in and the call data at hand."""
    variables = {
        name: in_language(value, transcript.language) if isinstance(value, dict) else str(value)
        for name, value in call.variables.items()
    }
    details = {**call.details, "queue": call.queue, "direction": call.direction.value}
    return check_call(
        form,
        transcript,
        mechanics=mechanics,
        details=details,
        variables=variables,
        is_complete=call.lost_seconds == 0,
        acts=acts,
        calibration=calibration,
    )


def findings_by_criterion(
    session: Session, *, call_id: int, form_version_id: int
) -> dict[str, Finding] | None:
    """Load the automatic answers of a form about a call; None where it was not checked."""
    result = store.result(session, call_id, form_version_id)
    if result is None:
        return None
    return {finding.criterion: finding for finding in result.findings}


def breaks_critical(form: Form, findings: Findings) -> bool:
    """Tell whether an automatic answer says that a critical criterion was broken.

    A person has to hear such a call before it counts.
    """
    critical = {criterion.id for criterion in form.criteria() if criterion.is_critical}
    return any(
        finding.criterion in critical and finding.verdict is Verdict.NOT_MET
        for finding in findings.findings
    )
