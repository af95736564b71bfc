"""Runs the migrations of one set on the connection that `daemon.database.migrating` brings."""

from alembic import context

tables = context.config.attributes["tables"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    version_table=tables.version_table,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
