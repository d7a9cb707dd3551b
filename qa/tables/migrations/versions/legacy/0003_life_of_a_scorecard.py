"""The whole life of a scorecard: disputes, revisions, calibration sessions, cases, notices, search,
a chained event log
"""

import hashlib
import json
import re
import unicodedata
from contextlib import contextmanager
from datetime import UTC

import sqlalchemy as sa
from alembic import op

from qa.tables.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS = ("standard", "double", "self", "calibration")
CHECKS = {
    "assignment": {
        "assignment_state": (
            "state",
            ("waiting", "claimed", "submitted", "skipped", "expired", "withdrawn"),
        ),
        "assignment_kind": ("kind", KINDS),
    },
    "scorecard": {
        "scorecard_state": ("state", ("draft", "submitted", "released", "acknowledged", "void")),
        "scorecard_kind": ("kind", KINDS),
    },
    "user_account": {
        "role": (
            "role",
            (
                "agent",
                "team_leader",
                "evaluator",
                "qa_manager",
                "trainer",
                "administrator",
                "director",
            ),
        )
    },
}
CHECKS_BEFORE = {
    "assignment": {"assignment_state": ("state", ("waiting", "claimed", "submitted", "skipped"))},
    "scorecard": {"scorecard_state": ("state", ("draft", "submitted", "released", "acknowledged"))},
    "user_account": {
        "role": (
            "role",
            ("agent", "team_leader", "evaluator", "qa_manager", "trainer", "administrator"),
        )
    },
}
CJK = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _sql(column, values):
    return column + " IN (" + ", ".join("'" + v + "'" for v in values) + ")"


@contextmanager
def _batch(table, old, new):
    """Change a table, with its checks on states exchanged."""
    with op.batch_alter_table(table) as batch:
        for name in old[table]:
            batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
        yield batch
        for name, c in new[table].items():
            batch.create_check_constraint(op.f(f"ck_{table}_{name}"), sa.text(_sql(*c)))


