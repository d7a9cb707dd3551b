"""Rename tables and states to the field's terms

A table that is renamed would keep the old names of its constraints, which later migrations look
for: each is made anew under its new name, its rows are moved, and the old one is dropped.
"""

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TASK_STATES = ("waiting", "running", "done", "set_aside")
CASE_STATES = ("open", "passed", "done", "upheld", "declined")
NOTICES = {
    "slip_passed": "difficult_case_escalated",
    "slip_due": "difficult_case_reply_due",
}


def upgrade() -> None:
    _make_calibrations("confidence_calibration")
    _move("calibration", "confidence_calibration", sequence="id")
    _make_actions("improvement_action")
    _move("measure", "improvement_action", sequence="id")
    _make_switches("report_switch")
    _move("choice", "report_switch")
    _make_results("cached_result", check="result_kind")
    _move("kept_result", "cached_result")
    _rename_state("task", "task_state", TASK_STATES, "set_aside", "failed")
    _rename_state("case_record", "case_state", CASE_STATES, "passed", "escalated")
    for old, new in NOTICES.items():
        _rename_notices(old, new)


def downgrade() -> None:
    for old, new in NOTICES.items():
        _rename_notices(new, old)
    _rename_state("case_record", "case_state", CASE_STATES, "escalated", "passed")
    _rename_state("task", "task_state", TASK_STATES, "failed", "set_aside")
    _make_results("kept_result", check="kept_kind")
    _move("cached_result", "kept_result")
    _make_switches("choice")
    _move("report_switch", "choice")
    _make_actions("measure")
    _move("improvement_action", "measure", sequence="id")
    _make_calibrations("calibration")
    _move("confidence_calibration", "calibration", sequence="id")


def _move(source: str, target: str, *, sequence: str = "") -> None:
    """Move all rows from one table to the other, and drop the first."""
    bind = op.get_bind()
    names = ", ".join(column["name"] for column in sa.inspect(bind).get_columns(target))
    op.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}")
    if sequence and bind.dialect.name == "postgresql":
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{target}', '{sequence}'),"
            f" COALESCE((SELECT max({sequence}) FROM {target}), 0) + 1, false)"
        )
    op.drop_table(source)


def _rename_state(table: str, check: str, states: tuple[str, ...], before: str, after: str) -> None:
    """Give a state another name in every row, and in the check of the table."""
    name = op.f(f"ck_{table}_{check}")
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
    op.execute(f"UPDATE {table} SET state = '{after}' WHERE state = '{before}'")
    renamed = (after if state == before else state for state in states)
    listed = ", ".join(f"'{state}'" for state in renamed)
    with op.batch_alter_table(table) as batch:
        batch.create_check_constraint(name, sa.text(f"state IN ({listed})"))


def _rename_notices(before: str, after: str) -> None:
    for table in ("notice", "notice_choice"):
        op.execute(f"UPDATE {table} SET kind = '{after}' WHERE kind = '{before}'")


def _make_calibrations(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("month", name=op.f(f"uq_{name}_month")),
    )


def _make_actions(name: str) -> None:
    scopes = ("whole", "project", "department", "team", "agent")
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("scope", _states(f"{name}_scope", *scopes), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            _states(f"{name}_state", "proposed", "agreed", "done", "dropped"),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f(f"fk_{name}_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f(f"fk_{name}_owner_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_open", name, ["state", "due_on"])


def _make_switches(name: str) -> None:
    op.create_table(
        name,
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f(f"fk_{name}_set_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f(f"pk_{name}")),
    )


def _make_results(name: str, *, check: str) -> None:
    op.create_table(
        name,
        sa.Column("kind", _states(check, "report", "needs"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f(f"pk_{name}")),
    )


def _states(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
