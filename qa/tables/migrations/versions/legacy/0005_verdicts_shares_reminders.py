"""Verdicts laid out for searching, shares of the queue, reminders, and the two indexes that the
queue is counted from
"""

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 2000


def upgrade() -> None:
    op.create_table(
        "verdict",
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_verdict_call_id_call")),
        sa.PrimaryKeyConstraint("criterion", "verdict", "call_id", name=op.f("pk_verdict")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("verdict") as table:
        table.create_index("ix_verdict_call", ["call_id"], unique=False)

    with op.batch_alter_table("assignment") as table:
        table.add_column(sa.Column("reminded_at", UtcDateTime(), nullable=True))
        table.drop_index(op.f("ix_assignment_evaluator_id"))
        table.create_index(
            "ix_assignment_done", ["evaluator_id", "state", "finished_at"], unique=False
        )
        table.create_index(
            "ix_assignment_open", ["state", "kind", "reserved_for_id", "due_at"], unique=False
        )

    op.create_index("ix_call_length", "call", ["duration_seconds", "id"], unique=False)
    with op.batch_alter_table("user_account") as table:
        table.add_column(sa.Column("queue_share", sa.Integer(), nullable=False, server_default="0"))
    _lay_out_verdicts()


def _lay_out_verdicts() -> None:
    """The verdicts of the newest check of every call."""
    result = sa.table(
        "check_result",
        sa.column("id", sa.Integer),
        sa.column("call_id", sa.Integer),
        sa.column("findings", sa.JSON),
    )
    verdict = sa.table(
        "verdict",
        sa.column("criterion", sa.String),
        sa.column("verdict", sa.String),
        sa.column("call_id", sa.Integer),
    )
    connection, last = op.get_bind(), 0
    later = result.alias("later")
    superseded = sa.exists().where(later.c.call_id == result.c.call_id, later.c.id > result.c.id)
    while rows := connection.execute(
        sa.select(result).where(result.c.id > last, ~superseded).order_by(result.c.id).limit(BATCH)
    ).all():
        laid_out = {
            (f["criterion"], f["verdict"], row.call_id) for row in rows for f in row.findings or ()
        }
        if laid_out:
            op.bulk_insert(
                verdict,
                [{"criterion": c, "verdict": v, "call_id": i} for c, v, i in sorted(laid_out)],
            )
        last = rows[-1].id


def downgrade() -> None:
    with op.batch_alter_table("user_account") as table:
        table.drop_column("queue_share")
    op.drop_index("ix_call_length", table_name="call")

    with op.batch_alter_table("assignment") as table:
        table.drop_index("ix_assignment_open")
        table.drop_index("ix_assignment_done")
        table.create_index(op.f("ix_assignment_evaluator_id"), ["evaluator_id"], unique=False)
        table.drop_column("reminded_at")

    with op.batch_alter_table("verdict") as table:
        table.drop_index("ix_verdict_call")

    op.drop_table("verdict")
