"""Query labelled automatic answers, and read and write calibrations."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qa.checking.types import ConfidenceCalibration
from qa.confidence.types import LabelledAnswer
from qa.months import Month
from qa.tables.confidence import ConfidenceCalibrationRow
from qa.tables.forms import FormVersionRow
from qa.tables.scoring import AnswerRow, ScorecardRow

AS_VERDICT = {"met": "met", "not_met": "not_met", "na": "not_applicable"}


def labelled_answers(session: Session, *, until: datetime | None = None) -> list[LabelledAnswer]:
    """Load automatic answers with the person's answer to the same criterion of the call.

    Those submitted before `until`, without unsure ones.
    """
    query = (
        select(FormVersionRow.form, AnswerRow, ScorecardRow.call_id)
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .join(FormVersionRow, FormVersionRow.id == ScorecardRow.form_version_id)
        .where(
            AnswerRow.automatic.in_(AS_VERDICT.values()),
            AnswerRow.automatic_confidence.is_not(None),
        )
        .order_by(AnswerRow.id)
    )
    if until is not None:
        query = query.where(ScorecardRow.submitted_at < until)
    rows = session.execute(query).all()
    return [
        LabelledAnswer(
            form,
            answer.criterion,
            answer.automatic,
            float(answer.automatic_confidence or 0.0),
            AS_VERDICT.get(answer.option, answer.option),
            call_id,
            answer.scorecard_id,
        )
        for form, answer, call_id in rows
    ]


def confusions(session: Session, form: str) -> dict[str, dict[tuple[str, str], int]]:
    """Count for every criterion of a form how often each automatic verdict met each answer.

    {(automatic, human): count}.
    """
    query = (
        select(AnswerRow.criterion, AnswerRow.automatic, AnswerRow.option, func.count())
        .join(ScorecardRow, ScorecardRow.id == AnswerRow.scorecard_id)
        .join(FormVersionRow, FormVersionRow.id == ScorecardRow.form_version_id)
        .where(
            FormVersionRow.form == form,
            AnswerRow.automatic.in_(AS_VERDICT.values()),
            AnswerRow.automatic_confidence.is_not(None),
        )
        .group_by(AnswerRow.criterion, AnswerRow.automatic, AnswerRow.option)
    )
    out: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for criterion, automatic, option, count in session.execute(query).all():
        out[criterion][automatic, AS_VERDICT.get(option, option)] = count
    return dict(out)


def calibration(session: Session, month: Month) -> ConfidenceCalibration | None:
    """Load the calibration of calls of a month: the newest made for it or an earlier month."""
    row = session.scalar(
        select(ConfidenceCalibrationRow)
        .where(ConfidenceCalibrationRow.month <= month)
        .order_by(ConfidenceCalibrationRow.month.desc())
        .limit(1)
    )
    return ConfidenceCalibration.from_document(row.document) if row else None


def calibration_made_for(session: Session, month: Month) -> ConfidenceCalibration | None:
    row = session.scalar(
        select(ConfidenceCalibrationRow).where(ConfidenceCalibrationRow.month == month)
    )
    return ConfidenceCalibration.from_document(row.document) if row else None


def add_calibration(
    session: Session, *, month: Month, calibration: ConfidenceCalibration, at: datetime
) -> bool:
    """Freeze a calibration for a month; false where one is there already, which then stays."""
    try:
        with session.begin_nested():
            session.add(
                ConfidenceCalibrationRow(
                    month=month, document=calibration.document(), created_at=at
                )
            )
    except IntegrityError:
        return False
    return True
