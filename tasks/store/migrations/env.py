"""How Alembic runs the migrations: inside the transaction of the connection it is handed."""

from alembic import context

from tasks.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    user_module_prefix="types.",
)
with context.begin_transaction():
    context.run_migrations()
