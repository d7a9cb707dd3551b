"""The probability with which a call is drawn by any of several plans"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drawn_call") as table:
        table.add_column(sa.Column("any_probability", sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("drawn_call") as table:
        table.drop_column("any_probability")
