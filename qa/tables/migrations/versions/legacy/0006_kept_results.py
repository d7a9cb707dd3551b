"""Results that took long to count in a table of their own"""

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_result",
        sa.Column(
            "kind",
            sa.Enum(
                "report",
                "needs",
                name="kept_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_kept_result")),
    )
    with op.batch_alter_table("month_figure") as table:  # a report kept there is counted anew
        table.drop_column("fingerprint")
        table.drop_column("report")


def downgrade() -> None:
    with op.batch_alter_table("month_figure") as table:
        table.add_column(
            sa.Column("fingerprint", sa.String(length=64), nullable=False, server_default="")
        )
        table.add_column(sa.Column("report", sa.JSON(), nullable=True))
    op.drop_table("kept_result")
