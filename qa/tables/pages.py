"""A list a page at a time, in an order that the reader chose: by key, never by counting off, so
that the thousandth page is as fast as the first.
"""

from typing import Any

from sqlalchemy import and_, or_, select


def in_order(query: Any, *, by: Any, row_id: Any, descending: bool, after_id: int | None) -> Any:
    """The query in the order of `by` (which has no nulls), equal ones by id; from behind the row
    `after_id` on.
    """
    if after_id is not None:
        last = select(by).where(row_id == after_id).scalar_subquery()
        beyond = (by < last, row_id < after_id) if descending else (by > last, row_id > after_id)
        query = query.where(or_(beyond[0], and_(by == last, beyond[1])))
    return query.order_by(by.desc() if descending else by, row_id.desc() if descending else row_id)
