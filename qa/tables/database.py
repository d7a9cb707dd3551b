"""The engine, and the two kinds of transaction: `read` and `write`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session


class Database:
    """One database. Writers on SQLite begin IMMEDIATE, so a read-modify-write is never lost; readers never wait.

    A read and a write are separate transactions: nothing computes for long inside a write.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        options: dict[str, Any] = {"future": True}
        if url.startswith("sqlite"):
            options["connect_args"] = {"timeout": 30}
        else:
            options |= {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
        self.engine: Engine = create_engine(url, **options)
        if self.engine.dialect.name == "sqlite":
            _tame_sqlite(self.engine)
        os.register_at_fork(after_in_child=lambda: self.engine.dispose(close=False))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that is always rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"qa_reads": True})
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end, or leaves no trace."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


def _tame_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("qa_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
