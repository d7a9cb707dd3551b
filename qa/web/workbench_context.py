"""Load what the workbench and the pages of a scorecard show of one call, for whom may see it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from qa.assignment import store as assignments
from qa.assignment.types import Assignment
from qa.checking import store as findings_store
from qa.checking.service import findings_by_criterion
from qa.checking.types import Finding, Findings
from qa.forms import service as forms
from qa.forms.types import Form
from qa.intake import store as calls
from qa.intake.types import CallFacts
from qa.people.rules import may_read_card
from qa.sampling import store as draws
from qa.scoring import store as cards
from qa.scoring.rules import automatic_option, may_read_again
from qa.scoring.types import Card
from qa.states import AssignmentKind, Role, ScorecardState
from qa.transcription import store as transcripts
from qa.transcription.types import Corrections, Mechanics, Transcript
from qa.web.context import missing, person
from qa.web.waveform import marks


@dataclass(frozen=True)
class WorkbenchContext:
    """Everything that the workbench and a card's page show of one call."""

    assignment: Assignment
    call: CallFacts
    form: Form
    card: Card
    transcript: Transcript | None
    mechanics: Mechanics | None
    findings: dict[str, Finding]
    result: Findings | None
    drawn: list[Any]
    corrections: Corrections

    @property
    def is_blind(self) -> bool:
        """Tell whether the automatic answers are hidden: until a blind card is submitted."""
        return self.card.is_blind and self.card.state is ScorecardState.DRAFT

    @property
    def names_agent(self) -> bool:
        """Tell whether the agent's name is shown.

        Not while people score for a calibration, so that nobody scores a name.
        """
        return (
            self.assignment.kind is not AssignmentKind.CALIBRATION
            or self.card.state is not ScorecardState.DRAFT
        )

    @property
    def waveform_marks(self) -> list[Any]:
        """List the pauses, overlaps and redactions to mark on the waveform."""
        return marks(self.mechanics, self.transcript.redactions if self.transcript else ())

    def suggestion(self, criterion_id: str) -> str | None:
        """Return the option that the checks propose, as far as this person may see it."""
        criterion = self.form.criterion(criterion_id)
        if criterion is None or self.is_blind:
            return None
        return automatic_option(self.findings.get(criterion_id), criterion)

    def visible_finding(self, criterion_id: str) -> Finding | None:
        """Return the automatic answer, as far as this person may see it."""
        return None if self.is_blind else self.findings.get(criterion_id)


def load_workbench(session: Session, card: Card) -> WorkbenchContext:
    """Load the call, transcript, automatic answers and form of a scorecard."""
    assignment = assignments.assignment(session, card.assignment_id) or missing()
    transcript = transcripts.transcript(session, assignment.call_id)
    result = findings_store.result(session, assignment.call_id, assignment.form_version_id)
    return WorkbenchContext(
        assignment=assignment,
        call=calls.call(session, assignment.call_id) or missing(),
        form=forms.load(session, assignment.form_version_id),
        card=card,
        transcript=transcript[0] if transcript else None,
        mechanics=transcript[1] if transcript else None,
        findings={f.criterion: f for f in result.findings} if result else {},
        result=result,
        drawn=draws.why_drawn(session, assignment.call_id),
        corrections=transcripts.corrections(session, assignment.call_id),
    )


def findings_of(session: Session, card: Card) -> dict[str, Finding]:
    """Load the automatic answers about the call of a card, by criterion."""
    findings = findings_by_criterion(
        session, call_id=card.call_id, form_version_id=card.form_version_id
    )
    return findings or {}


def readable_card(session: Session, card_id: int) -> Card:
    """Load a submitted card that this person may read; else there is no such page."""
    card = cards.card(session, card_id)
    if card is None or card.state is ScorecardState.DRAFT:
        missing()
    call = calls.call(session, card.call_id) or missing()
    # doubles, self-evaluations, calibrations: who filled it in, and QA managers
    if card.kind is not AssignmentKind.STANDARD:
        if person().role is not Role.QA_MANAGER and card.evaluator_id != person().id:
            missing()
        return card
    was_released = card.state is ScorecardState.VOID and card.released_at is not None
    if may_read_card(
        person(),
        is_released=card.is_released or was_released,
        agent_id=card.agent_id,
        team_id=call.team_id,
        evaluator_id=card.evaluator_id,
    ):
        return card
    if not reads_as_second_reader(card, forms.load(session, card.form_version_id).release):
        missing()
    return card


def reads_as_second_reader(card: Card, release_rule: str) -> bool:
    """Tell whether this person may read a submitted card as its second reader."""
    asks = (
        release_rule == "second_reader"
        and card.kind is AssignmentKind.STANDARD
        and person().role in (Role.EVALUATOR, Role.QA_MANAGER)
    )
    return may_read_again(
        form_asks=asks,
        is_own=card.evaluator_id == person().id,
        is_submitted=card.state is ScorecardState.SUBMITTED,
    )
