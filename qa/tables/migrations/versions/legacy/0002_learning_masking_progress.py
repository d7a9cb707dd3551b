"""Calibrations learnt from people, masking policy of projects, progress of tasks"""

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calibration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
        sa.UniqueConstraint("month", name=op.f("uq_calibration_month")),
    )
    with op.batch_alter_table("answer") as table:
        table.add_column(sa.Column("automatic_confidence", sa.Double(), nullable=True))
    with op.batch_alter_table("project") as table:
        table.add_column(
            sa.Column("keeps_originals", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("task") as table:
        table.add_column(sa.Column("progress", sa.Double(), nullable=True))
    with op.batch_alter_table("check_result") as table:
        table.alter_column(
            "rules_version",
            existing_type=sa.String(length=40),
            type_=sa.String(length=80),
            existing_nullable=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("check_result") as table:
        table.alter_column(
            "rules_version",
            existing_type=sa.String(length=80),
            type_=sa.String(length=40),
            existing_nullable=False,
        )
    with op.batch_alter_table("task") as table:
        table.drop_column("progress")
    with op.batch_alter_table("project") as table:
        table.drop_column("keeps_originals")
    with op.batch_alter_table("answer") as table:
        table.drop_column("automatic_confidence")
    op.drop_table("calibration")
