"""Bring a database to the newest numbered migration."""

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
    settings = config()
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def downgrade(database: Database, revision: str) -> None:
    settings = config()
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)


def is_current(database: Database) -> bool:
    with database.engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    return here == ScriptDirectory.from_config(config()).get_current_head()
