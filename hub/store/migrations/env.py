"""Alembic's entry: run the steps on the connection that hub.store.migration holds the lock on."""

from alembic import context

from hub.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
