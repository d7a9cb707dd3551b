"""Tables of confidence calibrations, learnt from people's answers."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from qa.months import Month
from qa.tables.base import Base


class ConfidenceCalibrationRow(Base):
    """The calibration of automatic confidence for calls of a month and later.

    Never changed once made.
    """

    __tablename__ = "confidence_calibration"
    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[Month] = mapped_column(unique=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
