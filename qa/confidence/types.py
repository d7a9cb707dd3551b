"""Automatic answers labelled by people, and what was fitted to them."""

from dataclasses import dataclass
from typing import Any

from qa.checking.types import ConfidenceCalibration
from qa.months import Month


@dataclass(frozen=True)
class LabelledAnswer:
    """An automatic answer that a person has since answered too.

    `automatic` and `human` are verdicts (met, not_met, not_applicable).
    """

    form: str
    criterion: str
    automatic: str
    confidence: float
    human: str
    call_id: int
    card_id: int

    @property
    def agrees(self) -> bool:
        return self.automatic == self.human


@dataclass(frozen=True)
class CriterionRecord:
    """How one criterion's automatic answers fared.

    Shares 0–1; `low` and `high` are the 95 % Wilson interval of the agreement.

    `brier_before` and `brier_after` are the mean squared errors of the confidence as it was and as
    learnt, both on answers not learnt from. `overturned_calls` are calls where a person answered
    otherwise.
    """

    form: str
    criterion: str
    count: int
    agreement: float
    low: float
    high: float
    brier_before: float
    brier_after: float | None
    is_often_overturned: bool
    overturned_calls: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        figures = {k: round(v, 4) for k, v in vars(self).items() if isinstance(v, float)}
        return {**vars(self), **figures, "overturned_calls": list(self.overturned_calls)}


@dataclass(frozen=True)
class CalibrationFit:
    """A calibration with what it rests on.

    It holds for calls of `month` and later and is never changed.
    """

    month: Month
    is_new: bool
    calibration: ConfidenceCalibration
    criteria: tuple[CriterionRecord, ...]

    def document(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "is_new": self.is_new,
            "version": self.calibration.version,
            "criteria": [c.document() for c in self.criteria],
        }
