"""Simulate what people do with drawn calls: scorecards, second ones, disputes, transcripts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert
from sqlalchemy.orm import Session

from qa.checking.types import Evidence, Finding, Verdict
from qa.scoring.rules import CountedAnswer, Result, result_of
from qa.scoring.types import Answer, Filled
from qa.simulation.staff import Staff, Worker
from qa.simulation.talk import Said, conversation
from qa.states import (
    AssignmentKind,
    AssignmentState,
    DisputeLevel,
    DisputeState,
    RevisionCause,
    ScorecardState,
)
from qa.tables.calls import CallRow
from qa.tables.results import CheckResultRow, SpokenRow, TranscriptRow
from qa.tables.scoring import (
    AnswerRow,
    AssignmentRow,
    DisputeRow,
    ScorecardRevisionRow,
    ScorecardRow,
)
from qa.transcription.rules.search_text import searchable

DOUBLED, DISPUTED, UPHELD, SKIPPED = 0.06, 0.04, 0.4, 0.02
SLIP = 0.025  # of an evaluator, per answer
VERDICTS = {1: Verdict.MET, 0: Verdict.NOT_MET, -1: Verdict.UNSURE}
Month = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.int8]]


@dataclass
class Truth:
    """The true answers of a month's calls; their ids follow one another, agent by agent."""

    first_id: int
    calls: int
    workers: list[Month]

    def knows(self, call_id: int) -> bool:
        return self.first_id <= call_id < self.first_id + self.calls * len(self.workers)

    def of(
        self, call_id: int
    ) -> tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.int8]]:
        number, position = divmod(call_id - self.first_id, self.calls)
        met, applicable, automatic = self.workers[number]
        return number, met[position], applicable[position], automatic[position]


