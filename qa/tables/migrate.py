"""Bring a database to the newest numbered migration.

A new database begins with the baseline of `versions/`; one that an older version made goes up by
the numbered steps of `versions/legacy/` to the same revision first, and on from there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from qa.tables.database import Database

FOLDER = Path(__file__).parent / "migrations"
VERSIONS = FOLDER / "versions"
LEGACY = VERSIONS / "legacy"
BASELINE = "0008"  # the last legacy step, and what the baseline creates at once


def config(versions: Path = VERSIONS) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.set_main_option("version_locations", str(versions))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations that are missing; on a database that is up to date, none."""
    current = current_revision(database)
    if revision in legacy_revisions() or (current in legacy_revisions() and current != BASELINE):
        step = revision if revision in legacy_revisions() else BASELINE
        with _migrating(database, LEGACY) as settings:
            command.upgrade(settings, step)
    if revision not in legacy_revisions():
        with _migrating(database, VERSIONS) as settings:
            command.upgrade(settings, revision)


def downgrade(database: Database, revision: str) -> None:
    """Undo the migrations after a revision; `base` undoes all of them."""
    if revision not in legacy_revisions() and revision != "base":
        with _migrating(database, VERSIONS) as settings:
            command.downgrade(settings, revision)
        return
    if current_revision(database) not in legacy_revisions():
        with _migrating(database, VERSIONS) as settings:
            command.downgrade(settings, BASELINE)
    with _migrating(database, LEGACY) as settings:
        command.downgrade(settings, revision)


def legacy_revisions() -> set[str]:
    """Return the revisions of the databases that older versions made."""
    return {
        script.revision for script in ScriptDirectory.from_config(config(LEGACY)).walk_revisions()
    }


def current_revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(database: Database) -> bool:
    head = ScriptDirectory.from_config(config()).get_current_head()
    return current_revision(database) == head


@contextmanager
def _migrating(database: Database, versions: Path) -> Iterator[Config]:
    """Migrate in one transaction.

    SQLite makes changed tables anew: the rows that point at them are checked at the end, not in
    the middle.
    """
    settings = config(versions)
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
