"""Bring a database to the newest numbered migration."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from qa.tables.database import Database

FOLDER = Path(__file__).parent / "migrations"


def config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(database: Database, revision: str = "head") -> None:
    """Run what is missing; on a database that is up to date, nothing."""
    with _migrating(database) as settings:
        command.upgrade(settings, revision)


def downgrade(database: Database, revision: str) -> None:
    with _migrating(database) as settings:
        command.downgrade(settings, revision)


@contextmanager
def _migrating(database: Database) -> Iterator[Config]:
    """One transaction.

    SQLite makes changed tables anew: the rows that point at them are checked at the end, not in the
    middle.
    """
    settings = config()
    is_sqlite = database.engine.dialect.name == "sqlite"
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if is_sqlite and driver is not None:
            driver.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            settings.attributes["connection"] = connection
            yield settings
            if is_sqlite and (
                lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            ):
                raise RuntimeError(
                    f"the migration would leave a row that points at nothing: {tuple(lost)}"
                )
        if is_sqlite and driver is not None:
            driver.execute("PRAGMA foreign_keys=ON")


def is_current(database: Database) -> bool:
    with database.engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    return here == ScriptDirectory.from_config(config()).get_current_head()
