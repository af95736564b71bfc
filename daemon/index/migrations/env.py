"""Runs the migrations on the connection that `daemon.index.migrating` brings."""

from alembic import context

from daemon.index.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
