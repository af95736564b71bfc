"""Runs the migrations on the connection that `daemon.webhooks.database` brings."""

from alembic import context

from daemon.webhooks.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="alembic_version_kept",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
