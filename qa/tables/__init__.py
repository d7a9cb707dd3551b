"""SQLAlchemy tables, one file per aggregate. Only stores touch them."""

from qa.tables import calls, forms, people, records, results, sampling, scoring
from qa.tables.base import Base

__all__ = ["Base", "calls", "forms", "people", "records", "results", "sampling", "scoring"]
