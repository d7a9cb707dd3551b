"""SQLAlchemy tables, one file per aggregate. Only stores touch them."""

from qa.tables import (
    calibration,
    calls,
    cases,
    confidence,
    forms,
    notices,
    people,
    records,
    reports,
    results,
    sampling,
    scoring,
    targets,
    training,
)
from qa.tables.base import Base

__all__ = [
    "Base",
    "calibration",
    "calls",
    "cases",
    "forms",
    "confidence",
    "notices",
    "people",
    "records",
    "reports",
    "results",
    "sampling",
    "scoring",
    "targets",
    "training",
]
