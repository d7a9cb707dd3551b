"""Give views the wiring, transactions, the signed-in person and the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NoReturn, cast

from flask import Flask, abort, current_app, g
from sqlalchemy.orm import Session

from qa.months import Month
from qa.people import store as people
from qa.people.types import User
from qa.result_cache import store as kept
from qa.result_cache.types import CachedResult
from qa.wiring import Wiring


def install(app: Flask) -> None:
    """Turn the month of an address into a Month for its view; what is no month is not found."""

    @app.url_value_preprocessor
    def _month(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values and values.get("month") is not None:
            values["month"] = Month(values["month"])


def wiring() -> Wiring:
    return cast(Wiring, current_app.extensions["wiring"])


@contextmanager
def reading() -> Iterator[Session]:
    """Open a reading transaction that sees the projects of the signed-in person alone."""
    with wiring().database.read() as session:
        people.hold_to_projects(session, g.get("user"))
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """Open a writing transaction, restricted to the projects of the signed-in person too."""
    with wiring().database.write() as session:
        people.hold_to_projects(session, g.get("user"))
        yield session


def keep_result(found: CachedResult | None) -> None:
    """Save a result that was counted now in the result cache."""
    if found is not None and found.new is not None:
        with wiring().database.write() as session:
            kept.save(session, found.new)


def now() -> datetime:
    return wiring().clock()


def today() -> date:
    """Return today's date in the reporting zone."""
    return now().astimezone(wiring().settings.zone).date()


def person() -> User:
    """Return the signed-in user; the access table has made sure that there is one."""
    return cast(User, g.user)


def missing() -> NoReturn:
    """Answer 404: there is no such thing, or it is none of this person's business."""
    abort(404)
