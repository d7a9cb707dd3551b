"""What a view works with: the wiring, the transactions, the signed-in person, the clock."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import NoReturn, cast

from flask import abort, current_app, g
from sqlalchemy.orm import Session

from qa.people.types import User
from qa.wiring import Wiring


def wiring() -> Wiring:
    return cast(Wiring, current_app.extensions["wiring"])


def reading() -> AbstractContextManager[Session]:
    return wiring().database.read()


def writing() -> AbstractContextManager[Session]:
    return wiring().database.write()


def now() -> datetime:
    return wiring().clock()


def person() -> User:
    """The signed-in user; the access table has made sure that there is one."""
    return cast(User, g.user)


def missing() -> NoReturn:
    """No such thing, or none of this person's business: the same answer."""
    abort(404)
