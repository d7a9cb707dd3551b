"""Migrations: a new installation by the baseline, every older database by its numbered steps."""

import gzip
import json
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from qa.audit import store as audit
from qa.audit.rules import faults
from qa.reporting.service import month_report
from qa.tables import Base
from qa.tables.migrate import LEGACY, config, current_revision, downgrade, is_current, upgrade
from tests.conftest import fresh_database

DATABASES = sorted((Path(__file__).parent / "databases").glob("*.gz"))
SEARCH = ("spoken_index", "ix_spoken_words")  # the full-text index is no table of ours


def described(database):
    """Every table with its columns, keys, indexes and checks, by name."""
    found = {}
    inspector = inspect(database.engine)
    for table in inspector.get_table_names():
        if table.startswith(SEARCH) or table == "alembic_version":
            continue
        found[table] = (
            sorted(
                (c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)
            ),
            inspector.get_pk_constraint(table)["constrained_columns"],
            sorted(str((k["name"], k["column_names"])) for k in inspector.get_indexes(table)),
            sorted(k["name"] or "" for k in inspector.get_foreign_keys(table)),
            sorted(k["name"] or "" for k in inspector.get_unique_constraints(table)),
            sorted((k["name"] or "", k["sqltext"]) for k in inspector.get_check_constraints(table)),
        )
    return found


def differences(database):
    options = {"include_name": lambda name, _kind, _up: not (name or "").startswith(SEARCH)}
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, Base.metadata)


@pytest.fixture(params=DATABASES, ids=lambda path: path.stem)
def older(request, tmp_path):
    """A database with data as an older version made it."""
    path = tmp_path / "older.db"
    path.write_bytes(gzip.decompress(request.param.read_bytes()))
    return fresh_database(path)


def test_there_is_a_database_of_every_revision_that_was_once_the_newest():
    from alembic.script import ScriptDirectory

    steps = {s.revision for s in ScriptDirectory.from_config(config(LEGACY)).walk_revisions()}
    assert {p.stem for p in DATABASES} == steps - {"0008"}


def test_every_database_made_so_far_goes_up_and_keeps_its_rows(older):
    with older.engine.connect() as connection:
        calls, cards = (
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("call", "scorecard")
        )
    upgrade(older)
    assert is_current(older) and differences(older) == []
    with older.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM call")).scalar_one() == calls == 48
        assert connection.execute(text("SELECT count(*) FROM scorecard")).scalar_one() == cards > 0


def test_a_database_that_went_up_gives_a_report_and_a_whole_log(older):
    from zoneinfo import ZoneInfo

    from qa.months import Month

    upgrade(older)
    with older.read() as session:
        month = Month("2026-10")
        report = month_report(
            session,
            month=month,
            zone=ZoneInfo("Europe/Rome"),
            minimum=3,
            titles={},
            at=month.bounds(ZoneInfo("Europe/Rome"))[1],
        )
        assert report.coverage.calls == 48 and report.whole.estimate.cards > 0
        assert json.dumps(report.document())
        assert list(faults(audit.lines(session), audit.head(session))) == []


def test_the_baseline_makes_what_the_numbered_steps_make(tmp_path):
    by_steps, at_once = fresh_database(tmp_path / "steps.db"), fresh_database(tmp_path / "once.db")
    upgrade(by_steps, "0001")
    upgrade(by_steps)
    upgrade(at_once)
    assert described(by_steps) == described(at_once)
    assert current_revision(by_steps) == current_revision(at_once) == "0008"


def test_states_and_notices_get_the_fields_terms_and_go_back(older):
    upgrade(older, "0007")
    with older.write() as session:
        session.execute(
            text(
                "INSERT INTO task (step, subject_id, state, attempts, fence, owner, run_after,"
                " error, created_at, changed_at) VALUES ('check', 1000001, 'set_aside', 3, 1, '',"
                " '2026-10-01', '', '2026-10-01', '2026-10-01')"
            )
        )
        session.execute(
            text(
                "INSERT INTO notice (user_id, kind, subject, subject_id, facts, at, in_page,"
                " mail_attempts) SELECT min(id), 'slip_due', 'case', 1, '{}', '2026-10-01', 1, 0"
                " FROM user_account"
            )
        )
    states = text("SELECT state FROM task WHERE subject_id = 1000001")
    kinds = text("SELECT kind FROM notice WHERE subject = 'case'")
    upgrade(older)
    with older.read() as session:
        assert session.execute(states).scalar_one() == "failed"
        assert session.execute(kinds).scalar_one() == "difficult_case_reply_due"
    downgrade(older, "0007")
    with older.read() as session:
        assert session.execute(states).scalar_one() == "set_aside"
        assert session.execute(kinds).scalar_one() == "slip_due"
