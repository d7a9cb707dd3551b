"""SQLAlchemy tables, one file per aggregate. Only stores touch them."""

from qa.tables import calls, forms, learning, people, records, results, sampling, scoring
from qa.tables.base import Base

__all__ = ["Base", "calls", "forms", "learning", "people", "records", "results", "sampling", "scoring"]
