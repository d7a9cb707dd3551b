"""Learn how far automatic answers can be believed, from the answers of people."""

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
    """Fit the calibration of a month from what was submitted before it began (or until now, if that
    is earlier), and freeze it.

    Made once per month: repeated, it tells what was made. Raises MonthRefused, MonthIsClosed.
    """
    begin, _ = month.bounds(zone)
    frozen = store.calibration_made_for(session, month)
    if frozen is None and is_closed:
        raise MonthIsClosed(month)
    judged = store.labelled_answers(session, until=min(begin, at))
    groups = rules.by_criterion(judged)
    records = tuple(rules.record(g) for g in groups.values())
    if frozen is not None:
        return CalibrationFit(month, False, frozen, records)
    curves = {f"{form}/{criterion}": rules.fit(g) for (form, criterion), g in groups.items()}
    made = ConfidenceCalibration(
        version=month, curves={k: c for k, c in curves.items() if c.count >= rules.ENOUGH}
    )
    if made.curves:  # a month without enough answers is not frozen empty
        store.add_calibration(session, month=month, calibration=made, at=at)
    return CalibrationFit(month, bool(made.curves), made, records)


def agreement(session: Session) -> tuple[CriterionRecord, ...]:
    """How every criterion's automatic answers have fared so far."""
    return tuple(
        rules.record(g) for g in rules.by_criterion(store.labelled_answers(session)).values()
    )
