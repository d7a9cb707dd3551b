"""Targets and measures, training plans, scheduled reports, ratings, seed commitments; what a month
is counted from in two indexes
"""

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "month_figure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_month_figure")),
        sa.UniqueConstraint("month", "project", name=op.f("uq_month_figure_month")),
    )
    op.create_table(
        "seed_commitment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("committed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["sampling_plan.id"], name=op.f("fk_seed_commitment_plan_id_sampling_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_commitment")),
        sa.UniqueConstraint("plan_id", "month", name=op.f("uq_seed_commitment_plan_id")),
    )
    op.create_table(
        "choice",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_choice_set_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_choice")),
    )
    op.create_table(
        "measure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "whole",
                "project",
                "department",
                "team",
                "agent",
                name="measure_scope",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "agreed",
                "done",
                "dropped",
                name="measure_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
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
            name=op.f("fk_measure_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_measure_owner_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
    )
    with op.batch_alter_table("measure") as table:
        table.create_index("ix_measure_open", ["state", "due_on"], unique=False)

    op.create_table(
        "rating",
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("given", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_rating_call_id_call")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_rating")),
    )
    op.create_table(
        "report_schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=80), nullable=False),
        sa.Column("each", sa.String(length=20), nullable=False),
        sa.Column(
            "audience",
            sa.Enum(
                "manager",
                "board",
                "leader",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("formats", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("recipients", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f("fk_report_schedule_created_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_report_schedule_name")),
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "indicator",
            sa.Enum(
                "quality",
                "critical",
                "criterion",
                "satisfaction",
                name="indicator",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "whole",
                "project",
                "department",
                "team",
                "agent",
                name="target_scope",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("first_month", sa.String(length=7), nullable=False),
        sa.Column("last_month", sa.String(length=7), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_target_set_by_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
    )
    with op.batch_alter_table("target") as table:
        table.create_index("ix_target_scope", ["scope", "scope_id"], unique=False)

    op.create_table(
        "training_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=120), nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("is_for_new_hires", sa.Boolean(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "running",
                "done",
                "dropped",
                name="training_plan_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("trainer_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("finished_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trainer_id"],
            ["user_account.id"],
            name=op.f("fk_training_plan_trainer_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_plan")),
    )
    op.create_table(
        "report_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "failed",
                name="run_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["report_schedule.id"],
            name=op.f("fk_report_run_schedule_id_report_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_run")),
        sa.UniqueConstraint("schedule_id", "month", name=op.f("uq_report_run_schedule_id")),
    )
    op.create_table(
        "training_call",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("studied_by", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_training_call_call_id_call")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["training_plan.id"], name=op.f("fk_training_call_plan_id_training_plan")
        ),
        sa.PrimaryKeyConstraint("plan_id", "call_id", name=op.f("pk_training_call")),
    )
    op.create_table(
        "training_member",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column(
            "arm",
            sa.Enum(
                "first",
                "waiting",
                name="training_arm",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agent.id"], name=op.f("fk_training_member_agent_id_agent")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["training_plan.id"], name=op.f("fk_training_member_plan_id_training_plan")
        ),
        sa.PrimaryKeyConstraint("plan_id", "agent_id", name=op.f("pk_training_member")),
    )
    with op.batch_alter_table("training_member") as table:
        table.create_index(table.f("ix_training_member_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "training_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["training_plan.id"],
            name=op.f("fk_training_session_plan_id_training_plan"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_session")),
    )
    with op.batch_alter_table("training_session") as table:
        table.create_index(table.f("ix_training_session_plan_id"), ["plan_id"], unique=False)

    with op.batch_alter_table("answer") as table:
        table.add_column(sa.Column("project_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("points_lost", sa.Double(), nullable=True))
        table.add_column(sa.Column("weight", sa.Double(), nullable=True))

    with op.batch_alter_table("call") as table:
        table.add_column(sa.Column("automatic_score", sa.Double(), nullable=True))
        table.add_column(
            sa.Column("is_flagged", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.drop_index(table.f("ix_call_frame"))
        table.create_index(
            "ix_call_month",
            ["started_at", "project_id", "agent_id", "automatic_score", "is_flagged"],
            unique=False,
        )

    with op.batch_alter_table("scorecard") as table:
        table.add_column(
            sa.Column("is_breach", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(
            sa.Column("is_flagged", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    _copy_scores()
    with op.batch_alter_table("answer") as table:
        table.alter_column("project_id", existing_type=sa.Integer(), nullable=False)
        table.create_index(
            "ix_answer_month",
            [
                "called_at",
                "project_id",
                "criterion",
                "option",
                "automatic",
                "was_changed",
                "failed",
                "share_of_points",
                "points_lost",
                "weight",
                "agent_id",
            ],
            unique=False,
        )
        table.create_foreign_key(
            table.f("fk_answer_project_id_project"), "project", ["project_id"], ["id"]
        )


def _copy_scores() -> None:
    """The newest automatic score of each call; project and weight of each answer.

    The points an old answer cost stay unknown.
    """
    newest = (
        "SELECT r.score FROM check_result r WHERE r.call_id = call.id ORDER BY r.id DESC LIMIT 1"
    )
    op.execute(f"UPDATE call SET automatic_score = ({newest})")
    op.execute(
        "UPDATE scorecard SET is_breach = (SELECT COUNT(*) > 0 FROM answer a WHERE a.scorecard_id ="
        " scorecard.id AND a.failed)"
    )
    op.execute(
        "UPDATE answer SET project_id = (SELECT s.project_id FROM scorecard s WHERE s.id ="
        " answer.scorecard_id)"
    )
    op.execute(
        "UPDATE answer SET weight = (SELECT 1.0 / s.probability FROM scorecard s WHERE s.id ="
        " answer.scorecard_id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("scorecard") as table:
        table.drop_column("is_flagged")
        table.drop_column("is_breach")

    with op.batch_alter_table("call") as table:
        table.drop_index("ix_call_month")
        table.create_index(
            table.f("ix_call_frame"), ["started_at", "project_id", "agent_id"], unique=False
        )
        table.drop_column("is_flagged")
        table.drop_column("automatic_score")

    with op.batch_alter_table("answer") as table:
        table.drop_constraint(table.f("fk_answer_project_id_project"), type_="foreignkey")
        table.drop_index("ix_answer_month")
        table.drop_column("weight")
        table.drop_column("points_lost")
        table.drop_column("project_id")

    with op.batch_alter_table("training_session") as table:
        table.drop_index(table.f("ix_training_session_plan_id"))

    op.drop_table("training_session")
    with op.batch_alter_table("training_member") as table:
        table.drop_index(table.f("ix_training_member_agent_id"))

    op.drop_table("training_member")
    op.drop_table("training_call")
    op.drop_table("report_run")
    op.drop_table("training_plan")
    with op.batch_alter_table("target") as table:
        table.drop_index("ix_target_scope")

    op.drop_table("target")
    op.drop_table("report_schedule")
    op.drop_table("rating")
    with op.batch_alter_table("measure") as table:
        table.drop_index("ix_measure_open")

    op.drop_table("measure")
    op.drop_table("choice")
    op.drop_table("seed_commitment")
    op.drop_table("month_figure")
