"""Alembic's entry: runs the numbered migrations on the connection that `qa.tables.migrate` passes
in.
"""

from alembic import context

from qa.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
