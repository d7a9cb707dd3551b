"""A stretch of time among the calls, asked for so that the database reads it the fast way."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from qa.tables.calls import CallRow

LARGE_PART = 10  # one in so many calls


def started_between(
    session: Session, begin: datetime, end: datetime
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Began in [begin, end), for queries that need more of each call than the index on its time
    holds, or that join something smaller to it.

    Where that is a large part of all calls SQLite is kept from this index: reading every call in
    the order in which they lie, or looking up those of the smaller table, is several times faster
    than jumping to each of a million.
    """
    column: Any = CallRow.started_at
    if session.get_bind().dialect.name == "sqlite":
        many = select(func.coalesce(func.max(CallRow.id), 0) // LARGE_PART).scalar_subquery()
        if (
            session.scalar(
                select(CallRow.id)
                .where(column >= begin, column < end)
                .order_by(column)
                .offset(many)
                .limit(1)
            )
            is not None
        ):
            # the sign keeps the planner from the index and changes nothing else
            column = literal_column("+call.started_at", CallRow.started_at.type)
    return column >= begin, column < end
