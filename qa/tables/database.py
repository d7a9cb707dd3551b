"""The engine, and the two kinds of transaction: `read` and `write`."""

import gc
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, UpdateBase, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

BUSY_TIMEOUT_SECONDS = 30.0  # seconds that a writer on SQLite waits for its turn
BUSY_POLL_SECONDS = 0.001  # seconds between two looks whether it has come


class Database:
    """One database.

    Writers on SQLite begin IMMEDIATE, so a read-modify-write is never lost; readers never wait.

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
        self._turn: AbstractContextManager[Any] = nullcontext()
        if self.engine.dialect.name == "sqlite":
            configure_sqlite(self.engine)
            self._turn = Lock()
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.engine.dispose(close=False)
        self._turn = Lock() if self.engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that is always rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"qa_reads": True})
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end, or leaves no trace.

        On SQLite the threads of a process line up for it: one looks out for the turn, not all.
        """
        with self._turn, Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


def upsert(
    session: Session,
    row: type[DeclarativeBase],
    *,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """The row of a unique key with these values, whether it was there or not, and whoever else puts
    it there in this moment.
    """
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[
        session.get_bind().dialect.name
    ](row)
    session.execute(
        insert.values(**key, **values).on_conflict_do_update(
            index_elements=list(key), set_=dict(values)
        )
    )


def affected_rows(session: Session, statement: UpdateBase) -> int:
    """Execute an UPDATE or DELETE and count the rows that it changed.

    A compare-and-swap names the expected state in its WHERE: 0 means that somebody was faster.
    """
    result = session.execute(statement)
    return int(result.rowcount)  # type: ignore[attr-defined]  # typed as Result, is a CursorResult


@contextmanager
def gc_paused() -> Iterator[None]:
    """Without the search for cycles, which a million new records that hold none would set off again
    and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_SECONDS * 1000:.0f}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("qa_reads", False):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_writing(connection)


def _begin_writing(connection: Connection) -> None:
    """Wait for the turn to write with short looks; SQLite's own waiting sleeps up to a tenth of a
    second between two, long after the turn has come.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    until = time.monotonic() + BUSY_TIMEOUT_SECONDS
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            time.sleep(BUSY_POLL_SECONDS)
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000:.0f}")
    # whatever is wrong is said by SQLAlchemy, as everywhere
    connection.exec_driver_sql("BEGIN IMMEDIATE")