def upgrade() -> None:
    op.create_table(
        "event_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_head")),
    )
    op.create_table(
        "case_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "difficult",
                "praise",
                "complaint",
                "guide",
                "proposal",
                name="case_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "passed",
                "done",
                "upheld",
                "declined",
                name="case_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("contact", sa.String(length=300), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agent.id"], name=op.f("fk_case_record_agent_id_agent")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_case_record_call_id_call")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user_account.id"],
            name=op.f("fk_case_record_decided_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_case_record_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"],
            ["user_account.id"],
            name=op.f("fk_case_record_written_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_record")),
    )
    with op.batch_alter_table("case_record", schema=None) as batch_op:
        batch_op.create_index("ix_case_agent", ["agent_id", "kind", "id"], unique=False)
        batch_op.create_index("ix_case_open", ["kind", "state", "due_at"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("utterance", sa.Integer(), nullable=False),
        sa.Column("word", sa.Integer(), nullable=False),
        sa.Column("recognised", sa.String(length=200), nullable=False),
        sa.Column("corrected", sa.String(length=200), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_correction_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_correction_call_id_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_correction_call", ["call_id", "utterance", "word", "id"], unique=False
        )

    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("in_page", sa.Boolean(), nullable=False),
        sa.Column("mail_at", UtcDateTime(), nullable=True),
        sa.Column("mail_attempts", sa.Integer(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notice_user_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_notice_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_mail", ["mail_at", "id"], unique=False)
        batch_op.create_index("ix_notice_user", ["user_id", "read_at", "id"], unique=False)

    op.create_table(
        "notice_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("in_page", sa.Boolean(), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notice_choice_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notice_choice")),
    )
    op.create_table(
        "project_member",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_member_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_project_member_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", "project_id", name=op.f("pk_project_member")),
    )
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_saved_filter_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint("user_id", "page", "name", name=op.f("uq_saved_filter_user_id")),
    )
    op.create_table(
        "spoken",
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_spoken_call_id_call")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_spoken")),
    )
    op.create_table(
        "calibration_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("form_version_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "scoring",
                "review",
                "closed",
                name="session_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("follow_up", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f("fk_calibration_session_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["form_version_id"],
            ["form_version.id"],
            name=op.f("fk_calibration_session_form_version_id_form_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_session")),
    )
    op.create_table(
        "calibration_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_calibration_call_call_id_call")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["calibration_session.id"],
            name=op.f("fk_calibration_call_session_id_calibration_session"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_call")),
        sa.UniqueConstraint("session_id", "call_id", name=op.f("uq_calibration_call_session_id")),
    )
    op.create_table(
        "calibration_member",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["calibration_session.id"],
            name=op.f("fk_calibration_member_session_id_calibration_session"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_calibration_member_user_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("session_id", "user_id", name=op.f("pk_calibration_member")),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scorecard_id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=120), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "evaluator",
                "qa_manager",
                "director",
                name="dispute_level",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "upheld",
                "rejected",
                "withdrawn",
                name="dispute_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("disputed_option", sa.String(length=80), nullable=False),
        sa.Column("suggested_option", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("decided_option", sa.String(length=80), nullable=False),
        sa.Column("is_rule_at_fault", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user_account.id"],
            name=op.f("fk_dispute_decided_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["user_account.id"], name=op.f("fk_dispute_opened_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecard.id"], name=op.f("fk_dispute_scorecard_id_scorecard")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint(
            "scorecard_id", "criterion", "round", name=op.f("uq_dispute_scorecard_id")
        ),
    )
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.create_index("ix_dispute_open", ["state", "level", "due_at"], unique=False)

    op.create_table(
        "scorecard_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scorecard_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "submitted",
                "dispute",
                "re_evaluation",
                name="revision_cause",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"],
            ["user_account.id"],
            name=op.f("fk_scorecard_revision_made_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["scorecard_id"],
            ["scorecard.id"],
            name=op.f("fk_scorecard_revision_scorecard_id_scorecard"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scorecard_revision")),
        sa.UniqueConstraint(
            "scorecard_id", "revision", name=op.f("uq_scorecard_revision_scorecard_id")
        ),
    )
    with _batch("assignment", CHECKS_BEFORE, CHECKS) as table:
        table.add_column(
            sa.Column("kind", sa.String(length=24), nullable=False, server_default="standard")
        )
        table.add_column(
            sa.Column("occasion", sa.String(length=60), nullable=False, server_default="")
        )
        table.add_column(sa.Column("reserved_for_id", sa.Integer(), nullable=True))
        table.add_column(
            sa.Column("is_blind", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.drop_constraint(op.f("uq_assignment_call_id"), type_="unique")
        table.create_unique_constraint(
            op.f("uq_assignment_call_id"), ["call_id", "form_version_id", "occasion"]
        )
        table.create_index("ix_assignment_reserved", ["reserved_for_id", "state"], unique=False)
        table.create_foreign_key(
            op.f("fk_assignment_reserved_for_id_user_account"),
            "user_account",
            ["reserved_for_id"],
            ["id"],
        )
    with _batch("scorecard", CHECKS_BEFORE, CHECKS) as table:
        table.add_column(
            sa.Column("kind", sa.String(length=24), nullable=False, server_default="standard")
        )
        table.add_column(
            sa.Column("is_blind", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(
            sa.Column("seconds_spent", sa.Double(), nullable=False, server_default="0")
        )
        table.add_column(sa.Column("release_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("reviewer_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("reviewed_at", UtcDateTime(), nullable=True))
        table.drop_index("ix_scorecard_month")
        table.create_index("ix_scorecard_month", ["started_at", "kind", "state"], unique=False)
        table.create_index("ix_scorecard_release", ["state", "release_at"], unique=False)
        table.create_foreign_key(
            op.f("fk_scorecard_reviewer_id_user_account"), "user_account", ["reviewer_id"], ["id"]
        )
    with op.batch_alter_table("form_version") as table:
        table.add_column(
            sa.Column(
                "needs_second_reader", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
        table.add_column(sa.Column("edition", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("changed_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("changed_by_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_form_version_changed_by_id_user_account"),
            "user_account",
            ["changed_by_id"],
            ["id"],
        )
    with _batch("user_account", CHECKS_BEFORE, CHECKS) as table:
        table.add_column(
            sa.Column("email", sa.String(length=200), nullable=False, server_default="")
        )
        table.add_column(sa.Column("daily_goal", sa.Integer(), nullable=True))
        table.add_column(
            sa.Column("sees_all_projects", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    with op.batch_alter_table("event") as table:
        table.add_column(
            sa.Column("digest", sa.String(length=64), nullable=False, server_default="")
        )
        table.create_index("ix_event_actor", ["actor_id", "id"], unique=False)
        table.create_index("ix_event_what", ["what", "id"], unique=False)
    _chain_events()
    _index_words()
    _first_revisions()


def _chain_events() -> None:
    """Every line that is there gets its place in the chain.

    Ids are made to follow one another, so that a missing one shows.
    """
    bind = op.get_bind()
    columns = [
        sa.Column("id", sa.Integer),
        sa.Column("at", UtcDateTime),
        sa.Column("actor_id", sa.Integer),
        sa.Column("subject", sa.String),
    ]
    event = sa.table(
        "event",
        *columns,
        sa.Column("subject_id", sa.Integer),
        sa.Column("what", sa.String),
        sa.Column("detail", sa.JSON),
        sa.Column("digest", sa.String),
    )
    digest, n = "", 0
    for row in bind.execute(sa.select(event).order_by(event.c.id)).all():
        n += 1
        content = [
            n,
            row.at.astimezone(UTC).isoformat(),
            row.actor_id,
            row.subject,
            row.subject_id,
            row.what,
            row.detail,
        ]
        digest = hashlib.sha256(
            (
                digest
                + json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            ).encode()
        ).hexdigest()
        bind.execute(sa.update(event).where(event.c.id == row.id).values(id=n, digest=digest))
    op.execute(
        sa.text("INSERT INTO event_head (id, event_id, digest) VALUES (1, :n, :digest)").bindparams(
            n=n, digest=digest
        )
    )


def _index_words() -> None:
    """A full-text index on what was said; every Chinese character is a word of its own, so that a
    phrase of any length is found.
    """
    if _is_sqlite():
        op.execute(
            "CREATE VIRTUAL TABLE spoken_index USING fts5(words, content='spoken',"
            " content_rowid='call_id')"
        )
        op.execute(
            "CREATE TRIGGER spoken_added AFTER INSERT ON spoken BEGIN INSERT INTO"
            " spoken_index(rowid, words) VALUES (new.call_id, new.words); END"
        )
        gone = (
            "INSERT INTO spoken_index(spoken_index, rowid, words) VALUES ('delete', old.call_id,"
            " old.words);"
        )
        op.execute(f"CREATE TRIGGER spoken_removed AFTER DELETE ON spoken BEGIN {gone} END")
        op.execute(
            f"CREATE TRIGGER spoken_changed AFTER UPDATE ON spoken BEGIN {gone} INSERT INTO"
            " spoken_index(rowid, words) VALUES (new.call_id, new.words); END"
        )
    else:
        op.execute(
            "CREATE INDEX ix_spoken_words ON spoken USING gin (to_tsvector('simple', words))"
        )
    bind = op.get_bind()
    transcript = sa.table(
        "transcript", sa.Column("call_id", sa.Integer), sa.Column("document", sa.JSON)
    )
    spoken = sa.table("spoken", sa.Column("call_id", sa.Integer), sa.Column("words", sa.Text))
    for call_id, document in bind.execute(
        sa.select(transcript.c.call_id, transcript.c.document)
    ).all():
        said = " ".join(u["text"] for u in document["utterances"])
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", said.lower()) if not unicodedata.combining(c)
        )
        words = " ".join(re.findall(r"\w+", CJK.sub(r" \1 ", plain)))
        bind.execute(sa.insert(spoken).values(call_id=call_id, words=words))


def _first_revisions() -> None:
    """Cards that are submitted already: their first revision is how they are."""
    op.execute(
        "INSERT INTO scorecard_revision (scorecard_id, revision, cause, reason, content, figures,"
        " changes, made_by_id, made_at) "
        + (
            "SELECT id, 1, 'submitted', '', json_object('answers', json(answers), 'notes',"
            " json(notes), 'summary', summary), json_object('score', score, 'score_without_fails',"
            " score_without_fails, 'critical_score', critical_score, 'passed', json(CASE passed"
            " WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)), '[]', "
            if _is_sqlite()
            else (
                "SELECT id, 1, 'submitted', '', json_build_object('answers', answers, 'notes',"
                " notes, 'summary', summary), json_build_object('score', score,"
                " 'score_without_fails', score_without_fails, 'critical_score', critical_score,"
                " 'passed', passed), '[]', "
            )
        )
        + "evaluator_id, submitted_at FROM scorecard WHERE state <> 'draft'"
    )


def downgrade() -> None:
    """Works while nothing uses what is new (other kinds of cards, void cards, directors); such rows
    are refused by the old checks.
    """
    if _is_sqlite():
        for trigger in ("spoken_added", "spoken_removed", "spoken_changed"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE spoken_index")
    else:
        op.execute("DROP INDEX ix_spoken_words")
    with op.batch_alter_table("event") as table:
        table.drop_index("ix_event_what")
        table.drop_index("ix_event_actor")
        table.drop_column("digest")
    with _batch("user_account", CHECKS, CHECKS_BEFORE) as table:
        for column in ("sees_all_projects", "daily_goal", "email"):
            table.drop_column(column)
    with op.batch_alter_table("form_version") as table:
        table.drop_constraint(
            op.f("fk_form_version_changed_by_id_user_account"), type_="foreignkey"
        )
        for column in ("changed_by_id", "changed_at", "edition", "needs_second_reader"):
            table.drop_column(column)
    with _batch("scorecard", CHECKS, CHECKS_BEFORE) as table:
        table.drop_constraint(op.f("fk_scorecard_reviewer_id_user_account"), type_="foreignkey")
        table.drop_index("ix_scorecard_release")
        table.drop_index("ix_scorecard_month")
        table.create_index("ix_scorecard_month", ["started_at", "state"], unique=False)
        for column in (
            "reviewed_at",
            "reviewer_id",
            "release_at",
            "seconds_spent",
            "revision",
            "is_blind",
            "kind",
        ):
            table.drop_column(column)
    with _batch("assignment", CHECKS, CHECKS_BEFORE) as table:
        table.drop_constraint(
            op.f("fk_assignment_reserved_for_id_user_account"), type_="foreignkey"
        )
        table.drop_index("ix_assignment_reserved")
        table.drop_constraint(op.f("uq_assignment_call_id"), type_="unique")
        table.create_unique_constraint(
            op.f("uq_assignment_call_id"), ["call_id", "form_version_id"]
        )
        for column in ("is_blind", "reserved_for_id", "occasion", "kind"):
            table.drop_column(column)
    for table in (
        "scorecard_revision",
        "dispute",
        "calibration_member",
        "calibration_call",
        "calibration_session",
        "spoken",
        "saved_filter",
        "project_member",
        "notice_choice",
        "notice",
        "correction",
        "case_record",
        "event_head",
    ):
        op.drop_table(table)
