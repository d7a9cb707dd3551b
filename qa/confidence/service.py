"""Learn the confidence of automatic answers from people's answers."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from qa.checking.types import ConfidenceCalibration
from qa.confidence import rules, store
from qa.confidence.types import CalibrationFit, CriterionRecord
from qa.months import Month


class MonthIsClosed(Exception):
    """A closed month is never touched; learn for a later one."""


def fit_month(
    session: Session, *, month: Month, is_closed: bool, zone: ZoneInfo, at: datetime
) -> CalibrationFit:
    """Fit the calibration of a month from what was submitted before it began, and freeze it.

    From what was submitted until now, where that is earlier.

    Made once per month: repeated, it returns what was made. Raises MonthRefused, MonthIsClosed.
    """
    begin, _ = month.bounds(zone)
    frozen = store.calibration_made_for(session, month)
    if frozen is None and is_closed:
        raise MonthIsClosed(month)
    answers = store.labelled_answers(session, until=min(begin, at))
    groups = rules.by_criterion(answers)
    records = tuple(rules.record(group) for group in groups.values())
    if frozen is not None:
        return CalibrationFit(month, False, frozen, records)
    curves = {
        f"{form}/{criterion}": rules.fit(group) for (form, criterion), group in groups.items()
    }
    calibration = ConfidenceCalibration(
        version=month,
        curves={name: curve for name, curve in curves.items() if curve.count >= rules.MIN_ANSWERS},
    )
    if calibration.curves:  # a month without enough answers is not frozen empty
        store.add_calibration(session, month=month, calibration=calibration, at=at)
    return CalibrationFit(month, bool(calibration.curves), calibration, records)


def agreement(session: Session) -> tuple[CriterionRecord, ...]:
    """Measure how every criterion's automatic answers have fared so far."""
    return tuple(
        rules.record(group)
        for group in rules.by_criterion(store.labelled_answers(session)).values()
    )
