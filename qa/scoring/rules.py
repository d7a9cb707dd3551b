"""Rules of scorecards: what submission needs, what answers count for, when agents read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from qa.checking.types import Finding, Verdict
from qa.forms.rules import ScoreBreakdown, faults_in, open_criteria, round_half_up, score
from qa.forms.types import NOT_APPLICABLE, Criterion, Form, as_fraction
from qa.scoring.types import Answer, Change, Filled
from qa.states import AssignmentKind
from qa.text import bounded_text

AUTOMATIC_OPTION = {
    Verdict.MET: "met",
    Verdict.NOT_MET: "not_met",
    Verdict.NOT_APPLICABLE: NOT_APPLICABLE,
}


@dataclass(frozen=True)
class CountedAnswer:
    """An answer as reports count it. `share_of_points` is 0–1, None where not counted."""

    criterion: str
    option: str
    share_of_points: float | None
    failed: bool
    automatic: str
    was_changed: bool
    automatic_confidence: float | None = None
    points_lost: float | None = None  # of the 100 of the whole form


def _learnable(finding: Finding | None) -> float | None:
    """Return the confidence to learn from: as it was before any calibration.

    Otherwise the next calibration would be fitted on the last.
    """
    if finding is None:
        return None
    return finding.confidence if finding.raw_confidence is None else finding.raw_confidence


def automatic_option(finding: Finding | None, criterion: Criterion) -> str | None:
    """Return the option that an automatic answer proposes.

    None where it is unsure, or proposes what the form does not allow.
    """
    if finding is None:
        return None
    option = AUTOMATIC_OPTION.get(finding.verdict)
    if option == NOT_APPLICABLE and not criterion.na:
        return None
    return option


def submission_faults(
    form: Form, filled: Filled, findings: Mapping[str, Finding], *, blind: bool = False
) -> dict[str, str]:
    """Find what keeps a card from being submitted, per criterion.

    The faults are missing, unknown_option, na_not_allowed, comment and reason.
    """
    faults = {c: p for c, p in faults_in(form, filled.options).items() if p != "unknown_criterion"}
    is_open = open_criteria(form, filled.options)
    for criterion in form.criteria():
        answer = filled.answers.get(criterion.id)
        if (
            criterion.id in faults
            or answer is None
            or answer.option is None
            or not is_open[criterion.id]
        ):
            continue
        if needs_comment(criterion, answer.option) and not answer.comment.strip():
            faults[criterion.id] = "comment"
        proposed = automatic_option(findings.get(criterion.id), criterion)
        if (
            not blind
            and proposed is not None
            and proposed != answer.option
            and not (answer.reason.strip() or answer.comment.strip())
        ):
            faults[criterion.id] = "reason"
    return faults


def needs_comment(criterion: Criterion, option_id: str) -> bool:
    if criterion.comment == "always":
        return True
    option = criterion.option(option_id)
    return (
        criterion.comment == "on_loss"
        and option is not None
        and as_fraction(option.points) < criterion.maximum
    )


def counted_answers(
    form: Form, filled: Filled, findings: Mapping[str, Finding], breakdown: ScoreBreakdown
) -> list[CountedAnswer]:
    """List every open criterion's answer as reports count it."""
    rows = []
    for part in breakdown.criteria:
        criterion = form.criterion(part.id)
        if criterion is None or part.answer is None or not part.is_open:
            continue
        finding = findings.get(part.id)
        proposed = automatic_option(finding, criterion)
        share = (
            float(part.points / part.max)
            if part.counted and part.points is not None and part.max
            else None
        )
        rows.append(
            CountedAnswer(
                part.id,
                part.answer,
                share,
                part.failed,
                finding.verdict.value if finding else "",
                proposed is not None and proposed != part.answer,
                _learnable(finding),
                float(100 * part.share) * (1 - share) if share is not None else None,
            )
        )
    return rows


@dataclass(frozen=True)
class Result:
    """Figures and counted answers of a filled form."""

    figures: dict[str, Any]
    answers: list[CountedAnswer]


def result_of(form: Form, filled: Filled, findings: Mapping[str, Finding]) -> Result:
    """Score a complete form and count its answers, by the one arithmetic of `qa.forms`."""
    criteria = {criterion.id for criterion in form.criteria()}
    options = {c: option for c, option in filled.options.items() if c in criteria}
    breakdown = score(form, options)
    figures = {
        "score": round_half_up(breakdown.score),
        "score_without_fails": round_half_up(breakdown.score_without_fails),
        "critical_score": round_half_up(breakdown.critical_score),
        "passed": breakdown.passed,
        "is_breach": any(part.failed and part.is_open for part in breakdown.criteria),
    }
    return Result(figures, counted_answers(form, filled, findings, breakdown))


def release_time(form: Form, kind: AssignmentKind, *, at: datetime) -> datetime | None:
    """Compute when a card submitted now is released.

    None where a person has to release it, and for cards that never reach the agent.
    """
    if kind is not AssignmentKind.STANDARD or form.release != "at_submission":
        return None
    return at + timedelta(days=form.release_after_days)


def revised(
    filled: Filled, changes: Mapping[str, str], *, comment: str
) -> tuple[Filled, list[Change]]:
    """Change the options of some criteria; the new filled form, and what changed.

    The comment stands beside every changed answer.
    """
    answers = dict(filled.answers)
    differences = []
    for criterion, option in changes.items():
        old = answers.get(criterion, Answer())
        if old.option == option:
            continue
        comments = [text for text in (old.comment.strip(), comment.strip()) if text]
        answers[criterion] = old.model_copy(
            update={
                "option": option,
                "comment": "\n".join(comments)[:4000],
                "accepted": False,
                "reason": bounded_text(comment, 1000),
            }
        )
        differences.append(Change(criterion, old.option or "", option))
    return filled.model_copy(update={"answers": answers}), differences


def may_release(form_rule: str, *, reads_again: bool, is_manager: bool, is_reviewed: bool) -> bool:
    """Tell whether somebody may release a submitted card: its second reader, or a QA manager.

    A QA manager never before the reader that the form asks for.
    """
    return reads_again or (is_manager and (form_rule != "second_reader" or is_reviewed))


def may_read_again(*, form_asks: bool, is_own: bool, is_submitted: bool) -> bool:
    """Tell whether an evaluator may read another's submitted card as its second reader."""
    return form_asks and is_submitted and not is_own