@dataclass
class Scorer:
    staff: Staff
    rng: np.random.Generator
    truth: Truth
    seed: int
    answers: list[dict[str, Any]] = field(default_factory=list)
    spoken: list[dict[str, Any]] = field(default_factory=list)
    transcripts: list[dict[str, Any]] = field(default_factory=list)

    def score(self, session: Session, *, call_id: int, drawn_id: int, probability: float) -> None:
        """Simulate everything that people make of one drawn call."""
        number, met, applicable, automatic = self.truth.of(call_id)
        worker = self.staff.workers[number]
        call = session.get_one(CallRow, call_id)
        dialogue = self._talk(worker, call, met)
        findings = self._findings(worker, automatic, applicable, dialogue)
        session.query(CheckResultRow).filter_by(call_id=call_id).update(
            {"findings": [finding.document() for finding in findings.values()]}
        )
        finished_at = call.started_at + timedelta(days=2, hours=float(self.rng.uniform(0, 40)))
        assignment = AssignmentRow(
            call_id=call_id,
            form_version_id=worker.track.form_version_id,
            drawn_call_id=drawn_id,
            state=AssignmentState.SUBMITTED,
            due_at=call.started_at + timedelta(days=5),
            created_at=call.started_at,
            finished_at=finished_at,
        )
        evaluator = int(self.rng.integers(0, len(self.staff.evaluators)))
        if self.rng.random() < SKIPPED and probability < 1:
            assignment.state, assignment.skip_reason, assignment.evaluator_id = (
                AssignmentState.SKIPPED,
                "bad_sound",
                self.staff.evaluators[evaluator],
            )
            session.add(assignment)
            session.flush()
            return
        filled = self._filled(worker, met, applicable, automatic, self.staff.severity[evaluator])
        card, result = self._card(
            session,
            assignment,
            worker,
            call,
            filled,
            findings,
            who=evaluator,
            done=finished_at,
            probability=probability,
        )
        if self.rng.random() < DISPUTED:
            filled, result = self._dispute(session, card, worker, filled, result, findings, met)
        shared = {
            "scorecard_id": card.id,
            "agent_id": call.agent_id,
            "called_at": call.started_at,
            "project_id": call.project_id,
            "weight": 1 / probability,
        }
        self.answers += [shared | vars(answer) for answer in result.answers]
        if self.rng.random() < DOUBLED and len(self.staff.evaluators) > 1:
            other = (
                evaluator + 1 + int(self.rng.integers(0, len(self.staff.evaluators) - 1))
            ) % len(self.staff.evaluators)
            second_answers = self._filled(
                worker, met, applicable, automatic, self.staff.severity[other]
            )
            second = AssignmentRow(
                call_id=call_id,
                form_version_id=worker.track.form_version_id,
                drawn_call_id=drawn_id,
                kind=AssignmentKind.DOUBLE,
                occasion="double",
                state=AssignmentState.SUBMITTED,
                due_at=assignment.due_at,
                created_at=call.started_at,
                finished_at=finished_at,
                is_blind=True,
            )
            self._card(
                session,
                second,
                worker,
                call,
                second_answers,
                findings,
                who=other,
                done=finished_at,
                probability=probability,
            )

    def flush(self, session: Session) -> None:
        """Write what was collected for many cards at once."""
        for table, rows in (
            (AnswerRow, self.answers),
            (TranscriptRow, self.transcripts),
            (SpokenRow, self.spoken),
        ):
            if rows:
                session.execute(insert(table), rows)
                rows.clear()

    def _talk(self, worker: Worker, call: CallRow, met: npt.NDArray[np.bool_]) -> Said:
        by_id = {
            criterion.id: bool(value)
            for criterion, value in zip(worker.track.criteria, met, strict=True)
        }
        dialogue = conversation(
            worker.track.language, by_id, agent=worker.name, rng=self.rng, seed=str(self.seed)
        )
        document, numbers = (
            dialogue.transcript.model_dump(mode="json"),
            dialogue.mechanics.model_dump(mode="json"),
        )
        self.transcripts.append(
            {
                "call_id": call.id,
                "language": worker.track.language,
                "document": document,
                "mechanics": numbers,
                "created_at": call.received_at,
            }
        )
        self.spoken.append({"call_id": call.id, "words": searchable(dialogue.transcript.text)})
        call.duration_seconds = dialogue.transcript.duration
        return dialogue

    def _findings(
        self,
        worker: Worker,
        automatic: npt.NDArray[np.int8],
        applicable: npt.NDArray[np.bool_],
        dialogue: Said,
    ) -> dict[str, Finding]:
        findings = {}
        for criterion, answer, fits in zip(
            worker.track.criteria, automatic, applicable, strict=True
        ):
            if criterion.check is None:
                continue
            verdict = VERDICTS[int(answer)] if fits else Verdict.NOT_APPLICABLE
            place = dialogue.shown_by.get(criterion.id)
            evidence: tuple[Evidence, ...] = ()
            if place is not None and verdict is Verdict.MET:
                utterance = dialogue.transcript.utterances[place]
                evidence = (
                    Evidence(
                        place, utterance.speaker, utterance.start, utterance.end, utterance.text
                    ),
                )
            confidence = (
                0.5 if verdict is Verdict.UNSURE else round(float(self.rng.beta(14, 1.6)), 3)
            )
            findings[criterion.id] = Finding(
                criterion.id, verdict, confidence, "simulated", evidence
            )
        return findings

    def _filled(
        self,
        worker: Worker,
        met: npt.NDArray[np.bool_],
        applicable: npt.NDArray[np.bool_],
        automatic: npt.NDArray[np.int8],
        severity: float,
    ) -> Filled:
        """Simulate an evaluator's answers: the truth, but for slips, tilted by severity."""
        track = worker.track
        odds = np.where(met, SLIP + max(0.0, -severity), SLIP + max(0.0, severity))
        seen_met = np.where((self.rng.random(len(met)) < odds) & ~track.critical, ~met, met)
        answers = {}
        for criterion, is_met, fits, answer in zip(
            track.criteria, seen_met, applicable, automatic, strict=True
        ):
            ordered = sorted(criterion.choices, key=lambda choice: choice.points)
            option = ordered[-1].id if not fits or is_met else ordered[0].id
            if not fits and criterion.na:
                option = "na"
            proposed = {1: ordered[-1].id, 0: ordered[0].id}.get(int(answer))
            answers[criterion.id] = Answer(
                option=option,
                comment="simulated" if not is_met and fits else "",
                accepted=option == proposed,
            )
        for criterion in track.form.criteria():
            answers.setdefault(
                criterion.id, Answer(option="na" if criterion.na else criterion.choices[0].id)
            )
        return Filled(answers=answers)

    def _card(
        self,
        session: Session,
        assignment: AssignmentRow,
        worker: Worker,
        call: CallRow,
        filled: Filled,
        findings: dict[str, Finding],
        *,
        who: int,
        done: datetime,
        probability: float,
    ) -> tuple[ScorecardRow, Result]:
        assignment.evaluator_id = self.staff.evaluators[who]
        session.add(assignment)
        session.flush()
        result = result_of(worker.track.form, filled, findings)
        content = filled.model_dump(mode="json")
        card = ScorecardRow(
            assignment_id=assignment.id,
            call_id=call.id,
            agent_id=call.agent_id,
            project_id=call.project_id,
            form_version_id=worker.track.form_version_id,
            evaluator_id=self.staff.evaluators[who],
            kind=assignment.kind or AssignmentKind.STANDARD,
            is_blind=bool(assignment.is_blind),
            state=ScorecardState.RELEASED
            if assignment.kind is not AssignmentKind.DOUBLE
            else ScorecardState.SUBMITTED,
            version=2,
            **content,
            **result.figures,
            automatic_score=call.automatic_score,
            is_flagged=call.is_flagged,
            probability=probability,
            started_at=call.started_at,
            opened_at=done - timedelta(minutes=6),
            submitted_at=done,
            released_at=done,
            seconds_spent=round(float(self.rng.lognormal(5.7, 0.4)), 1),
        )
        session.add(card)
        session.flush()
        self._revision(session, card, 1, RevisionCause.SUBMITTED, "", filled, result, [], done)
        return card, result

    def _dispute(
        self,
        session: Session,
        card: ScorecardRow,
        worker: Worker,
        filled: Filled,
        result: Result,
        findings: dict[str, Finding],
        met: npt.NDArray[np.bool_],
    ) -> tuple[Filled, Result]:
        """Simulate the dispute of a lost answer; upheld more often if the evaluator was wrong."""
        truth = {
            each.id: bool(value) for each, value in zip(worker.track.criteria, met, strict=True)
        }
        lost = [
            answer
            for answer in result.answers
            if answer.share_of_points is not None
            and answer.share_of_points < 1
            and not answer.failed
        ]
        if not lost or card.submitted_at is None:
            return filled, result
        answer = lost[int(self.rng.integers(len(lost)))]
        is_upheld = self.rng.random() < (0.9 if truth.get(answer.criterion) else UPHELD / 2)
        opened, decided = (
            card.submitted_at + timedelta(days=1),
            card.submitted_at + timedelta(days=3),
        )
        criterion = worker.track.form.criterion(answer.criterion)
        assert criterion is not None  # answered, so it is the form's
        best = max(criterion.choices, key=lambda option: option.points).id
        session.add(
            _dispute_row(
                card,
                answer,
                best=best,
                is_upheld=is_upheld,
                opened=opened,
                decided=decided,
                by=self.staff.manager_id,
            )
        )
        if not is_upheld:
            return filled, result
        changed = Filled(
            answers=filled.answers | {answer.criterion: Answer(option=best, comment="simulated")}
        )
        after = result_of(worker.track.form, changed, findings)
        for name, value in {
            **changed.model_dump(mode="json"),
            **after.figures,
            "revision": 2,
        }.items():
            setattr(card, name, value)
        changes = [{"criterion": answer.criterion, "was": answer.option, "now": best}]
        self._revision(
            session, card, 2, RevisionCause.DISPUTE, "simulated", changed, after, changes, decided
        )
        return changed, after

    def _revision(
        self,
        session: Session,
        card: ScorecardRow,
        number: int,
        cause: RevisionCause,
        reason: str,
        filled: Filled,
        result: Result,
        changes: list[dict[str, str]],
        at: datetime,
    ) -> None:
        session.add(
            ScorecardRevisionRow(
                scorecard_id=card.id,
                revision=number,
                cause=cause,
                reason=reason,
                content=filled.model_dump(mode="json"),
                figures=result.figures,
                changes=changes,
                made_by_id=card.evaluator_id,
                made_at=at,
            )
        )


def _dispute_row(
    card: ScorecardRow,
    answer: CountedAnswer,
    *,
    best: str,
    is_upheld: bool,
    opened: datetime,
    decided: datetime,
    by: int,
) -> DisputeRow:
    return DisputeRow(
        scorecard_id=card.id,
        criterion=answer.criterion,
        round=1,
        level=DisputeLevel.EVALUATOR,
        disputed_option=answer.option,
        suggested_option=best,
        state=DisputeState.UPHELD if is_upheld else DisputeState.REJECTED,
        reason="simulated",
        opened_by_id=by,
        opened_at=opened,
        due_at=opened + timedelta(days=5),
        decided_by_id=card.evaluator_id,
        decided_at=decided,
        decision_reason="simulated",
        decided_option=best if is_upheld else answer.option,
        is_rule_at_fault=is_upheld and answer.automatic == "not_met",
    )
